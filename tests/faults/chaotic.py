"""A department whose server fails in every way there is, whose receipts are wrong now and then, and whose own book is
true: that of the sample receiver, with its dedupe table in the transaction of the effect."""

from __future__ import annotations

import base64
import importlib.util
import json
import random
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from tests.notices.receiver import HANG, OK, RESET, Request, answer

SAMPLE = Path(__file__).parents[2] / "examples" / "receiver" / "book.py"
FAULTS = 0.35
"""How often something goes wrong with a delivery, and with a receipt."""


def _book() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sample_book", SAMPLE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["sample_book"] = module
    spec.loader.exec_module(module)
    return module


book_of_sample = _book()


class Deck:
    """Faults in an order by chance, each before any comes again."""

    def __init__(self, seed: int, *cards: str) -> None:
        self.seed, self.cards = seed, cards
        self.begin()

    def begin(self) -> None:
        """A new story: nothing has gone wrong yet."""
        self.dice, self.left, self.dealt = random.Random(self.seed), list[str](), 0

    def falls(self, dice: random.Random) -> bool:
        """Whether something goes wrong now: always until everything has once, then by chance."""
        return self.dealt < len(self.cards) or dice.random() < FAULTS

    def draw(self) -> str:
        """The next one."""
        if not self.left:
            self.left = self.dice.sample(self.cards, len(self.cards))
        self.dealt += 1
        return self.left.pop()


DELIVERIES = Deck(1, "500", "503", "429", "302", "before", "after", "late", "hang")
RECEIPTS = Deck(2, "stranger", "changed", "foreign", "unknown", "future", "reasonless")


class Chaotic:
    """One such department. `behave` answers its server's requests; `give_receipts` is its outbox, in a thread."""

    def __init__(self, code: str, folder: Path, seed: int, clock: Callable[[], datetime]) -> None:
        self.code, self.clock, self.dice = code, clock, random.Random(seed)
        self.book = book_of_sample.Book(folder / f"{code}.db")
        self.secrets: list[str] = []
        self.api_key, self.house, self.foreign = "", "", ""
        self.private, self.stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self.away = False
        self.came: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.stop = threading.Event()

    # --- its server

    def behave(self, request: Request) -> bytes:
        """What it answers; before, after or without taking the notice."""
        if self.away:
            self.came["away"] += 1
            return RESET
        self.came[request.id] += 1
        if not DELIVERIES.falls(self.dice):
            return self.take(request)
        fault = DELIVERIES.draw()
        self.seen[fault] += 1
        if fault in ("after", "late"):
            self.take(request)
        return {
            "500": answer(500, body="出错了".encode()),
            "503": answer(503, "Retry-After: 30"),
            "429": answer(429, "Retry-After: 5"),
            "302": answer(302, "Location: /elsewhere"),
            "before": RESET,
            "after": RESET,
            "late": HANG,
            "hang": HANG,
        }[fault]

    def take(self, request: Request) -> bytes:
        """Verify, take once, in order; whatever is not as it must be is remembered."""
        if not self.signed(request):
            self.wrong.append(f"{request.id}: signature")
            return answer(401)
        try:
            self.book.take(request.id, request.body, self.clock())
        except book_of_sample.Refused as refused:
            self.wrong.append(f"{request.id}: {refused}")
            return answer(409)
        return OK

    def signed(self, request: Request) -> bool:
        """The published library reads the machine's clock only: its own signing, and our age."""
        at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), self.clock().tzinfo)
        if abs(self.clock() - at) > timedelta(minutes=5):
            return True  # the clock was moved while it was on its way; in life it would be refused and come again
        given = request.headers["webhook-signature"].split()
        return any(Webhook(one).sign(request.id, at, request.body.decode()) in given for one in self.secrets)

    # --- its outbox

    def give_receipts(self) -> None:
        """Give what is due, now and then something wrong first; until told to stop."""
        while not self.stop.is_set():
            for notice, raw, _tries in self.book.due_receipts(time.time() + 3600):
                if self.stop.is_set():
                    return
                if RECEIPTS.falls(self.dice):
                    self.give_wrongly(notice, raw)
                status = self.post(notice, raw.encode(), self.private)
                if self.dice.random() < FAULTS / 3:
                    self.post(notice, raw.encode(), self.private)  # the answer was lost
                if status == 201:
                    self.book.given(notice, self.clock())
                else:
                    self.wrong.append(f"{notice}: receipt answered {status}")
                    self.book.not_given(notice, str(status), 0)
            self.stop.wait(0.05)

    def owes(self) -> bool:
        """Whether a receipt is still to be given."""
        return bool(self.book.due_receipts(time.time() + 3600, 1))

    def give_wrongly(self, notice: str, raw: str) -> None:
        """A receipt that must not count."""
        said: dict[str, Any] = json.loads(raw)
        kind = RECEIPTS.draw()
        path, signer = notice, self.private
        if kind == "stranger":
            signer = self.stranger
        elif kind == "foreign":
            path = self.foreign
        elif kind == "unknown":
            said["kind"] = "perhaps"
        elif kind == "future":
            said |= {"kind": "done", "done_at": (self.clock() + timedelta(days=2)).isoformat()}
        elif kind == "reasonless":
            said |= {"kind": "refused", "done_at": None, "reason": ""}
        said["key"] += "w"
        body = json.dumps(said).encode()
        status = self.post(path, body, signer, sent=body + b" " if kind == "changed" else body)
        self.seen[f"receipt {kind}"] += 1
        if status not in (403, 404, 422):
            self.wrong.append(f"{notice}: a {kind} receipt was answered {status}")

    def post(self, notice: str, body: bytes, signer: Ed25519PrivateKey, sent: bytes | None = None) -> int:
        """Send a receipt; the status of the answer."""
        asked = urllib.request.Request(
            f"{self.house}/api/v1/notices/{notice}/receipts", data=body if sent is None else sent, method="POST",
            headers={
                "Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json", "Receipt-Key": "k",
                "Receipt-Signature": base64.b64encode(signer.sign(body)).decode(),
            },
        )  # fmt: skip
        try:
            with urllib.request.urlopen(asked, timeout=60) as answered:
                return int(answered.status)
        except urllib.error.HTTPError as error:
            error.read()
            return error.code
