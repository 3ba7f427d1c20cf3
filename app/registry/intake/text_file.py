"""A file of separated values: in which encoding it is, and its records one after the other.

The encoding is found by reading the whole file once: bytes that no encoding explains are refused, never replaced, so
that no broken name comes into the register.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from app.registry.intake.trouble import Unreadable

DELIMITERS = (",", "\t", ";", "|")
LONGEST_LINE = 1 << 20
"""Characters of the longest line that is read; a longer one is no row of a sheet."""
_BLOCK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "gb18030": "GB18030", "utf-16": "UTF-16"}
NAMES |= {"utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}


def encoding_of(path: Path) -> str:
    """The encoding in which the whole file can be read. Raises Unreadable when there is none."""
    with path.open("rb") as file:
        start = file.read(4096)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return _sure(path, encoding)
    if b"\0" in start:
        even, odd = start[0::2].count(0), start[1::2].count(0)
        if max(even, odd) * 8 < len(start):
            raise Unreadable("这不是文本表格，也不是 Excel 文件；请另存为 .xlsx 或者 CSV（UTF-8）后重新上传")
        return _sure(path, "utf-16-le" if odd > even else "utf-16-be")
    if _explains("utf-8", path) is None:
        return "utf-8"
    return _sure(path, "gb18030")


def _sure(path: Path, encoding: str) -> str:
    place = _explains(encoding, path)
    if place is not None:
        broken = "文件的文字编码已经损坏（第 {line} 行附近），不是完整的 UTF-8、GB18030 或者 UTF-16；请从原系统重新导出"
        raise Unreadable(broken, line=place)
    return encoding


def _explains(encoding: str, path: Path) -> int | None:
    """None when every byte makes sense in this encoding, else the line near which the first one does not."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError as error:
                return line + block[: error.start].count(b"\n")
            line += text.count("\n")
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return line
    return None


def records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records with their number, from 1, as a spreadsheet would number them. Raises Unreadable on the way."""
    with path.open(encoding="utf-8" if encoding == "utf-8-sig" else encoding, newline="") as file:
        number = begun = ended = 0
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            for number, record in enumerate(reader, start=1):
                begun, ended = ended, reader.line_num
                yield number, record
        except csv.Error as error:
            too_long = "第 {line} 行有一格超过 13 万字，多半是前面少了一个引号；请核对这一行"
            odd = "第 {line} 行的引号或者换行不成对，无法分列；请核对这一行"
            raise Unreadable(too_long if "limit" in str(error) else odd, line=number + 1) from None
        except UnicodeDecodeError:
            raise Unreadable("第 {line} 行的文字编码已经损坏；请从原系统重新导出", line=number + 1) from None
        if lines.quotes % 2 and ended - begun > 1:  # the last record swallowed the lines below it
            raise Unreadable("第 {line} 行少了一个引号，后面各行都连成了一格；请核对这一行", line=number)


class _Lines:
    """The lines of a file for the reader of records, none of them endless; `quotes` counts the quotation marks."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._number = 0
        self.quotes = 0

    def __iter__(self) -> Iterator[str]:
        readline = self._file.readline
        while line := readline(LONGEST_LINE):
            self._number += 1
            if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
                raise Unreadable("第 {line} 行超过一百万字，不是一行记录；请核对文件", line=self._number)
            if self._number == 1:
                line = line.removeprefix("\ufeff")
            self.quotes += line.count('"')
            yield line.replace("\0", "") if "\0" in line else line
