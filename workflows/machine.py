"""The move itself: one shared, stateless `transitions.Machine` per workflow, fired on a throw-away adapter.

Nothing is registered with the machine, so it holds no case alive; `auto_transitions` is off, because the default adds a
`to_<state>()` that jumps over every rule. Conditions and callbacks of the library are not used: the engine has answered
before, and a move that the machine does not know raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from transitions import Machine, MachineError

from workflows.grammar import NEW, STAY, Step, Workflow


class IllegalMove(RuntimeError):
    """The machine knows no such arrow; nothing has moved."""


@dataclass(frozen=True, slots=True)
class Move:
    """A step together with where it started and where it ends."""

    step: Step
    source: str
    target: str


class _Adapter:
    """Carries a state through one trigger; never an ORM row."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


@lru_cache(maxsize=64)
def _machine(workflow: Workflow) -> Machine:
    machine = Machine(
        model=None,
        states=[NEW, *workflow.state],
        initial=NEW,
        auto_transitions=False,
        send_event=True,
        queued=False,
    )
    for step in workflow.steps:
        for source in step.sources:
            machine.add_transition(step.code, source, source if step.target == STAY else step.target)
    return machine


def the_move(workflow: Workflow, state: str, step: str) -> Move:
    """Move from `state` by `step` as the definition draws it. Raises IllegalMove when there is no such arrow."""
    adapter = _Adapter(state)
    machine = _machine(workflow)
    try:
        moved = machine.events[step].trigger(adapter)
    except (KeyError, ValueError, MachineError) as error:
        raise IllegalMove(f"{workflow.title}没有从“{state}”经“{step}”的路") from error
    if not moved:
        raise IllegalMove(f"{workflow.title}没有从“{state}”经“{step}”的路")
    return Move(step=workflow.step[step], source=state, target=adapter.state)
