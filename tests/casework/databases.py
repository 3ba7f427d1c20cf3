"""Both databases for the rooms that write, quickly: one application for each, whose database is emptied before a test.

An application has compiled its statements after the first few tests and need not do so again. SQLite gets a fresh copy
of the migrated file, PostgreSQL a TRUNCATE: the one way past the guards, and no program of the house uses it. This one
PostgreSQL database does not wait for the disk, which only a power cut could tell; the house itself refuses to.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from app import create_app
from app.db import db
from config import TestConfig
from tests.conftest import Clock, named


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """SQLite, and a real PostgreSQL."""
    return str(request.param)


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
    with house.app_context():
        if database == "sqlite":
            _fresh_copy(house, request.getfixturevalue("sqlite_template"))
        else:
            _emptied()
        yield house
        db.session.remove()


def _fresh_copy(house: Flask, template: Path) -> None:
    db.engine.dispose()
    place: Path = house.config["INSTANCE"] / "jiannuo.db"
    for leftover in place.parent.glob("jiannuo.db*"):
        leftover.unlink()
    shutil.copy(template, place)


def _emptied() -> None:
    tables = ", ".join(f'"{name}"' for name in db.metadata.tables)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET lock_timeout = '10s'")
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        connection.exec_driver_sql("RESET lock_timeout")
