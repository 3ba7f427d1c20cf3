"""对账单 at the desk of the organ that issues them, and our own books against each other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select, true
from wtforms.fields import SelectChoice

from app.casework.actor import Person
from app.casework.sight import issues_statements
from app.db import db, transaction
from app.models import Office, Statement
from app.notices.own_books import own_differences
from app.notices.own_notices import OwnDifference
from app.notices.statement import FIRST, NoPeriod, draw_statement
from app.now import now
from app.views.desk import blueprint
from app.views.desk_sharing import looking_after
from app.views.statement_page import STATES, file_of, period, statement_page, statement_row, statements_page
from forms.books import BooksFilter, DeskPeriodForm, StatementFilter
from workflows.calendar import legal_day

LONGEST = timedelta(days=92)
"""Our own books are looked through for so many days at once on a page; the command does all of them."""
SHOWN = 100


@blueprint.route("/sharing/statements", methods=["GET", "POST"])
def statements() -> ResponseReturnValue:
    """Every statement, the newest first; another one is drawn on demand."""
    who, at = _issuing(), now()
    receivers = _receivers()
    form = DeskPeriodForm()
    form.receiver.choices = [*form.receiver.choices, *(SelectChoice(row.code, row.name) for row in receivers)]
    if not form.is_submitted():
        form.since.data, form.until.data = legal_day(at).replace(day=1), legal_day(at)
        form.receiver.data = request.args.get("receiver", "")
    elif form.validate() and form.since.data and form.until.data:
        receiver = next(row.id for row in receivers if row.code == form.receiver.data)
        try:
            with transaction():
                drawn = draw_statement(receiver, form.since.data, form.until.data, at=at, by=who.person)
        except NoPeriod as no:
            form.form_errors.append(_(str(no)))
        else:
            flash(_("对账单已经出具。"), "success")
            return redirect(url_for("desk.statement", statement_id=drawn), 303)
    wanted = StatementFilter(request.args)
    wanted.offer("receiver", ((row.code, row.name) for row in receivers))
    chosen: dict[str, Any] = dict(wanted.chosen())
    page = statements_page(
        Office.code == chosen["receiver"] if "receiver" in chosen else true(),
        Statement.state == chosen["state"] if "state" in chosen else true(),
        after=request.args.get("after"),
        before=request.args.get("before"),
    )
    return render_template(
        "desk/statements.html",
        rows=page.rows,
        states=STATES,
        period=period,
        draw=form,
        form=wanted,
        chosen=[
            (words, url_for("desk.statements", **{k: v for k, v in chosen.items() if k != name}))
            for name, words in wanted.in_words()
        ],
        previous=url_for("desk.statements", **chosen, before=page.before) if page.before else None,
        next=url_for("desk.statements", **chosen, after=page.after) if page.after else None,
    ), (422 if form.errors else 200)


@blueprint.get("/sharing/statements/<int:statement_id>")
def statement(statement_id: int) -> ResponseReturnValue:
    """One statement: its figures, its digest, the answer and what differs."""
    _issuing()
    return render_template("desk/statement.html", page=statement_page(statement_id, _any()))


@blueprint.get("/sharing/statements/<int:statement_id>/<name>")
def statement_file(statement_id: int, name: str) -> Response:
    """The lines, or the signed sheet, to take away."""
    _issuing()
    return file_of(statement_row(statement_id, _any()), name)


@blueprint.get("/sharing/books")
def own_books() -> ResponseReturnValue:
    """本机关账目: whether journal, notices, deliveries, receipts and publication agree, for a period."""
    _issuing()
    today = legal_day(now())
    form = BooksFilter(request.args)
    form.validate()
    until = max(min(form.until.data or today, today), FIRST + LONGEST)
    since = max(min(form.since.data or until - timedelta(days=31), until), until - LONGEST)
    form.since.data, form.until.data = since, until
    found = own_differences(since, until)
    return render_template(
        "desk/own_books.html", form=form, found=[_said(one) for one in found[:SHOWN]], all=len(found),
        since=since, until=until,
    )  # fmt: skip


def _said(one: OwnDifference) -> tuple[str, str, str]:
    return str(_(one.template).format(**one.values)), one.case, one.record


def _issuing() -> Person:
    """The signed-in officer, if they look after sharing at the organ that issues statements; 404 for others: a
    statement shows what a department was told by everybody."""
    who = looking_after()
    if not issues_statements(who):
        abort(404)
    return who


def _any() -> ColumnElement[bool]:
    return true()


def _receivers() -> list[Any]:
    return list(
        db.session.execute(
            select(Office.id, Office.code, Office.name).where(Office.kind == "linked").order_by(Office.code)
        ).all()
    )
