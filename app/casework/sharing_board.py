"""同步情况: how sharing stands with each receiver, as far as an officer looks after it, and the notices behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from app.casework.actor import Person
from app.casework.keyset import Order, Page, page_of
from app.casework.receive import CLOCK
from app.casework.sight import issues_overseen_by, notices_overseen_by, sharing_offices
from app.db import db
from app.models import Case, CreditRecord, DeadlineRow, Delivery, Endpoint, Identifier, Issue, Notice, Office, Subject
from app.models.sharing import CONFIRMING
from workflows.calendar import legal_day

PAGE = 25
LOOK_BACK = timedelta(days=90)
"""Over how long it is counted whether confirmations came in time."""
STATES = ("waiting", "dead", "open", "late", "confirmed", "trouble", "skipped")
"""What a list of notices may be narrowed to; `open` is delivered, asked and not answered, `trouble` answered that it
was not done, `late` not confirmed by the day."""


@dataclass(frozen=True, slots=True)
class ReceiverLine:
    """A receiver and how things stand with it. `asked` are notices that wait for a confirmation, `late` those past
    their day; `in_time` of `closed` were confirmed by their day, in the last 90 days. `oldest` is when the oldest
    notice that waits was written."""

    id: int
    code: str
    name: str
    channel: str
    failures: int
    open_until: datetime | None
    stopped_at: datetime | None
    stopped_why: str
    trouble: str
    last: datetime | None
    waiting: int
    oldest: datetime | None
    dead: int
    asked: int
    late: int
    in_time: int
    closed: int
    issues: int


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """What a list of notices is narrowed to; empty means everything."""

    state: str = ""
    act: str = ""
    text: str = ""


def board(person: Person, at: datetime, code: str = "") -> list[ReceiverLine]:
    """Every linked department (or the one of that code), those in trouble first. Four statements."""
    query = (
        select(
            Office.id, Office.code, Office.name, Endpoint.channel, Endpoint.failures, Endpoint.open_until,
            Endpoint.stopped_at, Endpoint.stopped_why, Endpoint.trouble, _last(person).label("last"),
        )
        .outerjoin(Endpoint, Endpoint.office_id == Office.id)
        .where(Office.kind == "linked")
        .order_by(Office.code)
    )  # fmt: skip
    offices = db.session.execute(query.where(Office.code == code) if code else query).all()
    unfinished = {
        (row.receiver_id, row.state): row
        for row in db.session.execute(
            select(
                Delivery.receiver_id, Delivery.state, func.count().label("n"),
                func.min(Notice.written_at).label("oldest"),
            )
            .join(Notice, Notice.id == Delivery.notice_id)
            .where(Delivery.state.in_(("waiting", "dead")), notices_overseen_by(person))
            .group_by(Delivery.receiver_id, Delivery.state)
        )
    }  # fmt: skip
    limits = {row.item: row for row in db.session.execute(_limits(person, legal_day(at)))}
    issues = dict(
        db.session.execute(
            select(Issue.receiver_id, func.count())
            .where(Issue.closed_at.is_(None), issues_overseen_by(person))
            .group_by(Issue.receiver_id)
        ).all()
    )
    lines = [_receiver(row, unfinished, limits.get(row.code), issues.get(row.id, 0)) for row in offices]
    return sorted(lines, key=_pressing)


def notices_to(
    person: Person, receiver_id: int, wanted: NoticeFilter, today: date, after: str | None, before: str | None
) -> Page[Row[Any]]:
    """The notices to a receiver that this officer looks after, the newest first."""
    query = overseen(person).where(Notice.receiver_id == receiver_id, *_conditions(wanted, today))
    order = Order(Notice.written_at, Notice.id, "instant", down=True)
    query = query.add_columns(Notice.written_at.label("mark"))
    return page_of(query, order, after=after, before=before, limit=PAGE)


def dead_letters_to(person: Person, receiver_id: int, after: str | None, before: str | None) -> Page[Row[Any]]:
    """What was given up, the oldest first; with the issue that is open about it and the office whose record it is."""
    query = (
        overseen(person)
        .add_columns(Issue.id.label("issue"), Issue.detail.label("detail"), Delivery.given_up_at.label("mark"))
        .outerjoin(Issue, and_(Issue.notice_id == Notice.id, Issue.kind == "dead", Issue.closed_at.is_(None)))
        .where(Notice.receiver_id == receiver_id, Delivery.state == "dead", Delivery.given_up_at.is_not(None))
    )
    return page_of(query, Order(Delivery.given_up_at, Notice.id, "instant"), after=after, before=before, limit=PAGE)


def notice_of(person: Person, key: str) -> Row[Any] | None:
    """One notice that this officer looks after; None for any other."""
    return db.session.execute(overseen(person).where(Notice.key == key)).first()


def overseen(person: Person) -> Any:
    """Notices that this officer looks after, with everything a list shows of them."""
    receiver, organ = aliased(Office), aliased(Office)
    code = (
        select(Identifier.value)
        .where(Identifier.subject_id == Notice.subject_id, Identifier.kind == "uscc", Identifier.valid_until.is_(None))
        .limit(1)
        .correlate(Notice)
        .scalar_subquery()
    )
    limit = and_(
        DeadlineRow.about == case((Notice.case_id.is_(None), "record"), else_="case"),
        DeadlineRow.about_id == func.coalesce(Notice.case_id, Notice.record_id),
        DeadlineRow.clock == CLOCK,
        DeadlineRow.item == receiver.code,
    )
    return (
        select(
            Notice.id, Notice.key, Notice.act, Notice.seq, Notice.written_at, Subject.name.label("subject"),
            code.label("code"), CreditRecord.public_id, CreditRecord.number.label("record"), Case.number.label("case"),
            CreditRecord.office_id, organ.name.label("office"), receiver.code.label("receiver_code"),
            receiver.name.label("receiver"), Delivery.state, Delivery.channel, Delivery.attempts, Delivery.next_at,
            Delivery.delivered_at, Delivery.given_up_at, Delivery.trouble, Delivery.receipt, Delivery.receipt_at,
            DeadlineRow.due_on, DeadlineRow.state.label("limit"),
        )
        .join(Delivery, Delivery.notice_id == Notice.id)
        .join(receiver, receiver.id == Notice.receiver_id)
        .join(Subject, Subject.id == Notice.subject_id)
        .join(CreditRecord, CreditRecord.id == Notice.record_id)
        .join(organ, organ.id == CreditRecord.office_id)
        .outerjoin(Case, Case.id == Notice.case_id)
        .outerjoin(DeadlineRow, limit)
        .where(notices_overseen_by(person))
    )  # fmt: skip


def _conditions(wanted: NoticeFilter, today: date) -> list[ColumnElement[bool]]:
    unconfirmed = and_(DeadlineRow.state == "running", Delivery.receipt.not_in(CONFIRMING))
    states: Mapping[str, ColumnElement[bool]] = {
        "waiting": Delivery.state == "waiting",
        "dead": Delivery.state == "dead",
        "skipped": Delivery.state == "skipped",
        "open": and_(Delivery.state == "delivered", Delivery.receipt == "", DeadlineRow.id.is_not(None)),
        "late": and_(unconfirmed, DeadlineRow.due_on < today),
        "confirmed": Delivery.receipt.in_(CONFIRMING),
        "trouble": and_(Delivery.receipt != "", Delivery.receipt.not_in(CONFIRMING)),
    }
    found = [states[wanted.state]] if wanted.state in states else []
    if wanted.act:
        found.append(Notice.act == wanted.act)
    if typed := wanted.text.strip():
        folded = "".join(typed.split()).upper()
        of_code = select(Identifier.subject_id).where(Identifier.kind == "uscc", Identifier.value == folded)
        found.append(
            or_(
                Notice.key == typed, Case.number == folded, Notice.subject_id.in_(of_code),
                Subject.name.contains(typed, autoescape=True), CreditRecord.number.contains(typed, autoescape=True),
            )
        )  # fmt: skip
    return found


def _last(person: Person) -> Any:
    """When the newest delivered notice to a receiver arrived, of those this officer looks after."""
    return (
        select(Delivery.delivered_at)
        .join(Notice, Notice.id == Delivery.notice_id)
        .where(Delivery.receiver_id == Office.id, Delivery.state == "delivered", notices_overseen_by(person))
        .order_by(Delivery.notice_id.desc())
        .limit(1)
        .correlate(Office)
        .scalar_subquery()
    )


def _limits(person: Person, today: date) -> Any:
    """By receiver: confirmations that are still waited for, past their day, and in time over the last 90 days."""
    mine = func.coalesce(Case.office_id, CreditRecord.office_id).in_(sharing_offices(person))
    running, met = DeadlineRow.state == "running", DeadlineRow.state == "met"
    late, recent = and_(running, DeadlineRow.due_on < today), DeadlineRow.due_on >= today - LOOK_BACK
    return (
        select(
            DeadlineRow.item,
            func.sum(case((running, 1), else_=0)).label("asked"),
            func.sum(case((late, 1), else_=0)).label("late"),
            func.sum(case((and_(recent, or_(met, late)), 1), else_=0)).label("closed"),
            func.sum(case((and_(recent, met, DeadlineRow.met_on <= DeadlineRow.due_on), 1), else_=0)).label("in_time"),
        )
        .outerjoin(Case, and_(DeadlineRow.about == "case", Case.id == DeadlineRow.about_id))
        .outerjoin(CreditRecord, and_(DeadlineRow.about == "record", CreditRecord.id == DeadlineRow.about_id))
        .where(DeadlineRow.clock == CLOCK, mine, or_(running, recent))
        .group_by(DeadlineRow.item)
    )


def _receiver(row: Any, unfinished: Mapping[Any, Any], limit: Any, issues: int) -> ReceiverLine:
    waiting, dead = unfinished.get((row.id, "waiting")), unfinished.get((row.id, "dead"))
    return ReceiverLine(
        id=row.id, code=row.code, name=row.name, channel=row.channel or "counter", failures=row.failures or 0,
        open_until=row.open_until, stopped_at=row.stopped_at, stopped_why=row.stopped_why or "",
        trouble=row.trouble or "", last=row.last, waiting=waiting.n if waiting else 0,
        oldest=waiting.oldest if waiting else None, dead=dead.n if dead else 0, asked=limit.asked if limit else 0,
        late=limit.late if limit else 0, in_time=limit.in_time if limit else 0, closed=limit.closed if limit else 0,
        issues=issues,
    )  # fmt: skip


def _pressing(line: ReceiverLine) -> tuple[Any, ...]:
    """Trouble first, then what is late, then what waits."""
    return (not (line.dead or line.stopped_at), not line.issues, -line.late, -line.waiting, line.code)
