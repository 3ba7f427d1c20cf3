"""窗口收件: 李昊 takes in over the counter what a company hands in on paper; nothing is lost, nothing filed twice."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select
from werkzeug.test import TestResponse

from app.db import db, transaction
from app.models import AttachmentUse, Case, CreditRecord, Filing, Identifier, JournalLine, Mandate, Subject
from app.registry.blind import blind_index
from app.registry.codes import id_check_character
from tests.build import ITEMS, state, walk
from tests.casework.acts import lines, look, officer, scalar
from tests.cast import SINCE, Cast
from tests.journeys.caller import Caller, Page
from tests.journeys.conftest import STATEMENTS, Visitor
from workflows.calendar import legal_day


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


def picture(colour: str = "red") -> bytes:
    """A real photograph, if a dull one."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (4, 4), colour).save(out, "PNG")
    return out.getvalue()


def public_id(record: int) -> str:
    return str(scalar(select(CreditRecord.public_id).where(CreditRecord.id == record)))


def chosen(cast: Cast, li: Caller, *records: int) -> Page:
    """The company is found by its code, its records are chosen."""
    li.go("/desk/hall/")
    li.press("查找", text=cast.codes["yueheng"])
    form, _button = li.page.form("录入申请")  # type: ignore[union-attr]
    wanted = "&".join(f"records={public_id(record)}" for record in records)
    return li.go(f"{form.action}?{wanted}")


def look_over(li: Caller, expect: int = 200, **changed: Any) -> Page:
    """What stands on the paper, typed in and sent to be looked over."""
    values: dict[str, Any] = {
        "contact": "邓敏", "phone": "13800000000", "statement": "罚款\n已经缴清。", "signer": "罗建平",
        "capacity": "legal_representative", "scan": [("承诺书.png", picture("blue"))],
    }  # fmt: skip
    return li.press("核对", expect=expect, **{**values, **changed})


