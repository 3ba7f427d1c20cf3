"""The post: who is told, by which channel, in which order, what an answer means, and that nobody waits for another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, timedelta
from email.utils import format_datetime

import pytest
from flask import Flask
from sqlalchemy import event, select, update
from standardwebhooks import Webhook

from app.db import db, transaction
from app.duty import claims, post
from app.duty.record import record, result_of
from app.duty.relay import IN_FLIGHT
from app.models import Attempt, Notice, ReceiverKey
from app.notices.couriers.http import Answer
from app.notices.keys import webhook_secrets
from app.notices.wire import canonical
from app.now import now
from tests.casework.acts import at_once
from tests.cast import Cast
from tests.conftest import Clock
from tests.notices.post_room import endpoint, in_order, issues, lost_leases, reached, some_notices, states, tries, ways
from tests.notices.receiver import HANG, HUGE, OK, RESET, Receiver, Request, a_receiver, answer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A department's own server; it takes everything unless it is told otherwise."""
    with a_receiver() as receiver:
        yield receiver


def turn() -> post.Done:
    """One turn, in which a try may take half a second."""
    return post.turn(seconds=20, timeout=0.5)


def test_a_notice_arrives_signed_under_its_key_as_it_was_frozen(cast: Cast, receiver: Receiver) -> None:
    office = reached(cast, "ld-market", "webhook", receiver.url())
    [key] = some_notices(cast, "ld-market", 1)
    assert turn() == post.Done(delivered=1, failed=0, elsewhere=0, given_up=0)
    [came] = receiver.taken
    secrets = webhook_secrets(office, now())
    db.session.rollback()
    assert came.path == "/notices" and came.headers["content-type"] == "application/json"
    assert came.id == key and came.headers["webhook-timestamp"] == str(int(now().timestamp()))
    assert came.headers["webhook-signature"] == Webhook(secrets[0]).sign(key, now().astimezone(UTC), came.body.decode())
    assert came.body == canonical(json.loads(came.body)) and json.loads(came.body)["notice"] == key
    way = ways()[key]
    assert (way.state, way.channel, way.attempts, way.delivered_at) == ("delivered", "webhook", 1, now())
    assert [(one.status, one.channel, one.at) for one in tries(key)] == [(204, "webhook", now())]
    assert turn() == post.Done(0, 0, 0, 0), "and nothing is sent twice"


def test_five_at_most_are_on_their_way_to_one_receiver(cast: Cast, receiver: Receiver) -> None:
    reached(cast, "ld-market", "webhook", receiver.url())
    some_notices(cast, "ld-market", 40)
    assert turn().delivered == 40
    assert 1 < receiver.most_at_once <= IN_FLIGHT
    assert receiver.connections <= IN_FLIGHT, "connections are kept"


def test_nothing_about_a_company_overtakes_anything(app: Flask, cast: Cast, receiver: Receiver) -> None:
    """Three posts at once, a receiver that fails now and then: what comes first was written first, and counts once."""
    reached(cast, "ld-market", "webhook", receiver.url())
    keys = some_notices(cast, "ld-market", 12, each=4)
    failing = set(keys[3::7])
    failures = len(failing)

    def sometimes(request: Request) -> bytes:
        if request.id in failing:
            failing.discard(request.id)
            return answer(500)
        return OK

    receiver.behave = sometimes
    outcomes = at_once(app, [turn, turn, turn])
    assert all(isinstance(one, post.Done) for one in outcomes), outcomes
    turn()
    assert set(states()) <= {"delivered", "waiting"}
    while "waiting" in states():
        _later(timedelta(minutes=1))
        turn()
    taken = [request.id for request in receiver.taken]
    assert set(taken) == set(keys) and in_order(taken)
    assert len(taken) == len(keys) + failures, "each came once, and once more where it had failed"
    assert sum(len(tries(key)) for key in keys) == len(taken), "every try is kept"
    assert all(way.attempts == len(tries(key)) for key, way in ways().items())


_CLOCKS: list[Clock] = []


@pytest.fixture(autouse=True)
def _clock(clock: Clock) -> Iterator[None]:
    _CLOCKS.append(clock)
    yield
    _CLOCKS.clear()


