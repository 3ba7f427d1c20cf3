"""A provision for an English reader: the law's English name beside the Chinese, its number, the article in figures."""

from __future__ import annotations

import re

from flask_babel import gettext as _

_CITED = re.compile(r"《([^《》]+)》(?:（([^（）]+)）)?((?:第[零一二三四五六七八九十百千]+[条款项]、?)*)")
_PART = re.compile(r"第([零一二三四五六七八九十百千]+)([条款项])")
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")}
_TENS = {"十": 10, "百": 100, "千": 1000}


def cited(text: str) -> str | None:
    """`《行政处罚法》第四十八条；《…》` for an English reader; None for what is more than citations."""
    said = []
    for one in text.split("；"):
        found = _CITED.fullmatch(one)
        if found is None:
            return None
        name, number, articles = found.groups()
        said.append(
            _(name) + (f" ({_(number)})" if number else "") + (f", {_in_figures(articles)}" if articles else "")
        )
    return "; ".join(said)


def _in_figures(articles: str) -> str:
    """第四十八条、第八十五条第一款 as `Art. 48, 85(1)`."""
    said = ""
    for numeral, unit in _PART.findall(articles):
        number = _figure(numeral)
        said += f"({number})" if unit != "条" else f", {number}" if said else f"Art. {number}"
    return said


def _figure(numeral: str) -> int:
    """二十四 is 24, 一千零二十九 is 1029."""
    total, digit = 0, 0
    for character in numeral:
        if character in _TENS:
            total, digit = total + (digit or 1) * _TENS[character], 0
        else:
            digit = _DIGITS[character]
    return total + digit
