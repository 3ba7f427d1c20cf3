"""先行受理: filed before the minimum period has passed, kept, and released by itself on the right working day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, update

from app.db import transaction
from app.models import CalendarOverride, CreditRecord
from app.now import now
from tests.build import a_case, night, state, walk
from tests.casework.acts import annul, clock_of, lines, look, papers, refused, why_not
from tests.cast import Cast
from tests.conftest import Clock
from workflows.calendar import SHANGHAI, legal_day


@pytest.mark.parametrize(
    ("recognised", "filed", "last_day", "released"),
    [
        ("2026-08-25", "2026-11-24", "2026-11-25", "2026-11-26"),  # an ordinary Thursday
        ("2026-08-20", "2026-11-13", "2026-11-20", "2026-11-23"),  # ends on a Friday: not on the weekend
        ("2026-06-25", "2026-09-17", "2026-09-25", "2026-09-28"),  # ends in the three days of the Mid-Autumn festival
        ("2026-06-30", "2026-09-29", "2026-09-30", "2026-10-08"),  # seven days of National Day
        ("2026-07-09", "2026-10-08", "2026-10-09", "2026-10-10"),  # a Saturday that is worked
        ("2026-06-19", "2026-09-16", "2026-09-19", "2026-09-20"),  # ends on a Saturday; the Sunday is worked
    ],
)
def test_it_is_released_on_the_first_working_day_after_the_period(
    cast: Cast, clock: Clock, recognised: str, filed: str, last_day: str, released: str
) -> None:
    clock.go(filed)
    number = a_case(cast, at="held", on=recognised)
    assert clock_of(number, "hold").due_on == date.fromisoformat(last_day), "a holding period does not roll"
    day = date.fromisoformat(filed)
    while day < date.fromisoformat(released):
        clock.go(f"{day} 09:00")
        night(with_press=False)
        assert state(number) == "held", f"released too early, on {day}"
        day += timedelta(days=1)
    at = clock.go(f"{released} 00:05")
    night(with_press=False)
    assert state(number) == "submitted"
    loaded = look(number)
    assert loaded.lines[-1].act == "release"
    assert loaded.lines[-1].person_name == "系统值守"
    assert (loaded.row.t0, loaded.row.t1) == (at, at), "T1 is the day of release"
    assert clock_of(number, "hold").state == "met"
    assert clock_of(number, "accept").day_zero == date.fromisoformat(released)
    assert clock_of(number, "total").day_zero == date.fromisoformat(released)


def test_what_was_released_need_not_be_signed_for_and_goes_on(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="held", on="2026-08-25")
    assert papers(number) == ["receipt"]
    clock.go("2026-11-26")
    night(with_press=False)
    assert refused(cast, number, "li", "receive", t0="2026-11-26") == ["RELEASED"]
    walk(cast, number, "li", "accept")
    walk(cast, number, "zhou", "review", opinion="grant", finding="义务已履行")
    walk(cast, number, "chen", "confirm")
    assert state(number) == "processing"


def test_a_watch_that_slept_over_the_holidays_releases_when_it_wakes(cast: Cast, clock: Clock) -> None:
    """Down from 30 September; back on Friday the 9th of October. T1 is the day on which it really happened."""
    clock.go("2026-09-29")
    number = a_case(cast, at="held", on="2026-06-30")
    woken = clock.go("2026-10-09 08:30")
    night(with_press=False)
    loaded = look(number)
    assert loaded.facts.case.state == "submitted"
    assert loaded.row.t1 == woken
    hold = clock_of(number, "hold")
    assert (hold.due_on, hold.met_on) == (date(2026, 9, 30), date(2026, 10, 9)), "due and done are both kept"


def test_woken_on_a_rest_day_it_waits_for_the_next_working_day(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="held", on="2026-08-25")
    for hour in ("2026-11-28 09:00", "2026-11-29 23:59"):
        clock.go(hour)
        night(with_press=False)
        assert state(number) == "held"
    clock.go("2026-11-30 00:00")
    night(with_press=False)
    assert state(number) == "submitted"


def test_a_working_day_taken_back_by_the_office_is_no_day_of_release(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="held", on="2026-08-25")
    with transaction():
        values = {"day": date(2026, 11, 26), "working": False, "notice": "湘政办明电〔2026〕9号", "recorded_at": now()}
        from app.db import db

        db.session.execute(insert(CalendarOverride).values(values))
    clock.go("2026-11-26")
    night(with_press=False)
    assert state(number) == "held"
    clock.go("2026-11-27")
    night(with_press=False)
    assert state(number) == "submitted"


def test_the_officer_may_release_by_hand_but_not_before_the_day(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="held", on="2026-08-25")
    assert refused(cast, number, "li", "release") == ["NOT_EXPIRED", "MIN_PERIOD_NOT_MET"]
    assert refused(cast, number, "zhou", "release") == ["OTHER_ROLE"]
    clock.go("2026-11-26")
    walk(cast, number, "li", "release")
    assert legal_day(look(number).row.t1) == date(2026, 11, 26)


def test_a_new_offence_stops_the_release_and_says_which(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="held", on="2026-08-25")
    clock.go("2026-11-25")
    offence = cast.penalty(on="2026-11-24")
    clock.go("2026-11-26")
    night(with_press=False)
    assert state(number) == "held"
    reason = why_not(cast, number, "li", "release")
    assert reason.code == "NEW_OFFENCE"
    assert "湘交罚〔2026〕2号" in reason.text and "2026年11月24日" in reason.text
    clock.go("2026-11-30")
    night(with_press=False)
    assert state(number) == "held", "it stays until somebody has looked"
    assert offence
    walk(cast, number, "li", "decline", ground="SECTOR_CONDITION", reason="预收期间又有新的失信信息")
    assert state(number) == "declined"


def test_an_offence_of_another_company_or_from_before_the_filing_stops_nothing(cast: Cast, clock: Clock) -> None:
    cast.penalty(on="2026-11-02")
    number = a_case(cast, at="held", on="2026-08-25")
    cast.penalty(of="other", on="2026-11-24")
    clock.go("2026-11-26")
    night(with_press=False)
    assert state(number) == "submitted"


def test_an_offence_that_was_annulled_no_longer_stops_the_release(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="held", on="2026-08-25")
    offence = cast.penalty(on="2026-11-24")
    clock.go("2026-11-26")
    night(with_press=False)
    assert state(number) == "held"
    annul(cast, offence)
    clock.go("2026-11-27")
    night(with_press=False)
    assert state(number) == "submitted"


def test_a_held_case_whose_duty_turns_out_to_be_open_is_not_released(cast: Cast, clock: Clock) -> None:
    record = cast.penalty(on="2026-08-25")
    number = a_case(cast, at="held", record=record)
    with transaction() as session:
        session.execute(
            update(CreditRecord).where(CreditRecord.id == record).values(duty="outstanding", duty_note="余款八千元未缴")
        )
    clock.go("2026-11-26")
    night(with_press=False)
    assert state(number) == "held"
    assert "余款八千元未缴" in why_not(cast, number, "li", "release").text


@pytest.mark.parametrize("step", ["withdraw", "decline", "transfer"])
def test_while_it_is_held_it_can_also_end(cast: Cast, clock: Clock, step: str) -> None:
    number = a_case(cast, at="held", on="2026-08-25")
    match step:
        case "withdraw":
            walk(cast, number, "deng", step)
        case "decline":
            walk(cast, number, "li", step, ground="SECTOR_CONDITION", reason="条件不符")
        case _:
            walk(cast, number, "li", step, to="长沙市交通运输局", reason="由其认定")
    assert clock_of(number, "hold").state == "ended"
    ended = lines(number)
    clock.go("2026-11-26")
    night(with_press=False)
    assert lines(number) == ended, "an ended case is not released"


def test_only_the_period_may_be_missing(cast: Cast, clock: Clock) -> None:
    """After the period the ordinary way is open, and nothing else than the period can be waited for."""
    number = a_case(cast, at="draft", on="2026-05-18")
    assert refused(cast, number, "deng", "submit_early") == ["NOT_EARLY"]
    number = a_case(cast, at="draft", on="2026-08-25")
    assert refused(cast, number, "deng", "submit") == ["MIN_PERIOD_NOT_MET"]
    assert "2026年11月25日" in why_not(cast, number, "deng", "submit").text


def test_the_last_minute_of_the_period_in_shanghai_counts(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="held", on="2026-08-25")
    clock.go("2026-11-25 23:59")
    night(with_press=False)
    assert state(number) == "held"
    clock.at = clock.at + timedelta(minutes=1)
    assert clock.at.astimezone(SHANGHAI).date() == date(2026, 11, 26)
    night(with_press=False)
    assert state(number) == "submitted"
