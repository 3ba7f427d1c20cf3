"""Several people, or one impatient one, at the same moment: one of them wins, the others get a sentence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from app.casework import take_step as taking
from app.casework.actor import Person
from app.casework.attach import attach
from app.casework.letter import sign_letter
from app.casework.open_case import Opened, open_filing
from app.casework.refused import CaseHasMoved, StepRefused
from app.db import db, transaction
from app.duty import clock as watch
from app.journal import Entry, check_chain
from app.models import (
    Attachment,
    AttachmentUse,
    Case,
    CaseRecord,
    CreditRecord,
    Document,
    Filing,
    JournalLine,
    Notice,
    PartTaken,
    PublicationFact,
    RepairLetter,
)
from app.now import now
from tests.build import a_case, state, version, walk
from tests.casework.acts import annul, at_once, form, lines, look, officer, papers, refused, scalar, told
from tests.cast import Cast
from tests.conftest import Clock


def _count(model: type, *where: object) -> int:
    return int(scalar(select(func.count()).select_from(model).where(*where)))  # type: ignore[arg-type]


def test_the_same_application_sent_eight_times_at_once_is_one_application(app: Flask, cast: Cast) -> None:
    number = a_case(cast, at="draft")
    send = form(number, "submit", cast.who("deng"), "one-form", version(number))
    answers = at_once(app, [send] * 8)
    assert all(isinstance(answer, Entry) for answer in answers), answers
    assert len({(answer.id, answer.seq, answer.at, answer.act) for answer in answers}) == 1
    assert lines(number) == ["open", "submit"]
    assert papers(number) == ["receipt"]


def test_the_same_confirmation_sent_eight_times_at_once_is_one_decision(app: Flask, cast: Cast) -> None:
    number = a_case(cast, at="reviewed")
    send = form(number, "confirm", cast.who("chen"), "one-form", version(number))
    answers = at_once(app, [send] * 8)
    assert {answer.id for answer in answers} == {answers[0].id}
    assert lines(number)[-2:] == ["review", "confirm"]
    assert papers(number).count("grant") == 1
    assert {code: len(rows) for code, rows in told(number).items()} == dict.fromkeys(
        ("ld-creditchina", "ld-hunan", "ld-market", "ld-trading"), 1
    )
    assert _count(PublicationFact, PublicationFact.deed == "repair") == 1


def test_of_eight_officers_racing_on_one_case_one_wins_and_seven_get_a_sentence(app: Flask, cast: Cast) -> None:
    """Different people, different forms, the same page in front of them."""
    number = a_case(cast, at="received")
    seen = version(number)
    racers = [officer(cast, f"officer-{n}", "acceptance") for n in range(8)]
    ways: list[tuple[str, dict[str, object]]] = [
        ("accept", {}),
        ("decline", {"ground": "SECTOR_CONDITION", "reason": "条件不符"}),
        ("transfer", {"to": "长沙市交通运输局", "reason": "由其认定"}),
        ("correct", {"items": [{"name": "证明", "problem": "看不清", "remedy": "重拍"}]}),
    ]
    forms = [
        form(number, step, racer, f"form-{racer.login}", seen, **answers)  # type: ignore[arg-type]
        for racer, (step, answers) in zip(racers, ways * 2, strict=True)
    ]
    outcomes = at_once(app, forms)
    winners = [outcome for outcome in outcomes if isinstance(outcome, Entry)]
    losers = [outcome for outcome in outcomes if isinstance(outcome, CaseHasMoved)]
    assert (len(winners), len(losers)) == (1, 7), outcomes
    for loser in losers:
        assert loser.who == winners[0].doer.name
        assert "刚刚办理了此件" in str(loser)
    assert version(number) == seen + 1
    assert len(papers(number)) == 2, "the receipt and the winner's document"
    assert lines(number)[-1] == winners[0].act


def test_many_rounds_of_two_officers_always_have_one_winner(app: Flask, cast: Cast) -> None:
    li, twin = cast.who("li"), officer(cast, "li-er", "acceptance")
    for turn in range(10):
        number = a_case(cast, at="received")
        seen = version(number)
        outcomes = at_once(
            app, [form(number, "accept", li, f"a{turn}", seen), form(number, "accept", twin, f"b{turn}", seen)]
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CaseHasMoved", "Entry"], outcomes
        assert lines(number).count("accept") == 1


def test_a_withdrawal_and_a_decision_at_once_end_in_one_of_the_two(app: Flask, cast: Cast) -> None:
    for turn in range(6):
        number = a_case(cast, at="reviewed")
        seen = version(number)
        withdrawn, confirmed = at_once(
            app,
            [
                form(number, "withdraw", cast.who("deng"), f"w{turn}", seen),
                form(number, "confirm", cast.who("chen"), f"c{turn}", seen),
            ],
        )
        if isinstance(confirmed, Entry):
            assert isinstance(withdrawn, CaseHasMoved)
            assert state(number) == "processing"
            assert look(number).facts.record.status == "repaired"  # type: ignore[union-attr]
        else:
            assert isinstance(confirmed, CaseHasMoved)
            assert state(number) == "withdrawn"
            assert look(number).facts.record.status == "published"  # type: ignore[union-attr]
            assert told(number) == {}


# ---- one record, two filings


def test_one_press_of_the_button_sent_eight_times_is_one_filing(app: Flask, cast: Cast) -> None:
    record, deng = cast.penalty(), cast.who("deng")

    def file() -> tuple[str, list[Opened]]:
        with transaction():
            return open_filing(
                cast.subjects["yueheng"], [record], actor=deng, channel="own_portal", key="once", at=now()
            )

    answers = at_once(app, [file] * 8)
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    assert len({(receipt, opened[0].number) for receipt, opened in answers}) == 1
    assert (_count(Filing), _count(Case), _count(CaseRecord)) == (1, 1, 1)


def test_two_clerks_who_apply_for_one_record_at_once_have_one_case(app: Flask, cast: Cast) -> None:
    """邓敏 and 罗建平 both act for the enterprise and have both opened the page."""
    for turn in range(4):
        record = cast.penalty()
        people = [cast.who("deng"), cast.who("luo")]

        def file(place: int, record: int = record, people: list = people, turn: int = turn) -> list[Opened]:  # type: ignore[type-arg]
            with transaction():
                return open_filing(
                    cast.subjects["yueheng"], [record], actor=people[place], channel="own_portal",
                    key=f"{turn}-{place}", at=now(),
                )[1]  # fmt: skip

        outcomes = at_once(app, [lambda file=file: file(0), lambda file=file: file(1)])
        refusals = [outcome for outcome in outcomes if isinstance(outcome, StepRefused)]
        assert len(refusals) == 1, outcomes
        assert [refusal.code for refusal in refusals[0].refusals] == ["DUPLICATE"]
        assert "已经在办理修复" in str(refusals[0])
        assert _count(CaseRecord, CaseRecord.record_id == record) == 1


def test_two_clerks_who_choose_the_same_records_in_another_order_do_not_wait_for_each_other(
    app: Flask, cast: Cast
) -> None:
    deng, luo = cast.who("deng"), cast.who("luo")
    for turn in range(3):
        records = [cast.penalty() for _ in range(3)]

        def file(person: Person, chosen: list[int], turn: int = turn) -> list[Opened]:
            with transaction():
                return open_filing(
                    cast.subjects["yueheng"], chosen, actor=person, channel="own_portal",
                    key=f"{turn}-{person.login}", at=now(),
                )[1]  # fmt: skip

        outcomes = at_once(app, [lambda r=records, f=file: f(deng, r), lambda r=records[::-1], f=file: f(luo, r)])
        winners = [outcome for outcome in outcomes if isinstance(outcome, list)]
        losers = [outcome for outcome in outcomes if isinstance(outcome, StepRefused)]
        assert (len(winners), len(losers)) == (1, 1), outcomes
        assert [one.record_id for one in winners[0]] in (records, records[::-1]), (
            "in the order in which they were asked"
        )
        assert {refusal.code for refusal in losers[0].refusals} == {"DUPLICATE"}


# ---- an annulment and a confirmation


def test_a_confirmation_that_waited_for_an_annulment_sees_it(app: Flask, cast: Cast) -> None:
    """The annulment holds the record; the confirmer presses the button; the annulment is committed."""
    record = cast.penalty()
    number = a_case(cast, at="reviewed", record=record)
    send = form(number, "confirm", cast.who("chen"), "k", version(number))
    held, pressed = threading.Event(), threading.Event()

    def annulling() -> None:
        with transaction():
            db.session.execute(select(CreditRecord.id).where(CreditRecord.id == record).with_for_update())
            held.set()
            assert pressed.wait(10)
            threading.Event().wait(0.15)  # the confirmation is now waiting for the record
            db.session.execute(
                update(CreditRecord).where(CreditRecord.id == record).values(annulled_on=date(2026, 11, 24))
            )

    def confirming() -> Entry:
        assert held.wait(10)
        pressed.set()
        return send()

    _done, outcome = at_once(app, [annulling, confirming])
    assert isinstance(outcome, StepRefused), outcome
    assert [refusal.code for refusal in outcome.refusals] == ["ANNULLED"]
    assert state(number) == "reviewed"
    assert look(number).facts.record.status == "published"  # type: ignore[union-attr]


def test_an_annulment_racing_a_confirmation_is_never_overlooked(app: Flask, cast: Cast) -> None:
    """Either it came first and nothing is confirmed, or it found the confirmed case and acts on that."""
    chen, tang = cast.who("chen"), cast.who("tang")
    for turn in range(16):
        record = cast.penalty()
        number = a_case(cast, at="reviewed", record=record)
        send = form(number, "confirm", chen, f"k{turn}", version(number))
        calls = [lambda record=record: annul(cast, record, who=tang), send]
        outcomes = at_once(app, calls if turn % 2 else calls[::-1])
        found, confirmed = outcomes if turn % 2 else outcomes[::-1]
        if isinstance(confirmed, Entry):
            assert found == "processing", "the annulment must have seen the decision"
        else:
            assert isinstance(confirmed, StepRefused), confirmed
            assert [refusal.code for refusal in confirmed.refusals] == ["ANNULLED"]
            assert found == "reviewed"
            assert papers(number)[-1] != "grant"
        watch.turn()
        assert state(number) == "superseded"
        assert look(number).facts.record.status == "withdrawn"  # type: ignore[union-attr]


# ---- two people


def test_the_reviewer_may_not_also_confirm(app: Flask, cast: Cast) -> None:
    both = officer(cast, "both", "review", "confirmation")
    number = a_case(cast, at="accepted")
    walk(cast, number, both, "review", opinion="grant", finding="义务已履行")
    assert refused(cast, number, both, "confirm") == ["TWO_PEOPLE"]
    assert refused(cast, number, both, "send_back", reason="再看") == ["TWO_PEOPLE"]
    seen = version(number)
    outcomes = at_once(app, [form(number, "confirm", both, f"k{n}", seen) for n in range(8)])
    assert {type(outcome) for outcome in outcomes} == {StepRefused}
    walk(cast, number, "chen", "confirm")


def test_who_sent_it_back_may_not_review_it_then(cast: Cast) -> None:
    both = officer(cast, "both", "review", "confirmation")
    number = a_case(cast, at="reviewed")
    walk(cast, number, both, "send_back", reason="补充核查缴款情况")
    assert refused(cast, number, both, "review", opinion="grant", finding="已核查") == ["TWO_PEOPLE"]
    walk(cast, number, "zhou", "review", opinion="grant", finding="第二次审核：已核查")
    assert refused(cast, number, "zhou", "confirm") == ["OTHER_ROLE"]
    walk(cast, number, both, "confirm")
    assert state(number) == "processing"


def test_reviewing_and_confirming_in_one_breath_is_never_possible(app: Flask, cast: Cast) -> None:
    """Two windows of one person: one reviews, the other confirms whatever version it expects."""
    both = officer(cast, "both", "review", "confirmation")
    for turn in range(6):
        number = a_case(cast, at="accepted")
        seen = version(number)
        reviewed, confirmed = at_once(
            app,
            [
                form(number, "review", both, f"r{turn}", seen, opinion="grant", finding="义务已履行"),
                form(number, "confirm", both, f"c{turn}", seen + 1),
            ],
        )
        assert isinstance(reviewed, Entry)
        assert isinstance(confirmed, StepRefused)
        assert state(number) == "reviewed"


def test_the_database_keeps_the_two_people_apart_when_nobody_else_does(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cover or delegation that fools the law room still meets the constraint."""
    both = officer(cast, "both", "review", "confirmation")
    number = a_case(cast, at="accepted")
    walk(cast, number, both, "review", opinion="grant", finding="义务已履行")
    monkeypatch.setattr(taking, "refusals", lambda *_a, **_k: [])
    seen = version(number)
    with pytest.raises(StepRefused) as caught:
        form(number, "confirm", both, "k", seen)()
    assert [refusal.code for refusal in caught.value.refusals] == ["TWO_PEOPLE"]
    assert state(number) == "reviewed"
    assert papers(number) == ["receipt", "acceptance"]
    parts = db.session.execute(select(PartTaken.person, PartTaken.part)).all()
    db.session.rollback()
    assert {(row.person, row.part) for row in parts} == {(both.person, "review")}


