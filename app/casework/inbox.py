"""What waits for a person, and the cases of their offices: each row with its dates and what is to be done next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, exists, false, func, or_, select

from app.casework.actor import Person
from app.casework.facts import load_case
from app.casework.keyset import Order, Page, page_of
from app.casework.sight import cases_visible_to
from app.db import db
from app.models import Case, CaseRecord, CreditRecord, DeadlineRow, Identifier, JournalLine, Office, Subject
from app.registry.working_days import office_calendar
from workflows import WORKFLOWS, workflow
from workflows.calendar import Calendar, legal_day
from workflows.clockwork import PAUSED, RUNNING, Deadline
from workflows.engine import refusals, waiting_for
from workflows.grammar import STAY, Refusal, Step, Workflow
from workflows.law import rule
from workflows.people import WATCH, Role

EXPLAINED = 2
"""How many standing automatic steps a list explains itself; the others say why on their own page."""

FAR = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case in a list.

    `why` says why it is here for this person: turn (it is their move), late (a limit is passed up to them; `clock` is
    its title), stuck (an automatic step that the law does not allow; `reasons` say why), or "" in a list of all.
    `next_step` is what they would most likely do.
    """

    id: int
    number: str
    subject: str
    code: str
    office: str
    workflow: Workflow
    state: str
    since: datetime
    record_title: str
    record_number: str
    deadlines: tuple[Deadline, ...]
    why: str
    clock: str
    next_step: Step | None
    reasons: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How much waits, how much of it is late, how much ends today; `more` when there are over a thousand."""

    all: int
    late: int
    today: int
    more: bool


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """How many others have not confirmed by the day they were asked to, in how many cases; `records` of them were told
    of a withdrawal without a case."""

    receivers: int
    cases: int
    records: int


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What a list of cases is narrowed to; empty means everything. `late` is "", "late", "near" or "receivers": others
    have not confirmed in time."""

    state: str = ""
    office: int | None = None
    late: str = ""
    text: str = ""


def waiting(
    person: Person,
    at: datetime,
    after: str | None = None,
    limit: int = 25,
    before: str | None = None,
    calendar: Calendar | None = None,
) -> Page[Waiting]:
    """The cases that wait for this person on the civil day of `at`, the nearest date first; a handful of statements."""
    calendar, today = calendar or office_calendar(), legal_day(at)
    query = _query().where(_for(person, _horizon(calendar, today)))
    order = Order(_nearest(), Case.id, "day")
    page = page_of(query.add_columns(_nearest().label("mark")), order, after=after, before=before, limit=limit)
    return Page(_described(page.rows, person, at, calendar, _horizon(calendar, today)), page.before, page.after)


def tally(person: Person, at: datetime, calendar: Calendar) -> Tally:
    """The same cases, counted: all, late, ending today."""
    today = legal_day(at)
    dues = select(_nearest().label("due")).where(_for(person, _horizon(calendar, today))).limit(1001).subquery()
    row = db.session.execute(
        select(
            func.count().label("all"),
            func.coalesce(func.sum(case((dues.c.due < today, 1), else_=0)), 0).label("late"),
            func.coalesce(func.sum(case((dues.c.due == today, 1), else_=0)), 0).label("today"),
        ).select_from(dues)
    ).one()
    return Tally(min(row.all, 1000), row.late, row.today, row.all > 1000)


def unconfirmed(person: Person, today: date) -> Unconfirmed | None:
    """What others owe the offices to whose supervisor it is passed up, all of it in one figure; None for everybody else
    and when nothing is owed. It does not wait on a desk case by case, and ends by itself with the receipts."""
    clocks, offices = _owed(person)
    if not offices:
        return None
    late = (DeadlineRow.clock.in_(clocks), DeadlineRow.item != "", *_past(today))
    all_of_them, of_cases = func.count(DeadlineRow.id), case((DeadlineRow.about == "case", DeadlineRow.about_id))
    row = db.session.execute(
        select(all_of_them, func.count(of_cases.distinct()), all_of_them - func.count(of_cases))
        .outerjoin(Case, and_(DeadlineRow.about == "case", Case.id == DeadlineRow.about_id))
        .outerjoin(CreditRecord, and_(DeadlineRow.about == "record", CreditRecord.id == DeadlineRow.about_id))
        .where(*late, func.coalesce(Case.office_id, CreditRecord.office_id).in_(offices))
    ).one()  # fmt: skip
    return Unconfirmed(*row) if row[0] else None


