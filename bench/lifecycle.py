"""The durable life of a case: create and five steps, against the same SQL by something that does nothing else.

新建, 提交申请, 签收, 受理, 提出审核意见, 准予修复: six transactions, each with its journal line, deadlines and key,
three of them with a frozen document, the last with the register, the tasks and the notices. On PostgreSQL the limit is
pgbench with the statements of our own run, one client, prepared; on SQLite the bare `sqlite3` module, as durable.
"""

from __future__ import annotations

import gc
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any
from unittest.mock import patch

import psycopg
from flask import Flask
from sqlalchemy import insert, select, text, update

from app.casework.open_case import open_filing
from app.casework.take_step import take_step
from app.db import db, transaction
from app.models import Case, Document, DocumentNumber, Filing, JournalLine, RepairLetter
from app.now import now
from bench.report import Table, figure
from bench.rounds import Rounds
from bench.stage import (
    FIRST_RECORD,
    FIRST_SUBJECT,
    Stage,
    application,
    at_its_hour,
    database,
    postgres,
    program,
    set_up,
)
from bench.tape import Tape, recording
from workflows.calendar import legal_day

FINDING = "处罚决定书、缴款凭证齐全，与本机关掌握的情况一致，建议准予修复"
STEPS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("deng", "submit", {}),
    ("li", "receive", {"t0": "today"}),
    ("li", "accept", {}),
    ("zhou", "review", {"opinion": "grant", "finding": FINDING}),
    ("chen", "confirm", {}),
)
TITLES = ("open", *(step for _who, step, _answers in STEPS))
RECORDED = 3
"""Turns spent before the rounds: one to warm up, one on tape with documents, one without."""

APART = {Filing: 1_000_000, Case: 2_000_000, JournalLine: 3_000_000}
FIRST_SERIAL = 7_000_000
"""Numbers of the recorded case are moved to where no other number can be taken for one of them."""


