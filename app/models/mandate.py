"""Asking to act for a subject: what was asked, on what papers, and what an officer made of it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Instant

STATES = {"waiting": "等待核对", "confirmed": "已登记", "refused": "没有通过", "withdrawn": "本人撤回"}


class MandateRequest(Base):
    """Somebody asks to act for the organisation of a code; it may not be in the register yet.

    `office_id` confirms or refuses; `key` was made by the page, so that sending it twice is asking once; `valid_until`
    is the last day that the papers name. `mandate_id` is what came of it.
    """

    __tablename__ = "mandate_request"
    __table_args__ = (
        CheckConstraint("capacity in ('legal_representative', 'clerk', 'administrator')", name="capacity"),
        CheckConstraint("state in ('waiting', 'confirmed', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'confirmed') = (mandate_id is not null)", name="mandate"),
        Index("ix_mandate_request_office", "office_id", "state", "id"),
        Index("ix_mandate_request_user", "user_id", "id"),
        Index(
            "ix_mandate_request_waiting",
            "user_id",
            "code",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt: Mapped[str] = mapped_column(unique=True)
    key: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    code: Mapped[str]
    capacity: Mapped[str]
    valid_until: Mapped[date | None]
    asked_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str]
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reason: Mapped[str]
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandate.id"), unique=True)


class MandatePaper(Base):
    """A file that was handed in with a request, kept under its SHA-256 after it was checked to be what it says."""

    __tablename__ = "mandate_paper"
    __table_args__ = (UniqueConstraint("request_id", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("mandate_request.id"))
    sha256: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
