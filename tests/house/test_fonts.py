"""Every word printed in one of our own faces is in it: a missing one would silently appear in another face."""

import csv

import pytest
from fontTools.ttLib import TTFont

from app.documents.fonts import (
    FOLDER,
    REGIONS,
    REGULAR,
    ROOT,
    SONG,
    TITLE,
    beyond_ascii,
    coverage,
    gb_2312,
    heading_characters,
    headings,
    title_characters,
)

DOCUMENTS = """
申请回执 受理通知书 补正通知书 不予受理通知书 移送告知 延期告知书 拟认定告知书 准予信用修复决定书
不予信用修复决定书 撤回确认 视为放弃告知 信息撤回说明 信用修复承诺书 信用承诺书 信用承诺证书 送达回证
信用档案摘要 异议处理结果告知书 信用修复告知书
"""


@pytest.fixture(scope="module")
def title_face() -> set[str]:
    return coverage(TITLE)


@pytest.mark.parametrize("title", DOCUMENTS.split())
def test_the_title_of_a_document_is_in_the_title_face(title, title_face):
    assert set(title) <= title_face


def test_every_heading_written_in_a_document_template_is_in_the_title_face(title_face):
    for template, text in headings(ROOT / "templates" / "documents").items():
        assert beyond_ascii(text) <= title_face, template
    assert title_characters() <= title_face


def test_the_name_of_every_region_of_the_province_is_in_the_title_face(title_face):
    with REGIONS.open(encoding="utf-8") as table:
        names = {row["name"] for row in csv.DictReader(table)}
    assert {"汨罗市", "溆浦县", "耒阳市"} <= names
    assert not {name for name in names if not beyond_ascii(name) <= title_face}


def test_an_office_of_any_usual_name_may_be_added(title_face):
    assert len(gb_2312()) > 6763
    assert gb_2312() <= title_face


def test_every_fixed_heading_of_a_page_is_in_the_song_face():
    needed = heading_characters()
    assert set("我的办件受理待补正没有这一页太频繁了") <= needed, "pages, steps, states and refused requests"
    missing = needed - coverage(SONG)
    assert not missing, f"run python -m app.documents.fonts: {''.join(sorted(missing))}"


def test_the_song_face_stays_light():
    assert SONG.stat().st_size < 60 * 1024


@pytest.mark.parametrize("face", sorted(FOLDER.glob("*.ttf")) + [SONG], ids=lambda path: path.name)
def test_every_face_is_truetype_because_other_outlines_print_blank_in_some_viewers(face):
    with TTFont(face, lazy=True) as font:
        assert "glyf" in font and "CFF " not in font


def test_the_cut_faces_carry_their_own_names_and_one_weight():
    for path, family in ((TITLE, "Jiannuo Title SC"), (SONG, "Jiannuo Song")):
        with TTFont(path, lazy=True) as font:
            assert {font["name"].getDebugName(number) for number in (1, 4)} == {family, f"{family} Regular"}
            assert font["OS/2"].usWeightClass == 400
    assert {"㛃", "䶮", "崀"} <= coverage(REGULAR), "rare characters of names"


def test_headings_are_found_in_both_ways_of_writing_them(tmp_path):
    (tmp_path / "page.html").write_text('{% block h1 %}{{ _("我的办件") }}{% endblock %}{# <h1>注</h1> #}')
    (tmp_path / "letter.html").write_text('<h1 class="title">受理<br>通知书</h1>')
    (tmp_path / "none.html").write_text("<p>正文</p>")
    found = {name: beyond_ascii(text) for name, text in headings(tmp_path).items()}
    assert found == {"letter.html": set("受理通知书"), "page.html": set("我的办件")}


def test_the_licence_stands_beside_the_faces():
    assert "SIL OPEN FONT LICENSE" in (FOLDER / "LICENSE_FONT").read_text()
