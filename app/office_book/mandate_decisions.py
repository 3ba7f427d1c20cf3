"""What an officer makes of a request to act for a subject: sees it, confirms it from today, refuses it, ends it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, update

from app.casework.actor import Person
from app.db import db
from app.journal import Doer, write_line
from app.models import MandateRequest, Office, User
from app.office_book.base import NotDone
from app.office_book.mandate_requests import known
from app.office_book.mandates import end, entrust, locked
from workflows.calendar import legal_day
from workflows.people import Role


class Moved(NotDone):
    """Somebody else has acted on the request meanwhile."""


def confirms_mandates(person: Person) -> bool:
    """Whether requests to act for somebody come before this person: they take in applications somewhere."""
    return Role.ACCEPTANCE in person.roles


def requests_before(person: Person) -> ColumnElement[bool]:
    """The condition on `MandateRequest` under which this person decides on it: the office answerable for the subject's
    region is theirs, or they take in applications at the organ of the province."""
    mine = sorted(office for role, office in person.memberships if role is Role.ACCEPTANCE)
    if not mine:
        return false()
    top = exists().where(Office.id.in_(mine), Office.parent_id.is_(None), Office.kind == "organ")
    return or_(MandateRequest.office_id.in_(mine), top)


def waiting(person: Person) -> int:
    """How many requests wait for this person; no statement for whoever has none before them."""
    if not confirms_mandates(person):
        return 0
    mine = and_(MandateRequest.state == "waiting", MandateRequest.user_id != person.person, requests_before(person))
    return db.session.execute(select(func.count()).where(mine)).scalar_one()


def against_deciding(actor: Person, request: Any, subject: Any) -> str:
    """Why this person keeps away from a request, in a sentence; "" when they need not."""
    if request.user_id == actor.person:
        return "这是您自己的申请，请受理窗口的另一个人办理。"
    if subject is not None and subject.id in actor.mandates:
        return "您受这个主体委托，应当回避，请由受理窗口的另一个人办理。"
    return ""


def confirm(actor: Person, receipt: str, evidence: str, until: date | None, at: datetime) -> None:
    """The person may act for the subject from today, on the evidence named; inside `transaction()`. Raises NotDone,
    Moved when it was decided meanwhile."""
    request = _waiting(actor, receipt)
    subject = known(request.code)
    _must_not(against_deciding(actor, request, subject))
    if subject is None:
        raise NotDone("登记簿里还没有这个代码的主体，有了关于它的信息以后才能登记委托。代码填错的，请写明原因退回。")
    active = db.session.execute(select(User.active).where(User.id == request.user_id)).scalar_one()
    if not active:
        raise NotDone("申请人的账户已经停用，不能登记。")
    mandate, answers = entrust(request.user_id, subject.id, request.capacity, evidence, legal_day(at), until)
    _decide(request.id, actor, at, state="confirmed", mandate_id=mandate)
    said = {**answers, "receipt": receipt}
    write_line("user", request.user_id, "entrust", _hand(actor, request.office_id), at, law_text="D", answers=said)


def refuse(actor: Person, receipt: str, reason: str, at: datetime) -> None:
    """Not confirmed, and why; inside `transaction()`. Raises NotDone, Moved when it was decided meanwhile."""
    request = _waiting(actor, receipt)
    _must_not(against_deciding(actor, request, known(request.code)))
    _decide(request.id, actor, at, state="refused", reason=reason)
    said = {"receipt": receipt, "code": request.code, "reason": reason}
    doer = _hand(actor, request.office_id)
    write_line("user", request.user_id, "refuse_mandate", doer, at, law_text="D", answers=said)


def end_confirmed(actor: Person, receipt: str, last_day: date, reason: str, accept: bool, at: datetime) -> None:
    """What was confirmed is good until `last_day`, that day included. Raises NotDone or LeavesNobody."""
    request = _locked(actor, receipt)
    if request.mandate_id is None:
        raise NotDone("这项申请没有登记委托，没有可以结束的。")
    _must_not(against_deciding(actor, request, known(request.code)))
    said = {**end(locked(request.mandate_id), last_day, accept, at), "receipt": receipt, "reason": reason}
    doer = _hand(actor, request.office_id)
    write_line("user", request.user_id, "end_mandate", doer, at, law_text="D", answers=said)


def _locked(actor: Person, receipt: str) -> Any:
    found = db.session.execute(
        select(*MandateRequest.__table__.c)
        .where(MandateRequest.receipt == receipt, requests_before(actor))
        .with_for_update()
    ).first()
    if found is None:
        raise NotDone("没有这项申请，或者不归您办理。")
    return found


def _waiting(actor: Person, receipt: str) -> Any:
    request = _locked(actor, receipt)
    if request.state != "waiting":
        raise Moved("这项申请刚刚有了结果，您这次没有办成。请看一看现在的情况。")
    return request


def _must_not(sentence: str) -> None:
    if sentence:
        raise NotDone(sentence)


def _decide(request_id: int, actor: Person, at: datetime, **values: Any) -> None:
    db.session.execute(
        update(MandateRequest)
        .where(MandateRequest.id == request_id)
        .values(decided_at=at, decided_by=actor.person, **values)
        .execution_options(synchronize_session=False)
    )


def _hand(actor: Person, office_id: int) -> Doer:
    """The officer in the office answerable, or else in their own."""
    mine = sorted(office for role, office in actor.memberships if role is Role.ACCEPTANCE)
    office = office_id if office_id in mine else mine[0]
    return Doer(actor.person, actor.name, Role.ACCEPTANCE.value, office, address=actor.address)
