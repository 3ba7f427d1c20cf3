"""Statements on paper: printed and signed once they are drawn (see `paper`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.db import db
from app.documents.press import Sheet
from app.documents.statement import Drawn, sheet_of
from app.duty.paper import Filed, Paper
from app.models import Office, Statement
from app.notices.compare import KINDS
from app.notices.statement import issuing_office, number_of, statements_folder

STATEMENT = Statement.__table__


def _organ(_row: Any) -> int:
    return int(issuing_office().id)


def _sheet(row: Any) -> Sheet:
    code = db.session.execute(select(Office.code).where(Office.id == row.receiver_id)).scalar_one()
    number = number_of(code, row.since, row.until, row.serial)
    phone = issuing_office().phone
    drawn = Drawn(row.id, number, row.since, row.until, row.figures, row.digest, row.file, row.made_at, phone)
    return sheet_of(drawn, KINDS)


def _filed(file: Filed) -> dict[str, Any]:
    return {"pdf": file.name}


PAPER = Paper(STATEMENT, STATEMENT.c.pdf.is_(None), statements_folder, _organ, _sheet, _filed)
turn, claim, work = PAPER.turn, PAPER.claim, PAPER.work
