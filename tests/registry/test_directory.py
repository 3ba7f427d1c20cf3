"""Rows arrive as offices type them: a good one becomes a record, a bad one waits with a reason one can act on."""

import csv
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registry import directory
from app.registry.codes import complete_code, id_check_character
from app.registry.days import OPEN_END, read_day
from app.registry.directory import (
    DirectoryEntry,
    DirectoryError,
    Field,
    code_list,
    entries,
    entry_for,
    public_values,
    split_values,
    validate,
    without_secrets,
)
from app.registry.money import doubt_about, read_wan, sums_in
from app.registry.regions import full_name, regions

TODAY = date(2026, 11, 23)
PENALTY = entry_for("XZCF", TODAY)
PERMIT = entry_for("XZXK", TODAY)
FIRM = complete_code("91430600JN000001")
ORGAN = complete_code("1143000000000001")
DRIVER = "43999919880312003" + id_check_character("43999919880312003")


def a_penalty(**changes):
    row = {
        "CF_XDR_MC": "湖南岳衡物流有限公司",
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": FIRM,
        "CF_FRDB": "罗建平",
        "CF_WSH": "湘交罚〔2026〕31号",
        "CF_WFXW": "擅自超限行驶公路",
        "CF_SY": "2026年2月3日，当事人的货运车辆在公路上擅自超限行驶。",
        "CF_YJ": "《中华人民共和国公路法》第七十六条第五项",
        "CF_CFLB": "罚款",
        "CF_NR": "罚款1500元",
        "CF_NR_FK": "0.15",
        "CF_JDRQ": "2026-03-02",
        "CF_YXQ": "2099/12/31",
        "CF_CFJG": "湖南省交通运输厅",
        "CF_CFJGDM": ORGAN,
        "CF_SJLY": "湖南省交通运输厅",
        "CF_SJLYDM": ORGAN,
    }
    return row | changes


def a_person_s_penalty(**changes):
    person = {
        "CF_XDR_MC": "欧阳诚",
        "CF_XDR_LB": "自然人",
        "CF_XDR_SHXYM": "--",
        "CF_FRDB": "",
        "CF_XDR_ZJLX": "身份证",
    }
    return a_penalty(**(person | {"CF_XDR_ZJHM": DRIVER} | changes))


def said(findings, field):
    return "；".join(finding.text for finding in findings if finding.field == field)


def test_a_clean_row_passes_without_a_word():
    verdict = validate(PENALTY, a_penalty(), TODAY)
    assert verdict.ok and verdict.warnings == ()
    assert verdict.values["CF_JDRQ"] == "2026-03-02" and verdict.values["CF_YXQ"] == "2099-12-31"
    assert verdict.values["CF_NR_FK"] == "0.15"
    assert list(verdict.values) == [field.code for field in PENALTY.fields if field.code in verdict.values]


def test_the_row_as_received_is_not_touched():
    row = a_penalty(CF_XDR_MC=" 湖南岳衡物流有限公司　")
    before = dict(row)
    validate(PENALTY, row, TODAY)
    assert row == before


