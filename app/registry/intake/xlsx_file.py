"""An .xlsx workbook read as a stream: a row is in memory while it is looked at, the texts of its cells lie on disk.

Libraries load a whole sheet; a million rows would take more than a gigabyte. What is read of the format is what
spreadsheets write: shared and inline texts, numbers, days by their number format, truth values, errors.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO
from xml.parsers import expat

from app.registry.intake.cell_text import day_text, is_day_format, number_text
from app.registry.intake.trouble import Unreadable

MOST_COLUMNS = 512
LONGEST_CELL = 131_072
LARGEST_PART = 4 << 30
"""Bytes of the largest part of a workbook, unpacked."""
STEEPEST = 200
"""How many times its packed size a part may become, once it is larger than `UNSUSPICIOUS`."""
UNSUSPICIOUS = 64 << 20
_BLOCK = 1 << 16
_IN_MEMORY = 4 << 20
_COLUMN = re.compile(r"[A-Z]{1,3}")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_BROKEN = "这个 Excel 文件已经损坏，打不开；请用表格软件重新保存后上传"


class Workbook:
    """The sheets of a workbook. Raises Unreadable for a file that is none, is damaged, or is made to do harm."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError):
            raise Unreadable(_BROKEN) from None
        try:
            self._parts = {info.filename.lstrip("/"): info for info in self._refuse_bombs()}
            if "xl/workbook.xml" not in self._parts:
                raise Unreadable("这是压缩文件，不是 Excel 表格；请先解压，再上传里面的表格")
            self._since_1904 = False
            self._days: list[bool] = []
            self.sheets = self._find_sheets()
            self._find_day_styles()
            self._texts = self._read_texts()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Workbook:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._texts.close()
        self._zip.close()

    def rows(self, sheet: str) -> Iterator[tuple[int, list[str]]]:
        """The rows of a sheet that are there, with the number a spreadsheet shows in front of them."""
        reading = _SheetRows(self._texts, self._days, self._since_1904)
        for _ in self._parse(self.sheets[sheet], reading.start, reading.end, reading.text):
            yield from reading.finished()
        yield from reading.finished()

    def _refuse_bombs(self) -> list[zipfile.ZipInfo]:
        parts = self._zip.infolist()
        if len(parts) > 2000:
            raise Unreadable("这个 Excel 文件由 {count} 个部件组成，不像表格；请另存为新文件后上传", count=len(parts))
        for part in parts:
            steep = part.file_size > UNSUSPICIOUS and part.file_size > STEEPEST * max(part.compress_size, 1)
            if steep or part.file_size > LARGEST_PART:
                size = part.file_size >> 20
                raise Unreadable("文件解压后有 {size} MB，与它的大小不相称，已拒绝打开；请另存为 CSV 后上传", size=size)
            if part.flag_bits & 1:
                raise Unreadable("文件加了密码；请去掉密码后上传")
        return parts

    def _find_sheets(self) -> dict[str, str]:
        """The visible sheets in their order: name → part."""
        found: list[tuple[str, str]] = []
        targets: dict[str, str] = {}

        def workbook(name: str, said: dict[str, str]) -> None:
            if name == "sheet" and said.get("state", "visible") == "visible":
                found.append((said.get("name", ""), said.get("id", "")))
            elif name == "workbookPr":
                self._since_1904 = said.get("date1904") in ("1", "true")

        def relations(name: str, said: dict[str, str]) -> None:
            if name == "Relationship":
                target = said.get("Target", "")
                targets[said.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

        self._all("xl/workbook.xml", workbook)
        self._all("xl/_rels/workbook.xml.rels", relations)
        return {name: targets[key] for name, key in found if targets.get(key) in self._parts}

    def _find_day_styles(self) -> None:
        formats: dict[int, str] = {}
        inside = [False]

        def start(name: str, said: dict[str, str]) -> None:
            if name == "numFmt":
                formats[int(said.get("numFmtId", "0"))] = said.get("formatCode", "")
            elif name == "cellXfs":
                inside[0] = True
            elif name == "xf" and inside[0]:
                number = int(said.get("numFmtId", "0"))
                self._days.append(is_day_format(number, formats.get(number, "")))

        def end(name: str) -> None:
            if name == "cellXfs":
                inside[0] = False

        self._all("xl/styles.xml", start, end)

    def _read_texts(self) -> Texts:
        texts = Texts()
        reading = _SharedTexts(texts)
        self._all("xl/sharedStrings.xml", reading.start, reading.end, reading.text)
        return texts

    def _all(
        self, part: str, start: Callable[[str, dict[str, str]], None], end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        if part in self._parts:
            for _ in self._parse(part, start, end, text):
                pass

    def _parse(
        self, part: str, start: Callable[[str, dict[str, str]], None], end: Callable[[str], None] | None,
        text: Callable[[str], None] | None,
    ) -> Iterator[None]:  # fmt: skip
        """Read a part block by block; names come without their namespaces."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = lambda name, said: start(
            name.rpartition(" ")[2], {key.rpartition(" ")[2]: value for key, value in said.items()} if said else said
        )
        if end is not None:
            parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
        if text is not None:
            parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _no_doctype
        try:
            with self._zip.open(self._parts[part]) as file:
                while block := file.read(_BLOCK):
                    parser.Parse(block)
                    yield
                parser.Parse(b"", True)
        except Unreadable:
            raise
        except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError):
            raise Unreadable(_BROKEN) from None


def _no_doctype(*_: object) -> None:
    raise Unreadable(_BROKEN)


class Texts:
    """The shared texts of a workbook by their number; beyond a few megabytes they lie in a temporary file."""

    def __init__(self) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._ends = array("Q", [0])
        self._known: dict[int, str] = {}

    def add(self, text: str) -> None:
        """The next text."""
        data = text.encode("utf-8", "replace")
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def __getitem__(self, number: int) -> str:
        text = self._known.get(number)
        if text is None:
            if not 0 <= number < len(self._ends) - 1:
                raise Unreadable(_BROKEN)
            self._file.seek(self._ends[number])
            text = self._file.read(self._ends[number + 1] - self._ends[number]).decode()
            if len(self._known) >= 4096:
                self._known.clear()
            self._known[number] = text
        return text

    def close(self) -> None:
        """Let the temporary file go."""
        self._file.close()


class _SharedTexts:
    """Reads the texts; how a word is pronounced (rPh) does not belong to it."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._pieces: list[str] = []
        self._length = 0
        self._listening = False
        self._aside = False

    def start(self, name: str, _said: dict[str, str]) -> None:
        if name == "si":
            self._pieces, self._length = [], 0
        elif name == "rPh":
            self._aside = True
        elif name == "t":
            self._listening = not self._aside

    def end(self, name: str) -> None:
        if name == "t":
            self._listening = False
        elif name == "rPh":
            self._aside = False
        elif name == "si":
            self._texts.add(_plain("".join(self._pieces)))

    def text(self, data: str) -> None:
        if self._listening:
            self._length += len(data)
            if self._length > LONGEST_CELL:
                raise Unreadable("有一格超过 13 万字；请核对文件")
            self._pieces.append(data)


class _SheetRows:
    """Reads the cells of a sheet into rows."""

    def __init__(self, texts: Texts, days: list[bool], since_1904: bool) -> None:
        self._texts, self._days, self._since_1904 = texts, days, since_1904
        self._done: list[tuple[int, list[str]]] = []
        self._number = 0
        self._cells: list[str] = []
        self._place = -1
        self._kind = self._style = ""
        self._pieces: list[str] = []
        self._length = 0
        self._listening = False
        self._aside = False
        self._columns: dict[str, int] = {}

    def finished(self) -> list[tuple[int, list[str]]]:
        """The rows that are complete."""
        done, self._done = self._done, []
        return done

    def start(self, name: str, said: dict[str, str]) -> None:
        if name == "c":
            where = said.get("r")
            self._place = self._column(where) if where else self._place + 1
            self._kind, self._style = said.get("t", "n"), said.get("s", "")
            self._pieces, self._length = [], 0
        elif name == "v" or (name == "t" and not self._aside):
            self._listening = True
        elif name == "row":
            number = said.get("r", "")
            self._number = int(number) if number.isdecimal() else self._number + 1
            self._cells, self._place = [], -1
        elif name == "rPh":
            self._aside = True

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._listening = False
        elif name == "c":
            if self._pieces and self._place < MOST_COLUMNS:
                self._cells.extend([""] * (self._place + 1 - len(self._cells)))
                self._cells[self._place] = self._value("".join(self._pieces))
        elif name == "rPh":
            self._aside = False
        elif name == "row" and self._cells:
            self._done.append((self._number, self._cells))

    def text(self, data: str) -> None:
        if self._listening:
            self._length += len(data)
            if self._length > LONGEST_CELL:
                raise Unreadable("第 {line} 行有一格超过 13 万字；请核对文件", line=self._number)
            self._pieces.append(data)

    def _column(self, where: str) -> int:
        letters = _COLUMN.match(where)
        if letters is None:
            raise Unreadable(_BROKEN)
        place = self._columns.get(letters[0])
        if place is None:
            place = 0
            for letter in letters[0]:
                place = place * 26 + ord(letter) - 64
            place = self._columns[letters[0]] = place - 1
        return place

    def _value(self, written: str) -> str:
        if self._kind == "s":
            return self._texts[int(written)]
        if self._kind in ("str", "inlineStr", "e", "d"):
            return _plain(written)
        if self._kind == "b":
            return "TRUE" if written == "1" else "FALSE"
        if self._style and int(self._style) < len(self._days) and self._days[int(self._style)]:
            return day_text(written, self._since_1904)
        return number_text(written)


def _plain(text: str) -> str:
    """A text without the format's own escapes and without characters that no text has."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "") if "\0" in text else text
