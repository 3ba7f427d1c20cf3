"""The counter of administrators and the legal office: who enters, what they see and change, what is told first."""

from __future__ import annotations

import re
from datetime import date
from itertools import product
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, insert, select, update

from app.db import db, transaction
from app.models import (
    Attestation,
    CalendarOverride,
    Identifier,
    JournalLine,
    Mandate,
    Membership,
    Office,
    Subject,
    User,
)
from app.registry.blind import blind_index
from app.registry.codes import id_check_character
from app.sealed import SealingKey, seal
from tests.build import a_case, state
from tests.journeys.door import enter, outside, people  # noqa: F401
from workflows.law import rule, rules

ID_NUMBER = "43999919880312999" + id_check_character("43999919880312999")
DECIDE = rule("repair.decide_within").rows[-1]


def value(query):
    found = db.session.execute(query).scalar()
    db.session.rollback()
    return found


def role_of(people, name):
    return value(select(Membership.id).where(Membership.user_id == people.users[name]))


# --- who enters --------------------------------------------------------------------------------------------------

PAGES = (
    "/admin/users", "/admin/users/new", "/admin/users/1", "/admin/users/1/close", "/admin/users/1/roles/new",
    "/admin/users/1/mandates/new", "/admin/users/1/password", "/admin/roles/1/end", "/admin/mandates/1/end",
    "/admin/offices", "/admin/offices/1", "/admin/law", "/admin/calendar", "/admin/calendar/add",
)  # fmt: skip


def test_nobody_enters_but_administrators_and_the_legal_office(app, people, outside):
    assert {page: outside.get(page).status_code for page in PAGES} == dict.fromkeys(PAGES, 302)
    for name in ("li", "chen", "deng"):
        caller = enter(app, name)
        assert {page: caller.get(page).status_code for page in PAGES} == dict.fromkeys(PAGES, 403), name


def test_the_legal_office_reads_offices_law_and_calendar_and_no_list_of_people(app, people):
    jiang = enter(app, "jiang")
    for page in ("/admin/offices", f"/admin/offices/{people.offices['province']}", "/admin/law", "/admin/calendar"):
        jiang.go(page)
        assert not any(url.startswith("/admin/users") for _words, url in jiang.page.links)
    for page in ("/admin/users", "/admin/users/new", "/admin/calendar/add", f"/admin/users/{people.users['li']}"):
        assert jiang.get(page).status_code == 403


def test_an_administrator_decides_no_case_and_does_not_see_one(app, people):
    number = a_case(people, at="reviewed")
    shen = enter(app, "shen")
    assert shen.get(f"/desk/cases/{number}").status_code == 403
    assert shen.get(f"/my/cases/{number}").status_code == 403
    assert state(number) == "reviewed"


def test_the_administrator_of_a_city_sees_its_people_and_offices_only(app, people):
    with transaction():
        his = Membership.user_id == people.users["shen"]
        db.session.execute(update(Membership).where(his).values(office_id=people.offices["changsha"]))
    shen = enter(app, "shen")
    assert shen.go("/admin/users").says("刘波") and not shen.page.says("李昊")
    assert shen.get(f"/admin/users/{people.users['li']}").status_code == 404
    assert shen.get(f"/admin/roles/{role_of(people, 'li')}/end").status_code == 404
    assert shen.go("/admin/offices").says("长沙市交通运输局") and not shen.page.says("湖南省市场监督管理局")
    assert shen.get(f"/admin/offices/{people.offices['province']}").status_code == 404
    assert not any(words.strip() == "录入放假通知" for words, _url in shen.go("/admin/calendar").links)
    assert shen.get("/admin/calendar/add").status_code == 403


# --- people ------------------------------------------------------------------------------------------------------


