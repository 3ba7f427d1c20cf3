"""What a case looks like to the person who reads it: one description for every type and both counters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import url_for
from sqlalchemy import Row, select
from sqlalchemy.orm import aliased

from app.casework.actor import Person
from app.casework.facts import Loaded, NoSuchCase, load_case
from app.casework.particulars import PARTICULARS
from app.casework.sight import cases_visible_to, is_officer_of
from app.db import db
from app.journal import problems_of
from app.models import (
    Case,
    CaseLink,
    Filing,
    Identifier,
    Office,
    Subject,
)  # fmt: skip
from app.views.case_journal import LogLine, journal_of
from app.views.case_papers import File, Paper, ToDo, papers_of
from app.views.case_road import Station, ripens, road_of
from app.views.dues import Due, due_of
from app.views.receivers import Told, told_in_case
from app.views.refusals import No, no_of
from app.views.texts import article
from workflows.calendar import legal_day
from workflows.clockwork import PAUSED, RUNNING
from workflows.engine import offers
from workflows.grammar import Step, Workflow
from workflows.people import Role, roles_in

WITH_PAPERS = {("desk", "hall", "resubmit"): "hall.completion"}
"""Steps that an officer takes for an applicant on a page of its own, where papers can be handed in: by counter, channel
and step."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A step as a page offers it."""

    step: Step
    refusals: tuple[No, ...]
    url: str
    article: str


@dataclass(frozen=True)
class CasePage:
    """Everything `cases/page.html` shows."""

    loaded: Loaded
    number: str
    title: str
    state: str
    state_title: str
    final: bool
    since: datetime
    about: Any
    record: Row[Any] | None
    officer: bool
    filer: bool
    owner: str
    ripens: str
    offers: tuple[Offer, ...]
    path: tuple[Station, ...]
    dues: tuple[Due, ...]
    main_due: Due | None
    journal: tuple[LogLine, ...]
    intact: bool
    documents: tuple[Paper, ...]
    receivers: tuple[Told, ...]
    tasks: tuple[ToDo, ...]
    files: tuple[File, ...]
    particulars: Any
    today: date


def visible_case(number: str, who: Person, at: datetime) -> Loaded:
    """The case when this person may see it. Raises NoSuchCase otherwise: to others it does not exist."""
    seen = db.session.execute(select(Case.id).where(Case.number == number, cases_visible_to(who))).first()
    if seen is None:
        raise NoSuchCase(number)
    return load_case(number, at)


def case_page(number: str, who: Person, at: datetime, counter: str) -> CasePage:
    """Describe a case for the page of a counter (`enterprise` or `desk`), in at most a dozen statements. Raises
    NoSuchCase when this person may not see it."""
    return page_of(visible_case(number, who, at), who, at, counter)


def page_of(loaded: Loaded, who: Person, at: datetime, counter: str) -> CasePage:
    """Describe a case that was loaded for this person."""
    workflow, facts, today = loaded.workflow, loaded.facts, legal_day(at)
    case = facts.case
    about = about_case(loaded.id)
    officer = is_officer_of(who, about.office_path, loaded.facts.case.subject)
    roles = roles_in(who, case.office, case.subject, case.channel)
    state = workflow.state[case.state]
    offered = _offers(loaded, who, at, counter)
    dues = _dues(loaded, today, counter, officer)
    documents, tasks, files = papers_of(loaded, counter)
    return CasePage(
        loaded=loaded,
        number=case.number,
        title=workflow.title,
        state=case.state,
        state_title=state.title,
        final=state.final,
        since=loaded.row.state_since,
        about=about,
        record=loaded.record,
        officer=officer,
        filer=Role.FILER in roles,
        owner=state.owner.title if state.owner else "",
        ripens=ripens(workflow, case.state, facts.deadlines, today),
        offers=offered,
        path=road_of(loaded),
        dues=dues,
        main_due=_main(dues, _filers_own(workflow, case.state, counter)),
        journal=tuple(reversed(journal_of(loaded, officer, about.subject_name))),
        intact=not problems_of(loaded.lines),
        documents=documents,
        receivers=told_in_case(loaded.id, today),
        tasks=tasks if _may_do(offered, "task") else tuple(replace(task, url="") for task in tasks),
        files=files,
        particulars=PARTICULARS[workflow.code].read(loaded.id),
        today=today,
    )


