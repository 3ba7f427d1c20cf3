"""The same key and body again: the same answer. The first statement of a step, so that a twin waits for the first."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, bindparam, select, update

from app.casework.refused import KeyReused
from app.db import db, insert_into
from app.models import Once

ONCE = Once.__table__
MINE = (ONCE.c.person == bindparam("of_person"), ONCE.c.key == bindparam("of_key"))
EARLIER = select(ONCE.c.body, ONCE.c.case_id, ONCE.c.journal_id).where(*MINE)
ANSWERED = update(ONCE).where(*MINE)
MADE = select(ONCE.c.made_id).where(*MINE)


def body_of(*parts: Any) -> str:
    """A digest of what was asked."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def claim(person: str, key: str, body: str, at: datetime) -> tuple[int | None, int | None] | None:
    """Claim a key. None: it is new. Else the (case id, journal id) answered before. Raises KeyReused."""
    values = {"person": person, "key": key, "body": body, "at": at}
    claimed = db.session.execute(_claim(db.engine.dialect.name), values).first()
    if claimed is not None:
        return None
    row = db.session.execute(EARLIER, {"of_person": person, "of_key": key}).one()
    if row.body != body:
        raise KeyReused
    return row.case_id, row.journal_id


def remember(person: str, key: str, case_id: int, journal_id: int) -> None:
    """Keep the answer beside the key."""
    db.session.execute(ANSWERED, {"of_person": person, "of_key": key, "case_id": case_id, "journal_id": journal_id})


def remember_made(person: str, key: str, made_id: int) -> None:
    """Keep the id of the row that was made beside the key."""
    db.session.execute(ANSWERED, {"of_person": person, "of_key": key, "made_id": made_id})


def made_by(person: str, key: str) -> int:
    """The id of the row that was made under a key claimed before."""
    return int(db.session.execute(MADE, {"of_person": person, "of_key": key}).scalar_one())


@lru_cache(maxsize=2)
def _claim(dialect: str) -> Executable:
    return insert_into(ONCE, dialect).on_conflict_do_nothing().returning(ONCE.c.key)