class Walk:
    """Cases walking in an application; what each of their transactions cost is remembered."""

    def __init__(self, app: Flask, stage: Stage, freezing: bool, first: int) -> None:
        self.app, self.stage, self.freezing = app, stage, freezing
        self.turns = count(first)
        self.processor: dict[str, list[float]] = {title: [] for title in TITLES}

    def one(self, steps: int = len(STEPS)) -> int:
        """A case from nothing to 准予修复 in six transactions, or only its first `steps` after 新建; its id."""
        turn = next(self.turns)
        record, people = FIRST_RECORD + turn, self.stage.people
        with self._timed("open"), transaction():
            subject, key = FIRST_SUBJECT + turn, f"bench-{record}"
            _, opened = open_filing(subject, [record], actor=people["deng"], channel="own_portal", key=key, at=now())
            number = opened[0].number
            case_id = self._sign(number)
        for seen, (who, step, answers) in enumerate(STEPS[:steps], start=1):
            said = {name: legal_day(now()).isoformat() if name == "t0" else value for name, value in answers.items()}
            key = f"bench-{record}-{step}"
            with self._timed(step), transaction():
                take_step(number, step, actor=people[who], answers=said, key=key, seen_version=seen, at=now())
        return case_id

    def many(self, cases: int) -> float:
        """Seconds for each of `cases` cases."""
        with self.app.app_context(), self.setting():
            gc.collect()
            start = perf_counter()
            for _ in range(cases):
                self.one()
            return (perf_counter() - start) / cases

    def setting(self) -> Any:
        """Within the block documents are frozen, or are not."""
        return nullcontext() if self.freezing else patch("app.casework.take_step.freeze", lambda *_: 0)

    def close(self) -> None:
        """Let the database go."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    @contextmanager
    def _timed(self, title: str) -> Iterator[None]:
        start = process_time()
        yield
        self.processor[title].append(process_time() - start)

    def _sign(self, number: str) -> int:
        """The letter without which nothing is submitted, in the first transaction."""
        case_id: int = db.session.execute(select(Case.id).where(Case.number == number)).scalar_one()
        db.session.execute(
            insert(RepairLetter.__table__).values(
                case_id=case_id, code=f"43000020-{case_id}", edition="1", text="承诺", text_hash="0" * 64,
                consent_publication=True, signer=self.stage.people["deng"].person, signer_name="邓敏",
                capacity="clerk", signed_at=now(),
            )
        )  # fmt: skip
        return case_id


@dataclass(frozen=True)
class Recorded:
    """The stage as it stands before the rounds, and what a case said to the database, with documents and without."""

    stage: Stage
    tapes: dict[bool, Tape]


def run(cases: int = 6, rounds: int = 15) -> list[Table]:
    """Walk `cases` cases in each of `rounds` rounds on both databases, in turn with the limit."""
    with TemporaryDirectory(prefix="jiannuo-bench-", ignore_cleanup_errors=True) as folder, at_its_hour():
        place = Path(folder)
        place.chmod(0o755)  # the server has a system user of its own
        with postgres(place / "server") as address:
            on_postgres = lifecycle_on_postgres(address, place, cases, rounds)
        return [on_postgres, lifecycle_on_sqlite(place, cases, rounds)]


def lifecycle_on_postgres(address: str, place: Path, cases: int, rounds: int) -> Table:
    """On a PostgreSQL server, in databases of our own that are dropped at the end."""
    with ExitStack() as until_the_end:
        first = until_the_end.enter_context(database(address))
        recorded = record(application(place / "template", first), (cases + 1) * rounds)

        def copy() -> str:
            return until_the_end.enter_context(database(address, like=first))

        variants: dict[str, Callable[[], float]] = {}
        walks: dict[bool, Walk] = {}
        for freezing, name in ((True, "whole"), (False, "bare")):
            script = place / f"{name}.sql"
            script.write_text(recorded.tapes[freezing].script(), "utf-8")
            walk = walks[freezing] = Walk(application(place / name, copy()), recorded.stage, freezing, RECORDED + 1)
            until_the_end.callback(walk.close)
            driver = until_the_end.enter_context(psycopg.connect(copy(), autocommit=True))
            variants |= {
                f"{name} ours": partial(walk.many, cases),
                f"{name} driver": partial(
                    _played, recorded.tapes[freezing], driver.cursor(), count(RECORDED + 1), cases
                ),
                f"{name} limit": partial(pgbench, script, copy(), count(RECORDED, cases + 1), cases),
            }
        measured = Rounds(variants, rounds)
        return _table(
            f"Durable lifecycle on PostgreSQL {_settings(address)}",
            ("pgbench -M prepared, the same SQL", "psycopg 3, the same SQL", "take_step"),
            measured,
            walks,
            recorded,
            cases,
        )


def lifecycle_on_sqlite(place: Path, cases: int, rounds: int) -> Table:
    """On SQLite files, as the house sets them up."""
    folder = place / "sqlite"
    recorded = record(application(folder), cases * rounds)
    variants: dict[str, Callable[[], float]] = {}
    walks: dict[bool, Walk] = {}
    with ExitStack() as until_the_end:
        for freezing, name in ((True, "whole"), (False, "bare")):
            own, limit = place / f"sqlite-{name}", place / f"sqlite-{name}.db"
            own.mkdir()
            shutil.copy(folder / "jiannuo.db", own)
            shutil.copy(folder / "jiannuo.db", limit)
            walk = walks[freezing] = Walk(application(own), recorded.stage, freezing, RECORDED + 1)
            until_the_end.callback(walk.close)
            connection = sqlite3.connect(limit, isolation_level=None)
            until_the_end.callback(connection.close)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")
            variants |= {
                f"{name} ours": partial(walk.many, cases),
                f"{name} limit": partial(
                    _played, recorded.tapes[freezing], connection.cursor(), count(RECORDED + 1), cases
                ),
            }
        return _table(
            f"Durable lifecycle on SQLite ({sqlite3.sqlite_version}, WAL, synchronous=FULL)",
            ("sqlite3 module, the same SQL", "", "take_step"),
            Rounds(variants, rounds),
            walks,
            recorded,
            cases,
        )


def record(app: Flask, copies: int) -> Recorded:
    """Set up, warm up, and put one case with documents and one without on tape."""
    with app.app_context():
        stage = set_up(copies + RECORDED)
        walk = Walk(app, stage, freezing=True, first=1)
        _set_apart(walk.one())
        tapes = {}
        for freezing in (True, False):
            walk.freezing = freezing
            with walk.setting(), recording(db.engine) as tapes[freezing]:
                case_id = walk.one()
            tapes[freezing].replace(_words(case_id))
        db.session.remove()
        db.engine.dispose()
        return Recorded(stage, tapes)


def _set_apart(case_id: int) -> None:
    """Let the ids of the next cases begin where nothing else is counted."""
    postgresql = db.engine.dialect.name == "postgresql"
    with transaction() as session:
        for model, first in APART.items():
            table = model.__table__
            if postgresql:
                session.execute(text(f"ALTER SEQUENCE {table.name}_id_seq RESTART WITH {first + 1}"))
                continue
            owned = {Filing: select(Case.filing_id).where(Case.id == case_id).scalar_subquery(), Case: case_id}
            row = session.execute(select(*table.c).where(table.c.id == owned.get(model, 1))).one()._asdict()
            changed = {"id": first, "receipt": "-", "key": "-", "number": "-", "about": "bench"}
            session.execute(insert(table).values({**row, **{k: v for k, v in changed.items() if k in row}}))
        session.execute(update(DocumentNumber).values(last=FIRST_SERIAL))


def _words(case_id: int) -> dict[str, tuple[str, ...]]:
    """What belongs to this case alone, and the variable that stands for it when another is played."""
    row = db.session.execute(
        select(Case.number, Case.subject_id, Case.filing_id, Filing.receipt).join(Filing).where(Case.id == case_id)
    ).one()
    lines = db.session.execute(select(JournalLine.id).where(JournalLine.about_id == case_id)).scalars()
    papers = db.session.execute(select(Document.code, Document.serial).where(Document.case_id == case_id)).all()
    turn = row.subject_id - FIRST_SUBJECT
    words: dict[str, tuple[str, ...]] = {
        str(row.filing_id): ("", "filing_id", ""),
        str(case_id): ("", "case_id", ""),
        str(row.subject_id): ("", "subject", ""),
        str(FIRST_RECORD + turn): ("", "record", ""),
        row.number: ("XF-P", "turn", ""),
        row.receipt: ("R-", "turn", ""),
        **{str(line): ("", "journal_id", "") for line in lines},
        **{str(paper.serial): ("", "serial_last", "") for paper in papers},
        **{paper.code: (f"BENCH-PAPER-{n}-", "case_id", "") for n, paper in enumerate(papers)},
    }
    db.session.rollback()
    return words


def _played(tape: Tape, cursor: Any, turns: Iterator[int], cases: int) -> float:
    gc.collect()
    start = perf_counter()
    for _ in range(cases):
        tape.play(cursor, next(turns))
    return (perf_counter() - start) / cases


def pgbench(script: Path, address: str, before: Iterator[int], cases: int) -> float:
    """Seconds a case by pgbench; neither its connection is counted nor one case more, in which it prepares."""
    turns = str(cases + 1)
    with TemporaryDirectory(prefix="jiannuo-bench-") as folder:
        log = ["-l", f"--log-prefix={folder}/log"]
        how = ["-n", "-M", "prepared", "-c", "1", "-j", "1", "-t", turns, "-D", f"turn={next(before)}", *log]
        said = subprocess.run(
            [program("pgbench"), *how, "-f", str(script), address], text=True, capture_output=True, check=False
        )
        lines = [line.split() for file in Path(folder).iterdir() for line in file.read_text().splitlines()]
    if said.returncode or len(lines) != cases + 1:
        raise RuntimeError(f"pgbench: {said.stderr}{said.stdout}")
    return mean(int(line[2]) for line in lines[1:]) / 1e6


def _settings(address: str) -> str:
    """The server's version, and how safe its commits are."""
    with psycopg.connect(address) as connection:
        names = ("server_version", "fsync", "synchronous_commit")
        version, *rest = (connection.execute(f"SHOW {name}".encode()).fetchone() for name in names)
    said = [f"{name}={value[0]}" for name, value in zip(names[1:], rest, strict=True) if value]
    return f"({version[0] if version else ''}; {', '.join(said)})"


