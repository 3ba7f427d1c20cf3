"""Offices and the people in them; linked departments are offices of the kind `linked`."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, Instant

OFFICE_ROLES = ("acceptance", "review", "confirmation", "processing", "head", "linked", "legal", "administrator")


class Office(Base):
    """An organ, a division of one, a unit below it, or a linked department.

    `path` is the chain of ids from the root (`/1/4/`), so that an office and all below it are one prefix. `word` is the
    organ's 代字 in document numbers, `review_body` who reviews its acts (复议机关), `review_address` where one
    applies to that body online, `receives` which notices a linked department is told, and
    `listens_since` the civil day from which, None when it was not written down.
    """

    __tablename__ = "office"
    __table_args__ = (CheckConstraint("kind in ('organ', 'division', 'unit', 'linked')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    short: Mapped[str]
    kind: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"), index=True)
    path: Mapped[str] = mapped_column(index=True)
    region: Mapped[str] = mapped_column(default="")
    word: Mapped[str] = mapped_column(default="")
    review_body: Mapped[str] = mapped_column(default="")
    review_address: Mapped[str] = mapped_column(default="")
    receives: Mapped[str] = mapped_column(default="")
    listens_since: Mapped[date | None]
    phone: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    parent: Mapped[Office | None] = relationship(remote_side=[id])
    jurisdictions: Mapped[list[Jurisdiction]] = relationship()


class Jurisdiction(Base):
    """A place an office is answerable for: a region of GB/T 2260 or a zone that has no code there."""

    __tablename__ = "jurisdiction"
    __table_args__ = (UniqueConstraint("office_id", "region", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    region: Mapped[str]
    name: Mapped[str]


class OfficeCertificate(Base):
    """The certificate an office signs with, from a day until a day; the key is a file of the instance, never a row."""

    __tablename__ = "office_certificate"

    id: Mapped[int] = mapped_column(primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"), index=True)
    fingerprint: Mapped[str] = mapped_column(unique=True)
    pem: Mapped[str]
    key_name: Mapped[str]
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_until: Mapped[datetime] = mapped_column(Instant)


class User(Base):
    """Somebody who signs in. What they may do comes from mandates and memberships, never from the user."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    session_version: Mapped[int] = mapped_column(default=1)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(Instant)
    memberships: Mapped[list[Membership]] = relationship(back_populates="user")


class Membership(Base):
    """A user's role in an office from a day until a day."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("user_id", "office_id", "role", "valid_from"),
        CheckConstraint(f"role in {OFFICE_ROLES!r}", name="role"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"), index=True)
    role: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    user: Mapped[User] = relationship(back_populates="memberships")
    office: Mapped[Office] = relationship()


class CalendarOverride(Base):
    """A day the office itself has declared a working or a rest day, with the number of the notice; never edited."""

    __tablename__ = "calendar_override"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(unique=True)
    working: Mapped[bool]
    notice: Mapped[str]
    announces: Mapped[int | None]
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class Attestation(Base):
    """The legal office vouches for one law row as it stands: its digest, who, when, on what."""

    __tablename__ = "attestation"
    __table_args__ = (UniqueConstraint("rule", "row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str]
    row: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    note: Mapped[str]
