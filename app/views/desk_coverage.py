"""归集情况: coverage, compliance, timeliness and repetition of each office; one office by kind and batch; a file."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.actor import Person
from app.db import db
from app.models import Batch
from app.notices.formats.sheet import BOM
from app.now import now
from app.registry.coverage import OfficeFigures, Sum, coverage, kinds_on
from app.registry.intake.result import defused
from app.registry.working_days import office_calendar
from app.views.desk import blueprint
from app.views.intake_page import TONES, kind_title, looking_after_intake, paths_of
from forms.coverage import PeriodFilter
from forms.intake import STATES
from workflows.calendar import day_start, legal_day
from workflows.law import rule

FIRST, LONGEST = date(2017, 1, 1), timedelta(days=366)
"""The first day that can be asked for, and the longest period."""
SHOWN = 50
"""Batches of an office that its page lists."""


@blueprint.get("/coverage", endpoint="coverage")
def all_offices() -> ResponseReturnValue:
    """Every office of mine and below, those that sent nothing among them."""
    who = looking_after_intake()
    form, since, until = _period()
    offices = _figures(who, since, until)
    kinds = kinds_on(until)
    return render_template(
        "desk/coverage.html",
        offices=offices,
        all=_together(offices),
        reported=sum(office.total.batches > 0 for office in offices),
        kinds=kinds,
        percent=percent,
        form=form,
        since=since,
        until=until,
        limit=rule("desk.report_within").on(until).value,
        period=_address(since, until),
    )


@blueprint.get("/coverage.csv")
def coverage_sheet() -> Response:
    """The same as a file for a spreadsheet."""
    who = looking_after_intake()
    _form, since, until = _period()
    kinds = list(kinds_on(until))
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\r\n")
    writer.writerow(
        [_("单位编码"), _("单位"), _("批次"), _("数据行"), _("写入"), _("待处理"), _("重复"), _("归集目录覆盖率"),
         _("数据合规率"), _("及时率"), _("重复率")]
    )  # fmt: skip
    for office in _figures(who, since, until):
        total = office.total
        parts = (office.covered(kinds), total.compliant, total.in_time, total.repeated)
        cells = [office.code, office.name, total.batches, total.rows, total.taken, total.waiting, total.duplicates]
        writer.writerow([*(defused(str(cell)) for cell in cells), *(percent(part) for part in parts)])
    answer = Response((BOM + held.getvalue()).encode(), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=f"coverage-{since}-{until}.csv")
    return answer


@blueprint.get("/coverage/<code>")
def coverage_office(code: str) -> ResponseReturnValue:
    """One office: its figures by kind of record, and the batches behind them."""
    who = looking_after_intake()
    form, since, until = _period()
    office = next((one for one in _figures(who, since, until) if one.code == code), None)
    if office is None:
        abort(404)
    rows = db.session.execute(
        select(Batch.id, Batch.name, Batch.directory, Batch.made_at, Batch.state, Batch.tallies, Batch.rows)
        .where(
            Batch.office_id == office.id, Batch.made_at >= day_start(since),
            Batch.made_at < day_start(until + timedelta(days=1)),
        )
        .order_by(Batch.id.desc())
        .limit(SHOWN)
    ).all()  # fmt: skip
    return render_template(
        "desk/coverage_office.html",
        office=office,
        kinds=kinds_on(until),
        nothing=Sum(),
        rows=rows,
        kind_title=kind_title,
        states=dict(STATES),
        tones=TONES,
        percent=percent,
        form=form,
        since=since,
        until=until,
        back=url_for("desk.coverage", **_address(since, until)),
        shown=SHOWN,
    )


def percent(part: float | None) -> str:
    """A part in percent, as it stands in a table; a dash when there is nothing to compare."""
    return "—" if part is None else f"{100 * part:.1f}%"


def _figures(who: Person, since: date, until: date) -> list[OfficeFigures]:
    return coverage(paths_of(who), since, until, office_calendar())


def _period() -> tuple[PeriodFilter, date, date]:
    """The period asked for: this month when none is, and never longer than a year."""
    today = legal_day(now())
    form = PeriodFilter(request.args)
    form.validate()
    until = max(min(form.until.data or today, today), FIRST)
    since = max(min(form.since.data or until.replace(day=1), until), until - LONGEST, FIRST)
    form.since.data, form.until.data = since, until
    form.since.raw_data = form.until.raw_data = None
    return form, since, until


def _address(since: date, until: date) -> dict[str, Any]:
    return {"since": since.isoformat(), "until": until.isoformat()}


def _together(offices: list[OfficeFigures]) -> Sum:
    """All offices as one."""
    total = Sum()
    for office in offices:
        for name in vars(total):
            setattr(total, name, getattr(total, name) + getattr(office.total, name))
    return total