# What people must be told, field by field -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"CF_WSH": ""}, "CF_WSH", "行政处罚决定书文号：没有填写"),
        ({"CF_WSH": "--"}, "CF_WSH", "没有填写"),
        ({"CF_XDR_SHXYM": ""}, "CF_XDR_SHXYM", "行政相对人类别为“法人及非法人组织”时必须填写"),
        ({"CF_FRDB": "无"}, "CF_FRDB", "必须填写"),
        ({"CF_XDR_LB": "个体工商户", "CF_XDR_SHXYM": ""}, "CF_XDR_SHXYM", "行政相对人类别为“个体工商户”时必须填写"),
        ({"CF_XDR_LB": "企业法人单位"}, "CF_XDR_LB", "可填：法人及非法人组织、自然人、个体工商户"),
        ({"CF_XDR_SHXYM": FIRM[:17] + "0"}, "CF_XDR_SHXYM", "第 18 位应为"),
        ({"CF_XDR_SHXYM": "9.11E+17"}, "CF_XDR_SHXYM", "科学计数法"),
        ({"CF_XDR_SHXYM": ORGAN}, "CF_XDR_SHXYM", "与决定机关的代码相同"),
        ({"CF_NR_FK": ""}, "CF_NR_FK", "处罚类别为“罚款”时必须填写"),
        ({"CF_NR_FK": "0"}, "CF_NR_FK", "应大于 0"),
        ({"CF_NR_FK": "一千五"}, "CF_NR_FK", "不是金额"),
        ({"CF_NR_FK": "0.0000001"}, "CF_NR_FK", "六位小数"),
        ({"CF_CFLB": "警告；没收违法所得", "CF_NR_FK": ""}, "CF_NR_WFFF", "必须填写"),
        ({"CF_CFLB": "吊销许可证", "CF_NR_FK": ""}, "CF_NR_ZKDX", "必须填写"),
        ({"CF_CFLB": "暂扣许可证件;罚款"}, "CF_NR_ZKDX", "必须填写"),
        ({"CF_CFLB": "口头教育"}, "CF_CFLB", "“口头教育”不在名目之中"),
        ({"CF_JDRQ": "2026-02-30"}, "CF_JDRQ", "日历上没有"),
        ({"CF_JDRQ": "长期"}, "CF_JDRQ", "不能填“长期”"),
        ({"CF_JDRQ": "2026-11-24"}, "CF_JDRQ", "还没有到"),
        ({"CF_JDRQ": "去年秋天"}, "CF_JDRQ", "不是日期"),
        ({"CF_YXQ": "2026/3/1"}, "CF_YXQ", "早于 2026-03-02"),
        ({"CF_GSJZQ": "2025.3.1"}, "CF_GSJZQ", "早于"),
        ({"CF_CFJGDM": "11430000000000018X"}, "CF_CFJGDM", "第 18 位应为"),
        ({"CF_XDR_MC": "长" * 201}, "CF_XDR_MC", "最多 200 个字，现有 201 个"),
        ({"CF_XDR_ZZJG": "1234"}, "CF_XDR_ZZJG", "9 位"),
        ({"CF_FR_ZJLX": "身份证", "CF_FR_ZJHM": "4399991988"}, "CF_FR_ZJHM", "18 位"),
    ],
)
def test_an_unacceptable_row_waits_with_a_reason_that_says_the_remedy(changes, field, reason):
    verdict = validate(PENALTY, a_penalty(**changes), TODAY)
    assert not verdict.ok
    assert reason in said(verdict.problems, field)


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"CF_XDR_LB": "法人和其他组织"}, "CF_XDR_LB", "法人及非法人组织"),
        ({"CF_XDR_LB": "2"}, "CF_XDR_LB", "法人及非法人组织"),
        ({"CF_XDR_SHXYM": FIRM + "（1-1）"}, "CF_XDR_SHXYM", FIRM),
        ({"CF_CFLB": "警告;罚款"}, "CF_CFLB", "警告;罚款"),
        ({"CF_CFLB": "警告、罚款、警告"}, "CF_CFLB", "警告;罚款"),
        ({"CF_CFLB": "罚款;法律、行政法规规定的其他行政处罚"}, "CF_CFLB", "罚款;法律、行政法规规定的其他行政处罚"),
        ({"CF_CFLB": "罚款;其他-收缴有关证件"}, "CF_CFLB", "罚款;法律、行政法规规定的其他行政处罚-收缴有关证件"),
        ({"CF_NR_FK": "０．１５"}, "CF_NR_FK", "0.15"),
        ({"CF_NR_FK": "0.150000"}, "CF_NR_FK", "0.15"),
        ({"CF_NR_FK": 0.15}, "CF_NR_FK", "0.15"),
        ({"CF_NR_FK": "1,500元"}, "CF_NR_FK", "0.15"),
        ({"CF_JDRQ": "2026/3/2"}, "CF_JDRQ", "2026-03-02"),
        ({"CF_JDRQ": "2026.03.02"}, "CF_JDRQ", "2026-03-02"),
        ({"CF_JDRQ": "2026年3月2日"}, "CF_JDRQ", "2026-03-02"),
        ({"CF_JDRQ": "二〇二六年三月二日"}, "CF_JDRQ", "2026-03-02"),
        ({"CF_JDRQ": "20260302"}, "CF_JDRQ", "2026-03-02"),
        ({"CF_JDRQ": date(2026, 3, 2)}, "CF_JDRQ", "2026-03-02"),
        ({"CF_JDRQ": "2026-03-02 00:00:00"}, "CF_JDRQ", "2026-03-02"),
        ({"CF_JDRQ": 43344}, "CF_JDRQ", "2018-09-01"),
        ({"CF_YXQ": "长期"}, "CF_YXQ", "2099-12-31"),
        ({"CF_YXQ": "9999-12-31"}, "CF_YXQ", "2099-12-31"),
        ({"CF_SY": "超限\r\n行驶\t公路　"}, "CF_SY", "超限 行驶 公路"),
        ({"CF_XDR_ZZJG": "70723985-9"}, "CF_XDR_ZZJG", "707239859"),
        ({"BZ": "--"}, "BZ", None),
    ],
)
def test_the_mess_of_real_rows_is_read_as_meant(changes, field, value):
    verdict = validate(PENALTY, a_penalty(**changes), TODAY)
    assert verdict.ok, verdict.problems
    assert verdict.values.get(field) == value


