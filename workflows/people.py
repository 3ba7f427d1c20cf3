"""Who acts: roles, what the law room must know of a person, and the watch that acts when time runs out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """A part somebody may play. A filer plays it through a mandate, an officer through a membership in an office."""

    FILER = "filer"
    ACCEPTANCE = "acceptance"
    REVIEW = "review"
    CONFIRMATION = "confirmation"
    PROCESSING = "processing"
    HEAD = "head"
    LINKED = "linked"
    LEGAL = "legal"
    ADMINISTRATOR = "administrator"
    WATCH = "watch"

    @property
    def title(self) -> str:  # type: ignore[override]
        """The role's Chinese name."""
        return ROLE_TITLES[self]


ROLE_TITLES: dict[Role, str] = {
    Role.FILER: "申请人",
    Role.ACCEPTANCE: "受理员",
    Role.REVIEW: "审核员",
    Role.CONFIRMATION: "确认人",
    Role.PROCESSING: "信息处理员",
    Role.HEAD: "负责人",
    Role.LINKED: "联动部门经办",
    Role.LEGAL: "法制",
    Role.ADMINISTRATOR: "管理员",
    Role.WATCH: "系统值守",
}


class Actor(Protocol):
    """What the law room may ask of whoever wants to act; memberships and mandates are those in force at that moment."""

    @property
    def person(self) -> int | None:
        """The natural person who answers for the act, None for the watch."""

    @property
    def mandates(self) -> frozenset[int]:
        """Subjects this person may act for."""

    @property
    def memberships(self) -> frozenset[tuple[Role, int]]:
        """Roles held, each in one office."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The system acting by itself, only where a definition lists it: when a clock has run out or the needs hold."""

    person: int | None = None
    mandates: frozenset[int] = frozenset()
    memberships: frozenset[tuple[Role, int]] = frozenset()


WATCH = Watch()

_BY_ITSELF = frozenset((Role.WATCH,))
_NO_MEMBERSHIP = frozenset((Role.FILER, Role.WATCH))


def roles_in(actor: Actor, office: int, subject: int) -> frozenset[Role]:
    """The roles `actor` has in a case of `office` about `subject`: an officer acts in their own office only.

    Nobody files by membership, only by mandate, and no membership makes a person the watch.
    """
    if isinstance(actor, Watch):
        return _BY_ITSELF
    roles = frozenset([role for role, where in actor.memberships if where == office]) - _NO_MEMBERSHIP
    return roles | {Role.FILER} if subject in actor.mandates else roles
