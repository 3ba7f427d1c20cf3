"""One act of a filer, one or many records: each has its own case, and a refused one never blocks the others."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select, update

from app.casework.open_case import Opened, open_filing
from app.casework.refused import KeyReused, StepRefused
from app.db import db, transaction
from app.models import Case, CaseLink, CaseRecord, CreditRecord, Filing, Mandate, Repair
from app.now import now
from tests.build import a_case, state
from tests.casework.acts import everything, lines, look, scalar
from tests.cast import Cast


def file(
    cast: Cast, *records: int, who: str = "deng", of: str = "yueheng", key: str = "key", channel: str = "own_portal"
) -> tuple[str, list[Opened]]:
    """A filing by a person for a company."""
    person = cast.who(who)
    with transaction():
        return open_filing(cast.subjects[of], records, actor=person, channel=channel, key=key, at=now())


def test_three_records_in_one_filing_are_three_cases_under_one_receipt(cast: Cast) -> None:
    records = [cast.penalty() for _ in range(3)]
    receipt, opened = file(cast, *records)
    assert [one.record_id for one in opened] == records
    assert len({one.number for one in opened}) == 3
    assert scalar(select(func.count()).select_from(Filing)) == 1
    assert scalar(select(Filing.receipt)) == receipt
    for one in opened:
        assert (state(one.number), lines(one.number)) == ("draft", ["open"])
        assert look(one.number).facts.record.id == one.record_id  # type: ignore[union-attr]
    assert scalar(select(func.count()).select_from(Repair).where(Repair.contact == "邓敏")) == 3


def test_a_refused_record_does_not_block_the_others(cast: Cast) -> None:
    good, excluded, unclassed, open_duty = (
        cast.penalty(),
        cast.penalty(excluded_by="《食品安全法》第一百三十五条"),
        cast.penalty(kinds="其他", fine_size=None),
        cast.penalty(duty="outstanding", duty_note="余款八千元"),
    )
    _receipt, opened = file(cast, good, excluded, unclassed, open_duty, 9999)
    assert opened[0].number and not opened[0].refusals
    assert [[refusal.code for refusal in one.refusals] for one in opened[1:]] == [
        ["NOT_REPAIRABLE_BY_LAW"],
        ["NOTHING_TO_REPAIR", "UNCLASSED"],
        ["DUTY_NOT_PERFORMED"],
        ["NO_RECORD"],
    ]
    assert [one.number for one in opened[1:]] == [""] * 4
    assert scalar(select(func.count()).select_from(Case)) == 1


def test_a_record_named_twice_is_one_case(cast: Cast) -> None:
    record = cast.penalty()
    assert len(file(cast, record, record)[1]) == 1


def test_the_same_form_again_is_the_same_filing(cast: Cast) -> None:
    records = [cast.penalty(), cast.penalty()]
    first = file(cast, *records)
    before = everything()
    again = file(cast, *records)
    assert (again[0], [one.number for one in again[1]]) == (first[0], [one.number for one in first[1]])
    assert everything() == before


def test_the_same_form_with_other_records_is_no_repeat(cast: Cast) -> None:
    """Back in the browser, another record ticked, sent again: not silently the old filing."""
    one, other = cast.penalty(), cast.penalty()
    file(cast, one)
    before = everything()
    for records in ((one, other), (other,)):
        with pytest.raises(KeyReused, match="重新打开页面"):
            file(cast, *records)
    assert everything() == before


def test_a_key_of_somebody_elses_filing_tells_nothing_about_it(cast: Cast) -> None:
    file(cast, cast.penalty(), key="guessed")
    record = cast.penalty(of="other")
    before = everything()
    with pytest.raises(StepRefused, match="重新打开页面"):
        file(cast, record, who="wang", of="other", key="guessed")
    assert everything() == before


def test_a_filing_of_which_everything_is_refused_is_not_kept(cast: Cast) -> None:
    records = [cast.penalty(excluded_by="《食品安全法》"), cast.penalty(duty="outstanding")]
    before = everything()
    with pytest.raises(StepRefused) as caught:
        file(cast, *records)
    assert [refusal.code for refusal in caught.value.refusals] == ["NOT_REPAIRABLE_BY_LAW", "DUTY_NOT_PERFORMED"]
    with pytest.raises(StepRefused, match="请先选择"):
        file(cast)
    assert everything() == before


def test_nobody_files_for_a_company_without_its_mandate(cast: Cast) -> None:
    record = cast.penalty()
    for who in ("wang", "li", "tang", "shen"):
        with pytest.raises(StepRefused, match="没有受该主体委托"):
            file(cast, record, who=who)
    with transaction() as session:
        session.execute(
            update(Mandate).where(Mandate.user_id == cast.users["deng"]).values(valid_until=date(2026, 11, 23))
        )
    with pytest.raises(StepRefused, match="没有受该主体委托"):
        file(cast, record)
    with transaction() as session:
        session.execute(
            update(Mandate).where(Mandate.user_id == cast.users["deng"]).values(valid_until=date(2026, 11, 24))
        )
    assert file(cast, record)[1][0].number, "the last day of a mandate counts"


def test_a_record_of_another_company_is_refused_even_beside_ones_own(cast: Cast) -> None:
    mine, theirs = cast.penalty(), cast.penalty(of="other")
    _receipt, opened = file(cast, mine, theirs)
    assert opened[0].number
    assert [refusal.code for refusal in opened[1].refusals] == ["OTHER_SUBJECT"]
    assert scalar(select(func.count()).select_from(CaseRecord).where(CaseRecord.record_id == theirs)) == 0


def test_a_record_has_one_open_case(cast: Cast) -> None:
    record, free = cast.penalty(), cast.penalty()
    number = file(cast, record, key="first")[1][0].number
    _receipt, opened = file(cast, record, free, who="luo", key="second")
    assert [refusal.code for refusal in opened[0].refusals] == ["DUPLICATE"]
    assert number in opened[0].refusals[0].text
    assert opened[1].number


def test_the_office_that_recognised_the_record_decides(cast: Cast) -> None:
    """谁认定、谁修复."""
    record = cast.penalty(office="changsha")
    number = file(cast, record)[1][0].number
    assert look(number).facts.case.office == cast.offices["changsha"]


def test_an_unknown_channel_is_refused_by_the_database(cast: Cast) -> None:
    from sqlalchemy.exc import IntegrityError

    record = cast.penalty()
    before = everything()
    with pytest.raises(IntegrityError):
        file(cast, record, channel="wechat")
    assert everything() == before


def test_what_was_repaired_ended_or_never_shown_needs_no_repair(cast: Cast) -> None:
    from app.registry.publish import state_fact

    for deed, words in (("repair", "已经修复"), ("end", "公示已经终止"), ("withdraw", "信息已经撤回")):
        record = cast.penalty()
        with transaction():
            state_fact(record, deed, date(2026, 11, 24), now(), "演示")
        with pytest.raises(StepRefused, match=words):
            file(cast, record, key=deed)
    minor = cast.penalty(kinds="警告", fine_size=None)
    assert scalar(select(CreditRecord.cls).where(CreditRecord.id == minor)) == "轻微"
    with pytest.raises(StepRefused, match="不公示，不影响信用"):
        file(cast, minor, key="minor")


def test_a_new_application_about_the_same_record_follows_the_one_before(cast: Cast) -> None:
    record = cast.penalty()
    first = a_case(cast, at="refused", record=record)
    again = a_case(cast, at="draft", record=record)
    rows = db.session.execute(select(CaseLink.from_case, CaseLink.to_case, CaseLink.kind)).all()
    ids = dict(db.session.execute(select(Case.number, Case.id)).all())
    assert [tuple(row) for row in rows] == [(ids[first], ids[again], "again")]
