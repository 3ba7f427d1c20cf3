"""A file as rows of texts, whatever it is: told by its first bytes, never by its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.registry.intake import text_file, xls_file
from app.registry.intake.trouble import Unreadable
from app.registry.intake.xlsx_file import Workbook

Rows = Iterator[tuple[int, list[str]]]
"""The number of a row as a spreadsheet shows it, and its cells."""

XLSX, XLS, TEXT = "xlsx", "xls", "csv"
MOST_SHEETS = 20


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a file are found: format, for a text its encoding and delimiter, for a workbook its sheet."""

    format: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""

    @property
    def title(self) -> str:
        """What it is, in a word or two."""
        return {XLSX: "Excel", XLS: "Excel 97-2003"}.get(self.format) or f"CSV {text_file.NAMES[self.encoding]}"


def layouts(path: Path) -> list[Layout]:
    """The ways in which the file may be read, the likeliest first; the heading decides. Raises Unreadable."""
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise Unreadable("文件是空的，没有任何内容；请核对后重新上传")
    if start.startswith(b"PK"):
        with Workbook(path) as workbook:
            found = [Layout(XLSX, sheet=name) for name in workbook.sheets]
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        found = [Layout(XLS, sheet=name) for name in xls_file.sheet_names(path)]
    elif start.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")):
        raise Unreadable("这不是表格文件；只接受 .xlsx、.xls 和 CSV")
    else:
        encoding = text_file.encoding_of(path)
        found = [Layout(TEXT, encoding, delimiter) for delimiter in text_file.DELIMITERS]
        _refuse_markup(path, encoding)
    if not found:
        raise Unreadable("这个 Excel 文件里没有可见的工作表；请核对后重新上传")
    return found[:MOST_SHEETS]


@contextmanager
def rows_of(path: Path, layout: Layout) -> Iterator[Rows]:
    """The rows of a file, read one after the other. Raises Unreadable, also on the way."""
    if layout.format == XLSX:
        with Workbook(path) as workbook:
            yield workbook.rows(layout.sheet)
    elif layout.format == XLS:
        yield xls_file.rows(path, layout.sheet)
    else:
        yield text_file.records(path, layout.encoding, layout.delimiter)


def _refuse_markup(path: Path, encoding: str) -> None:
    with path.open(encoding=encoding, newline="") as file:
        start = file.read(400).lstrip().lower()
    if not start.strip("\0 \r\n\t"):
        raise Unreadable("文件是空的，没有任何内容；请核对后重新上传")
    if start.startswith(("<html", "<!doctype", "<table", "<?xml", "<meta")):
        raise Unreadable("这是网页格式的表格；请用表格软件打开，另存为 .xlsx 后上传")
    if start.startswith(("{", "[{")):
        raise Unreadable("这是 JSON 数据；这里只接受 .xlsx、.xls 和 CSV")
