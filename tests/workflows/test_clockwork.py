"""Time-limits that start, pause, restart, are extended and met; every date is a pure fold of the journal.

In 2026 the days around the stories are: Saturday 9 May is a working day (调休), otherwise plain weeks until 端午
(19 to 21 June).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from tests.workflows import worlds
from tests.workflows.worlds import (
    CALENDAR,
    LI,
    QIAN,
    WANG,
    WU,
    ZHAO,
    ZHOU,
    World,
    a_record,
    accepted,
    closed,
    corrected,
    held,
    nothing_yet,
    processing,
    received,
    recomputed,
    reviewed,
    submitted,
)
from workflows import clockwork
from workflows.clockwork import ENDED, MET, PAUSED, RUNNING, turn
from workflows.grammar import NEW, PAUSE, RESTART, RUN_ON, STAY, Ask, Clock, State, Step, Workflow
from workflows.law import rule
from workflows.people import WATCH, Role

REVIEW, HEAD = Role.REVIEW, Role.HEAD


def shop(during: dict[str, str], length: str = "repair.result_within", **changes: object) -> Workflow:
    """A case that goes back and forth between desk and two places outside while one clock looks on."""
    clock = Clock(
        "limit",
        "期限",
        length,
        starts=("open",),
        met_by=("finish",),
        extended_by=("extend",),
        extension="repair.extend_by",
        during=during,
        escalates=HEAD,
    )
    return Workflow(
        "shop",
        "1",
        "小办件",
        (
            State("desk", "窗口", owner=REVIEW),
            State("outside", "外出核查", owner=REVIEW),
            State("expert", "专家评审", owner=REVIEW),
            State("done", "已办结", final=True),
        ),
        (replace(clock, **changes),),
        (
            Step("open", "收件", NEW + " -> desk", by=REVIEW, law="D"),
            Step("send", "外出", "desk -> outside", by=REVIEW, law="D"),
            Step("ask", "送专家", "desk, outside -> expert", by=REVIEW, law="D"),
            Step("return", "收回", "outside, expert -> desk", by=REVIEW, law="D"),
            Step("note", "记录", "desk, outside, expert -> " + STAY, by=REVIEW, law="D"),
            Step("extend", "延期", "desk, outside -> " + STAY, by=REVIEW, law="D"),
            Step("finish", "办结", "desk, outside, expert -> done", by=REVIEW, law="D"),
            Step("drop", "作废", "desk, outside, expert -> done", by=REVIEW, law="D"),
        ),
    )


def opened(day: str, during: dict[str, str], **changes: object) -> World:
    """A case of that shop, begun on a day."""
    return replace(nothing_yet(day), workflow=shop(during, **changes)).take("open", ZHAO)


# Starting


def test_the_day_of_the_step_is_day_zero_and_is_not_counted():
    limit = opened("2026-05-06", {}).due("limit")
    assert (limit.state, limit.day_zero, limit.due_on, limit.value, limit.unit) == (
        RUNNING,
        date(2026, 5, 6),
        date(2026, 5, 19),
        10,
        "WD",
    )
    assert (limit.rule, limit.row) == ("repair.result_within", rule("repair.result_within").on(date(2026, 5, 6)).digest)


def test_the_total_counts_from_the_day_others_received_it_and_ours_from_our_receipt():
    world = submitted("2026-05-06").on("2026-05-08").take("receive", LI, t0="2026-05-06")
    assert (world.due("total").day_zero, world.due("total").due_on) == (date(2026, 5, 6), date(2026, 5, 19))
    assert (world.due("accept").day_zero, world.due("accept").due_on) == (date(2026, 5, 8), date(2026, 5, 12))


@pytest.mark.parametrize(
    ("day", "accept", "total"),
    [
        ("2026-09-29", "2026-10-09", "2026-10-19"),
        ("2026-04-30", "2026-05-08", "2026-05-18"),
        ("2026-11-23", "2026-11-26", "2026-12-07"),
    ],
)
def test_the_vectors_of_the_calendar_hold_in_a_case(day, accept, total):
    world = received(day)
    assert (world.due("accept").due_on, world.due("total").due_on) == (
        date.fromisoformat(accept),
        date.fromisoformat(total),
    )


def test_a_date_that_rests_on_an_unannounced_year_says_so():
    world = received("2026-12-28")
    assert world.due("accept").provisional and world.due("total").provisional
    computation = world.due("total").computation(CALENDAR)
    assert computation is not None and computation.why_provisional
    assert not received("2026-11-23").due("total").provisional


def test_a_date_that_is_read_and_not_counted_does_not_roll():
    hold = held().due("hold")
    assert (hold.due_on, hold.unit, hold.computation(CALENDAR)) == (date(2026, 4, 5), "", None)


def test_overdue_begins_with_the_day_after_the_last():
    limit = opened("2026-05-06", {}).due("limit")
    assert not limit.ran_out(date(2026, 5, 19))
    assert limit.ran_out(date(2026, 5, 20))
    assert not replace(limit, state=PAUSED).ran_out(date(2026, 5, 20))
    assert not replace(limit, state=MET).ran_out(date(2026, 5, 20))


# Pausing: the day of the pause is spent


@pytest.mark.parametrize(
    ("paused_on", "left", "resumed_on", "due_on"),
    [
        ("2026-05-11", 6, "2026-05-20", "2026-05-28"),  # 7, 8, 9 and 11 May are spent
        ("2026-05-06", 10, "2026-05-20", "2026-06-03"),  # paused on day zero: nothing is spent
        ("2026-05-10", 7, "2026-05-17", "2026-05-26"),  # paused and resumed on Sundays
        ("2026-05-11", 6, "2026-05-11", "2026-05-19"),  # resumed on the same day: nothing has changed
        ("2026-05-18", 1, "2026-06-01", "2026-06-02"),
        ("2026-05-19", 0, "2026-06-01", "2026-06-01"),  # paused on its last day, due on the day it resumes
        ("2026-05-19", 0, "2026-05-23", "2026-05-25"),  # … which, on a Saturday, rolls to Monday
        ("2026-05-11", 6, "2026-06-18", "2026-06-29"),  # 端午 lies in the rest
    ],
)
def test_a_pause_keeps_what_was_left(paused_on, left, resumed_on, due_on):
    world = opened("2026-05-06", {"outside": PAUSE}).on(paused_on).take("send", ZHAO)
    assert (world.due("limit").state, world.due("limit").left) == (PAUSED, left)
    assert world.due("limit").paused_on == date.fromisoformat(paused_on)
    resumed = world.on(resumed_on).take("return", ZHAO).due("limit")
    assert (resumed.state, resumed.due_on, resumed.left) == (RUNNING, date.fromisoformat(due_on), 0)
    assert resumed.day_zero == date(2026, 5, 6)


def test_calendar_days_pause_as_calendar_days():
    world = opened("2026-05-06", {"outside": PAUSE}, length="repair.draft_within").on("2026-05-16").take("send", ZHAO)
    assert world.due("limit").left == 20
    assert world.on("2026-06-01").take("return", ZHAO).due("limit").due_on == date(2026, 6, 21)


def test_a_limit_that_was_missed_stays_missed():
    world = opened("2026-05-06", {"outside": PAUSE}).on("2026-05-20").take("send", ZHAO)
    assert world.due("limit").ran_out(world.today)
    back = world.on("2026-06-01").take("return", ZHAO)
    assert back.due("limit").due_on == date(2026, 5, 19)


def test_one_pause_may_pass_into_another():
    world = opened("2026-05-06", {"outside": PAUSE, "expert": PAUSE}).on("2026-05-11").take("send", ZHAO)
    moved_on = world.on("2026-05-14").take("ask", ZHAO)
    assert moved_on.due("limit") == world.due("limit")
    assert moved_on.on("2026-05-20").take("return", ZHAO).due("limit").due_on == date(2026, 5, 28)


def test_a_state_that_lets_it_run_on_or_says_nothing_changes_nothing():
    for during in ({"outside": RUN_ON}, {}):
        world = opened("2026-05-06", during).on("2026-05-11").take("send", ZHAO).on("2026-05-20").take("return", ZHAO)
        assert world.due("limit").due_on == date(2026, 5, 19)


def test_what_happens_inside_a_state_neither_pauses_nor_resumes():
    world = opened("2026-05-06", {"outside": PAUSE}).on("2026-05-11").take("send", ZHAO)
    assert world.on("2026-05-14").take("note", ZHAO).due("limit") == world.due("limit")


def test_a_paused_clock_can_be_met_and_an_end_stops_it():
    away = opened("2026-05-06", {"outside": PAUSE}).on("2026-05-11").take("send", ZHAO)
    assert away.take("finish", ZHAO).due("limit").state == MET
    assert away.take("drop", ZHAO).due("limit").state == ENDED


# Restarting and extending


def test_a_restart_counts_the_whole_length_again_from_the_return():
    world = opened("2026-05-06", {"outside": RESTART}).on("2026-05-18").take("send", ZHAO)
    back = world.on("2026-06-01").take("return", ZHAO).due("limit")
    assert (back.base, back.due_on, back.value) == (date(2026, 6, 1), date(2026, 6, 15), 10)
    late = opened("2026-05-06", {"outside": RESTART}).on("2026-05-25").take("send", ZHAO)
    assert late.on("2026-06-01").take("return", ZHAO).due("limit").due_on == date(2026, 6, 15)


def test_an_extension_counts_from_the_old_last_day_whenever_it_is_given():
    early = opened("2026-05-06", {}).take("extend", ZHAO).due("limit")
    late = opened("2026-05-06", {}).on("2026-05-19").take("extend", ZHAO).due("limit")
    assert early == late
    assert (late.base, late.due_on, late.rule) == (date(2026, 5, 19), date(2026, 6, 2), "repair.extend_by")


def test_what_is_left_of_an_extended_limit_is_kept_through_a_pause():
    world = opened("2026-05-06", {"outside": PAUSE}).take("extend", ZHAO).on("2026-05-26").take("send", ZHAO)
    assert world.due("limit").left == 5
    assert world.on("2026-06-10").take("return", ZHAO).due("limit").due_on == date(2026, 6, 17)


def the_long_way(start: date, length: int, pauses: list[tuple[date, date]]) -> date:
    """The last day of a limit, counted one day at a time by another rule.

    A day counts when it is a working day and the clock does not stand still on it; it stands still from the day after a
    pause to the day of return.
    """
    day, counted = start, 0
    while True:
        day += timedelta(days=1)
        still = any(left < day <= back for left, back in pauses)
        counted += CALENDAR.is_working(day) and not still
        if counted == length:
            returned = [back for left, back in pauses if left == day]
            return CALENDAR.next_working(max(returned, default=day))


@pytest.mark.parametrize("seed", range(60))
def test_any_number_of_pauses_agrees_with_counting_day_by_day(seed):
    chance = random.Random(seed)
    start = date(2026, 4, 1) + timedelta(days=chance.randrange(200))
    world = opened(start.isoformat(), {"outside": PAUSE})
    pauses: list[tuple[date, date]] = []
    for _ in range(chance.randrange(1, 5)):
        room = (world.due("limit").due_on - world.today).days
        if room < 0:
            break
        away = world.later(chance.randint(0, room)).take("send", ZHAO)
        world = away.later(chance.randint(0, 20)).take("return", ZHAO)
        pauses.append((away.today, world.today))
        if away.due("limit").left == 0:
            break
    assert world.due("limit").due_on == the_long_way(start, 10, pauses), (start, pauses)


# Credit repair


def test_a_completion_restarts_the_acceptance_and_lets_the_total_run_on():
    world = corrected("2026-05-06")
    assert (world.due("accept").state, world.due("total").state) == (PAUSED, RUNNING)
    back = world.on("2026-05-14").take("resubmit", WANG, statement="补上了缴款凭证")
    assert (back.due("accept").due_on, back.due("total").due_on) == (date(2026, 5, 19), date(2026, 5, 19))
    assert back.due("correct").state == MET
    again = back.on("2026-05-15").take("correct", LI, items=["印章不清楚"], justification="原件到后才看出")
    assert (again.due("correct").state, again.due("correct").day_zero) == (RUNNING, date(2026, 5, 15))
    late = again.on("2026-05-25").take("resubmit", WANG, statement="重新盖章")
    assert late.due("accept").due_on == date(2026, 5, 28)
    assert late.due("total").ran_out(late.today)


def test_each_state_has_the_clocks_that_belong_to_it():
    def running(world: World) -> set[str]:
        return {d.clock for d in world.facts.deadlines if d.state == RUNNING}

    assert running(submitted()) == {"receive"}
    assert running(held()) == {"hold"}
    assert running(received()) == {"accept", "total"}
    assert running(corrected()) == {"correct", "total"}
    assert running(accepted()) == running(reviewed("grant")) == {"decide", "total"}
    assert running(processing()) == {"serve", "hand_over", "process", "receiver"}


def test_an_end_stops_every_clock_but_those_that_outlive_it():
    world = accepted().take("withdraw", WANG)
    assert {d.clock: d.state for d in world.facts.deadlines} == {
        "draft": MET,
        "receive": MET,
        "accept": MET,
        "total": ENDED,
        "decide": ENDED,
    }
    after = closed()
    assert {d.clock for d in after.facts.deadlines if d.state in (RUNNING, PAUSED)} == {"receiver"}


def test_every_receiver_has_a_limit_of_its_own_and_is_asked_anew_when_the_penalty_is_annulled():
    world = processing("2026-05-06").receipt("road")
    assert [world.due("receiver", r).state for r in worlds.RECEIVERS] == [RUNNING, MET, RUNNING]
    annulled = world.on("2026-05-11").with_record(annulled_on=date(2026, 5, 11)).take("supersede", WATCH)
    assert {annulled.due("receiver", r).state for r in worlds.RECEIVERS} == {RUNNING}
    assert {annulled.due("receiver", r).day_zero for r in worlds.RECEIVERS} == {date(2026, 5, 11)}


def test_the_extension_moves_both_limits_and_is_explained_from_the_old_day():
    world = accepted("2026-05-06").on("2026-05-12").take("extend", WU, reason="须向银行核实")
    computation = world.due("total").computation(CALENDAR)
    assert computation is not None
    assert (computation.day_zero, computation.due_on) == (date(2026, 5, 19), world.due("total").due_on)


# A fold of the journal


def whole_lives() -> Iterator[World]:
    yield closed().receipt("road").receipt("water").receipt("province")
    yield held().on("2026-04-07").take("release", WATCH).take("accept", LI)
    yield corrected().on("2026-05-12").take("resubmit", WANG, statement="补上了").take("accept", LI)
    yield accepted().take("extend", WU, reason="复杂").take("warn", ZHAO, facts="凭证不一致").on("2026-05-20")
    yield reviewed("refuse").take("refuse", QIAN, reason="证明不足", cure="补齐")
    yield (
        processing().take("serve", ZHOU, manner="hand").with_record(annulled_on=date(2026, 5, 6)).take("supersede", WU)
    )


@pytest.mark.parametrize("world", list(whole_lives()), ids=lambda world: world.state)
def test_every_deadline_is_a_pure_fold_of_the_journal(world):
    assert recomputed(world) == (world.facts.deadlines, world.events)
    by_prefix: tuple = ()
    for events in world.events:
        by_prefix = turn(by_prefix, events)
    assert by_prefix == world.facts.deadlines


def test_a_fold_asks_neither_the_law_nor_the_calendar(monkeypatch):
    """A later change of law or holidays never moves a date behind our back: only a new line of the journal does."""
    world = closed()

    def forbidden(*_args, **_kwargs):
        raise AssertionError("a fold computes nothing")

    for name in ("rule", "reckon"):
        monkeypatch.setattr(clockwork, name, forbidden)
    deadlines: tuple = ()
    for events in world.events:
        deadlines = turn(deadlines, events)
    assert deadlines == world.facts.deadlines


def test_a_line_that_cannot_be_read_is_loud():
    with pytest.raises(ValueError, match="日志里的期限事件“leap”不认识"):
        turn((), ({"clock": "total", "item": "", "event": "leap"},))


def test_every_counted_date_explains_itself_and_arrives_at_itself():
    for world in whole_lives():
        for deadline in world.facts.deadlines:
            computation = deadline.computation(CALENDAR)
            if computation is not None and deadline.state != PAUSED:
                assert computation.due_on == deadline.due_on, deadline


# Old law, new law


@pytest.fixture
def shorter_from_april(monkeypatch):
    """A law row that shortens the total from ten to five working days for receipts from 2026-04-01."""
    rows = {
        "old": SimpleNamespace(rule_id="repair.result_within", digest="old", value=10, unit="WD", shift=True),
        "new": SimpleNamespace(rule_id="repair.result_within", digest="new", value=5, unit="WD", shift=True),
    }

    def dated(key: str):
        if key != "repair.result_within":
            return rule(key)
        return SimpleNamespace(on=lambda day: rows["new" if day >= date(2026, 4, 1) else "old"])

    monkeypatch.setattr(clockwork, "rule", dated)


@pytest.mark.parametrize(
    ("submitted_at", "t0", "row", "due_on"),
    [
        ("23:59:59", "2026-03-31", "old", "2026-04-15"),
        ("23:59:59", "2026-04-01", "new", "2026-04-09"),
    ],
)
def test_the_day_of_receipt_chooses_the_law_not_the_day_of_the_desk(shorter_from_april, submitted_at, t0, row, due_on):
    world = nothing_yet("2026-03-31", a_record("2025-12-01")).take("open", WANG)
    world = world.on("2026-03-31", submitted_at).take("submit", WANG)
    world = world.on("2026-04-02").take("receive", LI, t0=t0)
    assert (world.due("total").row, world.due("total").due_on) == (row, date.fromisoformat(due_on))


def test_a_case_of_the_last_second_of_march_keeps_its_law_and_one_of_the_first_of_april_has_the_new(shorter_from_april):
    def received_at(day: str, clock: str) -> World:
        begun = nothing_yet("2026-03-31", a_record("2025-12-01")).take("open", WANG).take("submit", WANG)
        return begun.on(day, clock).take("receive", LI, t0=day)

    last, first = received_at("2026-03-31", "23:59:59"), received_at("2026-04-01", "00:00:00")
    assert (last.due("total").row, first.due("total").row) == ("old", "new")
    assert last.facts.case.t0 < first.facts.case.t0
    for world in (last, first):
        longer = world.on("2026-04-02").take("accept", LI)
        ask = Ask(longer.workflow, longer.workflow.step["review"], longer.facts, ZHAO, longer.at)
        assert ask.procedure_day == (date(2026, 3, 31) if world is last else date(2026, 4, 1))
