"""A paper of the register at a counter: its frozen text in our frame, and the signed file."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, current_app, make_response, render_template, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.actor import Person
from app.casework.subject_file import papers_open_to
from app.db import db
from app.documents.codes import read_code
from app.documents.reading import TextAltered, article
from app.files import find
from app.models import RegisterPaper

SOON = "5"
"""Seconds after which the page of a paper that is being printed looks again."""


def paper_of(code: str, who: Person | None, counter: str) -> Any:
    """The paper of a 查验码 that may be read here; 404 for any other."""
    row = db.session.execute(
        select(*RegisterPaper.__table__.c).where(RegisterPaper.code == read_code(code), papers_open_to(who, counter))
    ).first()
    if row is None:
        abort(404)
    return row


def paper_page(row: Any, counter: str, back: str, back_words: str, pdf_url: str) -> Response:
    """The page of a paper; while it is being printed it looks again by itself."""
    trouble, text = "", ""
    try:
        text = article(row.html, row.html_hash)
    except TextAltered as error:
        trouble = _(str(error))
    answer = make_response(
        render_template(
            "cases/paper.html", counter=counter, paper=row, text=text, trouble=trouble, back=back,
            back_words=back_words, pdf_url=pdf_url if row.pdf_hash else None,
        )
    )  # fmt: skip
    if row.pdf_hash is None and not row.trouble and not trouble:
        answer.headers["Refresh"] = SOON
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def paper_file(row: Any) -> ResponseReturnValue:
    """The signed file to take away; 404 while there is none."""
    if row.pdf_hash is None:
        abort(404)
    try:
        path = find(current_app.config["INSTANCE"] / "documents", row.pdf_hash)
    except FileNotFoundError:
        current_app.logger.error("file %s is missing in documents", row.pdf_hash)
        abort(404)
    name = f"{row.title}-{row.number}.pdf"
    answer = send_file(path, mimetype="application/pdf", as_attachment=True, download_name=name, etag=False)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def notice_of(record_id: int) -> Any:
    """The notice that goes with a penalty (code, number, issued_at, pdf_hash), None when it has none."""
    paper = RegisterPaper
    return db.session.execute(
        select(paper.code, paper.number, paper.issued_at, paper.pdf_hash, paper.trouble).where(
            paper.record_id == record_id, paper.replaced_at.is_(None)
        )
    ).first()
