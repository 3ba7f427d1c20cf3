"""A department's system is told and answers: it walks along the feed and signs what it did; nobody signs for it."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.db import db, transaction
from app.journal import Doer, check_chain
from app.models import Case, Delivery, JournalLine, Notice, Office, Receipt
from app.notices.keys import add_receipt_key
from app.now import now
from tests.api.conftest import Program, a_key, problem
from tests.build import a_case
from tests.cast import Cast
from tests.conftest import Clock
from tests.databases import database

__all__ = ["database"]


class Department(Program):
    """A department with a key pair of its own."""

    def __init__(self, app: Flask, cast: Cast, office: str, user: str) -> None:
        super().__init__(app, a_key(cast, office, user, "notices", "receipts", "statements"))
        self.office, self.private, self.serial = office, Ed25519PrivateKey.generate(), 0
        public = b64encode(self.private.public_key().public_bytes_raw()).decode()
        with transaction():
            add_receipt_key(
                cast.offices[office], "2026", public, since=now(), until=None, at=now(),
                doer=Doer(cast.users[user], user, "linked"),
            )  # fmt: skip

    def feed(self, after: int = 0, limit: int = 100) -> dict[str, Any]:
        """A page of the feed."""
        answer = self.get(f"/notices?after={after}&limit={limit}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def walk(self, after: int = 0, limit: int = 2) -> Iterator[dict[str, Any]]:
        """Everything after a position, page by page."""
        more = True
        while more:
            page = self.feed(after, limit)
            yield from page["notices"]
            after, more = page["next"], page["more"]

    def receipt(self, key: str = "", **said: Any) -> bytes:
        """The text of a receipt."""
        self.serial += 1
        body = {"key": key or f"r-{self.serial}", "kind": "done", "done_at": now().isoformat(), "number": "SJ-1"} | said
        return json.dumps(body, ensure_ascii=False).encode()

    def sign(self, raw: bytes) -> str:
        """Our signature."""
        return b64encode(self.private.sign(raw)).decode()

    def give(self, notice: str, raw: bytes, name: str = "2026", signature: str | None = None) -> TestResponse:
        """Hand it in."""
        signed = self.sign(raw) if signature is None else signature
        return self.post(f"/notices/{notice}/receipts", raw, Receipt_Key=name, Receipt_Signature=signed)


@pytest.fixture
def market(app: Flask, people: Cast) -> Department:
    """Market supervision."""
    return Department(app, people, "ld-market", "hu")


@pytest.fixture
def trading(app: Flask, people: Cast) -> Department:
    """Public trading."""
    return Department(app, people, "ld-trading", "ren")


def states(office: str) -> list[str]:
    """How a department's deliveries stand, in the order in which they were written."""
    rows = db.session.execute(
        select(Delivery.state)
        .join(Office, Office.id == Delivery.receiver_id)
        .where(Office.code == office)
        .order_by(Delivery.notice_id)
    ).scalars()
    found = list(rows)
    db.session.rollback()
    return found


def receipts() -> int:
    """How many receipts there are."""
    found = db.session.execute(select(func.count()).select_from(Receipt)).scalar_one()
    db.session.rollback()
    return int(found)


def test_a_department_that_was_away_for_a_month_catches_up_in_order(
    app: Flask, people: Cast, market: Department, clock: Clock
) -> None:
    for day in ("2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27", "2026-11-30"):
        clock.go(day)
        a_case(people, at="processing")
    clock.go("2026-12-31")
    told = list(market.walk())
    assert len(told) == 5 and [one["position"] for one in told] == sorted(one["position"] for one in told)
    for one in told:
        body = json.loads(one["body"])
        assert hashlib.sha256(one["body"].encode()).hexdigest() == one["hash"]
        assert (body["notice"], body["receiver"], body["seq"]) == (one["notice"], "ld-market", one["seq"])
    assert [one["seq"] for one in told] == [1, 2, 3, 4, 5], "gapless about the one company"
    assert states("ld-market") == ["delivered"] * 4 + ["waiting"], "the last one is not known to have arrived"
    last = told[-1]["position"]
    assert market.feed(last) == {"notices": [], "next": last, "more": False}
    assert states("ld-market") == ["delivered"] * 5
    number = a_case(people, at="processing")
    (late,) = market.feed(last)["notices"]
    assert late["notice"].startswith("case-") and number in late["body"]