def test_a_new_colleague_gets_an_account_a_role_and_a_password_that_is_shown_once(app, people, outside):
    shen = enter(app, "shen")
    shen.go("/admin/users")
    shen.follow("建立账户")
    page = shen.press("建立账户", login="xiaotong", name="肖童")
    password = re.search(r'class="big">([a-z2-9-]{23})<', page.html)[1]
    user_id = value(select(User.id).where(User.login == "xiaotong"))
    assert password not in shen.go(f"/admin/users/{user_id}").html
    shen.follow("增加身份")
    page = shen.press("增加身份", office=str(people.offices["province"]), role="review", since="2026-11-24")
    assert page.says("身份已增加") and page.says("湖南省交通运输厅 审核员")
    assert page.says("建立账户") and page.says("沈工（管理员）")
    outside.go("/login")
    assert outside.press("登录", login="xiaotong", password=password).address == "/desk/"


def test_no_administrator_chooses_a_password_and_none_is_in_an_address_or_a_journal(app, people):
    shen = enter(app, "shen")
    shen.go(f"/admin/users/{people.users['li']}/password")
    page = shen.press("重设密码", password="chosen-by-me", fresh="chosen-by-me")
    shown = re.search(r'class="big">([a-z2-9-]{23})<', page.html)[1]
    assert shown not in page.address
    kept = value(select(User.password_hash).where(User.login == "li"))
    assert kept.startswith("$argon2id$") and shown not in kept
    said = value(select(JournalLine.answers).where(JournalLine.act == "reset_password"))
    assert said == {}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"login": "liu", "name": "刘"}, "用户名“liu”已经有人用"),
        ({"login": "Li Hao", "name": "李昊"}, "小写字母开头"),
        ({"login": "", "name": ""}, "请填写“用户名”"),
        ({"login": "good", "name": "长" * 200}, "最多 60 字"),
    ],
)
def test_an_account_that_cannot_be_is_refused_and_what_was_typed_stays(app, people, typed, sentence):
    shen = enter(app, "shen")
    shen.go("/admin/users/new")
    page = shen.press("建立账户", expect=422, **typed)
    assert page.says(sentence) and ("name", typed["name"]) in page.forms[-1].values


def test_people_are_found_by_name_and_by_login_and_wildcards_are_only_letters(app, people):
    shen = enter(app, "shen")
    shen.go("/admin/users")
    assert shen.go("/admin/users?" + urlencode({"q": "周敏"})).says("周敏") and not shen.page.says("陈立")
    assert shen.go("/admin/users?q=zho").says("周敏")
    assert shen.go("/admin/users?" + urlencode({"q": "%"})).says("没有姓名或者用户名含有“%”的人")
    assert shen.go("/admin/users?" + urlencode({"q": "x" * 500})).status == 200


def test_a_long_list_turns_its_pages_forth_and_back(app, people):
    with transaction():
        for n in range(45):
            db.session.execute(insert(User).values(login=f"p{n:02}", name=f"人{n:02}", password_hash=""))
    shen = enter(app, "shen")
    shen.go("/admin/users?q=p")
    first = shen.page.text
    seen = [name for name in re.findall(r"人\d\d", first)]
    shen.follow("下一页")
    seen += re.findall(r"人\d\d", shen.page.text)
    shen.follow("下一页")
    seen += re.findall(r"人\d\d", shen.page.text)
    assert sorted(set(seen)) == [f"人{n:02}" for n in range(45)] and len(seen) == 45
    shen.follow("上一页")
    assert shen.follow("上一页").text == first


def test_closing_an_account_is_told_what_would_stand_still_and_needs_a_tick(app, people):
    for _ in range(3):
        a_case(people, at="received")
    li, shen = enter(app, "li"), enter(app, "shen")
    shen.go(f"/admin/users/{people.users['li']}")
    shen.follow("停用账户")
    page = shen.press("停用账户", expect=422, reason="已调离")
    assert page.says("这样一来") and page.says("湖南省交通运输厅有 3 件没有人能办")
    assert ("reason", "已调离") in page.forms[-1].values
    assert li.get("/desk/").status_code == 200
    page = shen.press("停用账户", reason="已调离", accept="y")
    assert page.says("账户已停用") and page.says("已停用")
    assert li.get("/desk/").status_code == 302
    assert shen.go("/admin/users").says("有件没有人能办")
    assert shen.go(f"/admin/offices/{people.offices['province']}").says("3 件没有人能办")


