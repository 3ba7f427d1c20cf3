"""Who may see what: one table, by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import insert, select, update

from app.casework.actor import Person, load_person
from app.casework.sight import cases_visible_to, is_officer_of, may_see, records_visible_to
from app.db import db, transaction
from app.models import Case, CreditRecord, Mandate, Membership, Office, User
from app.now import now
from tests.build import a_case, walk
from tests.casework.acts import officer, scalar
from tests.cast import SINCE, Cast
from workflows.calendar import legal_day

EVERYBODY = (
    "deng", "luo", "wang", "li", "zhou", "chen", "he", "tang", "jiang", "shen", "liu", "wu", "chong", "guest", "linked",
)  # fmt: skip
FILERS = {"deng", "luo"}
PROVINCE = {"li", "zhou", "chen", "he", "tang", "jiang"}
CHANGSHA = {"liu", "wu"}


@pytest.fixture
def people(cast: Cast) -> Callable[[str], Person]:
    """Everybody, with an officer of a county below 长沙, a linked department's clerk and somebody without any part."""
    with transaction():
        county = _office("jt-430181", "浏阳市交通运输局", cast.offices["changsha"])
        cast.offices["liuyang"] = county
        city = _office("jt-430300", "湘潭市交通运输局", cast.offices["province"])
        cast.offices["xiangtan"] = city
        for login in ("guest", "linked"):
            cast.users[login] = db.session.execute(
                insert(User.__table__)
                .values(login=login, name=login, password_hash="", active=True, session_version=1, failures=0)
                .returning(User.id)
            ).scalar_one()
        db.session.execute(
            insert(Membership).values(
                user_id=cast.users["linked"], office_id=cast.offices["ld-market"], role="linked", valid_from=SINCE
            )
        )
    officer(cast, "chong", "acceptance", office="liuyang")
    officer(cast, "xiang", "acceptance", office="xiangtan")
    return cast.who


def _office(code: str, name: str, parent: int) -> int:
    above = db.session.get_one(Office, parent).path
    office: int = db.session.execute(
        insert(Office.__table__)
        .values(
            code=code, name=name, short=name, kind="organ", parent_id=parent, path=code, region="430000", word="交",
            review_body="", receives="", phone="", address="",
        )
        .returning(Office.id)
    ).scalar_one()  # fmt: skip
    db.session.execute(update(Office).where(Office.id == office).values(path=f"{above}{office}/"))
    return office


def _who_sees(people: Callable[[str], Person], number: str) -> set[str]:
    seen = set()
    for name in (*EVERYBODY, "xiang"):
        person = people(name)
        listed = db.session.execute(select(Case.id).where(cases_visible_to(person), Case.number == number)).first()
        assert (listed is not None) == may_see(person, number)
        db.session.rollback()
        if listed:
            seen.add(name)
    return seen


def test_a_draft_is_nobodys_business_but_the_filers(cast: Cast, people: Callable[[str], Person]) -> None:
    assert _who_sees(people, a_case(cast, at="draft")) == FILERS


def test_a_draft_that_was_given_up_stays_the_filers(cast: Cast, people: Callable[[str], Person]) -> None:
    number = a_case(cast, at="draft")
    walk(cast, number, "deng", "discard")
    assert _who_sees(people, number) == FILERS


def test_an_application_is_seen_by_its_office_and_not_by_the_offices_below(
    cast: Cast, people: Callable[[str], Person]
) -> None:
    assert _who_sees(people, a_case(cast, at="submitted")) == FILERS | PROVINCE
    assert _who_sees(people, a_case(cast, at="held", on="2026-08-25")) == FILERS | PROVINCE


def test_an_application_of_a_city_is_seen_there_and_by_the_province_above(
    cast: Cast, people: Callable[[str], Person]
) -> None:
    """Not by another city, not by the county below, not by the administrator."""
    number = a_case(cast, at="submitted", office="changsha")
    assert _who_sees(people, number) == FILERS | PROVINCE | CHANGSHA


