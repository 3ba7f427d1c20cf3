"""Reading received rows by a directory entry, fast: what the entry says is looked up once for a sheet, not once a row.

Rows of a sheet repeat themselves: organs, categories, days, articles. A cell that was read before is not read again.
The numbers of documents are never remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from app.registry import values as cells
from app.registry.cell_reader import may_be_personal, reading_of
from app.registry.fields import Condition, DirectoryEntry, Field
from app.registry.masking import has_personal_numbers, hide_personal_numbers, mask_id, quoted
from app.registry.money import doubt_about
from app.registry.text import Sentence, fold, is_blank, say
from app.registry.values import Read

REMEMBERED = 2048
"""Cells of a column that are remembered; then the column begins anew, so that a long sheet takes no more memory."""
LONGEST_REMEMBERED = 400
"""Characters of the longest cell that is remembered: long texts seldom repeat."""
_NOTHING = Read("")


class Finding(NamedTuple):
    """A sentence about one field; `text` begins with the field's name and stands alone."""

    field: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """A row as it was understood: canonical values by field code (days ISO, sums in 万元, several values joined by ;),
    what makes it unacceptable, and what somebody should look at."""

    values: Mapping[str, str]
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """True when the row can become a record."""
        return not self.problems


def validate(entry: DirectoryEntry, row: Mapping[str, object], today: date | None = None) -> Verdict:
    """Read a received row by a directory entry. Keys of the row are field codes or headings; the row is not changed.

    `today` is the last day a decision can have been made on; without it the future is not refused.
    """
    readers = entry.readers
    key: Hashable = (tuple(row), today)
    reader = readers.get(key)
    if reader is None:
        if len(readers) > 16:
            readers.clear()
        reader = readers[key] = RowReader(entry, tuple(row), today)
    return reader.read([cell if isinstance(cell, str) else "" if cell is None else str(cell) for cell in row.values()])


class _Column:
    """A field and where a row says it. `read` reads a cell that is not remembered."""

    __slots__ = ("code", "field", "known", "place", "read")

    def __init__(self, field: Field, place: int, read: Callable[[str], Read]) -> None:
        self.field = field
        self.code = field.code
        self.place = place
        self.known: dict[str, Read] = {}
        self.read = read

    def first_time(self, cell: str) -> Read:
        """Read a cell and remember what it says."""
        read = self.read(cell)
        if len(cell) <= LONGEST_REMEMBERED:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            self.known[cell] = read
        return read


