"""The door: a wrong password against a name that nobody has. A ratio near 1 tells a stranger nothing."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from flask_migrate import upgrade
from sqlalchemy import update

from app.db import db, transaction
from app.models import User
from app.now import now
from app.security import hasher
from app.sign_ins import recognise
from bench.report import Table, figure
from bench.rounds import Rounds
from bench.stage import ROOT, application, at_its_hour
from tests.cast import PASSWORD, assemble


def run(rounds: int = 60) -> list[Table]:
    """One attempt of each kind a round, on SQLite, with the hashes that are used in earnest."""
    with TemporaryDirectory() as folder:
        return [attempts_in(Path(folder), rounds)]


def attempts_in(folder: Path, rounds: int) -> Table:
    """The attempts on a database of their own in `folder`."""
    with at_its_hour(), application(folder).app_context():
        upgrade(str(ROOT / "migrations"))
        assemble()
        with transaction():
            db.session.execute(update(User).values(password_hash=hasher().hash(PASSWORD)))
        _attempt("nobody")
        measured = Rounds({"unknown": lambda: _attempt("nobody"), "wrong": lambda: _attempt("chen")}, rounds)
        db.engine.dispose()
    named = {"unknown": "an unknown name", "wrong": "a wrong password, counted against its account"}
    return Table(
        "The door: one refused attempt",
        ("", "ms", "÷ unknown name"),
        [
            (text, figure(measured.middle(name) * 1e3), figure(measured.ratio(name, "unknown")))
            for name, text in named.items()
        ],
        (f"{rounds} paired rounds, SQLite, argon2id with the parameters in use",),
    )


def _attempt(login: str) -> float:
    """Seconds until the answer."""
    start = perf_counter()
    if recognise(login, "wrong-password", now()) is not None:
        raise AssertionError(login)
    return perf_counter() - start
