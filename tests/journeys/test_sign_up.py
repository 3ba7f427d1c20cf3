"""注册与委托登记: 何静 signs up for a company, an officer looks at her papers, and only then does she act for it."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import func, insert, select, update

from app.db import db, transaction
from app.journal import check_chain
from app.models import (
    Case,
    Identifier,
    JournalLine,
    Jurisdiction,
    Mandate,
    MandatePaper,
    MandateRequest,
    Membership,
    Subject,
    User,
)
from app.registry.codes import complete_code
from app.security import limiter
from tests.build import a_case
from tests.casework.acts import scalar
from tests.cast import SINCE
from tests.journeys.caller import Caller
from tests.journeys.door import enter, outside, people  # noqa: F401
from tests.journeys.hostile import photograph, rows

FRESH = "湘江边上有三只白鹭站着不动"
PAPER = ("授权委托书.png", photograph())


@pytest.fixture(autouse=True)
def city(people):
    """长沙市交通运输局 is answerable for 长沙."""
    with transaction():
        db.session.execute(
            insert(Jurisdiction).values(office_id=people.offices["changsha"], region="430100", name="长沙市")
        )


def typed(cast, **other):
    return {
        "name": "何静", "login": "hejing", "fresh": FRESH, "again": FRESH, "code": cast.codes["yueheng"],
        "capacity": "clerk", "until": "2027-11-30", "files": [PAPER], "truthful": "y", "consent": "y", **other,
    }  # fmt: skip


def signs_up(app, cast, **other):
    """何静 at home; the page after signing up."""
    her = Caller(app.test_client())
    her.go("/login")
    her.follow("在线注册")
    her.press("注册并提交", **typed(cast, **other))
    return her


def receipt_of(caller):
    return caller.page.address.rpartition("/")[2]


def acts(login):
    """What the journal says of a user, in order."""
    lines = select(JournalLine.act, JournalLine.person_name, JournalLine.role, JournalLine.answers)
    user = scalar(select(User.id).where(User.login.startswith(login)))
    assert check_chain("user", user) == []
    lines = lines.where(JournalLine.about == "user", JournalLine.about_id == user).order_by(JournalLine.seq)
    found = db.session.execute(lines).all()
    db.session.rollback()
    return found


def test_whoever_signs_up_acts_for_the_company_once_an_officer_has_seen_the_papers(app, people):
    her = signs_up(app, people)
    receipt = receipt_of(her)
    login = re.search(r"用户名登录：(hejing-[0-9a-z]{4})", her.page.text)[1]
    assert her.page.says("由长沙市交通运输局的受理窗口核对") and her.page.says("湖南岳衡物流有限公司")
    assert her.get("/my/").status_code == 403, "an account alone opens no company"
    assert scalar(select(MandateRequest.office_id)) == people.offices["changsha"]

    assert enter(app, "zhou").get("/desk/mandates").status_code == 404
    liu = enter(app, "liu")
    assert liu.page.says("1 项代办申请等待核对材料")
    assert liu.follow("去核对").says("何静")
    page = liu.follow("何静")
    assert (
        page.says("登记的法定代表人（罗*）不是申请人")
        and page.says("邓敏")
        and "罗建平" not in page.text.replace("罗建平法定代表人", "")
    )
    answer = liu.get(page.link("授权委托书.png"))
    assert answer.data == PAPER[1] and "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    liu.follow("登记委托")  # the entry of the navigation
    liu.go(f"/desk/mandates/{receipt}/confirm")
    assert liu.press("登记委托", expect=422, evidence="").says("请填写“核对了什么材料”")
    page = liu.press("登记委托", evidence="授权委托书（2026年11月20日）")
    assert page.says("从今天起可以代办") and page.says("刘波")

    again = Caller(app.test_client())
    assert again.sign_in(login, FRESH).address == "/my/"
    assert again.go(f"/mandates/{receipt}").says("已经登记")
    held = select(Mandate.capacity, Mandate.evidence, Mandate.valid_from, Mandate.valid_until)
    mandate = db.session.execute(held.order_by(Mandate.id.desc()).limit(1)).one()
    db.session.rollback()
    assert mandate == ("clerk", "授权委托书（2026年11月20日）", date(2026, 11, 24), date(2027, 11, 30))
    told = acts("hejing")
    assert [(line.act, line.person_name, line.role) for line in told] == [
        ("sign_up", "何静", ""), ("ask_mandate", "何静", ""), ("entrust", "刘波", "acceptance"),
    ]  # fmt: skip
    assert FRESH not in str(told) and told[0].answers["consent"] is True
    shen = enter(app, "shen")
    shen.go("/admin/users?q=hejing")
    page = shen.follow("何静")
    assert all(page.says(words) for words in ("本人注册", "申请登记委托", "登记委托", receipt))


def test_nothing_tells_who_else_has_signed_up_or_whom_the_register_knows(app, people):
    """The same name as somebody of the house, a code that no record names: the answer is the same."""
    known = signs_up(app, people, login="deng")
    unknown = signs_up(app, people, login="deng", code=complete_code("91430100MA7X9W9W"))
    pages = [re.sub(r"deng-\w{4}|\w{4}-\w{4}|91430100MA\w{8}|湖南岳衡物流有限公司|\d", "", one.page.text)
             for one in (known, unknown)]  # fmt: skip
    assert pages[0] == pages[1]
    assert scalar(select(func.count()).where(User.login.startswith("deng-"))) == 2
    liu = enter(app, "liu")
    liu.go(f"/desk/mandates/{receipt_of(unknown)}")
    assert liu.page.says("登记簿里还没有这个代码的主体")
    before = rows()
    liu.go(f"/desk/mandates/{receipt_of(unknown)}/confirm")
    assert liu.page.says("现在不能登记委托") and rows() == before
    with transaction():  # a record about it has come in
        subject = db.session.execute(
            insert(Subject).values(kind="enterprise", name="湖南新来运输有限公司").returning(Subject.id)
        ).scalar_one()
        db.session.execute(
            insert(Identifier).values(
                subject_id=subject, kind="uscc", value=complete_code("91430100MA7X9W9W"), valid_from=SINCE
            )
        )
    liu.go(f"/desk/mandates/{receipt_of(unknown)}/confirm")
    assert liu.press("登记委托", evidence="营业执照").says("湖南新来运输有限公司")


def test_a_wrong_answer_gets_a_sentence_and_no_account(app, people):
    her = Caller(app.test_client())
    her.go("/sign-up")
    before = rows()
    for wrong, sentence in (
        ({"name": ""}, "请填写“您的姓名”"),
        ({"login": "何静"}, "小写字母开头"),
        ({"fresh": "jiaotonghunan", "again": "jiaotonghunan"}, "容易被猜到"),
        ({"again": "x" * 12}, "两遍输入的不一样"),
        ({"code": people.codes["yueheng"][:-1] + "0"}, "第18位应为"),
        ({"code": "430102199001011234"}, "这里不能输入身份证号码"),
        ({"capacity": "owner"}, "请从列出的选项里选一项"),
        ({"until": "2026-11-01"}, "委托的最后一天已经过了"),
        ({"files": []}, "请选择证明材料"),
        ({"files": [("a.png", b"MZ\x90" * 99)]}, "a.png没有收下：只收PDF"),
        ({"files": [(f"{n}.png", photograph()) for n in range(6)]}, "最多5个文件"),
        ({"truthful": None}, "您有权代表这个单位"),
        ({"consent": None}, "没有您的同意"),
    ):
        page = her.press("注册并提交", expect=422, **typed(people, **wrong))
        assert page.says(sentence) and page.title.startswith("需要修改："), wrong
        assert "430102199001011234" not in page.html and FRESH not in page.html
        assert rows() == before
    assert her.page.form("注册并提交")[0].values.count(("login", "hejing")) == 1, "what was typed is still there"


def test_a_page_that_is_sent_twice_makes_one_account(app, people):
    her = Caller(app.test_client())
    her.go("/sign-up")
    first, _ = her.send("注册并提交", **typed(people))
    her.client = app.test_client()  # the second press of a hurried person: with the cookie from before
    page = Caller(her.client)
    page.go("/sign-up")
    form, _button = her.page.form("注册并提交")
    key = next(value for name, value in form.values if name == "key")
    second, _ = page.send("注册并提交", **typed(people, key=key))
    assert (first.status_code, second.headers["Location"]) == (303, first.headers["Location"])
    stranger = Caller(app.test_client())
    stranger.go("/sign-up")
    other = "资水边上也有三只白鹭站着不动"
    answer = stranger.press("注册并提交", expect=422, **typed(people, key=key, fresh=other, again=other))
    assert answer.says("这张表单已经提交过") and scalar(select(func.count()).select_from(MandateRequest)) == 1
    assert scalar(select(func.count()).where(User.login.startswith("hejing"))) == 1


def test_accounts_are_not_made_by_the_dozen_but_mistakes_are_not_counted(app, people):
    limiter.enabled = True
    limiter.reset()
    try:
        for n in range(10):
            caller = Caller(app.test_client())
            caller.go("/sign-up")
            if n < 3:
                caller.press("注册并提交", expect=422, **typed(people, truthful=None))
            assert caller.send("注册并提交", **typed(people))[0].status_code == 303
        caller = Caller(app.test_client())
        caller.go("/sign-up")
        page = caller.press("注册并提交", expect=429, **typed(people))
        assert page.says("过一小时再试") and 'value="hejing"' in page.html
        assert scalar(select(func.count()).where(User.login.startswith("hejing"))) == 10
    finally:
        limiter.reset()
        limiter.enabled = False


def test_a_refusal_says_why_and_the_papers_can_be_handed_in_anew(app, people):
    her = signs_up(app, people)
    receipt = receipt_of(her)
    liu = enter(app, "liu")
    liu.go(f"/desk/mandates/{receipt}/refuse")
    assert liu.press("不予登记", expect=422, reason="").says("请填写")
    liu.press("不予登记", reason="委托书没有盖公章，请盖章后再交。")
    page = her.go(f"/mandates/{receipt}")
    assert page.says("没有登记") and page.says("委托书没有盖公章")
    her.follow("补齐材料再申请")
    asked = {name: value for name, value in typed(people).items() if name not in ("name", "login", "fresh", "again")}
    del asked["consent"]
    her.press("提交申请", **asked)
    second = receipt_of(her)
    her.go("/mandates/new")
    assert her.press("提交申请", expect=422, **asked).says("您已经为这个代码提出过申请")
    her.go(f"/mandates/{second}")
    assert her.press("撤回申请").says("本人撤回")
    page = her.go("/mandates")
    assert page.says(receipt) and page.says(second) and page.says("没有通过")
    assert enter(app, "deng").get(f"/mandates/{second}").status_code == 404, "another's request does not exist"
    assert liu.go("/desk/mandates").says("没有等待核对的申请")
    assert liu.go("/desk/mandates?state=settled&text=何静").says(receipt)
    assert [line.act for line in acts("hejing")] == [
        "sign_up", "ask_mandate", "refuse_mandate", "ask_mandate", "withdraw_request",
    ]  # fmt: skip


def test_what_another_officer_has_decided_meanwhile_is_not_decided_again(app, people):
    receipt = receipt_of(signs_up(app, people))
    liu, li = enter(app, "liu"), enter(app, "li")
    liu.go(f"/desk/mandates/{receipt}/confirm")
    li.go(f"/desk/mandates/{receipt}/refuse")  # the province sees it too
    li.press("不予登记", reason="委托书上的姓名与申请人不一致。")
    before = rows()
    page = liu.press("登记委托", expect=409, evidence="授权委托书")
    assert page.says("刚刚有了结果") and page.says("李昊") and rows() == before


def test_an_officer_keeps_away_from_a_request_of_their_own_and_of_those_they_act_for(app, people):
    li = enter(app, "li")
    li.go("/mandates/new")
    asked = {name: value for name, value in typed(people).items() if name in
             ("code", "capacity", "files", "truthful", "until")}  # fmt: skip
    li.press("提交申请", **asked)
    own = receipt_of(li)
    assert not li.go("/desk/").says("等待核对材料")
    for deed in ("confirm", "refuse"):
        assert li.go(f"/desk/mandates/{own}/{deed}").says("这是您自己的申请")
    with transaction():
        db.session.execute(
            insert(Mandate).values(
                user_id=people.users["liu"], subject_id=people.subjects["yueheng"], capacity="clerk",
                evidence="委托书", valid_from=SINCE,
            )
        )  # fmt: skip
    liu = enter(app, "liu")
    page = liu.go(f"/desk/mandates/{own}")
    assert page.says("应当回避")
    token = next(value for form in liu.go("/password").forms for name, value in form.values if name == "csrf_token")
    before = rows()
    answer = liu.post(f"/desk/mandates/{own}/confirm", {"csrf_token": token, "evidence": "x"})
    assert answer.status_code == 422 and rows() == before


def test_a_city_sees_its_own_region_only_the_province_everything(app, people):
    elsewhere = signs_up(app, people, code=complete_code("91430600MA7X9W9W"))
    here = signs_up(app, people)
    liu, li = enter(app, "liu"), enter(app, "li")
    assert [liu.get(f"/desk/mandates/{receipt_of(one)}").status_code for one in (elsewhere, here)] == [404, 200]
    assert [li.get(f"/desk/mandates/{receipt_of(one)}").status_code for one in (elsewhere, here)] == [200, 200]
    paper = scalar(select(func.min(MandatePaper.id)))
    assert liu.get(f"/desk/mandates/{receipt_of(here)}/papers/{paper}").status_code == 404
    assert liu.get(f"/desk/mandates/{receipt_of(elsewhere)}/papers/{paper}").status_code == 404
    with transaction():
        db.session.execute(update(Membership).where(Membership.user_id == people.users["liu"]).values(role="review"))
    assert liu.get(f"/desk/mandates/{receipt_of(here)}").status_code == 404


def test_a_mandate_is_given_up_by_its_holder_or_ended_by_the_office(app, people):
    number = a_case(people, at="draft")
    with transaction():
        db.session.execute(
            update(Mandate).where(Mandate.user_id == people.users["luo"]).values(valid_until=date(2026, 1, 1))
        )
    deng = enter(app, "deng")
    deng.go("/mandates")
    deng.follow("不再代办")
    assert deng.press("结束代办", expect=422, last_day="2026-11-23").says("没有人能办")
    page = deng.press("结束代办", last_day="2026-11-23", accept="y")
    assert page.says("还没有可以代表的单位") and deng.get("/my/").status_code == 403
    assert scalar(select(Case.state).where(Case.number == number)) == "draft"

    her = signs_up(app, people)
    receipt = receipt_of(her)
    liu = enter(app, "liu")
    liu.go(f"/desk/mandates/{receipt}/confirm")
    liu.press("登记委托", evidence="授权委托书")
    liu.follow("结束委托")
    page = liu.press("结束委托", last_day="2026-11-23", reason="委托单位来函撤销委托", expect=422)
    assert page.says("没有人能办"), "whoever filed has given up; she alone could act on the draft"
    page = liu.press("结束委托", last_day="2026-11-23", reason="委托单位来函撤销委托", accept="y")
    assert page.says("委托已经结束") and her.get("/my/").status_code == 403
    assert acts("hejing")[-1].answers["reason"] == "委托单位来函撤销委托"
