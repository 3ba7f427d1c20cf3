"""The addresses of a case, the same at both counters: page, steps, dates, papers. All of them under one sight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from flask import Blueprint, abort, current_app, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.attach import PURPOSES
from app.casework.facts import Loaded
from app.casework.sight import cases_visible_to
from app.db import db
from app.documents.reading import TextAltered, article
from app.errors import page as error_page
from app.files import find
from app.models import Attachment, AttachmentUse, Case, Document
from app.now import now
from app.security import person, seal_answer
from app.views.case_journal import act_title
from app.views.case_page import case_page
from app.views.case_papers import Paper
from app.views.case_road import way_on
from app.views.dues import Due
from app.views.step_page import step_page
from app.views.why_page import why_page
from workflows.calendar import legal_day
from workflows.engine import refusals
from workflows.people import WATCH


@dataclass(frozen=True, slots=True)
class Done:
    """What `cases/done.html` shows after a step."""

    number: str
    title: str
    at: datetime
    big: str
    big_label: str
    state_title: str
    owner: str
    follows: str
    final: bool
    due: Due | None
    documents: tuple[Paper, ...]
    subject: str
    case_url: str
    today: date


def register_case_views(blueprint: Blueprint, counter: str) -> None:
    """Give a counter (`enterprise` or `desk`) the pages of its cases, under `…/cases/<number>`."""
    here = "/cases/<number>"

    @blueprint.get(here)
    def case(number: str) -> ResponseReturnValue:
        """Where the case is, who has it, until when, and what can be done."""
        page = case_page(number, person(), now(), counter)
        drawing = _drawing(page.loaded.workflow.code)
        return render_template(
            "cases/page.html",
            page=page,
            counter=counter,
            drawing=drawing,
            purposes=PURPOSES,
            ahead=way_on(page.loaded.workflow, page.state),
        )

    @blueprint.route(f"{here}/steps/<step>", methods=("GET", "POST"))
    def step(number: str, step: str) -> ResponseReturnValue:
        """One step: its consequence, its article, its questions."""
        return step_page(counter, number, step)

    @blueprint.get(f"{here}/why/<clock>")
    def why(number: str, clock: str) -> ResponseReturnValue:
        """A date, day by day."""
        page = why_page(counter, number, clock, person(), now(), "")
        return render_template("cases/why.html", page=page, counter=counter)

    @blueprint.get(f"{here}/done/<int:seq>")
    def done(number: str, seq: int) -> ResponseReturnValue:
        """What was just done, and what comes next. Only for whoever did it."""
        return render_template("cases/done.html", done=_done(counter, number, seq), counter=counter)

    @blueprint.get(f"{here}/documents/<int:document_id>")
    def document(number: str, document_id: int) -> ResponseReturnValue:
        """The frozen text of a document, readable at once."""
        row = _document(number, document_id)
        try:
            text = article(row.html, row.html_hash)
        except TextAltered as error:
            text, trouble = None, str(error)
        else:
            trouble = ""
        return render_template(
            "cases/document.html",
            number=number,
            document=row,
            text=text,
            trouble=trouble,
            counter=counter,
            case_url=url_for(f"{counter}.case", number=number),
            pdf_url=url_for(f"{counter}.pdf", number=number, document_id=document_id) if row.pdf_hash else None,
        )

    @blueprint.get(f"{here}/documents/<int:document_id>.pdf")
    def pdf(number: str, document_id: int) -> ResponseReturnValue:
        """The signed document."""
        row = _document(number, document_id)
        if not row.pdf_hash:
            return error_page(404, _("这份文书还在排印签章，约一分钟后再来下载；文字现在就可以看。"))
        return stream("documents", row.pdf_hash, "application/pdf", f"{row.title} {row.number}.pdf")

    @blueprint.get(f"{here}/files/<int:use_id>")
    def file(number: str, use_id: int) -> ResponseReturnValue:
        """A paper somebody handed in: only ever as a download, and unable to do anything."""
        row = db.session.execute(
            select(Attachment.sha256, Attachment.name, Attachment.media_type)
            .join(AttachmentUse, AttachmentUse.attachment_id == Attachment.id)
            .join(Case, Case.id == AttachmentUse.case_id)
            .where(AttachmentUse.id == use_id, Case.number == number, cases_visible_to(person()))
        ).first()
        if row is None:
            abort(404)
        seal_answer()
        return stream("uploads", row.sha256, row.media_type, row.name)


def _drawing(case_type: str) -> str:
    """The committed drawing of a case type, or nothing."""
    drawing = Path(current_app.static_folder or "") / "drawings" / f"{case_type}.svg"
    return url_for("static", filename=f"drawings/{case_type}.svg") if drawing.is_file() else ""


def _document(number: str, document_id: int) -> Document:
    """A document of a case this person may see; anything else is 404."""
    row = db.session.execute(
        select(Document)
        .join(Case, Case.id == Document.case_id)
        .where(Document.id == document_id, Case.number == number, cases_visible_to(person()))
    ).scalar()
    if row is None:
        abort(404)
    return row


def stream(folder: str, name: str, media_type: str, shown_as: str) -> ResponseReturnValue:
    """A kept file as a download."""
    try:
        path = find(current_app.config["INSTANCE"] / folder, name)
    except FileNotFoundError:
        current_app.logger.error("file %s is missing in %s", name, folder)
        return error_page(404, _("文件暂时找不到，管理员已经知道。请稍后再试。"))
    return send_file(path, mimetype=media_type, as_attachment=True, download_name=shown_as, etag=False)


def _follows(loaded: Loaded, at: datetime) -> str:
    """The step that the watch takes next without waiting for anybody or any day; empty when there is none."""
    definition = loaded.workflow
    for step in definition.steps_from[loaded.facts.case.state]:
        waits = step.code in definition.expiry_of
        if step.automatic and not waits and not refusals(definition, step, loaded.facts, WATCH, at):
            return _(step.title)
    return ""


def _done(counter: str, number: str, seq: int) -> Done:
    who, at = person(), now()
    page = case_page(number, who, at, counter)
    lines = page.loaded.lines
    line = lines[seq - 1] if 0 < seq <= len(lines) else None
    step = page.loaded.workflow.step.get(line.act) if line else None
    if line is None or step is None or line.person != who.person:
        abort(404)
    issued = {page.loaded.workflow.documents[kind] for kind in step.issues}
    documents = tuple(paper for paper in page.documents if paper.title in issued and paper.issued_at == line.at)
    filed = "receipt" in step.issues
    big, label = number, _("办件编号")
    if filed:
        big, label = page.about.receipt, _("申请回执号")
    elif documents:
        big, label = documents[0].number, documents[0].title
    return Done(
        number=number,
        title=act_title(page.loaded.workflow, line.act),
        at=line.at,
        big=big,
        big_label=label,
        state_title=page.state_title,
        owner=page.owner,
        follows=_follows(page.loaded, at),
        final=page.final,
        due=page.main_due,
        documents=documents,
        subject=page.about.subject_name,
        case_url=url_for(f"{counter}.case", number=number),
        today=legal_day(at),
    )