def test_asking_again_from_an_earlier_place_gets_the_same_and_takes_nothing_back(
    app: Flask, people: Cast, market: Department
) -> None:
    for _ in range(3):
        a_case(people, at="processing")
    first = market.feed()
    market.feed(first["next"])
    assert market.feed() == first
    assert states("ld-market") == ["delivered"] * 3
    beyond = market.feed(2**31 - 1)
    assert beyond["notices"] == [] and beyond["more"] is False


def test_a_signed_receipt_is_kept_as_sent_and_stands_in_the_cases_journal(
    app: Flask, people: Cast, market: Department
) -> None:
    number = a_case(people, at="processing")
    (told,) = market.feed()["notices"]
    raw = market.receipt(reason="已从本局公示平台撤下", number="市监信〔2026〕7号")
    answer = market.give(told["notice"], raw)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    row = db.session.execute(select(Receipt)).scalar_one()
    assert (row.raw, row.signature, row.key_name, row.via) == (raw.decode(), market.sign(raw), "2026", "api")
    assert row.user_id == people.users["hu"]
    case = db.session.execute(select(Case.id).where(Case.number == number)).scalar_one()
    line = db.session.execute(select(JournalLine).where(JournalLine.act == "receipt")).scalar_one()
    assert (line.about_id, line.item, line.person) == (case, "ld-market", people.users["hu"])
    db.session.rollback()
    assert check_chain("case", case) == []
    after = market.get(f"/notices/{told['notice']}").get_json()
    assert (after["state"], after["receipt"]) == ("delivered", "done"), "whoever answers has been told"
    assert market.get(f"/notices/{told['notice']}/receipts").get_json()["receipts"] == [answer.get_json()]


def test_the_same_receipt_again_is_the_same_and_another_under_its_key_is_refused(
    app: Flask, people: Cast, market: Department
) -> None:
    a_case(people, at="processing")
    a_case(people, at="processing")
    one, two = market.feed()["notices"]
    raw = market.receipt("r-1")
    first, again = market.give(one["notice"], raw), market.give(one["notice"], raw)
    assert (again.status_code, again.get_json()) == (201, first.get_json()) and receipts() == 1
    other = market.give(one["notice"], market.receipt("r-1", number="SJ-2"))
    assert (other.status_code, problem(other)["code"]) == (409, "KEY_REUSED")
    moved = market.give(two["notice"], raw)
    assert (moved.status_code, problem(moved)["code"]) == (409, "KEY_REUSED"), "a receipt is about one notice"
    assert receipts() == 1


def test_a_forged_receipt_is_refused_whatever_is_forged(
    app: Flask, people: Cast, market: Department, trading: Department, clock: Clock
) -> None:
    a_case(people, at="processing")
    (told,) = market.feed()["notices"]
    raw = market.receipt()
    signed = market.sign(raw)
    for what, answer in (
        ("changed by a blank", market.give(told["notice"], raw + b" ", signature=signed)),
        ("somebody else's signature", market.give(told["notice"], raw, signature=trading.sign(raw))),
        ("another key's name", market.give(told["notice"], raw, name="2025")),
        ("no signature", market.give(told["notice"], raw, signature="")),
        ("no base64", market.give(told["notice"], raw, signature="!" * 88)),
        ("cut", market.give(told["notice"], raw, signature=signed[:-4])),
    ):
        assert (answer.status_code, problem(answer)["code"]) == (403, "SIGNATURE"), what
    answer = market.post(f"/notices/{told['notice']}/receipts", raw)
    assert {error["field"] for error in problem(answer)["errors"]} == {"Receipt-Key", "Receipt-Signature"}
    theirs = trading.give(told["notice"], trading.receipt())
    assert theirs.status_code == 404, "another department's notice does not exist"
    assert receipts() == 0


