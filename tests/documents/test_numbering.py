"""文号 without gaps: whoever comes, in whatever order, and whatever is taken back."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from flask import Flask

from app.db import db, transaction
from app.documents.numbering import next_number
from tests.documents.world import build, document
from workflows.calendar import day_start


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Numbers are given by the database, so both are asked."""
    return str(request.param)


def test_eight_at_once_get_numbers_without_a_gap_or_a_twin(app: Flask) -> None:
    organ = build().organ_id
    got: list[int] = []
    start = threading.Barrier(8)

    def write() -> None:
        with app.app_context():
            start.wait()
            for turn in range(12):
                try:
                    with transaction():
                        serial, number = next_number(organ, "湘交", "信修受", 2026)
                        assert number == f"湘交信修受〔2026〕{serial}号"
                        if turn % 4 == 3:
                            raise LookupError
                        got.append(serial)
                except LookupError:
                    pass
            db.session.remove()

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(1, 8 * 9 + 1))


def test_every_office_kind_and_year_counts_for_itself(app: Flask) -> None:
    organ = build().organ_id
    with transaction():
        assert next_number(organ, "湘交", "信修决", 2026) == (1, "湘交信修决〔2026〕1号")
        assert next_number(organ, "湘交", "信修决", 2026) == (2, "湘交信修决〔2026〕2号")
        assert next_number(organ, "湘交", "信修受", 2026) == (1, "湘交信修受〔2026〕1号")
        assert next_number(organ, "湘交", "信修决", 2027) == (1, "湘交信修决〔2027〕1号")


def test_the_year_of_a_number_is_that_of_the_clocks_in_shanghai(app: Flask) -> None:
    world = build()
    world.start = day_start(date(2027, 1, 1)) - timedelta(days=3) + timedelta(minutes=5)  # 16:05 UTC on 31 December
    assert document(world.issue("withdrawal")).number == "湘交信修撤〔2027〕1号"
    earlier = build(number="2")
    earlier.start = day_start(date(2027, 1, 1)) - timedelta(days=3, minutes=5)
    assert document(earlier.issue("withdrawal")).number == "湘交信修撤〔2026〕1号"
