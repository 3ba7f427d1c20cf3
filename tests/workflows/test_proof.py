"""The proof refuses every kind of unsound definition, with a sentence and the shortest way there."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.notices.address_book import RECIPIENTS
from workflows import WORKFLOWS
from workflows.grammar import HOLDS, NEW, PAUSE, RUN_ON, STAY, Ask, Clock, Refusal, State, Step, Unsound, Workflow
from workflows.people import Role
from workflows.proof import Finding, prove
from workflows.repair import REPAIR

TODAY = date(2026, 11, 24)
FILER, REVIEW, CONFIRMATION, HEAD, WATCH = Role.FILER, Role.REVIEW, Role.CONFIRMATION, Role.HEAD, Role.WATCH


def proven(ask: Ask) -> tuple[Refusal, ...]:
    """A condition that always holds."""
    return HOLDS


def small(
    *,
    without: str = "",
    states: tuple[State, ...] = (),
    clocks: tuple[Clock, ...] = (),
    steps: tuple[Step, ...] = (),
    check: dict[str, Any] | None = None,
    **changes: Any,
) -> Workflow:
    """A little sound case type: somebody files, one checks, another sends back or finishes, all under one clock.

    `without` leaves out a step, `check` changes the clock, and the rest is added or overridden.
    """
    own_steps = (
        Step("open", "提出", NEW + " -> filed", by=FILER, law="D", times=1),
        Step("look", "核查", "filed -> found", by=REVIEW, law="XZXK 32", part="look"),
        Step("back", "退回", "found -> filed", by=CONFIRMATION, law="D", part="finish"),
        Step(
            "finish",
            "办结",
            "found -> done",
            by=CONFIRMATION,
            law="D",
            part="finish",
            issues=("result",),
            tells=("site",),
        ),
    )
    clock = Clock("all", "总期限", "repair.result_within", starts=("open",), met_by=("finish",), escalates=HEAD)
    known = {
        "code": "small",
        "edition": "1",
        "title": "小办件",
        "states": (
            State("filed", "待核查", owner=REVIEW),
            State("found", "待确认", owner=CONFIRMATION),
            *states,
            State("done", "已办结", final=True),
        ),
        "clocks": (replace(clock, **(check or {})), *clocks),
        "steps": (*(step for step in own_steps if step.code != without), *steps),
        "apart": (("look", "finish"),),
        "documents": {"result": "结果告知书"},
        "asked": {"reason": "理由"},
    }
    return Workflow(**{**known, **changes})


def faults(workflow: Workflow, *on: date) -> list[Finding]:
    return prove(workflow, on or (TODAY,), templates={"small/result"}, recipients={"site"})


def only(workflow: Workflow, rule: str, text: str, *path: str) -> None:
    """The definition has exactly this one fault."""
    assert faults(workflow) == [Finding(rule, text, path)]


def test_the_little_case_type_itself_is_sound():
    assert faults(small()) == []


# One broken definition per rule


def test_a_state_no_way_leads_to():
    lost = State("lost", "档案室", owner=REVIEW)
    found_again = Step("found_again", "找回", "lost -> found", by=REVIEW, law="D")
    only(
        small(states=(lost,), steps=(found_again,)),
        "unreachable",
        "状态“档案室”（lost）走不到：没有一条路从新建通向它。",
    )


def test_a_state_from_which_no_end_can_be_reached():
    pit = State("pit", "挂起", owner=REVIEW)
    steps = (Step("shelve", "挂起", "filed -> pit", by=REVIEW, law="D"),)
    only(
        small(states=(pit,), steps=steps),
        "no_end",
        "办件走到“挂起”（pit）以后，再也到不了任何终点。",
        "open",
        "shelve",
    )


def test_a_dead_end_that_opens_only_when_a_counted_step_is_used_up():
    once = Step("look", "核查", "filed -> found", by=REVIEW, law="D", part="look", times=1)
    only(
        small(without="look", steps=(once,)),
        "no_end",
        "办件走到“待核查”（filed）以后，再也到不了任何终点。",
        "open",
        "look",
        "back",
    )


@pytest.mark.parametrize("owner", [None, WATCH])
def test_an_open_state_without_a_human_owner(owner):
    states = (State("filed", "待核查", owner=owner), *small().states[1:])
    only(
        replace(small(), states=states),
        "no_owner",
        "未结状态“待核查”（filed）没有人负责：须写明一个由人担任的角色。",
    )


def test_a_state_that_only_the_watch_can_leave():
    waiting = State("waiting", "等待", owner=REVIEW)
    steps = (
        Step("park", "转等待", "filed -> waiting", by=REVIEW, law="D", times=1),
        Step("wake", "恢复", "waiting -> filed", by=WATCH, law="D", automatic=True, needs=(proven,)),
        Step("note", "记录", "waiting -> " + STAY, by=REVIEW, law="D", times=1),
    )
    only(
        small(states=(waiting,), steps=steps),
        "watch_only",
        "从“等待”（waiting）出去只有系统值守的步骤“恢复”（wake）：值守停了，谁也动不了这一件。",
        "open",
        "park",
    )


def test_an_open_state_at_rest_with_no_clock_running():
    only(
        small(check={"met_by": ("look", "finish")}, clocks=(), without="back"),
        "no_clock",
        "办件停在“待确认”（found）时没有一个期限在计算，可以无声无息地放下去。",
        "open",
        "look",
    )


def test_a_clock_that_stands_paused_is_not_running():
    found = faults(small(check={"during": {"found": PAUSE}}, without="back"))
    assert [(f.rule, f.path) for f in found] == [("no_clock", ("open", "look"))]


DROP = Step("drop", "作废", "filed -> done", by=(WATCH, REVIEW), law="D", automatic=True)


def test_a_clock_that_can_run_out_where_its_expiry_step_is_impossible():
    clock = Clock("own", "核查期限", "repair.decide_within", starts=("open",), met_by=("finish",), on_expiry="drop")
    only(
        small(clocks=(clock,), steps=(DROP,)),
        "expiry_impossible",
        "期限“核查期限”（own）会在“待确认”（found）届满，而届满后的步骤“作废”（drop）在那里不能办理。",
        "open",
        "look",
    )
    assert faults(small(clocks=(replace(clock, during={"found": RUN_ON}),), steps=(DROP,))) == []
    assert faults(small(clocks=(replace(clock, met_by=("look",)),), steps=(DROP,))) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"escalates": None}, "期限“总期限”（all）届满后什么也不发生：须写明届满后的步骤，或者向哪个角色上报。"),
        ({"escalates": WATCH}, "期限“总期限”（all）届满后什么也不发生：须写明届满后的步骤，或者向哪个角色上报。"),
        (
            {"on_expiry": "drop", "during": {"found": RUN_ON}},
            "期限“总期限”（all）届满后既办理步骤又上报：只能写一样。",
        ),
    ],
)
def test_an_expiry_into_nothing(change, text):
    only(small(check=change, steps=(DROP,) if "on_expiry" in change else ()), "expiry_into_nothing", text)


def test_an_expiry_step_that_nobody_takes_when_the_time_comes():
    by_hand = Step("drop", "作废", "filed -> done", by=REVIEW, law="D")
    clock = Clock("own", "核查期限", "repair.decide_within", starts=("open",), met_by=("look",), on_expiry="drop")
    only(
        small(clocks=(clock,), steps=(by_hand,)),
        "expiry_into_nothing",
        "期限“核查期限”（own）届满后应当办理“作废”（drop），但系统值守不自动办理这一步，期满也不会发生。",
    )


@pytest.mark.parametrize(
    ("step", "rule", "text"),
    [
        (DROP, "automatic_at_once", "自动步骤“作废”（drop）既没有条件，也不等任何期限，一到就会发生。"),
        (
            replace(DROP, by=REVIEW, needs=(proven,)),
            "automatic_never",
            "自动步骤“作废”（drop）的办理人里没有系统值守，不会自动发生。",
        ),
        (
            replace(DROP, asks=("reason",), needs=(proven,)),
            "automatic_never",
            "自动步骤“作废”（drop）要求填写 reason，系统值守填不了，不会自动发生。",
        ),
    ],
)
def test_an_automatic_step_with_neither_needs_nor_clock_or_that_the_watch_cannot_take(step, rule, text):
    only(small(steps=(step,)), rule, text)


KNOT = (
    "在“待核查”（filed）、“待确认”（found）里可以用不限次数的步骤“核查”（look）、“退回”（back）没完没了地兜圈子："
    "没有一个期限贯穿始终而不被它们重新起算。"
)


@pytest.mark.parametrize(
    "change",
    [
        {"starts": ("open", "back")},
        {"extended_by": ("back",), "extension": "repair.extend_by"},
        {"during": {"found": PAUSE}},
    ],
)
def test_a_knot_of_uncounted_steps_that_no_clock_runs_through(change):
    second = Clock(
        "second", "复核期限", "repair.decide_within", starts=("look",), met_by=("back", "finish"), escalates=HEAD
    )
    only(small(check=change, clocks=(second,)), "endless_knot", KNOT, "open", "look", "back")


def test_an_uncounted_step_that_stays_where_it_is_is_a_knot_too():
    prolong = Step("prolong", "延期", "filed -> " + STAY, by=HEAD, law="D")
    found = faults(small(check={"extended_by": ("prolong",), "extension": "repair.extend_by"}, steps=(prolong,)))
    assert [(f.rule, f.path) for f in found] == [("endless_knot", ("open", "prolong"))]
    counted = replace(prolong, times=1)
    assert faults(small(check={"extended_by": ("prolong",), "extension": "repair.extend_by"}, steps=(counted,))) == []


@pytest.mark.parametrize(
    ("apart", "steps", "text"),
    [
        (("look", "look"), (), "“look”和“look”须由两个人办理，却是同一部分：谁也不能同自己分开。"),
        (("look", "sign"), (), "“look”和“sign”须由两个人办理，却没有一个步骤属于“sign”。"),
        (
            ("look", "seal"),
            (Step("seal", "用印", "found -> done", by=WATCH, law="D", part="seal", automatic=True, needs=(proven,)),),
            "“look”和“seal”须由两个人办理，而“seal”只由系统值守办理，不是人。",
        ),
        (
            ("ask", "agree"),
            (
                Step("ask", "请求", "filed -> " + STAY, by=FILER, law="D", part="ask", times=1),
                Step("agree", "同意", "filed -> " + STAY, by=FILER, law="D", part="agree", times=1),
            ),
            "“ask”和“agree”须由两个人办理，而两部分都只能由申请人办理：只有一个人的申请人分不开。",
        ),
    ],
)
def test_parts_kept_apart_that_no_two_people_could_fill(apart, steps, text):
    only(small(apart=(apart,), steps=steps), "parts", text)


def test_a_document_without_a_title_or_a_template():
    only(small(documents={}), "document", "步骤“办结”（finish）出具的文书 result 没有名称。")
    assert prove(small(), (TODAY,), templates=set(), recipients={"site"}) == [
        Finding("document", "步骤“办结”（finish）出具的文书 result 没有模板 small/result。")
    ]


def test_a_notice_without_a_recipient():
    assert prove(small(), (TODAY,), templates={"small/result"}, recipients={"province"}) == [
        Finding("notice", "步骤“办结”（finish）要通知 site，没有这样的接收单位。")
    ]


def test_an_arrow_out_of_a_final_state():
    reopen = Step("reopen", "恢复办理", "done -> filed", by=HEAD, law="D", times=1)
    only(
        small(steps=(reopen,), check={"starts": ("open", "reopen")}),
        "arrow_out_of_end",
        "步骤“恢复办理”（reopen）从终点“已办结”（done）出发；终点以后什么也不能再动。",
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"length": "repair.nowhere"}, "期限“总期限”（all）引用的规则 repair.nowhere 不存在。"),
        (
            {"length": "repair.early_filing"},
            "期限“总期限”（all）引用的规则 repair.early_filing 在2026-11-24不是一段可以计算的时间。",
        ),
        ({"length": ""}, "期限“总期限”（all）的长度须来自一条规则，或者读出最后一天，一样也没写。"),
        (
            {"until": lambda ask: None},
            "期限“总期限”（all）的长度须来自一条规则，或者读出最后一天，两样都写了。",
        ),
        (
            {"extension": "repair.extend_by"},
            "期限“总期限”（all）的延期须同时写明由哪一步延长和延长多少的规则。",
        ),
        ({"during": {"found": "repair.nowhere"}}, "期限“总期限”（all）引用的规则 repair.nowhere 不存在。"),
    ],
)
def test_a_law_row_that_is_missing(change, text):
    only(small(check=change), "law_row", text)


def test_a_law_row_that_is_not_in_force_on_a_day_asked_for():
    eve = date(2025, 6, 21)
    assert faults(small(check={"length": "repair.decide_within"}), eve, TODAY) == [
        Finding("law_row", "期限“总期限”（all）引用的规则 repair.decide_within 在2025-06-21没有有效的版本。")
    ]
    assert faults(small(check={"length": "repair.decide_within"}), date(2025, 6, 22)) == []


def test_a_law_row_that_does_not_say_what_a_state_does_to_a_clock():
    only(
        small(check={"during": {"found": "repair.decide_within"}}),
        "during",
        "期限“总期限”（all）在“待确认”（found）期间怎样计算由规则 repair.decide_within 规定，"
        "它在2026-11-24的值“7”不是 pause、restart、run_on 之一。",
    )


@pytest.mark.parametrize(
    ("law", "text"),
    [
        ("SC99", "步骤“记录”（note）的依据“SC99”查不到。"),
        ("XZXK 32; XZXK zz", "步骤“记录”（note）的依据“XZXK zz”查不到。"),
        (
            "NDRC36 17",
            "步骤“记录”（note）引用《信用修复管理办法》第17条，这一条的原文没有看到，文书上印不出来。",
        ),
        (
            "NDRC58",
            "步骤“记录”（note）依据的《失信行为纠正后的信用信息修复管理办法（试行）》在2026-11-24已经失效。",
        ),
    ],
)
def test_an_article_that_cannot_be_cited(law, text):
    note = Step("note", "记录", "filed -> " + STAY, by=REVIEW, law=law, times=1)
    only(small(steps=(note,)), "citation", text)


# What the grammar itself refuses when a definition is imported


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (
            lambda: small(steps=(Step("go", "走", "filed -> nowhere", by=REVIEW, law="D"),)),
            "步骤 go 提到不存在的状态 nowhere",
        ),
        (
            lambda: small(steps=(Step("go", "走", "filed, fuond -> done", by=REVIEW, law="D"),)),
            "步骤 go 提到不存在的状态 fuond",
        ),
        (
            lambda: Step("go", "走", "filed to done", by=REVIEW, law="D"),
            "步骤 go 的箭头写作“来源 -> 去向”，不是“filed to done”",
        ),
        (lambda: small(steps=(Step("go", "走", "filed -> done", by=REVIEW, law=""),)), "步骤 go 没有依据"),
        (lambda: small(steps=(Step("go", "走", "filed -> done", by=(), law="D"),)), "步骤 go 没有办理人"),
        (lambda: small(states=(State("done", "又一个已办结", final=True),)), "状态 done 写了两次"),
        (lambda: small(check={"met_by": ("finsh",)}), "期限 all 提到不存在的步骤 finsh"),
        (lambda: small(check={"during": {"fuond": PAUSE}}), "期限 all 提到不存在的状态 fuond"),
    ],
)
def test_a_mistyped_definition_is_refused_when_it_is_imported(broken, text):
    with pytest.raises(Unsound) as refused:
        broken()
    assert str(refused.value).endswith(text)


# Credit repair


TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "documents"
KINDS = {f"{path.parent.name}/{path.stem}" for path in TEMPLATES.glob("*/*.html")}


@pytest.mark.parametrize("definition", list(WORKFLOWS.values()), ids=lambda definition: definition.code)
@pytest.mark.parametrize("day", [date(2026, 4, 1), TODAY, date(2027, 1, 4)])
def test_every_case_type_is_sound_with_the_templates_and_receivers_there_are(definition, day):
    assert [str(finding) for finding in prove(definition, (day,), KINDS, RECIPIENTS)] == []


def test_this_edition_of_credit_repair_begins_on_the_first_of_april():
    """Order 36 is cited by its steps; the time-limits alone already had rows in the days of order 58."""
    eve = prove(REPAIR, (date(2026, 3, 31),), KINDS, RECIPIENTS)
    assert {finding.rule for finding in eve} == {"citation"}
    assert all(finding.text.endswith("依据的《信用修复管理办法》在2026-03-31还没有施行。") for finding in eve)
    before_circular_22 = prove(REPAIR, (date(2025, 6, 21),), KINDS, RECIPIENTS)
    assert "期限“受理期限”（accept）引用的规则 repair.accept_within 在2025-06-21没有有效的版本。" in {
        finding.text for finding in before_circular_22
    }


def test_credit_repair_is_proved_in_a_blink():
    began = time.process_time()
    prove(REPAIR, (date(2026, 4, 1), TODAY), KINDS, RECIPIENTS)
    assert time.process_time() - began < 0.3
