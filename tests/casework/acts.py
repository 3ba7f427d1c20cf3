"""What the stories of a case need besides walking: things at once, all that a database holds, acts of the register."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from app.casework.actor import Person
from app.casework.annul import annul_record
from app.casework.facts import Loaded, load_case
from app.casework.refused import StepRefused
from app.casework.take_step import take_step
from app.db import db, transaction
from app.journal import Entry
from app.models import (
    Case,
    CaseRecord,
    Document,
    Identifier,
    JournalLine,
    Mandate,
    Measure,
    Membership,
    Notice,
    Office,
    Subject,
    User,
)
from app.now import now
from app.registry.codes import complete_code
from tests.build import walk
from tests.cast import SINCE, Cast
from workflows.calendar import legal_day
from workflows.clockwork import Deadline
from workflows.grammar import Refusal
from workflows.people import Watch

ANNULLED_BY = "湖南省人民政府行政复议决定书（湘政复决〔2026〕8号）"


def at_once(app: Flask, calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """Every call at the same moment, each in a thread and on a connection of its own: its result or its exception."""
    calls = list(calls)
    gate = threading.Barrier(len(calls))
    outcomes: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        with app.app_context():
            try:
                gate.wait(timeout=20)
                outcomes[place] = call()
            except Exception as error:
                outcomes[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=copy_context().run, args=(run, place, call)) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "a thread waits for ever"
    return outcomes


def form(
    number: str,
    step: str,
    actor: Person | Watch,
    key: str,
    seen: int,
    item: str = "",
    **answers: Any,
) -> Callable[[], Entry]:
    """A form that was filled in and can be sent as often as one likes."""

    def send() -> Entry:
        with transaction():
            return take_step(
                number, step, actor=actor, answers=answers, key=key, seen_version=seen, at=now(), item=item
            )

    return send


def refused(
    cast: Cast, number: str, name: str | Person | Watch, step: str, item: str = "", **answers: Any
) -> list[str]:
    """The codes with which a step is refused; fails when it is taken. Nothing is left of it."""
    before = len(lines(number))
    with pytest.raises(StepRefused) as caught:
        walk(cast, number, name, step, item=item, **answers)
    db.session.rollback()
    assert len(lines(number)) == before
    assert all(refusal.text for refusal in caught.value.refusals)
    return [refusal.code for refusal in caught.value.refusals]


def why_not(cast: Cast, number: str, name: str | Person | Watch, step: str, **answers: Any) -> Refusal:
    """The first reason for which a step is refused."""
    with pytest.raises(StepRefused) as caught:
        walk(cast, number, name, step, **answers)
    db.session.rollback()
    return caught.value.refusals[0]


def look(number: str) -> Loaded:
    """The case as it is read now."""
    loaded = load_case(number, now())
    db.session.rollback()
    return loaded


def lines(number: str) -> list[str]:
    """What was done in a case, in order."""
    found = db.session.execute(
        select(JournalLine.act)
        .join(Case, (JournalLine.about == "case") & (JournalLine.about_id == Case.id))
        .where(Case.number == number)
        .order_by(JournalLine.seq)
    ).scalars()
    acts = list(found)
    db.session.rollback()
    return acts


def clock_of(number: str, clock: str, item: str = "") -> Deadline:
    """A time-limit of a case."""
    deadline = look(number).facts.deadline(clock, item)
    assert deadline is not None
    return deadline


def papers(number: str) -> list[str]:
    """Kinds of documents issued in a case, in order."""
    found = db.session.execute(
        select(Document.kind).join(Case, Case.id == Document.case_id).where(Case.number == number).order_by(Document.id)
    ).scalars()
    kinds = list(found)
    db.session.rollback()
    return kinds


def told(number: str, act: str | None = None) -> dict[str, Sequence[Any]]:
    """Notices of a case by the code of their receiver, in the order in which they were written."""
    query = (
        select(Office.code, Notice.id, Notice.act, Notice.seq, Notice.payload, Notice.key, Notice.written_at)
        .join(Office, Office.id == Notice.receiver_id)
        .join(Case, Case.id == Notice.case_id)
        .where(Case.number == number)
        .order_by(Notice.id)
    )
    found: dict[str, list[Any]] = {}
    for row in db.session.execute(query if act is None else query.where(Notice.act == act)):
        found.setdefault(row.code, []).append(row)
    db.session.rollback()
    return dict(found)


def scalar(query: Any) -> Any:
    """One value, read and let go."""
    found = db.session.execute(query).scalar()
    db.session.rollback()
    return found


def everything() -> dict[str, list[str]]:
    """Every row of every table as the driver gives it, so that two moments can be compared."""
    connection = db.session.connection()
    found = {
        name: sorted(map(repr, connection.exec_driver_sql(f'SELECT * FROM "{name}"'))) for name in db.metadata.tables
    }
    db.session.rollback()
    return found


def annul(cast: Cast, record_id: int, day: str | None = None, who: str | Person = "tang") -> str:
    """The head records that a penalty was annulled; returns where the open case about it stood under the same lock."""
    head = cast.who(who) if isinstance(who, str) else who
    on = date.fromisoformat(day) if day else legal_day(now())
    with transaction():
        annul_record(record_id, actor=head, reason=ANNULLED_BY, day=on, at=now())
        stood = db.session.execute(
            select(Case.state)
            .join(CaseRecord, CaseRecord.case_id == Case.id)
            .where(CaseRecord.open_record == record_id)
        ).scalar()
    return str(stood or "")


def ink(number: str) -> None:
    """The documents of a case are printed: what the press writes when it is done, without the press."""
    with transaction():
        for row in db.session.execute(
            select(Document.id, Document.html_hash)
            .join(Case, Case.id == Document.case_id)
            .where(Case.number == number, Document.printed_at.is_(None))
        ).all():
            db.session.execute(
                update(Document)
                .where(Document.id == row.id)
                .values(printed_at=now(), pdf_hash=row.html_hash, pdf_size=1, signer="演示")
            )


def officer(cast: Cast, login: str, *roles: str, office: str = "province") -> Person:
    """Another officer with these roles in an office."""
    with transaction():
        user = db.session.execute(
            insert(User.__table__)
            .values(login=login, name=login, password_hash="", active=True, session_version=1, failures=0)
            .returning(User.id)
        ).scalar_one()
        for role in roles:
            db.session.execute(
                insert(Membership.__table__).values(
                    user_id=user, office_id=cast.offices[office], role=role, valid_from=SINCE
                )
            )
    cast.users[login] = user
    return cast.who(login)


def company(cast: Cast, key: str, *clerks: str) -> int:
    """Another enterprise, for which these people may act; returns the subject's id."""
    cast.codes[key] = complete_code(f"91430100MA8{len(cast.subjects):05d}")
    with transaction():
        subject: int = db.session.execute(
            insert(Subject.__table__)
            .values(kind="enterprise", name=f"湖南演示{key}运输有限公司", legal_representative="", region="430100")
            .returning(Subject.id)
        ).scalar_one()
        db.session.execute(
            insert(Identifier).values(subject_id=subject, kind="uscc", value=cast.codes[key], valid_from=SINCE)
        )
        for clerk in clerks:
            db.session.execute(
                insert(Mandate).values(
                    user_id=cast.users[clerk],
                    subject_id=subject,
                    capacity="clerk",
                    evidence="授权委托书",
                    valid_from=SINCE,
                )
            )
    cast.subjects[key] = subject
    return subject


def measure(record_id: int, kind: str, organ: str, ours: bool) -> None:
    """A measure an organ has taken because of a record."""
    with transaction():
        db.session.execute(
            insert(Measure).values(record_id=record_id, kind=kind, organ=organ, basis="制度", ours=ours, since=SINCE)
        )
