"""双公示 as a list: what is public of one kind, narrowed by what people ask, newest first, as the numbers of records.

A page is read from where the last one ended and nothing is counted, so that every page costs what it shows. Questions
that no index answers are put to at most REACH records a page; when too few fit, the page says how far back it has
looked and goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, literal, or_, select
from sqlalchemy.orm import aliased

from app.db import db
from app.models import CreditRecord, Office, PublicationFact, Subject
from app.registry.masking import hide_personal_numbers, mask_name
from app.registry.public_sight import SIGHT
from app.registry.subject import PublicRecord, as_public, conditions_of_publicity, public_on
from workflows.law import rule

REACH = 2000
"""Records that a page looks through at most."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A kind of record that has a public list, and the fields of its directory entry that the list shows.

    `category` holds the kinds of permit or penalty, `content` what was decided, `until` the last day of validity.
    """

    kind: str
    category: str
    content: str
    until: str


PENALTIES = Listed("penalty", "CF_CFLB", "CF_NR", "CF_YXQ")
PERMITS = Listed("permit", "XK_XKLB", "XK_NR", "XK_YXQZI")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to; what is empty is not asked.

    `state` is valid or expired for permits, withdrawn for penalties: those that were shown, do not stand any more, and
    whose withdrawal has to be explained. What was repaired or has run its time is not listed in any state.
    """

    office: int | None = None
    region: str = ""
    category: str = ""
    cls: str = ""
    since: date | None = None
    until: date | None = None
    state: str = ""


def listed(what: Listed, wanted: Wanted, today: date) -> Any:
    """The records of a list as (mark, id), without their order; `mark` is the day of the decision."""
    query = _marked(what)
    for condition in (*_by_index(what, wanted, today), *_by_looking(what, wanted, today)):
        query = query.where(condition)
    if wanted.state == "withdrawn":
        return query.where(*withdrawn_and_explained(today))
    return query.where(*conditions_of_publicity(today))


def looked_through(what: Listed, wanted: Wanted, today: date) -> Any:
    """The records among which a page of `listed` looks, in the same form; None when an index answers everything."""
    if not any(True for _ in _by_looking(what, wanted, today)):
        return None
    return _marked(what).where(*_by_index(what, wanted, today))


def withdrawn_and_explained(today: date) -> tuple[ColumnElement[bool], ...]:
    """Penalties that were shown and annulled: told, with the reason, for as long as they would have been shown."""
    shown, gone = aliased(PublicationFact), aliased(PublicationFact)
    return (
        CreditRecord.annulled_on.is_not(None),
        CreditRecord.undone_at.is_(None),
        or_(CreditRecord.maximum_last_day.is_(None), CreditRecord.maximum_last_day >= today),
        exists().where(shown.record_id == CreditRecord.id, shown.deed == "publish", shown.effective_on <= today),
        exists().where(gone.record_id == CreditRecord.id, gone.deed == "withdraw", gone.effective_on <= today),
    )


def records_of(ids: Iterable[int], today: date) -> list[PublicRecord]:
    """These records as anybody may see them today, in this order; one that is not public is left out."""
    wanted = list(ids)
    rows = db.session.execute(public_on(today).where(CreditRecord.id.in_(wanted)))
    found = {record.id: record for record in as_public(rows)}
    return [found[id] for id in wanted if id in found]


@dataclass(frozen=True, slots=True)
class Explained:
    """A penalty that was shown and does not stand any more: what is told of it, and nothing of what it said."""

    number: str
    office: str
    subject: str
    on: date
    reason: str


def withdrawn_of(ids: Iterable[int], today: date) -> list[Explained]:
    """These records as withdrawals that are explained today, in this order."""
    wanted = list(ids)
    rows = db.session.execute(
        select(
            CreditRecord.id, CreditRecord.number, CreditRecord.annulled_by, Office.name.label("office"),
            Subject.name.label("subject"), Subject.kind, _withdrawn_on(today).label("on"),
        )
        .join(Office, Office.id == CreditRecord.office_id)
        .join(Subject, Subject.id == CreditRecord.subject_id)
        .where(CreditRecord.id.in_(wanted), *withdrawn_and_explained(today))
    )  # fmt: skip
    found = {}
    for row in rows:
        name = row.subject if SIGHT[row.kind].named else mask_name(row.subject)
        reason = hide_personal_numbers(row.annulled_by)
        found[row.id] = Explained(row.number, row.office, name, row.on, reason)
    return [found[id] for id in wanted if id in found]


def _withdrawn_on(today: date) -> Any:
    return (
        select(PublicationFact.effective_on)
        .where(
            PublicationFact.record_id == CreditRecord.id,
            PublicationFact.deed == "withdraw",
            PublicationFact.effective_on <= today,
        )
        .order_by(PublicationFact.effective_on.desc())
        .limit(1)
        .correlate(CreditRecord)
        .scalar_subquery()
    )


def offices_that_decide() -> list[tuple[int, str]]:
    """Who may stand in a list as the deciding office, in the order of the tree."""
    rows = db.session.execute(
        select(Office.id, Office.name).where(Office.kind.in_(("organ", "unit"))).order_by(Office.path)
    ).all()
    return [(row.id, row.name) for row in rows]


def _marked(what: Listed) -> Any:
    return select(CreditRecord.recognised_on.label("mark"), CreditRecord.id).where(CreditRecord.kind == what.kind)


def _by_index(what: Listed, wanted: Wanted, today: date) -> Iterable[ColumnElement[bool]]:
    since = wanted.since
    if what is PENALTIES:
        since = max(filter(None, (since, _longest_ago(today))), default=None)
    if since is not None:
        yield CreditRecord.recognised_on >= since
    if wanted.until is not None:
        yield CreditRecord.recognised_on <= wanted.until
    if wanted.office is not None:
        yield CreditRecord.office_id == wanted.office


def _by_looking(what: Listed, wanted: Wanted, today: date) -> Iterable[ColumnElement[bool]]:
    if wanted.region:
        prefix = wanted.region.removesuffix("00")
        yield CreditRecord.office_id.in_(select(Office.id).where(Office.region.startswith(prefix, autoescape=True)))
    if wanted.cls:
        yield CreditRecord.cls == wanted.cls
    if wanted.category:
        several = literal(";") + CreditRecord.fields[what.category].as_string() + ";"
        yield several.contains(f";{wanted.category};", autoescape=True)
    if wanted.state in ("valid", "expired"):
        last = CreditRecord.fields[what.until].as_string()
        yield last >= today.isoformat() if wanted.state == "valid" else last < today.isoformat()
    if wanted.state == "withdrawn":
        yield CreditRecord.annulled_on.is_not(None)


def _longest_ago(today: date) -> date | None:
    """The first day of decisions that can still be shown: none is published for longer than the law's longest term."""
    years = [0]
    for name in ("minor", "ordinary", "serious", "special"):
        for row in rule(f"records.maximum_{name}").rows:
            if isinstance(row.value, int):
                years.append(row.value if row.unit == "Y" else 1)
    return today.replace(year=today.year - max(years) - 1, day=1) if max(years) else None