def _later(by: timedelta) -> None:
    _CLOCKS[-1].at += by


def test_two_posts_at_once_deliver_nothing_twice(app: Flask, cast: Cast, receiver: Receiver) -> None:
    reached(cast, "ld-market", "webhook", receiver.url())
    keys = some_notices(cast, "ld-market", 60)
    done = at_once(app, [turn, turn])
    assert sum(one.delivered for one in done) == 60, done
    assert sorted(receiver.ids) == sorted(keys)


def test_a_batch_for_many_receivers_is_claimed_and_written_down_by_one_change_of_each_table(cast: Cast) -> None:
    codes = ("ld-creditchina", "ld-hunan", "ld-market")
    offices = [reached(cast, code, "webhook", "http://127.0.0.1:1/nobody") for code in codes]
    keys = [key for code in codes for key in some_notices(cast, code, 20)]
    changed: list[str] = []

    def note(_c: object, _cursor: object, statement: str, _p: object, _context: object, _many: bool) -> None:
        if not statement.startswith(("SELECT", "BEGIN")):
            changed.append(" ".join(statement.split()[:3]))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        claimed = claims.claim({**dict.fromkeys(offices, 100), cast.offices["ld-trading"]: 5}, now())
        assert changed == ["UPDATE delivery SET"]
        changed.clear()
        assert claimed.pop(cast.offices["ld-trading"]) == (None, [])
        jobs = [job for receiver, mine in claimed.values() for job in mine if receiver is not None]
        record([result_of(job, now(), 7, Answer(204)) for job in jobs])
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert changed == ["INSERT INTO attempt", "UPDATE delivery SET"]
    assert sorted(job.key for job in jobs) == sorted(keys) and set(states()) == {"delivered"}
    assert all([(one.status, one.at, one.detail) for one in tries(key)] == [(204, now(), "")] for key in keys)


def test_what_was_sent_and_not_written_down_is_sent_again_under_the_same_key(cast: Cast, receiver: Receiver) -> None:
    """The post dies between the answer and the row; the receiver knows the key and does nothing twice."""
    office = reached(cast, "ld-market", "webhook", receiver.url())
    [key] = some_notices(cast, "ld-market", 1)
    _receiver, [job] = claims.claim({office: 10}, now())[office]
    assert turn().delivered == 0, "it belongs to the one that died"
    _later(claims.LEASE)
    assert turn().delivered == 0
    _later(timedelta(seconds=1))
    assert turn().delivered == 1
    late = result_of(job, now(), 5, Answer(None, "超过时限没有答完"))
    record([late])
    way = ways()[key]
    assert (way.state, way.attempts) == ("delivered", 1), "the dead one's failure changes nothing"
    assert receiver.ids == [key]


def test_a_success_counts_even_when_the_lease_was_lost(cast: Cast, receiver: Receiver) -> None:
    office = reached(cast, "ld-market", "webhook", receiver.url())
    [key] = some_notices(cast, "ld-market", 1)
    _receiver, [job] = claims.claim({office: 10}, now())[office]
    lost_leases()
    receiver.behave = lambda _request: answer(410)
    turn()
    assert ways()[key].state == "dead" and len(issues()) == 1
    record([result_of(job, now(), 5, Answer(204))])
    assert ways()[key].state == "delivered" and issues() == [], "they have it, and nobody need settle anything"


