"""The mess that offices really send (`messy_values.csv`, `uscc_test_cases.csv`), as import files: each value is handled
as its expected column says."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from app.registry.codes import complete_code
from app.registry.days import OPEN_END
from tests.cast import Cast
from tests.registry.sheets import a_penalty, a_permit, batch_of, csv_bytes, firm, lines_of, records, said, take_in

DATA = Path(__file__).with_name("data")


FINE = {"CF_CFLB": "罚款", "CF_NR_ZKDX": ""}


@pytest.fixture
def database() -> str:
    """What a cell means is decided before any database."""
    return "sqlite"


def table(name: str) -> list[dict[str, str]]:
    """A table of the tests' data."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


MESSY = {(row["field"], row["raw_value"]): row["expected_handling"] for row in table("messy_values.csv")}
"""Every line of the table; the last test asks whether all are shown."""


def expected(field: str, raw: str) -> str:
    """What the table wants for this value."""
    return MESSY[field, raw]


def outcome(cast: Cast, row: dict[str, Any], **layout: Any) -> tuple[str, str, dict[str, str]]:
    """Verdict, reasons and the record's fields of a sheet with this one row."""
    batch = take_in(cast.offices["province"], csv_bytes([row], **layout))
    line = lines_of(batch).get(1)
    made = [record for record in records() if record.batch_id == batch]
    return line.verdict if line else "in", said(line) if line else "", made[0].fields if made else {}


@pytest.mark.parametrize(
    ("field", "raw", "changes", "verdict", "reason", "value"),
    [
        ("CF_WSH", "豫牧（兽药）罚决字〔2018〕第1号", {}, "in", "", "豫牧（兽药）罚决字〔2018〕第1号"),
        ("CF_WSH", "", {}, "waiting", "没有填写", None),
        ("CF_XDR_SHXYM", "91410105674139084T（1-1）", {}, "in", "", "91410105674139084T"),
        ("CF_CFLB", "罚款", FINE | {"CF_NR": "罚款2000元", "CF_NR_FK": "0.2"}, "in", "", "罚款"),
        (
            "CF_CFLB",
            "警告;罚款",
            {"CF_NR": "警告，罚款2000元", "CF_NR_FK": "0.2", "CF_NR_ZKDX": ""},
            "in",
            "",
            "警告;罚款",
        ),
        (
            "CF_NR_FK",
            "1500",
            {"CF_CFLB": "罚款", "CF_NR": "罚款1500元", "CF_NR_ZKDX": ""},
            "warned",
            "应填 0.15",
            "1500",
        ),
        ("CF_NR_FK", "０．１５", FINE | {"CF_NR": "罚款1500元"}, "in", "", "0.15"),
        ("CF_JDRQ", "2018-09-01", {}, "in", "", "2018-09-01"),
        ("CF_JDRQ", "2018/9/1", {}, "in", "", "2018-09-01"),
        ("CF_JDRQ", "2018年9月1日", {}, "in", "", "2018-09-01"),
        ("CF_JDRQ", "二〇一八年九月一日", {}, "warned", "按 2018-09-01 读取", "2018-09-01"),
        ("CF_JDRQ", "43344", {}, "warned", "日期序号", "2018-09-01"),
        ("CF_JDRQ", "2018-02-30", {}, "waiting", "日历上没有", None),
    ],
)
def test_a_messy_value_is_handled_as_the_table_says(
    cast: Cast, field: str, raw: str, changes: dict[str, str], verdict: str, reason: str, value: str | None
) -> None:
    expected(field, raw)
    found, why, fields = outcome(cast, a_penalty(cast, **({"CF_JDRQ": "2018-09-01"} | changes | {field: raw})))
    assert (found, fields.get(field)) == (verdict, value), why
    assert reason in why


def test_the_same_decision_typed_with_other_brackets_is_a_duplicate_of_the_row_above(cast: Cast) -> None:
    expected("CF_WSH", "湘攸交处罚〔2025〕092（非）号")
    rows = [
        a_penalty(cast, CF_WSH=number) for number in ("湘攸交处罚〔2025〕092(非)号", "湘攸交处罚〔2025〕092（非）号")
    ]
    batch = take_in(cast.offices["province"], csv_bytes(rows))
    assert batch_of(batch).tallies == {"in": 1, "duplicate": 1}
    assert lines_of(batch)[2].record_id == records()[0].id
    assert "第 1 行" in said(lines_of(batch)[2])


