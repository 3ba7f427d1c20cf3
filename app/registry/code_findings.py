"""Doubts about whom a row means, settled: each verb does one thing, says why in the journal, and settles the doubt.

A record that stood at the wrong company is withdrawn there and entered anew at the right one, so that what the public
saw stays provable. A code that passes to another subject brings along what was recorded under it, because both are one
body. Whoever settles a doubt acts for the office that sent the row; what concerns a record or a subject is for those
who may change a record.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, delete, exists, func, insert, or_, select, union_all, update

from app.db import Base, db
from app.journal import write_line
from app.models import BatchRow, CaseRecord, CreditRecord, Identifier, Notice, RecordShare, Subject, SubjectName
from app.registry.codes import check_code, clean_code
from app.registry.entries import entry_of
from app.registry.hands import HANDS, NotPossible, Officer, locked
from app.registry.intake.batch import locked as locked_batch
from app.registry.intake.hands import LAW, hand, no, not_theirs
from app.registry.intake.heading import heading_of
from app.registry.intake.lookups import by_code
from app.registry.intake.rows_of_batch import Mended, mend, read_as, settle_finding
from app.registry.intake.terms import CAUSES
from app.registry.publish import deed_on, state_fact
from app.registry.text import tidy
from workflows.calendar import legal_day
from workflows.grammar import STRANGER, Refusal

WRONG_SUBJECT = "主体有误"
_OWN_TABLES = ("identifier", "record", "subject_name")


def keep(batch_id: int, row: int, reason: str, doer: Officer, at: datetime) -> Mended | None:
    """As it is: a row that waits is taken in for the subject that has the code, one that was taken in stays. Inside
    `transaction()`, as every verb here. Raises NotPossible, LookupError."""
    reason = _reason(reason)
    if _line(batch_id, row).verdict == "waiting":
        return mend(batch_id, row, {}, doer, at, confirmed=True, note=reason)
    settle_finding(batch_id, row, reason, doer, at)
    return None


def correct_row(batch_id: int, row: int, name: str, code: str, doer: Officer, at: datetime) -> Mended:
    """The row gave a wrong name or code: it is judged again with the right ones. Raises NotPossible, LookupError."""
    batch = locked_batch(batch_id)
    heading = heading_of(batch.directory, batch.heading)
    typed: dict[int, str] = {}
    for role, value in (("name", name), ("code", code)):
        codes = {field.code for field in heading.entry.by_role[role]}
        typed |= {place: value for place, column in enumerate(heading.columns) if column.field in codes}
    return mend(batch_id, row, typed, doer, at)


def rename(batch_id: int, row: int, reason: str, doer: Officer, at: datetime) -> Mended:
    """更名: the subject that has the code bears the row's name from now on, and the row is taken in. Raises
    NotPossible, LookupError."""
    reason, batch, line = _reason(reason), locked_batch(batch_id), _line(batch_id, row)
    entry = heading_of(batch.directory, batch.heading).entry
    values = read_as(batch, line, at)
    name, code = tidy(entry.value("name", values)), entry.value("code", values)
    known = by_code({code}).get(code) if code else None
    if known is None or not name or line.finding != "two_names":
        raise NotPossible([no("库中没有这个代码的主体，不能更名；自然人请对照证件改这一行。", "NO_SUBJECT")])
    _may(doer, batch.office_id, known.id)
    db.session.execute(select(Subject.id).where(Subject.id == known.id).with_for_update())
    db.session.execute(update(Subject.__table__).where(Subject.__table__.c.id == known.id).values(name=name))
    _note(known.id, "rename", doer, batch.office_id, at, {"before": known.name, "after": name, "reason": reason})
    return mend(batch_id, row, {}, doer, at, note=reason)


def correct_subject(batch_id: int, row: int, code: str, reason: str, doer: Officer, at: datetime) -> str:
    """The row's record is about the subject that has `code`: withdrawn where it stands, entered anew there. Returns the
    new record's public id. Raises NotPossible, LookupError."""
    reason, line, code = _reason(reason), _line(batch_id, row), clean_code(code)
    if line.record_id is None:
        raise NotPossible([no("这一行还没有写入，请直接改这一行的代码。", "NO_RECORD")])
    record = locked(line.record_id, doer)
    right = by_code({code}).get(code) if code else None
    if right is None:
        raise NotPossible([no("库中没有代码为 {given} 的主体；请核对代码。", "NO_SUBJECT", given=code)])
    if right.id == record.subject_id:
        raise NotPossible([no("这条信息已经在这个主体名下。", "SAME_SUBJECT")])
    if right.id in doer.mandates:
        raise NotPossible([_recused()])
    if db.session.execute(select(_built_on([record.id]))).scalar():
        text = "这条信息已有办件、通知或者共享，不能换主体；请先登记撤回，再重新报送。"
        raise NotPossible([no(text, "BUILT_ON")])
    key = (CreditRecord.number_key == record.number_key) & (CreditRecord.office_id == record.office_id)
    twice = exists().where(key, CreditRecord.subject_id == right.id, CreditRecord.recognised_on == record.recognised_on)
    if db.session.execute(select(twice)).scalar():
        raise NotPossible([no("那个主体名下已有同一文号、同一天的信息。", "THERE_ALREADY")])
    public_id = _enter_anew(record, right.id, code, reason, at)
    settle_finding(batch_id, row, reason, doer, at)
    answers = {"before": record.subject_id, "after": right.id, "new": public_id, "reason": reason}
    who = hand(doer, record.office_id)
    write_line("record", record.id, "correct_subject", who, at, law_text=LAW, answers=answers)
    return public_id


