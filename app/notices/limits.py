"""How long a notice may be on its way, by the law rows of a day."""

from __future__ import annotations

from datetime import date, timedelta

from workflows.law import rule


def deliver_within(day: date) -> timedelta:
    """After so long somebody should look why it has not arrived: a difference in a statement, a warning in `/ready`."""
    return _days("sharing.deliver_within", day)


def give_up_after(day: date) -> timedelta:
    """For so long it is tried, from its first try on."""
    return _days("sharing.give_up_after", day)


def _days(name: str, day: date) -> timedelta:
    return timedelta(days=int(str(rule(name).on(day).value)))
