"""一户式信用档案: everything about one subject, each record once, as one reader may see it, today or on another day.

Asked for today, the public sees what is shown, a subject all that is recorded of it, an officer what is theirs to see.
Asked for another day, or for what was known at another moment, everybody gets the same: what the public saw, masked as
the public sees it. What has left publication since then is still told to the subject and to officers; to anybody else
only that there was something, for a publication that has ended has ended (NDRC36).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, case, func, or_, select, true, union_all
from sqlalchemy.sql.expression import false

from app.db import db
from app.models import Identifier, Subject
from app.now import now
from app.registry.credit_file_sections import KEY_OF_KIND, SECTION, SECTIONS
from app.registry.directory import entry_of
from app.registry.file_annals import Annal, annals_of
from app.registry.known import NoSuchDay, asked_moment, facts_known, known_records, withdrawn_known
from app.registry.masking import hide_names, hide_personal_numbers, mask_id, mask_name
from app.registry.public_record import disputed_since, shown_since
from app.registry.public_sight import SIGHT
from app.registry.publish import status_of
from app.registry.readers import WHOLE, Reader, names_in, values_for
from app.registry.subject import Withdrawn
from app.sealed import house_keys, open_sealed
from workflows.calendar import legal_day

FIRST = 10
"""Records of a section on the page of the whole file."""
INSIDE = frozenset((Reader.SUBJECT, Reader.OFFICER, Reader.LOOK))
"""Readers to whom a record is told after its publication has ended."""


class Page(Protocol):
    """A page of rows, and the marks from which the pages before and after it are read."""

    @property
    def rows(self) -> Sequence[Any]: ...
    @property
    def before(self) -> str | None: ...
    @property
    def after(self) -> str | None: ...


Pager = Callable[[Any, Any, Any], Page]
"""Makes a page of a query that is ordered by a day and an id, the latest first."""


class NoSuchSubject(LookupError):
    """There is no such subject for this reader."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The subject as the reader may know it, under the code it had on the day of the file.

    `codes` are all its codes with their first and last days. A natural person has none, and `document` is the masked
    number of a document, in full only for LOOK.
    """

    id: int
    kind: str
    name: str
    code: str
    region: str
    trade: str
    representative: str
    codes: tuple[tuple[str, date, date | None], ...]
    document: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A record of the file. `status` is what the public saw of it, `since` from when, `marked_since` from when with an
    objection's mark; `gone` that it is not shown any more today, `corrected` that it says something else today,
    `theirs` that all of it is this officer's to see, or the subject's own."""

    id: int
    public_id: str
    kind: str
    directory: str
    title: str
    number: str
    office: str
    recognised_on: date
    cls: str
    class_basis: str
    minimum_last_day: date | None
    maximum_last_day: date | None
    never_repaired: bool
    values: Mapping[str, str]
    status: str
    since: date | None
    marked_since: date | None
    gone: bool
    corrected: bool
    version: int
    duty: str
    theirs: bool
    annulled_on: date | None

    def minimum_passed(self, day: date) -> bool:
        """True when the minimum period has ended before `day`."""
        return self.minimum_last_day is not None and self.minimum_last_day < day

    @property
    def first_day(self) -> date | None:
        """The first day after the minimum period."""
        last = self.minimum_last_day
        return date.fromordinal(last.toordinal() + 1) if last else None

    def value(self, *codes: str) -> str:
        """The first of these fields that says anything."""
        return next((self.values[code] for code in codes if self.values.get(code)), "")


@dataclass(frozen=True, slots=True)
class Tally:
    """The records of a kind and class: how many, `shown` of them publicly, `passed` of those past their minimum."""

    kind: str
    cls: str
    count: int
    shown: int
    passed: int


@dataclass(frozen=True)
class CreditFile:
    """A credit file. `past` says that it is of another day or moment than now; `records` are by section, `annals` what
    else is known by section; `ended_since` records were shown on the day, are not shown today, and are not told."""

    whose: Whose
    reader: Reader
    day: date
    known_at: datetime
    past: bool
    at: datetime
    tallies: tuple[Tally, ...]
    records: Mapping[str, tuple[Kept, ...]]
    annals: Mapping[str, tuple[Annal, ...]]
    withdrawn: tuple[Withdrawn, ...]
    ended_since: int
    section: str = ""
    before: str | None = None
    after: str | None = None

    def count(self, section: str) -> int:
        """How many records or other entries a section has."""
        kind = SECTION[section].kind
        if kind:
            return sum(tally.count for tally in self.tallies if tally.kind == kind)
        return len(self.annals.get(section, ()))

    def shown(self, kind: str, cls: str | None = None) -> int:
        """How many of a kind (and class) the public saw."""
        return sum(t.shown for t in self.tallies if t.kind == kind and cls in (None, t.cls))

    @property
    def passed(self) -> int:
        """How many public penalties are past their minimum period and may be repaired."""
        return sum(t.passed for t in self.tallies if t.kind == "penalty")


