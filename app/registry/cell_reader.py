"""How a cell is read the first time it is met, by the rule of its field.

A short way comes first; it decides the same as the long one (`values.py`) or leaves it to that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date

from app.registry import values as cells
from app.registry.entries import code_list
from app.registry.fields import PUBLIC, Field
from app.registry.masking import hide_personal_numbers
from app.registry.regions import standings
from app.registry.text import say
from app.registry.values import Read

_LONGEST_PLACEHOLDER = 7
_MAY_BE_PERSONAL = re.compile(r"[0-9０-９][0-9０-９ \-]{9,}")
"""What every identity number and every mobile number contains: ten digits and marks after a digit."""
_PLAIN_SUM = re.compile(r"(?:0|[1-9]\d{0,9})(?:\.\d{1,6})?")


def may_be_personal(text: str) -> bool:
    """False only for a text that surely names no number of a person."""
    return not text.isprintable() or _MAY_BE_PERSONAL.search(text) is not None


def reading_of(field: Field, today: date | None) -> Callable[[str], Read]:
    """How a cell of this field is read when it is met for the first time."""
    rules = field.rules
    if field.type == "D":
        open_ended, last = "open-ended" in rules, today if "past" in rules else None
        return lambda cell: cells.read_civil_day(cell, open_ended, last)
    if field.type == "N":
        return _sum_reading("positive" in rules)
    if "one-of" in rules:
        listed = code_list(field.code_list)
        return lambda cell: cells.read_one(cell, listed)
    if "some-of" in rules:
        listed = code_list(field.code_list)
        return lambda cell: cells.read_several(cell, listed)
    if "code" in rules or "organ-code" in rules:
        regions, organ = standings(), "organ-code" in rules
        return lambda cell: cells.read_code(cell, regions, organ)
    if "organisation-code" in rules:
        return cells.read_organisation_code
    return _text_reading(field)


def _sum_reading(positive: bool) -> Callable[[str], Read]:
    def read(cell: str) -> Read:
        if _PLAIN_SUM.fullmatch(cell):
            value = cell.rstrip("0").rstrip(".") if "." in cell else cell
            if value != "0":
                return Read(value)
        return cells.read_sum(cell, positive)

    return read


def _text_reading(field: Field) -> Callable[[str], Read]:
    limit = field.max_len or 1_000_000
    is_public = field.range == PUBLIC and not field.rule

    def read(cell: str) -> Read:
        if (
            _LONGEST_PLACEHOLDER < len(cell) <= limit
            and cell.isprintable()
            and cell[0] not in " '="
            and cell[-1] != " "
            and "  " not in cell
            and "�" not in cell
            and "+" not in cell
            and "锟斤拷" not in cell
            and unicodedata.is_normalized("NFC", cell)
        ):
            found = Read(cell)
        else:
            found = cells.read_text(cell, field.max_len)
        if not is_public or not found.value or found.problem or not may_be_personal(cell):
            return found
        if hide_personal_numbers(found.value) != found.value:
            note = say("含有身份证号码或者手机号码，公示时自动隐去；请核对是否应当写入")
            return Read(found.value, "", (*found.warnings, note))
        return found

    return read
