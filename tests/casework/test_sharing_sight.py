"""Who looks after what others are told: one policy for the board, its lists, the issues and the statements."""

from __future__ import annotations

from datetime import date

from sqlalchemy import insert, select, update

from app.casework.actor import Person
from app.casework.sharing_board import NoticeFilter, board, dead_letters_to, notice_of, notices_to
from app.casework.sharing_issues import IssueFilter, issue_page, issues_of
from app.casework.sight import issues_statements, looks_after_sharing
from app.db import db, transaction
from app.models import CreditRecord, Delivery, Issue, Mandate
from app.notices.dead import bury
from app.now import now
from tests.build import a_case
from tests.casework.acts import annul, officer, scalar, told
from tests.cast import SINCE, Cast
from tests.conftest import Clock

TODAY = date(2026, 11, 24)
NOTHING = NoticeFilter()


def line(person: Person, code: str = "ld-market") -> tuple[int, int, int, int]:
    """What the board says of a receiver: waiting, dead, asked, issues."""
    (found,) = board(person, now(), code)
    db.session.rollback()
    return found.waiting, found.dead, found.asked, found.issues


def keys(person: Person, cast: Cast, wanted: NoticeFilter = NOTHING, today: date = TODAY) -> list[str]:
    """The notices to the market supervision bureau that somebody sees."""
    page = notices_to(person, cast.offices["ld-market"], wanted, today, None, None)
    db.session.rollback()
    return [row.key for row in page.rows]


def test_the_province_looks_over_all_a_city_over_its_own_and_nobody_over_a_company_of_theirs(
    cast: Cast, clock: Clock
) -> None:
    number, city = a_case(cast, at="processing"), cast.penalty(office="changsha")
    with transaction():
        db.session.execute(
            update(CreditRecord).where(CreditRecord.id == city).values(subject_id=cast.subjects["other"])
        )
    annul(cast, city, who=officer(cast, "tan", "head", office="changsha"))
    he, tan = cast.who("he"), cast.who("tan")
    assert line(he) == (2, 0, 2, 0) and line(tan) == (1, 0, 1, 0)
    ours = told(number)["ld-market"][0]
    (theirs,) = keys(tan, cast)
    assert set(keys(he, cast)) == {ours.key, theirs} and ours.key != theirs
    assert notice_of(tan, ours.key) is None and notice_of(tan, theirs) is not None
    with transaction():
        for notice in db.session.execute(
            select(Delivery.notice_id).where(Delivery.receiver_id == cast.offices["ld-market"])
        ).scalars():
            bury(notice, "到期没有送达", {}, now())
    assert line(he) == (0, 2, 2, 2) and line(tan) == (0, 1, 1, 1)
    for who, n in ((he, 2), (tan, 1)):
        assert len(dead_letters_to(who, cast.offices["ld-market"], None, None).rows) == n
        assert len(issues_of(who, IssueFilter(), None, None).rows) == n
    issue = scalar(select(Issue.id).where(Issue.notice_id == ours.id))
    assert issue_page(tan, issue) is None
    page = issue_page(he, issue)
    assert page is not None and page.notice is not None and page.notice.case == number
    with transaction():
        db.session.execute(
            insert(Mandate).values(
                user_id=cast.users["he"], subject_id=cast.subjects["yueheng"], capacity="clerk", evidence="委托书",
                valid_from=SINCE,
            )
        )  # fmt: skip
    recused = cast.who("he")
    assert keys(recused, cast) == [theirs] and issue_page(recused, issue) is None
    assert line(recused)[:2] == (0, 1) and line(recused)[3] == 1
    db.session.rollback()


def test_whoever_only_works_on_cases_looks_over_no_sharing_and_only_the_organ_sees_statements(cast: Cast) -> None:
    tan = officer(cast, "tan", "head", office="changsha")
    for name in ("li", "zhou", "chen", "jiang", "shen", "deng", "liu"):
        assert not looks_after_sharing(cast.who(name)) and not issues_statements(cast.who(name)), name
    assert looks_after_sharing(tan) and not issues_statements(tan)
    assert looks_after_sharing(cast.who("he")) and issues_statements(cast.who("tang"))
    db.session.rollback()


def test_a_list_is_narrowed_by_state_outcome_and_words(cast: Cast, clock: Clock) -> None:
    number = a_case(cast, at="processing")
    he, (notice,) = cast.who("he"), told(number)["ld-market"]
    for state in ("waiting", ""):
        assert keys(he, cast, NoticeFilter(state)) == [notice.key]
    for state in ("dead", "open", "late", "confirmed", "trouble", "skipped"):
        assert keys(he, cast, NoticeFilter(state)) == [], state
    assert keys(he, cast, NoticeFilter("late"), date(2026, 11, 28)) == [notice.key]
    for words in (number, number.lower(), "岳衡", cast.codes["yueheng"], notice.key, "湘交罚"):
        assert keys(he, cast, NoticeFilter(text=words)) == [notice.key], words
    for words in ("100%", "_", "没有这家", "'; --"):
        assert keys(he, cast, NoticeFilter(text=words)) == [], words
    assert keys(he, cast, NoticeFilter(act="refuse")) == []
