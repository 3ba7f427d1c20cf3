"""Giving receipts: each is signed with our Ed25519 key and sent until it has arrived."""

from __future__ import annotations

import base64
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from urllib.parse import quote

from book import Book
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

WAITS = (1, 5, 30, 120, 600, 3600)
"""Seconds between tries; the last one again and again."""
TIME_LIMIT = 15


class Outbox(threading.Thread):
    """Gives what is due, then waits until it is woken or half a second has passed."""

    def __init__(self, book: Book, *, house: str, api_key: str, key_name: str, private: str) -> None:
        super().__init__(daemon=True)
        self.book, self.house, self.api_key, self.key_name = book, house.rstrip("/"), api_key, key_name
        self.private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private))
        self.woken = threading.Event()

    def run(self) -> None:
        while True:
            self.woken.wait(0.5)
            self.woken.clear()
            for notice, raw, attempts in self.book.due_receipts(time.time()):
                self.give(notice, raw, attempts)

    def give(self, notice: str, raw: str, attempts: int) -> None:
        """One try. A receipt that arrives twice is the same receipt there, so a lost answer costs nothing."""
        try:
            with urllib.request.urlopen(self.request(notice, raw.encode()), timeout=TIME_LIMIT) as answer:
                answer.read(10_000)
        except urllib.error.HTTPError as error:
            self.again(notice, attempts, f"HTTP {error.code} {error.read(300).decode(errors='replace')}")
        except (OSError, ValueError) as error:
            self.again(notice, attempts, type(error).__name__)
        else:
            self.book.given(notice, datetime.now(UTC))

    def again(self, notice: str, attempts: int, trouble: str) -> None:
        wait = WAITS[min(attempts, len(WAITS) - 1)]
        self.book.not_given(notice, trouble, time.time() + wait)

    def request(self, notice: str, raw: bytes) -> urllib.request.Request:
        """The receipt as it goes over the wire: the signature is taken over exactly the bytes of the body."""
        return urllib.request.Request(
            f"{self.house}/api/v1/notices/{quote(notice, safe='')}/receipts",
            data=raw,
            method="POST",
            headers={
                "Authorization": f"Bearer {self.api_key}",
                "Content-Type": "application/json",
                "Receipt-Key": self.key_name,
                "Receipt-Signature": base64.b64encode(self.private.sign(raw)).decode(),
            },
        )
