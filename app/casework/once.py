"""The same key and body again: the same answer. The first statement of a step, so that a twin waits for the first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.casework.refused import KeyReused
from app.db import db
from app.models import Once


def body_of(*parts: Any) -> str:
    """A digest of what was asked."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def claim(person: str, key: str, body: str, at: datetime) -> tuple[int | None, int | None] | None:
    """Claim a key. None: it is new. Else the (case id, journal id) answered before. Raises KeyReused for another body."""
    values: Mapping[str, Any] = {"person": person, "key": key, "body": body, "at": at}
    kind = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    claimed = db.session.execute(
        kind.insert(Once.__table__).values(values).on_conflict_do_nothing().returning(Once.key)
    ).first()
    if claimed is not None:
        return None
    row = db.session.execute(
        select(Once.body, Once.case_id, Once.journal_id).where(Once.person == person, Once.key == key)
    ).one()
    if row.body != body:
        raise KeyReused
    return row.case_id, row.journal_id


def remember(person: str, key: str, case_id: int, journal_id: int) -> None:
    """Keep the answer beside the key."""
    db.session.execute(
        update(Once).where(Once.person == person, Once.key == key).values(case_id=case_id, journal_id=journal_id)
    )
