"""代码疑问: whom a row means when its code does not fit; both sides on one page, and the ways to settle it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import func, select
from wtforms.fields import SelectChoice

from app.casework.actor import Person
from app.db import db, transaction
from app.errors import STATUS_OF
from app.models import Batch, BatchRow, Office
from app.now import now
from app.registry.code_findings import change_code, correct_row, correct_subject, keep, rename
from app.registry.code_sides import Doubt, doubt_about
from app.registry.hands import HANDS, NotPossible
from app.registry.intake.heading import heading_of
from app.registry.intake.lookups import within
from app.registry.intake.rows_of_batch import PAGE, findings
from app.registry.intake.work import FINDINGS
from app.views.desk import blueprint
from app.views.desk_intake_rows import row_seen
from app.views.intake_page import in_role, is_mine, kind_title, looking_after_intake, paths_of
from app.views.refusals import No, no_of
from forms.codes import CodeForm, DoubtFilter, KeepForm, MoveForm, RenameForm, RowForm
from forms.typed import TypedForm
from workflows.calendar import legal_day


@dataclass(frozen=True)
class Ways:
    """The forms that stand on a page; what was sent is bound to one of them."""

    keep: KeepForm
    row: RowForm
    rename: RenameForm
    move: MoveForm
    code: CodeForm
    said_no: tuple[No, ...] = field(default=())


FORMS: Mapping[str, type[TypedForm]] = {
    "keep": KeepForm, "row": RowForm, "rename": RenameForm, "move": MoveForm, "code": CodeForm,
}  # fmt: skip


@blueprint.get("/codes")
def codes() -> ResponseReturnValue:
    """What nobody has settled yet, the newest batch first."""
    who = looking_after_intake()
    paths = paths_of(who)
    form = DoubtFilter(request.args)
    form.offer("kind", FINDINGS.items())
    chosen: dict[str, Any] = dict(form.chosen())
    rows = findings(paths, chosen.get("kind", ""), after=_mark(request.args.get("after")), limit=PAGE + 1)
    more, rows = len(rows) > PAGE, rows[:PAGE]
    return render_template(
        "desk/codes.html",
        rows=[_listed(row) for row in rows],
        counts=_counts(paths),
        findings=FINDINGS,
        form=form,
        chosen=[(words, url_for("desk.codes")) for _name, words in form.in_words()],
        first=url_for("desk.codes", **chosen) if request.args.get("after") else None,
        next=url_for("desk.codes", **chosen, after=f"{rows[-1].batch_id}~{rows[-1].row}") if more else None,
    )


def _mark(text: str | None) -> tuple[int, int] | None:
    """Where the page before ended; None for none and for one that somebody made up."""
    batch, _tilde, row = (text or "").partition("~")
    good = all(part.isascii() and part.isdigit() and len(part) < 10 for part in (batch, row))
    return (int(batch), int(row)) if good else None


def _counts(paths: tuple[str, ...]) -> dict[str, int]:
    rows = db.session.execute(
        select(BatchRow.finding, func.count())
        .join(Batch, Batch.id == BatchRow.batch_id)
        .join(Office, Office.id == Batch.office_id)
        .where(BatchRow.finding != "", BatchRow.settled_at.is_(None), Batch.state != "undone")
        .where(within(Office.path, paths))
        .group_by(BatchRow.finding)
    ).all()
    return {finding: count for finding, count in rows}


def _listed(row: Any) -> dict[str, Any]:
    heading = heading_of(row.directory, row.heading)
    said = {**row.received, **(row.mended or {})}
    return {
        "row": row,
        "name": in_role(heading, said, "name"),
        "code": in_role(heading, said, "code"),
        "reasons": [text for _field, text in row.reasons],
    }


@blueprint.get("/codes/<int:batch_id>/<int:row>")
def code(batch_id: int, row: int) -> ResponseReturnValue:
    """One doubt: what the row says, whom the register knows, what can be done."""
    return _page(looking_after_intake(), batch_id, row, {}), 200


@blueprint.post("/codes/<int:batch_id>/<int:row>/<way>")
def code_way(batch_id: int, row: int, way: str) -> ResponseReturnValue:
    """Settle it one way."""
    who = looking_after_intake()
    row_seen(who, batch_id, row)
    if way not in FORMS:
        abort(404)
    form: Any = FORMS[way]()
    if way == "code":
        _offer(form, doubt_about(*row_seen(who, batch_id, row)))
    if not form.validate():
        return _page(who, batch_id, row, {way: form}), 422
    try:
        with transaction():
            done = _ways(way, form, batch_id, row, who)()
    except NotPossible as error:
        no = tuple(no_of(refusal) for refusal in error.refusals)
        return _page(who, batch_id, row, {way: form}, no), STATUS_OF.get(error.refusals[0].kind, 422)
    if getattr(done, "verdict", "") == "waiting":
        flash(_("还不能写入，原因在下面；填写的内容已经保存。"), "warning")
        return redirect(url_for("desk.intake_row", batch_id=batch_id, row=row), 303)
    flash(_("已核对，记入记录。"), "success")
    return redirect(url_for("desk.code", batch_id=batch_id, row=row), 303)


def _ways(way: str, form: Any, batch_id: int, row: int, who: Person) -> Callable[[], Any]:
    at = now()
    match way:
        case "keep":
            return lambda: keep(batch_id, row, form.keep_reason.data, who, at)
        case "row":
            return lambda: correct_row(batch_id, row, form.row_name.data, form.row_code.data, who, at)
        case "rename":
            return lambda: rename(batch_id, row, form.rename_reason.data, who, at)
        case "move":
            return lambda: correct_subject(batch_id, row, form.move_code.data, form.move_reason.data, who, at)
        case _:
            return lambda: change_code(
                batch_id, row, int(form.subject.data), form.new_code.data, form.since.data, form.code_reason.data,
                who, at,
            )  # fmt: skip


def _offer(form: CodeForm, doubt: Doubt) -> None:
    """The subjects that may have another code: those beside the row's own first, each with the code it has now."""
    sides = [*doubt.others, *([doubt.own] if doubt.own else [])]
    form.subject.choices = [SelectChoice(str(side.id), f"{side.name} {side.code}") for side in sides]


def _page(
    who: Person, batch_id: int, row: int, sent: Mapping[str, Any], said_no: tuple[No, ...] = ()
) -> str:  # fmt: skip
    batch, line = row_seen(who, batch_id, row)
    if not line.finding and line.settled_at is None:
        abort(404)
    doubt = doubt_about(batch, line)
    forms: dict[str, Any] = {way: sent.get(way) or kind(formdata=None) for way, kind in FORMS.items()}
    if "row" not in sent:
        forms["row"].row_name.data = doubt.name
        forms["row"].row_code.data = doubt.code
    if "code" not in sent:
        _offer(forms["code"], doubt)
        forms["code"].subject.data = next((choice.value for choice in forms["code"].subject.choices), None)
        forms["code"].new_code.data = doubt.code if line.finding == "two_codes" else ""
        forms["code"].since.data = legal_day(now())
    if "move" not in sent:
        forms["move"].move_code.data = next((side.code for side in doubt.others), "")
    return render_template(
        "desk/code.html",
        batch=batch,
        title=kind_title(batch.directory),
        line=line,
        doubt=doubt,
        finding=FINDINGS.get(line.finding, ""),
        open=bool(line.finding) and line.settled_at is None and batch.state != "undone",
        mine=is_mine(who, batch),
        grave=any((role, batch.office_id) in who.memberships for role in HANDS),
        forms=Ways(**forms, said_no=said_no),
        sent=next(iter(sent.values()), None),
    )
