"""The three questions of the law room: may this step be taken, what can be done, who waits for whom."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import date, datetime

import pytest

from tests.workflows.worlds import (
    ALONE,
    FENG,
    LI,
    QIAN,
    WANG,
    ZHENG,
    ZHOU,
    World,
    accepted,
    closed,
    corrected,
    drafted,
    held,
    moment,
    nothing_yet,
    officer,
    possible,
    processing,
    proper_answers,
    received,
    reviewed,
    submitted,
)
from workflows.engine import offers, refusals, waiting_for
from workflows.grammar import DUTY_OUTSTANDING, MOVED, STRANGER, UNMET, Ban, Refusal
from workflows.law import cite
from workflows.people import WATCH, Role, roles_in
from workflows.repair import REPAIR

STORIES = [nothing_yet, drafted, submitted, held, received, corrected, accepted, reviewed, processing, closed]


def first(world: World, step: str, actor, item: str = "", **answers) -> Refusal:
    return refusals(REPAIR, step, world.facts, actor, world.at, item, answers or None)[0]


# One question after the other


def test_where_the_case_stands_is_said_before_who_may_and_before_what_is_missing():
    world = submitted().with_record(duty=DUTY_OUTSTANDING)
    assert first(world, "confirm", FENG).kind == MOVED
    assert first(world, "accept", FENG).kind == STRANGER
    assert first(world, "accept", LI).kind == UNMET


def test_a_stranger_learns_nothing_about_the_conditions():
    world = submitted().with_record(duty=DUTY_OUTSTANDING, duty_note="罚款还差3000元")
    assert [r.text for r in refusals(REPAIR, "accept", world.facts, FENG, world.at)] == ["这一步由本件的受理员办理。"]


def test_every_refusal_is_a_sentence_with_its_article():
    troubled = {
        "duty": DUTY_OUTSTANDING,
        "excluded_by": "《某法》第九条",
        "sector_condition": "车辆已恢复原状",
        "other_open_case": "XF-2",
        "annulled_on": None,
    }
    bans = (Ban(date(2020, 1, 1), date(2030, 1, 1), "提供虚假材料"),)
    seen: set[str] = set()
    for story in STORIES:
        plain = story()
        for world in (plain, plain.with_record(**troubled).knowing(bans=bans, papers=frozenset())):
            for step in REPAIR.steps:
                for actor in (*ALONE.values(), ZHENG):
                    for answers in (None, {}, *proper_answers(step, world.today)):
                        for refusal in refusals(REPAIR, step, world.facts, actor, world.at, "", answers):
                            seen.add(refusal.code)
                            assert refusal.text.endswith("。") and "{" not in refusal.text, refusal
                            assert refusal.text == refusal.template.format(**refusal.values)
                            assert refusal.code and refusal.kind in (MOVED, STRANGER, UNMET)
                            assert cite(refusal.law)
    assert len(seen) > 20


def test_asking_changes_nothing_and_the_same_question_has_the_same_answer():
    world = reviewed("grant")
    once = refusals(REPAIR, "confirm", world.facts, QIAN, world.at)
    assert refusals(REPAIR, "confirm", world.facts, QIAN, world.at) == once == []
    with pytest.raises(FrozenInstanceError):
        world.facts.case = None  # type: ignore[misc]


def test_the_law_room_wants_an_instant_with_a_time_zone():
    world = held()
    with pytest.raises(ValueError, match="没有时区"):
        refusals(REPAIR, "release", world.facts, WATCH, datetime(2026, 4, 7, 9, 0))


# Answers


def test_an_answer_is_not_held_against_a_step_that_is_only_being_offered():
    world = received()
    assert refusals(REPAIR, "decline", world.facts, LI, world.at) == []
    missing = refusals(REPAIR, "decline", world.facts, LI, world.at, "", {})
    assert [refusal.code for refusal in missing] == ["ASKED", "ASKED"]


@pytest.mark.parametrize("empty", [None, "", [], ()])
def test_an_empty_answer_is_no_answer(empty):
    assert first(received(), "correct", LI, items=empty).code == "ASKED"


def test_whoever_calls_the_law_asks_for_what_the_step_asks():
    for step in REPAIR.steps:
        for world in (story() for story in STORIES if story().state in step.sources):
            for role in step.by:
                facts = world.facts
                if role is Role.CARRIER:
                    facts = replace(facts, case=replace(facts.case, channel="creditchina"))
                codes = [r.code for r in refusals(REPAIR, step, facts, ALONE[role], world.at, "", {})]
                assert codes.count("ASKED") == len(step.asks)


# Items and counts


def test_a_step_with_an_item_is_offered_as_a_whole_and_taken_one_by_one():
    world = processing()
    assert refusals(REPAIR, "do_task", world.facts, ZHOU, world.at) == []
    done = world.take("do_task", ZHOU, "regrade", outcome="等级不变")
    assert refusals(REPAIR, "do_task", done.facts, ZHOU, done.at) == []
    assert "COUNTED" in done.why_not("do_task", ZHOU, "regrade", outcome="再来一次")


def test_a_counted_step_says_how_often_it_may_be_taken():
    world = received()
    assert first(world, "receive", LI, t0="2026-05-06").text == "“签收”在本件中最多办理 1 次，已经办理过了。"


# Time-limits


def test_a_step_that_waits_for_a_clock_says_until_when():
    world = drafted("2026-05-06")
    assert first(world, "drop", WATCH).text == "草稿期限到2026年6月5日届满，届满后才能办理“草稿逾期作废”。"


def test_a_step_that_waits_for_a_clock_is_refused_when_none_is_running():
    world = drafted().knowing(deadlines=())
    assert first(world, "drop", WATCH).text == "没有已届满的期限，不能办理“草稿逾期作废”。"
    paused = drafted("2026-05-06").on("2026-07-01")
    paused = paused.knowing(deadlines=tuple(replace(d, state="paused") for d in paused.facts.deadlines))
    assert first(paused, "drop", WATCH).code == "NOT_EXPIRED"


def test_the_day_turns_over_in_shanghai():
    world = drafted("2026-05-06").on("2026-06-05", "23:59:59")
    assert world.why_not("drop", WATCH) == ("NOT_EXPIRED",)
    assert world.on("2026-06-06", "00:00:00").why_not("drop", WATCH) == ()


# People


def test_the_watch_does_only_what_lists_it():
    for story in STORIES:
        world = story()
        for step, found in offers(REPAIR, world.facts, WATCH, world.at):
            if Role.WATCH not in step.by:
                assert [refusal.code for refusal in found] == ["OTHER_ROLE"]


def test_a_filer_for_another_subject_is_a_stranger():
    other = replace(WANG, person=31, mandates=frozenset((999,)))
    assert first(drafted(), "submit", other).code == "OTHER_ROLE"
    assert roles_in(other, 7, 430, "own_portal") == frozenset()


def test_roles_come_from_the_office_of_the_case_alone():
    assert roles_in(FENG, 7, 430, "own_portal") == frozenset()
    assert roles_in(FENG, 8, 430, "own_portal") == frozenset(Role) - {Role.FILER, Role.CARRIER, Role.WATCH}
    assert roles_in(ZHENG, 8, 430, "own_portal") == {Role.FILER}
    assert roles_in(WATCH, 7, 430, "own_portal") == {Role.WATCH}


def test_nobody_files_by_membership_and_no_membership_makes_a_person_the_watch():
    everything = officer(33, "全能", *Role)
    assert first(drafted(), "submit", everything).code == "OTHER_ROLE"
    assert first(drafted().on("2026-07-01"), "drop", everything).code == "OTHER_ROLE"


def test_who_acts_for_the_subject_files_but_does_not_decide():
    assert ZHENG.mandates and (Role.REVIEW, 7) in ZHENG.memberships
    assert drafted().why_not("submit", ZHENG) == ()
    assert first(accepted(), "review", ZHENG).text == "您受本件申请人委托，或者曾经代申请人办理过本件，应当回避。"


# Offers and inbox


def test_offers_hold_every_step_that_leads_on_each_with_its_reasons():
    world = submitted()
    offered = offers(REPAIR, world.facts, LI, world.at)
    assert [step.code for step, _ in offered] == [s.code for s in REPAIR.steps if "submitted" in s.sources]
    reasons = {step.code: [refusal.code for refusal in found] for step, found in offered}
    assert reasons["receive"] == []
    assert reasons["accept"] == ["NOT_RECEIVED"]
    assert reasons["withdraw"] == ["OTHER_ROLE"]
    assert reasons["supersede"] == ["NOT_ANNULLED"]


def test_nothing_is_offered_after_an_end():
    world = closed()
    assert offers(REPAIR, world.facts, LI, world.at) == ()


def test_every_open_state_waits_for_one_role_and_no_end_waits_for_anybody():
    waiting = {role: waiting_for(REPAIR, role) for role in Role}
    assert waiting[Role.FILER] == {"draft", "correcting"}
    assert waiting[Role.ACCEPTANCE] == {"submitted", "held"}
    assert waiting[Role.REVIEW] == {"accepted"}
    assert waiting[Role.CONFIRMATION] == {"reviewed"}
    assert waiting[Role.PROCESSING] == {"processing"}
    assert set().union(*waiting.values()) == {state.code for state in REPAIR.states if not state.final}
    assert sum(map(len, waiting.values())) == 7


@pytest.mark.parametrize("story", STORIES[1:-1], ids=lambda story: story.__name__)
def test_whoever_owns_a_state_can_do_something_there(story):
    """A case never lies in an inbox whose owner has nothing to do with it; a held filing at least can be declined."""
    world = story()
    owner = REPAIR.state[world.state].owner
    assert next(possible(world, (ALONE[owner],)), None) is not None


def test_an_hour_passes_between_two_moments_of_a_story():
    """Guards the stories: the wall clock of Shanghai is eight hours before UTC."""
    assert moment("2026-05-06", "08:00:00").utctimetuple()[3] == 0
