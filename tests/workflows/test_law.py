"""法规数据: every row written out by hand, both sides of every change of law, and files that cannot be meant."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from workflows import law
from workflows.law import LawError, NothingInForce, UnknownInstrument, UnknownRule, cite, instrument, rule, rules

LAST_OF_58, FIRST_OF_36 = date(2026, 3, 31), date(2026, 4, 1)

# rule, value, unit, rolls to a working day, from, until (both included), basis, evidence
ROWS = """
desk.soon_left                2             WD           -  2023-05-01  -           D              D
desk.soon_share               80            percent      -  2023-05-01  -           D              D
desk.escalate_left            1             WD           -  2023-05-01  -           D              D
desk.report_within            7             WD           -  2017-01-01  -           D              D
records.class_1               严重          class        -  2026-04-01  -           NDRC36         F
records.class_2               严重          class        -  2026-04-01  -           NDRC36         V1
records.class_3               严重          class        -  2026-04-01  -           NDRC36         R
records.class_4               严重          class        -  2026-04-01  -           NDRC36         V1
records.class_5               一般          class        -  2026-04-01  -           NDRC36         V1
records.class_5b              一般          class        -  2026-04-01  -           NDRC36         R
records.class_6               轻微          class        -  2026-04-01  -           NDRC36         V2
records.class_7               轻微          class        -  2026-04-01  -           NDRC36         V2
records.class_8               轻微          class        -  2026-04-01  -           NDRC36         F
records.large_fine            -             -            -  2026-04-01  -           NDRC36         ?
records.huge_fine             -             -            -  2026-04-01  -           NDRC36         ?
records.minor_publication     never         publication  -  2023-05-01  2026-03-31  NDRC58         R
records.minor_publication     if_necessary  publication  -  2026-04-01  -           NDRC36         V2
records.maximum_minor         3             M            -  2026-04-01  -           NDRC36         V2
records.minimum_ordinary      3             M            -  2019-01-01  2023-04-30  NDRC527        V2
records.minimum_ordinary      3             M            -  2023-05-01  2026-03-31  NDRC58         V1
records.minimum_ordinary      3             M            -  2026-04-01  -           NDRC36         V2
records.maximum_ordinary      1             Y            -  2019-01-01  2023-04-30  NDRC527        V2
records.maximum_ordinary      3             Y            -  2023-05-01  2026-03-31  NDRC58         V1
records.maximum_ordinary      1             Y            -  2026-04-01  -           NDRC36         V2
records.minimum_serious       6             M            -  2019-01-01  2023-04-30  NDRC527        V2
records.minimum_serious       1             Y            -  2026-04-01  -           NDRC36         V2
records.maximum_serious       3             Y            -  2019-01-01  2023-04-30  NDRC527        V2
records.maximum_serious       3             Y            -  2026-04-01  -           NDRC36         V2
records.minimum_special       3             Y            -  2019-01-01  2023-04-30  NDRC527        V2
records.minimum_special       1             Y            -  2023-05-01  2026-03-31  NDRC58         V1
records.maximum_special       3             Y            -  2019-01-01  2023-04-30  NDRC527        V2
records.maximum_special       3             Y            -  2023-05-01  2026-03-31  NDRC58         V1
records.withdraw_within       3             WD        rolls  2021-07-15  -           XZCF:48+85     V1
remedy.review_within          60            CD        rolls  2024-01-01  -           XZFY:20        V1
remedy.suit_within            6             M         rolls  2023-05-01  -           XZSS:46        V1
repair.accept_within          3             WD        rolls  2025-06-22  -           SC22           V2
repair.result_within          10            WD        rolls  2023-05-01  2025-06-21  NDRC58         V2
repair.result_within          10            WD        rolls  2025-06-22  -           SC22           V2
repair.decide_within          7             WD        rolls  2025-06-22  -           SC22           R
repair.extend_by              10            WD        rolls  2025-06-22  -           SC22           R
repair.extend_times           1             times        -  2023-05-01  -           D              D
repair.draft_within           30            CD           -  2023-05-01  -           D              D
repair.early_filing           allowed       switch       -  2023-05-01  -           D              D
repair.natural_persons        allowed       switch       -  2023-05-01  -           D              D
repair.receive_within         1             WD        rolls  2023-05-01  -           D              D
repair.correct_within         10            WD        rolls  2023-05-01  -           D              D
repair.accept_in_correction   restart       behaviour    -  2023-05-01  -           D              D
repair.total_in_correction    run_on        behaviour    -  2023-05-01  -           D              D
repair.hearing_within         5             WD        rolls  2023-05-01  -           D              D
repair.ban                    3             Y            -  2026-04-01  -           NDRC36         R
repair.breach_record_shown    -             -            -  2026-04-01  -           NDRC36         ?
repair.serve_within           1             WD        rolls  2023-05-01  -           D              D
repair.handover_within        1             WD        rolls  2023-05-01  -           D              D
repair.process_within         3             WD        rolls  2023-05-01  -           D              D
repair.receiver_within        3             WD        rolls  2023-05-01  -           D              D
"""


def test_every_row_of_repair_stands_as_it_was_checked_by_hand() -> None:
    """A row is never edited: it is closed, and a new one opens. Both must be written here too."""
    stated = [tuple(line.split()) for line in ROWS.strip().splitlines()]
    rows = [
        row
        for each in rules()
        if each.rule_id.split(".")[0] in ("desk", "records", "remedy", "repair")
        for row in each.rows
    ]
    held = [
        (
            row.rule_id,
            "-" if row.value is None else str(row.value),
            row.unit or "-",
            "rolls" if row.shift else "-",
            row.valid_from.isoformat(),
            row.valid_until.isoformat() if row.valid_until else "-",
            row.instrument + (f":{row.article}" if row.article else ""),
            row.evidence,
        )
        for row in rows
    ]
    assert held == stated


def test_every_mark_is_known_and_only_what_was_seen_counts_as_verified() -> None:
    rows = [row for each in rules() for row in each.rows]
    assert {row.evidence for row in rows} <= set(law.EVIDENCE)
    for row in rows:
        assert row.verified == (row.evidence in ("V1", "V2"))
        assert (row.value is None) == (row.evidence == "?"), row.rule_id
        if row.verified:
            assert row.url, row.rule_id
    assert {row.evidence for row in rows} == {"V2", "V1", "F", "R", "D", "?"}


def test_the_rows_of_a_rule_follow_one_another_without_overlap() -> None:
    for each in rules():
        for earlier, later in pairwise(each.rows):
            assert earlier.valid_until is not None
            assert earlier.valid_until + timedelta(days=1) <= later.valid_from


# Which row on which day


def test_midnight_of_the_first_of_april_2026_changes_what_a_decision_of_that_day_means() -> None:
    ordinary = rule("records.maximum_ordinary")
    assert (ordinary.on(LAST_OF_58).value, ordinary.on(LAST_OF_58).instrument) == (3, "NDRC58")
    assert (ordinary.on(FIRST_OF_36).value, ordinary.on(FIRST_OF_36).instrument) == (1, "NDRC36")
    with pytest.raises(NothingInForce):
        rule("records.minimum_serious").on(LAST_OF_58)
    assert rule("records.minimum_serious").on(FIRST_OF_36).value == 1


def test_the_clocks_of_circular_22_run_on_over_that_midnight() -> None:
    for key in ("repair.accept_within", "repair.result_within", "repair.decide_within", "repair.correct_within"):
        assert rule(key).on(LAST_OF_58) is rule(key).on(FIRST_OF_36)


def test_three_regimes_of_publicity_follow_one_another() -> None:
    minimum = rule("records.minimum_ordinary")
    bases = [minimum.on(day).instrument for day in (date(2023, 4, 30), date(2023, 5, 1), LAST_OF_58, FIRST_OF_36)]
    assert bases == ["NDRC527", "NDRC58", "NDRC58", "NDRC36"]


def test_a_day_without_a_rule_is_loud_and_says_when_there_will_be_one() -> None:
    with pytest.raises(NothingInForce) as silence:
        rule("repair.accept_within").on(date(2025, 6, 21))
    assert str(silence.value) == (
        "“决定是否受理的期限”（repair.accept_within）在2025年6月21日没有施行中的规定：最近一行自2025年6月22日起施行。"
    )
    with pytest.raises(NothingInForce, match="最后一行施行到2026年3月31日为止"):
        rule("records.minimum_special").on(FIRST_OF_36)
    assert rule("repair.accept_within").on(date(2025, 6, 22)).value == 3


def test_a_rule_that_does_not_exist_is_loud_and_names_its_neighbours() -> None:
    with pytest.raises(UnknownRule) as unknown:
        rule("repair.accept_in")
    assert isinstance(unknown.value, KeyError)
    assert str(unknown.value).startswith("没有名为“repair.accept_in”的规则；相近的有：repair.accept_")


def test_every_rule_of_procedure_is_in_force_on_every_day_since_circular_22() -> None:
    for each in rules():
        if each.selected_by == law.RECEIPT:
            for day in (date(2025, 6, 22), LAST_OF_58, FIRST_OF_36, date(2030, 1, 1)):
                assert each.on(day).value is not None, each.rule_id


# What an attestation names


def test_a_row_cannot_be_edited_in_place() -> None:
    row = rule("repair.accept_within").on(FIRST_OF_36)
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.value = 5  # type: ignore[misc]


def test_the_digest_of_a_row_is_the_same_on_every_machine() -> None:
    row = rule("repair.accept_within").on(FIRST_OF_36)
    assert row.digest == "54309e3a96c0b30c630597f74d3795263837eec3f12d92a2bcb08f57375bbeca"
    told = subprocess.run(
        [sys.executable, "-c", "from workflows.law import edition; print(edition())"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": "."},
    ).stdout.strip()
    assert told == law.edition()


@pytest.mark.parametrize(
    "change",
    [
        {"value": 4},
        {"unit": "CD"},
        {"shift": False},
        {"valid_from": date(2025, 6, 23)},
        {"valid_until": date(2030, 1, 1)},
        {"instrument": "NDRC36"},
        {"article": "2"},
        {"evidence": "R"},
        {"when": ("警告",)},
    ],
)
def test_whatever_a_row_says_is_in_its_digest(change: dict[str, object]) -> None:
    row = rule("repair.accept_within").on(FIRST_OF_36)
    assert dataclasses.replace(row, **change).digest != row.digest  # type: ignore[arg-type]


def test_a_note_may_be_reworded_without_a_new_attestation() -> None:
    row = rule("repair.accept_within").on(FIRST_OF_36)
    assert dataclasses.replace(row, note="另一种说法").digest == row.digest


def test_no_two_rows_share_a_digest() -> None:
    digests = [row.digest for each in rules() for row in each.rows]
    assert len(set(digests)) == len(digests)


# How the law is cited


@pytest.mark.parametrize(
    ("reference", "printed"),
    [
        ("NDRC36", "《信用修复管理办法》"),
        ("NDRC36 3", "《信用修复管理办法》第三条"),
        ("NDRC36; SC22", "《信用修复管理办法》；《关于进一步完善信用修复制度的实施方案》"),
        ("XZCF 48", "《行政处罚法》第四十八条"),
        ("XZCF 48+85", "《行政处罚法》第四十八条、第八十五条"),
        ("XZFY 24(1)(1)", "《行政复议法》第二十四条第一款第一项"),
        ("XZFY 20", "《行政复议法》第二十条"),
        ("XZXK 10", "《行政许可法》第十条"),
        ("XZSS 101", "《行政诉讼法》第一百零一条"),
        ("XZSS 15", "《行政诉讼法》第十五条"),
        ("MFD 1029", "《民法典》第一千零二十九条"),
        ("MFD 110", "《民法典》第一百一十条"),
        ("D", "本机关内部规定"),
    ],
)
def test_a_reference_is_printed_as_a_lawyer_would_write_it(reference: str, printed: str) -> None:
    assert cite(reference) == printed


def test_an_article_nobody_has_seen_is_not_printed() -> None:
    assert cite("NDRC36 12") == "《信用修复管理办法》"
    assert cite("HNPROC 9") == "《湖南省行政程序规定》"
    assert cite("SC22 6") == "《关于进一步完善信用修复制度的实施方案》"
    remembered = dataclasses.replace(rule("repair.ban").on(FIRST_OF_36), article="3")
    assert remembered.citation == "《信用修复管理办法》（国家发展改革委令第36号）"


def test_a_document_cites_the_full_name_with_number_or_article() -> None:
    assert instrument("NDRC36").citation == "《信用修复管理办法》（国家发展改革委令第36号）"
    withdrawal = rule("records.withdraw_within").on(FIRST_OF_36)
    assert withdrawal.citation == "《中华人民共和国行政处罚法》第四十八条、第八十五条"
    assert rule("repair.correct_within").on(FIRST_OF_36).citation == "本机关内部规定"


def test_an_unknown_instrument_is_loud() -> None:
    with pytest.raises(UnknownInstrument, match="没有代号为“NDRC99”的法规文件"):
        cite("NDRC36; NDRC99 1")


def test_a_reference_that_is_no_article_is_loud() -> None:
    with pytest.raises(LawError, match="条文“四十八”应写作"):
        cite("XZCF 四十八")


def test_the_order_in_force_and_the_one_before_meet_without_a_gap() -> None:
    before, now = instrument("NDRC58"), instrument("NDRC36")
    assert before.in_force_until == LAST_OF_58
    assert now.in_force_from == FIRST_OF_36
    assert now.in_force_until is None


# Files that cannot be meant

GOOD = """
[[rule]]
id = "repair.x"
title = "某期限"
selected_by = "receipt"
[[rule.row]]
value = 3
unit = "WD"
shift = true
from = 2026-04-01
instrument = "NDRC36"
article = "3"
url = "某处"
evidence = "V1"
"""

TWO_ROWS = GOOD + GOOD[GOOD.index("[[rule.row]]") :]


def read(text: str) -> dict[str, law.Rule]:
    return law.read_rules(text, "repair", ("NDRC36", "D"))


def test_a_good_file_is_read() -> None:
    row = read(GOOD)["repair.x"].on(FIRST_OF_36)
    assert (row.value, row.unit, row.shift, row.verified) == (3, "WD", True, True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GOOD.replace('"V1"', '"V3"'), "证据等级“V3”不认识"),
        (GOOD.replace('evidence = "V1"', ""), "证据等级“”不认识"),
        (GOOD.replace("value = 3\n", ""), "没有查到的规定（\\?）不得带值"),
        (GOOD.replace('"V1"', '"?"'), "没有查到的规定（\\?）不得带值"),
        (GOOD.replace('url = "某处"', ""), "没有写明在哪里看到"),
        (GOOD.replace('"NDRC36"', '"NDRC99"'), "引用的文件“NDRC99”不存在"),
        (GOOD.replace('"V1"', '"D"'), "内部规定（D）没有法规依据"),
        (GOOD.replace('"NDRC36"', '"D"'), "内部规定（D）没有法规依据"),
        (GOOD.replace("value = 3", 'value = "三"'), "值“三”与单位“WD”不相配"),
        (GOOD.replace("value = 3", "value = true"), "值“True”与单位“WD”不相配"),
        (GOOD.replace("value = 3", "value = 0"), "值“0”与单位“WD”不相配"),
        (GOOD.replace('unit = "WD"', 'unit = "days"'), "与单位“days”不相配"),
        (GOOD.replace("value = 3", 'value = "stop"').replace('"WD"', '"behaviour"'), "值“stop”与单位“behaviour”不相配"),
        (GOOD.replace('"WD"', '"times"'), "只有期限才会顺延"),
        (GOOD.replace('article = "3"', 'article = "第三条"'), "条文“第三条”应写作"),
        (GOOD.replace("from = 2026-04-01", "from = 2026-04-01\nuntil = 2026-03-31"), "终止日早于起始日"),
        (GOOD.replace('"receipt"', '"whenever"'), "没有说明按哪一天选用"),
        (GOOD.replace('"repair.x"', '"objection.x"'), "须以“repair.”开头"),
        (GOOD + GOOD, "只能写一次"),
        (GOOD[: GOOD.index("[[rule.row]]")], "一行也没有"),
        (GOOD.replace("shift", "shfit"), "不认识的项目“shfit”"),
        (TWO_ROWS, "两行在2026年4月1日重叠"),
        (TWO_ROWS.replace("from = 2026-04-01", "from = 2026-04-01\nuntil = 2026-04-01", 1), "重叠"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(LawError, match=sentence):
        read(text)


def test_a_row_that_follows_the_day_after_is_welcome() -> None:
    text = TWO_ROWS.replace("from = 2026-04-01", "from = 2026-03-01\nuntil = 2026-03-31", 1)
    assert len(read(text)["repair.x"].rows) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[instrument]]\nkey = "A"\ntitle = "甲"\nevidence = "V9"', "证据等级“V9”不认识"),
        ('[[instrument]]\ntitle = "甲"\nevidence = "V1"', "没有代号"),
        ('[[instrument]]\nkey = "A"\ntitle = "甲"\nevidence = "V1"\n' * 2, "写了两次"),
        ('[[instrument]]\nkey = "A"\ntitle = "甲"\nevidence = "V1"\nnumbr = "1"', "不认识的项目“numbr”"),
    ],
)
def test_an_instrument_that_cannot_be_meant_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(LawError, match=sentence):
        law.read_instruments(text, "instruments.toml")
