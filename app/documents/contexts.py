"""What a document's template may see: plain values read once, never rows, so that a template can change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import CompoundSelect, Select, Table, bindparam, func, literal, select, union_all

from app.db import Base, db
from app.models import (
    AttachmentUse,
    Ban,
    Case,
    CaseRecord,
    CreditRecord,
    Document,
    Filing,
    Identifier,
    JournalLine,
    Office,
    RepairLetter,
    Subject,
)
from workflows.calendar import legal_day
from workflows.clockwork import RUNNING, Deadline, turn
from workflows.law import INTERNAL, Instrument, RuleRow, cite, instrument, instruments, rule

_LENGTHS = {"WD": "个工作日", "CD": "日", "M": "个月", "Y": "年"}


class Line(Protocol):
    """The journal line that issues a document, as far as the document needs it."""

    @property
    def id(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def act(self) -> str: ...
    @property
    def law(self) -> str: ...
    @property
    def edition(self) -> str: ...
    @property
    def answers(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Issuer:
    """The organ in whose name the document goes out: the case's office, or the organ above it for a division."""

    id: int
    name: str
    word: str
    review_body: str
    review_address: str
    phone: str
    address: str


@dataclass(frozen=True, slots=True)
class Party:
    """Whom the document addresses. `code` is empty for a natural person, whose ID number is never printed."""

    name: str
    code: str
    is_person: bool

    @property
    def you(self) -> str:
        """How the text speaks to them."""
        return "你" if self.is_person else "你单位"


@dataclass(frozen=True, slots=True)
class Matter:
    """The record a document is about."""

    public_id: str
    kind: str
    number: str
    title: str
    organ: str
    recognised_on: date
    cls: str
    minimum_last_day: date | None
    maximum_last_day: date | None
    duty: str
    annulled_on: date | None
    annulled_by: str
    excluded_by: str


@dataclass(frozen=True, slots=True)
class Letter:
    """The repair letter that was signed."""

    code: str
    signed_on: date


@dataclass(frozen=True, slots=True)
class Limit:
    """A time-limit after the step: its last day, the last day before an extension (`base`) and its length in words."""

    due_on: date | None
    base: date | None
    length: str
    provisional: bool


@dataclass(frozen=True, slots=True)
class Act:
    """An earlier step of the case: when, and what was answered."""

    at: datetime
    answers: Mapping[str, Any]

    @property
    def day(self) -> date:
        """Its civil day in Asia/Shanghai."""
        return legal_day(self.at)


@dataclass(frozen=True)
class Context:
    """Everything a template may see of a case at the moment of a step."""

    kind: str
    act: str
    at: datetime
    answers: Mapping[str, Any]
    law: str
    edition: str
    case_type: str
    case_edition: str
    case_number: str
    channel: str
    receipt: str
    filed_on: date | None
    t0: date | None
    t1: date | None
    t2: date | None
    office: Issuer
    party: Party
    record: Matter | None
    letter: Letter | None
    limits: Mapping[str, Limit]
    acts: Mapping[str, tuple[Act, ...]]
    files: Mapping[str, int] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    earlier: Mapping[str, str] = field(default_factory=dict)
    banned_until: date | None = None
    transferred_to: str = ""

    @property
    def today(self) -> date:
        """The civil day of the step in Asia/Shanghai: the date of the document."""
        return legal_day(self.at)

    @property
    def procedure_day(self) -> date:
        """The day that selects the rules of procedure (T0), today before it is known."""
        return self.t0 or self.today

    @property
    def received_on(self) -> date | None:
        """The day we received the application: T1, or the day it was filed."""
        return self.t1 or self.filed_on

    @property
    def basis(self) -> str:
        """The instruments the step rests on, in full, as they stand in force on its day; "" for our own procedure."""
        return basis(self.law, self.today)

    def last(self, act: str) -> Act | None:
        """The latest step of this name."""
        return self.acts[act][-1] if act in self.acts else None

    def row(self, key: str, day: date | None = None) -> RuleRow:
        """The law row in force on `day` (by default the day that selects the rules of procedure)."""
        return rule(key).on(day or self.procedure_day)

    def length(self, key: str, day: date | None = None) -> str:
        """A period of the law in words: 60日, 6个月, 3个工作日."""
        found = self.row(key, day)
        return length(int(found.value or 0), found.unit)

    @property
    def due_on(self) -> date | None:
        """The earlier of the last days by which the result is owed."""
        days = [limit.due_on for code in ("decide", "total") if (limit := self.limits.get(code)) and limit.due_on]
        return min(days, default=None)

    @property
    def provisional(self) -> bool:
        """True when a date by which something is owed rests on a calendar not announced yet."""
        return any(limit.provisional for limit in self.limits.values())


def length(value: int, unit: str) -> str:
    """A period in words; "" for one that was not counted."""
    return f"{value}{_LENGTHS[unit]}" if unit in _LENGTHS else ""


