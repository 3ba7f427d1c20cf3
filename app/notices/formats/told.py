"""What a notice knows, read once; a format picks from it what its receiver wants, in the receiver's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import Executable, bindparam, select
from sqlalchemy.orm import aliased

from app.db import db
from app.journal import Entry
from app.models import (
    Case,
    CreditRecord,
    Document,
    Filing,
    Identifier,
    Measure,
    Office,
    RepairLetter,
    Subject,
)  # fmt: skip
from app.notices.address_book import Receiver, Topic
from workflows.calendar import legal_day
from workflows.law import cite

DECISIONS = {
    "confirm": "准予修复",
    "refuse": "不予修复",
    "refuse_false": "不予修复",
    "decline": "不予受理",
    "transfer": "移送认定单位",
    "supersede": "处罚已撤销",
    "withdraw": "处罚已撤销",
    "accept": "已受理",
    "correct": "需要补正",
    "extend": "延期办理",
    "lapse": "视为放弃",
    "take_back": "申请人撤回申请",
}
"""What was decided or done, in words, by the act that tells."""

RECORD_KINDS = {"penalty": "行政处罚", "permit": "行政许可", "list": "严重失信主体名单", "repair_breach": "其他"}
UNTIL = {"correct": ("correct",), "extend": ("total", "decide")}
"""Acts after which something is due, and the clocks that say until when, the one that counts first."""
WITHDRAWN = ("supersede", "withdraw")
"""Acts after which the information itself is withdrawn, as if it had never been published."""


@dataclass(frozen=True)
class Told:
    """One outcome. Dates are civil days in Asia/Shanghai, instants are UTC; texts are empty when there is none.

    `act` is the step, `withdraw` the withdrawal of the information itself, `take_back` that of an application.
    `confirm_by` are the days by which each receiver (by code) is asked to confirm; `items` is what is missing, a
    sentence each, and `until` the day by which it is due, or to which a decision was put off.
    """

    act: str
    decision: str
    decided_on: date
    effective_at: datetime
    basis: str
    reason: str
    subject_name: str
    subject_code: str
    subject_kind: str
    record: str
    record_kind: str
    record_number: str
    recognised_on: date
    cls: str
    organ: str
    organ_code: str
    topic: Topic
    measures: tuple[str, ...]
    case: str
    channel: str
    other_number: str
    applied_on: date | None
    document: str
    document_code: str
    verify_at: str
    commitment_code: str
    confirm_by: Mapping[str, date]
    items: tuple[str, ...]
    until: date | None

    @property
    def withdrawn(self) -> bool:
        """True when the information is withdrawn rather than repaired."""
        return self.act in WITHDRAWN

    @property
    def accepted_by(self) -> str:
        """Who took the application in: 信用中国 or the organ itself; empty when there was none."""
        if not self.case:
            return ""
        return "信用中国" if self.channel == "creditchina" else self.organ


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is particular to one receiver's copy. `key` is the same for every attempt to deliver it."""

    key: str
    receiver: Receiver
    seq: int
    action: str


def told_of(case_id: int | None, record_id: int, entry: Entry) -> Told:
    """Everything a format may say of an act on a record, in at most three statements."""
    record = db.session.execute(_record_query(), {"record_id": record_id}).one()
    held = db.session.execute(_measure_query(), {"record_id": record_id}).all()
    case: Any = None
    if case_id is not None:
        case = db.session.execute(_case_query(), {"case_id": case_id, "journal_id": entry.id}).one()
    code = (case.code if case else "") or ""
    day = legal_day(entry.at)
    act = act_of(entry)
    return Told(
        act=act,
        decision=DECISIONS[act],
        decided_on=day,
        effective_at=entry.at.astimezone(UTC),
        basis=cite(entry.law),
        reason=str(entry.answers.get("reason", "")),
        subject_name=record.name,
        subject_code=record.code or "",
        subject_kind=record.subject_kind,
        record=record.public_id,
        record_kind=record.kind,
        record_number=record.number,
        recognised_on=record.recognised_on,
        cls=record.cls,
        organ=record.organ,
        organ_code=record.organ_code,
        topic=Topic(record.region, record.trade, record.kind),
        measures=tuple(f"{row.organ}：{row.kind}" for row in held),
        case=case.number if case else "",
        channel=case.channel if case else "",
        other_number=(case.other_number if case else "") or "",
        applied_on=legal_day(case.at) if case else None,
        document=(case.document if case else "") or "",
        document_code=code,
        verify_at=f"{current_app.config['PUBLIC_ADDRESS']}/verify/{code}" if code else "",
        commitment_code=(case.commitment if case else "") or "",
        confirm_by={
            event["item"]: date.fromisoformat(event["due_on"])
            for event in entry.clocks
            if event["event"] == "start" and event["clock"] == "receiver" and event["due_on"]
        },
        items=tuple(_item(item) for item in entry.answers.get("items", ())) if act == "correct" else (),
        until=_until(act, entry),
    )


def act_of(entry: Entry) -> str:
    """The act as receivers know it: withdrawing an application is not withdrawing the information."""
    return "take_back" if (entry.about, entry.act) == ("case", "withdraw") else entry.act


def _item(item: Mapping[str, str]) -> str:
    """Something that is missing, what is wrong with it and how to put it right."""
    said = "，".join(filter(None, (item.get("problem"), item.get("remedy"))))
    return f"{item.get('name', '')}：{said}"


def _until(act: str, entry: Entry) -> date | None:
    due = {event["clock"]: event["due_on"] for event in entry.clocks if event["event"] in ("start", "extend")}
    return next((date.fromisoformat(due[clock]) for clock in UNTIL.get(act, ()) if due.get(clock)), None)


@lru_cache(maxsize=1)
def _record_query() -> Executable:
    organ = aliased(Office)
    return (
        select(
            CreditRecord.public_id, CreditRecord.kind, CreditRecord.number, CreditRecord.recognised_on,
            CreditRecord.cls, Subject.name, Subject.kind.label("subject_kind"), Subject.region, Subject.trade,
            Identifier.value.label("code"), organ.name.label("organ"), organ.code.label("organ_code"),
        )
        .join(Subject, Subject.id == CreditRecord.subject_id)
        .join(organ, organ.id == CreditRecord.office_id)
        .outerjoin(
            Identifier,
            (Identifier.subject_id == Subject.id) & (Identifier.kind == "uscc") & Identifier.valid_until.is_(None),
        )
        .where(CreditRecord.id == bindparam("record_id"))
        .limit(1)
    )  # fmt: skip


@lru_cache(maxsize=1)
def _measure_query() -> Executable:
    """Measures of others: our own are lifted in the same transaction."""
    return (
        select(Measure.kind, Measure.organ)
        .where(Measure.record_id == bindparam("record_id"), Measure.ours.is_(False), Measure.lifted_on.is_(None))
        .order_by(Measure.id)
    )


@lru_cache(maxsize=1)
def _case_query() -> Executable:
    issued = (Document.case_id == Case.id) & (Document.journal_id == bindparam("journal_id"))
    return (
        select(
            Case.number, Case.channel, Filing.other_number, Filing.at, Document.number.label("document"), Document.code,
            RepairLetter.code.label("commitment"),
        )
        .join(Filing, Filing.id == Case.filing_id)
        .outerjoin(Document, issued)
        .outerjoin(RepairLetter, RepairLetter.case_id == Case.id)
        .where(Case.id == bindparam("case_id"))
        .limit(1)
    )  # fmt: skip