def test_one_number_on_several_permits_is_several_records(cast: Cast) -> None:
    expected("CF_WSH", "双环许可2019")
    rows = [a_permit(cast, n, XK_WSH="双环许可2019") for n in (1, 2)]
    rows.append(a_permit(cast, 1, XK_WSH="双环许可2019", XK_JDRQ="2026-03-03"))
    take_in(cast.offices["province"], csv_bytes(rows))
    assert len(records()) == 3


def test_an_original_stays_as_it_was_sent_beside_what_was_understood(cast: Cast) -> None:
    outcome(cast, a_penalty(cast, CF_XDR_SHXYM="91410105674139084T（1-1）"))
    assert records()[0].received["行政相对人代码_1(统一社会信用代码)"] == "91410105674139084T（1-1）"


def test_a_person_has_no_code_and_the_number_is_nowhere_in_the_clear(cast: Cast) -> None:
    expected("CF_XDR_SHXYM", "--")
    expected("身份证号 in a public page", "(full 18-digit number published)")
    number = "430103198803120035"
    row = a_penalty(
        cast, CF_XDR_MC="欧阳诚", CF_XDR_LB="自然人", CF_XDR_SHXYM="--", CF_FRDB="", CF_XDR_ZJLX="身份证",
        CF_XDR_ZJHM=number_of(number), CF_SY=f"驾驶人（{number_of(number)}）擅自超限行驶公路",
    )  # fmt: skip
    verdict, why, fields = outcome(cast, row)
    assert verdict == "warned" and "自动隐去" in why
    assert number_of(number) not in str(fields) + str(records()[0].received) + why


def number_of(first: str) -> str:
    """A valid identity number with these first 17 digits."""
    from app.registry.codes import id_check_character

    return first[:17] + id_check_character(first[:17])


def test_an_organ_may_be_both_who_decides_and_who_sends(cast: Cast) -> None:
    expected("CF_CFJGDM", "11230500001755309F")
    verdict, why, _ = outcome(cast, a_penalty(cast, CF_CFJGDM="11230500001755309F", CF_SJLYDM="11230500001755309F"))
    assert verdict == "in", why


def test_three_vocabularies_of_one_list_mean_the_same(cast: Cast) -> None:
    expected("CF_XDR_LB", "法人及非法人组织 vs 法人和其他组织 vs 2")
    rows = [a_penalty(cast, n, CF_XDR_LB=word) for n, word in enumerate(("法人及非法人组织", "法人和其他组织", "2"), 1)]
    take_in(cast.offices["province"], csv_bytes(rows))
    assert {record.fields["CF_XDR_LB"] for record in records()} == {"法人及非法人组织"}


def test_the_sum_is_compared_with_the_words_of_the_decision(cast: Cast) -> None:
    expected("CF_NR / CF_NR_FK", "罚款2000元 / 0.2")
    fine = {"CF_CFLB": "罚款", "CF_NR": "罚款2000元", "CF_NR_ZKDX": ""}
    assert outcome(cast, a_penalty(cast, 1, CF_NR_FK="0.2", **fine))[0] == "in"
    verdict, why, _ = outcome(cast, a_penalty(cast, 2, CF_NR_FK="0.3", **fine))
    assert verdict == "warned" and "处罚内容写的是 2000 元" in why


@pytest.mark.parametrize("word", ["长期", "2099-12-31", "9999-12-31", "2099/12/31"])
def test_a_permit_for_ever_is_written_in_several_ways(cast: Cast, word: str) -> None:
    expected("XK_YXQZI", "长期")
    expected("XK_YXQZI", "2099-12-31 / 9999-12-31")
    _, why, fields = outcome(cast, a_permit(cast, XK_YXQZI=word))
    assert fields["XK_YXQZI"] == OPEN_END.isoformat(), why
    assert records()[0].maximum_last_day is None


def test_the_period_is_computed_by_the_law_of_the_day_and_the_sender_s_own_is_kept(cast: Cast) -> None:
    expected("CF_GSJZQ", "2019-09-01 with decision 2018-09-01")
    outcome(cast, a_penalty(cast, CF_JDRQ="2026-05-18", CF_GSJZQ="2027-05-18"))
    record = records()[0]
    assert record.maximum_last_day.isoformat() == "2029-05-18" and record.fields["CF_GSJZQ"] == "2027-05-18"


