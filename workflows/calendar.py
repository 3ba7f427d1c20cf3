"""期间: working days and the periods of the law, counted so that every date can explain itself day by day.

The first day is not counted (民法典 art. 201). A period in months or years ends on the same-numbered day, or on the
last day of a month that has no such day (art. 202). A duty that would end on a rest day ends on the next working day
(art. 203); periods of publicity and holding do not roll.

Rest days and make-up days (调休) come from the `holidays` library, corrected by the office's own rows, each with the
number of its notice. Every year's arrangement is announced only in the autumn before, and the notice for a year may
still move the last week of the year before it: a date that rests on such days is provisional and says so.
"""

from __future__ import annotations

import hashlib
import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import holidays

SHANGHAI = ZoneInfo("Asia/Shanghai")

WORKDAY, WEEKEND, HOLIDAY, MAKEUP, OVERRIDE = "workday", "weekend", "holiday", "makeup", "override"

_WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
BY_THE_CALENDAR = "按自然日计入"
CORRESPONDS = "与起算日对应，期间届满"
_SWAPPED = re.compile(r"休息日（由 (\d+)-(\d+)-(\d+) 调休）")
_UNSETTLED_FROM = (12, 25)


def legal_day(at: datetime) -> date:
    """The civil day in Asia/Shanghai of an instant. Raises ValueError for a datetime without a time zone."""
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} 没有时区，不能确定是哪一天")
    return at.astimezone(SHANGHAI).date()