def test_a_role_ends_on_the_day_that_was_said(app, people, clock):
    shen = enter(app, "shen")
    shen.go(f"/admin/users/{people.users['liu']}")
    shen.follow("结束")
    page = shen.press("结束身份", last_day="2026-11-30")
    assert page.says("身份已结束") and page.says("至 2026年11月30日")
    clock.go("2026-11-30 22:00")
    liu = enter(app, "liu")
    assert liu.get("/desk/").status_code == 200
    clock.go("2026-12-01 08:00")
    assert liu.get("/desk/").status_code == 403


def test_nobody_finds_a_button_to_change_themselves_and_a_made_up_form_is_refused(app, people):
    shen = enter(app, "shen")
    page = shen.go(f"/admin/users/{people.users['shen']}")
    assert page.says("由另一位管理员修改") and not page.says("停用账户")
    shen.go(f"/admin/users/{people.users['shen']}/close")
    assert shen.press("停用账户", expect=422, reason="x", accept="y").says("不能修改自己的账户")


def test_a_form_with_more_in_it_than_the_page_asked_changes_nothing_more(app, people):
    shen = enter(app, "shen")
    shen.go(f"/admin/users/{people.users['liu']}/name")
    shen.press("保存", name="刘波涛", active="", session_version="99", password_hash="x", login="root", id="1")
    row = db.session.execute(select(User.login, User.name, User.session_version, User.password_hash).where(
        User.id == people.users["liu"])).one()  # fmt: skip
    db.session.rollback()
    assert (row.login, row.name, row.session_version) == ("liu", "刘波涛", 1) and row.password_hash != "x"


def test_a_mandate_is_entered_on_evidence_and_opens_the_enterprises_counter(app, people):
    shen = enter(app, "shen")
    shen.go(f"/admin/users/{people.users['liu']}")
    shen.follow("登记委托")
    typed = {"code": people.codes["other"].lower(), "capacity": "clerk", "since": "2026-11-24"}
    assert shen.press("登记委托", expect=422, evidence="", **typed).says("请填写“依据”")
    page = shen.press("登记委托", evidence="授权委托书", **typed)
    assert page.says("委托已登记") and page.says("湖南衡岳运输有限公司 经办人")
    assert enter(app, "liu").get("/my/").status_code == 200


def test_a_person_is_found_by_their_number_which_is_shown_nowhere(app, people):
    keys = [SealingKey(name, bytes.fromhex(key)) for name, key in app.config["FIELD_KEYS"].items()]
    with transaction():
        subject = db.session.execute(
            insert(Subject).values(kind="person", name="龙小军", region="430626").returning(Subject.id)
        ).scalar_one()
        db.session.execute(
            insert(Identifier).values(
                subject_id=subject, kind="id_card", sealed=seal(ID_NUMBER, keys, "identifier"),
                blind=blind_index(ID_NUMBER, bytes.fromhex(app.config["INDEX_KEY"]), "identifier"),
                valid_from=date(2020, 1, 1),
            )
        )  # fmt: skip
    shen = enter(app, "shen")
    shen.go(f"/admin/users/{people.users['liu']}/mandates/new")
    typed = {"capacity": "legal_representative", "evidence": "身份证原件", "since": "2026-11-24"}
    page = shen.press("登记委托", code=ID_NUMBER, **typed)
    assert page.says("龙小军") and ID_NUMBER not in page.html and ID_NUMBER not in page.address
    assert value(select(Mandate.subject_id).where(Mandate.user_id == people.users["liu"])) == subject
    assert ID_NUMBER not in str(value(select(JournalLine.answers).where(JournalLine.act == "entrust")))
    shen.go(f"/admin/users/{people.users['liu']}/mandates/new")
    stranger = "43999919880312001" + id_check_character("43999919880312001")
    page = shen.press("登记委托", expect=422, code=stranger, **typed)
    assert page.says("还没有这个主体") and stranger not in page.html


