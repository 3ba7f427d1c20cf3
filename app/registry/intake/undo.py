"""撤销一批: a whole file is taken back while nothing builds on what it wrote.

What the public saw stays provable: nothing is deleted. A record that the batch made leaves publication by a dated fact
(批次撤销), does not count any more (`undone_at`) and frees its key and its sender's id, so that the right file can come
in its place as new records. A correction is taken back by saying the words before under the next version. Subjects
that the batch brought stay; without a record there is nothing to be seen of them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import String, cast, func, insert, literal, select, update
from sqlalchemy.orm import aliased

from app.db import db
from app.journal import write_line
from app.models import (
    Batch,
    CaseRecord,
    CreditRecord,
    JournalLine,
    Measure,
    Notice,
    PublicationFact,
    RecordShare,
    RecordVersion,
)
from app.registry.hands import HANDS, NotPossible, Officer
from app.registry.intake.batch import locked
from app.registry.intake.changes import CORRECTED_BY_SENDER as CORRECTED
from app.registry.intake.hands import LAW, hand, no, not_theirs
from app.registry.intake.write import keep_version
from app.registry.publish import deed_on, state_fact
from workflows.calendar import legal_day
from workflows.grammar import Refusal

CAUSE = "批次撤销"


def builds_on(batch_id: int) -> list[Refusal]:
    """What has come to stand on a batch's records and corrections since, so that it cannot be taken back."""
    made = select(CreditRecord.id).where(CreditRecord.batch_id == batch_id, CreditRecord.undone_at.is_(None))
    changed = select(RecordVersion.record_id).where(RecordVersion.batch_id == batch_id)
    of_batch = made.union(changed)
    later = aliased(RecordVersion)
    later_still = (
        select(func.count(later.id.distinct()))
        .join(RecordVersion, (RecordVersion.record_id == later.record_id) & (later.version > RecordVersion.version))
        .where(RecordVersion.batch_id == batch_id, later.batch_id.is_distinct_from(batch_id))
    )
    after = (
        select(func.count(later.id))
        .join(CreditRecord, CreditRecord.id == later.record_id)
        .where(CreditRecord.batch_id == batch_id, later.batch_id.is_distinct_from(batch_id))
    )
    counts: list[tuple[str, str, Any]] = [
        ("CASES", "有 {count} 件办件针对其中的记录。", _count(CaseRecord.record_id, of_batch)),
        ("NOTICES", "其中的记录已经发出 {count} 条通知。", _count(Notice.record_id, of_batch)),
        ("SHARED", "其中的记录已经共享 {count} 次。", _count(RecordShare.record_id, of_batch)),
        ("MEASURES", "依据其中的记录已经采取 {count} 项措施。", _count(Measure.record_id, of_batch)),
        (
            "HANDLED",
            "其中的记录已经由经办人办理过 {count} 次（分类、撤销处罚等）。",
            _count(JournalLine.about_id, of_batch).where(JournalLine.about == "record"),
        ),
        (
            "CORRECTED",
            "其中的记录后来又更正过 {count} 次。",
            select(after.scalar_subquery() + later_still.scalar_subquery()),
        ),
    ]
    found = []
    for code, text, query in counts:
        if count := db.session.execute(query).scalar_one():
            found.append(no(text, code, count=count))
    return found


def _count(column: Any, among: Any) -> Any:
    return select(func.count()).where(column.in_(among))


def undo(batch_id: int, doer: Officer, reason: str, at: datetime) -> None:
    """Take a batch back, inside `transaction()`. Raises NotPossible with all that stands on it, LookupError."""
    batch = locked(batch_id)
    if refusals := not_theirs(doer, batch.office_id, HANDS):
        raise NotPossible(refusals)
    if batch.state not in ("done", "failed"):
        raise NotPossible([no("只有已完成或者已中断的批次可以撤销。", "NOT_DONE")])
    reason = reason.strip()
    if not reason:
        raise NotPossible([no("请写明撤销这一批的原因。", "NO_REASON")])
    db.session.execute(select(CreditRecord.id).where(CreditRecord.batch_id == batch_id).with_for_update())
    if blockers := builds_on(batch_id):
        raise NotPossible(blockers)
    _take_corrections_back(batch_id, reason, at)
    _take_records_back(batch_id, reason, at)
    db.session.execute(
        update(Batch)
        .where(Batch.id == batch_id)
        .values(state="undone", undone_at=at, undone_by=doer.person)
        .execution_options(synchronize_session=False)
    )
    write_line("batch", batch_id, "undo", hand(doer, batch.office_id), at, law_text=LAW, answers={"reason": reason})


def _take_records_back(batch_id: int, reason: str, at: datetime) -> None:
    """Records that are shown leave publication; all of them cease to count and free their keys."""
    today = legal_day(at)
    fact = PublicationFact.__table__
    shown = select(
        CreditRecord.id,
        literal("withdraw"),
        literal(today, fact.c.effective_on.type),
        literal(at, fact.c.recorded_at.type),
        literal(f"{CAUSE}（{reason}）"),
    ).where(CreditRecord.batch_id == batch_id, CreditRecord.undone_at.is_(None), deed_on(today) == "publish")
    columns = ["record_id", "deed", "effective_on", "recorded_at", "cause"]
    db.session.execute(insert(fact).from_select(columns, shown))
    db.session.execute(
        update(CreditRecord)
        .where(CreditRecord.batch_id == batch_id, CreditRecord.undone_at.is_(None))
        .values(undone_at=at, sender_id="", number_key=CreditRecord.number_key + "#" + cast(CreditRecord.id, String))
        .execution_options(synchronize_session=False)
    )


def _take_corrections_back(batch_id: int, reason: str, at: datetime) -> None:
    """Each corrected record says again what it said before; what its publication was before, it is again."""
    today = legal_day(at)
    versions = db.session.execute(
        select(*RecordVersion.__table__.c)
        .where(RecordVersion.batch_id == batch_id)
        .order_by(RecordVersion.record_id, RecordVersion.version.desc())
    ).all()
    for before in versions:
        now_says = db.session.execute(
            select(*CreditRecord.__table__.c).where(CreditRecord.id == before.record_id).with_for_update()
        ).one()
        keep_version(now_says, at, None, f"{CAUSE}（{reason}）")
        db.session.execute(
            update(CreditRecord)
            .where(CreditRecord.id == before.record_id)
            .values(
                title=before.title,
                number=before.number,
                number_key=before.number_key,
                recognised_on=before.recognised_on,
                cls=before.cls,
                class_basis=before.class_basis,
                minimum_last_day=before.minimum_last_day,
                maximum_last_day=before.maximum_last_day,
                fields=before.fields,
                received=before.received,
                version=CreditRecord.version + 1,
                changed_at=at,
            )
            .execution_options(synchronize_session=False)
        )
        _publication_as_before(before, today, reason, at)


def _publication_as_before(before: Any, today: date, reason: str, at: datetime) -> None:
    """If the correction showed the record, it is withdrawn; if it ended what was shown, it is shown again."""
    stated = db.session.execute(
        select(PublicationFact.deed)
        .where(
            PublicationFact.record_id == before.record_id,
            PublicationFact.recorded_at == before.replaced_at,
            PublicationFact.cause.startswith(CORRECTED),
        )
        .order_by(PublicationFact.id.desc())
        .limit(1)
    ).scalar()
    if stated is not None:
        back = "withdraw" if stated == "publish" else "publish"
        state_fact(before.record_id, back, today, at, f"{CAUSE}（{reason}）")
