"""Everything a person reads can be read in English too; Chinese is the source."""

from __future__ import annotations

from functools import cache

import pytest

from app.translations.catalogue import Source, found, kept, places, wrong
from app.translations.citations import cited
from workflows.grammar import Refusal
from workflows.law import instruments, rules
from workflows.repair import REPAIR


@cache
def source() -> Source:
    """The sentences of the house as it stands, looked for once."""
    return found()


def test_states_steps_clocks_and_refusals_of_the_law_room_are_found() -> None:
    messages = source()
    titles = [part.title for part in (*REPAIR.states, *REPAIR.steps, *REPAIR.clocks)]
    assert [title for title in titles if title not in messages] == []
    assert [step.consequence for step in REPAIR.steps if step.consequence not in messages] == []
    assert [rule.title for rule in rules() if rule.title not in messages] == []
    assert "最短公示期到{day}届满，届满后的次日起可以申请。" in messages
    assert "这一步由本件的{who}办理。" in messages


def test_pages_are_found_and_patterns_are_not() -> None:
    assert "信用修复不收取任何费用。" in source()
    assert [text for text in source() if isinstance(text, str) and r"\d{" in text] == []


def test_a_refusal_is_a_template_with_its_values() -> None:
    refusal = Refusal("unmet", "{clock}没有在计算。", {"clock": "受理期限"})
    assert refusal.template == "{clock}没有在计算。"
    assert refusal.text == "受理期限没有在计算。"


def test_every_sentence_has_its_english() -> None:
    """`python3 dev.py translations` brings new entries in and lists what is left to do."""
    assert wrong(kept(), source()) == []


def test_a_missing_a_stale_a_doubtful_and_a_misfilled_entry_are_each_named() -> None:
    catalogue = kept()
    catalogue["登录"].flags.add("fuzzy")
    catalogue["已暂停"].string = ""
    catalogue["{clock}没有在计算。"].string = "{watch} is not running."
    catalogue["主办：%(office)s"].string = "Run by"
    catalogue.add("没有人说的话", "Said by nobody")
    told = wrong(catalogue, source() | {"刚写的一句话": ["forms/new.py"]})
    assert sorted(line.split(":")[0].split(" (")[0] for line in told) == sorted(
        ["in doubt", "not translated", "places do not fit", "places do not fit", "said nowhere any more", "missing"]
    )


@pytest.mark.parametrize(
    ("text", "filled"),
    [("没有位置", set()), ("%(n)s 件", {"n"}), ("{a}和{b}", {"{a}", "{b}"}), ("100%", set()), ("app.get({", set())],
)
def test_the_places_of_a_sentence(text: str, filled: set[str]) -> None:
    assert places(text) == filled


def test_an_instrument_keeps_its_chinese_name_beside_the_english_one() -> None:
    english = kept()
    for instrument in instruments():
        assert instrument.title in str(english[instrument.title].string), instrument.key


def test_an_article_is_cited_in_figures() -> None:
    assert cited("《民法典》第二百零一条") == "民法典, Art. 201"  # outside a page nothing is translated
    assert (
        cited("《行政处罚法》第四十八条、第八十五条第一款；《电子签名法》") == "行政处罚法, Art. 48, 85(1); 电子签名法"
    )
    assert cited("依据《民法典》办理") is None
