"""What the filer has typed so far, kept as it is typed; a draft is nobody's business but theirs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update

from app.casework.actor import Person
from app.casework.beside import for_the_filer
from app.db import db
from app.models import Repair


def save_particulars(number: str, *, actor: Person, statement: str, contact: str, phone: str, at: datetime) -> None:
    """Keep the filer's words in a draft or a case under completion; inside `transaction()`. Raises StepRefused."""
    loaded = for_the_filer(number, actor, at)
    db.session.execute(
        update(Repair)
        .where(Repair.case_id == loaded.id)
        .values(statement=statement, contact=contact, phone=phone, saved_at=at)
        .execution_options(synchronize_session=False)
    )