def credit_file(
    subject_id: int,
    sight: Reader,
    day: date | None = None,
    known_at: datetime | None = None,
    *,
    section: str = "",
    page: Pager | None = None,
    theirs: ColumnElement[bool] | None = None,
    first: int = FIRST,
) -> CreditFile:
    """The file of a subject for a reader; at most eight statements.

    `day` is the civil day asked about (None: today), `known_at` as known when (None: for another day, when that day
    ended). `section` asks for one section of records alone, of which `page` makes a page; otherwise each has its
    `first` records. `theirs` is the condition on `CreditRecord` under which an officer may see what is not public.
    Raises NoSuchDay for the future and NoSuchSubject.
    """
    at = now()
    today = legal_day(at)
    day, moment, past = asked_moment(day, known_at, at)
    whose, hidden = _whose(subject_id, day, sight, past)
    if sight in (Reader.PUBLIC, Reader.DEPARTMENT) and not SIGHT[whose.kind].page:
        raise NoSuchSubject(subject_id)
    query = known_records(subject_id, day, moment if past else None, today)
    if theirs is not None:
        query = query.add_columns(theirs.label("theirs"))
    else:
        query = query.add_columns((true() if sight is Reader.SUBJECT else false()).label("theirs"))
    base = query.subquery("known")
    seen = _seen_by(sight, past, base)
    tallies, ended = _tallies(base, seen, day)
    kind = SECTION[section].kind if section in SECTION and page else ""
    rows, before, after = (
        _page(base, seen, kind, page) if kind and page else (_rows(base, seen, tallies, first), None, None)
    )
    facts = facts_known([row.id for row in rows], day, moment)
    fields = Reader.PUBLIC if past and sight is not Reader.DEPARTMENT else sight
    records: dict[str, list[Kept]] = {}
    for row in rows:
        kept = _kept(row, facts.get(row.id, []), fields, hidden, past)
        records.setdefault(KEY_OF_KIND[row.kind], []).append(kept)
    inside = sight in INSIDE
    return CreditFile(
        whose=whose,
        reader=sight,
        day=day,
        known_at=moment,
        past=past,
        at=at,
        tallies=tallies,
        records={key: tuple(found) for key, found in records.items()},
        annals=annals_of(subject_id, day, moment, today, inside and not past, theirs),
        withdrawn=tuple(
            Withdrawn(row.number, row.office, row.effective_on, hide_personal_numbers(row.annulled_by))
            for row in withdrawn_known(subject_id, day, moment, today)
        ),
        ended_since=0 if inside else ended,
        section=section if kind else "",
        before=before,
        after=after,
    )


def sections_for(file: CreditFile) -> tuple[str, ...]:
    """The keys of the sections that this reader gets."""
    return tuple(each.key for each in SECTIONS if not each.inner or (file.reader in INSIDE and not file.past))


def _whose(subject_id: int, day: date, sight: Reader, past: bool) -> tuple[Whose, Mapping[str, str]]:
    """The subject with its codes, and the names that give way to a mask where this reader does not see them, or where
    the public did not on a day of the past."""
    rows = db.session.execute(
        select(
            Subject.id, Subject.kind, Subject.name, Subject.region, Subject.trade, Subject.legal_representative,
            Identifier.kind.label("what"), Identifier.value, Identifier.sealed, Identifier.valid_from,
            Identifier.valid_until,
        )
        .outerjoin(Identifier, Identifier.subject_id == Subject.id)
        .where(Subject.id == subject_id)
        .order_by(Identifier.valid_from, Identifier.id)
    ).all()  # fmt: skip
    if not rows:
        raise NoSuchSubject(subject_id)
    row, whole = rows[0], sight in WHOLE and not past
    codes = tuple((r.value, r.valid_from, r.valid_until) for r in rows if r.what == "uscc" and r.value)
    on_the_day = [code for code, since, until in codes if since <= day and (until is None or day <= until)]
    present = [code for code, _since, until in codes if until is None] or [code for code, *_days in codes]
    named = sight in WHOLE or SIGHT[row.kind].named
    hidden = {}
    if not whole:
        names = [row.legal_representative, "" if SIGHT[row.kind].named else row.name]
        hidden = {name: mask_name(name) for name in names if name}
    whose = Whose(
        id=row.id,
        kind=row.kind,
        name=row.name if named else mask_name(row.name),
        code=(on_the_day or present or [""])[-1],
        region=row.region,
        trade=row.trade,
        representative=row.legal_representative if whole else mask_name(row.legal_representative),
        codes=codes,
        document=_document(rows, sight) if row.kind == "person" else "",
    )
    return whose, hidden


