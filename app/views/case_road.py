"""The road of a case: the stations it passed, where it stands, and the shortest way on to a good end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from app.casework.facts import Loaded
from workflows.calendar import legal_day
from workflows.clockwork import RUNNING, Deadline
from workflows.grammar import STAY, Workflow


@dataclass(frozen=True, slots=True)
class Station:
    """A stop on the road of a case."""

    title: str
    status: str
    on: date | None
    note: str


def road_of(loaded: Loaded) -> tuple[Station, ...]:
    """The road taken, from the journal, then the shortest way on to a good end."""
    workflow = loaded.workflow
    stations: list[Station] = []
    for line in loaded.lines:
        if line.source != line.target and line.target in workflow.state:
            title = workflow.state[line.target].title
            stations.append(Station(title, "done", legal_day(line.at), ""))
    here = workflow.state[loaded.facts.case.state]
    if stations:
        last = stations.pop()
        note = here.owner.title if here.owner else ""
        stations.append(Station(last.title, "done" if here.final else "current", last.on, note))
    if not here.final:
        stations += [Station(workflow.state[code].title, "todo", None, "") for code in way_on(workflow, here.code)]
    return tuple(stations)


def way_on(workflow: Workflow, state: str) -> tuple[str, ...]:
    """The states still ahead on the first road of the definition that leads to its first end."""
    good_end = next(s.code for s in workflow.states if s.final)
    queue: list[tuple[str, ...]] = [(state,)]
    seen = {state}
    while queue:
        road = queue.pop(0)
        if road[-1] == good_end:
            return road[1:]
        for step in workflow.steps_from[road[-1]]:
            if step.target != STAY and step.target not in seen:
                seen.add(step.target)
                queue.append((*road, step.target))
    return ()


def ripens(workflow: Workflow, state: str, deadlines: Iterable[Deadline], today: date) -> str:
    """What a case waits for that goes on by itself when a time-limit has passed; empty when it waits for a person."""
    for deadline in deadlines:
        clock = workflow.clock[deadline.clock]
        step = workflow.step.get(clock.on_expiry)
        if deadline.state != RUNNING or deadline.due_on is None or deadline.due_on < today or step is None:
            continue
        if state in step.sources and step.target in way_on(workflow, state):
            return _("%(clock)s届满", clock=_(clock.title))
    return ""
