"""What a case looks like to the person who reads it: one description for every type and both counters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import Row, select
from sqlalchemy.orm import aliased

from app.casework.actor import Person
from app.casework.beside import TITLES
from app.casework.facts import Loaded, NoSuchCase, load_case
from app.casework.sight import cases_visible_to, is_officer_of
from app.db import db
from app.journal import problems_of
from app.models import (
    Attachment,
    AttachmentUse,
    Case,
    CaseLink,
    Document,
    Filing,
    Identifier,
    Notice,
    Office,
    Repair,
    RepairLetter,
    RepairTask,
    Subject,
    User,
)  # fmt: skip
from app.views.dues import Due, due_of
from app.views.texts import article, sentence
from forms import form_for
from workflows.calendar import legal_day
from workflows.clockwork import PAUSED, RUNNING, Deadline
from workflows.engine import offers
from workflows.grammar import STAY, Refusal, Step, Workflow
from workflows.people import ROLE_TITLES, Role, roles_in


@dataclass(frozen=True, slots=True)
class No:
    """A refusal as a page shows it."""

    text: str
    law_text: str
    kind: str
    code: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A step as a page offers it."""

    step: Step
    refusals: tuple[No, ...]
    url: str
    article: str


@dataclass(frozen=True, slots=True)
class Station:
    """A stop on the road of a case."""

    title: str
    status: str
    on: date | None
    note: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """A journal line as a page shows it."""

    at: datetime
    title: str
    person: str
    role: str
    office: str
    on_behalf_of: str
    law_text: str
    note: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A document as a page shows it."""

    title: str
    number: str
    code: str
    issued_at: datetime
    state: str
    state_text: str
    hash_short: str
    url: str
    pdf_url: str | None
    withdrawn: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Told:
    """A receiver of the outcome."""

    name: str
    state_text: str
    badge: str
    sent_at: datetime | None
    receipt: str


@dataclass(frozen=True, slots=True)
class ToDo:
    """A task of 信息处理."""

    code: str
    title: str
    done: bool
    done_at: datetime | None
    person: str
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class File:
    """A paper the filer handed in."""

    use_id: int
    id: int
    name: str
    purpose: str
    size: int
    media_type: str
    at: datetime
    url: str


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


def no_of(refusal: Refusal) -> No:
    """A refusal for a page, in the reader's language."""
    return No(sentence(refusal), article(refusal.law), refusal.kind, refusal.code)


def visible_case(number: str, who: Person, at: datetime) -> Loaded:
    """The case when this person may see it. Raises NoSuchCase otherwise: to others it does not exist."""
    seen = db.session.execute(select(Case.id).where(Case.number == number, cases_visible_to(who))).first()
    if seen is None:
        raise NoSuchCase(number)
    return load_case(number, at)


def case_page(number: str, who: Person, at: datetime, counter: str) -> CasePage:
    """Describe a case for the page of a counter (`enterprise` or `desk`), in at most a dozen statements."""
    loaded = visible_case(number, who, at)
    workflow, facts, today = loaded.workflow, loaded.facts, legal_day(at)
    case = facts.case
    about = _about(loaded.id)
    officer = is_officer_of(who, about.office_path, loaded.facts.case.subject)
    roles = roles_in(who, case.office, case.subject)
    state = workflow.state[case.state]
    offered = _offers(loaded, who, at, counter)
    dues = _dues(loaded, today, counter, officer)
    documents, receivers, tasks, files = _papers(loaded, counter)
    return CasePage(
        loaded=loaded,
        number=number,
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
        path=_path(loaded),
        dues=dues,
        main_due=_main(dues, _filers_own(workflow, case.state, counter)),
        journal=tuple(reversed(_journal(loaded, officer, about.subject_name))),
        intact=not problems_of(loaded.lines),
        documents=documents,
        receivers=receivers,
        tasks=tasks if _may_do(offered, "task") else tuple(replace(task, url="") for task in tasks),
        files=files,
        particulars=_particulars(loaded.id),
        today=today,
    )


