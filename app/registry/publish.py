"""Publication as dated facts with a cause: nothing is deleted, and any day can be asked about."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ScalarSelect, Select, insert, select

from app.db import db
from app.models import CreditRecord, PublicationFact

STATUS = {"publish": "published", "end": "ended", "repair": "repaired", "withdraw": "withdrawn"}
STATUS_TITLES = {
    "published": "公示中",
    "ended": "公示已终止",
    "repaired": "已修复",
    "withdrawn": "已撤回",
    "unpublished": "不公示",
}


def state_fact(
    record_id: int, deed: str, effective_on: date, at: datetime, cause: str, case_id: int | None = None
) -> None:
    """State that something became of a record's publication, from a day, recorded now, for a cause.

    `deed` is publish, end, repair, withdraw, mark or unmark; anything else is refused by the database.
    """
    values = {
        "record_id": record_id,
        "deed": deed,
        "effective_on": effective_on,
        "recorded_at": at,
        "cause": cause,
        "case_id": case_id,
    }
    db.session.execute(insert(PublicationFact.__table__), values)


def deed_on(day: date) -> ScalarSelect[Any]:
    """The last deed about the publication of a `CreditRecord` by a day, as a column of a query over records."""
    return _latest(day).where(PublicationFact.record_id == CreditRecord.id).correlate(CreditRecord).scalar_subquery()


def shown_on(day: date) -> ScalarSelect[Any]:
    """True when the last deed about the publication of a `CreditRecord` by a day is its publication. As a truth of its
    own: of a text that is compared, PostgreSQL expects that hardly any is the one, and reads everything at once."""
    latest = _latest(day).with_only_columns(PublicationFact.deed == "publish")
    return latest.where(PublicationFact.record_id == CreditRecord.id).correlate(CreditRecord).scalar_subquery()


def status_of(deed: str | None) -> str:
    """The status that the last deed leaves a record in."""
    return STATUS.get(deed or "", "unpublished")


def status_on(record_id: int, day: date, known_at: datetime | None = None) -> str:
    """What the public saw of a record on `day` (published, ended, repaired, withdrawn, unpublished).

    With `known_at` the answer is as it was known at that moment.
    """
    query = _latest(day).where(PublicationFact.record_id == record_id)
    if known_at is not None:
        query = query.where(PublicationFact.recorded_at <= known_at)
    return status_of(db.session.execute(query).scalar())


def _latest(day: date) -> Select[Any]:
    return (
        select(PublicationFact.deed)
        .where(PublicationFact.deed.in_(tuple(STATUS)), PublicationFact.effective_on <= day)
        .order_by(PublicationFact.effective_on.desc(), PublicationFact.id.desc())
        .limit(1)
    )
