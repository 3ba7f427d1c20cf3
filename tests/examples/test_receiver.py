"""The sample for integrators: what it takes, what it refuses, and that a notice counts once there whatever happens."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.notices.signing import check_receipt, signed_headers
from tests.examples.receiver import LATE, Sample, told

KEY = "case-1-7-lk-resources"
RECORD = "湘交罚〔2026〕12号"


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[Sample]:
    sample = Sample(tmp_path)
    sample.start()
    yield sample
    sample.stop()


def moment() -> datetime:
    return datetime.now(UTC)  # noqa: TID251


def test_a_notice_is_taken_once_its_effect_and_its_receipt_stand_beside_it(sample: Sample) -> None:
    sample.show(RECORD)
    body = told(KEY, 1)
    assert sample.send(KEY, body) == (200, "已收下")
    assert sample.rows("SELECT key, seq, said, body_hash FROM notice") == [
        (KEY, 1, "done", hashlib.sha256(body).hexdigest())
    ]
    assert sample.rows("SELECT ended_by FROM shown") == [(KEY,)]
    assert len(sample.rows("SELECT * FROM receipt")) == 1
    for _ in range(3):
        assert sample.send(KEY, body) == (200, "早已收下")
    assert len(sample.rows("SELECT * FROM notice")) == len(sample.rows("SELECT * FROM receipt")) == 1
    assert RECORD in sample.page() and "已停止" in sample.page()


def test_what_it_says_follows_from_what_it_holds(sample: Sample) -> None:
    sample.show(RECORD)
    sample.send("a", told("a", 1))
    sample.send("b", told("b", 2))
    sample.send("c", told("c", 3, record_no="湘交罚〔2026〕99号"))
    sample.send("d", told("d", 4, act="refuse"))
    assert sample.rows("SELECT key, said FROM notice ORDER BY place") == [
        ("a", "done"), ("b", "already_ended"), ("c", "holds_nothing"), ("d", "done"),
    ]  # fmt: skip


def test_forged_changed_late_and_early_notices_are_refused_and_leave_nothing(sample: Sample) -> None:
    body, at = told(KEY, 1), moment()
    true = signed_headers(sample.secrets, KEY, at, body)
    stranger = "whsec_" + "QUJD" * 11
    for headers, sent in (
        (signed_headers([stranger], KEY, at, body), body),
        (true, body.replace("准予".encode(), "不予".encode())),
        (true | {"webhook-id": "case-1-8-lk-resources"}, body),
        (true | {"webhook-timestamp": str(int(at.timestamp()) + 1)}, body),
        (signed_headers(sample.secrets, KEY, at - LATE, body), body),
        (signed_headers(sample.secrets, KEY, at + LATE, body), body),
        (true | {"webhook-signature": "v1"}, body),
        (true | {"webhook-signature": "v1,*** v2,x"}, body),
        (true | {"webhook-signature": ""}, body),
        (true | {"webhook-timestamp": "soon"}, body),
        ({}, body),
    ):
        assert sample.send(KEY, sent, headers)[0] == 401, headers
    assert sample.rows("SELECT * FROM notice") == sample.rows("SELECT * FROM receipt") == []
    assert sample.send(KEY, body, true)[0] == 200


def test_a_delivery_that_was_overheard_changes_nothing_when_it_is_played_again(sample: Sample) -> None:
    """Within the tolerance the key is known; outside it the signature is too old."""
    body = told(KEY, 1)
    recorded = signed_headers(sample.secrets, KEY, moment(), body)
    assert sample.send(KEY, body, recorded) == (200, "已收下")
    assert sample.send(KEY, body, recorded) == (200, "早已收下")
    old = signed_headers(sample.secrets, "k2", moment() - LATE, told("k2", 2))
    assert sample.send("k2", told("k2", 2), old)[0] == 401


def test_another_body_under_a_known_key_and_an_older_number_are_refused(sample: Sample) -> None:
    sample.send("a", told("a", 2))
    assert sample.send("a", told("a", 2, reason="改过")) == (409, "同一个通知编号，正文却不一样")
    assert sample.send("b", told("b", 1)) == (409, "已经处理到第 2 份，不再处理更早的第 1 份")
    assert sample.send("c", told("c", 1, uscc="91430100MA0OTHER0X"))[0] == 200, "another company has its own numbers"
    assert sample.send("d", told("d", 9))[0] == 200, "what was formally skipped leaves a gap"


def test_two_people_of_one_name_are_not_taken_for_one(sample: Sample) -> None:
    """A natural person has no code; each record's notices keep their order."""
    person = {"uscc": "", "subject_name": "龙小军"}
    assert sample.send("a", told("a", 2, record="0123456789abcdef", **person))[0] == 200
    assert sample.send("b", told("b", 1, record="fedcba9876543210", **person))[0] == 200
    assert sample.send("c", told("c", 1, record="0123456789abcdef", **person))[0] == 409


