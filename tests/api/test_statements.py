"""A department's system and the books: it draws a statement, fetches the lines, compares, and says what differs."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.db import db
from app.models import Issue, JournalLine, Statement
from tests.api.conftest import Program, a_key, problem
from tests.build import a_case
from tests.cast import Cast
from tests.conftest import Clock
from tests.notices.test_statement import delivered

DAYS = {"since": "2026-11-01", "until": "2026-11-24"}


@pytest.fixture
def market(app: Flask, people: Cast) -> Program:
    """The system of market supervision, which was told of three decisions and has two of them."""
    for _ in range(3):
        a_case(people, at="processing")
    delivered(receipt="done")
    return Program(app, a_key(people, "ld-market", "hu", "statements"))


def draw(program: Program, key: str = "draw-0001", **days: str) -> Any:
    """Draw a statement."""
    return program.post("/statements", DAYS | days, Idempotency_Key=key)


def lines(program: Program, statement: int, limit: int = 2) -> list[dict[str, Any]]:
    """Every line, page by page."""
    found: list[dict[str, Any]] = []
    more, after = True, 0
    while more:
        page = program.get(f"/statements/{statement}/lines?after={after}&limit={limit}").get_json()
        found += page["lines"]
        after, more = page["next"], page["more"]
    return found


def rows(model: Any) -> int:
    """How many rows there are."""
    found = db.session.execute(select(func.count()).select_from(model)).scalar_one()
    db.session.rollback()
    return int(found)


def test_both_books_agree_by_digest(app: Flask, people: Cast, market: Program) -> None:
    drawn = draw(market)
    statement = drawn.get_json()
    assert (drawn.status_code, statement["state"], statement["figures"]["written"]) == (201, "drawn", 3)
    held = lines(market, statement["id"])
    own = hashlib.sha256(
        "".join(f"{one['notice']} {one['body']}\n" for one in sorted(held, key=lambda x: x["notice"])).encode()
    )
    assert own.hexdigest() == statement["digest"]
    answer = market.post(f"/statements/{statement['id']}/answer", {"digest": own.hexdigest()})
    assert answer.get_json() == {"statement": statement["id"], "equal": True, "state": "agreed", "differences": []}
    after = market.get(f"/statements/{statement['id']}").get_json()
    assert (after["state"], after["theirs"]) == ("agreed", own.hexdigest())
    sheet = market.get(f"/statements/{statement['id']}/lines.csv")
    assert sheet.mimetype == "text/csv" and sheet.get_data(as_text=True).count("\r\n") == 4


def test_what_differs_is_named_and_becomes_somebodys_task_once(app: Flask, people: Cast, market: Program) -> None:
    statement = draw(market).get_json()["id"]
    first, second, third = lines(market, statement)
    theirs = [
        {"notice": first["notice"], "body": first["body"], "state": "received"},
        {"notice": second["notice"], "body": "0" * 64, "state": "done", "order": 2},
        {"notice": "case-999-1-ld-market", "body": "1" * 64},
    ]
    for _ in range(2):
        answer = market.post(f"/statements/{statement}/answer", {"lines": theirs}).get_json()
        assert {(one["kind"], one["notice"]) for one in answer["differences"]} == {
            ("state", first["notice"]), ("changed", second["notice"]), ("missing", third["notice"]),
            ("extra", "case-999-1-ld-market"),
        }  # fmt: skip
        assert (answer["equal"], answer["state"]) == (False, "differing")
    assert rows(Issue) == 4
    good = [{"notice": one["notice"], "body": one["body"], "state": "done"} for one in (first, second, third)]
    answer = market.post(f"/statements/{statement}/answer", {"lines": good}).get_json()
    assert (answer["equal"], answer["state"], answer["differences"]) == (True, "agreed", [])


def test_the_same_key_draws_one_statement_and_other_days_under_it_are_refused(
    app: Flask, people: Cast, market: Program
) -> None:
    first = draw(market)
    market.post(f"/statements/{first.get_json()['id']}/answer", {"digest": first.get_json()["digest"]})
    again = draw(market)
    assert (again.status_code, again.get_json()) == (201, first.get_json()), "also after it has been answered"
    other = draw(market, since="2026-11-02")
    assert (other.status_code, problem(other)["code"]) == (409, "KEY_REUSED")
    assert draw(market, "draw-0002").get_json()["number"].endswith("-2") and rows(Statement) == 2


def test_what_cannot_be_drawn_or_answered_is_said(app: Flask, people: Cast, market: Program) -> None:
    for days, code in (
        ({"until": "2026-11-25"}, "PERIOD"), ({"since": "2026-11-24", "until": "2026-11-23"}, "PERIOD"),
        ({"since": "2026-02-30"}, "INVALID"), ({"since": "0001-01-01"}, "INVALID"), ({"since": "20261101"}, "INVALID"),
        ({"until": 20261124}, "INVALID"), ({"until": None}, "INVALID"), ({"colour": "red"}, "INVALID"),
    ):  # fmt: skip
        answer = draw(market, "draw-bad1", **days)  # type: ignore[arg-type]
        assert (answer.status_code, problem(answer)["code"]) == (422, code), days
    assert rows(Statement) == 0
    statement = draw(market).get_json()["id"]
    line = {"notice": "case-1-1-ld-market", "body": "0" * 64}
    before = rows(JournalLine)
    for body in (
        {}, {"digest": "x"}, {"digest": "0" * 63}, {"digest": "A" * 64}, {"digest": "0" * 64, "lines": []},
        {"lines": [line | {"state": "perhaps"}]}, {"lines": [line | {"order": "1"}]}, {"lines": [line | {"order": -1}]},
        {"lines": [line | {"order": 1.5}]}, {"lines": [line | {"order": 10**30}]}, {"lines": [line | {"order": True}]},
        {"lines": [line | {"notice": ""}]}, {"lines": [line, line]}, {"lines": [1]}, {"lines": {}},
        {"lines": [line | {"x": 1}]},
        {"lines": [line | {"notice": f"n{n}"} for n in range(201)]},
    ):  # fmt: skip
        answer = market.post(f"/statements/{statement}/answer", body)
        assert answer.status_code == 422 and problem(answer), body
    assert rows(Issue) == 0 and rows(JournalLine) == before


def test_a_departments_statements_are_its_own(app: Flask, people: Cast, market: Program) -> None:
    statement = draw(market).get_json()["id"]
    trading = Program(app, a_key(people, "ld-trading", "ren", "statements"))
    for path in ("", "/lines", "/lines.csv", "/statement.pdf"):
        hidden, nothing = (trading.get(f"/statements/{one}{path}") for one in (statement, 999_999))
        assert (hidden.status_code, hidden.get_data()) == (404, nothing.get_data()), path
    assert trading.post(f"/statements/{statement}/answer", {"digest": "0" * 64}).status_code == 404
    assert trading.get("/statements").get_json()["statements"] == []
    assert [one["id"] for one in market.get("/statements").get_json()["statements"]] == [statement]
    for number in ("0", "-1", "x", "9" * 30, "1.0", "%00"):
        assert market.get(f"/statements/{number}").status_code in (404, 422), number
    assert problem(market.get(f"/statements/{statement}/statement.pdf"))["status"] == 404, "it is not printed yet"


def test_the_list_goes_on_where_it_stopped(app: Flask, people: Cast, market: Program, clock: Clock) -> None:
    ids = [draw(market, f"draw-000{n}").get_json()["id"] for n in range(3)]
    page = market.get("/statements?limit=2").get_json()
    assert ([one["id"] for one in page["statements"]], page["more"]) == (ids[:2], True)
    page = market.get(f"/statements?limit=2&after={page['next']}").get_json()
    assert ([one["id"] for one in page["statements"]], page["more"], page["next"]) == (ids[2:], False, ids[2])