def day_start(day: date) -> datetime:
    """The first instant of a civil day in Asia/Shanghai, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def months_after(day: date, months: int) -> date:
    """The same-numbered day that many months later, or the last day of a month without it (民法典 art. 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class Override:
    """An office's own row about one day: rest day or working day, and the number of the notice that says so.

    `announces` is the year whose whole arrangement the notice fixes; its days are then no longer provisional. Such a
    notice needs a row for every day on which it differs from what the calendar says. Of two rows for one day the later
    one counts.
    """

    day: date
    working: bool
    notice: str
    announces: int | None = None


@dataclass(frozen=True, slots=True)
class DayReason:
    """What a day is and why.

    `kind` is one of workday, weekend, holiday, makeup, override; `name` is what the day is called (周六, 国庆节),
    `text` what that means for a count of working days.
    """

    day: date
    working: bool
    kind: str
    text: str
    provisional: bool
    name: str


@dataclass(frozen=True, slots=True)
class _Year:
    first: int
    reasons: tuple[DayReason, ...]
    working: bytes


@lru_cache(maxsize=64)
def _library(year: int) -> tuple[dict[date, str], frozenset[date]]:
    """Named rest days and make-up working days of a year, as the library knows or predicts them."""
    found = holidays.country_holidays("CN", years=year, expand=False, language="zh_CN")
    return dict(found), frozenset(day for day in found.weekend_workdays if day.year == year)


@lru_cache(maxsize=1)
def _announced_by_library() -> frozenset[int]:
    return frozenset(holidays.country_holidays("CN", language="zh_CN").special_public_holidays)


def _nature(day: date, named: dict[date, str], makeup: frozenset[date]) -> tuple[bool, str, str]:
    """Working or not, kind and name of a day without the office's own rows."""
    if day in makeup:
        return True, MAKEUP, "调休上班"
    if name := named.get(day):
        if swapped := _SWAPPED.fullmatch(name):
            year, month, other = (int(part) for part in swapped.groups())
            return False, HOLIDAY, f"调休放假（{year}年{month}月{other}日上班）"
        return False, HOLIDAY, name.replace("; ", "、")
    if day.weekday() >= 5:
        return False, WEEKEND, _WEEKDAYS[day.weekday()]
    return True, WORKDAY, _WEEKDAYS[day.weekday()]


@lru_cache(maxsize=256)
def _year(overrides: tuple[Override, ...], year: int) -> _Year:
    named, makeup = _library(year)
    own = {row.day: row for row in overrides}
    settled = _announced(overrides, year)
    last_week_settled = _announced(overrides, year + 1)
    first = date(year, 1, 1)
    reasons = []
    for offset in range(366 if monthrange(year, 2)[1] == 29 else 365):
        day = first + timedelta(days=offset)
        if row := own.get(day):
            working, kind, provisional = row.working, OVERRIDE, False
            name = f"{row.notice}规定{'上班' if working else '放假'}"
        else:
            working, kind, name = _nature(day, named, makeup)
            last_week = (day.month, day.day) >= _UNSETTLED_FROM
            provisional = not settled or (last_week and not last_week_settled)
        text = f"{name}，{'计入' if working else '不计入'}"
        reasons.append(DayReason(day, working, kind, text, provisional, name))
    return _Year(first.toordinal(), tuple(reasons), bytes(reason.working for reason in reasons))


def _announced(overrides: tuple[Override, ...], year: int) -> bool:
    """True when the arrangement of a year is known. Before the first year of the library nothing is still to come."""
    known = _announced_by_library()
    return year in known or year < min(known) or any(row.announces == year for row in overrides)


@dataclass(frozen=True)
class Calendar:
    """The working days of the People's Republic as one office knows them: the library and the office's own rows.

    Immutable and hashable; equal rows make equal calendars. Before 2001 only weekends and statutory holidays are known.
    """

    overrides: tuple[Override, ...] = ()
    _years: dict[int, _Year] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.overrides)

    @cached_property
    def edition(self) -> str:
        """Library version and digest of the office's own rows: what a date in a journal line was counted with."""
        rows = ((row.day.isoformat(), row.working, row.notice, row.announces) for row in self.overrides)
        digest = hashlib.sha256(repr(tuple(rows)).encode()).hexdigest()[:8]
        return f"{holidays.__version__}+{digest}"

    def _table(self, year: int) -> _Year:
        table = self._years.get(year)
        if table is None:
            table = self._years[year] = _year(self.overrides, year)
        return table

    def announced(self, year: int) -> bool:
        """True when the arrangement of rest days of a year is known, by the library or by a notice entered here."""
        return _announced(self.overrides, year)

    def reason(self, day: date) -> DayReason:
        """What the day is and why."""
        table = self._table(day.year)
        return table.reasons[day.toordinal() - table.first]

    def is_working(self, day: date) -> bool:
        """True for a working day (工作日), make-up days included."""
        table = self._table(day.year)
        return bool(table.working[day.toordinal() - table.first])

    def is_provisional(self, day: date) -> bool:
        """True when a notice still to come may change this day."""
        return self.reason(day).provisional

    def next_working(self, day: date) -> date:
        """The day itself when it is a working day, else the first working day after it."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day

    def add_working(self, day: date, n: int) -> date:
        """The n-th working day after `day`; with n = 0 the day itself. Raises ValueError for a negative n."""
        if n < 0:
            raise ValueError(f"工作日数不能是负数：{n}")
        while n:
            day += timedelta(days=1)
            n -= self.is_working(day)
        return day

    def working_between(self, a: date, b: date) -> int:
        """Working days after `a` up to and including `b`; negative when `b` lies before `a` (days overdue)."""
        if b < a:
            return -self.working_between(b, a)
        return sum(self.is_working(date.fromordinal(n)) for n in range(a.toordinal() + 1, b.toordinal() + 1))


@dataclass(frozen=True, slots=True)
class CountedDay:
    """One day of a count. `number` is its place in the period, None for a day that does not count."""

    day: date
    number: int | None
    reason: DayReason


@dataclass(frozen=True, slots=True)
class Computation:
    """How a due day was reached. `days` runs from the day after day zero to the due day.

    For months and years `days` holds only the corresponding day and the days it was shifted over. `provisional` is true
    when a notice still to come may move the due day; `why_provisional` then says which.
    """

    day_zero: date
    value: int
    unit: str
    shift: bool
    due_on: date
    provisional: bool
    why_provisional: str
    days: tuple[CountedDay, ...]


@lru_cache(maxsize=8192)
def reckon(calendar: Calendar, day_zero: date, value: int, unit: str, shift: bool) -> Computation:
    """Count a period of `value` units from `day_zero`, which is not counted.

    `unit`: WD working days, CD calendar days, M months, Y years. `shift`: an end on a rest day rolls to the next
    working day (duties); publicity and holding periods do not. With value 0 the period ends on day zero itself.
    Raises ValueError for a negative value or an unknown unit.
    """
    if value < 0:
        raise ValueError(f"期限不能是负数：{value}")
    match unit:
        case "WD":
            days = list(_working_days(calendar, day_zero, value))
        case "CD":
            days = list(_calendar_days(calendar, day_zero, value))
        case "M" | "Y":
            days = [_corresponding_day(calendar, day_zero, value * (12 if unit == "Y" else 1))]
        case _:
            raise ValueError(f"期限单位“{unit}”不认识，只有工作日 WD、日 CD、月 M、年 Y")
    end = days[-1].day if days else day_zero
    rolled = list(_rolled_over(calendar, end)) if shift else []
    if rolled:
        if days:
            last = days[-1]
            days[-1] = replace(last, reason=replace(last.reason, text=f"{last.reason.name}，届满日不是工作日，顺延"))
        days += rolled
    looked_at = days if unit == "WD" else days[-len(rolled) - 1 :] if shift else []
    unsettled = [counted.day for counted in looked_at if counted.reason.provisional]
    return Computation(
        day_zero=day_zero,
        value=value,
        unit=unit,
        shift=shift,
        due_on=days[-1].day if days else day_zero,
        provisional=bool(unsettled),
        why_provisional=_why_provisional(calendar, unsettled) if unsettled else "",
        days=tuple(days),
    )


def _working_days(calendar: Calendar, day: date, value: int) -> Iterator[CountedDay]:
    number = 0
    while number < value:
        day += timedelta(days=1)
        reason = calendar.reason(day)
        number += reason.working
        yield CountedDay(day, number if reason.working else None, reason)


def _calendar_days(calendar: Calendar, day_zero: date, value: int) -> Iterator[CountedDay]:
    for number in range(1, value + 1):
        reason = calendar.reason(day_zero + timedelta(days=number))
        yield CountedDay(reason.day, number, replace(reason, text=f"{reason.name}，{BY_THE_CALENDAR}"))


def _corresponding_day(calendar: Calendar, day_zero: date, months: int) -> CountedDay:
    reason = calendar.reason(months_after(day_zero, months))
    if reason.day.day == day_zero.day:
        text = f"{reason.name}，{CORRESPONDS}"
    else:
        text = f"{reason.name}，当月没有{day_zero.day}日，月末届满"
    return CountedDay(reason.day, None, replace(reason, text=text))


def _rolled_over(calendar: Calendar, end: date) -> Iterator[CountedDay]:
    """The days after an end on a rest day, up to the working day on which the period really ends."""
    while not calendar.is_working(end):
        end += timedelta(days=1)
        reason = calendar.reason(end)
        text = f"{reason.name}，{'顺延至本日届满' if reason.working else '继续顺延'}"
        yield CountedDay(end, None, replace(reason, text=text))


def _why_provisional(calendar: Calendar, days: list[date]) -> str:
    for day in days:
        if not calendar.announced(day.year):
            return f"{day.year}年的放假安排还没有公布，这个日期是暂定的，公布后重新计算。"
    year = days[0].year
    return (
        f"{year}年12月25日至31日可能因{year + 1}年的放假安排而调整，"
        f"这个日期是暂定的，{year + 1}年的安排公布后重新计算。"
    )
