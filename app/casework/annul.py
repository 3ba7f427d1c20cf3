"""An annulled penalty, and whoever must hear of it: at once when nothing is open, by the open case otherwise."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import exists, select

from app.casework.actor import Person
from app.casework.refused import StepRefused
from app.db import db, leave_work
from app.journal import SYSTEM
from app.models import CaseRecord, CreditRecord, DeadlineRow
from app.notices.address_book import duty_to_tell, receivers
from app.notices.write import write_notices
from app.registry.annul import CAUSE, CLOCK, Annulled, annul, withdraw
from app.registry.hands import NotPossible
from workflows.calendar import legal_day
from workflows.clockwork import RUNNING

EVERYBODY = ("credit_china", "province", "ministry", "linked")


def annul_record(record_id: int, *, actor: Person, reason: str, day: date, at: datetime) -> Annulled:
    """Record the annulment inside `transaction()`. Raises StepRefused with the reasons against it.

    Without an open case the information is withdrawn in the same transaction and everybody is told; with one the watch
    is woken, and the case's own automatic step withdraws the information and tells them.
    """
    try:
        annulled = annul(record_id, actor, reason, day, at, asked_to_confirm(at))
    except NotPossible as no:
        raise StepRefused(no.refusals) from no
    if annulled.withdrawn is not None:
        write_notices(None, record_id, annulled.subject_id, EVERYBODY, annulled.withdrawn)
    leave_work()
    return annulled


def asked_to_confirm(at: datetime) -> list[str]:
    """The codes of those who must hear of a withdrawal, and are asked to say what they did."""
    words = [word for word in EVERYBODY if duty_to_tell(word, "withdraw", legal_day(at)) is not None]
    return [receiver.code for receiver in receivers(words)]


def left_behind(limit: int, record_id: int | None = None) -> list[int]:
    """Annulled records (or this one, if it is) whose withdrawal is still due and that no open case will withdraw: the
    case ended another way."""
    due = exists().where(
        DeadlineRow.about == "record",
        DeadlineRow.about_id == CreditRecord.id,
        DeadlineRow.clock == CLOCK,
        DeadlineRow.state == RUNNING,
    )
    query = select(CreditRecord.id).where(
        CreditRecord.annulled_on.is_not(None), due, ~exists().where(CaseRecord.open_record == CreditRecord.id)
    )
    if record_id is not None:
        query = query.where(CreditRecord.id == record_id)
    return list(db.session.execute(query.order_by(CreditRecord.id).limit(limit)).scalars())


def withdraw_left_behind(record_id: int, at: datetime) -> bool:
    """Withdraw such a record inside `transaction()` and tell everybody; False when somebody else has done it."""
    record = db.session.execute(
        select(CreditRecord.subject_id, CreditRecord.annulled_by).where(CreditRecord.id == record_id).with_for_update()
    ).one()
    if not left_behind(1, record_id):
        return False
    withdrawn = withdraw(record_id, SYSTEM, at, f"{CAUSE}（{record.annulled_by}）", asked=asked_to_confirm(at))
    write_notices(None, record_id, record.subject_id, EVERYBODY, withdrawn)
    return True
