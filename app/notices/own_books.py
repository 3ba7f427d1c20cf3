"""Our own books against each other: journal, notices, deliveries, receipts, publication. Equal, or somebody must look.

They are written in one transaction each, so that a difference is the work of a fault or of somebody with the database
in their hands; that is why it is looked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, case, func, select

from app.db import db
from app.models import (
    Case,
    CaseRecord,
    CreditRecord,
    JournalLine,
    Notice,
    Office,
    PublicationFact,
)
from app.notices.address_book import RECIPIENTS, duty_to_tell
from app.notices.own_notices import BATCH, OwnDifference, gaps, unfounded, without_effect
from workflows import WORKFLOWS
from workflows.calendar import day_start, legal_day

DEEDS = {"end_publicity": "repair", "withdraw_record": "withdraw"}
"""What an effect of a step writes about the publication of its record."""
ALONE = {"withdraw": "withdraw"}
"""What may become of a publication without a case, and the line of the record that says so."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A journal line that had to tell somebody: by which words, about which record, with which deed."""

    id: int
    at: datetime
    act: str
    words: tuple[str, ...]
    asked: frozenset[str]
    deed: str
    case_id: int | None
    case: str
    record_id: int
    record: str


def own_differences(since: date, until: date) -> list[OwnDifference]:
    """Every difference between our own books about what was done from `since` to `until` (civil days, both included).

    Numbers of notices are looked at as a whole, whenever they were given. By a line that names nobody (no time-limit
    for receivers), those had to be told who listened on its day; of whom that was not written down, those who had been
    told something before it.
    """
    span = day_start(since), day_start(until + timedelta(days=1))
    return [*_untold(*span), *unfounded(*span), *gaps(), *without_effect(*span), *_unpublished(*span)]


def _untold(after: datetime, before: datetime) -> Iterator[OwnDifference]:
    """Lines without one of their notices, or that did not change the publication as they should."""
    offices = db.session.execute(
        select(
            Office.id, Office.code, Office.name, Office.receives, Office.listens_since,
            func.min(Notice.written_at).label("first"),
        )
        .outerjoin(Notice, Notice.receiver_id == Office.id)
        .where(Office.kind == "linked", Office.receives != "")
        .group_by(Office.id)
        .order_by(Office.code)
    ).all()  # fmt: skip
    for lines in _batches(_telling(after, before)):
        ids = [line.id for line in lines]
        told = Counter(
            (row.journal_id, row.receiver_id)
            for row in db.session.execute(
                select(Notice.journal_id, Notice.receiver_id).where(Notice.journal_id.in_(ids))
            )
        )
        stated = {
            (row.record_id, row.deed, row.recorded_at)
            for row in db.session.execute(
                select(PublicationFact.record_id, PublicationFact.deed, PublicationFact.recorded_at).where(
                    PublicationFact.record_id.in_([line.record_id for line in lines])
                )
            )
        }
        for line in lines:
            for office in offices:
                if _must_hear(office, line) and told[line.id, office.id] != 1:
                    text = "{day} 的“{act}”应当告知{name}，却有 {n} 份通知。"
                    yield _about(line, text, name=office.name, n=told[line.id, office.id])
            if line.deed and (line.record_id, line.deed, line.at) not in stated:
                yield _about(line, "{day} 的“{act}”应当改变信息的公示状态，却没有记录。")


def _must_hear(office: Any, line: _Told) -> bool:
    if not set(office.receives.split()) & set(line.words):
        return False
    if line.asked:
        return office.code in line.asked
    if office.listens_since is not None:
        return bool(office.listens_since <= legal_day(line.at))
    return office.first is not None and office.first < line.at


