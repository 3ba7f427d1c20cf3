"""For whoever holds a document in their hands: is it ours, and how do things stand today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, Select, or_, select
from sqlalchemy.orm import aliased

from app.db import db
from app.documents.check_paper import paper_verdict
from app.documents.codes import read_code
from app.documents.freeze import day
from app.documents.sign import verify_pdf
from app.documents.verdicts import OVERTAKEN, REMEDY, REPLACED, VALID, WITHDRAWN, Event, Told, Verdict, became
from app.models import Case, CaseRecord, Delivery, Document, Notice, Office, PublicationFact, RegisterPaper, Subject
from app.models.sharing import CONFIRMING
from app.now import now
from workflows import workflow
from workflows.calendar import legal_day
from workflows.grammar import Workflow


@dataclass(frozen=True, slots=True)
class Checked:
    """What a file is (`code` and `sentence` as `sign.verify_pdf` says them) and the document it is the original of."""

    code: str
    sentence: str
    sha256: str
    genuine: bool
    document: Verdict | None


def look_up(code: str) -> Verdict | None:
    """The document of a 查验码, however it was typed; None when there is none."""
    wanted = read_code(code)
    if not wanted:
        return None
    return _verdict(Document.code == wanted) or paper_verdict(RegisterPaper.code == wanted)


def check_file(data: bytes) -> Checked:
    """What a file is, and for a genuine one how the document stands today. The file is not kept."""
    file = verify_pdf(data)
    document = None
    if file.document_id is not None:
        document = _verdict(Document.id == file.document_id)
    elif file.paper_id is not None:
        document = paper_verdict(RegisterPaper.id == file.paper_id)
    return Checked(file.code, file.sentence, file.sha256, file.genuine, document)


def _verdict(which: Any) -> Verdict | None:
    row = db.session.execute(_query().where(which)).first()
    if row is None:
        return None
    later = _later(row)
    status, sentence = _status(row, later)
    definition = workflow(row.case_type, row.case_edition)
    return Verdict(
        document_id=row.id,
        code=row.code,
        kind=row.kind,
        title=row.title,
        number=row.number,
        organ=row.organ,
        issued_on=legal_day(row.issued_at),
        party=_("自然人（姓名不公开）") if row.subject_kind == "person" else row.subject_name,
        party_code="" if row.subject_kind == "person" else row.facts["subject"],
        record=row.facts["record"],
        result=row.facts["result"],
        case_state=definition.state[row.case_state].title,
        status=status,
        headline=_headline(status),
        sentence=sentence,
        signed=row.printed_at is not None,
        pdf_sha256=row.pdf_hash or "",
        demo=row.facts["demo"],
        contestable=row.contestable,
        review_address=row.review_address,
        told=_told(row, definition),
        events=tuple(_events(row, later)),
    )


def _query() -> Select[Any]:
    successor = aliased(Document)
    return (
        select(
            Document.id, Document.code, Document.kind, Document.title, Document.number, Document.facts,
            Document.issued_at, Document.printed_at, Document.placed_at, Document.withdrawn_at, Document.pdf_hash,
            Document.case_id, Document.journal_id, Document.html.contains(REMEDY).label("contestable"),
            successor.number.label("successor"),
            Office.name.label("organ"), Office.review_address,
            Subject.name.label("subject_name"), Subject.kind.label("subject_kind"),
            Case.type.label("case_type"), Case.edition.label("case_edition"), Case.state.label("case_state"),
            CaseRecord.record_id,
        )
        .join(Office, Office.id == Document.office_id)
        .join(Case, Case.id == Document.case_id)
        .join(Subject, Subject.id == Case.subject_id)
        .outerjoin(CaseRecord, CaseRecord.case_id == Case.id)
        .outerjoin(successor, successor.id == Document.replaced_by)
        .limit(1)
    )  # fmt: skip


def _later(row: Row[Any]) -> Any:
    """The last thing that became of the record after the document, other than by the case's own repair."""
    return db.session.execute(
        select(PublicationFact.deed, PublicationFact.effective_on, PublicationFact.recorded_at)
        .where(
            PublicationFact.record_id == row.record_id,
            PublicationFact.recorded_at > row.issued_at,
            PublicationFact.effective_on <= legal_day(now()),
            PublicationFact.deed.in_(("publish", "end", "repair", "withdraw")),
            or_(
                PublicationFact.deed != "repair",
                PublicationFact.case_id.is_(None),
                PublicationFact.case_id != row.case_id,
            ),
        )
        .order_by(PublicationFact.effective_on.desc(), PublicationFact.id.desc())
        .limit(1)
    ).first()


def _told(row: Row[Any], definition: Workflow) -> tuple[Told, ...]:
    """The departments for whom a notice was written with the document, each with whether it has confirmed."""
    if not any(row.kind in step.issues and "linked" in step.tells for step in definition.steps):
        return ()
    rows = db.session.execute(
        select(Office.name, Delivery.receipt)
        .join(Notice, Notice.receiver_id == Office.id)
        .join(Delivery, Delivery.notice_id == Notice.id)
        .where(Notice.case_id == row.case_id, Notice.journal_id == row.journal_id)
        .order_by(Notice.id)
    )
    return tuple(Told(told.name, told.receipt in CONFIRMING) for told in rows)


def _status(row: Row[Any], later: Row[Any] | None) -> tuple[str, str]:
    if row.successor:
        return REPLACED, _("这份文书确由%(organ)s出具，现已被%(number)s替代。", organ=row.organ, number=row.successor)
    if row.withdrawn_at is not None:
        on = legal_day(row.withdrawn_at)
        return WITHDRAWN, _("这份文书确由%(organ)s出具，已于%(day)s撤回，不再有效。", organ=row.organ, day=day(on))
    if later is not None:
        return OVERTAKEN, _("这份文书确由%(organ)s出具。出具以后，%(became)s。", organ=row.organ, became=became(later))
    return VALID, _("这份文书由%(organ)s出具，至今没有被撤回、替代或者变更。", organ=row.organ)


def _headline(status: str) -> str:
    match status:
        case "replaced":
            return _("已被替代")
        case "withdrawn":
            return _("已撤回")
        case "overtaken":
            return _("文书真实，其后有变化")
        case _:
            return _("现行有效")


def _events(row: Row[Any], later: Row[Any] | None) -> Iterator[Event]:
    """What happened to the document, newest first."""
    happened = [
        (row.issued_at, _("出具")),
        (row.printed_at, _("排印并加盖电子签章")),
        (row.placed_at, _("放入申请人的办件页面")),
        (row.withdrawn_at, _("撤回")),
        (later.recorded_at if later else None, became(later) if later else ""),
    ]
    yield from (Event(at, text) for at, text in reversed(happened) if at is not None)
