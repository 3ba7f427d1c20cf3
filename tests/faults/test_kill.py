"""kill -9 at any moment: what was acknowledged is there, once; what was printed is printed once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import re
import select as waiting
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import pytest
from flask import Flask
from sqlalchemy import event, func, select, update

from app import create_app
from app.db import db, transaction
from app.documents.check import check_file
from app.duty import paper, press
from app.duty.paper import Paper
from app.files import find
from app.journal import check_chain
from app.models import Case, Document, JournalLine, User
from app.now import moved_to, now
from app.security import hasher
from config import TestConfig
from tests.build import a_case, state, version, walk
from tests.casework.acts import everything, form, lines, papers, scalar, told
from tests.cast import PASSWORD, Cast, assemble
from workflows.calendar import legal_day

ROOT = Path(__file__).parents[2]


def in_a_child(act: Callable[[], Any]) -> int:
    """Do something in a copy of this process that has connections of its own; how it ended, as `os.wait` says it."""
    child = os.fork()
    if child == 0:
        try:
            db.session.registry.registry.clear()
            db.engine.dispose(close=False)
            act()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


def die() -> None:
    """kill -9 of oneself: no handler runs, nothing is flushed, no connection is closed politely."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("step", ["submit", "confirm"])
def test_killed_at_any_statement_of_a_step_all_or_nothing_is_there(cast: Cast, step: str) -> None:
    """The process dies before each statement in turn, before the commit, and after the commit before the answer."""
    if step == "submit":
        number = a_case(cast, at="draft")
        send = form(number, "submit", cast.who("deng"), "k", version(number))
    else:
        number = a_case(cast, at="reviewed")
        send = form(number, "confirm", cast.who("chen"), "k", version(number))
    before = everything()

    def dying_at(nth: int) -> None:
        count = 0

        def counted(*_args: Any) -> None:
            nonlocal count
            count += 1
            if count == nth:
                die()

        event.listen(db.engine, "before_cursor_execute", counted)
        event.listen(db.engine, "commit", counted)
        send()
        die()

    for nth in range(1, 200):
        assert in_a_child(lambda nth=nth: dying_at(nth)) == signal.SIGKILL
        db.session.remove()
        if everything() != before:
            break
    assert nth > 15
    assert lines(number)[-1] == step, "killed after the commit: it is all there"
    after = everything()
    answer = send()
    assert (answer.act, everything()) == (step, after), "and the form sent again gets its answer"


def test_no_acknowledged_submission_is_lost_however_often_the_process_is_killed(cast: Cast) -> None:
    """A process submits one application after another and says so when it is done; it is killed again and again."""
    deng = cast.who("deng")
    drafts = [a_case(cast, at="draft") for _ in range(60)]
    forms = {number: form(number, "submit", deng, f"key-{number}", version(number)) for number in drafts}
    dice = random.Random(9)
    acknowledged: set[str] = set()
    kills = 0

    def submit_all(pipe: int) -> None:
        for number in drafts:
            if number not in acknowledged:
                forms[number]()
                os.write(pipe, f"{number}\n".encode())

    while len(acknowledged) < len(drafts):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                db.session.registry.registry.clear()
                db.engine.dispose(close=False)
                submit_all(writing)
            finally:
                os._exit(0)
        os.close(writing)
        said = b""
        deadline = time.monotonic() + dice.uniform(0.02, 0.07)
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = waiting.select([reading], [], [], left)
            if ready:
                more = os.read(reading, 4096)
                if not more:
                    break
                said += more
        os.kill(child, signal.SIGKILL)
        while more := os.read(reading, 4096):
            said += more
        os.close(reading)
        kills += os.waitpid(child, 0)[1] == signal.SIGKILL
        acknowledged.update(line.decode() for line in said.split(b"\n")[:-1])
        assert kills < 400
    assert kills >= 3
    for number in drafts:
        assert (state(number), lines(number), papers(number)) == ("submitted", ["open", "submit"], ["receipt"])
    serials = db.session.execute(select(Document.serial).order_by(Document.serial)).scalars().all()
    db.session.rollback()
    assert serials == list(range(1, len(drafts) + 1)), "no number was lost or given twice"


# ---- the press


