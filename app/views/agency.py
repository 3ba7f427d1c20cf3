"""The linked departments' counter: what they were told and must still answer, everything they got, their receipts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.casework.department import NoticeFilter, count_waiting, figures, notices_of, waiting_notices
from app.casework.sight import departments_of
from app.notices.formats.told import DECISIONS
from app.now import now
from app.registry.working_days import office_calendar
from app.security import acting_department, person, safe_next
from app.views.agency_lines import lines_of
from app.views.agency_notice import register_notice
from app.views.agency_receipts import register_receipts
from app.views.agency_sheet import sheet_of
from forms import agency as forms
from workflows.calendar import legal_day
from workflows.law import rule

blueprint = Blueprint("agency", __name__, url_prefix="/agency")
register_notice(blueprint)
register_receipts(blueprint)


@blueprint.get("/")
def inbox() -> ResponseReturnValue:
    """待处理: what the department must still answer, the nearest date first."""
    who, department, today = person(), acting_department(), legal_day(now())
    text = request.args.get("text", "").replace("\0", "").strip()[:60]
    page = waiting_notices(who, department, text, request.args.get("after"), request.args.get("before"))
    return render_template(
        "agency/inbox.html",
        lines=lines_of(page.rows, office_calendar(), today),
        waiting=count_waiting(who, department, today),
        month=_month(today),
        today=today,
        within=rule("repair.receiver_within").on(today).value,
        text=text,
        previous=url_for("agency.inbox", text=text or None, before=page.before) if page.before else None,
        next=url_for("agency.inbox", text=text or None, after=page.after) if page.after else None,
    )


@blueprint.get("/notices")
def notices() -> ResponseReturnValue:
    """全部通知: everything the department was ever told, the newest first."""
    form = _filter()
    page = notices_of(
        person(), acting_department(), _wanted(form), request.args.get("after"), request.args.get("before")
    )
    chosen: dict[str, Any] = dict(form.chosen())
    return render_template(
        "agency/notices.html",
        lines=lines_of(page.rows, office_calendar(), legal_day(now())),
        form=form,
        chosen=[
            (words, url_for("agency.notices", **{key: value for key, value in chosen.items() if key != name}))
            for name, words in form.in_words()
        ],
        sheet=url_for("agency.sheet", **chosen),
        previous=url_for("agency.notices", **chosen, before=page.before) if page.before else None,
        next=url_for("agency.notices", **chosen, after=page.after) if page.after else None,
    )


@blueprint.get("/notices.csv")
def sheet() -> ResponseReturnValue:
    """The same list as a file, all of it."""
    lines = sheet_of(person(), acting_department(), _wanted(_filter()))
    name = f"notices-{legal_day(now()):%Y%m%d}.csv"
    return Response(
        "".join(lines), mimetype="text/csv", headers={"Content-Disposition": f"attachment; filename={name}"}
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


def _filter() -> forms.NoticeFilter:
    """The filter in the address, with the outcomes one may choose from, each once."""
    form = forms.NoticeFilter(request.args)
    form.offer("decision", ((decision, _(decision)) for decision in dict.fromkeys(DECISIONS.values())))
    return form


def _wanted(form: forms.NoticeFilter) -> NoticeFilter:
    chosen: dict[str, Any] = dict(form.chosen())
    decision = chosen.get("decision", "")
    return NoticeFilter(
        state=chosen.get("state", ""),
        acts=tuple(act for act, title in DECISIONS.items() if title == decision),
        since=chosen.get("since"),
        until=chosen.get("until"),
        text=chosen.get("text", ""),
    )


def _month(today: date) -> Iterator[tuple[str, int, str]]:
    """What became of this month's notices, each with the list of them."""
    first = today.replace(day=1)
    found = figures(person(), acting_department(), first, today)
    for words, figure, state in (
        (_("发给贵单位"), found.told, ""),
        (_("已确认"), found.confirmed, "confirmed"),
        (_("查找不到或者不予办理"), found.trouble, "trouble"),
        (_("没有回执"), found.open, "open"),
    ):
        yield words, figure, url_for("agency.notices", state=state or None, since=first.isoformat())
