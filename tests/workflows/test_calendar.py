"""期间: the vectors of the law, every start day of seven years against another calendar, and dates not yet sure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest

from workflows.calendar import Calendar, Override, day_start, legal_day, months_after, reckon

CALENDAR = Calendar()

WORKING_DAY_VECTORS = (
    ("2026-09-18", 3, "2026-09-22", "周日9月20日调休上班"),
    ("2026-09-29", 3, "2026-10-09", "国庆节"),
    ("2026-09-29", 10, "2026-10-19", "国庆节，并用到调休上班的10月10日周六"),
    ("2026-04-30", 3, "2026-05-08", "劳动节"),
    ("2026-04-30", 7, "2026-05-13", "劳动节，并用到调休上班的5月9日周六"),
    ("2026-02-13", 3, "2026-02-25", "春节，2月14日上班"),
    ("2026-02-13", 10, "2026-03-05", "春节，2月14日、28日上班"),
    ("2026-10-09", 1, "2026-10-10", "期限落在周六是对的"),
    ("2026-11-23", 3, "2026-11-26", "平常"),
    ("2026-11-23", 7, "2026-12-02", "平常"),
    ("2026-11-23", 10, "2026-12-07", "平常"),
)

MONTH_VECTORS = (
    ("2026-01-31", 3, "2026-04-30", "2026-05-01"),
    ("2026-04-01", 3, "2026-07-01", "2026-07-02"),
    ("2025-11-30", 3, "2026-02-28", "2026-03-01"),
    ("2024-02-29", 12, "2025-02-28", "2025-03-01"),
    ("2026-03-31", 12, "2027-03-31", "2027-04-01"),
)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(("received", "n", "due", "why"), WORKING_DAY_VECTORS)
def test_working_days_are_counted_from_the_day_after_receipt(received: str, n: int, due: str, why: str) -> None:
    computation = reckon(CALENDAR, day(received), n, "WD", True)
    assert computation.due_on == day(due), why
    assert not computation.provisional
    assert computation.why_provisional == ""


@pytest.mark.parametrize(("decided", "months", "last", "first_possible"), MONTH_VECTORS)
def test_months_end_on_the_same_numbered_day_or_the_last(
    decided: str, months: int, last: str, first_possible: str
) -> None:
    computation = reckon(CALENDAR, day(decided), months, "M", False)
    assert computation.due_on == day(last)
    assert computation.due_on + timedelta(days=1) == day(first_possible)
    if months % 12 == 0:
        assert reckon(CALENDAR, day(decided), months // 12, "Y", False).due_on == day(last)


def differences(calendar: Calendar, first: date, last: date) -> tuple[int, list[tuple[date, int]]]:
    """How many counts were compared with a plain list of working days of another library, and which of them differ."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    working = [each for each in days if chinese_calendar.is_workday(each)]
    compared = seen = 0
    differing = []
    for start in days:
        while seen < len(working) and working[seen] <= start:
            seen += 1
        for n in (1, 3, 5, 7, 10, 20):
            if seen + n <= len(working):
                compared += 1
                expected = working[seen + n - 1]
                if not reckon(calendar, start, n, "WD", True).due_on == expected == calendar.add_working(start, n):
                    differing.append((start, n))
    return compared, differing


def test_every_start_day_of_seven_years_agrees_with_an_independent_calendar() -> None:
    compared, differing = differences(CALENDAR, date(2020, 1, 1), date(2026, 12, 31))
    assert differing == []
    assert compared > 15_200


def test_the_comparison_notices_when_working_saturdays_are_ignored() -> None:
    year = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    made_up = [each for each in year if CALENDAR.reason(each).kind == "makeup"]
    assert [each.isoformat()[5:] for each in made_up] == ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]
    blind = Calendar(tuple(Override(each, False, "") for each in made_up))
    assert len(differences(blind, year[0], year[-1])[1]) > 100


def test_a_count_explains_itself_day_by_day() -> None:
    counted = reckon(CALENDAR, day("2026-09-29"), 4, "WD", True).days
    assert [(each.day.isoformat(), each.number, each.reason.text) for each in counted] == [
        ("2026-09-30", 1, "周三，计入"),
        ("2026-10-01", None, "国庆节，不计入"),
        ("2026-10-02", None, "国庆节，不计入"),
        ("2026-10-03", None, "国庆节，不计入"),
        ("2026-10-04", None, "周日，不计入"),
        ("2026-10-05", None, "国庆节（补假），不计入"),
        ("2026-10-06", None, "调休放假（2026年9月20日上班），不计入"),
        ("2026-10-07", None, "调休放假（2026年10月10日上班），不计入"),
        ("2026-10-08", 2, "周四，计入"),
        ("2026-10-09", 3, "周五，计入"),
        ("2026-10-10", 4, "调休上班，计入"),
    ]
    kinds = [each.reason.kind for each in counted]
    assert kinds == ["workday"] + ["holiday"] * 3 + ["weekend"] + ["holiday"] * 3 + ["workday"] * 2 + ["makeup"]


