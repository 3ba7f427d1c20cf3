"""Papers of the register that belong to no case: extracts of a credit file, the notice that comes with a penalty."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Instant, Json


class RegisterPaper(Base):
    """A sealed paper about a subject: frozen HTML with its hash, the signed PDF once it is printed.

    An `extract` (信用档案摘要) says what a credit file held: `reader` in whose sight (public, subject, officer),
    `about_day` on which civil day and `known_at` as known when; `asked_by` and `reason` who wanted it and what for. A
    `repair_notice` (信用修复告知书) is about `record_id` and goes with its penalty; `replaced_at` says since when a
    later one stands in its place. `number` is the 文号 and `code` the 查验码, as of every document; `facts` is the
    machine-readable twin, `content_hash` the hash of what is said without number, code and time.
    """

    __tablename__ = "register_paper"
    __table_args__ = (
        UniqueConstraint("office_id", "kind_word", "year", "serial"),
        CheckConstraint("kind in ('extract', 'repair_notice')", name="kind"),
        CheckConstraint("reader in ('public', 'subject', 'officer')", name="reader"),
        Index("ix_register_paper_subject", "subject_id", "kind", "id"),
        Index(
            "ix_register_paper_record", "record_id", unique=True,
            sqlite_where=text("replaced_at IS NULL"), postgresql_where=text("replaced_at IS NULL"),
        ),
        Index(
            "ix_register_paper_unprinted", "id",
            sqlite_where=text("printed_at IS NULL"), postgresql_where=text("printed_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    title: Mapped[str]
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"))
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"))
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    kind_word: Mapped[str]
    year: Mapped[int]
    serial: Mapped[int]
    number: Mapped[str] = mapped_column(index=True)
    code: Mapped[str] = mapped_column(unique=True)
    reader: Mapped[str]
    about_day: Mapped[date]
    known_at: Mapped[datetime] = mapped_column(Instant)
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reason: Mapped[str] = mapped_column(default="")
    html: Mapped[str]
    html_hash: Mapped[str]
    content_hash: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    issued_at: Mapped[datetime] = mapped_column(Instant)
    replaced_at: Mapped[datetime | None] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    printed_at: Mapped[datetime | None] = mapped_column(Instant)
    pdf_hash: Mapped[str | None] = mapped_column(unique=True)
    pdf_size: Mapped[int | None]
    signer: Mapped[str | None]
    trouble: Mapped[str] = mapped_column(default="")
