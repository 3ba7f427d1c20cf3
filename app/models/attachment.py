"""Evidence: files named by their own hash, and where they are used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, Instant


class Attachment(Base):
    """A file of a subject, kept under its SHA-256 after it was checked to be what it says."""

    __tablename__ = "attachment"
    __table_args__ = (UniqueConstraint("subject_id", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"), index=True)
    sha256: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime] = mapped_column(Instant)


class AttachmentUse(Base):
    """A file serves a purpose in a case; one file may serve several cases."""

    __tablename__ = "attachment_use"
    __table_args__ = (UniqueConstraint("case_id", "attachment_id", "purpose"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), index=True)
    attachment_id: Mapped[int] = mapped_column(ForeignKey("attachment.id"))
    purpose: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)
    attachment: Mapped[Attachment] = relationship()
