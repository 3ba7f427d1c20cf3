"""The one way a case moves, on both databases."""

from __future__ import annotations

from app.casework.facts import load_case
from app.db import db
from app.now import now
from tests.build import a_case, state, walk
from tests.cast import Cast


def test_a_case_walks_from_draft_to_information_processing(cast: Cast) -> None:
    number = a_case(cast, at="processing")
    assert state(number) == "processing"
    loaded = load_case(number, now())
    assert loaded.facts.record is not None
    assert loaded.facts.record.status == "repaired"
    assert [line.act for line in loaded.lines] == ["open", "submit", "receive", "accept", "review", "confirm"]
    db.session.rollback()
