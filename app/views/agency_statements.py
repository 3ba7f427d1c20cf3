"""对账: what the department was told in a period, whether its own book agrees, what differs and what becomes of it."""

from __future__ import annotations

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import ColumnElement

from app.db import transaction
from app.models import Statement
from app.notices.statement import Comparison, NoPeriod, answer_statement, draw_statement
from app.notices.statement_sheet import BadSheet, theirs_in
from app.now import now
from app.security import acting_department, person
from app.views.agency import blueprint
from app.views.statement_page import STATES, file_of, period, statement_page, statement_row, statements_page
from forms.books import DigestForm, LinesForm, PeriodForm
from workflows.calendar import legal_day


@blueprint.route("/statements", methods=["GET", "POST"])
def statements() -> ResponseReturnValue:
    """对账: the statements of the department, the newest first; another one is drawn on demand."""
    form, at = PeriodForm(), now()
    today = legal_day(at)
    if not form.is_submitted():
        form.since.data, form.until.data = today.replace(day=1), today
    elif form.validate() and form.since.data and form.until.data:
        try:
            with transaction():
                drawn = draw_statement(acting_department(), form.since.data, form.until.data, at=at, by=person().person)
        except NoPeriod as no:
            form.form_errors.append(_(str(no)))
        else:
            flash(_("对账单已经出具。"), "success")
            return redirect(url_for("agency.statement", statement_id=drawn), 303)
    page = statements_page(_own(), after=request.args.get("after"), before=request.args.get("before"))
    return render_template(
        "agency/statements.html",
        rows=page.rows,
        states=STATES,
        period=period,
        form=form,
        previous=url_for("agency.statements", before=page.before) if page.before else None,
        next=url_for("agency.statements", after=page.after) if page.after else None,
    ), (422 if form.errors else 200)


@blueprint.get("/statements/<int:statement_id>")
def statement(statement_id: int) -> ResponseReturnValue:
    """One statement: its figures, its digest, the answer and what differs."""
    return _page(statement_id, DigestForm(formdata=None), LinesForm(formdata=None))


@blueprint.post("/statements/<int:statement_id>/digest")
def statement_digest(statement_id: int) -> ResponseReturnValue:
    """The department says which digest its own book has."""
    form = DigestForm()
    statement_row(statement_id, _own())
    if form.validate():
        try:
            with transaction():
                found = answer_statement(
                    statement_id, theirs=None, digest=form.digest.data or "", by=person().person, at=now()
                )
        except BadSheet as no:
            form.digest.errors = [_(no.template).format(**no.values)]
        else:
            return _answered(statement_id, found, by_digest=True)
    return _page(statement_id, form, LinesForm(formdata=None))


@blueprint.post("/statements/<int:statement_id>/lines")
def statement_lines(statement_id: int) -> ResponseReturnValue:
    """The department hands in its own lines; every difference becomes a task of ours."""
    form, limit = LinesForm(), int(current_app.config["MAX_UPLOAD"])
    statement_row(statement_id, _own())
    if form.validate():
        data = form.lines.data.read(limit + 1)
        try:
            if len(data) > limit:
                raise BadSheet("文件超过 {limit} MB，请分成几个期间核对。", limit=limit // 1048576)
            theirs = theirs_in(data)
            with transaction():
                found = answer_statement(statement_id, theirs=theirs, by=person().person, at=now(), file=data)
        except BadSheet as no:
            form.lines.errors = [_(no.template).format(**no.values)]
        else:
            return _answered(statement_id, found)
    return _page(statement_id, DigestForm(formdata=None), form)


@blueprint.get("/statements/<int:statement_id>/<name>")
def statement_file(statement_id: int, name: str) -> Response:
    """The lines, or the signed sheet, to take away."""
    return file_of(statement_row(statement_id, _own()), name)


def _own() -> ColumnElement[bool]:
    """Statements of the department acted for; of another one no page says that they exist."""
    return Statement.receiver_id == acting_department()


def _page(statement_id: int, digest_form: DigestForm, lines_form: LinesForm) -> ResponseReturnValue:
    page = statement_page(statement_id, _own())
    return render_template("agency/statement.html", page=page, digest_form=digest_form, lines_form=lines_form), (
        422 if digest_form.errors or lines_form.errors else 200
    )


def _answered(statement_id: int, found: Comparison, by_digest: bool = False) -> ResponseReturnValue:
    if found.state == "agreed":
        flash(_("双方一致，对账完成。"), "success")
    elif by_digest and not found.equal:
        flash(_("摘要与我们的不一致。请在下面交来明细，逐份核对。"), "warning")
    elif found.state == "settled":
        flash(_("找出的差异此前都已了结。"), "success")
    else:
        flash(_("找出 %(n)s 处差异，我们的人会逐处处理，结果在下面看得到。", n=len(found.differences)), "warning")
    return redirect(url_for("agency.statement", statement_id=statement_id), 303)