def _telling(after: datetime, before: datetime) -> Iterator[_Told]:
    """Lines of steps that tell, and withdrawals of records that no case has done."""
    within = JournalLine.at >= after, JournalLine.at < before
    steps = {(w.code, w.edition, s.code): (w, s) for w in WORKFLOWS.values() for s in w.steps if s.tells}
    rows = db.session.execute(
        select(
            JournalLine.id, JournalLine.at, JournalLine.act, JournalLine.clocks, Case.id.label("case_id"), Case.number,
            Case.type, Case.edition, CaseRecord.record_id, CreditRecord.public_id,
        )
        .join(Case, and_(JournalLine.about == "case", JournalLine.about_id == Case.id))
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .join(CreditRecord, CreditRecord.id == CaseRecord.record_id)
        .where(*within, JournalLine.act.in_(sorted({code for _type, _edition, code in steps})))
        .order_by(JournalLine.id)
    )  # fmt: skip
    for row in rows:
        if (found := steps.get((row.type, row.edition, row.act))) is not None:
            deed = next((DEEDS[effect] for effect in found[1].effects if effect in DEEDS), "")
            yield _line(row, found[1].tells, deed, row.case_id, row.number)
    rows = db.session.execute(
        select(
            JournalLine.id, JournalLine.at, JournalLine.act, JournalLine.clocks,
            CreditRecord.id.label("record_id"), CreditRecord.public_id,
        )
        .join(CreditRecord, and_(JournalLine.about == "record", JournalLine.about_id == CreditRecord.id))
        .outerjoin(PublicationFact, and_(
            PublicationFact.record_id == CreditRecord.id, PublicationFact.deed == "withdraw",
            PublicationFact.recorded_at == JournalLine.at,
        ))
        .where(*within, JournalLine.act == "withdraw", PublicationFact.case_id.is_(None))
        .order_by(JournalLine.id)
    )  # fmt: skip
    for row in rows:
        yield _line(row, tuple(RECIPIENTS), "withdraw", None, "")


def _line(row: Row[Any], words: Sequence[str], deed: str, case_id: int | None, number: str) -> _Told:
    day = legal_day(row.at)
    return _Told(
        id=row.id, at=row.at, act=row.act, deed=deed, case_id=case_id, case=number, record_id=row.record_id,
        record=row.public_id, words=tuple(word for word in words if duty_to_tell(word, row.act, day) is not None),
        asked=frozenset(
            str(event["item"]) for event in row.clocks if (event["clock"], event["event"]) == ("receiver", "start")
        ),
    )  # fmt: skip


def _unpublished(after: datetime, before: datetime) -> Iterator[OwnDifference]:
    """Changes of a record's publication by a repair or a withdrawal that no line has decided."""
    effects = {
        (workflow.code, workflow.edition, DEEDS[effect]): step.code
        for workflow in WORKFLOWS.values()
        for step in workflow.steps
        for effect in step.effects
        if effect in DEEDS
    }
    rows = db.session.execute(
        select(
            PublicationFact.deed, PublicationFact.recorded_at, PublicationFact.effective_on, Case.number, Case.type,
            Case.edition, CreditRecord.public_id, JournalLine.act,
        )
        .join(CreditRecord, CreditRecord.id == PublicationFact.record_id)
        .outerjoin(Case, Case.id == PublicationFact.case_id)
        .outerjoin(JournalLine, and_(
            JournalLine.about == case((PublicationFact.case_id.is_(None), "record"), else_="case"),
            JournalLine.about_id == func.coalesce(PublicationFact.case_id, PublicationFact.record_id),
            JournalLine.at == PublicationFact.recorded_at,
            JournalLine.act.in_(("withdraw", *effects.values())),
        ))
        .where(
            PublicationFact.recorded_at >= after, PublicationFact.recorded_at < before,
            PublicationFact.deed.in_(tuple(DEEDS.values())),
        )
        .order_by(PublicationFact.id)
    )  # fmt: skip
    for row in rows:
        expected = effects.get((row.type, row.edition, row.deed)) if row.number else ALONE.get(row.deed)
        if row.act is None or row.act != expected:
            text = "信息自 {day} 起的公示状态改变了，却没有与它相符的办理记录。"
            yield OwnDifference(text, {"day": row.effective_on.isoformat()}, row.number or "", row.public_id)


def _about(line: _Told, template: str, **values: object) -> OwnDifference:
    said = {"day": legal_day(line.at).isoformat(), "act": _title(line.act), **values}
    return OwnDifference(template, said, line.case, line.record)


def _title(act: str) -> str:
    titles = (workflow.step[act].title for workflow in WORKFLOWS.values() if act in workflow.step)
    return next(titles, "撤回信息")


def _batches(lines: Iterator[_Told]) -> Iterator[list[_Told]]:
    found: list[_Told] = []
    for line in lines:
        found.append(line)
        if len(found) == BATCH:
            yield found
            found = []
    if found:
        yield found
