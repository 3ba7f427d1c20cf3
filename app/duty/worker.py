"""The night watch as a Huey consumer. Rows are the truth; Huey only calls the turns, every minute and when woken.

A lost wake-up costs a minute, never a notice. Its own SQLite file holds the wake-ups, so that a rolled-back transaction
never wakes anybody: the waking is done after the commit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from huey import SqliteHuey, crontab

from app.db import db, insert_into, on_wake, transaction
from app.models import Heartbeat
from app.now import now

log = logging.getLogger("jiannuo.watch")


def queue_of(app: Flask) -> SqliteHuey:
    """The queue of wake-ups of an instance."""
    return SqliteHuey("watch", filename=str(Path(app.config["INSTANCE"]) / "run" / "wake.db"), results=False)


def wake_through(app: Flask) -> None:
    """From now on a commit that left work wakes the watch of this instance."""
    huey = queue_of(app)
    turn = huey.task(name="turn")(_nothing)
    on_wake(lambda: turn())


def _nothing() -> None:
    """In the web server the task is only called by name; the watch does the work."""


def stand_watch(app: Flask) -> None:
    """Stand watch until stopped (SIGINT or SIGTERM): beat, take turns, be woken."""
    huey = queue_of(app)
    huey.flush()

    def turn() -> None:
        with app.app_context():
            take_turns(app)

    woken = huey.task(name="turn")(turn)
    huey.periodic_task(crontab(minute="*"), name="minute")(turn)

    @huey.on_startup(name="first")
    def _first() -> None:
        with app.app_context():
            beat(app, "")
        woken()

    consumer = huey.create_consumer(
        workers=1, worker_type="thread", periodic=True, initial_delay=0.05, max_delay=0.5, graceful_signal="TERM"
    )
    consumer.run()


def take_turns(app: Flask) -> dict[str, int]:
    """One round: time-limits first, then the press, then what only waited for ink, then the books; then a beat that
    says what could not be done. Returns how much each has done."""
    from app.duty import books, clock, press, statements

    trouble: dict[str, str] = {}
    done = {"clock": 0, "press": 0, "books": 0, "statements": 0}

    def take(name: str, turn: Callable[[], int]) -> None:
        try:
            done[name] += turn()
        except Exception as error:
            db.session.rollback()
            log.exception("turn %s", name)
            trouble[name] = type(error).__name__

    take("clock", clock.turn)
    take("press", press.turn)
    if done["press"]:
        take("clock", clock.turn)
    take("books", books.turn)
    take("statements", statements.turn)
    beat(app, "；".join(f"{name}: {what}" for name, what in trouble.items()))
    return done


def beat(app: Flask, trouble: str) -> None:
    """Say that the watch is awake: a row for `/ready`, a touched file for the web server that waits for it."""
    at = now()
    with transaction() as session:
        insert = insert_into(Heartbeat.__table__).values(name="watch", at=at, trouble=trouble)
        session.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"at": at, "trouble": trouble}))
    (Path(app.config["INSTANCE"]) / "run" / "heartbeat").touch()
