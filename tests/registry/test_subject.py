"""Finding a subject by a code it has or once had, and what anybody may see of it."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import insert, update

from app.db import db, transaction
from app.models import CreditRecord, Identifier, Subject
from app.now import now
from app.registry.codes import complete_code
from app.registry.publish import state_fact
from app.registry.subject import find_by_code, newest_public, public_records
from tests.casework.acts import annul
from tests.cast import SINCE, Cast

TODAY = date(2026, 11, 24)


def numbers(cast: Cast, of: str = "yueheng", today: date = TODAY) -> list[str]:
    """文号 of what is public about a subject."""
    found = [record.number for record in public_records(cast.subjects[of], today)]
    db.session.rollback()
    return found


def test_a_company_is_found_by_its_code_with_its_representative_masked(cast: Cast) -> None:
    found = find_by_code(cast.codes["yueheng"])
    assert found is not None
    assert (found.name, found.code, found.representative) == ("湖南岳衡物流有限公司", cast.codes["yueheng"], "罗*")
    assert find_by_code("91430100MA0000000X") is None
    assert find_by_code("") is None
    assert find_by_code("' OR 1=1 --") is None
    db.session.rollback()


def test_a_company_that_changed_its_form_is_found_by_its_old_code_under_its_new_one(cast: Cast) -> None:
    new = complete_code("91430100MA7X3K9Y")
    with transaction():
        db.session.execute(
            update(Identifier)
            .where(Identifier.subject_id == cast.subjects["yueheng"])
            .values(valid_until=date(2026, 6, 30))
        )
        db.session.execute(
            insert(Identifier).values(
                subject_id=cast.subjects["yueheng"], kind="uscc", value=new, valid_from=date(2026, 7, 1)
            )
        )
    old = find_by_code(cast.codes["yueheng"])
    assert old is not None and old.code == new
    assert find_by_code(new) == old
    db.session.rollback()


def test_a_company_without_a_present_code_keeps_its_last_one(cast: Cast) -> None:
    with transaction():
        db.session.execute(update(Identifier).values(valid_until=date(2026, 6, 30)))
    found = find_by_code(cast.codes["yueheng"])
    assert found is not None and found.code == cast.codes["yueheng"]
    db.session.rollback()


@pytest.fixture
def person(cast: Cast) -> int:
    """A natural person with a penalty, who holds the ID number in a sealed identifier and a trader's code."""
    with transaction():
        subject: int = db.session.execute(
            insert(Subject.__table__)
            .values(kind="person", name="欧阳演示", legal_representative="", region="430100")
            .returning(Subject.id)
        ).scalar_one()
        for values in (
            {"kind": "id_card", "sealed": "1:x:y", "blind": "b", "value": None},
            {"kind": "uscc", "sealed": None, "blind": None, "value": "92430100MA7X3K2Q1A"},
        ):
            db.session.execute(insert(Identifier).values(subject_id=subject, valid_from=SINCE, **values))
    record = cast.penalty()
    with transaction():
        db.session.execute(
            update(CreditRecord)
            .where(CreditRecord.id == record)
            .values(
                subject_id=subject,
                title="欧阳演示超限运输",
                fields={
                    "CF_SY": "欧阳演示（身份证号430102199001011234，电话13812345678）驾驶超限车辆",
                    "CF_NR": "对欧阳演示罚款叁万元",
                },
            )
        )
    return subject


def test_a_natural_person_is_never_found_by_any_number(person: int) -> None:
    assert find_by_code("92430100MA7X3K2Q1A") is None
    assert find_by_code("430102199001011234") is None
    db.session.rollback()


def test_what_is_public_about_a_person_names_and_numbers_nobody(person: int) -> None:
    (record,) = public_records(person, TODAY)
    db.session.rollback()
    assert (record.subject, record.code) == ("欧阳*", "")
    shown = " ".join((record.title, record.facts, record.content, record.basis))
    for secret in ("欧阳演示", "430102199001011234", "13812345678"):
        assert secret not in shown, shown


def test_only_what_is_published_today_is_public_newest_first(cast: Cast) -> None:
    first, second = cast.penalty(on="2026-05-18"), cast.penalty(on="2026-06-18")
    cast.penalty(kinds="警告", fine_size=None)
    cast.penalty(of="other")
    assert numbers(cast) == ["湘交罚〔2026〕2号", "湘交罚〔2026〕1号"]
    with transaction():
        state_fact(first, "repair", date(2026, 11, 25), now(), "准予信用修复")
    assert numbers(cast) == ["湘交罚〔2026〕2号", "湘交罚〔2026〕1号"], "today it is still shown"
    assert numbers(cast, today=date(2026, 11, 25)) == ["湘交罚〔2026〕2号"]
    annul(cast, second)
    assert numbers(cast, today=date(2026, 11, 25)) == []


@pytest.mark.parametrize("deed", ["end", "repair", "withdraw"])
def test_what_has_ended_is_not_shown_any_more(cast: Cast, deed: str) -> None:
    record = cast.penalty()
    with transaction():
        state_fact(record, deed, TODAY, now(), "演示")
    assert numbers(cast) == []
    assert newest_public(TODAY, 10) == []
    db.session.rollback()


def test_after_the_longest_period_a_record_is_shown_to_nobody_even_if_nothing_was_done(cast: Cast) -> None:
    cast.penalty(on="2026-05-18")
    assert numbers(cast, today=date(2027, 5, 18)) == ["湘交罚〔2026〕1号"], "the last day belongs to the period"
    assert numbers(cast, today=date(2027, 5, 19)) == []


def test_the_newest_are_shown_first_and_no_more_than_asked_for(cast: Cast) -> None:
    for _ in range(4):
        cast.penalty()
    cast.penalty(of="other")
    assert [record.number for record in newest_public(TODAY, 3)] == [
        "湘交罚〔2026〕5号",
        "湘交罚〔2026〕4号",
        "湘交罚〔2026〕3号",
    ]
    db.session.rollback()


def test_an_id_number_in_the_clear_cannot_be_stored_at_all(cast: Cast) -> None:
    from sqlalchemy.exc import IntegrityError

    for values in (
        {"kind": "id_card", "value": "430102199001011234"},
        {"kind": "id_card", "value": "430102199001011234", "sealed": "1:x:y"},
        {"kind": "uscc"},
    ):
        with pytest.raises(IntegrityError), transaction():
            db.session.execute(insert(Identifier).values(subject_id=cast.subjects["other"], valid_from=SINCE, **values))
