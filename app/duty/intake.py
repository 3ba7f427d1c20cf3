"""Batches of records: what is queued is taken in, chunk by chunk, each chunk and the position behind it at once.

The next chunk is read and judged by its own words while the database writes this one.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from flask import current_app
from sqlalchemy.exc import DBAPIError

from app.db import db, leave_work, transaction
from app.files import find
from app.now import now
from app.registry.intake import batch
from app.registry.intake.rows import Received, received_rows
from app.registry.intake.trouble import Unreadable
from app.registry.intake.work import Judged, Work

log = logging.getLogger("jiannuo.watch")

TURN = 20.0
"""Seconds after which a turn leaves a long batch to the next one: time-limits and printing are not kept waiting."""
ATTEMPTS = 3
"""How often a chunk is written again when somebody else has just written the same subject or record."""


def holder() -> str:
    """Who runs a batch: this process on this machine."""
    return f"{socket.gethostname()}:{os.getpid()}"


def turn() -> int:
    """Go on with the oldest batch that nobody runs; returns how many rows were dealt with."""
    batch_id = batch.waiting_for_a_run(now())
    db.session.rollback()
    if batch_id is None:
        return 0
    done = [0]
    run(batch_id, until=time.monotonic() + TURN, told=lambda rows, _tallies: done.__setitem__(0, done[0] + rows))
    return done[0]


def run(
    batch_id: int, *, until: float | None = None, told: Callable[[int, dict[str, int]], None] | None = None,
    take_over: bool = False,
) -> bool:  # fmt: skip
    """Run a batch to its end or until a moment of `time.monotonic()`; False when somebody else runs it.

    `told` hears after every chunk how many rows it had, and the tallies so far.
    """
    me = holder()
    with transaction():
        work = batch.claim(batch_id, me, now(), take_over=take_over)
        row = batch.locked(batch_id) if work else None
    if work is None or row is None:
        return False
    gc.freeze()  # what the application consists of need not be looked through again with every few thousand rows
    path = find(Path(current_app.config["INSTANCE"]) / "uploads", row.file)
    before = row.position
    try:
        for rows in ahead(work, received_rows(path, work.heading, before)):
            tallies = _written(work, rows, before, me)
            if tallies is None:
                return False
            last = rows[-1]
            before = last if isinstance(last, int) else last.row
            if told is not None:
                told(len(rows), tallies)
            if until is not None and time.monotonic() > until:
                with transaction():
                    batch.release(batch_id, me)
                    leave_work()
                return True
    except Unreadable as error:
        with transaction():
            batch.fail(batch_id, me, error.sentence, now())
        return True
    except Exception as error:
        log.exception("batch %s", batch_id)
        trouble = f"第 {before} 行之后没有写成（{type(error).__name__}）；已写入的保留，可以重新开始"
        with transaction():
            batch.fail(batch_id, me, trouble, now())
        return True
    finally:
        gc.unfreeze()
    with transaction():
        return batch.finish(batch_id, me, now())


def _written(work: Work, rows: list[Judged | int], before: int, me: str) -> dict[str, int] | None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction():
                return batch.take_chunk(work, rows, before, me, now())
        except DBAPIError:
            db.session.rollback()
            if attempt == ATTEMPTS:
                raise
            log.info("batch %s: a chunk is written again", work.batch_id)
    return None


def ahead(work: Work, rows: Iterator[Received | int]) -> Iterator[list[Judged | int]]:
    """Chunks of judged rows; one is read while the one before it is written."""

    def read() -> list[Judged | int]:
        return [row if isinstance(row, int) else work.judge(row) for row in islice(rows, batch.CHUNK)]

    with ThreadPoolExecutor(1, "intake") as reader:
        chunk = reader.submit(read)
        while ready := chunk.result():
            chunk = reader.submit(read)
            yield ready