def _about(case_id: int) -> Any:
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


def _particulars(case_id: int) -> Any:
    """What the applicant wrote, and the letter they signed (its columns empty before)."""
    return db.session.execute(
        select(
            Repair.statement, Repair.contact, Repair.phone, RepairLetter.code, RepairLetter.text,
            RepairLetter.text_hash, RepairLetter.signer_name, RepairLetter.capacity, RepairLetter.signed_at,
        )
        .outerjoin(RepairLetter, RepairLetter.case_id == Repair.case_id)
        .where(Repair.case_id == case_id)
    ).first()  # fmt: skip


def _offers(loaded: Loaded, who: Person, at: datetime, counter: str) -> tuple[Offer, ...]:
    """Steps for people, the possible ones first; what only the watch does is not on offer."""
    found = []
    for step, no in offers(loaded.workflow, loaded.facts, who, at):
        if step.by == (Role.WATCH,):
            continue
        url = url_for(f"{counter}.step", number=loaded.facts.case.number, step=step.code)
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


def _path(loaded: Loaded) -> tuple[Station, ...]:
    """The road taken, from the journal, then the shortest way on to a good end."""
    workflow = loaded.workflow
    stations: list[Station] = []
    for line in loaded.lines:
        if line.source != line.target and line.target in workflow.state:
            title = workflow.state[line.target].title
            stations.append(Station(title, "done", legal_day(line.at), ""))
    here = workflow.state[loaded.facts.case.state]
    if stations:
        last = stations.pop()
        note = here.owner.title if here.owner else ""
        stations.append(Station(last.title, "done" if here.final else "current", last.on, note))
    if not here.final:
        stations += [Station(workflow.state[code].title, "todo", None, "") for code in way_on(workflow, here.code)]
    return tuple(stations)


def way_on(workflow: Workflow, state: str) -> tuple[str, ...]:
    """The states still ahead on the first road of the definition that leads to its first end."""
    good_end = next(s.code for s in workflow.states if s.final)
    queue: list[tuple[str, ...]] = [(state,)]
    seen = {state}
    while queue:
        road = queue.pop(0)
        if road[-1] == good_end:
            return road[1:]
        for step in workflow.steps_from[road[-1]]:
            if step.target != STAY and step.target not in seen:
                seen.add(step.target)
                queue.append((*road, step.target))
    return ()


def ripens(workflow: Workflow, state: str, deadlines: Iterable[Deadline], today: date) -> str:
    """What a case waits for that goes on by itself when a time-limit has passed; empty when it waits for a person."""
    for deadline in deadlines:
        clock = workflow.clock[deadline.clock]
        step = workflow.step.get(clock.on_expiry)
        if deadline.state != RUNNING or deadline.due_on is None or deadline.due_on < today or step is None:
            continue
        if state in step.sources and step.target in way_on(workflow, state):
            return _("%(clock)s届满", clock=_(clock.title))
    return ""


def act_title(workflow: Workflow, act: str) -> str:
    """What an act is called: a step of the definition, or something beside the state."""
    step = workflow.step.get(act)
    return _(step.title) if step else _(TITLES.get(act, act))


def _journal(loaded: Loaded, officer: bool, subject_name: str) -> list[LogLine]:
    lines = []
    for row in loaded.lines:
        step = loaded.workflow.step.get(row.act)
        note = "" if step and step.inside and not officer else note_of(loaded.workflow.code, row.act, row.answers or {})
        role = ROLE_TITLES.get(Role(row.role), "") if row.role else ""
        lines.append(
            LogLine(
                at=row.at,
                title=act_title(loaded.workflow, row.act),
                person=row.person_name,
                role=role,
                office="",
                on_behalf_of=subject_name if row.on_behalf_of else "",
                law_text=article(row.law),
                note=note,
            )
        )
    return lines


