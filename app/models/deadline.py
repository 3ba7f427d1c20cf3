"""Time-limits of cases and records, each a fold of the journal stored for reading."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class DeadlineRow(Base):
    """A clock of a case or a record; overdue is a comparison when read, never a column."""

    __tablename__ = "deadline"
    __table_args__ = (
        UniqueConstraint("about", "about_id", "clock", "item"),
        CheckConstraint("state in ('running', 'paused', 'met', 'ended')", name="state"),
        Index("ix_deadline_due", "state", "due_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    about: Mapped[str]
    about_id: Mapped[int]
    clock: Mapped[str]
    item: Mapped[str] = mapped_column(default="")
    state: Mapped[str]
    day_zero: Mapped[date]
    due_on: Mapped[date | None]
    rule: Mapped[str]
    row: Mapped[str]
    base: Mapped[date | None]
    value: Mapped[int]
    unit: Mapped[str]
    shift: Mapped[bool]
    provisional: Mapped[bool]
    paused_on: Mapped[date | None]
    left: Mapped[int]
    met_on: Mapped[date | None]