def test_an_application_is_taken_in_over_the_counter(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    record = cast.penalty()
    li = at_desk("li")
    assert li.go("/desk/").link("窗口收件")
    page = chosen(cast, li, record)
    assert page.says("申请修复1条信息")
    page = look_over(li)
    assert page.h1 == ["核对并收件"] and page.says("可以收") and page.says("罗建平（法定代表人）")
    assert scalar(select(func.count()).select_from(Case)) == 0, "nothing is filed before it is confirmed"
    page = li.press("确认收件")
    assert page.h1 == ["收件回执"] and page.says("收下1条") and page.says("前告知是否受理")
    number = str(scalar(select(Case.number)))
    assert lines(number) == ["open", "letter", "attach", "submit", "receive"]
    row = look(number).row
    assert (row.channel, row.state) == ("hall", "submitted")
    filing = db.session.execute(select(*Filing.__table__.c)).one()
    roles = db.session.execute(
        select(JournalLine.role, JournalLine.person_name, JournalLine.on_behalf_of).where(JournalLine.about == "case")
    ).all()
    db.session.rollback()
    assert filing.user_id == cast.users["li"]
    assert {tuple(role) for role in roles[:4]} == {("carrier", "李昊", cast.subjects["yueheng"])}
    assert roles[4].role == "acceptance"
    said = scalar(select(JournalLine.answers).where(JournalLine.act == "letter"))
    assert said["signer"] == "罗建平"
    case = li.go(f"/desk/cases/{number}")
    assert case.says("由办事窗口收件") and case.says("李昊（转交人，湖南省交通运输厅）代湖南岳衡物流有限公司")
    walk(cast, number, "li", "accept")
    assert state(number) == "accepted"


def test_confirming_twice_is_one_filing(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    li = at_desk("li")
    chosen(cast, li, cast.penalty())
    look_over(li)
    first, _ = li.send("确认收件")
    second, _ = li.send("确认收件")
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert scalar(select(func.count()).select_from(Case)) == 1


def test_nothing_is_lost_when_something_is_wrong(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    li = at_desk("li")
    chosen(cast, li, cast.penalty())
    page = look_over(
        li, expect=422, phone="不知道", received_on="2030-01-01x", proofs=[("假.pdf", b"x"), ("真.png", picture())]
    )
    assert page.says("联系电话应为11位手机号") and page.says("不是日期") and page.says("假.pdf没有收下")
    assert page.says("已收下：承诺书.png") and page.says("已收下：真.png") and page.says("罚款 已经缴清。")
    page = li.press("核对", phone="13800000000", received_on="2026-11-23")
    assert page.says("2026年11月23日") and page.says("承诺书.png") and page.says("真.png")
    page = li.press("返回修改")
    assert page.h1 == ["录入申请"] and page.says("已收下：真.png")
    seal = next(v for f in page.forms for v in f.choices.get("drop", []))
    page = li.press("核对", drop=[seal], scan=[("新承诺书.png", picture("green"))])
    assert page.says("新承诺书.png") and not page.says("承诺书扫描件承诺书.png")
    li.press("确认收件")
    assert scalar(select(func.count()).select_from(Case)) == 1
    row = look(str(scalar(select(Case.number)))).row
    assert legal_day(row.t0) == date(2026, 11, 23)


def test_without_a_scan_of_the_letter_nothing_is_taken_in(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    li = at_desk("li")
    chosen(cast, li, cast.penalty())
    assert look_over(li, expect=422, scan=None).says("请上传承诺书的扫描件")
    assert look_over(li, expect=422, scan=[("x.exe", b"MZ")]).says("x.exe没有收下")


def test_what_the_law_refuses_is_said_before_confirming_and_does_not_block_the_rest(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    li = at_desk("li")
    good, unproven = cast.penalty(), cast.penalty(duty="unknown")
    chosen(cast, li, good, unproven)
    page = look_over(li)
    assert page.says("不能收") and page.says("还缺1份") and page.says("可以收")
    page = li.press("确认收件")
    assert page.says("收下1条") and page.says("没有收下的1条") and page.says("还缺1份")


def test_all_refused_comes_back_to_the_form(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    li = at_desk("li")
    chosen(cast, li, cast.penalty(duty="unknown"))
    page = look_over(li, expect=422)
    assert page.h1 == ["录入申请"] and page.says("没有收下，填写的内容已保留") and page.says("已收下：承诺书.png")
    assert scalar(select(func.count()).select_from(Filing)) == 0


def test_too_early_is_held(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    li = at_desk("li")
    chosen(cast, li, cast.penalty(on="2026-10-05"))
    assert look_over(li).says("预收，期满自动转入受理")
    assert li.press("确认收件").says("已经预收")
    assert state(str(scalar(select(Case.number)))) == "held"


def test_what_other_offices_recognised_is_sent_to_their_windows(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    theirs = cast.penalty(office="changsha")
    li = at_desk("li")
    li.go("/desk/hall/")
    page = li.press("查找", text="岳衡")
    assert page.says("其他单位认定的1条") and page.says("长沙市交通运输局")
    assert page.says("没有本单位认定、现在可以申请修复的信息")
    subject = cast.subjects["yueheng"]
    page = li.go(f"/desk/hall/{subject}/filing?records={public_id(theirs)}")
    assert page.address.endswith(f"/desk/hall/{subject}") and page.says("请先选择要申请修复的信息")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "请填写“统一社会信用代码或者名称”"),
        ("91430100MA7X3K2Q6H", "第 18 位"),
        ("没有这家", "没有名称里含有“没有这家”的单位"),
        ("11010519491231002X", "没有这个身份证号码的信用信息"),
    ],
)
def test_nobody_found_is_said_with_what_to_do(
    cast: Cast, at_desk: Callable[[str], Caller], text: str, said: str
) -> None:
    li = at_desk("li")
    li.go("/desk/hall/")
    assert li.press("查找", expect=422, text=text).says(said)


def test_a_name_that_fits_several_lists_them(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    li = at_desk("li")
    li.go("/desk/hall/")
    page = li.press("查找", text="湖南")
    assert page.says("是哪一家？2家") and page.link("湖南岳衡物流有限公司")


def test_a_natural_person_is_found_by_a_number_that_is_shown_nowhere(
    app: Flask, cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    first17 = "43010019900307101"
    id_number = first17 + id_check_character(first17)
    with transaction():
        subject = db.session.execute(
            insert(Subject.__table__)
            .values(kind="person", name="何示例", legal_representative="", region="430100", trade="")
            .returning(Subject.id)
        ).scalar_one()
        blind = blind_index(id_number, bytes.fromhex(app.config["INDEX_KEY"]), "identifier")
        db.session.execute(
            insert(Identifier).values(
                subject_id=subject, kind="id_card", sealed="s1.x.y", blind=blind, valid_from=SINCE
            )
        )
    li = at_desk("li")
    li.go("/desk/hall/")
    page = li.press("查找", text=id_number)
    assert page.h1 == ["何示例"] and id_number not in page.html and id_number not in page.address


def test_only_acceptance_officers_stand_at_the_window(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    zhou = at_desk("zhou")
    assert not zhou.go("/desk/").says("窗口收件")
    zhou.go("/desk/hall/", expect=403)


def test_whoever_acts_for_the_company_is_sent_to_a_colleague(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    record, subject = cast.penalty(), cast.subjects["yueheng"]
    with transaction():
        db.session.execute(
            insert(Mandate).values(
                user_id=cast.users["li"], subject_id=subject, capacity="clerk", evidence="书", valid_from=SINCE
            )
        )
    li = at_desk("li")
    assert li.go(f"/desk/hall/{subject}").says("请由窗口的其他人代收")
    page = li.go(f"/desk/hall/{subject}/filing?records={public_id(record)}")
    assert page.says("请由窗口的其他人代收")


def test_a_receipt_is_shown_to_the_office_that_took_it_in_only(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    li = at_desk("li")
    chosen(cast, li, cast.penalty())
    look_over(li)
    address = li.press("确认收件").address
    at_desk("liu").go(address, expect=404)
    at_desk("li").go("/desk/hall/receipts/AAAA-BBBB", expect=404)
    assert at_desk("li").go(address).says("收件回执")


def test_a_seal_of_somebody_else_names_no_file(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    record = cast.penalty()
    officer(cast, "li2", "acceptance")
    li = at_desk("li")
    chosen(cast, li, record)
    page = look_over(li, expect=422, phone="不知道")
    seal = next(value for form in page.forms for name, value in form.values if name == "kept")
    other = at_desk("li2")
    chosen(cast, other, record)
    for stolen in (seal, seal[:-1] + ("A" if seal[-1] != "A" else "B"), "x"):
        assert look_over(other, expect=422, scan=None, kept=[stolen]).says("请上传承诺书的扫描件")


def test_what_is_missing_is_brought_to_the_window_too(cast: Cast, at_desk: Callable[[str], Caller]) -> None:
    li = at_desk("li")
    chosen(cast, li, cast.penalty())
    look_over(li)
    li.press("确认收件")
    number = str(scalar(select(Case.number)))
    walk(cast, number, "li", "correct", items=ITEMS)
    li = at_desk("li")
    li.go(f"/desk/cases/{number}")
    page = li.follow("提交补正材料")
    assert page.address.endswith(f"/desk/hall/cases/{number}/completion")
    assert page.says("缴款票据看不清")
    page = li.press("收下补正材料", expect=422, statement="", files=[("票据.png", picture()), ("假.png", b"no")])
    assert page.says("请写明补正了什么") and page.says("假.png没有收下") and page.says("已收下：票据.png")
    page = li.press("收下补正材料", statement="重新拍照")
    assert page.address.endswith(f"/desk/cases/{number}") and state(number) == "submitted"
    uses = scalar(select(func.count()).select_from(AttachmentUse).where(AttachmentUse.purpose == "completion"))
    assert uses == 1
    page = li.go(f"/desk/hall/cases/{number}/completion")
    assert page.address.endswith(f"/desk/cases/{number}")


def test_an_application_of_the_portal_is_not_completed_at_the_window(
    cast: Cast, at_desk: Callable[[str], Caller]
) -> None:
    from tests.build import a_case

    number = a_case(cast, at="correcting")
    at_desk("li").go(f"/desk/hall/cases/{number}/completion", expect=404)
