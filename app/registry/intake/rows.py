"""The rows below a heading: what is none (repeated headings, notes, totals, empty lines) is passed over and counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from app.registry.intake.heading import Heading, document_named, is_heading_again
from app.registry.intake.sheet import rows_of
from app.registry.row_reader import RowReader
from app.registry.text import fold, is_blank

_ASIDE = re.compile(
    r"^(?:[一二三四五六七八九十\d]*[、.．]?)?"
    r"(?:合计|总计|小计|共计|本页|说明|填表说明|填写说明|表格说明|备注[:：]|注[:：]|填表人|填报人|制表人|制表|审核人|负责人|"
    r"填报单位|填报日期|单位负责人|联系电话|必填|选填)"
)
_FEW = 3
"""Filled cells up to which a row that begins like a note is one."""
_QUOTED = re.compile(r'^=\s*"(.*)"\s*$|^=\s*\'(.*)\'\s*$', re.S)


class Received(NamedTuple):
    """A row as it came: its number below the heading, and its cells, one for each column."""

    row: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Reader:
    """How the rows of a sheet become verdicts: the reader of its fields, and the columns that stand in for others."""

    fields: RowReader
    width: int
    copied: tuple[int, ...]
    documents: tuple[tuple[int, str], ...]

    def cells(self, cells: list[str]) -> list[str]:
        """The cells that the reader of fields wants: those of the sheet, then what stands in for missing columns."""
        if not self.copied and not self.documents:
            return cells
        more = [cells[place] for place in self.copied]
        more += [value if not is_blank(cells[place]) else "" for place, value in self.documents]
        return cells + more


def reader_of(heading: Heading, today: date) -> Reader:
    """The reader for the rows of a sheet."""
    entry = heading.entry
    names: list[str] = [column.field for column in heading.columns]
    there = set(names)
    copied, documents, more = [], [], []
    for field in entry.fields:
        if field.code not in there and field.stand_in in there - {""}:
            copied.append(names.index(field.stand_in))
            more.append(field.code)
    for place, column in enumerate(heading.columns):
        named = document_named(entry, column)
        if named is not None and named[0] not in there:
            documents.append((place, named[1]))
            more.append(named[0])
    reader = RowReader(entry, [*names, *more], today, strangers=False)
    return Reader(reader, len(names), tuple(copied), tuple(documents))


def received_rows(path: Path, heading: Heading, after: int = 0) -> Iterator[Received | int]:
    """The rows below the heading from the one after `after`; for a row that is passed over only its number."""
    width = len(heading.columns)
    entry, codes = heading.entry, {column.field for column in heading.columns}
    headings = {column.heading for column in heading.columns} | codes
    headings |= {entry.by_code[code].name for code in codes if code}
    with rows_of(path, heading.layout) as rows:
        for line, cells in rows:
            row = line - heading.line
            if row <= after:
                continue
            count = len(cells)
            if count > width:
                del cells[width:]
            elif count < width:
                cells.extend([""] * (width - count))
            first = ""
            for place, cell in enumerate(cells):
                if cell:
                    if cell[0] in "='\t":
                        cells[place] = cell = _unwrapped(cell)
                    first = first or cell.strip()
            many = width - cells.count("") > _FEW
            if not first or ((not many or first in headings) and _is_aside(heading, cells)):
                yield row
            else:
                yield Received(row, cells)


def _unwrapped(cell: str) -> str:
    """A cell without the signs by which spreadsheets keep a number a text: ="0431", '0431, a tab in front."""
    found = _QUOTED.match(cell)
    if found:
        return (found[1] or found[2] or "").replace('""', '"')
    return cell[1:] if cell[0] == "'" else cell.lstrip("\t")


def _is_aside(heading: Heading, cells: list[str]) -> bool:
    """True for a row that repeats the heading, or of whose few cells the first begins like a note or a total."""
    filled = [cell for cell in cells if cell and not cell.isspace()]
    if len(filled) <= _FEW and _ASIDE.match(fold(filled[0])):
        return True
    return is_heading_again(heading, cells)
