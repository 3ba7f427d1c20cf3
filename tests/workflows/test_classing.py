"""失信信息分类: the table of order 36 row by row, the periods of three regimes, and records a person must class."""

from __future__ import annotations

from datetime import date

import pytest

from workflows.classing import PublicityTerm, classify, publicity_term

LAST_OF_58, FIRST_OF_36 = date(2026, 3, 31), date(2026, 4, 1)


def kinds(*names: str) -> frozenset[str]:
    return frozenset(names)


def days(term: PublicityTerm) -> tuple[str, ...]:
    return tuple(str(day or "-") for day in (term.minimum_last_day, term.first_day, term.maximum_last_day))


# The table of order 36


@pytest.mark.parametrize(
    ("penalty", "expected", "row"),
    [
        ("吊销许可证件", "严重", "records.class_2"),
        ("限制从业", "严重", "records.class_2"),
        ("限制开展生产经营活动", "严重", "records.class_3"),
        ("责令停产停业", "严重", "records.class_3"),
        ("责令关闭", "严重", "records.class_3"),
        ("暂扣许可证件", "严重", "records.class_4"),
        ("降低资质等级", "严重", "records.class_4"),
        ("没收非法财物", "一般", "records.class_5"),
        ("没收违法所得", "一般", "records.class_5b"),
        ("警告", "轻微", "records.class_7"),
        ("通报批评", "轻微", "records.class_7"),
    ],
)
def test_each_kind_of_penalty_has_its_class(penalty: str, expected: str, row: str) -> None:
    classing = classify(FIRST_OF_36, kinds(penalty), "ordinary")
    assert (classing.cls, classing.needs_person) == (expected, False)
    assert classing.row is not None and classing.row.rule_id == row
    assert penalty in classing.reason


@pytest.mark.parametrize(
    ("size", "expected", "row"),
    [("巨额", "严重", "records.class_4"), ("较大", "一般", "records.class_5"), ("较少", "轻微", "records.class_8")],
)
def test_a_fine_is_classed_by_the_size_somebody_stated(size: str, expected: str, row: str) -> None:
    classing = classify(FIRST_OF_36, kinds("罚款"), "ordinary", fine_size=size)
    assert classing.cls == expected
    assert classing.row is not None and classing.row.rule_id == row


def test_no_amount_is_invented_for_a_fine_whose_size_nobody_stated() -> None:
    classing = classify(FIRST_OF_36, kinds("罚款"), "ordinary")
    assert (classing.cls, classing.needs_person) == (None, True)
    assert classing.reason == "还不能确定类别，须由人认定：罚款数额是较少、较大还是巨额。"


def test_a_list_with_a_basis_in_law_outweighs_everything() -> None:
    classing = classify(FIRST_OF_36, kinds("警告"), "simple", serious_list=True)
    assert (classing.cls, classing.row and classing.row.rule_id) == ("严重", "records.class_1")
    assert classify(FIRST_OF_36, kinds(), "", abnormal_list=True).cls == "轻微"


def test_the_gravest_of_several_kinds_decides() -> None:
    assert classify(FIRST_OF_36, kinds("警告", "没收违法所得", "吊销许可证件"), "ordinary").cls == "严重"
    assert classify(FIRST_OF_36, kinds("警告", "没收违法所得"), "ordinary").cls == "一般"


def test_a_penalty_on_the_spot_is_minor_whatever_its_fine() -> None:
    assert classify(FIRST_OF_36, kinds("罚款"), "simple").cls == "轻微"
    assert classify(FIRST_OF_36, kinds("警告", "罚款"), "simple").cls == "轻微"


def test_a_warning_with_a_fine_of_unknown_size_is_not_minor() -> None:
    assert classify(FIRST_OF_36, kinds("警告", "罚款"), "ordinary").needs_person
    assert classify(FIRST_OF_36, kinds("警告", "罚款"), "ordinary", fine_size="较大").cls == "一般"


