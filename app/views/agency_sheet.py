"""A department's notices as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from flask_babel import gettext as _

from app.casework.actor import Person
from app.casework.department import NoticeFilter, ToldLine, every_notice_of
from app.notices.formats.sheet import BOM, FORMULA
from app.notices.formats.told import DECISIONS
from app.views.agency_lines import RECEIPTS, asked_of
from workflows.calendar import SHANGHAI

BATCH = 2000
HEADINGS = (
    "通知编号", "处理结果", "请贵单位做什么", "信用主体名称", "统一社会信用代码", "文号", "认定单位", "发出时间",
    "送达时间", "请于这一天以前确认", "回执", "回执时间",
)  # fmt: skip


def sheet_of(person: Person, department: int, wanted: NoticeFilter) -> Iterator[str]:
    """The lines of the file, the newest notice first; read in batches."""
    yield BOM + _row([_(heading) for heading in HEADINGS])
    last = 0
    while batch := every_notice_of(person, department, wanted, last, BATCH):
        yield "".join(_row(_cells(line)) for line in batch)
        last = batch[-1].id


def _cells(line: ToldLine) -> list[str]:
    return [
        line.key,
        _(DECISIONS.get(line.act, line.act)),
        asked_of(line),
        line.subject,
        line.code,
        line.record_number,
        line.organ,
        f"{line.written_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        f"{line.delivered_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if line.delivered_at else "",
        line.due.due_on.isoformat() if line.due and line.due.due_on else "",
        str(RECEIPTS[line.receipt]) if line.receipt else "",
        f"{line.receipt_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if line.receipt_at else "",
    ]


def _row(cells: list[str]) -> str:
    """A line of CSV; what a spreadsheet would take for a formula is made a text."""
    held = io.StringIO()
    csv.writer(held, lineterminator="\r\n").writerow(
        [f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells]
    )
    return held.getvalue()
