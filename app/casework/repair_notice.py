"""信用修复告知书: comes with each penalty that is published (两书同达), so that the punished know the way back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import exists, select, update

from app.casework.actor import Person
from app.db import db
from app.documents.contexts import Party, basis, issuer_of
from app.documents.freeze import day as in_words
from app.documents.register_paper import Wanted, freeze_paper
from app.journal import write_line
from app.models import CreditRecord, Identifier, PublicationFact, RegisterPaper, Subject
from app.registry.hands import NotPossible, hand, not_theirs
from app.registry.publish import deed_on
from app.registry.working_days import office_calendar
from workflows.calendar import legal_day
from workflows.grammar import UNMET, Refusal
from workflows.repair_guide import guide

LAW = "SC22; NDRC36"
KIND, ACT = "repair_notice", "repair_notice"
THE_CONDITIONS = "NDRC36 3"
"""The article whose conditions a subject meets by what it does; the others are seen from its file."""
FRESH = timedelta(days=30)
"""A penalty made within this time gets its notice by itself; for an older one an officer asks."""


def lacking(today: date, limit: int, after: int = 0) -> list[int]:
    """Published penalties of the last weeks that have no notice yet, by id from the one after `after`."""
    rows = db.session.execute(
        select(CreditRecord.id)
        .where(
            CreditRecord.id > after,
            CreditRecord.kind == "penalty",
            CreditRecord.recognised_on >= today - FRESH,
            CreditRecord.annulled_on.is_(None),
            CreditRecord.undone_at.is_(None),
            deed_on(today) == "publish",
            ~exists().where(RegisterPaper.record_id == CreditRecord.id, RegisterPaper.replaced_at.is_(None)),
        )
        .order_by(CreditRecord.id)
        .limit(limit)
    )
    return list(rows.scalars())


def issue_notice(record_id: int, at: datetime, who: Person | None = None) -> str:
    """Freeze the notice of a penalty inside `transaction()`; returns its 查验码. `who` is the officer who asks, None
    for the watch.

    A notice that would say the same is issued once; when class or days have changed since, the new one takes the place
    of the old. Raises NotPossible with sentences, CannotIssue, LookupError.
    """
    row = _locked(record_id)
    if who is not None and (no := not_theirs(who, row.office_id, row.subject_id)):
        raise NotPossible(no)
    if no := _against(row, legal_day(at)):
        raise NotPossible(no)
    wanted = _wanted(row, at, who)
    before = db.session.execute(
        select(RegisterPaper.id, RegisterPaper.code, RegisterPaper.content_hash).where(
            RegisterPaper.record_id == record_id, RegisterPaper.replaced_at.is_(None)
        )
    ).first()
    if before is not None and before.content_hash == wanted.content_hash:
        return str(before.code)
    if before is not None:
        db.session.execute(update(RegisterPaper).where(RegisterPaper.id == before.id).values(replaced_at=at))
    frozen = freeze_paper(wanted)
    if who is not None:
        answers = {"reason": frozen.number}
        write_line("record", record_id, ACT, hand(who, row.office_id), at, law_text=LAW, answers=answers)
    return frozen.code


def _locked(record_id: int) -> Any:
    db.session.execute(select(CreditRecord.id).where(CreditRecord.id == record_id).with_for_update())
    code = (
        select(Identifier.value)
        .where(Identifier.subject_id == Subject.id, Identifier.kind == "uscc", Identifier.valid_until.is_(None))
        .limit(1)
        .correlate(Subject)
        .scalar_subquery()
    )
    since = (
        select(PublicationFact.effective_on)
        .where(PublicationFact.record_id == CreditRecord.id, PublicationFact.deed == "publish")
        .order_by(PublicationFact.effective_on, PublicationFact.id)
        .limit(1)
        .correlate(CreditRecord)
        .scalar_subquery()
    )
    row = db.session.execute(
        select(
            *CreditRecord.__table__.c, Subject.name.label("subject"), Subject.kind.label("subject_kind"),
            code.label("code"), since.label("since"),
        )
        .join(Subject, Subject.id == CreditRecord.subject_id)
        .where(CreditRecord.id == record_id)
    ).first()  # fmt: skip
    if row is None:
        raise LookupError(f"没有编号为 {record_id} 的信用记录")
    return row


def _against(row: Any, today: date) -> list[Refusal]:
    def no(text: str, code: str) -> Refusal:
        return Refusal(UNMET, text, {}, LAW, code)

    if row.kind != "penalty":
        return [no("信用修复告知书随行政处罚出具，这条信息不是行政处罚。", "NOT_A_PENALTY")]
    if row.annulled_on is not None or row.undone_at is not None:
        return [no("这项处罚已经撤销，不用告知怎样修复。", "ANNULLED")]
    if row.since is None:
        return [no("这条信息没有公示，不用告知怎样修复；类别没有确定的，请先确定类别。", "NOT_PUBLISHED")]
    if row.maximum_last_day is not None and row.maximum_last_day < today:
        return [no("最长公示期已经届满，不用再告知怎样修复。", "OVER")]
    return []


def _wanted(row: Any, at: datetime, who: Person | None) -> Wanted:
    told, office = guide(at, office_calendar()), issuer_of(row.office_id)
    content = {
        "number": row.number,
        "organ": office.name,
        "recognised_on": in_words(row.recognised_on),
        "title": row.title,
        "cls": f"{row.cls}失信信息" if row.cls else "",
        "since": in_words(row.since),
        "minimum": in_words(row.minimum_last_day),
        "maximum": in_words(row.maximum_last_day),
        "excluded_by": row.excluded_by,
        "conditions": "；".join(each.text for each in told.conditions if each.law == THE_CONDITIONS),
        "papers": "；".join(each.text for each in told.papers),
        "basis": basis(LAW, legal_day(at)),
        "review_body": office.review_body or "行政复议机关",
        "public_id": row.public_id,
    }
    return Wanted(
        kind=KIND,
        office=office,
        party=Party(row.subject, row.code or "", row.subject_kind == "person"),
        subject_id=row.subject_id,
        record_id=row.id,
        reader="subject",
        about_day=legal_day(at),
        known_at=at,
        result="告知怎样修复信用",
        record=row.number,
        content=content,
        at=at,
        asked_by=who.person if who else None,
    )
