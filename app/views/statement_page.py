"""A statement as both counters show it: figures in words, files to take away, what differs and what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Response, abort, send_file
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select

from app.casework.keyset import Order, Page, page_of
from app.db import db
from app.files import find
from app.models import Issue, Office, Statement, User
from app.notices.compare import CHANGED, EXTRA, MISSING, ORDER, STATE, STUCK
from app.notices.statement import lines_of, number_of, sheet_of, statements_folder
from app.notices.statement_sheet import plain
from app.views.texts import day_year

PAGE = 25
STATES = {
    "drawn": (_l("等对方答复"), "ju", "clock"),
    "agreed": (_l("双方一致"), "zhuqing", "check-circle"),
    "differing": (_l("有差异"), "zhu", "exclamation-triangle"),
    "settled": (_l("差异已了结"), "zhuqing", "check-circle"),
}
"""Where a statement stands: its word, colour and picture."""
DIFFERENCES = {
    MISSING: _l("我们送达了，对方没有"),
    EXTRA: _l("对方有，我们没有发给他们"),
    CHANGED: _l("正文不一致"),
    STUCK: _l("我们这边还没有送达"),
    STATE: _l("办没办，两边说法不一"),
    ORDER: _l("办理的先后颠倒"),
}
SAYS = {
    "waiting": _l("待送达"),
    "delivered": _l("已送达"),
    "dead": _l("送达失败"),
    "received": _l("已收到，没说办没办"),
    "done": _l("已办理"),
    "holds_nothing": _l("本单位没有这条信息"),
    "already_ended": _l("此前已经停止"),
    "not_found": _l("查找不到"),
    "refused": _l("不予办理"),
}
FILES = {"lines.csv": "text/csv", "lines.json": "application/json", "statement.pdf": "application/pdf"}


@dataclass(frozen=True, slots=True)
class Found:
    """A difference in words: what we have, what they have; `url` is the issue's page where there is one to open."""

    issue_id: int
    notice: str
    kind: str
    ours: str
    theirs: str
    opened_at: datetime
    closed_at: datetime | None
    outcome: str


@dataclass(frozen=True)
class StatementPage:
    """Everything a page shows of a statement. `row` is its row with the receiver's name and code and who drew it."""

    row: Any
    number: str
    period: str
    state: str
    tone: str
    picture: str
    told: Sequence[tuple[int, str]]
    answered: Sequence[tuple[int, str]]
    differences: Sequence[Found]
    digest: str


def statement_page(statement_id: int, which: ColumnElement[bool]) -> StatementPage:
    """A statement that the reader may see by `which`; 404 for any other."""
    row = statement_row(statement_id, which)
    found = db.session.execute(
        select(Issue.id, Issue.detail, Issue.opened_at, Issue.closed_at, Issue.outcome)
        .where(Issue.statement_id == row.id, Issue.kind == "difference")
        .order_by(Issue.closed_at.is_not(None), Issue.id)
    ).all()
    figures = row.figures
    state, tone, picture = STATES[row.state]
    return StatementPage(
        row=row,
        number=number_of(row.code, row.since, row.until, row.serial),
        period=period(row.since, row.until),
        state=str(state),
        tone=tone,
        picture=picture,
        told=[
            (figures["written"], _("写好")),
            (figures["delivered"], _("已送达")),
            (figures["waiting"], _("等待送达")),
            (figures["dead"], _("送达失败")),
            (figures["skipped"], _("已跳过")),
        ],
        answered=[
            (figures["asked"], _("请求确认")),
            (figures["confirmed"], _("已确认")),
            (figures["awaiting"], _("等待确认")),
            (figures["overdue"], _("过期未确认")),
            (figures["receipts"]["not_found"] + figures["receipts"]["refused"], _("未能办理")),
        ],
        differences=[_found(one) for one in found],
        digest=eights(row.digest),
    )


def statement_row(statement_id: int, which: ColumnElement[bool]) -> Any:
    """A statement that the reader may see by `which`; 404 for any other."""
    row = db.session.execute(
        select(*Statement.__table__.c, Office.name.label("receiver"), Office.code, User.name.label("drawer"))
        .join(Office, Office.id == Statement.receiver_id)
        .outerjoin(User, User.id == Statement.made_by)
        .where(Statement.id == statement_id, which)
    ).first()
    if row is None:
        abort(404)
    return row


def statements_page(*which: ColumnElement[bool], after: str | None, before: str | None) -> Page[Any]:
    """Statements, the newest first."""
    query: Any = (
        select(
            Statement.id, Statement.since, Statement.until, Statement.serial, Statement.figures, Statement.state,
            Statement.made_at, Statement.pdf, Office.name.label("receiver"), Office.code,
            Statement.made_at.label("mark"),
        )
        .join(Office, Office.id == Statement.receiver_id)
        .where(*which)
    )  # fmt: skip
    order = Order(Statement.made_at, Statement.id, "instant", down=True)
    return page_of(query, order, after=after, before=before, limit=PAGE)


def file_of(row: Any, name: str) -> Response:
    """A file of a statement to take away: its frozen lines, as CSV or JSON, or the signed sheet; 404 for any other."""
    if name not in FILES or (name == "statement.pdf" and not row.pdf):
        abort(404)
    if name == "lines.csv":
        answer = Response(sheet_of(row.id), content_type="text/csv; charset=utf-8")
    elif name == "lines.json":
        said = {
            "statement": row.id, "number": number_of(row.code, row.since, row.until, row.serial),
            "digest": row.digest, "lines": [plain(line) for line in lines_of(row.id)],
        }  # fmt: skip
        answer = Response(json.dumps(said, ensure_ascii=False, indent=1), content_type="application/json")
    else:
        answer = send_file(find(statements_folder(), row.pdf), mimetype=FILES[name], etag=False)
    stem = f"duizhang-{row.code}-{row.since:%Y%m%d}-{row.until:%Y%m%d}-{row.serial}"
    answer.headers["Content-Disposition"] = f"attachment; filename={stem}.{name.partition('.')[2]}"
    return answer


def period(since: date, until: date) -> str:
    """A period in words."""
    return _("%(since)s至%(until)s", since=day_year(since), until=day_year(until))


def eights(digest: str) -> str:
    """A digest in groups of eight, which an eye can compare."""
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def in_words(detail: Mapping[str, Any]) -> tuple[str, str, str]:
    """What differs, what we have and what they have."""
    kind = str(detail.get("kind", ""))
    ours, theirs = str(detail.get("ours", "")), str(detail.get("theirs", ""))
    if kind == ORDER:
        ours = _("第 %(n)s 号", n=ours)
        theirs = _("排在 %(notice)s 后面办理", notice=detail.get("other", ""))
    elif kind == EXTRA:
        ours, theirs = _("没有"), eights(theirs)[:17] + "…"
    elif kind == CHANGED:
        ours, theirs = eights(ours)[:17] + "…", eights(theirs)[:17] + "…"
    else:
        ours = str(SAYS.get(ours, _("没有确认")))
        theirs = str(SAYS.get(theirs, _("没有")))
    return str(DIFFERENCES.get(kind, kind)), ours, theirs


def _found(row: Any) -> Found:
    kind, ours, theirs = in_words(row.detail)
    notice = str(row.detail.get("notice", ""))
    return Found(row.id, notice, kind, ours, theirs, row.opened_at, row.closed_at, row.outcome)
