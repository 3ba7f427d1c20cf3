"""报送批次: a file that came in, what became of its rows, and what a record said before it was corrected."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, Instant, Json
from app.models.office import Office

VERDICTS = {
    "in": "已写入",
    "warned": "已写入，有提示",
    "corrected": "已更正原记录",
    "duplicate": "重复",
    "waiting": "待处理",
    "ignored": "已忽略",
    "sent_back": "已退回报送单位",
}


class Batch(Base):
    """A file of records of one directory edition, sent by an office.

    `file` is the SHA-256 name under which the instance keeps it; `heading` says which column means which field.
    `position` counts the rows already dealt with: it moves in the transaction that writes them, so that a run that was
    killed goes on where it stopped. `tallies` counts rows by verdict, `preview` is what was found before anything was
    written. `lease_by` runs the batch until `lease_until`, renewed with every chunk.
    """

    __tablename__ = "batch"
    __table_args__ = (
        CheckConstraint("state in ('previewed', 'queued', 'running', 'done', 'failed', 'undone')", name="state"),
        Index("ix_batch_office", "office_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    directory: Mapped[str]
    name: Mapped[str]
    file: Mapped[str]
    size: Mapped[int]
    encoding: Mapped[str] = mapped_column(default="")
    heading: Mapped[dict[str, Any]] = mapped_column(Json)
    rows: Mapped[int | None]
    position: Mapped[int] = mapped_column(default=0)
    tallies: Mapped[dict[str, Any]] = mapped_column(Json)
    preview: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str]
    trouble: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    lease_by: Mapped[str] = mapped_column(default="")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime] = mapped_column(Instant)
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    office: Mapped[Office] = relationship()


class BatchRow(Base):
    """A row that is more than plainly taken in: with a warning, waiting, a duplicate, a correction.

    `row` counts from 1 below the heading. `reasons` are (field, sentence) pairs; `record_id` the record it made,
    corrected or repeats. Numbers of persons are masked in `received` and sealed in `sealed`, so that a row that waits
    can be mended in the browser: `mended` are the cells that were typed there, also masked. `finding` names a doubt
    about whom the row means, for the list of such doubts.
    """

    __tablename__ = "batch_row"
    __table_args__ = (
        CheckConstraint(
            "verdict in ('warned', 'corrected', 'duplicate', 'waiting', 'ignored', 'sent_back', 'in')", name="verdict"
        ),
        Index("ix_batch_row_verdict", "batch_id", "verdict", "row"),
        Index(
            "ix_batch_row_finding", "finding", "batch_id", "row",
            sqlite_where=text("finding <> ''"), postgresql_where=text("finding <> ''"),
        ),
    )  # fmt: skip

    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    verdict: Mapped[str]
    received: Mapped[dict[str, Any]] = mapped_column(Json)
    reasons: Mapped[list[Any]] = mapped_column(Json)
    finding: Mapped[str] = mapped_column(default="")
    sealed: Mapped[str] = mapped_column(default="")
    mended: Mapped[dict[str, Any] | None] = mapped_column(Json)
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"), index=True)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    note: Mapped[str] = mapped_column(default="")


class RecordVersion(Base):
    """What a record said from `recorded_at` until it was corrected at `replaced_at`, and why; never changed."""

    __tablename__ = "record_version"
    __table_args__ = (UniqueConstraint("record_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"))
    version: Mapped[int]
    title: Mapped[str]
    number: Mapped[str]
    number_key: Mapped[str]
    recognised_on: Mapped[date]
    cls: Mapped[str]
    class_basis: Mapped[str]
    minimum_last_day: Mapped[date | None]
    maximum_last_day: Mapped[date | None]
    fields: Mapped[dict[str, Any]] = mapped_column(Json)
    received: Mapped[dict[str, Any]] = mapped_column(Json)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    replaced_at: Mapped[datetime] = mapped_column(Instant)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batch.id"), index=True)
    cause: Mapped[str]
