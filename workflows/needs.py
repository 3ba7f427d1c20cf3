"""Conditions that several case types share. Each answers with the refusals it finds, none when it is met."""

from __future__ import annotations

from workflows.grammar import HOLDS, UNMET, Ask, Need, Refusal


def in_time(clock: str) -> Need:
    """The named time-limit is running and its last day has not passed."""

    def need(ask: Ask) -> tuple[Refusal, ...]:
        deadline = ask.facts.deadline(clock)
        title = ask.workflow.clock[clock].title
        if deadline is None or deadline.state not in ("running", "paused"):
            return (Refusal(UNMET, "{clock}没有在计算。", {"clock": title}, ask.step.law, "NO_CLOCK"),)
        if deadline.due_on is not None and deadline.ran_out(ask.today):
            due = deadline.due_on
            text = "{clock}已于{year}年{month}月{day}日届满，届满后不能再办理“{step}”。"
            values = {"clock": title, "year": due.year, "month": due.month, "day": due.day, "step": ask.step.title}
            return (Refusal(UNMET, text, values, ask.step.law, "TOO_LATE"),)
        return HOLDS

    return need


def after(*steps: str, text: str, code: str) -> Need:
    """At least one of these steps has been taken in this case."""

    def need(ask: Ask) -> tuple[Refusal, ...]:
        if not any(step in ask.facts.counts for step in steps):
            return (Refusal(UNMET, text, law=ask.step.law, code=code),)
        return HOLDS

    return need
