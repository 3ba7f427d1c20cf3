"""Mandates: who may act for whom, from a day until a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select

from app.casework.actor import Person
from app.db import db
from app.models import Mandate, Subject
from app.office_book.base import NotDone, change, first_day_after, in_force_between, iso, note, the_user
from app.office_book.gaps import LeavesNobody, filer_gaps, texts_of


def add_mandate(
    actor: Person,
    user_id: int,
    subject_id: int,
    capacity: str,
    evidence: str,
    since: date,
    until: date | None,
    at: datetime,
) -> None:
    """An administrator lets a person act for a subject, on the evidence named. Raises NotDone."""
    the_user(actor, user_id)
    _mandate, answers = entrust(user_id, subject_id, capacity, evidence, since, until)
    note("user", user_id, "entrust", actor, at, answers)


def entrust(
    user_id: int, subject_id: int, capacity: str, evidence: str, since: date, until: date | None
) -> tuple[int, dict[str, Any]]:
    """The person may act for a subject from a day until a day: the mandate, and what the journal says of it.

    Raises NotDone when they may already on some of these days.
    """
    subject = db.session.execute(select(Subject.name).where(Subject.id == subject_id)).scalar_one()
    if until is not None and until < since:
        raise NotDone("结束日期早于开始日期，请核对。")
    same = select(Mandate.id).where(
        Mandate.user_id == user_id,
        Mandate.subject_id == subject_id,
        Mandate.capacity == capacity,
        in_force_between(Mandate, since, until),
    )
    if db.session.execute(same).first():
        raise NotDone("这个人在这段时间已经可以这样代{subject}办事。", subject=subject)
    mandate: int = db.session.execute(
        insert(Mandate)
        .values(
            user_id=user_id, subject_id=subject_id, capacity=capacity, evidence=evidence, valid_from=since,
            valid_until=until,
        )
        .returning(Mandate.id)
    ).scalar_one()  # fmt: skip
    answers = {"subject": subject, "capacity": capacity, "evidence": evidence, "since": since.isoformat()}
    return mandate, {**answers, "until": iso(until)}


def end_mandate(actor: Person, mandate_id: int, last_day: date, accept: bool, at: datetime) -> None:
    """An administrator lets a mandate be good until `last_day`, that day included. Raises NotDone or LeavesNobody."""
    held = locked(mandate_id)
    the_user(actor, held.user_id)
    note("user", held.user_id, "end_mandate", actor, at, end(held, last_day, accept, at))


def locked(mandate_id: int) -> Any:
    """A mandate with its subject's name, locked. Raises NotDone when there is none."""
    held = db.session.execute(
        select(
            Mandate.id, Mandate.user_id, Mandate.subject_id, Mandate.valid_from, Mandate.valid_until, Subject.name,
        )
        .join(Subject, Subject.id == Mandate.subject_id)
        .where(Mandate.id == mandate_id)
        .with_for_update(of=Mandate)
    ).first()  # fmt: skip
    if held is None:
        raise NotDone("没有这项委托，可能刚刚被改过。请回到用户页面再看一看。")
    return held


def end(held: Any, last_day: date, accept: bool, at: datetime) -> dict[str, Any]:
    """A locked mandate is good until `last_day`: what the journal says of it. Raises NotDone or LeavesNobody."""
    ends_on = first_day_after(held, last_day, at)
    gaps = list(filer_gaps(held.user_id, Mandate.id == held.id, ends_on, held.subject_id))
    if gaps and not accept:
        raise LeavesNobody(gaps)
    change(Mandate, held.id, valid_until=last_day)
    return {"subject": held.name, "until": last_day.isoformat(), "gaps": texts_of(gaps)}
