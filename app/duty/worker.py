"""The night watch as a Huey consumer. Rows are the truth; Huey only calls the turns, every minute and when woken.

A lost wake-up costs a minute, never a notice. Its own SQLite file holds the wake-ups, so that a rolled-back transaction
never wakes anybody: the waking is done after the commit. The post has a thread of its own beside time-limits and press:
a receiver that hangs holds up no letter, and a letter no notice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from datetime import timedelta
from pathlib import Path

from flask import Flask
from huey import SqliteHuey, crontab
from sqlalchemy.exc import SQLAlchemyError

from app.db import db, insert_into, on_wake, transaction
from app.models import Heartbeat
from app.now import now

POST_EVERY = 5.0
"""Seconds after which the post looks by itself: a notice that failed is tried again after five."""
BEAT_EVERY = timedelta(seconds=30)
PATIENCE = 8.0
"""Seconds that what is on its way gets when the watch is stopped; what is cut off is sent again under its key."""
WATCH, POST = "watch", "post"
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
    post = PostRoom(app)
    on_wake(post.ring)  # what the watch itself leaves for the post
    turns = Turnstile(lambda: take_turns(app))

    def turn() -> None:
        post.ring()
        with app.app_context():
            turns()

    woken = huey.task(name="turn")(turn)
    huey.periodic_task(crontab(minute="*"), name="minute")(turn)

    @huey.on_startup(name="first")
    def _first() -> None:
        with app.app_context():
            beat(app, "")
        woken()

    consumer = huey.create_consumer(
        workers=2, worker_type="thread", periodic=True, initial_delay=0.05, max_delay=0.5, graceful_signal="TERM"
    )
    post.start()
    try:
        consumer.run()
    finally:
        post.stop()


class Turnstile:
    """One turn at a time; who comes meanwhile does not wait, and the turn goes round once more for them."""

    def __init__(self, turn: Callable[[], object]) -> None:
        self._turn = turn
        self._lock = threading.Lock()
        self._asked = threading.Event()

    def __call__(self) -> None:
        self._asked.set()
        while self._asked.is_set() and self._lock.acquire(blocking=False):
            try:
                self._asked.clear()
                self._turn()
            finally:
                self._lock.release()


class PostRoom(threading.Thread):
    """The post in its own thread: a turn when the bell rings, and every few seconds."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="post", daemon=True)
        self._app = app
        self._bell, self._closing = threading.Event(), threading.Event()
        self._context = copy_context()

    def ring(self) -> None:
        """There may be something to deliver."""
        self._bell.set()

    def stop(self) -> None:
        """Claim nothing more, wait for what is on its way, and come back."""
        self._closing.set()
        self.ring()
        self.join(timeout=PATIENCE)

    def run(self) -> None:
        """Turn after turn until stopped, under the clock of whoever made the room."""
        self._context.run(self._take_turns)

    def _take_turns(self) -> None:
        """What cannot be done is said with the beat."""
        from app.duty import post

        said, said_at = "", now() - BEAT_EVERY
        while not self._closing.is_set():
            self._bell.clear()
            with self._app.app_context():
                trouble = ""
                try:
                    post.turn(stop=self._closing.is_set)
                except Exception as error:
                    log.exception("turn %s", POST)
                    trouble = f"{POST}: {type(error).__name__}"
                if trouble != said or now() - said_at >= BEAT_EVERY:
                    with suppress(SQLAlchemyError):  # the next beat says it
                        beat(self._app, trouble, POST)
                        said, said_at = trouble, now()
            self._bell.wait(POST_EVERY)


def take_turns(app: Flask) -> dict[str, int]:
    """One round: time-limits first, then the press, then what only waited for ink, then the books; then a beat that
    says what could not be done. Returns how much each has done."""
    from app.duty import books, clock, intake, press, register, statements

    trouble: dict[str, str] = {}
    done = {"clock": 0, "press": 0, "books": 0, "statements": 0, "intake": 0, "register": 0}

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
    take("intake", intake.turn)
    take("register", register.turn)
    beat(app, "；".join(f"{name}: {what}" for name, what in trouble.items()))
    return done


def beat(app: Flask, trouble: str, name: str = WATCH) -> None:
    """Say that the watch (or the post) is awake: a row for `/ready`; for the watch also a touched file, for which the
    web server waits."""
    at = now()
    with transaction() as session:
        insert = insert_into(Heartbeat.__table__).values(name=name, at=at, trouble=trouble)
        session.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"at": at, "trouble": trouble}))
    if name == WATCH:
        (Path(app.config["INSTANCE"]) / "run" / "heartbeat").touch()
