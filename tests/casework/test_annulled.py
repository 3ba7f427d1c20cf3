"""处罚已撤销: an open case ends, the information is withdrawn, everybody is told; it leaves no trace of a repair."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from app.db import db
from app.models import Notice, Office, RecordShare
from app.registry.publish import status_on
from tests.build import a_case, night, state, walk
from tests.casework.acts import annul, clock_of, look, papers, refused, scalar, told, why_not
from tests.cast import Cast
from tests.conftest import Clock

EVERYBODY = {"ld-creditchina", "ld-hunan", "ld-market", "ld-trading"}
TODAY = date(2026, 11, 24)


@pytest.mark.parametrize("at", ["draft", "submitted", "held", "correcting", "accepted", "reviewed", "processing"])
def test_wherever_the_case_stands_the_watch_ends_it_and_withdraws_the_record(cast: Cast, at: str) -> None:
    record = cast.penalty(on="2026-08-25" if at == "held" else "2026-05-18")
    number = a_case(cast, at=at, record=record)
    annul(record, TODAY)
    night(with_press=False)
    assert state(number) == "superseded"
    assert status_on(record, TODAY) == "withdrawn"
    db.session.rollback()
    assert papers(number)[-1] == "withdrawn_record"
    assert set(told(number, "supersede")) == EVERYBODY
    deadlines = look(number).facts.deadlines
    assert {deadline.clock for deadline in deadlines if deadline.state == "running"} == {"receiver"}
    assert {clock_of(number, "receiver", item).due_on for item in EVERYBODY} == {date(2026, 11, 27)}
    assert scalar(select(Notice.id).where(Notice.act == "confirm").limit(1)) == (None if at != "processing" else 1)


def test_an_officer_may_end_it_before_the_watch_comes_round(cast: Cast) -> None:
    record = cast.penalty()
    number = a_case(cast, at="accepted", record=record)
    assert refused(cast, number, "li", "supersede") == ["NOT_ANNULLED"]
    annul(record, TODAY)
    assert refused(cast, number, "zhou", "supersede") == ["OTHER_ROLE"]
    walk(cast, number, "li", "supersede")
    assert state(number) == "superseded"


def test_an_annulled_penalty_is_not_repaired_but_withdrawn(cast: Cast) -> None:
    record = cast.penalty()
    number = a_case(cast, at="reviewed", record=record)
    annul(record, TODAY)
    reason = why_not(cast, number, "chen", "confirm")
    assert reason.code == "ANNULLED" and "应当撤回，不需要修复" in reason.text


def test_who_was_told_of_the_repair_is_told_of_the_withdrawal_next(cast: Cast) -> None:
    """Confirmed on Tuesday, annulled on Wednesday: the second notice follows the first, for every receiver."""
    record = cast.penalty()
    number = a_case(cast, at="processing", record=record)
    annul(record, TODAY)
    night(with_press=False)
    for code, rows in told(number).items():
        assert [(row.act, row.seq) for row in rows] == [("confirm", 1), ("supersede", 2)], code
    shares = db.session.execute(
        select(Office.code, RecordShare.what)
        .join(Office, Office.id == RecordShare.receiver_id)
        .order_by(RecordShare.id)
    ).all()
    db.session.rollback()
    assert {code: [share.what for share in shares if share.code == code] for code in EVERYBODY} == dict.fromkeys(
        EVERYBODY, ["confirm", "supersede"]
    )


def test_the_register_says_withdrawn_and_not_repaired_from_that_day(cast: Cast, clock: Clock) -> None:
    record = cast.penalty()
    a_case(cast, at="processing", record=record)
    clock.go("2026-11-26")
    annul(record, date(2026, 11, 26))
    night(with_press=False)
    assert status_on(record, date(2026, 11, 25)) == "repaired", "what people saw then is not rewritten"
    assert status_on(record, date(2026, 11, 26)) == "withdrawn"
    db.session.rollback()


def test_after_the_end_nothing_moves_any_more(cast: Cast) -> None:
    record = cast.penalty()
    number = a_case(cast, at="refused", record=record)
    annul(record, TODAY)
    night(with_press=False)
    assert state(number) == "refused"
    assert refused(cast, number, "tang", "supersede") == ["MOVED"]


def test_no_application_is_opened_for_an_annulled_penalty(cast: Cast) -> None:
    from app.casework.refused import StepRefused

    record = cast.penalty()
    annul(record, TODAY)
    with pytest.raises(StepRefused, match="不需要修复"):
        a_case(cast, at="draft", record=record)
