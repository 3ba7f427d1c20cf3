"""文号: numbers without gaps, per office, kind word and year, given inside the transaction that uses them."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy.sql.dml import ReturningInsert

from app.db import db, insert_into
from app.models import DocumentNumber


def next_number(office_id: int, word: str, kind_word: str, year: int) -> tuple[int, str]:
    """The next serial of an office for a kind of document in a year, and the whole number, e.g. 湘交信修受〔2026〕1号.

    `word` is the organ's 代字, `kind_word` that of the kind, `year` the civil year in Asia/Shanghai of the step. The
    row stays locked until the caller's transaction ends, and a rollback gives the serial back.
    """
    given = {"office_id": office_id, "kind_word": kind_word, "year": year, "last": 1}
    serial: int = db.session.execute(_raised(db.engine.dialect.name), given).scalar_one()
    return serial, f"{word}{kind_word}〔{year}〕{serial}号"


@lru_cache(maxsize=2)
def _raised(dialect: str) -> ReturningInsert[int]:
    table = DocumentNumber.__table__
    raised = insert_into(table, dialect).on_conflict_do_update(
        index_elements=["office_id", "kind_word", "year"], set_={"last": table.c.last + 1}
    )
    return raised.returning(table.c.last)
