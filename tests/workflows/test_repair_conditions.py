"""What must hold for each step of a credit repair: stories of 王会计, who files, and of the people of one office."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.workflows.worlds import (
    ELSEWHERE,
    FENG,
    LI,
    OFFICE,
    QIAN,
    SUN,
    WANG,
    WU,
    ZHAO,
    ZHENG,
    ZHOU,
    Refused,
    World,
    a_record,
    accepted,
    closed,
    corrected,
    drafted,
    held,
    moment,
    nothing_yet,
    officer,
    processing,
    proper_answers,
    received,
    reviewed,
    submitted,
)
from workflows.clockwork import ENDED, MET, RUNNING
from workflows.engine import refusals
from workflows.grammar import DUTY_OUTSTANDING, DUTY_PERFORMED, Ban, Task
from workflows.law import rule
from workflows.people import WATCH, Role
from workflows.repair import REPAIR
from workflows.repair_eligibility import NEVER, NONE, NOW, WAIT, eligibility


def reasons(world: World, step: str, actor, item: str = "", **answers) -> list[str]:
    """The sentences of the law against a step."""
    return [r.text for r in refusals(REPAIR, step, world.facts, actor, world.at, item, answers or None)]


# Who may apply, and from when


@pytest.mark.parametrize(
    ("recognised", "minimum", "last_day", "first_day"),
    [
        ("2026-01-31", 3, "2026-04-30", "2026-05-01"),
        ("2026-04-01", 3, "2026-07-01", "2026-07-02"),
        ("2025-11-30", 3, "2026-02-28", "2026-03-01"),
        ("2024-02-29", 12, "2025-02-28", "2025-03-01"),
        ("2026-03-31", 12, "2027-03-31", "2027-04-01"),
    ],
)
def test_an_application_is_possible_from_the_day_after_the_minimum_period(recognised, minimum, last_day, first_day):
    record = a_record(recognised, minimum, 36)
    on_the_last_day = drafted(last_day, record=record)
    assert on_the_last_day.why_not("submit", WANG) == ("MIN_PERIOD_NOT_MET",)
    assert on_the_last_day.on(first_day, "00:00:00").why_not("submit", WANG) == ()


def test_the_refusal_names_the_first_possible_date_and_the_article():
    world = drafted("2026-03-16")
    (refusal,) = refusals(REPAIR, "submit", world.facts, WANG, world.at)
    assert refusal.text == "最短公示期到2026年4月5日届满，届满后的次日起可以申请。"
    assert refusal.law == "NDRC36 3"


def test_a_minor_record_need_not_wait():
    record = a_record("2026-05-05", cls="轻微", minimum_last_day=None)
    assert drafted("2026-05-06", record=record).why_not("submit", WANG) == ()


BAD_RECORDS = [
    ({"excluded_by": "《某法》第九条"}, "NOT_REPAIRABLE_BY_LAW", "依照《某法》第九条，这条信息不予修复。"),
    (
        {"duty": DUTY_OUTSTANDING, "duty_note": "罚款还差3000元"},
        "DUTY_NOT_PERFORMED",
        "处罚的义务还没有全部履行：罚款还差3000元。履行完毕后即可申请。",
    ),
    ({"sector_condition": "车辆已恢复原状"}, "SECTOR_CONDITION", "还须符合：车辆已恢复原状。"),
    ({"status": "ended"}, "NOTHING_TO_REPAIR", "公示已经终止，不用修复。"),
    ({"status": "repaired"}, "NOTHING_TO_REPAIR", "已经修复，不用修复。"),
    ({"status": "withdrawn"}, "NOTHING_TO_REPAIR", "信息已经撤回，不用修复。"),
    ({"status": "unpublished"}, "NOTHING_TO_REPAIR", "这条信息不公示，不影响信用，不用修复。"),
    ({"annulled_on": date(2026, 4, 20)}, "ANNULLED", "这项处罚已于2026年4月20日被撤销，信息依法撤回，不需要修复。"),
    ({"other_open_case": "XF-2"}, "DUPLICATE", "这条信息已经在办理修复（XF-2），请在“我的办件”里查看进度。"),
    (
        {"cls": "", "minimum_last_day": None, "maximum_last_day": None},
        "UNCLASSED",
        "这条信息的失信类别还没有确定，算不出最短公示期。请联系认定单位，类别确定后即可申请。",
    ),
]


@pytest.mark.parametrize(("changes", "code", "text"), BAD_RECORDS, ids=[code for _, code, _ in BAD_RECORDS])
def test_every_condition_of_the_law_refuses_by_itself_from_the_first_line_to_the_decision(changes, code, text):
    record = replace(a_record(), **changes)
    assert nothing_yet(record=record).why_not("open", WANG) == (code,)
    for world, step, actor in (
        (drafted(), "submit", WANG),
        (received(), "accept", LI),
        (reviewed("grant"), "confirm", QIAN),
    ):
        changed = world.with_record(**changes)
        assert changed.why_not(step, actor) == (code,)
        assert reasons(changed, step, actor)[0].startswith(text)


def test_a_payment_not_finished_found_at_acceptance_leaves_only_the_refusal_to_accept():
    world = received().with_record(duty=DUTY_OUTSTANDING)
    assert world.why_not("accept", LI) == ("DUTY_NOT_PERFORMED",)
    assert world.take("decline", LI, ground="DUTY_NOT_PERFORMED", reason="罚款没有缴清").state == "declined"


def test_all_reasons_are_told_at_once():
    world = drafted().with_record(duty=DUTY_OUTSTANDING, sector_condition="车辆已恢复原状").knowing(papers=frozenset())
    assert world.why_not("submit", WANG) == (
        "DUTY_NOT_PERFORMED",
        "SECTOR_CONDITION",
        "COMMITMENT_MISSING",
        "PROOF_MISSING",
    )


def test_two_papers_and_no_more():
    bare = drafted().knowing(papers=frozenset())
    assert bare.why_not("submit", WANG) == ("COMMITMENT_MISSING", "PROOF_MISSING")
    assert bare.knowing(papers=frozenset(("letter", "duty_proof"))).why_not("submit", WANG) == ()
    known_to_us = bare.with_record(duty=DUTY_PERFORMED).knowing(papers=frozenset(("letter",)))
    assert known_to_us.why_not("submit", WANG) == ()
    asked = eligibility(bare.facts, bare.at).bring
    assert asked == ("信用修复承诺书，在线签署", "纠正失信行为、履行处罚义务的证明材料，照片或者文件")
    assert len(eligibility(known_to_us.facts, known_to_us.at).bring) == 1


def test_a_ban_ends_with_its_last_day():
    banned = (Ban(date(2023, 5, 7), date(2026, 5, 6), "提供虚假材料"),)
    world = nothing_yet("2026-05-06", bans=banned)
    assert reasons(world, "open", WANG) == ["因提供虚假材料，到2026年5月6日为止不受理修复申请，次日起可以申请。"]
    assert world.on("2026-05-06", "23:59:59").why_not("open", WANG) == ("BANNED_UNTIL",)
    assert world.on("2026-05-07", "00:00:00").why_not("open", WANG) == ()


def test_the_pre_check_says_now_from_what_day_or_never():
    at = moment("2026-05-06")
    assert eligibility(nothing_yet().facts, at).status == NOW
    young = eligibility(nothing_yet(record=a_record("2026-03-20")).facts, at)
    assert (young.status, young.first_day, young.release_day) == (WAIT, date(2026, 6, 21), date(2026, 6, 22))
    assert [refusal.code for refusal in young.refusals] == ["MIN_PERIOD_NOT_MET"]
    never = eligibility(nothing_yet(record=a_record(excluded_by="《某法》第九条")).facts, at)
    assert (never.status, [refusal.code for refusal in never.refusals]) == (NEVER, ["NOT_REPAIRABLE_BY_LAW"])
    assert eligibility(nothing_yet(record=a_record(status="ended")).facts, at).status == NONE


def test_the_pre_check_says_when_its_date_rests_on_a_calendar_not_yet_announced():
    waiting = eligibility(nothing_yet(record=a_record("2026-10-01")).facts, moment("2026-11-24"))
    assert (waiting.first_day, waiting.release_day, waiting.provisional) == (date(2027, 1, 2), date(2027, 1, 4), True)


# Filing early


def test_an_early_filing_goes_forward_on_the_first_working_day_after_the_unshifted_minimum_period():
    """The period ends on Sunday 5 April, in the 清明 holiday; it is not prolonged, but the desk opens on Tuesday."""
    world = held("2026-03-16")
    assert world.due("hold").due_on == date(2026, 4, 5)
    assert world.on("2026-04-05", "23:59:59").why_not("release", WATCH) == (
        "NOT_EXPIRED",
        "MIN_PERIOD_NOT_MET",
        "REST_DAY",
    )
    monday = world.on("2026-04-06", "00:00:00")
    assert reasons(monday, "release", WATCH) == ["今天是清明节（补假），不是工作日，2026年4月7日自动转入受理。"]
    released = world.on("2026-04-07", "00:00:00").take("release", WATCH)
    assert released.state == "submitted"
    assert released.facts.case.t0 == released.facts.case.t1 == released.at
    assert released.due("accept").day_zero == released.due("total").day_zero == date(2026, 4, 7)
    assert released.due("accept").due_on == date(2026, 4, 10)


def test_a_working_saturday_is_a_day_of_release():
    world = held("2026-09-16", record=a_record("2026-07-09"))
    assert world.on("2026-10-09", "18:00:00").why_not("release", WATCH) == ("NOT_EXPIRED", "MIN_PERIOD_NOT_MET")
    assert world.on("2026-10-10", "00:00:00").take("release", WATCH).state == "submitted"


def test_the_office_cannot_release_earlier_than_the_watch_but_may_when_the_watch_stands_still():
    world = held()
    assert world.on("2026-04-05").why_not("release", LI)[0] == "NOT_EXPIRED"
    assert world.on("2026-04-08").take("release", LI).state == "submitted"


def test_what_was_released_counts_as_received_and_is_not_received_again():
    world = held().on("2026-04-07").take("release", WATCH)
    assert world.why_not("receive", LI, t0="2026-04-07") == ("RELEASED",)
    assert world.why_not("accept", LI) == ()


def test_everything_is_checked_again_at_the_release():
    world = held().on("2026-04-07").with_record(duty=DUTY_OUTSTANDING)
    assert world.why_not("release", WATCH) == ("DUTY_NOT_PERFORMED",)


def test_a_new_offence_stops_the_release_with_its_number():
    world = held("2026-03-16").on("2026-04-07").knowing(offences=((date(2026, 3, 20), "湘交罚〔2026〕77号"),))
    new = "预收期间又有新的失信信息（湘交罚〔2026〕77号，2026年3月20日）"
    assert reasons(world, "release", WATCH) == [f"{new}，须由受理员核实，写明核实情况后转入受理。"]
    assert world.why_not("decline", LI) == world.why_not("transfer", LI) == world.why_not("withdraw", WANG) == ()


def test_a_new_offence_is_no_ground_to_refuse_so_whoever_has_looked_into_it_may_release():
    world = held("2026-03-16").on("2026-04-07").knowing(offences=((date(2026, 3, 20), "湘交罚〔2026〕77号"),))
    assert world.why_not("release", LI, note="") == ("NEW_OFFENCE",)
    assert world.take("release", LI, note="新的处罚与本条无关，本条条件仍然具备。").state == "submitted"


def test_gaps_are_told_within_the_limit_for_accepting_or_not_at_all():
    world = received("2026-05-06")
    assert world.on("2026-05-09").why_not("correct", LI, items=["履行证明"]) == ()
    assert world.on("2026-05-10").why_not("correct", LI, items=["履行证明"]) == ("TOO_LATE",)
    assert world.on("2026-05-10").why_not("accept", LI) == ()


def test_an_application_made_before_a_ban_is_decided_as_it_stands():
    banned = (Ban(date(2026, 5, 7), date(2029, 5, 7), "在信用修复中提供虚假材料"),)
    assert received("2026-05-06").on("2026-05-08").knowing(bans=banned).why_not("accept", LI) == ()


def test_whether_natural_persons_may_apply_is_a_row_of_the_law():
    assert drafted("2026-05-06").with_record(of_a_person=True).why_not("submit", WANG) == ()


def test_an_offence_from_before_the_filing_stops_nothing():
    world = held("2026-03-16").on("2026-04-07").knowing(offences=((date(2026, 3, 15), "湘交罚〔2026〕76号"),))
    assert world.why_not("release", WATCH) == ()


def test_only_what_waiting_cures_may_be_filed_early():
    assert drafted("2026-03-16").why_not("submit_early", WANG) == ()
    assert drafted("2026-05-06").why_not("submit_early", WANG) == ("NOT_EARLY",)
    owing = drafted("2026-03-16").with_record(duty=DUTY_OUTSTANDING)
    assert owing.why_not("submit_early", WANG) == ("DUTY_NOT_PERFORMED",)


def test_whether_filings_are_kept_at_all_is_a_row_of_the_law(monkeypatch):
    row = rule("repair.early_filing").on(date(2026, 3, 16))
    monkeypatch.setitem(row.__dict__, "value", "not_allowed")
    assert reasons(drafted("2026-03-16"), "submit_early", WANG) == [
        "现在不预收申请，请在最短公示期届满后的次日起提交。"
    ]


def test_a_held_filing_can_be_declined_or_transferred_without_being_received():
    assert held().take("decline", LI, ground="NOT_REPAIRABLE_BY_LAW", reason="法律规定不予修复").state == "declined"
    assert held().take("transfer", LI, to="长沙市交通运输局", reason="不是本机关认定").state == "transferred"


# Receiving and accepting


def test_receiving_sets_t0_and_t1_and_starts_both_clocks():
    world = submitted("2026-05-06").on("2026-05-08", "09:30:00").take("receive", LI, t0="2026-05-06")
    assert world.state == "submitted"
    assert world.facts.case.t0 == moment("2026-05-06", "00:00:00")
    assert world.due("total").day_zero == date(2026, 5, 6)
    assert world.due("total").due_on == date(2026, 5, 19)
    assert world.due("accept").day_zero == date(2026, 5, 8)
    assert world.due("accept").due_on == date(2026, 5, 12)
    assert world.due("receive").state == MET


@pytest.mark.parametrize(
    ("t0", "code"),
    [
        ("2026-05-09", "T0_FUTURE"),
        ("2026-05-05", "T0_EARLY"),
        ("昨天", "T0_UNREADABLE"),
        ("2026-02-30", "T0_UNREADABLE"),
    ],
)
def test_a_day_of_receipt_that_cannot_be_is_refused(t0, code):
    world = submitted("2026-05-06").on("2026-05-08")
    assert world.why_not("receive", LI, t0=t0) == (code,)


def test_a_filing_is_received_once_and_by_the_acceptance_desk():
    world = received()
    assert world.why_not("receive", LI, t0="2026-05-06") == ("COUNTED",)
    with pytest.raises(Refused) as refused:
        submitted().take("receive", LI)
    assert refused.value.codes == ("ASKED",)


@pytest.mark.parametrize("step", ["accept", "correct", "decline", "transfer"])
def test_nothing_is_decided_about_acceptance_before_the_filing_is_received(step):
    world = submitted()
    assert "NOT_RECEIVED" in world.why_not(step, LI)
    assert world.take("receive", LI, t0="2026-05-06").why_not(step, LI) == ()


# Completion


def test_gaps_are_told_once_and_a_second_notice_needs_a_justification():
    world = received().take("correct", LI, items=["没有缴款凭证"]).later(1).take("resubmit", WANG, statement="补上了")
    assert world.why_not("correct", LI, items=["凭证不清楚"]) == ("TOLD_ONCE",)
    again = world.take("correct", LI, items=["凭证不清楚"], justification="补正以后才看到原件")
    assert again.state == "correcting"


def test_a_notice_without_items_is_refused():
    assert received().why_not("correct", LI, items=[]) == ("ASKED",)


def test_silence_until_the_limit_ends_is_abandonment_and_never_before():
    world = corrected("2026-05-06")
    assert world.due("correct").due_on == date(2026, 5, 19)
    on_the_day = world.on("2026-05-19", "23:59:59")
    assert reasons(on_the_day, "lapse", WATCH) == ["补正期限到2026年5月19日届满，届满后才能办理“视为放弃”。"]
    assert on_the_day.why_not("resubmit", WANG, statement="补上了") == ()
    assert world.on("2026-05-20", "00:00:00").take("lapse", WATCH).state == "lapsed"


def test_a_draft_lasts_thirty_days_and_is_discarded_without_a_document():
    world = drafted("2026-05-06")
    assert world.on("2026-06-05").why_not("drop", WATCH) == ("NOT_EXPIRED",)
    assert world.on("2026-06-06").take("drop", WATCH).state == "lapsed"
    assert world.take("discard", WANG).state == "withdrawn"
    assert REPAIR.step["drop"].issues == REPAIR.step["discard"].issues == ()


# Two people


def test_the_reviewer_may_not_also_confirm():
    world = accepted().take("review", SUN, opinion="grant", finding="核对过")
    for step in ("confirm", "refuse", "refuse_false", "send_back"):
        assert "TWO_PEOPLE" in world.why_not(step, SUN), step
    assert world.why_not("confirm", QIAN) == ()


def test_nor_through_sending_back():
    sent_back = reviewed("grant").take("send_back", SUN, reason="再核对一次")
    assert sent_back.why_not("review", SUN) == ("TWO_PEOPLE",)
    by_sun = accepted().take("review", SUN, opinion="refuse", finding="不清楚").take("send_back", QIAN, reason="再核对")
    second = by_sun.take("review", ZHAO, opinion="grant", finding="核对过")
    assert second.why_not("confirm", SUN) == ("TWO_PEOPLE",)
    assert second.why_not("confirm", QIAN) == ()


def test_the_same_reviewer_may_review_again_after_it_was_sent_back():
    world = reviewed("grant").take("send_back", QIAN, reason="再核对一次")
    assert world.why_not("review", ZHAO) == ()


def test_a_reviewer_who_has_since_become_head_and_confirmer_still_may_not_confirm():
    promoted = officer(ZHAO.person, ZHAO.name, Role.HEAD, Role.CONFIRMATION)
    assert reviewed("grant").why_not("confirm", promoted) == ("TWO_PEOPLE",)


def test_the_sentence_says_which_part_was_played():
    world = accepted().take("review", SUN, opinion="grant", finding="核对过")
    assert reasons(world, "confirm", SUN) == [
        "这一步须由与办理“提出审核意见”的人不同的人办理。您已经办理过本件的“提出审核意见”。"
    ]


OFFICERS = [step for step in REPAIR.steps if Role.FILER not in step.by and set(step.by) != {Role.WATCH}]


@pytest.mark.parametrize("step", OFFICERS, ids=[step.code for step in OFFICERS])
def test_nobody_acts_as_officer_on_a_case_of_a_subject_they_hold_a_mandate_for(step):
    world = {
        "submitted": received(),
        "held": held(),
        "correcting": corrected(),
        "accepted": accepted(),
        "reviewed": reviewed(),
        "processing": processing(),
        "draft": drafted(),
    }[step.sources[0]]
    assert world.why_not(step.code, ZHENG, **next(iter(proper_answers(step, world.today)))) == ("RECUSED",)


def test_who_filed_the_case_and_joined_the_office_afterwards_does_not_decide_it():
    newcomer = officer(WANG.person, WANG.name, Role.REVIEW, Role.CONFIRMATION, Role.ACCEPTANCE)
    assert accepted().why_not("review", newcomer) == ("RECUSED",)
    assert received().why_not("accept", newcomer) == ("RECUSED",)
    warned = accepted().take("warn", ZHAO, facts="凭证不一致")
    assert warned.why_not("state_views", newcomer) == ("RECUSED",)


def test_an_officer_of_another_office_is_a_stranger():
    assert FENG.memberships == frozenset((role, ELSEWHERE) for role in Role)
    assert accepted().why_not("review", FENG) == ("OTHER_ROLE",)


# Extension


def test_an_extension_adds_to_both_limits_from_where_they_stood():
    world = accepted("2026-05-06")
    assert (world.due("decide").due_on, world.due("total").due_on) == (date(2026, 5, 14), date(2026, 5, 19))
    longer = world.on("2026-05-10").take("extend", WU, reason="须向银行核实")
    assert longer.state == "accepted"
    assert (longer.due("decide").due_on, longer.due("total").due_on) == (date(2026, 5, 28), date(2026, 6, 2))


def test_an_extension_is_given_once():
    world = accepted().take("extend", WU, reason="须向银行核实")
    assert reasons(world, "extend", WU) == ["“延期”在本件中最多办理 1 次，已经办理过了。"]


def test_how_often_is_what_the_law_row_says():
    assert REPAIR.step["extend"].times == rule("repair.extend_times").on(date(2026, 11, 24)).value


def test_an_extension_one_second_late_is_refused():
    world = accepted("2026-05-06").on("2026-05-14", "23:59:59")
    assert world.why_not("extend", WU) == ()
    late = world.on("2026-05-15", "00:00:00")
    assert reasons(late, "extend", WU) == ["办理期限已于2026年5月14日届满，届满后不能再办理“延期”。"]


def test_an_extension_needs_the_total_limit_to_be_running_still():
    world = accepted("2026-05-06").on("2026-05-13")
    t0_long_ago = replace(world.due("total"), due_on=date(2026, 5, 12))
    late = world.knowing(deadlines=tuple(t0_long_ago if d.clock == "total" else d for d in world.facts.deadlines))
    assert reasons(late, "extend", WU) == ["总期限已于2026年5月12日届满，届满后不能再办理“延期”。"]


# False material


def test_an_opinion_that_material_is_false_needs_a_warning_first():
    assert accepted().why_not("review", ZHAO, opinion="false", finding="凭证是假的") == ("NOT_WARNED",)


def test_nothing_is_decided_before_the_subject_is_heard():
    """The hearing ends on Tuesday 12 May: Saturday 9 May is a working day."""
    warned = accepted("2026-05-06").take("warn", ZHAO, facts="缴款凭证与银行回单不一致")
    assert warned.due("hearing").due_on == date(2026, 5, 12)
    assert reasons(warned, "review", ZHAO) == [
        "已告知拟认定，申请人的陈述申辩期限到2026年5月12日届满；期满或者收到陈述申辩以前不能作出决定。"
    ]
    assert warned.on("2026-05-12", "23:59:59").why_not("review", ZHAO) == ("NOT_HEARD",)
    silent = warned.on("2026-05-13", "00:00:00")
    assert silent.take("review", ZHAO, opinion="false", finding="没有陈述申辩").state == "reviewed"


def test_a_warning_given_after_the_opinion_stops_every_decision():
    for opinion, step in (("grant", "confirm"), ("refuse", "refuse")):
        warned = reviewed(opinion).take("warn", ZHAO, facts="凭证不一致")
        assert warned.why_not(step, QIAN) == ("NOT_HEARD",)


def test_warned_heard_then_refused_with_a_ban():
    world = accepted("2026-05-06").take("warn", ZHAO, facts="缴款凭证与银行回单不一致")
    world = world.on("2026-05-08").take("state_views", WANG, statement="凭证是财务公司代开的")
    assert world.due("hearing").state == MET
    world = world.take("review", ZHAO, opinion="false", finding="银行证实没有这笔缴款")
    assert world.why_not("confirm", QIAN) == world.why_not("refuse", QIAN) == ("OTHER_OPINION",)
    refused = world.take("refuse_false", QIAN, reason="提供虚假材料")
    assert refused.state == "refused"
    assert set(REPAIR.step["refuse_false"].effects) == {"record_breach", "ban"}
    assert nothing_yet("2029-05-08", bans=refused.facts.bans).why_not("open", WANG) == ("BANNED_UNTIL",)
    assert nothing_yet("2029-05-09", bans=refused.facts.bans).why_not("open", WANG) == ()


def test_views_stated_after_the_opinion_go_back_to_the_reviewer_before_anything_is_decided():
    warned = reviewed("refuse").take("warn", ZHAO, facts="凭证不一致").take("state_views", WANG, statement="凭证属实")
    assert reasons(warned, "refuse", QIAN) == ["审核意见提出以后申请人又陈述申辩，请退回审核员重新考虑。"]
    again = warned.take("send_back", QIAN, reason="请考虑陈述申辩").take(
        "review", ZHAO, opinion="refuse", finding="仍不足"
    )
    assert again.why_not("refuse", QIAN) == ()


def test_views_are_stated_only_after_a_warning_and_once():
    assert accepted().why_not("state_views", WANG) == ("NOT_WARNED",)
    heard = accepted().take("warn", ZHAO, facts="凭证不一致").take("state_views", ZHAO, statement="电话记录：凭证属实")
    assert heard.why_not("state_views", WANG) == ("COUNTED",)


# The decision


@pytest.mark.parametrize(
    ("opinion", "follows"), [("grant", "confirm"), ("refuse", "refuse"), ("false", "refuse_false")]
)
def test_a_decision_follows_the_opinion_or_the_case_goes_back(opinion, follows):
    world = reviewed(opinion)
    for step in ("confirm", "refuse", "refuse_false"):
        assert world.why_not(step, QIAN) == (() if step == follows else ("OTHER_OPINION",))
    assert world.why_not("send_back", QIAN) == ()


def test_the_last_opinion_counts():
    world = (
        reviewed("refuse")
        .take("send_back", QIAN, reason="证据够了")
        .take("review", ZHAO, opinion="grant", finding="够")
    )
    assert world.why_not("confirm", QIAN) == ()
    assert world.why_not("refuse", QIAN) == ("OTHER_OPINION",)


def test_a_refusal_needs_its_reasons_and_how_to_cure_them():
    assert reviewed("refuse").why_not("refuse", QIAN, reason="证明不足") == ("ASKED",)


def test_an_annulment_beats_a_confirmation():
    world = reviewed("grant").with_record(annulled_on=date(2026, 5, 6))
    assert world.why_not("confirm", QIAN) == ("ANNULLED",)
    assert world.take("supersede", WATCH).state == "superseded"


@pytest.mark.parametrize(
    "begin", [drafted, submitted, held, corrected, accepted, reviewed, processing], ids=lambda begin: begin.__name__
)
def test_an_annulled_penalty_ends_any_open_case_and_only_then(begin):
    world = begin()
    assert world.why_not("supersede", WATCH) == ("NOT_ANNULLED",)
    annulled = world.with_record(annulled_on=world.today)
    for actor in (WATCH, LI, ZHOU, WU):
        assert annulled.take("supersede", actor).state == "superseded"


def test_after_an_end_an_annulment_acts_on_the_record_alone():
    assert closed().with_record(annulled_on=date(2026, 5, 6)).why_not("supersede", WATCH) == ("MOVED",)


@pytest.mark.parametrize("begin", [submitted, held, corrected, accepted, reviewed], ids=lambda begin: begin.__name__)
def test_the_filer_may_withdraw_until_the_decision(begin):
    withdrawn = begin().take("withdraw", WANG)
    assert withdrawn.state == "withdrawn"
    assert {d.state for d in withdrawn.facts.deadlines} <= {MET, ENDED}


def test_the_filer_may_not_withdraw_after_the_decision():
    assert reasons(processing(), "withdraw", WANG) == ["本件现在是“信息处理”，不能办理“撤回申请”。"]
    refused = reviewed("refuse").take("refuse", QIAN, reason="证明不足", cure="补齐缴款凭证")
    assert refused.why_not("withdraw", WANG) == ("MOVED",)


# After the grant


def test_the_close_waits_for_service_tasks_and_hand_over_and_never_for_receivers():
    world = processing()
    assert world.why_not("close", WATCH) == ("NOT_SERVED", "TASKS_OPEN", "NOT_HANDED_IN")
    assert reasons(world, "close", WATCH)[1] == "还有 2 项没有办完：核对信用评价、核对本机关网站。"
    world = world.take("serve", ZHOU, manner="portal")
    assert world.why_not("close", WATCH) == ("TASKS_OPEN", "NOT_HANDED_IN")
    world = world.take("do_task", ZHOU, "regrade", outcome="等级不变").take(
        "do_task", ZHOU, "own_pages", outcome="已停"
    )
    assert world.why_not("close", WATCH) == ("NOT_HANDED_IN",)
    world = world.take("hand_over", ZHOU, manner="api")
    assert {d.state for d in world.facts.deadlines if d.clock == "receiver"} == {RUNNING}
    assert world.take("close", WATCH).state == "closed"


def test_a_receiver_who_confirms_changes_nothing_but_its_own_time_limit():
    world = closed().later(1)
    confirmed = world.receipt("road")
    assert confirmed.facts.case == world.facts.case
    assert (confirmed.due("receiver", "road").state, confirmed.due("receiver", "water").state) == (MET, RUNNING)


@pytest.mark.parametrize(
    ("days", "code"), [(1, "SERVED_FUTURE"), (-1, "SERVED_EARLY"), (None, "SERVED_UNREADABLE"), (0, None)]
)
def test_a_day_of_service_that_cannot_be_is_refused(days, code):
    world = processing().printed()
    stated = "昨天" if days is None else (world.today + timedelta(days=days)).isoformat()
    assert world.why_not("serve", ZHOU, manner="post", served_on=stated) == ((code,) if code else ())


def test_a_decision_is_served_after_it_has_been_printed_and_once():
    fresh = reviewed("grant").take("confirm", QIAN)
    assert reasons(fresh, "serve", ZHOU) == ["准予信用修复决定书正在排印签章，约一分钟后再办。"]
    served = fresh.printed().take("serve", ZHOU, manner="portal")
    assert served.why_not("serve", ZHOU) == ("COUNTED",)


def test_each_task_is_done_once_and_named():
    world = processing()
    assert world.why_not("do_task", ZHOU, "", outcome="已核对") == ("ITEM",)
    assert world.why_not("do_task", ZHOU, "nothing", outcome="已核对") == ("NO_TASK",)
    done = world.take("do_task", ZHOU, "regrade", outcome="等级不变")
    assert "NO_TASK" in done.why_not("do_task", ZHOU, "regrade", outcome="等级不变")
    assert done.why_not("do_task", ZHOU, "own_pages", outcome="已停") == ()
    assert done.knowing(tasks=(Task("regrade", "核对信用评价", True),)).why_not("do_task", ZHOU) == ("NO_TASK",)


# Old law, new law


def test_the_case_belongs_to_the_day_it_was_received_not_the_day_it_is_handled():
    """Received at 信用中国 on the last day before order 36, signed for by us on the first day after."""
    old = submitted("2026-03-31", record=a_record("2025-12-01")).on("2026-04-01", "09:00:00")
    old = old.take("receive", LI, t0="2026-03-31")
    assert old.due("total").day_zero == date(2026, 3, 31)
    assert old.due("total").due_on == date(2026, 4, 15)
    new = submitted(
        "2026-04-01",
        record=a_record("2025-12-01"),
    ).take("receive", LI, t0="2026-04-01")
    assert new.due("total").due_on == date(2026, 4, 16)


def test_the_office_of_the_cast_is_the_office_of_the_case():
    """Guards the stories above: they would all pass as refusals of strangers otherwise."""
    assert all((Role.REVIEW, OFFICE) in someone.memberships for someone in (ZHAO, SUN))


def test_nothing_is_decided_on_an_annulled_penalty():
    gone = {"annulled_on": date(2026, 5, 6)}
    said = {"ground": "SECTOR_CONDITION", "reason": "条件不符"}
    assert received("2026-05-06").with_record(**gone).why_not("decline", LI, **said) == ("ANNULLED",)
    annulled = reviewed("refuse").with_record(**gone)
    assert annulled.why_not("refuse", QIAN, reason="尚未改正", cure="改正后再申请") == ("ANNULLED",)
    assert annulled.take("supersede", WATCH).state == "superseded"
