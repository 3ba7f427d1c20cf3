"""What an answer means, and when to try again: plain arithmetic, no row and no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import NamedTuple

EARLY = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
"""Pauses after the first tries; the first try itself is made at once."""
LATER, SPREAD = timedelta(hours=5), 0.2
"""Every pause after those, ± 20 %: four to six hours."""
REST_AT_MOST = timedelta(hours=6)
"""How far a Retry-After is believed."""
NEVER_AFTER = 3
"""So many refusals in a row that mean "this will never work"."""
BREAK_AFTER = 5
"""So many failures of a receiver in a row open its breaker."""
FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(minutes=30)
"""How long a receiver is then left alone: doubled with every probe that fails."""
PATIENT_STATUS = frozenset((408, 409, 425, 429))


class Outcome(Enum):
    """DELIVERED; AGAIN: later; NEVER: a refusal that trying does not cure; GONE: the receiver wants nothing more."""

    DELIVERED = "delivered"
    AGAIN = "again"
    NEVER = "never"
    GONE = "gone"


class Verdict(NamedTuple):
    """`alive`: the receiver itself has answered, so that its breaker closes. `rest`: how long it asks to be left
    alone, None when it does not."""

    outcome: Outcome
    alive: bool
    rest: timedelta | None = None


def verdict(status: int | None, retry_after: str, at: datetime) -> Verdict:
    """What a status means; None is a time-out, a reset or no connection. A redirect is not followed: a failure."""
    if status is None:
        return Verdict(Outcome.AGAIN, alive=False)
    if 200 <= status < 300:
        return Verdict(Outcome.DELIVERED, alive=True)
    if status == 410:
        return Verdict(Outcome.GONE, alive=True)
    if 400 <= status < 500 and status not in PATIENT_STATUS:
        return Verdict(Outcome.NEVER, alive=True)
    return Verdict(Outcome.AGAIN, alive=400 <= status < 500, rest=asked_rest(retry_after, at))


def asked_rest(retry_after: str, at: datetime) -> timedelta | None:
    """A Retry-After, in seconds or as an HTTP date; at most six hours, None when it cannot be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), REST_AT_MOST)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(until - at, timedelta()), REST_AT_MOST)


def pause(tries: int, dice: float) -> timedelta:
    """How long to wait after so many tries; `dice` in [0, 1) spreads the later ones."""
    if tries <= len(EARLY):
        return EARLY[tries - 1]
    return LATER * (1 - SPREAD + 2 * SPREAD * dice)


def rest_after(failures: int) -> timedelta:
    """How long a receiver with so many failures in a row is left alone (at least BREAK_AFTER of them)."""
    doublings = min(failures - BREAK_AFTER, 10)
    return min(FIRST_REST * 2**doublings, LONGEST_REST)


def counted(before: int, failures: int) -> int:
    """Failures in a row after more of them: those that were on their way together open the breaker once."""
    return min(before + failures, max(BREAK_AFTER, before + 1))
