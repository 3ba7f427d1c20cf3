"""Time-limits as people live through them: paused, begun anew, extended, missed; what expiry does and never does."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from app.models import Document, JournalLine
from tests.build import ITEMS, a_case, night, state, walk
from tests.casework.acts import clock_of, everything, lines, look, papers, refused, scalar, why_not
from tests.cast import Cast
from tests.conftest import Clock


def test_signing_for_an_application_starts_three_and_ten_working_days(cast: Cast, clock: Clock) -> None:
    clock.go("2026-09-29")
    number = a_case(cast, at="submitted", on="2026-05-18")
    receive = clock_of(number, "receive")
    assert (receive.state, receive.due_on) == ("running", date(2026, 9, 30))
    walk(cast, number, "li", "receive", t0="2026-09-29")
    assert clock_of(number, "receive").state == "met"
    assert clock_of(number, "accept").due_on == date(2026, 10, 9)
    assert clock_of(number, "total").due_on == date(2026, 10, 19)


def test_the_total_limit_counts_from_the_day_the_window_received_it(cast: Cast, clock: Clock) -> None:
    clock.go("2026-11-20")
    number = a_case(cast, at="submitted")
    clock.go("2026-11-24")
    walk(cast, number, "li", "receive", t0="2026-11-20")
    total, accept = clock_of(number, "total"), clock_of(number, "accept")
    assert (total.day_zero, total.due_on) == (date(2026, 11, 20), date(2026, 12, 4))
    assert (accept.day_zero, accept.due_on) == (date(2026, 11, 24), date(2026, 11, 27))


def test_completion_begins_acceptance_anew_and_the_total_limit_runs_on(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="received")
    total = clock_of(number, "total").due_on
    clock.go("2026-11-25")
    walk(cast, number, "li", "correct", items=ITEMS)
    assert clock_of(number, "accept").state == "paused"
    assert clock_of(number, "correct").due_on == date(2026, 12, 9)
    clock.go("2026-11-30")
    walk(cast, number, "deng", "resubmit", statement="已重新拍照")
    accept = clock_of(number, "accept")
    assert (accept.state, accept.due_on) == ("running", date(2026, 12, 3))
    assert clock_of(number, "correct").state == "met"
    assert (clock_of(number, "total").state, clock_of(number, "total").due_on) == ("running", total)


def test_everything_missing_is_told_at_once(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="correcting")
    walk(cast, number, "deng", "resubmit", statement="已重新拍照")
    again = [{"name": "整改证明", "problem": "没有日期", "remedy": "补写日期"}]
    reason = why_not(cast, number, "li", "correct", items=again)
    assert reason.code == "TOLD_ONCE" and "一次性告知" in reason.text
    walk(cast, number, "li", "correct", items=again, justification="补正材料与原材料不一致，此前无从发现")
    assert papers(number) == ["receipt", "correction", "correction"]


def test_a_completion_that_never_comes_lapses_by_itself_the_day_after_its_limit(cast: Cast, clock: Clock) -> None:
    record = cast.penalty()
    number = a_case(cast, at="correcting", record=record)
    due = clock_of(number, "correct").due_on
    assert due == date(2026, 12, 8)
    assert refused(cast, number, "li", "lapse") == ["NOT_EXPIRED"]
    clock.go("2026-12-08 23:59")
    night(with_press=False)
    assert state(number) == "correcting"
    clock.go("2026-12-09 00:00")
    night(with_press=False)
    assert state(number) == "lapsed"
    assert papers(number)[-1] == "lapse"
    assert look(number).facts.record.status == "published"  # type: ignore[union-attr]
    assert all(deadline.state != "running" for deadline in look(number).facts.deadlines)
    assert state(a_case(cast, at="submitted", record=record)) == "submitted", "one may apply again at once"


def test_completed_on_the_last_day_it_does_not_lapse(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="correcting")
    clock.go("2026-12-08 23:59")
    walk(cast, number, "deng", "resubmit", statement="已补齐")
    clock.go("2026-12-20")
    night(with_press=False)
    assert state(number) == "submitted"


def test_a_draft_nobody_hands_in_is_dropped_without_a_document(cast: Cast, clock: Clock) -> None:
    record = cast.penalty()
    number = a_case(cast, at="draft", record=record)
    assert clock_of(number, "draft").due_on == date(2026, 12, 24)
    clock.go("2026-12-24 23:00")
    night(with_press=False)
    assert state(number) == "draft"
    clock.go("2026-12-25 00:10")
    night(with_press=False)
    assert state(number) == "lapsed"
    assert papers(number) == []
    assert look(number).row.filed_at is None, "no officer ever sees it"
    a_case(cast, at="draft", record=record)


def test_a_missed_limit_is_overdue_when_it_is_read_and_nothing_moves(cast: Cast, clock: Clock) -> None:
    """The law knows no silent approval: nobody is accepted, refused or thrown out because we were late."""
    number = a_case(cast, at="received")
    clock.go("2026-12-21")
    before = everything()
    night(with_press=False)
    assert everything() == before
    for clock_code in ("accept", "total"):
        assert clock_of(number, clock_code).ran_out(date(2026, 12, 21))
        assert not clock_of(number, clock_code).ran_out(date(2026, 11, 27))
    walk(cast, number, "li", "accept")
    assert clock_of(number, "accept").met_on == date(2026, 12, 21), "late, and still to be done"


def test_the_head_extends_once_and_before_the_limit(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="accepted")
    assert (clock_of(number, "decide").due_on, clock_of(number, "total").due_on) == (
        date(2026, 12, 3),
        date(2026, 12, 8),
    )
    assert refused(cast, number, "zhou", "extend", reason="需要核查") == ["OTHER_ROLE"]
    assert refused(cast, number, "tang", "extend", reason="") == ["ASKED"]
    clock.go("2026-12-03")
    walk(cast, number, "tang", "extend", reason="缴款信息须向代收银行核查")
    assert (clock_of(number, "decide").due_on, clock_of(number, "total").due_on) == (
        date(2026, 12, 17),
        date(2026, 12, 22),
    )
    assert papers(number)[-1] == "extension"
    assert state(number) == "accepted"
    assert refused(cast, number, "tang", "extend", reason="还要核查") == ["COUNTED"]


def test_after_the_limit_nobody_extends_any_more(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="accepted")
    clock.go("2026-12-04")
    reason = why_not(cast, number, "tang", "extend", reason="需要核查")
    assert reason.code == "TOO_LATE"
    assert "2026年12月3日" in reason.text


def test_a_watch_that_was_down_over_the_weekend_does_everything_once(cast: Cast, clock: Clock) -> None:
    """Friday evening to Monday morning: a draft, a completion and an early filing fell due meanwhile."""
    clock.go("2026-11-13")
    draft = a_case(cast, at="draft")  # thirty days: Sunday 13 December
    clock.go("2026-11-27")
    correcting = a_case(cast, at="correcting")  # ten working days: Friday 11 December
    clock.go("2026-12-11 17:00")
    held = a_case(cast, at="held", on="2026-09-12")  # until Saturday 12 December
    night(with_press=False)
    assert [state(number) for number in (draft, correcting, held)] == ["draft", "correcting", "held"]
    monday = clock.go("2026-12-14 08:30")
    for _ in range(3):
        night(with_press=False)
    assert [state(number) for number in (draft, correcting, held)] == ["lapsed", "lapsed", "submitted"]
    assert [lines(number)[-1] for number in (draft, correcting, held)] == ["drop", "lapse", "release"]
    assert {look(number).lines[-1].at for number in (draft, correcting, held)} == {monday}
    assert scalar(select(func.count()).select_from(JournalLine).where(JournalLine.role == "watch")) == 3
    assert scalar(select(func.count()).select_from(Document).where(Document.kind == "lapse")) == 1
    assert clock_of(correcting, "correct").due_on == date(2026, 12, 11), "when it was due stays on record"


@pytest.mark.parametrize("end", ["withdrawn", "declined"])
def test_no_clock_runs_after_an_end(cast: Cast, end: str) -> None:
    number = a_case(cast, at=end)
    assert {deadline.state for deadline in look(number).facts.deadlines} <= {"met", "ended"}


def test_only_the_receivers_clocks_run_on_after_a_repair_is_closed(cast: Cast, clock: Clock) -> None:
    from tests.casework.acts import ink

    number = a_case(cast, at="processing")
    ink(number)
    walk(cast, number, "he", "serve", manner="portal")
    walk(cast, number, "he", "hand_over", manner="平台推送")
    for task in ("regrade", "own_pages"):
        walk(cast, number, "he", "do_task", item=task, outcome="已核对")
    night(with_press=False)
    assert state(number) == "closed"
    running = [deadline for deadline in look(number).facts.deadlines if deadline.state == "running"]
    assert {deadline.clock for deadline in running} == {"receiver"}
    assert {deadline.item for deadline in running} == {"ld-creditchina", "ld-hunan", "ld-market", "ld-trading"}


def test_a_limit_over_the_end_of_the_year_says_that_it_is_provisional(cast: Cast, clock: Clock) -> None:
    clock.go("2026-12-28")
    number = a_case(cast, at="received")
    total = clock_of(number, "total")
    assert total.provisional
    assert not clock_of(a_case(cast, at="draft"), "draft").provisional, "a count of plain days needs no calendar"
