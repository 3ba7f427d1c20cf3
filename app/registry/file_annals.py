"""What a credit file tells beside its records: commitments, measures, repairs, objections; one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, cast, literal, null, select, union_all

from app.db import Instant, db
from app.models import Case, CaseRecord, CreditRecord, Measure, Office, PublicationFact, RepairLetter
from app.registry.known import end_of
from app.registry.subject import conditions_of_publicity


@dataclass(frozen=True, slots=True)
class Annal:
    """A line of a section: what it is about, its number, whose it is, when; `until` when it ended, `state` the word of
    whatever it is (the type and state of a case, a deed). Either `day` or `at` says when."""

    title: str
    number: str
    organ: str
    day: date | None
    at: datetime | None
    until: date | None
    state: str


def annals_of(
    subject_id: int,
    day: date,
    known_at: datetime,
    today: date,
    inside: bool,
    theirs: ColumnElement[bool] | None,
) -> dict[str, tuple[Annal, ...]]:
    """The lines by section, the latest first. From outside only commitments about what is public today are told, since
    the others would tell of a record that is not shown any more; inside all, for an officer of the records of `theirs`.
    """
    mine = and_(CreditRecord.subject_id == subject_id, CreditRecord.undone_at.is_(None))
    if inside and theirs is not None:
        mine = and_(mine, theirs)
    by = min(known_at, end_of(day))
    parts = [_letters(mine if inside else and_(mine, *conditions_of_publicity(today)), by)]
    if inside:
        parts += [_measures(mine, day), _repairs(mine), _objections(mine, day)]
    found: dict[str, list[Annal]] = {}
    rows = db.session.execute(union_all(*parts)).all()
    for row in sorted(rows, key=lambda row: (str(row.day or row.at), row.row_id), reverse=True):
        annal = Annal(row.title, row.number, row.organ, row.day, row.at, row.until, row.state)
        found.setdefault(row.section, []).append(annal)
    return {section: tuple(lines) for section, lines in found.items()}


def _line(section: str, row_id: Any, title: Any, number: Any, organ: Any, **when: Any) -> list[Any]:
    return [
        literal(section).label("section"), row_id.label("row_id"), title.label("title"), number.label("number"),
        organ.label("organ"), when.get("day", cast(null(), Date)).label("day"),
        when.get("at", cast(null(), Instant)).label("at"), when.get("until", cast(null(), Date)).label("until"),
        when.get("state", literal("")).label("state"),
    ]  # fmt: skip


def _letters(of: Any, by: datetime) -> Any:
    line = _line("commitments", Case.id, CreditRecord.number, RepairLetter.code, Office.name, at=RepairLetter.signed_at)
    return (
        select(*line)
        .select_from(RepairLetter)
        .join(Case, Case.id == RepairLetter.case_id)
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .join(CreditRecord, CreditRecord.id == CaseRecord.record_id)
        .join(Office, Office.id == Case.office_id)
        .where(of, Case.filed_at.is_not(None), RepairLetter.signed_at <= by)
    )


def _measures(of: Any, day: date) -> Any:
    line = _line("measures", Measure.id, Measure.kind, CreditRecord.number, Measure.organ, day=Measure.since,
                 until=Measure.lifted_on, state=Measure.basis)  # fmt: skip
    return (
        select(*line)
        .select_from(Measure)
        .join(CreditRecord, CreditRecord.id == Measure.record_id)
        .where(of, Measure.since <= day)
    )


def _repairs(of: Any) -> Any:
    line = _line("repairs", Case.id, CreditRecord.number, Case.number, Office.name, at=Case.filed_at,
                 state=Case.type + "/" + Case.edition + "/" + Case.state)  # fmt: skip
    return (
        select(*line)
        .select_from(Case)
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .join(CreditRecord, CreditRecord.id == CaseRecord.record_id)
        .join(Office, Office.id == Case.office_id)
        .where(of, Case.filed_at.is_not(None))
    )


def _objections(of: Any, day: date) -> Any:
    fact = PublicationFact
    line = _line("objections", fact.id, fact.cause, CreditRecord.number, Office.name, day=fact.effective_on,
                 state=fact.deed)  # fmt: skip
    return (
        select(*line)
        .select_from(fact)
        .join(CreditRecord, CreditRecord.id == fact.record_id)
        .join(Office, Office.id == CreditRecord.office_id)
        .where(of, fact.deed.in_(("mark", "unmark")), fact.effective_on <= day)
    )
