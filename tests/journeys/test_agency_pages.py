"""谢婷 of the market supervision bureau at the linked departments' counter: what she was told, what she answers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from app.db import db, transaction
from app.models import Attempt, Delivery, Endpoint, Issue, JournalLine, Membership, Notice, Receipt, Subject
from app.notices.formats import FORMATS
from app.now import now
from tests.build import a_case, night
from tests.casework.acts import annul, company, officer, scalar, told
from tests.cast import SINCE, Cast
from tests.conftest import Clock
from tests.journeys.caller import Caller
from tests.journeys.conftest import STATEMENTS, Visitor


@pytest.fixture
def at_counter(visitor: Visitor, cast: Cast) -> Callable[[str], Caller]:
    """`at_counter("xie")` is somebody who has signed in; 谢婷 and her colleague act for the market supervision bureau,
    孔令 for the trading centre."""

    class Counted(Caller):
        def get(self, address: str) -> Any:
            visitor.statements.clear()
            answer = super().get(address)
            assert len(visitor.statements) <= STATEMENTS, f"{address}: {len(visitor.statements)}"
            return answer

    officer(cast, "xie", "linked", office="ld-market")
    officer(cast, "xiao", "linked", office="ld-market")
    officer(cast, "kong", "linked", office="ld-trading")

    def come_in(name: str) -> Caller:
        visitor.become(name)
        return Counted(visitor.client)

    return come_in


def notice(number: str, receiver: str = "ld-market", act: str | None = None) -> Any:
    """The latest notice of a case to a receiver."""
    return told(number, act)[receiver][-1]


def receipts() -> list[tuple[str, str, str]]:
    """Every receipt: kind, number and reason, in order."""
    rows = db.session.execute(select(Receipt.kind, Receipt.number, Receipt.reason).order_by(Receipt.id)).all()
    db.session.rollback()
    return [(row.kind, row.number, row.reason) for row in rows]


# ---- what waits


def test_what_must_be_answered_stands_first_with_its_date_and_the_late_is_asked_for_politely(
    cast: Cast, clock: Clock, at_counter: Callable[[str], Caller]
) -> None:
    clock.go("2026-11-18")
    old = notice(a_case(cast, at="processing")).key
    clock.go("2026-11-24")
    fresh = notice(a_case(cast, at="processing")).key
    page = at_counter("xie").go("/agency/")
    assert page.html.index(old) < page.html.index(fresh)
    assert page.says("2 份等贵单位办理并回执，其中1 份已过约定的日期，烦请先办")
    assert page.says("请于 11月23日（周一）前确认") and page.says("已过 1 个工作日，烦请尽快")
    assert page.says("请于 11月27日（周五）前确认") and page.says("还剩 3 个工作日")
    assert page.says("停止公示、停止使用，解除因此采取的措施") and page.says("湖南岳衡物流有限公司 · 准予修复")
    assert page.says("上一份：11月18日（周三） 准予修复（没有回执）")
    assert "超期" not in page.text, "a request, not a reproach"


def test_one_finds_a_notice_by_name_code_or_number_and_others_find_nothing(
    cast: Cast, at_counter: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="processing")
    key = notice(number).key
    xie = at_counter("xie")
    for typed in ("岳衡物流", cast.codes["yueheng"].lower(), "湘交罚〔2026〕1号", key):
        assert key in xie.go(f"/agency/?text={typed}").html, typed
        assert key in xie.go(f"/agency/notices?text={typed}").html, typed
    for typed in ("%", "_", "湖_岳", "别的公司", "' OR 1=1", "x" * 500):
        page = xie.go(f"/agency/?text={typed}")
        assert f"/notices/{key}" not in page.html and page.says("待处理的通知里没有"), typed


def test_the_list_goes_on_page_by_page(cast: Cast, clock: Clock, at_counter: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="processing")
    first = notice(number)
    with transaction():
        kept = db.session.execute(select(*Notice.__table__.c).where(Notice.id == first.id)).one()._mapping
        for n in range(2, 60):
            row = dict(kept) | {"key": f"case-0-{n}-ld-market", "seq": 100 + n}
            del row["id"]
            new = db.session.execute(insert(Notice.__table__).values(**row).returning(Notice.id)).scalar_one()
            db.session.execute(
                insert(Delivery.__table__).values(
                    notice_id=new, receiver_id=row["receiver_id"], subject_id=row["subject_id"], seq=row["seq"],
                    next_at=now(), state="waiting", channel="", attempts=0, trouble="", receipt="",
                )
            )  # fmt: skip
    for start in ("/agency/", "/agency/notices"):
        xie, seen, page_no = at_counter("xie"), set(), 0
        page = xie.go(start)
        while True:
            page_no += 1
            found = set(re.findall(r"/agency/notices/(case-[a-z0-9-]+)", page.html)) - seen
            assert found, page_no
            seen |= found
            if not page.says("下一页"):
                break
            page = xie.follow("下一页")
        assert (page_no, len(seen)) == (3, 59)
        assert xie.follow("上一页").says("上一页")


# ---- one notice


def test_a_notice_says_in_words_what_happened_and_how_it_came(cast: Cast, at_counter: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="processing")
    told_of = notice(number)
    with transaction():
        for minutes, status, detail in ((0, None, "连接超时"), (5, 503, "")):
            db.session.execute(
                insert(Attempt).values(
                    notice_id=told_of.id, at=now() + timedelta(minutes=minutes), took_ms=9, channel="webhook",
                    status=status, detail=detail,
                )
            )  # fmt: skip
        db.session.execute(
            update(Delivery)
            .where(Delivery.notice_id == told_of.id)
            .values(attempts=2, next_at=now() + timedelta(minutes=30))
        )
    xie = at_counter("xie")
    page = xie.go(f"/agency/notices/{told_of.key}")
    for words in (
        "湖南岳衡物流有限公司", cast.codes["yueheng"], "准予修复", "停止公示、停止使用，解除因此采取的措施", "失信分类",
        "决定日期", "2026年11月24日", "核验决定书",
        "送了 2 次还没有送到，11月24日 10:30再送", "连接超时", "对方返回 503",
        "请于 11月27日（周五）前确认", "湘交罚〔2026〕1号",
    ):  # fmt: skip
        assert page.says(words), words
    assert "{" not in page.text and "seq" not in page.text
    code = told_of.payload["verify_at"].rpartition("/")[2]
    assert page.link("核验决定书").endswith(f"/verify/{code}")


@pytest.mark.parametrize("format", FORMATS)
def test_a_notice_in_any_format_is_read_in_words(cast: Cast, at_counter: Callable[[str], Caller], format: str) -> None:
    with transaction():
        db.session.execute(
            insert(Endpoint).values(office_id=cast.offices["ld-market"], channel="counter", format=format, address="")
        )
    xie = at_counter("xie")
    key = notice(a_case(cast, at="processing")).key
    page = xie.go(f"/agency/notices/{key}")
    assert page.says("湖南岳衡物流有限公司") and page.says("准予修复") and page.says("核验决定书")
    assert "{" not in page.text and "[" not in page.text and "Code" not in page.text
    assert page.says("请贵单位：停止公示、停止使用") or page.says("请贵单位：更新这条信息的处理结果")


def test_she_answers_and_everybody_sees_it(cast: Cast, clock: Clock, at_counter: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="processing")
    key = notice(number).key
    clock.go("2026-11-25 16:30")
    xie = at_counter("xie")
    xie.go("/agency/")
    xie.follow("停止公示、停止使用")
    page = xie.press("提交回执", kind="done", number="市监信〔2026〕88号")
    assert page.says("回执已提交：已办理") and page.says("编号 市监信〔2026〕88号") and page.says("xie在窗口提交")
    assert receipts() == [("done", "市监信〔2026〕88号", "")]
    page = xie.go("/agency/")
    assert page.says("没有要回执的通知，都办好了") and key not in page.html
    assert key in xie.go("/agency/notices?state=confirmed").html
    assert key not in xie.go("/agency/notices?state=open").html


def test_what_cannot_be_done_needs_a_reason_and_a_later_receipt_counts(
    cast: Cast, clock: Clock, at_counter: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="processing")
    key = notice(number).key
    xie = at_counter("xie")
    xie.go(f"/agency/notices/{key}")
    page = xie.press("提交回执", expect=422, kind="not_found", number="7号")
    assert page.says("请写明情况和理由") and 'value="7号"' in page.html and receipts() == []
    page = xie.press("提交回执", kind="not_found", reason="主体库里没有这个代码")
    assert page.says("最后一份回执：查找不到") and page.says("主体库里没有这个代码")
    assert scalar(select(func.count()).select_from(Issue).where(Issue.closed_at.is_(None))) == 1
    assert key not in xie.go("/agency/").html, "it has been answered"
    xie.go(f"/agency/notices/{key}")
    page = xie.press("提交回执", kind="done")
    assert page.says("最后一份回执：已办理") and page.says("2 份，以最后一份为准")
    assert [kind for kind, _n, _r in receipts()] == ["not_found", "done"]
    assert scalar(select(func.count()).select_from(Issue).where(Issue.closed_at.is_(None))) == 0


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({}, "请选一项"),
        ({"kind": "perhaps"}, "请从列出的选项里选一项"),
        ({"kind": "done", "done_on": ""}, "请填写办理的日期"),
        ({"kind": "done", "done_on": "前天"}, "不是日期"),
        ({"kind": "done", "done_on": "2026-12-24"}, "办理时间不能晚于现在"),
        ({"kind": "done", "done_on": "2026-11-01"}, "办理时间早于通知发出的日期"),
        ({"kind": "refused", "reason": "不\u202e行"}, "看不见的控制字符"),
        ({"kind": "refused", "reason": "长" * 501}, "最多 500 字"),
        ({"kind": "done", "number": "长" * 101}, "最多 100 字"),
        ({"kind": "done", "key": "<script>"}, "页面不完整"),
        ({"kind": "done", "seen": "x"}, "页面不完整"),
    ],
)
def test_a_receipt_filled_in_wrongly_comes_back_with_everything_in_it(
    cast: Cast, at_counter: Callable[[str], Caller], filled: dict[str, str], sentence: str
) -> None:
    xie = at_counter("xie")
    xie.go(f"/agency/notices/{notice(a_case(cast, at='processing')).key}")
    page = xie.press("提交回执", expect=422, **{"number": "甲-1", **filled})
    assert page.says(sentence) and receipts() == []
    if filled.get("number") is None:
        assert 'value="甲-1"' in page.html


def test_the_form_sent_twice_is_one_receipt_and_a_colleague_who_was_faster_is_named(
    cast: Cast, at_counter: Callable[[str], Caller]
) -> None:
    key = notice(a_case(cast, at="processing")).key
    xie, xiao = at_counter("xie"), at_counter("xiao")
    for one in (xie, xiao):
        one.go(f"/agency/notices/{key}")
    for _ in range(2):
        answer, _action = xie.send("提交回执", kind="done", number="1")
        assert answer.status_code == 303
    assert len(receipts()) == 1
    page = xiao.press("提交回执", expect=409, kind="refused", reason="不归我们管")
    assert page.says("xie在11月24日 10:00已经为这份通知交了回执（已办理）") and page.says("不归我们管")
    assert len(receipts()) == 1, "nothing has been overwritten"
    page = xiao.press("提交回执", kind="refused", reason="不归我们管")
    assert [kind for kind, _n, _r in receipts()] == ["done", "refused"], "seen and sent on purpose"


# ---- several at once


def test_several_are_answered_at_once_and_one_that_was_answered_meanwhile_is_reported(
    cast: Cast, at_counter: Callable[[str], Caller]
) -> None:
    keys = []
    for n in range(3):
        company(cast, f"甲{n}", "deng")
        kept = cast.subjects["yueheng"], cast.codes["yueheng"]
        cast.subjects["yueheng"], cast.codes["yueheng"] = cast.subjects[f"甲{n}"], cast.codes[f"甲{n}"]
        keys.append(notice(a_case(cast, at="processing")).key)
        cast.subjects["yueheng"], cast.codes["yueheng"] = kept
    xie, xiao = at_counter("xie"), at_counter("xiao")
    xie.go("/agency/")
    page = xie.go(f"/agency/receipts?notice={keys[0]}&notice={keys[1]}&notice={keys[2]}")
    assert page.says("下面 3 份通知，用同一份办理结果回执") and page.says("湖南演示甲1运输有限公司")
    xiao.go(f"/agency/notices/{keys[1]}")
    xiao.press("提交回执", kind="refused", reason="正在诉讼")
    page = xie.press("确认，提交 3 份回执", kind="holds_nothing", number="批-9")
    assert page.says("已提交 2 份回执") and page.says("1 份没有提交")
    assert page.says("xiao在窗口提交（11月24日 10:00）：不予办理")
    assert receipts() == [("refused", "", "正在诉讼"), ("holds_nothing", "批-9", ""), ("holds_nothing", "批-9", "")]
    again = xie.go(page.address.partition("localhost")[2] or page.address)
    assert again.says("已提交 2 份回执"), "the page can be opened again"


def test_bulk_refuses_without_a_reason_and_twice_pressed_is_once_given(
    cast: Cast, at_counter: Callable[[str], Caller]
) -> None:
    keys = [notice(a_case(cast, at="processing")).key for _ in range(2)]
    xie = at_counter("xie")
    xie.go(f"/agency/receipts?notice={keys[0]}&notice={keys[1]}")
    page = xie.press("确认", expect=422, kind="not_found", number="批-1")
    assert page.says("请写明情况和理由") and 'value="批-1"' in page.html and receipts() == []
    page = xie.press("确认", expect=422, kind="done", done_on="2026-11-01")
    assert page.says("办理时间早于通知发出的日期") and receipts() == [], "none of them"
    for _ in range(2):
        answer, _action = xie.send("确认", kind="done", done_on="2026-11-24")
        assert answer.status_code == 303
    assert [kind for kind, _n, _r in receipts()] == ["done", "done"]
    page = xie.go(f"/agency/receipts?notice={keys[0]}&notice={keys[1]}")
    assert page.says("选中的通知都已经回执过")


def test_nothing_chosen_leads_back_to_the_list(cast: Cast, at_counter: Callable[[str], Caller]) -> None:
    xie = at_counter("xie")
    assert xie.go("/agency/receipts").says("请先选中要回执的通知")
    assert xie.get("/agency/receipts?notice=case-1-1-nobody").status_code == 404
    assert xie.get("/agency/receipts/done?key=abc").status_code == 404
    assert xie.get("/agency/receipts/done").status_code == 404


# ---- everything, and as a file


def test_everything_she_was_told_can_be_narrowed_and_taken_along(
    cast: Cast, clock: Clock, at_counter: Callable[[str], Caller]
) -> None:
    clock.go("2026-11-02")
    early = notice(a_case(cast, at="processing")).key
    clock.go("2026-11-24")
    record = cast.penalty()
    number = a_case(cast, at="processing", record=record)
    late = notice(number).key
    annul(cast, record)
    night(with_press=False)
    gone = notice(number, act="supersede").key
    with transaction():
        db.session.execute(
            update(Subject).where(Subject.id == cast.subjects["yueheng"]).values(name="=cmd|湖南岳衡物流有限公司")
        )
    xie = at_counter("xie")
    for question, found in (
        ("", {early, late, gone}),
        ("state=open", {early, late, gone}),
        ("state=confirmed", set()),
        ("decision=准予修复", {early, late}),
        ("decision=处罚已撤销", {gone}),
        ("since=2026-11-10", {late, gone}),
        ("until=2026-11-10", {early}),
        ("since=2026-11-24&until=2026-11-24&decision=处罚已撤销", {gone}),
        ("since=nonsense&state=nonsense", {early, late, gone}),
    ):
        page = xie.go(f"/agency/notices?{question}")
        assert set(re.findall(r'/agency/notices/(case-[a-z0-9-]+)">', page.html)) == found, question
        sheet = xie.get(f"/agency/notices.csv?{question}")
        assert sheet.mimetype == "text/csv" and "attachment" in sheet.headers["Content-Disposition"]
        text = sheet.get_data(as_text=True)
        assert text.startswith("\ufeff")
        rows = list(csv.reader(io.StringIO(text[1:])))
        assert {row[0] for row in rows[1:]} == found, question
        assert all(row[3].startswith("'=cmd") for row in rows[1:]), "a spreadsheet calculates nothing"


# ---- who may


def test_a_department_sees_its_own_and_of_others_nothing(cast: Cast, at_counter: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="processing")
    mine, theirs = notice(number).key, notice(number, "ld-trading").key
    xie, kong = at_counter("xie"), at_counter("kong")
    assert xie.get(f"/agency/notices/{mine}").status_code == 200
    for caller, key in ((xie, theirs), (kong, mine), (xie, "case-1-1-nobody")):
        assert caller.get(f"/agency/notices/{key}").status_code == 404
        assert caller.get(f"/agency/receipts?notice={key}").status_code == 404
    kong.go(f"/agency/notices/{theirs}")
    form, _button = kong.page.form("提交回执")  # type: ignore[union-attr]
    data = dict(form.values) | {"kind": "done"}
    assert kong.post(f"/agency/notices/{mine}", data).status_code == 404
    assert kong.post("/agency/receipts", data | {"notice": mine}).status_code == 404
    xie.go(f"/agency/notices/{mine}")
    xie.press("提交回执", kind="done")
    assert receipts() and kong.get(f"/agency/receipts/done?key=x&left={mine}").status_code == 404
    for address in ("/agency/", "/agency/notices", "/agency/notices.csv", f"/agency/notices?text={mine}"):
        assert mine not in kong.get(address).get_data(as_text=True).replace(f'value="{mine}"', "").replace(
            f"查找：{mine}", ""
        )
    assert kong.get(f"/desk/cases/{number}").status_code == 403, "the case itself is nobody's business there"


def test_who_ends_their_part_ends_it_with_the_next_request(cast: Cast, at_counter: Callable[[str], Caller]) -> None:
    key = notice(a_case(cast, at="processing")).key
    xie = at_counter("xie")
    xie.go(f"/agency/notices/{key}")
    with transaction():
        db.session.execute(
            update(Membership)
            .where(Membership.user_id == cast.users["xie"])
            .values(valid_until=(now() - timedelta(days=1)).date())
        )
    answer, _action = xie.send("提交回执", kind="done")
    assert answer.status_code == 403 and receipts() == []
    assert xie.get("/agency/").status_code == 403


def test_who_acts_for_two_departments_says_for_which(cast: Cast, at_counter: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="processing")
    market, trading = notice(number).key, notice(number, "ld-trading").key
    with transaction():
        db.session.execute(
            insert(Membership).values(
                user_id=cast.users["xie"], office_id=cast.offices["ld-trading"], role="linked", valid_from=SINCE
            )
        )
    xie = at_counter("xie")
    page = xie.go("/agency/")
    assert page.says("您正在为 湖南省市场监督管理局 办理") and market in page.html and trading not in page.html
    page = xie.press("湖南省公共资源交易中心")
    assert page.says("您正在为 湖南省公共资源交易中心 办理") and trading in page.html and market not in page.html
    page = xie.go(f"/agency/notices/{market}")
    assert page.says("发给湖南省市场监督管理局的通知"), "the receipt is the addressee's, whoever is chosen above"
    xie.press("提交回执", kind="done")
    line = db.session.execute(select(JournalLine.office_id).where(JournalLine.act == "receipt")).scalar_one()
    db.session.rollback()
    assert line == cast.offices["ld-market"]
    assert xie.post("/agency/switch", {"csrf_token": token(xie), "department": "1"}).status_code == 404


def token(caller: Caller) -> str:
    """A token of this session."""
    page = caller.go("/agency/")
    return next(value for form in page.forms for name, value in form.values if name == "csrf_token")
