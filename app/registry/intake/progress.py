"""A batch as a page shows it, and how far it has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.db import db
from app.models import Batch, Office, User
from app.registry.intake.lookups import within

STATES = {
    "previewed": "待确认写入",
    "queued": "排队中",
    "running": "正在写入",
    "done": "已完成",
    "failed": "已中断",
    "undone": "已撤销",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch has come. `dealt` rows of `rows`; `pace` rows a second since it began, 0 before."""

    state: str
    title: str
    dealt: int
    rows: int
    tallies: dict[str, int]
    pace: float
    trouble: str

    @property
    def left(self) -> timedelta | None:
        """How long the rest will take at this pace; None when there is no pace yet."""
        return timedelta(seconds=max(0, self.rows - self.dealt) / self.pace) if self.pace else None

    @property
    def percent(self) -> int:
        """Whole percents; 100 only at the end."""
        if self.state == "done":
            return 100
        return min(99, self.dealt * 100 // self.rows) if self.rows else 0


def batch_in(paths: Sequence[str], batch_id: int) -> Any:
    """A batch of an office in these branches; None when there is none, also when it is somebody else's."""
    return db.session.execute(
        select(*Batch.__table__.c, Office.name.label("office"), User.name.label("maker"))
        .join(Office, Office.id == Batch.office_id)
        .outerjoin(User, User.id == Batch.made_by)
        .where(Batch.id == batch_id, within(Office.path, paths))
    ).first()


def progress_of(batch: Any, at: datetime) -> Progress:
    """How far a batch has come at an instant."""
    dealt = sum(count for verdict, count in batch.tallies.items() if verdict != "skipped")
    seconds = ((batch.finished_at or at) - batch.started_at).total_seconds() if batch.started_at else 0.0
    pace = dealt / seconds if seconds > 0 else 0.0
    title = STATES[batch.state]
    return Progress(batch.state, title, dealt, batch.rows or 0, dict(batch.tallies), pace, batch.trouble)
