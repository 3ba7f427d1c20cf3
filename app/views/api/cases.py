"""The cases of the key's department: the list to walk through, and one case with its dates and what can be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Response
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select

from app.casework.actor import Person
from app.casework.facts import Loaded, NoSuchCase, load_case
from app.casework.keyset import Order, page_of
from app.casework.sight import cases_visible_to
from app.db import db
from app.models import Case, CaseRecord, CreditRecord, DeadlineRow, Document, Identifier, Office, Subject
from app.problem import problem
from app.views.api.case_shapes import (
    CasePath,
    CaseSaid,
    CasesPage,
    CasesQuery,
    DocumentSaid,
    DueSaid,
    Reason,
    StepSaid,
    TaskSaid,
    WholeCase,
)
from app.views.api.door import door, visit
from app.views.api.said import said
from app.views.texts import article, sentence
from workflows import workflow
from workflows.calendar import legal_day
from workflows.clockwork import RUNNING
from workflows.engine import offers
from workflows.people import NO_MEMBERSHIP, Role

BY_DAY = Order(Case.filed_at, Case.id, "instant")


@door("get", "/cases", scope="steps", title="本单位和下级单位的办件", answers={200: CasesPage})
def list_cases(query: CasesQuery) -> Response:
    """按提交时间从早到晚，可以反复从上一次的 next 继续。"""
    if query.after and BY_DAY.read(query.after) is None:
        return problem(422, errors=[{"field": "after", "message": _("不是上一次的 next。")}])
    asked = _seen(visit().person)
    if query.state:
        asked = asked.where(Case.state == query.state)
    page = page_of(
        asked.add_columns(Case.filed_at.label("mark")), BY_DAY, after=query.after, before=None, limit=query.limit
    )
    last = BY_DAY.mark(page.rows[-1].mark, page.rows[-1].id) if page.rows else query.after
    body = CasesPage(cases=[CaseSaid(**plain(row)) for row in page.rows], next=last, more=page.after is not None)
    return said(body)


@door("get", "/cases/<number>", scope="steps", title="一件办件", answers={200: WholeCase})
def read_case(path: CasePath) -> Response:
    """期限、现在能办的步骤和不能办的理由、已经出具的文书。ETag 是版本，办理步骤时写进 If-Match。"""
    came = visit()
    row = db.session.execute(_seen(came.person).where(Case.number == path.number)).first()
    if row is None:
        raise NoSuchCase(path.number)
    loaded = load_case(path.number, came.at)
    body = WholeCase(
        **plain(row),
        deadlines=dues_of([row], came.at, inside=True).get(row.id, []),
        steps=_steps(loaded, came.person, came.at),
        tasks=[TaskSaid(item=task.code, title=task.title, done=task.done) for task in loaded.facts.tasks],
        documents=documents_of(Document.case_id == row.id),
    )
    answer = said(body)
    answer.set_etag(str(body.version))
    return answer


def as_officer(person: Person) -> Person:
    """What a department's key sees is the department's; what its person sees as somebody's agent is not."""
    return replace(person, mandates=frozenset())


def documents_of(which: ColumnElement[bool]) -> list[DocumentSaid]:
    """The documents meant, in the order in which they were issued."""
    rows = db.session.execute(
        select(Document.kind, Document.title, Document.number, Document.code, Document.issued_at, Document.withdrawn_at)
        .where(which)
        .order_by(Document.id)
    ).all()
    return [
        DocumentSaid(
            kind=row.kind, title=row.title, number=row.number, code=row.code, issued_at=row.issued_at,
            withdrawn=row.withdrawn_at is not None,
        )
        for row in rows
    ]  # fmt: skip


def _seen(person: Person) -> Any:
    """The cases that the department sees."""
    return case_lines().where(cases_visible_to(as_officer(person)))


def case_lines() -> Any:
    """Cases, each with its office, subject and record."""
    code = (
        select(Identifier.value)
        .where(Identifier.subject_id == Case.subject_id, Identifier.kind == "uscc", Identifier.valid_until.is_(None))
        .limit(1)
        .correlate(Case)
        .scalar_subquery()
    )
    return (
        select(
            *Case.__table__.c, Office.code.label("office"), Subject.name.label("subject"), code.label("uscc"),
            CreditRecord.public_id.label("record"), CreditRecord.number.label("record_no"),
        )
        .join(Office, Office.id == Case.office_id)
        .join(Subject, Subject.id == Case.subject_id)
        .outerjoin(CaseRecord, CaseRecord.case_id == Case.id)
        .outerjoin(CreditRecord, CreditRecord.id == CaseRecord.record_id)
    )  # fmt: skip


def plain(row: Any) -> dict[str, Any]:
    """A case as `CaseSaid` says it."""
    definition = workflow(row.type, row.edition)
    return {
        **{name: getattr(row, name) for name in _PLAIN},
        "title": definition.title,
        "state_title": definition.state[row.state].title,
        **{name: getattr(row, name) or "" for name in ("uscc", "record", "record_no")},
    }


_PLAIN = (
    "number", "type", "state", "final", "version", "office", "channel", "subject", "filed_at", "state_since", "t0",
    "t1", "t2", "t3",
)  # fmt: skip


def dues_of(rows: Iterable[Any], at: datetime, inside: bool) -> Mapping[int, list[DueSaid]]:
    """The time-limits of cases, by their id; those that are only the office's own business when `inside`."""
    definitions = {row.id: workflow(row.type, row.edition) for row in rows}
    found: dict[int, list[DueSaid]] = {}
    for due in db.session.execute(
        select(DeadlineRow.__table__)
        .where(DeadlineRow.about == "case", DeadlineRow.about_id.in_(sorted(definitions)))
        .order_by(DeadlineRow.id)
    ):
        clock = definitions[due.about_id].clock[due.clock]
        overdue = due.state == RUNNING and due.due_on is not None and due.due_on < legal_day(at)
        if inside or not clock.inside:
            found.setdefault(due.about_id, []).append(
                DueSaid(
                    clock=due.clock, title=clock.title, item=due.item, state=due.state, due_on=due.due_on,
                    overdue=overdue, provisional=due.provisional,
                )
            )  # fmt: skip
    return found


def _steps(loaded: Loaded, person: Person, at: datetime) -> list[StepSaid]:
    return [
        StepSaid(
            step=step.code, title=step.title, item=step.item, law=article(step.law), allowed=not against,
            refusals=[Reason(code=no.code, detail=sentence(no), law=article(no.law)) for no in against],
        )
        for step, against in offers(loaded.workflow, loaded.facts, person, at)
        if for_officers(step.people)
    ]  # fmt: skip


def for_officers(roles: Iterable[Role]) -> bool:
    """Whether a step is one that people of an office take."""
    return not set(roles) <= NO_MEMBERSHIP
