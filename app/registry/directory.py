"""目录: which fields a kind of record has, from when until when, and whether a received row fits them.

An entry is product data (`directories/*.csv`): the standard's own field codes, lengths, what is mandatory and when,
which list a value comes from, who may see it. When a sheet is revised a new edition is added beside the old one; the
edition is chosen by the day the row is taken in. Nothing outside a catalogue may be published, and a list of the
dishonest needs a basis in a law, regulation or central document: an entry without one is refused when it is made.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from app.registry import values as cells
from app.registry.masking import (
    has_personal_numbers,
    hide_personal_numbers,
    mask_address,
    mask_id,
    mask_name,
    mask_phone,
    quoted,
)
from app.registry.money import doubt_about
from app.registry.regions import standings
from app.registry.text import Sentence, fold, is_blank, say

_FOLDER = Path(__file__).with_name("directories")
_CONDITION = re.compile(r"(if|unless) (\w+)([=~])(.+)")
_NUMBERED_HEADING = re.compile(r"行政相对人代码_?\d?\((.+)\)")
_MASKS = {"name": mask_name, "id": mask_id, "phone": mask_phone, "address": mask_address}
_RULES = frozenset(
    {"one-of", "some-of", "code", "organ-code", "organisation-code", "number-of", "positive", "stated-in"}
    | {"past", "open-ended", "from", "differs-from"}
)

PUBLIC = "社会公开"
SHARED = "政务共享"
ON_AUTHORITY = "授权查询"
KINDS = ("permit", "penalty", "list")


class DirectoryError(ValueError):
    """A directory entry that may not exist or contradicts itself."""


class Condition(NamedTuple):
    """A condition on another field's value: `if F=v`, `unless F=v`, `if F~a|b`."""

    when: bool
    field: str
    words: tuple[str, ...]
    contained: bool

    @classmethod
    def read(cls, text: str) -> "Condition | None":
        """The condition a directory file writes, None when it writes none."""
        found = _CONDITION.fullmatch(text)
        if not found:
            return None
        return cls(found[1] == "if", found[2], tuple(found[4].split("|")), found[3] == "~")

    def holds(self, value: str) -> bool:
        """True when the field with this value fulfils the condition."""
        return self.when == any(word in value if self.contained else word == value for word in self.words)


@dataclass(frozen=True)
class Field:
    """A field of a directory entry.

    `type` is C text, D day or N a sum in 万元. `required` is Y, N or a condition: `if F=v`, `unless F=v`, or
    `if F~a|b` (the value of F contains a or b). `rule` names the checks of a value, separated by blanks. `mask` says
    how the value is masked where the public sees it, `range` who may see it at all.
    """

    code: str
    name: str
    type: str
    max_len: int | None
    required: str
    rule: str
    code_list: str
    mask: str
    range: str
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = self.rules.keys() - _RULES
        if unknown or self.type not in "CDN" or self.range not in (PUBLIC, SHARED, ON_AUTHORITY):
            raise DirectoryError(f"{self.code}: rule, type or range is unknown {unknown or ''}")
        if self.required not in ("Y", "N") and not self.required_when:
            raise DirectoryError(f"{self.code}: no such condition: {self.required}")
        mask, _, when = self.mask.partition(" ")
        if mask and mask not in _MASKS or when and not self.masked_when:
            raise DirectoryError(f"{self.code}: no such mask: {self.mask}")

    @cached_property
    def rules(self) -> dict[str, str]:
        """The checks of a value, each with the field it points at: `from:CF_JDRQ` → {"from": "CF_JDRQ"}."""
        return {token.partition(":")[0]: token.partition(":")[2] for token in self.rule.split()}

    @cached_property
    def required_when(self) -> "Condition | None":
        """The condition under which the field is mandatory."""
        return Condition.read(self.required)

    @cached_property
    def masked_when(self) -> "Condition | None":
        """The condition under which the mask applies; None: always."""
        return Condition.read(self.mask.partition(" ")[2])

    @property
    def is_secret(self) -> bool:
        """True for a number that identifies a person: sealed where it is kept, never public."""
        return self.mask == "id"