def test_the_sender_may_be_another_unit_than_the_organ_that_decided(cast: Cast) -> None:
    expected("提交人", "省高管局")
    row = a_penalty(cast)
    row["提交人"] = row.pop("CF_SJLY")
    verdict, why, fields = outcome(cast, row | {"提交人": "省高管局"})
    assert verdict == "in" and fields["CF_SJLY"] == "省高管局", why


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("统一社会信用码", "CF_XDR_SHXYM"),
        ("行政处罚文书决定号", "CF_WSH"),
        ("行政处罚决定书文号", "CF_WSH"),
        ("行政处罚决定文书号", "CF_WSH"),
        ("行政相对人代码_3(统一社会信用代码)", "CF_XDR_SHXYM"),
        ("*处罚决定日期（必填）", "CF_JDRQ"),
        ("CF_XZJG", "CF_CFJG"),
    ],
)
def test_a_heading_is_recognised_under_the_names_offices_give_it(cast: Cast, heading: str, field: str) -> None:
    expected("column heading", "统一社会信用码")
    expected("column heading", "行政处罚文书决定号 / 行政处罚决定书文号 / 行政处罚决定文书号")
    expected("column heading", "行政相对人代码_3(统一社会信用代码)")
    row = a_penalty(cast)
    row[heading] = row.pop(field)
    verdict, why, fields = outcome(cast, row)
    assert verdict == "in" and field in fields, why


def test_a_column_that_belongs_to_another_sheet_disturbs_nobody(cast: Cast) -> None:
    expected("column heading", "许可生效期 in a penalty record")
    verdict, why, _ = outcome(cast, a_penalty(cast, **{"许可生效期": "2026-05-18", "案件名称": "超限运输案"}))
    assert verdict == "in", why
    assert records()[0].received["许可生效期"] == "2026-05-18"


def test_two_widths_of_brackets_are_one_name(cast: Cast) -> None:
    expected("CF_XDR_MC", "XX运输有限公司(长沙) / XX运输有限公司（长沙）")
    rows = [a_penalty(cast, 1, CF_XDR_MC="岳衡运输有限公司(长沙)")]
    rows.append(a_penalty(cast, 2, CF_XDR_MC="岳衡运输有限公司（长沙）", CF_XDR_SHXYM=firm(1)))
    batch = take_in(cast.offices["province"], csv_bytes(rows))
    assert batch_of(batch).tallies == {"in": 2}
    assert len({record.subject_id for record in records()}) == 1


def test_a_long_basis_is_kept_up_to_its_length(cast: Cast) -> None:
    expected("处罚依据", "《中华人民共和国公路法》第七十六条第五项（第八十五条）、…")
    basis = "《中华人民共和国公路法》第七十六条第五项（第八十五条）、" * 90
    assert outcome(cast, a_penalty(cast, 1, CF_YJ=basis[:2048]))[0] == "in"
    verdict, why, _ = outcome(cast, a_penalty(cast, 2, CF_YJ=basis[:2049]))
    assert verdict == "waiting" and "最多 2048 个字" in why


def test_line_breaks_and_tabs_inside_a_cell_are_one_blank(cast: Cast) -> None:
    expected("CF_SY", "cell with line breaks, tabs and a trailing full-width space")
    _, why, fields = outcome(cast, a_penalty(cast, CF_SY="擅自超限\r\n行驶\t公路　"))
    assert fields["CF_SY"] == "擅自超限 行驶 公路", why


def test_titles_notes_repeated_headings_and_totals_are_no_rows(cast: Cast) -> None:
    expected("row", "前三行为标题/说明/合并单元格")
    row = a_penalty(cast)
    data = csv_bytes(
        [row],
        above=[["湖南省交通运输厅行政处罚信息报送表"], ["填报单位：省厅", "", "2026年11月"], []],
        below=[[], list(row), ["说明：金额以万元为单位"], ["合计", "1"], ["填表人：李昊", "", "审核人：周敏"]],
    )
    batch = take_in(cast.offices["province"], data)
    assert batch_of(batch).tallies == {"in": 1, "skipped": 5}
    assert batch_of(batch).heading["line"] == 4


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_sheet_is_read_in_every_encoding_and_with_every_separator(cast: Cast, encoding: str, delimiter: str) -> None:
    expected("file", ".xls and .xlsx in one batch; CSV in GB18030")
    verdict, why, fields = outcome(
        cast, a_penalty(cast, CF_XDR_MC="湖南崀䶮运输有限公司"), encoding=encoding, delimiter=delimiter
    )
    assert (verdict, fields["CF_XDR_MC"]) == ("in", "湖南崀䶮运输有限公司"), why


