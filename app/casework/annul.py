"""An annulled penalty, and whoever must hear of it: at once when nothing is open, by the open case otherwise."""

from __future__ import annotations

from datetime import date, datetime

from app.casework.actor import Person
from app.casework.refused import StepRefused
from app.db import leave_work
from app.notices.write import write_notices
from app.registry.annul import Annulled, annul
from app.registry.hands import NotPossible

EVERYBODY = ("credit_china", "province", "linked")


def annul_record(record_id: int, *, actor: Person, reason: str, day: date, at: datetime) -> Annulled:
    """Record the annulment inside `transaction()`. Raises StepRefused with the reasons against it.

    Without an open case the information is withdrawn in the same transaction and everybody is told; with one the watch
    is woken, and the case's own automatic step withdraws the information and tells them.
    """
    try:
        annulled = annul(record_id, actor, reason, day, at)
    except NotPossible as no:
        raise StepRefused(no.refusals) from no
    if annulled.withdrawn is not None:
        write_notices(None, record_id, annulled.subject_id, EVERYBODY, annulled.withdrawn)
    leave_work()
    return annulled
