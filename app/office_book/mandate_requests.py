"""Asking to act for a subject: who asks, on what papers, to which office; taking it back, ending what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from app.casework.actor import Person
from app.casework.attach import checked, tidy_name
from app.casework.open_case import new_receipt
from app.db import db, insert_into
from app.files import keep
from app.journal import Doer, write_line
from app.models import Identifier, Jurisdiction, Mandate, MandatePaper, MandateRequest, Office, Subject
from app.office_book.base import NotDone, in_force_between, iso
from app.office_book.mandates import end, locked
from workflows.calendar import legal_day

MOST_WAITING = 5
"""Requests of one person that may wait at once."""
CODE_REGION = slice(2, 8)
"""Where a 统一社会信用代码 names the region in which it was issued."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A file that was looked into and is what it says."""

    name: str
    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom somebody wants to act, as what, until when their papers say, on which papers. `code` is a good one."""

    code: str
    capacity: str
    until: date | None
    papers: Sequence[Paper]
    key: str


class Twice(NotDone):
    """The page was sent before; what came of it then stands."""


def paper(name: str, data: bytes, limit: int) -> Paper:
    """A file as it may be handed in. Raises StepRefused with a sentence for one that may not."""
    media_type = checked(data, limit)
    return Paper(tidy_name(name, media_type), data, media_type)


def ask(doer: Doer, asked: Asked, folder: Path, at: datetime) -> str:
    """A request of `doer`, inside `transaction()`; returns its receipt number. Raises NotDone.

    Whether the register knows the code is not told: the office answerable for its region finds out.
    """
    assert doer.person is not None
    today = legal_day(at)
    if asked.until is not None and asked.until < today:
        raise NotDone("委托的最后一天已经过了，请核对。")
    waiting = db.session.execute(
        select(func.count()).where(MandateRequest.user_id == doer.person, MandateRequest.state == "waiting")
    ).scalar_one()
    if waiting >= MOST_WAITING:
        raise NotDone("您有 {n} 项申请还在等待核对，请等有了结果再提出新的。", n=waiting)
    subject = known(asked.code)
    if subject is not None and _acts_already(doer.person, subject.id, asked.capacity, today):
        raise NotDone("您现在已经可以这样代这个单位办事，不用再申请。")
    office = office_answerable(subject.region if subject and subject.region else asked.code[CODE_REGION])
    receipt = new_receipt()
    request_id = db.session.execute(
        insert_into(MandateRequest.__table__)
        .values(
            receipt=receipt, key=asked.key, user_id=doer.person, office_id=office.id, code=asked.code,
            capacity=asked.capacity, valid_until=asked.until, asked_at=at, state="waiting", reason="",
        )
        .on_conflict_do_nothing()
        .returning(MandateRequest.id)
    ).scalar()  # fmt: skip
    if request_id is None:
        if earlier(asked.key) is not None:
            raise Twice("这张表单已经提交过。")
        raise NotDone("您已经为这个代码提出过申请，正在等待核对。要改，请先撤回那一项。")
    for one in asked.papers:
        db.session.execute(
            insert_into(MandatePaper.__table__)
            .values(
                request_id=request_id, sha256=keep(folder, one.data), name=one.name, media_type=one.media_type,
                size=len(one.data),
            )
            .on_conflict_do_nothing(index_elements=["request_id", "sha256"])
        )  # fmt: skip
    said = {
        "receipt": receipt, "code": asked.code, "capacity": asked.capacity, "until": iso(asked.until),
        "office": office.name, "papers": [one.name for one in asked.papers],
    }  # fmt: skip
    write_line("user", doer.person, "ask_mandate", doer, at, law_text="D", answers=said)
    return receipt


def earlier(key: str) -> Any:
    """The request that the page with this key has made before (receipt, user_id), or None."""
    return db.session.execute(
        select(MandateRequest.receipt, MandateRequest.user_id).where(MandateRequest.key == key)
    ).first()


def known(code: str) -> Any:
    """The organisation (id, name, kind, region, legal_representative) that has this code or once had it, or None."""
    return db.session.execute(
        select(Subject.id, Subject.name, Subject.kind, Subject.region, Subject.legal_representative)
        .join(Identifier, Identifier.subject_id == Subject.id)
        .where(Identifier.kind == "uscc", Identifier.value == code)
    ).first()


def office_answerable(region: str) -> Any:
    """The organ (id, name) of a region: of the county, else of its prefecture, else of the province. Raises NotDone."""
    near = db.session.execute(
        select(Office.id, Office.name)
        .join(Jurisdiction, Jurisdiction.office_id == Office.id)
        .where(Office.kind == "organ", Jurisdiction.region.in_((region, f"{region[:4]}00")))
        .order_by(Jurisdiction.region.desc(), Office.id)
        .limit(1)
    ).first()
    found = (
        near
        or db.session.execute(
            select(Office.id, Office.name)
            .where(Office.kind == "organ", Office.parent_id.is_(None))
            .order_by(Office.id)
            .limit(1)
        ).first()
    )
    if found is None:
        raise NotDone("平台还没有可以核对的单位，请联系管理员。")
    return found


def withdraw(actor: Person, receipt: str, at: datetime) -> None:
    """Whoever asked takes it back, inside `transaction()`. Raises NotDone when it is no longer waiting."""
    taken = db.session.execute(
        update(MandateRequest)
        .where(
            MandateRequest.receipt == receipt,
            MandateRequest.user_id == actor.person,
            MandateRequest.state == "waiting",
        )
        .values(state="withdrawn", decided_at=at, decided_by=actor.person)
        .returning(MandateRequest.code)
        .execution_options(synchronize_session=False)
    ).first()
    if taken is None:
        raise NotDone("这项申请已经有了结果，不能撤回。")
    said = {"receipt": receipt, "code": taken.code}
    write_line("user", actor.person, "withdraw_request", _own(actor), at, law_text="D", answers=said)


def end_own(actor: Person, mandate_id: int, last_day: date, accept: bool, at: datetime) -> None:
    """Whoever acts for a subject does so no longer after `last_day`. Raises NotDone or LeavesNobody."""
    held = locked(mandate_id)
    if held.user_id != actor.person:
        raise NotDone("没有这项委托，可能刚刚被改过。")
    said = end(held, last_day, accept, at)
    write_line("user", actor.person, "end_mandate", _own(actor), at, law_text="D", answers=said)


def _own(actor: Person) -> Doer:
    return Doer(actor.person, actor.name, "", address=actor.address)


def _acts_already(user_id: int, subject_id: int, capacity: str, today: date) -> bool:
    same = select(Mandate.id).where(
        Mandate.user_id == user_id,
        Mandate.subject_id == subject_id,
        Mandate.capacity == capacity,
        in_force_between(Mandate, today, today),
    )
    return db.session.execute(same.limit(1)).first() is not None
