"""Days the office itself declares working or rest days, and what that does to the time-limits that are running.

A limit that is running is counted again with the new days, in the same transaction, by a journal line of its own about
each case, so that every deadline stays a fold of the journal. Nothing is ever shortened without somebody's word for it,
and nothing is shortened into the past: only days still to come can be made working days.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, or_, select, text

from app.casework.actor import Person
from app.casework.clocks import store
from app.db import db
from app.journal import Doer, write_line
from app.models import CalendarOverride, Case, DeadlineRow, JournalLine, Office
from app.office_book.base import NotDone, reach_of
from workflows import WORKFLOWS
from workflows.calendar import Calendar, Override, legal_day, reckon
from workflows.clockwork import RUNNING, Deadline, turn
from workflows.people import Role

RECOUNT = "recount"
FIRST_YEAR = 2001
"""The first year of which the arrangement of rest days is known."""
YEARS_AHEAD = 2
MOST = 120
"""Days that one notice can declare: more than a year's arrangement ever had."""
LISTENS = Office.receives != ""
_AT_ONCE = 400
"""Cases read in one statement."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A day and whether it is a working day."""

    day: date
    working: bool


@dataclass(frozen=True, slots=True)
class Move:
    """A running time-limit that the new days touch: its old and new last day, and the event that says so.

    `whose` is the receiver it is about, empty for a limit of the case.
    """

    case_id: int
    number: str
    office: str
    clock: str
    title: str
    item: str
    whose: str
    before: date
    after: date
    was_provisional: bool
    provisional: bool
    event: Mapping[str, Any]

    @property
    def shorter(self) -> bool:
        """True when the limit would end earlier."""
        return self.after < self.before

    @property
    def settled(self) -> bool:
        """True when the last day stays: it ceases to be provisional, becomes so, or a day on the way to it moved."""
        return self.after == self.before


class Shortens(Exception):
    """Some limits would end earlier, and nobody has said that they know."""


class PreviewOutdated(Exception):
    """What would move is not what was shown before."""


def declared() -> list[Any]:
    """Every row of the office's own, in the order of days."""
    return list(db.session.execute(select(*CalendarOverride.__table__.c).order_by(CalendarOverride.day)).all())


def calendar_with(rows: Iterable[Any], more: Iterable[Override] = ()) -> Calendar:
    """The calendar that the rows make, and some more."""
    own = [Override(row.day, row.working, row.notice, row.announces) for row in rows]
    return Calendar(tuple(sorted([*own, *more], key=lambda each: each.day)))


def preview(days: Iterable[Declared], notice: str, announces: int | None, at: datetime) -> list[Move]:
    """What would move, the shortened ones first. Raises NotDone for days that cannot be declared."""
    days = list(days)
    _check(days, at)
    return _moves(_fresh(days, notice, announces), days)


def seen(days: Iterable[Declared], notice: str, announces: int | None, moves: Iterable[Move]) -> str:
    """A digest over what somebody was shown, so that nothing else is done in its place."""
    shown = [
        notice,
        announces,
        *((each.day.isoformat(), each.working) for each in days),
        *((move.number, move.clock, move.item, move.before.isoformat(), move.after.isoformat()) for move in moves),
    ]
    return hashlib.sha256(json.dumps(shown, ensure_ascii=False).encode()).hexdigest()


def declare(
    actor: Person,
    days: Iterable[Declared],
    notice: str,
    announces: int | None,
    *,
    shown: str,
    accept_shorter: bool,
    at: datetime,
) -> list[Move]:
    """Enter the days and count every running limit again; inside `transaction()`. Returns what moved.

    Raises NotDone, Shortens, or PreviewOutdated when `shown` is not the digest of what would be done now.
    """
    days = list(days)
    reach = reach_of(actor)
    if not reach.whole:
        raise NotDone("工作日历全省只有一本，由省级管理员录入。")
    _check(days, at)
    fresh = _fresh(days, notice, announces)
    moves = _held_moves(fresh, days)
    _check(days, at)  # once more, now that nobody else can enter the same day
    if seen(days, notice, announces, moves) != shown:
        raise PreviewOutdated
    if any(move.shorter for move in moves) and not accept_shorter:
        raise Shortens
    before = calendar_with(declared())
    after = calendar_with(declared(), fresh)
    doer = Doer(actor.person, actor.name, Role.ADMINISTRATOR.value, reach.office, address=actor.address)
    for each in days:
        row = {"day": each.day, "working": each.working, "notice": notice, "announces": announces}
        override_id: int = db.session.execute(
            insert(CalendarOverride)
            .values(**row, recorded_at=at, recorded_by=actor.person)
            .returning(CalendarOverride.id)
        ).scalar_one()
        answers = {**row, "day": each.day.isoformat(), "before": before.reason(each.day).name}
        write_line("calendar", override_id, "declare", doer, at, law_text="D", answers=answers, calendar=after.edition)
    _recount(moves, notice, doer, after, at)
    return moves