@pytest.mark.parametrize(
    ("changes", "field", "doubt"),
    [
        ({"CF_NR_FK": "1500"}, "CF_NR_FK", "可能把元填成了万元：处罚内容写的是 1500 元，应填 0.15"),
        ({"CF_NR_FK": "0.2"}, "CF_NR_FK", "这里是 0.2 万元，处罚内容写的是 1500 元"),
        ({"CF_NR_FK": "1500元"}, "CF_NR_FK", "按 0.15 万元读取"),
        ({"CF_JDRQ": "43344"}, "CF_JDRQ", "日期序号，按 2018-09-01 读取"),
        ({"CF_JDRQ": "二〇一八年九月一日"}, "CF_JDRQ", "按 2018-09-01 读取"),
        ({"CF_CFLB": "警告"}, "CF_NR_FK", "漏填类别"),
        ({"CF_CFLB": "罚款;暂扣或者吊销许可证", "CF_NR_ZKDX": "道路运输经营许可证"}, "CF_CFLB", "旧名目"),
        ({"CF_CFJGDM": FIRM, "CF_XDR_SHXYM": complete_code("91430600JN000002")}, "CF_CFJGDM", "不是机关"),
        ({"CF_XDR_SHXYM": complete_code("91430671JN000002")}, "CF_XDR_SHXYM", "统计代码"),
        ({"CF_SY": f"驾驶人身份证{DRIVER}"}, "CF_SY", "公示时自动隐去"),
        ({"CF_XDR_MC": "湖南岳衡\u202e物流有限公司"}, "CF_XDR_MC", "看不见的字符"),
        ({"案件名称": "超限运输案"}, "", "“案件名称”不在目录之中"),
    ],
)
def test_a_doubtful_row_goes_in_and_somebody_is_asked_to_look(changes, field, doubt):
    verdict = validate(PENALTY, a_penalty(**changes), TODAY)
    assert verdict.ok, verdict.problems
    assert doubt in said(verdict.warnings, field)


# Persons --------------------------------------------------------------------------------------------------------------


