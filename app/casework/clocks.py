"""Storing what a step did to the time-limits: the difference between two folds of the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache

from sqlalchemy import Executable

from app.db import db, insert_into
from app.models import DeadlineRow
from workflows.clockwork import Deadline, Event, turn

ONE = ("about", "about_id", "clock", "item")
KEPT = tuple(field.name for field in fields(Deadline))


def store(about: str, about_id: int, before: Iterable[Deadline], events: Iterable[Event]) -> tuple[Deadline, ...]:
    """Fold `events` into the deadlines of an object and write the rows that changed, in one statement."""
    before = tuple(before)
    after = turn(before, events)
    changed = [deadline for deadline in after if deadline not in before]
    if changed:
        whose = {"about": about, "about_id": about_id}
        rows = [{**whose, **{name: getattr(deadline, name) for name in KEPT}} for deadline in changed]
        db.session.execute(_upsert(db.engine.dialect.name), rows)
    return after


@lru_cache(maxsize=2)
def _upsert(dialect: str) -> Executable:
    insert = insert_into(DeadlineRow.__table__, dialect)
    fresh = {name: insert.excluded[name] for name in KEPT if name not in ONE}
    return insert.on_conflict_do_update(index_elements=list(ONE), set_=fresh)
