"""An application as its filer fills it in: one question a page, what is missing, and what became of each part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.actor import Person
from app.casework.facts import NoSuchCase, case_facts, records_of
from app.casework.submit import SUBMIT, SUBMIT_EARLY, way_in
from app.db import db
from app.models import (
    Attachment,
    AttachmentUse,
    Case,
    CaseRecord,
    CreditRecord,
    DeadlineRow,
    Document,
    Filing,
    JournalLine,
    Office,
    Repair,
    RepairLetter,
    Subject,
)
from app.views.my_records import wrong_in_words
from app.views.refusals import No, no_of
from workflows import workflow
from workflows.calendar import Calendar, legal_day, reckon
from workflows.engine import refusals
from workflows.grammar import DUTY_PERFORMED, Facts
from workflows.law import rule

LETTER, PROOF = "letter", "duty_proof"


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was handed in."""

    use_id: int
    name: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class Part:
    """One case of the filing. `no` says why it cannot be handed in now; only a draft has any."""

    number: str
    version: int
    title: str
    record_number: str
    cls: str
    office: str
    state: str
    state_title: str
    draft: bool
    way: str
    no: tuple[No, ...]
    proof_needed: bool
    files: tuple[Kept, ...]
    letter_code: str
    release_day: date | None
    provisional: bool
    answer_by: date | None
    receipt_url: str
    receipt_number: str

    @property
    def early(self) -> bool:
        """It is, or will be, handed in before the minimum period has passed."""
        return self.way == SUBMIT_EARLY


@dataclass(frozen=True, slots=True)
class Question:
    """A page of the application: which of how many, whether it has been answered, which part it is about."""

    kind: str
    title: str
    url: str
    answered: bool
    number: str
    position: int
    count: int


@dataclass(frozen=True, slots=True)
class Application:
    """A filing with its cases; `questions` are the pages still open to its filer, none when every part is handed in."""

    receipt: str
    subject_name: str
    subject_kind: str
    contact: str
    phone: str
    statement: str
    saved_at: datetime | None
    parts: tuple[Part, ...]
    questions: tuple[Question, ...]
    drop_on: date | None

    @property
    def drafts(self) -> tuple[Part, ...]:
        """Parts not handed in yet."""
        return tuple(part for part in self.parts if part.draft)

    @property
    def handed_in(self) -> tuple[Part, ...]:
        """Parts that have left the filer's desk, and were not thrown away as a draft."""
        return tuple(part for part in self.parts if part.way and not part.draft)

    @property
    def dropped(self) -> tuple[Part, ...]:
        """Drafts that were discarded or lapsed."""
        return tuple(part for part in self.parts if not part.draft and not part.way)

    @property
    def ready(self) -> tuple[Part, ...]:
        """Drafts against which nothing stands."""
        return tuple(part for part in self.drafts if not part.no)

    def question(self, kind: str, number: str = "") -> Question:
        """The page of this kind (about this case). Raises NoSuchCase when the application does not ask it."""
        found = next((q for q in self.questions if q.kind == kind and q.number == number), None)
        if found is None:
            raise NoSuchCase(number or self.receipt)
        return found

    def after(self, question: Question) -> Question:
        """The page that follows."""
        return self.questions[min(question.position, len(self.questions) - 1)]

    def before(self, question: Question) -> Question | None:
        """The page that comes before, None on the first."""
        return self.questions[question.position - 2] if question.position > 1 else None

    def part(self, number: str) -> Part:
        """The part of this case number. Raises NoSuchCase."""
        found = next((part for part in self.parts if part.number == number), None)
        if found is None:
            raise NoSuchCase(number)
        return found

    @property
    def unanswered(self) -> Question | None:
        """The first page not answered yet."""
        return next((q for q in self.questions if not q.answered and q.kind != "check"), None)


def receipt_of(number: str, who: Person) -> str:
    """The filing a case of this person came with. Raises NoSuchCase."""
    receipt: str | None = db.session.execute(
        select(Filing.receipt)
        .join(Case, Case.filing_id == Filing.id)
        .where(Case.number == number, Case.subject_id.in_(sorted(who.mandates)))
    ).scalar()
    if receipt is None:
        raise NoSuchCase(number)
    return receipt


