"""A step is broken at each of its statements in turn, and once more at the commit: nothing at all is left of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.casework import effects, once
from app.casework import take_step as taking
from app.casework.annul import annul_record
from app.casework.attach import attach
from app.casework.letter import sign_letter
from app.casework.open_case import open_filing
from app.casework.refused import StepRefused
from app.db import db, on_wake, transaction, writing
from app.documents.freeze import CannotIssue
from app.journal import Entry
from app.models import Case, Document, JournalLine, Notice
from app.now import now
from tests.build import a_case, state, version, walk
from tests.casework.acts import annul, everything, form, lines, papers, scalar, told
from tests.casework.test_attach import pdf
from tests.cast import Cast
from tests.conftest import Clock
from workflows.people import WATCH


class Broken(RuntimeError):
    """The fault that was injected."""


@contextmanager
def breaking(nth: int, moment: str = "before_cursor_execute") -> Iterator[list[str]]:
    """Raise at the n-th statement (counted from 1), before it runs or after it ran; yields the statements so far."""
    seen: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)
        if len(seen) == nth:
            raise Broken(statement)

    event.listen(db.engine, moment, count)
    try:
        yield seen
    finally:
        event.remove(db.engine, moment, count)


@contextmanager
def breaking_the_commit() -> Iterator[None]:
    """The database refuses to commit."""

    def refuse(_connection: Any) -> None:
        raise Broken("COMMIT")

    event.listen(db.engine, "commit", refuse)
    try:
        yield
    finally:
        event.remove(db.engine, "commit", refuse)


Act = Callable[[], Any]


def _submit(cast: Cast) -> Act:
    number = a_case(cast, at="draft")
    return form(number, "submit", cast.who("deng"), "k", version(number))


def _correct(cast: Cast) -> Act:
    number = a_case(cast, at="received")
    items = [{"name": "缴款凭证", "problem": "看不清", "remedy": "重拍"}]
    return form(number, "correct", cast.who("li"), "k", version(number), items=items)


def _review(cast: Cast) -> Act:
    number = a_case(cast, at="accepted")
    return form(number, "review", cast.who("zhou"), "k", version(number), opinion="grant", finding="已履行")


def _confirm(cast: Cast) -> Act:
    number = a_case(cast, at="reviewed")
    return form(number, "confirm", cast.who("chen"), "k", version(number))


def _refuse_false(cast: Cast) -> Act:
    number = a_case(cast, at="accepted")
    walk(cast, number, "zhou", "warn", facts="缴款票据与登记不一致")
    walk(cast, number, "deng", "state_views", statement="没有意见")
    walk(cast, number, "zhou", "review", opinion="false", finding="票据系伪造")
    return form(number, "refuse_false", cast.who("chen"), "k", version(number), reason="缴款票据与登记不一致")


def _supersede(cast: Cast) -> Act:
    record = cast.penalty()
    number = a_case(cast, at="processing", record=record)
    annul(cast, record)
    return form(number, "supersede", WATCH, "k", version(number))


def _file_two(cast: Cast) -> Act:
    records, deng = [cast.penalty(), cast.penalty()], cast.who("deng")

    def act() -> Any:
        with transaction():
            return open_filing(cast.subjects["yueheng"], records, actor=deng, channel="own_portal", key="k", at=now())

    return act


def _annul(cast: Cast) -> Act:
    record, tang = cast.penalty(), cast.who("tang")
    a_case(cast, at="refused", record=record)

    def act() -> Any:
        with transaction():
            return annul_record(record, actor=tang, reason="复议撤销", day=now().date(), at=now())

    return act


def _sign(cast: Cast) -> Act:
    from sqlalchemy import delete

    from app.models import RepairLetter

    number, luo = a_case(cast, at="draft"), cast.who("luo")
    with transaction() as session:
        session.execute(delete(RepairLetter))

    def act() -> Any:
        with transaction():
            return sign_letter(number, actor=luo, at=now())

    return act


ACTS = (_submit, _correct, _review, _confirm, _refuse_false, _supersede, _file_two, _annul, _sign)


@pytest.mark.parametrize("act", ACTS, ids=[act.__name__[1:] for act in ACTS])
def test_broken_at_any_statement_nothing_is_left_of_it(cast: Cast, act: Callable[[Cast], Act]) -> None:
    do = act(cast)
    before = everything()
    for nth in range(1, 200):
        with breaking(nth) as seen:
            try:
                do()
            except Broken as broken:
                assert str(broken) == seen[-1]
            else:
                break
        assert everything() == before, f"left over after statement {nth}: {seen[-1]}"
        assert not writing()
    else:
        pytest.fail("two hundred statements and no end")
    assert nth > 5, "the act must have had statements to break"
    after = everything()
    assert after != before, "unbroken, it has an effect"


@pytest.mark.parametrize("act", [_submit, _confirm, _supersede], ids=["submit", "confirm", "supersede"])
def test_broken_after_its_last_statement_or_in_the_commit_nothing_is_left_either(
    cast: Cast, act: Callable[[Cast], Act]
) -> None:
    do = act(cast)
    before = everything()
    with breaking(10_000) as seen, breaking_the_commit(), pytest.raises(Broken, match="COMMIT"):
        do()
    assert everything() == before
    with breaking(len(seen), "after_cursor_execute"), pytest.raises(Broken):
        do()
    assert everything() == before
    assert isinstance(do(), Entry)


@pytest.mark.parametrize(
    ("room", "name"),
    [
        (taking, "freeze"),
        (taking, "write_notices"),
        (taking, "write_line"),
        (taking, "the_move"),
        (taking, "plan"),
        (taking, "leave_work"),
        (taking.clocks, "store"),
        (once, "remember"),
        (effects.EFFECTS, "end_publicity"),
        (effects.EFFECTS, "lift_measures"),
        (effects.EFFECTS, "list_tasks"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_confirmation_broken_in_any_of_its_parts_leaves_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, room: Any, name: str
) -> None:
    def broken(*_args: Any, **_more: Any) -> Any:
        raise Broken(name)

    do = _confirm(cast)
    before = everything()
    with monkeypatch.context() as patch:
        if isinstance(room, dict):
            patch.setitem(room, name, broken)
        else:
            patch.setattr(room, name, broken)
        with pytest.raises(Broken, match=name):
            do()
    assert everything() == before
    assert do().act == "confirm"


def test_a_document_that_may_not_go_out_stops_the_whole_step_with_its_reasons(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_args: Any) -> int:
        raise CannotIssue(["缺少复议机关，不能出具准予信用修复决定书。", "含有无法显示的字：𰻞"])

    do = _confirm(cast)
    before = everything()
    with monkeypatch.context() as patch:
        patch.setattr(taking, "freeze", cannot)
        with pytest.raises(StepRefused) as caught:
            do()
    assert [refusal.text for refusal in caught.value.refusals][0].startswith("缺少复议机关")
    assert len(caught.value.refusals) == 2
    assert everything() == before


def test_a_trigger_that_refuses_one_table_refuses_the_step(cast: Cast, app: Flask) -> None:
    """As Boulder does it: the database itself fails one INSERT at the worst moment."""
    do = _confirm(cast)
    before = everything()
    sqlite = db.engine.dialect.name == "sqlite"
    for table in ("journal", "deadline", "document", "notice", "publication_fact", "repair_task", "record_share"):
        with transaction() as session:
            if sqlite:
                session.execute(
                    text(
                        f"CREATE TRIGGER worst BEFORE INSERT ON {table} "
                        "BEGIN SELECT RAISE(ABORT, 'the worst moment'); END"
                    )
                )
            else:
                session.execute(
                    text(
                        "CREATE OR REPLACE FUNCTION worst() RETURNS trigger LANGUAGE plpgsql AS "
                        "$$ BEGIN RAISE EXCEPTION 'the worst moment'; END $$"
                    )
                )
                session.execute(
                    text(f"CREATE TRIGGER worst BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION worst()")
                )
        try:
            with pytest.raises(DBAPIError, match="the worst moment"):
                do()
        finally:
            with transaction() as session:
                session.execute(text("DROP TRIGGER worst" if sqlite else f"DROP TRIGGER worst ON {table}"))
        assert everything() == before, table
    assert do().act == "confirm"


# ---- the outcome that nobody knows


def test_committed_but_the_answer_was_lost_the_same_form_again_gets_the_answer(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has committed, and the line went dead before it could say so."""
    number = a_case(cast, at="reviewed")
    do = form(number, "confirm", cast.who("chen"), "k", version(number))
    dialect = db.engine.dialect
    commit = dialect.do_commit

    def lost(connection: Any) -> None:
        commit(connection)
        raise dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(dialect, "do_commit", lost)
        with pytest.raises(OperationalError):
            do()
    assert state(number) == "processing", "it has happened"
    before = everything()
    answer = do()
    assert (answer.act, answer.doer.name) == ("confirm", "陈立")
    assert everything() == before
    assert papers(number).count("grant") == 1
    assert {len(rows) for rows in told(number).values()} == {1}


