"""Who reads a credit file, and what of a field each may see: one table for every page, sealed paper, export and answer.

The range of a field (社会公开, 政务共享, 授权查询) is what the directory of its kind says. A number that identifies a
person is kept masked in every record; whoever may see the field sees it so.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from app.registry.fields import ON_AUTHORITY, PUBLIC, SHARED, DirectoryEntry, Field
from app.registry.masking import hide_names, hide_personal_numbers, mask_name


class Reader(StrEnum):
    """Somebody who reads. LOOK is an officer who asked to see what is masked, for a reason that is written down."""

    PUBLIC = "public"
    DEPARTMENT = "department"
    OFFICER = "officer"
    SUBJECT = "subject"
    LOOK = "look"


PLAIN, MASKED, HIDDEN = "plain", "masked", "hidden"

SEEN: Mapping[str, Mapping[Reader, str]] = MappingProxyType(
    {
        PUBLIC: {
            Reader.PUBLIC: MASKED, Reader.DEPARTMENT: MASKED, Reader.OFFICER: MASKED,
            Reader.SUBJECT: PLAIN, Reader.LOOK: PLAIN,
        },
        SHARED: {
            Reader.PUBLIC: HIDDEN, Reader.DEPARTMENT: MASKED, Reader.OFFICER: MASKED,
            Reader.SUBJECT: PLAIN, Reader.LOOK: PLAIN,
        },
        ON_AUTHORITY: {
            Reader.PUBLIC: HIDDEN, Reader.DEPARTMENT: HIDDEN, Reader.OFFICER: HIDDEN,
            Reader.SUBJECT: PLAIN, Reader.LOOK: PLAIN,
        },
    }
)  # fmt: skip
"""How a field of a range is seen by a reader."""

WHOLE = frozenset((Reader.SUBJECT, Reader.LOOK))
"""Readers for whom names of persons stand as they are."""


def values_for(entry: DirectoryEntry, values: Mapping[str, str], reader: Reader) -> dict[str, str]:
    """The values of a record that this reader may see, by their field's code, in the directory's order.

    The public sees nothing of an entry that is in no catalogue of public credit information. Where names are masked
    they are masked in running text too, those of the record's own fields.
    """
    if reader is Reader.PUBLIC and not entry.may_be_published:
        return {}
    names = {} if reader in WHOLE else names_in(entry, values)
    shown = {}
    for field in entry.fields:
        how, value = SEEN[field.range][reader], values.get(field.code)
        if how == HIDDEN or not value:
            continue
        shown[field.code] = value if how == PLAIN else hide_names(_masked(field, value, values), names)
    return shown


def names_in(entry: DirectoryEntry, values: Mapping[str, str]) -> dict[str, str]:
    """The names of persons in a record's own fields, each with its mask."""
    return {
        value: mask_name(value)
        for field in entry.fields
        if field.mask.partition(" ")[0] == "name" and _applies(field, values) and (value := values.get(field.code))
    }


def _masked(field: Field, value: str, values: Mapping[str, str]) -> str:
    if field.masker is not None and _applies(field, values):
        return field.masker(value)
    return hide_personal_numbers(value) if field.type == "C" else value


def _applies(field: Field, values: Mapping[str, str]) -> bool:
    condition = field.masked_when
    return condition is None or condition.holds(values.get(condition.field, ""))