def cases_of_offices(
    person: Person,
    at: datetime,
    wanted: CaseFilter,
    calendar: Calendar,
    after: str | None = None,
    limit: int = 25,
    before: str | None = None,
) -> Page[Waiting]:
    """The cases of this officer's offices and the offices below them, the newest filing first."""
    today = legal_day(at)
    query = _query().where(cases_visible_to(replace(person, mandates=frozenset())), Case.filed_at.is_not(None))
    for condition in _conditions(wanted, calendar, today):
        query = query.where(condition)
    order = Order(Case.filed_at, Case.id, "instant", down=True)
    page = page_of(query.add_columns(Case.filed_at.label("mark")), order, after=after, before=before, limit=limit)
    return Page(_described(page.rows, person, at, calendar, _horizon(calendar, today)), page.before, page.after)


def offices_below(person: Person) -> Sequence[Any]:
    """The officer's offices and those below them (id, name), in the order of the tree."""
    if not person.paths:
        return ()
    return db.session.execute(
        select(Office.id, Office.name, Office.path)
        .where(Office.kind != "linked", or_(*(Office.path.startswith(path, autoescape=True) for path in person.paths)))
        .order_by(Office.path)
    ).all()


def named(text: str) -> ColumnElement[bool]:
    """Cases whose number, record or subject is meant by what somebody typed; blanks and case do not matter in codes."""
    folded = "".join(text.split()).upper()
    of_code = select(Identifier.subject_id).where(Identifier.kind == "uscc", Identifier.value == folded)
    of_record = select(CaseRecord.case_id).join(CreditRecord, CreditRecord.id == CaseRecord.record_id)
    return or_(
        Case.number == folded,
        Case.subject_id.in_(of_code),
        Subject.name.contains(text.strip(), autoescape=True),
        Case.id.in_(of_record.where(CreditRecord.number == text.strip())),
    )


def _query() -> Any:
    code = (
        select(Identifier.value)
        .where(Identifier.subject_id == Case.subject_id, Identifier.kind == "uscc", Identifier.valid_until.is_(None))
        .limit(1)
        .correlate(Case)
        .scalar_subquery()
    )
    query: Any = (
        select(
            Case.id, Case.number, Case.type, Case.edition, Case.state, Case.state_since, Case.office_id,
            Case.subject_id, Case.final, Subject.name.label("subject"), code.label("code"), Office.name.label("office"),
            CreditRecord.title.label("record_title"), CreditRecord.number.label("record_number"),
        )
        .join(Subject, Subject.id == Case.subject_id)
        .join(Office, Office.id == Case.office_id)
        .outerjoin(CaseRecord, CaseRecord.case_id == Case.id)
        .outerjoin(CreditRecord, CreditRecord.id == CaseRecord.record_id)
    )  # fmt: skip
    return query


def _for(person: Person, horizon: date) -> ColumnElement[bool]:
    """Cases in a state that a role of this person owns, and those with a limit that is passed up to such a role."""
    ways: list[ColumnElement[bool]] = []
    for role, office in sorted(person.memberships):
        for (code, edition), definition in WORKFLOWS.items():
            here = and_(Case.office_id == office, Case.type == code, Case.edition == edition)
            states = waiting_for(definition, role)
            if states:
                ways.append(and_(here, Case.state.in_(sorted(states))))
            clocks = _passed_up(definition, role)
            if clocks:
                late = exists().where(
                    DeadlineRow.about == "case",
                    DeadlineRow.about_id == Case.id,
                    DeadlineRow.state == RUNNING,
                    DeadlineRow.clock.in_(clocks),
                    DeadlineRow.due_on <= horizon,
                )
                ways.append(and_(here, Case.filed_at.is_not(None), late))
    return or_(*ways) if ways else false()


