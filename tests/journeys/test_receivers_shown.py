"""What became of telling others, wherever somebody looks for it: officers, the enterprise, holders of a decision."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.casework.receive import Said, take_receipt
from app.db import db, transaction
from app.models import Case, CaseRecord, CreditRecord, Delivery, Document, Notice
from app.now import now
from tests.build import a_case
from tests.casework.acts import annul, officer, scalar, told
from tests.cast import Cast
from tests.conftest import Clock
from tests.journeys.caller import Caller
from tests.journeys.conftest import STATEMENTS, Visitor


@pytest.fixture
def come(visitor: Visitor) -> Callable[[str | None], Caller]:
    """`come("li")` is somebody at their counter."""

    class Counted(Caller):
        def get(self, address: str) -> Any:
            visitor.statements.clear()
            answer = super().get(address)
            assert len(visitor.statements) <= STATEMENTS, f"{address}: {len(visitor.statements)}"
            return answer

    def come_in(name: str | None) -> Caller:
        visitor.become(name)
        return Counted(visitor.client)

    return come_in


def says(cast: Cast, key: str, receiver: str, kind: str, **more: Any) -> None:
    """A receiver answers a notice, through somebody of theirs."""
    who = f"of-{receiver}"
    if who not in cast.users:
        officer(cast, who, "linked", office=receiver)
    done_at = now() if kind in ("done", "already_ended") else None
    with transaction():
        take_receipt(
            key, Said(kind, secrets.token_hex(8), done_at, **more), receiver_id=cast.offices[receiver],
            actor=cast.who(who), via="counter", at=now(),
        )  # fmt: skip


def delivery(notice_id: int, **values: Any) -> None:
    """What the post wrote about a delivery."""
    with transaction():
        db.session.execute(update(Delivery).where(Delivery.notice_id == notice_id).values(**values))


def public_id(number: str) -> str:
    """The record a case is about."""
    return str(
        scalar(
            select(CreditRecord.public_id)
            .join(CaseRecord, CaseRecord.record_id == CreditRecord.id)
            .join(Case, Case.id == CaseRecord.case_id)
            .where(Case.number == number)
        )
    )


def test_the_case_page_says_of_each_receiver_how_far_it_is(
    cast: Cast, clock: Clock, come: Callable[[str | None], Caller]
) -> None:
    number = a_case(cast, at="processing")
    notices = {code: rows[-1] for code, rows in told(number).items()}
    page = come("he").go(f"/desk/cases/{number}")
    assert page.says("0 / 4 已确认") and page.text.count("已写好，待送出") == 4
    delivery(notices["ld-creditchina"].id, state="delivered", delivered_at=now(), channel="webhook", attempts=1)
    delivery(notices["ld-hunan"].id, attempts=3, next_at=now() + timedelta(hours=6), trouble="503")
    says(cast, notices["ld-market"].key, "ld-market", "done", number="市监信〔2026〕88号")
    says(cast, notices["ld-trading"].key, "ld-trading", "not_found", reason="库里没有这个代码")
    for who, address in (("he", f"/desk/cases/{number}"), ("deng", f"/my/cases/{number}")):
        page = come(who).go(address)
        for words in (
            "1 / 4 已确认", "已送达，待确认", "送达失败 3 次 11月24日 16:00再送",
            "查找不到，11月24日（周二），库里没有这个代码",
            "已办理，11月24日（周二），编号 市监信〔2026〕88号", "接收单位回执",
        ):  # fmt: skip
            assert page.says(words), (who, words)
    assert page.says("仍可能显示这条信息的单位")
    assert page.says("国家公共信用信息中心（信用中国）、信用中国（湖南）、湖南省公共资源交易中心")
    assert page.says("这些由我们负责，您不用做什么")
    assert not come("he").go(f"/desk/cases/{number}").says("仍可能显示这条信息的单位")
    delivery(notices["ld-hunan"].id, state="dead", given_up_at=now())
    assert come("he").go(f"/desk/cases/{number}").says("送达失败，已转人工")


def test_all_confirmed_reads_five_of_five_and_nobody_shows_it_any_more(
    cast: Cast, come: Callable[[str | None], Caller]
) -> None:
    number = a_case(cast, at="processing")
    for code, rows in told(number).items():
        says(cast, rows[-1].key, code, "holds_nothing" if code == "ld-hunan" else "done")
    page = come("deng").go(f"/my/cases/{number}")
    assert page.says("4 / 4 已确认") and not page.says("仍可能显示")
    page = come("deng").go(f"/my/records/{public_id(number)}")
    assert page.text.count("已停止显示") == 4 and not page.says("还没有确认的单位由我们负责")


def test_a_confirmation_that_is_late_is_marked_for_our_people_and_the_head_hears_of_it(
    cast: Cast, clock: Clock, come: Callable[[str | None], Caller]
) -> None:
    number = a_case(cast, at="processing")
    notices = {code: rows[-1] for code, rows in told(number).items()}
    says(cast, notices["ld-market"].key, "ld-market", "done")
    clock.go("2026-11-30")
    page = come("tang").go("/desk/")
    assert page.says("3 份通知到了约定的日子还没有确认，请您督办") and page.says("涉及 1 件办件")
    page = come("tang").go(page.link("看是哪些"))
    assert number in page.html and page.says("有单位逾期未确认")
    page = come("he").go(f"/desk/cases/{number}")
    assert page.text.count("约定11月27日（周五）前确认，已经逾期") == 3
    assert not come("li").go("/desk/").says("请您督办")
    page = come("deng").go(f"/my/records/{public_id(number)}")
    assert page.text.count("我们正在催办") == 3 and page.says("还没有确认的单位由我们负责")


def test_the_record_page_says_who_may_still_show_it(cast: Cast, come: Callable[[str | None], Caller]) -> None:
    number = a_case(cast, at="processing")
    notices = {code: rows[-1] for code, rows in told(number).items()}
    says(cast, notices["ld-market"].key, "ld-market", "already_ended")
    says(cast, notices["ld-trading"].key, "ld-trading", "refused", reason="另案限制，与本条无关")
    record = public_id(number)
    for who, address in (("deng", f"/my/records/{record}"), ("he", f"/desk/records/{record}")):
        page = come(who).go(address)
        assert page.says("已停止显示") and page.says("此前已经停止，11月24日（周二）"), who
        assert page.says("不予办理，11月24日（周二），另案限制，与本条无关"), who
        assert page.text.count("应当停止") == 3, who


def test_a_withdrawal_without_a_case_is_followed_on_the_record(
    cast: Cast, clock: Clock, come: Callable[[str | None], Caller]
) -> None:
    record = cast.penalty()
    annul(cast, record)
    public = str(scalar(select(CreditRecord.public_id).where(CreditRecord.id == record)))
    key = scalar(select(Delivery.notice_id).where(Delivery.receiver_id == cast.offices["ld-market"]))
    says(cast, str(scalar(select(Notice.key).where(Notice.id == key))), "ld-market", "done", number="撤-1")
    page = come("he").go(f"/desk/records/{public}")
    assert page.says("已停止显示") and page.says("编号 撤-1") and page.text.count("应当撤回") == 3
    assert page.says("接收单位回执"), "it stands in the record's journal"


def test_whoever_holds_the_decision_sees_counts_and_names_and_no_more(
    cast: Cast, come: Callable[[str | None], Caller]
) -> None:
    number = a_case(cast, at="processing")
    notices = {code: rows[-1] for code, rows in told(number).items()}
    says(cast, notices["ld-market"].key, "ld-market", "done", number="市监信〔2026〕88号")
    says(cast, notices["ld-trading"].key, "ld-trading", "refused", reason="另案限制")
    code = scalar(select(Document.code).where(Document.kind == "grant"))
    page = come(None).go(f"/verify/{code}")
    assert page.says("1 / 4 已确认") and page.says("湖南省市场监督管理局 已确认")
    assert page.text.count("待确认") == 3
    for secret in ("市监信", "另案限制", "不予办理"):
        assert not page.says(secret), secret
