"""对账单 by the interface: drawn, read, its lines fetched, answered by digest or line by line."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from flask import Response, send_file
from flask_babel import gettext as _
from pydantic import BaseModel, Field, StrictInt, model_validator
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
from app.views.api.query import Day, IdempotencyKey, Limit, Moment, RowId
from app.views.api.said import said

MOST = 100
MOST_LINES = 5000
LARGE = 40 * 1024 * 1024
"""Bytes of an answer: the lines of a whole year."""
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Period(BaseModel, extra="forbid"):
    """Which days, both included."""

    since: Day = Field(title="从哪一天起，按通知写好的日期（北京时间）")
    until: Day = Field(title="到哪一天止，含这一天，不晚于今天")


class DrawHeader(BaseModel):
    """Under which key a statement is drawn."""

    idempotency_key: IdempotencyKey


class StatementSaid(BaseModel):
    """A statement."""

    id: int = Field(title="对账单")
    number: str = Field(title="对账单编号")
    since: date = Field(title="从哪一天起")
    until: date = Field(title="到哪一天止")
    digest: str = Field(title="我们的摘要：对期间内没有跳过的通知，按通知编号排序，逐行“编号 空格 指纹 换行”取 SHA-256")
    state: Literal["drawn", "agreed", "differing", "settled"] = Field(
        title="drawn 已出具，agreed 相符，differing 有差异，settled 差异都已处理"
    )
    theirs: str = Field(title="贵单位最后一次答的摘要；没有答过时为空")
    answered_at: Moment | None = Field(title="最后一次答的时间")
    made_at: Moment = Field(title="出具时间")
    printed: bool = Field(title="签章的 PDF 是否已经可以下载")
    figures: dict[str, Any] = Field(title="各项合计")


class StatementsPage(BaseModel):
    """Some statements, the oldest first."""

    statements: list[StatementSaid] = Field(title="对账单，从早到晚")
    next: int = Field(title="下一次的 after")
    more: bool = Field(title="后面是否还有")


class StatementsQuery(BaseModel, extra="forbid"):
    """Which statements."""

    after: Limit = Field(0, title="从这里往后：上一次的 next", ge=0, le=2**31 - 1)
    limit: Limit = Field(50, title="最多几份", ge=1, le=MOST)


class StatementPath(BaseModel):
    """Which statement."""

    id: RowId = Field(title="对账单，列表里的 id")


class LineSaid(BaseModel):
    """A notice in our book."""

    notice: str = Field(title="通知编号")
    body: str = Field(title="正文的 SHA-256")
    subject: str = Field(title="统一社会信用代码；没有时是名称")
    seq: int = Field(title="对这个主体的第几份通知")
    act: str = Field(title="办理结果代号")
    written_at: str = Field(title="写好的时刻")
    state: Literal["waiting", "delivered", "dead", "skipped"] = Field(title="送达状态")
    delivered_at: str = Field(title="送达时刻；没有时为空")
    receipt: str = Field(title="最后一份回执的种类；没有时为空")
    receipt_at: str = Field(title="回执时刻；没有时为空")
    asked: bool = Field(title="是否要求确认")
    confirm_by: str = Field(title="确认期限；没有时为空")


class LinesPage(BaseModel):
    """Some lines of a statement."""

    lines: list[LineSaid] = Field(title="明细，按写好的先后")
    next: int = Field(title="下一次的 after")
    more: bool = Field(title="后面是否还有")


class LinesQuery(BaseModel, extra="forbid"):
    """Which lines."""

    after: Limit = Field(0, title="跳过前面多少行", ge=0, le=10_000_000)
    limit: Limit = Field(1000, title="最多多少行", ge=1, le=MOST_LINES)


class TheirLine(BaseModel, extra="forbid"):
    """A notice in the department's book."""

    notice: str = Field(title="通知编号", min_length=1, max_length=200)
    body: Digest = Field(title="收到的正文的 SHA-256")
    state: Literal["", "received", "done", "holds_nothing", "already_ended", "not_found", "refused"] = Field(
        "", title="办得怎样：received 已收到未办，其余与回执相同；不说时为空"
    )
    order: StrictInt | None = Field(None, title="在贵单位所有通知里第几个办理", ge=0, le=10**12 - 1)


class Answer(BaseModel, extra="forbid"):
    """A digest alone, or every line; with the lines the differences are named."""

    digest: Digest | None = Field(None, title="贵单位的摘要，与我们的算法相同")
    lines: list[TheirLine] | None = Field(None, title="贵单位的明细，一份通知一行", max_length=200_000)

    @model_validator(mode="after")
    def _one_of_them(self) -> Answer:
        if (self.digest is None) == (self.lines is None):
            raise ValueError("digest 和 lines 写一项，也只写一项。")
        return self


class DifferenceSaid(BaseModel):
    """One notice about which the books differ."""

    kind: Literal["missing", "extra", "changed", "stuck", "state", "order"] = Field(title="哪一种差异")
    notice: str = Field(title="通知编号")
    ours: str = Field(title="我们这边是什么")
    theirs: str = Field(title="贵单位那边是什么")
    other: str = Field(title="先后颠倒时：先办的那一份")


class Compared(BaseModel):
    """What came of an answer."""

    statement: int = Field(title="对账单")
    equal: bool = Field(title="摘要是否一致")
    state: Literal["agreed", "differing", "settled"] = Field(title="对账单现在的状态")
    differences: list[DifferenceSaid] = Field(title="差异，逐项；只答摘要时为空")


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
