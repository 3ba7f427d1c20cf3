"""A penalty as it was received becomes a record, classed and shown by the law of its day; or a sentence says why."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db import db, transaction
from app.models import CreditRecord, PublicationFact
from app.now import now
from app.registry.enter import NotARecord, Standing, enter_penalty
from app.registry.publish import status_on
from tests.casework.acts import at_once, everything
from tests.cast import Cast


def row_of(cast: Cast, **changes: str) -> dict[str, str]:
    """A row as departments send it."""
    return {
        "CF_XDR_MC": "湖南岳衡物流有限公司",
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": cast.codes["yueheng"],
        "CF_FRDB": "罗建平",
        "CF_WSH": "湘交罚〔2026〕77号",
        "CF_WFXW": "超限运输",
        "CF_SY": "擅自超限行驶公路",
        "CF_YJ": "《公路安全保护条例》第六十四条",
        "CF_CFLB": "罚款",
        "CF_NR": "罚款人民币叁万元整",
        "CF_NR_FK": "3.000000",
        "CF_JDRQ": "2026/05/18",
        "CF_YXQ": "2099/12/31",
        "CF_GSJZQ": "2029/12/31",
        "CF_CFJG": "湖南省交通运输厅",
        "CF_CFJGDM": cast.codes["office"],
        "CF_SJLY": "湖南省交通运输厅",
        "CF_SJLYDM": cast.codes["office"],
        **changes,
    }


def enter(cast: Cast, row: dict[str, str], **standing: Any) -> CreditRecord:
    """Enter a row and read the record."""
    with transaction():
        record = enter_penalty(cast.subjects["yueheng"], cast.offices["province"], row, Standing(**standing), now())
    found = db.session.get_one(CreditRecord, record)
    db.session.rollback()
    return found


def test_the_row_is_kept_as_received_beside_what_was_understood(cast: Cast) -> None:
    row = row_of(cast)
    record = enter(cast, row, fine_size="较大", duty="performed")
    assert record.received == row
    assert record.fields["CF_JDRQ"] == "2026-05-18"
    assert record.received["CF_JDRQ"] == "2026/05/18"
    assert (record.number, record.title, record.kind) == ("湘交罚〔2026〕77号", "超限运输", "penalty")
    assert record.directory and record.catalogue
    assert record.duty == "performed"
    assert len(record.public_id) == 16


@pytest.mark.parametrize(
    ("day", "kinds", "standing", "cls", "minimum", "maximum", "shown"),
    [
        ("2026-05-18", "罚款", {"fine_size": "较大"}, "一般", "2026-08-18", "2027-05-18", True),
        ("2026-11-18", "吊销许可证件", {}, "严重", "2027-11-18", "2029-11-18", True),
        ("2026-05-18", "警告", {}, "轻微", None, None, False),
        ("2026-05-18", "警告", {"necessary": True}, "轻微", None, "2026-08-18", True),
        ("2026-05-18", "罚款", {"procedure": "simple", "fine_size": "较少"}, "轻微", None, None, False),
        ("2026-05-18", "罚款", {}, "", None, None, False),  # nobody has said how large the fine is
        ("2026-03-31", "罚款", {}, "", "2026-06-30", "2029-03-31", True),  # order 58 knew no classes
        ("2025-11-30", "罚款", {}, "", "2026-02-28", "2028-11-30", True),
    ],
)
def test_a_record_is_classed_and_shown_by_the_law_of_its_own_day(
    cast: Cast, day: str, kinds: str, standing: dict[str, Any], cls: str, minimum: str, maximum: str, shown: bool
) -> None:
    more = (
        {"CF_NR_ZKDX": "道路运输经营许可证 430100000001", "CF_NR": "吊销道路运输经营许可证"} if "吊销" in kinds else {}
    )
    if "警告" in kinds:
        more = {"CF_NR": "警告"}
    fine = {} if "罚款" in kinds else {"CF_NR_FK": ""}
    record = enter(cast, row_of(cast, CF_JDRQ=day, CF_CFLB=kinds, **more, **fine), **standing)
    assert record.cls == cls
    assert record.minimum_last_day == (date.fromisoformat(minimum) if minimum else None)
    assert record.maximum_last_day == (date.fromisoformat(maximum) if maximum else None)
    assert record.class_basis
    assert status_on(record.id, date(2026, 11, 24)) == ("published" if shown else "unpublished")
    db.session.rollback()


def test_what_the_department_knows_beyond_the_row_is_kept(cast: Cast) -> None:
    record = enter(
        cast, row_of(cast), fine_size="较大", excluded_by="《食品安全法》第一百三十五条", sector_condition="通过复核",
        duty="outstanding", duty_note="余款八千元",
    )  # fmt: skip
    assert (record.excluded_by, record.sector_condition) == ("《食品安全法》第一百三十五条", "通过复核")
    assert (record.duty, record.duty_note) == ("outstanding", "余款八千元")


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("CF_XDR_SHXYM", "91430100MA7X3K2Q00", "统一社会信用代码"),
        ("CF_JDRQ", "2026/13/40", "处罚决定日期"),
        ("CF_JDRQ", "2027-01-01", "处罚决定日期"),
        ("CF_WSH", "", "文号"),
        ("CF_NR_FK", "三万", "罚款"),
        ("CF_CFLB", "", "处罚类别"),
    ],
)
def test_a_row_that_cannot_be_a_record_is_refused_field_by_field(
    cast: Cast, field: str, value: str, named: str
) -> None:
    before = everything()
    with pytest.raises(NotARecord) as caught:
        enter(cast, row_of(cast, **{field: value}), fine_size="较大")
    assert field in {problem.field for problem in caught.value.problems}
    assert named in str(caught.value)
    assert everything() == before


def test_one_decision_is_entered_once_however_its_number_is_spelt(cast: Cast) -> None:
    enter(cast, row_of(cast), fine_size="较大")
    before = everything()
    for spelling in ("湘交罚〔2026〕77号", "湘交罚[2026]77号", "湘交罚（2026）第077号", " 湘交罚【2026】77 "):
        with pytest.raises(NotARecord, match="已经录入过"):
            enter(cast, row_of(cast, CF_WSH=spelling), fine_size="较大")
    assert everything() == before


def test_one_number_may_stand_on_decisions_of_different_days(cast: Cast) -> None:
    """Numbers are not unique: some offices repeat them."""
    one = enter(cast, row_of(cast), fine_size="较大")
    other = enter(cast, row_of(cast, CF_JDRQ="2026-05-19"), fine_size="较大")
    assert one.number_key == other.number_key
    assert one.public_id != other.public_id


def test_a_row_sent_eight_times_at_once_is_one_record(cast: Cast, app: Any) -> None:
    row = row_of(cast)

    def send() -> int:
        with transaction():
            return enter_penalty(
                cast.subjects["yueheng"], cast.offices["province"], row, Standing(fine_size="较大"), now()
            )

    outcomes = at_once(app, [send] * 8)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NotARecord"] * 7 + ["int"]
    assert db.session.execute(select(func.count()).select_from(CreditRecord)).scalar_one() == 1
    assert db.session.execute(select(func.count()).select_from(PublicationFact)).scalar_one() == 1
    db.session.rollback()
