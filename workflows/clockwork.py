"""Every time-limit as a pure fold of the journal.

`plan` computes what a step does to the clocks, once; its events (day zero, due day, law row) are frozen in the journal
line. `turn` folds such events and computes nothing, so a change of calendar or law never moves a date behind our back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from workflows.calendar import Calendar, Computation, reckon
from workflows.grammar import PAUSE, RESTART, RUN_ON, STAY, Ask, Clock
from workflows.law import RuleRow, rule

RUNNING, PAUSED, MET, ENDED = "running", "paused", "met", "ended"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time-limit of a case or of one of its items. `left` is what remained when it was paused (in the clock's unit).

    `rule` and `row` name the law row and the digest of the edition that gave the length; `base` is the date the
    counting started from (the old due day after an extension, the day of resumption after a pause).
    """

    clock: str
    item: str
    state: str
    day_zero: date
    due_on: date | None
    rule: str = ""
    row: str = ""
    base: date | None = None
    value: int = 0
    unit: str = ""
    shift: bool = False
    provisional: bool = False
    paused_on: date | None = None
    left: int = 0
    met_on: date | None = None

    def ran_out(self, today: date) -> bool:
        """True when the last day has passed and nothing has met, paused or ended the clock."""
        return self.state == RUNNING and self.due_on is not None and self.due_on < today

    def computation(self, calendar: Calendar) -> Computation | None:
        """The last stretch of counting, day by day; None for a date that was not counted but read (`until`)."""
        if not self.unit or self.base is None:
            return None
        return reckon(calendar, self.base, self.value, self.unit, self.shift)


Event = Mapping[str, Any]


def turn(deadlines: Iterable[Deadline], events: Iterable[Event]) -> tuple[Deadline, ...]:
    """Fold the clock events of one journal line into the deadlines."""
    found = {(d.clock, d.item): d for d in deadlines}
    for event in events:
        key = (event["clock"], event["item"])
        match event["event"]:
            case "start":
                found[key] = Deadline(
                    clock=key[0],
                    item=key[1],
                    state=RUNNING,
                    day_zero=_day(event["day_zero"]),
                    due_on=_day_or_none(event["due_on"]),
                    rule=event["rule"],
                    row=event["row"],
                    base=_day(event["day_zero"]),
                    value=event["value"],
                    unit=event["unit"],
                    shift=event["shift"],
                    provisional=event["provisional"],
                )
            case "extend" | "resume" | "recount":
                found[key] = replace(
                    found[key],
                    state=RUNNING,
                    due_on=_day(event["due_on"]),
                    base=_day(event["base"]),
                    value=event["value"],
                    unit=event["unit"],
                    shift=event["shift"],
                    rule=event["rule"],
                    row=event["row"],
                    provisional=event["provisional"],
                    paused_on=None,
                    left=0,
                )
            case "pause":
                found[key] = replace(found[key], state=PAUSED, paused_on=_day(event["on"]), left=event["left"])
            case "meet":
                found[key] = replace(found[key], state=MET, met_on=_day(event["on"]))
            case "end":
                found[key] = replace(found[key], state=ENDED, met_on=_day(event["on"]))
            case unknown:
                raise ValueError(f"日志里的期限事件“{unknown}”不认识")
    return tuple(found.values())


def plan(ask: Ask) -> tuple[Event, ...]:
    """What a step that is allowed does to the clocks of the case, as JSON-ready events for its journal line."""
    workflow, step, facts = ask.workflow, ask.step, ask.facts
    before = facts.case.state
    after = before if step.target == STAY else step.target
    ends = workflow.state[after].final
    events: list[dict[str, Any]] = []
    for deadline in facts.deadlines:
        if deadline.state in (RUNNING, PAUSED):
            event = _running(ask, workflow.clock[deadline.clock], deadline, before, after, ends)
            if event is not None:
                events.append({"clock": deadline.clock, "item": deadline.item, **event})
    for clock in workflow.clocks:
        if step.code in clock.starts and (clock.after_end or not ends):
            for item in facts.receivers if clock.item == "receiver" else ("",):
                events.append({"clock": clock.code, "item": item, **_start(ask, clock)})
    return tuple(events)


