"""Dead letters: somebody is told, the later ones are held, they are sent again or skipped by two people; never lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app.db import db, transaction
from app.duty import post
from app.journal import check_chain
from app.models import Delivery, JournalLine
from app.notices.dead import (
    NotPossible,
    Which,
    confirm_skip,
    dead_letters,
    propose_skip,
    proposed_skip,
    replay,
    skip,
)
from app.now import now
from app.office_book.endpoints import resume_endpoint, set_endpoint, stop_endpoint
from tests.casework.acts import everything, officer
from tests.cast import Cast
from tests.conftest import Clock
from tests.notices.post_room import endpoint, issues, reached, some_notices, states, tries, ways
from tests.notices.receiver import OK, Receiver, a_receiver, answer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A department that refuses everything, for the time being."""
    with a_receiver(lambda _request: answer(400)) as receiver:
        yield receiver


@pytest.fixture
def dead(cast: Cast, clock: Clock, receiver: Receiver) -> list[str]:
    """Two companies with three notices each to the market supervision; the first of each is dead, the others held."""
    reached(cast, "ld-market", "webhook", receiver.url())
    keys = some_notices(cast, "ld-market", 2, each=3)
    for seconds in (5, 60, 600):
        post.turn()
        clock.at += timedelta(seconds=seconds)
    receiver.behave = lambda _request: OK
    receiver.taken.clear()
    assert states() == ["dead", "waiting", "waiting"] * 2
    return keys


def number(key: str) -> int:
    """The id of a notice."""
    return int(ways()[key].notice_id)


def journal(key: str) -> list[tuple[str, int | None, str]]:
    """What was done about a notice, by whom, for which reason."""
    rows = db.session.execute(
        select(JournalLine.act, JournalLine.person, JournalLine.answers)
        .where(JournalLine.about == "notice", JournalLine.about_id == number(key))
        .order_by(JournalLine.seq)
    ).all()
    problems = check_chain("notice", number(key))
    db.session.rollback()
    assert problems == []
    return [(row.act, row.person, row.answers["reason"]) for row in rows]


def test_one_dead_letter_sent_again_keeps_its_place_and_frees_the_later_ones(
    cast: Cast, receiver: Receiver, dead: list[str]
) -> None:
    first = dead[0]
    with transaction():
        assert replay([number(first)], actor=cast.who("he"), reason="对方已经修好", at=now()) == 1
    assert post.turn().delivered == 3
    assert receiver.ids == dead[:3], "the same key, and in order"
    assert states() == ["delivered"] * 3 + ["dead", "waiting", "waiting"]
    assert len(tries(first)) == ways()[first].attempts == 4, "the tries before are kept"
    assert journal(first) == [("replay", cast.users["he"], "对方已经修好")]
    [left] = issues()
    assert left.notice_id == number(dead[3])
    [closed] = [one for one in issues(open_only=False) if one.closed_at is not None]
    assert (closed.closed_by, closed.outcome) == (cast.users["he"], "重新投递：对方已经修好")


def test_all_that_a_filter_means_are_sent_again(cast: Cast, receiver: Receiver, dead: list[str]) -> None:
    province, market = cast.offices["province"], cast.offices["ld-market"]
    assert dead_letters(Which(province)) == [number(dead[0]), number(dead[3])]
    for nothing in (
        Which(cast.offices["changsha"]),
        Which(province, receiver_id=cast.offices["ld-trading"]),
        Which(province, act="withdraw"),
        Which(province, since=now() + timedelta(days=1)),
        Which(province, until=now() - timedelta(days=1)),
    ):
        assert dead_letters(nothing) == []
    db.session.rollback()
    which = Which(province, market, "confirm", now() - timedelta(hours=1), now() + timedelta(hours=1))
    with transaction():
        assert replay(which, actor=cast.who("tang"), reason="对方停机一天", at=now()) == 2
    post.turn()
    assert set(states()) == {"delivered"} and issues() == []


def test_a_replay_that_fails_again_dies_again_after_as_many_tries_and_is_said_again(
    cast: Cast, clock: Clock, receiver: Receiver, dead: list[str]
) -> None:
    receiver.behave = lambda _request: answer(400)
    with transaction():
        replay([number(dead[0])], actor=cast.who("he"), reason="再试", at=now())
    for tried in (1, 2, 3):
        post.turn()
        assert states()[0] == ("waiting" if tried < 3 else "dead")
        clock.at += timedelta(hours=7)
    assert [one.key for one in issues(open_only=False) if one.notice_id == number(dead[0])] == [
        f"dead-{number(dead[0])}-1",
        f"dead-{number(dead[0])}-2",
    ]
    assert len(issues()) == 2


