"""Three questions to the law, pure functions over frozen facts: may this step be taken, what can be done, who waits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from workflows.calendar import legal_day
from workflows.grammar import MOVED, STRANGER, UNMET, Ask, Facts, Refusal, Step, Workflow
from workflows.people import CARRIED, CARRY_TITLE, Actor, Role, roles_in

FILER = Role.FILER


def refusals(
    workflow: Workflow,
    step: str | Step,
    facts: Facts,
    actor: Actor,
    at: datetime,
    item: str = "",
    answers: Mapping[str, Any] | None = None,
) -> list[Refusal]:
    """Why `actor` may not take `step` at `at`; an empty list means yes.

    `answers` is None while a step is only being offered; what it asks for is then not held against it.
    """
    step = workflow.step[step] if isinstance(step, str) else step
    case = facts.case
    if case.state not in step.sources:
        here = workflow.state.get(case.state)
        values = {"state": here.title if here else case.state, "step": step.title}
        return [Refusal(MOVED, "本件现在是“{state}”，不能办理“{step}”。", values, law="D", code="MOVED")]
    roles = roles_in(actor, case.office, case.subject, case.channel)
    if roles.isdisjoint(step.by):
        carried = case.channel in CARRIED
        who = "、".join(role.title for role in step.people if carried or role is not Role.CARRIER)
        return [Refusal(STRANGER, "这一步由本件的{who}办理。", {"who": who}, law="D", code="OTHER_ROLE")]
    files = FILER in roles
    if not (files and FILER in step.by) and (files or actor.person in facts.filers):
        text = "您受本件申请人委托，或者曾经代申请人办理过本件，应当回避。"
        return [Refusal(STRANGER, text, law="D", code="RECUSED")]
    found: list[Refusal] = []
    if part := step.played_by(roles):
        found += _apart(workflow, part, facts, actor)
    if step.times:
        found += _counted(step, facts, item)
    if step.code in workflow.expiry_of:
        found += _expiry(workflow, step, facts, at)
    if answers is not None:
        if step.item and not item:
            found.append(Refusal(UNMET, "请指明“{step}”办理的是哪一项。", {"step": step.title}, step.law, "ITEM"))
        text = "办理“{step}”须填写{name}。"
        found += [
            Refusal(UNMET, text, {"step": step.title, "name": workflow.asked[name]}, step.law, "ASKED")
            for name in step.asks
            if answers.get(name) in (None, "", [], ())
        ]
    ask = Ask(workflow, step, facts, actor, at, item, answers)
    for need in step.needs:
        if no := need(ask):
            found += no
    return found


def _apart(workflow: Workflow, part: str, facts: Facts, actor: Actor) -> list[Refusal]:
    if actor.person is None:
        return []
    for _pair, other in workflow.kept_from.get(part, ()):
        if (other, actor.person) in facts.parts:
            text = "这一步须由与办理“{other}”的人不同的人办理。您已经办理过本件的“{other}”。"
            title = next((s.title for s in workflow.steps if s.part == other), CARRY_TITLE)
            return [Refusal(STRANGER, text, {"other": title}, law="D", code="TWO_PEOPLE")]
    return []


def _counted(step: Step, facts: Facts, item: str) -> list[Refusal]:
    if step.item and not item:
        return []  # offered as a whole; which item is meant is asked when it is taken
    taken = facts.counts.get(f"{step.code}/{item}" if item else step.code, 0)
    if taken >= step.times:
        values = {"step": step.title, "times": step.times}
        return [Refusal(UNMET, "“{step}”在本件中最多办理 {times} 次，已经办理过了。", values, step.law, "COUNTED")]
    return []


def _expiry(workflow: Workflow, step: Step, facts: Facts, at: datetime) -> list[Refusal]:
    """A step named by `on_expiry` waits for that clock; without a running one there is nothing to wait for."""
    clocks = workflow.expiry_of[step.code]
    today = legal_day(at)
    running = [d for clock in clocks if (d := facts.deadline(clock.code)) is not None and d.state == "running"]
    if any(d.ran_out(today) for d in running):
        return []
    due = next((d.due_on for d in running if d.due_on is not None), None)
    if due is None:
        return [Refusal(UNMET, "没有已届满的期限，不能办理“{step}”。", {"step": step.title}, step.law, "NOT_EXPIRED")]
    values = {"clock": clocks[0].title, "step": step.title, "year": due.year, "month": due.month, "day": due.day}
    text = "{clock}到{year}年{month}月{day}日届满，届满后才能办理“{step}”。"
    return [Refusal(UNMET, text, values, step.law, "NOT_EXPIRED")]


def offers(workflow: Workflow, facts: Facts, actor: Actor, at: datetime) -> tuple[tuple[Step, list[Refusal]], ...]:
    """Every step that leads on from where the case stands, each with the reasons against it (none: it may be taken)."""
    return tuple(
        (step, refusals(workflow, step, facts, actor, at)) for step in workflow.steps_from.get(facts.case.state, ())
    )


def waiting_for(workflow: Workflow, role: Role) -> frozenset[str]:
    """States in which a case waits for this role."""
    return frozenset(state.code for state in workflow.states if state.owner == role and not state.final)
