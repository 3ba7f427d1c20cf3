"""The linked departments' counter in a browser, on a phone and at a desk: several answered at once, one with a reason,
one corrected; the enterprise sees the figures change."""

from __future__ import annotations

import re

from sqlalchemy import update

from app.db import db, transaction
from app.models import User
from app.security import hasher
from tests.browser.conftest import Visitor
from tests.build import a_case
from tests.casework.acts import officer, told
from tests.cast import PASSWORD, Cast


def test_a_department_answers_what_it_was_told(visitor: Visitor, cast: Cast) -> None:
    numbers = [a_case(cast, at="processing") for _ in range(3)]
    officer(cast, "xie", "linked", office="ld-market")
    with transaction():
        db.session.execute(update(User).where(User.login == "xie").values(password_hash=hasher().hash(PASSWORD)))
    several_at_once(visitor)
    one_that_cannot_be_found(visitor, told(numbers[2])["ld-market"][-1].key)
    everything_is_listed(visitor)
    the_enterprise_sees_it(visitor, numbers[2])


def several_at_once(visitor: Visitor) -> None:
    """谢婷 ticks two and answers them together."""
    page = visitor.page
    visitor.sign_in("xie")
    assert page.get_by_role("heading", name="待处理的通知").is_visible()
    visitor.picture("agency-inbox")
    boxes = page.locator("main .check")
    assert boxes.count() == 3
    for n in (0, 1):
        boxes.nth(n).check()
    visitor.press("一起回执")
    assert page.get_by_role("heading", name="请核对").is_visible()
    visitor.press("确认，提交 2 份回执")
    assert page.get_by_text("请选一项").first.is_visible(), "nothing is guessed"
    page.get_by_label("已停止公示和使用，并解除措施").check()
    page.get_by_label("贵单位的办理编号").fill("市监信〔2026〕88号")
    visitor.picture("agency-several")
    visitor.press("确认，提交 2 份回执")
    assert page.get_by_role("heading", name="已提交 2 份回执").is_visible()
    visitor.picture("agency-several-done")
    visitor.press("回到待处理")


def one_that_cannot_be_found(visitor: Visitor, key: str) -> None:
    """The third is in none of their books; later it is found."""
    page = visitor.page
    visitor.go(f"/agency/notices/{key}")
    page.get_by_label("查找不到这个主体或者这条信息").check()
    visitor.press("提交回执")
    assert page.get_by_role("alert").get_by_text("请写明情况和理由").is_visible()
    assert page.get_by_label("查找不到这个主体或者这条信息").is_checked(), "what was chosen is kept"
    page.get_by_label("情况和理由").fill("主体库里没有这个统一社会信用代码")
    visitor.press("提交回执")
    assert page.get_by_text("最后一份回执：").is_visible()
    page.get_by_text("情况有变，再交一份回执").click()
    page.get_by_label("此前已经停止").check()
    visitor.picture("agency-notice")
    visitor.press("提交回执")
    assert page.get_by_text("2 份，以最后一份为准").is_visible()


def everything_is_listed(visitor: Visitor) -> None:
    """The list of all, narrowed, and as a file."""
    page = visitor.page
    visitor.go("/agency/")
    assert page.get_by_text("没有要回执的通知，都办好了").is_visible()
    visitor.go("/agency/notices")
    assert page.get_by_text("已办理").count() >= 2
    page.get_by_label("处理结果").select_option("准予修复")
    visitor.press("筛选")
    visitor.picture("agency-notices")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载这个列表").click()
    assert re.fullmatch(r"notices-\d{8}\.csv", download.value.suggested_filename)


def the_enterprise_sees_it(visitor: Visitor, number: str) -> None:
    """邓敏 reads who has confirmed and who has not."""
    page = visitor.page
    visitor.sign_in("deng")
    visitor.go(f"/my/cases/{number}")
    assert page.get_by_text("1 / 4 已确认").is_visible()
    assert page.get_by_role("heading", name="仍可能显示这条信息的单位").is_visible()
    visitor.picture("case-receivers")