@dataclass(frozen=True)
class DirectoryEntry:
    """A kind of record in one edition: `valid_from` its first day, `valid_until` its last (None: still in force).

    `kind` is permit, penalty or list. Raises DirectoryError for a list without a legal basis.
    """

    code: str
    edition: str
    title: str
    kind: str
    valid_from: date
    valid_until: date | None
    catalogue_code: str
    legal_basis: str
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DirectoryError(f"{self.code}: no such kind of record: {self.kind}")
        if self.kind == "list" and is_blank(self.legal_basis):
            raise DirectoryError(
                say("“{title}”没有法律、法规或者党中央、国务院政策文件依据，不得设立名单", title=self.title)
            )
        codes = [field.code for field in self.fields]
        named = {other for field in self.fields for other in field.rules.values()} - {""}
        asked = {when.field for field in self.fields for when in (field.required_when, field.masked_when) if when}
        if len(set(codes)) != len(codes) or not named | asked <= set(codes):
            raise DirectoryError(f"{self.code}: a field is there twice or refers to one that is not there")

    @property
    def may_be_published(self) -> bool:
        """True when the entry has its place in a catalogue of public credit information."""
        return not is_blank(self.catalogue_code)

    def in_force(self, day: date) -> bool:
        """True on the days of this edition."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def field(self, heading: object) -> Field | None:
        """The field that a column heading means: its code, its name, or what older sheets and other offices call it."""
        return self._by_heading.get(_heading_key(heading))

    @cached_property
    def _by_heading(self) -> dict[str, Field]:
        return {
            _heading_key(heading): field
            for field in self.fields
            for heading in (field.code, field.name, *field.aliases)
        }

    @cached_property
    def by_code(self) -> dict[str, Field]:
        """The fields by their code, in the standard's order."""
        return {field.code: field for field in self.fields}


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
    return _Reading(entry, today).of(row)


class _Reading:
    """One row being read. A document's number is read after its kind; what compares fields comes last."""

    def __init__(self, entry: DirectoryEntry, today: date | None) -> None:
        self.entry = entry
        self.today = today
        self.values: dict[str, str] = {}
        self.problems: list[Finding] = []
        self.warnings: list[Finding] = []
        self.unread: set[str] = set()

    def of(self, row: Mapping[str, object]) -> Verdict:
        cells_by_code = self._sorted_into_fields(row)
        for field in sorted(self.entry.fields, key=lambda field: "number-of" in field.rules):
            self._read(field, cells_by_code.get(field.code))
        for field in self.entry.fields:
            self._require(field)
            self._compare(field)
        ordered = {code: self.values[code] for code in self.entry.by_code if code in self.values}
        return Verdict(ordered, self._in_order(self.problems), self._in_order(self.warnings))

    def _in_order(self, findings: list[Finding]) -> tuple[Finding, ...]:
        order = list(self.entry.by_code)
        return tuple(sorted(findings, key=lambda found: order.index(found.field) if found.field else len(order)))

    def _sorted_into_fields(self, row: Mapping[str, object]) -> dict[str, object]:
        found: dict[str, object] = {}
        for heading, cell in row.items():
            field = self.entry.field(heading)
            if field is None:
                if not is_blank(cell):
                    text = "“{heading}”不在目录之中，只随原始行留存"
                    self.warnings.append(Finding("", say(text, heading=quoted(heading))))
            elif is_blank(found.get(field.code)):
                found[field.code] = cell
            elif not is_blank(cell) and fold(cell) != fold(found[field.code]):
                self._problem(field, say("这一行里有两个不同的值，请只留一个"))
        return found

    def _read(self, field: Field, cell: object) -> None:
        rules = field.rules
        if field.type == "D":
            read = cells.read_civil_day(cell, "open-ended" in rules, self.today if "past" in rules else None)
        elif field.type == "N":
            read = cells.read_sum(cell, "positive" in rules)
        elif "one-of" in rules:
            read = cells.read_one(cell, code_list(field.code_list))
        elif "some-of" in rules:
            read = cells.read_several(cell, code_list(field.code_list))
        elif "code" in rules or "organ-code" in rules:
            read = cells.read_code(cell, standings(), "organ-code" in rules)
        elif "organisation-code" in rules:
            read = cells.read_organisation_code(cell)
        elif "number-of" in rules:
            read = cells.read_document_number(cell, self.values.get(rules["number-of"], ""))
        else:
            read = cells.read_text(cell, field.max_len)
        if read.problem:
            self.unread.add(field.code)
            self._problem(field, read.problem)
        elif read.value:
            self.values[field.code] = read.value
            for warning in read.warnings:
                self._warning(field, warning)
            if field.type == "C" and not field.rule and field.range == PUBLIC:
                self._look_for_persons(field, read.value)

    def _look_for_persons(self, field: Field, value: str) -> None:
        if hide_personal_numbers(value) != value:
            self._warning(field, say("含有身份证号码或者手机号码，公示时自动隐去；请核对是否应当写入"))

    def _require(self, field: Field) -> None:
        filled = field.code in self.values
        if field.code in self.unread:
            return
        if field.required == "Y" and not filled:
            self._problem(field, say("没有填写；这一项必须填写"))
        condition = field.required_when
        if condition is None or condition.field not in self.values:
            return
        value = self.values[condition.field]
        other = self.entry.by_code[condition.field].name
        if condition.holds(value) and not filled:
            self._problem(field, say("没有填写；{other}为“{value}”时必须填写", other=other, value=value))
        elif condition.contained and not condition.holds(value) and filled:
            idle = "已经填写，但{other}是“{value}”；请核对是否漏填类别"
            self._warning(field, say(idle, other=other, value=value))

    def _compare(self, field: Field) -> None:
        value = self.values.get(field.code)
        if not value:
            return
        rules = field.rules
        earlier = self.values.get(rules.get("from", ""))
        if earlier and value < earlier:  # ISO days compare as text
            self._problem(field, say("{day} 早于 {earlier}，起止日期颠倒了，请核对", day=value, earlier=earlier))
        if value == self.values.get(rules.get("differs-from", "")):
            self._problem(field, say("与决定机关的代码相同，应填写行政相对人自己的代码"))
        text = self.values.get(rules.get("stated-in", ""))
        if text and (doubt := doubt_about(Decimal(value), text)):
            self._warning(field, doubt)

    def _problem(self, field: Field, sentence: str) -> None:
        self.problems.append(Finding(field.code, _about(field, sentence)))

    def _warning(self, field: Field, sentence: str) -> None:
        self.warnings.append(Finding(field.code, _about(field, sentence)))


