"""The working days as the office knows them: the library's calendar with the office's own rows."""

from __future__ import annotations

from sqlalchemy import select

from app.db import db
from app.models import CalendarOverride
from workflows.calendar import Calendar, Override


def office_calendar() -> Calendar:
    """The calendar in one statement."""
    rows = db.session.execute(
        select(
            CalendarOverride.day, CalendarOverride.working, CalendarOverride.notice, CalendarOverride.announces
        ).order_by(CalendarOverride.day)
    ).all()
    return Calendar(tuple(Override(row.day, bool(row.working), row.notice, row.announces) for row in rows))
