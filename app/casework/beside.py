"""Facts that a need reads and that change beside the state: papers, the letter. They lock the case, are journalled, and
do not raise its version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.casework.actor import Person, hand
from app.casework.facts import Loaded, load_case
from app.casework.refused import StepRefused
from app.journal import Entry, write_line
from workflows.grammar import MOVED, STRANGER, Refusal
from workflows.people import Role, roles_in

TITLES = {
    "save": "保存草稿",
    "attach": "上传材料",
    "detach": "移除材料",
    "letter": "签署信用修复承诺书",
    "recount": "放假安排变动，期限重新计算",
    "receipt": "接收单位回执",
}


def for_the_filer(number: str, actor: Person, at: datetime) -> Loaded:
    """The case, locked, for its filer, or who carries it for them, to work on the filer's own papers.

    Raises StepRefused: not theirs, not now.
    """
    loaded = load_case(number, at)
    if not _filing_role(loaded, actor):
        raise StepRefused([Refusal(STRANGER, "您没有受申请人委托，不能修改本件的材料。", {}, "D", "NO_MANDATE")])
    state = loaded.facts.case.state
    if loaded.workflow.state[state].owner != "filer":
        values = {"state": loaded.workflow.state[state].title}
        raise StepRefused([Refusal(MOVED, "本件现在是“{state}”，材料不能再改。", values, "D", "MOVED")])
    return loaded


def journal_beside(loaded: Loaded, act: str, actor: Person, at: datetime, answers: Mapping[str, Any]) -> Entry:
    """A line about something beside the state, by the case's filer or its carrier."""
    role = _filing_role(loaded, actor)
    assert role is not None
    last = loaded.lines[-1] if loaded.lines else None
    state = loaded.facts.case.state
    return write_line(
        "case",
        loaded.id,
        act,
        hand(actor, role, loaded.facts.case),
        at,
        law_text="D",
        source=state,
        target=state,
        answers=answers,
        calendar=loaded.facts.calendar.edition,
        last=(last.seq, last.hash) if last else (0, ""),
    )


def _filing_role(loaded: Loaded, actor: Person) -> Role | None:
    """In which role somebody hands in what the applicant says, None for somebody who does not."""
    case = loaded.facts.case
    roles = roles_in(actor, case.office, case.subject, case.channel)
    return next((role for role in (Role.FILER, Role.CARRIER) if role in roles), None)
