"""The demonstration shows nobody real, offends nobody, and looks as untidy as life."""

import random
import re
from collections import Counter
from datetime import date

import pytest

from app.registry.codes import check_code, check_id_number
from app.registry.directory import entry_for, public_values, split_values
from app.registry.masking import hide_personal_numbers, mask_address
from app.registry.numbers import number_key
from app.registry.regions import full_name, regions, standings
from app.seeds.cast import FILERS, OFFICERS, PEOPLE, SUBJECTS
from app.seeds.invent import NOWHERE, Inventor, id_number_of, invent_penalties, office_of, organ_code, table

TODAY = date(2026, 11, 23)
PENALTIES = invent_penalties(400, random.Random(36), until=TODAY)
OFFICES = {row["code"]: row for row in table("offices")}
ROLES = {"acceptance", "review", "confirmation", "processing", "head", "linked", "legal", "administrator"}


def test_the_same_seed_invents_the_same_world():
    assert invent_penalties(30, random.Random(5), until=TODAY) == invent_penalties(30, random.Random(5), until=TODAY)


def test_every_invented_code_is_valid_and_of_nobody():
    for subject in [penalty.subject for penalty in PENALTIES] + list(SUBJECTS.values()):
        if subject.kind == "person":
            assert check_id_number(subject.id_number).ok and subject.id_number.startswith(NOWHERE)
            assert NOWHERE not in regions()
        else:
            verdict = check_code(subject.code, standings())
            assert verdict.ok and not verdict.warnings and subject.code[8:10] == "JN"
            assert subject.code[2:8] == subject.region


def test_no_two_invented_subjects_share_a_name_or_a_number():
    inventor = Inventor(random.Random(1))
    subjects = [inventor.anybody() for _ in range(600)] + list(SUBJECTS.values())
    bodies = [subject for subject in subjects if subject.kind != "person"]
    assert max(Counter(subject.name for subject in bodies).values()) == 1
    assert max(Counter(subject.code or subject.id_number for subject in subjects).values()) == 1


def test_no_invented_name_carries_the_name_of_a_known_enterprise():
    known = re.compile("龙骧|湘运|平安|万里|华强|中联|三一|芙蓉|雷锋|韶峰|三湘|顺丰|京东|德邦")
    words = [row["value"] for row in table("name_words")] + [subject.name for subject in SUBJECTS.values()]
    assert [word for word in words if known.search(word)] == []


def test_what_was_received_is_untidy_and_what_was_understood_is_not():
    habits = {habit for penalty in PENALTIES for habit in penalty.mess}
    assert len(habits) == 12
    assert any("\n" in penalty.received["CF_SY"] for penalty in PENALTIES)
    assert any("CF_JG" in penalty.received for penalty in PENALTIES)
    for penalty in PENALTIES:
        values = penalty.values
        assert date(2024, 1, 1) < date.fromisoformat(values["CF_JDRQ"]) < TODAY
        assert values["CF_YXQ"] == "2099-12-31" and "\n" not in values["CF_SY"]
        assert values["CF_XDR_LB"] in ("法人及非法人组织", "个体工商户", "自然人")


def test_no_two_penalties_of_an_office_share_a_number():
    keys = Counter((penalty.office, number_key(penalty.values["CF_WSH"])) for penalty in PENALTIES)
    assert max(keys.values()) == 1


def test_sums_are_within_what_the_provision_allows_and_fit_the_text():
    for penalty in PENALTIES:
        kinds = split_values(penalty.values["CF_CFLB"])
        assert ("罚款" in kinds) == ("CF_NR_FK" in penalty.values)
        if "CF_NR_FK" in penalty.values:
            row = next(r for r in table("violations") if r["deed"] == penalty.values["CF_WFXW"] and r["fine"])
            assert 0 < float(penalty.values["CF_NR_FK"]) * 10000 <= 200000 and row["fine"]


def test_all_three_classes_and_all_kinds_of_subjects_occur():
    assert {penalty.cls for penalty in PENALTIES} == {"轻微", "一般", "严重"}
    assert {p.subject.kind for p in PENALTIES} == {"enterprise", "sole_trader", "institution", "person"}


def test_the_class_agrees_with_the_kinds_of_penalty():
    heavy = {"吊销许可证件", "暂扣许可证件", "降低资质等级", "责令停产停业", "责令关闭", "限制从业"}
    for row in table("violations"):
        kinds = set(row["kinds"].split(";"))
        expected = "严重" if kinds & heavy else "轻微" if kinds <= {"警告", "通报批评"} else "一般"
        assert row["cls"] == expected, row["deed"]


