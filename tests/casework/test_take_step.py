"""The one way a case moves, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.casework.facts import NoSuchCase, load_case
from app.casework.refused import CaseHasMoved, KeyReused, StepRefused
from app.db import db, transaction
from app.models import Case, CaseRecord, JournalLine, Once
from app.now import now
from tests.build import a_case, night, state, version, walk
from tests.casework.acts import everything, form, ink, lines, look, papers, refused, scalar
from tests.cast import Cast
from tests.conftest import Clock
from workflows.calendar import SHANGHAI


def test_a_case_walks_from_draft_to_information_processing(cast: Cast) -> None:
    number = a_case(cast, at="processing")
    assert state(number) == "processing"
    loaded = load_case(number, now())
    assert loaded.facts.record is not None
    assert loaded.facts.record.status == "repaired"
    assert [line.act for line in loaded.lines] == ["open", "submit", "receive", "accept", "review", "confirm"]
    db.session.rollback()


def test_a_repair_is_closed_when_served_handed_in_and_every_task_is_done(cast: Cast) -> None:
    number = a_case(cast, at="processing")
    assert refused(cast, number, "he", "serve", manner="portal") == ["NOT_PRINTED"]
    ink(number)
    walk(cast, number, "he", "serve", manner="portal")
    walk(cast, number, "he", "hand_over", manner="平台推送")
    walk(cast, number, "he", "do_task", item="regrade", outcome="已重新评价")
    night(with_press=False)
    assert state(number) == "processing", "one task is left"
    assert refused(cast, number, "he", "close") == ["TASKS_OPEN"]
    assert refused(cast, number, "he", "do_task", item="regrade", outcome="又一次")[0] == "COUNTED"
    assert refused(cast, number, "he", "do_task", item="unheard_of", outcome="没有这项") == ["NO_TASK"]
    walk(cast, number, "he", "do_task", item="own_pages", outcome="已核对")
    night(with_press=False)
    assert state(number) == "closed"
    assert lines(number)[-1] == "close"
    assert look(number).lines[-1].person_name == "系统值守"
    assert papers(number) == ["receipt", "acceptance", "grant"]


def test_the_same_form_again_gets_the_same_answer_and_has_one_effect(cast: Cast) -> None:
    number = a_case(cast, at="received")
    send = form(number, "accept", cast.who("li"), "key-of-the-page", version(number))
    first = send()
    between = everything()
    again = send()
    assert (again.id, again.seq, again.at, again.act, again.doer.name) == (
        first.id, first.seq, first.at, "accept", "李昊",
    )  # fmt: skip
    assert everything() == between


def test_the_same_form_is_answered_alike_long_after_the_case_has_gone_on(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="received")
    send = form(number, "accept", cast.who("li"), "key-of-the-page", version(number))
    first = send()
    walk(cast, number, "zhou", "review", opinion="grant", finding="义务已履行")
    walk(cast, number, "chen", "confirm")
    clock.go("2026-12-20")
    assert send().id == first.id


def test_a_key_with_other_answers_is_refused(cast: Cast) -> None:
    number = a_case(cast, at="received")
    seen = version(number)
    form(number, "decline", cast.who("li"), "k", seen, ground="SECTOR_CONDITION", reason="条件不符")()
    before = everything()
    for other in (
        form(number, "decline", cast.who("li"), "k", seen, ground="SECTOR_CONDITION", reason="另一个理由"),
        form(number, "accept", cast.who("li"), "k", seen),
    ):
        with pytest.raises(KeyReused) as caught:
            other()
        assert "重新打开页面" in str(caught.value)
    assert everything() == before


def test_a_key_belongs_to_the_person_who_sent_it(cast: Cast) -> None:
    """Somebody who guesses another's key learns nothing and does their own step."""
    number = a_case(cast, at="received")
    form(number, "accept", cast.who("li"), "k", version(number))()
    entry = form(number, "review", cast.who("zhou"), "k", version(number), opinion="grant", finding="已履行")()
    assert (entry.act, entry.doer.name) == ("review", "周敏")


def test_the_key_of_a_refused_form_is_free_for_the_corrected_one(cast: Cast) -> None:
    number = a_case(cast, at="received")
    seen = version(number)
    with pytest.raises(StepRefused):
        form(number, "decline", cast.who("li"), "k", seen, ground="SECTOR_CONDITION", reason="")()
    assert scalar(select(func.count()).select_from(Once).where(Once.key == "k")) == 0
    form(number, "decline", cast.who("li"), "k", seen, ground="SECTOR_CONDITION", reason="条件不符")()
    assert state(number) == "declined"


def test_a_stale_form_is_told_who_did_what_and_when(cast: Cast) -> None:
    number = a_case(cast, at="received")
    seen = version(number)
    stale = form(number, "decline", cast.who("li"), "late", seen, ground="SECTOR_CONDITION", reason="条件不符")
    walk(cast, number, "li", "accept")
    with pytest.raises(CaseHasMoved) as caught:
        stale()
    assert (caught.value.who, caught.value.what) == ("李昊", "受理")
    assert caught.value.when == now()
    assert "没有提交成功" in str(caught.value)
    assert state(number) == "accepted"