def change_code(
    batch_id: int, row: int, subject_id: int, code: str, since: date, reason: str, doer: Officer, at: datetime
) -> None:
    """The subject has `code` since a day, and its code before ended the day before. A subject that was known by that
    code only is the same body: its records come along. Raises NotPossible, LookupError."""
    reason, batch, code = _reason(reason), locked_batch(batch_id), clean_code(code)
    _may(doer, batch.office_id, subject_id)
    verdict = check_code(code)
    if not verdict.ok:
        raise NotPossible([no("{why}。", "BAD_CODE", why=verdict.problems[0].rstrip("。"))])
    if since > legal_day(at):
        raise NotPossible([no("启用日期还没有到。", "FUTURE")])
    table = Identifier.__table__
    rows = db.session.execute(
        select(table.c.id, table.c.subject_id, table.c.value, table.c.valid_from, table.c.valid_until)
        .where(table.c.kind == "uscc", or_(table.c.subject_id == subject_id, table.c.value == code))
        .order_by(table.c.id)
        .with_for_update()
    ).all()
    holder = next((one for one in rows if one.value == code), None)
    if holder is not None and holder.subject_id == subject_id:
        raise NotPossible([no("这已经是它的代码。", "SAME_CODE")])
    for one in rows:
        if one.subject_id == subject_id and one.valid_until is None:
            last = since - timedelta(days=1)
            ended = {"valid_until": last, "valid_from": min(one.valid_from, last)}
            db.session.execute(update(table).where(table.c.id == one.id).values(**ended))
    moved = 0
    if holder is None:
        db.session.execute(insert(table).values(subject_id=subject_id, kind="uscc", value=code, valid_from=since))
    else:
        _may(doer, batch.office_id, holder.subject_id)
        moved = _one_body(holder.subject_id, subject_id)
        taken = {"subject_id": subject_id, "valid_from": since, "valid_until": None}
        db.session.execute(update(table).where(table.c.id == holder.id).values(**taken))
    before = "、".join(one.value for one in rows if one.subject_id == subject_id and one.valid_until is None)
    answers: dict[str, Any] = {
        "before": before,
        "after": code,
        "since": since.isoformat(),
        "records": moved,
        "reason": reason,
    }
    if holder is not None:
        answers["merged"] = holder.subject_id
    _note(subject_id, "change_code", doer, batch.office_id, at, answers)
    if _line(batch_id, row).verdict != "waiting":
        settle_finding(batch_id, row, reason, doer, at)


