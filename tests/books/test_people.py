"""Who serves where and for whom: what an administrator may change, and what they are told before they do."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import insert, select, update

from app.casework.actor import load_person
from app.db import db, transaction
from app.journal import check_chain
from app.models import JournalLine, Mandate, Membership, Office, User
from app.now import now
from app.office_book import mandates, offices, people
from app.office_book.base import NotDone, reach_of
from app.office_book.gaps import LeavesNobody, standing_still
from tests.build import a_case
from workflows.calendar import legal_day
from workflows.people import Role


def by(cast, act, *args, who="shen", **named):
    """One change by an administrator, committed."""
    with transaction():
        return act(cast.who(who), *args, **named, at=now())


def join(cast, name, role, since, until=None, office="province", who="shen"):
    """Give somebody a role in an office."""
    by(cast, people.add_membership, cast.users[name], cast.offices[office], role, since, until, who=who)


def edit(cast, office, who="shen", **fresh):
    """Change what an office prints."""
    same = {
        "word": "甲交",
        "review_body": "长沙市人民政府",
        "review_address": "",
        "phone": "0731-0000-0000",
        "address": "",
    }
    by(cast, offices.edit_office, cast.offices[office], who=who, **{**same, **fresh})


def role_of(cast, name):
    found = db.session.execute(select(Membership.id).where(Membership.user_id == cast.users[name])).scalars().first()
    db.session.rollback()
    return found


def mandate_of(cast, name):
    found = db.session.execute(select(Mandate.id).where(Mandate.user_id == cast.users[name])).scalars().first()
    db.session.rollback()
    return found


def acts(cast, name):
    found = db.session.execute(
        select(JournalLine.act)
        .where(JournalLine.about == "user", JournalLine.about_id == cast.users[name])
        .order_by(JournalLine.seq)
    ).scalars()
    found = list(found)
    db.session.rollback()
    return found


def city_administrator(cast):
    """Somebody who looks after the city only."""
    with transaction():
        cast.users["city"] = db.session.execute(
            insert(User.__table__)
            .values(login="city", name="市局管理员", password_hash="", active=True, session_version=1, failures=0)
            .returning(User.id)
        ).scalar_one()
        db.session.execute(
            insert(Membership).values(
                user_id=cast.users["city"], office_id=cast.offices["changsha"], role="administrator",
                valid_from=date(2020, 1, 1),
            )
        )  # fmt: skip


# --- accounts ----------------------------------------------------------------------------------------------------


def test_a_new_account_can_enter_and_may_do_nothing_yet(cast):
    user_id = by(cast, people.create_user, "xin", "新同事", "hash")
    who = load_person(user_id, legal_day(now()))
    db.session.rollback()
    assert who.name == "新同事" and not who.roles and not who.mandates


def test_a_login_is_given_once(cast):
    with pytest.raises(NotDone, match="已经有人用"):
        by(cast, people.create_user, "li", "另一个人", "hash")


def test_a_closed_account_is_nobody_and_its_sessions_are_over(cast):
    before = cast.who("liu").session_version
    by(cast, people.close_account, cast.users["liu"], "已调离", False)
    assert load_person(cast.users["liu"], legal_day(now())) is None
    db.session.rollback()
    by(cast, people.reopen_account, cast.users["liu"])
    assert cast.who("liu").session_version == before + 1
    assert acts(cast, "liu") == ["close", "reopen"]


def test_a_new_password_ends_sessions_and_lifts_the_lock(cast):
    with transaction():
        db.session.execute(update(User).where(User.login == "liu").values(failures=3, locked_until=now()))
    by(cast, people.reset_password, cast.users["liu"], "new-hash")
    row = db.session.execute(select(*User.__table__.c).where(User.login == "liu")).one()
    db.session.rollback()
    assert (row.password_hash, row.failures, row.locked_until, row.session_version) == ("new-hash", 0, None, 2)


def test_nobody_changes_their_own_account(cast):
    me = cast.users["shen"]
    for act, args in (
        (people.close_account, (me, "x", True)),
        (people.reset_password, (me, "hash")),
        (people.add_membership, (me, cast.offices["province"], Role.REVIEW, date(2026, 1, 1), None)),
        (people.end_membership, (role_of(cast, "shen"), date(2026, 12, 1), True)),
    ):
        with pytest.raises(NotDone, match="另一位管理员"):
            by(cast, act, *args)


@pytest.mark.parametrize("who", ["li", "jiang", "deng"])
def test_only_administrators_change_people(cast, who):
    with pytest.raises(NotDone, match="不归您管理"):
        by(cast, people.close_account, cast.users["liu"], "x", True, who=who)
    with pytest.raises(NotDone, match="不归您管理"):
        edit(cast, "province", who=who)


# --- roles -------------------------------------------------------------------------------------------------------


def test_a_role_is_held_from_its_day_until_its_day(cast, clock):
    user, office = cast.users["liu"], cast.offices["changsha"]
    by(cast, people.add_membership, user, office, Role.REVIEW, date(2026, 12, 1), date(2026, 12, 31))
    assert Role.REVIEW not in cast.who("liu").roles
    clock.go("2026-12-31")
    assert Role.REVIEW in cast.who("liu").roles
    clock.go("2027-01-01")
    assert Role.REVIEW not in cast.who("liu").roles


def test_the_same_role_is_not_given_twice_for_one_day(cast):
    with pytest.raises(NotDone, match="已经是长沙市交通运输局的受理员"):
        join(cast, "liu", Role.ACCEPTANCE, date(2026, 12, 1), office="changsha")


@pytest.mark.parametrize("role", [Role.ACCEPTANCE, Role.CONFIRMATION, Role.LEGAL, Role.HEAD])
def test_an_administrator_holds_no_other_role_and_nobody_else_becomes_one_beside_theirs(cast, role):
    user = by(cast, people.create_user, "er", "第二管理员", "hash")
    province = cast.offices["province"]
    by(cast, people.add_membership, user, province, Role.ADMINISTRATOR, date(2026, 1, 1), None)
    with pytest.raises(NotDone, match="不能与其他身份由一人兼任"):
        by(cast, people.add_membership, user, province, role, date(2026, 6, 1), None)
    with pytest.raises(NotDone, match="不能与其他身份由一人兼任"):
        by(cast, people.add_membership, cast.users["li"], province, Role.ADMINISTRATOR, date(2026, 6, 1), None)


def test_linked_departments_have_their_own_role_and_no_other(cast):
    join(cast, "liu", Role.LINKED, date(2026, 1, 1), office="ld-market")
    with pytest.raises(NotDone, match="是联动部门"):
        join(cast, "liu", Role.HEAD, date(2026, 1, 1), office="ld-market")
    with pytest.raises(NotDone, match="只能设在联动部门"):
        join(cast, "liu", Role.LINKED, date(2026, 1, 1))


def test_impossible_days_are_refused(cast):
    with pytest.raises(NotDone, match="早于开始日期"):
        join(cast, "liu", Role.REVIEW, date(2026, 12, 2), date(2026, 12, 1), office="changsha")
    role = role_of(cast, "liu")
    with pytest.raises(NotDone, match="早于开始的日子"):
        by(cast, people.end_membership, role, date(2019, 1, 1), False)
    by(cast, people.end_membership, role, date(2026, 11, 30), False)
    with pytest.raises(NotDone, match="不能往后改"):
        by(cast, people.end_membership, role, date(2026, 12, 30), False)
    by(cast, people.end_membership, role, date(2026, 11, 23), False)
    with pytest.raises(NotDone, match="已经结束"):
        by(cast, people.end_membership, role, date(2026, 11, 22), False)


# --- nobody left -------------------------------------------------------------------------------------------------


def test_taking_the_only_acceptance_officer_away_is_told_with_the_numbers(cast):
    a_case(cast, at="submitted")
    a_case(cast, at="received")
    a_case(cast, at="correcting")
    a_case(cast, at="accepted")
    with pytest.raises(LeavesNobody) as caught:
        by(cast, people.close_account, cast.users["li"], "已调离", False)
    (gap,) = caught.value.gaps
    assert (gap.role, gap.now, gap.later) == (Role.ACCEPTANCE, 2, 1)
    assert gap.text == ("湖南省交通运输厅有 3 件没有人能办：没有合适的受理员，2 件正等着办，1 件办到这一步也会停下。")
    assert cast.who("li").roles == {Role.ACCEPTANCE}
    by(cast, people.close_account, cast.users["li"], "已调离", True)
    assert [gap.now for _office, gap in standing_still(reach_of(cast.who("shen")), legal_day(now()))] == [2]
    db.session.rollback()


def test_a_second_officer_makes_it_nobodys_concern(cast):
    a_case(cast, at="received")
    join(cast, "tang", Role.ACCEPTANCE, date(2026, 1, 1))
    by(cast, people.end_membership, role_of(cast, "li"), date(2026, 11, 23), False)


def test_a_second_officer_who_comes_too_late_does_not(cast):
    a_case(cast, at="received")
    join(cast, "tang", Role.ACCEPTANCE, date(2026, 12, 1))
    with pytest.raises(LeavesNobody):
        by(cast, people.end_membership, role_of(cast, "li"), date(2026, 11, 23), False)
    by(cast, people.end_membership, role_of(cast, "li"), date(2026, 11, 30), False)


def test_a_confirmer_who_reviewed_the_case_does_not_count(cast):
    a_case(cast, at="reviewed")
    join(cast, "zhou", Role.CONFIRMATION, date(2026, 1, 1))
    with pytest.raises(LeavesNobody) as caught:
        by(cast, people.end_membership, role_of(cast, "chen"), date(2026, 11, 23), False)
    assert caught.value.gaps[0].role is Role.CONFIRMATION and caught.value.gaps[0].now == 1


def test_a_colleague_with_a_closed_account_does_not_count(cast):
    a_case(cast, at="received")
    join(cast, "tang", Role.ACCEPTANCE, date(2026, 1, 1))
    by(cast, people.close_account, cast.users["tang"], "已调离", False)
    with pytest.raises(LeavesNobody):
        by(cast, people.end_membership, role_of(cast, "li"), date(2026, 11, 23), False)


def test_an_office_without_open_cases_leaves_nothing_standing(cast):
    a_case(cast, at="withdrawn")
    by(cast, people.close_account, cast.users["li"], "已调离", False)


# --- mandates ----------------------------------------------------------------------------------------------------


def test_a_mandate_opens_the_subject_and_its_end_shuts_it(cast, clock):
    user, subject = cast.users["wang"], cast.subjects["yueheng"]
    by(cast, mandates.add_mandate, user, subject, "clerk", "授权委托书", date(2026, 11, 24), None)
    assert subject in cast.who("wang").mandates
    with pytest.raises(NotDone, match="已经可以这样代"):
        by(cast, mandates.add_mandate, user, subject, "clerk", "又一份", date(2026, 12, 1), None)
    held = db.session.execute(select(Mandate.id).where(Mandate.user_id == user, Mandate.subject_id == subject)).scalar()
    db.session.rollback()
    by(cast, mandates.end_mandate, held, date(2026, 11, 24), False)
    clock.go("2026-11-25")
    assert subject not in cast.who("wang").mandates
    assert acts(cast, "wang") == ["entrust", "end_mandate"]


def test_ending_the_last_mandate_of_a_subject_with_a_case_in_its_hands_is_told(cast):
    a_case(cast, at="correcting")
    by(cast, mandates.end_mandate, mandate_of(cast, "luo"), date(2026, 11, 23), False)
    with pytest.raises(LeavesNobody, match="湖南岳衡物流有限公司有 1 件没有人能办：没有合适的申请人"):
        by(cast, mandates.end_mandate, mandate_of(cast, "deng"), date(2026, 11, 23), False)
    by(cast, mandates.end_mandate, mandate_of(cast, "deng"), date(2026, 11, 23), True)


# --- branches ----------------------------------------------------------------------------------------------------


def test_the_administrator_of_a_city_changes_nothing_outside_it(cast):
    city_administrator(cast)
    by(cast, people.close_account, cast.users["wu"], "已调离", False, who="city")
    with pytest.raises(NotDone, match="不归您管理"):
        by(cast, people.close_account, cast.users["li"], "x", True, who="city")
    with pytest.raises(NotDone, match="不归您管理"):
        join(cast, "liu", Role.HEAD, date(2026, 1, 1), who="city")
    with pytest.raises(NotDone, match="不归您管理"):
        edit(cast, "province", who="city")


def test_the_administrator_of_a_city_holds_no_account_that_also_serves_elsewhere(cast):
    """Whoever gives an account a new password can enter in all its roles."""
    city_administrator(cast)
    join(cast, "liu", Role.HEAD, date(2026, 12, 1))
    for act, args in (
        (people.reset_password, ("hash",)),
        (people.close_account, ("x", True)),
        (people.rename, ("刘泊",)),
    ):
        with pytest.raises(NotDone, match="还在不归您管理的单位任职"):
            by(cast, act, cast.users["liu"], *args, who="city")
    join(cast, "liu", Role.PROCESSING, date(2026, 12, 1), office="changsha", who="city")
    by(cast, people.reset_password, cast.users["liu"], "hash")


def test_somebody_who_has_moved_on_is_no_longer_the_citys_to_change(cast, clock):
    city_administrator(cast)
    by(cast, people.end_membership, role_of(cast, "liu"), date(2026, 11, 30), True)
    join(cast, "liu", Role.HEAD, date(2026, 12, 1))
    clock.go("2026-12-02")
    with pytest.raises(NotDone, match="还在不归您管理的单位任职"):
        by(cast, people.reset_password, cast.users["liu"], "hash", who="city")


@pytest.mark.parametrize("who", ["li", "jiang", "wang"])
def test_whoever_is_no_administrator_reaches_nobody_not_even_people_who_serve_nowhere(cast, who):
    with pytest.raises(NotDone, match="只有管理员"):
        by(cast, people.create_user, "xin", "新同事", "hash", who=who)
    with pytest.raises(NotDone, match="不归您管理"):
        by(cast, people.reset_password, cast.users["deng"], "hash", who=who)


def test_a_role_ended_before_it_began_can_be_given_again(cast):
    join(cast, "liu", Role.HEAD, date(2026, 12, 1), office="changsha")
    mistaken = db.session.execute(
        select(Membership.id).where(Membership.role == "head", Membership.user_id == cast.users["liu"])
    ).scalar_one()
    by(cast, people.end_membership, mistaken, date(2026, 11, 30), True)
    join(cast, "liu", Role.HEAD, date(2026, 12, 1), date(2026, 12, 31), office="changsha")
    held = db.session.execute(select(Membership.valid_until).where(Membership.id == mistaken)).scalar_one()
    db.session.rollback()
    assert held == date(2026, 12, 31)
    assert acts(cast, "liu") == ["join", "part", "join"]


# --- offices -----------------------------------------------------------------------------------------------------


def test_what_an_office_prints_is_changed_and_journalled_with_what_it_was(cast):
    edit(cast, "changsha", word="长交新", phone="0731-0000-0001")
    row = db.session.execute(select(Office.word, Office.phone).where(Office.id == cast.offices["changsha"])).one()
    line = db.session.execute(
        select(JournalLine.answers).where(
            JournalLine.about == "office", JournalLine.about_id == cast.offices["changsha"]
        )
    ).scalar_one()
    assert (row.word, row.phone) == ("长交新", "0731-0000-0001")
    assert line["from"] == {"word": "长交", "phone": "0731-0000-0000"}
    assert check_chain("office", cast.offices["changsha"]) == []
    db.session.rollback()


@pytest.mark.parametrize(
    ("fresh", "sentence"),
    [({}, "没有改动"), ({"word": "湘交"}, "是湖南省交通运输厅的"), ({"word": "长\U0003106c交"}, "印不出来的字")],
)
def test_a_word_that_cannot_be_used_is_refused(cast, fresh, sentence):
    with pytest.raises(NotDone, match=sentence):
        edit(cast, "changsha", **{"word": "长交", **fresh})
