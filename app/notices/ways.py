"""The ways of notices as rows: which may go next, and how one is marked as delivered. Used by every channel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from app.db import db
from app.models import Attempt, Delivery, Issue

GONE = "对方答复不再接收（410）"
"""Why nothing more is sent to a receiver that has said so itself."""

WAY = Delivery.__table__.c
EARLIER = Delivery.__table__.alias("earlier")
# Written out, so that the partial indexes are known to hold every row that is asked for.
WAITS = WAY.state == literal_column("'waiting'")
DEAD = WAY.state == literal_column("'dead'")
UNFINISHED = WAY.state.in_((literal_column("'waiting'"), literal_column("'dead'")))

_EARLIER_OPEN = and_(
    EARLIER.c.receiver_id == WAY.receiver_id,
    EARLIER.c.subject_id == WAY.subject_id,
    EARLIER.c.seq < WAY.seq,
    EARLIER.c.state.in_((literal_column("'waiting'"), literal_column("'dead'"))),
)


def _none(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    """No earlier one is such. The offset keeps PostgreSQL from joining what it should look up row by row: without fresh
    statistics it reads the whole queue again for each of its rows."""
    return ~select(EARLIER.c.notice_id).where(_EARLIER_OPEN, *which).offset(literal_column("0")).exists()


HEAD = _none()
"""Nothing earlier about the same subject is still on its way to this receiver."""


def among(notice_ids: Iterable[int]) -> ColumnElement[bool]:
    """The ways of these notices, as one value however many they are."""
    ids = list(notice_ids)
    if db.engine.dialect.name == "postgresql":
        return WAY.notice_id == func.any(bindparam(None, ids, ARRAY(Integer)))
    return WAY.notice_id.in_(select(func.json_each(json.dumps(ids)).table_valued("value").c.value))


def free(at: datetime) -> ColumnElement[bool]:
    """No post holds it at this instant."""
    return or_(WAY.lease_until.is_(None), WAY.lease_until < at)


def unhindered(at: datetime) -> ColumnElement[bool]:
    """Nothing earlier about the same subject is dead or in somebody's hands: whoever takes everything that waits, in
    order, may take this too."""
    held = EARLIER.c.lease_until >= at
    return _none(or_(EARLIER.c.state == literal_column("'dead'"), held))


def arrived(which: ColumnElement[bool], channel: str, at: datetime) -> int:
    """Mark what waits or is dead among `which` as delivered without a try of ours; returns how many. What was dead is
    settled."""
    done = _delivered(which, WAITS, channel, at)
    dead = _delivered(which, DEAD, channel, at)
    settle(dead, "已经送达", None, at)
    return len(done) + len(dead)


def carried(which: ColumnElement[bool], channel: str, at: datetime) -> int:
    """Mark what waits among `which` as delivered by one try each, and write the tries; returns how many."""
    done = _delivered(which, WAITS, channel, at, tried=True)
    write_attempts({"notice_id": id, "at": at, "took_ms": 0, "channel": channel, "status": None} for id in done)
    return len(done)


def let_go(receiver_id: int, at: datetime, *which: ColumnElement[bool]) -> None:
    """What waits for a receiver until its own hour need wait no longer; `which` narrows it down."""
    db.session.execute(
        update(Delivery.__table__)
        .where(WAY.receiver_id == receiver_id, WAITS, free(at), WAY.next_at > at, *which)
        .values(next_at=at)
    )


def write_attempts(rows: Iterable[dict[str, Any]]) -> None:
    """Keep how tries went, all in one statement; `detail` may be left out.

    PostgreSQL takes a column of them as one value: row by row it would be asked as often as there are tries.
    """
    written = [{"detail": "", **row} for row in rows]
    if not written:
        return
    table = Attempt.__table__
    if db.engine.dialect.name != "postgresql":
        db.session.execute(insert(table), written)
        return
    names = list(written[0])
    columns = [bindparam(None, [row[name] for row in written], ARRAY(table.c[name].type)) for name in names]
    together = func.unnest(*columns).table_valued(*names).render_derived()
    db.session.execute(insert(table).from_select(names, select(*(together.c[name] for name in names))))


def settle(notice_ids: Sequence[int], outcome: str, person: int | None, at: datetime) -> None:
    """Close what is open about dead letters, with what was done."""
    if notice_ids:
        db.session.execute(
            update(Issue)
            .where(Issue.notice_id.in_(notice_ids), Issue.kind == "dead", Issue.closed_at.is_(None))
            .values(closed_at=at, closed_by=person, outcome=outcome)
            .execution_options(synchronize_session=False)
        )


def _delivered(
    which: ColumnElement[bool], state: ColumnElement[bool], channel: str, at: datetime, tried: bool = False
) -> list[int]:
    values: dict[str, Any] = {
        "state": "delivered", "channel": channel, "delivered_at": at, "lease_until": None, "trouble": "",
    }  # fmt: skip
    if tried:
        values |= {"attempts": WAY.attempts + 1, "first_at": func.coalesce(WAY.first_at, at)}
    marked: ReturningUpdate[int] = update(Delivery.__table__).where(which, state).values(**values).returning(
        WAY.notice_id
    )  # fmt: skip
    return list(db.session.execute(marked).scalars())
