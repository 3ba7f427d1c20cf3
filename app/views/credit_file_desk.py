"""The credit file at the desk: masked until an officer says why the masks must fall, once, on the record."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.casework.extract import draw_for_officer
from app.casework.repair_notice import issue_notice
from app.casework.subject_file import NoReason, file_page, look, looks_at, may_open, records_of_officer
from app.db import transaction
from app.documents.freeze import CannotIssue
from app.errors import STATUS_OF
from app.now import now
from app.registry.credit_file import NoSuchDay, NoSuchSubject, Reader
from app.registry.hands import NotPossible
from app.security import person
from app.views.credit_file_page import Asked, asked, file_as_asked, moment_of, shown
from app.views.desk import blueprint
from app.views.desk_records import record_page
from app.views.public import not_kept
from app.views.refusals import no_of
from app.views.register_papers import paper_file, paper_of, paper_page
from forms.credit_file import ReasonForm


@blueprint.get("/subjects/<int:subject_id>")
def subject(subject_id: int) -> ResponseReturnValue:
    """The file of a subject of whom this officer has records; persons are masked."""
    form = ReasonForm(formdata=None)
    return _page(subject_id, Reader.OFFICER, asked(), form)


@blueprint.post("/subjects/<int:subject_id>")
def subject_asked(subject_id: int) -> ResponseReturnValue:
    """A look behind the masks, written down first and shown in this one answer; or a sealed extract, with a reason."""
    form, who, at = ReasonForm(), person(), now()
    good = form.validate()
    wanted = Asked(asked().form, form.on.data, form.known.data, moment_of(form.known.data, at), "", None, None)
    try:
        may_open(who, subject_id)
        if not good:
            return _page(subject_id, Reader.OFFICER, wanted, form, 422)
        if request.form.get("act") == "extract":
            with transaction():
                code = draw_for_officer(who, subject_id, wanted.on, wanted.known_at, form.reason.data, at)
            return redirect(url_for(".paper", code=code), 303)
        with transaction():
            look(who, subject_id, form.reason.data, at)
    except NoSuchSubject:
        abort(404)
    except NoReason as error:
        form.reason.errors = [_(str(error))]
        return _page(subject_id, Reader.OFFICER, wanted, form, 422)
    except NoSuchDay:
        return redirect(url_for(".subject", subject_id=subject_id), 303)
    plain = Asked(wanted.form, None, None, None, "", None, None)
    return _page(subject_id, Reader.LOOK, plain, ReasonForm(formdata=None))


@blueprint.post("/records/<public_id>/notice")
def notice(public_id: str) -> ResponseReturnValue:
    """Issue the notice of how to repair, for a penalty that has none or whose class has changed."""
    who, at = person(), now()
    page = record_page(public_id, who, at)
    try:
        with transaction():
            code = issue_notice(page.record.id, at, who)
    except NotPossible as error:
        refusal = error.refusals[0]
        if STATUS_OF.get(refusal.kind) == 403:
            abort(403)
        flash(no_of(refusal).text, "warning")
    except CannotIssue as error:
        flash(str(error), "warning")
    else:
        return redirect(url_for(".paper", code=code), 303)
    return redirect(url_for(".record", public_id=public_id, _anchor="notice"), 303)


@blueprint.get("/papers/<code>")
def paper(code: str) -> ResponseReturnValue:
    """A paper of the register: an officer's extract, or the notice of a record of theirs."""
    row = paper_of(code, person(), "desk")
    back = url_for(".subject", subject_id=row.subject_id)
    return paper_page(row, "desk", back, _("回到信用档案"), url_for(".paper_pdf", code=row.code))


@blueprint.get("/papers/<code>.pdf")
def paper_pdf(code: str) -> ResponseReturnValue:
    """Its signed file."""
    return paper_file(paper_of(code, person(), "desk"))


def _page(subject_id: int, reader: Reader, wanted: Asked, form: ReasonForm, status: int = 200) -> ResponseReturnValue:
    who = person()
    try:
        may_open(who, subject_id)
        theirs = records_of_officer(who)
        file, wanted = file_as_asked(
            wanted,
            lambda each: file_page(
                subject_id, reader, each.on, each.known_at, section=each.section, after=each.after, before=each.before,
                theirs=theirs,
            ),
        )  # fmt: skip
    except NoSuchSubject:
        abort(404)
    form.begin(wanted.on, wanted.known)
    page = render_template(
        "desk/file.html", form=form, looking=reader is Reader.LOOK, looks=looks_at(who, subject_id),
        **shown(file, wanted),
    )  # fmt: skip
    return not_kept(page, wanted.status if status == 200 else status)
