"""A kind of record in one edition: its fields, what is mandatory and when, who may see what.

Entries are product data (`directories/*.csv`); these are the words in which they are written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from app.registry.masking import mask_address, mask_id, mask_name, mask_phone
from app.registry.text import fold, is_blank, say

if TYPE_CHECKING:
    from app.registry.row_reader import RowReader

_CONDITION = re.compile(r"(if|unless) (\w+)([=~])(.+)")
_NUMBERED_HEADING = re.compile(r"行政相对人代码_?\d?\((.+)\)")
MASKS: dict[str, Callable[[object], str]] = {
    "name": mask_name, "id": mask_id, "phone": mask_phone, "address": mask_address,
}  # fmt: skip
_RULES = frozenset(
    {"one-of", "some-of", "code", "organ-code", "organisation-code", "number-of", "positive", "stated-in"}
    | {"past", "open-ended", "from", "differs-from"}
)
ROLES = frozenset(
    {"name", "category", "code", "representative", "document", "document-number", "number", "title", "kinds", "day"}
    | {"until", "state", "organ", "organ-code", "source-code"}
)
"""What a field is to the register, whatever the sheet calls it: the subject's name, the day of the decision …"""

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
    def read(cls, text: str) -> Condition | None:
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
    how the value is masked where the public sees it, `range` who may see it at all. `role` is what the register takes
    the field for; several fields may make up one number. `stand_in` is the field whose column says this one too in
    older sheets, which had no column for it.
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
    role: str = ""
    stand_in: str = ""

    def __post_init__(self) -> None:
        unknown = self.rules.keys() - _RULES
        if unknown or self.type not in "CDN" or self.range not in (PUBLIC, SHARED, ON_AUTHORITY):
            raise DirectoryError(f"{self.code}: rule, type or range is unknown {unknown or ''}")
        if self.required not in ("Y", "N") and not self.required_when:
            raise DirectoryError(f"{self.code}: no such condition: {self.required}")
        if self.role and self.role not in ROLES:
            raise DirectoryError(f"{self.code}: no such role: {self.role}")
        mask, _, when = self.mask.partition(" ")
        if mask and mask not in MASKS or when and not self.masked_when:
            raise DirectoryError(f"{self.code}: no such mask: {self.mask}")

    @cached_property
    def rules(self) -> dict[str, str]:
        """The checks of a value, each with the field it points at: `from:CF_JDRQ` → {"from": "CF_JDRQ"}."""
        return {token.partition(":")[0]: token.partition(":")[2] for token in self.rule.split()}

    @cached_property
    def required_when(self) -> Condition | None:
        """The condition under which the field is mandatory."""
        return Condition.read(self.required)

    @cached_property
    def masked_when(self) -> Condition | None:
        """The condition under which the mask applies; None: always."""
        return Condition.read(self.mask.partition(" ")[2])

    @cached_property
    def masker(self) -> Callable[[object], str] | None:
        """How a value of the field is masked; None where it is not."""
        return MASKS.get(self.mask.partition(" ")[0])

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
        named = {other for field in self.fields for other in (*field.rules.values(), field.stand_in)} - {""}
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

    @cached_property
    def by_role(self) -> dict[str, tuple[Field, ...]]:
        """The fields by what the register takes them for."""
        return {role: tuple(field for field in self.fields if field.role == role) for role in ROLES}

    def value(self, role: str, values: Mapping[str, str]) -> str:
        """What a row says in a role; the values of several fields stand beside each other."""
        codes = self._codes[role]
        if len(codes) == 1:
            return values.get(codes[0], "")
        return " ".join(values[code] for code in codes if code in values)

    @cached_property
    def _codes(self) -> dict[str, tuple[str, ...]]:
        return {role: tuple(field.code for field in fields) for role, fields in self.by_role.items()}

    def field(self, heading: object) -> Field | None:
        """The field that a column heading means: its code, its name, or what older sheets and other offices call it."""
        return self._by_heading.get(heading_key(heading))

    @cached_property
    def _by_heading(self) -> dict[str, Field]:
        return {
            heading_key(heading): field for field in self.fields for heading in (field.code, field.name, *field.aliases)
        }

    @cached_property
    def readers(self) -> dict[Hashable, RowReader]:
        """Readers of rows with the same headings, for `validate`; filled there."""
        return {}

    @cached_property
    def by_code(self) -> dict[str, Field]:
        """The fields by their code, in the standard's order."""
        return {field.code: field for field in self.fields}


def heading_key(heading: object) -> str:
    """A heading without width, blanks and the running number that the offices count differently."""
    folded = fold(heading)
    numbered = _NUMBERED_HEADING.fullmatch(folded)
    return numbered[1] if numbered else folded
