"""The journal of a case as people read it: what was done, by whom, under which article, and what was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.beside import TITLES
from app.casework.facts import Loaded
from app.casework.receive import ACT as RECEIPT
from app.db import db
from app.models import Office
from app.translations.reader import told
from app.views.agency_lines import RECEIPTS
from app.views.texts import article
from forms import form_for
from workflows.grammar import Workflow
from workflows.people import ROLE_TITLES, Role


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


def act_title(workflow: Workflow, act: str) -> str:
    """What an act is called: a step of the definition, or something beside the state."""
    step = workflow.step.get(act)
    return _(step.title) if step else _(TITLES.get(act, act))


def journal_of(loaded: Loaded, officer: bool, subject_name: str) -> list[LogLine]:
    """What was done in a case, oldest first; who carried it in is named with their office."""
    carriers = _offices({row.office_id for row in loaded.lines if row.role == Role.CARRIER})
    lines = []
    departments = _departments(loaded)
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
                office=departments.get(row.item, "") if row.act == RECEIPT else _carrier(row, carriers),
                on_behalf_of=subject_name if row.on_behalf_of else "",
                law_text=article(row.law),
                note=note,
            )
        )
    return lines


def _departments(loaded: Loaded) -> Mapping[str, str]:
    """The names of the departments whose receipts stand in the journal, by their codes; asked when there are any."""
    codes = {row.item for row in loaded.lines if row.act == RECEIPT}
    if not codes:
        return {}
    rows = db.session.execute(select(Office.code, Office.name).where(Office.code.in_(sorted(codes))))
    return {row.code: row.name for row in rows}


def receipt_note(answers: Mapping[str, Any]) -> str:
    """What a receiver said in a receipt, in a line."""
    said = [str(RECEIPTS.get(answers.get("kind", ""), ""))]
    if answers.get("number"):
        said.append(_("编号 %(number)s", number=answers["number"]))
    if answers.get("reason"):
        said.append(str(answers["reason"]))
    return _("，").join(word for word in said if word)


def _carrier(row: Any, offices: Mapping[int, str]) -> str:
    return offices.get(row.office_id, "") if row.role == Role.CARRIER else ""


def _offices(ids: set[int]) -> Mapping[int, str]:
    """Names of offices; no statement when there are none."""
    if not ids:
        return {}
    rows = db.session.execute(select(Office.id, Office.name).where(Office.id.in_(sorted(ids))))
    return {row.id: row.name for row in rows}


def note_of(case_type: str, act: str, answers: Mapping[str, Any]) -> str:
    """What was said in a step, in a line: each answer in the words of the form that asked for it."""
    if act == RECEIPT:
        return receipt_note(answers)
    said = form_for(case_type, act).said(answers)
    if said:
        return _("；").join(f"{told(name)}{_('：')}{told(words)}" for name, words in said)
    return str(answers.get("name", ""))
