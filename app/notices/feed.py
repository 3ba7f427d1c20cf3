"""The feed: every receiver's notices in one gapless order, for whoever comes to fetch them or was away for a month.

A notice gets its position after the commit that wrote it, under the lock of its receiver. A transaction that is slower
gets a later position, so that a reader who is past a position has seen everything before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, func, select, update

from app.db import db, insert_into
from app.models import Delivery, Endpoint, Notice, Office
from app.notices.ways import WAY, arrived

NOTICE = Notice.__table__.c


def place(receiver_id: int) -> int:
    """Give every notice of a receiver that has none its position, inside `transaction()`; returns how many."""
    hold(receiver_id)
    last = _last(receiver_id)
    waiting = (
        select(WAY.notice_id, func.row_number().over(order_by=WAY.notice_id).label("nth"))
        .where(WAY.receiver_id == receiver_id, WAY.position.is_(None))
        .subquery()
    )
    placed = db.session.execute(
        update(Delivery.__table__).where(WAY.notice_id == waiting.c.notice_id).values(position=last + waiting.c.nth)
    )
    return int(placed.rowcount)  # type: ignore[attr-defined]


def unplaced() -> list[int]:
    """Receivers that have notices without a position."""
    new = exists().where(WAY.receiver_id == Office.id, WAY.position.is_(None))
    return list(db.session.execute(select(Office.id).where(new).order_by(Office.id)).scalars())


def feed_page(receiver_id: int, after: int, limit: int) -> list[Row[Any]]:
    """The next notices of a receiver after a position, in order: position, key, body, payload_hash, act, seq,
    written_at. What was formally skipped is left out."""
    rows: Sequence[Any] = db.session.execute(
        select(WAY.position, NOTICE.key, NOTICE.body, NOTICE.payload_hash, NOTICE.act, NOTICE.seq, NOTICE.written_at)
        .join_from(Delivery.__table__, Notice.__table__, NOTICE.id == WAY.notice_id)
        .where(WAY.receiver_id == receiver_id, WAY.position > after, WAY.state != "skipped")
        .order_by(WAY.position)
        .limit(limit)
    ).all()
    return list(rows)


def shown(receiver_id: int, after: int, at: datetime) -> int:
    """A puller has asked for what comes after a position, and so has everything up to it, inside `transaction()`.

    Whatever waits or is dead up to there is delivered; returns how many. A position that was never given counts as the
    last one that was; going back changes nothing.
    """
    reached = min(after, _last(receiver_id))
    if reached <= 0:
        return 0
    delivered = arrived(
        (WAY.receiver_id == receiver_id) & WAY.position.is_not(None) & (WAY.position <= reached), "feed", at
    )
    raised = (
        insert_into(Endpoint.__table__)
        .values(
            office_id=receiver_id, channel="counter", format="result", address="", cursor=reached, failures=0,
            stopped_why="", trouble="",
        )
        .on_conflict_do_update(
            index_elements=["office_id"], set_={"cursor": reached}, where=Endpoint.__table__.c.cursor < reached
        )
    )  # fmt: skip
    db.session.execute(raised)
    return delivered


def hold(receiver_id: int) -> None:
    """One hand at a time gives numbers to a receiver's notices; writing new ones is not held up."""
    db.session.execute(select(Office.id).where(Office.id == receiver_id).with_for_update(key_share=True)).scalar_one()


def _last(receiver_id: int) -> int:
    found = db.session.execute(select(func.max(WAY.position)).where(WAY.receiver_id == receiver_id)).scalar()
    return found or 0
