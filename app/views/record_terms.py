"""How long a record is shown and why: each last day as a sum that its reader can do again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app.db import db
from app.models import Measure, PublicationFact
from app.registry.publish import STATUS
from app.views.receivers import Showing, showing
from workflows.calendar import Calendar, months_after
from workflows.law import NothingInForce, RuleRow, rule

DEEDS = {
    "publish": _l("开始公示"),
    "end": _l("公示终止"),
    "repair": _l("准予修复，公示终止"),
    "withdraw": _l("信息撤回"),
    "mark": _l("标注异议"),
    "unmark": _l("解除异议标注"),
}
"""What became of a publication, in words."""


@dataclass(frozen=True, slots=True)
class Term:
    """One last day: its length in words, the day it counts from, the article and whether that has been verified."""

    title: str
    length: str
    day_zero: date
    last_day: date
    citation: str
    verified: bool


@dataclass(frozen=True, slots=True)
class DayOfWaiting:
    """A day between the end of the minimum period and the working day on which an early filing goes forward."""

    day: date
    text: str
    working: bool


@dataclass(frozen=True, slots=True)
class History:
    """What became of a record: its publication, who was told of it, what was done because of it."""

    facts: tuple[Any, ...]
    shares: tuple[Showing, ...]
    measures: tuple[Any, ...]


def terms_of(recognised_on: date, minimum: date | None, maximum: date | None) -> tuple[Term, ...]:
    """The minimum and the maximum of a record's publication, each with the law row that gives it."""
    wanted = (("minimum", _("最短公示期"), minimum), ("maximum", _("最长公示期"), maximum))
    return tuple(_term(name, title, recognised_on, last) for name, title, last in wanted if last is not None)


def _term(name: str, title: str, recognised_on: date, last_day: date) -> Term:
    row = _row_for(name, recognised_on, last_day)
    if row is None:
        return Term(title, "", recognised_on, last_day, "", False)
    length = _("%(n)s 个月", n=row.value) if row.unit == "M" else _("%(n)s 年", n=row.value)
    return Term(title, length, recognised_on, last_day, row.citation, row.verified)


def _row_for(name: str, recognised_on: date, last_day: date) -> RuleRow | None:
    """The row in force on the day of recognition that ends on this day; None when the day was set otherwise."""
    for kind in ("ordinary", "serious", "special", "minor"):
        try:
            row = rule(f"records.{name}_{kind}").on(recognised_on)
        except (KeyError, NothingInForce):
            continue
        if row.unit in ("M", "Y") and isinstance(row.value, int):
            months = row.value * (12 if row.unit == "Y" else 1)
            if months_after(recognised_on, months) == last_day:
                return row
    return None


def days_of_waiting(calendar: Calendar, first_day: date, release_day: date) -> tuple[DayOfWaiting, ...]:
    """Every day from the first on which one may apply to the working day of release, with what each of them is."""
    days = (date.fromordinal(n) for n in range(first_day.toordinal(), release_day.toordinal() + 1))
    reasons = (calendar.reason(day) for day in days)
    return tuple(DayOfWaiting(reason.day, reason.name, reason.working) for reason in reasons)


def history_of(record_id: int, today: date) -> History:
    """Publication facts, newest first, receivers with what came of telling each, and measures; four statements."""
    facts = db.session.execute(
        select(PublicationFact.deed, PublicationFact.effective_on, PublicationFact.recorded_at, PublicationFact.cause)
        .where(PublicationFact.record_id == record_id)
        .order_by(PublicationFact.effective_on.desc(), PublicationFact.id.desc())
    ).all()
    measures = db.session.execute(
        select(Measure.kind, Measure.organ, Measure.basis, Measure.since, Measure.lifted_on)
        .where(Measure.record_id == record_id)
        .order_by(Measure.since, Measure.id)
    ).all()
    return History(tuple(facts), showing(record_id, today), tuple(measures))


def shown_now(facts: tuple[Any, ...], today: date) -> str:
    """What the public sees today: published, ended, repaired, withdrawn or unpublished."""
    return next(
        (STATUS[fact.deed] for fact in facts if fact.deed in STATUS and fact.effective_on <= today), "unpublished"
    )
