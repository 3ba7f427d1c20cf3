"""The officers at their counter: what waits for them, one step at a time, dates that explain themselves, records."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.casework.attach import attach
from app.db import db, transaction
from app.duty import clock as clock_duty
from app.models import (
    AttachmentUse,
    Attestation,
    Case,
    CaseRecord,
    CreditRecord,
    DeadlineRow,
    Document,
    JournalLine,
    Mandate,
    Notice,
    PublicationFact,
)
from app.now import now
from app.registry.publish import status_on
from tests.build import a_case, night, state, version, walk
from tests.cast import Cast
from tests.conftest import Clock
from tests.journeys.caller import Caller
from tests.journeys.conftest import STATEMENTS, Visitor
from workflows.law import rule


@pytest.fixture
def at_desk(visitor: Visitor) -> Callable[[str], Caller]:
    """`at_desk("li")` is somebody who has signed in; forms are filled in as they stand on the page."""

    class Counted(Caller):
        def get(self, address: str) -> TestResponse:
            visitor.statements.clear()
            answer = super().get(address)
            assert len(visitor.statements) <= STATEMENTS, f"{address}: {len(visitor.statements)}"
            return answer

    def come_in(name: str) -> Caller:
        visitor.become(name)
        return Counted(visitor.client)

    return come_in


def record_of(number: str) -> int:
    found = db.session.execute(
        select(CaseRecord.record_id).join(Case, Case.id == CaseRecord.case_id).where(Case.number == number)
    ).scalar_one()
    db.session.rollback()
    return int(found)


def public_id(record: int) -> str:
    found = db.session.execute(select(CreditRecord.public_id).where(CreditRecord.id == record)).scalar_one()
    db.session.rollback()
    return str(found)


def scalar(query: object) -> object:
    found = db.session.execute(query).scalar()  # type: ignore[call-overload]
    db.session.rollback()
    return found


def lines_of(number: str) -> list[str]:
    rows = db.session.execute(
        select(JournalLine.act).join(Case, Case.id == JournalLine.about_id)
        .where(JournalLine.about == "case", Case.number == number).order_by(JournalLine.seq)
    ).scalars().all()  # fmt: skip
    db.session.rollback()
    return list(rows)


# ---- what waits


def test_each_officer_finds_what_waits_for_them_and_the_late_one_first(
    cast: Cast, clock: Clock, at_desk: Callable[[str], Caller]
) -> None:
    clock.go("2026-11-16")
    late = a_case(cast, at="received")
    clock.go("2026-11-19")
    today = a_case(cast, at="received")
    clock.go("2026-11-24")
    fresh = a_case(cast, at="submitted")
    review = a_case(cast, at="accepted")
    page = at_desk("li").go("/desk/").html
    assert [page.index(number) for number in (late, today, fresh)] == sorted(
        page.index(number) for number in (late, today, fresh)
    )
    assert review not in page
    assert "1 件已超期" in page and "1 件今天到期" in page and "先办这 2 件" in page
    assert "已超期 3 个工作日" in page and "今天到期" in page
    assert review in at_desk("zhou").go("/desk/").html


def test_a_limit_about_to_be_missed_is_brought_to_the_head(
    cast: Cast, clock: Clock, at_desk: Callable[[str], Caller]
) -> None:
    clock.go("2026-11-16")
    number = a_case(cast, at="received")
    assert number not in at_desk("tang").go("/desk/").html
    clock.go("2026-11-18")
    page = at_desk("tang").go("/desk/").html
    assert number in page and "受理期限报您督办" in page


def test_an_office_below_is_seen_in_the_list_but_does_not_wait_here(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="submitted", office="changsha")
    assert number in at_desk("liu").go("/desk/").html
    li = at_desk("li")
    assert number not in li.go("/desk/").html
    assert number in li.go("/desk/cases").html
    theirs = a_case(cast, at="submitted")
    liu = at_desk("liu")
    assert theirs not in liu.go("/desk/cases").html
    liu.go(f"/desk/cases/{theirs}", expect=404)


def test_a_filing_that_a_new_offence_holds_back_says_so_in_the_inbox(
    cast: Cast, clock: Clock, at_desk: Callable[[str], Caller]
) -> None:
    clock.go("2026-08-10")
    number = a_case(cast, at="held", on="2026-05-18")
    clock.go("2026-08-13")
    cast.penalty(on="2026-08-12")
    clock.go("2026-08-19")
    night(with_press=False)
    assert state(number) == "held"
    page = at_desk("li").go("/desk/").html
    assert number in page and "预收期间又有新的失信信息" in page
    case = at_desk("li").go(f"/desk/cases/{number}").html
    assert "还没有转入受理" in case and "预收期间又有新的失信信息" in case


def test_the_inbox_suggests_the_step_that_leads_on_and_leaves_decisions_to_the_case_page(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="submitted")
    page = at_desk("li").go("/desk/")
    assert f"/desk/cases/{number}/steps/receive" in page.html
    walk(cast, number, "li", "receive", t0="today")
    assert f"/desk/cases/{number}/steps/accept" in at_desk("li").go("/desk/").html
    decision = a_case(cast, at="to_refuse")
    page = at_desk("chen").go("/desk/")
    assert decision in page.html and f"/desk/cases/{decision}/steps/" not in page.html


def test_made_up_marks_of_a_page_are_ignored(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    a_case(cast, at="received")
    li = at_desk("li")
    for mark in ("x", "2026-99-99~1", "~", "2026-11-24~999999999999999999", "2026-11-24T10:00:00~3", "%00~1"):
        for page in ("/desk/", "/desk/cases", "/desk/records"):
            li.go(f"{page}?after={mark}")
            li.go(f"{page}?before={mark}")


def test_filters_narrow_the_list_and_can_be_dropped_one_by_one(
    cast: Cast, clock: Clock, at_desk: Callable[[str], Caller]
) -> None:
    clock.go("2026-11-16")
    late = a_case(cast, at="received")
    clock.go("2026-11-24")
    other = a_case(cast, at="accepted")
    li = at_desk("li")
    page = li.go("/desk/cases?late=late")
    assert late in page.html and other not in page.html
    page = li.go("/desk/cases?state=accepted&late=late")
    assert "没有符合条件的办件" in page.html
    page = li.follow("期限：已超期")
    assert other in page.html and late not in page.html
    assert other in li.go(f"/desk/cases?text={other.lower()}").html
    assert late in li.go("/desk/cases?text=岳衡").html
    assert other in li.go(f"/desk/cases?text={cast.codes['yueheng'][:9]}+{cast.codes['yueheng'][9:].lower()}").html
    li.go("/desk/cases?state=nonsense&office=999&late=%00&text=" + "字" * 500)


# ---- one step


def test_the_page_of_a_step_says_what_will_happen_before_it_happens(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="submitted")
    page = at_desk("li").go(f"/desk/cases/{number}/steps/receive")
    assert page.says("受理期限 开始计算，至 11月27日（周五）") and page.says("总期限 开始计算，至 12月8日（周二）")
    walk(cast, number, "li", "receive", t0="today")
    page = at_desk("li").go(f"/desk/cases/{number}/steps/accept")
    assert page.says("随即出具") and page.says("受理通知书") and page.says("办理期限 开始计算，至 12月3日（周四）")
    assert page.says("待核实"), "the seven days were never seen in a copy"
    number = a_case(cast, at="reviewed")
    page = at_desk("chen").go(f"/desk/cases/{number}/steps/confirm")
    assert page.says("信用中国") and page.says("湖南省公共资源交易中心") and page.says("审核意见：建议准予修复")


def test_a_step_leads_to_its_confirmation_with_the_number_to_keep(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="received")
    li = at_desk("li")
    li.go(f"/desk/cases/{number}")
    li.follow("受理")
    page = li.press("受理")
    assert page.says("已办理") and re.search(r"湘交信修受〔2026〕\d+号", page.html)
    assert page.says("本件现在是“审核中”，等审核员办理。办理期限到 12月3日（周四）")
    assert state(number) == "accepted"
    at_desk("zhou").go(page.address, expect=404)


def test_the_same_form_sent_again_has_one_effect_and_the_same_answer(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="received")
    li = at_desk("li")
    li.go(f"/desk/cases/{number}/steps/accept")
    answers = [li.send("受理")[0] for _ in range(4)]
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {
        (303, f"/desk/cases/{number}/done/{len(lines_of(number))}")
    }
    assert lines_of(number).count("accept") == 1
    assert scalar(select(func.count()).select_from(Document).where(Document.kind == "acceptance")) == 1


def test_whoever_comes_second_is_told_who_was_faster_and_nothing_is_lost(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="accepted")
    zhou = at_desk("zhou")
    zhou.go(f"/desk/cases/{number}/steps/review")
    walk(cast, number, "tang", "extend", reason="须向外省核实")
    page = zhou.press("提出审核意见", expect=409, opinion="grant", finding="罚款已缴清，整改完成。")
    assert page.says("唐文 刚刚办理了此件") and page.says("延期")
    assert "罚款已缴清，整改完成。" in page.html
    page = zhou.press("提出审核意见")
    assert page.says("已办理") and state(number) == "reviewed", "the step was still possible, and was sent again"


def test_what_was_typed_stays_even_when_the_step_has_become_impossible(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="accepted")
    zhou = at_desk("zhou")
    zhou.go(f"/desk/cases/{number}/steps/review")
    walk(cast, number, "deng", "withdraw")
    page = zhou.press("提出审核意见", expect=409, opinion="refuse", finding="尚未改正违法行为。")
    assert page.says("邓敏 刚刚办理了此件") and page.says("现在不能提出审核意见")
    assert page.says("您填写的内容") and page.says("尚未改正违法行为。") and page.says("建议不予修复")


def test_a_step_that_cannot_be_taken_shows_its_reason_instead_of_a_form(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="submitted")
    page = at_desk("li").go(f"/desk/cases/{number}/steps/accept")
    assert page.says("请先签收：签收后受理期限才开始计算")
    assert all(form.method != "post" or "logout" in form.action for form in page.forms)
    page = at_desk("zhou").go(f"/desk/cases/{number}/steps/receive")
    assert page.says("这一步由本件的受理员办理")
    for code in ("drop", "open", "nonsense"):
        at_desk("li").go(f"/desk/cases/{number}/steps/{code}", expect=404)


def test_a_refusal_of_the_law_comes_back_with_the_form_as_it_was_filled_in(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="submitted")
    li = at_desk("li")
    li.go(f"/desk/cases/{number}/steps/receive")
    page = li.press("签收", expect=422, t0="2026-11-25")
    assert page.says("不能晚于今天") and 'value="2026-11-25"' in page.html
    page = li.press("签收", expect=422, t0="去年")
    assert page.says("“去年”不是日期，请写成 2026-11-24 的样子") and 'value="去年"' in page.html
    assert page.title.startswith("需要修改：")
    page = li.press("签收", expect=422, t0="")
    assert page.says("请选一个日期")
    page = li.press("签收", t0="2026年11月24日")
    assert lines_of(number)[-1] == "receive"


def test_a_page_that_is_not_whole_is_answered_and_can_be_sent_again(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="received")
    li = at_desk("li")
    for broken in ({"seen_version": "x"}, {"seen_version": None}, {"key": "不是键"}, {"key": "k" * 90}, {"key": None}):
        li.go(f"/desk/cases/{number}/steps/accept")
        page = li.press("受理", expect=422, **broken)
        assert page.says("页面不完整，请重新打开")
    assert li.press("受理").says("已办理")


def test_gaps_are_told_at_once_row_by_row(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="received")
    li = at_desk("li")
    page = li.go(f"/desk/cases/{number}/steps/correct")
    assert not page.says("上一次为什么没有告知"), "it does not arise the first time"
    assert li.press("一次性告知补正", expect=422).says("请至少写一项需要补正的内容")
    page = li.press("再加一项", **{"items-0-name": "缴款凭证", "items-0-problem": "看不清日期"})
    assert 'name="items-1-name"' in page.html and 'value="缴款凭证"' in page.html
    page = li.press("一次性告知补正", expect=422, **{"items-1-name": "整改\u202e证明"})
    assert page.says("有 4 处需要改，其他内容已保留") and page.says("看不见的控制字符")
    page = li.press(
        "一次性告知补正",
        **{"items-0-remedy": "重新拍照", "items-1-name": "整改证明"},
        **{"items-1-problem": "没有日期", "items-1-remedy": "补写"},
    )
    assert page.says("补正通知书") and state(number) == "correcting"
    case = li.go(f"/desk/cases/{number}")
    assert case.says("1. 缴款凭证") and case.says("怎样补正：补写")
    assert case.says("已暂停") and case.says("等申请人，至 12月8日（周二）")


def test_a_second_notice_asks_why_the_first_was_not_enough(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="correcting")
    walk(cast, number, "deng", "resubmit", statement="已重新拍照")
    li = at_desk("li")
    assert li.go(f"/desk/cases/{number}/steps/correct").says("上一次为什么没有告知")
    row = {"items-0-name": "整改证明", "items-0-problem": "没有日期", "items-0-remedy": "补写"}
    page = li.press("一次性告知补正", expect=422, **row)
    assert page.says("再次告知须写明上一次为什么没有告知") and 'value="整改证明"' in page.html
    assert li.press("一次性告知补正", justification="补正后的证明与决定书不一致").says("已办理")


def test_a_task_is_chosen_first_and_then_done(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="processing")
    he = at_desk("he")
    page = he.go(f"/desk/cases/{number}/steps/do_task")
    assert page.says("办理哪一项")
    he.follow("去办")
    assert he.press("办理信息处理事项", outcome="信用评价不变").says("已办理")
    assert lines_of(number).count("do_task") == 1
    assert "去办" not in at_desk("zhou").go(f"/desk/cases/{number}").html


def test_the_opinion_stays_inside_the_house(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="reviewed")
    assert at_desk("chen").go(f"/desk/cases/{number}").says("义务已履行")
    filer = at_desk("deng")
    for page in (f"/my/cases/{number}", f"/my/cases/{number}/steps/withdraw"):
        found = filer.go(page)
        assert not found.says("义务已履行") and not found.says("建议准予修复") and not found.says("待核实")
    filer.go(f"/my/cases/{number}/why/receive", expect=404)


# ---- dates


def test_a_date_is_explained_day_by_day_with_its_basis(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="received")
    page = at_desk("li").go(f"/desk/cases/{number}/why/accept")
    assert page.says("为什么是 2026年11月27日（周五）")
    assert page.says("签收（当天不计）") and page.says("3 个工作日") and page.says("11月27日（周五） 24:00")
    assert page.says("第 3 日") and page.says("国办发〔2025〕22号") and page.says("已核实")
    assert page.says("不会自动批准") and page.says("“待补正”期间：停止计算，之后重新起算")
    for clock in ("nonsense", "decide", "receiver", "draft/x"):
        at_desk("li").go(f"/desk/cases/{number}/why/{clock}", expect=404)


def test_an_attested_row_is_no_longer_marked(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="accepted")
    address = f"/desk/cases/{number}/why/decide"
    assert at_desk("zhou").go(address).says("待核实")
    assert not at_desk("deng").go(f"/my/cases/{number}/why/decide").says("待核实")
    row = rule("repair.decide_within").on(date(2026, 11, 24))
    with transaction():
        db.session.add(
            Attestation(rule=row.rule_id, row=row.digest, user_id=cast.users["jiang"], at=now(), note="对照公报")
        )
    page = at_desk("zhou").go(address)
    assert page.says("已核实（法制）") and not page.says("待核实")


def test_an_extended_a_paused_and_a_held_date_each_say_how(
    cast: Cast, clock: Clock, at_desk: Callable[[str], Caller]
) -> None:
    extended = a_case(cast, at="accepted")
    walk(cast, extended, "tang", "extend", reason="须向外省核实")
    page = at_desk("zhou").go(f"/desk/cases/{extended}/why/decide")
    assert page.says("原来的到期日（不计） 12月3日（周四） + 延长 10 个工作日 = 到期 12月17日（周四） 24:00")
    assert page.says("已经延过一次，不能再延")
    paused = a_case(cast, at="correcting")
    page = at_desk("li").go(f"/desk/cases/{paused}/why/accept")
    assert page.says("为什么暂停计算") and page.says("之后从头重新起算") and page.says("当时还剩 3 个工作日")
    held = a_case(cast, at="held", on="2026-10-05")
    page = at_desk("deng").go(f"/my/cases/{held}/why/hold")
    assert page.says("认定文书日期（当日不计） 2026年10月5日 + 最短公示期 3 个月 = 期满 2027年1月5日")
    assert page.says("2027年1月6日 是暂定的"), "the holidays of 2027 are not announced"


# ---- papers


def test_a_document_is_read_at_once_and_downloaded_when_it_is_printed(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="accepted")
    document = scalar(select(Document.id).where(Document.kind == "acceptance"))
    li = at_desk("li")
    page = li.go(f"/desk/cases/{number}/documents/{document}")
    assert page.says("PDF 正在排印签章") and page.says("演示·无效") and page.says("受理通知书")
    assert li.go(f"/desk/cases/{number}/documents/{document}.pdf", expect=404).says("约一分钟后再来下载")
    night()
    answer = li.get(f"/desk/cases/{number}/documents/{document}.pdf")
    assert answer.status_code == 200 and answer.data.startswith(b"%PDF") and answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''%E5%8F%97%E7%90%86" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Cache-Control"] == "no-store"
    other = a_case(cast, at="accepted")
    for path in (f"/desk/cases/{other}/documents/{document}", f"/desk/cases/{other}/documents/{document}.pdf"):
        li.go(path, expect=404)
    at_desk("wang").go(f"/my/cases/{number}/documents/{document}", expect=404)
    at_desk("liu").go(f"/desk/cases/{number}/documents/{document}", expect=404)


def test_a_text_that_was_altered_in_the_database_is_not_shown(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    number = a_case(cast, at="accepted")
    document = scalar(select(Document.id).where(Document.kind == "acceptance"))
    page = at_desk("li").go(f"/desk/cases/{number}/documents/{document}")
    assert page.says("受理")
    with db.engine.begin() as connection:
        for name in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        connection.execute(Document.__table__.update().values(html="<article>准予一切</article>"))
    page = at_desk("li").go(f"/desk/cases/{number}/documents/{document}")
    assert page.says("与出具时的指纹不一致") and not page.says("准予一切")


def test_a_paper_handed_in_is_only_ever_a_download_that_can_do_nothing(
    cast: Cast, at_desk: Callable[[str], Caller], app: Flask
) -> None:
    number = a_case(cast, at="draft", duty="unknown")
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(picture, "PNG")
    with transaction():
        attach(
            number, actor=cast.who("deng"), purpose="duty_proof", name="缴款 凭证.png", data=picture.getvalue(),
            folder=app.config["INSTANCE"] / "uploads", limit=10_000_000, at=now(),
        )  # fmt: skip
    use = scalar(select(AttachmentUse.id))
    address = f"cases/{number}/files/{use}"
    at_desk("li").go(f"/desk/{address}", expect=404)  # a draft is the filer's own paper
    at_desk("wang").go(f"/my/{address}", expect=404)
    walk(cast, number, "deng", "submit")
    li = at_desk("li")
    assert li.go(f"/desk/cases/{number}").says("缴款 凭证.png")
    answer = li.get(f"/desk/{address}")
    assert answer.mimetype == "image/png" and answer.data == picture.getvalue()
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


# ---- records


def test_a_penalty_that_the_table_cannot_class_is_classed_by_a_person_with_a_reason(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    record = cast.penalty(on="2026-05-18", fine_size=None)
    address = f"/desk/records/{public_id(record)}"
    assert status_on(record, date(2026, 11, 24)) == "unpublished"
    li = at_desk("li")
    assert li.go(address).says("待分类")
    assert li.go(f"{address}/class").says("这由认定单位的审核员、确认人、负责人办理")
    zhou = at_desk("zhou")
    page = zhou.go(f"{address}/class")
    assert page.says("罚款数额是较少、较大还是巨额") and page.says("2026年8月18日")
    page = zhou.press("确定失信类别", expect=422, cls="一般")
    assert page.says("请填写“为什么是这一类”")
    assert re.search(r'value="一般"[^>]*checked|checked[^>]*value="一般"', page.html)
    page = zhou.press("确定失信类别", reason="三万元属于较大数额")
    assert page.says("一般") and page.says("三万元属于较大数额") and page.says("2027年5月18日") and page.says("公示中")
    db.session.rollback()
    columns = (CreditRecord.cls, CreditRecord.minimum_last_day, CreditRecord.maximum_last_day)
    row = db.session.execute(select(*columns).where(CreditRecord.id == record)).one()
    assert (row.cls, row.minimum_last_day, row.maximum_last_day) == ("一般", date(2026, 8, 18), date(2027, 5, 18))
    db.session.rollback()
    assert status_on(record, date(2026, 11, 24)) == "published"
    assert zhou.go(f"{address}/class").says("类别已经确定")


def test_an_annulled_penalty_without_a_case_is_withdrawn_at_once_and_everybody_is_told(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    record = cast.penalty(on="2026-05-18")
    address = f"/desk/records/{public_id(record)}"
    assert at_desk("li").go(f"{address}/annul").says("这由认定单位的审核员、确认人、负责人办理")
    assert at_desk("wu").get(f"{address}/annul").status_code == 404
    tang = at_desk("tang")
    tang.go(f"{address}/annul")
    page = tang.press("登记处罚撤销", expect=422, day="2026-11-25", reason="湘政复决〔2026〕8号")
    assert page.says("不能晚于今天") and "湘政复决〔2026〕8号" in page.html
    page = tang.press("登记处罚撤销", expect=422, day="2026-05-17")
    assert page.says("不能早于认定文书的日期")
    answers = [tang.send("登记处罚撤销", day="2026-11-23")[0].status_code for _ in range(3)]
    assert answers == [303, 303, 303], "the same again changes nothing"
    page = tang.go(address)
    for words in ("处罚已撤销", "已撤回", "湘政复决〔2026〕8号", "提前 2 个工作日"):
        assert page.says(words)
    assert status_on(record, date(2026, 11, 24)) == "withdrawn"
    assert scalar(select(func.count()).select_from(Notice).where(Notice.record_id == record)) == 4
    db.session.rollback()
    columns = (DeadlineRow.due_on, DeadlineRow.state, DeadlineRow.met_on)
    deadline = db.session.execute(select(*columns).where(DeadlineRow.clock == "withdraw")).one()
    assert (deadline.due_on, deadline.state, deadline.met_on) == (date(2026, 11, 26), "met", date(2026, 11, 24))
    db.session.rollback()
    acts = db.session.execute(select(JournalLine.act).where(JournalLine.about == "record")).scalars().all()
    db.session.rollback()
    assert acts == ["annul", "withdraw"]
    assert tang.go(f"{address}/annul").says("已经登记撤销")


def test_an_annulment_ends_the_open_case_and_the_case_withdraws_the_record(
    cast: Cast, clock: Clock, at_desk: Callable[[str], Caller]
) -> None:
    number = a_case(cast, at="accepted")
    record = record_of(number)
    tang = at_desk("tang")
    page = tang.go(f"/desk/records/{public_id(record)}/annul")
    assert page.says(f"正在办理的修复（{number}）随即终止")
    page = tang.press("登记处罚撤销", day="2026-11-24", reason="法院判决撤销")
    assert page.says("还剩 3 个工作日") and status_on(record, date(2026, 11, 24)) == "published"
    clock.go("2026-11-25")
    clock_duty.turn()
    assert state(number) == "superseded" and status_on(record, date(2026, 11, 25)) == "withdrawn"
    page = at_desk("tang").go(f"/desk/records/{public_id(record)}")
    assert page.says("提前 2 个工作日") and page.says("撤回信息") and page.says("系统值守")
    facts = scalar(select(func.count()).select_from(PublicationFact).where(PublicationFact.deed == "repair"))
    assert facts == 0, "a withdrawal leaves no trace of a repair"


def test_somebody_who_acts_for_the_subject_keeps_their_hands_off_its_record(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    record = cast.penalty()
    with transaction():
        db.session.add(
            Mandate(user_id=cast.users["tang"], subject_id=cast.subjects["yueheng"], capacity="clerk",
                    evidence="委托书", valid_from=date(2026, 1, 1))
        )  # fmt: skip
    assert at_desk("tang").go(f"/desk/records/{public_id(record)}/annul").says("应当回避")


def test_records_are_found_by_class_standing_and_words(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    shown, doubtful = cast.penalty(on="2026-05-18"), cast.penalty(on="2026-06-18", fine_size=None)
    li = at_desk("li")
    assert public_id(shown) in li.go("/desk/records?cls=一般&status=published").html
    page = li.go("/desk/records?cls=none&status=unpublished")
    assert public_id(doubtful) in page.html and public_id(shown) not in page.html
    assert public_id(shown) in li.go(f"/desk/records?text={cast.codes['yueheng']}").html
    assert "没有符合条件的信息" in li.go("/desk/records?text=没有这家公司").html
    at_desk("liu").go(f"/desk/records/{public_id(shown)}", expect=404)
    assert version(a_case(cast, at="submitted", record=shown)) == 2
    assert li.go(f"/desk/records/{public_id(shown)}").says("待受理")