def _owed(person: Person) -> tuple[list[str], list[int]]:
    """The clocks of others that are passed up to a role of this person, and the offices in which they hold it."""
    clocks, offices = set(), set()
    for role, office in person.memberships:
        owed = {c.code for d in WORKFLOWS.values() for c in d.clocks if c.escalates is role and c.item}
        clocks |= owed
        if owed:
            offices.add(office)
    return sorted(clocks), sorted(offices)


def _past(today: date) -> tuple[ColumnElement[bool], ...]:
    return DeadlineRow.state == RUNNING, DeadlineRow.due_on < today


def _passed_up(definition: Workflow, role: Role) -> list[str]:
    """Clocks of the case itself. What others owe us (an item's clock) does not wait on a head's desk one by one."""
    return [clock.code for clock in definition.clocks if clock.escalates is role and not clock.item]


def _horizon(calendar: Calendar, today: date) -> date:
    """The last due day that is already brought to whoever a time-limit escalates to."""
    return calendar.add_working(today, int(rule("desk.escalate_left").on(today).value or 0))


def _nearest() -> ColumnElement[date]:
    """The nearest date of a case that is running; cases without one come last."""
    nearest = (
        select(func.min(DeadlineRow.due_on))
        .where(DeadlineRow.about == "case", DeadlineRow.about_id == Case.id, DeadlineRow.state == RUNNING)
        .correlate(Case)
        .scalar_subquery()
    )
    return func.coalesce(nearest, FAR, type_=DeadlineRow.due_on.type)


def _conditions(wanted: CaseFilter, calendar: Calendar, today: date) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state:
        found.append(Case.state == wanted.state)
    if wanted.office is not None:
        path = select(Office.path).where(Office.id == wanted.office).scalar_subquery()
        found.append(Case.office_id.in_(select(Office.id).where(Office.path.startswith(path))))
    if wanted.late == "late":
        found.append(_nearest() < today)
    elif wanted.late == "near":
        found.append(_nearest().between(today, _horizon(calendar, today)))
    elif wanted.late == "receivers":
        theirs = (DeadlineRow.about == "case", DeadlineRow.about_id == Case.id, DeadlineRow.item != "")
        found.append(exists().where(*theirs, *_past(today)))
    if wanted.text.strip():
        found.append(named(wanted.text))
    return found


def _described(
    rows: Sequence[Row[Any]], person: Person, at: datetime, calendar: Calendar, horizon: date
) -> tuple[Waiting, ...]:
    ids = [row.id for row in rows]
    clocks, acts = _deadlines(ids), _acts(ids)
    explained = 0
    found = []
    for row in rows:
        definition = workflow(row.type, row.edition)
        roles = {role for role, office in person.memberships if office == row.office_id}
        stuck = not row.final and any(
            d.ran_out(legal_day(at)) and definition.clock[d.clock].on_expiry for d in clocks.get(row.id, ())
        )
        reasons: tuple[Refusal, ...] = ()
        if stuck and explained < EXPLAINED:
            explained += 1
            reasons = _standing(row.number, at)
        owner = definition.state[row.state].owner
        late = _late_clock(definition, clocks.get(row.id, ()), roles, horizon)
        found.append(
            Waiting(
                id=row.id,
                number=row.number,
                subject=row.subject,
                code=row.code or "",
                office=row.office,
                workflow=definition,
                state=row.state,
                since=row.state_since,
                record_title=row.record_title or "",
                record_number=row.record_number or "",
                deadlines=tuple(clocks.get(row.id, ())),
                why="stuck" if stuck else "turn" if owner in roles else "late" if late else "",
                clock=late,
                next_step=_likely(definition, row, roles, person, acts.get(row.id, ())),
                reasons=reasons,
            )
        )
    return tuple(found)


