"""The envelope all case types share, the filing it came in with, and its links."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, Instant, Json
from app.models.office import Office
from app.models.record import CreditRecord
from app.models.subject import Subject

CHANNELS = {"creditchina": "信用中国", "hall": "办事窗口", "own_portal": "信用交通·湖南（预填）"}


class Filing(Base):
    """One act of a filer or a carrier, with one or many cases. `key` is the browser's own or the carrier's, so that a
    repeat is the same filing. `brought` is what a carrier was answered, record by record, in the order they named them.
    """

    __tablename__ = "filing"
    __table_args__ = (CheckConstraint("channel in ('creditchina', 'hall', 'own_portal')", name="channel"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    other_number: Mapped[str] = mapped_column(default="")
    brought: Mapped[dict[str, Any] | None] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(Instant)


class Case(Base):
    """A case: its number, type and edition, where it stands and since when. Only `casework` writes here.

    `t0` received by 信用中国 or a window, `t1` received by us, `t2` accepted, `t3` decided. `version` rises with
    each step. `filed_at` is when it left the filer's own desk; officers see nothing before that.
    """

    __tablename__ = "case"
    __table_args__ = (
        Index("ix_case_inbox", "office_id", "state", "id"),
        Index("ix_case_subject", "subject_id", "id"),
        CheckConstraint("channel in ('creditchina', 'hall', 'own_portal')", name="channel"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    edition: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    final: Mapped[bool] = mapped_column(default=False)
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"))
    filing_id: Mapped[int] = mapped_column(ForeignKey("filing.id"), index=True)
    channel: Mapped[str]
    other_number: Mapped[str] = mapped_column(default="")
    opened_at: Mapped[datetime] = mapped_column(Instant)
    filed_at: Mapped[datetime | None] = mapped_column(Instant)
    state_since: Mapped[datetime] = mapped_column(Instant)
    t0: Mapped[datetime | None] = mapped_column(Instant)
    t1: Mapped[datetime | None] = mapped_column(Instant)
    t2: Mapped[datetime | None] = mapped_column(Instant)
    t3: Mapped[datetime | None] = mapped_column(Instant)
    office: Mapped[Office] = relationship()
    subject: Mapped[Subject] = relationship()
    filing: Mapped[Filing] = relationship()


class CaseRecord(Base):
    """Which record a case is about. `open_record` repeats the record while the case is open: one open case a record."""

    __tablename__ = "case_record"
    __table_args__ = (UniqueConstraint("case_id", "record_id"), UniqueConstraint("open_record"))

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), index=True)
    open_record: Mapped[int | None]
    record: Mapped[CreditRecord] = relationship()


class CaseLink(Base):
    """One case follows from another: a re-application, a re-check, a revocation."""

    __tablename__ = "case_link"
    __table_args__ = (UniqueConstraint("from_case", "to_case", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    from_case: Mapped[int] = mapped_column(ForeignKey("case.id"), index=True)
    to_case: Mapped[int] = mapped_column(ForeignKey("case.id"), index=True)
    kind: Mapped[str]


class PartTaken(Base):
    """Who played a part that is kept from another: one row per case, pair and effective person."""

    __tablename__ = "part_taken"

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), primary_key=True)
    pair: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    part: Mapped[str]


class Once(Base):
    """A key of a form and the answer it got: the same key and body again get the same answer, for the case's life.

    `made_id` is the row that was made when what was asked for is no line of a journal.
    """

    __tablename__ = "once"

    person: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    journal_id: Mapped[int | None]
    made_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(Instant)
