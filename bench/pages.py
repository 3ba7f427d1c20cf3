"""The main pages through the test client: what each costs beside the least a request costs (`/health`)."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from app.db import db
from app.models import Case, Identifier
from app.now import now
from app.security import SIGNED_IN_AT
from bench.lifecycle import Walk
from bench.report import Table, figure
from bench.rounds import Rounds
from bench.stage import FIRST_SUBJECT, Stage, application, at_its_hour, set_up

FLOOR = "/health"


def run(requests: int = 8, rounds: int = 11) -> list[Table]:
    """Ask for each page `requests` times in each of `rounds` rounds, on SQLite."""
    with TemporaryDirectory(prefix="jiannuo-bench-", ignore_cleanup_errors=True) as folder:
        return [pages_in(Path(folder), requests, rounds, waiting=60, decided=5)]


def pages_in(instance: Path, requests: int, rounds: int, waiting: int, decided: int) -> Table:
    """The pages of an instance with so many cases on the desk."""
    with at_its_hour():
        app = application(instance)
        with app.app_context():
            stage, pages = _filled(app, waiting, decided)
            db.session.remove()
        clients = {name: _client(app, stage, name) for name in {who for _title, who, _path in pages}}
        statements = {path: _statements(app, clients[who], path) for _title, who, path in pages}
        every: dict[str, list[float]] = {path: [] for _title, _who, path in pages}

        def asked(client: FlaskClient, path: str) -> Callable[[], float]:
            def ask() -> float:
                gc.collect()
                start = perf_counter()
                for _ in range(requests):
                    began = perf_counter()
                    client.get(path)
                    every[path].append(perf_counter() - began)
                return (perf_counter() - start) / requests

            return ask

        measured = Rounds({path: asked(clients[who], path) for _title, who, path in pages}, rounds)
        with app.app_context():
            db.engine.dispose()
    rows = []
    for title, _who, path in pages:
        times = sorted(every[path])
        number, size = statements[path]
        rows.append(
            (
                title,
                str(number),
                f"{size / 1024:.0f}",
                figure(median(times) * 1000),
                figure(times[int(len(times) * 0.99)] * 1000),
                figure(1 / measured.middle(path)),
                figure(measured.ratio(path, FLOOR)),
            )
        )
    heading = ("test client, one thread, SQLite", "statements", "KiB", "p50 ms", "p99 ms", "requests/s", f"÷ {FLOOR}")
    note = f"{waiting} cases wait for acceptance, {decided} are decided; {rounds} paired rounds of {requests} requests"
    return Table("Pages", heading, rows, (note,))


def _filled(app: Flask, waiting: int, decided: int) -> tuple[Stage, list[tuple[str, str, str]]]:
    """Cases on the desk, and the pages to ask for: title, who asks, address."""
    stage = set_up(waiting + decided)
    walk = Walk(app, stage, freezing=True, first=1)
    last = {
        "waiting": [walk.one(steps=2) for _ in range(waiting)][-1],
        "decided": [walk.one() for _ in range(decided)][-1],
    }
    numbers = {
        name: db.session.execute(select(Case.number).where(Case.id == case_id)).scalar_one()
        for name, case_id in last.items()
    }
    code = db.session.execute(
        select(Identifier.value).where(Identifier.subject_id == FIRST_SUBJECT + waiting + decided)
    ).scalar_one()
    return stage, [
        ("the least a request costs", "", FLOOR),
        ("front page", "", "/"),
        ("a subject's standing", "", f"/subjects/{code}"),
        ("an enterprise's records", "deng", "/my/records"),
        ("desk: what waits for me", "li", "/desk/"),
        ("desk: cases of the office", "li", "/desk/cases"),
        ("desk: a case just received", "li", f"/desk/cases/{numbers['waiting']}"),
        ("desk: a decided case", "he", f"/desk/cases/{numbers['decided']}"),
        ("desk: the form of a step", "li", f"/desk/cases/{numbers['waiting']}/steps/accept"),
    ]


def _client(app: Flask, stage: Stage, name: str) -> FlaskClient:
    """Somebody of the cast, signed in, or a visitor."""
    client = app.test_client()
    if name:
        with client.session_transaction() as session:
            session["_user_id"] = f"{stage.cast.users[name]}.1"
            session["_fresh"] = True
            session[SIGNED_IN_AT] = now().timestamp()
    return client


def _statements(app: Flask, client: FlaskClient, path: str) -> tuple[int, int]:
    """Statements and bytes of one answer, which must be a page."""
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if not sql.startswith(("BEGIN", "PRAGMA")):
            said.append(sql)

    with app.app_context():
        engine = db.engine
    client.get(path)
    event.listen(engine, "before_cursor_execute", hear)
    answer = client.get(path)
    event.remove(engine, "before_cursor_execute", hear)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return len(said), len(answer.data)
