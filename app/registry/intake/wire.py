"""Many rows into a table at once: COPY on PostgreSQL, executemany on SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from app.db import db
from app.registry.intake.lookups import is_postgres


def pour(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write rows inside the running transaction. Days are ISO texts, instants from `instant_text`, JSON is text."""
    if not rows:
        return
    names = ", ".join(f'"{column}"' for column in columns)
    connection = db.session.connection()
    if not is_postgres():
        places = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f'INSERT INTO "{table}" ({names}) VALUES ({places})', [tuple(row) for row in rows])
        return
    raw: Any = connection.connection.dbapi_connection
    with raw.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
        write = copy.write_row
        for row in rows:
            write(row)


def instant_text(at: datetime) -> str:
    """An instant as both databases read it back."""
    at = at.astimezone(UTC)
    return at.isoformat() if is_postgres() else at.strftime("%Y-%m-%d %H:%M:%S.%f")


def unzip(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> list[list[Any]]:
    """Rows as lists in the order of the columns."""
    return [[row[column] for column in columns] for row in rows]
