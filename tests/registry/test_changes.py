"""What people do to a record: class it where the table is silent, note that its penalty is gone; on both databases."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from app.casework.annul import annul_record
from app.casework.refused import StepRefused
from app.db import db, transaction
from app.journal import check_chain
from app.models import CreditRecord, DeadlineRow, JournalLine, Mandate, Notice
from app.now import now
from app.registry.annul import annul
from app.registry.assign_class import assign_class, is_unclassed
from app.registry.hands import NotPossible
from app.registry.publish import status_on
from tests.build import a_case
from tests.cast import Cast
from tests.databases import database  # noqa: F401

TODAY = date(2026, 11, 24)
BY = "湘政复决〔2026〕8号行政复议决定"


def row_of(record: int) -> object:
    db.session.rollback()
    return db.session.execute(select(*CreditRecord.__table__.c).where(CreditRecord.id == record)).one()


def test_a_record_is_classed_once_with_a_reason_and_shown_from_that_day(cast: Cast) -> None:
    record = cast.penalty(on="2026-05-18", fine_size=None)
    assert is_unclassed(row_of(record)) and status_on(record, TODAY) == "unpublished"
    with transaction():
        assign_class(record, cast.who("zhou"), "一般", "三万元属于较大数额", now())
    row = row_of(record)
    assert (row.cls, row.minimum_last_day, row.maximum_last_day) == ("一般", date(2026, 8, 18), date(2027, 5, 18))  # type: ignore[attr-defined]
    assert "三万元属于较大数额" in row.class_basis  # type: ignore[attr-defined]
    assert status_on(record, TODAY) == "published" and check_chain("record", record) == []
    with transaction():
        assert assign_class(record, cast.who("zhou"), "一般", "三万元属于较大数额", now()) is None
    with pytest.raises(NotPossible, match="已经确定"), transaction():
        assign_class(record, cast.who("zhou"), "严重", "再想想", now())


def test_a_minor_record_is_not_shown_unless_somebody_finds_it_necessary(cast: Cast) -> None:
    quiet, shown = cast.penalty(on="2026-05-18", fine_size=None), cast.penalty(on="2026-05-18", fine_size=None)
    for record, necessary in ((quiet, False), (shown, True)):
        with transaction():
            assign_class(record, cast.who("tang"), "轻微", "数额较少", now(), necessary=necessary)
    assert status_on(quiet, TODAY) == "unpublished" and status_on(shown, TODAY) == "published"
    assert row_of(shown).maximum_last_day == date(2026, 8, 18)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("who", "cls", "reason", "said"),
    [
        ("li", "一般", "因为", "审核员、确认人、负责人"),
        ("wu", "一般", "因为", "审核员、确认人、负责人"),
        ("zhou", "特别", "因为", "只有轻微、一般、严重"),
        ("zhou", "一般", "  ", "请写明为什么"),
    ],
)
def test_a_class_is_not_given_by_just_anybody_or_anyhow(cast: Cast, who: str, cls: str, reason: str, said: str) -> None:
    record = cast.penalty(on="2026-05-18", fine_size=None)
    with pytest.raises(NotPossible, match=said), transaction():
        assign_class(record, cast.who(who), cls, reason, now())
    assert row_of(record).cls == ""  # type: ignore[attr-defined]


def test_where_the_table_or_the_law_of_its_day_decides_nobody_else_does(cast: Cast) -> None:
    decided, without = cast.penalty(on="2026-05-18", kinds="吊销许可证件"), cast.penalty(on="2025-05-18")
    for record in (decided, without):
        assert not is_unclassed(row_of(record))
        with pytest.raises(NotPossible, match="已经确定"), transaction():
            assign_class(record, cast.who("zhou"), "一般", "因为", now())


def test_an_annulled_penalty_is_withdrawn_at_once_and_everybody_is_told(cast: Cast) -> None:
    record = cast.penalty(on="2026-05-18")
    with transaction():
        done = annul_record(record, actor=cast.who("tang"), reason=BY, day=date(2026, 11, 23), at=now())
    assert done.withdrawn is not None and done.open_case == ""
    assert status_on(record, TODAY) == "withdrawn"
    notices = db.session.execute(select(Notice.act, Notice.case_id).where(Notice.record_id == record)).all()
    assert [tuple(notice) for notice in notices] == [("withdraw", None)] * 4
    columns = (DeadlineRow.day_zero, DeadlineRow.due_on, DeadlineRow.state, DeadlineRow.met_on)
    of_record = select(*columns).where(DeadlineRow.about == "record")
    deadline = db.session.execute(of_record.where(DeadlineRow.clock == "withdraw")).one()
    receivers = db.session.execute(of_record.where(DeadlineRow.clock == "receiver")).all()
    assert {tuple(one) for one in receivers} == {(TODAY, date(2026, 11, 27), "running", None)}
    assert len(receivers) == 4, "each is asked to confirm"
    assert tuple(deadline) == (date(2026, 11, 23), date(2026, 11, 26), "met", TODAY)
    acts = db.session.execute(select(JournalLine.act).where(JournalLine.about == "record")).scalars().all()
    assert acts == ["annul", "withdraw"] and check_chain("record", record) == []
    db.session.rollback()
    with transaction():
        assert annul_record(record, actor=cast.who("tang"), reason=BY, day=date(2026, 11, 23), at=now()).again
    with pytest.raises(StepRefused, match="已经登记为2026年11月23日"), transaction():
        annul_record(record, actor=cast.who("tang"), reason="别的决定", day=TODAY, at=now())


def test_an_open_case_is_left_to_withdraw_the_record_itself(cast: Cast) -> None:
    record = cast.penalty(on="2026-05-18")
    number = a_case(cast, at="accepted", record=record)
    with transaction():
        done = annul_record(record, actor=cast.who("chen"), reason=BY, day=TODAY, at=now())
    assert done.withdrawn is None and done.open_case == number
    assert status_on(record, TODAY) == "published"
    assert db.session.execute(select(DeadlineRow.state).where(DeadlineRow.about == "record")).scalar_one() == "running"
    assert db.session.execute(select(Notice.id).where(Notice.record_id == record)).first() is None


@pytest.mark.parametrize(
    ("who", "day", "reason", "said"),
    [
        ("li", TODAY, BY, "审核员、确认人、负责人"),
        ("shen", TODAY, BY, "审核员、确认人、负责人"),
        ("tang", date(2026, 11, 25), BY, "不能晚于今天"),
        ("tang", date(2026, 5, 17), BY, "不能早于认定文书的日期（2026年5月18日）"),
        ("tang", TODAY, "  ", "请写明由什么决定"),
    ],
)
def test_an_annulment_is_not_recorded_by_just_anybody_or_anyhow(
    cast: Cast, who: str, day: date, reason: str, said: str
) -> None:
    record = cast.penalty(on="2026-05-18")
    with pytest.raises(NotPossible, match=said), transaction():
        annul(record, cast.who(who), reason, day, now())
    assert row_of(record).annulled_on is None  # type: ignore[attr-defined]
    assert status_on(record, TODAY) == "published"


def test_whoever_acts_for_the_subject_keeps_their_hands_off_its_record(cast: Cast) -> None:
    record = cast.penalty()
    with transaction():
        db.session.add(
            Mandate(user_id=cast.users["tang"], subject_id=cast.subjects["yueheng"], capacity="clerk",
                    evidence="委托书", valid_from=date(2026, 1, 1))
        )  # fmt: skip
    with pytest.raises(NotPossible, match="应当回避"), transaction():
        annul(record, cast.who("tang"), BY, TODAY, now())


def test_a_record_that_does_not_exist_cannot_be_changed(cast: Cast) -> None:
    with pytest.raises(LookupError, match="没有编号为 99999"), transaction():
        annul(99999, cast.who("tang"), BY, TODAY, now())
