"""对账单: frozen when it is drawn, answered by digest or line by line; what differs is somebody's task."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from app.db import db, transaction
from app.journal import check_chain
from app.models import Delivery, Identifier, Issue, JournalLine, Notice, Office, Statement, Subject
from app.notices.compare import CHANGED, EXTRA, MISSING, STATE, STUCK, Line, Their, digest_of
from app.notices.issues import NotClosed, close_issue, open_issue
from app.notices.statement import (
    Comparison,
    NoPeriod,
    NoSuchStatement,
    answer_statement,
    draw_statement,
    lines_of,
    sheet_of,
)
from app.notices.statement_sheet import BadSheet, csv_of, lines_in, theirs_in
from app.now import now
from tests.build import a_case
from tests.casework.acts import at_once, everything, scalar
from tests.cast import Cast
from tests.conftest import Clock

DAY = date(2026, 11, 24)
MARKET = "ld-market"


def delivered(receiver: str = MARKET, receipt: str = "", state: str = "delivered", **values: Any) -> None:
    """What the post and a receipt write on every delivery of a receiver that still waits."""
    office = select(Office.id).where(Office.code == receiver).scalar_subquery()
    written: dict[str, Any] = {"state": state, "attempts": 1}
    if state == "delivered":
        written |= {"delivered_at": now(), "receipt": receipt, "receipt_at": now() if receipt else None}
    with transaction():
        db.session.execute(
            update(Delivery)
            .where(Delivery.receiver_id == office, Delivery.state == "waiting")
            .values(**written, **values)
            .execution_options(synchronize_session=False)
        )


def draw(cast: Cast, receiver: str = MARKET, since: date = DAY, until: date = DAY) -> Any:
    """A statement, as its row."""
    with transaction():
        drawn = draw_statement(cast.offices[receiver], since, until, at=now(), by=cast.users["he"])
    return row_of(drawn)


def row_of(statement_id: int) -> Any:
    """A statement as it stands."""
    row = db.session.execute(select(*Statement.__table__.c).where(Statement.id == statement_id)).one()
    db.session.rollback()
    return row


def answer(statement: Any, theirs: Sequence[Their] | None = None, digest: str = "") -> Comparison:
    """The department answers."""
    with transaction():
        return answer_statement(statement.id, theirs=theirs, digest=digest, by=None, at=now())


def honest(statement: Any) -> list[Their]:
    """The lines of a receiver whose book agrees with ours."""
    return [
        Their(line.notice, line.body, line.receipt or "received", n) for n, line in enumerate(lines_of(statement.id))
    ]


def issues(**where: Any) -> list[Any]:
    """Issues in the order in which they were opened."""
    rows = db.session.execute(select(*Issue.__table__.c).filter_by(**where).order_by(Issue.id)).all()
    db.session.rollback()
    return list(rows)


def test_a_statement_says_what_was_written_sent_delivered_and_confirmed(cast: Cast, clock: Clock) -> None:
    for _ in range(2):
        a_case(cast, at="processing")
    delivered(receipt="done")
    a_case(cast, at="processing")
    delivered()
    a_case(cast, at="processing")
    delivered(state="dead")
    a_case(cast, at="processing")
    a_case(cast, at="refused")  # nothing for the market supervision
    found = draw(cast)
    assert {name: found.figures[name] for name in ("written", "sent", "delivered", "asked", "confirmed")} == {
        "written": 5, "sent": 4, "delivered": 3, "asked": 5, "confirmed": 2,
    }  # fmt: skip
    assert found.figures["receipts"] == {
        "done": 2, "holds_nothing": 0, "already_ended": 0, "not_found": 0, "refused": 0,
    }  # fmt: skip
    waiting = {name: found.figures[name] for name in ("awaiting", "waiting", "held", "dead", "skipped", "overdue")}
    assert waiting == {"awaiting": 1, "waiting": 1, "held": 1, "dead": 1, "skipped": 0, "overdue": 0}
    assert (found.state, found.serial, found.pdf, found.made_by) == ("drawn", 1, None, cast.users["he"])
    clock.go("2026-12-04")
    assert draw(cast).figures["overdue"] == 3


def test_of_two_statements_about_the_same_days_the_first_stays_as_it_was(cast: Cast) -> None:
    a_case(cast, at="processing")
    first = draw(cast)
    before = sheet_of(first.id)
    delivered(receipt="done")
    second = draw(cast)
    assert (first.serial, second.serial) == (1, 2)
    assert row_of(first.id) == first and sheet_of(first.id) == before
    assert first.figures["delivered"] == 0 and second.figures["delivered"] == 1
    assert first.digest == second.digest
    with pytest.raises(DBAPIError), transaction():
        db.session.execute(update(Statement).values(digest="0"))
    with pytest.raises(DBAPIError), transaction():
        db.session.execute(update(Statement).values(figures={}))


def test_a_statement_holds_the_days_it_names_in_shanghai_and_nothing_else(cast: Cast, clock: Clock) -> None:
    for at in ("2026-11-23 23:59", "2026-11-24 00:00", "2026-11-24 23:59", "2026-11-25 00:00"):
        clock.go(at)
        a_case(cast, at="processing")
    assert len(lines_of(draw(cast).id)) == 2
    assert len(lines_of(draw(cast, since=date(2026, 11, 23), until=date(2026, 11, 25)).id)) == 4
    for since, until in ((DAY, date(2026, 11, 23)), (DAY, date(2026, 11, 26))):
        with pytest.raises(NoPeriod, match="日期不能"):
            draw(cast, since=since, until=until)


def test_the_digest_is_that_of_notices_and_words_without_what_was_skipped(cast: Cast) -> None:
    for _ in range(3):
        a_case(cast, at="processing")
    rows = db.session.execute(
        select(Notice.id, Notice.key, Notice.payload_hash).where(Notice.receiver_id == cast.offices[MARKET])
    ).all()
    db.session.rollback()
    with transaction():
        db.session.execute(update(Delivery).where(Delivery.notice_id == rows[0].id).values(state="skipped"))
    text = "".join(f"{row.key} {row.payload_hash}\n" for row in sorted(rows[1:], key=lambda row: row.key))
    statement = draw(cast)
    assert statement.digest == hashlib.sha256(text.encode()).hexdigest()
    assert [line.state for line in lines_of(statement.id)] == ["skipped", "waiting", "waiting"]


def test_the_lines_are_a_sheet_that_opens_in_a_spreadsheet_and_reads_back_the_same(cast: Cast) -> None:
    with transaction():
        db.session.execute(update(Subject).values(name="=HYPERLINK(1)物流有限公司"))
        db.session.execute(update(Identifier).where(Identifier.kind == "uscc").values(valid_until=DAY))
    a_case(cast, at="processing")
    delivered(receipt="holds_nothing")
    statement = draw(cast)
    sheet = sheet_of(statement.id)
    assert hashlib.sha256(sheet).hexdigest() == statement.file
    assert sheet.startswith(b"\xef\xbb\xbf")
    heading, row = csv.reader(io.StringIO(sheet.decode("utf-8-sig")))
    assert dict(zip(heading, row, strict=True)) | {"通知编号": "", "正文指纹": ""} == {
        "通知编号": "", "正文指纹": "", "主体": "'=HYPERLINK(1)物流有限公司", "序号": "1", "事项代号": "confirm",
        "事项": "准予修复", "写好时刻": "2026-11-24T10:00:00+08:00", "送达": "已送达",
        "送达时刻": "2026-11-24T10:00:00+08:00", "回执": "本单位没有这条信息", "回执时刻": "2026-11-24T10:00:00+08:00",
        "要求确认": "是", "确认期限": "2026-11-27",
    }  # fmt: skip
    (line,) = lines_in(sheet)
    assert (line.receipt, line.state, line.subject) == ("holds_nothing", "delivered", "=HYPERLINK(1)物流有限公司")
    assert lines_in(csv_of([line])) == [line]


def test_an_equal_digest_is_agreement(cast: Cast) -> None:
    a_case(cast, at="processing")
    delivered(receipt="done")
    statement = draw(cast)
    found = answer(statement, digest=f" {statement.digest.upper()}\n")
    assert (found.equal, found.state, found.differences) == (True, "agreed", ())
    after = row_of(statement.id)
    assert (after.state, after.theirs, after.answered_at) == ("agreed", statement.digest, now())
    assert not issues()
    line = db.session.execute(select(JournalLine.act, JournalLine.answers).filter_by(about="statement")).one()
    assert (line.act, line.answers["digest"]) == ("answer", statement.digest)
    assert check_chain("statement", statement.id) == []


def test_another_digest_alone_says_that_something_differs_and_opens_no_task_yet(cast: Cast) -> None:
    a_case(cast, at="processing")
    statement = draw(cast)
    found = answer(statement, digest="0" * 64)
    assert (found.equal, found.state, found.opened) == (False, "differing", 0)
    for nonsense in ("", "abc", "z" * 64):
        with pytest.raises(BadSheet, match="64"):
            answer(statement, digest=nonsense)
    with pytest.raises(NoSuchStatement), transaction():
        answer_statement(999, theirs=None, digest="0" * 64, by=None, at=now())


def test_every_difference_becomes_one_task_whoever_answers_how_often(cast: Cast) -> None:
    for _ in range(4):
        a_case(cast, at="processing")
    delivered(receipt="done")
    statement = draw(cast)
    whole = honest(statement)
    lacking, changed, undone = whole[0], replace(whole[1], body="a" * 64), replace(whole[2], said="refused")
    stranger = Their("case-99-1-ld-trading", "b" * 64, "done", 9)
    theirs = [changed, undone, whole[3], stranger]
    found = answer(statement, theirs)
    assert (found.equal, found.state, found.opened) == (False, "differing", 4)
    assert {(one.kind, one.notice) for one in found.differences} == {
        (MISSING, lacking.notice), (CHANGED, changed.notice), (STATE, undone.notice), (EXTRA, stranger.notice),
    }  # fmt: skip
    tasks = issues()
    assert {(one.kind, one.office_id, one.receiver_id, one.statement_id) for one in tasks} == {
        ("difference", cast.offices["province"], cast.offices[MARKET], statement.id)
    }
    assert {one.detail["notice"]: one.notice_id is None for one in tasks} == {
        lacking.notice: False, changed.notice: False, undone.notice: False, stranger.notice: True,
    }  # fmt: skip
    assert answer(statement, theirs).opened == 0
    later = draw(cast)
    assert answer(later, theirs).opened == 1  # only what belongs to no notice of ours cannot be recognised
    assert len(issues()) == 5


def test_what_a_later_answer_no_longer_shows_is_closed_and_agreement_closes_all(cast: Cast, clock: Clock) -> None:
    for _ in range(3):
        a_case(cast, at="processing")
    delivered(receipt="done")
    statement = draw(cast)
    whole = honest(statement)
    answer(statement, whole[2:])
    clock.go("2026-11-25")
    found = answer(statement, whole[1:])
    assert (found.state, found.opened, found.closed) == ("differing", 0, 1)
    found = answer(statement, whole)
    assert (found.state, found.equal, found.closed) == ("agreed", True, 1)
    assert all(one.closed_at == now() and one.closed_by is None and "一致" in one.outcome for one in issues())
    assert {row.state for row in [row_of(statement.id)]} == {"agreed"}
    again = answer(statement, whole[1:])
    assert (again.opened, again.state) == (1, "differing")  # what had settled itself and is back is a task again


def test_an_agreed_digest_settles_what_a_digest_can_prove_and_nothing_else(cast: Cast) -> None:
    for _ in range(2):
        a_case(cast, at="processing")
    delivered(receipt="done")
    statement = draw(cast)
    whole = honest(statement)
    answer(statement, [replace(whole[0], said="refused")])
    found = answer(statement, digest=statement.digest)
    assert (found.equal, found.closed, found.state) == (True, 1, "differing")
    assert [one.detail["kind"] for one in issues(closed_at=None)] == [STATE]


def test_a_statement_is_settled_when_our_people_have_settled_every_difference(cast: Cast) -> None:
    for _ in range(2):
        a_case(cast, at="processing")
    delivered(receipt="done")
    statement = draw(cast)
    theirs = honest(statement)[:0]
    answer(statement, theirs)
    first, second = issues()
    he = cast.who("he")
    with pytest.raises(NotClosed, match="写明"), transaction():
        close_issue(first.id, actor=he, outcome=" ", at=now())
    for one in (first, second):
        assert row_of(statement.id).state == "differing"
        with transaction():
            close_issue(one.id, actor=he, outcome="电话核实，对方已补录", at=now())
    assert row_of(statement.id).state == "settled"
    with pytest.raises(NotClosed) as caught, transaction():
        close_issue(first.id, actor=he, outcome="再说一遍", at=now())
    assert caught.value.moved
    closed = issues()[0]
    assert (closed.closed_by, closed.outcome) == (cast.users["he"], "电话核实，对方已补录")
    line = db.session.execute(select(*JournalLine.__table__.c).filter_by(about="issue", about_id=first.id)).one()
    assert (line.act, line.person, line.role) == ("close", cast.users["he"], "processing")
    found = answer(statement, theirs)
    assert (found.opened, found.state) == (0, "settled")  # a person has said what it is


def test_a_dead_letter_is_not_talked_away(cast: Cast) -> None:
    a_case(cast, at="processing")
    delivered(state="dead")
    notice = scalar(select(Delivery.notice_id).where(Delivery.state == "dead"))
    with transaction():
        open_issue(f"dead-{notice}", "dead", notice_id=notice, detail={}, at=now())
    (issue,), he = issues(), cast.who("he")
    with pytest.raises(NotClosed, match="重新投递"), transaction():
        close_issue(issue.id, actor=he, outcome="打过电话了", at=now())
    with transaction():
        db.session.execute(update(Delivery).where(Delivery.notice_id == notice).values(state="delivered"))
        close_issue(issue.id, actor=he, outcome="已重新投递", at=now())


def test_what_was_delivered_after_the_statement_was_drawn_is_no_difference(cast: Cast, clock: Clock) -> None:
    a_case(cast, at="processing")
    statement = draw(cast)
    clock.go("2026-11-26")
    stuck = answer(statement, [])
    assert [one.kind for one in stuck.differences] == [STUCK]
    delivered()
    (line,) = lines_of(statement.id)
    assert answer(statement, [Their(line.notice, line.body, "received", 1)]).state == "agreed"


def test_a_department_that_lists_more_than_the_period_is_not_wrong(cast: Cast, clock: Clock) -> None:
    a_case(cast, at="processing")
    clock.go("2026-11-25")
    a_case(cast, at="processing")
    delivered(receipt="done")
    everything_theirs = honest(draw(cast, until=date(2026, 11, 25)))
    found = answer(draw(cast), everything_theirs)
    assert (found.state, found.equal, found.differences) == ("agreed", True, ())


def test_another_departments_file_is_refused_whole_and_nothing_is_written(cast: Cast) -> None:
    a_case(cast, at="processing")
    statement = draw(cast)
    before = everything()
    wrong = [Their(f"case-{n}-1-ld-trading", "b" * 64) for n in range(201)]
    with pytest.raises(BadSheet, match="拿错了文件"):
        answer(statement, wrong)
    assert everything() == before


def test_their_lines_are_kept_as_they_were_sent(cast: Cast, app: Flask) -> None:
    a_case(cast, at="processing")
    delivered(receipt="done")
    statement = draw(cast)
    sent = sheet_of(statement.id)
    with transaction():
        found = answer_statement(statement.id, theirs=theirs_in(sent), by=cast.users["he"], at=now(), file=sent)
    assert found.state == "agreed"
    assert row_of(statement.id).their_file == hashlib.sha256(sent).hexdigest() == statement.file


def test_two_who_draw_at_the_same_moment_get_two_numbers(app: Flask, cast: Cast) -> None:
    a_case(cast, at="processing")
    drawn = at_once(app, [lambda: draw(cast).serial] * 4)
    assert sorted(drawn) == [1, 2, 3, 4]


def test_two_answers_at_the_same_moment_open_every_task_once(app: Flask, cast: Cast) -> None:
    for _ in range(3):
        a_case(cast, at="processing")
    delivered(receipt="done")
    statement = draw(cast)
    found = at_once(app, [lambda: answer(statement, [])] * 4)
    assert not [one for one in found if isinstance(one, Exception)], found
    assert sorted(one.opened for one in found) == [0, 0, 0, 3]
    assert scalar(select(func.count()).select_from(Issue)) == 3
    assert check_chain("statement", statement.id) == []


@pytest.mark.parametrize(
    ("sheet", "sentence"),
    [
        (b"\xff\xfe\x00", "读不出文字"),
        (b"", "缺少：通知编号、正文指纹"),
        ("通知编号,别的\n".encode(), "缺少：正文指纹"),
        ("通知编号,正文指纹\ncase-1,123".encode(), "第 1 行：正文指纹"),
        (f"通知编号,正文指纹\n,{'a' * 64}".encode(), "第 1 行：没有通知编号"),
        (f"通知编号,正文指纹\nn,{'a' * 64}\n\nn,{'a' * 64}".encode(), "第 2 行：通知 n 前面已经有了"),
        (f"通知编号,正文指纹,办理状态\nn,{'a' * 64},做了".encode(), "“做了”不认识"),
        (f"通知编号,正文指纹,办理次序\nn,{'a' * 64},第一".encode(), "办理次序"),
        (b'"', "引号"),
        (b"[1]", "JSON 应当是"),
        (b'{"lines": {}}', "JSON 应当是"),
        (b"{", "JSON 读不下去"),
        (b"[" * 100_000, "JSON 读不下去"),
        (b'[{"notice": "\\ud800", "body": "' + b"a" * 64 + b'"}]', "没有通知编号"),
    ],
)  # fmt: skip
def test_a_sheet_that_cannot_be_read_is_refused_with_a_sentence_that_says_where(sheet: bytes, sentence: str) -> None:
    with pytest.raises(BadSheet, match=sentence):
        theirs_in(sheet)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_their_sheet_may_have_its_columns_in_any_order_and_speak_chinese(encoding: str) -> None:
    sheet = f"办理次序,备注,通知编号,办理状态,正文指纹\r\n2,好,'n1,已办理,{'A' * 64}\r\n,,n2,,{'b' * 64}\r\n"
    assert theirs_in(sheet.encode(encoding)) == [Their("n1", "a" * 64, "done", 2), Their("n2", "b" * 64, "", None)]


def test_their_lines_as_json_are_the_same_lines() -> None:
    sheet = b'{"lines": [{"notice": "n1", "body": "' + b"a" * 64 + b'", "state": "done", "order": 2}]}'
    assert theirs_in(sheet) == [Their("n1", "a" * 64, "done", 2)]


def test_the_digest_of_ten_thousand_lines_is_that_of_their_sheet() -> None:
    lines = [
        Line(f"case-{n}-1-ld", hashlib.sha256(str(n).encode()).hexdigest(), "甲", n + 1, "confirm", now(), "delivered",
             now() + timedelta(seconds=n))
        for n in range(10_000)
    ]  # fmt: skip
    theirs = theirs_in(csv_of(lines))
    assert digest_of((one.notice, one.body) for one in theirs) == digest_of((one.notice, one.body) for one in lines)
