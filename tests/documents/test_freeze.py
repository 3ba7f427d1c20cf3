"""From here on the text is law: what may be frozen, what may not, and what is kept of it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask
from fontTools.ttLib import TTFont
from sqlalchemy import select, update

from app.db import db, transaction
from app.documents import glyphs
from app.documents.codes import new_code, read_code
from app.documents.contexts import basis
from app.documents.freeze import CannotIssue, freeze
from app.documents.press import FONTS, Sheet, press
from app.documents.reading import TextAltered, article
from app.models import Case, CreditRecord, Document, DocumentNumber, Office, Subject
from tests.documents.world import FINDING, ITEMS, build, document, started
from workflows.calendar import day_start

SIXTY = (
    "湘西土家族苗族自治州崀山䶮城大件运输装卸仓储联运及多式联运综合服务股份有限公司"
    "驻长沙黄花国际机场临空经济示范区分公司第二营业部"
)


def test_what_is_frozen_is_kept_with_its_hash_its_number_and_its_code(app: Flask) -> None:
    row = document(build().issue("acceptance"))
    assert row.html_hash == hashlib.sha256(row.html.encode()).hexdigest() == row.facts["text_sha256"]
    assert (row.number, row.kind_word, row.year, row.serial) == ("湘交信修受〔2026〕1号", "信修受", 2026, 1)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}", row.code)
    assert row.facts["verify"] == f"https://credit.example/verify/{row.code}"
    assert row.facts["edition"] in row.html and row.facts["basis"].startswith(
        "《关于进一步完善信用修复制度的实施方案》"
    )
    assert row.printed_at is None and row.placed_at is None and row.pdf_hash is None


def test_the_frozen_text_needs_no_file_style_or_script_to_be_read(app: Flask) -> None:
    text = document(build().issue("grant")).html
    assert not re.search(r"<(style|script|link|img|iframe|object|svg)\b|\bstyle=|\bon\w+=|\bsrc=", text)
    assert re.findall(r'href="([^"]*)"', text) == [document(1).facts["verify"]]


def test_what_somebody_typed_is_text_and_never_markup(app: Flask) -> None:
    reason = '</p><script>alert(1)</script><img src="http://127.0.0.1/x"> {{ 7*7 }}'
    text = document(build().issue("refusal", {"reason": reason})).html
    assert "<script" not in text and "<img" not in text and "49" not in text.split("理由")[1][:200]
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("kind", "answers", "missing"),
    [
        ("refusal", {"reason": "  "}, "不予修复的理由"),
        ("refusal", {"cure": ""}, "再次申请的条件"),
        ("non_acceptance", {"reason": ""}, "不予受理的理由"),
        ("transfer", {"to": ""}, "移送的去向"),
        ("extension", {"reason": "\n"}, "延期的原因"),
        ("finding", {"facts": ""}, "拟认定的事实"),
        ("correction", {"items": []}, "需要补正的内容"),
        ("correction", {"items": [{"name": "证明", "problem": "看不清", "remedy": ""}]}, "补正的办法"),
    ],
)
def test_nothing_goes_out_without_what_the_law_requires(
    app: Flask, kind: str, answers: dict[str, object], missing: str
) -> None:
    world = build()
    with pytest.raises(CannotIssue) as refused:
        world.issue(kind, answers)
    assert any(missing in problem and problem.endswith("。") for problem in refused.value.problems)
    assert db.session.execute(select(Document.id)).first() is None
    assert db.session.execute(select(DocumentNumber.last)).first() is None


def test_a_step_that_asked_for_less_than_the_document_needs_is_refused_with_a_sentence(app: Flask) -> None:
    world = build()
    with pytest.raises(CannotIssue) as refused, transaction():
        entry = world.line("refuse", world.start, {"reason": "尚未改正"})
        freeze(world.case_id, "refusal", entry)
    assert "再次申请的条件" in str(refused.value) and "查明的事实" in str(refused.value)


@pytest.mark.parametrize(("column", "missing"), [("word", "代字"), ("review_body", "行政复议机关")])
def test_an_office_without_its_word_or_its_review_body_cannot_decide(app: Flask, column: str, missing: str) -> None:
    world = build()
    with transaction() as session:
        session.execute(update(Office).where(Office.id == world.organ_id).values({column: ""}))
    with pytest.raises(CannotIssue, match=missing):
        world.issue("refusal")
    if column == "review_body":
        assert document(world.issue("correction")).number == "湘交信修补〔2026〕1号"


def test_a_decision_under_no_law_is_refused(app: Flask) -> None:
    world = build()
    world.issue("grant")
    with pytest.raises(CannotIssue, match="依据"), transaction():
        entry = world.line("confirm", world.start + timedelta(days=7))
        freeze(world.case_id, "grant", replace(entry, law="D"))


def test_an_extension_told_after_the_limit_is_refused(app: Flask) -> None:
    world = build()
    world.start += timedelta(days=16)
    with pytest.raises(CannotIssue, match="原定期限届满以前的告知"):
        world.issue("extension")


def test_a_character_no_face_can_show_is_named_with_its_code_point(app: Flask) -> None:
    world = build()
    with pytest.raises(CannotIssue) as refused:
        world.issue("refusal", {"reason": "你单位的车辆☑😀未整改"})
    assert refused.value.problems == ["含有无法显示的字：☑（U+2611）、😀（U+1F600）"]
    with pytest.raises(CannotIssue, match="不可见字符（U\\+202E）"):
        world.issue("refusal", {"reason": "倒\u202e序"})


@pytest.mark.parametrize("kind", ["grant", "correction", "receipt"])
def test_a_name_of_sixty_characters_and_rare_ones_are_printed(app: Flask, kind: str) -> None:
    assert len(SIXTY) >= 60
    row = document(build(SIXTY).issue(kind))
    assert press(Sheet(row.html, row.facts, row.issued_at)).startswith(b"%PDF-")
    assert f"{SIXTY}：" in row.html


def test_the_table_of_characters_is_that_of_the_committed_faces() -> None:
    faces = {}
    for name, file in {"serif": "NotoSerifSC-Regular", "sans": "NotoSansSC-Regular", "title": "JiannuoTitleSC"}.items():
        with TTFont(FONTS / f"{file}.ttf", lazy=True) as font:
            faces[name] = {chr(code) for code in font.getBestCmap()}
    assert glyphs.table()["text"] == faces["serif"] & faces["sans"], "run python -m app.documents.glyphs"
    assert glyphs.table()["title"] == faces["title"], "run python -m app.documents.glyphs"
    assert not glyphs.unseen("湖南崀山䶮〔2026〕1号（“”）：；·—…") and glyphs.unseen("☑") == ["☑"]


def test_a_natural_person_is_spoken_to_as_one_and_stays_out_of_the_facts(app: Flask) -> None:
    row = document(build("欧阳修远", kind="person").issue("grant"))
    assert "欧阳修远：" in row.html and "你单位" not in row.html.replace(FINDING.split("\n")[0], "")
    assert "统一社会信用代码" not in row.html
    assert "欧阳" not in str(row.facts) and row.facts["subject"] == ""


def test_an_online_entrance_is_promised_only_where_there_is_one(app: Flask) -> None:
    """电子送达须告知在线复议入口；没有登记入口的，文书不说可以在线提交。"""
    world = build()
    assert "申请行政复议（可在线提交，入口见验证页面）" in document(world.issue("lapse")).html
    with transaction() as session:
        session.get(Office, world.organ_id).review_address = ""
    without = document(world.issue("lapse")).html
    assert "申请行政复议，或者" in without and "在线" not in without


def test_a_division_speaks_in_the_name_of_the_organ_above_it(app: Flask) -> None:
    world = build()
    with transaction() as session:
        organ = session.get(Office, world.organ_id)
        organ.path = f"/{organ.id}/"
        division = Office(code="430000JTZW", name="厅政务服务处", short="政务处", kind="division", parent_id=organ.id,
                          path="", phone="0731-11111111")  # fmt: skip
        session.add(division)
        session.flush()
        division.path = f"/{organ.id}/{division.id}/"
        session.flush()
        division_id = division.id
    row = document(world.issue("acceptance", office_id=division_id))
    assert row.office_id == world.organ_id and row.number == "湘交信修受〔2026〕1号"
    assert "厅政务服务处" not in row.html and "咨询：0731-11111111" in row.html


def test_an_early_receipt_says_when_the_case_goes_forward_by_itself(app: Flask) -> None:
    world = build()
    with transaction():
        entry = world.line("submit_early", world.start)
        row = document(freeze(world.case_id, "receipt", entry))
    assert "先行收件" in row.html and "<strong>2026年10月14日</strong>届满" in row.html


def test_more_than_eight_gaps_go_to_an_annex_and_none_is_lost(app: Flask) -> None:
    items = [{"name": f"材料{n}", "problem": "看不清", "remedy": "重新拍照上传"} for n in range(1, 13)]
    row = document(build().issue("correction", {"items": items}))
    before, annex = row.html.split('<section class="annex">')
    assert "共12项" in before and "材料1<" not in before
    assert all(f">材料{n}<" in annex for n in range(1, 13))


def test_a_second_notice_says_why_the_first_one_did_not_tell(app: Flask) -> None:
    row = document(build().issue("correction", {"justification": "补正材料中新出现了矛盾"}))
    assert "上一次没有一并告知的原因：补正材料中新出现了矛盾。" in row.html


@pytest.mark.parametrize(
    ("ground", "said"),
    [
        ("MIN_PERIOD_NOT_MET", "最短公示期于2026年10月14日届满，届满后的次日起可以再次申请"),
        ("NOT_REPAIRABLE_BY_LAW", "不能通过信用修复提前终止公示"),
        ("BANNED_UNTIL", "上述情形消除后即可再次申请"),
        ("NOTHING_TO_REPAIR", "不再需要修复"),
    ],
)
def test_who_is_not_accepted_is_told_when_to_come_again(app: Flask, ground: str, said: str) -> None:
    row = document(build().issue("non_acceptance", {"ground": ground}))
    assert said in row.html


def test_a_date_that_rests_on_an_unannounced_calendar_says_that_it_is_provisional(app: Flask) -> None:
    world = build()
    world.start = day_start(date(2026, 12, 20)) + timedelta(hours=10)
    with transaction() as session:
        session.execute(update(Case).where(Case.id == world.case_id).values(t1=world.start, t0=world.start))
        entry = world.line("correct", world.start, {"items": ITEMS}, [started("correct", date(2026, 12, 20), 10)])
        row = document(freeze(world.case_id, "correction", entry))
    assert "暂定" in row.html


def test_a_record_that_names_no_maximum_is_shown_on_without_a_date(app: Flask) -> None:
    world = build()
    with transaction() as session:
        session.execute(update(CreditRecord).where(CreditRecord.id == world.record_id).values(maximum_last_day=None))
    assert "该信息继续公示。" in document(world.issue("refusal")).html


def test_an_order_not_yet_in_force_gives_way_to_the_one_it_replaced() -> None:
    assert basis("NDRC36 3", date(2026, 4, 1)) == "《信用修复管理办法》（国家发展改革委令第36号）第三条"
    old = basis("NDRC36 3", date(2026, 3, 31))
    assert "令第58号" in old and "第三条" not in old
    assert basis("D", date(2026, 4, 1)) == ""
    assert basis("NDRC36; SC22", date(2026, 11, 1)).count("《") == 2


def test_a_document_outside_the_demo_carries_no_mark_and_no_seal(app: Flask) -> None:
    app.config["DEMO"] = False
    row = document(build().issue("grant"))
    assert "演示" not in row.html and 'class="ring"' not in row.html and row.facts["demo"] is False
    app.config["DEMO"] = True
    row = document(build(number="2").issue("grant"))
    assert row.html.count("演示·无效") == 2


def test_a_document_in_our_own_page_has_its_words_and_no_second_h1(app: Flask) -> None:
    row = document(build().issue("grant"))
    shown = article(row.html, row.html_hash)
    assert shown.startswith("<article") and "<h1" not in shown and '<h2 class="title">准予信用修复决定书</h2>' in shown
    assert words(shown) == words(row.html[row.html.index("<article") : row.html.index("</article>")])
    with pytest.raises(TextAltered, match="指纹不一致"):
        article(row.html.replace("准予", "不准"), row.html_hash)


def words(html: str) -> str:
    return re.sub(r"<[^>]*>|\s", "", html)


def test_a_code_is_read_however_it_is_typed() -> None:
    code = new_code()
    assert (
        read_code(code) == read_code(code.lower().replace("-", " ")) == read_code(f" {code.replace('-', '')} ") == code
    )
    assert read_code("OIL00-11111-00000-00000-0000o") == "01100-11111-00000-00000-00000"
    assert read_code("") == read_code(code[:-1]) == read_code(code + "0") == read_code("U" * 25) == ""
    assert len({new_code() for _ in range(2000)}) == 2000


def test_freezing_brings_in_neither_printer_nor_signer_nor_font_tools() -> None:
    script = (
        "import sys, app.documents.freeze, app.documents.check, app.duty.press;"
        "print([name for name in ('weasyprint', 'pyhanko', 'fontTools', 'pikepdf') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_subject_of_a_case_is_named_as_it_is_called_on_that_day(app: Flask) -> None:
    world = build()
    first = document(world.issue("receipt"))
    with transaction() as session:
        session.execute(update(Subject).where(Subject.id == world.subject_id).values(name="湖南澧原物流集团有限公司"))
    second = document(world.issue("acceptance"))
    assert "澧原远途运输有限公司：" in first.html and "澧原物流集团有限公司：" in second.html
    assert document(first.id).html == first.html
