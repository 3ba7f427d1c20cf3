"""What a step does to the register: in its own transaction, or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from sqlalchemy import bindparam, insert, select, update

from app.casework.facts import Loaded
from app.db import db
from app.journal import Entry
from app.models import Ban, CreditRecord, Measure, RepairTask
from app.registry.annul import CAUSE, withdraw
from app.registry.numbers import number_key
from app.registry.publish import state_fact
from workflows.calendar import legal_day, reckon
from workflows.law import rule

HELD = Measure.__table__.c
OURS = select(HELD.id, HELD.kind).where(
    HELD.record_id == bindparam("record_id"), HELD.ours.is_(True), HELD.lifted_on.is_(None)
)


def end_publicity(loaded: Loaded, entry: Entry) -> None:
    """Our own publication ends with the decision, on its day; the record itself is kept."""
    assert loaded.record_id is not None
    day = legal_day(entry.at)
    state_fact(loaded.record_id, "repair", day, entry.at, f"准予信用修复（{loaded.row.number}）", loaded.id)
    _task_done(loaded, entry, "end_publicity", "本机关终止公示、更新状态", "随准予修复决定同时生效")


def lift_measures(loaded: Loaded, entry: Entry) -> None:
    """Measures this house itself holds because of the record are lifted; other organs are told by notice."""
    day = legal_day(entry.at)
    ours = db.session.execute(OURS, {"record_id": loaded.record_id}).all()
    if ours:
        db.session.execute(
            update(Measure)
            .where(Measure.id.in_([row.id for row in ours]))
            .values(lifted_on=day, lifted_by_case=loaded.id)
            .execution_options(synchronize_session=False)
        )
    note = "、".join(row.kind for row in ours) if ours else "本机关没有因这条信息采取措施"
    _task_done(loaded, entry, "lift_measures", "解除本机关采取的措施", note)


def list_tasks(loaded: Loaded, entry: Entry) -> None:
    """What a person still has to do or look at."""
    titles = {"regrade": "核对信用评价和监管分类是否随之调整", "own_pages": "核对本机关其他网站、公众号已停止公示"}
    rows = [{"case_id": loaded.id, "code": code, "title": title, "note": ""} for code, title in titles.items()]
    db.session.execute(insert(RepairTask.__table__), rows)


def do_task(loaded: Loaded, entry: Entry) -> None:
    """The named task is done, with what the officer wrote."""
    db.session.execute(
        update(RepairTask)
        .where(RepairTask.case_id == loaded.id, RepairTask.code == entry.item, RepairTask.done_at.is_(None))
        .values(done_at=entry.at, done_by=entry.doer.person, note=str(entry.answers.get("outcome", "")))
        .execution_options(synchronize_session=False)
    )


def record_breach(loaded: Loaded, entry: Entry) -> None:
    """The finding of false material enters the credit record of the subject; it is shared, and not shown by us."""
    record = loaded.facts.record
    assert record is not None
    number = f"{loaded.row.number} 虚假材料认定"
    db.session.execute(
        insert(CreditRecord).values(
            public_id=secrets.token_hex(8),
            kind="repair_breach",
            directory="",
            catalogue="",
            subject_id=loaded.facts.case.subject,
            office_id=loaded.facts.case.office,
            title="信用修复中提供虚假材料",
            number=number,
            number_key=number_key(number),
            recognised_on=legal_day(entry.at),
            cls="",
            class_basis="",
            duty="unknown",
            fields={"case": loaded.row.number, "reason": str(entry.answers.get("reason", ""))},
            received={},
            recorded_at=entry.at,
        )
    )


def ban(loaded: Loaded, entry: Entry) -> None:
    """No repair application for the time the law gives, counted from the finding."""
    row = rule("repair.ban").on(legal_day(entry.at))
    day = legal_day(entry.at)
    counted = reckon(loaded.facts.calendar, day, int(row.value or 0), row.unit, row.shift)
    db.session.execute(
        insert(Ban).values(
            subject_id=loaded.facts.case.subject,
            since=day,
            until=counted.due_on,
            cause="在信用修复中提供虚假材料",
            rule=row.rule_id,
            case_id=loaded.id,
            recorded_at=entry.at,
        )
    )


def withdraw_record(loaded: Loaded, entry: Entry) -> None:
    """The penalty was annulled: the information is withdrawn, which is no repair and leaves no trace of one."""
    assert loaded.record_id is not None
    withdraw(loaded.record_id, entry.doer, entry.at, f"{CAUSE}（{loaded.row.number}）", loaded.id)


def _task_done(loaded: Loaded, entry: Entry, code: str, title: str, note: str) -> None:
    row = {"case_id": loaded.id, "code": code, "title": title, "note": note, "done_at": entry.at}
    db.session.execute(insert(RepairTask.__table__), row)


EFFECTS: dict[str, Callable[[Loaded, Entry], None]] = {
    "end_publicity": end_publicity,
    "lift_measures": lift_measures,
    "list_tasks": list_tasks,
    "do_task": do_task,
    "record_breach": record_breach,
    "ban": ban,
    "withdraw_record": withdraw_record,
}
