"""What no program may do: change a journal line, a frozen text or a publication fact, or move a case but by steps."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEPT_IN_JOURNAL = (
    "about", "about_id", "seq", "at", "act", "source", "target", "item", "person", "role", "office_id", "on_behalf_of",
    "law", "edition", "calendar", "digest", "clocks", "previous", "hash",
)  # fmt: skip
KEPT_IN_DOCUMENT = (
    "case_id", "journal_id", "kind", "title", "office_id", "kind_word", "year", "serial", "number", "code", "html",
    "html_hash", "facts", "issued_at",
)  # fmt: skip
KEPT_IN_NOTICE = (
    "key", "receiver_id", "subject_id", "record_id", "case_id", "journal_id", "seq", "act", "payload", "payload_hash",
    "written_at",
)  # fmt: skip
MOVED_WITHOUT_A_STEP = (
    "(new.state <> old.state AND (old.final OR new.version <> old.version + 1)) OR new.version < old.version "
    "OR (old.final AND NOT new.final) OR new.number <> old.number"
)

GUARDS = (
    ("journal", "delete", "", "journal lines are never deleted"),
    ("journal", "update", KEPT_IN_JOURNAL, "journal lines are never changed"),
    ("publication_fact", "delete", "", "publication facts are never deleted"),
    ("publication_fact", "update", "*", "publication facts are never changed"),
    ("document", "delete", "", "documents are never deleted"),
    ("document", "update", KEPT_IN_DOCUMENT, "the text of a document is frozen"),
    ("notice", "delete", "", "notices are never deleted"),
    ("notice", "update", KEPT_IN_NOTICE, "the words of a notice are frozen"),
    ("case", "delete", "", "cases are never deleted"),
    ("case", "update", MOVED_WITHOUT_A_STEP, "a case is never moved but by its steps, and never after its end"),
)
"""Table, event, the columns that may not change (all for `*`, else a condition), and what the database answers."""


def name(table: str, event: str) -> str:
    return f"guard_{table}_{event}"


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table, event, columns, message in GUARDS:
        if dialect == "sqlite":
            op.execute(_sqlite(table, event, columns, message))
        else:
            for statement in _postgresql(table, event, columns, message):
                op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table, event, _columns, _message in reversed(GUARDS):
        if dialect == "sqlite":
            op.execute(f"DROP TRIGGER {name(table, event)}")
        else:
            op.execute(f'DROP TRIGGER {name(table, event)} ON "{table}"')
            op.execute(f"DROP FUNCTION {name(table, event)}()")


def _sqlite(table: str, event: str, columns: tuple[str, ...] | str, message: str) -> str:
    when = "" if columns in ("", "*") else f"WHEN {columns}"
    if isinstance(columns, tuple):
        when = "WHEN " + " OR ".join(f"new.{column} IS NOT old.{column}" for column in columns)
    return (
        f'CREATE TRIGGER {name(table, event)} BEFORE {event.upper()} ON "{table}" {when} '
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _postgresql(table: str, event: str, columns: tuple[str, ...] | str, message: str) -> list[str]:
    when = "" if columns in ("", "*") else f"WHEN ({columns})"
    if isinstance(columns, tuple):
        when = "WHEN (" + " OR ".join(f"new.{column} IS DISTINCT FROM old.{column}" for column in columns) + ")"
    return [
        f"CREATE FUNCTION {name(table, event)}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        f'CREATE TRIGGER {name(table, event)} BEFORE {event.upper()} ON "{table}" FOR EACH ROW {when} '
        f"EXECUTE FUNCTION {name(table, event)}()",
    ]
