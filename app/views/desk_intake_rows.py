"""The rows of a batch: by what became of them, mended in the browser, ignored or sent back, one or several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.actor import Person
from app.db import db, transaction
from app.errors import STATUS_OF
from app.models import BatchRow, CreditRecord, User
from app.models.intake import VERDICTS
from app.now import now
from app.registry.hands import NotPossible
from app.registry.intake.heading import heading_of
from app.registry.intake.rows_of_batch import Cell, cells_of, mend, read_as, set_aside
from app.registry.intake.work import FINDINGS
from app.views.desk import blueprint
from app.views.intake_page import (
    VERDICT_TONES,
    in_role,
    is_mine,
    kind_title,
    looking_after_intake,
    records_page,
    rows_page,
    seen_batch,
)
from app.views.refusals import No, no_of
from forms.fields import Bounded, tidy
from forms.intake import AsideForm, MendForm

LONG = 40
"""Characters from which a cell is typed in several lines."""
MOST_OF_A_CELL = 4000


@dataclass(frozen=True, slots=True)
class Question:
    """A cell of a waiting row in the form. `typed` stands in it, `read` is what it was understood as."""

    cell: Cell
    typed: str
    read: str
    reasons: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the form."""
        return f"c-{self.cell.place}"

    @property
    def long(self) -> bool:
        """Whether it is typed in several lines."""
        return len(self.typed) > LONG or "\n" in self.typed


@blueprint.route("/intake/<int:batch_id>/rows", methods=["GET", "POST"])
def intake_rows(batch_id: int) -> ResponseReturnValue:
    """Rows of one verdict, those that wait first of all; several are ignored or sent back at once."""
    who, form = looking_after_intake(), AsideForm()
    batch = seen_batch(who, batch_id)
    verdict = request.args.get("verdict", "waiting")
    if verdict not in VERDICTS:
        abort(404)
    said_no: tuple[No, ...] = ()
    status = 200
    if form.is_submitted():
        status, said_no = 422, ()
        if form.validate() and (rows := _chosen(form)):
            verdict_now = "sent_back" if request.form.get("do") == "sent_back" else "ignored"
            said_no = _aside(batch_id, rows, verdict_now, form.reason.data or "", who)
            if not said_no:
                flash(_("%(n)s 行：%(what)s。", n=len(rows), what=_(VERDICTS[verdict_now])), "success")
                return redirect(url_for("desk.intake_rows", batch_id=batch_id), 303)
    page = rows_page(batch, verdict, request.args.get("after"), request.args.get("before"))
    return render_template(
        "desk/intake_rows.html",
        batch=batch,
        title=kind_title(batch.directory),
        rows=page.rows,
        verdict=verdict,
        verdicts=VERDICTS,
        looks=VERDICT_TONES,
        findings=FINDINGS,
        mine=is_mine(who, batch) and batch.state != "undone",
        form=form,
        chosen=set(request.form.getlist("row")),
        said_no=said_no,
        previous=url_for("desk.intake_rows", batch_id=batch_id, verdict=verdict, before=page.before)
        if page.before
        else None,
        next=url_for("desk.intake_rows", batch_id=batch_id, verdict=verdict, after=page.after) if page.after else None,
    ), status


def _chosen(form: AsideForm) -> list[int]:
    """The rows that were ticked; none is an error of the form."""
    rows = [int(row) for row in request.form.getlist("row")[:100] if row.isascii() and row.isdigit() and len(row) < 10]
    if not rows:
        form.form_errors.append(_("请先选中要办理的行。"))
    return rows


def _aside(batch_id: int, rows: Sequence[int], verdict: str, reason: str, who: Person) -> tuple[No, ...]:
    """Ignore rows or send them back, all or none; why not, when it cannot be."""
    try:
        with transaction():
            for row in dict.fromkeys(rows):
                set_aside(batch_id, row, verdict, reason, who, now())
    except NotPossible as error:
        return tuple(no_of(refusal) for refusal in error.refusals)
    except LookupError:
        return (No(_("选中的行不在这一批里，请刷新页面。"), "", "unmet", "NO_ROW"),)
    return ()


@blueprint.get("/intake/<int:batch_id>/records")
def intake_records(batch_id: int) -> ResponseReturnValue:
    """The records that a batch made."""
    batch = seen_batch(looking_after_intake(), batch_id)
    page = records_page(batch_id, request.args.get("after"), request.args.get("before"))
    return render_template(
        "desk/intake_records.html",
        batch=batch,
        title=kind_title(batch.directory),
        rows=page.rows,
        previous=url_for("desk.intake_records", batch_id=batch_id, before=page.before) if page.before else None,
        next=url_for("desk.intake_records", batch_id=batch_id, after=page.after) if page.after else None,
    )


