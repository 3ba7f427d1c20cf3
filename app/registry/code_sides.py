"""The two sides of a doubt about a code: what a row says, and whom the register knows by that code or that name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from app.db import db
from app.models import CreditRecord, Identifier, Subject
from app.registry.codes import clean_code
from app.registry.intake.heading import heading_of
from app.registry.intake.lookups import spellings
from app.registry.subject import found_near

MOST = 5
"""Namesakes that are shown."""


@dataclass(frozen=True, slots=True)
class Side:
    """A subject of the register: its codes over time as (code, from, until), how many records it has, and why it is
    shown (own: the row's record is about it; code, name or near: it has that code, that name, a similar code)."""

    id: int
    name: str
    kind: str
    why: str
    codes: tuple[tuple[str, date, date | None], ...]
    records: int

    @property
    def code(self) -> str:
        """Its present code."""
        return next((code for code, _since, until in self.codes if until is None), "")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row whose code is in doubt: the name and the code it gives, and whom they may mean."""

    name: str
    code: str
    own: Side | None
    others: tuple[Side, ...]


def doubt_about(batch: Any, line: Any) -> Doubt:
    """Both sides of a doubt, in at most six statements. Natural persons are not shown: only numbers tell them apart."""
    heading = heading_of(batch.directory, batch.heading)
    said = {**line.received, **(line.mended or {})}

    def in_role(role: str) -> str:
        codes = {field.code for field in heading.entry.by_role[role]}
        return next((str(said[c.heading]) for c in heading.columns if c.field in codes and said.get(c.heading)), "")

    name, code = in_role("name"), clean_code(in_role("code"))
    own_id = None
    if line.record_id is not None:
        own_id = db.session.execute(select(CreditRecord.subject_id).where(CreditRecord.id == line.record_id)).scalar()
    why: dict[int, str] = {own_id: "own"} if own_id is not None else {}
    by_code = select(Identifier.subject_id).where(Identifier.kind == "uscc", Identifier.value == code)
    by_name = select(Subject.id).where(Subject.name.in_(spellings(name)), Subject.kind != "person")
    by_name = by_name.order_by(Subject.id).limit(MOST)
    for found in db.session.execute(by_code).scalars() if code else ():
        why.setdefault(found, "code")
    for found in db.session.execute(by_name).scalars() if name else ():
        why.setdefault(found, "name")
    if line.finding == "bad_code":
        for near in found_near(code):
            why.setdefault(near.id, "near")
    sides = _sides(why)
    own = next((side for side in sides if side.id == own_id), None)
    return Doubt(name, code, own, tuple(side for side in sides if side.id != own_id and side.codes))


def _sides(why: dict[int, str]) -> list[Side]:
    if not why:
        return []
    subjects = db.session.execute(
        select(Subject.id, Subject.name, Subject.kind).where(Subject.id.in_(why), Subject.kind != "person")
    ).all()
    codes = db.session.execute(
        select(Identifier.subject_id, Identifier.value, Identifier.valid_from, Identifier.valid_until)
        .where(Identifier.subject_id.in_(why), Identifier.kind == "uscc")
        .order_by(Identifier.valid_from)
    ).all()
    counted = db.session.execute(
        select(CreditRecord.subject_id, func.count())
        .where(CreditRecord.subject_id.in_(why), CreditRecord.undone_at.is_(None))
        .group_by(CreditRecord.subject_id)
    ).all()
    count: dict[int, int] = {subject: number for subject, number in counted}
    return sorted(
        (
            Side(row.id, row.name, row.kind, why[row.id], _codes_of(row.id, codes), count.get(row.id, 0))
            for row in subjects
        ),
        key=lambda side: list(why).index(side.id),
    )


def _codes_of(subject: int, rows: Iterable[Any]) -> tuple[tuple[str, date, date | None], ...]:
    return tuple((row.value, row.valid_from, row.valid_until) for row in rows if row.subject_id == subject)
