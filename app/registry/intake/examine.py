"""A file looked at before anything is written: what it is, what its columns mean, what becomes of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from app.registry.intake.heading import Heading, find_heading
from app.registry.intake.judge import judge
from app.registry.intake.lookups import offices
from app.registry.intake.rows import Received, received_rows
from app.registry.intake.trouble import Unreadable
from app.registry.intake.work import Work, work_on

LOOKED_AT = 1000
"""Rows that are judged for the preview."""
TOLD = 50
"""Rows whose reasons a preview shows."""
SAMPLE = 5


@dataclass(frozen=True, slots=True)
class Examined:
    """A readable file: its heading, its first rows, and how many rows it has, notes and totals not counted."""

    heading: Heading
    first: Sequence[Received | int]
    rows: int
    last_row: int


def examine(path: Path, day: date, code: str = "") -> Examined:
    """Read a whole file without the register. Raises Unreadable, also when it breaks off in the middle."""
    heading = find_heading(path, day, code)
    first: list[Received | int] = []
    rows = last = 0
    for received in received_rows(path, heading):
        if len(first) < LOOKED_AT:
            first.append(received)
        if isinstance(received, int):
            last = received
        else:
            rows += 1
            last = received.row
    if not rows:
        raise Unreadable("表头下面没有一行数据；请核对后重新上传")
    return Examined(heading, first, rows, last)


def preview(examined: Examined, office: tuple[int, str], at: datetime, today: date) -> dict[str, Any]:
    """What would become of the first rows, inside `transaction()`; nothing is written."""
    heading = examined.heading
    work = work_on(0, office, heading, offices(), at, today)
    rows = [row if isinstance(row, int) else work.judge(row) for row in examined.first]
    chunk = judge(work, rows)
    return {
        "looked_at": len(rows),
        "complete": len(rows) >= examined.rows and examined.last_row <= _last(examined.first),
        "tallies": chunk.tallies,
        "columns": [_meaning(heading, place) for place in range(len(heading.columns))],
        "missing": [field.name for field in heading.missing],
        "strangers": heading.strangers,
        "told": [
            {"row": line.row, "verdict": line.verdict, "reasons": [list(reason) for reason in line.reasons]}
            for line in chunk.lines[:TOLD]
        ],
        "sample": _sample(work, examined.first),
    }


def _last(rows: Sequence[Received | int]) -> int:
    last = rows[-1] if rows else 0
    return last if isinstance(last, int) else last.row


def _meaning(heading: Heading, place: int) -> list[str]:
    """A column's heading and what it was understood as, "" for nothing."""
    column = heading.columns[place]
    if column.field:
        return [column.heading, heading.entry.by_code[column.field].name]
    return [column.heading, ABOUT.get(column.about, "")]


ABOUT = {
    "sender_id": "报送方记录编号",
    "stamp": "数据更新时间",
    "standing": "公示状态",
    "scope": "信息使用范围",
    "idle": "旧表列，只随原始行留存",
}
"""What columns about the row itself are called."""


def _sample(work: Work, rows: Sequence[Received | int]) -> list[list[str]]:
    sample = []
    for received in rows:
        if isinstance(received, Received):
            sample.append(work.judge(received).clear)
            if len(sample) == SAMPLE:
                break
    return sample