def test_a_connection_that_is_cut_in_the_middle_leaves_nothing_and_the_next_try_succeeds(
    cast: Cast, database: str
) -> None:
    if database != "postgresql":
        pytest.skip("SQLite has no connection that could be cut")
    do = _confirm(cast)
    before = everything()
    cut = []

    def cut_it(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO journal") and not cut:
            cut.append(statement)
            own = connection.connection.dbapi_connection.info.backend_pid
            with db.engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
            time.sleep(0.1)

    event.listen(db.engine, "before_cursor_execute", cut_it)
    try:
        with pytest.raises(OperationalError):
            do()
    finally:
        event.remove(db.engine, "before_cursor_execute", cut_it)
    assert cut
    assert everything() == before
    assert do().act == "confirm"


def test_the_watch_is_woken_after_the_commit_and_only_then(cast: Cast) -> None:
    number = a_case(cast, at="draft")
    do = form(number, "submit", cast.who("deng"), "k", version(number))
    seen: list[tuple[str, bool]] = []

    def wake() -> None:
        with db.engine.connect() as other:
            row = other.execute(select(Case.state).where(Case.number == number)).scalar_one()
        seen.append((row, writing()))

    on_wake(wake)
    try:
        with breaking_the_commit(), pytest.raises(Broken):
            do()
        assert seen == []
        do()
        assert seen == [("submitted", False)]
        with transaction():
            pass
        assert len(seen) == 1, "what leaves no work wakes nobody, not even after a broken step"
    finally:
        on_wake(None)


def test_a_waker_that_fails_does_not_undo_or_hide_what_was_committed(cast: Cast) -> None:
    """A lost wake-up costs a minute, never an answer."""
    number = a_case(cast, at="draft")

    def fails() -> None:
        raise OSError("the queue is full")

    on_wake(fails)
    try:
        entry = form(number, "submit", cast.who("deng"), "k", version(number))()
    finally:
        on_wake(None)
    assert entry.act == "submit"
    assert state(number) == "submitted"


# ---- the watch


def test_one_case_the_watch_cannot_move_stops_no_other(
    cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.duty import clock as watch

    bad, good = a_case(cast, at="draft"), a_case(cast, at="draft")
    real = watch.take_step

    def sometimes(number: str, *args: Any, **more: Any) -> Entry:
        if number == bad:
            db.session.execute(text("SELECT nothing FROM nowhere"))
        return real(number, *args, **more)

    monkeypatch.setattr(watch, "take_step", sometimes)
    clock.go("2026-12-26")
    assert watch.turn() == 1
    assert (state(bad), state(good)) == ("draft", "lapsed")


def test_a_case_whose_journal_was_damaged_stops_no_other(cast: Cast, clock: Clock) -> None:
    from app.duty import clock as watch

    bad, good = a_case(cast, at="draft"), a_case(cast, at="draft")
    with transaction() as session:
        row = session.execute(select(Case.id).where(Case.number == bad)).scalar_one()
        session.execute(text('UPDATE "case" SET edition = :old WHERE id = :id'), {"old": "1999-01", "id": row})
    clock.go("2026-12-26")
    assert watch.turn() == 1
    assert (state(bad), state(good)) == ("draft", "lapsed")


def test_cases_that_wait_for_somebody_do_not_hide_the_others(
    cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three early filings with a new offence stand in front; the watch looks at two cases at a time."""
    from app.duty import clock as watch

    stuck = [a_case(cast, at="held", on="2026-08-25") for _ in range(3)]
    cast.penalty(on="2026-11-24")
    draft = a_case(cast, at="draft")
    clock.go("2026-12-28")
    monkeypatch.setattr(watch, "BATCH", 2)
    assert watch.turn() == 1
    assert [state(number) for number in (*stuck, draft)] == ["held", "held", "held", "lapsed"]


# ---- what never comes to an end


def test_a_half_finished_upload_is_no_upload(cast: Cast, tmp_path: Path) -> None:
    number, deng, data = a_case(cast, at="draft"), cast.who("deng"), pdf()
    before = everything()

    def act() -> Any:
        with transaction():
            return attach(
                number, actor=deng, purpose="duty_proof", name="a.pdf", data=data, folder=tmp_path / "up",
                limit=10**7, at=now(),
            )  # fmt: skip

    for nth in range(1, 40):
        with breaking(nth):
            try:
                act()
            except Broken:
                assert everything() == before, nth
            else:
                break
    assert lines(number) == ["open", "attach"]
    kept = [path for path in (tmp_path / "up").rglob("*") if path.is_file()]
    assert len(kept) == 1, "the same file, whoever tried how often"


def test_nothing_is_left_of_a_story_of_faults(cast: Cast) -> None:
    """Numbers of documents and notices have no gaps after all that was broken."""
    do = _confirm(cast)
    for nth in (3, 9, 14, 18):
        with breaking(nth), pytest.raises(Broken):
            do()
    do()
    serials = db.session.execute(select(Document.kind_word, Document.serial)).all()
    numbers = db.session.execute(select(Notice.seq)).scalars().all()
    db.session.rollback()
    assert {row.serial for row in serials} == {1}
    assert set(numbers) == {1}
    assert scalar(select(func.count()).select_from(JournalLine).where(JournalLine.act == "confirm")) == 1
