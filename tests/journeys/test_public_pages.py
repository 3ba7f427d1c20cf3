"""Anybody at the public counter: a company by its code, a document by its number or by the file itself."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import func, insert, select, update

from app.casework.annul import annul_record
from app.db import db, transaction
from app.models import Case, CreditRecord, Document, Identifier, Notice, PublicationFact, Subject
from app.now import now
from app.registry.blind import blind_index
from app.registry.codes import complete_code, id_check_character
from app.registry.publish import state_fact
from app.sealed import SealingKey, seal
from app.security import limiter
from tests.build import a_case, night
from tests.journeys.door import outside  # noqa: F401

ID_NUMBER = "43999919880312999" + id_check_character("43999919880312999")


def a_person(app, name="龙小军"):
    """A natural person with a sealed number."""
    keys = [SealingKey(name, bytes.fromhex(key)) for name, key in app.config["FIELD_KEYS"].items()]
    with transaction():
        person = db.session.execute(
            insert(Subject).values(kind="person", name=name, region="430626").returning(Subject.id)
        ).scalar_one()
        db.session.execute(
            insert(Identifier).values(
                subject_id=person, kind="id_card", sealed=seal(ID_NUMBER, keys, "identifier"),
                blind=blind_index(ID_NUMBER, bytes.fromhex(app.config["INDEX_KEY"]), "identifier"),
                valid_from=date(2020, 1, 1),
            )
        )  # fmt: skip
    return person


def ended(record, deed):
    with transaction():
        state_fact(record, deed, date(2026, 11, 24), now(), "试验")


# --- finding a company -------------------------------------------------------------------------------------------


def test_a_code_typed_with_blanks_and_small_letters_finds_the_company(cast, outside):
    outside.go("/")
    code = cast.codes["yueheng"]
    page = outside.press("查询", q=f" {code[:9].lower()} {code[9:]} ")
    assert page.h1 == ["湖南岳衡物流有限公司"]
    assert page.address.endswith(f"/subjects/{code}")


def test_a_wrong_last_character_is_explained_and_what_was_typed_stays(cast, outside):
    outside.go("/")
    code = cast.codes["yueheng"]
    wrong = code[:17] + ("0" if code[17] != "0" else "1")
    page = outside.press("查询", expect=422, q=wrong)
    assert page.says(f"第 18 位应为 {code[17]}，您输入的是 {wrong[17]}")
    assert ("q", wrong) in page.forms[0].values
    assert page.title.startswith("需要修改：")


def test_an_identity_number_is_told_apart_and_never_shown_again(cast, outside):
    outside.go("/")
    page = outside.press("查询", expect=422, q=ID_NUMBER)
    assert page.says("这里不能用身份证号码、电话号码查询")
    assert ID_NUMBER not in page.html


def test_a_person_has_no_page_not_even_under_their_own_number(app, cast, outside):
    a_person(app)
    page = outside.go(f"/subjects/{ID_NUMBER}", expect=404)
    assert ID_NUMBER not in page.html and "龙" not in page.text


def test_an_earlier_code_leads_for_good_to_the_present_one(cast, outside):
    old = complete_code("9143010012345678")
    with transaction():
        db.session.execute(
            insert(Identifier).values(
                subject_id=cast.subjects["yueheng"], kind="uscc", value=old, valid_from=date(2015, 1, 1),
                valid_until=date(2019, 12, 31),
            )
        )  # fmt: skip
    answer = outside.get(f"/subjects/{old}")
    assert answer.status_code == 301
    assert answer.headers["Location"].endswith(f"/subjects/{cast.codes['yueheng']}")


def test_a_good_code_that_nobody_has_says_so_and_is_not_found(cast, outside):
    page = outside.go(f"/subjects/{complete_code('9143010099999999')}", expect=404)
    assert page.says("本平台没有这个主体")


def test_the_reason_a_code_in_an_address_is_wrong_is_told(cast, outside):
    assert outside.go("/subjects/123", expect=404).says("应为 18 位，您输入了 3 位")


# --- what is public ----------------------------------------------------------------------------------------------


def test_a_published_penalty_stands_there_with_its_class_and_its_days(cast, outside):
    cast.penalty(on="2026-05-18")
    page = outside.go(f"/subjects/{cast.codes['yueheng']}")
    assert page.says("湘交罚〔2026〕1号") and page.says("一般")
    assert page.says("至 2027年5月18日")
    assert page.says("最短公示期已于2026年8月18日届满，义务已经履行的可以申请修复")
    assert page.says("法定代表人 罗*") and not page.says("罗建平")


def test_a_company_without_published_penalties_has_no_record_and_the_page_says_as_of_when(cast, outside):
    page = outside.go(f"/subjects/{cast.codes['other']}")
    assert page.says("没有记录") and page.says("截至 2026年11月24日 10:00")


@pytest.mark.parametrize("deed", ["repair", "end", "withdraw"])
def test_what_was_repaired_ended_or_withdrawn_is_not_shown_any_more(cast, outside, deed):
    gone, _stays = cast.penalty(on="2026-05-18"), cast.penalty(on="2026-06-18")
    ended(gone, deed)
    page = outside.go(f"/subjects/{cast.codes['yueheng']}")
    assert not page.says("湘交罚〔2026〕1号") and page.says("湘交罚〔2026〕2号")
    assert not page.says("已修复")


def test_why_information_was_withdrawn_is_told_for_as_long_as_it_would_have_been_shown(cast, clock, outside):
    record = cast.penalty(on="2026-05-18")
    with transaction():
        reason = "湘政复决〔2026〕8号行政复议决定撤销原处罚"
        annul_record(record, actor=cast.who("zhou"), reason=reason, day=date(2026, 11, 23), at=now())
    page = outside.go(f"/subjects/{cast.codes['yueheng']}")
    assert page.says("正在公示的 0 条") and page.says("已经撤回的信息")
    assert page.says("湘交罚〔2026〕1号") and page.says(f"信息于2026年11月24日撤回。理由：{reason}")
    clock.go("2027-05-19")
    assert not outside.go(f"/subjects/{cast.codes['yueheng']}").says("湘交罚〔2026〕1号")


def test_a_penalty_past_its_longest_time_is_not_shown_though_nobody_has_ended_it(cast, clock, outside):
    cast.penalty(on="2026-05-18")
    clock.go("2027-05-18")
    assert outside.go(f"/subjects/{cast.codes['yueheng']}").says("湘交罚〔2026〕1号")
    clock.go("2027-05-19")
    assert not outside.go(f"/subjects/{cast.codes['yueheng']}").says("湘交罚〔2026〕1号")


def test_a_minor_penalty_that_is_not_published_is_not_shown(cast, outside):
    cast.penalty(kinds="警告", fine_size=None)
    assert outside.go(f"/subjects/{cast.codes['yueheng']}").says("没有记录")


def test_the_owner_of_a_shop_is_masked_also_in_the_words_of_the_decision(cast, outside):
    cast.penalty(on="2026-05-18")
    with transaction():
        db.session.execute(
            update(Subject).where(Subject.id == cast.subjects["yueheng"]).values(
                kind="sole_trader", name="岳阳县沅麓汽修店", legal_representative="彭大海"
            )
        )  # fmt: skip
        record = db.session.execute(select(CreditRecord.id, CreditRecord.fields)).first()
        said = {**record.fields, "CF_SY": "经营者彭大海（13812345678）擅自超限行驶"}
        db.session.execute(update(CreditRecord).where(CreditRecord.id == record.id).values(fields=said))
    page = outside.go(f"/subjects/{cast.codes['yueheng']}")
    assert page.says("岳阳县沅麓汽修店") and page.says("经营者 彭*") and page.says("经营者彭*（138****5678）")
    assert "彭大海" not in page.html and "13812345678" not in page.html


def test_a_natural_person_in_the_newest_penalties_is_masked_and_leads_nowhere(app, cast, outside):
    person = a_person(app)
    record = cast.penalty(on="2026-05-18")
    with transaction():
        db.session.execute(update(CreditRecord).where(CreditRecord.id == record).values(subject_id=person))
    page = outside.go("/")
    assert page.says("龙*（自然人）")
    assert "龙小军" not in page.html and not re.search(r"\d{17}[\dXx]", page.html)


def test_pages_about_a_subject_or_a_document_are_kept_by_no_cache_and_no_search_engine(cast, outside):
    for path in (f"/subjects/{cast.codes['yueheng']}", "/verify/7QK4M-2XD9T-RH0VW-3ZC8E-N51KA"):
        answer = outside.get(path)
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_printed_page_carries_its_address_as_a_picture(cast, outside):
    answer = outside.get(f"/subjects/{cast.codes['yueheng']}/qr.svg")
    assert answer.mimetype == "image/svg+xml" and b"<path" in answer.data
    assert outside.get("/subjects/123/qr.svg").status_code == 404


# --- documents ---------------------------------------------------------------------------------------------------


@pytest.fixture
def granted(cast):
    """A granted repair whose documents are printed; the row of the decision."""
    a_case(cast, at="processing", on="2026-05-18")
    night()
    row = db.session.execute(
        select(Document.id, Document.code, Document.number, Document.pdf_hash).where(Document.kind == "grant")
    ).one()
    db.session.rollback()
    return row


def test_a_document_is_found_by_its_code_however_it_is_typed(granted, outside):
    outside.go("/verify")
    typed = granted.code.lower().replace("-", " ").replace("0", "o").replace("1", "i")
    page = outside.press("核验", number=typed)
    assert page.address.endswith(f"/verify/{granted.code}")
    assert "现行有效" in page.h1[0] and page.says("准予信用修复决定书") and page.says(granted.number)
    assert page.says("湖南岳衡物流有限公司") and page.says("2026年11月24日")


def test_what_a_decision_refers_to_is_found_where_it_is_checked(granted, outside):
    page = outside.go(f"/verify/{granted.code}")
    assert page.says("不服怎么办") and page.says("各单位的确认情况")
    notices = db.session.execute(select(func.count()).select_from(Notice)).scalar_one()
    db.session.rollback()
    assert notices and page.says(f"0 / {notices} 已确认") and page.text.count("待确认") == notices
    assert not page.says("已送达")
    receipt = db.session.execute(select(Document.code).where(Document.kind == "receipt")).scalar_one()
    db.session.rollback()
    page = outside.go(f"/verify/{receipt}")
    assert not page.says("不服怎么办") and not page.says("各单位的确认情况")


def test_a_code_scanned_in_small_letters_leads_to_the_one_address(granted, outside):
    answer = outside.get(f"/verify/{granted.code.lower()}")
    assert answer.status_code == 301 and answer.headers["Location"].endswith(granted.code)


def test_a_code_that_is_none_is_refused_and_kept(outside, cast):
    outside.go("/verify")
    page = outside.press("核验", expect=422, number="7QK4-M2XD")
    assert page.says("查验码是 25 位字母和数字") and ("number", "7QK4-M2XD") in page.forms[0].values


def test_an_unknown_code_gets_a_plain_sentence(outside, cast):
    page = outside.go("/verify/7QK4M-2XD9T-RH0VW-3ZC8E-N51KA", expect=404)
    assert page.says("没有这份文书") and page.says("这份文书就不是本平台出具的")


def test_what_has_become_of_a_document_since_is_told_today(granted, outside):
    with transaction():
        db.session.execute(update(Document).where(Document.id == granted.id).values(withdrawn_at=now()))
    page = outside.go(f"/verify/{granted.code}")
    assert "已撤回" in page.h1[0] and page.says("不再有效")


def test_a_natural_person_is_named_on_no_page_about_a_document(granted, outside):
    whose = select(Case.subject_id).limit(1).scalar_subquery()
    with transaction():
        db.session.execute(update(Subject).where(Subject.id == whose).values(kind="person", name="龙小军"))
    page = outside.go(f"/verify/{granted.code}")
    assert page.says("自然人（姓名不公开）") and "龙小军" not in page.html


def test_the_original_file_is_known_and_one_changed_byte_is_noticed(app, granted, outside):
    folder = app.config["INSTANCE"] / "documents"
    data = (folder / granted.pdf_hash[:2] / granted.pdf_hash).read_bytes()
    outside.go("/verify")
    page = outside.press("比对这个文件", file=[("decision.pdf", data)])
    assert page.says("这个文件是原件") and page.says(granted.number) and page.says("现行有效")
    middle = len(data) // 2
    changed = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    outside.go("/verify")
    page = outside.press("比对这个文件", file=[("decision.pdf", changed)])
    assert page.says("这个文件不是原件") and page.says("改动过")


def test_a_file_of_another_kind_and_no_file_at_all_get_a_sentence(outside, cast):
    outside.go("/verify")
    assert outside.press("比对这个文件", file=[("picture.png", b"\x89PNG")]).says("这不是 PDF 文件")
    outside.go("/verify")
    assert outside.press("比对这个文件", expect=422, file=[("", b"")]).says("请选择要核验的 PDF 文件")


def test_a_file_that_is_far_too_large_is_not_looked_at(app, outside, cast):
    app.config["MAX_UPLOAD"] = 1024
    outside.go("/verify")
    assert outside.press("比对这个文件", expect=422, file=[("big.pdf", b"%PDF-" + b"0" * 2000)]).says("文件超过")


# --- limits ------------------------------------------------------------------------------------------------------


@pytest.fixture
def limited():
    """The limits as they run outside the tests."""
    limiter.enabled = True
    limiter.reset()
    yield
    limiter.reset()
    limiter.enabled = False


@pytest.mark.parametrize(("path", "times"), [("/subjects/123", 30), ("/verify/7QK4M-2XD9T-RH0VW-3ZC8E-N51KA", 30)])
def test_somebody_who_tries_codes_by_the_dozen_is_asked_to_wait(cast, outside, limited, path, times):
    answers = [outside.get(path).status_code for _ in range(times + 2)]
    assert answers[:times] == [404] * times and answers[times:] == [429] * 2
    page = outside.go(path, expect=429)
    assert page.says("太频繁了")


def test_searching_has_a_limit_and_reading_the_front_page_has_none(cast, outside, limited):
    outside.go("/")
    answers = [outside.send("查询", q="123")[0].status_code for _ in range(31)]
    assert answers[:30] == [303] * 30 and answers[30] == 429
    assert outside.get("/").status_code == 200


def test_nothing_public_writes(cast, outside):
    cast.penalty()
    before = db.session.execute(select(PublicationFact.id)).all()
    db.session.rollback()
    for path in ("/", "/verify", f"/subjects/{cast.codes['yueheng']}", "/login"):
        outside.go(path)
        assert not db.session.new and not db.session.dirty
    assert db.session.execute(select(PublicationFact.id)).all() == before
