"""How often a key asks for credit files: counted by the civil day, over all processes, up to its quota."""

from __future__ import annotations

from datetime import date
from typing import Literal

from app.db import db, insert_into
from app.models import ApiKeyDay
from app.notices.api_keys import Holder


class QuotaSpent(Exception):
    """The key has asked as often as it may on this day."""


def count_use(holder: Holder, what: Literal["searches", "looks"], day: date) -> None:
    """One more search or look, inside `transaction()`. Raises QuotaSpent."""
    table = ApiKeyDay.__table__
    first = {"api_key_id": holder.api_key, "day": day, "searches": 0, "looks": 0, what: 1}
    total = db.session.execute(
        insert_into(table)
        .values(first)
        .on_conflict_do_update(index_elements=["api_key_id", "day"], set_={what: table.c[what] + 1})
        .returning(table.c.searches + table.c.looks)
    ).scalar_one()
    if total > holder.per_day:
        raise QuotaSpent
