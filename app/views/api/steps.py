"""Taking a step by an office's own system: the answers pass through the counter's form, then the same door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, abort
from flask_babel import gettext as _
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from app.casework.facts import NoSuchCase
from app.casework.sight import cases_visible_to
from app.casework.take_step import take_step
from app.db import db, transaction
from app.journal import Entry
from app.models import Case, Document, JournalLine
from app.problem import PREFIX, problem
from app.views.api.case_shapes import DocumentSaid
from app.views.api.cases import as_officer, documents_of, for_officers
from app.views.api.door import door, visit
from app.views.api.form_schema import schema_of, typed
from app.views.api.query import IdempotencyKey, Moment
from app.views.api.said import said
from app.views.texts import article
from forms import form_for
from forms.base import StepForm
from workflows import WORKFLOWS, workflow
from workflows.grammar import NEW, Step, Workflow

ADDRESS = f"{PREFIX}/cases/{{number}}/steps/{{step}}"


class StepPath(BaseModel):
    """Which step of which case."""

    number: str = Field(title="办件编号", max_length=32)
    step: str = Field(title="步骤代号", max_length=32)


class StepHeader(BaseModel):
    """Which version was seen, and under which key the step is taken."""

    if_match: str = Field(title="看到的版本，带引号", alias="If-Match", pattern=r'^"[0-9]{1,9}"$')
    idempotency_key: IdempotencyKey


class Taken(BaseModel):
    """What a step did; the same for every repeat."""

    case: str = Field(title="办件编号")
    step: str = Field(title="步骤代号")
    item: str = Field(title="办理的是哪一项；没有时为空")
    seq: int = Field(title="日志第几行")
    at: Moment = Field(title="办理时间")
    person: str = Field(title="办理人")
    source: str = Field(title="办理前的状态")
    target: str = Field(title="办理后的状态")
    target_title: str = Field(title="办理后的状态")
    version: int = Field(title="办理后的版本")
    law: str = Field(title="依据")
    documents: list[DocumentSaid] = Field(title="这一步出具的文书")


@door(
    "post",
    "/cases/<number>/steps/<step>",
    scope="steps",
    title="办理一步",
    answers={200: Taken},
    body={"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
)
def take(path: StepPath, header: StepHeader) -> Response:
    """与窗口同一张表、同样的条件。"""
    came = visit()
    definition = _definition(path.number)
    step = definition.step.get(path.step)
    if step is None or not _by_officers(step):
        abort(404)
    seen = header.if_match.strip('"')
    form, errors = _filled(definition, step, came.sent, seen, header.idempotency_key)
    if errors or not form.validate():
        return problem(422, errors=[*errors, *_wrong(form)])
    with transaction():
        entry = take_step(
            path.number,
            step.code,
            actor=came.person,
            answers=form.answers(),
            key=form.key.data,
            seen_version=form.seen_version.data,
            at=came.at,
            item=form.item.data or "",
        )
    taken = _taken(path.number, definition, entry)
    answer = said(taken)
    answer.set_etag(str(taken.version))
    return answer


def steps_described() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """(code, title, what it leads to and on what basis, schema of the body) of every step that people of an office
    take; case types that share a step's code share its address."""
    found: dict[str, list[tuple[Workflow, Step]]] = {}
    for definition in WORKFLOWS.values():
        for step in definition.steps:
            if _by_officers(step):
                found.setdefault(step.code, []).append((definition, step))
    for code, several in found.items():
        schemas = [_schema(definition, step) for definition, step in several]
        text = "\n\n".join(_(definition.title) + _("：") + _about(step) for definition, step in several)
        different = [schema for n, schema in enumerate(schemas) if schema not in schemas[:n]]
        yield code, several[0][1].title, text, different[0] if len(different) == 1 else {"anyOf": different}


def _by_officers(step: Step) -> bool:
    return for_officers(step.people) and NEW not in step.sources


def _about(step: Step) -> str:
    who = _("、").join(_(role.title) for role in step.people)
    return str(_("%(what)s 由%(who)s办理。依据：%(law)s。", what=step.consequence, who=who, law=article(step.law)))


def _schema(definition: Workflow, step: Step) -> dict[str, Any]:
    """The body: the answers of the step's form, and for which item when it must be said."""
    answers = schema_of(form_for(definition.code, step.code), step.asks)
    properties: dict[str, Any] = {"answers": answers}
    required = ["answers"] if answers["required"] else []
    if step.item:
        properties["item"] = {
            "type": "string",
            "title": "办理的是哪一项，见办件的 tasks",
            "minLength": 1,
            "maxLength": 64,
        }
        required.append("item")
    return {
        "type": "object", "properties": properties, "required": required, "additionalProperties": False,
        "title": _(definition.title) + _("：") + _(step.title),
    }  # fmt: skip


def _definition(number: str) -> Workflow:
    """The definition of a case the department sees. Raises NoSuchCase: to others it does not exist."""
    row = db.session.execute(
        select(Case.type, Case.edition).where(Case.number == number, cases_visible_to(as_officer(visit().person)))
    ).first()
    if row is None:
        raise NoSuchCase(number)
    return workflow(row.type, row.edition)


def _filled(
    definition: Workflow, step: Step, sent: Mapping[str, Any], seen: str, key: str
) -> tuple[StepForm, list[dict[str, str]]]:
    """The counter's form with what was sent, and what no page could have sent."""
    errors = [{"field": name, "message": _("没有这一项。")} for name in sent if name not in ("answers", "item")]
    item, answers = sent.get("item", ""), sent.get("answers", {})
    if not isinstance(item, str):
        errors.append({"field": "item", "message": _("应当是文字。")})
        item = ""
    form_class = form_for(definition.code, step.code)
    fields, strange = typed(form_class, answers)
    envelope = [("seen_version", seen), ("key", key), ("item", item)]
    form = form_class(formdata=MultiDict([*envelope, *fields]), meta={"csrf": False})
    return form, errors + strange


def _wrong(form: StepForm) -> list[dict[str, str]]:
    """Every error of a form, by the name of its field."""
    found: list[dict[str, str]] = []
    waiting: list[tuple[str, Any]] = [(f"answers.{name}", errors) for name, errors in form.errors.items()]
    while waiting:
        where, errors = waiting.pop(0)
        if isinstance(errors, Mapping):
            waiting += [(f"{where}.{name}", one) for name, one in errors.items()]
        elif isinstance(errors, list | tuple):
            nested = [one for one in errors if not isinstance(one, str)]
            found += [{"field": where, "message": str(one)} for one in errors if isinstance(one, str)]
            waiting += [(where, one) for one in nested]
        else:
            found.append({"field": where, "message": str(errors)})
    return found


def _taken(number: str, definition: Workflow, entry: Entry) -> Taken:
    """The answer, from the journal line alone, so that a repeat gets the same."""
    return Taken(
        case=number, step=entry.act, item=entry.item, seq=entry.seq, at=entry.at, person=entry.person_name,
        source=entry.source, target=entry.target, target_title=definition.state[entry.target].title,
        version=_version(definition, entry), law=article(entry.law),
        documents=documents_of(Document.journal_id == entry.id),
    )  # fmt: skip


def _version(definition: Workflow, entry: Entry) -> int:
    """The version that a line made: each step raises it by one, what happens beside the state does not."""
    return db.session.execute(
        select(func.count()).where(
            JournalLine.about == entry.about, JournalLine.about_id == entry.about_id, JournalLine.seq <= entry.seq,
            JournalLine.act.in_(sorted(definition.step)),
        )
    ).scalar_one()  # fmt: skip
