"""归集情况: how completely, rightly and timely each office has reported in a period, from its batches and records.

归集目录覆盖率: kinds of record of which something was taken in ÷ kinds in force. 数据合规率: rows that were right as
they came ÷ rows that are no duplicates. 及时率: records reported within `desk.report_within` after their decision ÷
records. 重复率: rows that said nothing new ÷ rows. A batch that was taken back does not count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import String, cast, func, select

from app.db import db
from app.models import Batch, BatchRow, CreditRecord, Office
from app.registry.entries import entries
from app.registry.intake.lookups import within
from workflows.calendar import Calendar, day_start, legal_day
from workflows.law import rule

TAKEN_IN = ("in", "warned", "corrected")
OPEN = ("waiting", "ignored", "sent_back")


@dataclass
class Sum:
    """What came in. `mended` rows were taken in only after somebody had corrected them here."""

    batches: int = 0
    taken: int = 0
    open: int = 0
    waiting: int = 0
    duplicates: int = 0
    mended: int = 0
    records: int = 0
    timely: int = 0

    @property
    def rows(self) -> int:
        """Rows of data, without empty lines, notes and totals."""
        return self.taken + self.open + self.duplicates

    @property
    def compliant(self) -> float | None:
        """数据合规率; None when nothing came in."""
        return _part(self.taken - self.mended, self.taken + self.open)

    @property
    def in_time(self) -> float | None:
        """及时率."""
        return _part(self.timely, self.records)

    @property
    def repeated(self) -> float | None:
        """重复率."""
        return _part(self.duplicates, self.rows)

    def add(self, tallies: dict[str, int], mended: int, records: int, timely: int) -> None:
        """One more batch."""
        self.batches += 1
        self.taken += sum(tallies.get(verdict, 0) for verdict in TAKEN_IN)
        self.open += sum(tallies.get(verdict, 0) for verdict in OPEN)
        self.waiting += tallies.get("waiting", 0)
        self.duplicates += tallies.get("duplicate", 0)
        self.mended += mended
        self.records += records
        self.timely += timely


@dataclass
class OfficeFigures:
    """The figures of one office; `kinds` are those of which it reported something."""

    id: int
    code: str
    name: str
    total: Sum = field(default_factory=Sum)
    by_kind: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))

    def covered(self, kinds: Sequence[str]) -> float | None:
        """归集目录覆盖率 over the kinds in force."""
        return _part(sum(self.by_kind[kind].taken > 0 for kind in kinds if kind in self.by_kind), len(kinds))


def kinds_on(day: date) -> dict[str, str]:
    """The kinds of record in force on a day: code and title."""
    return {entry.code: entry.title for entry in entries() if entry.in_force(day)}


def coverage(paths: Sequence[str], since: date, until: date, calendar: Calendar) -> list[OfficeFigures]:
    """Figures of every office in these branches for batches handed in from a day to a day, both counted; four
    statements. Offices that sent nothing are there too."""
    offices = db.session.execute(
        select(Office.id, Office.code, Office.name, Office.kind)
        .where(Office.kind != "linked", within(Office.path, paths))
        .order_by(Office.path)
    ).all()
    found = {row.id: OfficeFigures(row.id, row.code, row.name) for row in offices}
    end = date.fromordinal(until.toordinal() + 1)
    wanted = (
        Batch.made_at >= day_start(since),
        Batch.made_at < day_start(end),
        Batch.started_at.is_not(None),
        Batch.state != "undone",
        Batch.office_id.in_(select(Office.id).where(within(Office.path, paths))),
    )
    batches = db.session.execute(
        select(Batch.id, Batch.office_id, Batch.directory, Batch.made_at, Batch.tallies).where(*wanted)
    ).all()
    mended, records, timely = _mended(wanted), Counter[int](), Counter[int]()
    days = {batch.id: legal_day(batch.made_at) for batch in batches}
    limit, known = int(rule("desk.report_within").on(until).value or 0), dict[tuple[date, date], bool]()
    for batch_id, decided, count in _decided(wanted):
        asked = decided, days[batch_id]
        if asked not in known:
            known[asked] = _in_time(calendar, *asked, limit)
        records[batch_id] += count
        timely[batch_id] += count if known[asked] else 0
    for batch in batches:
        office = found[batch.office_id]
        for total in (office.total, office.by_kind[batch.directory.partition("/")[0]]):
            total.add(batch.tallies, mended.get(batch.id, 0), records[batch.id], timely[batch.id])
    organs = {row.id for row in offices if row.kind == "organ"}
    return [figures for figures in found.values() if figures.id in organs or figures.total.batches]


def _mended(wanted: Sequence[Any]) -> dict[int, int]:
    rows = db.session.execute(
        select(BatchRow.batch_id, func.count())
        .join(Batch, Batch.id == BatchRow.batch_id)
        .where(
            *wanted,
            BatchRow.verdict.in_(TAKEN_IN),
            func.coalesce(cast(BatchRow.mended, String), "null") != "null",
        )
        .group_by(BatchRow.batch_id)
    ).all()
    return {batch: count for batch, count in rows}


def _decided(wanted: Sequence[Any]) -> Sequence[Any]:
    """How many records of each batch were decided on which day."""
    return db.session.execute(
        select(CreditRecord.batch_id, CreditRecord.recognised_on, func.count())
        .join(Batch, Batch.id == CreditRecord.batch_id)
        .where(*wanted, CreditRecord.undone_at.is_(None))
        .group_by(CreditRecord.batch_id, CreditRecord.recognised_on)
    ).all()


def _in_time(calendar: Calendar, decided: date, reported: date, limit: int) -> bool:
    """Whether so few working days lie between; what is months old is late without counting."""
    if (reported - decided).days > 8 * limit + 30:
        return False
    return reported <= decided or calendar.working_between(decided, reported) <= limit


def _part(some: int, all: int) -> float | None:
    return some / all if all else None
