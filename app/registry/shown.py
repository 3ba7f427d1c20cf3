"""What of a record may be seen: by the public, masked, and what may be kept in the clear at all."""

from collections.abc import Mapping

from app.registry.fields import DirectoryEntry
from app.registry.masking import has_personal_numbers, hide_personal_numbers, mask_id
from app.registry.readers import Reader, values_for
from app.registry.text import is_blank


def public_values(entry: DirectoryEntry, values: Mapping[str, str]) -> dict[str, str]:
    """The values of a record that anybody may see, masked; nothing at all when the entry is in no catalogue.

    Identity and mobile numbers that stand in running text are masked too.
    """
    return values_for(entry, values, Reader.PUBLIC)


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
