"""Publication as dated facts: any day can be asked about, as it is known now or as it was known then."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.db import db, transaction
from app.models import PublicationFact
from app.now import now
from app.registry.publish import STATUS, STATUS_TITLES, state_fact, status_on
from tests.cast import Cast
from tests.conftest import Clock


def state(record: int, deed: str, on: str, cause: str = "演示") -> None:
    """Something became of a record."""
    with transaction():
        state_fact(record, deed, date.fromisoformat(on), now(), cause)


def seen(record: int, on: str, known: object = None) -> str:
    """What the public saw on a day."""
    found = status_on(record, date.fromisoformat(on), known)  # type: ignore[arg-type]
    db.session.rollback()
    return found


def test_a_record_is_public_from_the_day_it_was_entered_until_something_becomes_of_it(cast: Cast) -> None:
    record = cast.penalty()
    assert seen(record, "2026-11-23") == "unpublished"
    assert seen(record, "2026-11-24") == "published"
    state(record, "repair", "2026-11-30")
    assert [seen(record, day) for day in ("2026-11-29", "2026-11-30", "2027-01-01")] == [
        "published",
        "repaired",
        "repaired",
    ]


def test_a_fact_stated_later_for_an_earlier_day_changes_what_was_true_and_not_what_was_known(
    cast: Cast, clock: Clock
) -> None:
    """The annulment of the 26th is recorded on the 30th: on the 28th nobody could know."""
    record = cast.penalty()
    then = clock.go("2026-11-28")
    clock.go("2026-11-30")
    state(record, "withdraw", "2026-11-26")
    assert seen(record, "2026-11-28") == "withdrawn"
    assert seen(record, "2026-11-28", known=then) == "published"
    assert seen(record, "2026-11-28", known=now()) == "withdrawn"
    assert seen(record, "2026-11-25") == "published"


def test_of_two_facts_for_one_day_the_later_one_counts(cast: Cast) -> None:
    record = cast.penalty()
    state(record, "end", "2026-11-30")
    state(record, "repair", "2026-11-30")
    assert seen(record, "2026-11-30") == "repaired"


def test_a_fact_for_an_earlier_day_does_not_undo_one_for_a_later_day(cast: Cast) -> None:
    record = cast.penalty()
    state(record, "repair", "2026-12-01")
    state(record, "end", "2026-11-28")
    assert [seen(record, day) for day in ("2026-11-30", "2026-12-01")] == ["ended", "repaired"]


def test_a_mark_of_an_objection_does_not_change_whether_it_is_shown(cast: Cast) -> None:
    record = cast.penalty()
    state(record, "mark", "2026-11-25")
    assert seen(record, "2026-11-26") == "published"
    state(record, "unmark", "2026-11-26")
    assert seen(record, "2026-11-26") == "published"


def test_nothing_else_than_the_known_deeds_can_become_of_a_record(cast: Cast) -> None:
    record = cast.penalty()
    with pytest.raises(IntegrityError):
        state(record, "delete", "2026-11-25")
    assert db.session.execute(select(func.count()).select_from(PublicationFact)).scalar_one() == 1


def test_facts_are_never_taken_back(cast: Cast) -> None:
    record = cast.penalty()
    for statement in ("DELETE FROM publication_fact", "UPDATE publication_fact SET deed = 'end'"):
        with pytest.raises(DBAPIError, match="never"), transaction() as session:
            session.execute(text(statement))
    assert seen(record, "2026-11-24") == "published"


def test_every_status_has_its_word() -> None:
    assert set(STATUS.values()) | {"unpublished"} == set(STATUS_TITLES)
