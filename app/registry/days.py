"""Civil days as offices write them: 2018-09-01, 2018/9/1, 2018.9.1, 2018年9月1日, 二〇一八年九月一日, 长期, 43344."""

import re
from datetime import date, timedelta
from typing import NamedTuple

from app.registry.masking import quoted
from app.registry.text import fold, say

# What the exchange standard writes for 长期; 9999-12-31 is read as the same.
OPEN_END = date(2099, 12, 31)

_EARLIEST = date(1949, 10, 1)
_OPEN_WORDS = frozenset({"长期", "长期有效", "永久", "永久有效", "无固定期限"})
_WRITTEN = re.compile(r"(\d{4})([-/.年])(\d{1,2})(?:[-/.月])(\d{1,2})日?(?:T?\d{1,2}:\d{2}(?::\d{2}(?:\.0+)?)?)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL = re.compile(r"(\d{5})(?:\.0+)?")
_SPREADSHEET_EPOCH = date(1899, 12, 30)
_NUMERALS = str.maketrans("〇零○一二三四五六七八九", "000123456789")
_CHINESE = re.compile(r"([〇零○一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日")


class DayRead(NamedTuple):
    """A day that was read, or the problem; `note` says what was interpreted on the way."""

    day: date | None
    problem: str = ""
    note: str = ""


def read_day(text: object) -> DayRead:
    """The day a cell names. An impossible, unreadable or absurd day is a problem; nothing is rounded or guessed.

    A spreadsheet's serial number and Chinese numerals are accepted with a note; 长期 and the two sentinels give
    `OPEN_END`. An empty cell gives neither a day nor a problem.
    """
    written = fold(text)
    if not written:
        return DayRead(None)
    if written in _OPEN_WORDS:
        return DayRead(OPEN_END)
    if found := _WRITTEN.fullmatch(written):
        return _day(written, found[1], found[3], found[4])
    if found := _COMPACT.fullmatch(written):
        return _day(written, found[1], found[2], found[3])
    if found := _CHINESE.fullmatch(written):
        read = _day(written, found[1].translate(_NUMERALS), _small(found[2]), _small(found[3]))
        return read._replace(note=say("“{written}”按 {day} 读取", written=written, day=read.day)) if read.day else read
    if (found := _SERIAL.fullmatch(written)) and 20000 <= int(found[1]) <= 73050:
        day = _SPREADSHEET_EPOCH + timedelta(days=int(found[1]))
        return DayRead(day, note=say("“{written}”是表格软件的日期序号，按 {day} 读取", written=written, day=day))
    return DayRead(None, say("“{written}”不是日期；请写成 2026-03-01 的样子", written=quoted(written)))


def _day(written: str, year: str, month: str, day: str) -> DayRead:
    if year == "9999":
        return DayRead(OPEN_END)
    try:
        read = date(int(year), int(month), int(day))
    except ValueError:
        return DayRead(None, say("日历上没有“{written}”这一天，请核对", written=written))
    if not _EARLIEST <= read <= OPEN_END:
        return DayRead(None, say("“{written}”不在 1949 年至 2099 年之间，请核对", written=written))
    return DayRead(read)


def _small(numeral: str) -> str:
    """A Chinese numeral of 1 to 99, in Arabic digits; 0 when it is none."""
    tens, ten, ones = numeral.partition("十")
    if "十" in ones or len(tens) > 1 or len(ones) > 1:
        return "0"
    if not ten:
        return tens.translate(_NUMERALS)
    return str(10 * int(tens.translate(_NUMERALS) or "1") + int(ones.translate(_NUMERALS) or "0"))
