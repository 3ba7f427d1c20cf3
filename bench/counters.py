"""The life of a case over HTTP: real forms, a real server of two processes, several people at work at once.

Each case goes from its company's records page to 准予修复: chosen, described, signed and handed in; then received,
accepted, reviewed and confirmed. Every page is opened, forms go off with what stood in them, redirects are followed.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, RemoteDisconnected
from multiprocessing import get_context
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import insert, select, update

from app.db import db, transaction
from app.models import Case, CreditRecord, Mandate, User
from app.now import moved_to
from app.security import hasher
from app.serve import PROCESSES, THREADS, House
from bench.report import Table, figure
from bench.stage import FIRST_RECORD, FIRST_SUBJECT, TODAY, application, at_its_hour, database, postgres, set_up
from tests.cast import PASSWORD, SINCE
from tests.journeys.caller import Caller

SIGNING = {"read": "y", "liable": "y", "authority": "y", "consent": "y"}
FINDING = "罚款已缴清，违法行为已改正，材料与本机关掌握的情况一致。"


@dataclass(frozen=True)
class Answer:
    """An answer over the wire, as `Caller` reads it."""

    status_code: int
    headers: Mapping[str, str]
    body: str

    def get_data(self, as_text: bool) -> str:
        """The page."""
        return self.body


class Browser(Caller):
    """A caller over a connection that is kept; how long each request took is remembered."""

    def __init__(self, port: int, took: list[float]) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}
        self.took = took

    def get(self, address: str) -> Any:
        """Ask for a page."""
        return self._ask("GET", address, None)

    def post(self, address: str, data: Any) -> Any:
        """Send a form."""
        pairs = list(data.items(multi=True)) if hasattr(data, "getlist") else list(data.items())
        return self._ask("POST", address, urlencode(pairs))

    def _ask(self, method: str, address: str, body: str | None) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        start = perf_counter()
        try:
            self.connection.request(method, address, body, headers)
            answer = self.connection.getresponse()
        except (RemoteDisconnected, ConnectionResetError):  # an idle connection was closed meanwhile
            self.connection.close()
            self.connection.request(method, address, body, headers)
            answer = self.connection.getresponse()
        read = answer.read()
        self.took.append(perf_counter() - start)
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                cookie, _, held = value.partition(";")[0].partition("=")
                self.cookies[cookie] = held
        return Answer(answer.status, answer.headers, read.decode())


def run(cases: int = 60, people: int = 4) -> list[Table]:
    """`cases` cases by `people` who work at the same time, on PostgreSQL and on SQLite."""
    with TemporaryDirectory(prefix="jiannuo-bench-", ignore_cleanup_errors=True) as folder, ExitStack() as until:
        place = Path(folder)
        place.chmod(0o755)  # the server has a system user of its own
        rows = []
        until.enter_context(at_its_hour())
        address = until.enter_context(postgres(place / "server"))
        for name, url in (("PostgreSQL", until.enter_context(database(address))), ("SQLite", "")):
            rows.append((name, *lifecycles(place / name, url, cases, people)))
    heading = ("", "cases/s", "requests a case", "p50 ms", "p99 ms")
    note = (
        f"{cases} cases, {people} at a time; {PROCESSES} processes × {THREADS} threads, and whoever asks on the same"
        " machine; letters are signed with the password (argon2id as in use)"
    )
    return [Table("A case over HTTP, from the records page to 准予修复", heading, rows, (note,))]


def lifecycles(folder: Path, url: str, cases: int, people: int) -> tuple[str, ...]:
    """Cases a second, requests a case, and the middle and the last hundredth of what a request took."""
    folder.mkdir()
    app = application(folder, url)
    with app.app_context():
        _let_in(set_up(cases).cast.users, cases)
        db.session.remove()
        db.engine.dispose()
    took: list[float] = []
    with _serving(app) as port:
        turns: SimpleQueue[int] = SimpleQueue()
        for turn in range(1, cases + 1):
            turns.put(turn)
        crews = [{who: Browser(port, took) for who in ("deng", "li", "zhou", "chen")} for _ in range(people)]
        for crew in crews:
            for who, browser in crew.items():
                browser.sign_in(who, PASSWORD)
        took.clear()
        start = perf_counter()
        with ThreadPoolExecutor(people) as pool:
            for done in [pool.submit(_work, app, crew, turns) for crew in crews]:
                done.result()
        lasted = perf_counter() - start
    with app.app_context():
        states = set(db.session.execute(select(Case.state)).scalars())
        db.session.remove()
        db.engine.dispose()
    if states != {"processing"}:
        raise AssertionError(states)
    took.sort()
    middle, last = took[len(took) // 2], took[int(len(took) * 0.99)]
    return figure(cases / lasted), f"{len(took) / cases:.0f}", figure(middle * 1e3), figure(last * 1e3)


def _let_in(users: Mapping[str, int], cases: int) -> None:
    """Everybody has a password, and the clerk a mandate of every company."""
    mandates = [
        {"user_id": users["deng"], "subject_id": FIRST_SUBJECT + n, "capacity": "clerk", "evidence": "授权委托书",
         "valid_from": SINCE}
        for n in range(1, cases + 1)
    ]  # fmt: skip
    with transaction():
        db.session.execute(update(User).values(password_hash=hasher().hash(PASSWORD)))
        db.session.execute(insert(Mandate.__table__), mandates)


def _work(app: Flask, crew: Mapping[str, Browser], turns: SimpleQueue[int]) -> None:
    while not turns.empty():
        _one(app, crew, turns.get())


def _one(app: Flask, crew: Mapping[str, Browser], turn: int) -> None:
    """One case, by one crew."""
    deng = crew["deng"]
    page = deng.go("/my/records")
    token = next(value for name, value in page.forms[0].values if name == "csrf_token")
    deng.post("/my/switch", {"csrf_token": token, "subject": str(FIRST_SUBJECT + turn), "next": "/my/records"})
    deng.go("/my/records")
    deng.press("去申请", records=[f"{turn:016x}"])
    deng.press("下一步", contact="邓敏", phone="138 0000 0000", statement="罚款已缴清。")
    deng.press("签署承诺", password=PASSWORD, **SIGNING)
    deng.press("提交申请")
    with app.app_context():
        number = db.session.execute(
            select(Case.number)
            .join(CreditRecord, CreditRecord.subject_id == Case.subject_id)
            .where(CreditRecord.id == FIRST_RECORD + turn)
        ).scalar_one()
        db.session.remove()
    for who, step, button, said in (
        ("li", "receive", "签收", {"t0": "2026年11月24日"}),
        ("li", "accept", "受理", {}),
        ("zhou", "review", "提出审核意见", {"opinion": "grant", "finding": FINDING}),
        ("chen", "confirm", "准予修复", {}),
    ):
        crew[who].go(f"/desk/cases/{number}")
        crew[who].go(f"/desk/cases/{number}/steps/{step}")
        crew[who].press(button, **said)


@contextmanager
def _serving(app: Flask) -> Iterator[int]:
    """The house's own server on a free port, at the bench's hour."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    process = get_context("fork").Process(target=_serve, args=(app, port))
    process.start()
    try:
        for _ in range(200):
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.join(20)


def _serve(app: Flask, port: int) -> None:
    inside = app.wsgi_app

    def at_that_hour(environ: Any, start_response: Any) -> Any:
        with moved_to(TODAY):
            return inside(environ, start_response)

    app.wsgi_app = at_that_hour  # type: ignore[method-assign]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    House(app, f"127.0.0.1:{port}").run()
