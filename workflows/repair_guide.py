"""修复指南: what the rules that decide say to somebody in a situation.

Nothing here knows a number or a condition of its own: conditions are the needs of the steps, days come from the
classing, limits from the clocks and their law rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from workflows.calendar import Calendar, legal_day
from workflows.classing import PublicityTerm, publicity_term
from workflows.grammar import (
    DUTY_OUTSTANDING,
    DUTY_PERFORMED,
    DUTY_UNKNOWN,
    NEW,
    Ask,
    CaseFacts,
    Clock,
    Facts,
    Need,
    RecordFacts,
    Refusal,
    Step,
)
from workflows.law import NothingInForce, RuleRow, rule
from workflows.people import WATCH
from workflows.repair import REPAIR
from workflows.repair_eligibility import Eligibility, eligibility
from workflows.repair_needs import (
    ELIGIBLE,
    classed,
    duty_not_outstanding,
    letter_signed,
    minimum_passed,
    no_other_case,
    not_banned,
    persons_included,
    proof_given,
    repairable_by_law,
    sector_condition,
    still_shown,
)

PERFORMED, OWING, UNSURE = "performed", "owing", "unsure"
_DUTIES = {PERFORMED: DUTY_PERFORMED, OWING: DUTY_OUTSTANDING, UNSURE: DUTY_UNKNOWN}

STATED: Mapping[Need, tuple[str, str]] = MappingProxyType(
    {
        repairable_by_law: ("法律、行政法规和党中央、国务院政策文件没有规定这类信息不予修复", "NDRC36 2"),
        persons_included: ("信息的主体可以申请修复", "NDRC36"),
        not_banned: ("不在因提供虚假材料而不受理修复申请的期间内", "NDRC36"),
        still_shown: ("信息还在公示或者共享，处罚没有被撤销", "NDRC36"),
        no_other_case: ("同一条信息没有正在办理的修复申请", "D"),
        classed: ("信息的失信类别已经确定", "NDRC36"),
        duty_not_outstanding: ("违法行为已经改正，处罚的义务已经全部履行", "NDRC36 3"),
        sector_condition: ("符合法律、行政法规、部门规章规定的其他条件；地方的规定不能另加条件", "NDRC36 3"),
        minimum_passed: ("最短公示期已经届满；轻微的不用等", "NDRC36 3"),
        letter_signed: ("公开作出信用承诺：材料真实有效，违背承诺愿意承担责任", "NDRC36 3"),
        proof_given: ("交义务已经履行的证明；我们自己查得到的，不用再交", "NDRC36 3"),
    }
)
"""Every condition in the words of somebody who wants to meet it, with its article."""

FROM_THE_FILE = frozenset((not_banned, no_other_case, sector_condition))
"""Conditions of which a situation says nothing: only the subject's own file shows them."""

ROAD = ("submit", "receive", "accept", "review", "confirm", "serve", "hand_over", "close")
"""The steps of an application that goes well, in their order."""
BESIDE = ("correct", "extend", "decline", "refuse", "withdraw")
"""What may happen besides."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What somebody says of a record and of themselves. `duty` is PERFORMED, OWING or UNSURE."""

    recognised_on: date
    kinds: frozenset[str]
    procedure: str = ""
    fine_size: str | None = None
    serious_list: bool = False
    duty: str = UNSURE
    of_a_person: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in words, with its article; `refusals` say why the situation does not meet it, `known` whether the
    situation says anything about it."""

    text: str
    law: str
    refusals: tuple[Refusal, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """A time-limit as the law has it today."""

    title: str
    row: RuleRow


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the procedure: who takes it, what follows, under which article, within which limits."""

    step: Step
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules make of a situation: how the record is classed and shown, and whether it can be repaired."""

    term: PublicityTerm
    verdict: Eligibility | None


@dataclass(frozen=True, slots=True)
class Guide:
    """The whole guide on a day."""

    conditions: tuple[Condition, ...]
    papers: tuple[Condition, ...]
    road: tuple[Stage, ...]
    beside: tuple[Stage, ...]
    judged: Judged | None


def guide(at: datetime, calendar: Calendar, situation: Situation | None = None) -> Guide:
    """The guide as the rules stand at an instant, for everybody or for a situation."""
    today = legal_day(at)
    judged, ask = None, None
    if situation is not None:
        term = _term(situation)
        facts = _facts(situation, term, calendar)
        ask = Ask(REPAIR, REPAIR.step["open"], facts, WATCH, at)
        judged = Judged(term, None if term.needs_person or not term.published else eligibility(facts, at))
    return Guide(
        conditions=tuple(_condition(need, ask, situation) for need in ELIGIBLE),
        papers=tuple(Condition(*STATED[need]) for need in REPAIR.step["submit"].needs if need not in ELIGIBLE),
        road=tuple(_stage(REPAIR.step[code], today) for code in ROAD),
        beside=tuple(_stage(REPAIR.step[code], today) for code in BESIDE),
        judged=judged,
    )


def _condition(need: Need, ask: Ask | None, situation: Situation | None) -> Condition:
    text, law = STATED[need]
    if ask is None or situation is None:
        return Condition(text, law)
    silent = need in FROM_THE_FILE or (need is duty_not_outstanding and situation.duty == UNSURE)
    return Condition(text, law, tuple(need(ask)), not silent)


def _stage(step: Step, today: date) -> Stage:
    limits = []
    for clock in REPAIR.clocks:
        row = _length(clock, today) if step.code in clock.met_by and not clock.item and not clock.inside else None
        if row is not None:
            limits.append(Limit(clock.title, row))
    return Stage(step, tuple(limits))


def _length(clock: Clock, today: date) -> RuleRow | None:
    try:
        return rule(clock.length).on(today) if clock.length else None
    except NothingInForce:
        return None


def _term(situation: Situation) -> PublicityTerm:
    return publicity_term(
        situation.recognised_on,
        situation.kinds,
        situation.procedure,
        serious_list=situation.serious_list,
        fine_size=situation.fine_size,
    )


def _facts(situation: Situation, term: PublicityTerm, calendar: Calendar) -> Facts:
    """The facts of an imagined record: what the situation says, and nothing against it that it does not say."""
    record = RecordFacts(
        id=0,
        number="",
        office=0,
        recognised_on=situation.recognised_on,
        cls=term.cls or "",
        minimum_last_day=term.minimum_last_day,
        maximum_last_day=term.maximum_last_day,
        duty=_DUTIES[situation.duty],
        status="published" if term.published else "unpublished",
        of_a_person=situation.of_a_person,
        excluded_by="" if term.repairable or term.needs_person else term.reason,
    )
    return Facts(case=CaseFacts(number="", state=NEW, version=0, office=0, subject=0), calendar=calendar, record=record)
