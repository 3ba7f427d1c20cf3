"""A clerk types a code from a licence; an import brings fifty thousand. Both must be told exactly what is wrong."""

import csv
import datetime
import logging
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from app.registry.codes import (
    ALPHABET,
    check_code,
    check_id_number,
    clean_code,
    complete_code,
    id_check_character,
)

DATA = Path(__file__).parent / "data"


def rows(name):
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


first16 = st.builds(
    lambda kind, region, body: kind + region + body,
    st.sampled_from(["91", "92", "93", "11", "12", "51", "N2", "Y1", "A1"]),
    st.from_regex(r"43[0-9]{4}", fullmatch=True),
    st.text(ALPHABET, min_size=8, max_size=8),
)


@pytest.mark.parametrize("row", rows("uscc_valid.csv"), ids=lambda row: row["code"])
def test_a_code_in_use_is_accepted_without_a_question(row):
    verdict = check_code(row["code"])
    assert verdict.ok and verdict.code == row["code"] and not verdict.problems and not verdict.warnings


@pytest.mark.parametrize("row", rows("uscc_test_cases.csv"), ids=lambda row: repr(row["input"]))
def test_every_case_of_the_table_is_answered_as_expected(row):
    verdict = check_code(row["input"])
    said = "；".join(verdict.problems + verdict.warnings)
    assert row["says"] in said
    match row["expected"].split()[0]:
        case "accept":
            assert verdict.ok and not said
        case "warn":
            assert verdict.ok and verdict.warnings and not verdict.problems
        case "treat":
            assert not verdict.ok and verdict.code == ""
        case "reject" | "route":
            assert not verdict.ok and verdict.problems
        case unknown:
            pytest.fail(f"the table expects something new: {unknown}")


def test_the_table_shows_where_the_library_would_have_been_wrong():
    """Letters in front are lawful and all zeros are not: python-stdnum says the opposite, so it cannot be the judge."""
    parted = {r["input"] for r in rows("uscc_test_cases.csv") if check_code(r["input"]).ok != uscc.is_valid(r["input"])}
    assert {"Y1430000MD123456XA", "A1430000MB12345627", "000000000000000000"} <= parted


@given(first16)
def test_a_completed_code_passes_here_and_its_last_character_passes_at_the_library(first):
    code = complete_code(first)
    verdict = check_code(code)
    assert verdict.ok and not verdict.warnings and verdict.code == code
    assert uscc.calc_check_digit(code[:17]) == code[17]


