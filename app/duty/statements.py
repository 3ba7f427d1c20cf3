"""Statements on paper: printed and signed once they are drawn, as documents are (see `press`): claimed by lease, the
file on disk before the row."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from app.db import db, transaction
from app.documents.press import CannotPrint, press
from app.documents.sign import ensure_certificate, sign_pdf
from app.documents.statement import Drawn, sheet_of
from app.duty.press import LEASE, RETRY
from app.files import find, keep
from app.models import Office, Statement
from app.notices.compare import KINDS
from app.notices.statement import issuing_office, number_of, statements_folder
from app.now import now

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed statement. `lease` is what the claim wrote and the filing must still find."""

    drawn: Drawn
    signer: str
    lease: datetime


def turn(limit: int = 20) -> int:
    """Print and sign up to `limit` statements; returns how many. One that fails is marked and stops no other."""
    printed = 0
    for _ in range(limit):
        job = claim()
        if job is None:
            break
        printed += work(job)
    return printed


def claim() -> Job | None:
    """Take the oldest statement that nobody holds, and write down who will sign it; None when there is none."""
    at = now()
    waiting = select(Statement.id).where(*_waiting(at)).order_by(Statement.id).limit(1)
    idle = db.session.execute(waiting).first() is None
    db.session.rollback()
    if idle:
        return None
    lease = at + LEASE
    with transaction() as session:
        row = session.execute(
            update(Statement)
            .where(Statement.id == waiting.with_for_update(skip_locked=True).scalar_subquery(), *_waiting(at))
            .values(lease_until=lease)
            .returning(*Statement.__table__.c)
            .execution_options(synchronize_session=False)
        ).first()
        if row is None:
            return None
        organ = issuing_office()
        signer = ensure_certificate(organ.id)
        session.execute(
            update(Statement)
            .where(Statement.id == row.id)
            .values(signer=signer)
            .execution_options(synchronize_session=False)
        )
        code = session.execute(select(Office.code).where(Office.id == row.receiver_id)).scalar_one()
        number = number_of(code, row.since, row.until, row.serial)
        drawn = Drawn(row.id, number, row.since, row.until, row.figures, row.digest, row.file, row.made_at, organ.phone)
        return Job(drawn, signer, lease)


def work(job: Job) -> bool:
    """Print, sign and file a claimed statement; True when the file has become the statement's."""
    try:
        sheet = sheet_of(job.drawn, KINDS)
        signed = sign_pdf(press(replace(sheet, facts={**sheet.facts, "key": job.signer})), job.signer)
        name = keep(statements_folder(), signed)
    except CannotPrint as error:
        return _failed(job, str(error))
    except Exception as error:  # whatever it is, it is this sheet's and not the next one's
        _log.exception("statement %s could not be printed", job.drawn.id)
        return _failed(job, f"印制或者签章时出错（{type(error).__name__}），将自动重试。")
    filed = _settle(job, pdf=name, trouble="", lease_until=None)
    if not filed:
        find(statements_folder(), name).unlink()  # another press was faster; this copy is nobody's
    return filed


def _failed(job: Job, trouble: str) -> bool:
    _settle(job, trouble=trouble, lease_until=now() + RETRY)
    return False


def _settle(job: Job, **values: Any) -> bool:
    """Write the outcome, if the statement is still ours and not printed."""
    with transaction() as session:
        return bool(
            session.execute(
                update(Statement)
                .where(Statement.id == job.drawn.id, Statement.pdf.is_(None), Statement.lease_until == job.lease)
                .values(**values)
                .execution_options(synchronize_session=False)
            ).rowcount  # type: ignore[attr-defined]
        )


def _waiting(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return Statement.pdf.is_(None), or_(Statement.lease_until.is_(None), Statement.lease_until < at)