def test_who_has_acted_for_the_company_keeps_away_from_its_case(cast: Cast) -> None:
    """王强 joined the office after he had filed for the company, and lost the mandate."""
    from sqlalchemy import insert

    from app.models import Mandate, Membership
    from tests.cast import SINCE

    with transaction():
        db.session.execute(
            insert(Mandate).values(
                user_id=cast.users["wang"], subject_id=cast.subjects["yueheng"], capacity="clerk", evidence="委托书",
                valid_from=SINCE, valid_until=date(2026, 11, 24),
            )
        )  # fmt: skip
    number = a_case(cast, at="draft")
    walk(cast, number, "wang", "submit")
    with transaction():
        db.session.execute(
            update(Mandate).values(valid_until=date(2026, 11, 23)).where(Mandate.valid_until.is_not(None))
        )
        db.session.execute(
            insert(Membership).values(
                user_id=cast.users["wang"], office_id=cast.offices["province"], role="acceptance", valid_from=SINCE
            )
        )
    assert refused(cast, number, "wang", "receive", t0="today") == ["RECUSED"]
    walk(cast, number, "li", "receive", t0="today")


# ---- other verbs at once


def test_two_files_and_a_draft_saved_at_once_leave_one_chain(app: Flask, cast: Cast, tmp_path, pdf: bytes) -> None:  # type: ignore[no-untyped-def]
    number = a_case(cast, at="draft")
    deng = cast.who("deng")

    def bring(name: str, data: bytes) -> int:
        with transaction():
            return attach(
                number, actor=deng, purpose="duty_proof", name=name, data=data, folder=tmp_path / "up", limit=10**7,
                at=now(),
            )  # fmt: skip

    calls = [lambda n=n: bring(f"证明{n}.pdf", pdf + b"%" + bytes([65 + n])) for n in range(3)]
    outcomes = at_once(app, [*calls, calls[0]])
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    assert outcomes[0] == outcomes[3]
    assert (_count(Attachment), _count(AttachmentUse)) == (3, 3)
    assert lines(number)[1:] == ["attach"] * 3
    assert check_chain("case", look(number).id) == []
    db.session.rollback()


