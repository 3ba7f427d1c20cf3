"""Finding sentences outside templates. In Python every Chinese text, wherever it is written, except docstrings.

A refusal's template, a state's title and a form's message are plain texts in their own rooms; marking each with a
function would only make room for forgetting. Legal documents stay Chinese and are not searched.
"""

from __future__ import annotations

import ast
import csv
import io
import tomllib
from collections.abc import Collection, Iterator
from typing import IO, Any


def sentences(
    fileobj: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: dict[str, Any]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """A Babel extraction method: line, function name (none), text, comments (none)."""
    tree = ast.parse(fileobj.read())
    skipped = {id(node) for found in (_docstrings, _parts_of_f_strings, _patterns) for node in found(tree)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in skipped or not isinstance(node.value, str):
            continue
        if is_chinese(node.value):
            yield node.lineno, "", node.value, []
    yield from _doors(tree)


def provisions(
    fileobj: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: dict[str, Any]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """The names of instruments and rules, what a row notes of itself and on which facts it rests."""
    for entries in tomllib.load(fileobj).values():
        for entry in entries:
            shown = [entry.get(name, "") for name in ("title", "short", "number")]
            for row in entry.get("row", ()):
                shown += [row.get("note", ""), *row.get("when", ())]
            yield from ((1, "", text, []) for text in shown if is_chinese(text))


def directories(
    fileobj: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: dict[str, Any]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """What a field, a kind of record, or a value of a code list is called."""
    rows = csv.DictReader(io.StringIO(fileobj.read().decode("utf-8")))
    for number, row in enumerate(rows, start=2):
        shown = (row.get(name) for name in ("title", "legal_basis", "name", "value", "range"))
        yield from ((number, "", text, []) for text in shown if text and is_chinese(text))


def is_chinese(text: str | None) -> bool:
    """Whether there is a Chinese character in it."""
    return any("\u4e00" <= character <= "\u9fff" for character in text or "")


def _doors(tree: ast.AST) -> Iterator[tuple[int, str, str, list[str]]]:
    """What a door for programs says of itself is its docstring, as the description holds it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        if any(ast.unparse(one).startswith("door(") for one in node.decorator_list):
            text = ast.get_docstring(node) or ""
            if is_chinese(text):
                yield node.lineno, "", "<br/>".join(text.splitlines()), []


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    """Strings that stand alone: docstrings, and the notes below a constant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _parts_of_f_strings(tree: ast.AST) -> Iterator[ast.AST]:
    """A sentence in pieces cannot be translated; it is for logs and the journal, which stay Chinese."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield from node.values


def _patterns(tree: ast.AST) -> Iterator[ast.AST]:
    """What people write is recognised by, and what a table may hold: nobody reads either."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("re.", "CheckConstraint")):
            yield from ast.walk(node)
