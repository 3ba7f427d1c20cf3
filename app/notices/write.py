"""A step's `tells` become outbox rows in its own transaction: what was decided is told, what was rolled back is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, bindparam, insert, select
from sqlalchemy.sql.dml import ReturningInsert

from app.db import db, insert_into
from app.journal import Entry
from app.models import Case, CreditRecord, Document, Identifier, Notice, NoticeSequence, RecordShare, Subject
from app.notices.address_book import Receiver, receivers
from workflows.calendar import legal_day

ACTIONS = {
    "credit_china": "同步处理结果",
    "province": "同步处理结果",
    "linked": "停止公示、停止使用，解除因此采取的措施",
}


def write_notices(
    case_id: int | None, record_id: int | None, subject_id: int, words: Iterable[str], entry: Entry
) -> int:
    """Write one notice per receiver about a record; returns how many. Receivers are served in the order of their ids,
    so that two transactions never wait for each other crosswise."""
    if record_id is None:
        return 0
    told = sorted(receivers(words), key=lambda receiver: receiver.id)
    if not told:
        return 0
    body = _body(case_id, record_id, entry)
    sequences = _next(subject_id, told)
    rows = []
    for receiver in told:
        payload = {**body, "receiver": receiver.code, "action": ACTIONS[receiver.word], "seq": sequences[receiver.id]}
        text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        rows.append(
            {
                "key": f"{entry.about}-{entry.about_id}-{entry.seq}-{receiver.code}",
                "receiver_id": receiver.id,
                "subject_id": subject_id,
                "record_id": record_id,
                "case_id": case_id,
                "journal_id": entry.id,
                "seq": sequences[receiver.id],
                "act": entry.act,
                "payload": payload,
                "payload_hash": hashlib.sha256(text.encode()).hexdigest(),
                "written_at": entry.at,
            }
        )
    db.session.execute(insert(Notice.__table__), rows)
    db.session.execute(
        insert(RecordShare.__table__),
        [{"record_id": record_id, "receiver_id": r.id, "what": entry.act, "at": entry.at} for r in told],
    )
    return len(told)


def _next(subject_id: int, told: list[Receiver]) -> dict[int, int]:
    """The next number for each receiver about this subject: gapless, because a rollback takes it back."""
    asked = [{"receiver_id": receiver.id, "subject_id": subject_id, "last": 1} for receiver in told]
    rows = db.session.execute(_raised(db.engine.dialect.name), asked).all()
    return {row.receiver_id: row.last for row in rows}


@lru_cache(maxsize=2)
def _raised(dialect: str) -> ReturningInsert[int, int]:
    table = NoticeSequence.__table__
    raised = insert_into(table, dialect).on_conflict_do_update(
        index_elements=["receiver_id", "subject_id"], set_={"last": table.c.last + 1}
    )
    return raised.returning(table.c.receiver_id, table.c.last)


def _body(case_id: int | None, record_id: int, entry: Entry) -> dict[str, Any]:
    """The least that a receiver needs to act: whose record, which, what was decided, when."""
    record = db.session.execute(_record_query(), {"record_id": record_id}).one()
    body: dict[str, Any] = {
        "result": entry.act,
        "record": record.public_id,
        "record_kind": record.kind,
        "record_number": record.number,
        "recognised_on": record.recognised_on.isoformat(),
        "class": record.cls,
        "subject_name": record.name,
        "subject_code": record.code or "",
        "decided_on": legal_day(entry.at).isoformat(),
        "effective_at": entry.at.astimezone(UTC).isoformat(),
    }
    if case_id is not None:
        case = db.session.execute(_case_query(), {"case_id": case_id, "journal_id": entry.id}).one()
        body |= {"case": case.number, "document": case.document or "", "document_code": case.code or ""}
    return body


@lru_cache(maxsize=1)
def _record_query() -> Executable:
    return (
        select(
            CreditRecord.public_id, CreditRecord.kind, CreditRecord.number, CreditRecord.recognised_on,
            CreditRecord.cls, Subject.name, Identifier.value.label("code"),
        )
        .join(Subject, Subject.id == CreditRecord.subject_id)
        .outerjoin(
            Identifier,
            (Identifier.subject_id == Subject.id) & (Identifier.kind == "uscc") & Identifier.valid_until.is_(None),
        )
        .where(CreditRecord.id == bindparam("record_id"))
        .limit(1)
    )  # fmt: skip


@lru_cache(maxsize=1)
def _case_query() -> Executable:
    issued = (Document.case_id == Case.id) & (Document.journal_id == bindparam("journal_id"))
    return (
        select(Case.number, Document.number.label("document"), Document.code)
        .outerjoin(Document, issued)
        .where(Case.id == bindparam("case_id"))
        .limit(1)
    )