@pytest.mark.parametrize(
    ("said", "status", "pause"),
    [
        (answer(500), 500, 5),
        (answer(302, "Location: http://127.0.0.1:1/elsewhere"), 302, 5),
        (answer(404), 404, 5),
        (answer(429, "Retry-After: 120"), 429, 120),
        (answer(503, "Retry-After: 999999"), 503, 6 * 3600),
        (answer(429, "Retry-After: soon"), 429, 5),
        (answer(503, "Retry-After: DATE"), 503, 600),
        (answer(101), 101, 5),
        (RESET, None, 5),
        (HANG, None, 5),
        (HUGE + b"500", 500, 5),
    ],
    ids=["500", "302", "404", "429", "503-long", "429-word", "503-date", "101", "reset", "hang", "huge-500"],
)
def test_what_is_no_success_is_tried_again_later(
    cast: Cast, receiver: Receiver, said: bytes, status: int | None, pause: int
) -> None:
    office = reached(cast, "ld-market", "webhook", receiver.url())
    [key] = some_notices(cast, "ld-market", 1)
    date = format_datetime((now() + timedelta(minutes=10)).astimezone(UTC), usegmt=True).encode()
    receiver.behave = lambda _request: said.replace(b"DATE", date)
    assert turn() == post.Done(0, failed=1, elsewhere=0, given_up=0)
    way, [one] = ways()[key], tries(key)
    assert (way.state, way.attempts, way.first_at) == ("waiting", 1, now())
    assert (one.status, way.next_at) == (status, now() + timedelta(seconds=pause))
    assert way.trouble, "the row says what happened"
    receiver.behave = lambda _request: OK
    assert turn().delivered == 0, "not before its time"
    _later(timedelta(seconds=pause))
    assert turn().delivered == 1
    assert receiver.ids == [key, key]
    assert (endpoint(office).failures, endpoint(office).trouble) == (0, "")


@pytest.mark.parametrize("said", [answer(200), answer(202, body=b"taken"), HUGE + b"200"], ids=["200", "202", "huge"])
def test_every_two_hundred_is_a_success_however_much_they_say(cast: Cast, receiver: Receiver, said: bytes) -> None:
    reached(cast, "ld-market", "webhook", receiver.url())
    keys = some_notices(cast, "ld-market", 3)
    receiver.behave = lambda _request: said
    assert turn().delivered == 3
    assert sorted(receiver.ids) == sorted(keys)


def test_a_redirect_is_not_followed(cast: Cast, receiver: Receiver) -> None:
    with a_receiver() as elsewhere:
        reached(cast, "ld-market", "webhook", receiver.url())
        some_notices(cast, "ld-market", 1)
        receiver.behave = lambda _request: answer(307, f"Location: {elsewhere.url()}")
        turn()
        assert elsewhere.taken == []


def test_three_refusals_in_a_row_are_final_and_somebody_is_told(cast: Cast, receiver: Receiver) -> None:
    reached(cast, "ld-market", "webhook", receiver.url())
    first, second = some_notices(cast, "ld-market", 1, each=2)
    [other] = some_notices(cast, "ld-market", 1)
    said = {first: iter([answer(422), answer(500), answer(422), answer(400, body="没有<b>这个</b>字段".encode())])}
    receiver.behave = lambda request: next(said[request.id], answer(422)) if request.id in said else OK
    for pause in (5, 60, 300, 1800):
        assert turn().failed == 1
        assert ways()[first].state == "waiting"
        _later(timedelta(seconds=pause))
    turn()
    ways_now = ways()
    assert (ways_now[first].state, ways_now[first].given_up_at) == ("dead", now())
    assert "连续 3 次拒绝" in ways_now[first].trouble
    [issue] = issues()
    assert (issue.kind, issue.key, issue.opened_at) == ("dead", f"dead-{ways_now[first].notice_id}-1", now())
    assert issue.office_id == cast.offices["province"] and issue.detail["attempts"] == 5
    assert ways_now[second].state == "waiting" and ways_now[second].attempts == 0, "what comes later is held"
    assert ways_now[other].state == "delivered", "other companies' are not"
    _later(timedelta(days=30))
    turn()
    assert ways()[second].attempts == 0


def test_gone_means_gone(cast: Cast, receiver: Receiver) -> None:
    office = reached(cast, "ld-market", "webhook", receiver.url())
    some_notices(cast, "ld-market", 30)
    receiver.behave = lambda _request: answer(410)
    turn()
    assert len(receiver.taken) <= IN_FLIGHT, "nobody is asked again who wants nothing more"
    gone = endpoint(office)
    assert (gone.stopped_at, gone.stopped_why) == (now(), "对方答复不再接收（410）")
    assert states().count("dead") == len(receiver.taken) == len(issues())
    before = len(receiver.taken)
    _later(timedelta(days=1))
    assert turn() == post.Done(0, 0, 0, 0)
    assert len(receiver.taken) == before


