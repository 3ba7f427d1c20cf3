"""The public counter: a search that leads to the company, lists, a stable address for each record; and nobody is found
who must not be."""

from __future__ import annotations

import csv
import io
import logging
from datetime import date
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import insert, select, update

from app.casework.annul import annul_record
from app.db import db, transaction
from app.models import CreditRecord, PublicationFact, Subject
from app.now import now
from app.registry.publish import state_fact
from app.views import public_lists
from tests.journeys.door import outside  # noqa: F401
from tests.journeys.test_public_pages import ID_NUMBER, a_person, ended, limited  # noqa: F401
from workflows.calendar import legal_day


def public_id(record: int) -> str:
    found = db.session.execute(select(CreditRecord.public_id).where(CreditRecord.id == record)).scalar_one()
    db.session.rollback()
    return found


def about(record: int, subject: int) -> None:
    with transaction():
        db.session.execute(update(CreditRecord).where(CreditRecord.id == record).values(subject_id=subject))


def a_permit(
    cast, number: str = "湘交许〔2026〕7号", until: str = "2030-05-31", office: str = "province", **changed
) -> int:
    """A permit that is public."""
    values = {
        "public_id": f"{abs(hash(number)):016x}"[:16], "kind": "permit", "directory": "XZXK/2021",
        "catalogue": "JC2024-XZGL", "subject_id": cast.subjects["yueheng"], "office_id": cast.offices[office],
        "title": "道路货物运输经营许可", "number": number, "number_key": number, "recognised_on": date(2026, 6, 1),
        "fields": {"XK_WSH": number, "XK_XKLB": "普通", "XK_NR": "准予从事道路普通货物运输", "XK_YXQZI": until,
                   "XK_XDR_MC": "湖南岳衡物流有限公司", "XK_XDR_LB": "法人及非法人组织"},
        "received": {}, "recorded_at": now(), **changed,
    }  # fmt: skip
    with transaction():
        record = db.session.execute(insert(CreditRecord).values(**values).returning(CreditRecord.id)).scalar_one()
        state_fact(record, "publish", legal_day(now()), now(), "行政许可信息公示")
    return record


# --- searching ---------------------------------------------------------------------------------------------------


def test_a_piece_of_the_name_typed_on_the_front_page_leads_to_the_company(cast, outside):
    outside.go("/")
    page = outside.press("查询", q=" 岳衡 ")
    assert page.address.endswith(f"/search?q={quote('岳衡')}") and page.says("名称含“岳衡”的企业 1 家")
    page = outside.follow("湖南岳衡物流有限公司")
    assert page.address.endswith(f"/subjects/{cast.codes['yueheng']}")


def test_the_whole_name_a_code_and_a_number_lead_straight_to_what_they_mean(cast, outside):
    record = cast.penalty()
    for typed in ("湖南岳衡物流有限公司", "湖南岳衡物流（有限公司）", cast.codes["yueheng"].lower()):
        outside.go("/")
        assert outside.press("查询", q=typed).address.endswith(f"/subjects/{cast.codes['yueheng']}"), typed
    for typed in ("湘交罚〔2026〕1号", "湘交罚[2026]第01号", "湘交罚（2026）1"):
        outside.go("/search")
        assert outside.press("查询", q=typed).address.endswith(f"/records/{public_id(record)}"), typed


def test_two_decisions_of_one_number_are_both_named(cast, outside):
    first, second = cast.penalty(), cast.penalty(office="changsha")
    with transaction():
        key = select(CreditRecord.number_key).where(CreditRecord.id == first).scalar_subquery()
        db.session.execute(
            update(CreditRecord).where(CreditRecord.id == second).values(number="湘交罚〔2026〕1号", number_key=key)
        )
    page = outside.go(f"/search?q={quote('湘交罚〔2026〕1号')}")
    assert page.says("正在公示的 2 条") and page.says("长沙市交通运输局")


def test_initials_find_it_and_a_search_can_be_passed_on(cast, outside):
    for typed in ("hnyhwl", "YHWL"):
        page = outside.go(f"/search?q={typed}")
        assert page.says("湖南岳衡物流有限公司") and not page.says("衡岳")
        assert ("q", typed) in page.forms[0].values


