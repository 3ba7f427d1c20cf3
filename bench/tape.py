"""The statements of a case as the database saw them, to be played again by something that does nothing else.

A listener writes down every statement with its parameters while a case walks. What differs from case to case (ids,
numbers, keys) is recognised by its value and becomes a variable, taken as before from what the database returns. All
else is repeated to the byte: the same SQL, the same columns, the same documents and notices.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Engine, event

from bench.stage import FIRST_RECORD, FIRST_SUBJECT

KEPT = {
    "INSERT INTO filing ": "filing_id",
    'INSERT INTO "case" ': "case_id",
    "INSERT INTO journal ": "journal_id",
    "INSERT INTO document_number ": "serial_last",
}
"""Statements that return what later ones need, and the variable that keeps it."""

LONGEST_KEY = 64
"""Longer texts are documents and payloads: they are written again as they were."""

Words = Mapping[str, tuple[str, ...]]
"""What stands for a value: texts and names of variables in turn, e.g. {"2000001": ("", "case_id", "")}."""


@dataclass(frozen=True)
class Slot:
    """A value in which variables stand: ("case-", "case_id", "-6-ld-hunan"); every second part names a variable."""

    parts: tuple[str, ...]
    numeric: bool

    def value(self, known: Mapping[str, Any]) -> Any:
        """With the variables of one turn."""
        if self.numeric:
            return known[self.parts[1]]
        return "".join(str(known[part]) if n % 2 else part for n, part in enumerate(self.parts))

    def sql(self) -> str:
        """As a pgbench script writes it."""
        if self.numeric:
            return f":{self.parts[1]}"
        said = [f":{part}" if n % 2 else quoted(part) for n, part in enumerate(self.parts) if part]
        return f"({' || '.join(said)})"


@dataclass
class Statement:
    """SQL with its parameters, by name (PostgreSQL) or by place (SQLite); `slots` are those that change."""

    sql: str
    parameters: dict[Any, Any]
    by_name: bool
    keeps: str
    slots: list[tuple[Any, Slot]] = field(default_factory=list)

    def given(self, known: Mapping[str, Any]) -> Any:
        """The parameters of one turn, as the driver wants them."""
        for key, slot in self.slots:
            self.parameters[key] = slot.value(known)
        return self.parameters if self.by_name else tuple(self.parameters.values())


class Tape:
    """Transactions, each a list of statements from BEGIN to COMMIT."""

    def __init__(self) -> None:
        self.transactions: list[list[Statement]] = []

    @property
    def lengths(self) -> list[int]:
        """Statements of each transaction, BEGIN and COMMIT aside."""
        return [
            sum(s.sql.split()[0] not in ("BEGIN", "COMMIT") for s in statements) for statements in self.transactions
        ]

    def replace(self, words: Words) -> None:
        """Turn every value that belongs to the recorded case alone into a slot."""
        known = re.compile("|".join(rf"(?<![0-9A-Za-z]){re.escape(word)}(?![0-9A-Za-z])" for word in words))
        for statement in (s for statements in self.transactions for s in statements):
            for key, value in statement.parameters.items():
                slot = _slot(value, words, known)
                if slot is not None:
                    statement.slots.append((key, slot))

    def play(self, cursor: Any, turn: int) -> None:
        """Do one turn on a bare DB-API cursor: execute, read what is returned."""
        known: dict[str, Any] = {"turn": turn, "record": FIRST_RECORD + turn, "subject": FIRST_SUBJECT + turn}
        for statements in self.transactions:
            for statement in statements:
                cursor.execute(statement.sql, statement.given(known))
                rows: Any = cursor.fetchall() if cursor.description else ()
                if statement.keeps:
                    known[statement.keeps] = rows[0][0]

    def script(self) -> str:
        """The same for pgbench with one client, whose variable `turn` is the number of the case before."""
        lines = [
            r"\set turn :turn + 1",
            rf"\set record {FIRST_RECORD} + :turn",
            rf"\set subject {FIRST_SUBJECT} + :turn",
        ]
        for statement in (s for statements in self.transactions for s in statements):
            said = {**{key: literal(value) for key, value in statement.parameters.items()},
                    **{key: slot.sql() for key, slot in statement.slots}}  # fmt: skip
            sql = " ".join(statement.sql.replace("%%", "%").split("\n"))
            sql = re.sub(r"%\((\w+)\)s", partial(_said, said), sql)
            kept = statement.keeps.partition("_")[0]
            lines.append(f"{sql} \\gset {kept}_" if kept else f"{sql};")
        return "\n".join(lines) + "\n"


@contextmanager
def recording(engine: Engine) -> Iterator[Tape]:
    """Write down everything that this process says to the database within the block."""
    tape = Tape()

    def begins(connection: Any) -> None:
        if connection.dialect.name == "postgresql":  # on SQLite it comes as a statement of its own
            tape.transactions.append([Statement("BEGIN", {}, True, "")])

    def says(_connection: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, _many: bool) -> None:
        if sql.startswith("BEGIN"):
            tape.transactions.append([])
        for given in parameters if isinstance(parameters, list) else (parameters,):
            by_name = isinstance(given, dict)
            found = dict(given) if by_name else dict(enumerate(given))
            keeps = next((kept for start, kept in KEPT.items() if sql.startswith(start) and "RETURNING" in sql), "")
            tape.transactions[-1].append(Statement(sql, found, by_name, keeps))

    def ends(_connection: Any) -> None:
        tape.transactions[-1].append(Statement("COMMIT", {}, True, ""))

    listeners = (("begin", begins), ("before_cursor_execute", says), ("commit", ends))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    try:
        yield tape
    finally:
        for name, listener in listeners:
            event.remove(engine, name, listener)


def _slot(value: Any, words: Words, known: re.Pattern[str]) -> Slot | None:
    if type(value) is int:
        found = words.get(str(value))
        return None if found is None else Slot(found, numeric=True)
    if not isinstance(value, str) or len(value) > LONGEST_KEY or value[:1] in ("{", "["):
        return None
    parts = [""]
    last = 0
    for match in known.finditer(value):
        head, *rest = words[match[0]]
        parts[-1] += value[last : match.start()] + head
        parts += rest
        last = match.end()
    if len(parts) == 1:
        return None
    parts[-1] += value[last:]
    return Slot(tuple(parts), numeric=False)


def _said(said: Mapping[str, str], found: re.Match[str]) -> str:
    return said[found[1]]


def literal(value: Any) -> str:
    """A value as SQL text in which no colon stands, because pgbench takes one for a variable."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return quoted(value.isoformat())
    if not isinstance(value, str):
        value = (value.dumps or json.dumps)(value.obj)  # psycopg's wrapper around JSON
    return quoted(value)


def quoted(text: str) -> str:
    """A text as an escaped constant of one line."""
    for plain, escaped in (("\\", "\\\\"), ("'", "\\'"), (":", "\\x3a"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, escaped)
    return f"E'{text}'"