def test_a_letter_signed_in_two_windows_at_once_is_one_letter(app: Flask, cast: Cast) -> None:
    number = a_case(cast, at="draft")
    with transaction() as session:
        session.execute(delete(RepairLetter))
    people = [cast.who("deng"), cast.who("luo")] * 2

    def sign(person: Person) -> str:
        with transaction():
            return sign_letter(number, actor=person, at=now())

    codes = at_once(app, [lambda person=person: sign(person) for person in people])
    assert len(set(codes)) == 1, codes
    assert lines(number) == ["open", "letter"]
    assert _count(RepairLetter) == 1


def test_two_watches_at_once_do_everything_once(app: Flask, cast: Cast, clock: Clock) -> None:
    drafts = [a_case(cast, at="draft") for _ in range(3)]
    correcting = [a_case(cast, at="correcting") for _ in range(3)]
    clock.go("2026-12-28")
    outcomes = at_once(app, [watch.turn, watch.turn, watch.turn])
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    assert [lines(number)[-1] for number in drafts] == ["drop"] * 3
    assert [lines(number)[-1] for number in correcting] == ["lapse"] * 3
    assert _count(Document, Document.kind == "lapse") == 3
    assert _count(JournalLine, JournalLine.act.in_(("drop", "lapse"))) == 6


