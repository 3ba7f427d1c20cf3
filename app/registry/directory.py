"""目录: which fields a kind of record has, from when until when, and whether a received row fits them.

An entry is product data (`directories/*.csv`): the standard's own field codes, lengths, what is mandatory and when,
which list a value comes from, who may see it. When a sheet is revised a new edition is added beside the old one; the
edition is chosen by the day the row is taken in. Nothing outside a catalogue may be published, and a list of the
dishonest needs a basis in a law, regulation or central document: an entry without one is refused when it is made.

This is the door of the directory for the other rooms; what stands behind it is read there.
"""

from app.registry.entries import FOLDER, code_list, entries, entry_for, entry_of
from app.registry.fields import KINDS, ON_AUTHORITY, PUBLIC, SHARED, Condition, DirectoryEntry, DirectoryError, Field
from app.registry.row_reader import Finding, RowReader, Verdict, validate
from app.registry.shown import public_values, split_values, without_secrets

__all__ = [
    "FOLDER",
    "KINDS",
    "ON_AUTHORITY",
    "PUBLIC",
    "SHARED",
    "Condition",
    "DirectoryEntry",
    "DirectoryError",
    "Field",
    "Finding",
    "RowReader",
    "Verdict",
    "code_list",
    "entries",
    "entry_for",
    "entry_of",
    "public_values",
    "split_values",
    "validate",
    "without_secrets",
]