def test_a_second_upload_corrects_and_an_older_one_does_not(cast: Cast) -> None:
    expected("duplicate", "same 文号, same subject, two uploads, second with later 数据更新时间")
    first = a_penalty(cast, 数据更新时间="2026-06-02 10:00:00")
    take_in(cast.offices["province"], csv_bytes([first]))
    newer = take_in(
        cast.offices["province"],
        csv_bytes([first | {"CF_SY": "更正后的事实，擅自超限行驶", "数据更新时间": "2026-06-03 09:00:00"}]),
    )
    assert batch_of(newer).tallies == {"corrected": 1}
    older = take_in(
        cast.offices["province"],
        csv_bytes([first | {"CF_SY": "更早的说法，擅自超限行驶", "数据更新时间": "2026-06-01 09:00:00"}]),
    )
    assert batch_of(older).tallies == {"duplicate": 1} and "没有采用" in said(lines_of(older)[1])
    assert records()[0].fields["CF_SY"] == "更正后的事实，擅自超限行驶" and records()[0].version == 2


def test_one_code_under_two_names_waits_and_is_listed(cast: Cast) -> None:
    expected("duplicate", "same USCC, two different names (e.g. code of one firm attached to another)")
    rows = [a_penalty(cast, 1), a_penalty(cast, 2, CF_XDR_SHXYM=firm(1))]
    batch = take_in(cast.offices["province"], csv_bytes(rows))
    line = lines_of(batch)[2]
    assert (line.verdict, line.finding) == ("waiting", "two_names") and "在库中属于" in said(line)
    assert len(records()) == 1


def test_one_name_under_two_codes_goes_in_and_is_listed(cast: Cast) -> None:
    expected("duplicate", "same name, two USCC")
    rows = [a_penalty(cast, 1), a_penalty(cast, 2, CF_XDR_MC=a_penalty(cast, 1)["CF_XDR_MC"])]
    batch = take_in(cast.offices["province"], csv_bytes(rows))
    line = lines_of(batch)[2]
    assert (line.verdict, line.finding) == ("warned", "two_codes") and line.record_id
    assert len({record.subject_id for record in records()}) == 2


def test_an_organ_s_code_in_the_place_of_a_firm_s_waits_and_is_listed(cast: Cast) -> None:
    rows = [a_penalty(cast, 1, CF_XDR_SHXYM=cast.codes["office"])]
    rows.append(a_penalty(cast, 2, CF_XDR_SHXYM=complete_code("1143010000000011")))
    batch = take_in(cast.offices["province"], csv_bytes(rows))
    assert {(line.verdict, line.finding) for line in lines_of(batch).values()} == {("waiting", "organ_code")}
    assert records() == []


@pytest.mark.parametrize("case", table("uscc_test_cases.csv"), ids=lambda case: case["why"][:24])
def test_a_code_is_handled_as_the_table_of_codes_says(cast: Cast, case: dict[str, str]) -> None:
    wanted = case["expected"]
    changes = {"CF_XDR_SHXYM": case["input"]}
    if case["label"].endswith("(11)"):
        changes["CF_XDR_MC"] = "长沙市某某局"
    if case["label"].endswith("(92)"):
        changes["CF_XDR_LB"] = "个体工商户"
    verdict, why, _ = outcome(cast, a_penalty(cast, **changes))
    if wanted.startswith("accept"):
        assert verdict in ("in", "warned"), why
    elif wanted == "warn":
        assert verdict == "warned" and "第 17 位" in why
    else:  # reject, route to the register of old codes, an empty cell
        assert verdict == "waiting" and "统一社会信用代码" in why


def test_every_line_of_the_table_is_shown() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [raw for _field, raw in MESSY if raw not in source] == []
