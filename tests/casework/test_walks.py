"""Random walks through real cases on both databases: what is stored equals what the journal says."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from app.casework.actor import Person
from app.casework.explain import explain
from app.casework.facts import Loaded
from app.casework.refused import StepRefused
from app.db import db
from app.duty import clock as watch
from app.journal import problems_of
from app.models import Case, CaseRecord, DeadlineRow, Document, DocumentNumber, JournalLine, Notice
from app.now import now
from tests.build import a_case, walk
from tests.casework.acts import annul, company, ink, look, officer
from tests.cast import Cast
from tests.conftest import Clock
from workflows.calendar import legal_day
from workflows.clockwork import RUNNING, turn
from workflows.engine import refusals
from workflows.people import WATCH, Role, Watch

WALKS = 60
TURNS = 40
ITEMS = [{"name": "缴款凭证", "problem": "看不清", "remedy": "重新拍照"}]


def answers(step: str, dice: random.Random) -> dict[str, Any]:
    """What somebody might fill in."""
    said: Mapping[str, dict[str, Any]] = {
        "receive": {"t0": legal_day(now()).isoformat()},
        "correct": {"items": ITEMS, "justification": dice.choice(["", "补正材料与原材料不一致"])},
        "resubmit": {"statement": "已补齐"},
        "decline": {"ground": "SECTOR_CONDITION", "reason": "条件不符"},
        "transfer": {"to": "jt-430100", "reason": "由其认定"},
        "review": {"opinion": dice.choice(["grant", "grant", "refuse", "false"]), "finding": "核查情况属实"},
        "send_back": {"reason": "请补充核查"},
        "extend": {"reason": "须向银行核查"},
        "warn": {"facts": "票据与登记不一致"},
        "state_views": {"statement": "情况说明如下"},
        "refuse": {"reason": "尚未改正", "cure": "改正后即可再申请"},
        "refuse_false": {"reason": "票据系伪造"},
        "serve": {"manner": "portal"},
        "hand_over": {"manner": "平台推送"},
        "do_task": {"outcome": "已核对"},
    }
    return dict(said.get(step, {}))


def check(number: str) -> Loaded:
    """What must be true of a case at every moment; returns it as it was read."""
    loaded = look(number)
    workflow, facts, row = loaded.workflow, loaded.facts, loaded.row
    steps = [line for line in loaded.lines if line.act in workflow.step]
    assert (row.state, row.version) == (steps[-1].target, len(steps))
    for earlier, later in zip(steps, steps[1:], strict=False):
        assert earlier.target == later.source
    assert problems_of(loaded.lines) == []

    folded: tuple[Any, ...] = ()
    for line in loaded.lines:
        folded = turn(folded, line.clocks)
    columns = [column for column in DeadlineRow.__table__.c if column.name not in ("id", "about", "about_id")]
    stored = db.session.execute(
        select(*columns).where(DeadlineRow.about == "case", DeadlineRow.about_id == loaded.id)
    ).all()
    db.session.rollback()
    assert {(r.clock, r.item): r._asdict() for r in stored} == {(d.clock, d.item): asdict(d) for d in folded}

    final = workflow.state[row.state].final
    assert row.final == final
    if final:
        running = {d.clock for d in facts.deadlines if d.state not in ("met", "ended")}
        assert {clock for clock in running if not workflow.clock[clock].after_end} == set()
    else:
        assert any(d.state == RUNNING for d in facts.deadlines), "an open case always has a date"
    about = db.session.execute(select(CaseRecord.open_record).where(CaseRecord.case_id == loaded.id)).scalar_one()
    db.session.rollback()
    assert about == (None if final else loaded.record_id)
    for one, other in workflow.apart:
        who = {part: {line.person for line in steps if workflow.step[line.act].part == part} for part in (one, other)}
        assert not who[one] & who[other]
    assert all(line.person is not None or line.role == Role.WATCH for line in loaded.lines)
    issued = [kind for line in steps for kind in workflow.step[line.act].issues]
    kinds = db.session.execute(select(Document.kind).where(Document.case_id == loaded.id).order_by(Document.id))
    assert list(kinds.scalars()) == issued
    db.session.rollback()
    return loaded


def possible(
    loaded: Loaded, people: list[Person | Watch], dice: random.Random
) -> list[tuple[Person | Watch, str, str]]:
    """Everything that somebody could do now."""
    open_tasks = [task.code for task in loaded.facts.tasks if not task.done]
    found = []
    for step in loaded.workflow.steps_from[loaded.facts.case.state]:
        for person in people:
            for item in open_tasks if step.item else [""]:
                said = answers(step.code, dice)
                if not refusals(loaded.workflow, step, loaded.facts, person, now(), item, said):
                    found.append((person, step.code, item))
    return found


def test_sixty_walks_store_what_their_journals_say(cast: Cast, clock: Clock) -> None:
    dice = random.Random(20261124)
    officers = [cast.who(name) for name in ("li", "zhou", "chen", "he", "tang", "wang", "wu")]
    officers += [officer(cast, "both", "review", "confirmation"), WATCH]
    ends: dict[str, int] = {}
    attempts = 0
    numbers = []
    for n in range(WALKS):
        clock.go("2026-11-24")
        key = f"walk{n}"
        company(cast, key, "deng", "luo")
        cast.subjects["yueheng"] = cast.subjects[key]
        record = cast.penalty(of=key, on=dice.choice(["2026-05-18", "2026-05-18", "2026-08-26"]))
        number = a_case(cast, at="draft", record=record)
        numbers.append(number)
        people: list[Person | Watch] = [cast.who("deng"), cast.who("luo"), *officers]
        loaded = look(number)
        for _turn in range(TURNS):
            what = dice.random()
            if what < 0.14:
                clock.at += timedelta(days=dice.randint(1, 7), hours=dice.randint(0, 5))
                watch.follow(number)
            elif what < 0.18:
                ink(number)
            elif what < 0.19:
                if loaded.facts.record is not None and loaded.facts.record.annulled_on is None:
                    annul(cast, record)
            elif what < 0.27:
                step = dice.choice([step.code for step in loaded.workflow.steps])
                person = dice.choice(people)
                try:
                    walk(cast, number, person, step, **answers(step, dice))
                except StepRefused as refused:
                    attempts += 1
                    assert all(refusal.text for refusal in refused.refusals)
                    assert len(look(number).lines) == len(loaded.lines)
                    continue
            elif ways := possible(loaded, people, dice):
                quiet = [way for way in ways if way[1] not in ("withdraw", "discard", "decline", "transfer")]
                person, step, item = dice.choice(quiet if quiet and dice.random() < 0.93 else ways)
                try:
                    walk(cast, number, person, step, item=item, **answers(step, dice))
                except StepRefused:  # another opinion came out of the dice this time
                    assert step in ("review", "correct")
            loaded = check(number)
            if loaded.row.final:
                break
        ends[loaded.row.state] = ends.get(loaded.row.state, 0) + 1
    watch.turn()
    for number in numbers:
        check(number)
    assert attempts > 30
    assert len(ends) >= 6, ends

    told = explain(numbers[0])
    assert "不一致" not in told and "没有改动" in told
    series: dict[tuple[int, int], list[int]] = {}
    for row in db.session.execute(select(Notice.receiver_id, Notice.subject_id, Notice.seq).order_by(Notice.id)):
        series.setdefault((row.receiver_id, row.subject_id), []).append(row.seq)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in series.values())
    serials: dict[tuple[int, str, int], list[int]] = {}
    for row in db.session.execute(
        select(Document.office_id, Document.kind_word, Document.year, Document.serial).order_by(Document.id)
    ):
        serials.setdefault((row.office_id, row.kind_word, row.year), []).append(row.serial)
    assert all(given == list(range(1, len(given) + 1)) for given in serials.values())
    last = {(r.office_id, r.kind_word, r.year): r.last for r in db.session.execute(select(*DocumentNumber.__table__.c))}
    assert last == {key: len(given) for key, given in serials.items()}
    assert db.session.execute(select(func.count()).select_from(Case)).scalar_one() == WALKS
    assert db.session.execute(select(func.count()).select_from(JournalLine)).scalar_one() > WALKS * 3
    db.session.rollback()