@lru_cache(maxsize=256)
def basis(law: str, day: date) -> str:
    """A step's reference (`SC22; NDRC36 3`) in full, with articles that were seen, joined for a sentence.

    An instrument that was not in force on `day` gives way to the one it replaced, without an article, or is left out.
    Our own procedure (D) is no legal basis and yields nothing.
    """
    named = []
    for reference in law.split(";"):
        key = reference.split()[0]
        if key == INTERNAL:
            continue
        found: Instrument | None = instrument(key)
        articles = cite(reference.strip()).removeprefix(f"《{instrument(key).short}》")
        while found is not None and found.in_force_from is not None and found.in_force_from > day:
            eve = date.fromordinal(found.in_force_from.toordinal() - 1)
            found = next((each for each in instruments() if each.in_force_until == eve), None)
            articles = ""
        if found is not None:
            named.append(found.citation + articles)
    return "、".join(dict.fromkeys(named))


def load(case_id: int, kind: str, line: Line) -> Context:
    """The context of a document of `kind` issued by `line`, read inside the caller's transaction."""
    row = db.session.execute(_case(), {"case": case_id}).one()
    acts: dict[str, tuple[Act, ...]] = {}
    deadlines: tuple[Deadline, ...] = ()
    for entry in db.session.execute(_journal(), {"case": case_id}):
        acts[entry.act] = (*acts.get(entry.act, ()), Act(entry.at, entry.answers or {}))
        deadlines = turn(deadlines, entry.clocks)
    receivers = [deadline.item for deadline in deadlines if deadline.clock == "receiver"]
    to = str(line.answers.get("to", ""))
    names = _names([*receivers, to])
    files, earlier = _papers(case_id)
    return Context(
        kind=kind,
        act=line.act,
        at=line.at,
        answers=dict(line.answers),
        law=line.law,
        edition=line.edition,
        case_type=row.type,
        case_edition=row.edition,
        case_number=row.number,
        channel=row.channel,
        receipt=row.receipt,
        filed_on=legal_day(row.filed_at) if row.filed_at else None,
        t0=legal_day(row.t0) if row.t0 else None,
        t1=legal_day(row.t1) if row.t1 else None,
        t2=legal_day(row.t2) if row.t2 else None,
        office=_issuer(row),
        party=Party(row.subject_name, row.subject_code or "", row.subject_kind == "person"),
        record=_matter(row) if row.record_number is not None else None,
        letter=Letter(row.letter_code, legal_day(row.letter_signed)) if row.letter_code else None,
        limits={deadline.clock: _limit(deadline) for deadline in deadlines if not deadline.item},
        acts=acts,
        files=files,
        told=tuple(
            names[code].name for code in receivers if code in names and "linked" in names[code].receives.split()
        ),
        earlier=earlier,
        banned_until=row.banned_until,
        transferred_to=names[to].name if to in names else to,
    )


@lru_cache(maxsize=1)
def _case() -> Select[Any]:
    """Case, subject, office, record and letter in one row. Statements are built once: building costs most."""
    case, filing, subject, office, link, record, letter, identifier, ban = _tables(
        Case, Filing, Subject, Office, CaseRecord, CreditRecord, RepairLetter, Identifier, Ban
    )
    recogniser = office.alias("recogniser")
    code = (
        select(identifier.c.value)
        .where(
            identifier.c.subject_id == case.c.subject_id,
            identifier.c.kind == "uscc",
            identifier.c.valid_until.is_(None),
            identifier.c.value.is_not(None),
        )
        .order_by(identifier.c.valid_from.desc(), identifier.c.id.desc())
        .limit(1)
        .correlate(case)
        .scalar_subquery()
    )
    banned = select(ban.c.until).where(ban.c.case_id == case.c.id).limit(1).correlate(case).scalar_subquery()
    return (
        select(
            case.c.number, case.c.type, case.c.edition, case.c.channel, case.c.filed_at, case.c.t0, case.c.t1,
            case.c.t2, filing.c.receipt,
            subject.c.name.label("subject_name"), subject.c.kind.label("subject_kind"), code.label("subject_code"),
            office.c.id.label("office_id"), office.c.kind.label("office_kind"), office.c.path.label("office_path"),
            office.c.name.label("office_name"), office.c.word, office.c.review_body, office.c.review_address,
            office.c.phone, office.c.address,
            record.c.public_id, record.c.kind.label("record_kind"), record.c.number.label("record_number"),
            record.c.title.label("record_title"), record.c.recognised_on, record.c.cls, record.c.minimum_last_day,
            record.c.maximum_last_day, record.c.duty, record.c.annulled_on, record.c.annulled_by,
            record.c.excluded_by, recogniser.c.name.label("record_organ"),
            letter.c.code.label("letter_code"), letter.c.signed_at.label("letter_signed"),
            banned.label("banned_until"),
        )
        .join_from(case, filing, filing.c.id == case.c.filing_id)
        .join(subject, subject.c.id == case.c.subject_id)
        .join(office, office.c.id == case.c.office_id)
        .outerjoin(link, link.c.case_id == case.c.id)
        .outerjoin(record, record.c.id == link.c.record_id)
        .outerjoin(recogniser, recogniser.c.id == record.c.office_id)
        .outerjoin(letter, letter.c.case_id == case.c.id)
        .where(case.c.id == bindparam("case"))
        .limit(1)
    )  # fmt: skip