def test_during_a_rotation_it_knows_both_secrets(sample: Sample) -> None:
    old = sample.secrets[0]
    new = "whsec_" + "QUJD" * 11
    sample.stop()
    sample.secrets = [new, old]
    sample.start()
    for n, secrets in enumerate(([old], [new], [new, old], [old, new]), start=1):
        body = told(f"k{n}", n)
        assert sample.send(f"k{n}", body, signed_headers(secrets, f"k{n}", moment(), body))[0] == 200


def test_bad_bodies_are_refused_in_words_and_it_lives_on(sample: Sample) -> None:
    for body in (b"", b"{}", b"[]", b"null", "公告".encode(), b'{"seq":"x"}', told("x", 1, effective_at="yesterday")):
        assert sample.send("x", body)[0] == 409, body
    assert sample.send("x", b"\xff\xfe", signed_headers(sample.secrets, "x", moment(), b"x"))[0] == 401
    for length in ("1000001", "-1", "x", "1e3"):
        assert sample.send("x", b"", {"Content-Length": length})[0] == 413
    assert sample.send(KEY, told(KEY, 1))[0] == 200


def test_killed_in_the_middle_of_a_crowd_it_has_each_notice_once_and_every_answer_was_true(sample: Sample) -> None:
    answered: set[str] = set()

    def deliver(n: int) -> None:
        key = f"k{n}"
        body = told(key, 1, uscc=f"company-{n}", record_no=f"第{n}号")
        for _ in range(100):
            try:
                if sample.send(key, body)[0] == 200:
                    answered.add(key)
                    return
            except (OSError, HTTPException):
                time.sleep(0.1)

    dice = random.Random(7)
    for wave in range(3):
        crowd = [threading.Thread(target=deliver, args=(wave * 10 + n,)) for n in range(10)]
        for one in crowd:
            one.start()
        time.sleep(dice.uniform(0.01, 0.1))
        sample.stop(hard=True)
        held = {key for (key,) in sample.rows("SELECT key FROM notice")}
        assert answered <= held, "what was answered had been committed"
        sample.start()
        for one in crowd:
            one.join()
    rows = sample.rows("SELECT key FROM notice")
    assert len(rows) == len(set(rows)) == len(answered) == 30
    assert sample.rows("SELECT count(*) FROM receipt") == [(30,)]


def test_the_digest_is_the_one_the_house_computes(sample: Sample) -> None:
    from app.notices.compare import digest_of

    bodies = {f"k{n}": told(f"k{n}", n, effective_at=f"2026-11-2{n}T17:00:00+00:00") for n in range(1, 5)}
    for key, body in bodies.items():
        assert sample.send(key, body)[0] == 200
    pairs = {key: hashlib.sha256(body).hexdigest() for key, body in bodies.items()}
    assert sample.digest() == digest_of(pairs.items())
    within = [(key, pairs[key]) for key in ("k2", "k3")]  # an hour past midnight in Shanghai it is the next day
    assert sample.digest("2026-11-23", "2026-11-24") == digest_of(within)


class House(HTTPServer):
    """Takes receipts, at first with trouble."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.full = threading.Event()


class Desk(BaseHTTPRequestHandler):
    server: House

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, raw))
        self.send_response(503 if len(self.server.got) == 1 else 201)
        self.end_headers()
        if len(self.server.got) == 3:
            self.server.full.set()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quiet."""


def test_receipts_are_signed_and_given_again_until_they_arrive_unchanged(tmp_path: Path) -> None:
    house = House()
    threading.Thread(target=house.serve_forever, daemon=True).start()
    sample = Sample(tmp_path, house=f"http://127.0.0.1:{house.server_port}")
    sample.start()
    try:
        sample.show(RECORD)
        sample.send(KEY, told(KEY, 1))
        sample.send("k2", told("k2", 2))
        assert house.full.wait(20)
    finally:
        sample.stop()
        house.shutdown()
        house.server_close()
    private = Ed25519PrivateKey.from_private_bytes(sample.private)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    by_path: dict[str, set[bytes]] = {}
    for path, headers, raw in house.got:
        assert headers["authorization"] == "Bearer jn_test"
        assert check_receipt(raw, headers["receipt-signature"], headers["receipt-key"], {"k1": public})
        assert len(b64decode(headers["receipt-signature"])) == 64
        by_path.setdefault(path, set()).add(raw)
    assert {path: len(raws) for path, raws in by_path.items()} == {
        f"/api/v1/notices/{KEY}/receipts": 1, "/api/v1/notices/k2/receipts": 1,
    }  # fmt: skip
    said = json.loads(by_path[f"/api/v1/notices/{KEY}/receipts"].pop())
    assert said["kind"] == "done" and datetime.fromisoformat(said["done_at"]) <= moment()
