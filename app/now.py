"""What time it is: the only clock of the house. Tests and demo seeds may set it; nothing else asks the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime


def _machine() -> datetime:
    return datetime.now(UTC)


_source: ContextVar[Callable[[], datetime]] = ContextVar("clock", default=_machine)


def now() -> datetime:
    """This instant, aware, in UTC."""
    return _source.get()()


@contextmanager
def moved_to(at: datetime | Callable[[], datetime]) -> Iterator[None]:
    """Within the block the clock stands at `at` (aware), or says what the callable says."""
    source = at if callable(at) else (lambda: at)
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)
