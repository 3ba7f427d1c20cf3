"""Credit records as officers see them: the list, and everything about one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import abort, url_for
from flask_babel import gettext as _
from sqlalchemy import and_, or_, select

from app.casework.actor import Person
from app.casework.keyset import Order, Page, page_of
from app.casework.receive import ACT as RECEIPT
from app.casework.sight import records_visible_to
from app.db import db
from app.journal import problems_of
from app.models import (
    Case,
    CaseRecord,
    CreditRecord,
    DeadlineRow,
    Identifier,
    JournalLine,
    Office,
    Subject,
)
from app.registry.annul import CLOCK, CLOCK_TITLE
from app.registry.assign_class import is_unclassed
from app.registry.directory import entries
from app.registry.hands import not_theirs
from app.registry.publish import STATUS, STATUS_TITLES, deed_on, status_of
from app.registry.working_days import office_calendar
from app.views.basis import Basis, attested, basis_of, row_of
from app.views.case_journal import LogLine, receipt_note
from app.views.dues import Due, limit_of
from app.views.record_terms import DEEDS, History, Term, history_of, shown_now, terms_of
from app.views.register_papers import notice_of
from app.views.texts import article, day_year
from workflows import workflow
from workflows.calendar import Computation, legal_day
from workflows.clockwork import Deadline
from workflows.people import ROLE_TITLES, Role

PAGE = 25
ACTS = {
    "annul": "登记处罚撤销",
    "withdraw": "撤回信息",
    "classify": "确定失信类别",
    "repair_notice": "出具信用修复告知书",
    "receipt": "接收单位回执",
    "recount": "放假安排变动，期限重新计算",
}


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A record in a list."""

    public_id: str
    subject: str
    code: str
    title: str
    number: str
    office: str
    recognised_on: date
    cls: str
    unclassed: bool
    status: str
    status_title: str
    minimum_last_day: date | None
    maximum_last_day: date | None
    annulled_on: date | None
    open_case: str
    url: str


@dataclass(frozen=True, slots=True)
class CaseOf:
    """A case about a record."""

    number: str
    title: str
    state_title: str
    final: bool
    since: datetime
    url: str


@dataclass(frozen=True)
class RecordPage:
    """Everything `desk/record.html` shows."""

    record: Any
    public_id: str
    status: str
    status_title: str
    history: History
    deeds: Mapping[str, str]
    terms: tuple[Term, ...]
    cases: tuple[CaseOf, ...]
    journal: tuple[LogLine, ...]
    intact: bool
    withdrawal: Due | None
    computation: Computation | None
    basis: Basis | None
    fields: tuple[tuple[str, str], ...]
    directory: str
    unclassed: bool
    may_change: bool
    today: date
    notice: Any


def list_records(
    who: Person, today: date, wanted: Mapping[str, str], after: str | None, before: str | None
) -> Page[RecordLine]:
    """Records of the officer's offices and those below, the latest recognition first."""
    status = deed_on(today)
    open_case = (
        select(Case.number)
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .where(CaseRecord.open_record == CreditRecord.id, Case.filed_at.is_not(None))
        .limit(1)
        .correlate(CreditRecord)
        .scalar_subquery()
    )
    query: Any = (
        select(
            *CreditRecord.__table__.c, Subject.name.label("subject"), Office.name.label("office"),
            _code().label("code"), status.label("status"), open_case.label("open_case"),
            CreditRecord.recognised_on.label("mark"),
        )
        .join(Subject, Subject.id == CreditRecord.subject_id)
        .join(Office, Office.id == CreditRecord.office_id)
        .where(records_visible_to(replace(who, mandates=frozenset())))
    )  # fmt: skip
    for condition in _conditions(wanted, status):
        query = query.where(condition)
    order = Order(CreditRecord.recognised_on, CreditRecord.id, "day", down=True)
    page = page_of(query, order, after=after, before=before, limit=PAGE)
    return Page(tuple(_record_line(row) for row in page.rows), page.before, page.after)


def _conditions(wanted: Mapping[str, str], status: Any) -> list[Any]:
    found: list[Any] = []
    cls, standing, office, text = (wanted.get(name, "") for name in ("cls", "status", "office", "text"))
    if cls == "none":
        open_ended = CreditRecord.maximum_last_day.is_(None) & CreditRecord.minimum_last_day.is_(None)
        found.append(and_(CreditRecord.cls == "", open_ended))
    elif cls:
        found.append(CreditRecord.cls == cls)
    if standing == "unpublished":
        found.append(status.is_(None))
    elif standing:
        found.append(status == next(deed for deed, name in STATUS.items() if name == standing))
    if office:
        path = select(Office.path).where(Office.id == int(office)).scalar_subquery()
        found.append(CreditRecord.office_id.in_(select(Office.id).where(Office.path.startswith(path))))
    if text:
        folded = "".join(text.split()).upper()
        of_code = select(Identifier.subject_id).where(Identifier.kind == "uscc", Identifier.value == folded)
        found.append(
            or_(
                CreditRecord.subject_id.in_(of_code),
                Subject.name.contains(text, autoescape=True),
                CreditRecord.number.contains(text, autoescape=True),
            )
        )
    return found


