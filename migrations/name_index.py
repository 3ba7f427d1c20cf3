"""The index of names that anybody may look for: `subject_name`, kept in step with `subject` by triggers.

PostgreSQL has a GIN index over the grams of each name, SQLite a full-text table of the same grams. A natural person has
no row: whoever looks for a name cannot find one, whatever the program above forgets.
"""

from __future__ import annotations

from collections.abc import Iterable
from string import ascii_lowercase, ascii_uppercase

import sqlalchemy as sa
from alembic import op

from app.spelling import DROPPED, FIRST, LAST, letters

INDEX = "ix_subject_name_grams"
KEY_INDEX = "ix_subject_name_key"
WORDS = "subject_grams"
KEEPERS = {
    "sqlite": {
        "keep_subject_name_insert": "subject",
        "keep_subject_name_update": "subject",
        "keep_subject_grams_insert": "subject_name",
        "keep_subject_grams_delete": "subject_name",
    },
    "postgresql": {"keep_subject_name_insert": "subject", "keep_subject_name_update": "subject"},
}
"""The triggers of each database and their tables."""

FOUND = "kind <> 'person'"
FILL = (
    "INSERT INTO subject_name (subject_id, key, initials) "
    "SELECT id, key, name_initials(key) FROM (SELECT id, name_key(name) AS key FROM {source} WHERE {found}) AS named"
)
EVERYBODY = FILL.format(source="subject", found=FOUND)


def part_of_index(name: str | None) -> bool:
    """True for what the models do not describe: the indexes of keys and grams, and the tables of SQLite's own."""
    return name in (INDEX, KEY_INDEX) or (name or "").startswith(WORDS)


def create() -> None:
    """Lay the table and its index, and enter every subject there is."""
    op.create_table(
        "subject_name",
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("initials", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subject.id"], name=op.f("fk_subject_name_subject_id_subject"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_subject_name")),
    )
    _run(_SQLITE if op.get_bind().dialect.name == "sqlite" else _postgresql())


