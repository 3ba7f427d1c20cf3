"""Both databases for the rooms that write, quickly: PostgreSQL keeps one database and empties it before each test.

Making and dropping a database costs a second, emptying one a tenth of it. Every guard and constraint stays in place:
TRUNCATE is the one way past the triggers, and no program of the house uses it.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config import TestConfig
from tests.conftest import named


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """SQLite, and a real PostgreSQL."""
    return str(request.param)


@pytest.fixture(scope="session")
def one_postgres_database(postgres: str) -> Iterator[str]:
    """The address of a migrated PostgreSQL database of this run."""
    server, template = postgres.split("\n")
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(named(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield named(server, name)
    with psycopg.connect(named(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def config(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> TestConfig:
    """Settings of an instance of its own, migrated and empty."""
    if database == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "jiannuo.db")
        return TestConfig(INSTANCE=str(tmp_path))
    address = request.getfixturevalue("one_postgres_database")
    with psycopg.connect(address, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        ).fetchone()
        assert tables is not None
        connection.execute(f"TRUNCATE {tables[0]} RESTART IDENTITY CASCADE")
    return TestConfig(INSTANCE=str(tmp_path), DATABASE_URL=address)
