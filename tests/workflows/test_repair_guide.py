"""修复指南 says what the rules say: when a row or a condition changes, it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from workflows import law
from workflows.calendar import SHANGHAI, Calendar
from workflows.law import rule
from workflows.repair import REPAIR
from workflows.repair_guide import OWING, PERFORMED, STATED, UNSURE, Situation, guide
from workflows.repair_needs import ELIGIBLE

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=SHANGHAI)
FINE = Situation(date(2026, 5, 18), frozenset({"罚款"}), "ordinary", "较大", duty=PERFORMED)


def told(situation=None, at=NOON):
    return guide(at, Calendar(), situation)


def test_every_condition_of_an_application_stands_in_the_guide_in_words():
    asked = {*ELIGIBLE, *REPAIR.step["submit"].needs}
    assert asked == set(STATED)
    assert all(law.cite(article) for _text, article in STATED.values())


def test_an_ordinary_fine_paid_in_may_is_repairable_in_november():
    judged = told(FINE).judged
    assert judged.term.cls == "一般" and judged.term.minimum_last_day == date(2026, 8, 18)
    assert judged.verdict.status == "now"
    assert not any(each.refusals for each in told(FINE).conditions)


def test_who_still_owes_or_must_wait_is_told_both():
    late = told(replace(FINE, recognised_on=date(2026, 9, 18), duty=OWING))
    codes = [no.code for each in late.conditions for no in each.refusals]
    assert codes == ["DUTY_NOT_PERFORMED", "MIN_PERIOD_NOT_MET"]
    assert late.judged.verdict.first_day == date(2026, 12, 19)


def test_a_minor_penalty_needs_no_repair_and_a_doubtful_one_a_person():
    assert not told(Situation(date(2026, 5, 18), frozenset({"警告"}), "simple")).judged.term.published
    doubtful = told(replace(FINE, fine_size=None)).judged
    assert doubtful.term.needs_person and doubtful.verdict is None and "罚款数额" in doubtful.term.reason


def test_what_the_situation_does_not_say_is_not_claimed():
    known = {each.text: each.known for each in told(replace(FINE, duty=UNSURE)).conditions}
    assert not known[STATED[next(need for need in ELIGIBLE if need.__name__ == "not_banned")][0]]
    assert not known[STATED[next(need for need in ELIGIBLE if need.__name__ == "duty_not_outstanding")][0]]
    assert not any(each.known for each in told().conditions)


def test_the_limits_are_those_of_the_law_rows_of_the_day():
    limits = {limit.row.rule_id: limit.row.value for each in told().road for limit in each.limits}
    assert limits["repair.accept_within"] == 3 and limits["repair.result_within"] == 10
    assert set(limits.values()) and all(rule(key).on(NOON.date()).value == value for key, value in limits.items())


@pytest.mark.parametrize("days", [5, 2])
def test_the_guide_changes_when_a_law_row_changes(monkeypatch, days):
    """The same page in the year after next, when acceptance takes another number of days."""
    old = rule("repair.accept_within")
    closed = replace(old.rows[-1], valid_until=date(2027, 12, 31))
    fresh = replace(old.rows[-1], value=days, valid_from=date(2028, 1, 1), valid_until=None)
    changed = {**law._RULES, old.rule_id: replace(old, rows=(*old.rows[:-1], closed, fresh))}
    monkeypatch.setattr(law, "_RULES", changed)
    limits = {
        limit.row.rule_id: limit.row.value for each in told(at=NOON.replace(year=2028)).road for limit in each.limits
    }
    assert limits["repair.accept_within"] == days
