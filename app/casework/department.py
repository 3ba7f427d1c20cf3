"""What a linked department was told: what it must still answer, the nearest date first, and everything it ever got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, literal_column, or_, select
from sqlalchemy.orm import aliased

from app.casework.actor import Person
from app.casework.inbox import FAR
from app.casework.keyset import Order, Page, page_of
from app.casework.receive import CLOCK
from app.casework.sight import deliveries_to, notices_visible_to
from app.db import db
from app.models import (
    CreditRecord,
    DeadlineRow,
    Delivery,
    Identifier,
    Notice,
    Office,
    Subject,
)
from app.models.sharing import CONFIRMING
from workflows.calendar import day_start
from workflows.clockwork import Deadline

UNANSWERED = Delivery.receipt == literal_column("''")
"""Written out, so that the index of what is not answered serves."""
PAGE = 25


@dataclass(frozen=True, slots=True)
class Before:
    """The notice before, to the same department about the same subject."""

    key: str
    act: str
    written_at: datetime
    receipt: str


@dataclass(frozen=True, slots=True)
class ToldLine:
    """A notice in a department's list. `due` is the time-limit for confirming; None when none was set for it."""

    id: int
    key: str
    receiver_id: int
    act: str
    seq: int
    asked: str
    subject: str
    code: str
    record_title: str
    record_number: str
    organ: str
    written_at: datetime
    state: str
    delivered_at: datetime | None
    receipt: str
    receipt_at: datetime | None
    due: Deadline | None
    before: Before | None


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """What a list of notices is narrowed to; empty means everything. `until` is the last day that counts."""

    state: str = ""
    acts: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much a department has still to answer, the earliest date of it, how much is past it; `more` above 1000."""

    all: int
    late: int
    first: date | None
    more: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the notices of a stretch of days."""

    told: int
    delivered: int
    confirmed: int
    trouble: int
    open: int


def waiting_notices(
    person: Person, department: int, text: str = "", after: str | None = None, before: str | None = None
) -> Page[ToldLine]:
    """What the department has still to answer and was asked to by a date, the nearest date first."""
    query = told_lines().where(deliveries_to(person, department), UNANSWERED, DeadlineRow.id.is_not(None))
    if text.strip():
        query = query.where(_named(text))
    order = Order(_due(), Notice.id, "day")
    page = page_of(query.add_columns(_due().label("mark")), order, after=after, before=before, limit=PAGE)
    return Page(tuple(line_of(row) for row in page.rows), page.before, page.after)


def count_waiting(person: Person, department: int, today: date) -> Waiting:
    """The same notices, counted."""
    asked = told_lines().where(deliveries_to(person, department), UNANSWERED, DeadlineRow.id.is_not(None))
    dues = asked.with_only_columns(_due().label("due")).limit(1001).subquery()
    row = db.session.execute(
        select(
            func.count().label("all"),
            func.coalesce(func.sum(case((dues.c.due < today, 1), else_=0)), 0).label("late"),
            func.min(dues.c.due).label("first"),
        ).select_from(dues)
    ).one()
    return Waiting(min(row.all, 1000), row.late, row.first if row.first != FAR else None, row.all > 1000)


