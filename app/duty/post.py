"""The post: a turn over the notices on their way, by every channel. Rows are the truth: whatever kills a turn costs a
minute, never a notice, and a second copy goes under the same key.

Places in the feed, the trays of the counters and the exchange folders are looked after while notices by the interface
are on their way; a folder on a disk that hangs holds up nobody but its receiver.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

from flask import Flask, current_app

from app.db import db, transaction
from app.duty import exchange
from app.duty.record import give_up
from app.duty.relay import Relay
from app.notices import feed
from app.notices.addresses import may_call, private_receivers
from app.notices.couriers import tray
from app.notices.couriers.http import TIMEOUT, HttpCourier
from app.now import now

SECONDS = 50.0
"""After so long a turn claims nothing more."""
FOLDERS_AT_ONCE = 4
_folders = ThreadPoolExecutor(FOLDERS_AT_ONCE, thread_name_prefix="exchange")
_at_folder: dict[tuple[Flask, int], Future[int]] = {}
"""Who is still being written for, by application and receiver: a disk that hangs outlasts a turn."""
_log = logging.getLogger("jiannuo.watch")


@dataclass(frozen=True, slots=True)
class Done:
    """What a turn has done: notices delivered by the interface, tries that failed, notices laid out at counters or
    written into folders, and letters given up because their time was over."""

    delivered: int
    failed: int
    elsewhere: int
    given_up: int


def turn(seconds: float = SECONDS, timeout: float = TIMEOUT, stop: Callable[[], bool] = lambda: False) -> Done:
    """Deliver until nothing can be claimed and nothing is on its way, for `seconds` at most; a try takes `timeout`
    seconds at most. Raises what kept it from its rows, after everything on its way has come in."""
    given_up = give_up(now())
    office = _Office(current_app._get_current_object())  # type: ignore[attr-defined]
    private = private_receivers()
    relay = Relay(HttpCourier(lambda ip: may_call(ip, private=private), timeout), seconds, office.look, stop)
    try:
        asyncio.run(relay.run())
    finally:
        db.session.rollback()
    return Done(relay.counts["delivered"], relay.counts["failed"], office.done, given_up)


class _Office:
    """What is done at every look beside the interface."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.done = 0

    def look(self) -> tuple[int, bool]:
        """Give places, lay out, begin folders; returns how much was done and whether a folder is being written."""
        at = now()
        new, trays, folders = feed.unplaced(), tray.waited_for(at), exchange.due(at)
        db.session.rollback()
        for receiver_id in new:
            with transaction():
                feed.place(receiver_id)
        laid = 0
        if trays:
            with transaction():
                laid = tray.lay_out(trays, at)
        found = laid + sum(self._finished(place) for place in list(_at_folder))
        for receiver_id in folders:
            if (self.app, receiver_id) not in _at_folder:
                _at_folder[self.app, receiver_id] = _folders.submit(copy_context().run, self._write, receiver_id)
        self.done += found
        return found, any(app is self.app for app, _ in _at_folder)

    def _finished(self, place: tuple[Flask, int]) -> int:
        """How many notices a writer that has come back has delivered."""
        if place[0] is not self.app or not _at_folder[place].done():
            return 0
        writer = _at_folder.pop(place)
        if (error := writer.exception()) is not None:
            _log.error("exchange folder of receiver %s", place[1], exc_info=error)
            return 0
        return writer.result()

    def _write(self, receiver_id: int) -> int:
        with self.app.app_context():
            try:
                return exchange.turn(receiver_id)
            finally:
                db.session.remove()
