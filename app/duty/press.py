"""The press: documents frozen in a step are printed, signed and placed in the portal (see `paper`)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from flask import current_app

from app.documents.press import CannotPrint, Sheet
from app.duty.paper import Filed, Paper
from app.models import Document

DOCUMENT = Document.__table__


def _folder() -> Path:
    return Path(current_app.config["INSTANCE"]) / "documents"


def _organ(row: Any) -> int:
    return int(row.office_id)


def _sheet(row: Any) -> Sheet:
    if hashlib.sha256(row.html.encode()).hexdigest() != row.html_hash:
        raise CannotPrint("文书的文字与出具时的指纹不一致，没有印制。")
    return Sheet(row.html, row.facts, row.issued_at)


def _filed(file: Filed) -> dict[str, Any]:
    return {"printed_at": file.at, "placed_at": file.at, "pdf_hash": file.name, "pdf_size": file.size}


PAPER = Paper(DOCUMENT, DOCUMENT.c.printed_at.is_(None), _folder, _organ, _sheet, _filed)
turn, claim, work = PAPER.turn, PAPER.claim, PAPER.work
