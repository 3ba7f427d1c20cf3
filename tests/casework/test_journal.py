"""The journal: whoever changes a line, the line says so; a person can be erased and the chain still holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from app.casework.explain import explain
from app.db import db, transaction
from app.journal import CHAINED, SYSTEM, check_chain, digest_of, hash_of, write_line
from app.models import Case, Document, JournalLine, Notice, PublicationFact
from app.now import now
from tests.build import a_case, night, state
from tests.casework.acts import annul, everything, look, scalar
from tests.cast import Cast
from tests.conftest import Clock


def problems(number: str) -> list[str]:
    """What is wrong with the chain of a case."""
    found = check_chain("case", scalar(select(Case.id).where(Case.number == number)))
    db.session.rollback()
    return found


def sql(statement: str, **values: Any) -> None:
    """What somebody at the database's own prompt would type."""
    with transaction() as session:
        session.execute(text(statement), values)


@pytest.fixture
def guards_down(cast: Cast) -> Iterator[None]:
    """Without the triggers of the journal, as a database administrator could work; PostgreSQL gets them back."""
    sqlite = db.engine.dialect.name == "sqlite"
    for event in ("update", "delete"):
        sql(
            f"DROP TRIGGER guard_journal_{event}"
            if sqlite
            else f"ALTER TABLE journal DISABLE TRIGGER guard_journal_{event}"
        )
    yield
    db.session.rollback()
    if not sqlite:
        sql("ALTER TABLE journal ENABLE TRIGGER ALL")


