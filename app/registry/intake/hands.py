"""Whose hands may take in an office's records, mend its rows and take a batch back."""

from __future__ import annotations

from app.journal import Doer
from app.registry.hands import HANDS, Officer
from workflows.grammar import STRANGER, UNMET, Refusal
from workflows.people import Role

TAKERS = (*HANDS, Role.PROCESSING, Role.ACCEPTANCE)
"""The roles that may take records in; taking a whole batch back is for those who may change a record."""
LAW = "D"


def not_theirs(doer: Officer, office_id: int, roles: tuple[Role, ...] = TAKERS) -> list[Refusal]:
    """Why this person may not do it for that office; an empty list means they may."""
    if any((role, office_id) in doer.memberships for role in roles):
        return []
    who = "、".join(role.title for role in reversed(roles))
    return [Refusal(STRANGER, "这由报送单位的{who}办理。", {"who": who}, LAW, "OTHER_ROLE")]


def hand(doer: Officer, office_id: int) -> Doer:
    """Who the journal says did it."""
    role = next((role for role in TAKERS if (role, office_id) in doer.memberships), Role.PROCESSING)
    return Doer(doer.person, doer.name, role.value, office_id, None, doer.address)


def no(text: str, code: str, **values: object) -> Refusal:
    """A refusal of the intake."""
    return Refusal(UNMET, text, values, LAW, code)
