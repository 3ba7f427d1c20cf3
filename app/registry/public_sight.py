"""What anybody may know of a subject, by its kind: one table for every page, search, list and export.

Organisations are shown whole, and so is the business name of a sole trader. A natural person is found by no name, has
no page, and stands in a list only with the family name (PIPL 25, 28).
"""

from __future__ import annotations

from typing import NamedTuple


class Sight(NamedTuple):
    """`found`: by name, in a search. `page`: has an address of its own, under its code. `named`: by its whole name."""

    found: bool
    page: bool
    named: bool


SIGHT = {
    "enterprise": Sight(found=True, page=True, named=True),
    "institution": Sight(found=True, page=True, named=True),
    "sole_trader": Sight(found=True, page=True, named=True),
    "person": Sight(found=False, page=False, named=False),
}

FOUND = tuple(kind for kind, sight in SIGHT.items() if sight.found)
PAGED = tuple(kind for kind, sight in SIGHT.items() if sight.page)
