"""The journal: append-only, about any object, each line chained to the one before it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Instant, Json


class JournalLine(Base):
    """Who did what, when, in which role and office, on behalf of whom, from where, under which edition of the law.

    `digest` is taken over the answers with a random `salt`; the chain (`previous`, `hash`) covers the digest, not the
    answers. Erasing a person lawfully empties `answers` and `salt` and leaves the chain whole. `clocks` are the frozen
    events of the time-limits.
    """

    __tablename__ = "journal"
    __table_args__ = (UniqueConstraint("about", "about_id", "seq"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    about: Mapped[str]
    about_id: Mapped[int]
    seq: Mapped[int]
    at: Mapped[datetime] = mapped_column(Instant)
    act: Mapped[str]
    source: Mapped[str]
    target: Mapped[str]
    item: Mapped[str] = mapped_column(default="")
    person: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    person_name: Mapped[str]
    role: Mapped[str]
    office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"))
    on_behalf_of: Mapped[int | None] = mapped_column(ForeignKey("subject.id"))
    address: Mapped[str]
    law: Mapped[str]
    edition: Mapped[str]
    calendar: Mapped[str]
    answers: Mapped[dict[str, Any] | None] = mapped_column(Json)
    salt: Mapped[str | None]
    digest: Mapped[str]
    clocks: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    previous: Mapped[str]
    hash: Mapped[str]