def application(receipt: str, who: Person, at: datetime) -> Application:
    """The filing of this receipt number, for whoever may act for its subject; seven statements. Raises NoSuchCase."""
    rows = _rows(receipt, who)
    if not rows:
        raise NoSuchCase(receipt)
    ids = [row.id for row in rows]
    files = _files(ids)
    ways = _handed_in(ids)
    due = _last_days(ids)
    receipts = _receipts(ids)
    known = {facts.record.id: facts for _row, facts in records_of(rows[0].subject_id, at) if facts.record}
    parts = tuple(
        _part(row, files.get(row.id, []), ways.get(row.id, ""), due.get(row.id, {}), receipts.get(row.id),
              known[row.record_id], who, at)
        for row in rows
    )  # fmt: skip
    head = rows[0]
    last_days = [due.get(row.id, {}).get("draft") for row, part in zip(rows, parts, strict=True) if part.draft]
    return Application(
        receipt=receipt,
        subject_name=head.subject_name,
        subject_kind=head.subject_kind,
        contact=head.contact,
        phone=head.phone,
        statement=head.statement,
        saved_at=head.saved_at,
        parts=parts,
        questions=_questions(receipt, parts, bool(head.saved_at and head.contact and head.phone)),
        drop_on=min((day for day in last_days if day), default=None),
    )


def _rows(receipt: str, who: Person) -> Sequence[Any]:
    return db.session.execute(
        select(
            Case.id, Case.number, Case.version, Case.type, Case.edition, Case.state, Case.subject_id, Case.office_id,
            Case.channel, Case.opened_at, Case.t0, Case.t1, Subject.name.label("subject_name"),
            Subject.kind.label("subject_kind"), Office.name.label("office_name"),
            CreditRecord.id.label("record_id"), CreditRecord.title, CreditRecord.fields,
            CreditRecord.number.label("record_number"), CreditRecord.cls, Repair.contact, Repair.phone,
            Repair.statement, Repair.saved_at, RepairLetter.code.label("letter_code"),
        )
        .join(Filing, Filing.id == Case.filing_id)
        .join(Subject, Subject.id == Case.subject_id)
        .join(Office, Office.id == Case.office_id)
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .join(CreditRecord, CreditRecord.id == CaseRecord.record_id)
        .join(Repair, Repair.case_id == Case.id)
        .outerjoin(RepairLetter, RepairLetter.case_id == Case.id)
        .where(Filing.receipt == receipt, Filing.subject_id.in_(sorted(who.mandates)))
        .order_by(Case.id)
    ).all()  # fmt: skip


