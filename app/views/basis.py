"""On which row of the law a date rests, and whether somebody vouches for it; only officers see that mark."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select

from app.db import db
from app.models import Attestation
from workflows.law import RuleRow, UnknownRule, rule

UNITS = {"WD": "%(n)s 个工作日", "CD": "%(n)s 天", "M": "%(n)s 个月", "Y": "%(n)s 年"}


@dataclass(frozen=True, slots=True)
class Basis:
    """A row as a page shows it. `vouched` is true for a row seen in a copy or attested by the legal office."""

    rule_id: str
    title: str
    length: str
    citation: str
    url: str
    since: date | None
    vouched: bool
    attested: bool
    note: str


def length_text(value: int, unit: str) -> str:
    """A period in words, "" for one that was read and not counted."""
    return _(UNITS[unit], n=value) if unit in UNITS else ""


def row_of(rule_id: str, digest: str = "", day: date | None = None) -> RuleRow | None:
    """The row of that digest, else the one in force on the day; None when the rule no longer has it."""
    try:
        rows = rule(rule_id).rows
    except UnknownRule:
        return None
    if digest:
        return next((row for row in rows if row.digest == digest), None)
    return next((row for row in rows if day is not None and row.in_force(day)), None)


def attested(digests: Iterable[str]) -> frozenset[str]:
    """Which of these rows the legal office has attested as they stand."""
    wanted = sorted({digest for digest in digests if digest})
    if not wanted:
        return frozenset()
    return frozenset(db.session.execute(select(Attestation.row).where(Attestation.row.in_(wanted))).scalars())


def basis_of(row: RuleRow, vouched_for: frozenset[str] = frozenset()) -> Basis:
    """A row in words; `vouched_for` are the digests that have been attested."""
    return Basis(
        rule_id=row.rule_id,
        title=rule(row.rule_id).title,
        length=length_text(int(row.value), row.unit) if isinstance(row.value, int) else "",
        citation=row.citation,
        url=row.url if row.url.startswith("https://") else "",
        since=row.valid_from,
        vouched=row.verified or row.digest in vouched_for,
        attested=row.digest in vouched_for,
        note=row.note,
    )
