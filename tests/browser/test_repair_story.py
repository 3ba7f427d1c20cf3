"""信用修复 from the pre-check to 已办结, in a browser, on a phone and at a desk; each person signs in as themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.browser.conftest import Visitor
from tests.cast import PASSWORD, Cast


def test_a_record_is_repaired(visitor: Visitor, cast: Cast, tmp_path: Path, night: Callable[[], None]) -> None:
    cast.penalty(on="2026-05-18", duty="unknown")
    number = an_application(visitor, proof(tmp_path))
    the_office_decides(visitor, number)
    the_result_is_processed(visitor, number, night)
    code = the_decision_in_hand(visitor, number)
    anybody_can_check(visitor, code)


def an_application(visitor: Visitor, proof: Path) -> str:
    """邓敏 sees what can be repaired and applies, one question a page."""
    page = visitor.page
    visitor.go("/")
    visitor.sign_in("deng")
    visitor.go("/my/records")
    assert page.get_by_text("最短公示期已于2026年8月18日届满").is_visible()
    visitor.picture("records")
    page.get_by_label("选这一条申请").check()
    visitor.press("去申请")
    page.get_by_label("联系人").fill("邓敏")
    page.get_by_label("联系电话").fill("0731-88880000")
    visitor.press("下一步")
    page.locator("input[type=file]").set_input_files(proof)
    visitor.press("上传")
    visitor.press("下一步")
    for box in ("我已读过全文", "所交材料真实", "我有权代表", "同意公开这份承诺书"):
        page.get_by_label(box).check()
    page.get_by_label("登录密码").fill("不是这个密码")
    visitor.press("签署承诺")
    assert page.get_by_role("alert").is_visible()
    assert page.get_by_label("我已读过全文").is_checked(), "what was ticked is kept"
    page.get_by_label("登录密码").fill(PASSWORD)
    visitor.press("签署承诺")
    visitor.press("提交申请")
    assert page.get_by_text("已收到您的申请").is_visible()
    visitor.picture("receipt")
    found = re.search(r"XF-[A-Z0-9]{8}", page.locator("main").inner_text())
    assert found is not None
    return found.group()


def the_office_decides(visitor: Visitor, number: str) -> None:
    """李昊 receives and accepts, 周敏 reviews, 陈立 confirms."""
    page = visitor.page
    visitor.sign_in("li")
    visitor.picture("inbox")
    visitor.go(f"/desk/cases/{number}")
    visitor.press("签收")
    visitor.press("签收")
    visitor.go(f"/desk/cases/{number}")
    visitor.press("受理")
    visitor.press("受理")
    visitor.sign_in("zhou")
    visitor.go(f"/desk/cases/{number}")
    visitor.press("提出审核意见")
    page.get_by_label("建议准予修复").check()
    page.locator("textarea[name=finding]").fill("罚款已缴清，违法行为已纠正，符合修复条件。")
    visitor.press("提出审核意见")
    visitor.go(f"/desk/cases/{number}/steps/confirm")
    assert page.get_by_text("这一步由本件的确认人办理").is_visible()
    visitor.sign_in("chen")
    visitor.go(f"/desk/cases/{number}")
    visitor.picture("case")
    visitor.press("准予修复")
    visitor.press("准予修复")
    assert page.get_by_text("准予信用修复决定书").first.is_visible()


def the_result_is_processed(visitor: Visitor, number: str, night: Callable[[], None]) -> None:
    """The press prints; 贺岚 serves the decision, hands the result in, does the tasks; the watch closes the case."""
    page = visitor.page
    night()
    visitor.sign_in("he")
    visitor.go(f"/desk/cases/{number}/steps/serve")
    page.get_by_label("放入").check()
    visitor.press("送达决定书")
    visitor.go(f"/desk/cases/{number}/steps/hand_over")
    page.get_by_label("在信用中国的办理账号里填报").check()
    visitor.press("反馈信用中国")
    for task in ("regrade", "own_pages"):
        visitor.go(f"/desk/cases/{number}/steps/do_task?item={task}")
        page.locator("[name=outcome]").fill("已核对。")
        visitor.press("办理信息处理事项")
    night()
    visitor.go(f"/desk/cases/{number}")
    assert page.locator("[aria-current=step], .path li").last.get_by_text("已办结").is_visible()
    visitor.go(f"/desk/cases/{number}/why/total")
    visitor.picture("why")


def the_decision_in_hand(visitor: Visitor, number: str) -> str:
    """邓敏 reads the decision and takes the signed PDF; its verification code."""
    page = visitor.page
    visitor.sign_in("deng")
    visitor.go(f"/my/cases/{number}")
    visitor.picture("own-case")
    visitor.press("准予信用修复决定书")
    visitor.picture("document")
    visitor.go(f"/my/cases/{number}")
    with page.expect_download() as download:
        page.locator("main a[href$='.pdf']").first.click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    code = page.locator("main code", has_text=re.compile(r"^[0-9A-Z]{5}(-[0-9A-Z]{5}){4}$")).first.inner_text()
    visitor.go("/my/records")
    assert page.get_by_text("已经修复，不用修复。").is_visible()
    return code


def anybody_can_check(visitor: Visitor, code: str) -> None:
    """The public types the code and is told what the document is and whether it still stands."""
    page = visitor.page
    page.context.clear_cookies()
    visitor.go(f"/verify/{code}")
    assert page.get_by_text("准予信用修复决定书").first.is_visible()
    visitor.picture("verified")


def proof(folder: Path) -> Path:
    """A picture that plays a receipt."""
    path = folder / "缴款凭证.png"
    Image.new("RGB", (400, 300), "#eeeeee").save(path)
    return path
