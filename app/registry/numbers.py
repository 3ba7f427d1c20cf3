"""文号: the number on an official document, ours as we write it and anybody's as we compare it.

A number is free text and not unique: some offices repeat it over several acts. What identifies a decision is
number, subject, organ and date together; the key made here only lets two spellings of one number meet.
"""

import re

from app.registry.text import fold, is_blank

_OPEN, _CLOSE = "〔[【〖{<〈《「『", "〕]】〗}>〉》」』"
_BRACKETS = str.maketrans(_OPEN + _CLOSE + "號", "(" * len(_OPEN) + ")" * len(_CLOSE) + "号")
_YEAR_MARK = re.compile(r"\(((?:19|20)\d\d)年?\)")
_SERIAL = re.compile(r"(?<=\))第?0*(?=\d)|第0*(?=\d)")


def number_key(text: object) -> str:
    """The key under which the spellings of one 文号 meet; "" for an empty cell or a placeholder.

    One width, one kind of bracket, no blanks; 第 before the serial, 号 at the end and zeros in front of the serial
    carry no meaning. What has no bracketed year (2016D090102) keeps its zeros.
    """
    if is_blank(text):
        return ""
    key = _YEAR_MARK.sub(r"(\1)", fold(text).translate(_BRACKETS))
    return _SERIAL.sub("", key).removesuffix("号")


def format_number(organ: str, word: str, year: int, serial: int) -> str:
    """A 文号 of ours, as GB/T 9704 writes it: organ word, kind, 〔year〕, serial without leading zeros, 号.

    >>> format_number("湘交", "信修受", 2026, 12)
    '湘交信修受〔2026〕12号'

    Raises ValueError when a part is missing, the year has not four digits or the serial is not positive.
    """
    if not organ or not word or not 1000 <= year <= 9999 or serial < 1:
        raise ValueError(f"not a document number: {organ!r} {word!r} {year!r} {serial!r}")
    return f"{organ}{word}〔{year}〕{serial}号"
