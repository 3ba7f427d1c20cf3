"""对账单 by the interface: drawn, read, its lines fetched, answered by digest or line by line."""

from __future__ import annotations

from typing import Any

from flask import Response, send_file
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework import once
from app.casework.sight import departments_of
from app.db import db, transaction
from app.files import find
from app.models import Office, Statement
from app.notices.statement import (
    NoPeriod,
    NoSuchStatement,
    answer_statement,
    draw_statement,
    lines_of,
    number_of,
    sheet_of,
    statements_folder,
)
from app.notices.statement_sheet import BadSheet, plain, read_theirs
from app.problem import problem
from app.views.api.door import blueprint, door, visit
from app.views.api.said import said
from app.views.api.statement_shapes import (
    Answer,
    Compared,
    DifferenceSaid,
    DrawHeader,
    LineSaid,
    LinesPage,
    LinesQuery,
    Period,
    StatementPath,
    StatementSaid,
    StatementsPage,
    StatementsQuery,
)

LARGE = 40 * 1024 * 1024
"""Bytes of an answer: the lines of a whole year."""


@door("get", "/statements", scope="statements", title="本单位的对账单", answers={200: StatementsPage})
def list_statements(query: StatementsQuery) -> Response:
    """从早到晚。每月一日自动出具上一个月的，也可以随时自己出具。"""
    rows = db.session.execute(
        _statements().where(Statement.id > query.after).order_by(Statement.id).limit(query.limit + 1)
    ).all()
    shown = rows[: query.limit]
    last = shown[-1].id if shown else query.after
    return said(StatementsPage(statements=[_said(row) for row in shown], next=last, more=len(rows) > len(shown)))


@door("post", "/statements", scope="statements", title="出具一份对账单", answers={201: StatementSaid})
def draw(header: DrawHeader, body: Period) -> Response:
    """对一段日期出具对账单；同样的日期可以再出具，编号递增。"""
    came = visit()
    office, whose = came.holder.office_id, f"office-{came.holder.office_id}"
    key = header.idempotency_key
    with transaction():
        asked = once.body_of("statement", body.since.isoformat(), body.until.isoformat())
        if once.claim(whose, key, asked, came.at) is not None:
            drawn = once.made_by(whose, key)
        else:
            drawn = draw_statement(office, body.since, body.until, at=came.at, by=came.person.person)
            once.remember_made(whose, key, drawn)
    return said(_said(_statement(drawn), as_drawn=True), 201)


@door("get", "/statements/<id>", scope="statements", title="一份对账单", answers={200: StatementSaid})
def read_statement(path: StatementPath) -> Response:
    """出具时的合计和摘要，贵单位最后一次的回答。"""
    return said(_said(_statement(path.id)))


@door("get", "/statements/<id>/lines", scope="statements", title="对账单的明细", answers={200: LinesPage})
def list_lines(path: StatementPath, query: LinesQuery) -> Response:
    """出具时冻结的明细，一页一页取。"""
    lines = lines_of(_statement(path.id).id)
    shown = lines[query.after : query.after + query.limit]
    last = query.after + len(shown)
    return said(LinesPage(lines=[LineSaid(**plain(line)) for line in shown], next=last, more=last < len(lines)))


@door(
    "get",
    "/statements/<id>/lines.csv",
    scope="statements",
    title="对账单的明细，CSV",
    answers={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def download_lines(path: StatementPath) -> Response:
    """与明细相同，UTF-8，可以用表格软件打开，填好办理状态和办理次序再交回。"""
    statement = _statement(path.id)
    answer = Response(sheet_of(statement.id), content_type="text/csv; charset=utf-8")
    name = f"statement-{statement.since:%Y%m%d}-{statement.until:%Y%m%d}-{statement.serial}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@door(
    "get",
    "/statements/<id>/statement.pdf",
    scope="statements",
    title="签章的对账单，PDF",
    answers={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
)
def download_statement(path: StatementPath) -> Response:
    """签章以后才有，此前是 404。"""
    statement = _statement(path.id)
    if not statement.pdf:
        return problem(404, _("这份对账单还在排印签章，请稍后再来。"))
    return send_file(find(statements_folder(), statement.pdf), mimetype="application/pdf", etag=False)


@door("post", "/statements/<id>/answer", scope="statements", title="答对账单", answers={200: Compared}, limit=LARGE)
def answer(path: StatementPath, body: Answer) -> Response:
    """只答摘要：一致即相符。答明细：逐项指出差异，差异由我们的人处理。可以再答，以最后一次为准。"""
    came, statement = visit(), _statement(path.id)
    theirs = None
    if body.lines is not None:
        theirs = read_theirs([line.model_dump() for line in body.lines])
    with transaction():
        comparison = answer_statement(
            statement.id, theirs=theirs, digest=body.digest or "", by=came.person.person, at=came.at
        )
    found = [
        DifferenceSaid(kind=one.kind, notice=one.notice, ours=one.ours, theirs=one.theirs, other=one.other)  # type: ignore[arg-type]
        for one in comparison.differences
    ]
    return said(
        Compared(
            statement=statement.id, equal=comparison.equal, state=comparison.state, differences=found  # type: ignore[arg-type]
        )
    )  # fmt: skip


@blueprint.errorhandler(NoSuchStatement)
def _nowhere(_error: NoSuchStatement) -> Response:
    return problem(404)


@blueprint.errorhandler(NoPeriod)
def _no_period(error: NoPeriod) -> Response:
    return problem(422, _(str(error)), code="PERIOD")


@blueprint.errorhandler(BadSheet)
def _bad_sheet(error: BadSheet) -> Response:
    return problem(422, str(_(error.template)).format(**error.values), code="SHEET")


def _statements() -> Any:
    """The statements of the key's department."""
    return (
        select(*Statement.__table__.c, Office.code)
        .join(Office, Office.id == Statement.receiver_id)
        .where(Statement.receiver_id.in_(sorted(departments_of(visit().person))))
    )


def _statement(statement_id: int) -> Any:
    """One of them. Raises NoSuchStatement: of others there is none."""
    row = db.session.execute(_statements().where(Statement.id == statement_id)).first()
    if row is None:
        raise NoSuchStatement(statement_id)
    return row


def _said(row: Any, as_drawn: bool = False) -> StatementSaid:
    """A statement as it stands; `as_drawn` as it was when it was drawn, so that a repeat gets the same answer."""
    return StatementSaid(
        id=row.id, number=number_of(row.code, row.since, row.until, row.serial), since=row.since, until=row.until,
        digest=row.digest, state="drawn" if as_drawn else row.state, theirs="" if as_drawn else row.theirs,
        answered_at=None if as_drawn else row.answered_at, made_at=row.made_at,
        printed=not as_drawn and bool(row.pdf), figures=row.figures,
    )  # fmt: skip
