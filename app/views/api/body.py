"""Reading what a program sent: JSON in UTF-8, one object, in bounds. Whatever is not is said before anybody looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from flask import abort, request
from flask_babel import gettext as _

from app.problem import problem

JSON = "application/json"
USUAL = 1_000_000
"""Bytes of a body; pushed applications, which carry files, may have as many as a form of files."""
DEEP = 12
"""How deep lists and objects may stand in each other."""


def read_body(limit: int) -> dict[str, Any]:
    """The object that was sent. Answers 400, 413, 415 or 422 itself."""
    charset = request.mimetype_params.get("charset", "utf-8").lower().replace("-", "")
    if request.mimetype != JSON or charset != "utf8":
        abort(415)
    request.max_content_length = limit
    try:
        sent = json.loads(
            request.get_data().decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_no_such_number
        )
    except (ValueError, RecursionError):
        abort(problem(400, _("正文不是 UTF-8 的 JSON，或者同一个对象里有重复的名称。")))
    if not isinstance(sent, dict):
        _refuse("", _("正文应当是一个 JSON 对象。"))
    for where, value in _within(sent):
        if where.count(".") >= DEEP:
            _refuse(where, _("嵌套太深。"))
        for text in (where, value):
            if isinstance(text, str) and not _writable(text):
                _refuse(where.encode("utf-8", "replace").decode(), _("有不能保存的字符，请删去。"))
    return sent


def _within(value: Any) -> Iterator[tuple[str, Any]]:
    """Everything that stands in a value, each with where it stands; as deep as allowed and one further."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        where, held = waiting.pop()
        yield where, held
        if where.count(".") > DEEP:
            continue
        if isinstance(held, dict):
            waiting += [(f"{where}.{name}" if where else name, one) for name, one in held.items()]
        elif isinstance(held, list):
            waiting += [(f"{where}.{n}" if where else str(n), one) for n, one in enumerate(held)]


def _writable(text: str) -> bool:
    """Neither half a character nor a NUL: no database keeps them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_such_number(_word: str) -> NoReturn:
    raise ValueError("not a number of JSON")


def _refuse(where: str, message: str) -> NoReturn:
    abort(problem(422, message, errors=[{"field": where[:200], "message": message}]))