@blueprint.route("/intake/<int:batch_id>/rows/<int:row>", methods=["GET", "POST"])
def intake_row(batch_id: int, row: int) -> ResponseReturnValue:
    """One row: what came, what it was read as, what is wrong with it; mended and taken in."""
    who, form = looking_after_intake(), MendForm()
    said_no: tuple[No, ...] = ()
    status = 200
    if form.is_submitted():
        batch, line = row_seen(who, batch_id, row)
        status = 422
        typed = _typed(cells_of(batch, line))
        form.form_errors.extend(_unkeepable(cells_of(batch, line), typed))
        if form.validate() and not form.form_errors:
            try:
                with transaction():
                    mended = mend(batch_id, row, typed, who, now(), confirmed=bool(form.confirmed.data))
            except NotPossible as error:
                said_no = tuple(no_of(refusal) for refusal in error.refusals)
                status = STATUS_OF.get(error.refusals[0].kind, 422)
            else:
                if mended.verdict == "waiting":
                    flash(_("还不能写入，原因在下面；填写的内容已经保存。"), "warning")
                else:
                    flash(_("第 %(row)s 行：%(what)s。", row=row, what=_(VERDICTS[mended.verdict])), "success")
                return redirect(url_for("desk.intake_row", batch_id=batch_id, row=row), 303)
    return _row_page(who, batch_id, row, form, AsideForm(formdata=None), said_no), status


@blueprint.post("/intake/<int:batch_id>/rows/<int:row>/aside")
def intake_row_aside(batch_id: int, row: int) -> ResponseReturnValue:
    """Ignore one row or send it back, with a reason."""
    who, form = looking_after_intake(), AsideForm()
    row_seen(who, batch_id, row)
    said_no: tuple[No, ...] = ()
    if form.validate():
        verdict = "sent_back" if request.form.get("do") == "sent_back" else "ignored"
        said_no = _aside(batch_id, [row], verdict, form.reason.data or "", who)
        if not said_no:
            return redirect(url_for("desk.intake_row", batch_id=batch_id, row=row), 303)
    return _row_page(who, batch_id, row, MendForm(formdata=None), form, said_no), 422


def _row_page(
    who: Person, batch_id: int, row: int, form: MendForm, aside: AsideForm, said_no: tuple[No, ...]
) -> str:  # fmt: skip
    batch, line = row_seen(who, batch_id, row)
    at, cells = now(), cells_of(batch, line)
    read = read_as(batch, line, at) if line.received else {}
    heading = heading_of(batch.directory, batch.heading)
    names = {field.code: field.name for field in heading.entry.fields}
    questions = [
        Question(
            cell,
            request.form.get(f"c-{cell.place}", cell.value),
            read.get(cell.field, ""),
            tuple(text.removeprefix(f"{names.get(cell.field, '')}：") for text in cell.reasons),
        )
        for cell in cells
        if cell.heading or cell.value
    ]
    told = {(question.cell.field, text) for question in questions for text in question.cell.reasons}
    said = {**line.received, **(line.mended or {})}
    return render_template(
        "desk/intake_row.html",
        batch=batch,
        title=kind_title(batch.directory),
        line=line,
        place=line.row + heading.line,
        name=in_role(heading, said, "name"),
        number=in_role(heading, said, "number"),
        names=names,
        wrong=[question for question in questions if question.cell.reasons],
        others=[question for question in questions if not question.cell.reasons],
        general=[text for field, text in line.reasons if (field, text) not in told],
        doubtful=bool(line.finding) or any(not field for field, _text in line.reasons),
        finding=FINDINGS.get(line.finding, ""),
        looks=VERDICT_TONES,
        verdicts=VERDICTS,
        mine=is_mine(who, batch),
        most=MOST_OF_A_CELL,
        form=form,
        aside=aside,
        said_no=said_no,
    )


def _typed(cells: Sequence[Cell]) -> dict[int, str]:
    """The cells that say something else than what stood there: a masked number that nobody touched stays what it is."""
    typed = {}
    for cell in cells:
        value = request.form.get(f"c-{cell.place}")
        if value is not None:
            value = value.replace("\r\n", "\n")
            if value != cell.value.replace("\r\n", "\n").removeprefix("\n"):
                typed[cell.place] = value
    return typed


def _unkeepable(cells: Sequence[Cell], typed: dict[int, str]) -> list[str]:
    """Why something that was typed cannot be kept, cell by cell."""
    bounded = Bounded(MOST_OF_A_CELL, lines=True)
    return [
        no
        for cell in cells
        if cell.place in typed and (no := bounded.against(cell.heading, tidy(typed[cell.place]) or ""))
    ]


def row_seen(who: Person, batch_id: int, row: int) -> tuple[Any, Any]:
    """A batch and a row of it that this person may see; 404 for others."""
    batch = seen_batch(who, batch_id)
    line = db.session.execute(
        select(*BatchRow.__table__.c, CreditRecord.public_id, User.name.label("settler"))
        .outerjoin(CreditRecord, CreditRecord.id == BatchRow.record_id)
        .outerjoin(User, User.id == BatchRow.settled_by)
        .where(BatchRow.batch_id == batch_id, BatchRow.row == row)
    ).first()
    if line is None:
        abort(404)
    return batch, line
