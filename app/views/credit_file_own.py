"""The credit file at the enterprise's counter: all that is recorded of it, who was told, and its papers."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import func, select

from app.casework.extract import draw_extract
from app.casework.subject_file import file_page
from app.db import db, transaction
from app.models import CreditRecord, Office, RecordShare, RegisterPaper
from app.now import now
from app.registry.credit_file import NoSuchDay, Reader
from app.security import acting_subject, person
from app.views.credit_file_page import asked, file_as_asked, moment_of, shown
from app.views.enterprise import blueprint
from app.views.public import not_kept
from app.views.register_papers import paper_file, paper_of, paper_page
from forms.credit_file import ExtractForm

PAPERS = 10


@blueprint.get("/file")
def credit_file() -> ResponseReturnValue:
    """我的信用档案: every record with what became of it, another day as the public saw it, and who was told."""
    subject = acting_subject()
    found, wanted = file_as_asked(
        asked(),
        lambda each: file_page(
            subject, Reader.SUBJECT, each.on, each.known_at, section=each.section, after=each.after, before=each.before
        ),
    )
    form = ExtractForm(formdata=None)
    form.begin(wanted.on, wanted.known)
    page = render_template(
        "enterprise/file.html", extract=form, told=_told(subject), papers=_papers(subject), **shown(found, wanted)
    )
    return not_kept(page, wanted.status)


@blueprint.post("/file")
def credit_file_extract() -> ResponseReturnValue:
    """Seal the own file, or what the public saw of it on the day shown."""
    form, at = ExtractForm(), now()
    if not form.validate():
        return redirect(url_for(".credit_file"), 303)
    try:
        with transaction():
            code = draw_extract(
                acting_subject(), Reader.SUBJECT, form.on.data, moment_of(form.known.data, at), at, by=person().person
            )
    except NoSuchDay:
        return redirect(url_for(".credit_file", on=form.on.data, known=form.known.data), 303)
    return redirect(url_for(".paper", code=code), 303)


@blueprint.get("/papers/<code>")
def paper(code: str) -> ResponseReturnValue:
    """A paper of the register about the own subject: an extract, or the notice that came with a penalty."""
    row = paper_of(code, person(), "enterprise")
    pdf_url = url_for(".paper_pdf", code=row.code)
    return paper_page(row, "enterprise", url_for(".credit_file"), _("回到我的信用档案"), pdf_url)


@blueprint.get("/papers/<code>.pdf")
def paper_pdf(code: str) -> ResponseReturnValue:
    """Its signed file."""
    return paper_file(paper_of(code, person(), "enterprise"))


def _told(subject: int) -> list[Any]:
    """Who was told of something about the subject: name, how often, when last."""
    rows = db.session.execute(
        select(Office.name, func.count().label("n"), func.max(RecordShare.at).label("at"))
        .join(RecordShare, RecordShare.receiver_id == Office.id)
        .join(CreditRecord, CreditRecord.id == RecordShare.record_id)
        .where(CreditRecord.subject_id == subject)
        .group_by(Office.id, Office.name)
        .order_by(Office.id)
    )
    return list(rows.all())


def _papers(subject: int) -> list[Any]:
    """The latest papers of the register about the subject that are its own."""
    found = RegisterPaper
    rows = db.session.execute(
        select(found.code, found.title, found.number, found.about_day, found.issued_at, found.pdf_hash)
        .where(found.subject_id == subject, found.reader == Reader.SUBJECT.value)
        .order_by(found.id.desc())
        .limit(PAPERS)
    )
    return list(rows.all())
