"""Over the counter, in a real browser: an officer finds the company, types in the paper, takes it in, has a receipt."""

from __future__ import annotations

import io
from typing import Any

from tests.browser.conftest import Visitor
from tests.cast import Cast


def picture() -> bytes:
    """A real photograph, if a dull one."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (4, 4), "blue").save(out, "PNG")
    return out.getvalue()


def test_an_officer_takes_in_an_application_at_the_window(visitor: Visitor, cast: Cast, request: Any) -> None:
    width = request.node.callspec.params["visitor"]
    cast.penalty()
    cast.penalty(duty="unknown")
    cast.penalty(duty="outstanding", duty_note="罚款还有 2.00 万元未缴清")
    cast.penalty(office="changsha")
    page = visitor.page
    visitor.sign_in("li")
    visitor.go("/desk/hall/")
    visitor.picture(f"hall-find-{width}")
    page.get_by_label("统一社会信用代码或者名称").fill("湖南")
    visitor.press("查找")
    visitor.picture(f"hall-several-{width}")
    page.get_by_label("统一社会信用代码或者名称").fill("91430100MA7X3K2Q6H")
    visitor.press("查找")
    visitor.picture(f"hall-wrong-{width}")
    page.get_by_label("统一社会信用代码或者名称").fill(cast.codes["yueheng"])
    visitor.press("查找")
    visitor.picture(f"hall-subject-{width}")
    for box in page.locator("input[name=records]").all():
        box.check()
    visitor.press("录入申请")
    visitor.picture(f"hall-filing-{width}")
    page.get_by_label("联系人").fill("邓敏")
    page.get_by_label("联系电话").fill("不知道")
    page.get_by_label("承诺书由谁签署").fill("罗建平")
    page.get_by_label("法定代表人").check()
    page.get_by_label("承诺书扫描件").set_input_files(
        {"name": "承诺书.png", "mimeType": "image/png", "buffer": picture()}
    )
    visitor.press("核对")
    visitor.picture(f"hall-again-{width}")
    page.get_by_label("联系电话").fill("138 0000 0000")
    visitor.press("核对")
    visitor.picture(f"hall-confirm-{width}")
    visitor.press("确认收件")
    assert page.get_by_role("heading", name="收件回执").is_visible()
    visitor.picture(f"hall-receipt-{width}")
    if width == 1280:
        page.emulate_media(media="print")
        visitor.picture(f"hall-receipt-print-{width}")
        page.emulate_media(media="screen")
    page.locator("main h3 a").first.click()
    page.wait_for_load_state()
    visitor.look()
    visitor.picture(f"hall-case-{width}")
