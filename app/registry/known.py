"""What the register said of a subject's records on a day, as known at a moment: one query for every such question.

Words are those of the version that was in force at that moment (`record_version`), publication is what the facts had
stated by it, and a class that was given later is not there yet. An annulment hides a record from the day on which it
was recorded. Asked for today and now, the query is the plain one, without any of that.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, or_, select, true
from sqlalchemy.orm import aliased

from app.db import db
from app.models import CreditRecord, JournalLine, Office, PublicationFact, RecordVersion
from app.registry.entries import entries
from app.registry.publish import STATUS, deed_on
from app.registry.subject import conditions_of_publicity
from workflows.calendar import SHANGHAI, legal_day

WORDS = (
    "title", "number", "recognised_on", "cls", "class_basis", "minimum_last_day", "maximum_last_day", "fields",
    "version",
)  # fmt: skip
"""Columns of a record that a correction may change."""
CLASSED = {"cls": "", "class_basis": "", "minimum_last_day": None, "maximum_last_day": None}
"""What a record says of its class before anybody has given it one."""


class NoSuchDay(ValueError):
    """The register cannot be asked about this day; the message is a Chinese sentence."""


def end_of(day: date) -> datetime:
    """The last moment of a civil day in Asia/Shanghai."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI) - timedelta(microseconds=1)


def asked_moment(day: date | None, known_at: datetime | None, at: datetime) -> tuple[date, datetime, bool]:
    """The day and the moment that a question is about, and whether it is about the past.

    Without a moment it is what the public really saw: as known when that day ended. Raises NoSuchDay for the future.
    """
    today = legal_day(at)
    if day is not None and day > today:
        raise NoSuchDay("这一天还没有到，不能查看。请选今天或者以前的日期。")
    if known_at is not None and known_at > at:
        raise NoSuchDay("掌握情况的时间不能晚于现在。")
    past = (day is not None and day < today) or known_at is not None
    day = day or today
    return day, known_at or min(at, end_of(day)), past


def known_records(subject_id: int, day: date, known_at: datetime | None, today: date) -> Select[Any]:
    """The records of a subject with what the public saw of them on a day, as known at a moment (None: today and now).

    `published` is whether they were shown, `still` whether they are shown today, `deed` what had last become of their
    publication, `corrected` whether they say something else today.
    """
    published = select(*_columns(known_at), Office.name.label("office"))
    if known_at is None:
        shown = and_(*conditions_of_publicity(today), _in_a_catalogue())
        deed: Any = deed_on(today)
        query = published.add_columns(shown.label("published"), shown.label("still"), deed.label("deed"))
        query = query.join(Office, Office.id == CreditRecord.office_id)
        return query.where(CreditRecord.subject_id == subject_id, CreditRecord.undone_at.is_(None))
    deed = _deed_known(day, known_at)
    maximum = _word("maximum_last_day", known_at)
    shown = and_(
        or_(maximum.is_(None), maximum >= day), ~_annulled(min(known_at, end_of(day))), deed == "publish",
        _in_a_catalogue(),
    )  # fmt: skip
    still = and_(*conditions_of_publicity(today), _in_a_catalogue())
    return (
        published.add_columns(shown.label("published"), still.label("still"), deed.label("deed"))
        .join(Office, Office.id == CreditRecord.office_id)
        .outerjoin(
            RecordVersion,
            and_(
                RecordVersion.record_id == CreditRecord.id,
                RecordVersion.recorded_at <= known_at,
                RecordVersion.replaced_at > known_at,
            ),
        )
        .where(CreditRecord.subject_id == subject_id, CreditRecord.recorded_at <= known_at)
    )


def facts_known(record_ids: list[int], day: date, known_at: datetime) -> dict[int, list[Any]]:
    """What had become of the publication of each record by a day, as known at a moment, the latest first."""
    found: dict[int, list[Any]] = {}
    if record_ids:
        fact = PublicationFact
        rows = db.session.execute(
            select(fact.record_id, fact.deed, fact.effective_on, fact.recorded_at, fact.cause)
            .where(fact.record_id.in_(record_ids), fact.effective_on <= day, fact.recorded_at <= known_at)
            .order_by(fact.effective_on.desc(), fact.id.desc())
        )
        for row in rows:
            found.setdefault(row.record_id, []).append(row)
    return found


def withdrawn_known(subject_id: int, day: date, known_at: datetime, today: date) -> list[Any]:
    """What had been shown and was withdrawn by a day because its penalty did not stand (number, office, day, reason):
    told for as long as it would have been shown."""
    shown, withdrawal = aliased(PublicationFact), aliased(PublicationFact)
    longest = CreditRecord.maximum_last_day
    rows = db.session.execute(
        select(CreditRecord.number, Office.name.label("office"), withdrawal.effective_on, CreditRecord.annulled_by)
        .join(Office, Office.id == CreditRecord.office_id)
        .join(withdrawal, withdrawal.record_id == CreditRecord.id)
        .where(
            CreditRecord.subject_id == subject_id,
            CreditRecord.annulled_on.is_not(None),
            withdrawal.deed == "withdraw",
            withdrawal.effective_on <= day,
            withdrawal.recorded_at <= known_at,
            or_(longest.is_(None), longest >= today),
            exists().where(shown.record_id == CreditRecord.id, shown.deed == "publish"),
        )
        .order_by(withdrawal.effective_on.desc(), CreditRecord.id.desc())
    )
    return list(rows.all())


def _columns(known_at: datetime | None) -> list[Any]:
    record = CreditRecord
    plain = [
        record.id, record.public_id, record.kind, record.directory, record.office_id, record.excluded_by, record.duty,
        record.duty_note, record.annulled_on, record.annulled_by,
    ]  # fmt: skip
    corrected = RecordVersion.id.is_not(None) if known_at is not None else ~true()
    return [*plain, corrected.label("corrected"), *(_word(name, known_at).label(name) for name in WORDS)]


def _word(name: str, known_at: datetime | None) -> Any:
    """A column as it was known: that of the version of the moment, and no class before it was given."""
    now_says = getattr(CreditRecord, name)
    if known_at is None:
        return now_says
    said = case((RecordVersion.id.is_not(None), getattr(RecordVersion, name)), else_=now_says)
    if name not in CLASSED:
        return said
    return case((_classed_later(known_at), CLASSED[name]), else_=said)


def _classed_later(known_at: datetime) -> ColumnElement[bool]:
    line = aliased(JournalLine)
    return exists().where(
        line.about == "record", line.about_id == CreditRecord.id, line.act == "classify", line.at > known_at
    )


def _annulled(by: datetime) -> ColumnElement[bool]:
    line = aliased(JournalLine)
    recorded = exists().where(
        line.about == "record", line.about_id == CreditRecord.id, line.act == "annul", line.at <= by
    )
    return and_(CreditRecord.annulled_on.is_not(None), recorded)


def _deed_known(day: date, known_at: datetime) -> Any:
    fact = aliased(PublicationFact)
    return (
        select(fact.deed)
        .where(
            fact.record_id == CreditRecord.id,
            fact.deed.in_(tuple(STATUS)),
            fact.effective_on <= day,
            fact.recorded_at <= known_at,
        )
        .order_by(fact.effective_on.desc(), fact.id.desc())
        .limit(1)
        .correlate(CreditRecord)
        .scalar_subquery()
    )


def _in_a_catalogue() -> ColumnElement[bool]:
    """What stands in no catalogue of public credit information is not shown, whatever the facts say."""
    return CreditRecord.directory.in_([f"{each.code}/{each.edition}" for each in entries() if each.may_be_published])