def _deadlines(ids: list[int]) -> Mapping[int, list[Deadline]]:
    """The time-limits of these cases that are running or paused; those of receivers only when nothing else runs."""
    found: dict[int, list[Deadline]] = {}
    if not ids:
        return found
    rows = db.session.execute(
        select(*DeadlineRow.__table__.c)
        .where(DeadlineRow.about == "case", DeadlineRow.about_id.in_(ids), DeadlineRow.state.in_((RUNNING, PAUSED)))
        .order_by(DeadlineRow.due_on, DeadlineRow.id)
    )
    for row in rows:
        values = {name: getattr(row, name) for name in Deadline.__dataclass_fields__}
        found.setdefault(row.about_id, []).append(Deadline(**values))
    return found


def _acts(ids: list[int]) -> Mapping[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    if not ids:
        return found
    rows = db.session.execute(
        select(JournalLine.about_id, JournalLine.act, JournalLine.person)
        .where(JournalLine.about == "case", JournalLine.about_id.in_(ids))
        .order_by(JournalLine.about_id, JournalLine.seq)
    )
    for row in rows:
        found.setdefault(row.about_id, []).append(row)
    return found


def _late_clock(definition: Workflow, deadlines: Sequence[Deadline], roles: set[Role], horizon: date) -> str:
    """The title of the limit that is passed up to one of these roles, "" when none is."""
    for deadline in deadlines:
        clock = definition.clock[deadline.clock]
        if clock.escalates not in roles or clock.item:
            continue
        if deadline.state == RUNNING and deadline.due_on and deadline.due_on <= horizon:
            return clock.title
    return ""


def _likely(
    definition: Workflow, row: Row[Any], roles: set[Role], person: Person, acts: Sequence[Row[Any]]
) -> Step | None:
    """The step that the owner of the state most likely takes next: one of theirs that stays, or the one that leads on.

    None when it is somebody else's turn, and where the same part has several ways out: they stand on the case's page.
    """
    owner = definition.state[row.state].owner
    if row.subject_id in person.mandates or owner not in roles:
        return None
    mine = [act.act for act in acts if act.person == person.person]
    played = {definition.step[act].part for act in mine if act in definition.step}
    for step in definition.steps_from[row.state]:
        apart = any(other in played for _pair, other in definition.kept_from.get(step.part, ()))
        taken = sum(act.act == step.code for act in acts)
        used_up = bool(step.times) and not step.item and taken >= step.times
        onward = owner in step.by if step.target == STAY else step.target in _onward(definition, row.state)
        if roles.intersection(step.by) and onward and not apart and not used_up and not step.automatic:
            return None if _one_of_several(definition, row.state, step) else step
    return None


@lru_cache(maxsize=256)
def _onward(definition: Workflow, state: str) -> frozenset[str]:
    """The states one move ahead from which the first end of the definition can still be reached without coming back."""
    good_end = next(s.code for s in definition.states if s.final)

    def reaches(start: str) -> bool:
        seen, edge = {state}, [start]
        while edge:
            here = edge.pop()
            if here == good_end:
                return True
            if here not in seen:
                seen.add(here)
                edge += [step.target for step in definition.steps_from[here] if step.target != STAY]
        return False

    ahead = {step.target for step in definition.steps_from[state]} - {STAY}
    return frozenset(target for target in ahead if reaches(target))


def _one_of_several(definition: Workflow, state: str, step: Step) -> bool:
    return bool(step.part) and sum(other.part == step.part for other in definition.steps_from[state]) > 1


def _standing(number: str, at: datetime) -> tuple[Refusal, ...]:
    """Why the automatic step of a case does not happen."""
    loaded = load_case(number, at)
    for step in loaded.workflow.steps_from[loaded.facts.case.state]:
        if step.automatic and step.code in loaded.workflow.expiry_of:
            return tuple(refusals(loaded.workflow, step, loaded.facts, WATCH, at, "", {}))
    return ()
