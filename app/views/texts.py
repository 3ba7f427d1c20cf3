"""How days, moments and sentences of the law room are written for people; the only place of time zones on pages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from babel.dates import format_date, format_datetime
from flask import Flask
from flask_babel import gettext as _
from jinja2 import pass_context
from jinja2.runtime import Context

from app.now import now
from app.registry.text import Sentence
from app.translations.reader import counted, in_source, told
from app.views.said import said
from workflows.calendar import SHANGHAI, legal_day
from workflows.grammar import Refusal
from workflows.law import cite

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def civil(value: date | datetime) -> date:
    """The civil day of a day or an instant."""
    return legal_day(value) if isinstance(value, datetime) else value


def day(value: date | datetime | None) -> str:
    """11月26日（周四）; a day of another year says which."""
    if value is None:
        return ""
    value = civil(value)
    if value.year != legal_day(now()).year:
        return day_full(value)
    if not in_source():
        return format_date(value, "EEE d MMM", locale="en")
    return _("%(month)s月%(day)s日（%(weekday)s）", month=value.month, day=value.day, weekday=WEEKDAYS[value.weekday()])


def month_day(value: date) -> str:
    """11月26日, where there is little room"""
    if not in_source():
        return format_date(value, "d MMM", locale="en")
    return _("%(month)s月%(day)s日", month=value.month, day=value.day)


def day_full(value: date | datetime | None) -> str:
    """2026年11月26日（周四）"""
    if value is None:
        return ""
    value = civil(value)
    if not in_source():
        return format_date(value, "EEE d MMM y", locale="en")
    return _(
        "%(year)s年%(month)s月%(day)s日（%(weekday)s）",
        year=value.year, month=value.month, day=value.day, weekday=WEEKDAYS[value.weekday()],
    )  # fmt: skip


def day_year(value: date | datetime | None) -> str:
    """2026年11月26日"""
    if value is None:
        return ""
    value = civil(value)
    if not in_source():
        return format_date(value, "d MMM y", locale="en")
    return _("%(year)s年%(month)s月%(day)s日", year=value.year, month=value.month, day=value.day)


def when(value: datetime | None) -> str:
    """11月24日 16:40; a moment of another year says which."""
    if value is None:
        return ""
    local = value.astimezone(SHANGHAI)
    if local.year != legal_day(now()).year:
        return f"{day_year(value)} {local:%H:%M}"
    if not in_source():
        return format_datetime(local.replace(tzinfo=None), "d MMM HH:mm", locale="en")
    return _("%(month)s月%(day)s日 %(clock)s", month=local.month, day=local.day, clock=f"{local:%H:%M}")


def iso(value: date | datetime | None) -> str:
    """For `<time datetime>`."""
    if value is None:
        return ""
    return (
        value.astimezone(SHANGHAI).isoformat(timespec="minutes") if isinstance(value, datetime) else value.isoformat()
    )


def sentence(refusal: Refusal) -> str:
    """A refusal in the reader's language: the template is translated, then filled."""
    values = {name: _word(value) for name, value in refusal.values.items()}
    return counted(_(refusal.template).format(**values))


def _word(value: object) -> object:
    if isinstance(value, datetime):
        return when(value)
    return day_year(value) if isinstance(value, date) else told(value)


def article(references: str) -> str:
    """`NDRC36 3; SC22` as a person reads it."""
    return str(told(cite(references)))


@pass_context
def printed(_context: Context, value: Any) -> Any:
    """What a page prints of a value: what the house calls it, in the reader's language."""
    if isinstance(value, Sentence):
        return said(value)
    in_words = told(value)
    return value if in_words is value else counted(in_words)


def init_texts(app: Flask) -> None:
    """Give the templates these words."""
    app.jinja_env.finalize = printed
    days = {"day": day, "day_full": day_full, "day_year": day_year, "when": when, "iso": iso}
    app.jinja_env.filters.update(days, month_day=month_day, cite=article)