def test_a_stale_form_is_stale_even_when_the_state_is_the_same_again(cast: Cast) -> None:
    """Signed for in between: still 待受理, but not the case that was looked at."""
    number = a_case(cast, at="submitted")
    stale = form(number, "withdraw", cast.who("deng"), "late", version(number))
    walk(cast, number, "li", "receive", t0="today")
    with pytest.raises(CaseHasMoved) as caught:
        stale()
    assert caught.value.what == "签收"


def test_what_does_not_exist_is_said_so(cast: Cast) -> None:
    number = a_case(cast, at="received")
    with pytest.raises(NoSuchCase):
        form("XF-NOSUCH00", "accept", cast.who("li"), "k", 3)()
    assert refused(cast, number, "li", "to_closed") == ["NO_STEP"]
    assert refused(cast, number, "li", "confirm") == ["MOVED"]
    assert state(number) == "submitted"


def test_a_step_outside_a_transaction_block_leaves_nothing_behind(cast: Cast) -> None:
    """The step never commits; a caller that forgets to has done nothing."""
    from app.casework.take_step import take_step

    number = a_case(cast, at="received")
    before = everything()
    take_step(number, "accept", actor=cast.who("li"), answers={}, key="k", seen_version=version(number), at=now())
    db.session.rollback()
    assert everything() == before


def test_transactions_are_not_nested(cast: Cast) -> None:
    with pytest.raises(RuntimeError, match="套用"), transaction(), transaction():
        pass


def test_the_envelope_keeps_when_it_was_received_accepted_and_decided(cast: Cast, clock: Clock) -> None:
    """T0 may lie before the day on which we sign for it; T1 is the signing, T2 the acceptance, T3 the decision."""
    clock.go("2026-11-23 09:00")
    number = a_case(cast, at="submitted")
    clock.go("2026-11-24 11:30")
    walk(cast, number, "li", "receive", t0="2026-11-23")
    row = look(number).row
    assert row.t0.astimezone(SHANGHAI).isoformat() == "2026-11-23T00:00:00+08:00"
    assert row.t1.astimezone(SHANGHAI).isoformat() == "2026-11-24T11:30:00+08:00"
    assert (row.t2, row.t3) == (None, None)
    accepted = clock.go("2026-11-25 09:10")
    walk(cast, number, "li", "accept")
    walk(cast, number, "zhou", "review", opinion="grant", finding="已履行")
    decided = clock.go("2026-11-26 15:00")
    walk(cast, number, "chen", "confirm")
    row = look(number).row
    assert (row.t2, row.t3) == (accepted, decided)
    assert row.t0 < row.t1 < row.t2 < row.t3


@pytest.mark.parametrize(
    ("t0", "code"), [("2026-11-25", "T0_FUTURE"), ("2026-11-22", "T0_EARLY"), ("昨天", "T0_UNREADABLE"), ("", "ASKED")]
)
def test_a_day_of_receipt_that_cannot_be_is_refused(cast: Cast, clock: Clock, t0: str, code: str) -> None:
    clock.go("2026-11-23")
    number = a_case(cast, at="submitted")
    clock.go("2026-11-24")
    assert refused(cast, number, "li", "receive", t0=t0) == [code]
    assert look(number).row.t0 is None


def test_officers_see_the_filing_from_the_moment_it_is_handed_in(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="draft")
    assert look(number).row.filed_at is None
    handed_in = clock.go("2026-11-24 16:00")
    walk(cast, number, "deng", "submit")
    clock.go("2026-11-25")
    walk(cast, number, "li", "receive", t0="today")
    assert look(number).row.filed_at == handed_in


@pytest.mark.parametrize("end", ["declined", "transferred", "withdrawn", "refused"])
def test_a_record_is_free_again_when_its_case_has_ended(cast: Cast, end: str) -> None:
    record = cast.penalty()
    number = a_case(cast, at="received", record=record)
    assert scalar(select(CaseRecord.open_record).where(CaseRecord.record_id == record)) == record
    db.session.rollback()
    match end:
        case "declined":
            walk(cast, number, "li", "decline", ground="SECTOR_CONDITION", reason="条件不符")
        case "transferred":
            walk(cast, number, "li", "transfer", to="长沙市交通运输局", reason="由其认定")
        case "withdrawn":
            walk(cast, number, "deng", "withdraw")
        case _:
            walk(cast, number, "li", "accept")
            walk(cast, number, "zhou", "review", opinion="refuse", finding="尚未改正")
            walk(cast, number, "chen", "refuse", reason="尚未改正", cure="改正后即可再申请")
    assert state(number) == end
    assert look(number).row.final
    assert scalar(select(CaseRecord.open_record).where(CaseRecord.record_id == record)) is None
    assert a_case(cast, at="draft", record=record) != number


def test_every_line_says_who_did_it_in_which_role_for_whom_and_under_which_law(cast: Cast) -> None:
    number = a_case(cast, at="processing")
    rows = look(number).lines
    by_act = {row.act: row for row in rows}
    assert (by_act["submit"].role, by_act["submit"].on_behalf_of) == ("filer", cast.subjects["yueheng"])
    assert by_act["submit"].office_id is None
    assert (by_act["accept"].role, by_act["accept"].office_id) == ("acceptance", cast.offices["province"])
    assert all(row.person and row.person_name and row.address == "127.0.0.1" for row in rows)
    assert all(row.law and row.edition and row.calendar for row in rows)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert scalar(select(Case.version).where(Case.number == number)) == len(rows)
    assert scalar(select(func.count()).select_from(JournalLine).where(JournalLine.about == "case")) == len(rows)
