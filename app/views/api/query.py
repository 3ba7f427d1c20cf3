"""Kinds of value that several doors share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator


def _plain(value: Any) -> Any:
    """Whole numbers in plain digits only: no sign, blank, point, underscore or other script's digits."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("应当是整数。")
    return value


Limit = Annotated[int, BeforeValidator(_plain)]
"""A whole number in an address."""

Moment = Annotated[datetime, AfterValidator(lambda at: at.astimezone(UTC))]
"""An instant, always written in UTC."""
