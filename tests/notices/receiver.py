"""A real receiver on 127.0.0.1: it keeps what comes and answers as the story wants, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple


class Request(NamedTuple):
    """One request as it came in: the path, its headers (lower case) and the body."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The key of the notice."""
        return self.headers["webhook-id"]


OK = b"HTTP/1.1 204 No Content\r\n\r\n"


def answer(status: int, *headers: str, body: bytes = b"") -> bytes:
    """An answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status} As Told", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


RESET, HANG, HUGE = b"reset", b"hang", b"huge"
"""What is no answer: the connection is reset, nothing is said, or it never ends."""


@dataclass
class Receiver:
    """`behave` says what is answered to a request; `taken` is everything that came in, in order."""

    port: int = 0
    behave: Callable[[Request], bytes] = lambda _request: OK
    taken: list[Request] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    connections: int = 0

    @property
    def ids(self) -> list[str]:
        """The keys that came in, in order, repeats too."""
        return [request.id for request in self.taken]

    def url(self, path: str = "/notices") -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for as many requests as it brings."""
        self.connections += 1
        try:
            while line := await reader.readline():
                path = line.decode().split(" ")[1]
                headers = {}
                while (line := await reader.readline()) not in (b"\r\n", b""):
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                request = Request(path, headers, body)
                self.taken.append(request)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    if not await self._answer(self.behave(request), writer):
                        return
                finally:
                    self.at_once -= 1
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, said: bytes, writer: asyncio.StreamWriter) -> bool:
        if said == RESET:
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        if said == HANG:
            await asyncio.sleep(60)
            return False
        if said.startswith(HUGE):
            status = said[len(HUGE) :] or b"200"
            writer.write(b"HTTP/1.1 " + status + b" OK\r\nContent-Length: 10000000000\r\n\r\n")
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        await asyncio.sleep(0.002)
        writer.write(said)
        await writer.drain()
        return True


@contextmanager
def a_receiver(behave: Callable[[Request], bytes] | None = None) -> Iterator[Receiver]:
    """A receiver until the end of the block."""
    receiver = Receiver()
    if behave is not None:
        receiver.behave = behave
    loop, ready = asyncio.new_event_loop(), threading.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(receiver.serve, "127.0.0.1", receiver.port))
        receiver.port = server.sockets[0].getsockname()[1]
        ready.set()
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