def test_a_duty_that_would_end_on_a_rest_day_ends_on_the_next_working_day_and_says_so() -> None:
    computation = reckon(CALENDAR, day("2026-08-05"), 60, "CD", True)
    assert computation.due_on == day("2026-10-08")
    assert [(each.day.isoformat(), each.number, each.reason.text) for each in computation.days[-6:]] == [
        ("2026-10-03", 59, "国庆节，按自然日计入"),
        ("2026-10-04", 60, "周日，届满日不是工作日，顺延"),
        ("2026-10-05", None, "国庆节（补假），继续顺延"),
        ("2026-10-06", None, "调休放假（2026年9月20日上班），继续顺延"),
        ("2026-10-07", None, "调休放假（2026年10月10日上班），继续顺延"),
        ("2026-10-08", None, "周四，顺延至本日届满"),
    ]


def test_publicity_that_ends_on_a_rest_day_ends_that_day() -> None:
    computation = reckon(CALENDAR, day("2026-07-01"), 3, "M", False)
    assert computation.due_on == day("2026-10-01")
    assert [each.reason.text for each in computation.days] == ["国庆节，与起算日对应，期间届满"]
    assert reckon(CALENDAR, day("2026-07-01"), 3, "M", True).due_on == day("2026-10-08")


def test_a_month_without_that_day_is_explained() -> None:
    computation = reckon(CALENDAR, day("2026-01-31"), 3, "M", False)
    assert [each.reason.text for each in computation.days] == ["周四，当月没有31日，月末届满"]


def test_a_period_of_nothing_ends_on_day_zero_or_the_working_day_after() -> None:
    assert reckon(CALENDAR, day("2026-11-23"), 0, "WD", True).due_on == day("2026-11-23")
    assert reckon(CALENDAR, day("2026-11-21"), 0, "WD", True).due_on == day("2026-11-23")
    assert reckon(CALENDAR, day("2026-11-21"), 0, "CD", False).due_on == day("2026-11-21")


def test_days_left_are_counted_from_tomorrow() -> None:
    assert CALENDAR.working_between(day("2026-09-30"), day("2026-09-30")) == 0
    assert CALENDAR.working_between(day("2026-09-30"), day("2026-10-07")) == 0
    assert CALENDAR.working_between(day("2026-09-30"), day("2026-10-10")) == 3
    assert CALENDAR.working_between(day("2026-10-10"), day("2026-09-30")) == -3


def test_a_rest_day_waits_for_the_next_working_day_and_a_working_day_does_not() -> None:
    assert CALENDAR.next_working(day("2026-10-01")) == day("2026-10-08")
    assert CALENDAR.next_working(day("2026-10-10")) == day("2026-10-10")


