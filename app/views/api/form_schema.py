"""A form of the counters as programs see it: the JSON schema of its answers, and answers as the form reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from flask_babel import gettext as _
from wtforms import Field

from forms.base import StepForm
from forms.fields import Bounded, Day, Rows
from forms.typed import TypedForm


def schema_of(form_class: type[TypedForm], asks: Collection[str] = ()) -> dict[str, Any]:
    """The JSON schema of a form's answers; `asks` are those without which the law refuses."""
    return _object(_questions(form_class), asks)


def typed(form_class: type[TypedForm], answers: Any) -> tuple[list[tuple[str, str]], list[dict[str, str]]]:
    """(fields as a page would send them, errors) of answers in JSON. What has another shape than the form is an error:
    nothing is left out in silence."""
    if not isinstance(answers, Mapping):
        return [], [{"field": "answers", "message": _("应当是对象。")}]
    asked = {field.short_name: field for field in _questions(form_class)}
    fields: list[tuple[str, str]] = []
    errors: list[dict[str, str]] = []
    for name, value in answers.items():
        field = asked.get(name)
        if isinstance(field, Rows):
            _rows(field, value, fields, errors)
        else:
            _one(f"answers.{name}", name, field, value, fields, errors)
    return fields, errors


def _questions(form_class: type[TypedForm]) -> list[Field]:
    """The questions of a form: its own fields in their order, without what a page fills in."""
    form = form_class(formdata=None, meta={"csrf": False})
    return [field for name, field in form._fields.items() if name not in StepForm.ENVELOPE]


def _object(questions: Iterable[Field], asks: Collection[str]) -> dict[str, Any]:
    questions = list(questions)
    return {
        "type": "object",
        "properties": {field.short_name: _property(field) for field in questions},
        "required": [
            field.short_name
            for field in questions
            if field.flags.required or field.short_name in asks or isinstance(field, Rows)
        ],
        "additionalProperties": False,
    }


def _property(field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {"title": str(field.label.text)}
    if field.description:
        found["description"] = str(field.description)
    if isinstance(field, Rows):
        row = _object(field.entries[0].form, ())
        return {**found, "type": "array", "items": row, "minItems": 1, "maxItems": field.most}
    if hasattr(field, "iter_choices"):
        choices = [choice for choice in field.iter_choices() if choice.value]
        words = "；".join(f"{choice.value} {choice.label}" for choice in choices)
        found["description"] = f"{found.get('description', '')} {words}".strip()
        return {**found, "type": "string", "enum": [choice.value for choice in choices]}
    found["type"] = "string"
    if isinstance(field, Day):
        return {**found, "format": "date"}
    bound = next((check.most for check in field.validators if isinstance(check, Bounded)), None)
    if bound is not None:
        found["maxLength"] = bound
    if field.flags.required:
        found["minLength"] = 1
    return found


def _rows(field: Rows, value: Any, fields: list[tuple[str, str]], errors: list[dict[str, str]]) -> None:
    where = f"answers.{field.short_name}"
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        errors.append({"field": where, "message": _("应当是对象的列表。")})
        return
    if len(value) > field.most:
        errors.append({"field": where, "message": _("最多 %(most)s 项。", most=field.most)})
        return
    asked = {one.short_name: one for one in field.entries[0].form}
    for n, row in enumerate(value):
        for name, one in row.items():
            _one(f"{where}.{n}.{name}", f"{field.short_name}-{n}-{name}", asked.get(name), one, fields, errors)


def _one(
    where: str,
    name: str,
    field: Field | None,
    value: Any,
    fields: list[tuple[str, str]],
    errors: list[dict[str, str]],
) -> None:
    if field is None:
        errors.append({"field": where[:200], "message": _("没有这一项。")})
    elif not isinstance(value, str):
        errors.append({"field": where, "message": _("应当是文字。")})
    else:
        fields.append((name, value))
