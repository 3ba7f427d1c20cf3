"""The officers' counter: what waits for me, the cases of my offices, their credit records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.casework import inbox as lists
from app.casework.annul import annul_record
from app.casework.inbox import Tally, Waiting
from app.casework.refused import StepRefused
from app.db import transaction
from app.errors import STATUS_OF
from app.now import now
from app.office_book.mandate_decisions import waiting as waiting_mandates
from app.registry.assign_class import assign_class, is_unclassed, term_if
from app.registry.hands import NotPossible, not_theirs
from app.registry.working_days import office_calendar
from app.security import person
from app.views.case_views import register_case_views
from app.views.desk_records import RecordPage, list_records, record_page
from app.views.dues import Due, due_of
from app.views.refusals import No, no_of
from app.views.texts import sentence
from forms.record import AnnulForm, ClassForm
from forms.search import CaseFilter, Filter, RecordFilter
from workflows import WORKFLOWS
from workflows.calendar import Calendar, DayReason, legal_day
from workflows.classing import CLASSES
from workflows.clockwork import PAUSED, RUNNING

blueprint = Blueprint("desk", __name__, url_prefix="/desk")
register_case_views(blueprint, counter="desk")


@dataclass(frozen=True, slots=True)
class Line:
    """A case in a list: its nearest date, whose it is, where it stands, who has it, what to do."""

    due: Due | None
    case: Waiting
    state_title: str
    tone: str
    owner: str
    days: int
    mine: bool
    url: str
    action: str
    action_url: str
    reasons: tuple[str, ...]


@blueprint.get("/")
def inbox() -> ResponseReturnValue:
    """我的待办: what waits for me, the nearest date first."""
    who, at = person(), now()
    calendar, today = office_calendar(), legal_day(at)
    tally = lists.tally(who, at, calendar)
    page = lists.waiting(who, at, request.args.get("after"), before=request.args.get("before"), calendar=calendar)
    return render_template(
        "desk/inbox.html",
        lines=[_line(case, calendar, today) for case in page.rows],
        tally=tally,
        unconfirmed=lists.unconfirmed(who, today),
        mandates=waiting_mandates(who),
        first=_first(tally),
        today=calendar.reason(today),
        kind_of_day=_kind_of_day(calendar.reason(today)),
        previous=url_for("desk.inbox", before=page.before) if page.before else None,
        next=url_for("desk.inbox", after=page.after) if page.after else None,
    )


@blueprint.get("/cases")
def cases() -> ResponseReturnValue:
    """本单位办件: every case of my offices and those below, the newest first."""
    who, at = person(), now()
    calendar, today = office_calendar(), legal_day(at)
    form = CaseFilter(request.args)
    form.offer("state", _states())
    offices = lists.offices_below(who)
    form.offer("office", ((str(office.id), office.name) for office in offices))
    if len(offices) < 2:
        del form.office
    chosen = form.chosen()
    wanted = lists.CaseFilter(
        state=chosen.get("state", ""),
        office=int(chosen["office"]) if "office" in chosen else None,
        late=chosen.get("late", ""),
        text=chosen.get("text", ""),
    )
    page = lists.cases_of_offices(
        who, at, wanted, calendar, request.args.get("after"), before=request.args.get("before")
    )
    return render_template(
        "desk/cases.html",
        lines=[_line(case, calendar, today) for case in page.rows],
        several=len(offices) > 1,
        **_filtered("desk.cases", form, page.before, page.after),
    )


@blueprint.get("/records")
def records() -> ResponseReturnValue:
    """信用档案: the credit records of my offices and those below, the newest first."""
    who = person()
    form = RecordFilter(request.args)
    offices = lists.offices_below(who)
    form.offer("office", ((str(office.id), office.name) for office in offices))
    if len(offices) < 2:
        del form.office
    page = list_records(who, legal_day(now()), form.chosen(), request.args.get("after"), request.args.get("before"))
    return render_template(
        "desk/records.html",
        rows=page.rows,
        several=len(offices) > 1,
        **_filtered("desk.records", form, page.before, page.after),
    )


@blueprint.get("/records/<public_id>")
def record(public_id: str) -> ResponseReturnValue:
    """One record: its class and why, its publication, measures, receivers, cases, and its own journal."""
    return render_template("desk/record.html", page=record_page(public_id, person(), now()))


@blueprint.route("/records/<public_id>/annul", methods=["GET", "POST"])
def annul(public_id: str) -> ResponseReturnValue:
    """登记处罚撤销: the penalty behind the record is gone."""
    who, at = person(), now()
    page = record_page(public_id, who, at)
    form = AnnulForm()
    said_no: tuple[No, ...] = ()
    status = 200
    if request.method == "GET":
        form.begin(legal_day(at))
    elif not form.validate() or form.day.data is None:
        status = 422
    else:
        try:
            with transaction():
                annul_record(page.record.id, actor=who, reason=form.reason.data, day=form.day.data, at=at)
        except StepRefused as error:
            said_no = tuple(no_of(refusal) for refusal in error.refusals)
            status = STATUS_OF.get(error.refusals[0].kind, 422)
        else:
            return redirect(url_for("desk.record", public_id=public_id, _anchor="journal"), 303)
    against = _against_annulling(page)
    return render_template(
        "desk/annul.html", page=page, form=None if against else form, against=against, said_no=said_no
    ), status


@blueprint.route("/records/<public_id>/class", methods=["GET", "POST"])
def classify(public_id: str) -> ResponseReturnValue:
    """确定失信类别: where the table of classes is silent, a person says which, and why."""
    who, at = person(), now()
    page = record_page(public_id, who, at)
    form = ClassForm()
    said_no: tuple[No, ...] = ()
    status = 200
    if request.method == "POST" and not form.validate():
        status = 422
    elif request.method == "POST":
        necessary = bool(form.necessary.data)
        try:
            with transaction():
                assign_class(page.record.id, who, form.cls.data, form.reason.data, at, necessary=necessary)
        except NotPossible as error:
            said_no = tuple(no_of(refusal) for refusal in error.refusals)
            status = STATUS_OF.get(error.refusals[0].kind, 422)
        else:
            return redirect(url_for("desk.record", public_id=public_id, _anchor="class"), 303)
    against = _against_classing(page)
    terms = [] if against else [(cls, term_if(page.record, cls)) for cls in CLASSES]
    return render_template(
        "desk/class.html", page=page, form=None if against else form, against=against, said_no=said_no, terms=terms
    ), status


def _against_annulling(page: RecordPage) -> tuple[No, ...]:
    if page.record.annulled_on is not None:
        return (No(_("这项处罚已经登记撤销，不用再登记。"), "", "unmet", "ANNULLED"),)
    return tuple(no_of(refusal) for refusal in not_theirs(person(), page.record.office_id, page.record.subject_id))


def _against_classing(page: RecordPage) -> tuple[No, ...]:
    if not is_unclassed(page.record):
        return (No(_("这条信息的类别已经确定，或者依当时的规定不分类。"), "", "unmet", "CLASSED"),)
    return tuple(no_of(refusal) for refusal in not_theirs(person(), page.record.office_id, page.record.subject_id))


def _line(case: Waiting, calendar: Calendar, today: date) -> Line:
    state = case.workflow.state[case.state]
    shown = [d for d in case.deadlines if not case.workflow.clock[d.clock].item] or list(case.deadlines)
    running = [d for d in shown if d.state == RUNNING and d.due_on is not None]
    paused = [d for d in shown if d.state == PAUSED]
    nearest = next(iter(running or paused), None)
    due = None
    if nearest is not None:
        known = not case.workflow.clock[nearest.clock].item
        url = url_for("desk.why", number=case.number, clock=nearest.clock) if known else ""
        due = due_of(nearest, case.workflow, calendar, today, case.state, url)
    url = url_for("desk.case", number=case.number)
    step = case.next_step
    return Line(
        due=due,
        case=case,
        state_title=state.title,
        tone="hui" if state.final or (state.owner and state.owner.value == "filer") else "dai",
        owner=state.owner.title if state.owner else "",
        days=max(0, calendar.working_between(legal_day(case.since), today)) if legal_day(case.since) <= today else 0,
        mine=case.why == "turn",
        url=url,
        action=_(step.title) if step else "",
        action_url=url_for("desk.step", number=case.number, step=step.code) if step else url,
        reasons=tuple(sentence(refusal) for refusal in case.reasons),
    )


def _first(tally: Tally) -> str:
    """What to begin with, in words."""
    if tally.late and tally.today:
        return _("先办这 %(n)s 件。", n=tally.late + tally.today)
    return ""


def _kind_of_day(day: DayReason) -> str:
    return _("工作日") if day.kind == "workday" else day.name


def _states() -> Iterable[tuple[str, str]]:
    """The states an officer can see a case in, of every case type, each title once."""
    found: dict[str, str] = {}
    for definition in WORKFLOWS.values():
        for state in definition.states:
            if not state.private:
                found.setdefault(state.code, _(state.title))
    return found.items()


def _filtered(endpoint: str, form: Filter, before: str | None, after: str | None) -> Mapping[str, Any]:
    """The filter, what it was set to with a way to drop each, and the pages before and after, under the same filter."""
    chosen: dict[str, Any] = dict(form.chosen())
    chips = [
        (words, url_for(endpoint, **{key: value for key, value in chosen.items() if key != name}))
        for name, words in form.in_words()
    ]
    return {
        "form": form,
        "chosen": chips,
        "previous": url_for(endpoint, **chosen, before=before) if before else None,
        "next": url_for(endpoint, **chosen, after=after) if after else None,
    }