@pytest.mark.parametrize(
    ("value", "unit", "sentence"),
    [(-1, "WD", "不能是负数"), (3, "weeks", "单位“weeks”不认识"), (3, "", "单位“”不认识")],
)
def test_a_period_that_cannot_be_meant_is_refused(value: int, unit: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        reckon(CALENDAR, day("2026-11-23"), value, unit, True)


def test_working_days_cannot_be_added_backwards() -> None:
    with pytest.raises(ValueError, match="负数"):
        CALENDAR.add_working(day("2026-11-23"), -1)


# Dates that are not yet sure


def test_a_count_into_a_year_not_announced_is_provisional_and_says_so() -> None:
    computation = reckon(CALENDAR, day("2026-12-28"), 10, "WD", True)
    assert computation.provisional
    assert computation.why_provisional == "2027年的放假安排还没有公布，这个日期是暂定的，公布后重新计算。"
    assert computation.days[-1].reason.provisional


def test_the_last_week_of_the_last_announced_year_is_provisional() -> None:
    computation = reckon(CALENDAR, day("2026-12-22"), 3, "WD", True)
    assert computation.due_on == day("2026-12-25")
    assert computation.provisional
    assert computation.why_provisional.startswith("2026年12月25日至31日可能因2027年的放假安排而调整")
    assert not reckon(CALENDAR, day("2026-12-21"), 3, "WD", True).provisional
    assert [n for n in range(1, 32) if CALENDAR.is_provisional(date(2026, 12, n))] == list(range(25, 32))
    assert not any(CALENDAR.is_provisional(date(2025, 12, n)) for n in range(1, 32))
    assert all(CALENDAR.is_provisional(date(2027, 1, 1) + timedelta(days=n)) for n in range(365))


def test_the_last_week_is_the_part_of_december_that_later_notices_have_moved() -> None:
    moved = [
        each
        for year in range(2006, 2027)
        for each in (date(year, 12, n) for n in range(1, 32))
        if CALENDAR.is_working(each) != (each.weekday() < 5)
    ]
    assert {each.year for each in moved} == {2006, 2007, 2011, 2018}
    assert min(each.day for each in moved) >= 25


def test_a_period_that_does_not_ask_for_working_days_is_certain_in_any_year() -> None:
    assert not reckon(CALENDAR, day("2026-04-01"), 3, "Y", False).provisional
    assert not reckon(CALENDAR, day("2026-12-28"), 30, "CD", False).provisional
    rolled = reckon(CALENDAR, day("2026-11-28"), 60, "CD", True)
    assert rolled.due_on == day("2027-01-27")
    assert rolled.provisional


def test_a_year_long_past_is_not_waiting_for_a_notice() -> None:
    assert not CALENDAR.is_provisional(day("1999-06-01"))
    assert CALENDAR.announced(1999)


# The office's own rows

EXTENSION = tuple(Override(date(2026, 2, n), False, "国办发明电〔2026〕1号") for n in (24, 25, 26, 27))


def test_a_spring_festival_made_longer_moves_the_dates_behind_it() -> None:
    longer = Calendar(EXTENSION)
    assert reckon(CALENDAR, day("2026-02-13"), 3, "WD", True).due_on == day("2026-02-25")
    moved = reckon(longer, day("2026-02-13"), 3, "WD", True)
    assert moved.due_on == day("2026-03-02")
    assert moved.days[-7].reason.text == "国办发明电〔2026〕1号规定放假，不计入"
    assert moved.days[-7].reason.kind == "override"
    assert reckon(longer, day("2026-03-02"), 3, "WD", True).due_on == day("2026-03-05")


def test_the_extension_of_2020_is_known_to_the_library() -> None:
    assert [n for n in range(24, 32) if CALENDAR.is_working(date(2020, 1, n))] == []
    assert CALENDAR.reason(day("2020-01-31")).text == "春节延长假期，不计入"
    assert CALENDAR.next_working(day("2020-01-24")) == day("2020-02-03")


def test_a_row_for_one_day_makes_that_day_certain_and_no_other() -> None:
    office = Calendar((Override(day("2027-01-04"), True, "湘政办函〔2026〕9号"),))
    assert not office.is_provisional(day("2027-01-04"))
    assert office.is_provisional(day("2027-01-05"))
    assert office.is_provisional(day("2026-12-31"))


def test_a_notice_that_announces_a_year_makes_it_certain_with_the_last_week_before_it() -> None:
    notice = "国办发明电〔2026〕7号"
    office = Calendar((Override(day("2027-01-02"), False, notice, announces=2027),))
    computation = reckon(office, day("2026-12-28"), 10, "WD", True)
    assert not computation.provisional
    assert not office.is_provisional(day("2027-06-01"))
    assert office.is_provisional(day("2027-12-31"))
    assert office.announced(2027)
    assert not office.announced(2028)


def test_a_make_up_day_can_be_taken_back_and_the_later_row_counts() -> None:
    first = Override(day("2026-10-10"), False, "湘政办函〔2026〕1号")
    second = Override(day("2026-10-10"), True, "湘政办函〔2026〕2号")
    assert not Calendar((first,)).is_working(day("2026-10-10"))
    corrected = Calendar((first, second))
    assert corrected.is_working(day("2026-10-10"))
    assert corrected.reason(day("2026-10-10")).text == "湘政办函〔2026〕2号规定上班，计入"


def test_the_edition_names_the_rows_a_date_was_counted_with() -> None:
    assert Calendar().edition == CALENDAR.edition
    assert Calendar(EXTENSION).edition != CALENDAR.edition
    assert Calendar(EXTENSION[:1]).edition != Calendar(EXTENSION).edition
    assert len({CALENDAR, Calendar(), Calendar(EXTENSION)}) == 2


# The civil day


def test_the_day_changes_at_midnight_in_shanghai_wherever_the_server_stands() -> None:
    for zone in ("UTC", "America/New_York", "Asia/Shanghai"):
        before = datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC).astimezone(ZoneInfo(zone))
        assert legal_day(before) == day("2026-03-31")
        assert legal_day(before + timedelta(seconds=1)) == day("2026-04-01")


def test_every_day_begins_at_its_first_instant() -> None:
    for text in ("2026-04-01", "2026-01-01", "1988-04-10", "1988-07-01", "1988-09-11", "1991-12-31"):
        start = day_start(day(text))
        assert start.utcoffset() == timedelta(0)
        assert legal_day(start) == day(text)
        assert legal_day(start - timedelta(microseconds=1)) == day(text) - timedelta(days=1)


def test_shanghai_had_summer_time_in_1988() -> None:
    assert day_start(day("1988-07-01")) == datetime(1988, 6, 30, 15, tzinfo=UTC)
    assert legal_day(datetime(1988, 6, 30, 15, 30, tzinfo=UTC)) == day("1988-07-01")
    assert legal_day(datetime(1988, 1, 31, 15, 30, tzinfo=UTC)) == day("1988-01-31")


def test_an_instant_without_a_time_zone_is_no_day() -> None:
    with pytest.raises(ValueError, match="没有时区"):
        legal_day(datetime(2026, 3, 31, 23, 59))


def test_leap_days_and_year_ends_are_met_by_months() -> None:
    assert months_after(day("2023-11-30"), 3) == day("2024-02-29")
    assert months_after(day("2026-12-31"), 1) == day("2027-01-31")
    assert months_after(day("2026-10-31"), 1) == day("2026-11-30")
    assert months_after(day("2024-02-29"), 48) == day("2028-02-29")