def test_a_wrong_code_in_a_mandate_gets_its_reason(app, people):
    shen = enter(app, "shen")
    shen.go(f"/admin/users/{people.users['liu']}/mandates/new")
    page = shen.press("登记委托", expect=422, code="123", capacity="clerk", evidence="x", since="2026-11-24")
    assert page.says("应为 18 位，您输入了 3 位")


# --- offices -----------------------------------------------------------------------------------------------------


def test_an_office_that_cannot_issue_documents_is_seen_and_mended(app, people):
    with transaction():
        db.session.execute(update(Office).where(Office.code == "jt-430100").values(word="", review_body=""))
    shen = enter(app, "shen")
    assert shen.go("/admin/offices").says("缺代字、复议机关")
    assert shen.go("/admin/offices?show=missing").says("长沙市交通运输局") and not shen.page.says("可以出具")
    shen.follow("长沙市交通运输局")
    assert shen.page.says("现在不能出具文书")
    page = shen.press("保存", word="长交", review_body="长沙市人民政府")
    assert page.says("已保存") and not page.says("现在不能出具文书")
    assert page.says("代字由“”改为“长交”")
    assert shen.press("保存", expect=422).says("没有改动")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://fuyi.example/", "https://", "https://a b.example/"])
def test_an_online_entrance_is_an_address_a_person_can_follow(app, people, address):
    shen = enter(app, "shen")
    shen.go(f"/admin/offices/{people.offices['province']}")
    assert shen.press("保存", expect=422, review_address=address).says("以 https:// 开头")
    assert shen.press("保存", review_address="https://fuyi.example/apply").says("已保存")
    assert value(select(Office.review_address).where(Office.code == "jt-430000")) == "https://fuyi.example/apply"


def test_the_legal_office_sees_an_office_and_cannot_change_it(app, people):
    jiang = enter(app, "jiang")
    page = jiang.go(f"/admin/offices/{people.offices['province']}")
    assert page.says("湘交") and not any("保存" in button[0] for form in page.forms for button in form.buttons)
    token = next(value for form in page.forms for name, value in form.values if name == "csrf_token")
    answer = jiang.post(f"/admin/offices/{people.offices['province']}", {"csrf_token": token, "word": "假"})
    assert answer.status_code == 403
    assert value(select(Office.word).where(Office.code == "jt-430000")) == "湘交"


# --- law ---------------------------------------------------------------------------------------------------------


def attest_page(row=DECIDE):
    return "/admin/law/attest?" + urlencode({"rule": row.rule_id, "row": row.digest})


def test_the_list_says_what_waits_for_the_legal_office_and_what_was_seen(app, people):
    pending = sum(not row.verified for each in rules() for row in each.rows)
    shen = enter(app, "shen")
    page = shen.go("/admin/law")
    assert page.says(f"待核实 {pending}") and page.says("受理后反馈办理结果的期限")
    assert page.says("7 个工作日，遇休息日顺延")
    assert not page.says("决定是否受理的期限")
    page = shen.go("/admin/law?show=all")
    assert page.says("决定是否受理的期限") and page.says("已对照文本")


def test_the_legal_office_vouches_for_a_row_and_it_leaves_the_list(app, people):
    jiang = enter(app, "jiang")
    jiang.go("/admin/law")
    jiang.follow("受理后反馈办理结果的期限")
    assert DECIDE.digest in jiang.page.html
    page = jiang.press("我已对照文本", expect=422, note="看过")
    assert page.says("请写清楚对照的是哪份文本") and ("note", "看过") in page.forms[-1].values
    page = jiang.press("我已对照文本", note="对照国务院公报2025年第19号全文第七条")
    assert page.says("已核实") and not page.says("受理后反馈办理结果的期限")
    kept = db.session.execute(select(Attestation.rule, Attestation.row, Attestation.user_id)).one()
    db.session.rollback()
    assert tuple(kept) == (DECIDE.rule_id, DECIDE.digest, people.users["jiang"])
    assert jiang.go(attest_page()).says("蒋律 已核实")
    assert jiang.go("/admin/law?show=all").says("法制已核实")