def test_confiscation_with_a_fine_of_unknown_size_may_be_serious_and_waits() -> None:
    unknown = classify(FIRST_OF_36, kinds("没收违法所得", "罚款"), "ordinary")
    assert (unknown.cls, unknown.needs_person) == (None, True)
    assert classify(FIRST_OF_36, kinds("没收违法所得", "罚款"), "ordinary", fine_size="较少").cls == "一般"
    assert classify(FIRST_OF_36, kinds("没收违法所得", "罚款"), "ordinary", fine_size="巨额").cls == "严重"


def test_a_kind_the_table_does_not_know_waits_for_a_person() -> None:
    classing = classify(FIRST_OF_36, kinds("行政拘留", "没收违法所得"), "ordinary")
    assert classing.needs_person
    assert "分类表里没有“行政拘留”" in classing.reason
    assert classify(FIRST_OF_36, kinds("吊销道路运输经营许可证"), "ordinary").needs_person
    assert classify(FIRST_OF_36, kinds("行政拘留", "吊销许可证件"), "ordinary").cls == "严重"


def test_a_record_that_says_nothing_waits_for_a_person() -> None:
    classing = classify(FIRST_OF_36, kinds(), "")
    assert (classing.cls, classing.needs_person) == (None, True)


def test_what_a_person_assigned_counts_only_where_the_table_is_silent() -> None:
    assert classify(FIRST_OF_36, kinds("罚款"), "ordinary", assigned="一般").cls == "一般"
    assert classify(FIRST_OF_36, kinds("行政拘留"), "ordinary", assigned="严重").cls == "严重"
    assert classify(FIRST_OF_36, kinds("吊销许可证件"), "ordinary", assigned="轻微").cls == "严重"
    assert classify(FIRST_OF_36, kinds("警告"), "ordinary", assigned="严重").cls == "轻微"


