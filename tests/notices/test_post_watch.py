"""The post beside the rest of the watch: it has a thread of its own, a beat of its own, and says what to look at."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app.db import db
from app.duty import post
from app.duty.readiness import readiness
from app.duty.worker import PostRoom, Turnstile, beat, take_turns
from app.models import Heartbeat
from app.now import now
from tests.casework.acts import scalar
from tests.cast import Cast
from tests.conftest import Clock
from tests.notices.post_room import reached, some_notices, states
from tests.notices.receiver import HANG, a_receiver, answer


def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("it never came to be")


def report() -> Any:
    """What `/ready` would say."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SET LOCAL synchronous_commit = on"))
    found = readiness()
    db.session.rollback()
    return found


def test_the_bell_brings_the_post_at_once_and_its_beat_is_kept(app: Flask, cast: Cast) -> None:
    with a_receiver() as receiver:
        office = reached(cast, "ld-market", "webhook", receiver.url())
        room = PostRoom(app)
        room.start()
        try:
            until(lambda: bool(scalar(select(func.count()).where(Heartbeat.name == "post"))))
            some_notices(cast, "ld-market", 3)
            room.ring()
            until(lambda: states(office) == ["delivered"] * 3)
        finally:
            room.stop()
        assert not room.is_alive()


def test_a_receiver_that_hangs_holds_up_neither_the_limits_nor_the_press(app: Flask, cast: Cast) -> None:
    with a_receiver(lambda _request: HANG) as hanging:
        reached(cast, "ld-market", "webhook", hanging.url())
        some_notices(cast, "ld-market", 1)
        room = PostRoom(app)
        room.start()
        try:
            until(lambda: len(hanging.taken) == 1)
            assert not any(take_turns(app).values())
            assert scalar(select(Heartbeat.at).where(Heartbeat.name == "watch")) == now()
        finally:
            room.stop()


def test_who_comes_while_a_turn_is_taken_does_not_wait_and_is_not_forgotten() -> None:
    inside, go_on, turns = threading.Event(), threading.Event(), []

    def turn() -> None:
        turns.append(threading.get_ident())
        inside.set()
        go_on.wait(10)

    turnstile = Turnstile(turn)
    first = threading.Thread(target=turnstile)
    first.start()
    assert inside.wait(10)
    for _ in range(3):
        turnstile()
    assert len(turns) == 1
    go_on.set()
    first.join(10)
    assert len(turns) == 2 and len(set(turns)) == 1, "once more for all three, by the one who was at it"


def test_what_is_undelivered_given_up_or_left_alone_is_said(app: Flask, cast: Cast, clock: Clock) -> None:
    beat(app, "")
    for code in ("ld-market", "ld-trading", "ld-hunan"):
        some_notices(cast, code, 6)
    written = now()
    with a_receiver(lambda request: answer(410 if request.path == "/gone" else 500)) as receiver:
        reached(cast, "ld-market", "webhook", receiver.url())
        reached(cast, "ld-trading", "webhook", receiver.url("/gone"))
        post.turn()
    found = report()
    assert found.ready, "the house is ready whoever does not answer"
    assert found.facts["receivers_left_alone"] == ["ld-market"]
    assert found.facts["receivers_stopped"] == ["ld-trading"]
    assert found.facts["oldest_undelivered_notice"] == written.astimezone(UTC).isoformat()
    assert found.facts["dead_letters"] == states(cast.offices["ld-trading"]).count("dead") > 0
    assert "送达失败" in found.warnings["dead_letters"] and "undelivered" not in found.warnings
    clock.at += timedelta(days=1, seconds=1)
    beat(app, "")
    beat(app, "post: OSError", "post")
    found = report()
    assert "没有送达" in found.warnings["undelivered"] and found.warnings["post"] == "post: OSError"
    clock.at += timedelta(minutes=6)
    beat(app, "")
    assert "没有动静" in report().warnings["post"] and report().ready