def test_a_press_killed_between_the_file_and_its_row_prints_the_document_once(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = a_case(cast, at="submitted")
    folder = app.config["INSTANCE"] / "documents"
    before = set(folder.rglob("*"))
    with monkeypatch.context() as patch:
        patch.setattr(Paper, "_settle", lambda *_args, **_values: die())
        assert in_a_child(press.turn) == signal.SIGKILL
    db.session.remove()
    orphans = [path for path in set(folder.rglob("*")) - before if path.is_file()]
    assert len(orphans) == 1
    assert scalar(select(Document.printed_at)) is None
    assert press.turn() == 0, "the sheet still belongs to the press that died"
    with moved_to(now() + timedelta(minutes=2)):
        assert press.turn() == 1
        assert press.turn() == 0
    row = db.session.execute(select(Document.pdf_hash, Document.pdf_size, Document.placed_at)).one()
    db.session.rollback()
    kept = find(folder, row.pdf_hash)
    assert kept.stat().st_size == row.pdf_size
    assert kept not in orphans
    assert check_file(kept.read_bytes()).genuine
    assert not check_file(orphans[0].read_bytes()).genuine, "a sheet that was never filed is not the document"
    assert papers(number) == ["receipt"]


def test_a_press_killed_while_printing_leaves_no_file(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    a_case(cast, at="submitted")
    folder = app.config["INSTANCE"] / "documents"
    before = set(folder.rglob("*"))
    with monkeypatch.context() as patch:
        patch.setattr(paper, "sign_pdf", lambda *_args: die())
        assert in_a_child(press.turn) == signal.SIGKILL
    db.session.remove()
    assert set(folder.rglob("*")) == before
    with moved_to(now() + timedelta(minutes=2)):
        assert press.turn() == 1


# ---- the whole house


@dataclass
class House:
    """Web server and watch of an instance as processes that can be killed and started again."""

    folder: Path
    address: str
    port: int
    drafts: list[str]
    web: subprocess.Popen[bytes] | None = None
    watch: subprocess.Popen[bytes] | None = None
    kills: dict[str, int] = field(default_factory=lambda: {"web": 0, "worker": 0, "watch": 0})

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "JIANNUO_INSTANCE": str(self.folder),
            "JIANNUO_DATABASE_URL": self.address,
        }
        log = (self.folder / "run" / "log").open("ab")
        return subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )

    def open(self) -> None:
        """Start what is not running."""
        if self.watch is None or self.watch.poll() is not None:
            self.watch = self.start("-m", "flask", "--app", "wsgi", "watch")
        if self.web is None or self.web.poll() is not None:
            self.web = self.start("-m", "app.serve", "--port", str(self.port))

    def answers(self) -> bool:
        """True when the web server answers."""
        try:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False

    def kill(self, what: str) -> bool:
        """kill -9: the web server with all its processes, one of them, or the watch; False when there is none."""
        assert self.web is not None and self.watch is not None
        process = self.watch if what == "watch" else self.web
        with contextlib.suppress(ProcessLookupError, psutil.Error):
            if what == "worker":
                children = psutil.Process(process.pid).children()
                if not children:
                    return False
                children[0].kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self.kills[what] += 1
            return True
        return False

    def close(self) -> None:
        """Stop everything that is left."""
        for process in (self.web, self.watch):
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


HALF = (
    b"POST /my/cases/X/steps/submit HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\ncsrf_token=abc",
    b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlog",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 20\r\n\r\n--b\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n",
    b"DELETE /desk/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"BREW /coffee HTCPCP/1.0\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /",
    b"",
)
"""What a line that went dead, an impatient browser or a scanner leaves behind."""


def half_requests(house: House) -> None:
    """Somebody begins to speak and hangs up."""
    for words in HALF:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", house.port), timeout=2) as line:
            line.sendall(words)


class Filer(threading.Thread):
    """Somebody who hands in one draft after another and sends a form again until it is answered."""

    def __init__(self, house: House, drafts: list[str], until: float) -> None:
        super().__init__()
        self.house, self.drafts, self.until = house, drafts, until
        self.cookie = ""
        self.receipts: list[str] = []
        self.trouble: list[str] = []
        self.repeated = 0

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, str, str]:
        """One request; again and again while nobody answers."""
        while True:
            try:
                connection = HTTPConnection("127.0.0.1", self.house.port, timeout=5)
                headers = {"Cookie": self.cookie} if self.cookie else {}
                body = urlencode(fields) if fields is not None else None
                if body is not None:
                    headers["Content-Type"] = "application/x-www-form-urlencoded"
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                text = answer.read().decode()
                if answer.status < 500:
                    for name, value in answer.getheaders():
                        if name.lower() == "set-cookie":
                            self.cookie = value.partition(";")[0]
                    return answer.status, answer.getheader("Location") or "", text
            except (OSError, HTTPException):
                pass
            if time.monotonic() > self.until:
                raise TimeoutError(path)
            self.repeated += method == "POST"
            time.sleep(0.05)

    def run(self) -> None:
        try:
            _status, _to, page = self.ask("GET", "/login")
            fields = {"csrf_token": value_of(page, "csrf_token"), "login": "deng", "password": PASSWORD}
            status, _to, page = self.ask("POST", "/login", fields)
            assert status == 303, page
            for kills, number in enumerate(self.drafts):
                path = f"/my/cases/{number}/steps/submit"
                _status, _to, page = self.ask("GET", path)
                while sum(self.house.kills.values()) < kills:  # something is killed between any two applications
                    _status, _to, page = self.ask("GET", path)
                fields = {name: value_of(page, name) for name in ("csrf_token", "key", "seen_version")}
                status, to, page = self.ask("POST", path, fields)
                if status != 303 or "/done/" not in to:
                    self.trouble.append(f"{number}: {status} {to} {page[:2000]}")
                    continue
                self.receipts.append(number)
        except Exception as error:
            self.trouble.append(repr(error))


