"""The demonstration shows every part of sharing, and keeps its secrets where only its owner reads them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.db import db
from app.journal import check_chain
from app.models import (
    ApiKey,
    Batch,
    CreditRecord,
    Delivery,
    Endpoint,
    Issue,
    JournalLine,
    MandateRequest,
    Office,
    Receipt,
    ReceiverKey,
    Statement,
    Subscription,
)
from app.models.sharing import CHANNELS_OUT, RECEIPTS
from app.notices.api_keys import holder_of
from app.notices.formats import FORMATS
from app.notices.keys import receipt_keys, webhook_secrets
from app.now import now
from app.seeds import seed
from config import TestConfig


@pytest.fixture
def app(config: TestConfig) -> Flask:
    """An instance at the machine's own hour."""
    from app import create_app

    return create_app(config)


def test_the_demonstration_shares_in_every_way_and_tells_no_secret(app: Flask) -> None:
    with app.app_context():
        text = seed()
        assert seed() == text, "an instance that is filled is left alone"
        codes = dict(db.session.execute(select(Office.code, Office.id)).all())
        ways = {row.office_id: row for row in db.session.execute(select(Endpoint.__table__))}
        assert {row.channel for row in ways.values()} == set(CHANNELS_OUT) - {"counter"}
        assert {row.format for row in ways.values()} == set(FORMATS)
        assert set(db.session.execute(select(Receipt.kind)).scalars()) == set(RECEIPTS)
        issues = Counter(db.session.execute(select(Issue.kind).where(Issue.closed_at.is_(None))).scalars())
        assert issues == {"not_found": 1, "refused": 1, "dead": 1}
        states = Counter(
            db.session.execute(select(Delivery.state).where(Delivery.receiver_id == codes["lk-court"])).scalars()
        )
        assert states == {"waiting": 3}, "the court has fetched nothing"
        assert ways[codes["lk-water"]].stopped_at is not None
        asked = db.session.execute(select(MandateRequest.state, MandateRequest.code).order_by(MandateRequest.id)).all()
        assert [row.state for row in asked] == ["refused", "waiting"], "an officer finds somebody's papers to look at"
        [sent] = db.session.execute(select(Batch.state, Batch.tallies)).all()
        assert sent.state == "done", "a month's sheet of 长沙, with rows for every verdict that people must know"
        assert sent.tallies["waiting"] >= 3 and sent.tallies["duplicate"] == 1 and sent.tallies["in"] > 10
        for table in (Statement, Subscription, ApiKey):
            assert db.session.execute(select(func.count()).select_from(table)).scalar_one(), table

        file = Path(app.config["INSTANCE"]) / "run" / "receiver.json"
        settings, sample = json.loads(file.read_text()), codes["lk-resources"]
        assert file.stat().st_mode & 0o777 == 0o600
        assert settings["secrets"] == webhook_secrets(sample, now())
        assert list(receipt_keys(sample, now())) == [settings["key_name"]]
        assert ways[sample].address == f"http://127.0.0.1:{settings['port']}/notices"
        holder = holder_of(settings["api_key"], now())
        assert holder is not None and holder.office_id == sample and "receipts" in holder.scopes
        [(shown, _name)] = settings["shown"]
        assert db.session.execute(select(CreditRecord.id).where(CreditRecord.number == shown)).scalar()

        kept = str(db.session.execute(select(JournalLine.answers)).scalars().all())
        kept += str(db.session.execute(select(ReceiverKey.material)).scalars().all())
        for secret in (settings["secrets"][0][6:], settings["api_key"], settings["private"]):
            assert secret not in kept and secret not in text
        assert check_chain("office", sample) == []
        db.session.remove()
        db.engine.dispose()
