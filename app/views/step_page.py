"""The one page for any step of any case type: what it does, on what basis, what it asks; then it is taken, or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.actor import Person
from app.casework.facts import Loaded, NoSuchCase, load_case
from app.casework.refused import CaseHasMoved, StepRefused
from app.casework.sight import cases_visible_to, is_officer_of
from app.casework.take_step import take_step
from app.db import db, transaction
from app.errors import STATUS_OF
from app.models import Attachment, AttachmentUse, Case
from app.notices.address_book import receivers
from app.now import now
from app.security import person
from app.translations.reader import told
from app.views.basis import Basis, attested, basis_of, row_of
from app.views.case_journal import act_title, note_of
from app.views.case_page import about_case
from app.views.refusals import No, no_of
from app.views.texts import article
from forms import form_for
from forms.base import StepForm
from workflows import workflow
from workflows.calendar import legal_day
from workflows.clockwork import Deadline, Event, behaviour, plan, turn
from workflows.engine import refusals
from workflows.grammar import NEW, RESTART, STAY, Ask, Refusal, Step, Workflow
from workflows.law import NothingInForce
from workflows.people import Role


@dataclass(frozen=True, slots=True)
class Change:
    """What the step does to a time-limit: `what` in words, its new last day, and on which row of the law that rests."""

    title: str
    what: str
    due_on: date | None
    provisional: bool
    basis: Basis | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the things a step is taken for, when it must be said which."""

    title: str
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class Stale:
    """Who was faster."""

    person: str
    title: str
    at: object


@dataclass(frozen=True)
class StepPage:
    """Everything `cases/step.html` shows. Without `form` the step cannot be taken now, or must be told for what."""

    loaded: Loaded
    number: str
    step: Step
    item: str
    item_title: str
    about: Any
    state_title: str
    leads_to: str
    article: str
    changes: tuple[Change, ...]
    issues: tuple[str, ...]
    tells: tuple[str, ...]
    earlier: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    officer: bool
    form: StepForm | None
    against: tuple[No, ...]
    said_no: tuple[No, ...]
    stale: Stale | None
    choices: tuple[Choice, ...]
    typed: tuple[tuple[str, str], ...]
    case_url: str
    action: str
    today: date


def step_page(counter: str, number: str, code: str) -> ResponseReturnValue:
    """Show the step, or take it. Nothing typed is ever lost: a refusal comes back with the form as it was filled in."""
    who, at = person(), now()
    definition = _definition(number, who)
    step = definition.step.get(code)
    if step is None or step.by == (Role.WATCH,) or NEW in step.sources:
        abort(404)
    item = str(request.values.get("item", ""))[:64]
    form = form_for(definition.code, code)()
    if request.method == "POST" and "more" not in request.form and form.validate():
        return _take(counter, number, step, item, form, who, at)
    loaded = load_case(number, at)
    if request.method == "GET":
        form.begin(legal_day(at))
        form.item.data = item
        form.renew(loaded.facts.case.version)
    elif "more" in request.form:
        form.grow(request.form["more"])
    elif form.seen_version.errors or form.key.errors:
        form.renew(loaded.facts.case.version)
    return _page(counter, loaded, step, item, form, who, at), 422 if form.errors else 200


def _definition(number: str, who: Person) -> Workflow:
    """The definition of a case this person may see. Raises NoSuchCase: to others it does not exist."""
    row = db.session.execute(
        select(Case.type, Case.edition).where(Case.number == number, cases_visible_to(who))
    ).first()
    if row is None:
        raise NoSuchCase(number)
    return workflow(row.type, row.edition)


def _take(
    counter: str, number: str, step: Step, item: str, form: StepForm, who: Person, at: datetime
) -> ResponseReturnValue:
    stale: Stale | None = None
    said_no: tuple[Refusal, ...] = ()
    try:
        with transaction():
            entry = take_step(
                number,
                step.code,
                actor=who,
                answers=form.answers(),
                key=form.key.data,
                seen_version=form.seen_version.data,
                at=at,
                item=item,
            )
    except CaseHasMoved as error:
        stale, status = Stale(error.who, error.what, error.when), 409
    except StepRefused as error:
        said_no, status = error.refusals, STATUS_OF.get(error.refusals[0].kind, 422)
    else:
        return redirect(url_for(f"{counter}.done", number=number, seq=entry.seq), 303)
    loaded = load_case(number, at)
    form.renew(loaded.facts.case.version)
    return _page(counter, loaded, step, item, form, who, at, stale, said_no), status


