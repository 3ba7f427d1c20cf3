"""Everything a person reads can be read in English too; Chinese is the source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from flask import Flask
from flask_babel import Babel, gettext

from app.translations.catalogue import Source, found, kept, places, wrong
from app.translations.citations import cited
from app.translations.reader import init_language, locale
from app.views.texts import day, init_texts, sentence
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


@pytest.fixture
def english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A house whose reader reads English, with the catalogue as it is committed."""
    folder = tmp_path / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, kept())
    app = Flask(__name__)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(tmp_path)
    Babel(app, locale_selector=locale)
    init_language(app)
    init_texts(app)
    with app.test_request_context("/", headers={"Cookie": "language=en"}):
        yield app


def test_what_the_rooms_say_is_printed_in_english_and_what_people_typed_is_not(english: Flask) -> None:
    def printed(value: object) -> str:
        return english.jinja_env.from_string("{{ value }}").render(value=value)

    assert printed("受理期限") == "Time-limit for acceptance"
    assert printed("受理员、审核员") == "acceptance officer, reviewer"
    assert printed("周三，计入") == "Wed, counted"
    assert printed("2026年11月24日") == "24 November 2026"
    assert printed("《民法典》第二百零一条") == "Civil Code (民法典), Art. 201"
    assert printed("湖南岳衡物流有限公司") == "湖南岳衡物流有限公司"
    assert printed("审核员说，材料不全") == "审核员说，材料不全"
    assert printed("[a|b]，我写的") == "[a|b]，我写的"


def test_sentences_bring_their_values_and_their_number_with_them(english: Flask) -> None:
    refusal = Refusal("unmet", "{clock}已于{year}年{month}月{day}日届满，届满后不能再办理“{step}”。", {
        "clock": "受理期限", "year": 2026, "month": 11, "day": 9, "step": "一次性告知补正",
    })  # fmt: skip
    assert sentence(refusal) == (
        'Time-limit for acceptance ended on 9/11/2026; "Ask once for corrections" is not possible any more.'
    )
    left = english.jinja_env.from_string('{{ _("还剩 %(n)s %(unit)s", n=n, unit=_("个工作日")) }}')
    assert [left.render(n=n) for n in (1, 2, 21)] == [
        "1 working day left",
        "2 working days left",
        "21 working days left",
    ]
    assert gettext("%(n)s 件已超期", n=1) == "1 case overdue"
    assert day(date(2024, 2, 29)) == "Thu 29 Feb 2024"


def test_an_article_is_cited_in_figures() -> None:
    assert cited("《民法典》第二百零一条") == "民法典, Art. 201"  # outside a page nothing is translated
    assert (
        cited("《行政处罚法》第四十八条、第八十五条第一款；《电子签名法》") == "行政处罚法, Art. 48, 85(1); 电子签名法"
    )
    assert cited("依据《民法典》办理") is None
