"""The law room alone: what a question to it costs, against the least that any program would have to do.

A repair case walks from 新建 to 准予修复. At each of its six steps the person whose step it is asks `refusals()`, with
answers, and the edge is looked up. The limits beside it do less and less: one role check, one condition and one effect;
nothing but `{(state, step): target}`.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from time import process_time
from typing import Any, NamedTuple

from bench.report import Table, figure
from bench.rounds import Rounds
from tests.workflows.worlds import LI, QIAN, WANG, ZHAO, World, nothing_yet
from workflows.calendar import legal_day, reckon
from workflows.engine import refusals
from workflows.grammar import Facts
from workflows.machine import the_move
from workflows.people import Actor
from workflows.repair import REPAIR


class Question(NamedTuple):
    """One step that somebody may take."""

    facts: Facts
    step: str
    actor: Actor
    at: datetime
    answers: Mapping[str, Any]


def run(cases: int = 2000, rounds: int = 15) -> list[Table]:
    """Ask about the six steps of `cases` cases in each of `rounds` rounds."""
    questions = _walk()
    many = questions * cases
    edges = {(question.facts.case.state, question.step): REPAIR.step[question.step].target for question in questions}
    roles = {key: (REPAIR.step[key[1]].by[0],) for key in edges}
    calendar = questions[0].facts.calendar
    days = [date(2026, 1, 5) + timedelta(days=n % 300) for n in range(len(many))]
    pairs = [(question.facts.case.state, question.step) for question in many]
    holders = [
        (state, step, REPAIR.step[step].by[0], question.facts)
        for (state, step), question in zip(pairs, many, strict=True)
    ]

    def bare() -> None:
        for state, step in pairs:
            edges[(state, step)]

    def realistic() -> None:
        journal: list[str] = []
        for state, step, role, facts in holders:
            if role in roles[(state, step)] and _published(facts):
                journal[:] = (edges[(state, step)],)

    def ask() -> None:
        for facts, step, actor, at, answers in many:
            if refusals(REPAIR, step, facts, actor, at, "", answers):
                raise AssertionError(step)
            assert REPAIR.step[step].target

    def day() -> None:
        for question in many:
            legal_day(question.at)

    def move() -> None:
        for facts, step, *_ in many:
            the_move(REPAIR, facts.case.state, step)

    def count() -> None:
        for day_ in days:
            reckon.__wrapped__(calendar, day_, 10, "WD", True)

    def anew() -> None:
        for facts, step, actor, at, answers in many:
            if refusals(REPAIR, step, _put_together(facts), actor, at, "", answers):
                raise AssertionError(step)
            assert REPAIR.step[step].target

    measured = Rounds(
        {
            "bare": lambda: _timed(bare, len(many)),
            "realistic": lambda: _timed(realistic, len(many)),
            "day": lambda: _timed(day, len(many)),
            "count": lambda: _timed(count, len(many)),
            "asked": lambda: _timed(ask, len(many)),
            "anew": lambda: _timed(anew, len(many)),
            "move": lambda: _timed(move, len(many)),
        },
        rounds,
    )
    named = {
        "bare": "a bare dict {(state, step): target}",
        "realistic": "dict + role check + one condition + one effect",
        "day": "only the civil day in Shanghai of the instant (legal_day)",
        "count": "ten working days counted, nothing remembered",
        "asked": "refusals() + edge look-up",
        "anew": "the same, and the facts put together for every question",
        "move": "the move by transitions",
    }
    rows = [
        (
            text,
            figure(measured.middle(name) * 1e6),
            figure(measured.ratio(name, "bare")),
            figure(measured.ratio(name, "realistic")),
        )
        for name, text in named.items()
    ]
    conditions = sum(len(REPAIR.step[question.step].needs) for question in questions) / len(questions)
    return [
        Table(
            "Law room: one step, mean of the six steps from 新建 to 准予修复",
            ("", "µs", "÷ bare dict", "÷ dict+role+condition+effect"),
            rows,
            (
                f"every question evaluates its legal conditions anew ({conditions:.1f} a step), finds the civil day in"
                " Shanghai, checks roles, recusal, parts kept apart, counts and clocks; no answer is remembered",
                f"{rounds} paired rounds of {len(many)} questions, processor time",
            ),
        )
    ]


def _walk() -> list[Question]:
    """The six questions, each on the facts as they stand before its step."""
    world = nothing_yet()
    found: list[Question] = []

    def take(world: World, step: str, actor: Actor, **answers: Any) -> World:
        found.append(Question(world.facts, step, actor, world.at.astimezone(UTC), answers))
        return world.take(step, actor, **answers)

    world = take(world, "open", WANG)
    world = take(world, "submit", WANG)
    world = take(world, "receive", LI, t0=world.today.isoformat())
    world = take(world, "accept", LI)
    world = take(world, "review", ZHAO, opinion="grant", finding="义务已履行，材料与本机关掌握的情况一致")
    take(world, "confirm", QIAN)
    return found


def _put_together(facts: Facts) -> Facts:
    return Facts(
        case=facts.case,
        calendar=facts.calendar,
        record=facts.record,
        journal=facts.journal,
        deadlines=facts.deadlines,
        bans=facts.bans,
        offences=facts.offences,
        parts=facts.parts,
        tasks=facts.tasks,
        receivers=facts.receivers,
        papers=facts.papers,
        printed=facts.printed,
    )


def _published(facts: Facts) -> bool:
    return facts.record is not None and facts.record.status == "published"


def _timed(work: Callable[[], object], n: int) -> float:
    """Seconds of this process's time for one of `n`."""
    gc.collect()
    start = process_time()
    work()
    return (process_time() - start) / n
