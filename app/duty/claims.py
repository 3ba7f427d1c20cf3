"""Which notices go next by the interface, and whose they are for a minute: leases on rows, taken in batches.

Only the first unfinished notice about each subject can be claimed, so that nothing overtakes anything. A post that is
killed loses its leases to the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, Select, bindparam, exists, or_, select, update

from app.db import Instant, db, transaction
from app.duty.verdict import BREAK_AFTER
from app.models import Delivery, Endpoint, Notice
from app.notices.keys import webhook_secrets
from app.notices.ways import HEAD, WAITS, WAY, among, free

LEASE = timedelta(seconds=60)
"""How long a notice belongs to one post."""

END, NOTICE = Endpoint.__table__.c, Notice.__table__.c
AT = bindparam("at", type_=Instant)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where a receiver's notices go. `failures` in a row so far; from BREAK_AFTER on one notice at a time may try."""

    id: int
    address: str
    secrets: Sequence[str]
    failures: int

    @property
    def probing(self) -> bool:
        """True while its breaker is open and a single notice looks whether it is back."""
        return self.failures >= BREAK_AFTER


class Job(NamedTuple):
    """A claimed notice with the text that goes over the wire.

    `lease` is what the claim wrote and the record must still find.
    """

    notice_id: int
    receiver_id: int
    key: str
    body: str
    attempts: int
    first_at: datetime | None
    lease: datetime


Claimed = tuple[Receiver | None, list[Job]]
"""A receiver, None when it may not be called now, and what was claimed for it."""


def due(at: datetime, but: Iterable[int] = ()) -> list[int]:
    """Receivers by the interface that may be called and for whom something is due; `but` are not looked at."""
    something = exists().where(WAY.receiver_id == END.office_id, WAITS, WAY.next_at <= at, free(at), HEAD)
    found = db.session.execute(
        select(END.office_id)
        .where(
            END.channel == "webhook", END.stopped_at.is_(None), _callable(at), END.office_id.not_in(list(but)),
            something,
        )
        .order_by(END.office_id)
    ).scalars()  # fmt: skip
    return list(found)


def claim(wanted: Mapping[int, int], at: datetime) -> dict[int, Claimed]:
    """Take up to so many notices of each of these receivers, for all of them in one transaction; a receiver that may
    not be called now has None in its own place."""
    claimed: dict[int, Claimed] = {id: (None, []) for id in wanted}
    with transaction():
        receivers = _receivers(wanted, at)
        for receiver in receivers:
            if not receiver.probing:
                claimed[receiver.id] = receiver, _take(receiver.id, wanted[receiver.id], at)
        _lease([job for _, jobs in claimed.values() for job in jobs])
    for receiver in receivers:
        if receiver.probing:
            claimed[receiver.id] = _probe(receiver, at)
    return claimed


def give_back(jobs: Sequence[Job]) -> None:
    """Let go of what was claimed and not tried."""
    with transaction() as session:
        session.execute(
            update(Delivery.__table__)
            .where(
                among(job.notice_id for job in jobs),
                WAY.lease_until.in_({job.lease for job in jobs}),
            )
            .values(lease_until=None)
        )


@lru_cache(maxsize=1)
def _heads() -> Select[Any]:
    """Locked as they are found; what another post holds is passed over."""
    first = (
        select(WAY.notice_id, WAY.attempts, WAY.first_at, WAY.next_at)
        .where(
            WAY.receiver_id == bindparam("receiver"), WAITS, WAY.next_at <= AT,
            or_(WAY.lease_until.is_(None), WAY.lease_until < AT), HEAD,
        )
        .order_by(WAY.next_at, WAY.notice_id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        .subquery("first")
    )  # fmt: skip
    return select(NOTICE.id, NOTICE.key, NOTICE.body, first.c.attempts, first.c.first_at, first.c.next_at).join_from(
        first, Notice.__table__, NOTICE.id == first.c.notice_id
    )


def _receivers(ids: Iterable[int], at: datetime) -> list[Receiver]:
    rows = db.session.execute(
        select(END.office_id, END.address, END.failures)
        .where(END.office_id.in_(list(ids)), END.channel == "webhook", END.stopped_at.is_(None), _callable(at))
        .order_by(END.office_id)
    ).all()
    return [Receiver(row.office_id, row.address, webhook_secrets(row.office_id, at), row.failures) for row in rows]


def _take(receiver_id: int, most: int, at: datetime) -> list[Job]:
    """Up to so many notices of a receiver, the one that has waited longest first, held until the transaction ends."""
    rows: Sequence[Any] = db.session.execute(_heads(), {"receiver": receiver_id, "at": at, "most": most}).all()
    lease = at + LEASE
    return [
        Job(row.id, receiver_id, row.key, row.body, row.attempts, row.first_at, lease)
        for row in sorted(rows, key=attrgetter("next_at", "id"))
    ]


def _lease(jobs: Sequence[Job]) -> None:
    if jobs:
        held = update(Delivery.__table__).where(among(job.notice_id for job in jobs))
        db.session.execute(held.values(lease_until=jobs[0].lease))


def _probe(receiver: Receiver, at: datetime) -> Claimed:
    """A single notice of a receiver whose breaker is open, for the one post that may look whether it is back."""
    with transaction():
        jobs = _take(receiver.id, 1, at)
        if jobs and not _take_the_probe(receiver.id, at, jobs[0].lease):
            return None, []
        _lease(jobs)
    return receiver, jobs


def _callable(at: datetime) -> ColumnElement[bool]:
    return or_(END.open_until.is_(None), END.open_until <= at)


def _take_the_probe(receiver_id: int, at: datetime, lease: datetime) -> bool:
    """One post probes at a time: the breaker stays open for the others until the lease has run out."""
    taken = db.session.execute(
        update(Endpoint.__table__).where(END.office_id == receiver_id, _callable(at)).values(open_until=lease)
    )
    return bool(taken.rowcount)  # type: ignore[attr-defined]
