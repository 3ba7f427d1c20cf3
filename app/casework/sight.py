"""Who may see which case, record and notice: one policy for every read path.

A filer sees the cases of the subjects they hold a mandate for. An officer sees the cases of their office and of the
offices below it, once the filer has handed them in. Nobody else sees a case at all; to them it does not exist (404).
A linked department sees the notices it was sent and what became of them, and of the case behind nothing else.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select
from sqlalchemy.orm import aliased

from app.casework.actor import Person
from app.db import db
from app.models import Case, CreditRecord, Delivery, Filing, Issue, Notice, Office
from app.notices.statement_rows import issuing_office
from workflows.people import Role

SHARING_ROLES = frozenset((Role.PROCESSING, Role.HEAD))
"""The roles that look after what others are told."""
INTAKE_ROLES = frozenset((Role.PROCESSING, Role.HEAD))
"""The roles that look after what an office takes in."""


def cases_visible_to(person: Person) -> ColumnElement[bool]:
    """The condition on `Case` under which this person may see it."""
    ways: list[ColumnElement[bool]] = []
    if person.mandates:
        ways.append(Case.subject_id.in_(sorted(person.mandates)))
    if person.paths:
        below = select(Office.id).where(or_(*(Office.path.startswith(path, autoescape=True) for path in person.paths)))
        ways.append(and_(Case.filed_at.is_not(None), Case.office_id.in_(below)))
    return or_(*ways) if ways else false()


def records_visible_to(person: Person) -> ColumnElement[bool]:
    """The condition on `CreditRecord` under which this person may see all of it, unmasked."""
    ways: list[ColumnElement[bool]] = []
    if person.mandates:
        ways.append(CreditRecord.subject_id.in_(sorted(person.mandates)))
    if person.paths:
        below = select(Office.id).where(or_(*(Office.path.startswith(path, autoescape=True) for path in person.paths)))
        ways.append(CreditRecord.office_id.in_(below))
    return or_(*ways) if ways else false()


def departments_of(person: Person) -> frozenset[int]:
    """The linked departments for which this person acts today."""
    return frozenset(office for role, office in person.memberships if role is Role.LINKED)


def notices_visible_to(person: Person) -> ColumnElement[bool]:
    """The condition on `Notice` under which this person may see it, with its deliveries and receipts: it was sent to a
    linked department for which they act today."""
    departments = departments_of(person)
    return Notice.receiver_id.in_(sorted(departments)) if departments else false()


def deliveries_to(person: Person, department: int) -> ColumnElement[bool]:
    """The condition on `Delivery` for the lists of one department: the same policy, and none of them for whoever does
    not act for it."""
    return Delivery.receiver_id == department if department in departments_of(person) else false()


def sharing_offices(person: Person) -> Select[int]:
    """The offices whose sharing this person looks after: those in which they handle information or are the head, and
    those below them."""
    own, below = aliased(Office), aliased(Office)
    ids = sorted({office for role, office in person.memberships if role in SHARING_ROLES})
    return select(below.id).join(own, below.path.startswith(own.path)).where(own.id.in_(ids))


def notices_overseen_by(person: Person) -> ColumnElement[bool]:
    """The condition on `Notice` under which this person looks after it as an officer: it is about a record of theirs,
    and about nobody for whom they act themselves."""
    theirs = aliased(CreditRecord)
    records = select(theirs.id).where(theirs.office_id.in_(sharing_offices(person)))
    return and_(Notice.record_id.in_(records), Notice.subject_id.not_in(sorted(person.mandates)))


def issues_overseen_by(person: Person) -> ColumnElement[bool]:
    """The condition on `Issue` under which this person looks after it: an office of theirs has to settle it, and it is
    about nobody for whom they act themselves."""
    about = aliased(Notice)
    recused = exists().where(about.id == Issue.notice_id, about.subject_id.in_(sorted(person.mandates)))
    return and_(Issue.office_id.in_(sharing_offices(person)), ~recused)


def filings_brought_by(person: Person) -> ColumnElement[bool]:
    """The condition on `Filing` under which this person may follow it as its carrier: their department brought it."""
    brought = sorted((one.channel, one.office) for one in person.carries if not one.only_here)
    ways = (Filing.key.startswith(f"{channel}/office-{office}/", autoescape=True) for channel, office in brought)
    return or_(false(), *ways)


def looks_after_sharing(person: Person) -> bool:
    """Whether the board of what others are told is this person's."""
    return bool(person.roles & SHARING_ROLES)


def looks_after_intake(person: Person) -> bool:
    """Whether files of records, doubts about codes and the figures of collection are this person's."""
    return bool(person.roles & INTAKE_ROLES)


def intake_offices(person: Person) -> tuple[tuple[int, str, str], ...]:
    """The offices for which this person takes records in: id, path and name. What came in there and below them is
    theirs to see."""
    ids = sorted({office for role, office in person.memberships if role in INTAKE_ROLES})
    rows = db.session.execute(select(Office.id, Office.path, Office.name).where(Office.id.in_(ids)).order_by(Office.id))
    return tuple((row.id, row.path, row.name) for row in rows)


def issues_statements(person: Person) -> bool:
    """Whether this person may see and draw statements: one shows what a department was told by every office, so they
    look after sharing at the organ in whose name it goes out."""
    mine = {office for role, office in person.memberships if role in SHARING_ROLES}
    return bool(mine) and issuing_office().id in mine


def may_see(person: Person, number: str) -> bool:
    """True when the case of this number is visible to the person."""
    return (
        db.session.execute(select(Case.id).where(Case.number == number, cases_visible_to(person))).first() is not None
    )


def is_officer_of(person: Person, office_path: str, subject: int) -> bool:
    """True when the person sees a case of that office about that subject as an officer: internal opinions are theirs to
    read. Whoever acts for the subject sees it as its filer, whatever else they are: they keep away from it as officers.
    """
    return subject not in person.mandates and any(office_path.startswith(path) for path in person.paths)
