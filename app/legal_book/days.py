"""Days the office itself declares working or rest days, and what that does to the time-limits that are running.

A limit that is running is counted again with the new days, in the same transaction, by a journal line of its own about
each case or record, so that every deadline stays a fold of the journal. Nothing is ever shortened without somebody's
word for it, and nothing is shortened into the past: only days still to come can be made working days.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select, text

from app.casework.actor import Person
from app.db import db
from app.journal import Doer, write_line
from app.legal_book.recount import Move, chunks, day_in_words, moves_with, recount
from app.models import CalendarOverride, Case, CreditRecord
from app.office_book.base import NotDone, reach_of
from workflows.calendar import Calendar, Override, legal_day
from workflows.people import Role

FIRST_YEAR = 2001
"""The first year of which the arrangement of rest days is known."""
YEARS_AHEAD = 2
MOST = 120
"""Days that one notice can declare: more than a year's arrangement ever had."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A day and whether it is a working day."""

    day: date
    working: bool


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
        *(
            (move.about, move.about_id, move.clock, move.item, move.before.isoformat(), move.after.isoformat())
            for move in moves
        ),
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
    recount(moves, notice, doer, after, at)
    return moves


def _check(days: list[Declared], at: datetime) -> None:
    today = legal_day(at)
    if not days:
        raise NotDone("请至少写一天。")
    if len(days) > MOST:
        raise NotDone("一次最多录入 {most} 天，请分几次录入。", most=MOST)
    twice = sorted({each.day for each in days if sum(other.day == each.day for other in days) > 1})
    if twice:
        raise NotDone("{day}写了两次，请只留一次。", day=day_in_words(twice[0]))
    for each in days:
        if not FIRST_YEAR <= each.day.year <= today.year + YEARS_AHEAD:
            values = {"day": day_in_words(each.day), "first": FIRST_YEAR, "last": today.year + YEARS_AHEAD}
            raise NotDone("{day}不在能录入的年份里（{first} 年到 {last} 年），请核对。", **values)
        if each.working and each.day <= today:
            raise NotDone(
                "{day}不在今天以后，不能改成上班日：有人的期限会因此提前到已经过去的日子。", day=day_in_words(each.day)
            )
    known = db.session.execute(
        select(CalendarOverride.day, CalendarOverride.notice)
        .where(CalendarOverride.day.in_([each.day for each in days]))
        .order_by(CalendarOverride.day)
    ).first()
    if known is not None:
        raise NotDone("{day}已经按“{notice}”录过，不能重复录入。", day=day_in_words(known.day), notice=known.notice)


def _fresh(days: list[Declared], notice: str, announces: int | None) -> list[Override]:
    return [Override(each.day, each.working, notice, announces) for each in days]


def _moves(fresh: list[Override], days: list[Declared]) -> list[Move]:
    """Every running limit whose last day, or its being provisional, changes with the new rows."""
    return moves_with(calendar_with(declared(), fresh), min(each.day for each in days))


def _held_moves(fresh: list[Override], days: list[Declared]) -> list[Move]:
    """What moves, with nobody able to start or move a limit meanwhile.

    On PostgreSQL the cases and records are locked before the table of days: whoever takes a step locks its case and its
    record first and reads the days after it. What a step started in between is found by looking again. SQLite has one
    writer at a time.
    """
    moves = _moves(fresh, days)
    held: set[tuple[str, int]] = set()
    while wanted := sorted({(move.about, move.about_id) for move in moves} - held):
        for about, own in (("case", Case.id), ("record", CreditRecord.id)):
            for chunk in chunks([id for what, id in wanted if what == about]):
                db.session.execute(select(own).where(own.in_(chunk)).order_by(own).with_for_update()).all()
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
