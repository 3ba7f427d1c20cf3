"""What is the same for every row of a batch, and what came of a chunk of them before it is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from app.registry.fields import DirectoryEntry
from app.registry.intake.heading import Heading
from app.registry.intake.rows import Reader, Received, reader_of
from app.registry.intake.terms import Shown, Terms
from app.registry.numbers import number_key
from app.registry.row_reader import Verdict

IN, WARNED, CORRECTED, DUPLICATE, WAITING = "in", "warned", "corrected", "duplicate", "waiting"
SKIPPED = "skipped"
"""Rows that are none: empty lines, notes, totals, the heading again."""

FINDINGS = {
    "two_names": "同一代码，两个名称",
    "two_codes": "同一名称，两个代码",
    "organ_code": "填的是机关的代码",
    "bad_code": "校验位不符",
    "old_code": "旧代码",
}
"""Doubts about whom a row means, each with its name in the list of them."""

to_json: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Ready(NamedTuple):
    """What a good row will write, as far as the row alone and the law of its day say it: made ahead, while the database
    writes the rows before."""

    values: dict[str, str]
    fields: str
    received: str
    number: str
    number_key: str
    day: date
    shown: Shown


class Judged(NamedTuple):
    """A row that was read: as it came, what it says, as it may be kept, and for a good row what it will write."""

    row: int
    cells: list[str]
    verdict: Verdict
    clear: list[str]
    ready: Ready | None


@dataclass(frozen=True, slots=True)
class Work:
    """A batch at work. `office_id` sent it; `offices` are those that may have recognised its records."""

    batch_id: int
    office_id: int
    office_path: str
    entry: DirectoryEntry
    heading: Heading
    reader: Reader
    terms: Terms
    offices: dict[str, tuple[int, str]]
    at: datetime
    today: date
    places: dict[str, int]
    confirmed: bool = False

    def judge(self, received: Received) -> Judged:
        """Read one row."""
        cells = received.cells
        read = self.reader.cells(cells)
        verdict = self.reader.fields.read(read)
        clear = self.reader.fields.in_the_clear(read)[: len(cells)]
        ready = None if verdict.problems else self._ready(verdict, cells, clear)
        return Judged(received.row, cells, verdict, clear, ready)

    def _ready(self, verdict: Verdict, cells: list[str], clear: list[str]) -> Ready:
        entry = self.entry
        values = self.reader.fields.clear_values(verdict.values, touched=clear != cells)
        number = entry.value("number", values)
        return Ready(
            values,
            to_json(values),
            to_json(self.as_received(clear)),
            number,
            number_key(number),
            date.fromisoformat(entry.value("day", values)),
            self.terms.of(values, self.today),
        )

    def about(self, judged: Judged, meaning: str) -> str:
        """What the row says in a column about itself: its sender's id, its stamp."""
        place = self.places.get(meaning)
        return judged.cells[place].strip() if place is not None else ""

    def as_received(self, cells: list[str]) -> dict[str, str]:
        """The filled cells by their headings."""
        return {
            column.heading or f"#{place + 1}": cell
            for place, (column, cell) in enumerate(zip(self.heading.columns, cells, strict=True))
            if cell
        }


def work_on(
    batch_id: int, office: tuple[int, str], heading: Heading, offices: dict[str, tuple[int, str]], at: datetime,
    today: date, *, confirmed: bool = False,
) -> Work:  # fmt: skip
    """Everything the rows of a batch have in common. `confirmed`: an officer has compared and vouches for the row."""
    entry = heading.entry
    reader = reader_of(heading, today)
    places = {column.about: place for place, column in enumerate(heading.columns) if column.about}
    return Work(batch_id, *office, entry, heading, reader, Terms(entry), offices, at, today, places, confirmed)


@dataclass(slots=True)
class Line:
    """What a batch keeps of a row that is more than plainly taken in."""

    row: int
    verdict: str
    judged: Judged
    reasons: list[tuple[str, str]]
    record_id: int | None = None
    finding: str = ""


@dataclass(slots=True)
class NewSubject:
    """A subject that a row brings; `number` is the document's number of a person, to be sealed."""

    id: int
    kind: str
    name: str
    representative: str
    region: str
    identifier: str
    code: str = ""
    number: str = ""
    blind: str = ""
    since: str = ""


@dataclass(slots=True)
class NewRecord:
    """A record that a row brings, with what publishes it."""

    id: int
    subject_id: int
    office_id: int
    title: str
    published: bool
    judged: Judged
    ready: Ready
    sender_id: str


@dataclass(slots=True)
class Correction:
    """New words of a record that is there; `before` is its row. `deed` changes its publication, or nothing does."""

    before: Any
    title: str
    number: str
    number_key: str
    day: str
    cls: str
    class_basis: str
    minimum_last_day: date | None
    maximum_last_day: date | None
    fields: dict[str, str]
    received: dict[str, str]
    deed: str = ""
    cause: str = ""


@dataclass(slots=True)
class Chunk:
    """All that a chunk of rows will write, in one transaction."""

    subjects: list[NewSubject] = field(default_factory=list)
    records: list[NewRecord] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    tallies: dict[str, int] = field(default_factory=dict)

    def count(self, verdict: str) -> None:
        """One more row of this verdict."""
        self.tallies[verdict] = self.tallies.get(verdict, 0) + 1