def test_a_person_needs_a_document_and_no_code():
    verdict = validate(PENALTY, a_person_s_penalty(), TODAY)
    assert verdict.ok and "CF_XDR_SHXYM" not in verdict.values and verdict.values["CF_XDR_ZJHM"] == DRIVER
    for missing in ("CF_XDR_ZJLX", "CF_XDR_ZJHM"):
        assert "必须填写" in said(validate(PENALTY, a_person_s_penalty(**{missing: ""})).problems, missing)


def test_a_passport_is_taken_as_it_is_and_an_identity_card_is_checked():
    assert validate(PENALTY, a_person_s_penalty(CF_XDR_ZJLX="护照", CF_XDR_ZJHM="E12345678"), TODAY).ok
    wrong = DRIVER[:17] + ("1" if DRIVER[17] != "1" else "2")
    assert "末位" in said(validate(PENALTY, a_person_s_penalty(CF_XDR_ZJHM=wrong)).problems, "CF_XDR_ZJHM")


@given(st.sampled_from([field.code for field in PENALTY.fields if not field.is_secret]))
def test_a_number_typed_into_the_wrong_column_is_not_repeated_to_anybody(column):
    row = a_penalty(**{column: DRIVER})
    if column in ("CF_XDR_LB", "CF_XDR_ZJLX", "CF_FR_ZJLX", "CF_CFLB", "CF_JDRQ", "CF_NR_FK", "CF_XDR_SHXYM"):
        verdict = validate(PENALTY, row, TODAY)
        assert not verdict.ok
    else:
        verdict = validate(PENALTY, row, TODAY)
    assert DRIVER not in "".join(finding.text for finding in verdict.problems + verdict.warnings)


@given(st.sampled_from([field.code for field in PENALTY.fields]), st.booleans())
def test_no_number_of_a_person_reaches_the_public_from_any_column(column, is_person):
    row = (a_person_s_penalty if is_person else a_penalty)(**{column: DRIVER})
    shown = public_values(PENALTY, validate(PENALTY, row, TODAY).values)
    assert DRIVER not in "".join(shown.values())


@given(st.sampled_from([field.code for field in PENALTY.fields] + ["居民身份证号", "备用列"]))
def test_a_row_kept_in_the_clear_holds_no_number_of_a_person(column):
    row = a_person_s_penalty(**{column: f" {DRIVER}"})
    kept = without_secrets(PENALTY, row)
    assert DRIVER not in str(kept) and kept.keys() == row.keys()
    assert kept["CF_XDR_ZJLX"] == "身份证" or column == "CF_XDR_ZJLX"
    assert DRIVER not in str(without_secrets(PENALTY, validate(PENALTY, row, TODAY).values))


def test_a_row_without_persons_is_kept_as_it_came():
    row = a_penalty(CF_SY="超限\r\n行驶　")
    assert without_secrets(PENALTY, row) == row


def test_the_public_sees_a_person_s_family_name_and_an_enterprise_s_whole_name():
    person = public_values(PENALTY, validate(PENALTY, a_person_s_penalty(), TODAY).values)
    assert person["CF_XDR_MC"] == "欧阳*" and not {"CF_XDR_ZJHM", "CF_XDR_ZJLX"} & person.keys()
    firm = public_values(PENALTY, validate(PENALTY, a_penalty(BZ="内部意见"), TODAY).values)
    assert firm["CF_XDR_MC"] == "湖南岳衡物流有限公司" and firm["CF_FRDB"] == "罗*" and "BZ" not in firm


def test_what_stands_in_no_catalogue_is_shown_to_nobody():
    values = validate(PENALTY, a_penalty(), TODAY).values
    assert public_values(replace(PENALTY, catalogue_code=""), values) == {}


