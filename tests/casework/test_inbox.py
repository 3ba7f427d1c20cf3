"""What waits for whom, and in what order: the lists themselves, without HTTP."""

from __future__ import annotations

from datetime import date

from sqlalchemy import insert

from app.casework import inbox
from app.casework.inbox import CaseFilter, Unconfirmed
from app.casework.receive import Said, take_receipt
from app.db import db, transaction
from app.models import Membership
from app.now import now
from app.registry.working_days import office_calendar
from tests.build import a_case, walk
from tests.casework.acts import annul, officer, told
from tests.cast import Cast
from tests.conftest import Clock
from workflows.calendar import legal_day


def numbers(rows: object) -> list[str]:
    return [row.number for row in rows]  # type: ignore[attr-defined]


def waiting_for(cast: Cast, name: str) -> list[str]:
    found = numbers(inbox.waiting(cast.who(name), now()).rows)
    db.session.rollback()
    return found


def test_a_case_waits_for_whoever_owns_its_state_and_for_nobody_else(cast: Cast) -> None:
    states = ("draft", "submitted", "correcting", "accepted", "reviewed", "processing")
    cases = {at: a_case(cast, at=at) for at in states}
    found = {name: waiting_for(cast, name) for name in ("li", "zhou", "chen", "he", "liu", "deng")}
    assert found == {
        "li": [cases["submitted"]],
        "zhou": [cases["accepted"]],
        "chen": [cases["reviewed"]],
        "he": [cases["processing"]],
        "liu": [],
        "deng": [],
    }


def test_the_reviewer_is_not_offered_the_decision_on_their_own_opinion(cast: Cast) -> None:
    number = a_case(cast, at="reviewed")
    (row,) = inbox.waiting(cast.who("chen"), now()).rows
    assert row.number == number and row.next_step is None, "granting and refusing stand on the page of the case"
    (row,) = inbox.waiting(cast.who("zhou"), now()).rows or (None,)
    assert row is None


def test_whoever_holds_both_parts_is_pushed_towards_no_accusation_when_the_decision_is_due(cast: Cast) -> None:
    with transaction():
        db.session.execute(
            insert(Membership).values(
                user_id=cast.users["chen"],
                office_id=cast.offices["province"],
                role="review",
                valid_from=date(2026, 1, 1),
            )
        )
    a_case(cast, at="reviewed")
    (row,) = inbox.waiting(cast.who("chen"), now()).rows
    assert row.why == "turn" and row.next_step is None


def test_the_step_that_is_used_up_gives_way_to_the_next(cast: Cast) -> None:
    number = a_case(cast, at="submitted")
    (row,) = inbox.waiting(cast.who("li"), now()).rows
    assert row.next_step is not None and row.next_step.code == "receive"
    walk(cast, number, "li", "receive", t0="today")
    (row,) = inbox.waiting(cast.who("li"), now()).rows
    assert row.next_step is not None and row.next_step.code == "accept"


def test_the_nearest_date_comes_first_and_the_tally_agrees(cast: Cast, clock: Clock) -> None:
    clock.go("2026-11-16")
    late = a_case(cast, at="received")
    clock.go("2026-11-19")
    today = a_case(cast, at="received")
    clock.go("2026-11-24")
    fresh = a_case(cast, at="submitted")
    assert waiting_for(cast, "li") == [late, today, fresh]
    tally = inbox.tally(cast.who("li"), now(), office_calendar())
    assert (tally.all, tally.late, tally.today, tally.more) == (3, 1, 1, False)
    assert waiting_for(cast, "tang") == [late, today, fresh], "all three end today or tomorrow, or have ended"


