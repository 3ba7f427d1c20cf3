"""Pages of a list without numbers: one goes on from the last row shown; nothing is counted, nothing skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Select, tuple_

from app.db import db

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows in their order. `before` and `after` are the marks from which the page before and the next one are read;
    None where there is none."""

    rows: tuple[T, ...]
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class Order:
    """By a column and then by id, both upwards or both downwards. `kind` says how a mark is read: day, instant,
    number."""

    column: Any
    id: Any
    kind: str
    down: bool = False

    def mark(self, value: Any, row_id: int) -> str:
        """Where a row stands, as a piece of an address."""
        text = value.isoformat() if isinstance(value, date | datetime) else str(value)
        return f"{text}~{row_id}"

    def read(self, mark: str | None) -> tuple[Any, int] | None:
        """A mark as values; None for none and for one that somebody made up."""
        value, tilde, row_id = (mark or "").rpartition("~")
        if not tilde or not row_id.isascii() or not row_id.isdigit() or len(row_id) > 9:
            return None
        try:
            if self.kind == "number":
                return (int(value), int(row_id)) if value.isascii() and value.isdigit() and len(value) < 10 else None
            if self.kind == "day":
                return date.fromisoformat(value), int(row_id)
            instant = datetime.fromisoformat(value)
        except ValueError:
            return None
        return (instant, int(row_id)) if instant.tzinfo else None

    def beyond(self, mark: tuple[Any, int], down: bool) -> ColumnElement[bool]:
        """Rows on the far side of a mark."""
        place = tuple_(self.column, self.id)
        return place < mark if down else place > mark


def page_of(query: Select[Any], order: Order, *, after: str | None, before: str | None, limit: int) -> Page[Row[Any]]:
    """One page of `query`, which selects the order's column as `mark` and its id as `id`; a made-up mark is ignored."""
    start, end = order.read(after), order.read(before)
    backwards = end is not None and start is None
    down = order.down != backwards
    mark = end if backwards else start
    if mark is not None:
        query = query.where(order.beyond(mark, down))
    columns = (order.column.desc(), order.id.desc()) if down else (order.column.asc(), order.id.asc())
    rows: Sequence[Row[Any]] = db.session.execute(query.order_by(*columns).limit(limit + 1)).all()
    more, rows = len(rows) > limit, list(rows[:limit])
    if backwards:
        rows.reverse()
    if not rows:
        return Page(())
    first, last = order.mark(rows[0].mark, rows[0].id), order.mark(rows[-1].mark, rows[-1].id)
    is_first = not more if backwards else mark is None
    is_last = False if backwards else not more
    return Page(tuple(rows), None if is_first else first, None if is_last else last)
