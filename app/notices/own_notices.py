"""Notices against what stands behind and before them: the line that decided, the frozen words, the numbers, the way to
the receiver, the receipts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, case, func, or_, select

from app.db import db
from app.models import (
    Case,
    CreditRecord,
    DeadlineRow,
    Delivery,
    JournalLine,
    Notice,
    NoticeSequence,
    Office,
    Receipt,
)
from app.models.sharing import CONFIRMING
from app.notices.wire import digest, digest_of
from workflows import WORKFLOWS
from workflows.calendar import legal_day

BATCH = 2000
"""Rows held at a time."""


@dataclass(frozen=True, slots=True)
class OwnDifference:
    """Two of our books say different things. `template` and `values` make a Chinese sentence; `case` is the number of
    the case it is about, `record` the public id of the record; each empty when there is none."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    case: str = ""
    record: str = ""

    @property
    def sentence(self) -> str:
        """The sentence in Chinese."""
        return self.template.format(**self.values)


def unfounded(after: datetime, before: datetime) -> Iterator[OwnDifference]:
    """Notices that no line has decided, whose words are not those that were frozen, or that have no way to go."""
    telling = {step.code for workflow in WORKFLOWS.values() for step in workflow.steps if step.tells} | {"withdraw"}
    rows = db.session.execute(
        select(
            Notice.key, Notice.act, Notice.payload, Notice.body, Notice.payload_hash, Notice.written_at,
            Notice.receiver_id, Notice.subject_id, Notice.seq, JournalLine.act.label("line"), JournalLine.at,
            Case.number, CreditRecord.public_id, Delivery.receiver_id.label("to"), Delivery.subject_id.label("about"),
            Delivery.seq.label("place"),
        )
        .join(CreditRecord, CreditRecord.id == Notice.record_id)
        .outerjoin(JournalLine, JournalLine.id == Notice.journal_id)
        .outerjoin(Delivery, Delivery.notice_id == Notice.id)
        .outerjoin(Case, Case.id == Notice.case_id)
        .where(Notice.written_at >= after, Notice.written_at < before)
        .order_by(Notice.id)
        .execution_options(yield_per=BATCH)
    )  # fmt: skip
    for row in rows:
        where = {"case": row.number or "", "record": row.public_id}
        if (row.line, row.at) != (row.act, row.written_at) or row.act not in telling:
            yield OwnDifference("通知 {notice} 没有与它相符的办理记录。", {"notice": row.key}, **where)
        if digest(row.payload) != row.payload_hash or digest_of(row.body.encode()) != row.payload_hash:
            yield OwnDifference("通知 {notice} 的正文与写好时的指纹不一致。", {"notice": row.key}, **where)
        if row.to is None:
            yield OwnDifference("通知 {notice} 没有投递记录。", {"notice": row.key}, **where)
        elif (row.to, row.about, row.place) != (row.receiver_id, row.subject_id, row.seq):
            yield OwnDifference("通知 {notice} 的投递记录写的是别的单位、主体或者序号。", {"notice": row.key}, **where)


def gaps() -> Iterator[OwnDifference]:
    """Numbers that are missing: a notice was taken away, or a number given without one."""
    rows = db.session.execute(
        select(
            Office.name, NoticeSequence.last, func.count(Notice.id).label("n"), func.max(Notice.seq).label("highest"),
        )
        .join(Office, Office.id == NoticeSequence.receiver_id)
        .outerjoin(Notice, and_(
            Notice.receiver_id == NoticeSequence.receiver_id, Notice.subject_id == NoticeSequence.subject_id,
        ))
        .group_by(NoticeSequence.receiver_id, NoticeSequence.subject_id, Office.name, NoticeSequence.last)
        .having(or_(func.count(Notice.id) != NoticeSequence.last,
                    func.coalesce(func.max(Notice.seq), 0) != NoticeSequence.last))
        .order_by(NoticeSequence.receiver_id, NoticeSequence.subject_id)
    )  # fmt: skip
    for row in rows:
        text = "给{name}的一个主体的通知编到第 {last} 号，却只有 {n} 份，序号不连续。"
        yield OwnDifference(text, {"name": row.name, "last": row.last, "n": row.n})


def without_effect(after: datetime, before: datetime) -> Iterator[OwnDifference]:
    """Receipts without their effect, and effects without a receipt."""
    latest = select(func.max(Receipt.id)).where(Receipt.notice_id == Notice.id).correlate(Notice).scalar_subquery()
    limit = and_(
        DeadlineRow.about == case((Notice.case_id.is_(None), "record"), else_="case"),
        DeadlineRow.about_id == func.coalesce(Notice.case_id, Notice.record_id),
        DeadlineRow.clock == "receiver", DeadlineRow.item == Office.code,
    )  # fmt: skip
    rows = db.session.execute(
        select(
            Notice.id, Notice.key, Notice.seq, Notice.written_at, Delivery.state, Delivery.receipt, Receipt.kind,
            JournalLine.act, DeadlineRow.state.label("limit"), DeadlineRow.day_zero, Case.number,
            CreditRecord.public_id,
        )
        .join(Delivery, Delivery.notice_id == Notice.id)
        .join(Office, Office.id == Notice.receiver_id)
        .join(CreditRecord, CreditRecord.id == Notice.record_id)
        .outerjoin(Receipt, Receipt.id == latest)
        .outerjoin(JournalLine, JournalLine.id == Receipt.journal_id)
        .outerjoin(DeadlineRow, limit)
        .outerjoin(Case, Case.id == Notice.case_id)
        .where(
            Notice.written_at >= after, Notice.written_at < before,
            or_(Receipt.id.is_not(None), Delivery.receipt != ""),
        )
        .order_by(Notice.id)
    )  # fmt: skip
    for row in rows:
        where = {"case": row.number or "", "record": row.public_id}
        if row.receipt != (row.kind or "") or row.state not in ("delivered", "skipped"):
            yield OwnDifference("通知 {notice} 的投递记录与收到的回执不一致。", {"notice": row.key}, **where)
        elif row.act != "receipt":
            yield OwnDifference("通知 {notice} 的回执没有记入办理记录。", {"notice": row.key}, **where)
        elif row.receipt in CONFIRMING and row.limit == "running" and row.day_zero == legal_day(row.written_at):
            yield OwnDifference("通知 {notice} 已经确认，同步期限却还在计算。", {"notice": row.key}, **where)
