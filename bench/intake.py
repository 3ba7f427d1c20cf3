"""Taking a file in, every row judged, against COPY of what it gives into the same tables; codes against stdnum."""

from __future__ import annotations

import gc
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import psycopg
from flask_migrate import upgrade
from stdnum.cn import uscc

from app.db import db
from app.registry.codes import check_code, complete_code
from app.registry.directory import entry_for, validate
from app.registry.regions import standings
from bench.generator import penalty_rows, sheet
from bench.report import Table, figure
from bench.rounds import Rounds
from bench.stage import ROOT, TODAY, application, at_its_hour, database, postgres
from tests.cast import assemble
from workflows.calendar import legal_day

TABLES = ("subject", "identifier", "record", "publication_fact", "batch_row")
"""What an import fills, in the order in which rows refer to each other."""
BAD = 0.012


def run(rows: int = 50_000, rounds: int = 3) -> list[Table]:
    """Import a sheet of so many rows and COPY what it gave, `rounds` times in turn."""
    with (
        TemporaryDirectory(prefix="jiannuo-bench-", ignore_cleanup_errors=True) as folder,
        postgres(Path(folder) / "server") as address,
    ):
        return [imports(address, Path(folder), rows, rounds), codes(20_000, 5)]


def imports(address: str, folder: Path, rows: int, rounds: int) -> Table:
    """Rows a second of an import and of the bare COPY, paired; and the memory of the process that imports."""
    with at_its_hour(), database(address) as empty:
        source = _prepared(folder, empty, rows)
        dumps = folder / "dumps"
        peak = [0.0]
        with database(address, like=empty) as url:
            peak[0] = _imported(folder, url, source)[1]
            sizes = _dumped(url, dumps)

        def taken_in() -> float:
            with database(address, like=empty) as url:
                return rows / _imported(folder, url, source)[0]

        def copied() -> float:
            with database(address, like=empty) as url:
                return rows / _copied(url, dumps)

        measured = Rounds({"import": taken_in, "copy": copied}, rounds)
    written = ", ".join(f"{count} {name}" for name, count in sizes.items())
    return Table(
        "Import of a sheet, PostgreSQL",
        ("", "rows/s", "÷ COPY"),
        [
            (title, figure(measured.middle(name)), figure(measured.ratio(name, "copy")))
            for name, title in (("import", "flask import: read, judged, written"), ("copy", "COPY of what it wrote"))
        ],
        (
            f"{rows} rows, {BAD:.1%} of them wrong; {written}",
            f"peak memory of the importing process {peak[0]:.0f} MB, the whole application loaded",
            f"{rounds} paired rounds; the COPY goes into the same tables with their indexes, keys and triggers",
        ),
    )


def _prepared(folder: Path, url: str, rows: int) -> Path:
    """Lay the tables, bring the offices on, write the sheet."""
    with application(folder, url).app_context():
        upgrade(str(ROOT / "migrations"))
        cast = assemble()
        db.session.remove()
        db.engine.dispose()
        organ = "湖南省交通运输厅", cast.codes["office"]
    return sheet(folder / "penalties.csv", rows, subjects=max(rows // 5, 10), organ=organ, bad=BAD)


PROGRAM = """
import resource, sys
from pathlib import Path
from time import perf_counter
from app.duty.import_files import import_files
from bench.stage import application, at_its_hour
with at_its_hour(), application(Path(sys.argv[1]), sys.argv[2]).app_context():
    start = perf_counter()
    if not import_files([Path(sys.argv[3])], "jt-430000", "XZCF", dry_run=False, say=lambda text: None):
        sys.exit(1)
    print(perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def _imported(folder: Path, url: str, source: Path) -> tuple[float, float]:
    """Seconds of an import in a process of its own, and its peak memory in MB."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), url, str(source)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), float(peak)


def _dumped(url: str, folder: Path) -> dict[str, int]:
    """The rows that an import wrote, as COPY gives them; how many of each table."""
    folder.mkdir(exist_ok=True)
    sizes = {}
    with psycopg.connect(url) as connection:
        for name in TABLES:
            size = 0
            with (
                (folder / name).open("wb") as file,
                connection.cursor().copy(f"COPY {_new(name)} TO STDOUT".encode()) as copy,
            ):
                for block in copy:
                    file.write(block)
                    size += bytes(block).count(b"\n")
            sizes[name] = size
    return sizes


def _new(name: str) -> str:
    """What of a table the import wrote: the cast was there before."""
    if name == "subject":
        return "(SELECT * FROM subject WHERE id > 2)"
    return "(SELECT * FROM identifier WHERE subject_id > 2)" if name == "identifier" else name


def _copied(url: str, folder: Path) -> float:
    """Seconds of a COPY of the same rows, one transaction a table."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE batch_row DROP CONSTRAINT fk_batch_row_batch_id_batch")
        start = perf_counter()
        for name in TABLES:
            with (
                (folder / name).open("rb") as file,
                connection.cursor().copy(f"COPY {name} FROM STDIN".encode()) as copy,
            ):
                while block := file.read(1 << 20):
                    copy.write(block)
        return perf_counter() - start


def codes(count: int, rounds: int) -> Table:
    """A code checked in both its characters, with its region, against what python-stdnum checks of it."""
    rng = random.Random(1)
    made = [complete_code(f"91430{rng.randrange(1, 9)}00MA{rng.randrange(10**6):06d}"[:16]) for _ in range(count)]
    regions = standings()
    rows = list(penalty_rows(8000, subjects=4000))
    entry, today = entry_for("XZCF", legal_day(TODAY)), legal_day(TODAY)

    def each(check: Callable[[Any], Any], things: list[Any]) -> Callable[[], float]:
        def measure() -> float:
            gc.collect()
            start = perf_counter()
            for thing in things:
                check(thing)
            return (perf_counter() - start) / len(things) * 1e6

        return measure

    variants = {
        "stdnum": each(uscc.is_valid, made),
        "ours": each(check_code, made),
        "region": each(lambda code: check_code(code, regions), made),
        "row": each(lambda row: validate(entry, row, today), rows),
    }
    measured = Rounds(variants, rounds)
    titles = {
        "stdnum": "python-stdnum: one check character",
        "ours": "check_code: both",
        "region": "check_code: both, and where it was registered",
        "row": "validate: a whole row of seventeen cells",
    }
    return Table(
        "Codes and rows",
        ("", "µs", "stdnum ÷ it"),
        [
            (title, figure(measured.middle(name)), figure(measured.ratio("stdnum", name)))
            for name, title in titles.items()
        ],
        (f"{rounds} paired rounds of {count} codes",),
    )
