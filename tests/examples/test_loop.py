"""The whole way there and back, all of it real: decision, post, sample receiver, signed receipt, the books agree."""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select
from werkzeug.serving import make_server

from app import create_app
from app.db import db, transaction
from app.duty import post
from app.journal import SYSTEM
from app.models import CreditRecord, Delivery, Endpoint, JournalLine, Membership, Receipt, Statement, User
from app.notices.api_keys import make_api_key
from app.notices.keys import add_receipt_key, end_key, make_secret
from app.notices.statement import draw_statement
from app.now import now
from config import TestConfig
from tests.build import a_case
from tests.cast import SINCE, Cast, assemble
from tests.examples.receiver import Sample
from tests.notices.test_keys import id_of
from workflows.calendar import legal_day

PATIENCE = 20.0


@dataclass
class Loop:
    """A house that serves, and a department that runs the sample receiver."""

    cast: Cast
    market: int
    sample: Sample

    def decide(self) -> None:
        """A decision that the department must be told of."""
        a_case(self.cast, at="processing", on=(legal_day(now()) - timedelta(days=200)).isoformat())

    def receipts(self, wanted: int) -> list[Any]:
        """The department's receipts, once there are so many."""
        until = time.monotonic() + PATIENCE
        while True:
            rows = db.session.execute(select(*Receipt.__table__.c).order_by(Receipt.id)).all()
            db.session.rollback()
            if len(rows) >= wanted:
                return list(rows)
            assert time.monotonic() < until, self.sample.rows("SELECT notice, attempts, trouble FROM receipt")
            time.sleep(0.05)


@pytest.fixture
def loop(config: TestConfig, tmp_path: Path) -> Iterator[Loop]:
    """At the machine's own hour: the sample reads no other clock."""
    app = create_app(config)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    folder = tmp_path / "sample"
    folder.mkdir()
    sample = Sample(folder, house=f"http://127.0.0.1:{server.server_port}")
    with app.app_context():
        cast = assemble()
        market = cast.offices["ld-market"]
        public = Ed25519PrivateKey.from_private_bytes(sample.private).public_key().public_bytes_raw()
        with transaction():
            xie = db.session.execute(
                insert(User)
                .values(login="xie", name="谢婷", password_hash="", active=True, session_version=1, failures=0)
                .returning(User.id)
            ).scalar_one()
            db.session.execute(
                insert(Membership).values(user_id=xie, office_id=market, role="linked", valid_from=SINCE)
            )
            at = now()
            sample.secrets = [make_secret(market, until=None, doer=SYSTEM, at=at)]
            add_receipt_key(market, "k1", b64encode(public).decode(), since=at, until=None, doer=SYSTEM, at=at)
            _id, sample.api_key = make_api_key(market, xie, "示例", ["receipts"], by=SYSTEM, at=at)
            db.session.execute(
                insert(Endpoint).values(
                    office_id=market,
                    channel="webhook",
                    format="result",
                    address=sample.address,
                    cursor=0,
                    failures=0,
                    stopped_why="",
                    trouble="",
                )
            )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sample.start()
        try:
            yield Loop(cast, market, sample)
        finally:
            sample.stop()
            server.shutdown()
            db.session.remove()
            db.engine.dispose()


def test_a_decision_is_told_done_confirmed_and_both_books_agree(loop: Loop) -> None:
    loop.decide()
    [record] = db.session.execute(select(Delivery.notice_id).where(Delivery.receiver_id == loop.market)).all()
    assert post.turn().delivered == 1
    [receipt] = loop.receipts(1)
    assert (receipt.receiver_id, receipt.notice_id, receipt.via) == (loop.market, record.notice_id, "api")
    assert (receipt.kind, receipt.key_name) == ("holds_nothing", "k1"), "the sample shows nothing of this company"
    assert '"kind":"holds_nothing"' in receipt.raw and receipt.signature
    line = db.session.execute(select(JournalLine).where(JournalLine.id == receipt.journal_id)).scalar_one()
    assert (line.act, line.item, line.person_name) == ("receipt", "ld-market", "谢婷")
    way = db.session.execute(select(Delivery).where(Delivery.notice_id == record.notice_id)).scalar_one()
    assert (way.state, way.receipt) == ("delivered", "holds_nothing")
    today = legal_day(now())
    with transaction():
        drawn = draw_statement(loop.market, today, today, at=now())
    digest = db.session.execute(select(Statement.digest).where(Statement.id == drawn)).scalar_one()
    db.session.rollback()
    assert loop.sample.digest(today.isoformat(), today.isoformat()) == digest


def test_what_it_shows_it_stops_showing_and_says_so_once_however_often_it_is_told(loop: Loop) -> None:
    loop.decide()
    number = db.session.execute(select(CreditRecord.number)).scalar_one()
    loop.sample.show(number)
    post.turn()
    [receipt] = loop.receipts(1)
    assert receipt.kind == "done" and loop.sample.rows("SELECT count(*) FROM shown WHERE ended_at IS NULL") == [(0,)]
    with transaction():  # the answer got lost, and it is sent again
        db.session.execute(Delivery.__table__.update().values(state="waiting", lease_until=None, delivered_at=None))
    assert post.turn().delivered >= 1
    time.sleep(1.0)
    assert len(loop.receipts(1)) == 1
    assert loop.sample.rows("SELECT count(*) FROM notice") == [(1,)]


def test_a_receipt_signed_with_a_key_that_was_ended_is_refused_and_given_again_when_there_is_a_new_one(
    loop: Loop,
) -> None:
    loop.decide()
    key_id, at = id_of(loop.market, "k1"), now()
    with transaction():
        end_key(loop.market, key_id, until=at, doer=SYSTEM, at=at)
    post.turn()
    until = time.monotonic() + PATIENCE
    while not loop.sample.rows("SELECT 1 FROM receipt WHERE trouble LIKE 'HTTP 403%'"):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert loop.receipts(0) == []
    loop.sample.stop()
    loop.sample.private = b"k" * 32
    public = Ed25519PrivateKey.from_private_bytes(loop.sample.private).public_key().public_bytes_raw()
    with transaction():
        add_receipt_key(
            loop.market, "k2", b64encode(public).decode(), since=now(), until=None, doer=SYSTEM, at=now()
        )  # fmt: skip
    loop.sample.key_name = "k2"
    loop.sample.start()
    [receipt] = loop.receipts(1)
    assert receipt.key_name == "k2"
