"""An office's own system: it reads cases and takes steps, with the same refusals as the counter."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from app.db import db, transaction
from app.models import Case, Document, JournalLine, Mandate
from tests.api.conftest import Program, a_key, own_system, problem
from tests.build import ITEMS, a_case, night, state, version, walk
from tests.cast import SINCE, Cast
from tests.conftest import Clock


def lines() -> int:
    """How many journal lines there are."""
    found = db.session.execute(select(func.count()).select_from(JournalLine)).scalar_one()
    db.session.rollback()
    return int(found)


def test_a_case_goes_from_receipt_to_decision_by_the_offices_own_systems(app: Flask, people: Cast) -> None:
    number = a_case(people)
    li, zhou, chen = (own_system(app, people, who) for who in ("li", "zhou", "chen"))
    case = li.get(f"/cases/{number}").get_json()
    assert (case["state"], case["version"]) == ("submitted", 2)
    assert [step["step"] for step in case["steps"] if step["allowed"]] == ["receive"]
    received = li.step(number, "receive", 2, "receive-1", t0="2026-11-24")
    assert received.status_code == 200 and received.headers["ETag"] == '"3"'
    accepted = li.step(number, "accept", 3, "accept-01").get_json()
    assert (accepted["target"], accepted["version"], accepted["person"]) == ("accepted", 4, "李昊")
    assert [paper["kind"] for paper in accepted["documents"]] == ["acceptance"]
    assert zhou.step(number, "review", 4, "review-01", opinion="grant", finding="义务已履行").status_code == 200
    decided = chen.step(number, "confirm", 5, "confirm-1").get_json()
    assert decided["target"] == "processing" and decided["documents"][0]["number"].startswith("湘交信修决")
    whole = chen.get(f"/cases/{number}")
    assert whole.headers["ETag"] == f'"{version(number)}"'
    assert {task["done"] for task in whole.get_json()["tasks"]} >= {False}


def test_the_same_key_again_gets_the_same_answer_also_later_and_nothing_is_done_twice(app: Flask, people: Cast) -> None:
    number = a_case(people, at="received")
    li = own_system(app, people, "li")
    first = li.step(number, "accept", version(number), "accept-01")
    walk(people, number, "zhou", "review", opinion="grant", finding="义务已履行")
    before = lines()
    again = li.step(number, "accept", 3, "accept-01")
    assert (again.status_code, again.get_json(), again.headers["ETag"]) == (
        200,
        first.get_json(),
        first.headers["ETag"],
    )
    other = li.step(number, "decline", 3, "accept-01", ground="SECTOR_CONDITION", reason="不符")
    assert (other.status_code, problem(other)["code"]) == (409, "KEY_REUSED")
    assert lines() == before


def test_whoever_is_slower_is_told_who_was_faster(app: Flask, people: Cast) -> None:
    number = a_case(people, at="received")
    seen = version(number)
    walk(people, number, "li", "accept")
    answer = own_system(app, people, "zhou").step(number, "review", seen, "review-01", opinion="grant", finding="x")
    said = problem(answer)
    assert (answer.status_code, said["code"]) == (409, "STALE") and "李昊" in said["detail"]


def test_the_law_refuses_a_program_with_the_same_words(app: Flask, people: Cast) -> None:
    number = a_case(people, at="accepted")
    zhou, chen = own_system(app, people, "zhou"), own_system(app, people, "chen")
    early = chen.step(number, "confirm", version(number), "confirm-1")
    assert (early.status_code, problem(early)["code"]) == (409, "MOVED")
    foreign = chen.step(number, "review", version(number), "review-01", opinion="grant", finding="x")
    assert (foreign.status_code, problem(foreign)["refusals"][0]["code"]) == (403, "OTHER_ROLE")
    empty = zhou.step(number, "review", version(number), "review-02")
    fields = {error["field"] for error in problem(empty)["errors"]}
    assert (empty.status_code, fields) == (422, {"answers.opinion", "answers.finding"})
    assert state(number) == "accepted"


def test_the_reviewer_may_not_also_confirm_by_program(app: Flask, people: Cast) -> None:
    from app.models import Membership

    with transaction():
        db.session.execute(
            insert(Membership).values(
                user_id=people.users["zhou"], office_id=people.offices["province"], role="confirmation",
                valid_from=SINCE,
            )
        )  # fmt: skip
    number = a_case(people, at="reviewed")
    answer = own_system(app, people, "zhou").step(number, "confirm", version(number), "confirm-1")
    assert (answer.status_code, problem(answer)["code"]) == (403, "TWO_PEOPLE")


def test_rows_and_things_a_step_is_taken_for(app: Flask, people: Cast) -> None:
    number = a_case(people, at="received")
    li = own_system(app, people, "li")
    one_wrong = [{"name": "履行证明", "problem": "看不清"}]
    answer = li.step(number, "correct", version(number), "correct-1", items=one_wrong)
    assert [error["field"] for error in problem(answer)["errors"]] == ["answers.items.remedy"]
    many = li.step(number, "correct", version(number), "correct-2", items=ITEMS * 13)
    assert "最多 12 项" in problem(many)["errors"][0]["message"]
    assert li.step(number, "correct", version(number), "correct-3", items=ITEMS).status_code == 200
    assert state(number) == "correcting"
    other = a_case(people, at="processing")
    he = own_system(app, people, "he")
    answer = he.step(other, "do_task", version(other), "task-0001", outcome="已改")
    assert (answer.status_code, problem(answer)["code"]) == (422, "ITEM")
    task = next(one["item"] for one in he.get(f"/cases/{other}").get_json()["tasks"] if not one["done"])
    assert he.step(other, "do_task", version(other), "task-0002", item=task, outcome="已改").status_code == 200


SENT: list[tuple[str, Any]] = [
    ("an answer nobody asked for", {"answers": {"opinion": "grant", "finding": "x", "colour": "red"}}),
    ("something beside the answers", {"answers": {"opinion": "grant", "finding": "x"}, "force": True}),
    ("a number for words", {"answers": {"opinion": "grant", "finding": 7}}),
    ("a list for words", {"answers": {"opinion": ["grant"], "finding": "x"}}),
    ("answers that are none", {"answers": "grant"}),
    ("an item that is none", {"answers": {"opinion": "grant", "finding": "x"}, "item": {"a": 1}}),
    ("a choice that is none", {"answers": {"opinion": "perhaps", "finding": "x"}}),
    ("too many words", {"answers": {"opinion": "grant", "finding": "字" * 2001}}),
    ("a hidden character", {"answers": {"opinion": "grant", "finding": "a\u202eb"}}),
    ("a NUL", {"answers": {"opinion": "grant", "finding": "a\0b"}}),
    ("half a character", '{"answers": {"opinion": "grant", "finding": "\\ud800"}}'),
    ("a name with half a character", '{"answers": {"\\udfff": "grant"}}'),
    ("a list", []),
    ("a text", '"{\\"answers\\": {}}"'),
    ("null", "null"),
    ("deep", '{"answers": ' * 40 + "1" + "}" * 40),
]


@pytest.mark.parametrize(("what", "body"), SENT, ids=[what for what, _body in SENT])
def test_what_is_no_answer_is_refused_field_by_field_and_nothing_is_written(
    app: Flask, people: Cast, what: str, body: Any
) -> None:
    number = a_case(people, at="accepted")
    zhou = own_system(app, people, "zhou")
    headers = {"If_Match": f'"{version(number)}"', "Idempotency_Key": "review-01"}
    before = lines()
    answer = zhou.post(f"/cases/{number}/steps/review", body, **headers)
    assert answer.status_code == 422 and problem(answer)["errors"][0]["message"], what
    assert lines() == before and state(number) == "accepted"


UNREADABLE: list[tuple[str, bytes]] = [
    ("nothing", b""), ("half an object", b'{"answers": '), ("bytes", b"\xff\xfe{}"), ("a name twice", b'{"a":1,"a":2}'),
    ("not a number", b'{"a": NaN}'), ("a number without end", b'{"a": ' + b"9" * 5000 + b"}"),
    ("lists in lists", b"[" * 100_000), ("utf-16", '{"a":1}'.encode("utf-16")), ("a form", b"opinion=grant"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body"), UNREADABLE, ids=[what for what, _body in UNREADABLE])
def test_what_is_no_json_is_said(app: Flask, people: Cast, what: str, body: bytes) -> None:
    number = a_case(people, at="accepted")
    zhou = own_system(app, people, "zhou")
    answer = zhou.post(f"/cases/{number}/steps/review", body, If_Match='"4"', Idempotency_Key="review-01")
    assert (answer.status_code, problem(answer)["code"]) == (400, "UNREADABLE"), what


def test_other_media_types_and_bodies_beyond_bounds_are_refused(app: Flask, people: Cast) -> None:
    number = a_case(people, at="accepted")
    zhou = own_system(app, people, "zhou")
    path, usual = f"/cases/{number}/steps/review", {"If-Match": '"4"', "Idempotency-Key": "review-01"}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk", ""):
        answer = zhou.send("POST", path, data=b"{}", headers={**usual, "Content-Type": kind})
        assert (answer.status_code, problem(answer)["code"]) == (415, "MEDIA_TYPE"), kind
    big = json.dumps({"answers": {"finding": "x" * 1_000_001}})
    answer = zhou.post(path, big, If_Match='"4"', Idempotency_Key="review-01")
    assert (answer.status_code, problem(answer)["code"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("If-Match", None), ("If-Match", "4"), ("If-Match", 'W/"4"'), ("If-Match", "*"), ("If-Match", '"²"'),
        ("If-Match", f'"{"9" * 400}"'), ("Idempotency-Key", None), ("Idempotency-Key", "short"),
        ("Idempotency-Key", "k" * 65), ("Idempotency-Key", "with blanks in it"), ("Idempotency-Key", "键" * 8),
    ],
)  # fmt: skip
def test_a_step_needs_its_version_and_its_key(app: Flask, people: Cast, name: str, value: str | None) -> None:
    number = a_case(people, at="received")
    headers = {"If-Match": f'"{version(number)}"', "Idempotency-Key": "accept-01", "Content-Type": "application/json"}
    headers |= {name: value.encode().decode("latin-1")} if value is not None else {}
    if value is None:
        del headers[name]
    answer = own_system(app, people, "li").send("POST", f"/cases/{number}/steps/accept", data=b"{}", headers=headers)
    assert answer.status_code == 422 and problem(answer)["errors"][0]["field"] == name
    assert state(number) == "received" or state(number) == "submitted"


def test_a_parameter_stands_once_and_one_that_is_not_there_is_said(app: Flask, people: Cast) -> None:
    li = own_system(app, people, "li")
    for query, field in (
        ("limit=1&limit=2", "limit"), ("limit=0", "limit"), ("limit=201", "limit"), ("limit=1e2", "limit"),
        ("limit=%2B5", "limit"), ("limit=" + "9" * 5000, "limit"), ("limit=²", "limit"), ("state=%00", "state"),
        ("state=DROP", "state"), ("after=x", "after"), ("after=2026-11-24~1", "after"), ("colour=red", "colour"),
    ):  # fmt: skip
        answer = li.get(f"/cases?{query}")
        assert (answer.status_code, problem(answer)["errors"][0]["field"]) == (422, field), query


def test_the_list_is_walked_through_and_goes_on_where_it_stopped(app: Flask, people: Cast, clock: Clock) -> None:
    numbers = []
    for minute in range(5):
        clock.go(f"2026-11-24 10:0{minute}")
        numbers.append(a_case(people))
    li = own_system(app, people, "li")
    seen, after, more = [], "", True
    while more:
        page = li.get("/cases", query_string={"limit": 2, "after": after}).get_json()
        seen += [case["number"] for case in page["cases"]]
        after, more = page["next"], page["more"]
    assert seen == numbers
    assert li.get("/cases", query_string={"after": after}).get_json() == {"cases": [], "next": after, "more": False}
    clock.go("2026-11-24 11:00")
    late = a_case(people)
    page = li.get("/cases", query_string={"after": after}).get_json()
    assert [case["number"] for case in page["cases"]] == [late]
    assert [case["number"] for case in li.get("/cases?state=held").get_json()["cases"]] == []


def test_strangers_find_no_case_and_it_looks_like_one_that_is_not_there(app: Flask, people: Cast) -> None:
    number, draft = a_case(people, at="accepted"), a_case(people, at="draft")
    liu, li = own_system(app, people, "liu", office="changsha"), own_system(app, people, "li")
    for program, hidden in ((liu, number), (li, draft), (li, "XF-22222222"), (li, "%00"), (li, "字" * 40)):
        assert problem(program.get(f"/cases/{hidden}"))["status"] in (404, 422), hidden
    assert liu.get(f"/cases/{number}").get_data() == liu.get("/cases/XF-22222222").get_data()
    assert liu.step(number, "review", 4, "review-01", opinion="grant", finding="x").status_code == 404
    assert liu.get("/cases").get_json()["cases"] == []
    assert li.step(number, "nothing", 4, "nothing-1").status_code == 404
    assert li.step(number, "withdraw", 4, "withdraw-1").status_code == 404, (
        "what only the applicant does is no door here"
    )
    market = Program(app, a_key(people, "ld-market", "hu", "notices", "receipts", "statements"))
    assert market.get(f"/cases/{number}").status_code == 403


def test_what_an_officer_sees_as_a_companys_clerk_does_not_come_with_the_offices_key(app: Flask, people: Cast) -> None:
    draft, number = a_case(people, at="draft"), a_case(people, at="accepted")
    with transaction():
        db.session.execute(
            insert(Mandate).values(
                user_id=people.users["zhou"], subject_id=people.subjects["yueheng"], capacity="clerk",
                evidence="委托书", valid_from=SINCE,
            )
        )  # fmt: skip
    zhou = own_system(app, people, "zhou")
    assert zhou.get(f"/cases/{draft}").status_code == 404
    answer = zhou.step(number, "review", version(number), "review-01", opinion="grant", finding="x")
    assert (answer.status_code, problem(answer)["code"]) == (403, "RECUSED")


def test_nothing_of_the_interface_is_a_page_or_kept_on_the_way(app: Flask, people: Cast) -> None:
    li = own_system(app, people, "li")
    for method, path, status in (
        ("GET", "", 404), ("GET", "/nowhere", 404), ("PUT", "/cases", 405), ("OPTIONS", "/cases", 405),
        ("TRACE", "/cases", 405), ("GET", "//cases", 404), ("GET", "/cases/", 404), ("DELETE", "/cases/x", 405),
    ):  # fmt: skip
        answer = li.send(method, path)
        assert (answer.status_code, problem(answer)["status"]) == (status, status), (method, path)
        assert answer.headers["Cache-Control"] == "no-store"
    assert set(li.send("PUT", "/cases").headers["Allow"].split(", ")) == {"GET", "HEAD"}


def test_what_breaks_is_a_problem_with_a_reference_and_a_locked_database_says_when_to_come_back(
    app: Flask, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import IntegrityError, OperationalError

    from app.views.api import cases

    li = own_system(app, people, "li")
    for error, status, code in (
        (RuntimeError("secret"), 500, "BROKEN"),
        (OperationalError("select secret", {}, Exception("locked")), 503, "BUSY"),
        (IntegrityError("insert secret", {}, Exception("unique")), 409, "CONFLICT"),
    ):

        def broken(*_: object, raised: Exception = error) -> None:
            raise raised

        monkeypatch.setattr(cases, "_seen", broken)
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
        answer = li.get("/cases")
        said = problem(answer)
        assert (answer.status_code, said["code"]) == (status, code) and "secret" not in answer.get_data(as_text=True)
        assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)
        assert bool(said.get("reference")) == (status != 503)


def test_dates_of_a_case_stand_in_it(app: Flask, people: Cast) -> None:
    number = a_case(people, at="processing")
    night(with_press=False)
    case = own_system(app, people, "he").get(f"/cases/{number}").get_json()
    assert {due["clock"] for due in case["deadlines"]} >= {"total", "receiver"}
    assert all(due["title"] and due["state"] in ("running", "met", "paused", "ended") for due in case["deadlines"])
    issued = db.session.execute(
        select(func.count()).where(Document.case_id == Case.id, Case.number == number)
    ).scalar_one()
    assert len(case["documents"]) == issued
