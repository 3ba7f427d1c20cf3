"""准予, 不予 and 认定虚假: what a decision does to register, measures and notices, and what it asks for before."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from app.casework.effects import EFFECTS
from app.casework.refused import StepRefused
from app.db import db
from app.models import Ban, CreditRecord, Measure, RecordShare, RepairTask
from app.now import now
from app.registry.publish import status_on
from tests.build import a_case, night, state, version, walk
from tests.casework import acts
from tests.casework.acts import (
    clock_of,
    everything,
    form,
    look,
    measure,
    papers,
    refused,
    scalar,
    told,
    why_not,
)
from tests.cast import Cast
from tests.conftest import Clock
from workflows import WORKFLOWS

EVERYBODY = ["ld-creditchina", "ld-hunan", "ld-market", "ld-trading"]
FALSE = {"facts": "缴款票据与财政票据系统登记的金额不一致"}


def test_a_repair_takes_effect_with_the_decision_and_is_not_undone_by_the_calendar(cast: Cast, clock: Clock) -> None:
    record = cast.penalty()
    number = a_case(cast, at="reviewed", record=record)
    clock.go("2026-11-26")
    walk(cast, number, "chen", "confirm")
    for day, status in (("2026-11-25", "published"), ("2026-11-26", "repaired"), ("2027-06-01", "repaired")):
        assert status_on(record, date.fromisoformat(day)) == status
    db.session.rollback()
    assert scalar(select(CreditRecord.id).where(CreditRecord.id == record)) == record, "the record itself is kept"


def test_our_own_measures_are_lifted_with_the_decision_and_other_organs_are_not(cast: Cast) -> None:
    record, other = cast.penalty(), cast.penalty()
    measure(record, "重点监管", "湖南省交通运输厅", ours=True)
    measure(record, "限制参加招标投标", "湖南省公共资源交易中心", ours=False)
    measure(other, "重点监管", "湖南省交通运输厅", ours=True)
    number = a_case(cast, at="processing", record=record)
    rows = db.session.execute(select(Measure.record_id, Measure.ours, Measure.lifted_on, Measure.lifted_by_case)).all()
    db.session.rollback()
    lifted = {(row.record_id, row.ours): (row.lifted_on, row.lifted_by_case) for row in rows}
    assert lifted[record, True] == (date(2026, 11, 24), look(number).id)
    assert lifted[record, False] == (None, None)
    assert lifted[other, True] == (None, None)


def test_what_our_own_systems_did_is_listed_beside_what_a_person_still_has_to_do(cast: Cast) -> None:
    record = cast.penalty()
    measure(record, "重点监管", "湖南省交通运输厅", ours=True)
    number = a_case(cast, at="processing", record=record)
    tasks = db.session.execute(
        select(RepairTask.code, RepairTask.note, RepairTask.done_at).order_by(RepairTask.id)
    ).all()
    db.session.rollback()
    assert [(task.code, task.done_at is not None) for task in tasks] == [
        ("end_publicity", True),
        ("lift_measures", True),
        ("regrade", False),
        ("own_pages", False),
    ]
    assert tasks[1].note == "重点监管"
    walk(cast, number, "he", "do_task", item="regrade", outcome="信用评价由 B 调回 A")
    done = scalar(select(RepairTask.note).where(RepairTask.code == "regrade"))
    assert done == "信用评价由 B 调回 A"


def test_everybody_who_uses_the_record_is_told_of_the_repair(cast: Cast) -> None:
    record = cast.penalty()
    number = a_case(cast, at="processing", record=record)
    assert sorted(told(number, "confirm")) == EVERYBODY
    shares = db.session.execute(select(RecordShare.record_id, RecordShare.what, RecordShare.at)).all()
    db.session.rollback()
    assert len(shares) == 4
    assert {(share.record_id, share.what, share.at) for share in shares} == {(record, "confirm", now())}
    assert {clock_of(number, "receiver", item).due_on for item in EVERYBODY} == {date(2026, 11, 27)}


@pytest.mark.parametrize("end", ["refused", "declined", "transferred"])
def test_a_refusal_is_told_to_credit_china_and_to_no_linked_department(cast: Cast, end: str) -> None:
    number = a_case(cast, at=end)
    assert list(told(number)) == ["ld-creditchina"]
    assert look(number).facts.record.status == "published"  # type: ignore[union-attr]


@pytest.mark.parametrize("end", ["withdrawn", "draft", "submitted", "correcting", "accepted", "reviewed"])
def test_what_decides_nothing_is_told_to_nobody(cast: Cast, end: str) -> None:
    assert told(a_case(cast, at=end)) == {}


def test_no_refusal_of_any_case_type_is_ever_told_to_linked_departments() -> None:
    """By the definition: linked departments hear of what was granted or withdrawn, nothing else."""
    for workflow in WORKFLOWS.values():
        assert {step.code for step in workflow.steps if "linked" in step.tells} == {"confirm", "supersede"}


def test_after_a_refusal_one_may_apply_again_the_same_day(cast: Cast) -> None:
    record = cast.penalty()
    number = a_case(cast, at="refused", record=record)
    assert papers(number)[-1] == "refusal"
    assert scalar(select(Ban.id)) is None
    assert state(a_case(cast, at="submitted", record=record)) == "submitted"


def test_the_confirmer_follows_the_opinion_or_sends_it_back(cast: Cast) -> None:
    number = a_case(cast, at="to_refuse")
    assert refused(cast, number, "chen", "confirm") == ["OTHER_OPINION"]
    assert "建议不予修复" in why_not(cast, number, "chen", "confirm").text
    assert refused(cast, number, "chen", "send_back", reason="") == ["ASKED"]
    walk(cast, number, "chen", "send_back", reason="补充核查缴款记录")
    assert state(number) == "accepted"
    walk(cast, number, "zhou", "review", opinion="grant", finding="已核查，义务履行完毕")
    assert refused(cast, number, "chen", "refuse", reason="尚未改正", cure="改正") == ["OTHER_OPINION"]
    walk(cast, number, "chen", "confirm")
    assert state(number) == "processing"


def test_what_changed_since_the_application_is_looked_at_again_when_confirming(cast: Cast) -> None:
    """The duty turns out to be open after the review: the law refuses, whoever presses the button."""
    from sqlalchemy import update

    from app.db import transaction

    record = cast.penalty()
    number = a_case(cast, at="reviewed", record=record)
    with transaction() as session:
        session.execute(update(CreditRecord).where(CreditRecord.id == record).values(duty="outstanding"))
    assert refused(cast, number, "chen", "confirm") == ["DUTY_NOT_PERFORMED"]


def test_a_withdrawal_is_possible_up_to_the_decision_and_not_after_it(cast: Cast) -> None:
    assert refused(cast, a_case(cast, at="processing"), "deng", "withdraw") == ["MOVED"]
    number = a_case(cast, at="reviewed")
    assert refused(cast, number, "wang", "withdraw") == ["OTHER_ROLE"]
    walk(cast, number, "deng", "withdraw")
    assert state(number) == "withdrawn"
    assert papers(number)[-1] == "withdrawal"
    assert scalar(select(Ban.id)) is None, "no ban follows from a withdrawal"


def test_a_draft_is_discarded_without_a_document(cast: Cast) -> None:
    number = a_case(cast, at="draft")
    walk(cast, number, "deng", "discard")
    assert (state(number), papers(number), told(number)) == ("withdrawn", [], {})
    assert look(number).row.filed_at is None


# ---- 认定虚假


def test_nobody_is_found_to_have_lied_without_being_warned_and_heard(cast: Cast, clock: Clock) -> None:
    record = cast.penalty()
    number = a_case(cast, at="accepted", record=record)
    assert refused(cast, number, "zhou", "review", opinion="false", finding="票据系伪造") == ["NOT_WARNED"]
    assert refused(cast, number, "deng", "state_views", statement="我们没有造假") == ["NOT_WARNED"]
    walk(cast, number, "zhou", "warn", **FALSE)
    assert papers(number)[-1] == "finding"
    assert clock_of(number, "hearing").due_on == date(2026, 12, 1)
    assert refused(cast, number, "zhou", "review", opinion="false", finding="票据系伪造") == ["NOT_HEARD"]
    clock.go("2026-12-01 23:59")
    assert refused(cast, number, "zhou", "review", opinion="false", finding="票据系伪造") == ["NOT_HEARD"]
    clock.go("2026-12-02")
    walk(cast, number, "zhou", "review", opinion="false", finding="票据系伪造，逾期未陈述申辩")
    walk(cast, number, "chen", "refuse_false", reason="缴款票据与登记不一致，不能作出合理说明")
    assert state(number) == "refused"
    assert papers(number)[-1] == "refusal_false"


def test_what_the_company_says_is_weighed_before_anything_is_decided(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="reviewed")
    walk(cast, number, "zhou", "warn", **FALSE)
    assert refused(cast, number, "chen", "confirm") == ["NOT_HEARD"]
    clock.go("2026-11-26")
    walk(cast, number, "deng", "state_views", statement="票据由代收银行重打，附情况说明")
    assert clock_of(number, "hearing").state == "met"
    assert refused(cast, number, "chen", "confirm") == ["VIEWS_NOT_WEIGHED"]
    walk(cast, number, "chen", "send_back", reason="请重新考虑陈述申辩")
    walk(cast, number, "zhou", "review", opinion="grant", finding="陈述申辩成立，票据真实")
    walk(cast, number, "chen", "confirm")
    assert state(number) == "processing"
    assert scalar(select(Ban.id)) is None


def _found_false(cast: Cast, record: int) -> str:
    number = a_case(cast, at="accepted", record=record)
    walk(cast, number, "zhou", "warn", **FALSE)
    walk(cast, number, "deng", "state_views", statement="没有意见")
    walk(cast, number, "zhou", "review", opinion="false", finding="票据系伪造")
    walk(cast, number, "chen", "refuse_false", reason="缴款票据与登记不一致")
    return number


def test_false_material_enters_the_credit_record_and_bars_the_company_for_three_years(cast: Cast, clock: Clock) -> None:
    record, another = cast.penalty(), cast.penalty()
    waiting = a_case(cast, at="draft", record=another)
    number = _found_false(cast, record)
    breach = db.session.execute(select(*CreditRecord.__table__.c).where(CreditRecord.kind == "repair_breach")).one()
    db.session.rollback()
    assert (breach.subject_id, breach.recognised_on) == (cast.subjects["yueheng"], date(2026, 11, 24))
    assert breach.fields == {"case": number, "reason": "缴款票据与登记不一致"}
    assert status_on(breach.id, date(2026, 11, 25)) == "unpublished", "it is shared, not shown by us"
    ban = db.session.execute(select(Ban.since, Ban.until, Ban.case_id)).one()
    db.session.rollback()
    assert (ban.since, ban.until) == (date(2026, 11, 24), date(2029, 11, 24))
    assert list(told(number)) == ["ld-creditchina"]

    reason = why_not(cast, waiting, "deng", "submit")
    assert reason.code == "BANNED_UNTIL" and "2029年11月24日" in reason.text
    with pytest.raises(StepRefused, match="不受理修复申请"):
        a_case(cast, at="draft", record=record)
    other = cast.penalty(of="other")
    assert other, "nobody else is barred"


def test_the_day_after_the_ban_one_may_apply_again(cast: Cast, clock: Clock) -> None:
    record = cast.penalty()
    _found_false(cast, record)
    clock.go("2029-11-24")
    fresh = cast.penalty(on="2029-06-01")
    with pytest.raises(StepRefused) as caught:
        a_case(cast, at="draft", record=fresh)
    assert [refusal.code for refusal in caught.value.refusals] == ["BANNED_UNTIL"]
    clock.go("2029-11-25")
    assert state(a_case(cast, at="draft", record=fresh)) == "draft"


def test_a_case_of_the_company_already_under_way_is_not_confirmed_inside_the_ban(cast: Cast) -> None:
    other = a_case(cast, at="reviewed")
    _found_false(cast, cast.penalty())
    assert refused(cast, other, "chen", "confirm") == ["BANNED_UNTIL"]


# ---- 送达


def test_the_remedy_and_the_tasks_wait_for_the_printed_decision(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="processing")
    for step in ("serve", "hand_over"):
        assert refused(cast, number, "he", step, manner="portal") == ["NOT_PRINTED"]
    acts.ink(number)
    clock.go("2026-11-25 11:00")
    walk(cast, number, "he", "serve", manner="portal")
    assert refused(cast, number, "he", "serve", manner="portal") == ["COUNTED"]
    assert refused(cast, number, "zhou", "hand_over", manner="平台推送") == ["OTHER_ROLE"]
    walk(cast, number, "he", "hand_over", manner="平台推送")
    assert (clock_of(number, "serve").met_on, clock_of(number, "hand_over").met_on) == (date(2026, 11, 25),) * 2
    night(with_press=False)
    assert state(number) == "processing", "tasks are left"


def test_a_decision_that_cannot_be_written_is_not_taken(cast: Cast) -> None:
    """The refusal of a refusal: without a reason that can be printed nothing happens at all."""
    number = a_case(cast, at="to_refuse")
    before = everything()
    reason = why_not(cast, number, "chen", "refuse", reason="因\ue000不符", cure="改正")
    assert reason.code == "CANNOT_ISSUE" and "无法显示的字" in reason.text
    assert everything() == before
    send = form(number, "refuse", cast.who("chen"), "k", version(number), reason="因故不符", cure="改正")
    assert send().act == "refuse"


def test_every_effect_a_definition_names_exists() -> None:
    named = {effect for workflow in WORKFLOWS.values() for step in workflow.steps for effect in step.effects}
    assert named == set(EFFECTS)
