"""Everything the law room needs to know about a case, loaded in four statements and frozen.

Inside `transaction()` the case and its record are locked first and everything else is read after that, so that nothing
a decision rests on can change under it: whatever writes such a fact locks the same rows. What became of the record and
whether another case is open about it is read by a later statement than the lock: PostgreSQL gives a statement that
waited the new version of the locked row, but every other table as it was when the statement began.

The statements are built once: putting one together costs several times what running it does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Date,
    Integer,
    Row,
    Select,
    String,
    and_,
    bindparam,
    cast,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from app.db import db, writing
from app.models import (
    AttachmentUse,
    Ban,
    CalendarOverride,
    Case,
    CaseRecord,
    CreditRecord,
    Document,
    JournalLine,
    Office,
    PartTaken,
    PublicationFact,
    RepairLetter,
    RepairTask,
    Subject,
)
from app.registry.publish import STATUS, deed_on, status_of
from workflows import workflow
from workflows.calendar import Calendar, Override, legal_day
from workflows.clockwork import turn
from workflows.grammar import NEW, CaseFacts, Facts, Line, RecordFacts, Task, Workflow
from workflows.grammar import Ban as BanFacts


@dataclass(frozen=True, slots=True)
class Loaded:
    """A case with its definition and facts; `record` its record as a row, `lines` the journal rows."""

    id: int
    workflow: Workflow
    facts: Facts
    row: Row[Any]
    record: Row[Any] | None
    lines: tuple[Row[Any], ...]

    @property
    def record_id(self) -> int | None:
        """The record the case is about."""
        return self.record.id if self.record else None


class NoSuchCase(LookupError):
    """There is no case of this number."""


def load_case(number: str, at: datetime) -> Loaded:
    """The case and its facts as of `at`; locked when called inside `transaction()`. Raises NoSuchCase."""
    locked = writing()
    row = db.session.execute(_case_query(locked), {"number": number}).first()
    if row is None:
        raise NoSuchCase(number)
    record_row = db.session.execute(_record_of_case_query(locked), {"case_id": row.id}).first()
    lines = tuple(db.session.execute(_journal_query(), {"case_id": row.id}).all())
    rest = _rest(row.id, row.subject_id, record_row.id if record_row else 0, legal_day(at))
    definition = workflow(row.type, row.edition)
    facts = Facts(
        case=case_facts(row),
        record=_record_facts(record_row, rest) if record_row else None,
        journal=tuple(_line(line) for line in lines),
        deadlines=_fold(lines),
        **rest.small,
    )
    return Loaded(row.id, definition, facts, row, record_row, lines)


def case_facts(row: Row[Any]) -> CaseFacts:
    """The envelope of a case row as the law sees it."""
    return CaseFacts(
        number=row.number,
        state=row.state,
        version=row.version,
        office=row.office_id,
        subject=row.subject_id,
        channel=row.channel,
        opened_at=row.opened_at,
        t0=row.t0,
        t1=row.t1,
    )


def facts_of_record(record_id: int, at: datetime) -> Facts:
    """Facts for a record that has no case yet: what the pre-check and the first step look at. Raises NoSuchCase."""
    row = db.session.execute(_record_query(writing()), {"record_id": record_id}).first()
    if row is None:
        raise NoSuchCase(str(record_id))
    return _record_only_facts(row, _rest(0, row.subject_id, row.id, legal_day(at)))


def records_of(subject_id: int, at: datetime) -> list[tuple[Row[Any], Facts]]:
    """Every record of a subject that counts, with its facts, newest first, in two statements."""
    today = legal_day(at)
    query = (
        _with_status(today)
        .where(CreditRecord.subject_id == subject_id, CreditRecord.undone_at.is_(None))
        .order_by(CreditRecord.recognised_on.desc(), CreditRecord.id.desc())
    )
    rows = db.session.execute(query).all()
    if not rows:
        return []
    rest = _rest(0, subject_id, 0, today)
    return [(row, _record_only_facts(row, replace(rest, status=row.status, other=row.other_open_case))) for row in rows]


def _record_only_facts(row: Row[Any], rest: _Rest) -> Facts:
    return Facts(
        case=CaseFacts(number="", state=NEW, version=0, office=row.office_id, subject=row.subject_id),
        record=_record_facts(row, rest),
        **rest.small,
    )


@lru_cache(maxsize=2)
def _case_query(locked: bool) -> Select[Any]:
    case = Case.__table__
    query = select(*case.c).where(case.c.number == bindparam("number"))
    return query.with_for_update() if locked else query


@lru_cache(maxsize=2)
def _record_of_case_query(locked: bool) -> Select[Any]:
    record, about = CreditRecord.__table__, CaseRecord.__table__
    query = select(*record.c).join(about, about.c.record_id == record.c.id)
    query = query.where(about.c.case_id == bindparam("case_id"))
    return query.with_for_update(of=record) if locked else query


@lru_cache(maxsize=2)
def _record_query(locked: bool) -> Select[Any]:
    record = CreditRecord.__table__
    query = select(*record.c).where(record.c.id == bindparam("record_id"), record.c.undone_at.is_(None))
    return query.with_for_update() if locked else query


@lru_cache(maxsize=1)
def _journal_query() -> Select[Any]:
    line = JournalLine.__table__
    return select(*line.c).where(line.c.about == "case", line.c.about_id == bindparam("case_id")).order_by(line.c.seq)


def _with_status(today: date) -> Select[Any]:
    """Records with what became of their publication by `today` and the number of the open case about them."""
    other = (
        select(Case.number)
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .where(CaseRecord.open_record == CreditRecord.id)
        .limit(1)
        .correlate(CreditRecord)
        .scalar_subquery()
    )
    return select(*CreditRecord.__table__.c, deed_on(today).label("status"), other.label("other_open_case"))


def _record_facts(row: Row[Any], rest: _Rest) -> RecordFacts:
    return RecordFacts(
        id=row.id,
        number=row.number,
        office=row.office_id,
        recognised_on=row.recognised_on,
        cls=row.cls,
        minimum_last_day=row.minimum_last_day,
        maximum_last_day=row.maximum_last_day,
        excluded_by=row.excluded_by,
        duty=row.duty,
        duty_note=row.duty_note,
        sector_condition=row.sector_condition,
        status=status_of(rest.status),
        annulled_on=row.annulled_on,
        of_a_person=rest.kind == "person",
        other_open_case=rest.other or "",
    )


def _line(row: Row[Any]) -> Line:
    return Line(
        step=row.act,
        at=row.at,
        person=row.person,
        role=row.role,
        item=row.item,
        state=row.target,
        answers=row.answers or {},
    )


def _fold(lines: tuple[Row[Any], ...]) -> tuple[Any, ...]:
    deadlines: tuple[Any, ...] = ()
    for line in lines:
        if line.clocks:
            deadlines = turn(deadlines, line.clocks)
    return deadlines


def _piece(
    kind: str, where: Any, text: Any = None, more: Any = None, day: Any = None, until: Any = None, number: Any = None
) -> Select[Any]:
    columns = {"text": (text, String), "more": (more, String), "day": (day, Date), "until": (until, Date)}
    labelled = [
        (cast(null(), kind_of) if value is None else value).label(name) for name, (value, kind_of) in columns.items()
    ]
    count = (cast(null(), Integer) if number is None else number).label("number")
    return select(literal(kind).label("kind"), *labelled, count).where(where)


@dataclass(frozen=True, slots=True)
class _Rest:
    """`small` are the sets of `Facts`; `status` and `other` what became of the record and the other case about it,
    `kind` what kind of subject it is about."""

    small: dict[str, Any]
    status: str | None
    other: str | None
    kind: str


@lru_cache(maxsize=1)
def _rest_query() -> CompoundSelect[Any]:
    case_id, subject_id, record_id = (bindparam(name, type_=Integer) for name in ("case_id", "subject_id", "record_id"))
    today = bindparam("today", type_=Date)
    return union_all(
        _piece(
            "override",
            true(),
            CalendarOverride.notice,
            cast(CalendarOverride.announces, String),
            CalendarOverride.day,
            number=cast(CalendarOverride.working, Integer),
        ),
        _piece("ban", Ban.subject_id == subject_id, Ban.cause, day=Ban.since, until=Ban.until),
        _piece(
            "offence",
            and_(
                CreditRecord.subject_id == subject_id,
                CreditRecord.id != record_id,
                CreditRecord.kind != "permit",
                CreditRecord.annulled_on.is_(None),
                CreditRecord.undone_at.is_(None),
                CreditRecord.recognised_on <= today,
            ),
            CreditRecord.number,
            day=CreditRecord.recognised_on,
        ),
        _piece("kind", Subject.id == subject_id, Subject.kind),
        _piece("receiver", and_(Office.kind == "linked", Office.receives != ""), Office.code),
        _piece(
            "status",
            and_(
                PublicationFact.record_id == record_id,
                or_(*(PublicationFact.deed == deed for deed in STATUS)),
                PublicationFact.effective_on <= today,
            ),
            PublicationFact.deed,
            day=PublicationFact.effective_on,
            number=PublicationFact.id,
        ),
        _piece(
            "other",
            and_(CaseRecord.open_record == record_id, Case.id == CaseRecord.case_id, Case.id != case_id),
            Case.number,
        ),
        _piece("part", PartTaken.case_id == case_id, PartTaken.part, number=PartTaken.person),
        _piece(
            "task",
            RepairTask.case_id == case_id,
            RepairTask.code,
            RepairTask.title,
            number=cast(RepairTask.done_at.is_not(None), Integer),
        ),
        _piece("paper", AttachmentUse.case_id == case_id, AttachmentUse.purpose),
        _piece("paper", RepairLetter.case_id == case_id, literal("letter")),
        _piece("printed", and_(Document.case_id == case_id, Document.printed_at.is_not(None)), Document.kind),
    )


def _rest(case_id: int, subject_id: int, record_id: int, today: date) -> _Rest:
    """The small sets a need may read, in one statement: each a handful of rows. 0 is no case or no record."""
    asked = {"case_id": case_id, "subject_id": subject_id, "record_id": record_id, "today": today}
    rows = db.session.execute(_rest_query(), asked).all()
    of = {kind: [row for row in rows if row.kind == kind] for kind in {row.kind for row in rows}}
    became = max(of.get("status", []), key=lambda r: (r.day, r.number), default=None)
    other = next(iter(of.get("other", [])), None)
    small = {
        "calendar": _calendar(of.get("override", [])),
        "bans": tuple(BanFacts(r.day, r.until, r.text) for r in of.get("ban", [])),
        "offences": tuple((r.day, r.text) for r in of.get("offence", [])),
        "receivers": tuple(sorted(r.text for r in of.get("receiver", []))),
        "parts": frozenset((r.text, r.number) for r in of.get("part", [])),
        "tasks": tuple(Task(r.text, r.more, bool(r.number)) for r in of.get("task", [])),
        "papers": frozenset(r.text for r in of.get("paper", [])),
        "printed": frozenset(r.text for r in of.get("printed", [])),
    }
    kind = next((row.text for row in of.get("kind", [])), "")
    return _Rest(small, became.text if became else None, other.text if other else None, kind)


def _calendar(rows: list[Row[Any]]) -> Calendar:
    overrides = sorted(
        (Override(r.day, bool(r.number), r.text, int(r.more) if r.more else None) for r in rows), key=lambda o: o.day
    )
    return _calendar_of(tuple(overrides))


@lru_cache(maxsize=8)
def _calendar_of(overrides: tuple[Override, ...]) -> Calendar:
    """One Calendar value per set of rows, so that what it has counted is remembered."""
    return Calendar(overrides)
