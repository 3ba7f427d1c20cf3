"""Which kinds of records there are, in every edition, and the lists of values their fields come from."""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path

from app.registry import values as cells
from app.registry.fields import DirectoryEntry, Field, heading_key

FOLDER = Path(__file__).with_name("directories")


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


def entry_of(directory: str) -> DirectoryEntry | None:
    """The edition that a record or a batch names as `code/edition`; None when there is none such."""
    return next((entry for entry in entries() if f"{entry.code}/{entry.edition}" == directory), None)


@cache
def code_list(name: str) -> cells.CodeList:
    """A code list by its name. Raises LookupError when there is no such list."""
    rows = [row for row in _rows("code-lists.csv") if row["list"] == name]
    if not rows:
        raise LookupError(f"no code list {name}")
    return cells.CodeList(rows)


@cache
def envelope() -> Mapping[str, str]:
    """What a column says that is about the row and not about the subject, by the folded heading: sender_id, stamp,
    standing, scope, or idle for what no sheet of today has."""
    return {
        heading_key(heading): row["meaning"] for row in _rows("envelope.csv") for heading in row["headings"].split(";")
    }


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
        role=row["role"],
        stand_in=row["stand_in"],
    )


def _rows(name: str) -> Iterable[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
