"""The cases of a subject as its filer follows them: where each stands, who has it, until when, what is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import Select, select

from app.casework.keyset import Order, Page, page_of
from app.db import db
from app.models import Case, CaseRecord, CreditRecord, DeadlineRow, Filing
from app.registry.working_days import office_calendar
from app.views.case_road import ripens
from app.views.dues import Due, due_of
from app.views.my_records import wrong_in_words
from workflows import workflow
from workflows.calendar import Calendar, legal_day
from workflows.clockwork import PAUSED, RUNNING, Deadline
from workflows.grammar import Workflow
from workflows.people import Role

PAGE = 20
NEWEST_FIRST = Order(Case.opened_at, Case.id, "instant", down=True)


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a list. `todo` is what its filer must do next, empty when somebody else has it; `owner` is who has it,
    empty when it is the filer or nobody, `ripens` what it waits for when no person is needed."""

    number: str
    title: str
    record_number: str
    state: str
    state_title: str
    final: bool
    owner: str
    ripens: str
    since: datetime
    due: Due | None
    todo: str
    url: str
    todo_url: str


def page_of_cases(
    subject_id: int, at: datetime, *, ended: bool, before: str | None, after: str | None
) -> Page[CaseLine]:
    """One page of a subject's cases, newest first, open ones or ended ones; at most three statements."""
    query = query_cases(subject_id).where(Case.final.is_(ended)).add_columns(Case.opened_at.label("mark"))
    page = page_of(query, NEWEST_FIRST, after=after, before=before, limit=PAGE)
    return Page(lines_of(page.rows, at), page.before, page.after)


def open_cases(subject_id: int, at: datetime, limit: int = 200) -> tuple[CaseLine, ...]:
    """Every open case of a subject, newest first; at most three statements."""
    query = query_cases(subject_id).where(Case.final.is_(False)).order_by(Case.id.desc()).limit(limit)
    return lines_of(db.session.execute(query).all(), at)


def ended_cases(subject_id: int, at: datetime, limit: int) -> tuple[CaseLine, ...]:
    """The latest cases of a subject that have come to an end."""
    query = query_cases(subject_id).where(Case.final.is_(True)).order_by(Case.id.desc()).limit(limit)
    return lines_of(db.session.execute(query).all(), at)


def query_cases(subject_id: int) -> Select[Any]:
    """Cases of a subject with what a line needs, to be narrowed and ordered."""
    return (
        select(
            Case.id, Case.number, Case.type, Case.edition, Case.state, Case.final, Case.state_since, Filing.receipt,
            CreditRecord.title, CreditRecord.fields,
            CreditRecord.number.label("record_number"),
        )
        .join(Filing, Filing.id == Case.filing_id)
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .join(CreditRecord, CreditRecord.id == CaseRecord.record_id)
        .where(Case.subject_id == subject_id)
    )  # fmt: skip


def lines_of(rows: Sequence[Any], at: datetime) -> tuple[CaseLine, ...]:
    """Case rows with the time-limit and the next thing to do of each."""
    clocks = _clocks([row.id for row in rows if not row.final])
    calendar = office_calendar() if clocks else Calendar()
    return tuple(_line(row, clocks.get(row.id, []), calendar, at) for row in rows)


def _clocks(ids: list[int]) -> dict[int, list[Deadline]]:
    if not ids:
        return {}
    found: dict[int, list[Deadline]] = {}
    for row in db.session.execute(
        select(*DeadlineRow.__table__.c).where(
            DeadlineRow.about == "case", DeadlineRow.about_id.in_(ids), DeadlineRow.state.in_((RUNNING, PAUSED))
        )
    ):
        values = {name: getattr(row, name) for name in Deadline.__dataclass_fields__}
        found.setdefault(row.about_id, []).append(Deadline(**values))
    return found


def _line(row: Any, clocks: list[Deadline], calendar: Calendar, at: datetime) -> CaseLine:
    definition = workflow(row.type, row.edition)
    state = definition.state[row.state]
    url = url_for("enterprise.case", number=row.number)
    main, todo, todo_url = None, "", url
    if not row.final:
        shown = [d for d in clocks if not definition.clock[d.clock].inside and not definition.clock[d.clock].item]
        own = [d for d in shown if d.state == RUNNING and _answered_by_filer(definition, d.clock, row.state)]
        main = nearest(own) or nearest(shown)
        step = _answered_by_filer(definition, own[0].clock, row.state) if own else ""
        if state.private:
            todo, todo_url = _("继续填写，然后提交"), url_for("enterprise.filing", receipt=row.receipt)
        elif step == "resubmit":
            todo, todo_url = definition.step[step].title, url_for("enterprise.papers", number=row.number)
        elif step:
            todo, todo_url = definition.step[step].title, url_for("enterprise.step", number=row.number, step=step)
    return CaseLine(
        number=row.number,
        title=wrong_in_words(row.title, row.fields or {}),
        record_number=row.record_number,
        state=row.state,
        state_title=_(state.title),
        final=row.final,
        owner=_(state.owner.title) if state.owner and state.owner is not Role.FILER else "",
        ripens=ripens(definition, row.state, clocks, legal_day(at)),
        since=row.state_since,
        due=due_of(main, definition, calendar, legal_day(at), row.state, _why(row, main)) if main else None,
        todo=_(todo) if todo else "",
        url=todo_url if state.private else url,
        todo_url=todo_url,
    )


def _why(row: Any, deadline: Deadline) -> str:
    return url_for("enterprise.why", number=row.number, clock=deadline.clock)


def nearest(deadlines: Iterable[Deadline]) -> Deadline | None:
    """The time-limit that ends first; one that is paused only when none is running."""
    dated = [deadline for deadline in deadlines if deadline.due_on is not None]
    return min(dated, key=lambda deadline: (deadline.state != RUNNING, str(deadline.due_on)), default=None)


def _answered_by_filer(definition: Workflow, clock: str, state: str) -> str:
    """The step of the filer that meets this clock where the case stands, empty when there is none."""
    steps = (definition.step[code] for code in definition.clock[clock].met_by if code in definition.step)
    return next((step.code for step in steps if Role.FILER in step.by and state in step.sources), "")
