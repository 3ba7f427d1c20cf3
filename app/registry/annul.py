"""处罚被撤销: the penalty behind a record is gone. The record is marked and its withdrawal is due.

The withdrawal is done at once when no case is open; an open case comes to its own end and withdraws the record there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from app.db import db
from app.journal import Doer, Entry, write_line
from app.models import Case, CaseRecord, CreditRecord, DeadlineRow
from app.registry.hands import NotPossible, Officer, hand, locked
from app.registry.publish import state_fact
from app.registry.working_days import office_calendar
from workflows.calendar import legal_day, reckon
from workflows.clockwork import RUNNING, turn
from workflows.grammar import UNMET, Refusal
from workflows.law import rule

LAW = "XZCF 48"
CLOCK = "withdraw"
CLOCK_TITLE = "撤回期限"
RECEIVER = "receiver"
"""The clock of a receiver who is asked to confirm, as the case types name it."""
RECEIVER_TITLE = "同步期限"
CAUSE = "处罚已撤销，信息撤回"


@dataclass(frozen=True, slots=True)
class Annulled:
    """What came of it. `withdrawn` is the journal line of the withdrawal when it was done at once, else None: then the
    open case named withdraws the record. `again` is true when the same had been recorded before."""

    record_id: int
    subject_id: int
    entry: Entry | None
    withdrawn: Entry | None
    open_case: str
    again: bool = False


def annul(record_id: int, doer: Officer, reason: str, day: date, at: datetime, asked: Iterable[str] = ()) -> Annulled:
    """Record that the penalty was annulled on a day, inside `transaction()`; the record is locked first.

    `reason` names the decision that did it, and is printed; `asked` are the codes of those who will be asked to confirm
    a withdrawal that is done at once. Raises NotPossible with sentences; recording the same
    again changes nothing. Whoever must be told when nothing is open is told by `app.casework.annul`.
    """
    row = locked(record_id, doer)
    reason, today = reason.strip(), legal_day(at)
    if row.annulled_on is not None:
        if (row.annulled_on, row.annulled_by) == (day, reason):
            return Annulled(record_id, row.subject_id, None, None, "", again=True)
        text = "这项处罚已经登记为{day}被撤销（{by}），不能再登记。"
        raise NotPossible([_no(text, "ANNULLED", day=_said(row.annulled_on), by=row.annulled_by)])
    if no := _implausible(row, reason, day, today):
        raise NotPossible(no)
    db.session.execute(
        update(CreditRecord)
        .where(CreditRecord.id == record_id)
        .values(annulled_on=day, annulled_by=reason)
        .execution_options(synchronize_session=False)
    )
    started = _started(CLOCK, "", "records.withdraw_within", day)
    who = hand(doer, row.office_id)
    answers = {"day": day.isoformat(), "reason": reason}
    entry = write_line(
        "record", record_id, "annul", who, at, law_text=LAW, answers=answers, clocks=(started,),
        calendar=office_calendar().edition,
    )  # fmt: skip
    _keep(record_id, (started,))
    case = db.session.execute(
        select(Case.number).join(CaseRecord, CaseRecord.case_id == Case.id).where(CaseRecord.open_record == record_id)
    ).scalar()
    withdrawn = None if case else withdraw(record_id, who, at, f"{CAUSE}（{reason}）", asked=asked)
    return Annulled(record_id, row.subject_id, entry, withdrawn, case or "")


def withdraw(
    record_id: int, who: Doer, at: datetime, cause: str, case_id: int | None = None, asked: Iterable[str] = ()
) -> Entry:
    """Withdraw the information: a dated fact, a line of the record's journal, and its time-limit met. The caller holds
    the record's lock. It is no repair and leaves no trace of one.

    Without a case the time-limit of each receiver in `asked` (codes) begins here; a case has clocks of its own.
    """
    today = legal_day(at)
    state_fact(record_id, "withdraw", today, at, cause, case_id)
    met = {"clock": CLOCK, "item": "", "event": "meet", "on": today.isoformat()}
    closed = db.session.execute(
        update(DeadlineRow)
        .where(
            DeadlineRow.about == "record",
            DeadlineRow.about_id == record_id,
            DeadlineRow.clock == CLOCK,
            DeadlineRow.state == RUNNING,
        )
        .values(state="met", met_on=today)
        .execution_options(synchronize_session=False)
        .returning(DeadlineRow.id)
    ).all()
    asking = tuple(_started(RECEIVER, code, "repair.receiver_within", today) for code in asked)
    _keep(record_id, asking)
    clocks = (*((met,) if closed else ()), *asking)
    return write_line("record", record_id, "withdraw", who, at, law_text=LAW, answers={"reason": cause}, clocks=clocks)


def _keep(record_id: int, started: Iterable[Mapping[str, Any]]) -> None:
    """Store time-limits of the record that have just begun."""
    rows = [{"about": "record", "about_id": record_id, **asdict(deadline)} for deadline in turn((), started)]
    if rows:
        db.session.execute(insert(DeadlineRow.__table__), rows)


def _started(clock: str, item: str, length: str, day: date) -> Mapping[str, Any]:
    """The event with which a time-limit of the record begins, as long as a law row says, counted from a day."""
    row = rule(length).on(day)
    counted = reckon(office_calendar(), day, int(row.value or 0), row.unit, row.shift)
    return {
        "clock": clock,
        "item": item,
        "event": "start",
        "day_zero": day.isoformat(),
        "due_on": counted.due_on.isoformat(),
        "value": counted.value,
        "unit": row.unit,
        "shift": row.shift,
        "rule": row.rule_id,
        "row": row.digest,
        "provisional": counted.provisional,
    }


def _implausible(row: Row[Any], reason: str, day: date, today: date) -> list[Refusal]:
    found = []
    if not reason:
        found.append(_no("请写明由什么决定撤销、变更或者确认违法。", "NO_REASON"))
    if day > today:
        found.append(_no("撤销的日期不能晚于今天。", "IN_FUTURE"))
    elif day < row.recognised_on:
        text = "撤销的日期不能早于认定文书的日期（{day}）。"
        found.append(_no(text, "TOO_EARLY", day=_said(row.recognised_on)))
    elif day < rule("records.withdraw_within").rows[0].valid_from:
        found.append(_no("撤销的日期早于撤回期限的规定施行之日，请核对年份。", "TOO_EARLY"))
    return found


def _no(text: str, code: str, **values: object) -> Refusal:
    return Refusal(UNMET, text, values, LAW, code)


def _said(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
