"""A file comes again, a row is mended, a batch is taken back: the register corrects, it does not double or forget."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.casework.facts import NoSuchCase, facts_of_record, records_of
from app.db import db, transaction
from app.journal import check_chain
from app.models import PublicationFact, RecordVersion
from app.now import now
from app.registry.codes import id_check_character
from app.registry.hands import NotPossible
from app.registry.intake.rows_of_batch import (
    Mended,
    cells_of,
    findings,
    mend,
    rows_by_verdict,
    set_aside,
    settle_finding,
)
from app.registry.intake.undo import builds_on, undo
from app.registry.publish import status_on
from tests.build import a_case
from tests.cast import Cast
from tests.conftest import Clock
from tests.registry.sheets import (
    a_penalty,
    a_permit,
    batch_of,
    csv_bytes,
    firm,
    lines_of,
    records,
    said,
    take_in,
)
from workflows.calendar import legal_day

DRIVER = "43999919880312003" + id_check_character("43999919880312003")


def versions() -> list[Any]:
    """What records said before, oldest first."""
    rows = db.session.execute(select(*RecordVersion.__table__.c).order_by(RecordVersion.id)).all()
    db.session.rollback()
    return list(rows)


def status(record: int) -> str:
    """What the public sees of a record today."""
    shown = status_on(record, legal_day(now()))
    db.session.rollback()
    return shown


def test_the_same_file_twice_changes_nothing(cast: Cast) -> None:
    data = csv_bytes([a_penalty(cast, n) for n in (1, 2, 3)])
    take_in(cast.offices["province"], data)
    before = [(r.id, r.version, r.fields) for r in records()]
    again = take_in(cast.offices["province"], data)
    assert batch_of(again).tallies == {"duplicate": 3}
    assert [(r.id, r.version, r.fields) for r in records()] == before


def test_changed_words_are_a_correction_and_the_old_words_stay(cast: Cast, clock: Clock) -> None:
    take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 1)]))
    first = records()[0]
    clock.go("2026-11-30")
    again = take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 1, CF_SY="擅自超限行驶公路，超限三吨")]))
    assert batch_of(again).tallies == {"corrected": 1}
    record, (version,) = records()[0], versions()
    assert (record.id, record.version, record.changed_at) == (first.id, 2, now())
    assert record.fields["CF_SY"] == "擅自超限行驶公路，超限三吨"
    assert (version.version, version.fields, version.batch_id) == (1, first.fields, again)
    assert "由“擅自超限行驶公路”更正为" in said(lines_of(again)[1])
    assert status(record.id) == "published"


def test_the_sender_s_own_id_finds_the_record_though_its_number_was_corrected(cast: Cast) -> None:
    take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 1, 记录编号="A-1")]))
    renumbered = a_penalty(cast, 1, 记录编号="A-1", CF_WSH="湘交罚〔2026〕100号")
    again = take_in(cast.offices["province"], csv_bytes([renumbered]))
    assert batch_of(again).tallies == {"corrected": 1}
    assert [(r.number, r.sender_id) for r in records()] == [("湘交罚〔2026〕100号", "A-1")]
    rows = [a_penalty(cast, 2, 记录编号="A-1"), renumbered | {"记录编号": "B-1", "CF_SY": "另一件"}]
    other = take_in(cast.offices["province"], csv_bytes(rows))
    assert batch_of(other).tallies == {"waiting": 2}
    assert "更换主体须由经办人办理" in said(lines_of(other)[1])
    assert "另一个报送编号" in said(lines_of(other)[2])


def test_other_kinds_are_classed_anew_and_publication_follows(cast: Cast) -> None:
    take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 1)]))
    record = records()[0]
    assert (record.cls, status(record.id)) == ("严重", "published")
    warning = a_penalty(cast, 1, CF_CFLB="警告", CF_NR="警告", CF_NR_ZKDX="")
    take_in(cast.offices["province"], csv_bytes([warning]))
    assert (records()[0].cls, status(record.id)) == ("轻微", "ended")
    assert versions()[0].cls == "严重"


def test_a_permit_declared_void_ceases_to_be_shown_and_comes_back_with_its_correction(cast: Cast) -> None:
    for state, shown in (("有效", "published"), ("无效", "ended"), ("有效", "published")):
        take_in(cast.offices["province"], csv_bytes([a_permit(cast, XK_ZT=state)]))
        assert status(records()[0].id) == shown
    assert records()[0].version == 3


def test_what_an_open_case_rests_on_is_not_changed_by_a_file(cast: Cast) -> None:
    record = cast.penalty()
    a_case(cast, record=record)
    found = records()[0]
    row = {**found.received, "CF_CFLB": "警告", "CF_NR": "警告", "CF_NR_FK": ""}
    batch = take_in(cast.offices["province"], csv_bytes([row]))
    assert batch_of(batch).tallies == {"waiting": 1} and "有办件" in said(lines_of(batch)[1])
    assert records()[0].fields == found.fields
    batch = take_in(cast.offices["province"], csv_bytes([{**found.received, "CF_SY": "擅自超限行驶，已更正"}]))
    assert batch_of(batch).tallies == {"corrected": 1}, "words may be corrected"


def test_two_contradicting_rows_of_one_file_wait_for_a_person(cast: Cast) -> None:
    data = csv_bytes([a_penalty(cast, 1), a_penalty(cast, 1, CF_SY="另一种说法，擅自超限")])
    batch = take_in(cast.offices["province"], data)
    assert batch_of(batch).tallies == {"in": 1, "waiting": 1} and "请只保留一行" in said(lines_of(batch)[2])
    assert mended(batch, 2, {}, cast, confirmed=True).verdict == "corrected"
    assert records()[0].fields["CF_SY"] == "另一种说法，擅自超限"


# ---- rows that wait


def mended(
    batch: int, row: int, typed: dict[str, str], cast: Cast, who: str = "he", *, confirmed: bool = False
) -> Mended:
    """Mend a row by field codes."""
    columns = batch_of(batch).heading["columns"]
    places = {field: place for place, (_heading, field, _about) in enumerate(columns)}
    cells = {places[field]: value for field, value in typed.items()}
    doer = cast.who("he")
    with transaction():
        return mend(batch, row, cells, doer, now(), confirmed=confirmed)


def test_a_row_is_mended_in_the_browser_and_keeps_what_was_typed_until_it_is_right(cast: Cast) -> None:
    batch = take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 1, CF_JDRQ="2026-02-30", CF_SY="")]))
    cells = {cell.field: cell for cell in cells_of(batch_of(batch), lines_of(batch)[1])}
    assert cells["CF_JDRQ"].value == "2026-02-30" and "日历上没有" in cells["CF_JDRQ"].reasons[0]
    again = mended(batch, 1, {"CF_JDRQ": "2026-05-18"}, cast)
    assert again.verdict == "waiting" and [field for field, _ in again.reasons] == ["CF_SY"]
    cells = {cell.field: cell for cell in cells_of(batch_of(batch), lines_of(batch)[1])}
    assert cells["CF_JDRQ"].value == "2026-05-18", "what was typed is kept"
    done = mended(batch, 1, {"CF_SY": "擅自超限行驶公路"}, cast)
    assert (done.verdict, done.record_id) == ("in", records()[0].id)
    assert batch_of(batch).tallies == {"in": 1}
    assert lines_of(batch)[1].received["处罚决定日期"] == "2026-02-30", "as it was received"
    with pytest.raises(NotPossible, match="已经处理过"):
        mended(batch, 1, {}, cast)
    assert check_chain("batch", batch) == []
    db.session.rollback()


def test_a_person_s_number_need_not_be_typed_again(cast: Cast) -> None:
    person = {"CF_XDR_MC": "欧阳诚", "CF_XDR_LB": "自然人", "CF_XDR_SHXYM": "", "CF_FRDB": "", "CF_XDR_ZJLX": "身份证"}
    batch = take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 1, **person, CF_XDR_ZJHM=DRIVER, CF_SY="")]))
    assert DRIVER not in str(lines_of(batch)[1].received)
    assert mended(batch, 1, {"CF_SY": "擅自超限行驶公路"}, cast).verdict == "in"
    assert lines_of(batch)[1].sealed == "" and DRIVER not in str(lines_of(batch)[1].mended)


def test_an_officer_may_vouch_for_a_company_that_has_changed_its_name(cast: Cast) -> None:
    take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 1)]))
    renamed = a_penalty(cast, 2, CF_XDR_SHXYM=firm(1), CF_XDR_MC="湖南岳衡新名物流有限公司")
    batch = take_in(cast.offices["province"], csv_bytes([renamed]))
    assert mended(batch, 1, {}, cast).verdict == "waiting"
    assert mended(batch, 1, {}, cast, confirmed=True).verdict == "in"
    assert len({record.subject_id for record in records()}) == 1


def test_a_row_is_ignored_or_sent_back_with_a_reason_by_the_office_that_has_it(cast: Cast) -> None:
    batch = take_in(cast.offices["province"], csv_bytes([a_penalty(cast, n, CF_SY="") for n in (1, 2, 3)]))
    he, liu = cast.who("he"), cast.who("liu")
    for row, verdict, reason, doer, no in (
        (1, "ignored", " ", he, "请写明原因"),
        (1, "ignored", "测试数据", liu, "报送单位"),
        (1, "ignored", "测试数据", he, ""),
        (2, "sent_back", "请补事实", he, ""),
        (1, "sent_back", "请补事实", he, "已经处理过"),
    ):
        try:
            with transaction():
                set_aside(batch, row, verdict, reason, doer, now())
            assert not no
        except NotPossible as refused:
            assert no and no in str(refused)
    assert batch_of(batch).tallies == {"ignored": 1, "sent_back": 1, "waiting": 1}
    assert [line.row for line in rows_by_verdict(batch, "waiting")] == [3]
    assert [line.row for line in rows_by_verdict(batch, after=1, limit=1)] == [2]
    db.session.rollback()


def test_doubts_about_whom_a_row_means_are_a_list_until_they_are_settled(cast: Cast) -> None:
    rows = [a_penalty(cast, 1), a_penalty(cast, 2, CF_XDR_MC=a_penalty(cast, 1)["CF_XDR_MC"])]
    batch = take_in(cast.offices["province"], csv_bytes(rows))
    paths = cast.who("he").paths
    assert [(line.finding, line.row) for line in findings(paths)] == [("two_codes", 2)]
    assert findings(cast.who("liu").paths) == [] and findings([]) == []
    he = cast.who("he")
    with transaction():
        settle_finding(batch, 2, "已核对，是重新登记", he, now())
    assert findings(paths) == []
    db.session.rollback()


# ---- a batch is taken back


def taken_back(batch: int, cast: Cast, who: str = "tang", reason: str = "报错了文件") -> None:
    doer = cast.who(who)
    with transaction():
        undo(batch, doer, reason, now())


def test_a_batch_is_taken_back_and_the_right_file_can_come(cast: Cast, clock: Clock) -> None:
    data = csv_bytes([a_penalty(cast, n, 记录编号=f"A-{n}") for n in (1, 2)])
    batch = take_in(cast.offices["province"], data)
    clock.go("2026-11-26")
    with pytest.raises(NotPossible, match="报送单位"):
        taken_back(batch, cast, "li")
    with pytest.raises(NotPossible, match="原因"):
        taken_back(batch, cast, reason=" ")
    taken_back(batch, cast)
    assert batch_of(batch).state == "undone"
    gone = records()
    assert [status(record.id) for record in gone] == ["withdrawn", "withdrawn"]
    assert all(record.undone_at == now() for record in gone)
    causes = db.session.execute(select(PublicationFact.cause).where(PublicationFact.deed == "withdraw")).scalars().all()
    assert set(causes) == {"批次撤销（报错了文件）"}
    shown = status_on(gone[0].id, legal_day(clock.go("2026-11-25")))
    assert shown == "published", "what the public saw the day before stays provable"
    db.session.rollback()
    clock.go("2026-11-27")
    again = take_in(cast.offices["province"], data)
    assert batch_of(again).tallies == {"in": 2}
    assert [record.sender_id for record in records()] == ["", "", "A-1", "A-2"]
    with pytest.raises(NotPossible, match="已完成或者已中断"):
        taken_back(batch, cast)


def test_corrections_are_taken_back_to_the_words_before(cast: Cast) -> None:
    take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 1)]))
    first = records()[0]
    wrong = a_penalty(cast, 1, CF_CFLB="警告", CF_NR="警告", CF_NR_ZKDX="")
    batch = take_in(cast.offices["province"], csv_bytes([wrong]))
    assert status(first.id) == "ended"
    taken_back(batch, cast)
    record = records()[0]
    assert (record.fields, record.cls, record.maximum_last_day, record.version) == (
        first.fields, first.cls, first.maximum_last_day, 3,
    )  # fmt: skip
    assert status(first.id) == "published"
    assert [version.version for version in versions()] == [1, 2]


def test_a_batch_that_something_stands_on_says_what(cast: Cast) -> None:
    name = {"CF_XDR_MC": "湖南岳衡物流有限公司", "CF_XDR_SHXYM": cast.codes["yueheng"]}
    fine = {"CF_JDRQ": "2025-10-18"}
    batch = take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 1, **name, **fine), a_penalty(cast, 2)]))
    a_case(cast, "draft", record=records()[0].id)
    take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 2, CF_SY="更正过的事实，擅自超限")]))
    codes = {refusal.code for refusal in builds_on(batch)}
    db.session.rollback()
    assert {"CASES", "CORRECTED"} <= codes
    with pytest.raises(NotPossible, match="有 1 件办件"):
        taken_back(batch, cast)
    assert batch_of(batch).state == "done" and all(record.undone_at is None for record in records())


def test_a_permit_is_no_new_offence_and_an_undone_record_is_none(cast: Cast) -> None:
    record = cast.penalty()
    name = {"XK_XDR_MC": "湖南岳衡物流有限公司", "XK_XDR_SHXYM": cast.codes["yueheng"]}
    take_in(cast.offices["province"], csv_bytes([a_permit(cast, **name)]))
    penalty = {"CF_XDR_MC": name["XK_XDR_MC"], "CF_XDR_SHXYM": name["XK_XDR_SHXYM"], "CF_JDRQ": "2026-08-01"}
    batch = take_in(cast.offices["province"], csv_bytes([a_penalty(cast, 9, **penalty)]))
    assert facts_of_record(record, now()).offences == ((date(2026, 8, 1), "湘交罚〔2026〕9号"),)
    assert len(records_of(cast.subjects["yueheng"], now())) == 3
    undone = records()[-1].id
    taken_back(batch, cast)
    assert facts_of_record(record, now()).offences == ()
    assert len(records_of(cast.subjects["yueheng"], now())) == 2
    with pytest.raises(NoSuchCase):
        facts_of_record(undone, now())
    db.session.rollback()
