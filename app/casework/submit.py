"""Handing in a draft: to the acceptance desk when the record may be repaired today, early when it must still wait."""

from __future__ import annotations

from datetime import datetime

from app.casework.actor import Person
from app.casework.facts import load_case
from app.casework.take_step import take_step
from app.journal import Entry
from workflows.grammar import Ask, Facts, Workflow
from workflows.people import WATCH
from workflows.repair_needs import minimum_passed

SUBMIT, SUBMIT_EARLY = "submit", "submit_early"


def way_in(workflow: Workflow, facts: Facts, at: datetime) -> str:
    """The step by which a draft is handed in on the civil day of `at`; for a case handed in, the one that did it."""
    handed_in = facts.last(SUBMIT, SUBMIT_EARLY)
    if handed_in is not None:
        return handed_in.step
    waiting = any(minimum_passed(Ask(workflow, workflow.step[SUBMIT], facts, WATCH, at)))
    return SUBMIT_EARLY if waiting else SUBMIT


def submit_draft(number: str, *, actor: Person, key: str, seen_version: int, at: datetime) -> Entry:
    """Hand in one draft, inside `transaction()`; the same key again gets the same line.

    Raises NoSuchCase, CaseHasMoved, StepRefused or KeyReused as `take_step` does.
    """
    loaded = load_case(number, at)
    step = way_in(loaded.workflow, loaded.facts, at)
    return take_step(number, step, actor=actor, answers={}, key=key, seen_version=seen_version, at=at)
