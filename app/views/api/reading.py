"""The OpenAPI description as people read it: each door with its parameters, its body, its answers and its samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.notices.api_keys import SCOPES
from app.problem import PREFIX

TYPES: Mapping[str, object] = {
    "string": _l("文字"),
    "integer": _l("整数"),
    "boolean": _l("是或否"),
    "array": _l("列表"),
    "object": _l("对象"),
    "date": _l("日期"),
    "date-time": _l("时刻"),
    "binary": _l("文件"),
}
LONG = 1_000_000
"""A bound of text that is no bound for a reader."""
PLACES: Mapping[str, object] = {"path": _l("地址"), "query": _l("问号后"), "header": _l("请求头"), "body": _l("正文")}


@dataclass(frozen=True, slots=True)
class Field:
    """A value that is sent or answered. `name` of one that stands in another begins with that one's; `kind` its type
    and bounds in words, `pattern` how a text must be written."""

    name: str
    place: str
    kind: str
    required: bool
    title: str
    note: str
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: what stands in it, or what kind of file it is."""

    status: str
    media_type: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Door:
    """One address and method. `operation` is its part of the description."""

    id: str
    method: str
    path: str
    scope: str
    title: str
    about: tuple[str, ...]
    fields: tuple[Field, ...]
    answers: tuple[Answer, ...]
    operation: Mapping[str, Any]


def doors(spec: Mapping[str, Any], scope: str) -> list[Door]:
    """Every door of a scope."""
    return [
        _door(spec, method, path, scope, operation)
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
        if SCOPES[scope] in operation["tags"]
    ]


def resolved(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema without references and without the other half of “or nothing”."""
    if "$ref" in schema:
        found = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return {**resolved(spec, found), **{name: value for name, value in schema.items() if name != "$ref"}}
    several = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(several) == 1:
        return {**resolved(spec, several[0]), **{name: value for name, value in schema.items() if name != "anyOf"}}
    return schema


def body_schema(spec: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a door's body must be; empty for a door without one."""
    content = operation.get("requestBody", {}).get("content", {})
    return resolved(spec, content["application/json"]["schema"]) if content else {}


def _door(spec: Mapping[str, Any], method: str, path: str, scope: str, operation: Mapping[str, Any]) -> Door:
    sent = [_parameter(spec, one) for one in operation.get("parameters", ())]
    sent.sort(key=lambda field: list(PLACES).index(field.place))
    sent += _fields(spec, body_schema(spec, operation), "body")
    return Door(
        id=operation["operationId"],
        method=method.upper(),
        path=path.removeprefix(PREFIX),
        scope=scope,
        title=operation["summary"],
        about=tuple(line for line in operation.get("description", "").replace("<br/>", "\n").split("\n") if line),
        fields=tuple(sent),
        answers=tuple(_answers(spec, operation)),
        operation=operation,
    )


def _parameter(spec: Mapping[str, Any], parameter: Mapping[str, Any]) -> Field:
    schema = resolved(spec, parameter["schema"])
    return _field(parameter["name"], parameter["in"], schema, parameter["required"])


def _answers(spec: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[Answer]:
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            media_type, content = next(iter(answer["content"].items()))
            fields = _fields(spec, resolved(spec, content["schema"]), "body") if media_type.endswith("json") else []
            yield Answer(status, media_type, tuple(fields))


def _fields(spec: Mapping[str, Any], schema: Mapping[str, Any], place: str, under: str = "") -> list[Field]:
    """The fields of an object, each followed by those that stand in it."""
    found: list[Field] = []
    for variant in schema.get("anyOf", [schema]):
        for name, one in variant.get("properties", {}).items():
            inner = resolved(spec, one)
            found.append(_field(f"{under}{name}", place, inner, name in variant.get("required", ())))
            if inner.get("type") == "array":
                found += _fields(spec, resolved(spec, inner.get("items", {})), place, f"{under}{name}[].")
            else:
                found += _fields(spec, inner, place, f"{under}{name}.")
    return list(dict.fromkeys(found))


def _field(name: str, place: str, schema: Mapping[str, Any], required: bool) -> Field:
    title, note, pattern = (schema.get(word, "") for word in ("title", "description", "pattern"))
    return Field(name, place, _kind(schema), required, title, note, pattern)


def _kind(schema: Mapping[str, Any]) -> str:
    """The type and its bounds in words."""
    words = [str(TYPES.get(schema.get("format", ""), TYPES.get(schema.get("type", ""), "")))]
    if "enum" in schema:
        words.append("、".join(str(one) or _("空") for one in schema["enum"]))
    if schema.get("maxLength", LONG) < LONG:
        words.append(_("最多 %(most)s 字", most=schema["maxLength"]))
    if "maxItems" in schema:
        words.append(_("最多 %(most)s 项", most=schema["maxItems"]))
    if "maximum" in schema and "minimum" in schema:
        words.append(_("%(least)s 到 %(most)s", least=int(schema["minimum"]), most=int(schema["maximum"])))
    if schema.get("default") not in (None, "", [], False):
        words.append(_("不写是 %(usual)s", usual=schema["default"]))
    return "，".join(word for word in words if word)
