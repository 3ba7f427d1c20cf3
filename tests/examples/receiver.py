"""The sample receiver as a process of its own, and the notices that the tests send it."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from app.notices.formats.field import sample_of
from app.notices.formats.result import FIELDS
from app.notices.signing import signed_headers
from app.notices.wire import canonical

PROGRAM = Path(__file__).parents[2] / "examples" / "receiver" / "receiver.py"


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@dataclass
class Sample:
    """`examples/receiver` with settings in a folder of its own."""

    folder: Path
    house: str = "http://127.0.0.1:9"
    secrets: list[str] = field(default_factory=lambda: ["whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()])
    private: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    api_key: str = "jn_test"
    key_name: str = "k1"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/notices"

    def write(self) -> Path:
        file = self.folder / "receiver.json"
        file.write_text(
            json.dumps(
                {
                    "name": "省公共资源交易中心",
                    "house": self.house,
                    "secrets": self.secrets,
                    "api_key": self.api_key,
                    "key_name": self.key_name,
                    "private": base64.b64encode(self.private).decode(),
                    "port": self.port,
                }
            )
        )
        return file

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen([sys.executable, str(PROGRAM), str(self.write())])
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                assert self.process.poll() is None
                time.sleep(0.02)
        raise TimeoutError

    def stop(self, hard: bool = False) -> None:
        if self.process is not None:
            (self.process.kill if hard else self.process.terminate)()
            self.process.wait()
            self.process = None

    def send(self, key: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Deliver signed bytes; headers may be forged."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        if headers is None:
            headers = signed_headers(self.secrets[:1], key, datetime.now(UTC), body)  # noqa: TID251
        connection.request("POST", "/notices", body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def page(self) -> str:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", "/")
        return connection.getresponse().read().decode()

    def digest(self, *days: str) -> str:
        done = subprocess.run(
            [sys.executable, str(PROGRAM), str(self.write()), "--digest", *days], check=True, capture_output=True
        )
        return done.stdout.decode().split()[1]

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.folder / "receiver.db")
        try:
            return connection.execute(question).fetchall()
        finally:
            connection.close()

    def show(self, record_no: str) -> None:
        connection = sqlite3.connect(self.folder / "receiver.db")
        connection.execute("INSERT INTO shown (record_no, subject_name) VALUES (?, '演示物流')", (record_no,))
        connection.commit()
        connection.close()


def told(key: str, seq: int, record_no: str = "湘交罚〔2026〕12号", **changed: Any) -> bytes:
    """The bytes of a notice about one company."""
    return canonical(sample_of(FIELDS) | {"notice": key, "seq": seq, "record_no": record_no} | changed)


LATE = timedelta(minutes=6)
