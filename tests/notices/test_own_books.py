"""Our own books against each other: after any story they agree; whoever changes one behind our back is found."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import text

from app.casework.receive import Said, take_receipt
from app.db import db, transaction
from app.notices.own_books import own_differences
from app.notices.own_notices import OwnDifference
from app.now import now
from tests.build import a_case, night
from tests.casework.acts import annul, officer, told
from tests.cast import Cast
from tests.conftest import Clock

DAY = date(2026, 11, 24)
MARKET = "ld-market"


def look() -> list[OwnDifference]:
    """What is found about the days of the story."""
    found = own_differences(DAY, date(2026, 12, 31))
    db.session.rollback()
    return found


def a_story(cast: Cast, clock: Clock) -> tuple[str, int]:
    """A repair granted, one refused, one declined; an annulment with and one without a case; two receipts."""
    number = a_case(cast, at="processing")
    for at in ("refused", "declined"):
        a_case(cast, at=at)
    record, alone = cast.penalty(), cast.penalty()
    a_case(cast, at="submitted", record=record)
    clock.go("2026-11-25")
    annul(cast, record)
    annul(cast, alone)
    night(with_press=False)
    clerk = officer(cast, "xie", "linked", office=MARKET)
    for key, kind in (("r1", "done"), ("r2", "not_found"), ("r3", "holds_nothing")):
        notice = told(number)[MARKET][0].key
        said = Said(kind, key, now() if kind == "done" else None, reason="没有查到" if kind == "not_found" else "")
        with transaction():
            take_receipt(notice, said, receiver_id=cast.offices[MARKET], actor=clerk, via="counter", at=now())
    return number, alone


def test_after_any_story_our_books_agree(cast: Cast, clock: Clock) -> None:
    a_story(cast, clock)
    assert look() == []


def test_a_department_that_begins_to_listen_later_is_not_missed_before(cast: Cast, clock: Clock) -> None:
    a_story(cast, clock)
    with transaction():
        db.session.execute(
            text(
                "INSERT INTO office (code, name, short, kind, path, region, word, review_body, review_address,"
                " receives, phone, address)"
                " VALUES ('ld-new', '新来的', '新', 'linked', '/99/', '', '', '', '', 'linked credit_china', '', '')"
            )
        )
    assert look() == []


def behind_our_back(sql: str, guards: tuple[str, ...] = ()) -> None:
    """Somebody with the database in their hands, who puts its guards aside first."""
    if db.engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(str(db.engine.url.database))) as file, file:
            for table in guards:
                triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
                for (name,) in file.execute(triggers, (table,)).fetchall():
                    file.execute(f"DROP TRIGGER {name}")
            file.execute(sql)
        return
    with db.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(sql))


OF_MARKET = "receiver_id = (SELECT id FROM office WHERE code = 'ld-market') AND act = 'confirm'"
NOTICE = f"(SELECT id FROM notice WHERE {OF_MARKET})"
ATTACKS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "a notice taken away with its number": (
        f"DELETE FROM notice WHERE {OF_MARKET}", ("notice",), "却有 0 份通知",
    ),
    "other words under the old hash": (
        f"""UPDATE notice SET payload = '{{"notice": "x"}}' WHERE {OF_MARKET}""", ("notice",), "正文与写好时的指纹",
    ),
    "a delivery taken away": (f"DELETE FROM delivery WHERE notice_id = {NOTICE}", ("delivery",), "没有投递记录"),
    "a delivery to somebody else": (
        f"UPDATE delivery SET receiver_id = 1 WHERE notice_id = {NOTICE}", ("delivery",), "写的是别的单位",
    ),
    "a number given for nothing": (
        "UPDATE notice_sequence SET last = last + 1 WHERE subject_id = 1 AND"
        " receiver_id = (SELECT id FROM office WHERE code = 'ld-market')", (), "序号不连续",
    ),
    "a confirmation that nobody gave": (
        "UPDATE delivery SET receipt = 'done' WHERE receipt = '' AND receiver_id ="
        " (SELECT id FROM office WHERE code = 'ld-trading') AND notice_id IN"
        " (SELECT id FROM notice WHERE act = 'confirm')", (), "与收到的回执不一致",
    ),
    "a receipt whose effect was undone": (
        f"UPDATE delivery SET receipt = '' WHERE notice_id = {NOTICE}", (), "与收到的回执不一致",
    ),
    "a receipt without its line": (
        f"UPDATE receipt SET journal_id = NULL WHERE notice_id = {NOTICE}", ("receipt",), "没有记入办理记录",
    ),
    "a time-limit that runs on after the confirmation": (
        "UPDATE deadline SET state = 'running' WHERE clock = 'receiver' AND item = 'ld-market' AND about = 'case'"
        f" AND about_id = (SELECT case_id FROM notice WHERE {OF_MARKET})", (), "同步期限却还在计算",
    ),
    "a line that somebody wrote in": (
        f"UPDATE notice SET act = 'refuse' WHERE {OF_MARKET}", ("notice",), "没有与它相符的办理记录",
    ),
    "a publication that never ended": (
        "DELETE FROM publication_fact WHERE deed = 'repair'", ("publication_fact",), "应当改变信息的公示状态",
    ),
    "a repair that nobody decided": (
        "UPDATE publication_fact SET deed = 'repair' WHERE deed = 'withdraw' AND case_id IS NULL",
        ("publication_fact",), "没有与它相符的办理记录",
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_whoever_changes_one_book_is_found(attack: str, cast: Cast, clock: Clock, app: Flask) -> None:
    a_story(cast, clock)
    sql, guards, sentence = ATTACKS[attack]
    behind_our_back(sql, guards)
    found = look()
    assert any(sentence in one.sentence for one in found), [one.sentence for one in found]
    assert len({(one.case, one.record) for one in found}) <= 2, [one.sentence for one in found]


def test_the_first_notice_ever_to_somebody_is_missed_too(cast: Cast, clock: Clock) -> None:
    """Nobody is asked to confirm that an application was declined, and nothing else was ever told to 信用中国."""
    clock.go("2026-11-24")
    number = a_case(cast, at="declined")
    assert look() == []
    guards = ("delivery", "notice", "notice_sequence", "record_share", "receipt")
    for table in ("delivery", "notice", "notice_sequence", "record_share"):
        behind_our_back(f"DELETE FROM {table} WHERE receiver_id = {cast.offices['ld-creditchina']}", guards)
    (missing,) = look()
    assert missing.case == number and "信用中国" in missing.sentence and "却有 0 份通知" in missing.sentence


def test_the_command_says_whether_the_books_agree_and_ends_accordingly(cast: Cast, clock: Clock, app: Flask) -> None:
    number, _alone = a_story(cast, clock)
    run = app.test_cli_runner().invoke
    good = run(args=["reconcile"])
    assert good.exit_code == 0 and "账目一致" in good.output
    db.session.rollback()
    behind_our_back(f"UPDATE delivery SET receipt = '' WHERE notice_id = {NOTICE}")
    bad = run(args=["reconcile", "--since", "2026-11-24", "--until", "2026-11-25"])
    assert bad.exit_code == 1 and number in bad.output and "有 1 处不一致" in bad.output
    db.session.rollback()
    assert run(args=["reconcile", "--until", "2026-11-23"]).exit_code == 0


def test_what_is_missing_is_named_with_its_case_its_act_and_whom_it_should_have_reached(
    cast: Cast, clock: Clock
) -> None:
    number, _alone = a_story(cast, clock)
    sql, guards, sentence = ATTACKS["a notice taken away with its number"]
    behind_our_back(sql, guards)
    (missing,) = [one for one in look() if sentence in one.sentence]
    assert missing.case == number
    assert "湖南省市场监督管理局" in missing.sentence and "准予修复" in missing.sentence
