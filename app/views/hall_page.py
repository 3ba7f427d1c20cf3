"""What the pages of the hall window show: the applicant, their records, what became of an application."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import abort, current_app, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select

from app.casework.actor import Person
from app.casework.sight import cases_visible_to
from app.db import db
from app.models import Case, CaseRecord, CreditRecord, DeadlineRow, Document, Filing, Identifier, Office, Subject, User
from app.registry.blind import blind_index
from app.registry.codes import check_code, check_id_number
from app.registry.text import fold
from app.views.my_records import Card, cards_of, wrong_in_words
from app.views.refusals import No, no_of
from workflows import workflow
from workflows.grammar import Refusal

MOST = 20
"""How many subjects of a name are listed; whoever gets more must say more."""


@dataclass(frozen=True, slots=True)
class Applicant:
    """Whoever an application is for. `code` is empty for a natural person."""

    id: int
    name: str
    kind: str
    code: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A published record that another office recognised: where its application must go."""

    number: str
    title: str
    office: str
    phone: str


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one record: its case, or why there is none."""

    number: str
    title: str
    record_number: str
    state: str
    state_title: str
    due: date | None
    receipt_number: str
    receipt_url: str
    url: str
    no: tuple[No, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """An application taken in at the window, for its receipt."""

    receipt: str
    other_number: str
    subject: str
    code: str
    at: datetime
    received_on: date
    officer: str
    office: str
    parts: tuple[Part, ...]

    @property
    def filed(self) -> tuple[Part, ...]:
        """Those that have a case."""
        return tuple(part for part in self.parts if part.number)

    @property
    def refused(self) -> tuple[Part, ...]:
        """Those that have none."""
        return tuple(part for part in self.parts if not part.number)


def find(text: str) -> tuple[list[Applicant], str]:
    """Whom somebody means by a code, an identity number or a part of a name; or a sentence that says what is wrong.

    Natural persons are found by their number only.
    """
    looks_like_a_number = len(fold(text)) == 18 and fold(text).isascii()
    person_id = check_id_number(text)
    if person_id.ok:
        index = bytes.fromhex(current_app.config["INDEX_KEY"])
        found = _applicants(Identifier.blind == blind_index(person_id.code, index, "identifier"))
        return found, "" if found else _("没有这个身份证号码的信用信息。请核对号码。")
    verdict = check_code(text)
    if verdict.ok:
        found = _applicants(Subject.id.in_(_holders(verdict.code)), Subject.kind != "person")
        return found, "" if found else _("没有统一社会信用代码为%(code)s的主体。请核对代码。", code=verdict.code)
    if looks_like_a_number:
        return [], "；".join(str(problem) for problem in verdict.problems) + "。"
    found = _applicants(Subject.name.contains(text, autoescape=True), Subject.kind != "person")
    if not found:
        return [], _("没有名称里含有“%(text)s”的单位。请核对名称，或者输入统一社会信用代码。", text=text)
    if len(found) > MOST:
        return [], _("名称里含有“%(text)s”的单位太多，请写全名称，或者输入统一社会信用代码。", text=text)
    return found, ""


def applicant(subject_id: int) -> Applicant:
    """The subject of a page; 404 when there is none."""
    found = _applicants(Subject.id == subject_id)
    return found[0] if found else abort(404)


def records_for(subject_id: int, who: Person, at: datetime) -> tuple[list[Card], list[Elsewhere]]:
    """The records this window may take an application for, and where the published others belong."""
    mine = {one.office for one in who.carries if one.channel == "hall"}
    cards = cards_of(subject_id, at)
    ours = [
        replace(
            card,
            url=url_for("desk.record", public_id=card.public_id),
            action_url="",
            action_title="",
            bring=(_("信用修复承诺书，签好后扫描"), *card.bring[1:]) if card.bring else (),
        )
        for card in cards
        if card.row.office_id in mine
    ]
    others = [
        Elsewhere(card.record.number, card.record.title, card.office, card.phone)
        for card in cards
        if card.row.office_id not in mine and card.row.status == "publish"
    ]
    return ours, others


def taken(receipt: str, who: Person) -> Taken:
    """An application taken in at a window of this officer's offices; to others it does not exist."""
    filing = db.session.execute(
        select(
            Filing.id, Filing.receipt, Filing.other_number, Filing.at, Filing.brought, Subject.name,
            Identifier.value.label("code"), User.name.label("officer"),
        )
        .join(Subject, Subject.id == Filing.subject_id)
        .join(User, User.id == Filing.user_id)
        .outerjoin(
            Identifier,
            (Identifier.subject_id == Subject.id) & (Identifier.kind == "uscc") & Identifier.valid_until.is_(None),
        )
        .where(Filing.receipt == receipt, Filing.channel == "hall")
        .limit(1)
    ).first()  # fmt: skip
    cases = {} if filing is None else {row.number: row for row in db.session.execute(_cases(filing.id, who))}
    if filing is None or not cases:
        abort(404)
    due = _due([row.id for row in cases.values()])
    said = filing.brought["records"]
    records = {
        row.id: row
        for row in db.session.execute(
            select(CreditRecord.id, CreditRecord.number, CreditRecord.title, CreditRecord.fields).where(
                CreditRecord.id.in_([one["record"] for one in said])
            )
        )
    }
    return Taken(
        receipt=filing.receipt,
        other_number=filing.other_number,
        subject=filing.name,
        code=filing.code or "",
        at=filing.at,
        received_on=date.fromisoformat(filing.brought["received_on"]),
        officer=filing.officer,
        office="、".join(sorted({row.office for row in cases.values()})),
        parts=tuple(_part(one, records.get(one["record"]), cases, due) for one in said),
    )


