"""What only a repair case has beside the envelope: the applicant's words and the letter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from app.casework.actor import Person
from app.casework.beside import for_the_filer
from app.db import db
from app.models import Repair, RepairLetter


def begin(case_id: int, actor: Person) -> None:
    """The row a new case starts with: whoever opens it is asked for first."""
    row = {"case_id": case_id, "statement": "", "contact": actor.name, "phone": ""}
    db.session.execute(insert(Repair.__table__), row)


def read(case_id: int) -> Any:
    """What the applicant wrote, and the letter they signed (its columns empty before)."""
    return db.session.execute(
        select(
            Repair.statement, Repair.contact, Repair.phone, RepairLetter.code, RepairLetter.text,
            RepairLetter.text_hash, RepairLetter.signer_name, RepairLetter.capacity, RepairLetter.signed_at,
        )
        .outerjoin(RepairLetter, RepairLetter.case_id == Repair.case_id)
        .where(Repair.case_id == case_id)
    ).first()  # fmt: skip


def save(number: str, *, actor: Person, statement: str, contact: str, phone: str, at: datetime) -> None:
    """Keep what the filer has typed in a draft or a completion; inside `transaction()`. Raises StepRefused."""
    loaded = for_the_filer(number, actor, at)
    db.session.execute(
        update(Repair)
        .where(Repair.case_id == loaded.id)
        .values(statement=statement, contact=contact, phone=phone, saved_at=at)
        .execution_options(synchronize_session=False)
    )
