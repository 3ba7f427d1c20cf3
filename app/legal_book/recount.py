"""Running time-limits counted again when the days change: of cases, and of records without a case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select

from app.casework.clocks import store
from app.db import db
from app.journal import Doer, write_line
from app.models import Case, CreditRecord, DeadlineRow, JournalLine, Office
from app.registry.annul import CLOCK, CLOCK_TITLE, RECEIVER, RECEIVER_TITLE
from workflows import WORKFLOWS
from workflows.calendar import Calendar, reckon
from workflows.clockwork import RUNNING, Deadline, turn

RECOUNT = "recount"
LISTENS = Office.receives != ""
OF_RECORDS = {CLOCK: CLOCK_TITLE, RECEIVER: RECEIVER_TITLE}
"""Time-limits that a record has without a case."""
_AT_ONCE = 400
"""Cases or records read in one statement."""


@dataclass(frozen=True, slots=True)
class Move:
    """A running time-limit that the new days touch: its old and new last day, and the event that says so.

    It is one of a case or of a record (`about`, `about_id`, `number`). `whose` is the receiver it is about, empty for a
    limit of our own.
    """

    about: str
    about_id: int
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

    @property
    def in_words(self) -> str:
        """What became of it, for the journal."""
        title = f"{self.title}（{self.whose}）" if self.whose else self.title
        if not self.settled:
            return f"{title}由{day_in_words(self.before)}改为{day_in_words(self.after)}"
        if self.provisional != self.was_provisional:
            return f"{title}仍为{day_in_words(self.after)}，{'暂定' if self.provisional else '不再是暂定'}"
        return f"{title}仍为{day_in_words(self.after)}，延长以前的期限有变动"


def moves_with(after: Calendar, first: date) -> list[Move]:
    """Every running limit whose last day, or its being provisional, changes when `after` is the calendar; `first` is
    the first of the new days. The shortened ones come first."""
    touched = or_(DeadlineRow.due_on >= first, DeadlineRow.provisional.is_(True))
    found = db.session.execute(
        select(DeadlineRow.about, DeadlineRow.about_id)
        .where(DeadlineRow.state == RUNNING, DeadlineRow.unit != "", touched)
        .distinct()
        .order_by(DeadlineRow.about, DeadlineRow.about_id)
    ).all()
    names = {office.code: office.name for office in db.session.execute(select(Office.code, Office.name).where(LISTENS))}
    moves: list[Move] = []
    for about, described in (("case", _cases), ("record", _records)):
        for ids in chunks([row.about_id for row in found if row.about == about]):
            moves += _moves(about, described(ids), after, names)
    return sorted(moves, key=lambda move: (not move.shorter, move.settled, move.after, move.number, move.clock))


def recount(moves: Iterable[Move], notice: str, doer: Doer, calendar: Calendar, at: datetime) -> None:
    """One journal line about each case and each record, carrying its events; then the rows that pages read."""
    by_object: dict[tuple[str, int], list[Move]] = {}
    for move in moves:
        by_object.setdefault((move.about, move.about_id), []).append(move)
    for about in ("case", "record"):
        for ids in chunks(sorted(id for what, id in by_object if what == about)):
            states = _states(ids) if about == "case" else {}
            rows = _deadlines(about, ids)
            for id in ids:
                moved = by_object[about, id]
                events = [move.event for move in moved]
                said = "；".join(move.in_words for move in moved)
                state = states.get(id, "")
                write_line(
                    about, id, RECOUNT, doer, at, law_text="D", source=state, target=state,
                    answers={"reason": f"{notice}：{said}。"}, clocks=events, calendar=calendar.edition,
                )  # fmt: skip
                store(about, id, rows.get(id, []), events)


def recounted(lines: Iterable[Any], calendar: Calendar) -> Iterator[tuple[Deadline, dict[str, Any]]]:
    """The running deadlines of a case or record that `calendar` counts otherwise, each with the event that says how.

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


def chunks(ids: list[int]) -> Iterator[list[int]]:
    """As many as are read in one statement."""
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def day_in_words(day: date) -> str:
    """A day as the journal writes it."""
    return f"{day.year}年{day.month}月{day.day}日"


@dataclass(frozen=True, slots=True)
class _Object:
    """A case or a record: its number, its office, what its clocks are called."""

    id: int
    number: str
    office: str
    title: Callable[[str], str]


def _cases(ids: list[int]) -> list[_Object]:
    rows = db.session.execute(
        select(Case.id, Case.number, Case.type, Case.edition, Office.name)
        .join(Office, Office.id == Case.office_id)
        .where(Case.id.in_(ids))
    ).all()

    def titles(type: str, edition: str) -> Callable[[str], str]:
        return lambda clock: WORKFLOWS[type, edition].clock[clock].title

    return [_Object(row.id, row.number, row.name, titles(row.type, row.edition)) for row in rows]


def _records(ids: list[int]) -> list[_Object]:
    rows = db.session.execute(
        select(CreditRecord.id, CreditRecord.number, Office.name)
        .join(Office, Office.id == CreditRecord.office_id)
        .where(CreditRecord.id.in_(ids))
    ).all()
    return [_Object(row.id, row.number, row.name, OF_RECORDS.__getitem__) for row in rows]


def _moves(about: str, objects: list[_Object], after: Calendar, names: Mapping[str, str]) -> Iterator[Move]:
    lines: dict[int, list[Any]] = {}
    for line in db.session.execute(
        select(JournalLine.about_id, JournalLine.act, JournalLine.clocks)
        .where(JournalLine.about == about, JournalLine.about_id.in_([one.id for one in objects]))
        .order_by(JournalLine.about_id, JournalLine.seq)
    ).all():
        lines.setdefault(line.about_id, []).append(line)
    for one in objects:
        for deadline, event in recounted(lines.get(one.id, []), after):
            assert deadline.due_on is not None
            yield Move(
                about=about,
                about_id=one.id,
                number=one.number,
                office=one.office,
                clock=deadline.clock,
                title=one.title(deadline.clock),
                item=deadline.item,
                whose=names.get(deadline.item, deadline.item),
                before=deadline.due_on,
                after=date.fromisoformat(event["due_on"]),
                was_provisional=deadline.provisional,
                provisional=event["provisional"],
                event=event,
            )


def _states(case_ids: list[int]) -> dict[int, str]:
    cases = db.session.execute(select(Case.id, Case.state).where(Case.id.in_(case_ids))).all()
    return {case.id: case.state for case in cases}


def _deadlines(about: str, ids: list[int]) -> dict[int, list[Deadline]]:
    names = Deadline.__dataclass_fields__
    rows: dict[int, list[Deadline]] = {}
    for row in db.session.execute(
        select(*DeadlineRow.__table__.c).where(DeadlineRow.about == about, DeadlineRow.about_id.in_(ids))
    ).all():
        rows.setdefault(row.about_id, []).append(Deadline(**{name: getattr(row, name) for name in names}))
    return rows


def _stretch(event: Mapping[str, Any], base: str) -> tuple[date, int, str, bool]:
    return date.fromisoformat(event[base]), event["value"], event["unit"], event["shift"]
