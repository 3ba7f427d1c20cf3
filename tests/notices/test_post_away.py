"""Spring Festival: a receiver is away for days. Nothing is lost, nothing overtakes, nobody is pestered; then it is said
aloud."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.duty import post
from app.duty.record import ends
from app.now import now
from tests.cast import Cast
from tests.conftest import Clock
from tests.notices.post_room import endpoint, in_order, issues, reached, some_notices, states, tries, ways
from tests.notices.receiver import OK, a_receiver, answer

MOST = 120
"""Tries of one notice in fourteen days at most."""


@pytest.mark.parametrize("nobody", [True, False], ids=["nobody listens", "it answers 503"])
def test_away_for_thirteen_days_everything_arrives_in_order_afterwards(cast: Cast, clock: Clock, nobody: bool) -> None:
    with a_receiver(lambda _request: answer(503)) as receiver, a_receiver() as other:
        market = reached(cast, "ld-market", "webhook", "http://127.0.0.1:1/" if nobody else receiver.url())
        reached(cast, "ld-trading", "webhook", other.url())
        keys = some_notices(cast, "ld-market", 4, each=3)
        began = now()
        while now() - began < timedelta(days=13):
            post.turn(timeout=2)
            clock.at += timedelta(hours=3)
        keys += some_notices(cast, "ld-market", 1, each=2)
        meanwhile = some_notices(cast, "ld-trading", 5)
        post.turn(timeout=2)
        assert sorted(other.ids) == sorted(meanwhile), "the others have heard everything meanwhile"
        assert set(states(market)) == {"waiting"} and issues() == []
        assert max(way.attempts for way in ways(market).values()) <= MOST
        receiver.behave = lambda _request: OK
        receiver.taken.clear()
        if nobody:
            reached_again = receiver.url()
            _moved(cast, reached_again)
        clock.at = max(clock.at, endpoint(market).open_until or clock.at)
        post.turn(timeout=2)
        assert set(states(market)) == {"delivered"}, "at the first look that finds it back, all of it"
        assert in_order(receiver.ids) and sorted(receiver.ids) == sorted(keys)


def _moved(cast: Cast, address: str) -> None:
    """Somebody listens at the address again; breaker and tries are as they were."""
    from sqlalchemy import update

    from app.db import transaction
    from app.models import Endpoint

    with transaction() as session:
        session.execute(update(Endpoint).where(Endpoint.office_id == cast.offices["ld-market"]).values(address=address))


def test_after_fourteen_days_it_is_given_up_aloud_and_the_later_ones_are_held(cast: Cast, clock: Clock) -> None:
    market = reached(cast, "ld-market", "webhook", "http://127.0.0.1:1/")
    first, second = some_notices(cast, "ld-market", 1, each=2)
    post.turn(timeout=2)
    began = now()
    assert ends(began) == began + timedelta(days=14)
    while now() < ends(began):
        assert states(market) == ["waiting", "waiting"]
        way = ways()[first]
        clock.at = max(way.next_at, endpoint(market).open_until or way.next_at, now() + timedelta(seconds=1))
        post.turn(timeout=2)
    assert states(market) == ["dead", "waiting"]
    way = ways()[first]
    assert way.given_up_at == now() and began + timedelta(days=14) <= now() < began + timedelta(days=14, hours=1)
    assert 60 < way.attempts == len(tries(first)) <= MOST
    [issue] = issues()
    assert (issue.kind, issue.notice_id, issue.detail["reason"]) == ("dead", way.notice_id, "到期没有送达")
    assert way.trouble == "到期没有送达"
    clock.at += timedelta(days=30)
    post.turn(timeout=2)
    assert ways()[second].attempts == 0, "held, and not even tried"


def test_of_many_that_were_tried_none_outlives_its_time_behind_the_breaker(cast: Cast, clock: Clock) -> None:
    """One probe at a time cannot reach them all; once it has failed again, all whose time is over are given up."""
    market = reached(cast, "ld-market", "webhook", "http://127.0.0.1:1/")
    some_notices(cast, "ld-market", 5)
    post.turn(timeout=2)
    clock.at += timedelta(days=14, minutes=1)
    assert post.turn(timeout=2).failed == 1, "first it is asked once more"
    assert states(market).count("dead") == 1
    clock.at += timedelta(seconds=1)
    assert post.turn(timeout=2).given_up == 4
    assert states(market) == ["dead"] * 5 and len(issues()) == 5


def test_a_house_that_slept_for_a_month_asks_before_it_gives_up(cast: Cast, clock: Clock) -> None:
    with a_receiver(lambda _request: answer(500)) as receiver:
        market = reached(cast, "ld-market", "webhook", receiver.url())
        some_notices(cast, "ld-market", 8)
        post.turn()
        clock.at += timedelta(days=30)
        receiver.behave = lambda _request: OK
        post.turn()
    assert states(market) == ["delivered"] * 8 and issues() == []
