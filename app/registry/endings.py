"""The end of publication at its longest day: stated as a dated fact with its cause, by the watch, on the day after.

What is past its longest day is shown to nobody even before that (see `subject.conditions_of_publicity`); the fact says
so for good, and why. The national rule ends the publication by itself when the duties are performed. For the others it
points to the rule of the industry department (NDRC36; SC22 §2): while there is none that says otherwise, what may be
shown at most has been shown, and the fact says that the duty is still open.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import insert, select

from app.db import db
from app.models import CreditRecord, PublicationFact
from app.registry.publish import deed_on

BATCH = 500
"""Records that are looked at in one transaction."""
CAUSES = {
    ("penalty", "performed"): "最长公示期届满，义务已经履行，公示自动终止",
    ("penalty", "unknown"): "最长公示期届满，公示终止；本平台没有义务是否履行的登记",
    ("penalty", "outstanding"): "最长公示期届满，公示终止；义务尚未履行完毕，行业主管部门没有继续公示的规定",
    ("permit", ""): "有效期届满，公示终止",
}
OTHERWISE = "最长公示期届满，公示终止"


def over(today: date, after: int) -> list[int]:
    """Records that are past their longest day and still stand as published, by id from the one after `after`."""
    record = CreditRecord
    rows = db.session.execute(
        select(record.id)
        .where(record.id > after, record.maximum_last_day < today, record.annulled_on.is_(None))
        .where(deed_on(today) == "publish")
        .order_by(record.id)
        .limit(BATCH)
    )
    return list(rows.scalars())


def end_publication(record_id: int, today: date, at: datetime) -> bool:
    """State the end of one record's publication inside `transaction()`; the record is locked and looked at again.
    False when there is nothing to end any more."""
    record = CreditRecord
    row = db.session.execute(
        select(record.kind, record.duty, record.maximum_last_day)
        .where(record.id == record_id, record.maximum_last_day < today, record.annulled_on.is_(None))
        .with_for_update()
    ).first()
    last_deed = select(deed_on(today)).select_from(record).where(record.id == record_id)
    if row is None or db.session.execute(last_deed).scalar() != "publish":
        return False
    cause = CAUSES.get((row.kind, row.duty)) or CAUSES.get((row.kind, "")) or OTHERWISE
    values = {
        "record_id": record_id, "deed": "end", "effective_on": row.maximum_last_day + timedelta(days=1),
        "recorded_at": at, "cause": cause,
    }  # fmt: skip
    db.session.execute(insert(PublicationFact.__table__), values)
    return True