@lru_cache(maxsize=1)
def _journal() -> Select[Any]:
    (line,) = _tables(JournalLine)
    return (
        select(line.c.act, line.c.at, line.c.answers, line.c.clocks)
        .where(line.c.about == "case", line.c.about_id == bindparam("case"))
        .order_by(line.c.seq)
    )


def _tables(*models: type[Base]) -> tuple[Table, ...]:
    return tuple(model.__table__ for model in models)


def _issuer(row: Any) -> Issuer:
    """A division (处室) has no name of its own towards the outside: the organ above it speaks."""
    if row.office_kind == "division":
        above = [int(part) for part in row.office_path.split("/") if part and int(part) != row.office_id]
        organs = db.session.execute(
            select(
                Office.id,
                Office.name,
                Office.word,
                Office.review_body,
                Office.review_address,
                Office.phone,
                Office.address,
                Office.path,
            ).where(Office.id.in_(above), Office.kind != "division")
        ).all()
        if organs:
            nearest = max(organs, key=lambda organ: len(organ.path))
            return Issuer(
                nearest.id, nearest.name, nearest.word, nearest.review_body, nearest.review_address,
                row.phone or nearest.phone, row.address or nearest.address,
            )  # fmt: skip
    return Issuer(row.office_id, row.office_name, row.word, row.review_body, row.review_address, row.phone, row.address)


def issuer_of(office_id: int) -> Issuer:
    """The organ in whose name an office's papers go out."""
    row = db.session.execute(
        select(
            Office.id.label("office_id"), Office.kind.label("office_kind"), Office.path.label("office_path"),
            Office.name.label("office_name"), Office.word, Office.review_body, Office.review_address, Office.phone,
            Office.address,
        ).where(Office.id == office_id)
    ).one()  # fmt: skip
    return _issuer(row)


def _matter(row: Any) -> Matter:
    return Matter(
        public_id=row.public_id,
        kind=row.record_kind,
        number=row.record_number,
        title=row.record_title,
        organ=row.record_organ,
        recognised_on=row.recognised_on,
        cls=row.cls,
        minimum_last_day=row.minimum_last_day,
        maximum_last_day=row.maximum_last_day,
        duty=row.duty,
        annulled_on=row.annulled_on,
        annulled_by=row.annulled_by,
        excluded_by=row.excluded_by,
    )


def _limit(deadline: Deadline) -> Limit:
    counted = length(deadline.value, deadline.unit)
    return Limit(deadline.due_on, deadline.base, counted, deadline.provisional and deadline.state == RUNNING)


def _papers(case_id: int) -> tuple[dict[str, int], dict[str, str]]:
    """How many files serve each purpose in the case, and the number of its last document of each kind."""
    rows = db.session.execute(_papers_query(), {"case": case_id}).all()
    documents = sorted((row for row in rows if row.what == "document"), key=lambda row: int(row.n))
    return (
        {row.which: row.n for row in rows if row.what == "file"},
        {row.which: row.number for row in documents},
    )


@lru_cache(maxsize=1)
def _papers_query() -> CompoundSelect[Any]:
    use, document = _tables(AttachmentUse, Document)
    used = (
        select(literal("file").label("what"), use.c.purpose.label("which"), literal("").label("number"),
               func.count().label("n"))
        .where(use.c.case_id == bindparam("case"))
        .group_by(use.c.purpose)
    )  # fmt: skip
    issued = select(literal("document"), document.c.kind, document.c.number, document.c.id).where(
        document.c.case_id == bindparam("case"), document.c.withdrawn_at.is_(None)
    )
    return union_all(used, issued)


def _names(codes: list[str]) -> dict[str, Any]:
    """Offices by their code; codes that name none are left out."""
    wanted = [code for code in codes if code]
    if not wanted:
        return {}
    rows = db.session.execute(_offices(), {"codes": wanted}).all()
    return {row.code: row for row in rows}


@lru_cache(maxsize=1)
def _offices() -> Select[Any]:
    (office,) = _tables(Office)
    return select(office.c.code, office.c.name, office.c.receives).where(
        office.c.code.in_(bindparam("codes", expanding=True))
    )


def remedy(context: Context) -> dict[str, str]:
    """Where and how long the document can be contested, the body being the issuing organ's. Raises NothingInForce."""
    return {
        "body": context.office.review_body,
        "online": context.office.review_address,
        "review": context.length("remedy.review_within", context.today),
        "suit": context.length("remedy.suit_within", context.today),
    }