# Headings -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "code"),
    [
        ("统一社会信用码", "CF_XDR_SHXYM"),
        ("行政相对人代码_3(统一社会信用代码)", "CF_XDR_SHXYM"),
        ("行政相对人代码_1（统一社会信用代码）", "CF_XDR_SHXYM"),
        ("行政处罚文书决定号", "CF_WSH"),
        ("行政处罚决定书文号", "CF_WSH"),
        ("行政处罚决定文书号", "CF_WSH"),
        (" 处罚决定日期 ", "CF_JDRQ"),
        ("cf_jdrq", "CF_JDRQ"),
        ("CF_XZJG", "CF_CFJG"),
        ("CF_FR_SFZH", "CF_FR_ZJHM"),
        ("罚款金额（万元）", "CF_NR_FK"),
    ],
)
def test_a_column_is_recognised_under_the_names_offices_give_it(heading, code):
    assert PENALTY.field(heading).code == code


def test_a_column_in_yuan_is_not_taken_for_the_column_in_ten_thousand_yuan():
    assert PENALTY.field("罚款金额(元)") is None


def test_the_same_field_twice_with_two_values_is_not_decided_by_us():
    verdict = validate(PENALTY, a_penalty(行政处罚决定文书号="湘交罚〔2026〕32号"), TODAY)
    assert "只留一个" in said(verdict.problems, "CF_WSH")
    assert validate(PENALTY, a_penalty(行政处罚决定文书号="湘交罚〔2026〕31号"), TODAY).ok


def test_no_heading_means_two_fields():
    for entry in entries():
        names = Counter(name for field in entry.fields for name in {field.code, field.name, *field.aliases} if name)
        assert [name for name, count in names.items() if count > 1] == []


# Permits --------------------------------------------------------------------------------------------------------------


def test_a_permit_row_is_read_by_its_own_entry():
    row = {
        "XK_XDR_MC": "湖南岳衡物流有限公司",
        "XK_XDR_LB": "法人及非法人组织",
        "XK_XDR_SHXYM": FIRM,
        "XK_FRDB": "罗建平",
        "XK_XKWS": "道路运输经营许可证",
        "XK_WSH": "双环许可2019",
        "XK_XKLB": "其他-船舶登记",
        "XK_NR": "道路普通货物运输",
        "XK_JDRQ": "2019/5/6",
        "许可生效期": "2019/5/6",
        "XK_YXQZI": "长期",
        "XK_XKJG": "岳阳市交通运输局",
        "XK_XKJGDM": ORGAN,
        "XK_ZT": "1",
        "XK_LYDW": "岳阳市交通运输局",
        "XK_LYDWDM": ORGAN,
    }
    verdict = validate(PERMIT, row, TODAY)
    assert verdict.ok, verdict.problems
    assert verdict.values["XK_ZT"] == "有效" and verdict.values["XK_XKLB"] == "其他-船舶登记"
    assert verdict.values["XK_YXQZ"] == "2019-05-06" and verdict.values["XK_YXQZI"] == OPEN_END.isoformat()
    backwards = validate(PERMIT, row | {"XK_YXQZI": "2019-05-05"}, TODAY)
    assert "起止日期颠倒" in said(backwards.problems, "XK_YXQZI")


# The entries themselves -----------------------------------------------------------------------------------------------


def test_the_standard_s_fields_are_all_there():
    assert len(PENALTY.fields) == 30 and len(PERMIT.fields) == 28
    assert all(field.range == "授权查询" for entry in entries() for field in entry.fields if field.is_secret)


def test_a_list_without_a_legal_basis_is_refused():
    fields = (Field("MC", "名称", "C", 200, "Y", "", "", "", "社会公开"),)
    with pytest.raises(DirectoryError, match="不得设立名单"):
        DirectoryEntry("HMD", "1", "黑名单", "list", TODAY, None, "X", " 无 ", fields)
    assert DirectoryEntry("HMD", "1", "名单", "list", TODAY, None, "X", "《某条例》第三条", fields).in_force(TODAY)


@pytest.mark.parametrize(
    "changes",
    [{"rule": "guess"}, {"required": "sometimes"}, {"mask": "blur"}, {"range": "所有人"}, {"type": "Z"}],
)
def test_a_field_with_an_unknown_word_is_refused_when_it_is_loaded(changes):
    with pytest.raises(DirectoryError):
        replace(PENALTY.fields[0], **changes)


