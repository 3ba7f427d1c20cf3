"""Credit records: an envelope, the standard's own fields, the row as received, and publication as dated facts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, Instant, Json
from app.models.office import Office
from app.models.subject import Subject

DEEDS = ("publish", "end", "repair", "withdraw", "mark", "unmark")


class CreditRecord(Base):
    """A record about a subject, recognised by an office on a day.

    `number` is the 文号 as written and `number_key` its normal form; the key of a record is number, subject, office and
    day, for numbers are not unique. `duty` is what our own systems know of the penalty's duties. `annulled_on` is the
    day the penalty was revoked, changed or held unlawful. `sender_id` is the record's id at the office that sent it and
    `batch_id` the batch it came in; a correction raises `version`, and `record_version` keeps what it said before.
    `undone_at` says since when the record does not count, because its batch was taken back: it was withdrawn and its
    key is free again.
    """

    __tablename__ = "record"
    __table_args__ = (
        UniqueConstraint("number_key", "subject_id", "office_id", "recognised_on"),
        Index(
            "ix_record_sender", "office_id", "sender_id", unique=True,
            sqlite_where=text("sender_id <> ''"), postgresql_where=text("sender_id <> ''"),
        ),
        Index("ix_record_kind_day", "kind", "recognised_on", "id", "maximum_last_day"),
        Index("ix_record_office_kind_day", "office_id", "kind", "recognised_on", "id"),
        CheckConstraint("duty in ('performed', 'outstanding', 'unknown')", name="duty"),
        CheckConstraint("cls in ('', '轻微', '一般', '严重')", name="cls"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    directory: Mapped[str]
    catalogue: Mapped[str]
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"), index=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    title: Mapped[str]
    number: Mapped[str]
    number_key: Mapped[str]
    recognised_on: Mapped[date]
    cls: Mapped[str] = mapped_column(default="")
    class_basis: Mapped[str] = mapped_column(default="")
    minimum_last_day: Mapped[date | None]
    maximum_last_day: Mapped[date | None]
    excluded_by: Mapped[str] = mapped_column(default="")
    sector_condition: Mapped[str] = mapped_column(default="")
    duty: Mapped[str] = mapped_column(default="unknown")
    duty_note: Mapped[str] = mapped_column(default="")
    annulled_on: Mapped[date | None]
    annulled_by: Mapped[str] = mapped_column(default="")
    fields: Mapped[dict[str, Any]] = mapped_column(Json)
    received: Mapped[dict[str, Any]] = mapped_column(Json)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    sender_id: Mapped[str] = mapped_column(default="")
    batch_id: Mapped[int | None] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime | None] = mapped_column(Instant)
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
    subject: Mapped[Subject] = relationship()
    office: Mapped[Office] = relationship()


class PublicationFact(Base):
    """What became of a record's publication: the day it takes effect and the moment it was recorded; never deleted."""

    __tablename__ = "publication_fact"
    __table_args__ = (
        CheckConstraint("deed in ('publish', 'end', 'repair', 'withdraw', 'mark', 'unmark')", name="deed"),
        Index("ix_publication_fact_record", "record_id", "effective_on", "recorded_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"))
    deed: Mapped[str]
    effective_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    cause: Mapped[str]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))


class Measure(Base):
    """A measure an organ took because of a record; `ours` are those this house can lift itself."""

    __tablename__ = "measure"

    id: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), index=True)
    kind: Mapped[str]
    organ: Mapped[str]
    basis: Mapped[str]
    ours: Mapped[bool]
    since: Mapped[date]
    lifted_on: Mapped[date | None]
    lifted_by_case: Mapped[int | None] = mapped_column(ForeignKey("case.id"))


class RecordShare(Base):
    """Who was told what about a record, and when: whoever was told once must be told again."""

    __tablename__ = "record_share"
    __table_args__ = (Index("ix_record_share_record", "record_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"))
    receiver_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    what: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)
