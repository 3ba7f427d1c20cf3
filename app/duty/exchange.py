"""The exchange folder, a turn of it: what waits for a receiver becomes a numbered batch, is written, is delivered.

The batch is settled first, in a transaction of its own; a turn that is killed while it writes is followed by one that
writes the same batch again, the same to the byte, and takes new notices only into the next.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import exists, func, or_, select, update

from app.db import db, transaction
from app.duty.verdict import BREAK_AFTER, rest_after
from app.models import Delivery, Endpoint, Notice, Office
from app.notices.couriers.drop import fits, out_folder, write_batch
from app.notices.dead import bury
from app.notices.feed import hold
from app.notices.formats.sheet import Sent
from app.notices.ways import WAITS, WAY, among, carried, free, unhindered
from app.now import now

CHANNEL = "drop"
LEASE = timedelta(minutes=5)
MOST = 10_000
"""Notices of one batch at most: twenty pages."""
END, NOTICE = Endpoint.__table__.c, Notice.__table__.c
_log = logging.getLogger("jiannuo.watch")


@dataclass(frozen=True, slots=True)
class Batch:
    """A numbered batch and all its notices in order."""

    receiver_id: int
    code: str
    number: int
    notices: Sequence[Sent]


def due(at: datetime) -> list[int]:
    """Receivers by exchange folder for whom something waits."""
    something = exists().where(WAY.receiver_id == END.office_id, WAITS, free(at), unhindered(at))
    may = or_(END.open_until.is_(None), END.open_until <= at)
    found = db.session.execute(
        select(END.office_id)
        .where(END.channel == CHANNEL, END.stopped_at.is_(None), may, something)
        .order_by(END.office_id)
    ).scalars()
    return list(found)


def turn(receiver_id: int) -> int:
    """Write everything that waits for one receiver; returns how many notices. What the disk does not take is said at
    the receiver's endpoint and tried again after a while."""
    delivered = 0
    while batch := settle(receiver_id):
        try:
            folder = out_folder(Path(current_app.config["INSTANCE"]) / "exchange", batch.code)
            write_batch(folder, batch.code, batch.number, batch.notices)
        except (OSError, ValueError) as error:
            _log.exception("batch %s of receiver %s", batch.number, receiver_id)
            _troubled(batch, f"第 {batch.number} 批没有写成（{type(error).__name__}）")
            break
        at = now()
        with transaction() as session:
            delivered += carried((WAY.receiver_id == receiver_id) & (WAY.batch == batch.number), CHANNEL, at)
            session.execute(
                update(Endpoint.__table__)
                .where(END.office_id == receiver_id, END.failures > 0)
                .values(failures=0, open_until=None, trouble="")
            )
    return delivered


def settle(receiver_id: int) -> Batch | None:
    """The batch to be written now: one that was begun and not finished, else a new one; None when nothing waits or
    another post is at it."""
    at = now()
    with transaction():
        hold(receiver_id)
        begun = db.session.execute(
            select(WAY.batch, func.max(WAY.lease_until).label("lease"))
            .where(WAY.receiver_id == receiver_id, WAITS, WAY.batch.is_not(None))
            .group_by(WAY.batch)
            .order_by(WAY.batch)
            .limit(1)
        ).first()
        if begun is not None and begun.lease is not None and begun.lease >= at:
            return None
        number = begun.batch if begun is not None else _new_batch(receiver_id, at)
        if number is None:
            return None
        notices: Sequence[Any] = db.session.execute(
            select(NOTICE.id, NOTICE.payload)
            .join_from(Delivery.__table__, Notice.__table__, NOTICE.id == WAY.notice_id)
            .where(WAY.receiver_id == receiver_id, WAY.batch == number)
            .order_by(NOTICE.id)
        ).all()
        db.session.execute(
            update(Delivery.__table__)
            .where(WAY.receiver_id == receiver_id, WAY.batch == number, WAITS)
            .values(lease_until=at + LEASE)
        )
        code = db.session.execute(select(Office.code).where(Office.id == receiver_id)).scalar_one()
    return Batch(receiver_id, code, number, notices)


def _new_batch(receiver_id: int, at: datetime) -> int | None:
    """Everything that waits and may go, in order, under the next number; what fits in no sheet is given up at once."""
    waiting = db.session.execute(
        select(NOTICE.id, NOTICE.payload, WAY.subject_id)
        .join_from(Delivery.__table__, Notice.__table__, NOTICE.id == WAY.notice_id)
        .where(WAY.receiver_id == receiver_id, WAITS, free(at), unhindered(at))
        .order_by(NOTICE.id)
        .limit(MOST)
    ).all()
    taken, held = [], set()
    for row in waiting:
        if row.subject_id in held:
            continue
        if fits(row.payload):
            taken.append(row.id)
        else:
            held.add(row.subject_id)
            bury(row.id, "这份通知的格式写不成交换表", {"attempts": 0, "last": ""}, at)
    if not taken:
        return None
    last = db.session.execute(
        select(func.max(WAY.batch)).where(WAY.receiver_id == receiver_id, WAY.batch.is_not(None))
    ).scalar()
    number = (last or 0) + 1
    db.session.execute(update(Delivery.__table__).where(among(taken)).values(batch=number))
    return number


def _troubled(batch: Batch, said: str) -> None:
    """The fault is ours or the disk's, not a notice's: the endpoint says it, and rests."""
    at = now()
    with transaction() as session:
        failures = session.execute(
            select(END.failures).where(END.office_id == batch.receiver_id).with_for_update()
        ).scalar_one()
        session.execute(
            update(Delivery.__table__)
            .where(WAY.receiver_id == batch.receiver_id, WAY.batch == batch.number, WAITS)
            .values(lease_until=None)
        )
        session.execute(
            update(Endpoint.__table__)
            .where(END.office_id == batch.receiver_id)
            .values(failures=failures + 1, open_until=at + rest_after(BREAK_AFTER + failures), trouble=said)
        )
