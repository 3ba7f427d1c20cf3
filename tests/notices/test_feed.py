"""The feed: one gapless order, in which a slower transaction is never overtaken unseen; a month is caught up with."""

from __future__ import annotations

import threading
from contextvars import copy_context
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from app.db import db, transaction
from app.duty import post
from app.notices.dead import skip
from app.notices.feed import feed_page, place, shown, unplaced
from app.now import now
from tests.casework.acts import at_once
from tests.cast import Cast
from tests.conftest import Clock
from tests.notices.post_room import endpoint, in_order, issues, reached, some_notices, states, ways
from tests.notices.receiver import Receiver, a_receiver, answer


def placed(office: int) -> int:
    """Places are given."""
    with transaction():
        return place(office)


def page(office: int, after: int = 0, limit: int = 100) -> list[tuple[int, str]]:
    """Positions and keys of a page."""
    found = [(row.position, row.key) for row in feed_page(office, after, limit)]
    db.session.rollback()
    return found


def seen(office: int, after: int) -> int:
    """The puller asks for what comes after a position."""
    with transaction():
        return shown(office, after, now())


def test_every_notice_gets_the_next_place_of_its_receiver(cast: Cast) -> None:
    market, trading = cast.offices["ld-market"], cast.offices["ld-trading"]
    first, other = some_notices(cast, "ld-market", 3, each=2), some_notices(cast, "ld-trading", 1)
    assert unplaced() == [market, trading]
    db.session.rollback()
    assert (placed(market), placed(market), placed(trading)) == (6, 0, 1)
    second = some_notices(cast, "ld-market", 2)
    assert placed(market) == 2
    assert page(market) == list(enumerate(first + second, start=1))
    assert page(trading) == [(1, other[0])]
    assert page(market, after=5, limit=2) == [(6, first[5]), (7, second[0])]
    assert page(market, after=8) == []
    assert unplaced() == []
    db.session.rollback()


def test_two_who_give_places_at_once_leave_no_gap_and_no_double(app: Flask, cast: Cast) -> None:
    market = cast.offices["ld-market"]
    keys = some_notices(cast, "ld-market", 20)
    outcomes = at_once(app, [lambda: placed(market)] * 4)
    assert sorted(outcomes) == [0, 0, 0, 20], outcomes
    assert [position for position, _ in page(market)] == list(range(1, 21))
    assert sorted(key for _, key in page(market)) == sorted(keys)


@pytest.mark.parametrize("database", ["postgresql"])
def test_a_reader_never_skips_a_notice_of_a_slower_transaction(app: Flask, cast: Cast, database: str) -> None:
    """The slow one has written first and commits last: the lower id, and the later place. Nobody waits for it."""
    market = cast.offices["ld-market"]
    some_notices(cast, "ld-market", 1)
    written, go_on = threading.Event(), threading.Event()
    slow: list[str] = []

    def write_slowly() -> None:
        def wait_before_commit(*_args: object) -> None:
            written.set()
            assert go_on.wait(20)

        with app.app_context():
            event.listen(db.session(), "before_commit", wait_before_commit)
            slow.extend(some_notices(cast, "ld-market", 1))
            db.session.remove()

    writer = threading.Thread(target=copy_context().run, args=(write_slowly,))
    writer.start()
    assert written.wait(20)
    fast = some_notices(cast, "ld-market", 1)
    assert placed(market) == 2, "what is committed gets its place at once"
    read = page(market)
    assert read[-1][1] == fast[0]
    go_on.set()
    writer.join(20)
    assert placed(market) == 1
    assert page(market, after=read[-1][0]) == [(3, slow[0])], "who is past the fast one gets the slow one"
    assert ways()[slow[0]].notice_id < ways()[fast[0]].notice_id


def test_a_department_that_was_away_a_month_catches_up(cast: Cast, clock: Clock) -> None:
    market = reached(cast, "ld-market", "feed")
    keys = []
    for _week in range(4):
        keys += some_notices(cast, "ld-market", 5, each=2)
        post.turn()
        clock.at += timedelta(days=8)
        post.turn()
    assert states(market) == ["waiting"] * 40, "nothing is given up: it lies there to be fetched"
    got: list[str] = []
    after = 0
    while rows := page(market, after, limit=7):
        delivered = seen(market, after)
        assert delivered == (7 if after else 0), "a page counts when the next is asked for"
        got += [key for _, key in rows]
        after = rows[-1][0]
    assert seen(market, after) == 40 % 7
    assert got == keys and in_order(got)
    assert states(market) == ["delivered"] * 40
    way = ways()[keys[0]]
    assert (way.channel, way.delivered_at, way.attempts) == ("feed", now(), 0)
    assert endpoint(market).cursor == 40


def test_a_cursor_never_goes_back_nor_beyond_what_was_given(cast: Cast) -> None:
    market = reached(cast, "ld-market", "feed")
    some_notices(cast, "ld-market", 4)
    placed(market)
    assert seen(market, 0) == seen(market, -5) == 0
    assert seen(market, 3) == 3
    assert seen(market, 1) == 0 and endpoint(market).cursor == 3
    assert seen(market, 10**9) == 1 and endpoint(market).cursor == 4
    some_notices(cast, "ld-market", 1)
    placed(market)
    assert states(market) == ["delivered"] * 4 + ["waiting"], "what was not there could not be seen"


def test_a_department_without_an_endpoint_may_fetch_too(cast: Cast) -> None:
    market = cast.offices["ld-market"]
    some_notices(cast, "ld-market", 2)
    post.turn()
    assert states(market) == ["delivered"] * 2, "it lies at their counter"
    assert seen(market, 2) == 0
    assert (endpoint(market).channel, endpoint(market).cursor) == ("counter", 2)


def test_what_the_interface_could_not_deliver_is_delivered_by_fetching(cast: Cast) -> None:
    """Both ways lead to the same notices; nothing is sent any more that was fetched."""
    with a_receiver(lambda _request: answer(410)) as receiver:
        market = reached(cast, "ld-market", "webhook", receiver.url())
        some_notices(cast, "ld-market", 1, each=3)
        post.turn()
        assert states(market) == ["dead", "waiting", "waiting"]
        assert [position for position, _ in page(market)] == [1, 2, 3]
        assert seen(market, 2) == 2
        assert states(market) == ["delivered", "delivered", "waiting"]
        _opened_again(receiver, cast)
        post.turn()
        assert len(receiver.taken) == 2 and states(market) == ["delivered"] * 3


def _opened_again(receiver: Receiver, cast: Cast) -> None:
    receiver.behave = Receiver().behave
    reached(cast, "ld-market", "webhook", receiver.url())


def test_a_skipped_notice_is_not_in_the_feed(cast: Cast) -> None:
    with a_receiver(lambda _request: answer(410)) as receiver:
        market = reached(cast, "ld-market", "webhook", receiver.url())
        first, second = some_notices(cast, "ld-market", 1, each=2)
        post.turn()
    he, tang, dead = cast.who("he"), cast.who("tang"), ways()[first].notice_id
    with transaction():
        skip(dead, actor=he, second=tang, reason="重复", at=now())
    assert page(market) == [(2, second)] and issues() == []