def test_an_administrator_reads_a_row_and_may_not_vouch_for_it(app, people):
    shen = enter(app, "shen")
    page = shen.go(attest_page())
    assert page.says("管理员可以看，不能核实") and not any("对照" in b[0] for f in page.forms for b in f.buttons)
    token = next(value for form in page.forms for name, value in form.values if name == "csrf_token")
    answer = shen.post(
        "/admin/law/attest",
        {"csrf_token": token, "rule": DECIDE.rule_id, "row": DECIDE.digest, "note": "对照全文第七条"},
    )
    assert answer.status_code == 403
    assert value(select(func.count()).select_from(Attestation)) == 0


@pytest.mark.parametrize("query", ["", "?rule=nothing&row=x", f"?rule={DECIDE.rule_id}&row={'0' * 64}", "?rule=&row="])
def test_a_row_that_is_not_there_is_not_found(app, people, query):
    assert enter(app, "jiang").go(f"/admin/law/attest{query}", expect=404)


# --- calendar ----------------------------------------------------------------------------------------------------

DAYS = {"notice": "湘政办发〔2026〕99号", "days": "2026-11-26 至 2026-11-27 放假"}


def test_the_calendar_of_a_year_says_what_differs_from_a_plain_week(app, people):
    shen = enter(app, "shen")
    page = shen.go("/admin/calendar?year=2026")
    assert page.says("国庆节") and page.says("调休上班") and page.says("国务院办公厅通知")
    assert shen.go("/admin/calendar?year=2027").says("推算，暂定")
    for year in ("1999", "2999", "abc"):
        assert shen.get(f"/admin/calendar?year={year}").status_code in (200, 404)
    assert shen.get("/admin/calendar?year=1999").status_code == 404


def test_a_notice_is_entered_after_its_effect_was_seen(app, people):
    number = a_case(people, at="accepted")
    shen = enter(app, "shen")
    shen.go("/admin/calendar")
    shen.follow("录入放假通知")
    page = shen.press("看看影响", **DAYS)
    assert page.says(number) and page.says("12月3日（周四）") and page.says("12月7日（周一）") and page.says("推后")
    assert value(select(func.count()).select_from(CalendarOverride)) == 0
    page = shen.press("确认录入")
    assert page.address == "/admin/calendar?year=2026"
    assert page.says("已录入 2 天，2 个期限重新计算") and page.says("湘政办发〔2026〕99号规定放假")
    assert enter(app, "li").go(f"/desk/cases/{number}").says("放假安排变动，期限重新计算")


def test_a_shortened_limit_needs_a_tick_and_is_named_first(app, people):
    a_case(people, at="accepted")
    shen = enter(app, "shen")
    shen.go("/admin/calendar/add")
    page = shen.press("看看影响", notice="湘政办发〔2026〕99号", days="2026-11-28 上班")
    assert page.says("其中 2 个提前")
    page = shen.press("确认录入", expect=422)
    assert page.says("有 2 个期限会提前") and value(select(func.count()).select_from(CalendarOverride)) == 0
    assert shen.press("确认录入", shorter="y").says("已录入 1 天")


