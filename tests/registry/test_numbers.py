"""One decision, typed by three people: the register must see one 文号."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registry.numbers import format_number, number_key


@pytest.mark.parametrize(
    "spellings",
    [
        ["湘攸交处罚〔 2025〕092(非) 号", "湘攸交处罚〔2025〕092（非）号", "湘攸交处罚[2025]92（非）"],
        ["豫牧（兽药）罚决字〔2018〕第1号", "豫牧(兽药)罚决字[2018]1号", "豫牧（兽药）罚决字【2018】第００１号"],
        ["市场【2019】1号", "市场（2019）第001號", "市场﹝2019﹞1 号", "市场〔2019年〕1号"],
        ["市场〔2019〕1号", "\ufeff市场〔2019〕1号\u200b", "市场\n〔2019〕\t1号"],
        ["（2025）长交罚第0012号", "(2025)长交罚第12号"],
        ["湘交—罚〔2026〕3号", "湘交-罚〔2026〕3号"],
    ],
)
def test_spellings_of_one_number_meet(spellings):
    assert len({number_key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("市场〔2019〕1号", "市场〔2019〕10号"),
        ("市场〔2019〕1号", "市场〔2018〕1号"),
        ("市场〔2019〕1号", "市监〔2019〕1号"),
        ("高管局处罚决定2016D090102", "高管局处罚决定2016D90102"),
        ("湘攸交处罚〔2025〕92（非）号", "湘攸交处罚〔2025〕92号"),
        ("长交罚〔2025〕1-2号", "长交罚〔2025〕12号"),
    ],
)
def test_different_numbers_stay_apart(one, other):
    assert number_key(one) != number_key(other)


@pytest.mark.parametrize("cell", ["", None, "--", "无", " 　", "null"])
def test_a_cell_without_a_number_has_no_key(cell):
    assert number_key(cell) == ""


@given(st.text(max_size=60))
def test_the_key_of_a_key_is_itself_unless_it_names_nothing(text):
    key = number_key(text)
    assert number_key(key) in (key, key.removesuffix("号"), "")


def test_our_own_number_is_written_as_the_layout_standard_wants():
    assert format_number("湘交", "信修受", 2026, 12) == "湘交信修受〔2026〕12号"
    assert number_key(format_number("湘交", "信修受", 2026, 12)) == number_key("湘交信修受[2026]第012号")


@pytest.mark.parametrize(
    "parts", [("", "信修受", 2026, 1), ("湘交", "", 2026, 1), ("湘交", "信修受", 26, 1), ("湘交", "信修受", 2026, 0)]
)
def test_a_number_with_a_missing_part_is_never_issued(parts):
    with pytest.raises(ValueError):
        format_number(*parts)


@given(st.sampled_from(["湘交", "长交", "长岳交"]), st.integers(1949, 2100), st.integers(1, 10**6))
def test_no_two_of_our_numbers_share_a_key(organ, year, serial):
    assert number_key(format_number(organ, "信修决", year, serial)) != number_key(
        format_number(organ, "信修决", year, serial + 1)
    )
