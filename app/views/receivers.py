"""Where everybody stands who was told of an outcome: has it arrived, what was answered, who may still show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import aliased

from app.casework.receive import CLOCK
from app.db import db
from app.models import DeadlineRow, Delivery, Notice, Office, Receipt, RecordShare
from app.models.sharing import CONFIRMING
from app.views.agency_lines import RECEIPTS
from app.views.texts import day, when
from workflows.clockwork import RUNNING

CONFIRMED, DELIVERED, WAITING, FAILED, DENIED = "confirmed", "delivered", "waiting", "failed", "denied"


@dataclass(frozen=True, slots=True)
class Told:
    """A receiver of the outcome. `next_at` is when it is tried again; `asked` says whether it is asked to confirm,
    `late` by which day it should have; `receipt` is what it said, in words."""

    name: str
    act: str
    state_text: str
    next_at: datetime | None
    badge: str
    sent_at: datetime | None
    receipt: str
    asked: bool
    late: date | None
    written_at: datetime

    @property
    def confirmed(self) -> bool:
        """Whether nothing of the record is shown or used there any more, as they say themselves."""
        return self.badge == CONFIRMED


@dataclass(frozen=True, slots=True)
class Showing:
    """Somebody who was told of a record: whether it may still show it, and what came of telling it."""

    name: str
    state: str
    tone: str
    words: str
    at: datetime


def told_in_case(case_id: int, today: date) -> tuple[Told, ...]:
    """Everybody who was told in a case, by the latest notice to each; one statement."""
    return _told(Notice.case_id == case_id, today)


def told_of_record(record_id: int, today: date) -> tuple[Told, ...]:
    """Everybody who was told of a record, whether in a case or without one, by the latest notice to each."""
    return _told(Notice.record_id == record_id, today)


def showing(record_id: int, today: date) -> tuple[Showing, ...]:
    """Who was ever told of a record, each with what it may still show, and the latest news."""
    told = {each.name: each for each in told_of_record(record_id, today)}
    shares = db.session.execute(
        select(Office.name, RecordShare.what, RecordShare.at)
        .join(Office, Office.id == RecordShare.receiver_id)
        .where(RecordShare.record_id == record_id)
        .order_by(RecordShare.id)
    ).all()
    latest = {share.name: share for share in shares}
    return tuple(_showing(share, told.get(share.name)) for share in latest.values())


def _told(of: ColumnElement[bool], today: date) -> tuple[Told, ...]:
    last = select(func.max(Receipt.id)).where(Receipt.notice_id == Notice.id).correlate(Notice).scalar_subquery()
    answer = aliased(Receipt)
    limit = and_(
        DeadlineRow.about == case((Notice.case_id.is_(None), "record"), else_="case"),
        DeadlineRow.about_id == func.coalesce(Notice.case_id, Notice.record_id),
        DeadlineRow.clock == CLOCK,
        DeadlineRow.item == Office.code,
    )
    rows = db.session.execute(
        select(
            Office.code, Office.name, Notice.act, Notice.written_at, Delivery.state, Delivery.attempts,
            Delivery.next_at, Delivery.delivered_at, Delivery.receipt, answer.done_at, answer.number, answer.reason,
            answer.received_at, DeadlineRow.due_on, DeadlineRow.state.label("limit"),
        )
        .join(Office, Office.id == Notice.receiver_id)
        .join(Delivery, Delivery.notice_id == Notice.id)
        .outerjoin(answer, answer.id == last)
        .outerjoin(DeadlineRow, limit)
        .where(of)
        .order_by(Notice.id)
    )  # fmt: skip
    latest = {row.code: row for row in rows}
    return tuple(_one(row, today) for row in latest.values())


def _one(row: Any, today: date) -> Told:
    asked = row.limit is not None
    text, badge = _state(row, asked)
    late = row.limit == RUNNING and row.due_on is not None and row.due_on < today
    return Told(
        name=row.name,
        act=row.act,
        state_text=text,
        next_at=row.next_at if row.state == "waiting" and row.attempts and not row.receipt else None,
        badge=badge,
        sent_at=row.delivered_at,
        receipt=_answer(row) if row.receipt else "",
        asked=asked,
        late=row.due_on if late else None,
        written_at=row.written_at,
    )


def _state(row: Any, asked: bool) -> tuple[str, str]:
    """Where it stands, in words, and its badge."""
    if row.receipt in CONFIRMING:
        return _("已确认"), CONFIRMED
    if row.receipt:
        return str(RECEIPTS[row.receipt]), DENIED
    match row.state:
        case "delivered":
            return (_("已送达，待确认") if asked else _("已送达")), DELIVERED
        case "dead":
            return _("送达失败，已转人工"), FAILED
        case "skipped":
            return _("不再发送"), WAITING
        case _ if row.attempts:
            return _("送达失败 %(n)s 次", n=row.attempts), FAILED
        case _:
            return _("已写好，待送出"), WAITING


def _answer(row: Any) -> str:
    """A receipt in a line: what, when, under which number, or why not."""
    said = [str(RECEIPTS[row.receipt]), day(row.done_at or row.received_at)]
    if row.number:
        said.append(_("编号 %(number)s", number=row.number))
    if row.reason:
        said.append(row.reason)
    return _("，").join(said)


SHARED = (_l("可能在显示"), "ju", _l("已共享"))
OTHERWISE = (_l("照旧"), "hui", _l("已通知办理结果"))
STOPPING = {"confirm": _l("应当停止"), "supersede": _l("应当撤回"), "withdraw": _l("应当撤回")}
"""What a receiver ought to do, by the act of which it was told last; any other leaves the record as it is."""


def _showing(share: Any, told: Told | None) -> Showing:
    if told is None or share.what == "publish":
        state, tone, words = SHARED if share.what == "publish" else OTHERWISE
    elif told.act not in STOPPING:
        state, tone, words = OTHERWISE[0], OTHERWISE[1], told.state_text
    elif told.confirmed:
        state, tone, words = _l("已停止显示"), "zhuqing", told.receipt
    else:
        state, tone = STOPPING[told.act], "ju"
        words = told.receipt or told.state_text
        if told.next_at:
            words = _("%(words)s，%(at)s再送", words=words, at=when(told.next_at))
        if told.late:
            words = _("%(words)s；约定 %(day)s前确认，我们正在催办", words=words, day=day(told.late))
    return Showing(share.name, str(state), tone, str(words), share.at)
