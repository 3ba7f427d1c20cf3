"""What programs ask of a credit file is written down about its subject: who asked, with which key, for what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.db import db
from app.journal import Doer, write_line
from app.models import Subject

QUERY = "query"
"""The act; an officer who looks behind the masks does another."""


def write_query(subject_id: int, doer: Doer, at: datetime, asked: Mapping[str, Any]) -> None:
    """A line in the subject's journal, inside `transaction()`; `asked` says what was asked for and why."""
    db.session.execute(select(Subject.id).where(Subject.id == subject_id).with_for_update(key_share=True))
    write_line("subject", subject_id, QUERY, doer, at, law_text="D", answers=asked)