def test_nothing_found_says_what_to_try_and_too_little_says_so(cast, outside):
    page = outside.go(f"/search?q={quote('没有这家')}")
    assert page.says("没有查到“没有这家”") and page.says("只输字号")
    page = outside.go(f"/search?q={quote('岳')}")
    assert page.says("请至少输入两个字")
    outside.go("/")
    assert outside.press("查询", expect=422, q="岳").says("请至少输入两个字")
    outside.go("/")
    assert outside.press("查询", expect=422, q="  ").says("请输入企业名称（两个字起）")


@pytest.mark.parametrize(
    "typed", ["%", "%%", "__", "a\x00b", "岳\x00衡", '"岳" OR "衡"', "' OR 1=1 --", "岳衡*", "NEAR(a b)",
              "<script>alert(1)</script>",
              "x" * 10_000, "岳" * 10_000, "\u202e岳衡", "\ud83d", "{{7*7}}", "&after=1", "字\r\nSet-Cookie: a=b"]
)  # fmt: skip
def test_whatever_is_typed_the_answer_is_a_sentence(cast, outside, typed):
    for answer in (
        outside.get("/search?q=" + quote(typed, errors="surrogatepass")),
        outside.get("/search?q=岳衡&after=" + quote(typed, errors="surrogatepass")),
    ):
        assert answer.status_code in (200, 302)
        assert "<script>alert" not in answer.get_data(as_text=True) and ">49<" not in answer.get_data(as_text=True)
    outside.go("/")
    answer, _action = outside.send("查询", q=typed.encode("utf-8", "replace").decode())
    assert answer.status_code in (303, 422)


PRIVATE = (
    ID_NUMBER, f"{ID_NUMBER[:6]} {ID_NUMBER[6:14]} {ID_NUMBER[14:]}", f"龙小军{ID_NUMBER}", "439999880312999",
    "13812345678", "138-1234-5678", "+86 138 1234 5678", "岳衡 13812345678", "0731-88881234",
    "".join(chr(ord(c) + 0xFEE0) for c in ID_NUMBER),
)  # fmt: skip


