"""Finding a subject by a code it has or once had, and what anybody may see of it on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import Row, bindparam, exists, or_, select
from sqlalchemy.orm import aliased

from app.db import db
from app.models import CreditRecord, Identifier, Office, PublicationFact, Subject
from app.registry.codes import ALPHABET, check_code, check_id_number
from app.registry.directory import DirectoryEntry, entries, public_values
from app.registry.masking import hide_names, hide_personal_numbers, mask_name
from app.registry.public_sight import PAGED, SIGHT
from app.registry.publish import shown_on
from app.registry.readers import names_in

KIND_TITLES = {"enterprise": "企业", "sole_trader": "个体工商户", "institution": "事业单位", "person": "自然人"}
SHOWN = ("CF_SY", "CF_NR", "CF_YJ")
"""Fields of a penalty that the public page shows beside number, organ and day: facts, content, basis."""


@dataclass(frozen=True, slots=True)
class Found:
    """A subject as anybody may know it. `code` is its present code, whichever was asked for."""

    id: int
    code: str
    name: str
    kind: str
    region: str
    representative: str


@dataclass(frozen=True, slots=True)
class PublicRecord:
    """A record that is public on a day. `subject` is masked for a natural person, whose `code` is empty.

    `values` are all the fields of its directory entry that anybody may see, masked, by their codes.
    """

    id: int
    public_id: str
    kind: str
    title: str
    number: str
    office: str
    recognised_on: date
    cls: str
    minimum_last_day: date | None
    maximum_last_day: date | None
    never_repaired: bool
    facts: str
    content: str
    basis: str
    subject: str
    code: str
    values: Mapping[str, str]

    def minimum_passed(self, day: date) -> bool:
        """True when the minimum period has ended before `day`."""
        return self.minimum_last_day is not None and self.minimum_last_day < day

    @property
    def first_day(self) -> date | None:
        """The first day after the minimum period."""
        last = self.minimum_last_day
        return date.fromordinal(last.toordinal() + 1) if last else None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Information that was shown and had to be withdrawn, because its penalty does not stand: since when and why."""

    number: str
    office: str
    on: date
    reason: str


def find_by_code(code: str) -> Found | None:
    """The organisation that has this 统一社会信用代码 or once had it; one statement.

    A natural person is never found: a person's number is no code, and a page about a person has no address.
    """
    row = db.session.connection().execute(_BY_CODE, {"code": code}).first()
    if row is None:
        return None
    return Found(row.id, row.code or code, row.name, row.kind, row.region, mask_name(row.legal_representative))


def found_near(code: str) -> list[Found]:
    """Organisations whose present or earlier code is this one but for a mistyped character or two that were swapped;
    at most three. Nothing for a code that may be right, and for the number of a person."""
    if len(code) != 18 or check_code(code).ok or check_id_number(code).ok:
        return []
    typed = {code[:at] + other + code[at + 1 :] for at in range(18) for other in ALPHABET}
    typed |= {code[:at] + code[at + 1] + code[at] + code[at + 2 :] for at in range(17)}
    good = sorted(other for other in typed if check_code(other).ok)
    codes = db.session.execute(
        select(Identifier.value).where(Identifier.kind == "uscc", Identifier.value.in_(good)).limit(3)
    ).scalars()
    return [found for near in codes.all() if near and (found := find_by_code(near))]


def public_records(subject_id: int, today: date) -> list[PublicRecord]:
    """What is public about a subject today, newest first; what was repaired, ended or withdrawn is not there."""
    query = public_on(today).where(CreditRecord.subject_id == subject_id)
    rows = db.session.execute(query.order_by(CreditRecord.recognised_on.desc(), CreditRecord.id.desc())).all()
    return as_public(rows)


def withdrawn_records(subject_id: int, today: date) -> list[Withdrawn]:
    """What was withdrawn because its penalty was annulled, told in public for as long as it would have been shown."""
    shown = aliased(PublicationFact)
    rows = db.session.execute(
        select(CreditRecord.number, CreditRecord.annulled_by, Office.name, PublicationFact.effective_on)
        .join(Office, Office.id == CreditRecord.office_id)
        .join(PublicationFact, PublicationFact.record_id == CreditRecord.id)
        .where(
            CreditRecord.subject_id == subject_id,
            CreditRecord.annulled_on.is_not(None),
            PublicationFact.deed == "withdraw",
            PublicationFact.effective_on <= today,
            or_(CreditRecord.maximum_last_day.is_(None), CreditRecord.maximum_last_day >= today),
            exists().where(shown.record_id == CreditRecord.id, shown.deed == "publish"),
        )
        .order_by(PublicationFact.effective_on.desc(), CreditRecord.id.desc())
    ).all()
    return [Withdrawn(row.number, row.name, row.effective_on, row.annulled_by) for row in rows]


