"""Documents: the text is law from the moment it is frozen; the ink comes later."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, Instant, Json
from app.models.office import Office


class Document(Base):
    """A document issued in a step: number, verification code, frozen HTML and its hash; the signed PDF when printed.

    `number` is the 文号 (gapless by office, kind and year), `code` the 查验码 (random, at least 100 bits). `facts` is
    the machine-readable twin that goes into the PDF. `trouble` says why it cannot be printed. `placed_at` is when it
    was placed in the portal. `lease_until` keeps two presses from the same sheet.
    """

    __tablename__ = "document"
    __table_args__ = (UniqueConstraint("office_id", "kind_word", "year", "serial"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), index=True)
    journal_id: Mapped[int] = mapped_column(ForeignKey("journal.id"))
    kind: Mapped[str]
    title: Mapped[str]
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    kind_word: Mapped[str]
    year: Mapped[int]
    serial: Mapped[int]
    number: Mapped[str] = mapped_column(index=True)
    code: Mapped[str] = mapped_column(unique=True)
    html: Mapped[str]
    html_hash: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    issued_at: Mapped[datetime] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    printed_at: Mapped[datetime | None] = mapped_column(Instant)
    placed_at: Mapped[datetime | None] = mapped_column(Instant)
    pdf_hash: Mapped[str | None] = mapped_column(unique=True)
    pdf_size: Mapped[int | None]
    signer: Mapped[str | None]
    trouble: Mapped[str] = mapped_column(default="")
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    office: Mapped[Office] = relationship()


class DocumentNumber(Base):
    """The last number given by an office for a kind of document in a year; raised in the transaction that uses it."""

    __tablename__ = "document_number"

    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"), primary_key=True)
    kind_word: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
