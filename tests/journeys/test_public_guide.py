"""Anybody who wants to repair: the guide, the provisions it rests on, and where a case stands."""

from __future__ import annotations

import pytest

from tests.build import a_case, walk
from tests.journeys.door import outside  # noqa: F401

PLAIN = "/guide?who=organisation&day=2026-05-18&kinds=罚款&procedure=ordinary&fine=较大&duty=performed"


def test_the_guide_tells_everybody_conditions_papers_and_limits(cast, outside):
    page = outside.go("/guide")
    assert page.says("最短公示期已经届满；轻微的不用等") and page.says("《信用修复管理办法》第三条")
    assert page.says("决定是否受理的期限：3 个工作日") and page.says("不能作为申请的条件")
    assert page.says("信用修复不收费") and not page.says("照您说的情况")


def test_a_situation_is_judged_by_the_rules_that_decide(cast, outside):
    page = outside.go(PLAIN)
    assert page.says("现在可以申请") and page.says("一般失信信息最短公示期：3 个月")
    assert page.says("2026年8月18日") and page.says("2027年5月18日")
    page = outside.go(PLAIN.replace("2026-05-18", "2026-10-18").replace("performed", "owing"))
    assert page.says("现在还不能申请") and page.says("还没有全部履行") and page.says("2027年1月19日")


def test_the_form_leads_there_and_keeps_what_was_chosen(cast, outside):
    page = outside.go(PLAIN)
    form, _button = page.form("看看能不能修")
    assert ("day", "2026-05-18") in form.values and ("kinds", "罚款") in form.values and ("fine", "较大") in form.values


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("day=昨天&kinds=罚款", 422, "不是日期"),
        ("day=2026-05-18&kinds=砍头", 422, ""),
        ("day=2026-05-18", 200, "请至少说出"),
        ("kinds=罚款", 200, "请至少说出"),
        ("who=alien&day=2026-05-18&kinds=罚款", 422, "请从列出的选项里选一项"),
        ("day=0001-01-01&kinds=罚款", 200, "须由人认定"),
    ],
)
def test_what_cannot_be_meant_is_said(cast, outside, query, status, words):
    assert outside.go(f"/guide?{query}", expect=status).says(words)


def test_the_provisions_are_listed_with_what_rests_on_them_today(cast, outside):
    page = outside.go("/policies")
    assert page.says("《信用修复管理办法》") and page.says("国家发展改革委令第36号") and page.says("现行有效")
    assert page.text.index("《信用修复管理办法》") < page.text.index("《失信行为纠正后的信用信息修复管理办法（试行）》")
    assert page.says("决定是否受理的期限")


# --- where is my case --------------------------------------------------------------------------------------------


def test_who_has_number_and_code_sees_where_the_case_stands(cast, outside):
    number = a_case(cast, at="received")
    outside.go("/progress")
    page = outside.press("查进度", number=number.lower(), code=cast.codes["yueheng"])
    assert page.says("待受理") and page.says("湖南省交通运输厅的受理员手上")
    assert page.says("11月27日") and not page.says("邓敏") and not page.says("罚款")
    assert page.address == "/progress"
    walk(cast, number, "li", "accept")
    outside.go("/progress")
    assert outside.press("查进度", number=number, code=cast.codes["yueheng"]).says("审核中")


def test_one_of_the_two_tells_nothing(cast, outside):
    number = a_case(cast, at="received")
    draft = a_case(cast, at="draft")
    said = set()
    for asked, code in (
        (number, cast.codes["other"]),
        (draft, cast.codes["yueheng"]),
        ("XF-00000000", cast.codes["yueheng"]),
        ("%", cast.codes["yueheng"]),
        ("\u0661" * 30, cast.codes["yueheng"]),
    ):
        outside.go("/progress")
        page = outside.press("查进度", expect=422, number=asked, code=code)
        said.add(page.says("没有查到：编号和代码须是同一件申请的"))
    assert said == {True}
    outside.go("/progress")
    page = outside.press("查进度", expect=422, number=number, code="91430100MA7X3K2Q6X")
    assert not page.says("没有查到") and any("X" in form.values[-1][1] for form in page.forms if form.values)


def test_the_answer_is_kept_nowhere(cast, outside):
    number = a_case(cast, at="received")
    outside.go("/progress")
    answer, _ = outside.send("查进度", number=number, code=cast.codes["yueheng"])
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Robots-Tag"] == "noindex"
