"""Finding organisations by name: what people remember of it is enough; no natural person is found."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update

from app import spelling
from app.db import db, transaction
from app.models import Identifier, Subject, SubjectName
from app.registry import search
from app.registry.codes import complete_code
from app.registry.public_sight import FOUND, SIGHT
from app.registry.search import find_names

COMPANIES = (
    "湖南岳衡物流有限公司", "湖南衡岳运输有限公司", "岳衡（长沙）港务有限公司", "长沙重行汽车服务有限公司",
    "湘潭ＵＰＳ速运有限公司", "岳衡物流", "湖南省 岳 衡 客运站", "崀䶮危险品运输有限公司",
)  # fmt: skip


def enter(*names: str, kind: str = "enterprise") -> list[int]:
    """Subjects of these names, in this order."""
    with transaction() as session:
        return [
            session.execute(insert(Subject).values(kind=kind, name=name).returning(Subject.id)).scalar_one()
            for name in names
        ]


@pytest.fixture
def companies(app: Flask) -> list[int]:
    return enter(*COMPANIES)


def found(typed: str) -> list[str]:
    names = [hit.name for hit in find_names(typed).rows]
    db.session.rollback()
    return names


def pages(typed: str, size: int) -> list[str]:
    """Every name, page by page."""
    names: list[str] = []
    after = None
    while True:
        hits = find_names(typed, after, size)
        names += [hit.name for hit in hits.rows]
        assert len(hits.rows) == size or hits.after is None
        after = hits.after
        if after is None:
            db.session.rollback()
            return names


# --- what is found -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("岳衡", {0, 2, 5, 6}),
        ("港务", {2}),
        ("岳衡物流有限", {0}),
        ("岳衡长沙", {2}),
        ("岳衡(长沙)", {2}),
        ("【岳衡】（长 沙）", {2}),
        ("ups", {4}),
        ("ＵｐＳ", {4}),
        ("危险品", {7}),
        ("䶮危", {7}),
        ("衡岳", {1}),
        ("岳岳", set()),
        ("物流有限公司湖南", set()),
    ],
)
def test_a_piece_of_a_name_is_enough_however_it_is_written(companies, typed, wanted):
    assert set(found(typed)) == {COMPANIES[n] for n in wanted}


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("hnyhwl", {0}),
        ("HNYHWL", {0}),
        ("ｙｈｗｌ", {0, 5}),
        ("yhwlyxgs", {0}),
        ("cszh", {3}),
        ("cscx", {3}),
        ("zscx", {3}),
        ("cszxqc", {3}),
        ("upssy", {4}),
        ("lywxp", {7}),
        ("hnyhx", set()),
        ("yh", set()),
    ],
)
def test_initials_find_it_too_in_each_usual_reading(companies, typed, wanted):
    """长沙重行 is read changsha chongxing, zhonghang, and by whoever has never been there zhangsha."""
    assert set(found(typed)) == {COMPANIES[n] for n in wanted}


def test_the_whole_name_comes_first_then_what_begins_so_then_the_newest(companies):
    assert found("岳衡物流") == [COMPANIES[5], COMPANIES[0]]
    enter("湖南岳衡物流有限公司长沙分公司", "新岳衡", "岳衡新")
    assert found("岳衡") == [
        "岳衡新", COMPANIES[5], COMPANIES[2], "新岳衡", "湖南岳衡物流有限公司长沙分公司", COMPANIES[6], COMPANIES[0],
    ]  # fmt: skip
    hits = find_names("湖南岳衡物流（有限公司）")
    assert hits.exact is not None and hits.exact.name == COMPANIES[0]
    assert find_names("岳衡").exact is None


def test_two_of_one_name_are_both_shown_and_neither_is_the_one(companies):
    enter(COMPANIES[0])
    hits = find_names(COMPANIES[0])
    assert [hit.name for hit in hits.rows] == [COMPANIES[0]] * 2 and hits.exact is None
    db.session.rollback()


def test_a_hit_carries_its_present_code(companies):
    old, new = complete_code("9143010012345678"), complete_code("9143010087654321")
    with transaction() as session:
        for value, until in ((old, date(2019, 12, 31)), (new, None)):
            session.execute(
                insert(Identifier).values(
                    subject_id=companies[0], kind="uscc", value=value, valid_from=date(2015, 1, 1), valid_until=until
                )
            )
    assert [hit.code for hit in find_names("岳衡物流有限").rows] == [new]
    db.session.rollback()


@pytest.mark.parametrize("typed", ["", " ", "岳", "。（）", "x" * 101, "\u200b岳\u200b", "岳" * 5000])
def test_too_little_and_far_too_much_finds_nothing(companies, typed):
    assert found(typed) == []


HOSTILE = (
    "%", "%%", "__", "岳%", "岳_", "\\\\", "岳\\衡", "' OR 1=1 --", '"岳衡" OR "物流"', "岳衡*", "岳衡 NOT 物流",
    "NEAR(岳衡 物流)", "grams:岳衡", "subject_grams", "{}", "$1", ":wanted", "岳\x00衡", "^岳", "岳$", "(((", "[岳]",
    "'; DROP TABLE subject; --", "岳衡');", "\ud800岳衡", "😀😀", "e\u0301e\u0301", "ﷺﷺ",
)  # fmt: skip


@pytest.mark.parametrize("typed", HOSTILE)
def test_nothing_that_is_typed_is_anything_but_a_name(companies, typed):
    key = search.key_of(typed)
    for name in found(typed):
        assert len(key) >= 2 and key in spelling.name_key(name), (typed, name)


# --- pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("few", [5, 200])
@pytest.mark.parametrize("common", [1.0, 0.0])
def test_page_by_page_every_name_comes_once_and_in_its_order(app, monkeypatch, few, common):
    """Whether all tiers are read at once, tier by tier, or from the newest on because every second name has it."""
    monkeypatch.setattr(search, "CANDIDATES", few)
    monkeypatch.setattr(search, "COMMON", common)
    monkeypatch.setattr(search, "_known", {"岳衡": 0.5, "yhw": 0.5, "hwl": 0.5})
    search._statement.cache_clear()
    enter(*(f"岳衡{n:02d}号" for n in range(12)), *(f"湖南岳衡{n:02d}号" for n in range(12)), "岳衡", "岳衡")
    expected = ["岳衡"] * 2 + [f"岳衡{n:02d}号" for n in reversed(range(12))]
    expected += [f"湖南岳衡{n:02d}号" for n in reversed(range(12))]
    for size in (1, 3, 7, 20, 100):
        assert pages("岳衡", size) == expected, size
    enter(*(f"岳衡物流{n}" for n in range(15)))
    for size in (2, 20):
        assert pages("yhwl", size) == [f"岳衡物流{n}" for n in reversed(range(15))], size
    search._statement.cache_clear()


# --- nobody ------------------------------------------------------------------------------------------------------


def test_every_kind_of_subject_is_found_or_not_as_the_table_says(app):
    """A kind that is new stands in no index until somebody has decided, here and in the triggers, that it may."""
    for kind, sight in SIGHT.items():
        enter(f"金丝雀{kind}", kind=kind)
        assert bool(found(f"金丝雀{kind}")) is sight.found, kind
    assert FOUND == ("enterprise", "institution", "sole_trader")
    kinds = select(Subject.kind).join(SubjectName, SubjectName.subject_id == Subject.id).distinct()
    assert set(db.session.execute(kinds).scalars()) == set(FOUND)
    db.session.rollback()


@pytest.mark.parametrize("typed", ["龙小军", "小军", "龙小", "lxj", "LXJ", "金丝雀龙小军"])
def test_a_natural_person_is_found_by_no_name(app, typed):
    enter("龙小军", "金丝雀龙小军", kind="person")
    assert found(typed) == []
    assert db.session.execute(select(SubjectName)).all() == []
    db.session.rollback()


def test_not_even_when_a_row_has_strayed_into_the_index(app):
    (person,) = enter("龙小军", kind="person")
    with transaction() as session:
        session.execute(insert(SubjectName).values(subject_id=person, key="龙小军", initials="lxjlxj"))
    assert found("小军") == [] and found("lxj") == []


# --- in step -----------------------------------------------------------------------------------------------------


def test_a_changed_name_a_changed_kind_and_a_subject_that_goes_are_followed_at_once(companies):
    with transaction() as session:
        session.execute(update(Subject).where(Subject.id == companies[0]).values(name="湖南昭湄客运有限公司"))
    assert COMPANIES[0] not in found("岳衡") and found("昭湄") == ["湖南昭湄客运有限公司"] == found("hnzm")
    with transaction() as session:
        session.execute(update(Subject).where(Subject.id == companies[0]).values(kind="person"))
    assert found("昭湄") == []
    with transaction() as session:
        session.execute(update(Subject).where(Subject.id == companies[0]).values(kind="sole_trader"))
    assert found("昭湄") == ["湖南昭湄客运有限公司"]
    with transaction() as session:
        session.execute(delete(Subject).where(Subject.id == companies[0]))
    assert found("昭湄") == []
    if db.engine.dialect.name == "sqlite":
        with transaction() as session:
            session.execute(text("INSERT INTO subject_grams (subject_grams) VALUES ('integrity-check')"))


def test_many_at_once_are_entered_like_one(app):
    with transaction() as session:
        session.execute(insert(Subject.__table__), [{"kind": "enterprise", "name": f"第{n}运输队"} for n in range(300)])
    assert found("第299运") == ["第299运输队"]


# --- the same on both sides --------------------------------------------------------------------------------------

NAMES = (
    *COMPANIES, "", "（）", "a", "Ａ１－ｂ", "𠮷野家运输", "ﬁ№①㈱", "e\u0301", "龟龜亀", "ｶﾞ", "한국", "É", "ß", "İ",
    "·•・", "\u3000 \u00a0x\u200b\ufeffy", "''\"\\%$$^", "Ⅷ", "㎡", "一" * 100, "\U0010ffffx",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_databases_know_a_name_as_the_program_does(app, name):
    key = spelling.name_key(name)
    initials = spelling.name_initials(key)
    asked = {"name": name, "key": key, "initials": initials}
    grams = "name_grams" if db.engine.dialect.name == "postgresql" else "spaced_grams"
    row = db.session.execute(
        text(
            "SELECT name_key(CAST(:name AS text)), name_initials(CAST(:key AS text)), "
            f"{grams}(CAST(:key AS text), CAST(:initials AS text)), spelled_at(CAST(:initials AS text), 'yhw')"
        ),
        asked,
    ).one()
    db.session.rollback()
    found = row[2] if isinstance(row[2], list) else row[2].split(" ") if row[2] else []
    assert (row[0], row[1], row[3]) == (key, initials, spelling.spelled_at(initials, "yhw"))
    assert set(found) == set(spelling.name_grams(key, initials))


def test_every_character_is_spelled_alike_and_as_pypinyin_says(app):
    key = "".join(chr(place) for place in range(spelling.FIRST - 5, spelling.LAST + 6))
    assert spelling.readings() == spelling.letters()
    spelled = db.session.execute(text("SELECT name_initials(CAST(:key AS text))"), {"key": key}).scalar_one()
    assert spelled == spelling.name_initials(key)
    db.session.rollback()
