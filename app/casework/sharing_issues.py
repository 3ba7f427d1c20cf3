"""同步异常 as an officer sees them: what has to be settled about their offices' notices, and everything about one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import aliased

from app.casework.actor import Person
from app.casework.keyset import Order, Page, page_of
from app.casework.sharing_board import notice_of
from app.casework.sight import issues_overseen_by
from app.db import db
from app.models import Attempt, Issue, Notice, Office, Receipt, User

PAGE = 25
TRIES = 20
"""So many of the latest tries are shown."""


@dataclass(frozen=True, slots=True)
class IssueFilter:
    """What the list is narrowed to: `closed` shows what is settled instead of what is open; empty means everything."""

    closed: bool = False
    kind: str = ""
    receiver_id: int | None = None


@dataclass(frozen=True, slots=True)
class IssuePage:
    """An issue with the notice it is about (None: about none of ours), how it was tried, what was answered."""

    issue: Row[Any]
    notice: Row[Any] | None
    attempts: Sequence[Any]
    receipts: Sequence[Any]


def issues_of(person: Person, wanted: IssueFilter, after: str | None, before: str | None) -> Page[Row[Any]]:
    """Issues that this officer looks after: open ones, the oldest first; or settled ones, the latest first."""
    query = _query(person)
    if wanted.closed:
        query = query.where(Issue.closed_at.is_not(None)).add_columns(Issue.closed_at.label("mark"))
        order = Order(Issue.closed_at, Issue.id, "instant", down=True)
    else:
        query = query.where(Issue.closed_at.is_(None)).add_columns(Issue.opened_at.label("mark"))
        order = Order(Issue.opened_at, Issue.id, "instant")
    if wanted.kind:
        query = query.where(Issue.kind == wanted.kind)
    if wanted.receiver_id is not None:
        query = query.where(Issue.receiver_id == wanted.receiver_id)
    return page_of(query, order, after=after, before=before, limit=PAGE)


def issue_page(person: Person, issue_id: int) -> IssuePage | None:
    """Everything about an issue that this officer looks after; None for any other. Four statements."""
    issue = db.session.execute(_query(person).where(Issue.id == issue_id)).first()
    if issue is None:
        return None
    if issue.notice_id is None:
        return IssuePage(issue, None, (), ())
    attempts = db.session.execute(
        select(Attempt.id, Attempt.at, Attempt.channel, Attempt.status, Attempt.took_ms, Attempt.detail)
        .where(Attempt.notice_id == issue.notice_id)
        .order_by(Attempt.id.desc())
        .limit(TRIES)
    ).all()
    receipts = db.session.execute(
        select(Receipt.id, Receipt.kind, Receipt.received_at, Receipt.done_at, Receipt.number, Receipt.reason)
        .where(Receipt.notice_id == issue.notice_id)
        .order_by(Receipt.id.desc())
    ).all()
    return IssuePage(issue, notice_of(person, issue.key), attempts, receipts)


def _query(person: Person) -> Any:
    receiver, organ = aliased(Office), aliased(Office)
    return (
        select(
            Issue.id, Issue.kind, Issue.detail, Issue.opened_at, Issue.closed_at, Issue.outcome, Issue.notice_id,
            Issue.office_id, Issue.statement_id, Issue.receiver_id, Notice.key, Notice.act,
            receiver.code.label("receiver_code"), receiver.name.label("receiver"), organ.name.label("office"),
            User.name.label("closer"),
        )
        .join(receiver, receiver.id == Issue.receiver_id)
        .join(organ, organ.id == Issue.office_id)
        .outerjoin(Notice, Notice.id == Issue.notice_id)
        .outerjoin(User, User.id == Issue.closed_by)
        .where(issues_overseen_by(person))
    )  # fmt: skip
