"""Two books side by side: everything that was planted is found under its right name, and nothing else."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models.sharing import CONFIRMING, RECEIPTS
from app.notices.compare import (
    CHANGED,
    CONFIRMED,
    EXTRA,
    KINDS,
    MISSING,
    ORDER,
    SAID,
    STATE,
    STUCK,
    Difference,
    Line,
    Their,
    differences,
    digest_of,
)

DAY = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
WAITED = DAY - timedelta(days=1)
Book = dict[str, Their]


def test_what_a_receiver_may_say_is_what_a_receipt_may_say_and_that_it_lies_there() -> None:
    assert {*RECEIPTS, "received"} == SAID
    assert set(CONFIRMING) == CONFIRMED


def our_book(n: int, per_party: int = 7) -> list[Line]:
    """`n` notices, all delivered, most of them confirmed, to parties of seven notices each."""
    lines = []
    for i in range(n):
        party, seq = divmod(i, per_party)
        confirmed = i % 5 != 0
        lines.append(
            Line(
                notice=f"case-{i}-7-ld-market", body=hashlib.sha256(str(i).encode()).hexdigest(), subject=str(party),
                seq=seq + 1, act="confirm", written_at=DAY - timedelta(minutes=n - i), state="delivered",
                delivered_at=DAY, receipt="done" if confirmed else "", receipt_at=DAY if confirmed else None,
            )
        )  # fmt: skip
    return lines


def their_book(ours: list[Line]) -> Book:
    """The same, as an honest receiver keeps it: each dealt with in the order in which it came."""
    return {
        line.notice: Their(line.notice, line.body, line.receipt or "received", place)
        for place, line in enumerate(ours, start=1)
    }


def test_sixty_planted_differences_of_six_kinds_are_all_found_and_none_is_invented() -> None:
    chance = random.Random(60)
    ours = our_book(3500)
    theirs = their_book(ours)
    parties = chance.sample(range(500), 60)
    planted: set[tuple[str, str]] = set()

    def lack(i: int) -> str:
        del theirs[ours[i].notice]
        return ours[i].notice

    def invent(i: int) -> str:
        other = ours[i].notice.replace("ld-market", "ld-trading") if i % 2 else f"case-{i}-999-ld-market"
        theirs[other] = Their(other, ours[i].body, "done", 90_000 + i)
        return other

    def alter(i: int) -> str:
        theirs[ours[i].notice] = replace(theirs[ours[i].notice], body=f"{ours[i].body[:-1]}x")
        return ours[i].notice

    def hold_back(i: int) -> str:
        """Given up, waiting for days, or delivered without our knowing it."""
        state, old, lacks = [("dead", False, True), ("waiting", True, True), ("waiting", False, False)][i % 3]
        at = WAITED - timedelta(days=3) if old else DAY
        ours[i] = replace(ours[i], state=state, written_at=at, delivered_at=None, receipt="", receipt_at=None)
        theirs[ours[i].notice] = replace(theirs[ours[i].notice], said="received")
        if lacks:
            del theirs[ours[i].notice]
        return ours[i].notice

    def contradict(i: int) -> str:
        said, receipt = ("done", "") if i % 2 else ("refused", "done")
        ours[i] = replace(ours[i], receipt=receipt)
        theirs[ours[i].notice] = replace(theirs[ours[i].notice], said=said)
        return ours[i].notice

    def swap(i: int) -> str:
        one, two = theirs[ours[i].notice], theirs[ours[i + 1].notice]
        theirs[one.notice], theirs[two.notice] = replace(one, place=two.place), replace(two, place=one.place)
        return one.notice

    plant: dict[str, Callable[[int], str]] = {
        MISSING: lack, EXTRA: invent, CHANGED: alter, STUCK: hold_back, STATE: contradict, ORDER: swap,
    }  # fmt: skip
    assert set(plant) == set(KINDS)
    for n, party in enumerate(parties):
        kind = list(plant)[n % 6]
        planted.add((kind, plant[kind](party * 7 + chance.randrange(6))))
    assert len(planted) == 60

    shuffled = list(theirs.values())
    chance.shuffle(shuffled)
    found = differences(ours, shuffled, waited_since=WAITED)
    assert sorted((one.kind, one.notice) for one in found) == sorted(planted)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_equal_books_never_differ_whatever_is_in_them(data: st.DataObject) -> None:
    """Any number of notices, in any state in which an honest receiver's book agrees with ours; they may hold more of
    other periods, and need not say what they did."""
    size = data.draw(st.integers(0, 40))
    ours = []
    for line in our_book(size, data.draw(st.integers(1, 9))):
        state = data.draw(st.sampled_from(("delivered", "delivered", "waiting", "skipped")))
        receipt = data.draw(st.sampled_from(("", *RECEIPTS))) if state == "delivered" else ""
        ours.append(replace(line, state=state, receipt=receipt, written_at=DAY))
    theirs = [
        Their(line.notice, line.body, data.draw(st.sampled_from(("", line.receipt or "received"))), place)
        for place, line in enumerate(ours)
        if line.state == "delivered" or (line.state == "skipped" and data.draw(st.booleans()))
    ]
    earlier = [f"case-{n}-1-ld-market" for n in range(90_000, 90_000 + data.draw(st.integers(0, 3)))]
    theirs += [Their(notice, "x", "done", 0) for notice in earlier]
    theirs = data.draw(st.permutations(theirs))
    assert differences(ours, theirs, waited_since=WAITED, elsewhere=earlier) == []


def test_a_notice_has_one_difference_the_most_pressing_one() -> None:
    (line,) = our_book(1)
    dead = replace(line, state="dead", receipt="")
    assert differences([dead], [Their(line.notice, "other", "done")], waited_since=WAITED) == [
        Difference(CHANGED, line.notice, line.body, "other")
    ]
    assert differences([dead], [Their(line.notice, line.body, "done")], waited_since=WAITED) == [
        Difference(STUCK, line.notice, "dead", "done")
    ]


def test_one_notice_late_among_three_is_named_with_the_one_that_overtook_it() -> None:
    first, second, third = our_book(3)
    theirs = [Their(one.notice, one.body, "", place) for one, place in ((first, 3), (second, 1), (third, 2))]
    (late,) = differences([first, second, third], theirs, waited_since=WAITED)
    assert (late.kind, late.notice, late.other) == (ORDER, first.notice, third.notice)


def test_order_between_different_parties_is_nobodys_business() -> None:
    ours = our_book(6, per_party=1)
    theirs = [Their(one.notice, one.body, "", -place) for place, one in enumerate(ours)]
    assert differences(ours, theirs, waited_since=WAITED) == []


@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=23)])
def test_what_was_written_a_moment_ago_may_wait(age: timedelta) -> None:
    (line,) = our_book(1)
    waiting = replace(line, state="waiting", written_at=DAY - age, receipt="")
    assert differences([waiting], [], waited_since=WAITED) == []


def test_the_digest_does_not_depend_on_the_order_and_does_on_every_character() -> None:
    pairs = [("case-10-1-a", "bb"), ("case-9-1-a", "aa")]
    expected = hashlib.sha256(b"case-10-1-a bb\ncase-9-1-a aa\n").hexdigest()
    assert digest_of(pairs) == digest_of(reversed(pairs)) == expected
    assert digest_of([("case-10-1-a", "bb"), ("case-9-1-a", "ab")]) != expected
    assert digest_of([]) == hashlib.sha256(b"").hexdigest()