def test_what_changed_between_looking_and_confirming_is_shown_again(app, people):
    shen = enter(app, "shen")
    shen.go("/admin/calendar/add")
    shen.press("看看影响", **DAYS)
    number = a_case(people, at="accepted")
    page = shen.press("确认录入", expect=409)
    assert page.says("和您看到的不一样了") and page.says(number)
    assert shen.press("确认录入").says("已录入 2 天")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"notice": ""}, "请填写“通知的文号”"),
        ({"days": "2026-11-26"}, "第 1 行末尾要写"),
        ({"days": "2026-11-26 放假\n明天 上班"}, "第 2 行的日期看不懂"),
        ({"days": "2026-11-30 至 2026-11-26 放假"}, "从早到晚写"),
        ({"days": "2026-01-01 至 2026-12-31 放假"}, "一行最多 31 天"),
        ({"days": "2026-11-22 上班"}, "不在今天以后"),
        ({"days": "2026-11-26 放假\n2026-11-26 上班"}, "写了两次"),
        ({"days": "\n\n"}, "请填写“哪几天”"),
        ({"announces": "1066"}, "请从列出的选项里选一项"),
    ],
)
def test_days_that_cannot_be_meant_get_a_sentence_and_stay(app, people, typed, sentence):
    shen = enter(app, "shen")
    shen.go("/admin/calendar/add")
    page = shen.press("看看影响", expect=422, **{**DAYS, **typed})
    assert page.says(sentence)
    assert ("notice", {**DAYS, **typed}["notice"]) in page.forms[-1].values


def test_a_confirmation_that_was_never_shown_is_only_shown(app, people):
    shen = enter(app, "shen")
    shen.go("/admin/calendar/add")
    page = shen.press("看看影响", expect=409, shown="0" * 64, **DAYS)
    assert page.says("再核对一遍") and value(select(func.count()).select_from(CalendarOverride)) == 0


# --- hostile input -----------------------------------------------------------------------------------------------

ADDRESSES = (
    "/admin/users?after=%00", "/admin/users?before=%00&q=%00", "/admin/users?q=%ff%fe", "/admin/users?q=1&q=2",
    "/admin/users/99999999999999999999", "/admin/users/0", "/admin/roles/99999999999999999999/end",
    "/admin/offices/99999999999999999999", "/admin/law?show=%00", "/admin/law/attest?rule=%00&row=%00",
    f"/admin/calendar?year={'9' * 5000}", "/admin/calendar?year=-1", "/subjects/%00", "/subjects/%F0%9F%9A%9A",
    "/verify/%00", f"/verify/{'A' * 2000}", "/login?next=%00", "/subjects/..%2f..%2fetc",
)  # fmt: skip


def test_a_hostile_address_gets_a_page_and_never_breaks_the_house(app, people):
    shen = enter(app, "shen")
    for address in ADDRESSES:
        assert shen.get(address).status_code in (200, 302, 400, 404), address[:60]


def test_an_impossible_day_of_a_role_gets_a_sentence(app, people):
    shen = enter(app, "shen")
    days = ("0001-01-01", "9999-12-31", "2026-02-30", "明天", "\x00", "2026-11-24T00:00")
    for day, (place, button, field) in product(
        days,
        (
            (f"/admin/roles/{role_of(people, 'liu')}/end", "结束身份", "last_day"),
            (f"/admin/users/{people.users['liu']}/roles/new", "增加身份", "since"),
        ),
    ):
        shen.go(place)
        typed = {"office": str(people.offices["province"]), "role": "review"} if field == "since" else {}
        assert shen.press(button, expect=422, **{field: day}, **typed).title.startswith("需要修改：")


def test_a_day_of_another_age_is_not_declared(app, people):
    shen = enter(app, "shen")
    for day in ("9999-12-31", "0001-01-01", "1999-01-01"):
        shen.go("/admin/calendar/add")
        page = shen.press("看看影响", expect=422, notice="湘政办发〔2026〕99号", days=f"{day} 放假")
        assert page.says("不在能录入的年份里")


def test_what_is_typed_as_markup_stays_words(app, people):
    shen = enter(app, "shen")
    shen.go(f"/admin/users/{people.users['liu']}/name")
    page = shen.press("保存", name="<script>alert(1)</script>")
    assert "<script>alert" not in page.html and page.says("<script>alert(1)</script>")
