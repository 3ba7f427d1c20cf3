"""Writing and checking the journal: who did what, chained line to line over a salted digest of the answers."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from app.db import db
from app.models import JournalLine
from workflows import law

LINE = JournalLine.__table__
WRITE = insert(LINE).returning(LINE.c.id)


@dataclass(frozen=True, slots=True)
class Doer:
    """Who did it, as the journal keeps it; the watch has no person."""

    person: int | None
    name: str
    role: str
    office: int | None = None
    on_behalf_of: int | None = None
    address: str = ""


SYSTEM = Doer(person=None, name="系统值守", role="watch")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line as it was just written."""

    id: int
    about: str
    about_id: int
    seq: int
    at: datetime
    act: str
    source: str
    target: str
    item: str
    law: str
    edition: str
    doer: Doer
    answers: Mapping[str, Any] = field(default_factory=dict)
    clocks: tuple[Mapping[str, Any], ...] = ()

    @property
    def person_name(self) -> str:
        """Who did it."""
        return self.doer.name

    @property
    def role(self) -> str:
        """In which role."""
        return self.doer.role


def write_line(
    about: str,
    about_id: int,
    act: str,
    doer: Doer,
    at: datetime,
    *,
    law_text: str,
    source: str = "",
    target: str = "",
    item: str = "",
    answers: Mapping[str, Any] | None = None,
    clocks: Iterable[Mapping[str, Any]] = (),
    calendar: str = "",
    last: tuple[int, str] | None = None,
) -> Entry:
    """Append a line about an object, inside the caller's transaction.

    `last` is the (seq, hash) of the line before when the caller has already read it under the object's lock.
    """
    if last is None:
        last = _last(about, about_id)
    seq, previous = last[0] + 1, last[1]
    answers = dict(answers or {})
    clocks = tuple(clocks)
    salt = secrets.token_hex(16)
    values: dict[str, Any] = {
        "about": about,
        "about_id": about_id,
        "seq": seq,
        "at": at,
        "act": act,
        "source": source,
        "target": target,
        "item": item,
        "person": doer.person,
        "person_name": doer.name,
        "role": doer.role,
        "office_id": doer.office,
        "on_behalf_of": doer.on_behalf_of,
        "address": doer.address,
        "law": law_text,
        "edition": law.edition(),
        "calendar": calendar,
        "answers": answers,
        "salt": salt,
        "digest": digest_of(salt, answers, doer.name, doer.address),
        "clocks": list(clocks),
        "previous": previous,
    }
    values["hash"] = hash_of(values)
    line_id = db.session.execute(WRITE, values).scalar_one()
    return Entry(
        line_id, about, about_id, seq, at, act, source, target, item, law_text, values["edition"], doer, answers, clocks
    )


def digest_of(salt: str, answers: Mapping[str, Any], name: str, address: str) -> str:
    """The salted digest over what may one day have to be erased."""
    return hashlib.sha256((salt + _canonical([answers, name, address])).encode()).hexdigest()


CHAINED = (
    "previous", "about", "about_id", "seq", "act", "source", "target", "item", "person", "role", "office_id",
    "on_behalf_of", "law", "edition", "calendar", "digest", "clocks",
)  # fmt: skip


def hash_of(values: Mapping[str, Any]) -> str:
    """The hash of a line: over everything but what may be erased, and over the hash before it.

    The instant is written in UTC, so that a line weighs the same whichever zone its clock was read in.
    """
    at = values["at"].astimezone(UTC).isoformat()
    return hashlib.sha256(_canonical([at, *(values[c] for c in CHAINED)]).encode()).hexdigest()


def check_chain(about: str, about_id: int) -> list[str]:
    """What is wrong with the chain of an object, in Chinese sentences; an empty list when it holds."""
    rows = db.session.execute(
        select(*JournalLine.__table__.c)
        .where(JournalLine.about == about, JournalLine.about_id == about_id)
        .order_by(JournalLine.seq)
    ).all()
    return problems_of(rows)


def problems_of(rows: Iterable[Any]) -> list[str]:
    """The same for lines already read, in their order."""
    problems, previous = [], ""
    for expected, row in enumerate(rows, start=1):
        values = row._mapping
        if row.seq != expected:
            problems.append(f"第 {expected} 行缺失")
            break
        if row.previous != previous:
            problems.append(f"第 {row.seq} 行与上一行不相扣")
        if hash_of(values) != row.hash:
            problems.append(f"第 {row.seq} 行被改动")
        if not _erased(row) and digest_of(row.salt or "", row.answers, row.person_name, row.address) != row.digest:
            problems.append(f"第 {row.seq} 行的填写内容被改动")
        previous = row.hash
    return problems


def _erased(row: Any) -> bool:
    """A lawful erasure leaves nothing of what was written: neither words, nor the salt, nor who and from where."""
    return row.salt is None and row.answers is None and not row.person_name and not row.address


def _last(about: str, about_id: int) -> tuple[int, str]:
    row = db.session.execute(
        select(JournalLine.seq, JournalLine.hash)
        .where(JournalLine.about == about, JournalLine.about_id == about_id)
        .order_by(JournalLine.seq.desc())
        .limit(1)
    ).first()
    return (row.seq, row.hash) if row else (0, "")


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
