"""Who acts: roles, what the law room must know of a person, and the watch that acts when time runs out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol


class Role(StrEnum):
    """A part somebody may play: a filer through a mandate, an officer through a membership in an office, a carrier by
    bringing what an applicant has handed in elsewhere, at 信用中国 or at a hall window."""

    FILER = "filer"
    CARRIER = "carrier"
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
    Role.CARRIER: "转交人",
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


CARRIED = ("creditchina", "hall")
"""Channels by which an application is brought by a carrier; the others come from the filer's own hand."""
CARRY = "carry"
"""The part played by whoever acts as the carrier of a case; a definition may keep it apart from others."""
CARRY_TITLE = "代申请人转交"


class Carries(NamedTuple):
    """Somebody of `office` brings in what came by `channel`; `only_here`: about records of that office alone."""

    channel: str
    office: int
    only_here: bool


def carrying(role: Role, office: int, receives: str) -> Carries | None:
    """What a membership lets somebody carry, if anything: an acceptance officer stands at their own office's window
    (谁认定、谁修复), whoever is linked in the office behind 信用中国 brings what was filed there, whoever decides it.
    """
    if role is Role.ACCEPTANCE:
        return Carries("hall", office, True)
    if role is Role.LINKED and "credit_china" in receives.split():
        return Carries("creditchina", office, False)
    return None


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

    @property
    def carries(self) -> frozenset[Carries]:
        """By which channels this person brings applications for others."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The system acting by itself, only where a definition lists it: when a clock has run out or the needs hold."""

    person: int | None = None
    mandates: frozenset[int] = frozenset()
    memberships: frozenset[tuple[Role, int]] = frozenset()
    carries: frozenset[Carries] = frozenset()


WATCH = Watch()

_BY_ITSELF = frozenset((Role.WATCH,))
NO_MEMBERSHIP = frozenset((Role.FILER, Role.CARRIER, Role.WATCH))
"""Roles that nobody holds in an office."""


def carried_by(actor: Actor, office: int, channel: str) -> Carries | None:
    """What lets `actor` bring in a case of `office` that came by `channel`; None: it is not theirs to bring."""
    for one in actor.carries:
        if one.channel == channel and (one.office == office or not one.only_here):
            return one
    return None


def roles_in(actor: Actor, office: int, subject: int, channel: str) -> frozenset[Role]:
    """The roles `actor` has in a case of `office` about `subject` that came by `channel`: an officer acts in their own
    office only.

    Nobody files by membership, only by mandate, and no membership makes a person the watch. Who holds a mandate of the
    subject acts for it as its filer and carries nothing for it.
    """
    if isinstance(actor, Watch):
        return _BY_ITSELF
    roles = frozenset([role for role, where in actor.memberships if where == office]) - NO_MEMBERSHIP
    if subject in actor.mandates:
        return roles | {Role.FILER}
    if actor.carries and carried_by(actor, office, channel):
        return roles | {Role.CARRIER}
    return roles
