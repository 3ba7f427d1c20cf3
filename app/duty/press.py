"""The press: prints, signs and files what was frozen. The row is the truth; a lost wake-up or a killed process costs a
minute, never a document, and no document is ever printed twice.

A sheet is claimed by lease and the certificate that will sign it is named on its row first; printing and signing happen
outside every transaction; the file is safe on disk before a conditional UPDATE makes it the document's.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, or_, select, update

from app.db import db, transaction
from app.documents.press import CannotPrint, Sheet, press
from app.documents.sign import ensure_certificate, sign_pdf
from app.files import find, keep
from app.models import Document
from app.now import now

LEASE = timedelta(seconds=60)
"""How long a sheet belongs to one press: a hundred times what it takes."""

RETRY = timedelta(minutes=10)
"""When a sheet that failed is tried again; its trouble is on its row from the first time."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed sheet. `lease` is what the claim wrote and the filing must still find."""

    id: int
    html: str
    html_hash: str
    facts: Mapping[str, Any]
    issued_at: datetime
    signer: str
    lease: datetime


def turn(limit: int = 20) -> int:
    """Print and sign up to `limit` documents; returns how many. One that fails is marked and stops no other."""
    printed = 0
    for _ in range(limit):
        job = claim()
        if job is None:
            break
        printed += work(job)
    return printed


def claim() -> Job | None:
    """Take the oldest sheet that nobody holds, and write down who will sign it; None when there is nothing to do."""
    at = now()
    waiting = select(Document.id).where(*_waiting(at)).order_by(Document.id).limit(1)
    idle = db.session.execute(waiting).first() is None
    db.session.rollback()
    if idle:
        return None
    lease = at + LEASE
    with transaction() as session:
        row = session.execute(
            update(Document)
            .where(
                Document.id == waiting.with_for_update(skip_locked=True).scalar_subquery(),
                *_waiting(at),
            )
            .values(lease_until=lease)
            .returning(
                Document.id, Document.html, Document.html_hash, Document.facts, Document.issued_at, Document.office_id
            )
            .execution_options(synchronize_session=False)
        ).first()
        if row is None:
            return None
        signer = ensure_certificate(row.office_id)
        session.execute(
            update(Document)
            .where(Document.id == row.id)
            .values(signer=signer)
            .execution_options(synchronize_session=False)
        )
        return Job(row.id, row.html, row.html_hash, row.facts, row.issued_at, signer, lease)


def work(job: Job) -> bool:
    """Print, sign and file a claimed sheet; True when it has become the document's file."""
    try:
        if hashlib.sha256(job.html.encode()).hexdigest() != job.html_hash:
            raise CannotPrint("文书的文字与出具时的指纹不一致，没有印制。")
        facts = {**job.facts, "key": job.signer}
        signed = sign_pdf(press(Sheet(job.html, facts, job.issued_at)), job.signer)
        folder = Path(current_app.config["INSTANCE"]) / "documents"
        name = keep(folder, signed)
    except CannotPrint as error:
        return _failed(job, str(error))
    except Exception as error:  # whatever it is, it is this sheet's and not the next one's
        _log.exception("document %s could not be printed", job.id)
        return _failed(job, f"印制或者签章时出错（{type(error).__name__}），将自动重试。")
    at = now()
    filed = _settle(job, printed_at=at, placed_at=at, pdf_hash=name, pdf_size=len(signed), trouble="", lease_until=None)
    if not filed:
        find(folder, name).unlink()  # another press was faster; this copy is nobody's
    return filed


def _failed(job: Job, trouble: str) -> bool:
    _settle(job, trouble=trouble, lease_until=now() + RETRY)
    return False


def _settle(job: Job, **values: Any) -> bool:
    """Write the outcome, if the sheet is still ours and not printed."""
    with transaction() as session:
        return bool(
            session.execute(
                update(Document)
                .where(Document.id == job.id, Document.printed_at.is_(None), Document.lease_until == job.lease)
                .values(**values)
                .execution_options(synchronize_session=False)
            ).rowcount  # type: ignore[attr-defined]
        )


def _waiting(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return Document.printed_at.is_(None), or_(Document.lease_until.is_(None), Document.lease_until < at)
