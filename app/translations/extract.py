"""Finding sentences in Python: every Chinese text, wherever it is written, except docstrings.

A refusal's template, a state's title and a form's message are plain texts in their own rooms; marking each with a
function would only make room for forgetting. Legal documents stay Chinese and are not searched.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import IO, Any


def sentences(
    fileobj: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: dict[str, Any]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """A Babel extraction method: line, function name (none), text, comments (none)."""
    tree = ast.parse(fileobj.read())
    skipped = {id(node) for node in _docstrings(tree)} | {id(part) for part in _parts_of_f_strings(tree)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in skipped or not isinstance(node.value, str):
            continue
        if any("\u4e00" <= character <= "\u9fff" for character in node.value):
            yield node.lineno, "", node.value, []


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