def test_the_chain_of_a_case_holds_from_its_first_line_to_its_last(cast: Cast, clock: Clock) -> None:
    record = cast.penalty()
    number = a_case(cast, at="processing", record=record)
    annul(cast, record)
    night(with_press=False)
    assert state(number) == "superseded"
    assert problems(number) == []
    assert check_chain("record", record) == []
    rows = look(number).lines
    assert rows[0].previous == ""
    assert [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert "前后相扣，没有改动" in explain(number)


def test_two_lines_with_the_same_answers_have_different_digests(cast: Cast) -> None:
    """Salted: an answer cannot be guessed from its digest, nor two people be linked by it."""
    one, other = (look(a_case(cast, at="submitted")).lines for _ in range(2))
    assert one[1].answers == other[1].answers
    assert one[1].digest != other[1].digest
    assert len(one[1].salt) == 32


CHANGES = {
    "act": "'withdraw'",
    "seq": "99",
    "about_id": "77",
    "at": "'2020-01-01 00:00:00'",
    "source": "'x'",
    "target": "'closed'",
    "item": "'x'",
    "person": "NULL",
    "role": "'head'",
    "office_id": "2",
    "on_behalf_of": "2",
    "law": "'D'",
    "edition": "'x'",
    "calendar": "'x'",
    "digest": "'x'",
    "clocks": "'[]'",
    "previous": "'x'",
    "hash": "'x'",
}
FORBIDDEN = [
    *(f"UPDATE journal SET {column} = {value} WHERE act = 'accept'" for column, value in CHANGES.items()),
    "DELETE FROM journal WHERE act = 'accept'",
    "DELETE FROM publication_fact",
    "UPDATE publication_fact SET effective_on = '2020-01-01'",
    "UPDATE publication_fact SET cause = 'x'",
    "DELETE FROM document",
    *(f"UPDATE document SET {name} = 'x'" for name in ("html", "html_hash", "number", "code", "kind", "title")),
    *(f"UPDATE document SET {name} = 99" for name in ("serial", "year")),
    "UPDATE document SET office_id = 2",
    "UPDATE document SET journal_id = 1",
    "UPDATE document SET facts = '{}'",
    "DELETE FROM notice",
    *(f"UPDATE notice SET {name} = 'x'" for name in ("key", "act", "body", "payload_hash")),
    "UPDATE notice SET seq = seq + 100",
    "UPDATE notice SET receiver_id = 5 WHERE receiver_id <> 5",
    "UPDATE notice SET payload = '{}'",
    "UPDATE notice SET written_at = '2020-01-01 00:00:00'",
    'DELETE FROM "case"',
    *(
        f'UPDATE "case" SET {what}'
        for what in (
            "state = 'closed'",
            "state = 'closed', final = true",
            "state = 'closed', version = version + 2",
            "version = version - 1",
            "number = 'x'",
        )
    ),
]


def test_the_database_refuses_to_change_what_was_written(walked: str) -> None:
    before = everything()
    for statement in FORBIDDEN:
        with pytest.raises(DBAPIError, match="never|frozen"):
            sql(statement)
    db.session.rollback()
    assert everything() == before


def test_after_its_end_a_case_is_not_moved_by_anybody(cast: Cast) -> None:
    a_case(cast, at="withdrawn")
    for what in ("state = 'draft', version = version + 1", "final = false"):
        with pytest.raises(DBAPIError, match="never after its end"):
            sql(f'UPDATE "case" SET {what}')
    db.session.rollback()


def test_a_case_stands_where_its_last_line_says(walked: str) -> None:
    loaded = look(walked)
    assert (loaded.row.state, loaded.row.version) == (loaded.lines[-1].target, len(loaded.lines))


def test_with_the_guards_dropped_a_changed_line_is_named(walked: str, guards_down: None) -> None:
    """Whatever is changed in the third line, the third line is what is named."""
    for column in CHANGES.keys() - {"seq", "about_id"}:
        with transaction() as session:
            before = session.execute(select(JournalLine.__table__.c[column]).where(JournalLine.seq == 3)).scalar()
        sql(f"UPDATE journal SET {column} = {CHANGES[column]} WHERE seq = 3")
        assert "第 3 行" in problems(walked)[0], column
        with transaction() as session:
            session.execute(update(JournalLine).where(JournalLine.seq == 3).values({column: before}))
        assert problems(walked) == [], column


def test_with_the_guards_dropped_what_a_person_wrote_cannot_be_rewritten(walked: str, guards_down: None) -> None:
    sql("UPDATE journal SET person_name = '别人' WHERE seq = 4")
    assert problems(walked) == ["第 4 行的填写内容被改动"]
    sql("UPDATE journal SET answers = :answers WHERE seq = 3", answers='{"t0": "2026-11-01"}')
    assert problems(walked) == ["第 3 行的填写内容被改动", "第 4 行的填写内容被改动"]
    assert "第 3 行的填写内容被改动" in explain(walked)


def test_with_the_guards_dropped_a_line_taken_out_or_swapped_is_named(walked: str, guards_down: None) -> None:
    def move(line: int, to: int) -> None:
        with transaction() as session:
            session.execute(
                update(JournalLine).where(JournalLine.about == "case", JournalLine.seq == line).values(seq=to)
            )

    move(3, 90)
    assert problems(walked) == ["第 3 行缺失"]
    move(2, 3)
    move(90, 2)
    assert problems(walked)[0] == "第 2 行与上一行不相扣"


def test_a_line_rewritten_with_a_hash_of_its_own_breaks_the_line_after_it(walked: str, guards_down: None) -> None:
    """Whoever recomputes one hash must recompute all that follow: the next line does not hold on to it any more."""
    with transaction() as session:
        row = session.execute(select(*JournalLine.__table__.c).where(JournalLine.seq == 3)).one()
        forged = {**row._mapping, "role": "head"}
        session.execute(update(JournalLine).where(JournalLine.id == row.id).values(role="head", hash=hash_of(forged)))
    assert problems(walked) == ["第 4 行与上一行不相扣"]


def test_everything_about_a_line_is_in_its_hash_but_what_may_be_erased() -> None:
    columns = {column.name for column in JournalLine.__table__.columns}
    assert columns - set(CHAINED) == {"id", "at", "hash", "answers", "salt", "person_name", "address"}


def test_a_person_can_be_erased_and_the_chain_still_holds(walked: str) -> None:
    """Answers, salt, name and address go; what was done, by which number, in which role, under which law stays."""
    with transaction() as session:
        session.execute(
            update(JournalLine)
            .where(JournalLine.person_name == "邓敏")
            .values(answers=None, salt=None, person_name="", address="")
        )
    assert problems(walked) == []
    rows = look(walked).lines
    assert [row.person_name for row in rows[:3]] == ["", "", "李昊"]
    assert "没有改动" in explain(walked)


@pytest.mark.parametrize(
    "half",
    [
        {"answers": None},
        {"salt": None},
        {"salt": None, "answers": {"t0": "2026-11-01"}, "person_name": "", "address": ""},
        {"salt": None, "answers": None, "person_name": "别人", "address": ""},
        {"salt": None, "answers": None, "person_name": "", "address": "10.0.0.1"},
        {"person_name": ""},
    ],
    ids=lambda half: "-".join(half),
)
def test_half_an_erasure_is_a_change(walked: str, half: dict[str, Any]) -> None:
    """Who takes the salt away and puts other words in has not erased anybody."""
    with transaction() as session:
        session.execute(update(JournalLine).where(JournalLine.seq == 3).values(half))
    assert problems(walked) == ["第 3 行的填写内容被改动"]


def test_an_instant_weighs_the_same_in_every_zone(cast: Cast, clock: Clock) -> None:
    """Written at 18:00 in Shanghai, read back as 10:00 in UTC."""
    with transaction():
        entry = write_line("office", 1, "note", SYSTEM, clock.go("2026-11-24 18:00"), law_text="D", answers={"a": 1})
    assert entry.at.utcoffset() is not None
    assert check_chain("office", 1) == []
    db.session.rollback()


def test_a_line_may_be_about_anything(cast: Cast) -> None:
    with transaction():
        for n in range(3):
            write_line("user", 5, "login", SYSTEM, now(), law_text="D", answers={"n": n})
        write_line("user", 6, "login", SYSTEM, now(), law_text="D")
    assert check_chain("user", 5) == check_chain("user", 6) == check_chain("user", 7) == []
    db.session.rollback()


def test_a_digest_covers_salt_answers_name_and_address() -> None:
    whole = digest_of("salt", {"a": "1"}, "邓敏", "127.0.0.1")
    others = {
        digest_of("tlas", {"a": "1"}, "邓敏", "127.0.0.1"),
        digest_of("salt", {"a": "2"}, "邓敏", "127.0.0.1"),
        digest_of("salt", {"a": "1"}, "邓", "127.0.0.1"),
        digest_of("salt", {"a": "1"}, "邓敏", "127.0.0.2"),
    }
    assert whole not in others and len(others) == 4


@pytest.fixture
def walked(cast: Cast) -> str:
    """A case in 信息处理 that has a little of everything."""
    number = a_case(cast, at="processing")
    for model in (Document, Notice, PublicationFact, Case):
        assert db.session.execute(select(model)).first() is not None
    db.session.rollback()
    return number
