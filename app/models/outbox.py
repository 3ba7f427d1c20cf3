"""What others must be told: frozen words in order, per receiver and subject."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, Instant, Json
from app.models.office import Office


class Notice(Base):
    """One receiver is told one thing. `key` makes a second copy harmless; `seq` is gapless per receiver and subject.

    `payload` is what it says, `body` the very text that goes over the wire and `payload_hash` the SHA-256 of that.
    """

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("receiver_id", "subject_id", "seq"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    receiver_id: Mapped[int] = mapped_column(ForeignKey("office.id"), index=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"))
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"), index=True)
    journal_id: Mapped[int] = mapped_column(ForeignKey("journal.id"))
    seq: Mapped[int]
    act: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    body: Mapped[str]
    payload_hash: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(Instant)
    receiver: Mapped[Office] = relationship()


class NoticeSequence(Base):
    """The last sequence number given to a receiver about a subject."""

    __tablename__ = "notice_sequence"

    receiver_id: Mapped[int] = mapped_column(ForeignKey("office.id"), primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"), primary_key=True)
    last: Mapped[int]
