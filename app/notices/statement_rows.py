"""What a statement is made of: the notices of a period as they stand in our book, and what is counted of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import aliased

from app.db import db
from app.models import DeadlineRow, Delivery, Identifier, Notice, Office, Subject
from app.models.sharing import CONFIRMING, RECEIPTS
from app.notices.compare import Line
from app.notices.formats.result import ENDING
from workflows.calendar import day_start


def issuing_office() -> Any:
    """The organ in whose name statements go out: the root of the office tree (id, name, phone, path)."""
    return db.session.execute(
        select(Office.id, Office.name, Office.phone, Office.path)
        .where(Office.kind == "organ", Office.parent_id.is_(None))
        .order_by(Office.id)
        .limit(1)
    ).one()


def statements_folder() -> Path:
    """Where the sheets and the signed statements of this instance are."""
    return Path(current_app.config["INSTANCE"]) / "statements"


def number_of(code: str, since: date, until: date, serial: int) -> str:
    """The number of a statement: 对账 ld-market 20261001-20261031-1."""
    return f"对账 {code} {since:%Y%m%d}-{until:%Y%m%d}-{serial}"


def locked_receiver(receiver_id: int) -> Any:
    """The receiver, locked: serials are given and answers compared one after the other. Notices may be written to it
    meanwhile."""
    return db.session.execute(
        select(Office.id, Office.code, Office.name).where(Office.id == receiver_id).with_for_update(key_share=True)
    ).one()


def rows_of(receiver: Any, since: date, until: date) -> Sequence[Any]:
    """Every notice of a period with its delivery, its last day for confirming, and whether an earlier one holds it."""
    before = aliased(Delivery)
    held = exists().where(
        before.receiver_id == Delivery.receiver_id, before.subject_id == Delivery.subject_id,
        before.seq < Delivery.seq, before.state.in_(("waiting", "dead")),
    )  # fmt: skip
    code = (
        select(Identifier.value)
        .where(Identifier.subject_id == Notice.subject_id, Identifier.kind == "uscc", Identifier.valid_until.is_(None))
        .limit(1)
        .correlate(Notice)
        .scalar_subquery()
    )
    return db.session.execute(
        select(
            Notice.id, Notice.key, Notice.payload_hash, Notice.subject_id, Notice.seq, Notice.act, Notice.written_at,
            Delivery.state, Delivery.attempts, Delivery.delivered_at, Delivery.receipt, Delivery.receipt_at,
            DeadlineRow.id.label("asked"), DeadlineRow.due_on, Subject.name.label("subject"), code.label("code"),
            ((Delivery.state == "waiting") & held).label("held"),
        )
        .join(Delivery, Delivery.notice_id == Notice.id)
        .join(Subject, Subject.id == Notice.subject_id)
        .outerjoin(
            DeadlineRow,
            (DeadlineRow.about == case((Notice.case_id.is_(None), "record"), else_="case"))
            & (DeadlineRow.about_id == func.coalesce(Notice.case_id, Notice.record_id))
            & (DeadlineRow.clock == "receiver") & (DeadlineRow.item == receiver.code) & Notice.act.in_(ENDING),
        )
        .where(
            Notice.receiver_id == receiver.id, Notice.written_at >= day_start(since),
            Notice.written_at < day_start(until + timedelta(days=1)),
        )
        .order_by(Notice.id)
    ).all()  # fmt: skip


def line_of(row: Any, subject: str) -> Line:
    return Line(
        notice=row.key, body=row.payload_hash, subject=subject, seq=row.seq, act=row.act, written_at=row.written_at,
        state=row.state, delivered_at=row.delivered_at, receipt=row.receipt, receipt_at=row.receipt_at,
        asked=row.asked is not None, confirm_by=row.due_on,
    )  # fmt: skip


def figures_of(rows: Sequence[Any], today: date) -> dict[str, Any]:
    """What is counted. `sent`: at least one attempt, or handed over; `asked`: a confirmation is asked for; `awaiting`:
    of those, delivered and nothing said; `overdue`: not confirmed by the day; `held`: waits behind an earlier one."""
    states = Counter(row.state for row in rows)
    asked = [row for row in rows if row.asked is not None and row.state != "skipped"]
    open_ones = [row for row in asked if row.receipt not in CONFIRMING]
    return {
        "written": len(rows),
        "sent": sum(row.attempts > 0 or row.state == "delivered" for row in rows),
        "delivered": states["delivered"],
        "receipts": {kind: sum(row.receipt == kind for row in rows) for kind in RECEIPTS},
        "asked": len(asked),
        "confirmed": len(asked) - len(open_ones),
        "awaiting": sum(row.state == "delivered" and not row.receipt for row in open_ones),
        "overdue": sum(row.due_on is not None and row.due_on < today for row in open_ones),
        "waiting": states["waiting"],
        "held": sum(bool(row.held) for row in rows),
        "dead": states["dead"],
        "skipped": states["skipped"],
    }
