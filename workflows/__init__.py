"""The law room: case types, their time-limits and conditions, as data. It knows nothing of the web or the database."""

from __future__ import annotations

from workflows.grammar import Workflow
from workflows.repair import REPAIR

WORKFLOWS: dict[tuple[str, str], Workflow] = {(w.code, w.edition): w for w in (REPAIR,)}
"""Every case type in every edition that a living case may still have, by code and edition."""

NEWEST: dict[str, Workflow] = {w.code: w for w in (REPAIR,)}
"""The edition in which a new case of each type begins."""


def workflow(code: str, edition: str) -> Workflow:
    """The definition a case was begun under. Raises KeyError with a sentence when this release no longer carries it."""
    try:
        return WORKFLOWS[code, edition]
    except KeyError:
        raise KeyError(f"没有办件类型 {code} 的 {edition} 版定义") from None
