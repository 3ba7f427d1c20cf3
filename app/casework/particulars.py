"""The register of what each case type keeps beside the envelope: how its row begins, and what a page reads of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.casework import repair_particulars
from app.casework.actor import Person


@dataclass(frozen=True, slots=True)
class Particulars:
    """`begin` writes the row of a new case (its id, who opens it); `read` gives it as `cases/<type>/` shows it."""

    begin: Callable[[int, Person], None]
    read: Callable[[int], Any]


PARTICULARS: Mapping[str, Particulars] = {
    "repair": Particulars(repair_particulars.begin, repair_particulars.read),
}
