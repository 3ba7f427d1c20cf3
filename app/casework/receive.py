"""What a receiver says it did about a notice: kept as it was said, journalled, its time-limit met. The case stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Executable, Row, Select, bindparam, case, func, null, select, update

from app.casework import clocks
from app.casework.actor import Person
from app.casework.facts import load_case
from app.casework.once import body_of
from app.casework.refused import KeyReused, StepRefused
from app.casework.sight import departments_of
from app.db import db, insert_into
from app.journal import Doer, write_line
from app.models import Case, CreditRecord, DeadlineRow, Delivery, JournalLine, Notice, Office, Receipt, User
from app.models.sharing import CONFIRMING, RECEIPTS
from app.notices.issues import close_answered, open_issue
from workflows.calendar import legal_day
from workflows.clockwork import PAUSED, RUNNING, Deadline, Event
from workflows.grammar import MOVED, UNMET, Refusal
from workflows.people import Role

ACT = "receipt"
ANSWERED = "ANSWERED"
"""The code of the refusal of whoever comes second."""
CLOCK = "receiver"
LAW = "NDRC36"
EXPLAINED = ("not_found", "refused")
"""Kinds that need a reason, and that a person of ours must look into."""
DATED = ("done", "already_ended")
"""Kinds that say when it was done."""
AHEAD = timedelta(minutes=5)
"""How far the clock of a receiver may be ahead of ours."""
REASON, NUMBER, KEY = 500, 100, 64
"""The most characters of a reason, of a receiver's own number and of its key."""

NOTICE, DELIVERY, HELD = Notice.__table__.c, Delivery.__table__, Receipt.__table__.c
FOUND = (
    select(
        NOTICE.id, NOTICE.case_id, NOTICE.record_id, NOTICE.journal_id, NOTICE.written_at,
        Case.number, Office.code,
    )
    .join_from(Notice.__table__, Office.__table__, Office.id == NOTICE.receiver_id)
    .outerjoin(Case.__table__, Case.id == NOTICE.case_id)
    .where(NOTICE.key == bindparam("key"), NOTICE.receiver_id == bindparam("receiver"))
)  # fmt: skip
EARLIER = select(HELD.id, HELD.body_hash).where(HELD.receiver_id == bindparam("receiver"), HELD.key == bindparam("key"))
NEWER = (
    select(HELD.id, HELD.kind, HELD.received_at, User.name)
    .outerjoin_from(Receipt.__table__, User.__table__, User.id == HELD.user_id)
    .where(HELD.notice_id == bindparam("notice"), HELD.id > bindparam("seen"))
    .order_by(HELD.id.desc())
    .limit(1)
)
RECORD = select(CreditRecord.id).where(CreditRecord.id == bindparam("record")).with_for_update()
REPORTED = (
    update(DELIVERY)
    .where(DELIVERY.c.notice_id == bindparam("of_notice"))
    .values(
        receipt=bindparam("kind"), receipt_at=bindparam("at"),
        state=case((DELIVERY.c.state == "skipped", "skipped"), else_="delivered"),
        delivered_at=func.coalesce(DELIVERY.c.delivered_at, bindparam("at", type_=DELIVERY.c.delivered_at.type)),
        channel=case((DELIVERY.c.channel == "", bindparam("channel")), else_=DELIVERY.c.channel),
        lease_until=null(),
    )
)  # fmt: skip


class NoSuchNotice(LookupError):
    """There is no such notice for this receiver, or this person does not act for it."""


class AnsweredMeanwhile(StepRefused):
    """Somebody of the same department has given a receipt since the page was opened."""

    def __init__(self, who: str, what: str, when: datetime) -> None:
        values = {"who": who, "what": what, "when": when}
        text = "{who}在{when}已经为这份通知交了回执（{what}）。您这次的没有提交。"
        super().__init__([Refusal(MOVED, text, values, "D", ANSWERED)])


@dataclass(frozen=True, slots=True)
class Said:
    """What a receiver says. `kind` is one of RECEIPTS, `key` its own so that a repeat is the same receipt, `done_at`
    when it was done, `number` its own reference, `reason` why it was not."""

    kind: str
    key: str
    done_at: datetime | None = None
    number: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """The receipt as it was sent: the name of the key, the signed text and the signature (base64)."""

    key_name: str
    raw: str
    signature: str


