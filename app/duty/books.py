"""The books: on the first working day of a month the statements of the month before, and every day a look whether our
own books agree.

When each was last done is a row; a watch that was down does what it missed, and two at once do it once.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select

from app.db import db, insert_into, transaction
from app.models import Heartbeat, Notice
from app.notices.own_books import own_differences
from app.notices.statement import draw_monthly
from app.now import now
from app.registry.working_days import office_calendar
from workflows.calendar import Calendar, day_start, legal_day, months_after

MONTHLY, DAILY = "statements", "books"
LOOK_BACK = timedelta(days=31)


def turn() -> int:
    """Draw the statements that are due and look through our own books once a day; returns how many were drawn."""
    at = now()
    drawn = monthly(at)
    if (last := _last(DAILY)) is None or legal_day(last) != legal_day(at):
        daily(at)
    return drawn


def monthly(at: datetime) -> int:
    """Draw the statement of every month that has been closed since the last time, for every receiver that was told
    something in it; returns how many. The month before a month is closed on its first working day."""
    calendar = office_calendar()
    due, last = closed_month(legal_day(at), calendar), _last(MONTHLY)
    month = months_after(closed_month(legal_day(last), calendar), 1) if last is not None else due
    drawn = 0
    while month <= due:
        after = months_after(month, 1)
        for receiver_id in _told_between(month, after):
            with transaction():
                drawn += draw_monthly(receiver_id, month, after - timedelta(days=1), at=at)
        month = after
    if last is None or closed_month(legal_day(last), calendar) != due:
        _beat(MONTHLY, at, "")
    return drawn


def daily(at: datetime) -> int:
    """Look through our own books of the last month; returns how many differences there are."""
    today = legal_day(at)
    found = own_differences(today - LOOK_BACK, today)
    db.session.rollback()
    _beat(DAILY, at, f"本机关账目有 {len(found)} 处不一致" if found else "")
    return len(found)


def closed_month(today: date, calendar: Calendar) -> date:
    """The first day of the latest month whose statements are due by `today`."""
    first = today.replace(day=1)
    begun = first if today >= calendar.next_working(first) else months_after(first, -1)
    return months_after(begun, -1)


def _told_between(since: date, until: date) -> list[int]:
    """Receivers for whom notices were written on these days, the last not included."""
    rows = db.session.execute(
        select(Notice.receiver_id)
        .where(Notice.written_at >= day_start(since), Notice.written_at < day_start(until))
        .distinct()
        .order_by(Notice.receiver_id)
    )
    found = list(rows.scalars())
    db.session.rollback()
    return found


def _last(name: str) -> datetime | None:
    at = db.session.execute(select(Heartbeat.at).where(Heartbeat.name == name)).scalar()
    db.session.rollback()
    return at


def _beat(name: str, at: datetime, trouble: str) -> None:
    with transaction() as session:
        beat = insert_into(Heartbeat.__table__).values(name=name, at=at, trouble=trouble)
        session.execute(beat.on_conflict_do_update(index_elements=["name"], set_={"at": at, "trouble": trouble}))
