"""Everything a person reads can be translated; Chinese is the source."""

from __future__ import annotations

from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg

from workflows.grammar import Refusal
from workflows.repair import REPAIR

ROOT = Path(__file__).parents[2]


def found() -> set[str]:
    with (ROOT / "app/translations/babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    return {message for _, _, message, *_ in extract_from_dir(str(ROOT), methods, options) if isinstance(message, str)}


def test_states_steps_clocks_and_refusals_of_the_law_room_are_found() -> None:
    messages = found()
    titles = [part.title for part in (*REPAIR.states, *REPAIR.steps, *REPAIR.clocks)]
    assert [title for title in titles if title not in messages] == []
    assert [step.consequence for step in REPAIR.steps if step.consequence not in messages] == []
    assert "最短公示期到{day}届满，届满后的次日起可以申请。" in messages
    assert "这一步由本件的{who}办理。" in messages


def test_pages_are_found() -> None:
    assert "信用修复不收取任何费用。" in found()


def test_a_refusal_is_a_template_with_its_values() -> None:
    refusal = Refusal("unmet", "{clock}没有在计算。", {"clock": "受理期限"})
    assert refusal.template == "{clock}没有在计算。"
    assert refusal.text == "受理期限没有在计算。"
