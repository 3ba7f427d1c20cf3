"""The second lock: the machine knows exactly the arrows of the definition and holds no case."""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from transitions import Machine

from workflows import WORKFLOWS, machine, workflow
from workflows.grammar import NEW, STAY
from workflows.machine import IllegalMove, the_move
from workflows.repair import REPAIR


@pytest.mark.parametrize("definition", WORKFLOWS.values(), ids=lambda definition: definition.code)
def test_every_arrow_of_the_definition_moves_and_no_other(definition):
    for step in definition.steps:
        for state in (NEW, *definition.state):
            if state in step.sources:
                move = the_move(definition, state, step.code)
                assert (move.step, move.source) == (step, state)
                assert move.target == (state if step.target == STAY else step.target)
            else:
                with pytest.raises(IllegalMove):
                    the_move(definition, state, step.code)


@pytest.mark.parametrize("trick", ["to_closed", "to_processing", "", "__init__", "trigger"])
def test_there_is_no_way_round_the_steps(trick):
    """The library's own default would add a `to_<state>` that jumps from a draft to an approval."""
    with pytest.raises(IllegalMove) as refused:
        the_move(REPAIR, "draft", trick)
    assert str(refused.value) == f"信用修复没有从“draft”经“{trick}”的路"


def test_a_state_that_does_not_exist_leads_nowhere():
    with pytest.raises(IllegalMove):
        the_move(REPAIR, "approved", "confirm")


def test_nothing_is_registered_with_the_machine_and_nothing_stays_behind():
    shared = machine._machine(REPAIR)
    assert shared is machine._machine(REPAIR)
    for _ in range(100):
        the_move(REPAIR, "draft", "submit")
    gc.collect()
    assert shared.models == []
    assert not [thing for thing in gc.get_objects() if isinstance(thing, machine._Adapter)]


def test_many_cases_move_at_once_on_the_one_machine():
    moves = [(state, step.code) for step in REPAIR.steps for state in step.sources] * 40
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as people:
            targets = list(people.map(lambda move: the_move(REPAIR, *move).target, moves))
    finally:
        sys.setswitchinterval(interval)
    expected = [state if REPAIR.step[code].target == STAY else REPAIR.step[code].target for state, code in moves]
    assert targets == expected


def test_a_move_that_the_library_quietly_refuses_is_loud(monkeypatch):
    """A condition that is false makes `transitions` answer False without a word; here that is an error."""
    silent = Machine(
        model=None, states=["draft", "submitted"], initial="draft", auto_transitions=False, send_event=True
    )
    silent.add_transition("submit", "draft", "submitted", conditions=[lambda event: False])
    monkeypatch.setattr(machine, "_machine", lambda definition: silent)
    with pytest.raises(IllegalMove):
        the_move(REPAIR, "draft", "submit")


def test_a_case_keeps_the_definition_it_was_begun_under():
    assert workflow("repair", "2026-04") is REPAIR
    with pytest.raises(KeyError, match="没有办件类型 repair 的 1999-01 版定义"):
        workflow("repair", "1999-01")