def test_a_skip_takes_a_reason_and_two_people_who_may(cast: Cast, receiver: Receiver, dead: list[str]) -> None:
    first, he, tang = dead[0], cast.who("he"), cast.who("tang")
    before = everything()
    for who, reason, said in (
        (he, "  ", "请写明理由"),
        (he, "长" * 501, "最多 500 字"),
        (cast.who("li"), "重复", "信息处理员、负责人办理"),
        (cast.who("shen"), "重复", "信息处理员、负责人办理"),
    ):
        with pytest.raises(NotPossible, match=said), transaction():
            propose_skip(number(first), actor=who, reason=reason, at=now())
    with pytest.raises(NotPossible, match="还没有人提出"), transaction():
        confirm_skip(number(first), second=tang, at=now())
    assert everything() == before
    with transaction():
        propose_skip(number(first), actor=he, reason="对方主管部门书面说明不再需要", at=now())
    proposal = proposed_skip(next(one for one in issues() if one.notice_id == number(first)).detail)
    assert proposal is not None and (proposal["person"], proposal["name"]) == (cast.users["he"], "贺岚")
    assert post.turn() == post.Done(0, 0, 0, 0), "a proposal moves nothing"
    for who, said in ((he, "另一个人"), (cast.who("zhou"), "信息处理员、负责人办理")):
        with pytest.raises(NotPossible, match=said), transaction():
            confirm_skip(number(first), second=who, at=now())
    with transaction():
        confirm_skip(number(first), second=tang, at=now())
    assert states()[:3] == ["skipped", "waiting", "waiting"]
    post.turn()
    assert receiver.ids == dead[1:3] and states()[:3] == ["skipped", "delivered", "delivered"]
    assert [(act, by) for act, by, _ in journal(first)] == [
        ("propose_skip", cast.users["he"]),
        ("skip", cast.users["tang"]),
    ]
    [left] = issues()
    assert left.notice_id == number(dead[3])


def test_an_officer_of_another_office_changes_nothing(cast: Cast, dead: list[str]) -> None:
    stranger = officer(cast, "xu", "processing", "head", office="changsha")
    before = everything()
    with pytest.raises(NotPossible), transaction():
        replay([number(dead[0])], actor=stranger, reason="再试", at=now())
    with pytest.raises(NotPossible), transaction():
        replay(Which(cast.offices["province"]), actor=stranger, reason="再试", at=now())
    with pytest.raises(NotPossible), transaction():
        skip(number(dead[0]), actor=cast.who("he"), second=stranger, reason="重复", at=now())
    assert everything() == before, "half of a skip is nothing"


def test_only_what_is_dead_is_sent_again_or_skipped(cast: Cast, dead: list[str]) -> None:
    he = cast.who("he")
    for key in (dead[1],):
        with pytest.raises(NotPossible, match="不在送达失败之列"), transaction():
            replay([number(key)], actor=he, reason="再试", at=now())
        with pytest.raises(NotPossible, match="不在送达失败之列"), transaction():
            propose_skip(number(key), actor=he, reason="重复", at=now())
    with pytest.raises(LookupError), transaction():
        replay([10**6], actor=he, reason="再试", at=now())


def test_a_dead_letter_cannot_be_deleted(cast: Cast, dead: list[str]) -> None:
    with pytest.raises(IntegrityError, match="never deleted"), transaction() as session:
        session.execute(delete(Delivery.__table__))
    assert states().count("dead") == 2


def test_sent_again_to_one_who_wants_nothing_it_waits_until_the_endpoint_is_opened(
    cast: Cast, clock: Clock, receiver: Receiver
) -> None:
    receiver.behave = lambda _request: answer(410)
    market = reached(cast, "ld-market", "webhook", receiver.url())
    [key] = some_notices(cast, "ld-market", 1)
    post.turn()
    assert states() == ["dead"] and endpoint(market).stopped_at is not None
    with transaction():
        replay([number(key)], actor=cast.who("he"), reason="对方换了系统", at=now())
    assert post.turn() == post.Done(0, 0, 0, 0) and states() == ["waiting"]
    receiver.behave = lambda _request: OK
    reached(cast, "ld-market", "webhook", receiver.url("/new"))
    assert post.turn().delivered == 1 and receiver.taken[-1].path == "/new"


@pytest.mark.parametrize("how", ["the same address again", "a new address"])
def test_when_its_endpoint_is_opened_again_everything_that_waited_goes_at_once(
    cast: Cast, clock: Clock, receiver: Receiver, how: str
) -> None:
    """Also what had failed before and would have waited for its own hour, and with no failure counted any more."""
    market = reached(cast, "ld-market", "webhook", receiver.url())
    first, *others = some_notices(cast, "ld-market", 4)
    receiver.behave = lambda request: answer(410) if request.id == first else answer(500)
    post.turn()
    waited = [key for key in others if ways()[key].next_at > now()]
    assert waited and states().count("dead") == 1 and endpoint(market).failures
    shen = cast.who("shen")
    with transaction():
        if how == "a new address":
            address = receiver.url("/new")
            set_endpoint(shen, market, channel="webhook", format="result", address=address, at=now())
        else:
            resume_endpoint(shen, market, reason="对方已恢复接收", at=now())
    opened = endpoint(market)
    assert (opened.failures, opened.open_until, opened.stopped_at) == (0, None, None)
    assert opened.stopped_why == opened.trouble == ""
    receiver.behave = lambda _request: OK
    assert post.turn().delivered == 3 and set(receiver.ids[-3:]) == set(others)


def test_what_an_administrator_stopped_stays_stopped_when_its_address_is_corrected(
    cast: Cast, receiver: Receiver
) -> None:
    receiver.behave = lambda _request: OK
    market = reached(cast, "ld-market", "webhook", receiver.url())
    some_notices(cast, "ld-market", 1)
    shen = cast.who("shen")
    with transaction():
        stop_endpoint(shen, market, reason="对方系统改造", at=now())
        set_endpoint(shen, market, channel="webhook", format="result", address=receiver.url("/new"), at=now())
    assert post.turn().delivered == 0 and endpoint(market).stopped_why == "对方系统改造"
    with transaction():
        resume_endpoint(shen, market, reason="改造完成", at=now())
    assert post.turn().delivered == 1
