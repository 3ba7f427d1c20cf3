"""Dead letters: given up aloud, never deleted. Sent again, or formally skipped by two people; either with a reason.

A skip takes two steps by two people: one proposes it (kept on the open issue, and journalled), another confirms it.
Until then the later notices about the same subject are held. Both must handle information or head the office whose
record the notice is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Row, func, select, update

from app.db import db, leave_work
from app.journal import Doer, write_line
from app.models import CreditRecord, Delivery, Issue, Notice
from app.notices.issues import open_issue
from app.notices.ways import DEAD, WAITS, WAY, settle
from workflows.people import Role

HANDS = (Role.HEAD, Role.PROCESSING)
NOT_DEAD = "这份通知不在送达失败之列，请刷新页面再看。"
LONGEST = 500
"""Characters of a reason at most."""


class Officer(Protocol):
    """A person who acts, with the memberships of that moment."""

    @property
    def person(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def memberships(self) -> frozenset[tuple[Role, int]]: ...


class NotPossible(ValueError):
    """Nothing was done; the text is a Chinese sentence that says why."""


@dataclass(frozen=True, slots=True)
class Which:
    """Dead letters about the records of `office_id`: to one receiver, of one act, given up in a time; None is all."""

    office_id: int
    receiver_id: int | None = None
    act: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def dead_letters(which: Which) -> list[int]:
    """The notices that are dead and meant, in the order in which they were written."""
    query = (
        select(WAY.notice_id)
        .join_from(Delivery.__table__, Notice.__table__, Notice.id == WAY.notice_id)
        .join(CreditRecord.__table__, CreditRecord.id == Notice.record_id)
        .where(DEAD, CreditRecord.office_id == which.office_id)
        .order_by(WAY.notice_id)
    )
    if which.receiver_id is not None:
        query = query.where(WAY.receiver_id == which.receiver_id)
    if which.act is not None:
        query = query.where(Notice.act == which.act)
    if which.since is not None:
        query = query.where(WAY.given_up_at >= which.since)
    if which.until is not None:
        query = query.where(WAY.given_up_at < which.until)
    return list(db.session.execute(query).scalars())


def bury(notice_id: int, why: str, detail: Mapping[str, Any], at: datetime) -> bool:
    """Give a waiting notice up and open the issue, inside `transaction()`; False when it does not wait any more.

    Everything later about the same subject is held from now on.
    """
    buried = db.session.execute(
        update(Delivery.__table__)
        .where(WAY.notice_id == notice_id, WAITS)
        .values(state="dead", given_up_at=at, lease_until=None, trouble=why)
    )
    if not buried.rowcount:  # type: ignore[attr-defined]
        return False
    times = db.session.execute(
        select(func.count()).where(Issue.notice_id == notice_id, Issue.kind == "dead")
    ).scalar_one()
    open_issue(f"dead-{notice_id}-{times + 1}", "dead", notice_id=notice_id, detail={**detail, "reason": why}, at=at)
    return True


def replay(which: Iterable[int] | Which, *, actor: Officer, reason: str, at: datetime) -> int:
    """Send dead letters again, inside `transaction()`; returns how many. Id, order and the count of tries stay; they
    are tried for as long as a new one. Raises NotPossible, LookupError for a notice that is not dead.

    A receiver that wants nothing more (410) is not tried before its endpoint is opened again.
    """
    by_filter = isinstance(which, Which)
    asked = dead_letters(which) if isinstance(which, Which) else sorted(set(which))
    reason, again = _reason(reason), []
    for notice_id in asked:
        row = _locked(notice_id)
        if row.state != "dead":
            if by_filter:  # it has arrived while we were counting
                continue
            raise NotPossible(NOT_DEAD)
        doer = _hand(actor, row.office_id)
        db.session.execute(
            update(Delivery.__table__)
            .where(WAY.notice_id == notice_id)
            .values(state="waiting", next_at=at, first_at=None, given_up_at=None, lease_until=None)
        )
        write_line("notice", notice_id, "replay", doer, at, law_text="D", answers={"reason": reason})
        again.append(notice_id)
    settle(again, f"重新投递：{reason}", actor.person, at)
    leave_work()
    return len(again)


def propose_skip(notice_id: int, *, actor: Officer, reason: str, at: datetime) -> None:
    """Propose that a dead letter be skipped, inside `transaction()`; somebody else must confirm it. A later proposal
    takes the place of an earlier one. Raises NotPossible, LookupError."""
    reason, row = _reason(reason), _dead(notice_id)
    doer = _hand(actor, row.office_id)
    issue = _issue(notice_id)
    proposal = {
        "person": actor.person, "name": actor.name, "reason": reason, "at": at.astimezone(UTC).isoformat(),
    }  # fmt: skip
    db.session.execute(
        update(Issue)
        .where(Issue.id == issue.id)
        .values(detail={**issue.detail, "skip": proposal})
        .execution_options(synchronize_session=False)
    )
    write_line("notice", notice_id, "propose_skip", doer, at, law_text="D", answers={"reason": reason})


def proposed_skip(detail: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The proposal that an issue carries: person, name, reason, at; None when there is none."""
    found: Mapping[str, Any] | None = detail.get("skip")
    return found


