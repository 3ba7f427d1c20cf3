"""Signs of life of the watch."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Instant


class Heartbeat(Base):
    """When a turn of the watch last came round, and what it could not do."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    trouble: Mapped[str] = mapped_column(default="")
