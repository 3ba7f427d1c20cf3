"""What lies in a case's folder: documents issued, tasks of 信息处理, papers handed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.facts import Loaded
from app.db import db
from app.models import Attachment, AttachmentUse, Document, RepairTask, User


@dataclass(frozen=True, slots=True)
class Paper:
    """A document as a page shows it."""

    title: str
    number: str
    code: str
    issued_at: datetime
    state: str
    state_text: str
    hash_short: str
    url: str
    pdf_url: str | None
    withdrawn: bool
    kind: str


@dataclass(frozen=True, slots=True)
class ToDo:
    """A task of 信息处理."""

    code: str
    title: str
    done: bool
    done_at: datetime | None
    person: str
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class File:
    """A paper the filer handed in."""

    use_id: int
    id: int
    name: str
    purpose: str
    size: int
    media_type: str
    at: datetime
    url: str


def papers_of(loaded: Loaded, counter: str) -> tuple[tuple[Paper, ...], tuple[ToDo, ...], tuple[File, ...]]:
    number = loaded.facts.case.number
    by_step = next((step.code for step in loaded.workflow.steps if step.item == "task"), "")
    documents = db.session.execute(
        select(
            Document.id, Document.kind, Document.title, Document.number, Document.code, Document.issued_at,
            Document.printed_at, Document.placed_at, Document.trouble, Document.pdf_hash, Document.withdrawn_at,
        )
        .where(Document.case_id == loaded.id)
        .order_by(Document.id.desc())
    ).all()  # fmt: skip
    tasks = db.session.execute(
        select(RepairTask.code, RepairTask.title, RepairTask.note, RepairTask.done_at, User.name.label("person"))
        .outerjoin(User, User.id == RepairTask.done_by)
        .where(RepairTask.case_id == loaded.id)
        .order_by(RepairTask.id)
    ).all()
    files = db.session.execute(
        select(
            AttachmentUse.id.label("use_id"), AttachmentUse.purpose, AttachmentUse.at, Attachment.id,
            Attachment.name, Attachment.size, Attachment.media_type,
        )
        .join(Attachment, Attachment.id == AttachmentUse.attachment_id)
        .where(AttachmentUse.case_id == loaded.id)
        .order_by(AttachmentUse.id)
    ).all()  # fmt: skip
    return (
        tuple(_paper(row, number, counter, _to_serve(loaded)) for row in documents),
        tuple(
            ToDo(
                row.code, row.title, row.done_at is not None, row.done_at, row.person or "", row.note,
                url_for(f"{counter}.step", number=number, step=by_step, item=row.code) if counter == "desk" else "",
            )
            for row in tasks
        ),
        tuple(
            File(
                row.use_id, row.id, row.name, row.purpose, row.size, row.media_type, row.at,
                url_for(f"{counter}.file", number=number, use_id=row.use_id),
            )
            for row in files
        ),
    )  # fmt: skip


def _to_serve(loaded: Loaded) -> frozenset[str]:
    """The kinds of document that still have to be served by a step of their own."""
    steps = loaded.workflow.steps
    return frozenset(kind for step in steps if step.code not in loaded.facts.counts for kind in step.serves)


def _paper(row: Any, number: str, counter: str, to_serve: frozenset[str]) -> Paper:
    if row.trouble:
        state, text = "blocked", row.trouble
    elif row.printed_at is None:
        state, text = "printing", _("已出具，PDF 排印中，约一分钟")
    else:
        state = "signed"
        if row.kind in to_serve:
            text = _("已签章，待送达")
        else:
            text = _("已签章，已放入办件页面") if row.placed_at else _("已签章")
    return Paper(
        title=row.title,
        number=row.number,
        code=row.code,
        issued_at=row.issued_at,
        state=state,
        state_text=text,
        hash_short=f"{row.pdf_hash[:4]}…{row.pdf_hash[-4:]}" if row.pdf_hash else "",
        url=url_for(f"{counter}.document", number=number, document_id=row.id),
        pdf_url=url_for(f"{counter}.pdf", number=number, document_id=row.id) if row.pdf_hash else None,
        withdrawn=row.withdrawn_at is not None,
        kind=row.kind,
    )
