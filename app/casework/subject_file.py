"""Who may open which credit file: the pages of a file for every reader, and an officer's look behind the masks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select

from app.casework.actor import CASEWORK_ROLES, Person
from app.casework.keyset import Order, Page, page_of
from app.casework.sight import records_visible_to
from app.db import db
from app.journal import Doer, Entry, write_line
from app.models import CreditRecord, JournalLine, Office, RegisterPaper, Subject
from app.registry.credit_file import CreditFile, NoSuchSubject, Reader, credit_file
from workflows.people import Role

LAW = "PIPL"
"""A state organ looks at personal data within its duties, and what it looked at is written down."""
SUBJECT, LOOK, EXTRACT = "subject", "look", "extract"
"""What the journal says the line is about, and the acts."""
PAGE = 25
LOOKS = 20
SHORTEST, LONGEST = 4, 200
"""Characters of a reason."""


class NoReason(ValueError):
    """No reason was given, or none that anybody could check; the message is a Chinese sentence."""


def file_page(
    subject_id: int,
    reader: Reader,
    day: date | None = None,
    known_at: datetime | None = None,
    *,
    section: str = "",
    after: str | None = None,
    before: str | None = None,
    theirs: ColumnElement[bool] | None = None,
) -> CreditFile:
    """A file as a page shows it: the first records of every section, or a keyset page of one. Raises as
    `credit_file`."""

    def turned(query: Any, column: Any, row_id: Any) -> Page[Any]:
        return page_of(query, Order(column, row_id, "day", down=True), after=after, before=before, limit=PAGE)

    return credit_file(subject_id, reader, day, known_at, section=section, page=turned, theirs=theirs)


def records_of_officer(who: Person) -> ColumnElement[bool]:
    """The condition on `CreditRecord` for what this person may see as an officer."""
    return records_visible_to(replace(who, mandates=frozenset()))


def may_open(who: Person, subject_id: int) -> None:
    """An officer opens the file of a subject of whom a record of theirs exists and for whom they do not act
    themselves. Raises NoSuchSubject: for anybody else there is none."""
    query = select(CreditRecord.id).where(CreditRecord.subject_id == subject_id, records_of_officer(who)).limit(1)
    if subject_id in who.mandates or db.session.execute(query).first() is None:
        raise NoSuchSubject(subject_id)


def look(who: Person, subject_id: int, reason: str, at: datetime) -> Entry:
    """Write down that an officer looks behind the masks of a file, and why, inside `transaction()`; whoever shows it
    writes first. Raises NoReason and NoSuchSubject."""
    return note(who, subject_id, LOOK, {"reason": checked_reason(reason)}, at)


def note(who: Person, subject_id: int, act: str, answers: dict[str, Any], at: datetime) -> Entry:
    """A line of the subject's journal by an officer; the subject is locked first, so that lines follow each other."""
    may_open(who, subject_id)
    db.session.execute(select(Subject.id).where(Subject.id == subject_id).with_for_update())
    return write_line(SUBJECT, subject_id, act, _doer(who), at, law_text=LAW, answers=answers)


def checked_reason(reason: str) -> str:
    """A reason as it is written down. Raises NoReason."""
    reason = " ".join(reason.split())
    if len(reason) < SHORTEST:
        raise NoReason("请写明为什么要看，例如办件编号或者核查事项，至少 4 个字。")
    if len(reason) > LONGEST:
        raise NoReason("理由请不要超过 200 个字。")
    return reason


def looks_at(who: Person, subject_id: int) -> list[Any]:
    """Who looked at a file and took extracts of it, the latest first: for the heads of their offices, nobody else."""
    headed = [office for role, office in who.memberships if role is Role.HEAD]
    if not headed:
        return []
    paths = select(Office.path).where(Office.id.in_(headed)).subquery()
    below = select(Office.id).join(paths, Office.path.startswith(paths.c.path))
    line = JournalLine
    rows = db.session.execute(
        select(line.at, line.act, line.person_name, line.role, line.answers, Office.name.label("office"))
        .join(Office, Office.id == line.office_id)
        .where(line.about == SUBJECT, line.about_id == subject_id, line.act.in_((LOOK, EXTRACT)))
        .where(line.office_id.in_(below))
        .order_by(line.seq.desc())
        .limit(LOOKS)
    )
    return list(rows.all())


def _doer(who: Person) -> Doer:
    held = sorted((m for m in who.memberships if m[0] in CASEWORK_ROLES), key=lambda m: (list(Role).index(m[0]), m[1]))
    role, office = held[0]
    return Doer(who.person, who.name, role.value, office, None, who.address)


def papers_open_to(who: Person | None, counter: str) -> ColumnElement[bool]:
    """The condition on `RegisterPaper` under which a paper may be read at a counter: one policy for text and file.

    A public extract by whoever has its 查验码; the own extracts and notices of a subject; at the desk the officers'
    extracts about a subject whose file this person may open, and the notices of records that are theirs to see.
    """
    paper = RegisterPaper
    if counter == "public" or who is None:
        return and_(paper.kind == "extract", paper.reader == Reader.PUBLIC.value)
    if counter == "enterprise":
        return and_(paper.subject_id.in_(sorted(who.mandates)), paper.reader == Reader.SUBJECT.value)
    about = or_(
        CreditRecord.id == paper.record_id, and_(paper.record_id.is_(None), CreditRecord.subject_id == paper.subject_id)
    )
    return and_(
        or_(paper.reader == Reader.OFFICER.value, paper.kind == "repair_notice"),
        paper.subject_id.not_in(sorted(who.mandates)),
        exists().where(about, records_of_officer(who)),
    )