def test_numbers_of_documents_have_no_gap_and_no_double_when_many_apply_at_once(app: Flask, cast: Cast) -> None:
    numbers = [a_case(cast, at="received") for _ in range(6)]
    li = cast.who("li")
    forms = [form(number, "accept", li, f"k-{number}", version(number)) for number in numbers]
    outcomes = at_once(app, forms)
    assert all(isinstance(outcome, Entry) for outcome in outcomes), outcomes
    serials = db.session.execute(select(Document.serial).where(Document.kind == "acceptance")).scalars().all()
    db.session.rollback()
    assert sorted(serials) == [1, 2, 3, 4, 5, 6]


def test_notices_of_one_company_are_numbered_without_gaps_when_several_cases_are_decided_at_once(
    app: Flask, cast: Cast
) -> None:
    numbers = [a_case(cast, at="reviewed") for _ in range(5)]
    chen = cast.who("chen")
    outcomes = at_once(app, [form(number, "confirm", chen, f"k-{number}", version(number)) for number in numbers])
    assert all(isinstance(outcome, Entry) for outcome in outcomes), outcomes
    rows = db.session.execute(select(Notice.receiver_id, Notice.seq).order_by(Notice.receiver_id, Notice.seq)).all()
    db.session.rollback()
    by_receiver: dict[int, list[int]] = {}
    for row in rows:
        by_receiver.setdefault(row.receiver_id, []).append(row.seq)
    assert len(by_receiver) == 4
    assert set(map(tuple, by_receiver.values())) == {(1, 2, 3, 4, 5)}


@pytest.fixture
def pdf() -> Iterator[bytes]:
    """A real PDF of one blank page."""
    import io

    import pikepdf

    with pikepdf.new() as document:
        document.add_blank_page()
        data = io.BytesIO()
        document.save(data)
    yield data.getvalue()
