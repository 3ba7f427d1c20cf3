"""The credit file: five things happen to a company, and five days say what the public saw; what each reader may see."""

from __future__ import annotations

from datetime import date

import pytest
from flask import current_app
from sqlalchemy import insert, update

from app.casework.annul import annul_record
from app.casework.sight import records_visible_to
from app.db import db, transaction
from app.models import CreditRecord, Identifier, Subject
from app.now import now
from app.registry.assign_class import assign_class
from app.registry.blind import blind_index
from app.registry.codes import id_check_character
from app.registry.credit_file import CreditFile, NoSuchDay, NoSuchSubject, Reader, credit_file
from app.registry.enter import Standing, enter_penalty
from app.registry.known import end_of
from app.registry.publish import state_fact
from app.sealed import house_keys, seal
from tests.cast import SINCE, Cast
from tests.conftest import Clock
from tests.registry.sheets import csv_bytes, records, take_in

DRIVER = "43999919880312003" + id_check_character("43999919880312003")
PHONE, NAME, HEAD = "13800138000", "欧阳志远", "罗建平"
PUBLISHED, MARKED, REPAIRED, CORRECTED, ANNULLED = (
    date(2026, 5, 19), date(2026, 6, 10), date(2026, 9, 1), date(2026, 10, 12), date(2026, 11, 20),
)  # fmt: skip


def five_days(cast: Cast, clock: Clock) -> tuple[int, int]:
    """Two penalties are published; one is marked, corrected and annulled, the other repaired."""
    clock.go(str(PUBLISHED))
    one, other = cast.penalty(), cast.penalty()
    clock.go(str(MARKED))
    with transaction():
        state_fact(one, "mark", MARKED, now(), "对违法事实有异议")
    clock.go(str(REPAIRED))
    with transaction():
        state_fact(other, "repair", REPAIRED, now(), "准予信用修复")
    clock.go(str(CORRECTED))
    received = next(record for record in records() if record.id == one).received
    take_in(cast.offices["province"], csv_bytes([{**received, "CF_SY": "超限率为百分之十二"}]))
    clock.go(str(ANNULLED))
    with transaction():
        state_fact(one, "unmark", ANNULLED, now(), "异议成立")
    with transaction():
        annul_record(one, actor=cast.who("tang"), reason="复议决定撤销", day=ANNULLED, at=now())
    clock.go("2026-11-24")
    return one, other


def told(file: CreditFile) -> list[tuple[str, str, date | None]]:
    """What a file says of penalties: number, facts, since when marked."""
    return [(r.number, r.value("CF_SY"), r.marked_since) for r in file.records.get("penalties", ())]


def test_five_days_give_five_different_pages_and_each_stays_as_it_was(cast: Cast, clock: Clock) -> None:
    one, two = "湘交罚〔2026〕1号", "湘交罚〔2026〕2号"
    old, new = "擅自超限行驶公路", "超限率为百分之十二"
    five_days(cast, clock)
    subject = cast.subjects["yueheng"]
    pages = [credit_file(subject, Reader.SUBJECT, day) for day in (PUBLISHED, MARKED, REPAIRED, CORRECTED, ANNULLED)]
    assert [told(page) for page in pages] == [
        [(two, old, None), (one, old, None)],
        [(two, old, None), (one, old, MARKED)],
        [(one, old, MARKED)],
        [(one, new, MARKED)],
        [],
    ]
    assert [len(page.withdrawn) for page in pages] == [0, 0, 0, 0, 1]
    assert all(page.past and page.known_at == end_of(page.day) for page in pages)
    assert credit_file(subject, Reader.SUBJECT, date(2026, 5, 18)).records == {}, "nothing before the first day"


def test_another_moment_knows_other_things_of_the_same_day(cast: Cast, clock: Clock) -> None:
    one, _other = five_days(cast, clock)
    subject = cast.subjects["yueheng"]
    with transaction():  # a publication that should have ended in June is recorded today
        state_fact(_other, "end", MARKED, now(), "补登：6月10日已终止")
    as_seen = credit_file(subject, Reader.SUBJECT, MARKED)
    as_known_today = credit_file(subject, Reader.SUBJECT, MARKED, now())
    as_known_after_the_correction = credit_file(subject, Reader.SUBJECT, MARKED, end_of(CORRECTED))
    assert [number for number, *_ in told(as_seen)] == ["湘交罚〔2026〕2号", "湘交罚〔2026〕1号"]
    assert told(as_known_today) == [("湘交罚〔2026〕1号", "超限率为百分之十二", MARKED)]
    assert told(as_known_after_the_correction)[1][1] == "超限率为百分之十二"
    kept = as_seen.records["penalties"][1]
    assert (kept.corrected, kept.version, kept.gone) == (True, 1, True)
    assert credit_file(subject, Reader.SUBJECT, MARKED, end_of(date(2026, 5, 18))).records == {}
    with pytest.raises(NoSuchDay, match="还没有到"):
        credit_file(subject, Reader.PUBLIC, date(2026, 11, 25))
    with pytest.raises(NoSuchDay, match="不能晚于现在"):
        credit_file(subject, Reader.PUBLIC, MARKED, end_of(date(2026, 11, 24)))


