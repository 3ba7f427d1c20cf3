"""A credit file at the three counters: today, on another day, on paper; and who may see behind the masks."""

from __future__ import annotations

import html
import re
from typing import Any

from flask import Flask, g
from sqlalchemy import select

from app.db import db
from app.duty import register
from app.models import JournalLine
from tests.cast import Cast
from tests.conftest import Clock
from tests.journeys.caller import Caller
from tests.journeys.conftest import Visitor
from tests.journeys.door import enter, outside, people  # noqa: F401
from tests.registry.test_credit_file import DRIVER, HEAD, NAME, PHONE, a_driver, five_days


def text(visitor: Visitor, path: str, status: int = 200) -> str:
    """A page of whoever the visitor is now, with its statements counted."""
    g.pop("_login_user", None)
    return visitor.get(path, status).get_data(as_text=True)


def lines() -> list[Any]:
    rows = db.session.execute(select(*JournalLine.__table__.c).where(JournalLine.about == "subject")).all()
    db.session.rollback()
    return list(rows)


def test_today_a_day_of_the_past_that_says_so_and_no_day_of_the_future(visitor: Visitor, clock: Clock) -> None:
    five_days(visitor.cast, clock)
    for _n in range(27):
        visitor.cast.penalty(on="2026-11-20")
    address = f"/subjects/{visitor.cast.codes['yueheng']}"
    today = text(visitor, address)
    assert "湘交罚〔2026〕29号" in today and "没有记录的部分" in today and "国家企业信用信息公示系统" in today
    assert "罗*" in today and HEAD not in today and "看全部 27 条行政处罚" in today
    one = text(visitor, f"{address}?section=penalties")
    assert one.count('href="/records/') == 25 and "下一页" in one
    past = text(visitor, f"{address}?on=2026-06-10")
    assert "这是 2026年6月10日公示的内容，不是今天的" in past and "23:59" in past
    assert "其后依法终止公示的信息有 2 条" in past and "湘交罚" not in past.partition("已经撤回的信息")[0]
    future = text(visitor, f"{address}?on=2026-12-01", 422)
    assert "这一天还没有到" in future and "湘交罚〔2026〕29号" in future, "today stands beside the sentence"
    assert "不是日期" in text(visitor, f"{address}?on=yesterday", 422)
    assert "掌握情况的时间不能晚于现在" in text(visitor, f"{address}?on=2026-06-10&known=2027-01-01", 422)
    visitor.become("deng")
    own = text(visitor, "/my/file")
    assert HEAD in own and "异议记录" in own and "通知过谁" in own
    newest = text(visitor, "/my/file?section=penalties")
    older = re.search(r'rel="next" href="([^"]+)"', newest)
    assert older is not None
    oldest = text(visitor, html.unescape(older[1]))
    assert "已修复" in oldest and "处罚已撤销" in oldest and "上一页" in oldest
    marked = text(visitor, "/my/file?on=2026-06-10")
    assert "湘交罚〔2026〕1号" in marked and "异议处理中" in marked and "今天已不公示" in marked and HEAD not in marked
    assert "超限率为百分之十二" in text(visitor, "/my/file?on=2026-06-10&known=2026-11-01"), "as known later"
    visitor.become("tang")
    desk = text(visitor, f"/desk/subjects/{visitor.cast.subjects['yueheng']}")
    assert "湘交罚〔2026〕29号" in desk and HEAD not in desk
    text(visitor.become("liu"), f"/desk/subjects/{visitor.cast.subjects['yueheng']}", 404)


def test_anybody_takes_a_sealed_paper_home_and_it_is_known_again(
    people: Cast, app: Flask, outside: Caller  # noqa: F811
) -> None:  # fmt: skip
    people.penalty(on="2026-11-20")
    outside.go(f"/subjects/{people.codes['yueheng']}")
    page = outside.press("下载信用档案（签章 PDF）")
    assert "/extracts/" in page.address and page.says("PDF 正在排印签章") and page.says("湘交信档〔2026〕1号")
    assert outside.get(f"{page.address}.pdf").status_code == 404, "no ink yet"
    register.turn()
    data = outside.get(f"{page.address}.pdf")
    assert data.status_code == 200 and data.data.startswith(b"%PDF-")
    code = page.address.rpartition("/")[2]
    verified = outside.go(f"/verify/{code}")
    assert verified.says("说的是2026年11月24日的情况") and verified.says("湖南岳衡物流有限公司")
    outside.go("/verify")
    assert outside.press("比对这个文件", file=[("a.pdf", data.data)]).says("这个文件是原件")
    deng = enter(app, "deng")
    deng.go("/my/file")
    own = deng.press("出具签章摘要")
    assert own.says("罗建平") and "/my/papers/" in own.address
    secret = own.address.rpartition("/")[2]
    for address in (f"/extracts/{secret}", f"/extracts/{secret}.pdf"):
        assert outside.get(address).status_code == 404, "what is not public has no public address"
    assert enter(app, "wang").get(f"/my/papers/{secret}").status_code == 404


def test_an_officer_says_why_the_masks_fall_and_the_head_reads_it(people: Cast, app: Flask) -> None:  # noqa: F811
    driver = a_driver(people)
    li = enter(app, "li")
    masked = li.go(f"/desk/subjects/{driver}")
    assert masked.says("欧阳*") and NAME not in masked.html and DRIVER not in masked.html and PHONE not in masked.html
    again = li.press("不遮盖地看一次", reason="看", expect=422)
    assert again.says("至少 4 个字") and NAME not in again.html and lines() == []
    shown = li.press("不遮盖地看一次", reason="核对 XF-2 号申请人身份")
    assert shown.says("只显示这一次") and shown.says(NAME) and DRIVER in shown.html and PHONE not in shown.html
    assert NAME not in li.go(f"/desk/subjects/{driver}").html, "asked again, it is masked again"
    (line,) = lines()
    assert (line.act, line.person_name, line.answers) == ("look", "李昊", {"reason": "核对 XF-2 号申请人身份"})
    head = enter(app, "tang").go(f"/desk/subjects/{driver}")
    assert head.says("核对 XF-2 号申请人身份") and head.says("李昊")
    assert not li.go(f"/desk/subjects/{driver}").says("谁看过")
    paper = li.press("出具签章摘要", reason="移送案卷需要")
    assert NAME not in paper.html and paper.says("欧阳*") and DRIVER not in paper.html
    code = paper.address.rpartition("/")[2]
    assert NAME not in Caller(app.test_client()).go(f"/verify/{code}").html
    assert enter(app, "liu").get(f"/desk/papers/{code}").status_code == 404


def test_the_notice_of_how_to_repair_reaches_the_company_on_its_record(people: Cast, app: Flask) -> None:  # noqa: F811
    people.penalty(on="2026-05-18")
    tang, deng = enter(app, "tang"), enter(app, "deng")
    tang.go(tang.go("/desk/records").link("湘交罚〔2026〕1号"))
    issued = tang.press("出具信用修复告知书")
    assert issued.says("湘交信修告〔2026〕1号") and issued.says("可以免费申请修复")
    deng.go("/my/records")
    record = deng.go(
        next(url for _words, url in deng.page.links if url.startswith("/my/records/")) if deng.page else ""
    )
    own = deng.go(record.link("湘交信修告〔2026〕1号"))
    assert own.says("最短公示至2026年8月18日") and own.says("/guide")
