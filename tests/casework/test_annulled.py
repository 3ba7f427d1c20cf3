"""处罚已撤销: an open case ends, the information is withdrawn, everybody is told; it leaves no trace of a repair."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from app.db import db
from app.journal import Entry, check_chain
from app.models import Notice, Office, PublicationFact, RecordShare
from app.now import now
from app.registry.publish import status_on
from tests.build import a_case, night, state, version, walk
from tests.casework.acts import annul, at_once, clock_of, form, look, papers, refused, scalar, told, why_not
from tests.cast import Cast
from tests.conftest import Clock

EVERYBODY = {"ld-creditchina", "ld-hunan", "ld-market", "ld-trading"}
TODAY = date(2026, 11, 24)


@pytest.mark.parametrize("at", ["draft", "submitted", "held", "correcting", "accepted", "reviewed", "processing"])
def test_wherever_the_case_stands_the_watch_ends_it_and_withdraws_the_record(cast: Cast, at: str) -> None:
    record = cast.penalty(on="2026-08-25" if at == "held" else "2026-05-18")
    number = a_case(cast, at=at, record=record)
    annul(cast, record)
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
    annul(cast, record)
    assert refused(cast, number, "zhou", "supersede") == ["OTHER_ROLE"]
    walk(cast, number, "li", "supersede")
    assert state(number) == "superseded"


@pytest.mark.parametrize(
    ("at", "who", "step", "answers"),
    [
        ("received", "li", "decline", {"ground": "NOTHING_TO_REPAIR", "reason": "处罚已被撤销"}),
        ("received", "li", "transfer", {"to": "ld-market", "reason": "处罚已被撤销"}),
        ("to_refuse", "chen", "refuse", {"reason": "尚未改正", "cure": "改正"}),
    ],
)
def test_nothing_else_is_decided_on_an_annulled_penalty(
    cast: Cast, at: str, who: str, step: str, answers: dict[str, str]
) -> None:
    """There is nothing left to decline, to pass on or to refuse: the case ends as superseded, and only so."""
    record = cast.penalty()
    number = a_case(cast, at=at, record=record)
    annul(cast, record)
    assert refused(cast, number, who, step, **answers) == ["ANNULLED"]
    night(with_press=False)
    assert state(number) == "superseded"


def test_an_annulled_penalty_is_not_repaired_but_withdrawn(cast: Cast) -> None:
    record = cast.penalty()
    number = a_case(cast, at="reviewed", record=record)
    annul(cast, record)
    reason = why_not(cast, number, "chen", "confirm")
    assert reason.code == "ANNULLED" and "撤回，不需要修复" in reason.text


def test_who_was_told_of_the_repair_is_told_of_the_withdrawal_next(cast: Cast) -> None:
    """Confirmed on Tuesday, annulled on Wednesday: the second notice follows the first, for every receiver."""
    record = cast.penalty()
    number = a_case(cast, at="processing", record=record)
    annul(cast, record)
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
    annul(cast, record)
    night(with_press=False)
    assert status_on(record, date(2026, 11, 25)) == "repaired", "what people saw then is not rewritten"
    assert status_on(record, date(2026, 11, 26)) == "withdrawn"
    db.session.rollback()


def test_after_the_end_the_annulment_acts_on_the_record_alone(cast: Cast) -> None:
    """The refused case stays refused; the information is withdrawn at once, and everybody hears of it."""
    record = cast.penalty()
    number = a_case(cast, at="refused", record=record)
    annul(cast, record)
    assert status_on(record, TODAY) == "withdrawn"
    rows = db.session.execute(
        select(Office.code, Notice.case_id, Notice.act, Notice.seq, Notice.key)
        .join(Office)
        .where(Notice.act != "refuse")
    ).all()
    db.session.rollback()
    assert {row.code: (row.case_id, row.act, row.seq) for row in rows} == {
        "ld-creditchina": (None, "withdraw", 2),
        "ld-hunan": (None, "withdraw", 1),
        "ld-market": (None, "withdraw", 1),
        "ld-trading": (None, "withdraw", 1),
    }
    assert len({row.key for row in rows}) == 4
    night(with_press=False)
    assert state(number) == "refused"
    assert refused(cast, number, "tang", "supersede") == ["MOVED"]
    assert check_chain("record", record) == []
    db.session.rollback()


def told_of(record: int) -> list[str]:
    """Who was told that a record is withdrawn, each as often as they were."""
    codes = db.session.execute(
        select(Office.code).join(Notice, Notice.receiver_id == Office.id).where(
            Notice.record_id == record, Notice.act.in_(("withdraw", "supersede"))
        )
    ).scalars().all()  # fmt: skip
    db.session.rollback()
    return list(codes)


@pytest.mark.parametrize("way", ["withdraw", "lapse", "discard"])
def test_a_case_that_ends_another_way_after_the_annulment_does_not_leave_the_record_shown(
    cast: Cast, clock: Clock, way: str
) -> None:
    """The annulment left the withdrawal to the open case, and the case ended before the watch came round."""
    record = cast.penalty()
    number = a_case(cast, at={"lapse": "correcting", "discard": "draft"}.get(way, "received"), record=record)
    annul(cast, record)
    match way:
        case "lapse":
            clock.go("2026-12-09")
            walk(cast, number, "li", "lapse")
        case _:
            walk(cast, number, "deng", way)
    assert status_on(record, now().date()) == "published"
    db.session.rollback()
    night(with_press=False)
    night(with_press=False)
    assert status_on(record, now().date()) == "withdrawn"
    assert sorted(told_of(record)) == sorted(EVERYBODY)
    assert check_chain("record", record) == []
    db.session.rollback()


def test_an_ended_case_and_an_annulment_at_once_withdraw_the_record_once(app: Flask, cast: Cast) -> None:
    """Whichever came first: superseded, or refused and the record withdrawn by itself; never neither, never both."""
    chen, tang = cast.who("chen"), cast.who("tang")
    for turn in range(8):
        record = cast.penalty()
        number = a_case(cast, at="to_refuse", record=record)
        send = form(number, "refuse", chen, f"k{turn}", version(number), reason="尚未改正", cure="改正")
        calls = [lambda record=record: annul(cast, record, who=tang), send]
        outcomes = at_once(app, calls if turn % 2 else calls[::-1])
        stood, answer = outcomes if turn % 2 else outcomes[::-1]
        night(with_press=False)
        if isinstance(answer, Entry):
            assert stood in ("", "reviewed") and state(number) == "refused", outcomes
        else:
            assert [no.code for no in answer.refusals] == ["ANNULLED"], outcomes
            assert stood == "reviewed" and state(number) == "superseded", outcomes
        facts = (
            db.session.execute(select(PublicationFact.deed).where(PublicationFact.record_id == record)).scalars().all()
        )
        db.session.rollback()
        assert facts == ["publish", "withdraw"]
        assert sorted(told_of(record)) == sorted(EVERYBODY)


def test_no_application_is_opened_for_an_annulled_penalty(cast: Cast) -> None:
    from app.casework.refused import StepRefused

    record = cast.penalty()
    annul(cast, record)
    with pytest.raises(StepRefused, match="不需要修复"):
        a_case(cast, at="draft", record=record)
