"""A file is taken in: rows become records with their subjects and publication, in one clean run or after any kill."""

from __future__ import annotations

from sqlalchemy import func, select

from app.db import db
from app.models import PublicationFact, Subject
from tests.cast import Cast
from tests.registry.sheets import a_penalty, batch_of, csv_bytes, lines_of, records, take_in


def test_a_clean_sheet_goes_in_and_leaves_no_line_behind(cast: Cast) -> None:
    batch = take_in(cast.offices["province"], csv_bytes([a_penalty(cast, n) for n in range(1, 6)]))
    assert batch_of(batch).tallies == {"in": 5}
    assert lines_of(batch) == {}
    assert [record.number for record in records()] == [f"湘交罚〔2026〕{n}号" for n in range(1, 6)]
    assert {record.cls for record in records()} == {"严重"}
    assert db.session.execute(select(func.count()).select_from(PublicationFact)).scalar_one() == 5
    assert db.session.execute(select(Subject.name).where(Subject.name.contains("第3"))).scalar_one()
    db.session.rollback()