class Taken(NamedTuple):
    """The receipt's row, and whether it has just been written."""

    id: int
    new: bool


def take_receipt(
    notice_key: str,
    said: Said,
    *,
    receiver_id: int,
    actor: Person,
    via: str,
    at: datetime,
    signed: Signed | None = None,
    seen: int | None = None,
) -> Taken:
    """Take in a receipt inside `transaction()`; the latest one about a notice counts. `via` is "api" or "counter".

    The same key and body again is the same receipt. `seen` is the receipt that whoever says this saw last (0: none):
    when another has come in meanwhile, it is refused; None asks for no such care. Raises NoSuchNotice, StepRefused
    (what is missing or cannot be), AnsweredMeanwhile or KeyReused. The case does not move: its journal has a line
    beside the state, and a receipt that confirms meets the receiver's time-limit.
    """
    if receiver_id not in departments_of(actor):
        raise NoSuchNotice(notice_key)
    notice = db.session.execute(FOUND, {"key": notice_key, "receiver": receiver_id}).first()
    if notice is None:
        raise NoSuchNotice(notice_key)
    body = body_of(notice_key, said.kind, _utc(said.done_at), said.number, said.reason, via)
    last, deadlines, starting = _lock(notice, at)
    if (earlier := _earlier(receiver_id, said.key, body)) is not None:
        return Taken(earlier, False)
    if seen is not None and (newer := db.session.execute(NEWER, {"notice": notice.id, "seen": seen}).first()):
        raise AnsweredMeanwhile(newer.name or "", RECEIPTS[newer.kind], newer.received_at)
    if no := _against(said, notice.written_at, at):
        raise StepRefused(no)
    events = _met(notice, deadlines, starting, at) if said.kind in CONFIRMING else ()
    about, about_id = ("case", notice.case_id) if notice.case_id else ("record", notice.record_id)
    doer = Doer(actor.person, actor.name, str(Role.LINKED), receiver_id, None, actor.address)
    entry = write_line(
        about,
        about_id,
        ACT,
        doer,
        at,
        law_text=LAW,
        source=last.target if last else "",
        target=last.target if last else "",
        item=notice.code,
        answers=_answers(notice_key, said, via),
        clocks=events,
        last=(last.seq, last.hash) if last else (0, ""),
    )
    clocks.store(about, about_id, deadlines, events)
    values = {
        "receiver_id": receiver_id, "notice_id": notice.id, "key": said.key, "kind": said.kind,
        "done_at": said.done_at, "number": said.number, "reason": said.reason, "via": via, "user_id": actor.person,
        "key_name": signed.key_name if signed else "", "raw": signed.raw if signed else "",
        "signature": signed.signature if signed else "", "body_hash": body, "received_at": at, "journal_id": entry.id,
    }  # fmt: skip
    receipt_id: int | None = db.session.execute(_write(db.engine.dialect.name), values).scalar()
    if receipt_id is None:  # the key was taken for another notice while this one waited
        raise KeyReused
    channel = "counter" if via == "counter" else ""
    db.session.execute(REPORTED, {"of_notice": notice.id, "kind": said.kind, "at": at, "channel": channel})
    close_answered(notice.id, doer=doer, outcome=f"收到新的回执：{RECEIPTS[said.kind]}", at=at)
    if said.kind in EXPLAINED:
        detail = {"reason": said.reason, "number": said.number}
        open_issue(f"receipt-{receipt_id}", said.kind, notice_id=notice.id, detail=detail, at=at)
    return Taken(receipt_id, True)


def _lock(notice: Row[Any], at: datetime) -> tuple[Row[Any] | None, tuple[Deadline, ...], int]:
    """Lock the case and its record, or the record of a notice without a case; then the last journal line, the
    time-limits, and the line that began the receiver's (0: none did)."""
    if notice.number is not None:
        loaded = load_case(notice.number, at)
        lines, deadlines = loaded.lines, loaded.facts.deadlines
    else:
        db.session.execute(RECORD, {"record": notice.record_id})
        lines = tuple(db.session.execute(_lines(), {"record": notice.record_id}).all())
        deadlines = tuple(
            Deadline(**{name: getattr(row, name) for name in Deadline.__dataclass_fields__})
            for row in db.session.execute(_deadlines(), {"record": notice.record_id})
        )
    return (lines[-1] if lines else None), deadlines, _started_by(lines, notice.code)