def _record_line(row: Any) -> RecordLine:
    status = status_of(row.status)
    return RecordLine(
        public_id=row.public_id,
        subject=row.subject,
        code=row.code or "",
        title=row.title,
        number=row.number,
        office=row.office,
        recognised_on=row.recognised_on,
        cls=row.cls,
        unclassed=is_unclassed(row),
        status=status,
        status_title=_(STATUS_TITLES[status]),
        minimum_last_day=row.minimum_last_day,
        maximum_last_day=row.maximum_last_day,
        annulled_on=row.annulled_on,
        open_case=row.open_case or "",
        url=url_for("desk.record", public_id=row.public_id),
    )


def record_page(public_id: str, who: Person, at: datetime) -> RecordPage:
    """Everything about a record of the officer's offices or those below; 404 for any other."""
    today = legal_day(at)
    record = db.session.execute(
        select(
            *CreditRecord.__table__.c, Subject.name.label("subject"), Subject.kind.label("subject_kind"),
            Office.name.label("office"), _code().label("code"),
        )
        .join(Subject, Subject.id == CreditRecord.subject_id)
        .join(Office, Office.id == CreditRecord.office_id)
        .where(CreditRecord.public_id == public_id, records_visible_to(replace(who, mandates=frozenset())))
    ).first()  # fmt: skip
    if record is None:
        abort(404)
    history = history_of(record.id, today)
    status = shown_now(history.facts, today)
    lines = db.session.execute(
        select(*JournalLine.__table__.c)
        .where(JournalLine.about == "record", JournalLine.about_id == record.id)
        .order_by(JournalLine.seq)
    ).all()
    withdrawal, computation, basis = _withdrawal(record.id, today)
    return RecordPage(
        record=record,
        public_id=public_id,
        status=status,
        status_title=_(STATUS_TITLES[status]),
        history=history,
        deeds=DEEDS,
        terms=terms_of(record.recognised_on, record.minimum_last_day, record.maximum_last_day),
        cases=_cases(record.id),
        journal=tuple(_log_line(line) for line in reversed(lines)),
        intact=not problems_of(lines),
        withdrawal=withdrawal,
        computation=computation,
        basis=basis,
        fields=_fields(record),
        directory=_directory(record.directory),
        unclassed=is_unclassed(record),
        may_change=not not_theirs(who, record.office_id, record.subject_id),
        today=today,
        notice=notice_of(record.id) if record.kind == "penalty" else None,
    )


def _code() -> Any:
    return (
        select(Identifier.value)
        .where(
            Identifier.subject_id == CreditRecord.subject_id,
            Identifier.kind == "uscc",
            Identifier.valid_until.is_(None),
        )
        .limit(1)
        .correlate(CreditRecord)
        .scalar_subquery()
    )


def _cases(record_id: int) -> tuple[CaseOf, ...]:
    """Cases about the record that have been handed in; a draft is the filer's own paper."""
    rows = db.session.execute(
        select(Case.number, Case.type, Case.edition, Case.state, Case.final, Case.state_since)
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .where(CaseRecord.record_id == record_id, Case.filed_at.is_not(None))
        .order_by(Case.id.desc())
        .limit(20)
    ).all()
    found = []
    for row in rows:
        definition = workflow(row.type, row.edition)
        url = url_for("desk.case", number=row.number)
        state = _(definition.state[row.state].title)
        found.append(CaseOf(row.number, _(definition.title), state, row.final, row.state_since, url))
    return tuple(found)


def _withdrawal(record_id: int, today: date) -> tuple[Due | None, Computation | None, Basis | None]:
    """The time-limit for withdrawing the information, how it was counted, and on what it rests."""
    row = db.session.execute(
        select(*DeadlineRow.__table__.c).where(
            DeadlineRow.about == "record", DeadlineRow.about_id == record_id, DeadlineRow.clock == CLOCK
        )
    ).first()
    if row is None:
        return None, None, None
    deadline = Deadline(**{name: getattr(row, name) for name in Deadline.__dataclass_fields__})
    calendar = office_calendar()
    law_row = row_of(deadline.rule, deadline.row)
    basis = basis_of(law_row, attested([law_row.digest])) if law_row else None
    due = limit_of(deadline, _(CLOCK_TITLE), calendar, today)
    return due, deadline.computation(calendar), basis


def _log_line(line: Any) -> LogLine:
    answers = line.answers or {}
    said = [str(answers[name]) for name in ("cls", "reason") if answers.get(name)]
    if line.act == RECEIPT:
        said = [receipt_note(answers)]
    if answers.get("day"):
        said.insert(0, day_year(date.fromisoformat(answers["day"])))
    return LogLine(
        at=line.at,
        title=_(ACTS.get(line.act, line.act)),
        person=line.person_name,
        role=_(ROLE_TITLES[Role(line.role)]) if line.role else "",
        office="",
        on_behalf_of="",
        law_text=article(line.law),
        note="；".join(said),
    )


def _fields(record: Any) -> tuple[tuple[str, str], ...]:
    """The record's fields under the names of its directory; numbers that identify a person stay sealed."""
    entry = next((e for e in entries() if f"{e.code}/{e.edition}" == record.directory), None)
    if entry is None:
        return tuple((name, str(value)) for name, value in record.fields.items())
    named = [(entry.by_code.get(code), value) for code, value in record.fields.items()]
    shown = [(field, value) for field, value in named if field is not None and not field.is_secret]
    return tuple((field.name, str(value)) for field, value in shown if value)


def _directory(directory: str) -> str:
    entry = next((e for e in entries() if f"{e.code}/{e.edition}" == directory), None)
    return _("%(title)s，%(edition)s 版", title=entry.title, edition=entry.edition) if entry else ""
