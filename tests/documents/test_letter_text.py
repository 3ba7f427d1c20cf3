"""The repair letter: what is promised in it, and that nobody changes a sentence unnoticed."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pytest

from app.documents.freeze import TEMPLATES
from app.documents.letter import EDITION, letter_text

SENTENCES = {"2026-11": "ac80"}
"""The digest of the sentences of each edition: who changes a sentence begins a new edition."""


def letter(**given: Any) -> str:
    values: dict[str, Any] = {
        "code": "43010020261109000001", "case_number": "2026110900001", "organ": "湖南省交通运输厅",
        "subject": "湖南澧原远途运输有限公司", "subject_code": "91430100MAEXAMP14R", "is_person": False,
        "record_number": "湘交罚〔2026〕37号", "record_organ": "湖南省交通运输厅", "recognised_on": date(2026, 7, 14),
        "signer": "沈知远", "capacity": "法定代表人", "consent": True, "on": date(2026, 11, 9),
    }  # fmt: skip
    return letter_text(**{**values, **given})


def test_it_names_who_promises_what_to_whom() -> None:
    text = letter()
    for said in (
        "43010020261109000001",
        "湖南澧原远途运输有限公司",
        "91430100MAEXAMP14R",
        "湘交罚〔2026〕37号",
        "2026年7月14日",
        "沈知远（法定代表人）",
        "2026年11月9日",
        "2026110900001",
    ):
        assert said in text


@pytest.mark.parametrize(
    "said", ["真实、合法、完整、有效", "已经纠正失信行为", "接受", "依法承担责任", "记入信用记录", "向社会公开"]
)
def test_it_makes_every_promise_the_law_asks_for(said: str) -> None:
    assert said in letter()


def test_whether_the_name_may_be_published_is_said_either_way() -> None:
    assert "同意一并公开签署人的姓名" in letter() and "隐去" not in letter()
    assert "公开时隐去签署人的姓名" in letter(consent=False)


def test_a_person_promises_for_themselves_and_shows_no_number() -> None:
    text = letter(is_person=True, subject="沈知远", subject_code="430101199001010000")
    assert "本人已经阅读" in text and "我单位" not in text and "430101" not in text.replace("43010020261109000001", "")


def test_a_name_is_written_as_it_is() -> None:
    assert "A&B <运输>公司" in letter(subject="A&B <运输>公司")


def test_the_same_letter_has_the_same_hash_and_no_line_ends_in_a_blank() -> None:
    assert letter() == letter() and not letter().endswith("\n")
    assert all(line == line.rstrip() for line in letter().splitlines())
    assert "签署时生成" in letter(code="")


def test_who_changes_a_sentence_begins_a_new_edition() -> None:
    sentences = (TEMPLATES / "repair" / "letter.txt").read_bytes()
    assert SENTENCES[EDITION] == hashlib.sha256(sentences).hexdigest()[:4]