def _files(ids: list[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in db.session.execute(
        select(
            AttachmentUse.id, AttachmentUse.case_id, AttachmentUse.purpose, Attachment.name, Attachment.size
        )
        .join(Attachment, Attachment.id == AttachmentUse.attachment_id)
        .where(AttachmentUse.case_id.in_(ids), AttachmentUse.purpose == PROOF)
        .order_by(AttachmentUse.id)
    ):  # fmt: skip
        found.setdefault(row.case_id, []).append(row)
    return found


def _handed_in(ids: list[int]) -> dict[int, str]:
    """The step by which each case was handed in."""
    rows = db.session.execute(
        select(JournalLine.about_id, JournalLine.act).where(
            JournalLine.about == "case", JournalLine.about_id.in_(ids), JournalLine.act.in_((SUBMIT, SUBMIT_EARLY))
        )
    )
    return {row.about_id: row.act for row in rows}


def _last_days(ids: list[int]) -> dict[int, dict[str, date]]:
    """The last day of each time-limit of these cases."""
    found: dict[int, dict[str, date]] = {}
    for row in db.session.execute(
        select(DeadlineRow.about_id, DeadlineRow.clock, DeadlineRow.due_on).where(
            DeadlineRow.about == "case", DeadlineRow.about_id.in_(ids), DeadlineRow.due_on.is_not(None)
        )
    ):
        found.setdefault(row.about_id, {})[row.clock] = row.due_on
    return found


def _receipts(ids: list[int]) -> dict[int, Any]:
    rows = db.session.execute(
        select(Document.id, Document.case_id, Document.number).where(
            Document.case_id.in_(ids), Document.kind == "receipt"
        )
    )
    return {row.case_id: row for row in rows}


def _part(
    row: Any,
    files: list[Any],
    handed_in: str,
    due: dict[str, date],
    receipt: Any,
    known: Facts,
    who: Person,
    at: datetime,
) -> Part:
    definition = workflow(row.type, row.edition)
    state = definition.state[row.state]
    facts = _facts(row, files, known)
    assert facts.record is not None
    way = way_in(definition, facts, at) if state.private else handed_in
    no = refusals(definition, way, facts, who, at) if state.private else []
    release = None
    if way == SUBMIT_EARLY and facts.record.minimum_last_day is not None:
        release = facts.calendar.next_working(date.fromordinal(facts.record.minimum_last_day.toordinal() + 1))
    return Part(
        number=row.number,
        version=row.version,
        title=wrong_in_words(row.title, row.fields or {}),
        record_number=row.record_number,
        cls=row.cls,
        office=row.office_name,
        state=row.state,
        state_title=_(state.title),
        draft=state.private,
        way=way,
        no=tuple(no_of(refusal) for refusal in no),
        proof_needed=facts.record.duty != DUTY_PERFORMED,
        files=tuple(
            Kept(
                file.id, file.name, file.size,
                url_for("enterprise.file", number=row.number, use_id=file.id),
            )
            for file in files
        ),
        letter_code=row.letter_code or "",
        release_day=release,
        provisional=release is not None and facts.calendar.is_provisional(release),
        answer_by=_answer_by(due, facts.calendar, at) if row.state == "submitted" else None,
        receipt_url=url_for("enterprise.document", number=row.number, document_id=receipt.id) if receipt else "",
        receipt_number=receipt.number if receipt else "",
    )  # fmt: skip


def _facts(row: Any, files: list[Any], known: Facts) -> Facts:
    """What the law room must know of a draft; the record's own open case is the draft itself."""
    assert known.record is not None
    other = known.record.other_open_case
    return replace(
        known,
        case=case_facts(row),
        record=replace(known.record, other_open_case="" if other == row.number else other),
        papers=frozenset(([LETTER] if row.letter_code else []) + ([PROOF] if files else [])),
    )


def _answer_by(due: dict[str, date], calendar: Calendar, at: datetime) -> date | None:
    """By when the applicant is told whether it is accepted: counted from the day of receipt, or from its last day."""
    if "accept" in due:
        return due["accept"]
    if "receive" not in due:
        return None
    within = rule("repair.accept_within").on(legal_day(at))
    return reckon(calendar, due["receive"], int(within.value or 0), within.unit, within.shift).due_on


def _questions(receipt: str, parts: tuple[Part, ...], contact_known: bool) -> tuple[Question, ...]:
    """The pages of an application: contact, for each draft its papers and its letter, then all of it at a glance."""
    drafts = [part for part in parts if part.draft]
    if not drafts:
        return ()
    asked: list[tuple[str, str, str, bool, str]] = [
        ("contact", _("怎样联系您"), url_for("enterprise.contact", receipt=receipt), contact_known, "")
    ]
    for part in drafts:
        if part.proof_needed:
            url = url_for("enterprise.papers", number=part.number)
            asked.append(("papers", _("证明材料"), url, bool(part.files), part.number))
        url = url_for("enterprise.letter", number=part.number)
        asked.append(("letter", _("信用修复承诺书"), url, bool(part.letter_code), part.number))
    asked.append(("check", _("核对并提交"), url_for("enterprise.filing", receipt=receipt), False, ""))
    return tuple(
        Question(kind, title, url, answered, number, position, len(asked))
        for position, (kind, title, url, answered, number) in enumerate(asked, 1)
    )