def value_of(page: str, name: str) -> str:
    """The value of a hidden field of the first form that has it."""
    for tag in re.findall(r"<input[^>]*>", page):
        if f'name="{name}"' in tag:
            found = re.search(r'value="([^"]*)"', tag)
            assert found, tag
            return found[1]
    raise AssertionError(f"no {name} on the page: {page[:500]}")


@pytest.fixture
def house(config: TestConfig) -> Iterator[House]:
    """A house of its own with twelve drafts of 邓敏, at the machine's own hour."""
    app = create_app(config)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with app.app_context():
        cast = assemble()
        with transaction():
            db.session.execute(update(User).where(User.login == "deng").values(password_hash=hasher().hash(PASSWORD)))
        day = (legal_day(now()) - timedelta(days=200)).isoformat()
        drafts = [a_case(cast, at="draft", on=day) for _ in range(12)]
        house = House(app.config["INSTANCE"], config.DATABASE_URL, port, drafts)
        yield house
        house.close()
        db.session.remove()
        db.engine.dispose()


def test_kill_9_of_web_and_watch_under_load_loses_nothing_and_prints_nothing_twice(house: House) -> None:
    """Three people hand in twelve applications while processes are killed; each gets an answer and is there once."""
    drafts = house.drafts
    house.open()
    until = time.monotonic() + 120
    while not house.answers():
        assert time.monotonic() < until, (house.folder / "run" / "log").read_text()
        time.sleep(0.05)
    filers = [Filer(house, drafts[n::3], until) for n in range(3)]
    half_requests(house)
    assert house.answers(), "who hangs up in the middle disturbs nobody"
    for filer in filers:
        filer.start()
    dice = random.Random(4)
    plan = ["worker", "watch", "web", "worker"]
    while any(filer.is_alive() for filer in filers):
        time.sleep(dice.uniform(0.1, 0.3))
        if plan:
            half_requests(house)
            if house.kill(plan[0]):
                plan.pop(0)
            house.open()
            while not house.answers() and time.monotonic() < until:
                time.sleep(0.02)
    for filer in filers:
        filer.join()
        assert filer.trouble == []
    assert min(house.kills.values()) >= 1, house.kills
    assert sorted(number for filer in filers for number in filer.receipts) == sorted(drafts)
    for number in drafts:
        assert (state(number), lines(number), papers(number)) == ("submitted", ["open", "submit"], ["receipt"])
        assert told(number) == {}
    assert check_chain("case", scalar(select(Case.id).where(Case.number == drafts[0]))) == []
    db.session.rollback()
    assert scalar(select(func.count()).select_from(JournalLine).where(JournalLine.act == "submit")) == len(drafts)

    first = _printed()
    house.close()
    while scalar(select(func.count()).select_from(Document).where(Document.printed_at.is_(None))):
        if time.monotonic() > until + 30:
            pytest.fail((house.folder / "run" / "log").read_text()[-3000:])
        with moved_to(now() + timedelta(minutes=2)):  # what a killed watch had claimed belongs to it for a minute
            press.turn()
    rows = _printed()
    assert first.items() <= rows.items(), "what was printed stays as it was printed"
    assert len(set(rows.values())) == len(rows) == len(drafts)
    for sha256 in rows.values():
        assert hashlib.sha256(find(house.folder / "documents", sha256).read_bytes()).hexdigest() == sha256


def _printed() -> dict[int, str]:
    rows = db.session.execute(select(Document.id, Document.pdf_hash).where(Document.pdf_hash.is_not(None))).all()
    db.session.rollback()
    return {row.id: row.pdf_hash for row in rows}


def test_the_storm_knows_a_lost_submission_when_it_sees_one(cast: Cast) -> None:
    """The seeded bug: a process that says done before it has committed is found out."""
    number = a_case(cast, at="draft")
    send = form(number, "submit", cast.who("deng"), "k", version(number))
    reading, writing = os.pipe()

    def too_early() -> None:
        def say(*_args: Any) -> None:
            os.write(writing, b"done")
            die()

        event.listen(db.engine, "commit", say)
        send()

    assert in_a_child(too_early) == signal.SIGKILL
    os.close(writing)
    assert os.read(reading, 10) == b"done"
    os.close(reading)
    db.session.remove()
    assert state(number) == "draft", "acknowledged and lost: this is what the other tests would see"
    walk(cast, number, "deng", "submit")