class RowReader:
    """Reads the rows of one sheet: `headings` say which column means which field, by code or by name.

    `strangers=False` leaves columns that the entry does not know without a word; somebody else speaks of them.
    """

    def __init__(
        self, entry: DirectoryEntry, headings: Sequence[object], today: date | None = None, *, strangers: bool = True
    ) -> None:
        self.entry = entry
        places: dict[str, list[int]] = {}
        self._strangers: list[tuple[int, object]] = []
        for place, heading in enumerate(headings):
            field = entry.field(heading)
            if field is not None:
                places.setdefault(field.code, []).append(place)
            elif strangers:
                self._strangers.append((place, heading))
        self._order = {code: number for number, code in enumerate(entry.by_code)}
        self._secret = [place for code, found in places.items() if entry.by_code[code].is_secret for place in found]
        self._columns: list[_Column] = []
        self._numbers: list[tuple[Field, list[int]]] = []
        self._doubled: list[tuple[Field, list[int], Callable[[str], Read]]] = []
        for field in entry.fields:
            found = places.get(field.code, [])
            if "number-of" in field.rules:
                if found:
                    self._numbers.append((field, found))
            elif len(found) == 1:
                self._columns.append(_Column(field, found[0], reading_of(field, today)))
            elif found:
                self._doubled.append((field, found, reading_of(field, today)))
        self._mandatory = {field.code for field in entry.fields if field.required == "Y"}
        self._conditional: list[tuple[Field, str, Condition, str, bool, dict[str, bool]]] = [
            (field, field.code, when, when.field, when.contained, {})
            for field in entry.fields
            if (when := field.required_when)
        ]
        self._comparing: list[tuple[Field, str, str, str, str]] = []
        for field in entry.fields:
            points = field.rules
            if points.keys() & {"from", "differs-from", "stated-in"}:
                named = points.get("from", ""), points.get("differs-from", ""), points.get("stated-in", "")
                self._comparing.append((field, field.code, *named))
        self._secret_codes = {field.code for field in entry.fields if field.is_secret}
        self._doubts: dict[tuple[str, str], str] = {}
        self._clear: dict[str, str] = {}

    def read(self, row: Sequence[str]) -> Verdict:
        """What a row says; it is as long as the headings."""
        values: dict[str, str] = {}
        problems: list[Finding] = []
        warnings: list[Finding] = []
        unread: set[str] = set()
        for place, heading in self._strangers:
            if not is_blank(row[place]):
                text = "“{heading}”不在目录之中，只随原始行留存"
                warnings.append(Finding("", say(text, heading=quoted(heading))))
        for column in self._columns:
            cell = row[column.place]
            if not cell:
                continue
            read = column.known.get(cell)
            if read is None:
                read = column.first_time(cell)
            value, problem, noted = read
            if problem:
                unread.add(column.code)
                problems.append(Finding(column.code, _about(column.field, problem)))
            elif value:
                values[column.code] = value
                if noted:
                    warnings += [Finding(column.code, _about(column.field, note)) for note in noted]
        if self._doubled or self._numbers:
            self._read_the_rest(row, values, problems, warnings, unread)
        self._require(values, problems, warnings, unread)
        self._compare(values, problems, warnings)
        if not problems and not warnings:
            return Verdict(values)
        return Verdict(values, self._in_order(problems), self._in_order(warnings))

    def in_the_clear(self, row: Sequence[str]) -> list[str]:
        """The row as it may be kept: numbers that identify a person are masked, wherever they were typed."""
        kept: list[str] = []
        known = self._clear
        for cell in row:
            if not cell:
                kept.append(cell)
                continue
            clear = known.get(cell)
            if clear is None:
                clear = hide_personal_numbers(cell) if may_be_personal(cell) and has_personal_numbers(cell) else cell
                if len(cell) <= LONGEST_REMEMBERED and clear is cell:
                    if len(known) >= 4 * REMEMBERED:
                        known.clear()
                    known[cell] = clear
            kept.append(clear)
        for place in self._secret:
            if not is_blank(row[place]):
                kept[place] = mask_id(row[place])
        return kept

    def clear_values(self, values: Mapping[str, str], *, touched: bool = True) -> dict[str, str]:
        """What was understood, as it may be kept; its order is that of the entry. `touched=False`: `in_the_clear` has
        found no number of a person in the row."""
        kept = dict(values)
        if not touched:
            return kept
        for code, value in values.items():
            if code in self._secret_codes:
                kept[code] = mask_id(value)
            elif may_be_personal(value) and has_personal_numbers(value):
                kept[code] = hide_personal_numbers(value)
        return kept

    def _read_the_rest(
        self, row: Sequence[str], values: dict[str, str], problems: list[Finding], warnings: list[Finding],
        unread: set[str],
    ) -> None:  # fmt: skip
        """Fields that several columns name, then the numbers of documents, whose kind must have been read before."""
        before = len(values)
        for field, places, reading in self._doubled:
            cell = self._one_of(field, [row[place] for place in places], problems)
            self._take(field, reading(cell) if cell else _NOTHING, values, problems, warnings, unread)
        for field, places in self._numbers:
            cell = self._one_of(field, [row[place] for place in places], problems)
            if cell:
                read = cells.read_document_number(cell, values.get(field.rules["number-of"], ""))
                self._take(field, read, values, problems, warnings, unread)
        if len(values) > before:
            ordered = sorted(values.items(), key=lambda item: self._order[item[0]])
            values.clear()
            values.update(ordered)

    def _take(
        self, field: Field, read: Read, values: dict[str, str], problems: list[Finding], warnings: list[Finding],
        unread: set[str],
    ) -> None:  # fmt: skip
        if read.problem:
            unread.add(field.code)
            problems.append(Finding(field.code, _about(field, read.problem)))
        elif read.value:
            values[field.code] = read.value
            warnings += [Finding(field.code, _about(field, note)) for note in read.warnings]

    def _one_of(self, field: Field, said: Sequence[str], problems: list[Finding]) -> str:
        """What several columns say of one field; a field that may have several values takes them all."""
        filled = [cell for cell in said if not is_blank(cell)]
        if not filled:
            return ""
        if "some-of" in field.rules:
            return ";".join(filled)
        if any(fold(cell) != fold(filled[0]) for cell in filled[1:]):
            problems.append(Finding(field.code, _about(field, say("这一行里有两个不同的值，请只留一个"))))
        return filled[0]

    def _require(
        self, values: Mapping[str, str], problems: list[Finding], warnings: list[Finding], unread: set[str]
    ) -> None:
        if not self._mandatory <= values.keys():
            for code in self._mandatory - values.keys() - unread:
                problems.append(Finding(code, _about(self.entry.by_code[code], say("没有填写；这一项必须填写"))))
        for field, code, condition, asked, contained, known in self._conditional:
            value = values.get(asked)
            if value is None or code in unread:
                continue
            holds = known.get(value)
            if holds is None:
                if len(known) >= REMEMBERED:
                    known.clear()
                holds = known[value] = condition.holds(value)
            filled = code in values
            if holds is filled or (not holds and not contained):
                continue
            other = self.entry.by_code[condition.field].name
            if holds:
                text = "没有填写；{other}为“{value}”时必须填写"
                problems.append(Finding(field.code, _about(field, say(text, other=other, value=value))))
            else:
                idle = "已经填写，但{other}是“{value}”；请核对是否漏填类别"
                warnings.append(Finding(field.code, _about(field, say(idle, other=other, value=value))))

    def _compare(self, values: Mapping[str, str], problems: list[Finding], warnings: list[Finding]) -> None:
        for field, code, since, unlike, where in self._comparing:
            value = values.get(code)
            if not value:
                continue
            if since and value < values.get(since, ""):  # ISO days compare as text
                text = "{day} 早于 {earlier}，起止日期颠倒了，请核对"
                problems.append(Finding(code, _about(field, say(text, day=value, earlier=values[since]))))
            if unlike and value == values.get(unlike):
                text = "与决定机关的代码相同，应填写行政相对人自己的代码"
                problems.append(Finding(code, _about(field, say(text))))
            if where and (said := values.get(where)) and (doubt := self._doubt(value, said)):
                warnings.append(Finding(code, _about(field, doubt)))

    def _doubt(self, value: str, said: str) -> str:
        doubt = self._doubts.get((value, said))
        if doubt is None:
            doubt = doubt_about(Decimal(value), said)
            if len(self._doubts) >= REMEMBERED:
                self._doubts.clear()
            self._doubts[value, said] = doubt
        return doubt

    def _in_order(self, findings: list[Finding]) -> tuple[Finding, ...]:
        last = len(self._order)
        return tuple(sorted(findings, key=lambda found: self._order.get(found.field, last)))


def _about(field: Field, sentence: str) -> Sentence:
    """The sentence with the field's name in front; the inner one keeps its own template."""
    return say("{field}：{sentence}", field=field.name, sentence=sentence)