def test_the_public_page_of_every_invented_penalty_hides_the_person():
    entry = entry_for("XZCF", TODAY)
    for penalty in PENALTIES:
        shown = public_values(entry, penalty.values)
        whole = "".join(shown.values())
        assert hide_personal_numbers(whole) == whole and shown["CF_XDR_MC"]
        if penalty.subject.kind == "person":
            assert penalty.subject.name not in whole and penalty.subject.id_number not in whole


# Offices --------------------------------------------------------------------------------------------------------------


def test_the_province_has_its_organs():
    organs = Counter(row["level"] for row in OFFICES.values() if row["kind"] == "organ")
    assert organs == {"province": 1, "prefecture": 14, "county": 122}


def test_every_organ_has_its_own_word_and_the_government_of_its_level_as_review_body():
    organs = [row for row in OFFICES.values() if row["kind"] == "organ"]
    assert len({row["organ_word"] for row in organs}) == len(organs)
    assert len({row["name"] for row in OFFICES.values()}) == len(OFFICES)
    for row in organs:
        assert row["review_body"] == row["name"].removesuffix("交通运输局").removesuffix("交通运输厅") + "人民政府"
    assert OFFICES["jt-430100"]["review_body"] == "长沙市人民政府"
    assert OFFICES["jt-430104"]["review_body"] == "长沙市岳麓区人民政府"
    assert OFFICES["jt-430181"]["review_body"] == "浏阳市人民政府"


def test_parents_come_before_their_children_and_counties_stand_under_their_city():
    seen = set()
    for code, row in OFFICES.items():
        assert not row["parent_code"] or row["parent_code"] in seen
        seen.add(code)
        if row["level"] == "county":
            assert row["parent_code"] == f"jt-{regions()[row['region_code']].parent}"


def test_somebody_receives_each_kind_of_notice():
    assert Counter(row["receives"] for row in OFFICES.values() if row["receives"]) == {
        "credit_china": 1,
        "province": 1,
        "ministry": 1,
        "linked": 9,
    }
    assert all((row["kind"] == "linked") == bool(row["receives"]) for row in OFFICES.values())


@pytest.mark.parametrize(
    ("region", "office"),
    [("430124", "jt-430182"), ("430182", "jt-430182"), ("430671", "jt-430600"), ("430000", "jt-430000")],
)
def test_a_dissolved_county_and_a_zone_have_an_answerable_organ(region, office):
    assert office_of(region) == office


def test_every_region_but_the_placeholders_has_exactly_one_organ():
    answerable = Counter(row["region"] for row in table("jurisdictions"))
    assert set(answerable) == {code for code, standing in standings().items() if standing != "placeholder"}
    assert set(answerable.values()) == {1}


def test_no_telephone_of_an_office_can_be_dialled():
    assert all(re.fullmatch(r"0\d{2,3}-0000-0000", row["phone"]) for row in OFFICES.values())
    assert check_code(organ_code("430000")).ok


# The cast -------------------------------------------------------------------------------------------------------------


def test_the_cast_is_complete_and_nobody_signs_in_twice():
    assert len({person.login for person in PEOPLE}) == len(PEOPLE)
    assert all(person.login.isalpha() and person.login.islower() for person in PEOPLE)
    assert {m.role for person in OFFICERS for m in person.memberships} == ROLES
    assert {m.capacity for person in FILERS for m in person.mandates} == {
        "legal_representative",
        "clerk",
        "administrator",
    }
    for person in PEOPLE:
        assert all(mandate.subject in SUBJECTS for mandate in person.mandates)
        assert all(membership.office in OFFICES for membership in person.memberships)


def test_both_offices_can_finish_a_case_with_different_people():
    for office in ("jt-430000", "jt-430100"):
        by_role = {
            role: {p.name for p in OFFICERS for m in p.memberships if (m.office, m.role) == (office, role)}
            for role in ("acceptance", "review", "confirmation", "processing", "head")
        }
        assert all(by_role.values())
        assert len(by_role["review"] | by_role["confirmation"]) > 1


def test_the_cast_tries_the_print_room_with_a_rare_and_a_very_long_name():
    assert "䶮" in SUBJECTS["langyan"].name
    assert len(SUBJECTS["longname"].name) == 60
    assert SUBJECTS["longxiaojun"].id_number == id_number_of(date(1988, 3, 12), 999)


def test_every_county_of_the_province_survives_the_masking_of_an_address():
    for region in regions().values():
        if region.standing == "current" and region.level != "province":
            name = full_name(region.code)
            assert mask_address(f"{name}演示路1号") == name
