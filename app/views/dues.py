"""Time-limits as people read them: computed when read, so that no job can make them late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from workflows.calendar import Calendar
from workflows.clockwork import ENDED, MET, PAUSED, Deadline
from workflows.grammar import Workflow
from workflows.law import rule
from workflows.people import Role


@dataclass(frozen=True, slots=True)
class Due:
    """A time-limit with its badge; `left` counts from tomorrow, negative when overdue."""

    clock: str
    item: str
    title: str
    due_on: date | None
    state: str
    badge: str
    left: int
    unit_text: str
    provisional: bool
    met_on: date | None
    waiting_for: str
    url: str


def due_of(deadline: Deadline, workflow: Workflow, calendar: Calendar, today: date, state: str, url: str = "") -> Due:
    """How a deadline looks today in a case that stands in `state`."""
    owner = workflow.state[state].owner if state in workflow.state else None
    waiting_for = owner.title if owner is Role.FILER else ""
    return limit_of(deadline, workflow.clock[deadline.clock].title, calendar, today, waiting_for, url)


def limit_of(
    deadline: Deadline, title: str, calendar: Calendar, today: date, waiting_for: str = "", url: str = ""
) -> Due:
    """How a deadline looks today, whatever it is about; `waiting_for` is whom a pause waits for."""
    calendar_days = deadline.unit not in ("WD",)
    unit = _("天") if calendar_days else _("个工作日")

    def between(start: date, end: date) -> int:
        if calendar_days:
            return (end - start).days
        return calendar.working_between(start, end) if start <= end else -calendar.working_between(end, start)

    left = 0
    if deadline.state == MET and deadline.met_on and deadline.due_on:
        badge, left = "met", between(deadline.met_on, deadline.due_on)
    elif deadline.state == ENDED:
        badge = "ended"
    elif deadline.state == PAUSED:
        badge = "paused"
    elif deadline.due_on is None:
        badge = "normal"
    else:
        left = between(today, deadline.due_on)
        total = max(1, between(deadline.day_zero, deadline.due_on))
        if deadline.due_on < today:
            badge, left = "overdue", min(left, -1)
        elif deadline.due_on == today:
            badge = "today"
        else:
            badge = "soon" if _is_soon(left, total, today) else "normal"
    return Due(
        clock=deadline.clock,
        item=deadline.item,
        title=title,
        due_on=deadline.due_on,
        state="overdue" if badge == "overdue" else deadline.state,
        badge=badge,
        left=left,
        unit_text=unit,
        provisional=deadline.provisional,
        met_on=deadline.met_on,
        waiting_for=waiting_for,
        url=url,
    )


def _is_soon(left: int, total: int, today: date) -> bool:
    """Little is left, or most has passed: the office's own rows say how much."""
    share = int(rule("desk.soon_share").on(today).value or 0)
    return left <= int(rule("desk.soon_left").on(today).value or 0) or (total - left) * 100 >= total * share
