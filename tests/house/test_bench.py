"""The benches still run: each in the smallest size, and nothing is said about how fast."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

import psycopg

from app.db import db
from app.registry.subject import find_by_code
from bench import counters, engine, generator, intake, lifecycle, pages, relay, search, sign_in
from bench.stage import application, at_its_hour, database
from tests.cast import assemble
from tests.conftest import named


def test_the_law_room_is_measured_against_a_dict() -> None:
    [table] = engine.run(cases=1, rounds=1)
    assert [row[0] for row in table.rows if "refusals()" in row[0]] and "| 1.00 |" in table.markdown()


def test_a_case_is_replayed_by_pgbench_as_it_was_recorded(postgres: str, tmp_path: Path) -> None:
    address, template = postgres.split("\n")
    with at_its_hour(), database(address, like=named(address, template)) as url:
        recorded = lifecycle.record(application(tmp_path, url), copies=2)
        script = tmp_path / "case.sql"
        script.write_text(recorded.tapes[True].script(), "utf-8")
        assert lifecycle.pgbench(script, url, count(lifecycle.RECORDED), cases=1) > 0
        with psycopg.connect(url) as connection:
            walked = connection.execute('SELECT state, count(*), max(version) FROM "case" GROUP BY 1').fetchall()
    assert walked == [("processing", lifecycle.RECORDED + 2, 6)]


def test_a_case_is_replayed_by_the_bare_sqlite_module(sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "sqlite").mkdir()
    shutil.copy(sqlite_template, tmp_path / "sqlite")
    with at_its_hour():
        assert len(lifecycle.lifecycle_on_sqlite(tmp_path, cases=1, rounds=1).rows) == 4


def test_the_main_pages_answer_whoever_asks(sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_template, tmp_path)
    assert len(pages.pages_in(tmp_path, requests=1, rounds=1, waiting=1, decided=1).rows) == 9


def test_the_door_is_measured(sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_template, tmp_path)
    assert len(sign_in.attempts_in(tmp_path, rounds=1).rows) == 2


def test_cases_go_their_way_over_http(tmp_path: Path) -> None:
    with at_its_hour():
        row = counters.lifecycles(tmp_path / "sqlite", "", cases=2, people=2)
    assert len(row) == 4 and float(row[0]) > 0


def test_an_import_is_measured_against_copy(postgres: str, tmp_path: Path) -> None:
    address, _template = postgres.split("\n")
    table = intake.imports(address, tmp_path, rows=60, rounds=1)
    assert [row[0] for row in table.rows] == ["flask import: read, judged, written", "COPY of what it wrote"]
    assert len(intake.codes(count=20, rounds=1).rows) == 4


def test_a_house_is_filled_with_the_same_records_for_the_same_seed(sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_template, tmp_path)
    with at_its_hour(), application(tmp_path).app_context():
        assemble()
        generator.fill(generator.Size(subjects=20, records=60, cases=30))
        code = generator.firm(7).code
        found = find_by_code(code)
        assert found is not None and found.name == generator.firm(7).name
        db.session.remove()
        db.engine.dispose()


def test_the_post_is_measured_beside_bare_aiohttp_and_among_sick_receivers(tmp_path: Path) -> None:
    with at_its_hour():
        ratio, sick = relay.on("SQLite", application(tmp_path), notices=20, rounds=1, many=40, receivers=8, seconds=1)
    assert len(ratio.rows) == 3 and "claim ÷ delivery" in ratio.notes[0]
    assert [row[0] for row in sick.rows] == ["all healthy", "three dead and two slow among them"]


def test_the_public_counter_is_asked_on_both_databases(postgres: str, tmp_path: Path) -> None:
    address, _template = postgres.split("\n")
    with at_its_hour():
        tables = [*search.on_sqlite(tmp_path / "s", 30, 60, 1), *search.on_postgres(tmp_path / "p", address, 30, 60, 1)]
    assert [len(table.rows) for table in tables] == [3 + len(search.DEPTHS)] * 2
