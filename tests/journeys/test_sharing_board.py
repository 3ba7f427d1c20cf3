"""同步情况 and 对账: 贺岚 and 唐文 look after what others were told, 谢婷 says whether her book agrees."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.casework.receive import Said, take_receipt
from app.db import db, transaction
from app.duty import statements
from app.models import Delivery, Issue, JournalLine, Notice, Statement
from app.notices.dead import bury
from app.now import now
from tests.build import a_case
from tests.casework.acts import company, officer, scalar, told
from tests.cast import Cast
from tests.conftest import Clock
from tests.journeys.caller import Caller
from tests.journeys.conftest import STATEMENTS, Visitor
from tests.notices.test_own_books import behind_our_back

MARKET = "湖南省市场监督管理局"


@pytest.fixture
def come(visitor: Visitor, cast: Cast) -> Callable[[str], Caller]:
    """`come("he")` is somebody who has signed in; no page takes more than the house's statements. 谢婷 acts for the
    market supervision bureau, 孔令 for the trading centre, 方宁 handles information in 长沙."""

    class Counted(Caller):
        def get(self, address: str) -> Any:
            visitor.statements.clear()
            answer = super().get(address)
            assert len(visitor.statements) <= STATEMENTS, f"{address}: {len(visitor.statements)}"
            return answer

    officer(cast, "xie", "linked", office="ld-market")
    officer(cast, "kong", "linked", office="ld-trading")
    officer(cast, "fang", "processing", office="changsha")

    def come_in(name: str) -> Caller:
        visitor.become(name)
        return Counted(visitor.client)

    return come_in


def arrive(receiver: str = "ld-market") -> None:
    """What waits for a receiver has arrived."""
    with transaction():
        for id, code in notices():
            if code == receiver:
                db.session.execute(
                    update(Delivery)
                    .where(Delivery.notice_id == id, Delivery.state == "waiting")
                    .values(state="delivered", delivered_at=now(), attempts=1, channel="webhook")
                    .execution_options(synchronize_session=False)
                )


def notices() -> list[tuple[int, str]]:
    """Notices and the codes of their receivers, inside a transaction."""
    from app.models import Office

    rows = db.session.execute(
        select(Notice.id, Office.code).join(Office, Office.id == Notice.receiver_id).order_by(Notice.id)
    )
    return [(row.id, row.code) for row in rows]


def die(number: str, receiver: str = "ld-market") -> Any:
    """The notice of a case to a receiver was given up; returns it."""
    notice = told(number)[receiver][-1]
    with transaction():
        db.session.execute(update(Delivery).where(Delivery.notice_id == notice.id).values(attempts=31))
        bury(notice.id, "到期没有送达", {"attempts": 31, "last": "connection refused"}, now())
    return notice


def confirm(cast: Cast, number: str, kind: str = "done", reason: str = "", receiver: str = "ld-market") -> None:
    """谢婷 gives the receipt."""
    who = cast.who("xie" if receiver == "ld-market" else "kong")
    key = told(number)[receiver][-1].key
    said = Said(kind, f"r-{key}-{kind}", now() if kind == "done" else None, reason=reason)
    with transaction():
        take_receipt(key, said, receiver_id=cast.offices[receiver], actor=who, via="counter", at=now())


def state_of(notice: Any) -> str:
    """Where a delivery stands."""
    return str(scalar(select(Delivery.state).where(Delivery.notice_id == notice.id)))


def test_the_board_says_of_every_receiver_what_waits_what_is_late_and_what_went_wrong(
    cast: Cast, clock: Clock, come: Callable[[str], Caller]
) -> None:
    first, second = a_case(cast, at="processing"), a_case(cast, at="processing")
    arrive()
    confirm(cast, first)
    clock.go("2026-11-30")
    third = a_case(cast, at="processing")
    die(third)
    he = come("he")
    page = he.go("/desk/")
    page = he.follow("同步情况")
    assert page.says("有通知送不到") and page.says("1 份送达失败") and page.says("1 份已过期") and page.says("50%")
    assert page.text.index(MARKET) < page.text.index("湖南省公共资源交易中心"), "those in trouble come first"
    page = he.follow("1 份已过期")
    assert page.says(second) and not page.says(first) and not page.says(third)
    page = he.go("/desk/sharing/to/ld-market?state=confirmed")
    assert page.says(first) and page.says("已办理") and not page.says(second)
    page = he.go(f"/desk/sharing/to/ld-market?text={third}")
    assert page.says("送达失败") and not page.says(first)
    assert he.go("/desk/sharing/to/ld-market?text=没有这家").says("没有符合条件的通知")


def test_a_list_of_many_notices_has_pages_and_keeps_its_filter(cast: Cast, come: Callable[[str], Caller]) -> None:
    numbers = [a_case(cast, at="processing") for _ in range(26)]
    he = come("he")
    page = he.go("/desk/sharing/to/ld-market?state=waiting")
    assert page.says("本页 25 份") and page.says(numbers[-1]) and not page.says(numbers[0])
    page = he.follow("下一页")
    assert "state=waiting" in page.address and page.says("本页 1 份") and page.says(numbers[0])


def test_dead_letters_are_sent_again_one_by_one_or_all_of_an_outcome(cast: Cast, come: Callable[[str], Caller]) -> None:
    letters = []
    for n in range(3):
        company(cast, f"c{n}", "deng")
        cast.subjects["yueheng"] = cast.subjects[f"c{n}"]
        letters.append(die(a_case(cast, at="processing", of=f"c{n}")))
    he = come("he")
    he.go("/desk/sharing/to/ld-market")
    page = he.follow("去重新投递或者跳过")
    assert page.says("到期没有送达") and page.says("试过 31 次")
    page = he.press("重新投递选中的", expect=422, notice=[letters[0].key])
    assert page.says("请填写“为什么现在能送到”")
    assert f'value="{letters[0].key}" id="choose-{letters[0].id}" checked' in page.html, "the choice is kept"
    page = he.press("重新投递选中的", expect=422, reason="对方已恢复", notice=[])
    assert page.says("请先选中")
    page = he.press("重新投递选中的", reason="对方已恢复", notice=[letters[0].key])
    assert page.says("1 份重新投递") and [state_of(one) for one in letters] == ["waiting", "dead", "dead"]
    page = he.press("重新投递这种事项的全部", expect=422, reason="对方已恢复", act="refuse")
    assert page.says("没有您单位可以重新投递的")
    page = he.press("重新投递这种事项的全部", reason="对方已恢复", act="confirm")
    assert page.says("2 份重新投递") and page.says("没有送达失败的通知")
    assert scalar(select(func.count()).where(Issue.closed_at.is_(None))) == 0


def test_a_letter_is_skipped_by_two_people(cast: Cast, come: Callable[[str], Caller]) -> None:
    letter = die(a_case(cast, at="processing"))
    later = a_case(cast, at="processing")
    he = come("he")
    he.go("/desk/sharing/issues")
    he.follow(letter.key)
    page = he.follow("跳过")
    assert page.says("后面的 1 份随即开始投递")
    assert he.press("提出跳过", expect=422).says("请填写")
    page = he.press("提出跳过", reason="该单位已撤并，由承接单位办理")
    assert page.says("已提出跳过") and page.says("等另一个人确认") and "确认跳过" not in page.text
    answer, _address = he.send("另提一个理由", do="confirm", reason="x")
    assert answer.status_code == 422 and "您是提出的人" in answer.get_data(as_text=True)
    tang = come("tang")
    page = tang.go(f"/desk/sharing/notices/{letter.key}/skip")
    assert page.says("贺岚提出跳过") and page.says("该单位已撤并")
    assert tang.press("确认跳过").says("已跳过")
    assert (state_of(letter), state_of(told(later)["ld-market"][-1])) == ("skipped", "waiting")
    assert tang.get(f"/desk/sharing/notices/{letter.key}/skip").status_code == 404


def test_an_issue_is_closed_with_what_was_done(cast: Cast, come: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="processing")
    arrive()
    confirm(cast, number, "not_found", "系统里没有这家企业")
    he = come("he")
    he.go("/desk/sharing")
    he.follow("1 条")
    page = he.follow(told(number)["ld-market"][-1].key)
    assert page.says("对方查找不到") and page.says("系统里没有这家企业") and page.says(number)
    assert he.press("了结这条异常", expect=422).says("请填写")
    twin = come("tang")
    address = page.address
    twin.go(address)
    assert he.go(address) and he.press("了结这条异常", outcome="对方改用新代码查到，已补办").says("已了结，记入记录")
    page = twin.press("了结这条异常", expect=409, outcome="我也办了")
    assert page.says("已经了结") and page.says("对方改用新代码查到")
    assert he.go("/desk/sharing/issues").says("没有未了结的异常")
    assert he.go("/desk/sharing/issues?closed=1&kind=not_found").says("对方改用新代码查到")
    line = db.session.execute(select(JournalLine.act, JournalLine.person_name).filter_by(about="issue")).one()
    db.session.rollback()
    assert tuple(line) == ("close", "贺岚")


def test_an_officer_of_a_city_sees_what_is_theirs_and_no_statement(cast: Cast, come: Callable[[str], Caller]) -> None:
    """The province looks over everything; a city over its own records; whoever else is at the desk, over nothing."""
    ours, theirs = a_case(cast, at="processing"), cast.penalty(office="changsha")
    letter = die(ours)
    assert theirs
    fang = come("fang")
    page = fang.go("/desk/sharing")
    assert page.says("没有") and not page.says("1 份送达失败") and "对账单" not in page.text
    assert not fang.go("/desk/sharing/to/ld-market").says(ours)
    issue = scalar(select(Issue.id))
    for address in (
        f"/desk/sharing/issues/{issue}", f"/desk/sharing/notices/{letter.key}/skip", "/desk/sharing/statements",
        "/desk/sharing/books", "/desk/sharing/to/jt-430000", "/desk/sharing/to/nobody",
    ):  # fmt: skip
        assert fang.get(address).status_code == 404, address
    fang.go("/desk/sharing/to/ld-market/dead")
    for name in ("li", "zhou", "chen", "jiang"):
        other = come(name)
        assert "同步情况" not in other.go("/desk/").text
        for address in ("/desk/sharing", "/desk/sharing/issues", f"/desk/sharing/issues/{issue}"):
            assert other.get(address).status_code == 404, (name, address)


def test_a_statement_is_drawn_answered_and_settled(cast: Cast, clock: Clock, come: Callable[[str], Caller]) -> None:
    numbers = [a_case(cast, at="processing") for _ in range(3)]
    arrive()
    for number in numbers:
        confirm(cast, number)
    he = come("he")
    he.go("/desk/sharing/to/ld-market")
    page = he.follow("对账单")
    assert he.press("出具", expect=422, receiver="", since="2026-11-01", until="2026-11-30").says("请选一项")
    page = he.press("出具", expect=422, receiver="ld-market", since="2026-11-01", until="2026-11-30")
    assert page.says("结束的日期不能晚于今天")
    page = he.press("出具", receiver="ld-market", since="2026-11-01", until="2026-11-24")
    assert page.says("对账单已经出具") and page.says("还没有。对方在") and page.says("PDF 正在排印")
    own = page.address
    assert statements.turn() == 1
    db.session.rollback()

    xie = come("xie")
    xie.go("/agency/")
    page = xie.follow("对账")
    page = xie.follow("2026年11月1日至2026年11月24日")
    assert page.says("写好3")
    sheet = xie.get(page.link("明细 CSV"))
    assert sheet.headers["Content-Disposition"].startswith("attachment; filename=duizhang-ld-market-20261101-")
    rows = list(csv.reader(io.StringIO(sheet.get_data().decode("utf-8-sig"))))
    assert len(rows) == 4
    as_json = json.loads(xie.get(page.link("明细 JSON")).get_data())
    digest = scalar(select(Statement.digest))
    assert as_json["digest"] == digest and [one["receipt"] for one in as_json["lines"]] == ["done"] * 3
    pdf = xie.get(page.link("签章的对账单 PDF"))
    assert pdf.mimetype == "application/pdf" and pdf.get_data().startswith(b"%PDF-")

    assert xie.press("答复摘要", expect=422, digest="不知道").says("摘要应当是 64 个")
    page = xie.press("答复摘要", digest="0" * 64)
    assert page.says("摘要与我们的不一致") and page.says("有差异")
    assert xie.press("交来明细", expect=422).says("请选择文件")
    page = xie.press("交来明细", expect=422, lines=[("books.csv", b"what,is,this")])
    assert page.says("第一行应当是列名")
    mine = io.StringIO()
    csv.writer(mine).writerows([rows[0], rows[1], [rows[2][0], "f" * 64]])
    page = xie.press("交来明细", lines=[("books.csv", mine.getvalue().encode("gb18030"))])
    assert page.says("找出 2 处差异") and page.says("正文不一致") and page.says("我们送达了，对方没有")
    assert page.says("2 处未了结，共 2 处")

    he.go(own)
    he.follow("看这一处")
    he.press("了结这条异常", outcome="对方漏收，已补录")
    page = he.go(own)
    assert page.says("1 处未了结，共 2 处") and page.says("对方漏收，已补录")
    page = xie.go("/agency/statements")
    page = xie.follow("2026年11月1日至2026年11月24日")
    assert page.says("对方漏收，已补录")
    page = xie.press("交来明细", lines=[("books.csv", sheet.get_data())])
    assert page.says("双方一致，对账完成")
    assert scalar(select(Statement.state)) == "agreed"
    assert scalar(select(func.count()).where(Issue.closed_at.is_(None))) == 0


def test_a_department_draws_its_own_statement_and_sees_nobody_elses(cast: Cast, come: Callable[[str], Caller]) -> None:
    a_case(cast, at="processing")
    kong = come("kong")
    kong.go("/agency/statements")
    assert kong.press("出具对账单", expect=422, since="2026-11-25", until="2026-11-24").says("不能晚于结束")
    page = kong.press("出具对账单", since="2026-11-24", until="2026-11-24")
    assert page.says("湖南省公共资源交易中心")
    theirs = page.address
    xie = come("xie")
    assert xie.go("/agency/statements").says("还没有对账单")
    for address in (theirs, f"{theirs}/lines.csv", f"{theirs}/lines.json", f"{theirs}/statement.pdf"):
        assert xie.get(address).status_code == 404, address
    for address in (f"{theirs}/statement.pdf", f"{theirs}/other"):
        assert come("kong").get(address).status_code == 404, address  # not printed yet; no such file


def test_the_desk_says_whether_our_own_books_agree(cast: Cast, come: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="processing")
    tang = come("tang")
    assert tang.go("/desk/sharing/books").says("账目一致")
    behind_our_back(
        "DELETE FROM notice WHERE receiver_id = (SELECT id FROM office WHERE code = 'ld-market')", ("notice",)
    )
    page = tang.go("/desk/sharing/books?since=2026-11-24&until=2026-11-24")
    assert page.says(f"应当告知{MARKET}，却有 0 份通知") and page.says(number) and page.says("2 处不一致")
    page = tang.go("/desk/sharing/books?since=2020-01-01&until=1999-01-01")
    assert page.says("1 处不一致") and page.says("序号不连续"), "numbers are looked at whenever they were given"


def test_an_empty_house_says_so_on_every_page(cast: Cast, come: Callable[[str], Caller]) -> None:
    he = come("he")
    assert he.go("/desk/sharing").says("还没有送达过")
    assert he.go("/desk/sharing/to/ld-market").says("还没有写给这个单位的通知")
    assert he.go("/desk/sharing/to/ld-market/dead").says("没有送达失败的通知")
    assert he.go("/desk/sharing/issues").says("没有未了结的异常")
    assert he.go("/desk/sharing/statements").says("还没有对账单")
    assert he.go("/desk/sharing/statements?state=agreed").says("没有符合条件的对账单")
    assert come("xie").go("/agency/statements").says("还没有对账单")