@given(first16, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_never_passes_in_silence(first, place, character):
    code = complete_code(first)
    wrong = code[:place] + character + code[place + 1 :]
    verdict = check_code(wrong)
    if wrong != code:
        assert not verdict.ok
        assert verdict.problems


@given(st.text(max_size=40) | st.none() | st.integers() | st.floats())
def test_whatever_a_cell_contains_there_is_an_answer(cell):
    verdict = check_code(cell)
    assert verdict.ok == (not verdict.problems)


@given(st.text(ALPHABET, min_size=18, max_size=18))
def test_what_the_library_accepts_is_accepted_or_refused_for_a_stated_policy(code):
    if uscc.is_valid(code):
        verdict = check_code(code)
        assert verdict.ok or "没有登记机关" in verdict.problems[0]


def test_the_quick_way_and_the_explaining_way_agree():
    rng = random.Random(11714)
    regions = {f"43{n:04d}": "current" for n in range(10000)}
    for _ in range(300):
        code = complete_code("91" + f"43{rng.randrange(10000):04d}" + "".join(rng.choices(ALPHABET, k=8)))
        assert check_code(code) == check_code(" " + code) == check_code(code, regions)


def test_the_sentence_says_the_remedy_for_the_eighteenth_character():
    code = complete_code("91430600JN001234")
    wrong = code[:17] + ("0" if code[17] != "0" else "1")
    assert f"第 18 位应为 {code[17]}，您输入的是 {wrong[17]}" in check_code(wrong).problems[0]


def test_two_neighbours_changed_round_are_pointed_at():
    code = complete_code("91430600JN017346")
    swapped = code[:11] + code[12] + code[11] + code[13:]
    assert check_code(swapped).problems == ("第 12 位和第 13 位可能颠倒了，请对照证照核对",)


@pytest.mark.parametrize(
    "written",
    [
        "９１４３００００７０７２３９８５９Ｈ",
        "91430000707239859h",
        "91430000707239859H（1-1）",
        "91430000707239859H(副本)",
        "统一社会信用代码：91430000 70723985-9H",
        "9143\u200b0000\u200e707239859H\r\n",
        "'91430000707239859H",
        "91430000－707239859－H",
    ],
)
def test_the_same_code_is_recognised_however_it_was_written(written):
    assert clean_code(written) == "91430000707239859H"
    assert check_code(written).ok


def test_a_code_whose_last_digits_a_spreadsheet_dropped_is_not_guessed():
    verdict = check_code("914403001922038000")
    assert not verdict.ok and "文本" in verdict.problems[0]


def test_a_letter_of_another_alphabet_is_named_by_its_place():
    assert check_code("91430000707239859Н").problems[0].startswith("第 18 位“Н”")  # Cyrillic


def test_a_retired_county_still_names_the_place_of_registration():
    regions = {"430000": "current", "430182": "current", "430124": "retired", "430671": "zone", "430101": "placeholder"}
    ningxiang = complete_code("91430124JN000001")
    assert check_code(ningxiang, regions) == (True, ningxiang, (), ())
    assert "统计代码" in check_code(complete_code("91430671JN000001"), regions).warnings[0]
    assert "不在现行" in check_code(complete_code("91430199JN000001"), regions).warnings[0]
    assert "不在现行" in check_code(complete_code("91430101JN000001"), regions).warnings[0]


def test_another_province_is_not_measured_by_our_list():
    regions = {"430000": "current"}
    assert check_code("91440300192317458F", regions).warnings == ()


def test_an_unusual_registering_organ_is_a_question_not_a_refusal():
    verdict = check_code(complete_code("B1430000JN000001"))
    assert verdict.ok and "登记管理部门" in verdict.warnings[0]
    assert "省级区划" in check_code(complete_code("91990000JN000001")).warnings[0]


def test_a_person_who_pastes_an_identity_number_is_told_so_without_repeating_it():
    number = "43999919900101001" + id_check_character("43999919900101001")
    verdict = check_code(number)
    assert not verdict.ok and "身份证" in verdict.problems[0] and number not in verdict.problems[0]


@pytest.mark.parametrize("first", ["", "91430600JN00123", "91430600JN0012345", "91430600JN00123I", "9143O600JN001234"])
def test_only_sixteen_lawful_characters_are_completed(first):
    with pytest.raises(ValueError):
        complete_code(first)


@given(st.dates(min_value=datetime.date(1900, 1, 1)), st.integers(0, 999))
def test_the_check_character_of_an_identity_number_is_the_library_s(born, order):
    first = f"430102{born:%Y%m%d}{order:03d}"
    number = first + id_check_character(first)
    assert ric.calc_check_digit(number) == number[17]
    assert check_id_number(number.lower()) == (True, number, (), ())


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("", "没有填写"),
        ("--", "没有填写"),
        ("430102900101123", "15 位"),
        ("4399991990010100", "应为 18 位，您输入了 16 位"),
        ("43999919900230001X", "出生日期"),
        ("99999919900101001X", "省级区划"),
        ("43999919900101A01X", "应为数字"),
        ("439999199001010010", "末位"),
    ],
)
def test_a_wrong_identity_number_is_refused_without_repeating_a_digit_of_it(number, said):
    verdict = check_id_number(number)
    assert not verdict.ok and said in verdict.problems[0]
    assert not number or number not in verdict.problems[0]


def test_a_verdict_that_ends_in_a_log_does_not_show_the_number(caplog):
    number = "43999919900101001" + id_check_character("43999919900101001")
    with caplog.at_level(logging.INFO):
        logging.getLogger("import").info("row 7: %r", check_id_number(number))
    assert number not in caplog.text


def test_a_sentence_can_be_shown_in_another_language():
    problem = check_code("91110000710925032P").problems[0]
    assert problem.template.format(**problem.values) == problem
    assert problem.values == {"right": "4", "given": "P"}