def _table(
    title: str, names: tuple[str, str, str], measured: Rounds, walks: dict[bool, Walk], recorded: Recorded, cases: int
) -> Table:
    rows = []
    for name, said in (("whole", "with documents frozen"), ("bare", "without documents")):
        for variant, text_ in zip(("limit", "driver", "ours"), names, strict=True):
            full = f"{name} {variant}"
            if full in measured.measured:
                seconds = measured.middle(full)
                rows.append(
                    (
                        f"{text_}, {said}",
                        figure(1 / seconds),
                        figure(seconds * 1000),
                        figure(measured.ratio(f"{name} limit", full)),
                    )
                )
    walk, tape = walks[True], recorded.tapes[True]
    steps = ", ".join(
        f"{title} {n} / {median(walk.processor[title]) * 1000:.1f}"
        for title, n in zip(TITLES, tape.lengths, strict=True)
    )
    total = {freezing: sum(median(each) for each in walks[freezing].processor.values()) * 1000 for freezing in walks}
    return Table(
        title,
        ("one client", "cases/s", "ms a case", "÷ limit (rate)"),
        rows,
        (
            f"{measured.rounds} paired rounds of {cases} cases",
            f"statements / client processor ms of each transaction: {steps}; BEGIN and COMMIT not counted",
            f"client processor time a case: {total[True]:.1f} ms, without documents {total[False]:.1f} ms;"
            f" {sum(tape.lengths)} and {sum(recorded.tapes[False].lengths)} statements",
            "included: key, locks, facts, law, conditional update, journal line with its hashes, deadlines, parts,"
            " register, tasks, notices to four receivers; and with documents: three of them, rendered, checked for"
            " glyphs, numbered, hashed and stored",
        ),
    )
