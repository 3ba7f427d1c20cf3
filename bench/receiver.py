"""A receiver for the bench, in a process of its own: it answers at once, late or never, as the path says."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from urllib.request import urlopen

SLOW = 0.5
"""Seconds after which a slow one answers."""
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
OK, BUSY = b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


class _Door(asyncio.Protocol):
    """One connection. `/ok…` is answered at once, `/slow…` late, `/hang…` never, `/busy…` with 503."""

    seen: dict[str, list[float]] = defaultdict(list)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.read = transport, b""

    def data_received(self, data: bytes) -> None:
        self.read += data
        while (end := self.read.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.read, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.read) < whole:
                return
            path = self.read[: self.read.index(b"\r\n")].split(b" ")[1].decode()
            self.read = self.read[whole:]
            self.answer(path)

    def answer(self, path: str) -> None:
        if path == "/seen":
            body = json.dumps({path: (len(times), max(times)) for path, times in self.seen.items()}).encode()
            self.seen.clear()
            self.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            return
        self.seen[path].append(time.monotonic())
        if path.startswith("/slow"):
            asyncio.get_running_loop().call_later(SLOW, self.say, OK)
        elif not path.startswith("/hang"):
            self.say(BUSY if path.startswith("/busy") else OK)

    def say(self, answer: bytes) -> None:
        if not self.transport.is_closing():  # type: ignore[attr-defined]
            self.transport.write(answer)  # type: ignore[attr-defined]


def _serve(pipe: Connection) -> None:
    async def listen() -> None:
        server = await asyncio.get_running_loop().create_server(_Door, "127.0.0.1", 0, backlog=1000)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(listen())


@contextmanager
def a_receiver() -> Iterator[str]:
    """Its address until the end of the block."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def seen(address: str) -> dict[str, tuple[int, float]]:
    """How many requests each path has had since the last question, and when (monotonic) the last of them came."""
    with urlopen(f"{address}/seen", timeout=30) as answer:
        found: dict[str, tuple[int, float]] = json.load(answer)
    return found