def _check(days: list[Declared], at: datetime) -> None:
    today = legal_day(at)
    if not days:
        raise NotDone("请至少写一天。")
    if len(days) > MOST:
        raise NotDone("一次最多录入 {most} 天，请分几次录入。", most=MOST)
    twice = sorted({each.day for each in days if sum(other.day == each.day for other in days) > 1})
    if twice:
        raise NotDone("{day}写了两次，请只留一次。", day=_day(twice[0]))
    for each in days:
        if not FIRST_YEAR <= each.day.year <= today.year + YEARS_AHEAD:
            values = {"day": _day(each.day), "first": FIRST_YEAR, "last": today.year + YEARS_AHEAD}
            raise NotDone("{day}不在能录入的年份里（{first} 年到 {last} 年），请核对。", **values)
        if each.working and each.day <= today:
            raise NotDone(
                "{day}不在今天以后，不能改成上班日：有人的期限会因此提前到已经过去的日子。", day=_day(each.day)
            )
    known = db.session.execute(
        select(CalendarOverride.day, CalendarOverride.notice)
        .where(CalendarOverride.day.in_([each.day for each in days]))
        .order_by(CalendarOverride.day)
    ).first()
    if known is not None:
        raise NotDone("{day}已经按“{notice}”录过，不能重复录入。", day=_day(known.day), notice=known.notice)


def _fresh(days: list[Declared], notice: str, announces: int | None) -> list[Override]:
    return [Override(each.day, each.working, notice, announces) for each in days]


def _moves(fresh: list[Override], days: list[Declared]) -> list[Move]:
    """Every running limit whose last day, or its being provisional, changes with the new rows."""
    rows = declared()
    after = calendar_with(rows, fresh)
    candidates = db.session.execute(
        select(DeadlineRow.about_id)
        .where(
            DeadlineRow.about == "case",
            DeadlineRow.state == RUNNING,
            DeadlineRow.unit != "",
            or_(DeadlineRow.due_on >= min(each.day for each in days), DeadlineRow.provisional.is_(True)),
        )
        .distinct()
        .order_by(DeadlineRow.about_id)
    ).scalars()
    names = {office.code: office.name for office in db.session.execute(select(Office.code, Office.name).where(LISTENS))}
    moves = [move for chunk in _chunks(list(candidates)) for move in _moves_of(chunk, after, names)]
    return sorted(moves, key=lambda move: (not move.shorter, move.settled, move.after, move.number, move.clock))


def _moves_of(case_ids: list[int], after: Calendar, names: Mapping[str, str]) -> Iterator[Move]:
    cases = db.session.execute(
        select(Case.id, Case.number, Case.type, Case.edition, Office.name.label("office"))
        .join(Office, Office.id == Case.office_id)
        .where(Case.id.in_(case_ids))
    ).all()
    lines: dict[int, list[Any]] = {}
    for line in db.session.execute(
        select(JournalLine.about_id, JournalLine.act, JournalLine.clocks)
        .where(JournalLine.about == "case", JournalLine.about_id.in_(case_ids))
        .order_by(JournalLine.about_id, JournalLine.seq)
    ).all():
        lines.setdefault(line.about_id, []).append(line)
    for case in cases:
        definition = WORKFLOWS[case.type, case.edition]
        for deadline, event in recounted(lines.get(case.id, []), after):
            clock = definition.clock[deadline.clock]
            assert deadline.due_on is not None
            yield Move(
                case_id=case.id,
                number=case.number,
                office=case.office,
                clock=deadline.clock,
                title=clock.title,
                item=deadline.item,
                whose=names.get(deadline.item, deadline.item),
                before=deadline.due_on,
                after=date.fromisoformat(event["due_on"]),
                was_provisional=deadline.provisional,
                provisional=event["provisional"],
                event=event,
            )


