"""The public counter over a large register, on both databases: a code against the bare SQL, a fragment of a name
against a scan, pages of the list of penalties at any depth against the first, each variant once in every round."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text

from app.db import db
from app.now import now
from app.registry.public_lists import PENALTIES, Wanted, records_of
from app.registry.search import find_names
from app.registry.subject import find_by_code
from app.views.public_lists import page_within_reach
from bench.generator import Size, fill, firm
from bench.report import Table, figure
from bench.rounds import Rounds
from bench.stage import ROOT, application, at_its_hour, database, postgres
from tests.cast import assemble
from workflows.calendar import legal_day

NAMES, RECORDS = 1_000_000, 300_000
ASKED = (7, 4_711, 77_777, 123_456, 654_321)
"""Companies that are asked for; each is asked for by its code and by two characters of its name."""
DEPTHS = (0.0, 0.25, 0.5, 0.9)
BARE = """
SELECT s.id, s.kind, s.name, s.region, s.legal_representative, (
  SELECT value FROM identifier WHERE subject_id = s.id AND kind = 'uscc'
  ORDER BY valid_until IS NOT NULL, valid_until DESC, valid_from DESC LIMIT 1)
FROM subject s WHERE s.id = (SELECT subject_id FROM identifier WHERE kind = 'uscc' AND value = {})
AND s.kind IN ('enterprise', 'institution', 'sole_trader') LIMIT 1
"""
SCAN = "SELECT id, name FROM subject WHERE name LIKE {}"


def run(names: int = NAMES, records: int = RECORDS, rounds: int = 15) -> list[Table]:
    """Fill each database, then ask."""
    with TemporaryDirectory(prefix="jiannuo-bench-", ignore_cleanup_errors=True) as folder, at_its_hour():
        tables = list(on_sqlite(Path(folder) / "sqlite", names, records, rounds))
        shutil.rmtree(Path(folder) / "sqlite")
        with postgres(Path(folder) / "data") as server:
            return [*tables, *on_postgres(Path(folder) / "postgresql", server, names, records, rounds)]


def on_sqlite(folder: Path, names: int, records: int, rounds: int) -> Iterator[Table]:
    """The table for SQLite."""
    with filled(application(folder), names, records):
        yield measured("SQLite", names, records, rounds)


def on_postgres(folder: Path, server: str, names: int, records: int, rounds: int) -> Iterator[Table]:
    """The table for PostgreSQL."""
    with database(server) as url, filled(application(folder, url), names, records):
        yield measured("PostgreSQL", names, records, rounds)


@contextmanager
def filled(app: Flask, names: int, records: int) -> Iterator[None]:
    """The application's context, with so many companies and penalties."""
    with app.app_context():
        upgrade(str(ROOT / "migrations"))
        assemble()
        fill(Size(names, records, 0))
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
        yield
        db.session.remove()
        db.engine.dispose()


def measured(name: str, names: int, records: int, rounds: int) -> Table:
    """Everything asked of the database at hand, each in an open transaction as inside a request."""
    bare = _bare()
    today = legal_day(now())
    firms = [firm(number % names) for number in ASKED]
    fragments = [_fragment(each.name) for each in firms]
    marks = list(_marks(today))
    mark = "?" if name == "SQLite" else "%s"
    asked: dict[str, Callable[[], object]] = {
        "code": lambda: [find_by_code(each.code) for each in firms],
        "bare": lambda: [bare(BARE.format(mark), each.code) for each in firms],
        "fragment": lambda: [find_names(fragment) for fragment in fragments],
        "scan": lambda: [bare(SCAN.format(mark), f"%{fragment}%") for fragment in fragments],
        **{f"page {depth:.0%}": _page(at, today) for depth, at in marks},
    }
    for question in asked.values():
        question()
    measured = Rounds({name: _timed(question) for name, question in asked.items()}, rounds)
    db.session.rollback()
    first = f"page {DEPTHS[0]:.0%}"
    rows = [
        ("a company by its code", "code", "÷ bare SQL", measured.ratio("code", "bare"), len(firms)),
        ("two characters of a name", "fragment", "scan ÷ it", measured.ratio("scan", "fragment"), len(firms)),
        ("every name read (LIKE)", "scan", "", 0.0, len(firms)),
        *(
            (f"a list {key} down", key, "÷ the first", measured.ratio(key, first), 1)
            for key in (f"page {depth:.0%}" for depth, _at in marks)
        ),
    ]
    return Table(
        f"The public counter on {name}",
        (f"{names:,} names, {records:,} penalties", "ms", "", ""),
        [
            (title, figure(measured.middle(key) * 1e3 / each), what, figure(ratio) if what else "")
            for title, key, what, ratio, each in rows
        ],
        (f"{rounds} paired rounds, warm; the fragments: {'、'.join(fragments)}",),
    )


def _fragment(name: str) -> str:
    """Two characters of what is a company's own in its name, behind the place."""
    place = max(name.find(end) for end in "县市区") + 1
    return name[place + 1 : place + 3]


def _bare() -> Callable[[str, str], Any]:
    """Asks a question of the driver itself, on the connection of the session."""
    driver: Any = db.session.connection().connection.driver_connection
    return lambda sql, value: driver.execute(sql, (value,)).fetchall()


def _marks(today: Any) -> Iterator[tuple[float, str | None]]:
    """Where the list stands at each depth of what is public."""
    where = "FROM record WHERE kind = 'penalty' AND annulled_on IS NULL AND maximum_last_day >= :today"
    public = db.session.execute(text(f"SELECT count(*) {where}"), {"today": today}).scalar_one()
    for depth in DEPTHS:
        row = db.session.execute(
            text(f"SELECT recognised_on, id {where} ORDER BY recognised_on DESC, id DESC LIMIT 1 OFFSET :n"),
            {"today": today, "n": int(public * depth)},
        ).first()
        yield depth, f"{row.recognised_on}~{row.id}" if row is not None and depth else None


def _page(after: str | None, today: Any) -> Callable[[], object]:
    def read() -> object:
        page = page_within_reach(PENALTIES, Wanted(), today, after, None)
        return records_of([row.id for row in page.rows], today)

    return read


def _timed(question: Callable[[], object]) -> Callable[[], float]:
    def ask() -> float:
        start = perf_counter()
        question()
        return perf_counter() - start

    return ask