def drop() -> None:
    """Take it all away again."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    triggers = ("keep_subject_name_insert", "keep_subject_name_update")
    _run(f"DROP TRIGGER {name}{'' if sqlite else ' ON subject'}" for name in triggers)
    if sqlite:
        _run(["DROP TRIGGER keep_subject_grams_insert", "DROP TRIGGER keep_subject_grams_delete"])
        _run([f"DROP TABLE {WORDS}"])
        op.drop_table("subject_name")
        return
    op.drop_table("subject_name")
    _run(f"DROP FUNCTION {name}()" for name in triggers)
    functions = ("spelled_at(text, text)", "name_grams(text, text)", "name_initials(text)", "name_key(text)")
    _run(f"DROP FUNCTION {function}" for function in functions)


def _run(statements: Iterable[str]) -> None:
    bind = op.get_bind()
    for statement in statements:
        bind.exec_driver_sql(statement if bind.dialect.name == "sqlite" else statement.replace("%", "%%"))


_SQLITE = (
    f"CREATE VIRTUAL TABLE {WORDS} USING fts5("
    "grams, content='', columnsize=0, tokenize=\"unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'\")",
    f"CREATE TRIGGER keep_subject_grams_insert AFTER INSERT ON subject_name BEGIN INSERT INTO {WORDS} (rowid, grams) "
    "VALUES (new.subject_id, spaced_grams(new.key, new.initials)); END",
    f"CREATE TRIGGER keep_subject_grams_delete AFTER DELETE ON subject_name BEGIN INSERT INTO {WORDS} ({WORDS}, rowid, "
    "grams) VALUES ('delete', old.subject_id, spaced_grams(old.key, old.initials)); END",
    f"CREATE TRIGGER keep_subject_name_insert AFTER INSERT ON subject WHEN new.{FOUND} BEGIN "
    + "INSERT INTO subject_name (subject_id, key, initials) "
    + "VALUES (new.id, name_key(new.name), name_initials(name_key(new.name))); END",
    "CREATE TRIGGER keep_subject_name_update AFTER UPDATE OF id, name, kind ON subject BEGIN "
    + "DELETE FROM subject_name WHERE subject_id IN (old.id, new.id); "
    + FILL.format(source="subject", found=f"id = new.id AND {FOUND}")
    + "; END",
    EVERYBODY,
    f"CREATE INDEX {KEY_INDEX} ON subject_name (key)",
)


def _postgresql() -> list[str]:
    return [
        "CREATE FUNCTION name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $key$ "
        f"SELECT translate(normalize(name, NFKC), {_quoted(ascii_lowercase + DROPPED)}, '{ascii_uppercase}') $key$",
        _INITIALS.format(letters=letters(), first=FIRST, last=LAST, size=LAST - FIRST + 1),
        _GRAMS,
        _SPELLED_AT,
        EVERYBODY,
        f"CREATE INDEX {INDEX} ON subject_name USING gin (name_grams(key, initials)) "
        "WITH (gin_pending_list_limit = 256)",
        f'CREATE INDEX {KEY_INDEX} ON subject_name (key COLLATE "C")',
        "CREATE FUNCTION keep_subject_name_insert() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {FILL.format(source='entered', found=FOUND)}; RETURN NULL; END $$",
        "CREATE TRIGGER keep_subject_name_insert AFTER INSERT ON subject REFERENCING NEW TABLE AS entered "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_subject_name_insert()",
        "CREATE FUNCTION keep_subject_name_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "DELETE FROM subject_name WHERE subject_id IN (old.id, new.id); "
        f"{FILL.format(source='subject', found=f'id = new.id AND {FOUND}')}; RETURN NULL; END $$",
        "CREATE TRIGGER keep_subject_name_update AFTER UPDATE OF id, name, kind ON subject FOR EACH ROW "
        "EXECUTE FUNCTION keep_subject_name_update()",
    ]


_INITIALS = """
CREATE FUNCTION name_initials(key text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN (
    SELECT coalesce(string_agg(one, '') || string_agg(other, ''), '')
    FROM (
      SELECT
        CASE WHEN known THEN chr(get_byte(letters, place - {first})) ELSE plain END AS one,
        CASE WHEN known THEN chr(get_byte(letters, place - {first} + {size})) ELSE plain END AS other
      FROM (
        SELECT ascii(c) AS place, ascii(c) BETWEEN {first} AND {last} AS known,
          CASE
            WHEN ascii(c) BETWEEN 48 AND 57 THEN c
            WHEN ascii(c) BETWEEN 65 AND 90 THEN chr(ascii(c) + 32)
            ELSE '-'
          END AS plain
        FROM unnest(string_to_array(key, NULL)) AS c
      ) AS characters, (SELECT CAST('{letters}' AS bytea) AS letters) AS known_letters
    ) AS spelled
  );
END $$
"""

# Its cost keeps the planner from computing it for row after row instead of asking the index.
_GRAMS = """
CREATE FUNCTION name_grams(key text, initials text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
AS $$
  WITH run AS (
    SELECT substr(initials, i, 3) AS one, substr(initials, char_length(key) + i, 3) AS other
    FROM generate_series(1, char_length(key) - 2) AS i
  )
  SELECT ARRAY(
    SELECT substr(key, i, 2) FROM generate_series(1, char_length(key) - 1) AS i
    UNION ALL
    SELECT one FROM run
    UNION ALL
    SELECT substr(CASE WHEN reading & 1 = 0 THEN one ELSE other END, 1, 1)
      || substr(CASE WHEN reading & 2 = 0 THEN one ELSE other END, 2, 1)
      || substr(CASE WHEN reading & 4 = 0 THEN one ELSE other END, 3, 1)
    FROM run, generate_series(1, 7) AS reading WHERE one <> other
  )
$$
"""

_SPELLED_AT = """
CREATE FUNCTION spelled_at(initials text, wanted text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
COST 500 AS $$
  SELECT coalesce((
    SELECT start FROM generate_series(0, char_length(initials) / 2 - char_length(wanted)) AS start
    WHERE NOT EXISTS (
      SELECT FROM generate_series(1, char_length(wanted)) AS n
      WHERE substr(wanted, n, 1) NOT IN (
        substr(initials, start + n, 1), substr(initials, char_length(initials) / 2 + start + n, 1)))
    ORDER BY start LIMIT 1), -1)
$$
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