def _part(said: dict[str, Any], record: Any, cases: dict[str, Any], due: dict[int, date]) -> Part:
    case = cases.get(said["number"])
    return Part(
        number=case.number if case else "",
        title=wrong_in_words(record.title, record.fields or {}) if record else "",
        record_number=record.number if record else "",
        state=case.state if case else "",
        state_title=_(workflow(case.type, case.edition).state[case.state].title) if case else "",
        due=due.get(case.id) if case else None,
        receipt_number=(case.document or "") if case else "",
        receipt_url=url_for("desk.document", number=case.number, document_id=case.document_id)
        if case and case.document_id
        else "",
        url=url_for("desk.case", number=case.number) if case else "",
        no=tuple(no_of(Refusal(**refusal)) for refusal in said["refusals"]),
    )


def _cases(filing_id: int, who: Person) -> Any:
    return (
        select(
            Case.id, Case.number, Case.type, Case.edition, Case.state, Office.name.label("office"),
            Document.id.label("document_id"), Document.number.label("document"),
        )
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .join(Office, Office.id == Case.office_id)
        .outerjoin(Document, (Document.case_id == Case.id) & (Document.kind == "receipt"))
        .where(Case.filing_id == filing_id, cases_visible_to(who))
        .order_by(Case.id)
    )  # fmt: skip


def _due(case_ids: list[int]) -> dict[int, date]:
    """By when it is said whether each is taken up, or when one that is held goes in."""
    rows = db.session.execute(
        select(DeadlineRow.about_id, func.min(DeadlineRow.due_on).label("due"))
        .where(
            DeadlineRow.about == "case", DeadlineRow.about_id.in_(case_ids), DeadlineRow.clock.in_(("accept", "hold")),
            DeadlineRow.state == "running",
        )
        .group_by(DeadlineRow.about_id)
    )  # fmt: skip
    return {row.about_id: row.due for row in rows}


def _holders(code: str) -> Any:
    return select(Identifier.subject_id).where(Identifier.kind == "uscc", Identifier.value == code)


def _applicants(*conditions: Any) -> list[Applicant]:
    """Subjects with their present codes, by name; a few at most."""
    present = (
        select(Identifier.value)
        .where(Identifier.subject_id == Subject.id, Identifier.kind == "uscc")
        .order_by(Identifier.valid_until.is_not(None), Identifier.valid_until.desc())
        .limit(1)
        .correlate(Subject)
        .scalar_subquery()
    )
    meant = select(Subject.id).outerjoin(Identifier, Identifier.subject_id == Subject.id).where(*conditions)
    rows = db.session.execute(
        select(Subject.id, Subject.name, Subject.kind, present.label("code"))
        .where(Subject.id.in_(meant))
        .order_by(Subject.name, Subject.id)
        .limit(MOST + 1)
    )
    return [Applicant(row.id, row.name, row.kind, "" if row.kind == "person" else row.code or "") for row in rows]