def _started_by(lines: tuple[Row[Any], ...], receiver: str) -> int:
    for line in reversed(lines):
        for event in line.clocks or ():
            if (event["clock"], event["item"], event["event"]) == (CLOCK, receiver, "start"):
                return int(line.id)
    return 0


def _met(notice: Row[Any], deadlines: tuple[Deadline, ...], starting: int, at: datetime) -> tuple[Event, ...]:
    """The receiver's time-limit is met by a receipt about the notice that began it, not by one about an earlier."""
    open_ones = [d for d in deadlines if (d.clock, d.item) == (CLOCK, notice.code) and d.state in (RUNNING, PAUSED)]
    if not open_ones or starting != notice.journal_id:
        return ()
    return ({"clock": CLOCK, "item": notice.code, "event": "meet", "on": legal_day(at).isoformat()},)


def _earlier(receiver_id: int, key: str, body: str) -> int | None:
    """The receipt that this key has brought before. Raises KeyReused when it brought another."""
    row = db.session.execute(EARLIER, {"receiver": receiver_id, "key": key}).first()
    if row is None:
        return None
    if row.body_hash != body:
        raise KeyReused
    return int(row.id)


def _against(said: Said, written_at: datetime, at: datetime) -> list[Refusal]:
    found = []
    if said.kind not in RECEIPTS:
        found.append(_no("没有“{kind}”这种回执。", "KIND", kind=said.kind[:40]))
    if not said.key or len(said.key) > KEY:
        found.append(_no("回执要有贵单位自己的编号，用来识别重复，最多 {most} 个字符。", "KEY", most=KEY))
    if said.kind in EXPLAINED and not said.reason:
        found.append(_no("查找不到或者不予办理的，请写明情况和理由。", "REASON"))
    if len(said.reason) > REASON:
        found.append(_no("理由最多 {most} 字。", "REASON", most=REASON))
    if len(said.number) > NUMBER:
        found.append(_no("办理编号最多 {most} 字。", "NUMBER", most=NUMBER))
    if said.kind in DATED and said.done_at is None:
        found.append(_no("请写明什么时候办理的。", "DONE_AT"))
    if said.done_at is not None and said.done_at > at + AHEAD:
        found.append(_no("办理时间不能晚于现在。", "DONE_AT"))
    elif said.kind == "done" and said.done_at is not None and legal_day(said.done_at) < legal_day(written_at):
        text = "办理时间早于通知发出的日期（{day}）；在那以前就已经停止的，请选“此前已经停止”。"
        found.append(_no(text, "DONE_AT", day=legal_day(written_at)))
    return found


def _answers(notice_key: str, said: Said, via: str) -> Mapping[str, Any]:
    answers = {
        "notice": notice_key, "kind": said.kind, "done_at": _utc(said.done_at), "number": said.number,
        "reason": said.reason, "via": via,
    }  # fmt: skip
    return {name: value for name, value in answers.items() if value}


def _no(text: str, code: str, **values: object) -> Refusal:
    return Refusal(UNMET, text, values, "D", code)


def _utc(instant: datetime | None) -> str:
    return instant.astimezone(UTC).isoformat() if instant else ""


@lru_cache(maxsize=2)
def _write(dialect: str) -> Executable:
    insert = insert_into(Receipt.__table__, dialect)
    return insert.on_conflict_do_nothing(index_elements=["receiver_id", "key"]).returning(Receipt.__table__.c.id)


@lru_cache(maxsize=1)
def _lines() -> Select[Any]:
    line = JournalLine.__table__
    return select(*line.c).where(line.c.about == "record", line.c.about_id == bindparam("record")).order_by(line.c.seq)


@lru_cache(maxsize=1)
def _deadlines() -> Select[Any]:
    row = DeadlineRow.__table__
    return select(*row.c).where(row.c.about == "record", row.c.about_id == bindparam("record"))