def test_an_entry_that_points_at_a_missing_field_is_refused():
    with pytest.raises(DirectoryError):
        replace(PENALTY, fields=tuple(field for field in PENALTY.fields if field.code != "CF_JDRQ"))
    with pytest.raises(DirectoryError):
        replace(PENALTY, fields=PENALTY.fields + PENALTY.fields[:1])


def test_the_edition_is_chosen_by_the_day_and_a_gap_is_loud():
    assert entry_for("XZCF", date(2021, 7, 15)).edition == "2021"
    with pytest.raises(LookupError):
        entry_for("XZCF", date(2021, 7, 14))
    ended = replace(PENALTY, valid_until=date(2026, 12, 31))
    assert ended.in_force(date(2026, 12, 31)) and not ended.in_force(date(2027, 1, 1))


def test_every_list_a_field_names_exists_and_no_spelling_means_two_values():
    for entry in entries():
        for field in entry.fields:
            if field.code_list:
                assert code_list(field.code_list).values
    with (directory.FOLDER / "code-lists.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    spellings = Counter(
        (row["list"], spelling) for row in rows for spelling in {row["value"], *row["aliases"].split(";")} if spelling
    )
    assert max(spellings.values()) == 1


def test_the_kinds_of_a_penalty_come_apart_for_the_classification():
    assert split_values("警告;没收违法所得;罚款") == ("警告", "没收违法所得", "罚款")
    assert split_values("") == ()


# Days, sums, regions --------------------------------------------------------------------------------------------------


@given(
    st.dates(date(1950, 1, 1), date(2099, 12, 30)),
    st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日"]),
)
def test_a_day_survives_every_usual_spelling(day, spelling):
    assert read_day(day.strftime(spelling)).day == day


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("二〇二六年十二月三十一日", date(2026, 12, 31)),
        ("二○二六年十月十日", date(2026, 10, 10)),
        ("二零二六年二月二十日", date(2026, 2, 20)),
        ("２０２６－３－２", date(2026, 3, 2)),
        ("永久有效", OPEN_END),
    ],
)
def test_days_of_paper_decisions_are_read(written, day):
    assert read_day(written).day == day


@pytest.mark.parametrize(
    "written", ["0000-01-01", "1899-01-01", "2150-01-01", "2026-13-01", "二〇二六年十十月一日", "3-2-2026", "12"]
)
def test_no_day_is_guessed(written):
    read = read_day(written)
    assert read.day is None and read.problem


@given(st.text(max_size=30))
def test_any_cell_is_a_day_a_problem_or_nothing(written):
    read = read_day(written)
    assert (read.day is None) or not read.problem


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        ("罚款2000元", [2000]),
        ("罚款1.5万元", [15000]),
        ("处以人民币壹万伍仟元整的罚款", [15000]),
        ("没收违法所得3,200元，并处罚款两万元", [3200, 20000]),
        ("罚款叁仟圆", [3000]),
        ("罚款十万元", [100000]),
        ("吊销经营许可证", []),
    ],
)
def test_the_sums_of_a_decision_are_found_in_its_text(text, sums):
    assert list(sums_in(text)) == [Decimal(value) for value in sums]


def test_a_sum_may_be_one_of_several_or_all_together():
    text = "没收违法所得3200元，罚款5000元"
    assert doubt_about(Decimal("0.32"), text) == "" == doubt_about(Decimal("0.82"), text)
    assert "不一致" in doubt_about(Decimal("0.6"), text)
    assert read_wan("￥0.5万元").wan == Decimal("0.5")


def test_hunan_has_one_province_fourteen_cities_and_122_counties():
    levels = Counter(region.level for region in regions().values() if region.standing == "current")
    assert levels == {"province": 1, "prefecture": 14, "county": 122}
    assert full_name("430626") == "湖南省岳阳市平江县"
    for region in regions().values():
        assert not region.successor or regions()[region.successor].standing == "current"
