"""Last month's books on the first working day: once for everybody who was told something, printed and signed."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import pikepdf
import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import select, update

from app.db import db, transaction
from app.documents.check import check_file
from app.duty import books, statements
from app.files import find
from app.models import Heartbeat, Office, Statement
from app.notices.issues import open_issue
from app.notices.statement import draw_statement, statements_folder
from app.now import now
from tests.build import a_case
from tests.casework.acts import at_once
from tests.cast import Cast
from tests.conftest import Clock
from tests.notices.test_own_books import behind_our_back

EVERYBODY = ["ld-creditchina", "ld-hunan", "ld-market", "ld-trading"]


def drawn() -> list[Any]:
    """Statements with the code of their receiver, in their order."""
    rows = db.session.execute(
        select(Office.code, *Statement.__table__.c)
        .join(Office, Office.id == Statement.receiver_id)
        .order_by(Statement.since, Office.code)
    ).all()
    db.session.rollback()
    return list(rows)


def test_on_the_first_working_day_everybody_who_was_told_something_gets_last_months_statement(
    cast: Cast, clock: Clock
) -> None:
    """2 January 2027 is a Saturday after the New Year holiday of 1 January; what is announced may still move it."""
    a_case(cast, at="refused")  # only 信用中国 hears of it
    clock.go("2026-12-01 00:01")
    a_case(cast, at="processing")
    assert books.turn() == 1
    (only,) = drawn()
    assert (only.code, only.since, only.until) == ("ld-creditchina", date(2026, 11, 1), date(2026, 11, 30))
    assert (only.figures["written"], only.made_by, only.serial) == (1, None, 1)
    assert books.turn() == 0
    clock.go("2027-01-01")
    assert books.turn() == 0
    clock.go("2027-01-04")
    assert books.turn() == 4
    assert [(one.code, one.since) for one in drawn()[1:]] == [(code, date(2026, 12, 1)) for code in EVERYBODY]


def test_a_watch_that_was_down_for_months_does_what_it_missed(cast: Cast, clock: Clock) -> None:
    a_case(cast, at="refused")
    clock.go("2026-12-01")
    assert books.turn() == 1
    clock.go("2027-01-20")
    a_case(cast, at="refused")
    clock.go("2027-02-03")
    a_case(cast, at="refused")
    clock.go("2027-04-20")
    assert books.turn() == 2
    assert [one.since for one in drawn()] == [date(2026, 11, 1), date(2027, 1, 1), date(2027, 2, 1)]


def test_two_watches_at_once_draw_every_statement_once(app: Flask, cast: Cast, clock: Clock) -> None:
    a_case(cast, at="processing")
    clock.go("2026-12-01")
    counts = at_once(app, [lambda: books.monthly(now())] * 4)
    assert sum(counts) == 4, counts
    assert [one.code for one in drawn()] == EVERYBODY


def test_every_day_the_watch_says_whether_our_own_books_agree(cast: Cast, clock: Clock) -> None:
    def said() -> str:
        found = db.session.execute(select(Heartbeat.trouble).where(Heartbeat.name == "books")).scalar_one()
        db.session.rollback()
        return str(found)

    a_case(cast, at="processing")
    books.turn()
    assert said() == ""
    behind_our_back("UPDATE notice_sequence SET last = 2 WHERE receiver_id = 5")
    books.turn()
    assert said() == ""  # once a day
    clock.go("2026-11-25")
    books.turn()
    assert said() == "本机关账目有 1 处不一致"


@pytest.fixture
def statement(cast: Cast) -> Any:
    """A statement of the market supervision bureau with a difference that is still open."""
    for _ in range(2):
        a_case(cast, at="processing")
    with transaction():
        detail = {"kind": "changed", "notice": "case-1-7-ld-market", "said": "正文不一致"}
        open_issue("difference-x", "difference", notice_id=3, detail=detail, at=now())
        draw_statement(cast.offices["ld-market"], date(2026, 11, 1), date(2026, 11, 24), at=now())
    (one,) = drawn()
    return one


def test_a_statement_is_printed_on_one_sheet_signed_and_known_as_ours(statement: Any, app: Flask) -> None:
    assert statements.turn() == 1
    assert statements.turn() == 0
    (after,) = drawn()
    pdf = find(statements_folder(), after.pdf).read_bytes()
    pages = pypdfium2.PdfDocument(pdf)
    assert len(pages) == 1
    text = "".join(pages[0].get_textpage().get_text_range().split())
    assert "通知对账单" in text and "湖南省市场监督管理局：" in text and "演示·无效" in text
    for digest in (statement.digest, statement.file):
        assert digest in text
    assert "case-1-7-ld-market正文不一致2026-11-24" in text
    with pikepdf.open(io.BytesIO(pdf)) as file:
        facts = json.loads(file.attachments["facts.json"].get_file().read_bytes())
    assert (facts["digest"], facts["lines_sha256"]) == (statement.digest, statement.file)
    assert (facts["figures"]["written"], facts["receiver"]) == (2, "ld-market")
    checked = check_file(pdf)
    assert checked.genuine and checked.document is None and "湖南省交通运输厅" in checked.sentence
    assert not check_file(pdf.replace(b"0", b"1", 1)).genuine


def test_a_press_that_was_killed_leaves_the_statement_to_the_next_one(statement: Any, clock: Clock, app: Flask) -> None:
    lost = statements.claim()
    assert lost is not None and statements.claim() is None
    clock.go("2026-11-24 10:02")
    again = statements.claim()
    assert again is not None
    assert statements.work(again)
    assert not statements.work(lost), "the first comes back and finds it done"
    (after,) = drawn()
    assert find(statements_folder(), after.pdf).is_file()


def test_a_name_that_cannot_be_printed_is_said_and_stops_no_other(cast: Cast, clock: Clock) -> None:
    a_case(cast, at="processing")
    with transaction():
        db.session.execute(update(Office).where(Office.code == "ld-market").values(name="湖南省\U00030000局"))
        for code in ("ld-market", "ld-trading"):
            draw_statement(cast.offices[code], date(2026, 11, 24), date(2026, 11, 24), at=now())
    assert statements.turn() == 1
    market, trading = drawn()
    assert market.pdf is None and "无法显示的字" in market.trouble
    assert trading.pdf and not trading.trouble
