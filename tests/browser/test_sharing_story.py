"""The whole of sharing in a browser: decided at a desk, told to five, answered over the counter and by programs, said
back to both sides as 5 / 5; the statement is taken home, and who was away for a month catches up by the feed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, update

from app.db import db, transaction
from app.duty import post, statements
from app.models import Endpoint, Office, User
from app.now import moved_to, now
from app.security import hasher
from tests.api.conftest import people
from tests.api.test_notices import Department
from tests.browser.conftest import Visitor
from tests.build import a_case
from tests.casework.acts import officer, told
from tests.cast import PASSWORD, Cast

__all__ = ["people"]
COURT = "ld-court"


@pytest.fixture
def posted(app: Flask) -> Callable[[], None]:
    """The post and the press of statements take a turn, in a thread of their own."""

    def turns() -> None:
        def work() -> None:
            with app.app_context():
                post.turn(seconds=5)
                statements.turn()

        with ThreadPoolExecutor(1) as thread:
            thread.submit(work).result()

    return turns


def test_an_outcome_is_told_confirmed_and_reconciled(
    app: Flask, visitor: Visitor, people: Cast, posted: Callable[[], None]
) -> None:
    court = a_court_that_fetches(people)
    with moved_to(now() - timedelta(days=32)):
        earlier = a_case(people, at="processing")
    number = a_case(people, at="reviewed")
    with transaction():
        db.session.execute(update(User).values(password_hash=hasher().hash(PASSWORD)))
    it_is_decided(visitor, number)
    posted()
    by_program = {office: Department(app, people, office, user) for office, user in
                  (("ld-trading", "ren"), ("ld-creditchina", "xin"), ("ld-hunan", "hua"), (COURT, "fa"))}  # fmt: skip
    who_was_away_for_a_month_catches_up(by_program.pop(COURT), [earlier, number])
    over_the_counter(visitor, told(number)["ld-market"][-1].key)
    for office, department in by_program.items():
        key = told(number)[office][-1].key
        assert department.give(key, department.receipt(number=f"{office}-1")).status_code == 201
    everybody_has_confirmed(visitor, number)
    the_statement_is_taken_home(visitor, court, posted)


def a_court_that_fetches(cast: Cast) -> str:
    """A fifth department, which fetches what it is told; two more clerks of departments."""
    with transaction():
        cast.offices[COURT] = db.session.execute(
            insert(Office).values(
                code=COURT, name="湖南省高级人民法院", short="省高院", kind="linked", path="/90/", region="430000",
                word="", review_body="", receives="linked", phone="", address="",
            ).returning(Office.id)
        ).scalar_one()  # fmt: skip
        db.session.execute(insert(Endpoint).values(office_id=cast.offices[COURT], channel="feed"))
    officer(cast, "hua", "linked", office="ld-hunan")
    officer(cast, "fa", "linked", office=COURT)
    officer(cast, "xie", "linked", office="ld-market")
    return "湖南省高级人民法院"


def it_is_decided(visitor: Visitor, number: str) -> None:
    """陈立 confirms; five departments will be told."""
    visitor.sign_in("chen")
    visitor.go(f"/desk/cases/{number}")
    visitor.press("准予修复")
    visitor.press("准予修复")
    visitor.go(f"/desk/cases/{number}")
    assert visitor.page.get_by_text("0 / 5 已确认").is_visible()


def who_was_away_for_a_month_catches_up(court: Department, numbers: list[str]) -> None:
    """The court reads everything it missed, in order, and answers each."""
    missed = list(court.walk())
    assert [number for one in missed for number in numbers if number in one["body"]] == numbers
    assert [one["seq"] for one in missed] == [1, 2]
    for one in missed:
        assert court.give(one["notice"], court.receipt()).status_code == 201


def over_the_counter(visitor: Visitor, key: str) -> None:
    """谢婷 answers for market supervision."""
    page = visitor.page
    visitor.sign_in("xie")
    visitor.go(f"/agency/notices/{key}")
    page.get_by_label("已停止公示和使用，并解除措施").check()
    visitor.press("提交回执")
    assert page.get_by_text("最后一份回执：").is_visible()


def everybody_has_confirmed(visitor: Visitor, number: str) -> None:
    """Both sides read the same."""
    for who, counter in (("he", "desk"), ("deng", "my")):
        visitor.sign_in(who)
        visitor.go(f"/{counter}/cases/{number}")
        assert visitor.page.get_by_text("5 / 5 已确认").is_visible()
        visitor.picture(f"all-confirmed-{counter}")


def the_statement_is_taken_home(visitor: Visitor, court: str, posted: Callable[[], None]) -> None:
    """贺岚 draws the court's statement; the watch prints and signs it; it is downloaded."""
    page = visitor.page
    visitor.sign_in("he")
    visitor.go("/desk/sharing/statements")
    page.locator("form[aria-labelledby=draw] select").select_option(label=court)
    visitor.press("出具")
    posted()
    page.reload()
    visitor.look()
    visitor.picture("statement-of-all")
    with page.expect_download() as download:
        page.get_by_role("link", name="签章的对账单 PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