def _running(ask: Ask, clock: Clock, deadline: Deadline, before: str, after: str, ends: bool) -> dict[str, Any] | None:
    step, today = ask.step, ask.today
    if step.code in clock.met_by and (not clock.item or deadline.item == ask.item):
        return {"event": "meet", "on": today.isoformat()}
    if ends and not clock.after_end:
        return {"event": "end", "on": today.isoformat()}
    if step.code in clock.extended_by and deadline.due_on is not None:
        row = rule(clock.extension).on(ask.procedure_day)
        return {"event": "extend", **_counted(ask.facts.calendar, deadline.due_on, row)}
    if before == after or step.code in clock.starts:
        return None
    said = behaviour(ask, clock, after)
    if deadline.state == PAUSED:
        return _resume(ask, clock, deadline, before) if said == RUN_ON else None
    if said == PAUSE and clock.escalates and deadline.ran_out(today):
        return None  # a limit somebody has missed stays missed; only beginning anew clears it
    if said != RUN_ON and deadline.due_on is not None:
        return {"event": "pause", "on": today.isoformat(), "left": _remaining(ask.facts.calendar, today, deadline)}
    return None


def _resume(ask: Ask, clock: Clock, deadline: Deadline, left_state: str) -> dict[str, Any]:
    """The day of the pause is spent; paused on its last day, a clock resumes with that day as its due day."""
    calendar, today = ask.facts.calendar, ask.today
    if behaviour(ask, clock, left_state) == RESTART:
        row = rule(clock.length).on(ask.procedure_day)
        return {"event": "recount", **_counted(calendar, today, row)}
    unit = "WD" if deadline.unit == "WD" else "CD"
    counted = reckon(calendar, today, deadline.left, unit, deadline.shift)
    return {
        "event": "resume",
        "base": today.isoformat(),
        "due_on": counted.due_on.isoformat(),
        "value": deadline.left,
        "unit": unit,
        "shift": deadline.shift,
        "rule": deadline.rule,
        "row": deadline.row,
        "provisional": counted.provisional,
    }


def behaviour(ask: Ask, clock: Clock, state: str) -> str:
    """What a state does to a running clock: PAUSE, RESTART or RUN_ON, read from the law when a row is named."""
    said = clock.during.get(state, RUN_ON)
    if said in (PAUSE, RESTART, RUN_ON):
        return said
    return str(rule(said).on(ask.procedure_day).value)


def _remaining(calendar: Calendar, today: date, deadline: Deadline) -> int:
    assert deadline.due_on is not None
    if deadline.due_on <= today:
        return 0
    if deadline.unit == "WD":
        return calendar.working_between(today, deadline.due_on)
    return (deadline.due_on - today).days


def _start(ask: Ask, clock: Clock) -> dict[str, Any]:
    day_zero = clock.since(ask) if clock.since else None
    day_zero = day_zero or ask.today
    if clock.until is not None:
        last = clock.until(ask)
        return {
            "event": "start",
            "day_zero": day_zero.isoformat(),
            "due_on": last.isoformat() if last else None,
            "value": 0,
            "unit": "",
            "shift": False,
            "rule": "",
            "row": "",
            "provisional": False,
        }
    row = rule(clock.length).on(ask.procedure_day)
    counted = _counted(ask.facts.calendar, day_zero, row)
    counted["day_zero"] = counted.pop("base")
    return {"event": "start", **counted}


def _counted(calendar: Calendar, base: date, row: RuleRow) -> dict[str, Any]:
    computation = reckon(calendar, base, int(row.value or 0), row.unit, row.shift)
    return {
        "base": base.isoformat(),
        "due_on": computation.due_on.isoformat(),
        "value": computation.value,
        "unit": row.unit,
        "shift": row.shift,
        "rule": row.rule_id,
        "row": row.digest,
        "provisional": computation.provisional,
    }


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _day_or_none(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
