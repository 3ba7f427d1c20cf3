"""Whom a record is about, under which codes over time, and who may act for them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, Instant

KINDS = ("enterprise", "sole_trader", "institution", "person")
CAPACITIES = {"legal_representative": "法定代表人", "clerk": "经办人", "administrator": "破产管理人"}
HEADS = {"sole_trader": "经营者", "person": "本人"}
"""What the one who stands for the subject is called where that is no 法定代表人."""

TRADES = (
    "道路旅客运输", "道路货物运输", "道路危险货物运输", "大件运输", "个体货运", "出租汽车", "网络预约出租汽车",
    "机动车维修", "个体维修", "机动车驾驶员培训", "水路运输", "港口经营", "公路施工", "水运施工", "公路养护",
    "公路监理", "公路设计", "公路水运试验检测",
)  # fmt: skip
"""Lines of business in transport, as subscriptions name them."""


def capacity_title(capacity: str, kind: str) -> str:
    """In which capacity somebody acts for a subject of this kind, in words; "" for none."""
    return HEADS[kind] if capacity == "legal_representative" and kind in HEADS else CAPACITIES.get(capacity, "")


class Subject(Base):
    """A credit subject. Its identifiers may change; the subject stays. `trade` says what it does in transport."""

    __tablename__ = "subject"
    __table_args__ = (CheckConstraint("kind in ('enterprise', 'sole_trader', 'institution', 'person')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(index=True)
    legal_representative: Mapped[str] = mapped_column(default="")
    region: Mapped[str] = mapped_column(default="")
    trade: Mapped[str] = mapped_column(default="")
    identifiers: Mapped[list[Identifier]] = relationship(back_populates="subject", order_by="Identifier.valid_from")

    @property
    def code(self) -> str:
        """The present 统一社会信用代码, empty for a natural person."""
        codes = [i.value for i in self.identifiers if i.kind == "uscc" and i.valid_until is None]
        return codes[-1] if codes and codes[-1] else ""

    @property
    def is_person(self) -> bool:
        """True for a natural person, whose name is masked in public and whose ID number is never shown."""
        return self.kind == "person"


class SubjectName(Base):
    """A name that anybody may look for: its key and its initials (`app/spelling.py`), kept in step by the database.

    Whoever has no row here is found by no name. A natural person never has one.
    """

    __tablename__ = "subject_name"

    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str]
    initials: Mapped[str]


class Identifier(Base):
    """A code of a subject from a day until a day. ID numbers of persons are sealed and found by a blind index only."""

    __tablename__ = "identifier"
    __table_args__ = (
        UniqueConstraint("kind", "value"),
        UniqueConstraint("kind", "blind"),
        CheckConstraint("(value is null) <> (sealed is null)", name="one_form"),
        CheckConstraint("kind <> 'id_card' or value is null", name="person_sealed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"), index=True)
    kind: Mapped[str]
    value: Mapped[str | None]
    sealed: Mapped[str | None]
    blind: Mapped[str | None]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    subject: Mapped[Subject] = relationship(back_populates="identifiers")


class Mandate(Base):
    """A user may act for a subject, in a capacity, from a day until a day, on the evidence named."""

    __tablename__ = "mandate"
    __table_args__ = (
        CheckConstraint("capacity in ('legal_representative', 'clerk', 'administrator')", name="capacity"),
        Index("ix_mandate_user", "user_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"))
    capacity: Mapped[str]
    evidence: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    subject: Mapped[Subject] = relationship()


class Ban(Base):
    """No repair application from a subject until a day, because of what was found in a case."""

    __tablename__ = "ban"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subject.id"), index=True)
    since: Mapped[date]
    until: Mapped[date]
    cause: Mapped[str]
    rule: Mapped[str]
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
