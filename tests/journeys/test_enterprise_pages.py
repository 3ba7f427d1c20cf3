"""The enterprise at its own counter: seeing what can be repaired, applying, signing, following."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from argon2 import PasswordHasher
from PIL import Image
from sqlalchemy import event, func, insert, select, update

from app.db import db, transaction
from app.models import (
    AttachmentUse,
    Case,
    CaseRecord,
    CreditRecord,
    Filing,
    JournalLine,
    Mandate,
    Repair,
    RepairLetter,
    User,
)
from app.views import my_cases
from tests.build import a_case, state, walk
from tests.cast import PASSWORD
from tests.journeys.caller import Caller

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Passwords are checked as ever, with parameters that cost a test no time."""

AGREED = {"read": "y", "liable": "y", "authority": "y", "consent": "y"}


@pytest.fixture
def people(cast, monkeypatch):
    """The cast, able to sign in."""
    for room in ("app.security", "app.sign_ins"):
        monkeypatch.setattr(f"{room}.hasher", lambda: CHEAP)
    with transaction():
        db.session.execute(update(User).values(password_hash=CHEAP.hash(PASSWORD)))
    return cast


@pytest.fixture
def visit(app, people) -> Callable[[str], Caller]:
    """`visit("deng")` is somebody who has signed in."""

    def come_in(login: str) -> Caller:
        caller = Caller(app.test_client())
        caller.sign_in(login, PASSWORD)
        return caller

    return come_in


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL of the block."""
    said: list[str] = []

    def hear(_connection, _cursor, statement, *_rest):
        if not statement.startswith("BEGIN"):
            said.append(statement)

    event.listen(db.engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(db.engine, "before_cursor_execute", hear)


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "#cccccc").save(out, "JPEG")
    return out.getvalue()


def public_id(record: int) -> str:
    found = db.session.execute(select(CreditRecord.public_id).where(CreditRecord.id == record)).scalar_one()
    db.session.rollback()
    return found


def count(model) -> int:
    found = db.session.execute(select(func.count()).select_from(model)).scalar_one()
    db.session.rollback()
    return found


def case_of(record: int) -> str:
    found = db.session.execute(
        select(Case.number).join(CaseRecord, CaseRecord.case_id == Case.id).where(CaseRecord.record_id == record)
    ).scalar_one()
    db.session.rollback()
    return found


def begin(caller, *records: int):
    """Tick the records and go on to the first question."""
    caller.go("/my/records")
    return caller.press("去申请", records=[public_id(record) for record in records])


def sign(caller, number: str):
    caller.go(f"/my/cases/{number}/letter")
    return caller.press("签署承诺", password=PASSWORD, **AGREED)


def receipt() -> str:
    found = db.session.execute(select(Filing.receipt).order_by(Filing.id.desc()).limit(1)).scalar_one()
    db.session.rollback()
    return found


def test_the_pre_check_says_of_each_record_whether_when_and_with_what(visit, people):
    people.penalty(on="2026-05-18")
    people.penalty(on="2026-07-02", duty="unknown")
    people.penalty(on="2026-09-30")
    people.penalty(on="2026-06-06", duty="outstanding", duty_note="罚款还有 2.00 万元未缴清")
    people.penalty(on="2026-04-03", excluded_by="《某条例》第三条")
    people.penalty(on="2026-09-02", kinds="警告", procedure="simple", fine_size=None)
    people.penalty(of="other", on="2026-05-01")
    page = visit("deng").go("/my/records")
    assert page.says("共 6 条") and page.says("可修复 2") and page.says("还需等待 1")
    assert page.says("最短公示期已于2026年8月18日届满。处罚的义务已经履行，系统已核对，不用再交证明。")
    assert page.text.count("纠正失信行为、履行处罚义务的证明材料") == 1, "only where our own systems know nothing"
    assert page.says("还需等待至 2026年12月31日")
    assert page.says("我们先收下，2026年12月31日（届满后的第一个工作日）自动转入受理")
    assert page.says("这一天是暂定的"), "the last week of the year may still be moved"
    assert page.says("罚款还有 2.00 万元未缴清。履行完毕后即可申请")
    assert page.says("可以依法申请行政复议或者提起行政诉讼")
    assert page.says("不公示，不影响信用，不用修复")
    boxes = next(form for form in page.forms if "records" in form.choices).choices["records"]
    assert len(boxes) == 3


def test_what_nobody_has_classed_yet_is_not_called_harmless(visit, people):
    people.penalty(on="2026-05-18", fine_size=None)
    page = visit("deng").go("/my/records")
    assert page.says("现在不可修复") and page.says("失信类别还没有确定")
    assert not page.says("不用修复") and not page.says("不影响信用")


def test_a_record_explains_its_dates_its_history_and_who_shows_it(visit, people):
    record = people.penalty(on="2026-10-03")
    page = visit("deng").go(f"/my/records/{public_id(record)}")
    assert page.says("2027年1月3日") and page.says("2027年10月3日") and page.says("认定当日不计")
    assert page.says("届满后的第一个工作日是2027年1月4日")
    assert page.says("行政处罚信息公示") and page.says("信用交通 · 湖南（本网站）公示中")
    assert page.says("信用修复管理办法") and page.says("3 个月") and page.says("1 年")


def test_a_company_applies_for_three_records_and_each_goes_its_own_way(visit, people):
    plain = people.penalty(on="2026-05-18")
    proven = people.penalty(on="2026-07-02", duty="unknown")
    early = people.penalty(on="2026-09-30")
    deng = visit("deng")
    page = begin(deng, plain, proven, early)
    assert page.h1 == ["怎样联系您"] and page.says("第 1 步，共 6 步")
    page = deng.press("下一步", contact="邓敏", phone="138 0000 0000", statement="罚款已于七月缴清。")
    while "核对" not in page.h1[0]:
        if page.h1 == ["上传证明材料"]:
            deng.press("上传", files=[("缴款凭证.jpg", picture())])
            page = deng.follow("下一步")
        else:
            page = deng.press("签署承诺", password=PASSWORD, **AGREED)
    assert page.says("第 6 步，共 6 步") and page.says("138 0000 0000") and page.says("证明材料 1 个文件")
    page = deng.press("提交申请（3 条）")
    assert page.h1 == ["申请回执"] and page.says(receipt())
    assert page.text.count("11月30日（周一）前告诉您是否受理") == 2, "one working day to sign for it, then three"
    assert page.says("2026年12月31日自动转入受理（暂定）")
    assert page.says("法定入口是“信用中国”网站，或者办事窗口") and page.says("受理员签收以后，才算正式收到")
    assert [state(case_of(record)) for record in (plain, proven, early)] == ["submitted", "submitted", "held"]
    codes = db.session.execute(select(RepairLetter.code).order_by(RepairLetter.code)).scalars().all()
    assert codes == [f"43000020261124{n:06d}" for n in (1, 2, 3)]
    kept = db.session.execute(select(Repair.statement, Repair.contact, Repair.phone)).all()
    assert set(map(tuple, kept)) == {("罚款已于七月缴清。", "邓敏", "138 0000 0000")}


def test_one_question_a_page_and_whatever_was_typed_is_found_again(visit, people):
    record = people.penalty(on="2026-05-18")
    deng = visit("deng")
    begin(deng, record)
    page = deng.press("下一步", expect=422, contact="邓敏", phone="不知道", statement="先写一半")
    assert page.says("有 1 处需要改，其他内容已保留") and page.says("联系电话应为 11 位手机号")
    page = deng.press("先保存，以后再填", contact="邓敏", phone="不知道", statement="先写一半")
    assert page.says("已保存") and page.says("继续填写，然后提交")
    page = deng.go(f"/my/filings/{receipt()}/contact")
    held = dict(page.form("下一步")[0].values)
    assert (held["phone"], held["statement"]) == ("不知道", "先写一半")


def test_records_that_are_refused_do_not_hold_up_the_others(visit, people):
    free = people.penalty(on="2026-05-18")
    busy = people.penalty(on="2026-05-20")
    a_case(people, at="submitted", record=busy)
    page = begin(visit("deng"), free, busy)
    assert page.h1 == ["怎样联系您"] and page.says("没有列入申请") and page.says("已经在办理修复")
    assert page.says("申请修复 1 条信息")


def test_a_choice_of_which_every_record_is_refused_opens_nothing(visit, people):
    owing = people.penalty(on="2026-05-18", duty="outstanding", duty_note="还有 1.00 万元")
    deng = visit("deng")
    people.penalty(on="2026-05-19")
    deng.go("/my/records")
    page = deng.press("去申请", expect=422, records=[public_id(owing)])
    assert page.says("没有建立申请") and page.says("处罚的义务还没有全部履行")
    assert count(Filing) == 0


def test_nothing_chosen_says_what_to_do(visit, people):
    people.penalty(on="2026-05-18")
    deng = visit("deng")
    deng.go("/my/records")
    assert deng.press("去申请", expect=422).says("请先选择要申请修复的信息")
    assert count(Filing) == 0


def test_a_page_whose_key_was_lost_is_shown_anew_with_what_was_chosen(visit, people):
    record = people.penalty(on="2026-05-18")
    deng = visit("deng")
    deng.go("/my/records")
    page = deng.press("去申请", expect=422, records=[public_id(record)], key="")
    assert page.says("页面不完整，请重新打开")
    assert deng.press("去申请", records=[public_id(record)]).h1 == ["怎样联系您"]


def test_a_record_of_another_company_cannot_be_chosen(visit, people):
    people.penalty(on="2026-05-18")
    theirs = people.penalty(of="other", on="2026-05-18")
    deng = visit("deng")
    deng.go("/my/records")
    deng.press("去申请", expect=422, records=[public_id(theirs)])
    assert count(Filing) == 0


def test_the_same_choice_sent_twice_is_one_filing(visit, people):
    record = people.penalty(on="2026-05-18")
    deng = visit("deng")
    deng.go("/my/records")
    first, _ = deng.send("去申请", records=[public_id(record)])
    second, _ = deng.send("去申请", records=[public_id(record)])
    assert first.headers["Location"] == second.headers["Location"]
    assert count(Filing) == 1 and count(Case) == 1


def test_a_letter_is_signed_only_with_every_consent_and_the_right_password(visit, people):
    number = draft(visit, people)
    deng = visit("deng")
    deng.go(f"/my/cases/{number}/letter")
    page = deng.press("签署承诺", expect=422, read="y", liable="y", authority="y", password=PASSWORD)
    assert page.says("修复以公开作出信用承诺为条件")
    page = deng.press("签署承诺", expect=422, password="guess", **AGREED)
    assert page.says("密码不对，请重新输入")
    values = page.form("签署承诺")[0].values
    assert {name for name, value in values if value == "y"} == set(AGREED), "the ticks are still there"
    assert dict(values)["password"] == "", "a password is never sent back"
    assert count(RepairLetter) == 0
    assert deng.press("签署承诺", password=PASSWORD, **AGREED).h1 == ["核对并提交"]
    assert count(RepairLetter) == 1


def test_five_wrong_passwords_shut_the_signature_for_a_quarter_of_an_hour(visit, people, clock):
    number = draft(visit, people)
    deng = visit("deng")
    deng.go(f"/my/cases/{number}/letter")
    for _ in range(5):
        page = deng.press("签署承诺", expect=422, password="guess", **AGREED)
    assert page.says("11月24日 10:15以后才能再签")
    deng.press("签署承诺", expect=422, password=PASSWORD, **AGREED)
    assert count(RepairLetter) == 0
    clock.at += timedelta(minutes=16)
    deng.press("签署承诺", password=PASSWORD, **AGREED)
    assert count(RepairLetter) == 1


def test_what_was_read_is_what_is_signed(visit, people, clock):
    number = draft(visit, people)
    clock.go("2026-11-24 23:59")
    deng = visit("deng")
    page = deng.go(f"/my/cases/{number}/letter")
    assert page.says("签署日期：2026年11月24日") and page.says("公开时隐去签署人的姓名")
    clock.go("2026-11-25 00:01")
    page = deng.press("签署承诺", expect=422, password=PASSWORD, **AGREED)
    assert page.says("请把全文重新读一遍") and page.says("签署日期：2026年11月25日")
    page = deng.go(f"/my/cases/{number}/letter?name=public")
    assert page.says("同意一并公开签署人的姓名")
    deng.press("签署承诺", password=PASSWORD, **AGREED)
    page = deng.go(f"/my/cases/{number}/letter")
    letter = db.session.execute(select(*RepairLetter.__table__.c)).one()
    assert letter.consent_publication and "同意一并公开签署人的姓名" in letter.text and letter.code in letter.text
    assert page.says(letter.text_hash) and page.says(letter.code) and page.says("邓敏（经办人）")
    assert db.session.execute(select(JournalLine.act).where(JournalLine.act == "letter")).all()


def test_each_file_is_judged_by_itself_and_the_good_ones_stay(visit, people):
    record = people.penalty(on="2026-07-02", duty="unknown")
    deng = visit("deng")
    begin(deng, record)
    deng.go(f"/my/cases/{case_of(record)}/papers")
    page = deng.press(
        "上传", expect=422,
        files=[("好的.jpg", picture()), ("其实是文字.pdf", "文字".encode()), ("空的.png", b"")],
    )  # fmt: skip
    assert page.says("有 2 处需要改") and page.says("其实是文字.pdf没有收下：只收 PDF、JPG、PNG 文件")
    assert page.says("空的.png没有收下：文件是空的")
    assert page.says("已上传的材料 1 个") and page.says("好的.jpg")
    page = deng.press("移除")
    assert page.says("还没有上传") and count(AttachmentUse) == 0
    assert deng.press("上传", expect=422).says("还没有选择文件")


def test_a_paper_cannot_be_changed_once_it_was_handed_in(visit, people):
    record = people.penalty(on="2026-07-02", duty="unknown")
    deng = visit("deng")
    begin(deng, record)
    number = case_of(record)
    page = deng.go(f"/my/cases/{number}/papers")
    form, _button = page.form("上传")
    token = dict(form.values)["csrf_token"]
    deng.press("上传", files=[("凭证.jpg", picture())])
    sign(deng, number)
    deng.press("提交申请")
    assert state(number) == "submitted"
    late = {"csrf_token": token, "files": (io.BytesIO(picture()), "又一份.jpg")}
    assert deng.post(f"/my/cases/{number}/papers", late).status_code in (302, 303)
    use = db.session.execute(select(AttachmentUse.id)).scalar_one()
    db.session.rollback()
    deng.post(f"/my/cases/{number}/files/{use}/remove", {"csrf_token": token})
    assert deng.go("/my/").says("材料不能再改") and count(AttachmentUse) == 1


def test_a_part_that_became_impossible_stays_behind_and_the_others_go(visit, people):
    good, doubtful = people.penalty(on="2026-05-18"), people.penalty(on="2026-05-19")
    deng = visit("deng")
    begin(deng, good, doubtful)
    for record in (good, doubtful):
        sign(deng, case_of(record))
    page = deng.go(f"/my/filings/{receipt()}")
    assert page.says("提交申请（2 条）")
    with transaction():
        db.session.execute(
            update(CreditRecord).where(CreditRecord.id == doubtful).values(duty="outstanding", duty_note="加处罚款未缴")
        )
    page = deng.press("提交申请", expect=422)
    assert page.says("有 1 条没有提交成功") and page.says("加处罚款未缴")
    assert [state(case_of(record)) for record in (good, doubtful)] == ["submitted", "draft"]
    page = deng.go(f"/my/filings/{receipt()}")
    assert page.says("还没有提交的 1 条") and page.says("还不能提交") and page.says("加处罚款未缴")


def test_handing_in_twice_has_one_effect(visit, people):
    record = people.penalty(on="2026-05-18")
    deng = visit("deng")
    begin(deng, record)
    number = case_of(record)
    sign(deng, number)
    deng.go(f"/my/filings/{receipt()}")
    first, _ = deng.send("提交申请")
    second, _ = deng.send("提交申请")
    assert first.status_code == second.status_code == 303
    lines = db.session.execute(select(JournalLine.act).where(JournalLine.act == "submit")).all()
    assert len(lines) == 1 and state(number) == "submitted"


def test_whoever_comes_second_is_told_who_was_faster(visit, people):
    record = people.penalty(on="2026-05-18")
    deng = visit("deng")
    begin(deng, record)
    number = case_of(record)
    sign(deng, number)
    deng.go(f"/my/filings/{receipt()}")
    walk(people, number, "luo", "submit")
    page = deng.press("提交申请", expect=422)
    assert page.says("罗建平刚刚办理了此件") and page.says("已收到您的申请")


def test_a_case_that_must_be_completed_says_what_and_takes_the_files(visit, people):
    number = a_case(people, at="correcting", on="2026-05-18")
    deng = visit("deng")
    page = deng.go("/my/")
    assert page.says("提交补正材料") and page.says("12月8日（周二）")
    page = deng.follow("提交补正材料")
    assert page.h1 == ["补正材料"] and page.says("缴款票据看不清") and page.says("重新拍照上传")
    deng.press("上传", files=[("清楚的票据.jpg", picture())])
    page = deng.follow("材料齐了，去提交补正")
    assert page.says("缴款票据看不清"), "what was asked for stands beside the form"
    deng.press("提交补正材料", statement="已重新上传。")
    assert state(number) == "submitted"


def test_the_list_shows_who_has_a_case_and_what_is_to_be_done(visit, people):
    a_case(people, at="draft", on="2026-05-18")
    a_case(people, at="accepted", on="2026-05-19")
    a_case(people, at="withdrawn", on="2026-05-20")
    deng = visit("deng")
    page = deng.go("/my/cases")
    assert page.says("草稿") and page.says("审核中") and page.says("在审核员处") and not page.says("已撤回")
    assert page.says("继续填写，然后提交") and page.says("不用做什么，等审核员办理")
    page = deng.follow("已结束")
    assert page.says("已撤回") and not page.says("审核中")


def test_a_long_list_is_turned_page_by_page_and_back(visit, people, monkeypatch, clock):
    monkeypatch.setattr(my_cases, "PAGE", 2)
    numbers = []
    for day in range(10, 15):
        clock.at += timedelta(minutes=1)
        numbers.append(a_case(people, at="submitted", on=f"2026-05-{day}"))
    deng = visit("deng")
    shown = []
    page = deng.go("/my/cases")
    for _ in range(3):
        shown += [number for number in reversed(numbers) if page.says(number)]
        if any(text.strip() == "下一页" for text, _url in page.links):
            page = deng.follow("下一页")
    assert shown == list(reversed(numbers))
    page = deng.follow("上一页")
    assert [number for number in numbers if page.says(number)] == numbers[1:3]
    deng.go("/my/cases?after=nonsense&before=~~")


def test_to_another_company_none_of_it_exists(visit, people):
    record = people.penalty(on="2026-07-02", duty="unknown")
    deng = visit("deng")
    begin(deng, record)
    number, public = case_of(record), public_id(record)
    page = deng.go(f"/my/cases/{number}/papers")
    deng.press("上传", files=[("凭证.jpg", picture())])
    use = db.session.execute(select(AttachmentUse.id)).scalar_one()
    db.session.rollback()
    wang = visit("wang")
    for address in (
        f"/my/records/{public}", f"/my/filings/{receipt()}", f"/my/filings/{receipt()}/contact", f"/my/cases/{number}",
        f"/my/cases/{number}/papers", f"/my/cases/{number}/letter", f"/my/cases/{number}/files/{use}",
    ):  # fmt: skip
        wang.go(address, expect=404)
    page = wang.go("/my/cases")
    token = dict(page.forms[0].values)["csrf_token"]
    for address in (f"/my/cases/{number}/papers", f"/my/cases/{number}/files/{use}/remove"):
        data = {"csrf_token": token, "files": (io.BytesIO(picture()), "x.jpg")}
        assert wang.post(address, data).status_code == 404
    assert count(AttachmentUse) == 1
    switch = {"csrf_token": token, "subject": str(people.subjects["yueheng"])}
    assert wang.post("/my/switch", switch).status_code == 404


def test_a_clerk_of_two_companies_acts_for_one_at_a_time(visit, people):
    with transaction():
        db.session.execute(
            insert(Mandate).values(
                user_id=people.users["deng"], subject_id=people.subjects["other"], capacity="clerk", evidence="委托书",
                valid_from=date(2020, 1, 1),
            )
        )  # fmt: skip
    mine, theirs = people.penalty(on="2026-05-18"), people.penalty(of="other", on="2026-05-19")
    deng = visit("deng")
    page = deng.go("/my/")
    assert page.h1 == ["湖南岳衡物流有限公司"]
    page = deng.press("湖南衡岳运输有限公司")
    assert page.h1 == ["湖南衡岳运输有限公司"]
    assert public_id(theirs) in deng.go("/my/records").html and public_id(mine) not in deng.page.html
    page = deng.go(f"/my/records/{public_id(mine)}")
    assert page.says("属于您代表的另一个单位")


def test_no_page_of_the_counter_needs_more_than_fifteen_statements(visit, people):
    records = [people.penalty(on=f"2026-05-{day}", duty="unknown") for day in range(10, 16)]
    deng = visit("deng")
    begin(deng, *records)
    number, filing = case_of(records[0]), receipt()
    correcting = a_case(people, at="correcting", on="2026-05-20")
    a_case(people, at="withdrawn", on="2026-05-21")
    for address in (
        "/my/", "/my/records", f"/my/records/{public_id(records[0])}", "/my/cases", f"/my/filings/{filing}",
        f"/my/filings/{filing}/contact", f"/my/cases/{number}/papers", f"/my/cases/{number}/letter",
        f"/my/cases/{correcting}/papers",
    ):  # fmt: skip
        with statements() as said:
            deng.go(address)
        assert len(said) <= 15, f"{address}: {len(said)}"


def test_a_locked_account_is_not_unlocked_by_signing_elsewhere(visit, people):
    number = draft(visit, people)
    deng, twin = visit("deng"), visit("deng")
    for caller in (deng, twin):
        caller.go(f"/my/cases/{number}/letter")
    for caller in (deng, twin, deng, twin, deng):
        caller.press("签署承诺", expect=422, password="guess", **AGREED)
    twin.press("签署承诺", expect=422, password=PASSWORD, **AGREED)
    locked = db.session.execute(select(User.locked_until).where(User.login == "deng")).scalar_one()
    assert locked is not None and count(RepairLetter) == 0


def draft(visit, people) -> str:
    """A draft whose contact is known and whose letter is still to be signed."""
    record = people.penalty(on="2026-05-18")
    deng = visit("deng")
    begin(deng, record)
    deng.press("下一步", contact="邓敏", phone="0731-0000-0000")
    return case_of(record)
