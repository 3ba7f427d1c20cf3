"""The credit file at the public counter: today, on another day, and sealed on paper."""

from __future__ import annotations

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.casework.extract import draw_extract
from app.casework.subject_file import file_page
from app.db import transaction
from app.now import now
from app.registry.codes import check_code, clean_code
from app.registry.credit_file import NoSuchDay, Reader
from app.registry.regions import standings
from app.registry.subject import find_by_code, found_near
from app.security import limiter
from app.views.credit_file_page import asked, file_as_asked, moment_of, shown
from app.views.public import SEARCHES, blueprint, not_kept, qr
from app.views.register_papers import paper_file, paper_of, paper_page
from app.views.said import said
from forms.credit_file import ExtractForm

EXTRACTS = "10 per hour; 40 per day"


@blueprint.get("/subjects/<code>")
@limiter.limit(SEARCHES)
def subject(code: str) -> ResponseReturnValue:
    """The public file of an organisation, today or on another day. An earlier code leads on to the present one."""
    verdict = check_code(code, standings())
    if not verdict.ok:
        near = found_near(clean_code(code))
        page = render_template("public/nobody.html", reason=said(verdict.problems[0]), code="", near=near)
        return not_kept(page, 404)
    found = find_by_code(verdict.code)
    if found is None:
        return not_kept(render_template("public/nobody.html", reason="", code=verdict.code), 404)
    wanted = asked()
    if found.code != code:
        return redirect(url_for(".subject", code=found.code, **wanted.days), 301)
    file, wanted = file_as_asked(
        wanted,
        lambda each: file_page(
            found.id, Reader.PUBLIC, each.on, each.known_at, section=each.section, after=each.after, before=each.before
        ),
    )
    form = ExtractForm(formdata=None)
    form.begin(wanted.on, wanted.known)
    page = render_template("public/subject.html", extract=form, present=found.code, **shown(file, wanted))
    return not_kept(page, wanted.status)


@blueprint.post("/subjects/<code>/extract")
@limiter.limit(EXTRACTS)
def subject_extract(code: str) -> ResponseReturnValue:
    """Seal what is public of an organisation; the paper has an address that only its 查验码 knows."""
    found = find_by_code(clean_code(code))
    if found is None:
        abort(404)
    form, at = ExtractForm(), now()
    if not form.validate():
        return redirect(url_for(".subject", code=found.code), 303)
    try:
        with transaction():
            drawn = draw_extract(found.id, Reader.PUBLIC, form.on.data, moment_of(form.known.data, at), at)
    except NoSuchDay:
        return redirect(url_for(".subject", code=found.code, on=form.on.data, known=form.known.data), 303)
    return redirect(url_for(".extract", code=drawn), 303)


@blueprint.get("/extracts/<code>")
@limiter.limit(SEARCHES)
def extract(code: str) -> ResponseReturnValue:
    """A public extract: its text, and the signed file once it is printed."""
    row = paper_of(code, None, "public")
    back = url_for(".subject", code=row.facts["subject"])
    return paper_page(row, "public", back, _("回到信用档案"), url_for(".extract_pdf", code=row.code))


@blueprint.get("/extracts/<code>.pdf")
@limiter.limit(SEARCHES)
def extract_pdf(code: str) -> ResponseReturnValue:
    """The signed file of a public extract."""
    return paper_file(paper_of(code, None, "public"))


@blueprint.get("/subjects/<code>/qr.svg")
@limiter.limit(SEARCHES)
def subject_qr(code: str) -> ResponseReturnValue:
    """The address of a subject's page as a QR code, for the printed page."""
    verdict = check_code(code)
    if not verdict.ok:
        abort(404)
    return qr(url_for(".subject", code=verdict.code))
