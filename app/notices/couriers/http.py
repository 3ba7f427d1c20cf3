"""By HTTP: one POST to exactly the address that was checked; no redirect followed, no proxy asked, little read.

A name is resolved once for a connection; every address it stands for must be one that may be called, and the socket
is opened to one of those and to no other, so that a name that changes its mind gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

TIMEOUT = 15.0
"""Seconds for one try from the first byte to the last."""
READ_AT_MOST = 4096
"""Bytes of an answer that are read; the rest is cut off with the connection."""
QUOTED = 200
"""Characters of an answer that are kept when it is no success."""
NAMES_AT_ONCE = 32

HEADERS = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "Jiannuo-Webhook/1"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` is None when there was no answer; `said` is the beginning of it, or what went wrong."""

    status: int | None
    said: str = ""
    retry_after: str = ""


class MayNotCall(OSError):
    """The name stands for an address that is not called."""


class HttpCourier:
    """Keeps connections to receivers alive for as long as the block lasts; `may_call` says which IP addresses may be
    called, `timeout` is in seconds."""

    def __init__(self, may_call: Callable[[str], bool], timeout: float = TIMEOUT) -> None:
        self._may_call = may_call
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def __aenter__(self) -> HttpCourier:
        self._names = _Names(self._may_call)
        connector = aiohttp.TCPConnector(
            limit=0, resolver=self._names, socket_factory=self._socket, keepalive_timeout=30
        )
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False,
            headers=HEADERS, trust_env=False,
        )  # fmt: skip
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send and read the answer's beginning. Never raises for what the other side does."""
        status, retry_after = None, ""
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                status, retry_after = response.status, response.headers.get("retry-after", "")
                return Answer(status, _quoted(await _beginning(response), status), retry_after)
        except TimeoutError:
            return Answer(status, "超过时限没有答完", retry_after)
        except MayNotCall as error:
            return Answer(None, str(error))
        except aiohttp.ClientConnectorError as error:
            inner = error.os_error
            return Answer(None, str(inner) if isinstance(inner, MayNotCall) else f"连接不上（{_kind(inner)}）")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(status, f"通信中断（{_kind(error)}）", retry_after)

    def _socket(self, info: Any) -> socket.socket:
        family, kind, protocol, _name, address = info
        if not self._may_call(str(address[0])):
            raise MayNotCall("接收地址在内部网络或者保留地址里，没有连接")
        return socket.socket(family=family, type=kind, proto=protocol)


class _Names(AbstractResolver):
    """The machine's own resolver, in threads of its own: a name server that hangs holds up nobody else."""

    def __init__(self, may_call: Callable[[str], bool]) -> None:
        self._may_call = may_call
        self._threads = ThreadPoolExecutor(NAMES_AT_ONCE, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        ask = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        if not all(self._may_call(str(address[0])) for *_rest, address in found):
            raise MayNotCall("接收地址的主机名指向内部网络或者保留地址，没有连接")
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=socket.AI_NUMERICHOST
            )
            for kind, _type, protocol, _name, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    read = b""
    while len(read) < READ_AT_MOST and (piece := await response.content.read(READ_AT_MOST - len(read))):
        read += piece
    if not response.content.at_eof():
        response.close()
    return read


def _quoted(read: bytes, status: int) -> str:
    """What a person looking for the fault wants to see; a success needs no words."""
    if 200 <= status < 300:
        return ""
    text = "".join(c if c.isprintable() else " " for c in read.decode("utf-8", "replace"))
    return " ".join(text.split())[:QUOTED]


def _kind(error: BaseException) -> str:
    return type(error).__name__
