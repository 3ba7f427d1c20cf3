"""Sums of money: the exchange standard counts 万元 with six decimals, decisions are written in 元."""

import re
from decimal import Decimal
from typing import NamedTuple

from app.registry.masking import quoted
from app.registry.text import fold, say

WAN = Decimal(10000)

_AMOUNT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(万元|万|元)?整?")
_NUMERALS = "零〇一二两三四五六七八九十百千万壹贰叁肆伍陆柒捌玖拾佰仟"
_IN_TEXT = re.compile(rf"(\d{{1,3}}(?:,\d{{3}})+|\d+)(\.\d+)?(万)?元|([{_NUMERALS}]{{1,16}})[元圆]")
_DIGITS = {character: place // 2 for place, character in enumerate("零〇一壹二贰三叁四肆五伍六陆七柒八捌九玖")} | {
    "两": 2
}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}


class SumRead(NamedTuple):
    """A sum in 万元, or the problem; `note` says what was interpreted on the way."""

    wan: Decimal | None
    problem: str = ""
    note: str = ""


def read_wan(text: object) -> SumRead:
    """The sum in 万元 that a cell of a 万元 column names. A cell that says 元 itself is converted, with a note."""
    written = fold(text).replace("¥", "").replace("人民币", "")
    if not written:
        return SumRead(None)
    found = _AMOUNT.fullmatch(written)
    if not found:
        no_sum = "“{written}”不是金额；请以万元为单位填写数字，如 1500 元填 0.15"
        return SumRead(None, say(no_sum, written=quoted(written)))
    number = Decimal(found[1].replace(",", "") + (found[2] or ""))
    note = ""
    if found[3] == "元":
        number, yuan = number / WAN, number
        note = say("“{yuan} 元”按 {wan} 万元读取", yuan=plain(yuan), wan=plain(number))
    if number != number.quantize(Decimal("0.000001")):
        return SumRead(None, say("金额最多六位小数（万元），您输入的是 {written}", written=quoted(written)))
    if number >= 10**12:
        return SumRead(None, say("金额过大，请核对单位是否为万元"))
    return SumRead(number, "", note)


def sums_in(text: object) -> tuple[Decimal, ...]:
    """Every sum that running text names, in 元: 罚款2000元, 罚款1.5万元, 罚款人民币壹万伍仟元整."""
    sums = []
    for found in _IN_TEXT.finditer(fold(text)):
        if found[4]:
            sums.append(Decimal(_chinese(found[4])))
        else:
            sums.append(Decimal(found[1].replace(",", "") + (found[2] or "")) * (WAN if found[3] else 1))
    return tuple(sums)


def doubt_about(wan: Decimal, text: object) -> str:
    """A sentence when a sum in 万元 does not fit the sums that the decision's text names, "" when it does.

    A sum that equals one of them, or all of them together, fits; a sum that equals one of them only when read as 元
    is the common slip of typing 元 into a 万元 column.
    """
    named = sums_in(text)
    if not named or wan * WAN in (*named, sum(named)):
        return ""
    if wan in named:
        slip = "可能把元填成了万元：处罚内容写的是 {yuan} 元，应填 {wan}"
        return say(slip, yuan=plain(wan), wan=plain(wan / WAN))
    differing = "与处罚内容写的金额不一致：这里是 {wan} 万元，处罚内容写的是 {yuan} 元"
    return say(differing, wan=plain(wan), yuan=plain(named[0]))


def plain(number: Decimal) -> str:
    """A decimal without exponent and without superfluous zeros: 0.15, 1500."""
    return format(number.normalize(), "f")


def _chinese(numeral: str) -> int:
    """壹万伍仟 as 15000."""
    total = section = digit = 0
    for character in numeral:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _UNITS:
            section += (digit or 1) * _UNITS[character]
            digit = 0
        else:  # 万
            total, section, digit = (section + digit) * 10000, 0, 0
    return total + section + digit
