"""What came of the tries is written down: each try as it went, the notice's state, the receiver's breaker; at once."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from app.db import db, transaction
from app.duty.claims import Job
from app.duty.verdict import BREAK_AFTER, NEVER_AFTER, Outcome, Verdict, counted, pause, rest_after, verdict
from app.models import Attempt, Delivery, Endpoint
from app.notices.couriers.http import Answer
from app.notices.dead import bury
from app.notices.limits import give_up_after
from app.notices.ways import GONE, WAITS, WAY, among, arrived, free, let_go, write_attempts
from app.now import now
from workflows.calendar import legal_day

CHANNEL = "webhook"
HURRIED = 40
"""A notice tried so often is not tried out of turn when its receiver comes back: one that fails alone would be tried
without end."""
OUT_OF_TIME = "到期没有送达"
END = Endpoint.__table__.c


@dataclass(frozen=True, slots=True)
class Result:
    """One try: when it began, how long it took, what came back."""

    job: Job
    at: datetime
    took_ms: int
    answer: Answer
    verdict: Verdict


def result_of(job: Job, at: datetime, took_ms: int, answer: Answer) -> Result:
    """A try with what it means."""
    return Result(job, at, took_ms, answer, verdict(answer.status, answer.retry_after, at))


def record(results: Sequence[Result], watched: Iterable[int] = ()) -> None:
    """Write down several tries in one transaction. `watched` are receivers whose breaker has to be looked at although
    they answered. A result whose lease was lost changes no state, but a success always counts: the receiver has it."""
    with transaction():
        write_attempts(
            {
                "notice_id": one.job.notice_id, "at": one.at, "took_ms": one.took_ms, "channel": CHANNEL,
                "status": one.answer.status, "detail": one.answer.said,
            }
            for one in results
        )  # fmt: skip
        at = now()
        _delivered([one for one in results if one.verdict.outcome is Outcome.DELIVERED], at)
        for one in results:
            if one.verdict.outcome is not Outcome.DELIVERED:
                _failed(one, at)
        suspects = {one.job.receiver_id for one in results if one.verdict.outcome is not Outcome.DELIVERED}
        for receiver_id in sorted(suspects | set(watched)):
            _breaker(receiver_id, [one for one in results if one.job.receiver_id == receiver_id], at)


def give_up(at: datetime) -> int:
    """Give up what has been tried for its whole time, of receivers that have just shown again that they do not answer;
    returns how many. (Of the others each is tried once more before.)"""
    expired = (
        select(WAY.notice_id, WAY.first_at, WAY.attempts)
        .join_from(Delivery.__table__, Endpoint.__table__, END.office_id == WAY.receiver_id)
        .where(
            END.channel == CHANNEL, END.failures >= BREAK_AFTER, END.open_until > at, WAITS, free(at),
            WAY.next_at <= at, WAY.first_at.is_not(None),
        )
        .order_by(WAY.notice_id)
    )  # fmt: skip
    rows = [row for row in db.session.execute(expired) if at >= ends(row.first_at)]
    db.session.rollback()
    if rows:
        with transaction():
            for row in rows:
                bury(row.notice_id, OUT_OF_TIME, {"attempts": row.attempts, "last": ""}, at)
    return len(rows)


def ends(first_at: datetime) -> datetime:
    """Until when a notice is tried that was tried first at an instant."""
    return first_at + give_up_after(legal_day(first_at))


def _delivered(results: Sequence[Result], at: datetime) -> None:
    if not results:
        return
    ids = [one.job.notice_id for one in results]
    marked = db.session.execute(
        update(Delivery.__table__)
        .where(among(ids), WAITS)
        .values(
            state="delivered", channel=CHANNEL, delivered_at=at, lease_until=None, trouble="",
            attempts=WAY.attempts + 1, first_at=func.coalesce(WAY.first_at, min(one.at for one in results)),
        )
    )  # fmt: skip
    if marked.rowcount < len(ids):  # type: ignore[attr-defined]
        arrived(among(ids), CHANNEL, at)


def _failed(one: Result, at: datetime) -> None:
    job, tries = one.job, one.job.attempts + 1
    first_at = job.first_at or one.at
    until = ends(first_at)
    next_at = at + max(pause(tries, random.random()), one.verdict.rest or timedelta())
    kept = db.session.execute(
        update(Delivery.__table__)
        .where(WAY.notice_id == job.notice_id, WAITS, WAY.lease_until == job.lease)
        .values(
            attempts=tries, first_at=first_at, channel=CHANNEL, trouble=_said(one), lease_until=None,
            next_at=max(min(next_at, until), at),
        )
    )  # fmt: skip
    if not kept.rowcount:  # type: ignore[attr-defined]
        return
    why = ""
    if one.verdict.outcome is Outcome.GONE:
        why = GONE
    elif one.verdict.outcome is Outcome.NEVER and _refused_in_a_row(job.notice_id, first_at):
        why = f"对方连续 {NEVER_AFTER} 次拒绝（{one.answer.status}），重试无用"
    elif at >= until:
        why = OUT_OF_TIME
    if why:
        detail = {"attempts": tries, "status": one.answer.status, "last": one.answer.said}
        bury(job.notice_id, why, detail, at)


def _refused_in_a_row(notice_id: int, since: datetime) -> bool:
    """Whether the last tries, the present one among them, were all refusals that trying does not cure."""
    last = db.session.execute(
        select(Attempt.status, Attempt.at)
        .where(Attempt.notice_id == notice_id, Attempt.at >= since)
        .order_by(Attempt.id.desc())
        .limit(NEVER_AFTER)
    ).all()
    return len(last) == NEVER_AFTER and all(verdict(row.status, "", row.at).outcome is Outcome.NEVER for row in last)


def _breaker(receiver_id: int, results: Sequence[Result], at: datetime) -> None:
    """Count a receiver's failures in a row: from the fifth on it is left alone for a growing while. When it answers
    again, whatever waited for it waits no longer."""
    row = db.session.execute(
        select(END.failures, END.open_until, END.stopped_at).where(END.office_id == receiver_id).with_for_update()
    ).first()
    if row is None:
        return
    failures, in_a_row, answered, trouble, rest = row.failures, 0, False, "", timedelta()
    values: dict[str, object] = {}
    for one in results:
        rest = max(rest, one.verdict.rest or rest)
        if one.verdict.alive:
            failures, in_a_row, answered, trouble = 0, 0, True, ""
        else:
            in_a_row, trouble = in_a_row + 1, _said(one)
        if one.verdict.outcome is Outcome.GONE and row.stopped_at is None:
            values |= {"stopped_at": at, "stopped_why": GONE}
    failures = counted(failures, in_a_row) if in_a_row else failures
    rests = [row.open_until] if row.open_until and row.failures < BREAK_AFTER else []
    rests += [at + rest] if rest else []
    rests += [at + rest_after(failures)] if failures >= BREAK_AFTER else []
    db.session.execute(
        update(Endpoint.__table__)
        .where(END.office_id == receiver_id)
        .values(failures=failures, open_until=max(rests, default=None), trouble=trouble, **values)
    )
    if answered and not failures and row.failures >= BREAK_AFTER:
        tried = [one.job.notice_id for one in results]
        let_go(receiver_id, at, WAY.attempts < HURRIED, WAY.notice_id.not_in(tried))


def _said(one: Result) -> str:
    return " ".join(str(part) for part in (one.answer.status, one.answer.said) if part)
