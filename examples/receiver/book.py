"""The receiver's own book, in SQLite: what was told, what was done about it, which receipts are still to be given.

The rule that makes a notice count once: its key, its effect and its receipt are written in ONE transaction. If the
process dies before the commit, nothing has happened and the sender tries again; if it dies after, the key is known and
the second copy changes nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

SHANGHAI = timezone(timedelta(hours=8))

TABLES = """
CREATE TABLE IF NOT EXISTS notice (
    place INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which notices were dealt with
    key TEXT NOT NULL UNIQUE,                 -- the same for every try to deliver it: this is the dedupe table
    body_hash TEXT NOT NULL,
    body TEXT NOT NULL,
    subject TEXT NOT NULL,
    seq INTEGER NOT NULL,
    written_on TEXT NOT NULL,                 -- civil day in Shanghai, for reconciliation
    taken_at TEXT NOT NULL,
    said TEXT NOT NULL                        -- what our receipt says
);
CREATE TABLE IF NOT EXISTS subject (name TEXT PRIMARY KEY, last_seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS shown (            -- the effect: the records that we show or use
    record_no TEXT PRIMARY KEY,
    subject_name TEXT NOT NULL,
    ended_at TEXT,
    ended_by TEXT REFERENCES notice (key)
);
CREATE TABLE IF NOT EXISTS receipt (          -- the outbox
    notice TEXT PRIMARY KEY REFERENCES notice (key),
    raw TEXT NOT NULL,                        -- the exact text that is signed and sent
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL DEFAULT 0,
    sent_at TEXT,
    trouble TEXT NOT NULL DEFAULT ''
);
"""

ENDING = frozenset(("confirm", "supersede", "withdraw"))
"""Acts after which the record is shown and used no more; of the others we only take note."""


class Refused(Exception):
    """The notice is not taken; the sender must not try the same again unchanged."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a notice: whether it is the first time, and what the receipt says."""

    new: bool
    said: str


class Book:
    """One SQLite file. Every method opens its own connection: threads share nothing."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with self._open() as connection:
            connection.executescript(TABLES)

    def take(self, key: str, body: bytes, at: datetime) -> Taken:
        """Take one verified notice: dedupe, order, effect and receipt, all or nothing. Raises Refused."""
        body_hash = hashlib.sha256(body).hexdigest()
        with self._transaction() as connection:
            known = connection.execute("SELECT body_hash, said FROM notice WHERE key = ?", (key,)).fetchone()
            if known is not None:
                if known[0] != body_hash:
                    raise Refused("同一个通知编号，正文却不一样")
                return Taken(False, known[1])
            told = _read(body)
            subject, seq = subject_of(told), int(told["seq"])
            last = connection.execute("SELECT last_seq FROM subject WHERE name = ?", (subject,)).fetchone()
            if last is not None and seq <= last[0]:
                raise Refused(f"已经处理到第 {last[0]} 份，不再处理更早的第 {seq} 份")
            connection.execute(
                "INSERT INTO subject VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET last_seq = excluded.last_seq",
                (subject, seq),
            )
            said = self._standing(connection, told)
            connection.execute(
                "INSERT INTO notice (key, body_hash, body, subject, seq, written_on, taken_at, said)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (key, body_hash, body.decode(), subject, seq, written_on(told).isoformat(), at.isoformat(), said),
            )
            if said == "done" and told.get("act") in ENDING:
                connection.execute(
                    "UPDATE shown SET ended_at = ?, ended_by = ? WHERE record_no = ?",
                    (at.isoformat(), key, told["record_no"]),
                )
            raw = json.dumps(self.receipt_of(key, said, at), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            connection.execute("INSERT INTO receipt (notice, raw) VALUES (?, ?)", (key, raw))
            return Taken(True, said)

    def receipt_of(self, key: str, said: str, at: datetime) -> dict[str, Any]:
        """What we say we did. `key` is our own name for the receipt: a repeat under it is the same receipt."""
        done = at.astimezone(UTC).isoformat(timespec="seconds") if said in ("done", "already_ended") else None
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        return {"key": name, "kind": said, "done_at": done, "number": f"JY-{key}", "reason": ""}

    def _standing(self, connection: sqlite3.Connection, told: Mapping[str, Any]) -> str:
        """What the receipt will say, by what our own list holds."""
        if told.get("act") not in ENDING:
            return "done"
        row = connection.execute("SELECT ended_at FROM shown WHERE record_no = ?", (told["record_no"],)).fetchone()
        if row is None:
            return "holds_nothing"
        return "already_ended" if row[0] else "done"

    def show(self, record_no: str, subject_name: str) -> None:
        """Put a record on our list, as another exchange would have done."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO shown (record_no, subject_name) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (record_no, subject_name),
            )

    def due_receipts(self, at: float, limit: int = 50) -> list[tuple[str, str, int]]:
        """Receipts to be given now: notice, text, tries so far; in the order in which the notices were dealt with."""
        with self._open() as connection:
            return connection.execute(
                "SELECT r.notice, r.raw, r.attempts FROM receipt r JOIN notice n ON n.key = r.notice"
                " WHERE r.sent_at IS NULL AND r.next_at <= ? ORDER BY n.place LIMIT ?",
                (at, limit),
            ).fetchall()

    def given(self, notice: str, at: datetime) -> None:
        """A receipt has arrived."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE receipt SET sent_at = ?, attempts = attempts + 1, trouble = '' WHERE notice = ?",
                (at.isoformat(), notice),
            )

    def not_given(self, notice: str, trouble: str, next_at: float) -> None:
        """A receipt has not arrived; it is tried again."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE receipt SET attempts = attempts + 1, next_at = ?, trouble = ? WHERE notice = ?",
                (next_at, trouble, notice),
            )

    def held(self, since: date = date.min, until: date = date.max) -> list[tuple[str, str, str, int]]:
        """Our side of a reconciliation: (notice, body hash, what we said, place) by the civil day of writing."""
        with self._open() as connection:
            return connection.execute(
                "SELECT key, body_hash, said, place FROM notice WHERE written_on BETWEEN ? AND ? ORDER BY key",
                (since.isoformat(), until.isoformat()),
            ).fetchall()

    def digest(self, since: date = date.min, until: date = date.max) -> str:
        """SHA-256 over `"{notice} {body hash}\\n"`, sorted by notice: equal on both sides when the books agree."""
        lines = (f"{key} {body_hash}\n" for key, body_hash, _said, _place in self.held(since, until))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def latest(self, limit: int = 50) -> list[sqlite3.Row]:
        """The last notices with their receipts, the newest first, for the page."""
        with self._open() as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(
                "SELECT n.*, r.sent_at, r.attempts, r.trouble FROM notice n JOIN receipt r ON r.notice = n.key"
                " ORDER BY n.place DESC LIMIT ?",
                (limit,),
            ).fetchall()

    def list_shown(self, limit: int = 50) -> list[sqlite3.Row]:
        """Our list of records."""
        with self._open() as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute("SELECT * FROM shown ORDER BY record_no LIMIT ?", (limit,)).fetchall()

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.file, isolation_level=None)
        try:
            for pragma in ("busy_timeout = 10000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {pragma}")
            yield connection
        finally:
            connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def subject_of(told: Mapping[str, Any]) -> str:
    """The series in which we compare `seq`: that of the company. A natural person has no code, and names are shared:
    there it is that of the record, whose numbers rise too."""
    return str(told["uscc"] or told["record"])


def written_on(told: Mapping[str, Any]) -> date:
    """The civil day in Shanghai on which the notice was written."""
    return datetime.fromisoformat(told["effective_at"]).astimezone(SHANGHAI).date()


def _read(body: bytes) -> dict[str, Any]:
    try:
        told = dict(json.loads(body))
        subject_of(told), written_on(told), int(told["seq"]), told["record_no"]
    except (ValueError, TypeError, KeyError):
        raise Refused("正文不是约定的格式") from None
    return told
