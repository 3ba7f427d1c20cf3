"""What the register already knows of a chunk of rows: a few statements for thousands of rows, none for a single one."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, false, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Date, Integer, String

from app.db import db
from app.models import Case, CaseRecord, CreditRecord, Identifier, Office, RecordVersion, Subject
from app.registry.text import name_key

Key = tuple[str, int, int, date]
"""Normalised number, subject, office, day: what makes two rows one record."""


@dataclass(frozen=True, slots=True)
class Known:
    """A subject of the register."""

    id: int
    kind: str
    name: str


def is_postgres() -> bool:
    """True when the register stands on PostgreSQL."""
    return db.engine.dialect.name == "postgresql"


def _among(column: Any, values: Collection[Any], kind: Any) -> Any:
    """The condition that a column's value is one of many: one parameter, joined and not compared with each in turn."""
    if is_postgres():
        listed = text("SELECT unnest(:many)").bindparams(bindparam("many", list(values), ARRAY(kind)))
    else:
        listed = text("SELECT value FROM json_each(:many)").bindparams(many=json.dumps(list(values)))
    return column.in_(listed)


def by_code(codes: Collection[str]) -> dict[str, Known]:
    """Subjects by a code they have or once had."""
    return _subjects(Identifier.value, codes, ("uscc",))


def by_blind(blinds: Collection[str]) -> dict[str, Known]:
    """Natural persons by the blind index of their document's number."""
    return _subjects(Identifier.blind, blinds, ("id_card", "document"))


def _subjects(column: Any, values: Collection[str], kinds: tuple[str, ...]) -> dict[str, Known]:
    if not values:
        return {}
    rows = db.session.execute(
        select(column.label("by"), Subject.id, Subject.kind, Subject.name)
        .join(Identifier, Identifier.subject_id == Subject.id)
        .where(Identifier.kind.in_(kinds), _among(column, values, String))
    )
    return {row.by: Known(row.id, row.kind, row.name) for row in rows}


def by_name(names: Iterable[str]) -> dict[str, Known]:
    """Organisations by the key of their name; the two widths of brackets are both looked for."""
    spelt = {spelling for name in names for spelling in spellings(name)}
    if not spelt:
        return {}
    rows = db.session.execute(
        select(Subject.id, Subject.kind, Subject.name).where(
            Subject.kind != "person", _among(Subject.name, spelt, String)
        )
    )
    return {name_key(row.name): Known(row.id, row.kind, row.name) for row in rows}


def spellings(name: str) -> set[str]:
    """A name with its brackets in either width."""
    return {name, name.replace("（", "(").replace("）", ")"), name.replace("(", "（").replace(")", "）")}


_COLUMNS = ", ".join(f"r.{column.name}" for column in CreditRecord.__table__.c)
_TYPED = {column.name: column.type for column in CreditRecord.__table__.c}


def by_key(keys: Collection[Key]) -> dict[Key, Row[Any]]:
    """Records by their keys; locked for the transaction."""
    if not keys:
        return {}
    if is_postgres():
        sql = text(
            f"SELECT {_COLUMNS} FROM unnest(:numbers, :subjects, :offices, :days) AS k(n, s, o, d) JOIN record r ON "
            "r.number_key = k.n AND r.subject_id = k.s AND r.office_id = k.o AND r.recognised_on = k.d "
            "ORDER BY r.id FOR UPDATE OF r"
        ).bindparams(
            bindparam("numbers", [key[0] for key in keys], ARRAY(String)),
            bindparam("subjects", [key[1] for key in keys], ARRAY(Integer)),
            bindparam("offices", [key[2] for key in keys], ARRAY(Integer)),
            bindparam("days", [key[3] for key in keys], ARRAY(Date)),
        )
    else:
        listed = json.dumps([[*key[:3], key[3].isoformat()] for key in keys])
        sql = text(
            f"SELECT {_COLUMNS} FROM json_each(:keys) k JOIN record r ON r.number_key = json_extract(k.value, '$[0]') "
            "AND r.subject_id = json_extract(k.value, '$[1]') AND r.office_id = json_extract(k.value, '$[2]') "
            "AND r.recognised_on = json_extract(k.value, '$[3]')"
        ).bindparams(keys=listed)
    rows = db.session.execute(sql.columns(**_TYPED)).all()
    return {(row.number_key, row.subject_id, row.office_id, row.recognised_on): row for row in rows}


def by_sender(office_ids: Collection[int], ids: Collection[str]) -> dict[tuple[int, str], Row[Any]]:
    """Records by the id they have at the office that sent them; locked for the transaction."""
    if not ids:
        return {}
    rows = db.session.execute(
        select(*CreditRecord.__table__.c)
        .where(
            CreditRecord.office_id.in_(sorted(office_ids)),
            CreditRecord.sender_id != "",
            _among(CreditRecord.sender_id, ids, String),
        )
        .order_by(CreditRecord.id)
        .with_for_update()
    ).all()
    return {(row.office_id, row.sender_id): row for row in rows}


def cases_about(record_ids: Collection[int]) -> dict[int, str]:
    """The latest case about each of these records that has one: its number."""
    if not record_ids:
        return {}
    rows = db.session.execute(
        select(CaseRecord.record_id, Case.number)
        .join(Case, Case.id == CaseRecord.case_id)
        .where(_among(CaseRecord.record_id, record_ids, Integer))
        .order_by(Case.id)
    )
    return {row.record_id: row.number for row in rows}


def corrected_by(batch_id: int, record_ids: Collection[int]) -> set[int]:
    """Which of these records the batch has corrected already."""
    if not record_ids:
        return set()
    rows = db.session.execute(
        select(RecordVersion.record_id).where(
            RecordVersion.batch_id == batch_id, _among(RecordVersion.record_id, record_ids, Integer)
        )
    )
    return set(rows.scalars())


def offices() -> dict[str, tuple[int, str]]:
    """The offices that may recognise something, by the key of their name: id and path."""
    rows = db.session.execute(select(Office.id, Office.path, Office.name, Office.short).where(Office.kind != "linked"))
    found: dict[str, tuple[int, str]] = {}
    for row in rows:
        for name in (row.short, row.name):
            found[name_key(name)] = (row.id, row.path)
    return found


def next_ids(table: str, count: int) -> list[int]:
    """So many new ids of a table, for rows that refer to each other before they are written."""
    if not count:
        return []
    if is_postgres():
        name = f"SELECT pg_get_serial_sequence('{table}', 'id')::regclass AS name OFFSET 0"
        sql = text(f"SELECT nextval(s.name) FROM ({name}) s, generate_series(1, :count)")
        return list(db.session.execute(sql, {"count": count}).scalars())
    last = db.session.execute(text(f"SELECT coalesce(max(id), 0) FROM {table}")).scalar_one()
    return list(range(last + 1, last + 1 + count))


def within(path: Any, paths: Collection[str]) -> ColumnElement[bool]:
    """The condition that an office stands in one of these branches of the tree."""
    return or_(false(), *(path.startswith(branch, autoescape=True) for branch in paths))
