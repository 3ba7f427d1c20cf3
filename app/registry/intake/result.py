"""结果表: the sender's own rows with one column that says what became of each and why. No formula comes alive in it.

Numbers of persons are masked as everywhere. The sheet is written to a file as it is read, so that a long one takes no
memory.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.registry.intake.heading import heading_of
from app.registry.intake.rows import Received, reader_of, received_rows
from app.registry.intake.rows_of_batch import rows_by_verdict
from app.registry.text import is_blank
from workflows.calendar import legal_day

TITLE = "处理结果"
TITLES = {
    "in": "已写入",
    "warned": "已写入，请核对",
    "corrected": "已更正原记录",
    "duplicate": "重复，未写入",
    "waiting": "待处理",
    "ignored": "已忽略",
    "sent_back": "已退回",
}
MOST_ROWS_OF_A_WORKBOOK = 1_048_000
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_PAGE = 2000


def write_result(batch: Any, source: Path, target: Path, *, only_open: bool = False) -> Path:
    """Write the result sheet of a batch to `target` (.csv or .xlsx by its name). `only_open`: rows that wait or were
    sent back, to be corrected and sent again."""
    if target.suffix == ".xlsx":
        _workbook(_rows(batch, source, only_open), target)
    else:
        with target.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([defused(cell) for cell in row] for row in _rows(batch, source, only_open))
    return target


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    if cell.startswith(_DANGEROUS) and not _is_number(cell):
        return f"'{cell}"
    return cell


def _is_number(cell: str) -> bool:
    return cell[1:].replace(".", "", 1).isdecimal() and cell[0] in "+-"


def _rows(batch: Any, source: Path, only_open: bool) -> Iterator[list[str]]:
    heading = heading_of(batch.directory, batch.heading)
    reader = reader_of(heading, legal_day(batch.made_at))
    yield [*(column.heading for column in heading.columns), TITLE]
    lines = _lines(batch.id)
    line = next(lines, None)
    for received in received_rows(source, heading):
        if not isinstance(received, Received):
            continue
        while line is not None and line.row < received.row:
            line = next(lines, None)
        mine = line if line is not None and line.row == received.row else None
        if only_open and (mine is None or mine.verdict not in ("waiting", "sent_back")):
            continue
        cells = reader.cells(received.cells)
        clear = reader.fields.in_the_clear(cells)[: reader.width]
        dealt_with = mine is not None or received.row <= batch.position
        yield [*clear, _said(mine) if dealt_with else "尚未处理"]


def _said(line: Any) -> str:
    if line is None:
        return TITLES["in"]
    told = [text for _field, text in line.reasons] + ([line.note] if not is_blank(line.note) else [])
    return "：".join([TITLES[line.verdict], "；".join(told)]) if told else TITLES[line.verdict]


def _lines(batch_id: int) -> Iterator[Any]:
    after = 0
    while page := rows_by_verdict(batch_id, after=after, limit=_PAGE):
        yield from page
        after = page[-1].row


def _workbook(rows: Iterator[list[str]], target: Path) -> None:
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(target), options | {"strings_to_numbers": False}) as book:
        sheet = book.add_worksheet("结果")
        as_text = book.add_format({"num_format": "@"})
        for number, row in enumerate(rows):
            if number >= MOST_ROWS_OF_A_WORKBOOK:
                sheet.write_string(number, 0, "行数超过工作表的上限，其余各行请下载 CSV")
                break
            for place, cell in enumerate(row):
                if cell:
                    sheet.write_string(number, place, cell[:32_767], as_text)