def _page(
    counter: str,
    loaded: Loaded,
    step: Step,
    item: str,
    form: StepForm,
    who: Person,
    at: datetime,
    stale: Stale | None = None,
    said_no: Iterable[Refusal] = (),
) -> str:
    number, today = loaded.facts.case.number, legal_day(at)
    against = refusals(loaded.workflow, step, loaded.facts, who, at, item)
    typed = form.said(form.answers()) if against and request.method == "POST" else []
    form.fit(loaded.facts.counts)
    choices = _choices(counter, loaded, step) if step.item and not item and not against else ()
    about, files = about_case(loaded.id), _files(loaded.id, number, counter)
    officer = is_officer_of(who, about.office_path, loaded.facts.case.subject)
    shown = StepPage(
        loaded=loaded,
        number=number,
        step=step,
        item=item,
        item_title=next((task.title for task in loaded.facts.tasks if task.code == item), item),
        about=about,
        state_title=loaded.workflow.state[loaded.facts.case.state].title,
        leads_to="" if step.target == STAY else loaded.workflow.state[step.target].title,
        article=article(step.law),
        changes=() if against else _changes(loaded, step, who, at, item, officer),
        issues=tuple(dict.fromkeys(loaded.workflow.documents[kind] for kind in step.issues)),
        tells=_told(step) if step.tells and officer else (),
        earlier=_earlier(loaded, officer),
        files=files,
        officer=officer,
        form=None if against or choices else form,
        against=tuple(no_of(refusal) for refusal in against),
        said_no=tuple(no_of(refusal) for refusal in said_no if refusal not in against),
        stale=stale,
        choices=choices,
        typed=tuple(typed),
        case_url=url_for(f"{counter}.case", number=number),
        action=url_for(f"{counter}.step", number=number, step=step.code),
        today=today,
    )
    return render_template("cases/step.html", page=shown, form=shown.form, counter=counter)


def _files(case_id: int, number: str, counter: str) -> tuple[tuple[str, str], ...]:
    rows = db.session.execute(
        select(AttachmentUse.id, Attachment.name)
        .join(Attachment, Attachment.id == AttachmentUse.attachment_id)
        .where(AttachmentUse.case_id == case_id)
        .order_by(AttachmentUse.id)
    ).all()
    return tuple((row.name, url_for(f"{counter}.file", number=number, use_id=row.id)) for row in rows)


def _told(step: Step) -> tuple[str, ...]:
    """Whom the step notifies, in the order in which it names them."""
    found = sorted(receivers(step.tells), key=lambda receiver: step.tells.index(receiver.word))
    return tuple(receiver.name for receiver in found)


def _choices(counter: str, loaded: Loaded, step: Step) -> tuple[Choice, ...]:
    """The open tasks of the case, one link each."""
    number = loaded.facts.case.number
    return tuple(
        Choice(task.title, task.note, url_for(f"{counter}.step", number=number, step=step.code, item=task.code))
        for task in loaded.facts.tasks
        if not task.done
    )


def _earlier(loaded: Loaded, officer: bool) -> tuple[tuple[str, str], ...]:
    """What was said in the case so far, newest first: whoever decides has it before their eyes."""
    said = []
    for line in reversed(loaded.lines):
        step = loaded.workflow.step.get(line.act)
        if step is None or (step.inside and not officer) or set(step.asks) <= set(step.marks):
            continue
        if note := note_of(loaded.workflow.code, line.act, line.answers or {}):
            said.append((told(act_title(loaded.workflow, line.act)) + _("（") + line.person_name + _("）"), note))
    return tuple(said[:4])


def _changes(loaded: Loaded, step: Step, who: Person, at: datetime, item: str, officer: bool) -> tuple[Change, ...]:
    """What the law room says the step will do to the time-limits: the same plan that will be carried out."""
    ask = Ask(loaded.workflow, step, loaded.facts, who, at, item, {})
    try:
        events = plan(ask)
    except NothingInForce:
        return ()
    events = tuple(event for event in events if _shown(loaded, event, officer))
    after = {(d.clock, d.item): d for d in turn(loaded.facts.deadlines, events)}
    vouched = attested(str(event.get("row", "")) for event in events) if officer else frozenset()
    return tuple(_change(ask, event, after[event["clock"], event["item"]], vouched) for event in events)


def _shown(loaded: Loaded, event: Event, officer: bool) -> bool:
    clock = loaded.workflow.clock[event["clock"]]
    return not clock.item and (officer or not clock.inside)


def _change(ask: Ask, event: Event, after: Deadline, vouched: frozenset[str]) -> Change:
    clock = ask.workflow.clock[event["clock"]]
    what = {
        "start": _("开始计算"),
        "extend": _("延长"),
        "resume": _("恢复计算"),
        "recount": _("重新计算"),
        "pause": _("暂停"),
        "meet": _("完成"),
        "end": _("随本件结束"),
    }[event["event"]]
    if event["event"] == "pause" and behaviour(ask, clock, ask.step.target) == RESTART:
        what = _("停止，之后重新起算")
    runs = event["event"] in ("start", "extend", "resume", "recount")
    row = row_of(event["rule"], event["row"]) if runs and event["rule"] else None
    return Change(
        title=clock.title,
        what=what,
        due_on=after.due_on if runs else None,
        provisional=after.provisional and runs,
        basis=basis_of(row, vouched) if row else None,
    )
