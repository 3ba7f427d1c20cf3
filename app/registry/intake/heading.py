"""The heading of a sheet: in which row it stands, which column means which field, what is missing.

Offices put titles above it, mark mandatory columns, write field codes or names of older sheets. What a column means is
said once here, before anything is taken in; a file whose columns contradict each other is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from app.registry.entries import code_list, entries, entry_of, envelope
from app.registry.fields import DirectoryEntry, Field, heading_key
from app.registry.intake.sheet import Layout, layouts, rows_of
from app.registry.intake.trouble import Unreadable
from app.registry.masking import quoted
from app.registry.text import fold, is_blank, tidy

SEARCHED = 40
"""Rows in which the heading is looked for."""
FEWEST = 3
"""Columns that have to be known for a row to be a heading."""
INDISPENSABLE = ("name", "number", "day")
"""Roles without which no row can become a record."""
_MARKS = re.compile(r"^[*＊★]+|[*＊★]+$|[(（](?:必填|选填|非必填|可空|必填项|选填项)[)）]")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading as written, the field it means, or what it says about the row (`envelope.csv`)."""

    heading: str
    field: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """What was found out about a file. `line` is the heading's row as a spreadsheet numbers it."""

    directory: str
    layout: Layout
    line: int
    columns: tuple[Column, ...]

    @property
    def entry(self) -> DirectoryEntry:
        """The directory edition the rows are read by."""
        entry = entry_of(self.directory)
        assert entry is not None, self.directory
        return entry

    @property
    def missing(self) -> list[Field]:
        """Mandatory fields for which there is neither a column nor one that stands in."""
        there = {column.field for column in self.columns}
        return [
            field
            for field in self.entry.fields
            if field.required == "Y" and field.code not in there and field.stand_in not in there - {""}
        ]

    @property
    def strangers(self) -> list[str]:
        """Columns nobody knows; they are kept with the row as received."""
        return [column.heading for column in self.columns if column.heading and not (column.field or column.about)]

    def kept(self) -> dict[str, Any]:
        """As a batch keeps it."""
        layout = self.layout
        return {
            "format": layout.format,
            "encoding": layout.encoding,
            "delimiter": layout.delimiter,
            "sheet": layout.sheet,
            "line": self.line,
            "columns": [[column.heading, column.field, column.about] for column in self.columns],
        }


def heading_of(directory: str, kept: Mapping[str, Any]) -> Heading:
    """The heading a batch has kept."""
    layout = Layout(kept["format"], kept["encoding"], kept["delimiter"], kept["sheet"])
    return Heading(directory, layout, kept["line"], tuple(Column(*column) for column in kept["columns"]))


def find_heading(path: Path, day: date, code: str = "") -> Heading:
    """Find the heading of a file by the directory entries in force on a day, or by the one asked for.

    Raises Unreadable: no heading, two columns for one field, an indispensable column missing, an unreadable file.
    """
    candidates = [entry for entry in entries() if entry.in_force(day) and code in ("", entry.code)]
    best: tuple[int, DirectoryEntry, Layout, int, list[str]] | None = None
    trouble: Unreadable | None = None
    for layout in layouts(path):
        try:
            with rows_of(path, layout) as rows:
                top = list(islice(rows, SEARCHED))
        except Unreadable as error:
            trouble = trouble or error
            continue
        for entry in candidates:
            for line, cells in top:
                known = sum(1 for cell in cells if cell and _field(entry, cell) is not None)
                if known >= FEWEST and (best is None or known > best[0]):
                    best = known, entry, layout, line, cells
    if best is None:
        if trouble is not None:
            raise trouble
        names = "、".join(f"“{field.name}”" for field in candidates[0].fields if field.role in INDISPENSABLE)
        text = "前 {count} 行里没有找到表头；表头应写有{names}等字段名，可以先下载模板对照"
        raise Unreadable(text, count=SEARCHED, names=names)
    _known, entry, layout, line, cells = best
    heading = Heading(f"{entry.code}/{entry.edition}", layout, line, _columns(entry, cells))
    _refuse_twice(entry, heading.columns)
    _refuse_missing(entry, heading.columns)
    return heading


def _columns(entry: DirectoryEntry, cells: Sequence[str]) -> tuple[Column, ...]:
    columns = []
    for cell in cells:
        field = _field(entry, cell) if cell else None
        about = envelope().get(heading_key(_bare(cell)), "") if cell and field is None else ""
        columns.append(Column(tidy(cell), field.code if field else "", about))
    while columns and not columns[-1].heading:
        columns.pop()
    return tuple(columns)


def _field(entry: DirectoryEntry, cell: str) -> Field | None:
    return entry.field(cell) or entry.field(_bare(cell))


def _bare(cell: str) -> str:
    """A heading without the marks of mandatory columns."""
    return _MARKS.sub("", tidy(cell).replace(" ", ""))


def _refuse_twice(entry: DirectoryEntry, columns: Iterable[Column]) -> None:
    meanings = Counter(column.field or column.about for column in columns)
    for meaning, count in meanings.items():
        field = entry.by_code.get(meaning)
        if count < 2 or meaning in ("", "idle") or (field is not None and "some-of" in field.rules):
            continue
        headings = "、".join(f"“{quoted(c.heading)}”" for c in columns if meaning in (c.field, c.about))
        name = field.name if field else {"sender_id": "报送方记录编号"}.get(meaning, "记录状态")
        raise Unreadable("{headings}这几列都是“{name}”，无法判断以哪一列为准；请只留一列", headings=headings, name=name)


def _refuse_missing(entry: DirectoryEntry, columns: Iterable[Column]) -> None:
    there = {column.field for column in columns}
    for role in INDISPENSABLE:
        for field in entry.by_role[role]:
            if field.code not in there:
                raise Unreadable("表头里没有“{name}”这一列，任何一行都无法办理；请补上后重新上传", name=field.name)


def document_named(entry: DirectoryEntry, column: Column) -> tuple[str, str] | None:
    """(field of the kind of document, its value) when the heading of a number's column itself says which document:
    居民身份证号, in sheets that have no column for the kind."""
    field = entry.by_code.get(column.field)
    kind = field.rules.get("number-of", "") if field else ""
    if not kind:
        return None
    written = fold(column.heading)
    for value in code_list(entry.by_code[kind].code_list).values:
        if value in written or (value == "身份证" and written.endswith(("SFZ", "SFZH"))):
            return kind, value
    return None


def is_heading_again(heading: Heading, cells: Sequence[str]) -> bool:
    """True for a row that repeats the heading, in words or in field codes."""
    entry, filled, same = heading.entry, 0, 0
    for column, cell in zip(heading.columns, cells, strict=False):
        if cell and not is_blank(cell):
            filled += 1
            field = _field(entry, cell) if len(cell) < 60 else None
            same += field is not None and field.code == column.field
    return same >= FEWEST and same * 2 > filled
