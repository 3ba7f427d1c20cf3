"""Whom a step means by a word: 信用中国, the province, the linked departments of a case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from app.db import db
from app.models import Office

RECIPIENTS = {"credit_china": "信用中国", "province": "省信用平台", "linked": "联动部门"}

OFFICE = Office.__table__.c
LISTENING = (
    select(OFFICE.id, OFFICE.code, OFFICE.name, OFFICE.receives)
    .where(OFFICE.kind == "linked", OFFICE.receives != "")
    .order_by(OFFICE.code)
)


@dataclass(frozen=True, slots=True)
class Receiver:
    """A linked department and the word under which it is told."""

    id: int
    code: str
    name: str
    word: str


def receivers(words: Iterable[str]) -> list[Receiver]:
    """Every department that listens to one of these words, in the order of their codes; each once."""
    words = tuple(words)
    rows = db.session.execute(LISTENING).all()
    found = []
    for row in rows:
        word = next((word for word in words if word in row.receives.split()), None)
        if word is not None:
            found.append(Receiver(row.id, row.code, row.name, word))
    return found
