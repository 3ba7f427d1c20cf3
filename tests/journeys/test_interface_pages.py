"""订阅与接口: a department's clerk keeps its keys and subscriptions; an administrator says how departments are told."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy import insert, select, update

from app.db import db, transaction
from app.models import Endpoint, JournalLine, Membership, ReceiverKey, Subscription, User
from app.notices.api_keys import holder_of
from app.notices.keys import receipt_keys, webhook_secrets
from app.now import now
from tests.cast import SINCE, Cast
from tests.journeys.caller import Caller
from tests.journeys.door import CHEAP, PASSWORD, enter, people  # noqa: F401

T = TypeVar("T")
PUBLIC = b64encode(Ed25519PrivateKey.from_private_bytes(b"k" * 32).public_key().public_bytes_raw()).decode()


@pytest.fixture
def xie(app: Flask, people: Cast) -> Caller:  # noqa: F811
    """谢婷 of the market supervision, signed in."""
    with transaction():
        people.users["xie"] = db.session.execute(
            insert(User)
            .values(login="xie", name="谢婷", password_hash=CHEAP.hash(PASSWORD), active=True, session_version=1,
                    failures=0)
            .returning(User.id)
        ).scalar_one()  # fmt: skip
        db.session.execute(
            insert(Membership).values(
                user_id=people.users["xie"], office_id=people.offices["ld-market"], role="linked", valid_from=SINCE
            )
        )
    return enter(app, "xie")


def fresh(read: Callable[..., T], *about: Any) -> T:
    """What stands in the database by now."""
    db.session.rollback()
    return read(*about)


def acts(office: int) -> list[str]:
    """What stands in the journal of an office."""
    found = db.session.execute(
        select(JournalLine.act)
        .where(JournalLine.about == "office", JournalLine.about_id == office)
        .order_by(JournalLine.seq)
    ).scalars()
    return list(found)


def test_a_clerk_changes_the_secret_and_sees_it_once(xie: Caller, people: Cast) -> None:
    market = people.offices["ld-market"]
    page = xie.go("/agency/interface")
    assert page.says("还没有。用接口推送以前须先换发一把。")
    xie.follow("换发签名密钥")
    page = xie.press("换发", overlap="7")
    [secret] = fresh(webhook_secrets, market, now())
    assert page.status == 200 and page.says(secret) and page.says("只显示这一次")
    for address in ("/agency/interface", "/agency/interface/secret"):
        assert secret[6:] not in xie.go(address).html
    assert acts(market) == ["make_secret"]


def test_a_receipt_key_is_registered_named_and_ended(xie: Caller, people: Cast) -> None:
    market = people.offices["ld-market"]
    xie.go("/agency/interface")
    xie.follow("登记回执公钥")
    page = xie.press("登记", 422, key_name="2026", public="不是公钥")
    assert page.says("公钥读不出来") and page.says("不是公钥"), "what was typed is kept"
    page = xie.press("登记", key_name="2026", public=PUBLIC)
    assert page.says("公钥已登记") and page.says(PUBLIC)
    assert list(fresh(receipt_keys, market, now())) == ["2026"]
    xie.follow("停用 回执公钥 2026")
    assert xie.press("停用").says("密钥的停用已登记")
    assert fresh(receipt_keys, market, now()) == {}
    xie.go("/agency/interface/receipt-keys/new")
    assert xie.press("登记", 422, key_name="2026", public=PUBLIC).says("这个名称已经用过")
    assert acts(market) == ["add_key", "end_key"]


def test_the_only_secret_is_not_taken_away(xie: Caller, people: Cast) -> None:
    xie.go("/agency/interface/secret")
    xie.press("换发", overlap="0")
    xie.go("/agency/interface")
    xie.follow("停用 签名密钥 w1")
    page = xie.press("停用", 422)
    assert page.says("这是唯一有效的签名密钥")
    assert len(webhook_secrets(people.offices["ld-market"], now())) == 1


def test_an_api_key_is_shown_once_answers_for_the_department_and_is_revoked(xie: Caller, people: Cast) -> None:
    xie.go("/agency/interface/api-keys/new")
    assert xie.press("开通", 422, label="业务系统").says("请至少选一项")
    page = xie.press("开通", label="业务系统", scopes="receipts")
    secret = next(word for word in page.html.replace("<", " ").replace(">", " ").split() if word.startswith("jn_"))
    holder = fresh(holder_of, secret, now())
    assert holder is not None
    assert (holder.office_id, holder.user_id) == (people.offices["ld-market"], people.users["xie"])
    assert holder.scopes == {"receipts"}
    page = xie.go("/agency/interface")
    assert page.says("业务系统") and secret not in page.html
    xie.follow("停用 接口密钥 业务系统")
    xie.press("停用")
    assert fresh(holder_of, secret, now()) is None


def test_what_the_law_says_is_listed_and_cannot_be_switched_off_more_can_be_asked_for(
    xie: Caller, people: Cast
) -> None:
    page = xie.go("/agency/interface")
    assert page.says("准予修复、处罚已撤销 不能关闭") and page.says("《信用修复管理办法》")
    xie.follow("增加订阅")
    page = xie.press("订阅", region="4301", trade="道路货物运输")
    assert page.says("长沙市 · 道路货物运输 · 不限种类")
    xie.go("/agency/interface/subscriptions/new")
    assert xie.press("订阅", 422, region="4301", trade="道路货物运输").says("已经有同样的订阅")
    assert xie.press("订阅", 422, region="9999").says("请从列出的选项里选一项")
    xie.go("/agency/interface")
    xie.follow("结束 长沙市")
    assert xie.press("结束订阅").says("订阅的结束已登记")
    row = db.session.execute(select(Subscription)).scalar_one()
    assert row.valid_until is not None and (row.regions, row.trades, row.kinds) == ("4301", "道路货物运输", "")


def test_nobody_reaches_the_keys_of_another_department(app: Flask, xie: Caller, people: Cast) -> None:
    xie.go("/agency/interface/secret")
    xie.press("换发", overlap="0")
    key_id = db.session.execute(select(ReceiverKey.id)).scalar_one()
    with transaction():
        db.session.execute(update(Membership).where(Membership.user_id == people.users["xie"]).values(
            office_id=people.offices["ld-trading"]
        ))  # fmt: skip
    assert xie.get(f"/agency/interface/keys/{key_id}/end").status_code == 404
    assert "w1" not in xie.go("/agency/interface").html


def test_the_administrator_says_how_a_department_is_told(app: Flask, xie: Caller, people: Cast) -> None:
    market, shen = people.offices["ld-market"], enter(app, "shen")
    shen.go("/admin/endpoints")
    shen.follow("湖南省市场监督管理局")
    page = shen.press("保存", 422, channel="webhook", address="http://127.0.0.1:9000/in")
    assert page.says("还没有通知签名密钥")
    xie.go("/agency/interface/secret")
    xie.press("换发", overlap="0")
    app.config["PRIVATE_RECEIVERS"] = False
    try:
        for address, why in (
            ("http://127.0.0.1:9000/in", "须以 https://"),
            ("https://10.0.0.1/in", "内部网络"),
            ("", "请填写接收地址"),
        ):
            assert shen.press("保存", 422, channel="webhook", address=address).says(why), address
        assert shen.press("保存", 422, channel="feed", address="https://credit.example.cn/").says(
            "只有接口推送要填接收地址"
        )
        page = shen.press("保存", channel="webhook", address="https://credit.example.cn/in")
    finally:
        app.config["PRIVATE_RECEIVERS"] = True
    assert page.says("已保存") and page.says("正常")
    row = db.session.execute(select(Endpoint).where(Endpoint.office_id == market)).scalar_one()
    assert (row.channel, row.address) == ("webhook", "https://credit.example.cn/in")
    db.session.rollback()

    shen.follow("停止发送")
    assert shen.press("停止发送", 422).says("请填写“为什么”"), "not without a reason"
    page = shen.press("停止发送", reason="对方系统检修")
    assert page.says("已停止发送：对方系统检修")
    assert xie.go("/agency/interface").says("对方系统检修")
    shen.follow("恢复发送")
    assert shen.press("恢复发送", reason="检修结束").says("已恢复发送")
    assert acts(market) == ["make_secret", "endpoint", "stop_endpoint", "resume_endpoint"]
