"""数据报送: files of records handed in, looked at before anything is written, followed while they run, taken back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Response, abort, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.fields import SelectChoice

from app.casework.actor import Person
from app.casework.sight import intake_offices
from app.db import transaction
from app.errors import STATUS_OF
from app.files import find, keep_file
from app.models.intake import VERDICTS
from app.now import now
from app.registry.entries import entries, entry_for, entry_of
from app.registry.hands import HANDS, NotPossible
from app.registry.intake.batch import drop, make_batch, start
from app.registry.intake.examine import examine
from app.registry.intake.heading import heading_of
from app.registry.intake.progress import progress_of
from app.registry.intake.result import write_result
from app.registry.intake.template import template
from app.registry.intake.trouble import Unreadable
from app.registry.intake.undo import builds_on, undo
from app.views.desk import blueprint
from app.views.intake_page import (
    TONES,
    VERDICT_TONES,
    batches_page,
    is_mine,
    journal_of_batch,
    kind_title,
    looking_after_intake,
    mapping_of,
    seen_batch,
)
from app.views.refusals import No, no_of
from app.views.said import said
from forms.intake import STATES, BatchFilter, UndoForm, UploadForm
from workflows.calendar import legal_day

REFRESH = 3
"""Seconds after which the page of a running batch looks again by itself."""
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/intake")
def intake() -> ResponseReturnValue:
    """数据报送: the batches of my offices and those below, the newest first."""
    who = looking_after_intake()
    mine = intake_offices(who)
    form = BatchFilter(request.args)
    form.offer("kind", _kinds())
    form.offer("office", ((str(office), name) for office, _path, name in mine))
    if len(mine) < 2:
        del form.office
    chosen: dict[str, Any] = dict(form.chosen())
    page = batches_page(
        [path for _id, path, _name in mine], chosen, request.args.get("after"), request.args.get("before")
    )
    return render_template(
        "desk/intake.html",
        rows=page.rows,
        kind_title=kind_title,
        kinds=_kinds(),
        states=dict(STATES),
        tones=TONES,
        verdicts=VERDICTS,
        form=form,
        chosen=[
            (words, url_for("desk.intake", **{k: v for k, v in chosen.items() if k != name}))
            for name, words in form.in_words()
        ],
        previous=url_for("desk.intake", **chosen, before=page.before) if page.before else None,
        next=url_for("desk.intake", **chosen, after=page.after) if page.after else None,
    )


@blueprint.route("/intake/new", methods=["GET", "POST"])
def intake_new() -> ResponseReturnValue:
    """Hand a file in; it is read to its end and nothing of it is written."""
    who, form = looking_after_intake(), UploadForm()
    form.kind.choices = [*form.kind.choices, *(SelectChoice(code, title) for code, title in _kinds())]
    form.office.choices = [SelectChoice(str(office), name) for office, _path, name in intake_offices(who)]
    if not form.is_submitted():
        form.office.data = form.office.choices[0].value
    elif form.validate():
        batch_id = _examined(form, who)
        if batch_id is not None:
            return redirect(url_for("desk.intake_batch", batch_id=batch_id), 303)
    most = current_app.config["MAX_SHEET"] // 1048576
    return render_template("desk/intake_new.html", form=form, kinds=_kinds(), most=most), (422 if form.errors else 200)


def _examined(form: UploadForm, who: Person) -> int | None:
    """Keep the file and what was found in it; None, with the sentence at the question, when it cannot be read."""
    at, upload = now(), form.sheet.data
    folder = current_app.config["INSTANCE"] / "uploads"
    name, size = keep_file(folder, upload.stream)
    try:
        examined = examine(find(folder, name), legal_day(at), form.kind.data or "")
        with transaction():
            title = Path((upload.filename or "").replace("\\", "/")).name[:120] or _("未命名")
            return make_batch(examined, name, title, size, int(form.office.data), who, at)
    except Unreadable as error:
        form.sheet.errors = [said(error.sentence)]
    except NotPossible as error:
        form.form_errors.extend(no_of(refusal).text for refusal in error.refusals)
    return None


@blueprint.get("/intake/templates/<code>.xlsx")
def intake_template(code: str) -> Response:
    """The empty sheet of a kind of record."""
    looking_after_intake()
    if code not in dict(_kinds()):
        abort(404)
    entry = entry_for(code, legal_day(now()))
    answer = Response(template(entry), mimetype=WORKBOOK)
    answer.headers.set("Content-Disposition", "attachment", filename=f"{entry.code}-{entry.edition}.xlsx")
    return answer


@blueprint.get("/intake/<int:batch_id>")
def intake_batch(batch_id: int) -> ResponseReturnValue:
    """One batch: its preview, how far it has come, or what came of it."""
    return _batch_page(looking_after_intake(), batch_id)


def _batch_page(who: Person, batch_id: int, said_no: tuple[No, ...] = ()) -> Response:
    batch = seen_batch(who, batch_id)
    entry = entry_of(batch.directory)
    body = render_template(
        "desk/intake_batch.html",
        batch=batch,
        title=kind_title(batch.directory),
        progress=progress_of(batch, now()),
        refresh=REFRESH,
        line=batch.heading["line"],
        mapping=mapping_of(entry, batch.preview["columns"]) if entry else [],
        strangers=heading_of(batch.directory, batch.heading).strangers,
        verdicts=VERDICTS,
        looks=VERDICT_TONES,
        tones=TONES,
        mine=is_mine(who, batch),
        may_undo=any((role, batch.office_id) in who.memberships for role in HANDS),
        journal=journal_of_batch(batch.id),
        said_no=said_no,
    )
    answer: Response = current_app.make_response(body)
    if batch.state in ("queued", "running") and request.method == "GET":
        answer.headers["Refresh"] = str(REFRESH)
    return answer


@blueprint.post("/intake/<int:batch_id>/start")
def intake_start(batch_id: int) -> ResponseReturnValue:
    """Write what was previewed, or go on where a run broke off."""
    return _deed(batch_id, lambda who: start(batch_id, who, now()))


@blueprint.post("/intake/<int:batch_id>/drop")
def intake_drop(batch_id: int) -> ResponseReturnValue:
    """Not this file: nothing of it has been written."""
    return _deed(batch_id, lambda who: drop(batch_id, who, now()))


def _deed(batch_id: int, act: Callable[[Person], None]) -> ResponseReturnValue:
    who = looking_after_intake()
    seen_batch(who, batch_id)
    try:
        with transaction():
            act(who)
    except NotPossible as error:
        answer = _batch_page(who, batch_id, tuple(no_of(refusal) for refusal in error.refusals))
        answer.status_code = STATUS_OF.get(error.refusals[0].kind, 422)
        return answer
    return redirect(url_for("desk.intake_batch", batch_id=batch_id), 303)


@blueprint.route("/intake/<int:batch_id>/undo", methods=["GET", "POST"])
def intake_undo(batch_id: int) -> ResponseReturnValue:
    """撤销一批: what it would do and why first, then once more to be sure."""
    who, form = looking_after_intake(), UndoForm()
    batch = seen_batch(who, batch_id)
    may = any((role, batch.office_id) in who.memberships for role in HANDS)
    said_no: tuple[No, ...] = ()
    status, sure = (200 if may or request.method == "GET" else 403), False
    if may and form.is_submitted() and form.validate():
        sure = request.form.get("do") != "back"
        if request.form.get("do") == "confirm":
            try:
                with transaction():
                    undo(batch_id, who, form.reason.data, now())
            except NotPossible as error:
                said_no = tuple(no_of(refusal) for refusal in error.refusals)
                status, sure = STATUS_OF.get(error.refusals[0].kind, 422), False
            else:
                flash(_("这一批已经撤销。"), "success")
                return redirect(url_for("desk.intake_batch", batch_id=batch_id), 303)
    return render_template(
        "desk/intake_undo.html",
        batch=batch,
        title=kind_title(batch.directory),
        made=sum(batch.tallies.get(verdict, 0) for verdict in ("in", "warned")),
        blockers=[no_of(refusal) for refusal in builds_on(batch_id)],
        may=may,
        form=form,
        sure=sure,
        said_no=said_no,
    ), (422 if form.errors else status)


@blueprint.get("/intake/<int:batch_id>/<name>")
def intake_result(batch_id: int, name: str) -> Response:
    """结果表: the sender's rows with what became of each, or only those that are still open."""
    batch = seen_batch(looking_after_intake(), batch_id)
    part, _dot, ending = name.partition(".")
    if part not in ("result", "open") or ending not in ("csv", "xlsx"):
        abort(404)
    source = find(current_app.config["INSTANCE"] / "uploads", batch.file)
    with tempfile.TemporaryDirectory(dir=current_app.config["INSTANCE"] / "run") as folder:
        target = write_result(batch, source, Path(folder) / f"result.{ending}", only_open=part == "open")
        file = target.open("rb")
    words = _("待处理和退回的行") if part == "open" else _("处理结果")
    return send_file(
        file,
        mimetype=WORKBOOK if ending == "xlsx" else "text/csv; charset=utf-8",
        as_attachment=True,
        download_name=f"{Path(batch.name).stem}-{words}.{ending}",
    )


def _kinds() -> list[tuple[str, str]]:
    """The kinds of record that are taken in today: code and title."""
    today = legal_day(now())
    return [(entry.code, entry.title) for entry in entries() if entry.in_force(today)]