def about_case(case_id: int) -> Any:
    """Whose case it is, before whom, how it came in, and the case it follows."""
    earlier = aliased(Case)
    follows = (
        select(earlier.number)
        .join(CaseLink, CaseLink.from_case == earlier.id)
        .where(CaseLink.to_case == case_id, CaseLink.kind == "again")
        .limit(1)
        .scalar_subquery()
    )
    return db.session.execute(
        select(
            Subject.id.label("subject_id"), Subject.name.label("subject_name"), Subject.kind.label("subject_kind"),
            Subject.legal_representative, Identifier.value.label("subject_code"),
            Office.id.label("office_id"), Office.name.label("office_name"), Office.path.label("office_path"),
            Office.phone.label("office_phone"), Office.review_body,
            Filing.receipt, Filing.channel, Filing.at.label("filed_at"), follows.label("follows"),
        )
        .select_from(Case)
        .join(Subject, Subject.id == Case.subject_id)
        .join(Office, Office.id == Case.office_id)
        .join(Filing, Filing.id == Case.filing_id)
        .outerjoin(
            Identifier,
            (Identifier.subject_id == Subject.id) & (Identifier.kind == "uscc") & Identifier.valid_until.is_(None),
        )
        .where(Case.id == case_id)
        .limit(1)
    ).one()  # fmt: skip


def _offers(loaded: Loaded, who: Person, at: datetime, counter: str) -> tuple[Offer, ...]:
    """Steps for people, the possible ones first; what only the watch does is not on offer."""
    found = []
    for step, no in offers(loaded.workflow, loaded.facts, who, at):
        if step.by == (Role.WATCH,):
            continue
        door = WITH_PAPERS.get((counter, loaded.facts.case.channel, step.code))
        url = url_for(door or f"{counter}.step", number=loaded.facts.case.number, step=None if door else step.code)
        found.append(Offer(step, tuple(no_of(refusal) for refusal in no), url, article(step.law)))
    order = {offer.step.code: index for index, offer in enumerate(found)}
    return tuple(sorted(found, key=lambda offer: (bool(offer.refusals), order[offer.step.code])))


def _may_do(offered: tuple[Offer, ...], item: str) -> bool:
    """Whether a step that is taken for such a thing can be taken now by this reader."""
    return any(offer.step.item == item and not offer.refusals for offer in offered)


def _dues(loaded: Loaded, today: date, counter: str, officer: bool) -> tuple[Due, ...]:
    found = []
    for deadline in loaded.facts.deadlines:
        clock = loaded.workflow.clock[deadline.clock]
        if clock.item or (clock.inside and not officer):
            continue
        url = url_for(f"{counter}.why", number=loaded.facts.case.number, clock=deadline.clock)
        due = due_of(deadline, loaded.workflow, loaded.facts.calendar, today, loaded.facts.case.state, url)
        found.append(replace(due, due_on=waited_until(loaded)) if due.state == PAUSED else due)
    return tuple(found)


def waited_until(loaded: Loaded) -> date | None:
    """How long a paused time-limit waits: until the limit that ends the present state by itself runs out."""
    running = (d for d in loaded.facts.deadlines if d.state == RUNNING and d.due_on is not None)
    ending = [
        d.due_on
        for d in running
        if (step := loaded.workflow.step.get(loaded.workflow.clock[d.clock].on_expiry)) is not None
        and loaded.facts.case.state in step.sources
    ]
    return min(filter(None, ending), default=None)


def _filers_own(workflow: Workflow, state: str, counter: str) -> frozenset[str]:
    """The clocks that the filer meets from this state; none for officers, unless the case waits for the filer."""
    if counter == "desk" and workflow.state[state].owner is not Role.FILER:
        return frozenset()
    steps = {step.code for step in workflow.steps_from[state] if Role.FILER in step.by}
    return frozenset(clock.code for clock in workflow.clocks if steps.intersection(clock.met_by))


def _main(dues: tuple[Due, ...], own: frozenset[str]) -> Due | None:
    """The one date a page shows first: the nearest that is running, the filer's own before others, else one paused."""
    running = sorted((d for d in dues if d.state in (RUNNING, "overdue") and d.due_on), key=lambda d: str(d.due_on))
    if running:
        return next((d for d in running if d.clock in own), running[0])
    return next((d for d in dues if d.state == PAUSED), None)
