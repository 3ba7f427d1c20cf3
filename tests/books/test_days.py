"""Days declared by a notice: what they move, what they may not, and that every deadline stays a fold of the journal."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from app.casework.facts import load_case
from app.db import db, transaction
from app.journal import check_chain
from app.legal_book.days import (
    Declared,
    PreviewOutdated,
    Shortens,
    calendar_with,
    declare,
    declared,
    preview,
    seen,
)  # fmt: skip
from app.legal_book.recount import recounted
from app.models import CalendarOverride, Case, DeadlineRow, JournalLine
from app.now import now
from app.office_book.base import NotDone
from tests.build import a_case, walk
from tests.casework.acts import annul
from workflows.clockwork import turn

NOTICE = "湘政办发〔2026〕99号"
REST = tuple(Declared(date(2026, 11, day), False) for day in (26, 27))
WORK = (Declared(date(2026, 11, 28), True),)


def enter_days(cast, days, accept=False, announces=None, notice=NOTICE, who="shen"):
    """Look and then confirm, like an administrator."""
    shown = seen(days, notice, announces, preview(days, notice, announces, now()))
    with transaction():
        return declare(cast.who(who), days, notice, announces, shown=shown, accept_shorter=accept, at=now())


def due(number):
    """The last day of each limit of a case, as pages read it."""
    rows = db.session.execute(
        select(DeadlineRow.clock, DeadlineRow.due_on)
        .join(Case, Case.id == DeadlineRow.about_id)
        .where(Case.number == number, DeadlineRow.about == "case")
    ).all()
    db.session.rollback()
    return {row.clock: row.due_on for row in rows}


def is_a_fold(number):
    """The rows that pages read are what the journal says, and nothing moves when everything is counted again."""
    loaded = load_case(number, now())
    rows = db.session.execute(
        select(*DeadlineRow.__table__.c).where(DeadlineRow.about == "case", DeadlineRow.about_id == loaded.id)
    ).all()
    kept = {(row.clock, row.item): (row.state, row.due_on, row.base, row.provisional) for row in rows}
    folded = {(d.clock, d.item): (d.state, d.due_on, d.base, d.provisional) for d in loaded.facts.deadlines}
    again = list(recounted(loaded.lines, loaded.facts.calendar))
    broken = check_chain("case", loaded.id)
    db.session.rollback()
    return kept == folded and not again and not broken


def test_rest_days_put_off_every_limit_that_runs_over_them_in_one_transaction(cast):
    number = a_case(cast, at="accepted")
    before = due(number)
    assert before["decide"] == date(2026, 12, 3) and before["total"] == date(2026, 12, 8)
    moves = enter_days(cast, REST)
    assert due(number) == {**before, "decide": date(2026, 12, 7), "total": date(2026, 12, 10)}
    assert {(move.number, move.clock) for move in moves} == {(number, "decide"), (number, "total")}
    assert is_a_fold(number)


def test_each_case_gets_one_journal_line_with_the_notice_and_the_days(cast):
    number = a_case(cast, at="accepted")
    enter_days(cast, REST)
    line = db.session.execute(select(*JournalLine.__table__.c).where(JournalLine.act == "recount")).one()
    assert line.person_name == "沈工" and line.role == "administrator" and line.source == line.target == "accepted"
    assert NOTICE in line.answers["reason"] and "办理期限由2026年12月3日改为2026年12月7日" in line.answers["reason"]
    assert {event["clock"] for event in line.clocks} == {"decide", "total"}
    assert line.calendar == calendar_with(declared()).edition
    db.session.rollback()
    assert is_a_fold(number)


def test_the_case_goes_on_after_a_recount_and_the_new_days_hold(cast):
    number = a_case(cast, at="received")
    enter_days(cast, REST)
    walk(cast, number, "li", "accept")
    walk(cast, number, "zhou", "review", opinion="grant", finding="义务已履行")
    walk(cast, number, "chen", "confirm")
    assert is_a_fold(number)


def test_a_day_within_the_first_stretch_moves_an_extended_limit_too(cast, clock):
    number = a_case(cast, at="accepted")
    walk(cast, number, "tang", "extend", reason="需要核实")
    before = due(number)
    enter_days(cast, REST[:1])
    after = due(number)
    plain = calendar_with(declared())
    assert after["decide"] == plain.add_working(before["decide"], 1)
    assert is_a_fold(number)
    enter_days(cast, (Declared(date(2026, 12, 7), False),), notice="湘政办发〔2026〕100号")
    assert due(number)["decide"] == calendar_with(declared()).add_working(after["decide"], 1)
    assert is_a_fold(number)


def test_a_paused_or_restarted_limit_is_counted_right_afterwards(cast, clock):
    number = a_case(cast, at="correcting")
    enter_days(cast, REST)
    clock.go("2026-11-25")
    walk(cast, number, "deng", "resubmit", statement="已重新拍照")
    assert due(number)["accept"] == calendar_with(declared()).add_working(date(2026, 11, 25), 3)
    assert is_a_fold(number)


def test_a_working_saturday_shortens_only_with_somebodys_word(cast):
    number = a_case(cast, at="accepted")
    before = due(number)
    with pytest.raises(Shortens):
        enter_days(cast, WORK)
    assert due(number) == before and db.session.execute(select(CalendarOverride.id)).all() == []
    db.session.rollback()
    moves = enter_days(cast, WORK, accept=True)
    assert all(move.shorter for move in moves)
    assert due(number)["decide"] == date(2026, 12, 2)
    assert is_a_fold(number)


def test_no_day_that_has_come_can_be_made_a_working_day(cast):
    for day in (date(2026, 11, 22), date(2026, 11, 24)):
        with pytest.raises(NotDone, match="不在今天以后"):
            preview((Declared(day, True),), NOTICE, None, now())


def test_a_limit_never_ends_before_tomorrow_by_a_working_day_put_in(cast, clock):
    number = a_case(cast, at="accepted")
    clock.go("2026-12-02")
    enter_days(cast, (Declared(date(2026, 12, 3), False),))
    clock.go("2026-12-04")
    moves = preview((Declared(date(2026, 12, 5), True),), NOTICE, None, now())
    assert all(move.after > date(2026, 12, 4) for move in moves)
    assert is_a_fold(number)


def test_the_same_day_is_entered_once_and_never_edited(cast):
    enter_days(cast, REST)
    with pytest.raises(NotDone, match="2026年11月26日已经按“湘政办发〔2026〕99号”录过"):
        preview(REST, "另一份", None, now())
    with pytest.raises(NotDone, match="写了两次"):
        preview((Declared(date(2026, 12, 1), False), Declared(date(2026, 12, 1), True)), NOTICE, None, now())


def test_what_was_shown_is_what_is_done(cast):
    shown = seen(REST, NOTICE, None, preview(REST, NOTICE, None, now()))
    a_case(cast, at="accepted")
    with pytest.raises(PreviewOutdated), transaction():
        declare(cast.who("shen"), REST, NOTICE, None, shown=shown, accept_shorter=False, at=now())
    assert db.session.execute(select(CalendarOverride.id)).all() == []


@pytest.mark.parametrize("who", ["jiang", "li", "deng"])
def test_only_an_administrator_of_the_department_enters_days(cast, who):
    shown = seen(REST, NOTICE, None, preview(REST, NOTICE, None, now()))
    with pytest.raises(NotDone, match="省级管理员"), transaction():
        declare(cast.who(who), REST, NOTICE, None, shown=shown, accept_shorter=False, at=now())


def test_the_notice_of_a_year_ends_its_being_provisional(cast, clock):
    clock.go("2026-12-21")
    number = a_case(cast, at="accepted")
    loaded = load_case(number, now())
    db.session.rollback()
    assert loaded.facts.deadline("total").provisional
    new_year = tuple(Declared(date(2027, 1, day), False) for day in (1, 2, 3)) + (Declared(date(2027, 1, 9), True),)
    moves = enter_days(cast, new_year, announces=2027, notice="国办发明电〔2026〕7号", accept=True)
    assert any(move.was_provisional and not move.provisional for move in moves)
    loaded = load_case(number, now())
    db.session.rollback()
    assert not loaded.facts.deadline("total").provisional
    assert is_a_fold(number)


def test_ended_cases_and_days_before_the_count_move_nothing(cast, clock):
    a_case(cast, at="withdrawn")
    a_case(cast, at="declined")
    assert preview(REST, NOTICE, None, now()) == []
    number = a_case(cast, at="accepted")
    clock.go("2026-11-26")
    assert preview((Declared(date(2026, 11, 23), False),), NOTICE, None, now()) == []
    assert is_a_fold(number)


def test_a_failure_halfway_leaves_neither_day_nor_line(cast, monkeypatch):
    number = a_case(cast, at="accepted")
    before = due(number)

    def break_down(*_args, **_named):
        raise RuntimeError("the lights went out")

    monkeypatch.setattr("app.legal_book.recount.store", break_down)
    with pytest.raises(RuntimeError):
        enter_days(cast, REST)
    assert due(number) == before
    assert db.session.execute(select(CalendarOverride.id)).all() == []
    assert db.session.execute(select(JournalLine.id).where(JournalLine.act.in_(("recount", "declare")))).all() == []


def test_a_recount_is_only_the_turn_of_the_journal(cast):
    number = a_case(cast, at="accepted")
    enter_days(cast, REST)
    loaded = load_case(number, now())
    deadlines = ()
    for line in loaded.lines:
        deadlines = turn(deadlines, line.clocks)
    db.session.rollback()
    assert deadlines == loaded.facts.deadlines


def test_the_limits_of_a_record_without_a_case_are_counted_again_like_those_of_a_case(cast, clock):
    """An annulled penalty is withdrawn at once and every receiver asked to confirm, without a case for its limits."""
    record = cast.penalty()
    clock.go("2026-11-24")
    annul(cast, record)
    before = due_of_record(record)
    assert before and all(day >= REST[0].day for day in before.values())
    moves = enter_days(cast, REST)
    after = due_of_record(record)
    assert {(move.about, move.about_id) for move in moves} == {("record", record)}
    assert {move.title for move in moves} == {"同步期限"} and all(move.whose != move.item for move in moves)
    plain = calendar_with(declared())
    assert after == {item: plain.add_working(day, 2) for item, day in before.items()}
    lines = db.session.execute(
        select(JournalLine.act, JournalLine.clocks)
        .where(JournalLine.about == "record", JournalLine.about_id == record)
        .order_by(JournalLine.seq)
    ).all()
    assert lines[-1].act == "recount" and {event["item"] for event in lines[-1].clocks} == set(before)
    folded: tuple = ()
    for line in lines:
        folded = turn(folded, line.clocks)
    assert {d.item: d.due_on for d in folded if d.state == "running"} == after
    assert list(recounted(lines, plain)) == [] and not check_chain("record", record)


def due_of_record(record):
    """The last day of each running limit of a record, by the receiver."""
    rows = db.session.execute(
        select(DeadlineRow.item, DeadlineRow.due_on).where(
            DeadlineRow.about == "record", DeadlineRow.about_id == record, DeadlineRow.state == "running"
        )
    ).all()
    db.session.rollback()
    return {row.item: row.due_on for row in rows}
