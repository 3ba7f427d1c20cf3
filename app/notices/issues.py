"""同步异常: what a person of ours must settle about a notice. Opened once for each thing, closed with what was done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.db import db, insert_into
from app.models import CreditRecord, Issue, Notice


def open_issue(
    key: str,
    kind: str,
    *,
    notice_id: int,
    detail: Mapping[str, Any],
    at: datetime,
    statement_id: int | None = None,
) -> bool:
    """Open an issue about a notice, inside the caller's transaction; False when the same key is known already.

    It belongs to the office whose record the notice is about. `kind` is one of `app.models.sharing.ISSUES`.
    """
    about = db.session.execute(
        select(Notice.receiver_id, Notice.case_id, CreditRecord.office_id)
        .join(CreditRecord, CreditRecord.id == Notice.record_id)
        .where(Notice.id == notice_id)
    ).one()
    opened = (
        insert_into(Issue.__table__)
        .values(
            key=key, kind=kind, office_id=about.office_id, receiver_id=about.receiver_id, notice_id=notice_id,
            case_id=about.case_id, statement_id=statement_id, detail=dict(detail), opened_at=at, outcome="",
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Issue.id)
    )  # fmt: skip
    return db.session.execute(opened).first() is not None