def figures(person: Person, department: int, since: date, until: date) -> Figures:
    """The notices written between two civil days, both counted."""
    within = (Notice.written_at >= day_start(since), Notice.written_at < day_start(until + timedelta(days=1)))
    states = _states()

    def count(condition: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    row = db.session.execute(
        select(
            func.count(Notice.id), count(Delivery.state == "delivered"),
            *(count(states[name]) for name in ("confirmed", "trouble", "open")),
        )
        .join(Delivery, Delivery.notice_id == Notice.id)
        .where(deliveries_to(person, department), *within)
    ).one()  # fmt: skip
    return Figures(*row)


def notices_of(
    person: Person, department: int, wanted: NoticeFilter, after: str | None = None, before: str | None = None
) -> Page[ToldLine]:
    """Everything the department was told, the newest first."""
    query = told_lines().where(deliveries_to(person, department), *_conditions(wanted))
    order = Order(Delivery.notice_id, Delivery.notice_id, "number", down=True)
    page = page_of(query.add_columns(Notice.id.label("mark")), order, after=after, before=before, limit=PAGE)
    return Page(tuple(line_of(row) for row in page.rows), page.before, page.after)


def every_notice_of(person: Person, department: int, wanted: NoticeFilter, below: int, limit: int) -> list[ToldLine]:
    """The same without pages, by falling id from the one below `below` (0: from the newest): a batch for a file."""
    query = told_lines().where(deliveries_to(person, department), *_conditions(wanted))
    if below:
        query = query.where(Delivery.notice_id < below)
    return [line_of(row) for row in db.session.execute(query.order_by(Delivery.notice_id.desc()).limit(limit))]


def notices_by_key(person: Person, keys: Sequence[str]) -> list[ToldLine]:
    """These notices, as far as this person may see them, the nearest date first."""
    query = told_lines().where(Notice.key.in_(keys), notices_visible_to(person)).order_by(_due(), Notice.id)
    return [line_of(row) for row in db.session.execute(query)]


def line_of(row: Row[Any]) -> ToldLine:
    """A row of these queries as a list shows it."""
    values = {name: getattr(row, f"due_{name}") for name in Deadline.__dataclass_fields__}
    return ToldLine(
        id=row.id,
        key=row.key,
        receiver_id=row.receiver_id,
        act=row.act,
        seq=row.seq,
        asked=str(row.payload.get("action") or ""),
        subject=row.subject,
        code=row.code or "",
        record_title=row.record_title,
        record_number=row.record_number,
        organ=row.organ,
        written_at=row.written_at,
        state=row.delivery,
        delivered_at=row.delivered_at,
        receipt=row.receipt,
        receipt_at=row.receipt_at,
        due=Deadline(**values) if values["clock"] else None,
        before=Before(row.before_key, row.before_act, row.before_at, row.before_receipt) if row.before_key else None,
    )


def told_lines() -> Any:
    """Notices with their delivery, whom they are about, and the time-limit their receiver was given."""
    receiver, organ = aliased(Office, name="receiver_of"), aliased(Office, name="organ_of")
    code = (
        select(Identifier.value)
        .where(Identifier.subject_id == Notice.subject_id, Identifier.kind == "uscc", Identifier.valid_until.is_(None))
        .limit(1)
        .correlate(Notice)
        .scalar_subquery()
    )
    asked = and_(
        DeadlineRow.about == case((Notice.case_id.is_(None), "record"), else_="case"),
        DeadlineRow.about_id == func.coalesce(Notice.case_id, Notice.record_id),
        DeadlineRow.clock == CLOCK,
        DeadlineRow.item == receiver.code,
    )
    earlier, answered = aliased(Notice, name="earlier"), aliased(Delivery, name="answered")
    same = and_(
        earlier.receiver_id == Notice.receiver_id,
        earlier.subject_id == Notice.subject_id,
        earlier.seq == Notice.seq - 1,
    )
    limits = [getattr(DeadlineRow, name).label(f"due_{name}") for name in Deadline.__dataclass_fields__]
    query: Any = (
        select(
            Notice.id, Notice.key, Notice.receiver_id, Notice.act, Notice.seq, Notice.written_at, Notice.payload,
            Subject.name.label("subject"), code.label("code"), CreditRecord.title.label("record_title"),
            CreditRecord.number.label("record_number"), organ.name.label("organ"), Delivery.state.label("delivery"),
            Delivery.delivered_at, Delivery.receipt, Delivery.receipt_at, *limits,
            earlier.key.label("before_key"), earlier.act.label("before_act"),
            earlier.written_at.label("before_at"), answered.receipt.label("before_receipt"),
        )
        .join(Delivery, Delivery.notice_id == Notice.id)
        .join(receiver, receiver.id == Notice.receiver_id)
        .join(Subject, Subject.id == Notice.subject_id)
        .join(CreditRecord, CreditRecord.id == Notice.record_id)
        .join(organ, organ.id == CreditRecord.office_id)
        .outerjoin(DeadlineRow, asked)
        .outerjoin(earlier, same)
        .outerjoin(answered, answered.notice_id == earlier.id)
    )  # fmt: skip
    return query


def _due() -> ColumnElement[date]:
    return func.coalesce(DeadlineRow.due_on, FAR, type_=DeadlineRow.due_on.type)


def _states() -> Mapping[str, ColumnElement[bool]]:
    """What a notice may be for its department: not answered, confirmed, answered that it was not done."""
    return {
        "open": UNANSWERED,
        "confirmed": Delivery.receipt.in_(CONFIRMING),
        "trouble": and_(Delivery.receipt != "", Delivery.receipt.not_in(CONFIRMING)),
    }


def _conditions(wanted: NoticeFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    states = _states()
    if wanted.state in states:
        found.append(states[wanted.state])
    if wanted.acts:
        found.append(Notice.act.in_(wanted.acts))
    if wanted.since is not None:
        found.append(Notice.written_at >= day_start(wanted.since))
    if wanted.until is not None:
        found.append(Notice.written_at < day_start(wanted.until + timedelta(days=1)))
    if wanted.text.strip():
        found.append(_named(wanted.text))
    return found


def _named(text: str) -> ColumnElement[bool]:
    """Notices whose number, subject or record is meant by what somebody typed."""
    typed, folded = text.strip(), "".join(text.split()).upper()
    of_code = select(Identifier.subject_id).where(Identifier.kind == "uscc", Identifier.value == folded)
    return or_(
        Notice.key == typed,
        Notice.subject_id.in_(of_code),
        Subject.name.contains(typed, autoescape=True),
        CreditRecord.number.contains(typed, autoescape=True),
    )
