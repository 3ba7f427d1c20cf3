"""A field of a payload, as its receiver reads it, and the JSON schema made of several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Field(NamedTuple):
    """`type` is one of string, date, instant, integer, boolean, strings; a field that is not `required` may be absent
    or empty. `example` stands in the sample."""

    name: str
    title: str
    type: str
    required: bool
    example: Any


_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    "integer": {"type": "integer", "minimum": 1},
    "boolean": {"type": "boolean"},
    "strings": {"type": "array", "items": {"type": "string"}},
}


def schema_of(title: str, fields: Iterable[Field]) -> dict[str, Any]:
    """The JSON schema (2020-12) of a flat payload of these fields."""
    fields = tuple(fields)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": {field.name: {"title": field.title, **_TYPES[field.type]} for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def sample_of(fields: Iterable[Field]) -> dict[str, Any]:
    """A sample payload."""
    return {field.name: field.example for field in fields}
