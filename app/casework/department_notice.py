"""One notice as its department sees it: how it came, and the receipts that were given about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.casework.actor import Person
from app.casework.department import ToldLine, line_of, told_lines
from app.casework.sight import notices_visible_to
from app.db import db
from app.models import Attempt, Delivery, Document, Notice, Office, Receipt, User

SHOWN = 20
"""How many of the tries to deliver a page tells of."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """One try to deliver."""

    at: datetime
    channel: str
    status: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A receipt that was given. `by` is the person, `key_name` the key it was signed with."""

    id: int
    kind: str
    done_at: datetime | None
    number: str
    reason: str
    via: str
    by: str
    key_name: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class NoticeOf:
    """Everything about one notice that its department may know; receipts and attempts with the newest first. `document`
    is the check code of the document that was issued with it, empty when none was."""

    line: ToldLine
    receiver: str
    payload: Mapping[str, Any]
    attempts: int
    next_at: datetime
    channel: str
    trouble: str
    document: str
    tries: tuple[Attempted, ...]
    receipts: tuple[Answered, ...]


def notice_of(person: Person, key: str) -> NoticeOf | None:
    """One notice with what became of it; None for a notice that does not exist for this person."""
    receiver = aliased(Office, name="told")
    issued = select(Document.code).where(Document.journal_id == Notice.journal_id).order_by(Document.id).limit(1)
    document = issued.correlate(Notice).scalar_subquery().label("document")
    more = (receiver.name.label("receiver"), Delivery.attempts, Delivery.next_at, document)
    row = db.session.execute(
        told_lines()
        .add_columns(*more, Delivery.channel, Delivery.trouble)
        .join(receiver, receiver.id == Notice.receiver_id)
        .where(Notice.key == key, notices_visible_to(person))
    ).first()
    if row is None:
        return None
    tries = db.session.execute(
        select(Attempt.at, Attempt.channel, Attempt.status, Attempt.detail)
        .where(Attempt.notice_id == row.id)
        .order_by(Attempt.id.desc())
        .limit(SHOWN)
    )
    return NoticeOf(
        line=line_of(row),
        receiver=row.receiver,
        payload=row.payload,
        attempts=row.attempts,
        next_at=row.next_at,
        channel=row.channel,
        trouble=row.trouble,
        document=row.document or "",
        tries=tuple(Attempted(*one) for one in tries),
        receipts=receipts_about(row.id),
    )


def receipts_about(notice_id: int) -> tuple[Answered, ...]:
    """The receipts about a notice, the newest first."""
    rows = db.session.execute(_answers().where(Receipt.notice_id == notice_id).order_by(Receipt.id.desc()))
    return tuple(Answered(*row) for row in rows)


def receipts_given(person: Person, prefix: str) -> dict[str, Answered]:
    """The receipts that this person gave under keys that begin so, by the key of their notice."""
    query = (
        _answers()
        .add_columns(Notice.key)
        .join(Notice, Notice.id == Receipt.notice_id)
        .where(
            Receipt.user_id == person.person, Receipt.key.startswith(prefix, autoescape=True),
            notices_visible_to(person),
        )
    )  # fmt: skip
    return {row[-1]: Answered(*row[:-1]) for row in db.session.execute(query)}


def latest_receipts(person: Person, keys: Sequence[str]) -> dict[str, Answered]:
    """The receipt that counts about each of these notices, as far as this person may see them."""
    latest = select(func.max(Receipt.id)).where(Receipt.notice_id == Notice.id).correlate(Notice).scalar_subquery()
    query = (
        _answers()
        .add_columns(Notice.key)
        .join(Notice, Notice.id == Receipt.notice_id)
        .where(Notice.key.in_(keys), Receipt.id == latest, notices_visible_to(person))
    )
    return {row[-1]: Answered(*row[:-1]) for row in db.session.execute(query)}


def _answers() -> Any:
    return select(
        Receipt.id, Receipt.kind, Receipt.done_at, Receipt.number, Receipt.reason, Receipt.via,
        func.coalesce(User.name, ""), Receipt.key_name, Receipt.received_at,
    ).outerjoin(User, User.id == Receipt.user_id)  # fmt: skip
