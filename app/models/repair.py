"""What only a repair case has: the applicant's words, the letter, and the tasks of 信息处理."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Instant


class Repair(Base):
    """The particulars of a repair case; a draft of them is saved as it is typed."""

    __tablename__ = "repair"

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), primary_key=True)
    statement: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    saved_at: Mapped[datetime | None] = mapped_column(Instant)


class RepairLetter(Base):
    """信用修复承诺书: the frozen text, its hash, the 20-character commitment code, who signed it and how.

    `signer` is the account through which it came in: the signer's own, or that of the carrier who brought a letter
    signed elsewhere; `signer_name` is whoever signed.
    """

    __tablename__ = "repair_letter"

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    edition: Mapped[str]
    text: Mapped[str]
    text_hash: Mapped[str]
    consent_publication: Mapped[bool]
    signer: Mapped[int] = mapped_column(ForeignKey("user.id"))
    signer_name: Mapped[str]
    capacity: Mapped[str]
    signed_at: Mapped[datetime] = mapped_column(Instant)


class CommitmentSerial(Base):
    """The last serial of commitment codes given for a region on a day."""

    __tablename__ = "commitment_serial"

    region: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


class RepairTask(Base):
    """A thing to do after 准予修复: done by our own systems in the confirming transaction, or left to a person."""

    __tablename__ = "repair_task"
    __table_args__ = (UniqueConstraint("case_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    code: Mapped[str]
    title: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    done_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
