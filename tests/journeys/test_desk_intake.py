"""数据报送: 贺岚 takes a file in, mends what waits and sends back what does not belong; 唐文 takes a batch back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import func, insert, select

from app.db import db, transaction
from app.duty import intake
from app.models import BatchRow, CreditRecord, Identifier, JournalLine, RecordShare
from app.now import now
from app.registry.blind import blind_index
from tests.casework.acts import officer
from tests.cast import Cast
from tests.journeys.caller import Caller
from tests.journeys.conftest import STATEMENTS, Visitor
from tests.registry.sheets import a_penalty, batch_of, csv_bytes, lines_of, preview, records, take_in

PERSON = "11010519491231002X"


@pytest.fixture
def come(visitor: Visitor, cast: Cast) -> Callable[[str], Caller]:
    """`come("he")` is somebody who has signed in; no page takes more than the house's statements. 方宁 handles
    information in 长沙."""

    class Counted(Caller):
        def get(self, address: str) -> Any:
            visitor.statements.clear()
            answer = super().get(address)
            assert len(visitor.statements) <= STATEMENTS, f"{address}: {len(visitor.statements)}"
            return answer

    officer(cast, "fang", "processing", office="changsha")

    def come_in(name: str) -> Caller:
        visitor.become(name)
        return Counted(visitor.client)

    return come_in


def a_person(cast: Cast, serial: int, **changes: Any) -> dict[str, Any]:
    """A penalty of a natural person."""
    who = {"CF_XDR_LB": "自然人", "CF_XDR_MC": "罗建平", "CF_XDR_SHXYM": "", "CF_FRDB": ""}
    return a_penalty(cast, serial, **who, CF_XDR_ZJLX="身份证", CF_XDR_ZJHM=PERSON, **changes)


def test_a_file_is_looked_at_confirmed_followed_and_its_rows_are_settled(
    come: Callable[[str], Caller], cast: Cast
) -> None:
    he = come("he")
    page = he.go("/desk/intake")
    assert page.says("还没有报送过文件")
    he.go("/desk/intake/new")
    page = he.press("上传，看预览", expect=422)
    assert page.says("请选择文件")
    page = he.press("上传，看预览", expect=422, sheet=[("照片.csv", b"\x89PNG\r\n\x1a\n" + bytes(200))])
    assert page.says("有 1 处需要改")
    rows = [a_penalty(cast, n) for n in (1, 2)]
    rows += [
        a_person(cast, 3, CF_JDRQ="昨天"),
        a_penalty(cast, 4, CF_SY=""),
        a_penalty(cast, 5, CF_JDRQ="2026-13-01"),
        a_penalty(cast, 6, CF_JDRQ="2027-01-01"),
        rows[0],
    ]
    data = csv_bytes([row | {"CF_XDR_ZJLX": "", "CF_XDR_ZJHM": ""} | row | {"联系人": "王"} for row in rows])
    page = he.press("上传，看预览", sheet=[("11月处罚.csv", data)])
    assert page.h1 == ["11月处罚.csv"] and page.says("还没有写入") and page.says("全部 7 行都看过")
    assert page.says("待处理 4 行") and page.says("已写入 2 行") and page.says("重复 1 行")
    assert page.says("联系人不在目录之中") and page.says("决定书文号") and PERSON not in page.html
    assert records() == [], "a preview writes nothing"

    page = he.press("确认写入 7 行")
    assert page.says("写到哪里了") and page.says("排队中")
    batch = int(page.address.rsplit("/", 1)[1])
    assert he.get(page.address).headers["Refresh"] == "3", "without a script the page looks again by itself"
    assert intake.turn() == 7
    page = he.go(page.address)
    assert page.says("已完成") and "Refresh" not in he.get(page.address).headers
    assert batch_of(batch).tallies == {"duplicate": 1, "in": 2, "waiting": 4}

    he.follow("处理 4 行")
    page = he.follow("第 3 行")
    assert page.says("读作") or page.says("“昨天”不是日期")
    assert PERSON not in page.html and "110*************2X"[:3] in page.html
    columns = {field: place for place, (_h, field, _a) in enumerate(batch_of(batch).heading["columns"])}
    date = f"c-{columns['CF_JDRQ']}"
    page = he.press("写入这一行", **{date: "大前天"})
    assert page.says("还不能写入") and "大前天" in page.html, "what was typed is kept"
    page = he.press("写入这一行", **{date: "2026-5-18"})
    assert page.says("第 3 行：已写入") and lines_of(batch)[3].verdict == "in"
    key = bytes.fromhex(he.client.application.config["INDEX_KEY"])
    found = select(func.count()).where(Identifier.blind == blind_index(PERSON, key, "identifier"))
    assert db.session.execute(found).scalar() == 1, "the masked number was not typed anew and is still the number"
    db.session.rollback()

    page = he.go(f"/desk/intake/{batch}/rows/4")
    page = he.press("退回报送单位", expect=422)
    assert page.says("请填写“原因”")
    page = he.press("退回报送单位", reason="请补上违法事实。")
    assert page.says("已退回报送单位") and page.says("请补上违法事实")
    he.go(f"/desk/intake/{batch}/rows")
    page = he.press("忽略", expect=422, reason="看错了")
    assert page.says("请先选中")
    page = he.press("忽略", reason="日期无从查考", row=["5", "6"])
    assert page.says("没有这样的行") and batch_of(batch).tallies["ignored"] == 2
    acts = [row.act for row in db.session.execute(select(JournalLine.act).where(JournalLine.about == "batch"))]
    assert acts.count("mend") == 2 and acts.count("ignored") == 2 and acts.count("sent_back") == 1
    db.session.rollback()

    sheet = list(csv.reader(io.StringIO(he.get(f"/desk/intake/{batch}/result.csv").data.decode("utf-8-sig"))))
    assert sheet[0][-1] == "处理结果" and [row[-1].partition("：")[0] for row in sheet[1:]] == [
        "已写入", "已写入", "已写入", "已退回", "已忽略", "已忽略", "重复，未写入",
    ]  # fmt: skip
    assert "请补上违法事实" in sheet[4][-1] and PERSON not in str(sheet)
    book = CalamineWorkbook.from_filelike(io.BytesIO(he.get(f"/desk/intake/{batch}/open.xlsx").data))
    assert len(book.get_sheet_by_index(0).to_python()) == 2, "the heading and the row that goes back"
    book = CalamineWorkbook.from_filelike(io.BytesIO(he.get("/desk/intake/templates/XZXK.xlsx").data))
    assert "行政相对人名称" in book.get_sheet_by_index(0).to_python()[0]
    assert he.get(f"/desk/intake/{batch}/anything.csv").status_code == 404
    page = he.go(f"/desk/intake/{batch}/records")
    assert page.says("湘交罚〔2026〕1号") and page.says("湘交罚〔2026〕3号")


def test_a_batch_is_taken_back_in_two_steps_by_the_head_while_nothing_builds_on_it(
    come: Callable[[str], Caller], cast: Cast
) -> None:
    province = cast.offices["province"]
    batch = take_in(province, csv_bytes([a_penalty(cast, n) for n in (1, 2)]))
    assert come("he").go(f"/desk/intake/{batch}/undo").says("由湖南省交通运输厅的负责人办理")
    tang = come("tang")
    tang.go(f"/desk/intake/{batch}")
    page = tang.follow("撤销这一批")
    assert page.says("写入的 2 条信息停止公示")
    page = tang.press("下一步", expect=422)
    page = tang.press("下一步", reason="文件拿错了")
    assert page.says("确认撤销？") and all(record.undone_at is None for record in records())
    page = tang.press("确认撤销")
    assert page.says("已撤销") and page.says("文件拿错了")
    assert all(record.undone_at is not None for record in records())
    assert tang.go(f"/desk/intake/{batch}/records").says("这一批已经撤销")

    again = take_in(province, csv_bytes([a_penalty(cast, 3)]))
    with transaction():
        told = {"record_id": records()[-1].id, "receiver_id": cast.offices["ld-market"], "what": "publish", "at": now()}
        db.session.execute(insert(RecordShare).values(**told))
    page = tang.go(f"/desk/intake/{again}/undo")
    assert page.says("现在不能撤销") and page.says("已经共享 1 次")

    draft = preview(province, csv_bytes([a_penalty(cast, 9)]))
    he = come("he")
    he.go(f"/desk/intake/{draft}")
    page = he.press("不用这个文件")
    assert page.says("这个文件没有写入") and batch_of(draft).state == "undone"
    assert he.go("/desk/intake?state=undone").says("已撤销")


def test_an_office_sees_its_own_batches_and_those_below_and_settles_only_its_own(
    come: Callable[[str], Caller], cast: Cast
) -> None:
    city = {"CF_CFJG": "长沙市交通运输局"}
    ours = take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 1, CF_JDRQ="?")]))
    theirs = take_in(cast.offices["changsha"], csv_bytes([a_penalty(cast, 2, **city, CF_JDRQ="?")]))
    fang, he = come("fang"), come("he")
    for address in ("", "/rows", "/rows/1", "/records", "/undo", "/result.csv"):
        assert come("fang").get(f"/desk/intake/{ours}{address}").status_code == 404, address
    fang = come("fang")
    assert not fang.go("/desk/intake").says("湖南省交通运输厅 11月")
    assert fang.go(f"/desk/intake/{theirs}/rows/1").says("修改后写入")
    he = come("he")
    page = he.go(f"/desk/intake/{theirs}/rows/1")
    assert page.says("由长沙市交通运输局处理") and not page.says("修改后写入")
    token = he.go("/desk/intake/new").form("上传")[0].values[0][1]
    data = {"csrf_token": token, "reason": "替他们退回", "row": "1", "do": "sent_back"}
    assert he.post(f"/desk/intake/{theirs}/rows", data).status_code in (403, 422)
    assert he.post(f"/desk/intake/{theirs}/rows/1/aside", data).status_code in (403, 422)
    assert lines_of(theirs)[1].verdict == "waiting"


def test_many_waiting_rows_are_turned_page_by_page(come: Callable[[str], Caller], cast: Cast) -> None:
    batch = take_in(cast.offices["province"], csv_bytes([a_penalty(cast, n, CF_JDRQ="") for n in range(1, 61)]))
    he = come("he")
    page = he.go(f"/desk/intake/{batch}/rows")
    assert page.says("本页 50 行") and page.says("〔2026〕50号") and not page.says("〔2026〕51号")
    page = he.follow("下一页")
    assert page.says("本页 10 行") and page.says("〔2026〕51号")
    assert he.follow("上一页").says("〔2026〕1号")
    assert he.get(f"/desk/intake/{batch}/rows?verdict=nothing").status_code == 404
    assert db.session.execute(select(func.count()).select_from(BatchRow)).scalar() == 60
    db.session.rollback()


def test_a_file_that_is_too_long_for_a_browser_is_told_what_to_do(
    come: Callable[[str], Caller], cast: Cast, app: Flask
) -> None:
    he = come("he")
    he.go("/desk/intake/new")
    app.config["MAX_SHEET"] = 1_048_576
    page = he.press("上传，看预览", expect=413, sheet=[("大.csv", b"x" * 1_100_000)])
    assert page.says("一次最多 1 MB") and page.says("命令行导入")
    assert db.session.execute(select(func.count()).select_from(CreditRecord)).scalar() == 0
    db.session.rollback()