def test_offices_whose_numbers_begin_alike_are_different_offices(cast: Cast, people: Callable[[str], Person]) -> None:
    """/1/2/ is not above /1/20/."""
    with transaction():
        for n in range(20):
            cast.offices[f"o{n}"] = _office(f"jt-{n}", f"演示{n}局", cast.offices["province"])
    tens = [key for key in cast.offices if str(cast.offices[key]).startswith(str(cast.offices["changsha"]))]
    assert len(tens) > 1
    for key in tens:
        if key == "changsha":
            continue
        record = cast.penalty(office=key)
        number = a_case(cast, at="submitted", record=record)
        assert not may_see(people("liu"), number)
        db.session.rollback()


def test_a_mandate_that_has_ended_shows_nothing_any_more(cast: Cast, people: Callable[[str], Person]) -> None:
    number = a_case(cast, at="submitted")
    with transaction():
        db.session.execute(
            update(Mandate).where(Mandate.user_id == cast.users["deng"]).values(valid_until=date(2026, 11, 23))
        )
    assert _who_sees(people, number) == (FILERS | PROVINCE) - {"deng"}


def test_a_membership_that_has_not_begun_or_has_ended_shows_nothing(
    cast: Cast, people: Callable[[str], Person]
) -> None:
    number = a_case(cast, at="submitted")
    with transaction():
        db.session.execute(
            update(Membership).where(Membership.user_id == cast.users["li"]).values(valid_from=date(2026, 11, 25))
        )
        db.session.execute(
            update(Membership).where(Membership.user_id == cast.users["zhou"]).values(valid_until=date(2026, 11, 23))
        )
        db.session.execute(update(User).where(User.id == cast.users["he"]).values(active=False))
    assert load_person(cast.users["he"], legal_day(now())) is None
    assert load_person(999, legal_day(now())) is None
    db.session.rollback()
    seen = {name for name in ("li", "zhou", "chen", "tang") if may_see(people(name), number)}
    db.session.rollback()
    assert seen == {"chen", "tang"}


def test_records_in_full_are_for_their_company_and_their_office(cast: Cast, people: Callable[[str], Person]) -> None:
    province, city = cast.penalty(), cast.penalty(office="changsha")

    def see(record: int) -> set[str]:
        found = set()
        for name in EVERYBODY:
            condition = records_visible_to(people(name))
            if scalar(select(CreditRecord.id).where(CreditRecord.id == record, condition)):
                found.add(name)
        return found

    assert see(province) == FILERS | PROVINCE
    assert see(city) == FILERS | PROVINCE | CHANGSHA


def test_internal_opinions_are_for_officers_above_or_at_the_office(cast: Cast, people: Callable[[str], Person]) -> None:
    path = scalar(select(Office.path).where(Office.id == cast.offices["changsha"]))
    assert [name for name in EVERYBODY if is_officer_of(people(name), path, cast.subjects["yueheng"])] == [
        "li", "zhou", "chen", "he", "tang", "jiang", "liu", "wu",
    ]  # fmt: skip


def test_the_same_person_in_two_parts_sees_both_cases_and_of_their_own_no_internal_opinion(
    cast: Cast, people: Callable[[str], Person]
) -> None:
    """吴倩 of 长沙 is also the clerk of the other company."""
    with transaction():
        db.session.execute(
            insert(Mandate).values(
                user_id=cast.users["wu"], subject_id=cast.subjects["yueheng"], capacity="clerk", evidence="委托书",
                valid_from=SINCE,
            )
        )  # fmt: skip
    draft, city = a_case(cast, at="draft"), a_case(cast, at="submitted", office="changsha")
    assert may_see(people("wu"), draft)
    assert may_see(people("wu"), city)
    path = scalar(select(Office.path).where(Office.id == cast.offices["changsha"]))
    assert not is_officer_of(people("wu"), path, cast.subjects["yueheng"]), "their own case they see as its filer"
    assert is_officer_of(people("wu"), path, cast.subjects["other"])
    db.session.rollback()
