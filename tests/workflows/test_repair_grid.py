"""信用修复办理权限总表。

下表由人工写成，不从程序导出：写明每一步从哪些状态办理、由谁办理、办到哪里；表上没有写的，一律不得办理。
测试对每一个状态、每一个步骤、每一种角色逐格核对（条件全部具备的情形），程序与本表不一致即不通过。
依据：信用修复管理办法、国办发〔2025〕22号；其余为本机关内部办理规则。

状态：草稿、待受理、预收待期满、待补正、审核中、待确认、信息处理（以上未结）；
已办结、不予修复、不予受理、已移送、已撤回、视为放弃、处罚已撤销（以上终结，终结以后什么也不能再办）。
角色：申请人、转交人、受理员、审核员、确认人、信息处理员、负责人、联动部门经办、法制、管理员、系统值守。
转交人是把申请人在信用中国或者办事窗口递交的申请转来的人，只在经这一渠道来的办件里是转交人；
转交人那一栏核对经信用中国转来的办件，其余各栏核对申请人自己填报的办件。
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.workflows.worlds import (
    ALONE,
    CALENDAR,
    GUO,
    OFFICE,
    SUBJECT,
    ZHAO,
    Someone,
    a_record,
    moment,
    officer,
    proper_answers,
)
from workflows.clockwork import RUNNING, Deadline
from workflows.engine import refusals
from workflows.grammar import MOVED, NEW, STAY, STRANGER, CaseFacts, Facts, Line, Step, Task, Workflow
from workflows.machine import IllegalMove, the_move
from workflows.people import CARRY, Carries, Role, roles_in
from workflows.repair import REPAIR

总表 = """
步骤                   ｜来源状态                                 ｜办理人             ｜去向
新建                   ｜（未立案）                               ｜申请人、转交人     ｜草稿
提交申请               ｜草稿                                     ｜申请人、转交人     ｜待受理
先行提交（预收）       ｜草稿                                     ｜申请人、转交人     ｜预收待期满
放弃草稿               ｜草稿                                     ｜申请人             ｜已撤回
草稿逾期作废           ｜草稿                                     ｜系统值守           ｜视为放弃
期满转入受理           ｜预收待期满                               ｜系统值守、受理员   ｜待受理
签收                   ｜待受理                                   ｜受理员、转交人     ｜（不变）
受理                   ｜待受理                                   ｜受理员             ｜审核中
一次性告知补正         ｜待受理                                   ｜受理员             ｜待补正
提交补正材料           ｜待补正                                   ｜申请人、转交人     ｜待受理
视为放弃               ｜待补正                                   ｜系统值守、受理员   ｜视为放弃
不予受理               ｜待受理、预收待期满                       ｜受理员             ｜不予受理
移送                   ｜待受理、预收待期满                       ｜受理员             ｜已移送
提出审核意见           ｜审核中                                   ｜审核员             ｜待确认
退回重审               ｜待确认                                   ｜确认人             ｜审核中
延期                   ｜审核中、待确认                           ｜负责人             ｜（不变）
告知拟认定提供虚假材料 ｜审核中、待确认                           ｜审核员             ｜（不变）
陈述申辩               ｜审核中、待确认                           ｜申请人、转交人、审核员｜（不变）
准予修复               ｜待确认                                   ｜确认人             ｜信息处理
不予修复               ｜待确认                                   ｜确认人             ｜不予修复
认定虚假并不予修复     ｜待确认                                   ｜确认人             ｜不予修复
送达决定书             ｜信息处理                                 ｜信息处理员         ｜（不变）
反馈信用中国           ｜信息处理                                 ｜信息处理员         ｜（不变）
办理信息处理事项       ｜信息处理                                 ｜信息处理员         ｜（不变）
办结                   ｜信息处理                                 ｜系统值守、信息处理员｜已办结
撤回申请               ｜待受理、预收待期满、待补正、审核中、待确认｜申请人、转交人   ｜已撤回
处罚已撤销，终止办理   ｜草稿、待受理、预收待期满、待补正、审核中、待确认、信息处理｜受理员、信息处理员、负责人、系统值守｜处罚已撤销
"""  # noqa: E501

未结 = ["草稿", "待受理", "预收待期满", "待补正", "审核中", "待确认", "信息处理"]
终结 = ["已办结", "不予修复", "不予受理", "已移送", "已撤回", "视为放弃", "处罚已撤销"]
角色 = [
    "申请人", "转交人", "受理员", "审核员", "确认人", "信息处理员", "负责人", "联动部门经办", "法制", "管理员",
    "系统值守",
]  # fmt: skip
未立案, 不变 = "（未立案）", "（不变）"

ROWS = {
    name: (sources.split("、"), people.split("、"), target)
    for name, sources, people, target in (
        (cell.strip() for cell in line.split("｜")) for line in 总表.strip().splitlines()[1:]
    )
}
TODAY = date(2026, 11, 24)


def title_of(state: str) -> str:
    return 未立案 if state == NEW else REPAIR.state[state].title


def line(step: str, person: int, days_ago: int = 3, **answers: object) -> Line:
    return Line(step, moment(TODAY - timedelta(days=days_ago)), person, answers=answers)


RUN_OUT = {"drop": "draft", "lapse": "correct", "release": "hold"}
"""Steps that wait for a clock to run out, and that clock."""


def conditions_met(step: Step, state: str) -> Facts:
    """A case that stands at `state` and of which every condition of `step` holds, so that only structure can refuse."""
    record = a_record("2026-01-05")
    journal = [line("submit", 91)]
    tasks = (Task("regrade", "核对信用评价", False),)
    running = ["decide", "total"]
    match step.code:
        case "open" | "submit":
            journal = []
        case "submit_early":
            journal = []
            record = a_record("2026-10-05")
        case "release":
            journal = [line("submit_early", 91)]
        case "receive":
            pass
        case "close":
            journal += [line("receive", 92), line("serve", 93), line("hand_over", 93)]
            tasks = (Task("regrade", "核对信用评价", True),)
        case "state_views":
            journal += [line("receive", 92), line("warn", 94)]
        case "confirm":
            journal += [line("receive", 92), line("review", 94, opinion="grant")]
        case "refuse":
            journal += [line("receive", 92), line("review", 94, opinion="refuse")]
        case "refuse_false":
            journal += [line("warn", 94), line("state_views", 91), line("review", 94, opinion="false")]
        case "supersede":
            record = replace(record, annulled_on=TODAY - timedelta(days=1))
        case _:
            journal.append(line("receive", 92))
    deadlines = [Deadline(clock, "", RUNNING, TODAY, TODAY + timedelta(days=2), unit="WD") for clock in running]
    if clock := RUN_OUT.get(step.code):
        deadlines.append(Deadline(clock, "", RUNNING, date(2026, 11, 1), TODAY - timedelta(days=1)))
    return Facts(
        case=CaseFacts("XF-1", state, 5, OFFICE, SUBJECT, t0=moment(TODAY - timedelta(days=3))),
        calendar=CALENDAR,
        record=record,
        journal=tuple(journal),
        deadlines=tuple(deadlines),
        tasks=tasks,
        papers=frozenset(("letter", "duty_proof")),
        printed=frozenset(("grant",)),
    )


def came_by(channel: str, facts: Facts) -> Facts:
    """The same case, had it come by this channel."""
    return replace(facts, case=replace(facts.case, channel=channel))


def answers_for(step: Step) -> dict[str, object]:
    answers = dict(next(proper_answers(step, TODAY)))
    if step.code == "receive":
        answers["t0"] = (TODAY - timedelta(days=1)).isoformat()
    return answers


def told(workflow: Workflow, step: Step, state: str, role: Role) -> str:
    """What the law room says of one cell: 办理, 不在此状态, 不是此人, or what else stands against it."""
    facts = conditions_met(step, state)
    if role is Role.CARRIER:
        facts = came_by("creditchina", facts)
    item = "regrade" if step.item else ""
    found = refusals(workflow, step, facts, ALONE[role], moment(TODAY), item, answers_for(step))
    return {(): "办理", (MOVED,): "不在此状态", (STRANGER,): "不是此人"}.get(
        tuple(refusal.kind for refusal in found), "；".join(refusal.text for refusal in found)
    )


def ought(step: str, state: str, role: str) -> str:
    """What the table says of one cell."""
    sources, people, _target = ROWS[step]
    if state not in sources:
        return "不在此状态"
    return "办理" if role in people else "不是此人"


def differences(workflow: Workflow, *only: Step) -> Iterator[str]:
    """Every cell in which the definition and the table part, in words; of all steps or only of these."""
    for step in only or workflow.steps:
        for state in (NEW, *workflow.state):
            for role in Role:
                expected = ought(step.title, title_of(state), role.title)
                actual = told(workflow, step, state, role)
                if actual != expected:
                    yield f"{title_of(state)}·{step.title}·{role.title}：表上是“{expected}”，程序是“{actual}”"


def test_the_table_names_every_step_every_state_and_every_role():
    assert set(ROWS) == {step.title for step in REPAIR.steps}
    assert 未结 == [state.title for state in REPAIR.states if not state.final]
    assert 终结 == [state.title for state in REPAIR.states if state.final]
    assert set(角色) == {role.title for role in Role}
    assert (len(ROWS), 1 + len(未结) + len(终结), len(角色)) == (27, 15, 11)
    for sources, people, target in ROWS.values():
        assert set(sources) <= {未立案, *未结}
        assert set(people) <= set(角色)
        assert target in (*未结, *终结, 不变)


@pytest.mark.parametrize("step", REPAIR.steps, ids=[step.title for step in REPAIR.steps])
def test_every_cell_of_the_grid_is_as_the_table_says(step):
    assert list(differences(REPAIR, step)) == []


@pytest.mark.parametrize("step", REPAIR.steps, ids=[step.title for step in REPAIR.steps])
def test_the_machine_moves_where_the_table_says_and_nowhere_else(step):
    sources, _people, target = ROWS[step.title]
    for state in (NEW, *REPAIR.state):
        if title_of(state) in sources:
            move = the_move(REPAIR, state, step.code)
            assert title_of(move.target) == (title_of(state) if target == 不变 else target)
        else:
            with pytest.raises(IllegalMove):
                the_move(REPAIR, state, step.code)


def test_after_an_end_nobody_can_do_anything():
    for state in REPAIR.states:
        if state.final:
            for step in REPAIR.steps:
                assert {told(REPAIR, step, state.code, role) for role in Role} == {"不在此状态"}


def test_a_refused_cell_says_where_the_case_is_or_whose_step_it_is():
    step = REPAIR.step["confirm"]
    elsewhere = refusals(REPAIR, step, conditions_met(step, "accepted"), ALONE[Role.CONFIRMATION], moment(TODAY))
    assert [refusal.text for refusal in elsewhere] == ["本件现在是“审核中”，不能办理“准予修复”。"]
    stranger = refusals(REPAIR, step, conditions_met(step, "reviewed"), ZHAO, moment(TODAY))
    assert [refusal.text for refusal in stranger] == ["这一步由本件的确认人办理。"]


def test_a_role_in_another_office_opens_nothing():
    for step in REPAIR.steps:
        for state in step.sources:
            facts = conditions_met(step, state)
            neighbour = Someone(70, "邻市全能", frozenset((role, OFFICE + 1) for role in Role))
            found = refusals(REPAIR, step, facts, neighbour, moment(TODAY), "", answers_for(step))
            assert [refusal.kind for refusal in found] == [STRANGER], step.title


def offered(actor: Someone, channel: str) -> set[str]:
    """Steps somebody may take somewhere in a case that came by a channel, every condition met."""
    return {
        step.title
        for step in REPAIR.steps
        for state in step.sources
        if not refusals(
            REPAIR, step, came_by(channel, conditions_met(step, state)), actor, moment(TODAY), "", answers_for(step)
        )
    }


WINDOW = replace(officer(41, "窗口收件", Role.ACCEPTANCE), carries=frozenset((Carries("hall", OFFICE, True),)))
BROUGHT = {"新建", "提交申请", "先行提交（预收）", "签收", "提交补正材料", "陈述申辩", "撤回申请"}


def test_a_carrier_brings_in_what_came_by_their_channel_and_nothing_else():
    assert offered(GUO, "creditchina") == BROUGHT
    assert offered(GUO, "own_portal") == offered(GUO, "hall") == set()


def test_the_window_carries_what_was_handed_in_there_and_its_officer_takes_it_up():
    of_an_acceptance_officer = offered(officer(42, "受理", Role.ACCEPTANCE), "own_portal")
    assert offered(WINDOW, "hall") == BROUGHT | of_an_acceptance_officer
    assert offered(WINDOW, "own_portal") == offered(WINDOW, "creditchina") == of_an_acceptance_officer


def test_a_window_carries_for_its_own_office_only():
    next_door = Someone(43, "邻市窗口", carries=frozenset((Carries("hall", OFFICE + 1, True),)))
    assert offered(next_door, "hall") == set()


def test_whoever_acts_for_the_subject_does_not_carry_for_it():
    assert Role.CARRIER not in roles_in(replace(WINDOW, mandates=frozenset((SUBJECT,))), OFFICE, SUBJECT, "hall")
    assert "受理" not in offered(replace(WINDOW, mandates=frozenset((SUBJECT,))), "hall")


@pytest.mark.parametrize("step", ["review", "confirm"])
def test_whoever_carried_an_application_neither_judges_nor_decides_it(step):
    both = replace(officer(44, "窗口兼审核", Role.ACCEPTANCE, Role.REVIEW, Role.CONFIRMATION), carries=WINDOW.carries)
    facts = came_by("hall", conditions_met(REPAIR.step[step], REPAIR.step[step].sources[0]))
    answers = answers_for(REPAIR.step[step])
    assert refusals(REPAIR, step, facts, both, moment(TODAY), "", answers) == []
    (no,) = refusals(REPAIR, step, replace(facts, parts=frozenset(((CARRY, 44),))), both, moment(TODAY), "", answers)
    assert (no.kind, no.code) == (STRANGER, "TWO_PEOPLE")
    assert "代申请人转交" in no.text


def test_whoever_judged_an_application_does_not_carry_its_papers_afterwards():
    both = replace(officer(44, "窗口兼审核", Role.ACCEPTANCE, Role.REVIEW), carries=WINDOW.carries)
    step = REPAIR.step["withdraw"]
    facts = replace(came_by("hall", conditions_met(step, "accepted")), parts=frozenset((("review", 44),)))
    assert [no.code for no in refusals(REPAIR, step, facts, both, moment(TODAY), "", {})] == ["TWO_PEOPLE"]


@pytest.mark.parametrize(
    ("stated", "code"), [("2026-01-04", "T0_EARLY"), ("2026-11-25", "T0_FUTURE"), ("昨天", "T0_UNREADABLE")]
)
def test_a_carrier_states_a_day_between_the_record_and_today(stated, code):
    step = REPAIR.step["receive"]
    facts = came_by("creditchina", conditions_met(step, "submitted"))
    found = refusals(REPAIR, step, facts, GUO, moment(TODAY), "", {"t0": stated})
    assert [no.code for no in found] == [code]
    assert refusals(REPAIR, step, facts, GUO, moment(TODAY), "", {"t0": "2026-11-03"}) == []


# The grid can fail: each of these bugs, built in on purpose, shows as the cells it opens or closes.


def changed(code: str, **changes: object) -> Workflow:
    steps = tuple(replace(s, **{"arrow": spelled(s), **changes}) if s.code == code else s for s in REPAIR.steps)
    return replace(REPAIR, steps=steps)


def spelled(step: Step) -> str:
    return f"{', '.join(step.sources)} -> {step.target}"


def test_one_extra_edge_is_found():
    found = list(differences(changed("confirm", arrow="reviewed, accepted -> processing")))
    assert "审核中·准予修复·确认人：表上是“不在此状态”，程序是“办理”" in found
    assert len(found) == len(Role)


def test_one_extra_role_is_found():
    found = list(differences(changed("confirm", by=(Role.CONFIRMATION, Role.REVIEW))))
    assert found == ["待确认·准予修复·审核员：表上是“不是此人”，程序是“办理”"]


def test_one_missing_edge_is_found():
    found = list(differences(changed("withdraw", arrow="submitted, held, accepted, reviewed -> withdrawn")))
    assert "待补正·撤回申请·申请人：表上是“办理”，程序是“不在此状态”" in found
    assert len(found) == len(Role)


def test_a_way_back_from_an_end_is_found():
    found = list(differences(changed("receive", arrow="submitted, closed -> " + STAY)))
    assert "已办结·签收·受理员：表上是“不在此状态”，程序是“办理”" in found
