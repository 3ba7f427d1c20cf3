"""A field of a payload, as its receiver reads it, and the JSON schema made of several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Field(NamedTuple):
    """`type` is one of string, date, instant, integer, boolean, strings, row, rows; a field that is not `required` may
    be absent or empty. `example` stands in the sample; of a row, or of rows, the fields `of` it are the sample.
    """

    name: str
    title: str
    type: str
    required: bool
    example: Any = None
    of: tuple[Field, ...] = ()


_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    "integer": {"type": "integer", "minimum": 1},
    "boolean": {"type": "boolean"},
    "strings": {"type": "array", "items": {"type": "string"}},
}


def schema_of(title: str, fields: Iterable[Field]) -> dict[str, Any]:
    """The JSON schema (2020-12) of a payload of these fields."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_object(tuple(fields))}


def _object(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {field.name: _said(field) for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def _said(field: Field) -> dict[str, Any]:
    if field.type == "row":
        kind = _object(field.of)
    elif field.type == "rows":
        kind = {"type": "array", "items": _object(field.of)}
    else:
        kind = _TYPES[field.type]
        if not field.required and "format" in kind:  # an empty text is no date
            kind = {"anyOf": [kind, {"type": "string", "maxLength": 0}]}
    return {"title": field.title, **kind}


def sample_of(fields: Iterable[Field]) -> dict[str, Any]:
    """A sample payload."""
    return {field.name: _example(field) for field in fields}


def _example(field: Field) -> Any:
    if field.type == "row":
        return sample_of(field.of)
    return [sample_of(field.of)] if field.type == "rows" else field.example