def _about(field: Field, sentence: str) -> Sentence:
    """The sentence with the field's name in front; the inner one keeps its own template."""
    return say("{field}：{sentence}", field=field.name, sentence=sentence)


def public_values(entry: DirectoryEntry, values: Mapping[str, str]) -> dict[str, str]:
    """The values of a record that anybody may see, masked; nothing at all when the entry is in no catalogue.

    Identity and mobile numbers that stand in running text are masked too.
    """
    if not entry.may_be_published:
        return {}
    shown = {}
    for field in entry.fields:
        if field.range == PUBLIC and not field.is_secret and (value := values.get(field.code)):
            shown[field.code] = _masked(field, value, values)
    return shown


def _masked(field: Field, value: str, values: Mapping[str, str]) -> str:
    condition = field.masked_when
    if field.mask and (condition is None or condition.holds(values.get(condition.field, ""))):
        return _MASKS[field.mask.partition(" ")[0]](value)
    return value if field.rule or field.type != "C" else hide_personal_numbers(value)


def without_secrets(entry: DirectoryEntry, row: Mapping[str, object]) -> dict[str, object]:
    """A row, received or understood, as it may be kept in the clear: numbers that identify a person are masked, in
    their own fields and wherever else they were typed. The numbers themselves belong sealed, at the subject.
    """
    kept = dict(row)
    for heading, cell in row.items():
        field = entry.field(heading)
        if is_blank(cell):
            continue
        if field is not None and field.is_secret:
            kept[heading] = mask_id(cell)
        elif isinstance(cell, str) and has_personal_numbers(cell):
            kept[heading] = hide_personal_numbers(cell)
    return kept


def split_values(value: str) -> tuple[str, ...]:
    """The single values of a field that may have several (处罚类别): "警告;罚款" → ("警告", "罚款")."""
    return tuple(part for part in value.split(";") if part)


@cache
def entries() -> tuple[DirectoryEntry, ...]:
    """Every entry in every edition."""
    return tuple(_entry(row) for row in _rows("entries.csv"))


def entry_for(code: str, day: date) -> DirectoryEntry:
    """The edition of an entry that is in force on a day. Raises LookupError, loudly, when there is none."""
    for entry in entries():
        if entry.code == code and entry.in_force(day):
            return entry
    raise LookupError(f"no edition of directory {code} is in force on {day}")


@cache
def code_list(name: str) -> cells.CodeList:
    """A code list by its name. Raises LookupError when there is no such list."""
    rows = [row for row in _rows("code-lists.csv") if row["list"] == name]
    if not rows:
        raise LookupError(f"no code list {name}")
    return cells.CodeList(rows)


def _entry(row: Mapping[str, str]) -> DirectoryEntry:
    return DirectoryEntry(
        code=row["code"],
        edition=row["edition"],
        title=row["title"],
        kind=row["kind"],
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
        catalogue_code=row["catalogue_code"],
        legal_basis=row["legal_basis"],
        fields=tuple(_field(row) for row in _rows(row["file"])),
    )


def _field(row: Mapping[str, str]) -> Field:
    return Field(
        code=row["code"],
        name=row["name"],
        type=row["type"],
        max_len=int(row["max_len"]) if row["max_len"] else None,
        required=row["required"],
        rule=row["rule"],
        code_list=row["code_list"],
        mask=row["mask"],
        range=row["range"],
        aliases=tuple(alias for alias in row["aliases"].split(";") if alias),
    )


def _rows(name: str) -> Iterable[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _heading_key(heading: object) -> str:
    """A heading without width, blanks and the running number that the offices count differently."""
    folded = fold(heading)
    numbered = _NUMBERED_HEADING.fullmatch(folded)
    return numbered[1] if numbered else folded
