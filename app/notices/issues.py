"""同步异常: what a person of ours must settle about a notice. Opened once for each thing, closed with what was done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import and_, exists, or_, select, update

from app.db import db, insert_into
from app.journal import Doer, write_line
from app.models import CreditRecord, Delivery, Issue, Notice, Office, Statement
from workflows.calendar import day_start
from workflows.people import Role

HANDS = (Role.HEAD, Role.PROCESSING)
"""The roles that settle an issue; the gravest first."""
ANSWERED = ("dead", "not_found", "refused")
"""Kinds of issue that the receiver's next receipt about the notice settles."""


class Closer(Protocol):
    """Somebody who settles an issue, with the memberships in force at that moment."""

    @property
    def person(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def memberships(self) -> frozenset[tuple[Role, int]]: ...


class NoSuchIssue(LookupError):
    """There is no such issue."""


class NotClosed(ValueError):
    """The issue stays as it is; the message is a Chinese sentence. `moved` when somebody else was faster."""

    def __init__(self, sentence: str, moved: bool = False) -> None:
        super().__init__(sentence)
        self.moved = moved


def open_issue(
    key: str,
    kind: str,
    *,
    notice_id: int | None,
    detail: Mapping[str, Any],
    at: datetime,
    statement_id: int | None = None,
    office_id: int | None = None,
    receiver_id: int | None = None,
) -> bool:
    """Open an issue, inside the caller's transaction; False when the same key is known already.

    About a notice it belongs to the office whose record the notice is about; without one, `office_id` and
    `receiver_id` say whose it is. `kind` is one of `app.models.sharing.ISSUES`.
    """
    case_id = None
    if notice_id is not None:
        about = db.session.execute(
            select(Notice.receiver_id, Notice.case_id, CreditRecord.office_id)
            .join(CreditRecord, CreditRecord.id == Notice.record_id)
            .where(Notice.id == notice_id)
        ).one()
        receiver_id, case_id, office_id = about.receiver_id, about.case_id, about.office_id
    opened = (
        insert_into(Issue.__table__)
        .values(
            key=key, kind=kind, office_id=office_id, receiver_id=receiver_id, notice_id=notice_id, case_id=case_id,
            statement_id=statement_id, detail=dict(detail), opened_at=at, outcome="",
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Issue.id)
    )  # fmt: skip
    return db.session.execute(opened).first() is not None


def close_issue(issue_id: int, *, actor: Closer, outcome: str, at: datetime) -> None:
    """Close an issue with what was done, inside the caller's transaction; journalled. Who may see it is the caller's
    question. Raises NoSuchIssue; NotClosed when it is closed already, another office has to settle it, nothing is said,
    or the notice is still not delivered: a dead letter is sent again or skipped, not talked away.
    """
    receiver_id = db.session.execute(select(Issue.receiver_id).where(Issue.id == issue_id)).scalar()
    if receiver_id is None:
        raise NoSuchIssue(issue_id)
    # One after the other with the answers of this receiver, which open and close differences too.
    db.session.execute(select(Office.id).where(Office.id == receiver_id).with_for_update(key_share=True))
    issue = db.session.execute(select(*Issue.__table__.c).where(Issue.id == issue_id).with_for_update()).one()
    if issue.closed_at is not None:
        raise NotClosed("这条异常已经了结，请看最新情况。", moved=True)
    outcome = outcome.strip()
    if not outcome:
        raise NotClosed("请写明做了什么、结果怎样。")
    if issue.kind == "dead" and _still_dead(issue.notice_id):
        raise NotClosed("通知还没有送达。请重新投递，或者写明理由跳过，这条异常随之了结。")
    role = next((role for role in HANDS if (role, issue.office_id) in actor.memberships), None)
    if role is None:
        raise NotClosed(f"这由{_name(issue.office_id)}的{'、'.join(role.title for role in reversed(HANDS))}办理。")
    doer = Doer(actor.person, actor.name, str(role), issue.office_id, None, actor.address)
    _close([issue_id], doer, actor.person, outcome, at)
    if issue.kind == "difference":
        settle_statements(issue.receiver_id)


def close_differences(issue_ids: Collection[int], *, doer: Doer, outcome: str, at: datetime) -> None:
    """Close differences that a later answer no longer shows."""
    _close(sorted(issue_ids), doer, None, outcome, at)


def close_answered(notice_id: int, *, doer: Doer, outcome: str, at: datetime) -> None:
    """Close what a receipt about a notice settles: it has arrived, if it had been given up, and what its receiver said
    before counts no more."""
    ids = db.session.execute(
        select(Issue.id)
        .where(Issue.notice_id == notice_id, Issue.kind.in_(ANSWERED), Issue.closed_at.is_(None))
        .order_by(Issue.id)
    ).scalars()
    _close(list(ids), doer, doer.person, outcome, at)


def settle_statements(receiver_id: int) -> None:
    """A statement whose lines were compared is settled when none of the differences it shows is open any more."""
    differing = db.session.execute(
        select(Statement.id, Statement.since, Statement.until).where(
            Statement.receiver_id == receiver_id, Statement.state == "differing", Statement.their_file != ""
        )
    ).all()
    for statement in differing:
        if not open_differences(receiver_id, statement):
            db.session.execute(
                update(Statement)
                .where(Statement.id == statement.id)
                .values(state="settled")
                .execution_options(synchronize_session=False)
            )


def open_differences(receiver_id: int, statement: Any) -> list[Any]:
    """Open differences that a statement (id, since, until) shows: its own, and those about notices of its period that
    another statement has shown first. Rows (id, notice_id, statement_id, detail)."""
    after, before = day_start(statement.since), day_start(statement.until + timedelta(days=1))
    within = exists().where(Notice.id == Issue.notice_id, Notice.written_at >= after, Notice.written_at < before)
    return list(
        db.session.execute(
            select(Issue.id, Issue.notice_id, Issue.statement_id, Issue.detail)
            .where(
                Issue.receiver_id == receiver_id,
                Issue.kind == "difference",
                Issue.closed_at.is_(None),
                or_(Issue.statement_id == statement.id, and_(Issue.notice_id.is_not(None), within)),
            )
            .order_by(Issue.id)
        ).all()
    )


def _close(issue_ids: Collection[int], doer: Doer, by: int | None, outcome: str, at: datetime) -> None:
    for issue_id in issue_ids:
        closed = db.session.execute(
            update(Issue)
            .where(Issue.id == issue_id, Issue.closed_at.is_(None))
            .values(closed_at=at, closed_by=by, outcome=outcome)
            .execution_options(synchronize_session=False)
        ).rowcount  # type: ignore[attr-defined]
        if closed:
            write_line("issue", issue_id, "close", doer, at, law_text="D", answers={"outcome": outcome})


def _name(office_id: int) -> str:
    return str(db.session.execute(select(Office.name).where(Office.id == office_id)).scalar_one())


def _still_dead(notice_id: int | None) -> bool:
    dead = select(Delivery.notice_id).where(Delivery.notice_id == notice_id, Delivery.state == "dead")
    return db.session.execute(dead).first() is not None