def test_what_a_receipt_cannot_do_without_is_said_as_at_the_counter(
    app: Flask, people: Cast, market: Department
) -> None:
    a_case(people, at="processing")
    (told,) = market.feed()["notices"]
    for said, field in (
        ({"kind": "refused"}, "reason"), ({"kind": "not_found", "reason": " "}, "reason"),
        ({"done_at": None}, "done_at"), ({"done_at": "2026-11-24"}, "done_at"), ({"done_at": 1}, "done_at"),
        ({"done_at": "2026-11-24T10:00:00"}, "done_at"), ({"kind": "perhaps"}, "kind"), ({"key": "有字"}, "key"),
        ({"key": "k" * 41}, "key"), ({"number": "n" * 101}, "number"),
        ({"reason": "a\u202eb"}, "reason"), ({"reason": None}, "reason"), ({"colour": "red"}, "colour"),
    ):  # fmt: skip
        answer = market.give(told["notice"], market.receipt(**said))
        assert (answer.status_code, problem(answer)["errors"][0]["field"]) == (422, field), said
    for done_at in ("2027-01-01T00:00:00+08:00", "2026-11-23T00:00:00+08:00"):
        answer = market.give(told["notice"], market.receipt(done_at=done_at))
        assert (answer.status_code, problem(answer)["code"]) == (422, "DONE_AT"), done_at
    assert receipts() == 0
    assert market.give(told["notice"], market.receipt(kind="holds_nothing", done_at=None)).status_code == 201


def test_a_department_sees_its_own_notices_and_nothing_else(
    app: Flask, people: Cast, market: Department, trading: Department
) -> None:
    number = a_case(people, at="processing")
    (told,) = market.feed()["notices"]
    for path in ("", "/receipts"):
        hidden, nothing = (trading.get(f"/notices/{one}{path}") for one in (told["notice"], "case-999-1-ld-trading"))
        assert (hidden.status_code, hidden.get_data()) == (404, nothing.get_data()), path
    keys = db.session.execute(select(Notice.key).join(Office).where(Office.code == "ld-trading")).scalars().all()
    db.session.rollback()
    assert [one["notice"] for one in trading.feed()["notices"]] == list(keys)
    assert trading.get(f"/cases/{number}").status_code == 403
    for strange in ("%00", "字" * 30, "' OR 1=1 --", "a" * 300):
        assert market.get(f"/notices/{strange}").status_code in (404, 422), strange


def test_a_key_without_the_scope_neither_reads_nor_signs(app: Flask, people: Cast, market: Department) -> None:
    a_case(people, at="processing")
    (told,) = market.feed()["notices"]
    reader = Program(app, a_key(people, "ld-market", "hu", "notices"))
    raw = market.receipt()
    headers = {"Receipt_Key": "2026", "Receipt_Signature": market.sign(raw)}
    assert reader.post(f"/notices/{told['notice']}/receipts", raw, **headers).status_code == 403
    writer = Program(app, a_key(people, "ld-market", "hu", "receipts"))
    assert writer.get("/notices").status_code == 403
    assert writer.post(f"/notices/{told['notice']}/receipts", raw, **headers).status_code == 201


def test_a_later_receipt_takes_the_place_of_the_earlier_and_both_are_kept(
    app: Flask, people: Cast, market: Department, clock: Clock
) -> None:
    a_case(people, at="processing")
    (told,) = market.feed()["notices"]
    assert market.give(told["notice"], market.receipt(kind="not_found", reason="名称对不上")).status_code == 201
    clock.go("2026-11-25")
    assert market.give(told["notice"], market.receipt()).status_code == 201
    kinds = [one["kind"] for one in market.get(f"/notices/{told['notice']}/receipts").get_json()["receipts"]]
    assert kinds == ["not_found", "done"]
    assert market.get(f"/notices/{told['notice']}").get_json()["receipt"] == "done"
