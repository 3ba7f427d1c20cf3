"""THE way a case moves: ask the law, move, journal, deadlines, register, documents, notices, in one transaction.

The write path is SQLAlchemy Core: few statements, each built once, no flush, no dirty rows. It never commits; the
counter or the watch does. The order matters: the key is claimed first (a twin waits and then gets the same answer),
case and record are locked before any fact is read, and the row is moved by a conditional UPDATE: one winner.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, bindparam, select, update

from app.casework import clocks, once
from app.casework.actor import Person, hand
from app.casework.effects import EFFECTS
from app.casework.facts import Loaded, load_case
from app.casework.refused import CaseHasMoved, StepRefused
from app.db import db, insert_into, leave_work
from app.documents.freeze import CannotIssue, freeze
from app.journal import SYSTEM, Doer, Entry, write_line
from app.models import Case, CaseRecord, JournalLine, PartTaken
from app.notices.address_book import words_for
from app.notices.write import write_notices
from workflows.calendar import day_start, legal_day
from workflows.clockwork import plan
from workflows.engine import refusals
from workflows.grammar import STRANGER, UNMET, Ask, Refusal, Step
from workflows.machine import the_move
from workflows.people import Watch, roles_in

CASE, ABOUT = Case.__table__, CaseRecord.__table__
MOVE = update(CASE).where(
    CASE.c.id == bindparam("of_case"), CASE.c.version == bindparam("seen_version"),
    CASE.c.state == bindparam("seen_state"),
)  # fmt: skip
FREE = update(ABOUT).where(ABOUT.c.case_id == bindparam("of_case")).values(open_record=None)


def take_step(
    number: str,
    step_code: str,
    *,
    actor: Person | Watch,
    answers: Mapping[str, Any],
    key: str,
    seen_version: int,
    at: datetime,
    item: str = "",
) -> Entry:
    """Take a step of a case, inside `transaction()`; returns its journal line, or the earlier one for a repeated key.

    Raises NoSuchCase, CaseHasMoved (another version than the one seen), StepRefused (the law says no) or KeyReused.
    """
    person = str(actor.person or "watch")
    earlier = once.claim(person, key, once.body_of(number, step_code, item, answers), at)
    if earlier is not None:
        return entry_of(earlier[1])
    loaded = load_case(number, at)
    if loaded.facts.case.version != seen_version:
        raise moved(loaded)
    return _take(loaded, step_code, actor, answers, person, key, at, item)


def _take(
    loaded: Loaded,
    step_code: str,
    actor: Person | Watch,
    answers: Mapping[str, Any],
    person: str,
    key: str,
    at: datetime,
    item: str,
) -> Entry:
    workflow, facts = loaded.workflow, loaded.facts
    step = workflow.step.get(step_code)
    if step is None:
        raise StepRefused([Refusal(UNMET, "没有“{step}”这一步。", {"step": step_code}, "D", "NO_STEP")])
    if no := refusals(workflow, step, facts, actor, at, item, answers):
        raise StepRefused(no)
    ask = Ask(workflow, step, facts, actor, at, item, answers)
    move = the_move(workflow, facts.case.state, step_code)
    ends = workflow.state[move.target].final
    events = plan(ask)
    _move_row(loaded, step, move.target, ends, answers, at)
    last = loaded.lines[-1] if loaded.lines else None
    entry = write_line(
        "case",
        loaded.id,
        step_code,
        doer(actor, step, loaded),
        at,
        law_text=step.law,
        source=move.source,
        target=move.target,
        item=item,
        answers=answers,
        clocks=events,
        calendar=facts.calendar.edition,
        last=(last.seq, last.hash) if last else (0, ""),
    )
    _take_part(loaded, step, actor)
    clocks.store("case", loaded.id, facts.deadlines, events)
    for effect in step.effects:
        EFFECTS[effect](loaded, entry)
    for kind in step.issues:
        try:
            freeze(loaded.id, kind, entry)
        except CannotIssue as error:
            raise StepRefused(
                [Refusal(UNMET, "{problem}", {"problem": problem}, "D", "CANNOT_ISSUE") for problem in error.problems]
            ) from error
    if words := words_for(step.tells, facts.case.channel):
        write_notices(loaded.id, loaded.record_id, facts.case.subject, words, entry)
    once.remember(person, key, loaded.id, entry.id)
    leave_work()
    return entry


def _move_row(loaded: Loaded, step: Step, target: str, ends: bool, answers: Mapping[str, Any], at: datetime) -> None:
    case = loaded.facts.case
    values: dict[str, Any] = {"version": case.version + 1, "state": target, "final": ends}
    if target != case.state:
        values["state_since"] = at
        here = loaded.workflow.state.get(case.state)
        if here is not None and here.private and not ends:
            values["filed_at"] = at
    for mark in step.marks:
        stated = answers.get(mark)
        values[mark] = (
            at if not stated or stated == legal_day(at).isoformat() else day_start(date.fromisoformat(stated))
        )
    seen = {"of_case": loaded.id, "seen_version": case.version, "seen_state": case.state}
    if db.session.execute(MOVE, {**seen, **values}).rowcount != 1:  # type: ignore[attr-defined]
        raise moved(loaded)
    if ends:
        db.session.execute(FREE, {"of_case": loaded.id})


def _take_part(loaded: Loaded, step: Step, actor: Person | Watch) -> None:
    """A row per pair and person, under a constraint, so that cover and delegation cannot get round the two people."""
    case = loaded.facts.case
    part = step.played_by(roles_in(actor, case.office, case.subject, case.channel))
    if not part or actor.person is None:
        return
    taken = {"case_id": loaded.id, "person": actor.person, "part": part}
    for pair, _other in loaded.workflow.kept_from.get(part, ()):
        kept = db.session.execute(_part(db.engine.dialect.name), {**taken, "pair": pair}).first()
        if kept is None:
            text = "这一步须由另一个人办理：您已经办理过本件中不能由同一人办理的另一步。"
            raise StepRefused([Refusal(STRANGER, text, {}, "D", "TWO_PEOPLE")])


@lru_cache(maxsize=2)
def _part(dialect: str) -> Executable:
    table = PartTaken.__table__
    insert = insert_into(table, dialect)
    return insert.on_conflict_do_update(
        index_elements=["case_id", "pair", "person"],
        set_={"part": insert.excluded.part},
        where=table.c.part == insert.excluded.part,
    ).returning(table.c.part)


def doer(actor: Person | Watch, step: Step, loaded: Loaded) -> Doer:
    """Who the journal says did it: the role that opened the step, in the case's office or on behalf of its subject."""
    if isinstance(actor, Watch):
        return SYSTEM
    case = loaded.facts.case
    return hand(actor, step.as_whom(roles_in(actor, case.office, case.subject, case.channel)), case)


def moved(loaded: Loaded) -> CaseHasMoved:
    """The sentence for somebody whose form is older than the case."""
    steps = loaded.workflow.step
    line = next(line for line in reversed(loaded.lines) if line.act in steps)  # what is beside moves nothing
    return CaseHasMoved(line.person_name, steps[line.act].title, line.at)


def entry_of(journal_id: int | None) -> Entry:
    """The entry of a line written before."""
    row = db.session.execute(select(*JournalLine.__table__.c).where(JournalLine.id == journal_id)).one()
    return Entry(
        row.id, row.about, row.about_id, row.seq, row.at, row.act, row.source, row.target, row.item, row.law,
        row.edition, Doer(row.person, row.person_name, row.role, row.office_id, row.on_behalf_of, row.address),
        row.answers or {}, tuple(row.clocks),
    )  # fmt: skip
