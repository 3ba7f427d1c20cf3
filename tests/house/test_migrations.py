"""Migrations up and down on both databases: the guards stay, and the tables are what the models say."""

from __future__ import annotations

import importlib.util
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import Engine

from app import create_app
from app.db import db, transaction
from config import TestConfig
from migrations.name_index import part_of_index
from tests.build import a_case
from tests.cast import assemble
from tests.conftest import MIGRATIONS, Clock, named


def _module(name: str) -> Any:
    path = next((Path(MIGRATIONS) / "versions").glob(f"{name}_*.py"))
    spec = importlib.util.spec_from_file_location(f"migration_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def triggers_of(revision: str, dialect: str) -> dict[str, str]:
    """The triggers that a migration brings, and their tables: guards, and those that keep an index in step."""
    module = _module(revision)
    guards = {f"guard_{table}_{event}": table for table, event, *_rest in getattr(module, "GUARDS", ())}
    return guards | getattr(module, "KEEPERS", {}).get(dialect, {})


REVISIONS = [script.revision for script in ScriptDirectory(MIGRATIONS).walk_revisions()][::-1]


def all_triggers() -> dict[str, str]:
    """Those of every migration, on the database at hand."""
    dialect = db.engine.dialect.name
    return {name: table for revision in REVISIONS for name, table in triggers_of(revision, dialect).items()}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application on a database without a single table."""
    if request.param == "sqlite":
        config = TestConfig(INSTANCE=str(tmp_path))
    else:
        server, _template = request.getfixturevalue("postgres").split("\n")
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(named(server, "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        config = TestConfig(INSTANCE=str(tmp_path), DATABASE_URL=named(server, name))
    app = create_app(config)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    if request.param == "postgresql":
        with psycopg.connect(named(server, "postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def triggers(engine: Engine) -> dict[str, str]:
    """The triggers of a database and their tables."""
    query = (
        "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
        if engine.dialect.name == "sqlite"
        else "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal"
    )
    with engine.connect() as connection:
        return {name: table for name, table in connection.execute(text(query))}


def functions(engine: Engine) -> list[str]:
    """Functions of our own; SQLite has none."""
    if engine.dialect.name == "sqlite":
        return []
    query = "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'public'"
    with engine.connect() as connection:
        return sorted(connection.execute(text(query)).scalars())


def shape(engine: Engine) -> dict[str, Any]:
    """Tables, columns, keys, constraints and indexes, in a form that can be compared."""
    look = inspect(engine)
    found: dict[str, Any] = {}
    for table in look.get_table_names():
        if table == "alembic_version" or part_of_index(table):
            continue
        found[table] = {
            "columns": {c["name"]: (str(c["type"]), c["nullable"]) for c in look.get_columns(table)},
            "key": look.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted(
                (k["name"], k["constrained_columns"], k["referred_table"]) for k in look.get_foreign_keys(table)
            ),
            "unique": sorted((u["name"], u["column_names"]) for u in look.get_unique_constraints(table)),
            "checks": sorted((c["name"], re.sub(r"\s+", " ", c["sqltext"])) for c in look.get_check_constraints(table)),
            "indexes": sorted(
                (i["name"], i["column_names"], bool(i["unique"]))
                for i in look.get_indexes(table)
                if not part_of_index(i["name"])
            ),
        }
    return found


def test_every_migration_has_one_before_it_and_says_how_to_go_back() -> None:
    scripts = ScriptDirectory(MIGRATIONS)
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    for script in scripts.walk_revisions():
        assert callable(script.module.upgrade) and callable(script.module.downgrade)


def test_the_guards_are_there_after_every_migration_that_follows_them(empty: Flask) -> None:
    """Alembic rebuilds a table of SQLite to change it, and the triggers of the old one are gone."""
    expected: dict[str, str] = {}
    for revision in REVISIONS:
        upgrade(MIGRATIONS, revision=revision)
        expected |= triggers_of(revision, db.engine.dialect.name)
        assert triggers(db.engine) == expected, revision
    assert triggers(db.engine) == all_triggers()


def test_up_and_down_and_up_again_is_the_same_house(empty: Flask) -> None:
    upgrade(MIGRATIONS)
    first = shape(db.engine)
    assert len(first) > 30
    downgrade(MIGRATIONS, revision="base")
    assert shape(db.engine) == {}
    assert triggers(db.engine) == {}
    assert functions(db.engine) == []
    upgrade(MIGRATIONS)
    assert shape(db.engine) == first
    assert triggers(db.engine) == all_triggers()


def test_the_tables_are_what_the_models_say(empty: Flask, tmp_path: Path) -> None:
    upgrade(MIGRATIONS)
    with db.engine.connect() as connection:
        only_models = {"include_object": lambda _item, name, *_rest: not part_of_index(name)}
        context = MigrationContext.configure(connection, opts={"compare_type": True, **only_models})
        assert compare_metadata(context, db.metadata) == []
    migrated = shape(db.engine)
    if db.engine.dialect.name == "sqlite":
        other = create_engine(f"sqlite:///{tmp_path / 'models.db'}")
        db.metadata.create_all(other)
        assert shape(other) == migrated
        other.dispose()
    else:
        downgrade(MIGRATIONS, revision="base")
        db.metadata.create_all(db.engine)
        assert shape(db.engine) == migrated
        db.metadata.drop_all(db.engine)


def test_guards_go_down_and_up_over_a_house_that_is_lived_in(empty: Flask, clock: Clock) -> None:
    """A case that was walked before the migration is as it was after it, and guarded again."""
    upgrade(MIGRATIONS)
    cast = assemble()
    number = a_case(cast, at="processing")
    with db.engine.connect() as connection:
        before = connection.execute(text("SELECT count(*), max(hash) FROM journal")).one()
    downgrade(MIGRATIONS, revision="0001")
    assert triggers(db.engine) == {}
    upgrade(MIGRATIONS)
    assert triggers(db.engine) == all_triggers()
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*), max(hash) FROM journal")).one() == before
    with pytest.raises(Exception, match="never deleted"), transaction() as session:
        session.execute(text("DELETE FROM journal"))
    assert number
