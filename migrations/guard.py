"""Triggers that keep what must never change, in the words of both databases."""

from __future__ import annotations

from collections.abc import Iterable

from alembic import op

Guard = tuple[str, str, tuple[str, ...] | str, str]
"""Table, event, the columns that may not change (all for `*`, else a condition), and what the database answers."""


def guard(guards: Iterable[Guard]) -> None:
    """Create the triggers."""
    dialect = op.get_bind().dialect.name
    for table, event, columns, message in guards:
        if dialect == "sqlite":
            op.execute(_sqlite(table, event, columns, message))
        else:
            for statement in _postgresql(table, event, columns, message):
                op.execute(statement)


def unguard(guards: Iterable[Guard]) -> None:
    """Drop them, the last first."""
    dialect = op.get_bind().dialect.name
    for table, event, _columns, _message in reversed(list(guards)):
        if dialect == "sqlite":
            op.execute(f"DROP TRIGGER {_name(table, event)}")
        else:
            op.execute(f'DROP TRIGGER {_name(table, event)} ON "{table}"')
            op.execute(f"DROP FUNCTION {_name(table, event)}()")


def _name(table: str, event: str) -> str:
    return f"guard_{table}_{event}"


def _sqlite(table: str, event: str, columns: tuple[str, ...] | str, message: str) -> str:
    when = "" if columns in ("", "*") else f"WHEN {columns}"
    if isinstance(columns, tuple):
        when = "WHEN " + " OR ".join(f"new.{column} IS NOT old.{column}" for column in columns)
    return (
        f'CREATE TRIGGER {_name(table, event)} BEFORE {event.upper()} ON "{table}" {when} '
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _postgresql(table: str, event: str, columns: tuple[str, ...] | str, message: str) -> list[str]:
    when = "" if columns in ("", "*") else f"WHEN ({columns})"
    if isinstance(columns, tuple):
        when = "WHEN (" + " OR ".join(f"new.{column} IS DISTINCT FROM old.{column}" for column in columns) + ")"
    return [
        f"CREATE FUNCTION {_name(table, event)}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        f'CREATE TRIGGER {_name(table, event)} BEFORE {event.upper()} ON "{table}" FOR EACH ROW {when} '
        f"EXECUTE FUNCTION {_name(table, event)}()",
    ]
