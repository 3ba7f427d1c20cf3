"""A database that could lose what it has acknowledged is refused before the door is opened."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, event, make_url

from app.db import prepare
from app.safety import UnsafeDatabase, refuse_unsafe, unsafe_settings
from tests.conftest import named, own_postgres

ROOT = Path(__file__).parents[2]


# ---- SQLite


def on_sqlite(tmp_path: Path, *pragmas: str) -> Engine:
    """An engine of the house, with something else said to SQLite after our own settings."""
    engine = create_engine(f"sqlite:///{tmp_path / 'some.db'}")
    prepare(engine)

    def say(connection: Any, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", say)
    return engine


@pytest.mark.parametrize(
    ("pragma", "reason"),
    [
        ("synchronous=NORMAL", "synchronous 低于 FULL，断电会丢失已确认的提交"),
        ("synchronous=OFF", "synchronous 低于 FULL，断电会丢失已确认的提交"),
        ("journal_mode=DELETE", "不在 WAL 模式"),
        ("journal_mode=MEMORY", "不在 WAL 模式"),
        ("foreign_keys=OFF", "没有打开外键检查"),
    ],
)
def test_an_unsafe_setting_of_sqlite_is_refused(tmp_path: Path, pragma: str, reason: str) -> None:
    with pytest.raises(UnsafeDatabase, match=reason):
        refuse_unsafe(on_sqlite(tmp_path, pragma))


def test_every_reason_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnsafeDatabase) as caught:
        refuse_unsafe(on_sqlite(tmp_path, "synchronous=OFF", "foreign_keys=OFF", "journal_mode=DELETE"))
    assert str(caught.value).count("；") == 2


def test_a_database_in_memory_is_no_database_for_records() -> None:
    engine = create_engine("sqlite://")
    prepare(engine)
    with pytest.raises(UnsafeDatabase, match="不在 WAL 模式"):
        refuse_unsafe(engine)


def test_the_settings_of_the_house_are_on_every_connection(tmp_path: Path) -> None:
    engine = on_sqlite(tmp_path)
    with engine.connect() as one, engine.connect() as other:
        assert unsafe_settings(one) == unsafe_settings(other) == []
        assert one.exec_driver_sql("PRAGMA busy_timeout").scalar() == 20_000
    assert unsafe_settings(engine.connect()) == []


# ---- PostgreSQL


@pytest.fixture(scope="module")
def own_server() -> Iterator[str]:
    """A PostgreSQL server whose settings may be spoiled."""
    with own_postgres() as server:
        yield server


def engine_on(address: str) -> Engine:
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://", 1))
    prepare(engine)
    return engine


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("fsync", "fsync=off，断电会损坏整个数据库"),
        ("full_page_writes", "full_page_writes=off，断电会留下写坏的页"),
        ("synchronous_commit", "synchronous_commit=off，断电会丢失已确认的提交"),
    ],
)
def test_an_unsafe_setting_of_the_server_is_refused(own_server: str, setting: str, reason: str) -> None:
    refuse_unsafe(engine_on(own_server))
    with psycopg.connect(own_server, autocommit=True) as server:
        server.execute(f"ALTER SYSTEM SET {setting} = off")
        server.execute("SELECT pg_reload_conf()")
        try:
            engine = engine_on(own_server)
            for _ in range(100):
                with engine.connect() as connection:
                    if unsafe_settings(connection):
                        break
                time.sleep(0.02)
            with pytest.raises(UnsafeDatabase, match=reason):
                refuse_unsafe(engine)
        finally:
            server.execute(f"ALTER SYSTEM RESET {setting}")
            server.execute("SELECT pg_reload_conf()")


def test_asynchronous_commits_asked_for_in_the_address_are_refused(own_server: str) -> None:
    with pytest.raises(UnsafeDatabase, match="synchronous_commit=off"):
        refuse_unsafe(engine_on(unsafe_address(own_server)))


def test_asynchronous_commits_of_one_database_or_role_are_refused(own_server: str) -> None:
    with psycopg.connect(own_server, autocommit=True) as server:
        server.execute("CREATE DATABASE loose")
        server.execute("ALTER DATABASE loose SET synchronous_commit = off")
    with pytest.raises(UnsafeDatabase, match="synchronous_commit=off"):
        refuse_unsafe(engine_on(named(own_server, "loose")))


@pytest.mark.parametrize("command", [("-m", "flask", "--app", "wsgi", "watch"), ("-m", "app.serve", "--port", "0")])
def test_neither_the_watch_nor_the_web_server_starts_on_it(
    own_server: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """The real commands: a sentence, a bad exit code, no trace of a program's inside, no heartbeat."""
    environment = {
        **os.environ,
        "JIANNUO_INSTANCE": str(tmp_path),
        "JIANNUO_DATABASE_URL": unsafe_address(own_server),
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, timeout=60, encoding="utf-8"
    )
    assert done.returncode == 1
    assert "数据库设置不安全" in done.stderr and "synchronous_commit=off" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run" / "heartbeat").exists()


def unsafe_address(address: str) -> str:
    """The address of a database with asynchronous commits asked for."""
    return make_url(address).update_query_dict({"options": "-c synchronous_commit=off"}).render_as_string(False)