def note_of(case_type: str, act: str, answers: Mapping[str, Any]) -> str:
    """What was said in a step, in a line: each answer in the words of the form that asked for it."""
    said = form_for(case_type, act).said(answers)
    if said:
        return "；".join(f"{name}：{words}" for name, words in said)
    return str(answers.get("name", ""))


def _papers(
    loaded: Loaded, counter: str
) -> tuple[tuple[Paper, ...], tuple[Told, ...], tuple[ToDo, ...], tuple[File, ...]]:
    number = loaded.facts.case.number
    documents = db.session.execute(
        select(
            Document.id, Document.kind, Document.title, Document.number, Document.code, Document.issued_at,
            Document.printed_at, Document.placed_at, Document.trouble, Document.pdf_hash, Document.withdrawn_at,
        )
        .where(Document.case_id == loaded.id)
        .order_by(Document.id.desc())
    ).all()  # fmt: skip
    receivers = db.session.execute(
        select(Office.name, Notice.written_at)
        .join(Office, Office.id == Notice.receiver_id)
        .where(Notice.case_id == loaded.id)
        .order_by(Notice.id)
    ).all()
    tasks = db.session.execute(
        select(RepairTask.code, RepairTask.title, RepairTask.note, RepairTask.done_at, User.name.label("person"))
        .outerjoin(User, User.id == RepairTask.done_by)
        .where(RepairTask.case_id == loaded.id)
        .order_by(RepairTask.id)
    ).all()
    files = db.session.execute(
        select(
            AttachmentUse.id.label("use_id"), AttachmentUse.purpose, AttachmentUse.at, Attachment.id,
            Attachment.name, Attachment.size, Attachment.media_type,
        )
        .join(Attachment, Attachment.id == AttachmentUse.attachment_id)
        .where(AttachmentUse.case_id == loaded.id)
        .order_by(AttachmentUse.id)
    ).all()  # fmt: skip
    return (
        tuple(_paper(row, number, counter, _to_serve(loaded)) for row in documents),
        tuple(Told(row.name, _("已写好，待送出"), "waiting", None, "") for row in receivers),
        tuple(
            ToDo(
                row.code, row.title, row.done_at is not None, row.done_at, row.person or "", row.note,
                url_for(f"{counter}.step", number=number, step="do_task", item=row.code) if counter == "desk" else "",
            )
            for row in tasks
        ),
        tuple(
            File(
                row.use_id, row.id, row.name, row.purpose, row.size, row.media_type, row.at,
                url_for(f"{counter}.file", number=number, use_id=row.use_id),
            )
            for row in files
        ),
    )  # fmt: skip


def _to_serve(loaded: Loaded) -> frozenset[str]:
    """The kinds of document that still have to be served by a step of their own."""
    workflow = loaded.workflow
    clock = workflow.clock.get("serve")
    if clock is None or "serve" in loaded.facts.counts:
        return frozenset()
    return frozenset(kind for step in workflow.steps if step.code in clock.starts for kind in step.issues)


def _paper(row: Any, number: str, counter: str, to_serve: frozenset[str]) -> Paper:
    if row.trouble:
        state, text = "blocked", row.trouble
    elif row.printed_at is None:
        state, text = "printing", _("已出具，PDF 排印中，约一分钟")
    else:
        state = "signed"
        if row.kind in to_serve:
            text = _("已签章，待送达")
        else:
            text = _("已签章，已放入办件页面") if row.placed_at else _("已签章")
    return Paper(
        title=row.title,
        number=row.number,
        code=row.code,
        issued_at=row.issued_at,
        state=state,
        state_text=text,
        hash_short=f"{row.pdf_hash[:4]}…{row.pdf_hash[-4:]}" if row.pdf_hash else "",
        url=url_for(f"{counter}.document", number=number, document_id=row.id),
        pdf_url=url_for(f"{counter}.pdf", number=number, document_id=row.id) if row.pdf_hash else None,
        withdrawn=row.withdrawn_at is not None,
        kind=row.kind,
    )