@pytest.mark.parametrize("typed", PRIVATE)
def test_a_number_of_a_person_gets_into_no_address_no_page_and_no_log(app, cast, outside, caplog, typed):
    a_person(app)
    caplog.set_level(logging.DEBUG)
    outside.go("/")
    answer, _action = outside.send("查询", q=typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "查的是企业，不查个人" in page
    answer = outside.get("/search?q=" + quote(typed))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/search?refused=1")
    page += answer.get_data(as_text=True) + outside.go("/search?refused=1").html
    told = page + caplog.text
    assert typed not in told and ID_NUMBER not in told and "13812345678" not in told


def test_a_visitor_reads_some_pages_of_a_search_and_no_more(app, cast, outside, monkeypatch):
    monkeypatch.setattr("app.views.public_search.PAGES", 3)
    with transaction() as session:
        session.execute(insert(Subject.__table__), [{"kind": "enterprise", "name": f"湘运{n:03d}"} for n in range(90)])
    page = outside.go(f"/search?q={quote('湘运')}")
    assert page.says("多于 20 家") and not page.says("90")
    for number in (2, 3):
        page = outside.follow("下一页")
        assert page.says(f"第 {number} 页")
    assert page.says("后面还有，这里不再往下列") and not any(
        text.strip().startswith("下一页") for text, _ in page.links
    )
    forged = f"/search?q={quote('湘运')}&after=" + quote("[1,0,2,30].AAAA")
    assert outside.go(forged).says("多于 20 家")
    other = urlsplit(outside.go(f"/search?q={quote('湘运')}").link("下一页")).query.partition("after=")[2]
    assert outside.go(f"/search?q={quote('运0')}&after={other}").says("多于 20 家"), "a mark is for one search"


def test_searching_by_address_has_the_same_limit(cast, outside, limited):
    answers = [outside.get(f"/search?q={quote('岳衡')}").status_code for _ in range(31)]
    assert answers[:30] == [200] * 30 and answers[30] == 429


def test_a_mistyped_code_is_told_whose_it_may_be_and_a_persons_number_nobody(app, cast, outside):
    code = cast.codes["yueheng"]
    swapped = code[:8] + code[9] + code[8] + code[10:]
    for wrong in (code[:17] + ("0" if code[17] != "0" else "1"), code[:10] + "9" + code[11:], swapped):
        page = outside.go(f"/subjects/{wrong}", expect=404)
        assert page.says("是不是这家") and page.link("湖南岳衡物流有限公司") == f"/subjects/{code}", wrong
    a_person(app)
    for wrong in (ID_NUMBER, ID_NUMBER[:16] + ID_NUMBER[17] + ID_NUMBER[16], "123", "9" * 18):
        assert not outside.go(f"/subjects/{wrong}", expect=404).says("是不是这家"), wrong


# --- lists -------------------------------------------------------------------------------------------------------


def test_the_list_of_penalties_is_narrowed_and_each_choice_can_be_dropped(cast, outside):
    cast.penalty(on="2026-05-18")
    cast.penalty(on="2026-07-01", kinds="责令停产停业", fine_size=None, of="other")
    cast.penalty(on="2026-08-01", office="changsha")
    page = outside.go("/penalties")
    order = [page.html.index(f"湘交罚〔2026〕{n}号") for n in (3, 2, 1)]
    assert order == sorted(order), "the newest first"
    for question, wanted in (
        ("cls=严重", {2}), ("category=罚款", {1, 3}), ("category=责令停产停业", {2}), ("since=2026-06-01", {2, 3}),
        ("until=2026-06-01", {1}), ("since=2026-05-18&until=2026-05-18", {1}), ("region=430100", set()),
        (f"office={cast.offices['changsha']}", {3}), ("cls=轻微", set()), ("cls=nonsense", {1, 2, 3}),
    ):  # fmt: skip
        page = outside.go(f"/penalties?{question}")
        assert {n for n in (1, 2, 3) if page.says(f"湘交罚〔2026〕{n}号")} == wanted, question
    page = outside.go("/penalties?cls=严重")
    assert page.says("失信类别：严重") and page.link("失信类别：严重") == "/penalties"
    assert outside.go("/penalties?cls=轻微").says("没有符合条件的处罚")
    assert outside.go("/penalties?since=2026-06-02&until=2026-06-01").says("结束日期早于开始日期")
    assert outside.go("/penalties?since=昨天").says("不是日期")


def test_pages_of_a_list_lead_on_and_back_and_miss_nothing(cast, outside, monkeypatch):
    for n in range(7):
        cast.penalty(on=f"2026-0{n + 1}-10" if n else "2026-04-10")
    for reach in (2000, 3, 1):
        monkeypatch.setattr(public_lists, "REACH", reach)
        for question in ("", "?category=罚款", "?cls=一般"):
            seen, address, back = [], f"/penalties{question}", None
            monkeypatch.setattr(public_lists, "PAGE", 2)
            monkeypatch.setattr(public_lists.page_within_reach, "__defaults__", (2,))
            for _ in range(12):
                page = outside.go(address)
                seen += [text for text, _url in page.links if text.startswith("湘交罚")]
                following = [url for text, url in page.links if "下一页" in text]
                back = [url for text, url in page.links if "上一页" in text]
                if not following:
                    break
                address = following[0]
            expected = outside_all(cast, question)
            assert seen == expected, (reach, question)
            assert len(expected) <= 2 or outside.go(back[0])


def outside_all(cast, question):
    rows = db.session.execute(
        select(CreditRecord.number, CreditRecord.cls)
        .join(PublicationFact, PublicationFact.record_id == CreditRecord.id)
        .order_by(CreditRecord.recognised_on.desc(), CreditRecord.id.desc())
    ).all()
    db.session.rollback()
    return [row.number for row in rows if "cls" not in question or row.cls == "一般"]


@pytest.mark.parametrize("deed", ["repair", "end", "withdraw"])
def test_what_is_over_stands_in_no_list_no_sheet_and_under_no_number(cast, outside, deed):
    gone, _stays = cast.penalty(on="2026-05-18"), cast.penalty(on="2026-06-18")
    ended(gone, deed)
    for address in ("/penalties", "/penalties?state=withdrawn", "/", f"/search?q={quote('湘交罚〔2026〕1号')}"):
        page = outside.go(address)
        assert not page.says("湘交罚〔2026〕1号 湖南") and f"/records/{public_id(gone)}" not in page.html, address
    assert "〔2026〕1号" not in outside.get("/penalties.csv").get_data(as_text=True)


def test_withdrawn_penalties_are_listed_with_the_reason_and_nothing_they_said(cast, outside):
    record = cast.penalty(on="2026-05-18")
    with transaction():
        annul_record(record, actor=cast.who("zhou"), reason="湘政复决〔2026〕8号", day=date(2026, 11, 23), at=now())
    for address in ("/penalties?state=withdrawn", f"/records/{public_id(record)}"):
        page = outside.go(address)
        assert page.says("湘交罚〔2026〕1号") and page.says("湘政复决〔2026〕8号"), address
        assert not page.says("超限") and not page.says("叁万元"), address


def test_permits_have_a_list_of_their_own_with_their_validity(cast, outside):
    a_permit(cast)
    a_permit(cast, "湘交许〔2021〕9号", until="2026-05-31")
    cast.penalty()
    page = outside.go("/permits")
    assert page.says("湘交许〔2026〕7号") and page.says("已过有效期") and not page.says("湘交罚")
    assert not outside.go("/permits?state=valid").says("湘交许〔2021〕9号")
    assert not outside.go("/permits?state=expired").says("湘交许〔2026〕7号")
    assert not outside.go("/penalties").says("湘交许")
    page = outside.go(f"/subjects/{cast.codes['yueheng']}")
    assert page.says("公开的 2 条") and page.says("正在公示的 1 条")
    page = outside.go("/permits")
    page = outside.follow("湘交许〔2026〕7号")
    assert page.says("准予从事道路普通货物运输") and not page.says("怎样修复")


def test_empty_lists_say_so(cast, outside):
    assert outside.go("/penalties").says("现在没有正在公示的处罚")
    assert outside.go("/permits").says("现在没有公开的许可")
    assert outside.go("/penalties?state=withdrawn").says("没有符合条件的处罚")


def test_a_sheet_is_the_filtered_list_and_no_cell_in_it_is_a_formula(cast, outside):
    cast.penalty(on="2026-05-18")
    second = cast.penalty(on="2026-07-01", kinds="责令停产停业", fine_size=None)
    with transaction():
        fields = db.session.execute(select(CreditRecord.fields).where(CreditRecord.id == second)).scalar_one()
        fields = {**fields, "CF_SY": '=HYPERLINK("http://evil")', "CF_WFXW": "＝1+1", "CF_NR": "电话13812345678"}
        db.session.execute(update(CreditRecord).where(CreditRecord.id == second).values(fields=fields))
    answer = outside.get("/penalties.csv?cls=严重")
    assert answer.data.startswith(b"\xef\xbb\xbf") and answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"] and answer.headers["Cache-Control"] == "no-store"
    head, *rows = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert len(rows) == 1 and len(rows[0]) == len(head)
    row = dict(zip(head, rows[0], strict=True))
    assert row["违法事实"].startswith("'=") and row["违法行为类型"].startswith("'＝")
    assert row["处罚内容"] == "电话138****5678" and row["网址"].endswith(f"/records/{public_id(second)}")


# --- one record --------------------------------------------------------------------------------------------------


def test_a_record_says_what_was_decided_how_long_it_is_shown_and_why(cast, outside):
    record = cast.penalty(on="2026-05-18")
    page = outside.go(f"/records/{public_id(record)}")
    assert page.h1 == ["超限运输"] and page.says("罚款人民币叁万元整") and page.says("2026年11月24日起在本网站公示")
    assert (
        page.says("最长公示期") and page.says("1 年") and page.says("2027年5月18日") and page.says("信用修复管理办法")
    )
    assert page.link("看条件、材料") == "/guide"
    assert page.link("湖南岳衡物流有限公司") == f"/subjects/{cast.codes['yueheng']}"
    assert "罗建平" not in page.html
    assert outside.get(f"/records/{public_id(record)}/qr.svg").mimetype == "image/svg+xml"


def test_an_objection_is_marked_and_unmarked(cast, outside):
    record = cast.penalty()
    ended(record, "mark")
    assert outside.go(f"/records/{public_id(record)}").says("有异议，正在核查")
    ended(record, "unmark")
    assert not outside.go(f"/records/{public_id(record)}").says("异议")


@pytest.mark.parametrize("deed", ["repair", "end"])
def test_of_a_record_that_is_over_nothing_is_said_but_that_it_is(cast, outside, deed):
    record = cast.penalty(on="2026-05-18")
    ended(record, deed)
    page = outside.go(f"/records/{public_id(record)}", expect=410)
    assert page.says("从2026年11月24日起依法终止公示")
    for word in ("岳衡", "湘交罚", "超限", "修复决定", cast.codes["yueheng"], "湖南省交通运输厅作出"):
        assert not page.says(word), word


def test_a_record_past_its_longest_time_is_over_though_nobody_has_ended_it(cast, clock, outside):
    record = cast.penalty(on="2026-05-18")
    clock.go("2027-05-18")
    assert outside.go(f"/records/{public_id(record)}").says("叁万元")
    clock.go("2027-05-19")
    assert outside.go(f"/records/{public_id(record)}", expect=410).says("从2027年5月19日起")


def test_a_record_that_never_was_public_or_was_entered_by_mistake_does_not_exist(cast, outside):
    minor = cast.penalty(kinds="警告", fine_size=None)
    undone = cast.penalty()
    ended(undone, "withdraw")
    with transaction():
        db.session.execute(update(CreditRecord).where(CreditRecord.id == undone).values(undone_at=now()))
    for address in (public_id(minor), public_id(undone), "0123456789abcdef", "1", "' OR 1=1"):
        assert outside.get(f"/records/{address}").status_code == 404, address
        assert outside.get(f"/records/{address}/qr.svg").status_code == 404, address


# --- natural persons ---------------------------------------------------------------------------------------------


def test_a_natural_person_is_found_by_nothing_and_stands_masked_wherever_the_law_lets_them_stand(app, cast, outside):
    """A canary: every search, list, sheet, page and count of the public counter."""
    person = a_person(app)
    record = cast.penalty(on="2026-05-18")
    about(record, person)
    with transaction():
        fields = db.session.execute(select(CreditRecord.fields).where(CreditRecord.id == record)).scalar_one()
        fields = {**fields, "CF_XDR_MC": "龙小军", "CF_XDR_LB": "自然人", "CF_XDR_SHXYM": "", "CF_XDR_ZJHM": ID_NUMBER,
                  "CF_SY": f"龙小军（{ID_NUMBER}，13812345678）擅自超限行驶"}  # fmt: skip
        db.session.execute(update(CreditRecord).where(CreditRecord.id == record).values(fields=fields))
    for typed in ("龙小军", "小军", "龙小", "lxj", "龙小军超限"):
        page = outside.go(f"/search?q={quote(typed)}")
        assert page.says("没有查到") and "龙*" not in page.html, typed
    pages = [
        "/",
        "/penalties",
        "/penalties.csv",
        f"/records/{public_id(record)}",
        f"/search?q={quote('湘交罚〔2026〕1号')}",
    ]
    for address in pages:
        answer = outside.get(address)
        text = answer.get_data(as_text=True)
        assert "龙小军" not in text and ID_NUMBER not in text and "13812345678" not in text, address
        assert answer.status_code == 302 or "龙*" in text, address
    assert outside.get(f"/subjects/{ID_NUMBER}").status_code == 404


def test_a_sole_trader_is_found_by_the_business_name_and_not_by_the_owner(cast, outside):
    with transaction():
        subject = db.session.execute(
            insert(Subject)
            .values(kind="sole_trader", name="岳阳县沅麓汽修店", legal_representative="彭大海", region="430621")
            .returning(Subject.id)
        ).scalar_one()
    assert outside.go(f"/search?q={quote('沅麓')}").says("岳阳县沅麓汽修店")
    assert outside.go(f"/search?q={quote('彭大海')}").says("没有查到")
    assert subject