def _document(rows: Sequence[Any], sight: Reader) -> str:
    """The number of a person's document, sealed where it is kept: masked for officers and the person."""
    sealed = next((row.sealed for row in rows if row.sealed), "")
    if not sealed or sight not in INSIDE:
        return ""
    number = open_sealed(sealed, house_keys(), "identifier")
    return number if sight is Reader.LOOK else mask_id(number)


def _seen_by(sight: Reader, past: bool, base: Any) -> ColumnElement[bool]:
    """Which records of the query this reader gets."""
    if past:
        shown: ColumnElement[bool] = base.c.published
        return shown if sight in INSIDE else shown & base.c.still
    return or_(base.c.published, base.c.theirs)


def _tallies(base: Any, seen: ColumnElement[bool], day: date) -> tuple[tuple[Tally, ...], int]:
    """How many there are of each kind and class, and how many were shown on the day and are not told; one statement."""

    def count(condition: Any) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    passed = base.c.published & (base.c.minimum_last_day < day) & (base.c.excluded_by == "")
    rows = db.session.execute(
        select(
            base.c.kind, base.c.cls, count(seen).label("all"), count(base.c.published).label("shown"),
            count(seen & passed).label("passed"), count(base.c.published & ~base.c.still).label("ended"),
        ).group_by(base.c.kind, base.c.cls)
    ).all()  # fmt: skip
    tallies = tuple(
        Tally(row.kind, row.cls, row.all, min(row.shown, row.all), row.passed)
        for row in rows
        if row.all and row.kind in KEY_OF_KIND
    )
    return tallies, sum(row.ended for row in rows)


def _page(base: Any, seen: Any, kind: str, page: Pager) -> tuple[Sequence[Any], str | None, str | None]:
    """One section's page with the marks before and after it; one statement."""
    query = select(base, base.c.recognised_on.label("mark")).where(seen, base.c.kind == kind)
    found = page(query, base.c.recognised_on, base.c.id)
    return found.rows, found.before, found.after


def _rows(base: Any, seen: Any, tallies: Sequence[Tally], first: int) -> Sequence[Any]:
    """The first rows of every section that has any; one statement."""
    kinds = sorted({tally.kind for tally in tallies})
    if not kinds:
        return ()
    newest = (
        select(base)
        .where(seen, base.c.kind == kind)
        .order_by(base.c.recognised_on.desc(), base.c.id.desc())
        .limit(first)
        .subquery()
        for kind in kinds
    )
    rows = db.session.execute(union_all(*(select(part) for part in newest))).all()
    return sorted(rows, key=lambda row: (row.recognised_on, row.id), reverse=True)


def _kept(row: Any, facts: Sequence[Any], reader: Reader, hidden: Mapping[str, str], past: bool) -> Kept:
    entry = entry_of(row.directory)
    fields = {code: str(value) for code, value in row.fields.items()}
    values = values_for(entry, fields, reader) if entry else {}
    names = hidden if reader in WHOLE else {**hidden, **(names_in(entry, fields) if entry else {})}
    if names:
        values = {code: hide_names(value, names) for code, value in values.items()}
    published = bool(row.published)
    return Kept(
        id=row.id,
        public_id=row.public_id,
        kind=row.kind,
        directory=row.directory,
        title=hide_names(hide_personal_numbers(row.title), names),
        number=row.number,
        office=row.office,
        recognised_on=row.recognised_on,
        cls=row.cls,
        class_basis=row.class_basis if reader is not Reader.PUBLIC else row.class_basis.partition("认定理由：")[0],
        minimum_last_day=row.minimum_last_day,
        maximum_last_day=row.maximum_last_day,
        never_repaired=bool(row.excluded_by),
        values=values,
        status="published" if published else _status(row),
        since=shown_since(facts) if published and facts else None,
        marked_since=disputed_since(facts),
        gone=past and not row.still,
        corrected=bool(row.corrected),
        version=row.version,
        duty="" if past else row.duty,
        theirs=bool(row.theirs),
        annulled_on=None if past else row.annulled_on,
    )


def _status(row: Any) -> str:
    """What became of a record that is not shown: one whose longest time is over has ended, whatever was stated."""
    if row.annulled_on is not None:
        return "withdrawn" if row.deed == "withdraw" else "unpublished"
    return "ended" if row.deed == "publish" else status_of(row.deed)


__all__ = ["CreditFile", "Kept", "NoSuchDay", "NoSuchSubject", "Reader", "Whose", "credit_file", "sections_for"]
