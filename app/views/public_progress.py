"""进度查询: where a case stands, for whoever has its number and the code of the one it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.facts import Loaded, load_case
from app.db import db
from app.models import Case, Identifier, Office
from app.now import now
from app.registry.codes import check_code
from app.registry.regions import standings
from app.security import limiter
from app.views.case_road import Station, road_of
from app.views.dues import Due, due_of
from app.views.public import blueprint, not_kept
from app.views.said import said
from forms.guide import ProgressForm
from workflows.calendar import legal_day
from workflows.clockwork import RUNNING

ASKED = "20 per minute; 100 per hour"
LONGEST = 40


@dataclass(frozen=True, slots=True)
class Progress:
    """What the public may know of a case: where it is, who has it, until when, and the road it took. No words of it."""

    number: str
    title: str
    state: str
    owner: str
    office: str
    phone: str
    since: datetime
    final: bool
    due: Due | None
    road: tuple[Station, ...]


@blueprint.route("/progress", methods=["GET", "POST"])
@limiter.limit(ASKED, methods=["POST"])
def progress() -> ResponseReturnValue:
    """Ask for a case. It is posted, so that neither number nor code stands in an address; whoever has only one of the
    two is told the same as whoever has neither."""
    form, found = ProgressForm(), None
    if form.validate_on_submit():
        verdict = check_code(form.code.data, standings())
        if not verdict.ok:
            form.code.errors = [said(verdict.problems[0])]
        else:
            found = _progress((form.number.data or "").strip().upper()[:LONGEST], verdict.code)
            if found is None:
                form.number.errors = [_("没有查到：编号和代码须是同一件申请的。请对照申请回执再核一遍。")]
    page = render_template("public/progress.html", form=form, found=found, at=now())
    return not_kept(page, 422 if form.errors else 200)


def _progress(number: str, code: str) -> Progress | None:
    at = now()
    row = db.session.execute(
        select(Case.number, Office.name, Office.phone)
        .join(Office, Office.id == Case.office_id)
        .join(Identifier, Identifier.subject_id == Case.subject_id)
        .where(
            Case.number == number, Case.filed_at.is_not(None), Identifier.kind == "uscc", Identifier.value == code
        )
    ).first()  # fmt: skip
    if row is None:
        return None
    loaded = load_case(row.number, at)
    state = loaded.workflow.state[loaded.facts.case.state]
    return Progress(
        number=row.number,
        title=loaded.workflow.title,
        state=state.title,
        owner=state.owner.title if state.owner else "",
        office=row.name,
        phone=row.phone,
        since=loaded.row.state_since,
        final=state.final,
        due=_due(loaded, legal_day(at)),
        road=road_of(loaded),
    )


def _due(loaded: Loaded, today: date) -> Due | None:
    """The nearest date that the applicant waits for."""
    facts, workflow = loaded.facts, loaded.workflow
    open_now = [
        d for d in facts.deadlines
        if d.state == RUNNING and d.due_on and not workflow.clock[d.clock].inside and not workflow.clock[d.clock].item
    ]  # fmt: skip
    if not open_now:
        return None
    nearest = min(open_now, key=lambda deadline: deadline.due_on or today)
    return due_of(nearest, workflow, facts.calendar, today, facts.case.state)
