"""Posts that can be killed: real processes, each forked from one that has read everything, under one moved clock.

python -c "from tests.faults.posts import serve; serve()" INSTANCE DATABASE CLOCK
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
TURN, TRY = 3.0, 0.5
"""Seconds of a turn and of a try: short, so that a time-out is soon seen."""


class SharedClock:
    """An hour that many processes read: the machine's, moved by as many seconds as stand in a file."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(8))
        self.file = file
        with file.open("r+b") as held:
            self._shared = mmap.mmap(held.fileno(), 8)

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC) + timedelta(seconds=self.moved)

    @property
    def moved(self) -> float:
        """By how many seconds."""
        return float(struct.unpack("d", self._shared[:8])[0])

    def go(self, **by: float) -> None:
        """Move it on."""
        self._shared[:8] = struct.pack("d", self.moved + timedelta(**by).total_seconds())


class Posts:
    """Starts and kills posts of an instance. None is left over when the block ends."""

    def __init__(self, instance: Path, database: str, clock: SharedClock) -> None:
        self.log = (instance / "run" / "posts.log").open("ab")
        command = [sys.executable, "-c", "from tests.faults.posts import serve; serve()"]
        self.server = subprocess.Popen(
            [*command, str(instance), database, str(clock.file)], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.log, text=True, start_new_session=True,
        )  # fmt: skip
        self.alive: list[int] = []
        self.killed = 0

    def __enter__(self) -> Posts:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()
        self.log.close()

    def keep(self, many: int) -> None:
        """See that so many are at work."""
        assert self.server.stdin and self.server.stdout
        while len(self.alive) < many:
            self.server.stdin.write("\n")
            self.server.stdin.flush()
            self.alive.append(int(self.server.stdout.readline()))

    def kill(self, which: Callable[[list[int]], int]) -> None:
        """kill -9 of one of them, wherever it is."""
        process = which(self.alive)
        os.kill(process, signal.SIGKILL)
        self.alive.remove(process)
        self.killed += 1


def serve() -> None:
    """Read everything once; then one post for every line that comes in, its process number for an answer."""
    from app import create_app
    from app.db import db
    from app.duty import post
    from app.now import moved_to
    from config import TestConfig

    instance, database, clock_file = sys.argv[1:]
    app, clock = create_app(TestConfig(INSTANCE=instance, DATABASE_URL=database)), SharedClock(Path(clock_file))
    with app.app_context():
        db.engine.dispose()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with moved_to(clock), app.app_context():
                while True:
                    try:
                        post.turn(seconds=TURN, timeout=TRY)
                    except Exception as error:  # it is tried again, like everything
                        print(type(error).__name__, error, file=sys.stderr, flush=True)
                        db.session.rollback()
                    time.sleep(0.02)
        print(child, flush=True)
