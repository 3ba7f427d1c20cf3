"""The tray: what lies at a department's own counter is delivered when it lies there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, select

from app.db import db
from app.models import Endpoint, Office
from app.notices.ways import WAITS, WAY, carried, free, unhindered


def waited_for(at: datetime) -> list[int]:
    """Departments that come to the counter, or have agreed on nothing yet, for whom something waits."""
    endpoint = Endpoint.__table__.c
    elsewhere = exists().where(endpoint.office_id == Office.id, endpoint.channel != "counter")
    something = exists().where(WAY.receiver_id == Office.id, WAITS, free(at), unhindered(at))
    return list(db.session.execute(select(Office.id).where(~elsewhere, something).order_by(Office.id)).scalars())


def lay_out(receivers: Sequence[int], at: datetime) -> int:
    """Lay everything out that waits for these departments, inside `transaction()`; returns how many notices."""
    return carried(WAY.receiver_id.in_(receivers) & WAITS & free(at) & unhindered(at), "counter", at)