def newest_public(today: date, count: int) -> list[PublicRecord]:
    """The latest decisions among the fifty penalties taken in last that are public today; at most `count`."""
    latest = (
        select(CreditRecord.id)
        .where(CreditRecord.kind == "penalty")
        .order_by(CreditRecord.id.desc())
        .limit(50)
        .scalar_subquery()
    )
    query = public_on(today).where(CreditRecord.id.in_(latest))
    query = query.order_by(CreditRecord.recognised_on.desc(), CreditRecord.id.desc())
    return as_public(db.session.execute(query), count)


def as_public(rows: Iterable[Row[Any]], count: int | None = None) -> list[PublicRecord]:
    """The rows of `public_on` as anybody may see them, at most `count`; what stands in no catalogue is left out."""
    return [_record(row) for row in islice(filter(_is_public, rows), count)]


def _present_code() -> Any:
    """The code without an end; of a body that has none any more, the one that ended last."""
    code = Identifier.__table__.c
    return (
        select(code.value)
        .where(code.subject_id == Subject.__table__.c.id, code.kind == "uscc")
        .order_by(code.valid_until.is_not(None), code.valid_until.desc(), code.valid_from.desc())
        .limit(1)
        .correlate(Subject.__table__)
        .scalar_subquery()
        .label("code")
    )


_WHO = Subject.__table__.c
_BY_CODE = (
    select(_WHO.id, _WHO.kind, _WHO.name, _WHO.region, _WHO.legal_representative, _present_code())
    .where(
        _WHO.id
        == select(Identifier.__table__.c.subject_id)
        .where(Identifier.__table__.c.kind == "uscc", Identifier.__table__.c.value == bindparam("code"))
        .scalar_subquery(),
        _WHO.kind.in_(PAGED),
    )
    .limit(1)
)
"""Made once: building a statement takes as long as asking it."""


def public_on(today: date) -> Any:
    """Records that are public on a day: published, not past the longest time they may be shown, not annulled."""
    return (
        select(
            *CreditRecord.__table__.c, Office.name.label("office"), Subject.name.label("subject"),
            Subject.kind.label("subject_kind"), Subject.legal_representative, _present_code(),
        )
        .join(Subject, Subject.id == CreditRecord.subject_id)
        .join(Office, Office.id == CreditRecord.office_id)
        .where(
            *conditions_of_publicity(today),
        )
    )  # fmt: skip


def conditions_of_publicity(today: date) -> tuple[Any, ...]:
    """What must hold of a `CreditRecord` so that anybody may see it on a day; the cheapest first."""
    return (
        or_(CreditRecord.maximum_last_day.is_(None), CreditRecord.maximum_last_day >= today),
        CreditRecord.annulled_on.is_(None),
        shown_on(today),
    )


def _entry(directory: str) -> DirectoryEntry | None:
    """The directory entry a record was read by, from its `code/edition`."""
    return next((entry for entry in entries() if f"{entry.code}/{entry.edition}" == directory), None)


def _is_public(row: Row[Any]) -> bool:
    """What stands in no catalogue of public credit information is not shown, whatever the facts say."""
    entry = _entry(row.directory)
    return entry is not None and entry.may_be_published


def _record(row: Row[Any]) -> PublicRecord:
    entry = _entry(row.directory)
    sight = SIGHT[row.subject_kind]
    hidden = names_in(entry, row.fields) if entry else {}
    for name in (row.legal_representative, "" if sight.named else row.subject):
        if name:
            hidden[name] = mask_name(name)
    seen = public_values(entry, row.fields) if entry else {}
    values = {code: hide_names(value, hidden) for code, value in seen.items()}
    facts, content, basis = (values.get(code, "") for code in SHOWN)
    return PublicRecord(
        id=row.id,
        public_id=row.public_id,
        kind=row.kind,
        title=hide_names(hide_personal_numbers(row.title), hidden),
        number=row.number,
        office=row.office,
        recognised_on=row.recognised_on,
        cls=row.cls,
        minimum_last_day=row.minimum_last_day,
        maximum_last_day=row.maximum_last_day,
        never_repaired=bool(row.excluded_by),
        facts=facts,
        content=content,
        basis=basis,
        subject=row.subject if sight.named else mask_name(row.subject),
        code=(row.code or "") if sight.page else "",
        values=values,
    )