def recounted(lines: Iterable[Any], calendar: Calendar) -> Iterator[tuple[Deadline, dict[str, Any]]]:
    """The running deadlines of a case that `calendar` counts otherwise, each with the event that says how.

    `lines` are its journal lines (`act`, `clocks`) in order. An extension began where the limit before it ended, so a
    day inside the first stretch moves the second: each limit is counted again from the last day that is a fact.
    """
    deadlines: tuple[Deadline, ...] = ()
    stretches: dict[tuple[str, str], list[tuple[date, int, str, bool]]] = {}
    for line in lines:
        deadlines = turn(deadlines, line.clocks)
        for event in line.clocks:
            key = (event["clock"], event["item"])
            if event["event"] == "extend":
                stretches[key].append(_stretch(event, "base"))
            elif event["event"] == "start":
                stretches[key] = [_stretch(event, "day_zero")]
            elif event["event"] in ("resume", "recount") and line.act != RECOUNT:
                stretches[key] = [_stretch(event, "base")]
    for deadline in deadlines:
        if deadline.state != RUNNING or not deadline.unit or deadline.due_on is None:
            continue
        (base, value, unit, shift), *extensions = stretches[deadline.clock, deadline.item]
        counted = reckon(calendar, base, value, unit, shift)
        for _was, value, unit, shift in extensions:
            base = counted.due_on
            counted = reckon(calendar, base, value, unit, shift)
        now_due = (counted.due_on, base, counted.provisional)
        if now_due != (deadline.due_on, deadline.base, deadline.provisional):
            yield (
                deadline,
                {
                    "clock": deadline.clock,
                    "item": deadline.item,
                    "event": "recount",
                    "base": base.isoformat(),
                    "due_on": counted.due_on.isoformat(),
                    "value": deadline.value,
                    "unit": deadline.unit,
                    "shift": deadline.shift,
                    "rule": deadline.rule,
                    "row": deadline.row,
                    "provisional": counted.provisional,
                },
            )


def _stretch(event: Mapping[str, Any], base: str) -> tuple[date, int, str, bool]:
    return date.fromisoformat(event[base]), event["value"], event["unit"], event["shift"]


def _held_moves(fresh: list[Override], days: list[Declared]) -> list[Move]:
    """What moves, with nobody able to start or move a limit meanwhile.

    On PostgreSQL the cases are locked before the table of days: whoever takes a step locks its case first and reads the
    days after it. What a step started in between is found by looking again. SQLite has one writer at a time.
    """
    moves = _moves(fresh, days)
    held: set[int] = set()
    while wanted := sorted({move.case_id for move in moves} - held):
        for chunk in _chunks(wanted):
            db.session.execute(select(Case.id).where(Case.id.in_(chunk)).order_by(Case.id).with_for_update()).all()
        if not held:
            _hold_days()
        held.update(wanted)
        moves = _moves(fresh, days)
    if not held:
        _hold_days()
        moves = _moves(fresh, days)
    return moves


def _hold_days() -> None:
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE calendar_override IN ACCESS EXCLUSIVE MODE"))


def _recount(moves: list[Move], notice: str, doer: Doer, calendar: Calendar, at: datetime) -> None:
    """One journal line about each case, carrying its events; then the rows that pages read."""
    by_case: dict[int, list[Move]] = {}
    for move in moves:
        by_case.setdefault(move.case_id, []).append(move)
    for chunk in _chunks(sorted(by_case)):
        cases = db.session.execute(select(Case.id, Case.state).where(Case.id.in_(chunk))).all()
        states = {case.id: case.state for case in cases}
        rows: dict[int, list[Deadline]] = {}
        names = Deadline.__dataclass_fields__
        for row in db.session.execute(
            select(*DeadlineRow.__table__.c).where(DeadlineRow.about == "case", DeadlineRow.about_id.in_(chunk))
        ).all():
            rows.setdefault(row.about_id, []).append(Deadline(**{name: getattr(row, name) for name in names}))
        for case_id in chunk:
            moved = by_case[case_id]
            events = [move.event for move in moved]
            said = "；".join(map(_in_words, moved))
            write_line(
                "case", case_id, RECOUNT, doer, at, law_text="D", source=states[case_id], target=states[case_id],
                answers={"reason": f"{notice}：{said}。"}, clocks=events, calendar=calendar.edition,
            )  # fmt: skip
            store("case", case_id, rows.get(case_id, []), events)


def _in_words(move: Move) -> str:
    """What became of a limit, for the journal of its case."""
    title = f"{move.title}（{move.whose}）" if move.whose else move.title
    if not move.settled:
        return f"{title}由{_day(move.before)}改为{_day(move.after)}"
    if move.provisional != move.was_provisional:
        return f"{title}仍为{_day(move.after)}，{'暂定' if move.provisional else '不再是暂定'}"
    return f"{title}仍为{_day(move.after)}，延长以前的期限有变动"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
