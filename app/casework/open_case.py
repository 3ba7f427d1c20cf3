"""A filer's one act opens a case for each record it names; a record that is refused never blocks the others."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import insert, literal, select
from sqlalchemy.sql.dml import ReturningInsert

from app.casework import once
from app.casework.actor import Person
from app.casework.facts import NoSuchCase, facts_of_record
from app.casework.particulars import PARTICULARS
from app.casework.refused import StepRefused
from app.casework.take_step import take_step
from app.db import db, insert_into
from app.models import Case, CaseLink, CaseRecord, Filing
from workflows import NEWEST
from workflows.engine import refusals
from workflows.grammar import NEW, STRANGER, UNMET, Refusal

ALPHABET = "23456789ABCDEFGHJKMNPQRTUWXY"
"""Letters and figures that cannot be read for one another."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of one record of a filing: a case number, or the reasons why none was opened."""

    record_id: int
    number: str
    refusals: tuple[Refusal, ...] = ()


def open_filing(
    subject_id: int,
    record_ids: Iterable[int],
    *,
    actor: Person,
    channel: str,
    key: str,
    at: datetime,
    case_type: str = "repair",
) -> tuple[str, list[Opened]]:
    """Open a filing with one case for each record, inside `transaction()`; returns its receipt number and the outcomes.

    The same key again returns the filing made before, or raises KeyReused for other records. A filing with every record
    refused is not kept: StepRefused has all the reasons. Raises StepRefused when the actor holds no mandate of the
    subject. Records are locked in the order of their ids, so that two filings never wait for each other crosswise.
    """
    if subject_id not in actor.mandates:
        raise StepRefused([Refusal(STRANGER, "您没有受该主体委托，不能以其名义申请。", {}, "D", "NO_MANDATE")])
    asked = list(dict.fromkeys(record_ids))
    once.claim(str(actor.person), f"{key}/file", once.body_of(case_type, channel, subject_id, sorted(asked)), at)
    receipt, filing_id = new_filing(subject_id, actor=actor, channel=channel, key=key, at=at)
    if filing_id is None:
        return _earlier(key, subject_id)
    became = {
        record_id: open_one(filing_id, subject_id, record_id, actor, channel, key, at, case_type)
        for record_id in sorted(asked)
    }
    opened = [became[record_id] for record_id in asked]
    if not any(one.number for one in opened):
        raise StepRefused([r for one in opened for r in one.refusals] or [_nothing_chosen()])
    return receipt, opened


def new_filing(
    subject_id: int, *, actor: Person, channel: str, key: str, at: datetime, other_number: str = ""
) -> tuple[str, int | None]:
    """The receipt number and the row of a new filing; no row when the key has made one before."""
    receipt = new_receipt()
    filing = {"receipt": receipt, "channel": channel, "key": key, "subject_id": subject_id, "user_id": actor.person}
    made = {**filing, "other_number": other_number, "brought": None, "at": at}
    return receipt, db.session.execute(_file(db.engine.dialect.name), made).scalar()


def new_receipt() -> str:
    """A number to keep, that can be read out and is not guessed."""
    return f"{_code(4)}-{_code(4)}"


@lru_cache(maxsize=2)
def _file(dialect: str) -> ReturningInsert[int]:
    table = Filing.__table__
    return insert_into(table, dialect).on_conflict_do_nothing(index_elements=["key"]).returning(table.c.id)


def open_one(
    filing_id: int,
    subject_id: int,
    record_id: int,
    actor: Person,
    channel: str,
    key: str,
    at: datetime,
    case_type: str,
    other_number: str = "",
) -> Opened:
    """One record's case of a filing, with its first step; or the reasons why there is none, with nothing written."""
    definition = NEWEST[case_type]
    try:
        facts = facts_of_record(record_id, at)
    except NoSuchCase:
        return Opened(record_id, "", (Refusal(UNMET, "没有这条信息。", {}, "D", "NO_RECORD"),))
    if facts.case.subject != subject_id:
        return Opened(record_id, "", (Refusal(STRANGER, "这条信息不是该主体的。", {}, "D", "OTHER_SUBJECT"),))
    facts = replace(facts, case=replace(facts.case, channel=channel))
    if no := refusals(definition, "open", facts, actor, at, "", {}):
        return Opened(record_id, "", tuple(no))
    number = f"{definition.prefix}-{_code(8)}"
    values: Mapping[str, Any] = {
        "number": number,
        "type": definition.code,
        "edition": definition.edition,
        "state": NEW,
        "version": 0,
        "final": False,
        "office_id": facts.case.office,
        "subject_id": subject_id,
        "filing_id": filing_id,
        "channel": channel,
        "other_number": other_number,
        "opened_at": at,
        "state_since": at,
    }
    case = Case.__table__
    case_id = db.session.execute(insert(case).returning(case.c.id), values).scalar_one()
    about = {"case_id": case_id, "record_id": record_id, "open_record": record_id}
    db.session.execute(insert(CaseRecord.__table__), about)
    _link_to_earlier(case_id, record_id)
    PARTICULARS[definition.code].begin(case_id, actor)
    take_step(number, "open", actor=actor, answers={}, key=f"{key}/open/{record_id}", seen_version=0, at=at)
    return Opened(record_id, number)


def _link_to_earlier(case_id: int, record_id: int) -> None:
    """The case follows the one last handed in about the same record, when there was one."""
    before = (
        select(Case.id, literal(case_id), literal("again"))
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .where(CaseRecord.record_id == record_id, Case.id != case_id, Case.filed_at.is_not(None))
        .order_by(Case.id.desc())
        .limit(1)
    )
    db.session.execute(insert(CaseLink.__table__).from_select(["from_case", "to_case", "kind"], before))


def _earlier(key: str, subject_id: int) -> tuple[str, list[Opened]]:
    rows = db.session.execute(
        select(Filing.receipt, Filing.subject_id, Case.number, CaseRecord.record_id)
        .join(Case, Case.filing_id == Filing.id)
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .where(Filing.key == key)
        .order_by(Case.id)
    ).all()
    if not rows or rows[0].subject_id != subject_id:
        raise StepRefused([Refusal(UNMET, "这张表单已经用过，请重新打开页面。", {}, "D", "KEY_REUSED")])
    return rows[0].receipt, [Opened(row.record_id, row.number) for row in rows]


def _nothing_chosen() -> Refusal:
    return Refusal(UNMET, "请先选择要申请修复的信息。", {}, "D", "NOTHING_CHOSEN")


def _code(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
