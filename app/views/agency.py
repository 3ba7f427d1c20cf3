"""The linked departments' counter: what they were told and must still answer, everything they got, their receipts."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.casework.department import NoticeFilter, count_waiting, notices_of, waiting_notices
from app.casework.sight import departments_of
from app.now import now
from app.registry.working_days import office_calendar
from app.security import acting_department, person, safe_next
from app.views.agency_lines import lines_of
from workflows.calendar import legal_day

blueprint = Blueprint("agency", __name__, url_prefix="/agency")


@blueprint.get("/")
def inbox() -> ResponseReturnValue:
    """待处理: what the department has still to answer, the nearest date first."""
    who, department, today = person(), acting_department(), legal_day(now())
    text = request.args.get("text", "")[:60]
    page = waiting_notices(who, department, text, request.args.get("after"), request.args.get("before"))
    return render_template(
        "agency/inbox.html",
        lines=lines_of(page.rows, office_calendar(), today),
        waiting=count_waiting(who, department, today),
        text=text,
        previous=url_for("agency.inbox", text=text or None, before=page.before) if page.before else None,
        next=url_for("agency.inbox", text=text or None, after=page.after) if page.after else None,
    )


@blueprint.get("/notices")
def notices() -> ResponseReturnValue:
    """全部通知: everything the department was ever told, the newest first."""
    page = notices_of(
        person(), acting_department(), NoticeFilter(), request.args.get("after"), request.args.get("before")
    )
    return render_template(
        "agency/notices.html",
        lines=lines_of(page.rows, office_calendar(), legal_day(now())),
        previous=url_for("agency.notices", before=page.before) if page.before else None,
        next=url_for("agency.notices", after=page.after) if page.after else None,
    )


@blueprint.post("/switch")
def switch() -> ResponseReturnValue:
    """Act for another of one's departments from here on."""
    chosen = request.form.get("department", "")
    department = next((one for one in departments_of(person()) if str(one) == chosen), None)
    if department is None:
        abort(404)
    session["acting_department"] = department
    return redirect(safe_next(request.form.get("next")) or url_for("agency.inbox"), 303)