def test_what_has_left_publication_is_told_to_the_subject_and_officers_and_to_nobody_else(
    cast: Cast, clock: Clock
) -> None:
    five_days(cast, clock)
    subject = cast.subjects["yueheng"]
    outside = credit_file(subject, Reader.PUBLIC, REPAIRED)
    assert (outside.records, outside.ended_since) == ({}, 1), "that there was something, not what"
    officer = credit_file(subject, Reader.OFFICER, REPAIRED, theirs=records_visible_to(cast.who("li")))
    assert len(officer.records["penalties"]) == 1 and officer.ended_since == 0
    today = credit_file(subject, Reader.SUBJECT)
    assert [(r.number, r.status) for r in today.records["penalties"]] == [
        ("湘交罚〔2026〕2号", "repaired"),
        ("湘交罚〔2026〕1号", "withdrawn"),
    ]
    assert credit_file(subject, Reader.PUBLIC).records == {}
    away = credit_file(subject, Reader.OFFICER, theirs=records_visible_to(cast.who("liu")))
    assert away.records == {}, "an officer of another office sees what everybody sees"
    assert [len(today.annals[key]) for key in ("objections",)] == [2] and "objections" not in outside.annals


def test_a_class_given_later_is_not_there_before_and_today_asks_the_plain_question(cast: Cast, clock: Clock) -> None:
    clock.go("2026-06-01")
    record = cast.penalty(fine_size=None)
    clock.go("2026-07-01")
    with transaction():
        assign_class(record, cast.who("tang"), "一般", "罚款数额较大", now())
    clock.go("2026-11-24")
    subject = cast.subjects["yueheng"]
    assert credit_file(subject, Reader.SUBJECT, date(2026, 6, 30)).records == {}
    (seen,) = credit_file(subject, Reader.PUBLIC, date(2026, 7, 1)).records["penalties"]
    assert (seen.cls, seen.since, seen.gone) == ("一般", date(2026, 7, 1), False)
    present = credit_file(subject, Reader.PUBLIC)
    assert (present.shown("penalty"), present.shown("penalty", "一般"), present.passed) == (1, 1, 1)
    assert (present.count("penalties"), present.count("permits")) == (1, 0)


# --- what each reader may see ------------------------------------------------------------------------------------


def a_driver(cast: Cast) -> int:
    """A natural person who was fined, with every number and name typed where it should not be."""
    blind = blind_index(DRIVER, bytes.fromhex(current_app.config["INDEX_KEY"]), "identifier")
    with transaction():
        subject = db.session.execute(
            insert(Subject).values(kind="person", name=NAME, region="430626").returning(Subject.id)
        ).scalar_one()
        db.session.execute(
            insert(Identifier).values(
                subject_id=subject, kind="id_card", sealed=seal(DRIVER, house_keys(), "identifier"), blind=blind,
                valid_from=SINCE,
            )
        )  # fmt: skip
    values = {
        "CF_XDR_MC": NAME, "CF_XDR_LB": "自然人", "CF_XDR_ZJLX": "身份证", "CF_XDR_ZJHM": DRIVER,
        "CF_WSH": "湘交罚〔2026〕88号", "CF_WFXW": f"{NAME}无证经营",
        "CF_SY": f"当事人{NAME}，电话{PHONE}，证号{DRIVER}", "CF_YJ": "《道路运输条例》第六十三条",
        "CF_CFLB": "罚款", "CF_NR": f"对{NAME}罚款叁万元", "CF_NR_FK": "3.000000",
        "CF_JDRQ": "2026-05-18", "CF_YXQ": "2099/12/31", "CF_CFJG": "湖南省交通运输厅",
        "CF_CFJGDM": cast.codes["office"], "CF_SJLY": "湖南省交通运输厅", "CF_SJLYDM": cast.codes["office"],
        "BZ": f"家属电话{PHONE}",
    }  # fmt: skip
    with transaction():
        enter_penalty(subject, cast.offices["province"], values, Standing(fine_size="较大"), now())
    return int(subject)


def test_no_reader_gets_an_unmasked_value_without_the_right_to_it(cast: Cast) -> None:
    """Canaries in every field: what reaches a reader is what the table of ranges and readers says."""
    driver = a_driver(cast)
    cast.penalty()
    theirs = records_visible_to(cast.who("li"))
    seen = {
        (who, reader): repr(
            credit_file(who, reader, theirs=theirs if reader in (Reader.OFFICER, Reader.LOOK) else None)
        )
        for who in (driver, cast.subjects["yueheng"])
        for reader in Reader
        if who != driver or reader not in (Reader.PUBLIC, Reader.DEPARTMENT)
    }
    named = {key for key, text in seen.items() if NAME in text or HEAD in text}
    numbered = {key for key, text in seen.items() if DRIVER in text}
    assert named == {
        (who, reader) for who in (driver, cast.subjects["yueheng"]) for reader in (Reader.SUBJECT, Reader.LOOK)
    }
    assert numbered == {(driver, Reader.LOOK)}, "the number of a person: only in a look that was asked for"
    assert not any(PHONE in text for text in seen.values()), "a telephone number is not kept in the clear at all"
    assert all("欧阳*" in seen[driver, reader] for reader in (Reader.OFFICER,))
    officer, look = seen[driver, Reader.OFFICER], seen[driver, Reader.LOOK]
    assert "家属电话138****8000" in officer and "CF_XDR_ZJHM" not in officer and "CF_XDR_ZJHM" in look
    department = repr(credit_file(cast.subjects["yueheng"], Reader.DEPARTMENT))
    assert "'CF_FRDB': '罗*'" in department
    for outside in (Reader.PUBLIC, Reader.DEPARTMENT):
        with pytest.raises(NoSuchSubject):
            credit_file(driver, outside)


def test_a_record_in_no_catalogue_is_shown_to_nobody_outside(cast: Cast) -> None:
    record = cast.penalty()
    with transaction():
        db.session.execute(update(CreditRecord).where(CreditRecord.id == record).values(directory="XX/1999"))
    assert credit_file(cast.subjects["yueheng"], Reader.PUBLIC).records == {}
    assert credit_file(cast.subjects["yueheng"], Reader.SUBJECT).count("penalties") == 1
