"""Numbers of spreadsheet cells as the text that a person saw, and days that a spreadsheet keeps as numbers."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

_TOO_LONG = 1e15
"""From here on a spreadsheet has lost digits of a whole number."""
_INTEGER = re.compile(r"-?\d+")
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}


def number_text(written: str) -> str:
    """A number as text: 0.15, 43344, 9.14301E+17 where digits are lost; nothing is rounded further."""
    if _INTEGER.fullmatch(written):
        return written
    try:
        value = float(written)
    except ValueError:
        return written
    if abs(value) >= _TOO_LONG:
        mantissa, _, exponent = f"{value:.14E}".partition("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"
    return str(int(value)) if value.is_integer() else format(value, ".12g") if abs(value) < 1e-4 else repr(value)


def is_day_format(number: int, code: str = "") -> bool:
    """True when cells of this number format show a day."""
    if number in _DATE_FORMATS:
        return True
    bare = _QUOTED.sub("", code).lower()
    return bool(bare) and "general" not in bare and any(mark in bare for mark in ("y", "d", "年", "月"))


def day_text(written: str, since_1904: bool) -> str:
    """The day that a serial number means, ISO, with the hour when it has one; the number itself when it means none."""
    try:
        serial = float(written)
    except ValueError:
        return written
    if not 1 <= serial < 2_958_466:
        return number_text(written)
    epoch = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)
    moment = epoch + timedelta(days=int(serial))
    seconds = round((serial - int(serial)) * 86400)
    if seconds <= 0:
        return moment.date().isoformat()
    return (moment + timedelta(seconds=seconds)).isoformat(sep=" ")


def any_text(cell: object) -> str:
    """A cell that a library has read, as text."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        return number_text(repr(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if (cell.hour, cell.minute) == (0, 0) else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell)