def test_a_list_is_turned_forwards_and_back_without_a_gap(cast: Cast, clock: Clock) -> None:
    for day in range(9, 21):
        clock.go(f"2026-11-{day:02d}")
        if legal_day(now()).weekday() < 5:
            a_case(cast, at="received")
    clock.go("2026-11-24")
    who = cast.who("li")
    first = inbox.waiting(who, now(), limit=4)
    second = inbox.waiting(who, now(), first.after, limit=4)
    third = inbox.waiting(who, now(), second.after, limit=4)
    back = inbox.waiting(who, now(), before=third.before, limit=4)
    pages = [numbers(page.rows) for page in (first, second, third, back)]
    assert [len(page) for page in pages] == [4, 4, 2, 4] and pages[3] == pages[1]
    assert len({number for page in pages[:3] for number in page}) == 10
    assert first.before is None and third.after is None and back.after is not None
    dues = [row.deadlines[0].due_on for page in (first, second, third) for row in page.rows]
    assert dues == sorted(dues, key=lambda due: due or date.max)
    everything = inbox.cases_of_offices(who, now(), CaseFilter(), office_calendar(), limit=6)
    rest = inbox.cases_of_offices(who, now(), CaseFilter(), office_calendar(), everything.after, limit=6)
    assert numbers((*everything.rows, *rest.rows)) == list(reversed(numbers((*first.rows, *second.rows, *third.rows))))


def test_a_standing_filing_says_why_it_stands(cast: Cast, clock: Clock) -> None:
    clock.go("2026-08-10")
    number = a_case(cast, at="held", on="2026-05-18")
    clock.go("2026-08-13")
    cast.penalty(on="2026-08-12")
    clock.go("2026-08-19")
    (row,) = inbox.waiting(cast.who("li"), now()).rows
    assert row.number == number and row.why == "stuck"
    assert [refusal.code for refusal in row.reasons] == ["NEW_OFFENCE"]


def test_a_case_is_found_by_its_number_its_subject_and_its_record(cast: Cast) -> None:
    one, other = a_case(cast, at="received"), a_case(cast, at="accepted")

    def found(**wanted: object) -> list[str]:
        page = inbox.cases_of_offices(cast.who("li"), now(), CaseFilter(**wanted), office_calendar())  # type: ignore[arg-type]
        db.session.rollback()
        return numbers(page.rows)

    assert found() == [other, one]
    assert found(text=f" {one.lower()} ") == [one]
    assert found(text="岳衡") == [other, one] and found(text="没有") == [] and found(text="%") == []
    assert found(text=cast.codes["yueheng"]) == [other, one]
    assert found(text="湘交罚〔2026〕2号") == [other]
    assert found(state="accepted") == [other]
    assert found(office=cast.offices["changsha"]) == [] and found(office=cast.offices["province"]) == [other, one]
    assert found(late="late") == []


def test_what_others_have_not_confirmed_in_time_is_told_to_the_head_in_one_figure(cast: Cast, clock: Clock) -> None:
    """Asked for by Friday 27 November: on that day nothing, on Monday a word to the head and to nobody else."""
    numbers_of = [a_case(cast, at="processing") for _ in range(2)]
    annul(cast, cast.penalty())
    xie = officer(cast, "xie", "linked", office="ld-market")
    key = told(numbers_of[0])["ld-market"][0].key
    with transaction():
        take_receipt(
            key, Said("done", "1", now()), receiver_id=cast.offices["ld-market"], actor=xie, via="counter", at=now()
        )
    calendar = office_calendar()

    def owed(name: str) -> Unconfirmed | None:
        found = inbox.unconfirmed(cast.who(name), legal_day(now()))
        db.session.rollback()
        return found

    clock.go("2026-11-27")
    assert owed("tang") is None
    clock.go("2026-11-30")
    assert owed("tang") == Unconfirmed(receivers=11, cases=2, records=4)
    assert owed("he") is owed("li") is owed("liu") is owed("xie") is owed("deng") is None
    late = inbox.cases_of_offices(cast.who("tang"), now(), CaseFilter(late="receivers"), calendar)
    assert sorted(numbers(late.rows)) == sorted(numbers_of)
    db.session.rollback()
