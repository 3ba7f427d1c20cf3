"""One record at its stable address: what it says while it is public, and what may still be said when it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from app.db import db
from app.models import CreditRecord, PublicationFact
from app.registry.numbers import number_key
from app.registry.public_lists import Explained, withdrawn_of
from app.registry.publish import STATUS
from app.registry.subject import PublicRecord, as_public, public_on
from workflows.classing import CLASSES

NUMBERED = 20
"""Records of one 文号 that a search names."""


@dataclass(frozen=True, slots=True)
class Published:
    """A record that is public today. `since` is the day from which it has been shown without a break, `disputed_since`
    the day from which an objection is marked; `class_reason` is the law's reason for its class, without the words of
    the officer who gave it."""

    record: PublicRecord
    since: date
    disputed_since: date | None
    class_reason: str


@dataclass(frozen=True, slots=True)
class Over:
    """A record that was public and is not: nothing more is said of it than since when."""

    since: date


def public_record(public_id: str, today: date) -> Published | Explained | Over | None:
    """What may be said today of a record. None for one that never was public, and for one that does not exist."""
    row = db.session.execute(
        select(
            CreditRecord.id, CreditRecord.kind, CreditRecord.class_basis, CreditRecord.maximum_last_day,
            CreditRecord.annulled_on, CreditRecord.undone_at,
        ).where(CreditRecord.public_id == public_id)
    ).first()  # fmt: skip
    if row is None:
        return None
    facts = _facts(row.id, today)
    shown = as_public(db.session.execute(public_on(today).where(CreditRecord.id == row.id)))
    if shown:
        reason = row.class_basis.partition("认定理由：")[0] if shown[0].cls in CLASSES else ""
        return Published(shown[0], shown_since(facts), disputed_since(facts), reason)
    if row.undone_at is not None or not any(fact.deed == "publish" for fact in facts):
        return None
    if row.annulled_on is not None:
        return next(iter(withdrawn_of([row.id], today)), None)
    return Over(_over_since(facts, row.maximum_last_day))


def records_numbered(typed: str, today: date) -> list[PublicRecord]:
    """The public records of this 文号, however it is written; numbers are not unique."""
    key = number_key(typed)
    if not key:
        return []
    query = public_on(today).where(CreditRecord.number_key == key, CreditRecord.kind.in_(("penalty", "permit")))
    query = query.order_by(CreditRecord.recognised_on.desc(), CreditRecord.id.desc()).limit(NUMBERED)
    return as_public(db.session.execute(query))


def _facts(record_id: int, today: date) -> Sequence[Any]:
    """What has become of its publication by today, the latest first."""
    return db.session.execute(
        select(PublicationFact.deed, PublicationFact.effective_on)
        .where(PublicationFact.record_id == record_id, PublicationFact.effective_on <= today)
        .order_by(PublicationFact.effective_on.desc(), PublicationFact.id.desc())
    ).all()


def shown_since(facts: Sequence[Any]) -> date:
    """The first day of the publication that still runs."""
    day = facts[0].effective_on
    for fact in facts:
        if fact.deed in STATUS and fact.deed != "publish":
            break
        if fact.deed == "publish":
            day = fact.effective_on
    return day


def disputed_since(facts: Sequence[Any]) -> date | None:
    """The day from which an objection is marked; None when none is. `facts` are the latest first."""
    latest = next((fact for fact in facts if fact.deed in ("mark", "unmark")), None)
    return latest.effective_on if latest is not None and latest.deed == "mark" else None


def _over_since(facts: Sequence[Any], maximum: date | None) -> date:
    """The day from which it is not shown any more: that of the deed that ended it, or the one after its last."""
    ended = next(fact for fact in facts if fact.deed in STATUS)
    if ended.deed == "publish" and maximum is not None:
        return date.fromordinal(maximum.toordinal() + 1)
    return ended.effective_on
