#!/usr/bin/env python3
"""A receiver of Jiannuo's notices, small and whole: verify, take once and in order, answer, give receipts.

    python3 receiver.py SETTINGS.json                    serve
    python3 receiver.py SETTINGS.json --digest           print the reconciliation digest of everything held
    python3 receiver.py SETTINGS.json --digest 2026-11-01 2026-11-30

Needs the packages `standardwebhooks` and `cryptography`, nothing else. See README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from book import Book, Refused
from outbox import Outbox
from page import page
from standardwebhooks import Webhook

LONGEST = 1_000_000
"""Bytes of a notice; longer ones are refused unread."""


@dataclass(frozen=True)
class Settings:
    """What was agreed with the house. `secrets` may be two during a rotation; `private` is our Ed25519 key (base64 of
    its 32 bytes), whose public half is registered there under `key_name`."""

    name: str
    house: str
    secrets: tuple[str, ...] = field(repr=False)
    api_key: str = field(repr=False)
    key_name: str
    private: str = field(repr=False)
    database: str = "receiver.db"
    host: str = "127.0.0.1"
    port: int = 5180
    shown: tuple[tuple[str, str], ...] = ()
    """Records (number, subject) that we show from the start, for trying out."""


def read_settings(file: Path) -> Settings:
    """The settings of a JSON file; a relative database lies beside it."""
    values: dict[str, Any] = json.loads(file.read_text())
    values["secrets"] = tuple(values["secrets"])
    values["shown"] = tuple((number, subject) for number, subject in values.get("shown", ()))
    values["database"] = str(file.parent / values.get("database", "receiver.db"))
    return Settings(**values)


def recognise(body: bytes, headers: Mapping[str, str], secrets: tuple[str, ...]) -> bool:
    """True when one of our secrets signed exactly this body under this id, not more than five minutes ago."""
    for secret in secrets:
        try:
            Webhook(secret).verify(body, dict(headers), json_parse=False)
        except Exception:  # the library raises more than its own error for headers that make no sense
            continue
        return True
    return False


class Handler(BaseHTTPRequestHandler):
    """POST /notices takes a notice, GET / shows what is held."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 20  # a line that says nothing is closed

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST:
            self.close_connection = True
            return self.answer(413, "正文太长，或者没有写明长度")
        body = self.rfile.read(int(length))
        if self.path != "/notices":
            return self.answer(404, "没有这个地址")
        if not recognise(body, dict(self.headers), self.server.settings.secrets):
            return self.answer(401, "签名不对，或者不是刚刚签的")
        try:
            taken = self.server.book.take(self.headers["webhook-id"], body, datetime.now(UTC))
        except Refused as refused:
            return self.answer(409, str(refused))
        self.answer(200, "已收下" if taken.new else "早已收下")  # committed: only now
        self.server.outbox.woken.set()

    def do_GET(self) -> None:
        if self.path != "/":
            return self.answer(404, "没有这个地址")
        self.answer(200, page(self.server.book, self.server.settings.name), "text/html")

    def answer(self, status: int, text: str, kind: str = "text/plain") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quiet: the book says what happened."""


class Server(ThreadingHTTPServer):
    """The receiver: its settings, its book, its outbox."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.book = Book(Path(settings.database))
        for number, subject in settings.shown:
            self.book.show(number, subject)
        self.outbox = Outbox(
            self.book, house=settings.house, api_key=settings.api_key, key_name=settings.key_name,
            private=settings.private,
        )  # fmt: skip
        super().__init__((settings.host, settings.port), Handler)


def main() -> int:
    parser = argparse.ArgumentParser("receiver.py")
    parser.add_argument("settings", type=Path)
    parser.add_argument("--digest", nargs="*", type=date.fromisoformat, metavar="DAY")
    parser.add_argument("--port", type=int)
    parser.add_argument("--house", help="the address of the house that is answered")
    wanted = parser.parse_args()
    settings = read_settings(wanted.settings)
    if wanted.digest is not None:
        period = tuple(wanted.digest) or (date.min, date.max)
        if len(period) != 2:
            parser.error("--digest takes no day or two")
        book = Book(Path(settings.database))
        print(len(book.held(*period)), book.digest(*period))
        return 0
    changed = {name: value for name, value in (("port", wanted.port), ("house", wanted.house)) if value}
    server = Server(Settings(**{**settings.__dict__, **changed}))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.outbox.start()
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