def confirm_skip(notice_id: int, *, second: Officer, at: datetime) -> None:
    """Confirm a proposed skip as another person, inside `transaction()`: the letter is skipped, the later ones go.
    Raises NotPossible, LookupError."""
    row = _dead(notice_id)
    doer = _hand(second, row.office_id)
    proposal = proposed_skip(_issue(notice_id).detail)
    if proposal is None:
        raise NotPossible("还没有人提出跳过这份通知。")
    if proposal["person"] == second.person:
        raise NotPossible("跳过须由另一个人确认，您是提出的人。")
    db.session.execute(
        update(Delivery.__table__).where(WAY.notice_id == notice_id, DEAD).values(state="skipped", lease_until=None)
    )
    write_line(
        "notice", notice_id, "skip", doer, at, law_text="D",
        answers={"reason": proposal["reason"], "proposed_by": proposal["name"]},
    )  # fmt: skip
    settle([notice_id], f"正式跳过：{proposal['reason']}", second.person, at)
    leave_work()


def skip(notice_id: int, *, actor: Officer, second: Officer, reason: str, at: datetime) -> None:
    """Both steps at once, with both people present, inside `transaction()`."""
    propose_skip(notice_id, actor=actor, reason=reason, at=at)
    confirm_skip(notice_id, second=second, at=at)


def _dead(notice_id: int) -> Row[Any]:
    row = _locked(notice_id)
    if row.state != "dead":
        raise NotPossible(NOT_DEAD)
    return row


def _locked(notice_id: int) -> Row[Any]:
    row = db.session.execute(
        select(CreditRecord.office_id, WAY.state)
        .join_from(Delivery.__table__, Notice.__table__, Notice.id == WAY.notice_id)
        .join(CreditRecord.__table__, CreditRecord.id == Notice.record_id)
        .where(WAY.notice_id == notice_id)
        .with_for_update(of=Delivery.__table__)
    ).first()
    if row is None:
        raise LookupError(f"没有编号为 {notice_id} 的通知")
    return row


def _issue(notice_id: int) -> Row[Any]:
    return db.session.execute(
        select(Issue.id, Issue.detail)
        .where(Issue.notice_id == notice_id, Issue.kind == "dead", Issue.closed_at.is_(None))
        .order_by(Issue.id.desc())
        .limit(1)
    ).one()


def _hand(officer: Officer, office: int) -> Doer:
    role = next((role for role in HANDS if (role, office) in officer.memberships), None)
    if role is None:
        who = "、".join(role.title for role in reversed(HANDS))
        raise NotPossible(f"这由认定单位的{who}办理。")
    return Doer(officer.person, officer.name, str(role), office, None, officer.address)


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise NotPossible("请写明理由。")
    if len(reason) > LONGEST:
        raise NotPossible(f"理由最多 {LONGEST} 字。")
    return reason