def _one_body(other: int, subject_id: int) -> int:
    """What was recorded of `other` is about `subject_id`; how many records. Raises NotPossible while anything else
    stands on it."""
    standing = [
        select(func.count().label("n")).select_from(table).where(column == other)
        for table in Base.metadata.sorted_tables
        if table.name not in _OWN_TABLES
        for column in table.c
        if any(key.target_fullname == "subject.id" for key in column.foreign_keys)
    ]
    counted = union_all(*standing).subquery()
    mine, theirs = CreditRecord.__table__, CreditRecord.__table__.alias()
    ids = list(db.session.execute(select(mine.c.id).where(mine.c.subject_id == other).with_for_update()).scalars())
    codes = select(func.count()).where(Identifier.subject_id == other)
    if (
        db.session.execute(select(func.sum(counted.c.n))).scalar()
        or db.session.execute(select(_built_on(ids))).scalar()
        or db.session.execute(codes).scalar_one() > 1
    ):
        raise NotPossible([no("那个代码名下已有办件、委托、通知或者别的代码，不能并过来；请先办结。", "BUILT_ON")])
    same = (theirs.c.number_key == mine.c.number_key) & (theirs.c.office_id == mine.c.office_id)
    same &= theirs.c.recognised_on == mine.c.recognised_on
    both = select(func.count()).select_from(mine.join(theirs, same))
    if db.session.execute(both.where(mine.c.subject_id == other, theirs.c.subject_id == subject_id)).scalar():
        raise NotPossible([no("两个代码名下有同一文号、同一天的信息，请先撤销其中一条。", "THERE_ALREADY")])
    db.session.execute(update(mine).where(mine.c.subject_id == other).values(subject_id=subject_id))
    db.session.execute(delete(SubjectName.__table__).where(SubjectName.__table__.c.subject_id == other))
    return len(ids)


def _enter_anew(record: Any, subject_id: int, code: str, reason: str, at: datetime) -> str:
    """The same record about another subject; the one before leaves publication and frees its key."""
    today, table = legal_day(at), CreditRecord.__table__
    shown = db.session.execute(select(deed_on(today)).where(CreditRecord.id == record.id)).scalar() == "publish"
    if shown:
        state_fact(record.id, "withdraw", today, at, f"{WRONG_SUBJECT}（{reason}）")
    freed = {"undone_at": at, "sender_id": "", "number_key": table.c.number_key + "#" + cast(table.c.id, String)}
    db.session.execute(update(table).where(table.c.id == record.id).values(**freed))
    entry = entry_of(record.directory)
    own = entry.by_role["code"][0].code if entry else ""
    values = {name: value for name, value in record._mapping.items() if name != "id"}
    values |= {
        "public_id": secrets.token_hex(8),
        "subject_id": subject_id,
        "fields": {name: code if name == own else value for name, value in record.fields.items()},
        "recorded_at": at,
        "version": 1,
        "changed_at": None,
    }
    new_id = db.session.execute(insert(table).values(**values).returning(table.c.id)).scalar_one()
    if shown:
        state_fact(new_id, "publish", today, at, CAUSES[record.kind])
    return str(values["public_id"])


def _built_on(records: list[int]) -> Any:
    """The condition that cases, notices or shares rest on one of these records."""
    return or_(
        exists().where(CaseRecord.record_id.in_(records)),
        exists().where(Notice.record_id.in_(records)),
        exists().where(RecordShare.record_id.in_(records)),
    )


def _may(doer: Officer, office_id: int, subject_id: int) -> None:
    if refusals := not_theirs(doer, office_id, HANDS):
        raise NotPossible(refusals)
    if subject_id in doer.mandates:
        raise NotPossible([_recused()])


def _recused() -> Refusal:
    return Refusal(STRANGER, "您受这个主体委托，应当回避，请由其他人办理。", {}, LAW, "RECUSED")


def _reason(text: str) -> str:
    if not text.strip():
        raise NotPossible([no("请写明核对的结果。", "NO_REASON")])
    return text.strip()[:500]


def _note(subject: int, act: str, doer: Officer, office: int, at: datetime, answers: dict[str, Any]) -> None:
    write_line("subject", subject, act, hand(doer, office), at, law_text=LAW, answers=answers)


def _line(batch_id: int, row: int) -> Any:
    """A row with a doubt, locked. Raises LookupError, NotPossible when nobody doubts it any more."""
    line = db.session.execute(
        select(*BatchRow.__table__.c).where(BatchRow.batch_id == batch_id, BatchRow.row == row).with_for_update()
    ).first()
    if line is None:
        raise LookupError(f"no line {row} of batch {batch_id}")
    if not line.finding or line.settled_at is not None:
        raise NotPossible([no("这一行没有待核对的疑问，或者已经有人核对过；请刷新页面。", "SETTLED")])
    return line
