"""Whose hands may change a credit record: one rule for every verb of the register, and the lock it is done under."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Row, select

from app.db import db
from app.journal import Doer
from app.models import CreditRecord
from workflows.grammar import STRANGER, Refusal
from workflows.people import Role

HANDS = (Role.HEAD, Role.CONFIRMATION, Role.REVIEW)
"""The roles that may class a record or record that its penalty was annulled; the gravest first."""


class Officer(Protocol):
    """Somebody who acts on a record, with the memberships and mandates in force at that moment."""

    @property
    def person(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def mandates(self) -> frozenset[int]: ...
    @property
    def memberships(self) -> frozenset[tuple[Role, int]]: ...


class NotPossible(Exception):
    """The register says no; `refusals` say why. Nothing has been written."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("；".join(refusal.text for refusal in refusals))
        self.refusals = tuple(refusals)


def not_theirs(doer: Officer, office: int, subject: int) -> list[Refusal]:
    """Why this person may not change a record of that office about that subject; an empty list means they may."""
    if subject in doer.mandates:
        return [Refusal(STRANGER, "您受这条信息的主体委托，应当回避，请由其他人办理。", {}, "D", "RECUSED")]
    if any((role, office) in doer.memberships for role in HANDS):
        return []
    who = "、".join(role.title for role in reversed(HANDS))
    return [Refusal(STRANGER, "这由认定单位的{who}办理。", {"who": who}, "D", "OTHER_ROLE")]


def locked(record_id: int, doer: Officer) -> Row[Any]:
    """The record, locked for the transaction. Raises NotPossible when this person may not change it; LookupError when
    there is none."""
    row = db.session.execute(
        select(*CreditRecord.__table__.c).where(CreditRecord.id == record_id).with_for_update()
    ).first()
    if row is None:
        raise LookupError(f"没有编号为 {record_id} 的信用记录")
    if no := not_theirs(doer, row.office_id, row.subject_id):
        raise NotPossible(no)
    return row


def hand(doer: Officer, office: int) -> Doer:
    """Who the journal says did it: the gravest of their roles in the record's office."""
    role = next((role for role in HANDS if (role, office) in doer.memberships), Role.HEAD)
    return Doer(doer.person, doer.name, role.value, office, None, doer.address)
