"""How long a record of each kind is shown, and whether at all; the law is asked once for a day and its penalties."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.registry.days import OPEN_END
from app.registry.fields import DirectoryEntry
from app.registry.shown import split_values
from workflows.classing import publicity_term

VALID = "有效"
CAUSES = {"penalty": "行政处罚信息公示", "permit": "行政许可信息公示", "list": "严重失信主体名单公示"}


@dataclass(frozen=True, slots=True)
class Shown:
    """The class of a record and its periods; `published` is what the law, or a permit's own life, says."""

    cls: str
    basis: str
    minimum_last_day: date | None
    maximum_last_day: date | None
    published: bool


class Terms:
    """Answers of the law, remembered for the rows of one batch."""

    def __init__(self, entry: DirectoryEntry) -> None:
        self._entry = entry
        self._known: dict[tuple[str, str], Shown] = {}

    def of(self, values: dict[str, str], today: date) -> Shown:
        """How a record with these values is shown."""
        entry = self._entry
        if entry.kind == "permit":
            return self._permit(values, today)
        asked = entry.value("day", values), entry.value("kinds", values)
        known = self._known.get(asked)
        if known is None:
            if len(self._known) > 20_000:
                self._known.clear()
            known = self._known[asked] = self._by_law(*asked)
        return known

    def _by_law(self, day: str, kinds: str) -> Shown:
        term = publicity_term(
            date.fromisoformat(day), frozenset(split_values(kinds)), "", serious_list=self._entry.kind == "list"
        )
        return Shown(term.cls or "", term.reason, term.minimum_last_day, term.maximum_last_day, term.published)

    def _permit(self, values: dict[str, str], today: date) -> Shown:
        """A permit lives until its last day, unless its organ has declared it void."""
        until = self._entry.value("until", values)
        last = date.fromisoformat(until) if until and until < OPEN_END.isoformat() else None
        valid = self._entry.value("state", values) in ("", VALID)
        return Shown("", "", None, last, valid and (last is None or last >= today))
