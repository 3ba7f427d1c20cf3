"""The night watch: what it does in one round, what it says when it cannot, and who notices when it sleeps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from app.db import db, transaction
from app.duty import clock as clock_duty
from app.duty import press
from app.duty.readiness import readiness
from app.duty.worker import beat, take_turns
from app.models import Document, Heartbeat
from app.now import now
from tests.build import a_case, state, walk
from tests.casework.acts import ink, lines, refused, scalar
from tests.cast import Cast
from tests.conftest import Clock


def report() -> Any:
    """What `/ready` would say; the tests' PostgreSQL waits for its disk while it is asked."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SET LOCAL synchronous_commit = on"))
    found = readiness()
    db.session.rollback()
    return found


def test_one_round_takes_the_limits_prints_and_takes_what_waited_for_ink(app: Flask, cast: Cast, clock: Clock) -> None:
    draft = a_case(cast, at="draft")
    submitted = a_case(cast, at="submitted")
    clock.go("2026-12-28")
    assert take_turns(app) == {"clock": 1, "press": 1, "books": 0, "statements": 0, "intake": 0, "register": 0}
    assert state(draft) == "lapsed"
    assert scalar(select(func.count()).select_from(Document).where(Document.printed_at.is_not(None))) == 1
    assert take_turns(app) == {"clock": 0, "press": 0, "books": 0, "statements": 0, "intake": 0, "register": 0}, (
        "a second round finds nothing to do"
    )
    assert lines(submitted) == ["open", "submit"]


@pytest.mark.parametrize("broken", ["clock", "press"])
def test_a_turn_that_breaks_stops_neither_the_other_nor_the_beat(
    app: Flask, cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    draft = a_case(cast, at="draft")
    a_case(cast, at="submitted")
    clock.go("2026-12-28")

    def breaks() -> int:
        db.session.execute(text("SELECT nothing FROM nowhere"))
        return 0

    monkeypatch.setattr({"clock": clock_duty, "press": press}[broken], "turn", breaks)
    done = take_turns(app)
    assert (done["clock"], done["press"]) == ((0, 1) if broken == "clock" else (1, 0))
    assert state(draft) == ("draft" if broken == "clock" else "lapsed")
    row = db.session.execute(select(Heartbeat.at, Heartbeat.trouble).where(Heartbeat.name == "watch")).one()
    db.session.rollback()
    assert row.at == now()
    assert row.trouble.startswith(f"{broken}: "), "what could not be done is said"
    found = report()
    assert found.ready and broken in found.warnings["watch"]


def test_a_watch_that_sleeps_is_noticed_after_five_minutes(app: Flask, cast: Cast, clock: Clock) -> None:
    assert "没有心跳" in report().failures["watch"]
    beat(app, "")
    clock.at += timedelta(minutes=5)
    assert report().ready
    clock.at += timedelta(seconds=1)
    found = report()
    assert not found.ready
    assert found.failures["watch"].startswith("值守程序自 2026-11-24 02:00Z 起没有心跳")
    beat(app, "")
    assert report().ready


def test_the_beat_touches_the_file_for_which_the_web_server_waits(app: Flask, cast: Cast) -> None:
    file: Path = app.config["INSTANCE"] / "run" / "heartbeat"
    file.unlink(missing_ok=True)
    beat(app, "")
    assert file.exists()


def test_what_waits_and_what_could_not_be_printed_is_a_warning_and_no_failure(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    beat(app, "")
    number = a_case(cast, at="processing")
    with transaction() as session:
        session.execute(update(Document).where(Document.kind == "grant").values(trouble="字体缺字"))
    found = report()
    assert found.ready
    assert "1 份文书" in found.warnings["press"]
    assert found.facts["oldest_undelivered_notice"] == "2026-11-24T02:00:00+00:00"
    assert "法规参数待核实" in found.warnings["law"]
    assert "放假安排" in found.warnings["calendar"]
    assert number


def test_unprinted_decisions_hold_up_their_service_and_nothing_else(app: Flask, cast: Cast) -> None:
    first, second = a_case(cast, at="processing"), a_case(cast, at="processing")
    ink(first)
    walk(cast, first, "he", "serve", manner="portal")
    assert refused(cast, second, "he", "serve", manner="portal") == ["NOT_PRINTED"]
