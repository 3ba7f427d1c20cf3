"""Storing what a step did to the time-limits: the difference between two folds of the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy.dialects import postgresql, sqlite

from app.db import db
from app.models import DeadlineRow
from workflows.clockwork import Deadline, Event, turn


def store(about: str, about_id: int, before: Iterable[Deadline], events: Iterable[Event]) -> tuple[Deadline, ...]:
    """Fold `events` into the deadlines of an object and write the rows that changed, in one statement."""
    before = tuple(before)
    after = turn(before, events)
    changed = [deadline for deadline in after if deadline not in before]
    if changed:
        kind = postgresql if db.engine.dialect.name == "postgresql" else sqlite
        rows = [{"about": about, "about_id": about_id, **asdict(deadline)} for deadline in changed]
        insert = kind.insert(DeadlineRow.__table__).values(rows)
        keys = ("about", "about_id", "clock", "item")
        fresh = {name: insert.excluded[name] for name in rows[0] if name not in keys}
        db.session.execute(insert.on_conflict_do_update(index_elements=list(keys), set_=fresh))
    return after