@pytest.mark.parametrize(
    ("procedure", "size", "assigned", "sentence"),
    [
        ("快速", None, None, "处罚程序“快速”不认识"),
        ("", "小", None, "罚款数额“小”不认识"),
        ("", None, "特别严重", "失信类别“特别严重”不认识"),
    ],
)
def test_words_that_mean_nothing_are_refused(
    procedure: str, size: str | None, assigned: str | None, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        classify(FIRST_OF_36, kinds("罚款"), procedure, fine_size=size, assigned=assigned)


# How long it is shown


@pytest.mark.parametrize(
    ("decided", "assigned", "fields", "minimum", "first", "maximum"),
    [
        ("2026-04-01", "一般", "", "2026-07-01", "2026-07-02", "2027-04-01"),
        ("2026-05-31", "一般", "", "2026-08-31", "2026-09-01", "2027-05-31"),
        ("2026-11-30", "一般", "", "2027-02-28", "2027-03-01", "2027-11-30"),
        ("2026-04-01", "严重", "", "2027-04-01", "2027-04-02", "2029-04-01"),
        ("2026-01-31", None, "", "2026-04-30", "2026-05-01", "2029-01-31"),
        ("2025-11-30", None, "", "2026-02-28", "2026-03-01", "2028-11-30"),
        ("2026-03-31", None, "安全生产", "2027-03-31", "2027-04-01", "2029-03-31"),
        ("2024-02-29", None, "消防", "2025-02-28", "2025-03-01", "2027-02-28"),
        ("2023-04-30", "一般", "", "2023-07-30", "2023-07-31", "2024-04-30"),
        ("2023-04-30", "严重", "", "2023-10-30", "2023-10-31", "2026-04-30"),
    ],
)
def test_the_first_day_is_the_day_after_the_minimum_and_never_rolls(
    decided: str, assigned: str | None, fields: str, minimum: str, first: str, maximum: str
) -> None:
    term = publicity_term(
        date.fromisoformat(decided),
        kinds("罚款"),
        "ordinary",
        assigned=assigned,
        fields=frozenset(filter(None, (fields,))),
    )
    assert days(term) == (minimum, first, maximum)
    assert (term.published, term.repairable, term.needs_person) == (True, True, False)


def test_a_decision_of_the_31st_of_march_and_one_of_the_next_day_are_shown_differently() -> None:
    before = publicity_term(LAST_OF_58, kinds("没收非法财物"), "ordinary")
    after = publicity_term(FIRST_OF_36, kinds("没收非法财物"), "ordinary")
    assert days(before) == ("2026-06-30", "2026-07-01", "2029-03-31")
    assert days(after) == ("2026-07-01", "2026-07-02", "2027-04-01")
    assert (before.cls, before.label) == (None, "不分类（国家发展改革委令第58号）")
    assert (after.cls, after.label) == ("一般", "一般")
    assert before.citations == ("《失信行为纠正后的信用信息修复管理办法（试行）》（国家发展改革委令第58号）",)
    assert after.citations == ("《信用修复管理办法》（国家发展改革委令第36号）",)
    assert after.rule_ids == ("records.class_5", "records.minimum_ordinary", "records.maximum_ordinary")


def test_order_36_no_longer_knows_fields_with_a_longer_period() -> None:
    term = publicity_term(FIRST_OF_36, kinds("没收非法财物"), "ordinary", fields=kinds("安全生产"))
    assert term.cls == "一般"


def test_a_minor_record_need_not_wait_and_is_normally_not_shown() -> None:
    term = publicity_term(FIRST_OF_36, kinds("警告"), "ordinary")
    assert days(term) == ("-", "2026-04-01", "-")
    assert (term.cls, term.published, term.repairable) == ("轻微", False, True)


def test_a_minor_record_the_department_found_necessary_to_show_is_shown_three_months_at_most() -> None:
    term = publicity_term(FIRST_OF_36, kinds("警告"), "ordinary", necessary=True)
    assert days(term) == ("-", "2026-04-01", "2026-07-01")
    assert term.published
    assert "records.maximum_minor" in term.rule_ids


def test_order_58_did_not_show_penalties_on_the_spot_or_mere_warnings() -> None:
    for penalty, procedure in (("罚款", "simple"), ("警告", "ordinary"), ("通报批评", "")):
        term = publicity_term(LAST_OF_58, kinds(penalty), procedure)
        assert not term.published
        assert not term.verified
    assert publicity_term(LAST_OF_58, kinds("警告", "罚款"), "ordinary").published
    assert publicity_term(LAST_OF_58, kinds(), "").published


def test_the_notice_of_2019_let_nobody_repair_in_the_gravest_fields() -> None:
    term = publicity_term(date(2022, 6, 1), kinds("罚款"), "ordinary", fields=kinds("安全生产"))
    assert days(term) == ("2025-06-01", "-", "2025-06-01")
    assert not term.repairable
    assert term.reason.endswith("期满以前不得修复。")


def test_under_the_notice_of_2019_somebody_must_say_which_class_it_was() -> None:
    term = publicity_term(date(2022, 6, 1), kinds("罚款"), "ordinary")
    assert (term.needs_person, term.cls, days(term)) == (True, None, ("-", "-", "-"))
    assert publicity_term(date(2022, 6, 1), kinds("罚款"), "ordinary", assigned="轻微").needs_person


def test_a_decision_older_than_any_rule_here_waits_for_a_person() -> None:
    term = publicity_term(date(2018, 6, 1), kinds("罚款"), "ordinary", assigned="一般")
    assert term.needs_person
    assert term.reason == "没有收录认定当时的公示期规定，须由人认定。"


def test_an_entry_on_a_serious_list_before_order_36_ends_with_the_list() -> None:
    assert publicity_term(LAST_OF_58, kinds(), "", serious_list=True).needs_person
    assert days(publicity_term(FIRST_OF_36, kinds(), "", serious_list=True))[0] == "2027-04-01"


def test_a_term_that_rests_on_a_row_not_yet_verified_says_so() -> None:
    assert not publicity_term(FIRST_OF_36, kinds("责令停产停业"), "ordinary").verified
    assert not publicity_term(FIRST_OF_36, kinds(), "", serious_list=True).verified
    assert publicity_term(FIRST_OF_36, kinds("吊销许可证件"), "ordinary").verified


def test_a_record_nobody_has_classed_has_no_dates_at_all() -> None:
    term = publicity_term(FIRST_OF_36, kinds("罚款"), "ordinary")
    assert (term.needs_person, days(term), term.rule_ids) == (True, ("-", "-", "-"), ())
    assert "罚款数额" in term.reason
