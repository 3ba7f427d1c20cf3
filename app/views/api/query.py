"""Kinds of value that several doors share."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from forms.fields import Bounded, tidy

FIRST_YEAR, LAST_YEAR = 2000, 2100


def _plain(value: Any) -> Any:
    """Whole numbers in plain digits only: no sign, blank, point, underscore or other script's digits."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 20):
        raise ValueError("应当是整数。")
    return value


def _day(value: Any) -> date:
    """A civil day, written in one way."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError("应当是日期，写成 2026-11-24 的样子。")
    return day


def _line(value: str) -> str:
    """One line, as a journal can keep it."""
    return _shown(value, lines=False)


def _text(value: str) -> str:
    """Words in paragraphs."""
    return _shown(value, lines=True)


def _shown(value: str, lines: bool) -> str:
    """What is read is what is kept: composed characters, none hidden."""
    value = tidy(value) or ""
    if no := Bounded(len(value), lines).against("", value):
        raise ValueError(no.removeprefix("“”的"))
    return value


Line = Annotated[str, AfterValidator(_line)]
"""Words in one line, in the form in which the counters keep them."""
Text = Annotated[str, AfterValidator(_text)]
"""Longer words."""
Limit = Annotated[int, BeforeValidator(_plain)]
"""A whole number in an address."""
RowId = Annotated[int, BeforeValidator(_plain), Field(ge=1, le=2**31 - 1)]
"""The number of a row in an address."""
Day = Annotated[date, BeforeValidator(_day)]
"""A civil day of Asia/Shanghai."""
Moment = Annotated[datetime, AfterValidator(lambda at: at.astimezone(UTC))]
"""An instant, always written in UTC."""
IdempotencyKey = Annotated[
    str,
    Field(
        title="幂等键：同一个键和同样的内容只办一次，得到同样的回答",
        alias="Idempotency-Key",
        pattern="^[A-Za-z0-9_-]{8,64}$",
    ),
]
"""A program's own name for what it asks."""
