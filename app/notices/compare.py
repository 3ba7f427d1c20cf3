"""Two books about the same notices, ours and a receiver's: what differs, in six kinds. Pure: knows no database.

Every difference names one notice, and a notice has at most one: the first that holds, in the order of `KINDS`, because
what comes first is to be settled first (whoever lacks a notice need not be asked in which order it was done).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

MISSING, EXTRA, CHANGED, STUCK, STATE, ORDER = "missing", "extra", "changed", "stuck", "state", "order"
KINDS = {
    MISSING: "我们送达了，对方没有",
    EXTRA: "对方有，我们没有发给他们",
    CHANGED: "正文不一致",
    STUCK: "我们这边还没有送达",
    STATE: "办没办，两边说法不一",
    ORDER: "办理的先后颠倒",
}
"""What a difference is called, the most pressing first."""

CONFIRMED = frozenset(("done", "holds_nothing", "already_ended"))
UNCONFIRMED = frozenset(("received", "not_found", "refused"))
SAID = CONFIRMED | UNCONFIRMED
"""What a receiver may say of a notice: `received` is taken in and not dealt with; the others are kinds of receipts."""


@dataclass(frozen=True, slots=True)
class Line:
    """A notice as it stands in our book.

    `body` is the SHA-256 of its words, `subject` whatever names the party it is about, `seq` its number about that
    party. `state` is that of its delivery, `receipt` the kind of the latest receipt, empty while there is none.
    `asked`: a confirmation is asked for, by `confirm_by` when the law gives a day.
    """

    notice: str
    body: str
    subject: str
    seq: int
    act: str
    written_at: datetime
    state: str
    delivered_at: datetime | None = None
    receipt: str = ""
    receipt_at: datetime | None = None
    asked: bool = True
    confirm_by: date | None = None


@dataclass(frozen=True, slots=True)
class Their:
    """A notice as it stands in the receiver's book. `said` is one of SAID, or empty when they say nothing about it;
    `place` the place in which they dealt with it among all their notices, None when they do not say."""

    notice: str
    body: str
    said: str = ""
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One notice about which the books differ. `ours` and `theirs` say what each has, in the words of the books;
    `other` is the later notice that was dealt with before this one."""

    kind: str
    notice: str
    ours: str = ""
    theirs: str = ""
    other: str = ""


def digest_of(pairs: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over `"{notice} {body}\\n"` for every pair, sorted by notice, in hexadecimal."""
    found = hashlib.sha256()
    for notice, body in sorted(pairs):
        found.update(f"{notice} {body}\n".encode())
    return found.hexdigest()


def differences(
    ours: Sequence[Line], theirs: Sequence[Their], *, waited_since: datetime, elsewhere: Collection[str] = ()
) -> list[Difference]:
    """Every difference between the books, in the order of our lines, then what only they have.

    A notice written at or before `waited_since` should not be waiting any more. `elsewhere` are notices of ours to the
    same receiver that are not in our lines (another period): they are no difference. A notice that was formally skipped
    is none either, whether they have it or not.
    """
    held = {their.notice: their for their in theirs}
    late = _late(ours, held)
    found = []
    for line in ours:
        if line.state != "skipped":
            difference = _of(line, held.get(line.notice), waited_since, late)
            if difference is not None:
                found.append(difference)
    known = {line.notice for line in ours} | set(elsewhere)
    found += [Difference(EXTRA, notice, "", their.body) for notice, their in held.items() if notice not in known]
    return found


def _of(line: Line, their: Their | None, waited_since: datetime, late: dict[str, str]) -> Difference | None:
    unsent = line.state != "delivered"
    overlong = line.state == "dead" or (line.state == "waiting" and line.written_at <= waited_since)
    if their is None:
        if unsent:
            return Difference(STUCK, line.notice, line.state) if overlong else None
        return Difference(MISSING, line.notice, line.state)
    if their.body != line.body:
        return Difference(CHANGED, line.notice, line.body, their.body)
    if unsent:
        return Difference(STUCK, line.notice, line.state, their.said or "received")
    if their.said and (their.said in CONFIRMED) != (line.receipt in CONFIRMED):
        return Difference(STATE, line.notice, line.receipt, their.said)
    if line.notice in late:
        return Difference(ORDER, line.notice, str(line.seq), str(their.place), late[line.notice])
    return None


def _late(ours: Sequence[Line], held: dict[str, Their]) -> dict[str, str]:
    """Notices that were dealt with after a later one about the same party, and that later one."""
    series: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for line in ours:
        their = held.get(line.notice)
        if their is not None and their.place is not None and line.state != "skipped":
            series[line.subject].append((their.place, line.seq, line.notice))
    late = {}
    for dealt_with in series.values():
        highest, highest_notice = 0, ""
        for _place, seq, notice in sorted(dealt_with):
            if seq < highest:
                late[notice] = highest_notice
            else:
                highest, highest_notice = seq, notice
    return late