def test_without_a_secret_nothing_leaves_the_house(cast: Cast, receiver: Receiver) -> None:
    reached(cast, "ld-market", "webhook", receiver.url())
    [key] = some_notices(cast, "ld-market", 1)
    with transaction() as session:
        session.execute(update(ReceiverKey).values(valid_until=now()))
    turn()
    assert receiver.taken == [] and tries(key)[0].detail == "没有有效的签名密钥"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_an_address_inside_our_walls_is_not_called(
    app: Flask, cast: Cast, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Whatever was registered: it is the address of the socket that counts."""
    monkeypatch.setitem(app.config, "PRIVATE_RECEIVERS", False)
    reached(cast, "ld-market", "webhook", f"http://{host}:{receiver.port}/notices")
    [key] = some_notices(cast, "ld-market", 1)
    turn()
    assert receiver.connections == 0
    assert "内部网络" in tries(key)[0].detail


def test_a_receiver_that_fails_five_times_is_left_alone_and_then_asked_by_one(cast: Cast, receiver: Receiver) -> None:
    office = reached(cast, "ld-market", "webhook", receiver.url())
    keys = some_notices(cast, "ld-market", 30)
    receiver.behave = lambda _request: answer(500)
    assert turn().failed == 5
    assert (endpoint(office).failures, endpoint(office).open_until) == (5, now() + timedelta(minutes=1))
    _later(timedelta(seconds=59))
    assert turn() == post.Done(0, 0, 0, 0)
    for minutes in (2, 4, 8, 16, 30, 30):
        _later(endpoint(office).open_until - now())
        assert turn() == post.Done(0, failed=1, elsewhere=0, given_up=0), "one looks whether it is back"
        assert endpoint(office).open_until == now() + timedelta(minutes=minutes)
    receiver.behave = lambda _request: OK
    _later(timedelta(minutes=30))
    assert turn().delivered == 30, "it is back, and nothing that had failed waits for its own hour"
    assert endpoint(office).failures == 0 and endpoint(office).open_until is None
    assert set(receiver.ids) == set(keys)


def test_one_that_hangs_and_one_that_is_dead_delay_nobody(cast: Cast, receiver: Receiver) -> None:
    """The healthy one has everything before the first try at the hanging one has timed out."""
    with a_receiver(lambda _request: HANG) as hanging:
        reached(cast, "ld-creditchina", "webhook", "http://127.0.0.1:1/nobody")
        reached(cast, "ld-hunan", "webhook", hanging.url())
        reached(cast, "ld-market", "webhook", receiver.url())
        for code in ("ld-creditchina", "ld-hunan", "ld-market"):
            some_notices(cast, code, 50)
        done = post.turn(seconds=20, timeout=3)
    assert done.delivered == 50 and done.failed == 2 * IN_FLIGHT
    assert len(hanging.taken) == IN_FLIGHT
    order = receivers_tried()
    assert order.index(cast.offices["ld-hunan"]) > last(order, cast.offices["ld-market"]), "nobody waited for it"


def receivers_tried() -> list[int]:
    """Whose notices were tried, in the order in which it was written down."""
    query = select(Notice.receiver_id).join(Attempt, Attempt.notice_id == Notice.id).order_by(Attempt.id)
    found = list(db.session.execute(query).scalars())
    db.session.rollback()
    return found


def last(order: list[int], of: int) -> int:
    """The last place of somebody in an order."""
    return len(order) - 1 - order[::-1].index(of)


def test_a_turn_comes_to_its_end_and_lets_go_of_what_it_has_not_tried(cast: Cast, receiver: Receiver) -> None:
    office = reached(cast, "ld-market", "webhook", receiver.url())
    some_notices(cast, "ld-market", 30)
    stopped = False

    def slow(_request: Request) -> bytes:
        nonlocal stopped
        stopped = True
        return OK

    receiver.behave = slow
    post.turn(seconds=20, timeout=5, stop=lambda: stopped)
    assert 0 < states(office).count("delivered") < 30
    assert all(way.lease_until is None for way in ways(office).values())
    receiver.behave = lambda _request: OK
    turn()
    assert len(receiver.ids) == len(set(receiver.ids)) == 30
