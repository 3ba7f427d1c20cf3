"""For whoever holds a paper of the register: what it is, of which day it speaks, and how things stand today."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, select

from app.db import db
from app.documents.freeze import clock, day
from app.documents.verdicts import OVERTAKEN, REMEDY, REPLACED, VALID, Event, Verdict, became
from app.models import Office, PublicationFact, RegisterPaper, Subject
from app.now import now
from workflows.calendar import legal_day


def paper_verdict(which: Any) -> Verdict | None:
    """What the public may know of the paper that fulfils the condition; None when there is none. A natural person is
    never named, and what an extract lists is told by the paper alone."""
    paper = RegisterPaper
    row = db.session.execute(
        select(
            paper.id, paper.code, paper.kind, paper.title, paper.number, paper.facts, paper.reader, paper.about_day,
            paper.known_at, paper.issued_at, paper.printed_at, paper.replaced_at, paper.pdf_hash, paper.record_id,
            paper.html.contains(REMEDY).label("contestable"), Office.name.label("organ"), Office.review_address,
            Subject.name.label("subject_name"), Subject.kind.label("subject_kind"),
        )
        .join(Office, Office.id == paper.office_id)
        .join(Subject, Subject.id == paper.subject_id)
        .where(which)
        .limit(1)
    ).first()  # fmt: skip
    if row is None:
        return None
    later = _later(row) if row.record_id is not None else None
    status, headline, sentence = _standing(row, later)
    person = row.subject_kind == "person"
    return Verdict(
        document_id=row.id,
        code=row.code,
        kind=row.kind,
        title=row.title,
        number=row.number,
        organ=row.organ,
        issued_on=legal_day(row.issued_at),
        party=_("自然人（姓名不公开）") if person else row.subject_name,
        party_code="" if person else row.facts["subject"],
        record=row.facts["record"] if later is None else "",
        result=row.facts["result"],
        case_state="",
        status=status,
        headline=headline,
        sentence=sentence,
        signed=row.printed_at is not None,
        pdf_sha256=row.pdf_hash or "",
        demo=row.facts["demo"],
        contestable=row.kind == "repair_notice" and row.contestable,
        review_address=row.review_address,
        told=(),
        events=tuple(_events(row, later)),
    )


def _later(row: Row[Any]) -> Any:
    """What became of the record after its notice, if its publication has ended."""
    fact = PublicationFact
    return db.session.execute(
        select(fact.deed, fact.effective_on, fact.recorded_at)
        .where(
            fact.record_id == row.record_id,
            fact.recorded_at > row.issued_at,
            fact.effective_on <= legal_day(now()),
            fact.deed.in_(("end", "repair", "withdraw")),
        )
        .order_by(fact.effective_on.desc(), fact.id.desc())
        .limit(1)
    ).first()


def _standing(row: Row[Any], later: Any) -> tuple[str, str, str]:
    if row.kind == "extract":
        said = _(
            "这份摘要由%(organ)s出具，说的是%(day)s的情况，按截至%(moment)s登记的内容生成。它不代表今天，今天的情况请查公示信息。",
            organ=row.organ, day=day(row.about_day), moment=clock(row.known_at),
        )  # fmt: skip
        return VALID, _("摘要真实，说的是那一天"), said
    if row.replaced_at is not None:
        on = day(legal_day(row.replaced_at))
        said = _("这份告知书确由%(organ)s出具，已于%(day)s被新的告知书替代。", organ=row.organ, day=on)
        return REPLACED, _("已被替代"), said
    if later is not None:
        said = _("这份文书确由%(organ)s出具。出具以后，%(became)s。", organ=row.organ, became=became(later))
        return OVERTAKEN, _("文书真实，其后有变化"), said
    return VALID, _("现行有效"), _("这份文书由%(organ)s出具，至今没有被撤回、替代或者变更。", organ=row.organ)


def _events(row: Row[Any], later: Any) -> Iterator[Event]:
    """What happened to the paper, newest first."""
    happened = [
        (row.issued_at, _("出具")),
        (row.printed_at, _("排印并加盖电子签章")),
        (row.replaced_at, _("被新的告知书替代")),
        (later.recorded_at if later else None, became(later) if later else ""),
    ]
    yield from (Event(at, text) for at, text in reversed(happened) if at is not None)
