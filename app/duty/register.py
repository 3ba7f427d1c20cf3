"""The register by night: publications that have run their longest time end, fresh penalties get the notice that goes
with them, and the register's papers are printed (see `paper`)."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select

from app.casework.repair_notice import issue_notice, lacking
from app.db import db, insert_into, transaction
from app.documents.freeze import CannotIssue
from app.documents.press import CannotPrint, Sheet
from app.duty.paper import Filed, Paper
from app.models import Heartbeat, RegisterPaper
from app.now import now
from app.registry.endings import end_publication, over
from app.registry.hands import NotPossible
from workflows.calendar import legal_day

log = logging.getLogger("jiannuo.watch")

ENDINGS = "endings"
"""The sign of life that says on which day the ends of publication were last looked for: once a day is enough, for what
is past its longest day is shown to nobody meanwhile."""
NOTICES = 20
"""Notices that one turn writes at most; the next one is a minute away."""


def end_publications() -> int:
    """End what has run its longest time, once a day, a batch a transaction; returns how many."""
    at = now()
    today = legal_day(at)
    last = db.session.execute(select(Heartbeat.at).where(Heartbeat.name == ENDINGS)).scalar()
    db.session.rollback()
    if last is not None and legal_day(last) >= today:
        return 0
    ended, after = 0, 0
    while batch := over(today, after):
        db.session.rollback()
        with transaction():
            for record_id in batch:
                ended += end_publication(record_id, today, at)
        after = batch[-1]
    db.session.rollback()
    with transaction() as session:
        beat = insert_into(Heartbeat.__table__).values(name=ENDINGS, at=at, trouble="")
        session.execute(beat.on_conflict_do_update(index_elements=["name"], set_={"at": at, "trouble": ""}))
    return ended


def write_notices() -> int:
    """Write the notice of every fresh penalty that has none; returns how many. One that cannot be written stops no
    other and is tried again."""
    written = after = 0
    while written < NOTICES and (waiting := lacking(legal_day(now()), NOTICES - written, after)):
        db.session.rollback()
        for record_id in waiting:
            try:
                with transaction():
                    issue_notice(record_id, now())
                written += 1
            except (NotPossible, CannotIssue) as error:
                log.warning("record %s has no notice: %s", record_id, error)
        after = waiting[-1]
    db.session.rollback()
    return written


def _folder() -> Path:
    return Path(current_app.config["INSTANCE"]) / "documents"


def _organ(row: Any) -> int:
    return int(row.office_id)


def _sheet(row: Any) -> Sheet:
    if hashlib.sha256(row.html.encode()).hexdigest() != row.html_hash:
        raise CannotPrint("文书的文字与出具时的指纹不一致，没有印制。")
    return Sheet(row.html, row.facts, row.issued_at)


def _filed(file: Filed) -> dict[str, Any]:
    return {"printed_at": file.at, "pdf_hash": file.name, "pdf_size": file.size}


PAPERS = RegisterPaper.__table__
PAPER = Paper(PAPERS, PAPERS.c.printed_at.is_(None), _folder, _organ, _sheet, _filed)


def turn() -> int:
    """Ends, notices, ink; returns how much was done."""
    return end_publications() + write_notices() + PAPER.turn()
