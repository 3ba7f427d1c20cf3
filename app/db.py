"""The database and the only commit in the house.

SQLite runs with WAL and `synchronous=FULL` (NORMAL loses acknowledged commits in a power cut), the busy time-out set
first, foreign keys on, and `BEGIN IMMEDIATE` for writes: two writers then wait for each other and lose no update.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Engine, MetaData, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Dialect, ExceptionContext
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from app.spelling import name_initials, name_key, spaced_grams, spelled_at

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept in UTC on every database. A naive value is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("时刻必须带时区")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """What every table descends from."""

    if TYPE_CHECKING:
        __table__: ClassVar[Table]

    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(metadata=Base.metadata, session_options={"autoflush": False, "expire_on_commit": False})

_writing: ContextVar[bool] = ContextVar("writing", default=False)
_wake: Callable[[], None] | None = None
_log = logging.getLogger("jiannuo")


def on_wake(waker: Callable[[], None] | None) -> None:
    """Say whom to wake after a commit that left work for the watch; a lost wake-up costs a minute, never a notice."""
    global _wake
    _wake = waker


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: everything in the block is committed together, or nothing is.

    Reads made before the block are let go first, so that what the block decides on is read under its own locks.
    """
    if _writing.get():
        raise RuntimeError("transaction() 不能套用")
    session = db.session()
    session.rollback()
    session.info.pop("wake", None)
    token = _writing.set(True)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _writing.reset(token)
    if session.info.pop("wake", False) and _wake is not None:
        try:
            _wake()
        except Exception:  # it is committed, whatever becomes of the wake-up
            _log.exception("the watch was not woken")


def insert_into(table: Table, dialect: str = "") -> sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the words of the database at hand (or of the dialect named)."""
    if (dialect or db.engine.dialect.name) == "postgresql":
        return cast(sqlite.Insert, postgresql.insert(table))
    return sqlite.insert(table)


def leave_work() -> None:
    """The running transaction leaves something for the watch: it is woken once the commit has succeeded."""
    db.session().info["wake"] = True


def writing() -> bool:
    """True inside `transaction()`."""
    return _writing.get()


def prepare(engine: Engine) -> None:
    """Attach what an engine needs: errors that quote no rows; for SQLite its settings, the kind of BEGIN, and the
    functions by which its triggers keep the index of names."""

    @event.listens_for(engine, "handle_error")
    def _quote_no_row(context: ExceptionContext) -> None:
        """PostgreSQL says which row it could not take, with all that people have written in it; a log is no place for
        that."""
        for error in (context.original_exception, context.sqlalchemy_exception):
            if error is not None and error.args and isinstance(error.args[0], str):
                error.args = (error.args[0].partition("\nDETAIL")[0], *error.args[1:])

    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("busy_timeout=20000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        for function, arguments in ((name_key, 1), (name_initials, 1), (spaced_grams, 2), (spelled_at, 2)):
            connection.create_function(function.__name__, arguments, function, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")
