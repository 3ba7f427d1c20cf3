"""Rules that no linter knows: one commit, one clock, one place for `transitions`, nothing printed unescaped."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("app", "forms", "workflows", "config.py", "wsgi.py", "dev.py", "bench", "migrations")


def sources(*rooms: str) -> Iterator[tuple[str, ast.Module]]:
    """Every Python file of these rooms as a tree, by its path."""
    for room in rooms:
        place = ROOT / room
        for path in [place] if place.suffix else sorted(place.rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), tree_of(path)


@cache
def tree_of(path: Path) -> ast.Module:
    """A file as a tree, read once."""
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(name: str, tree: ast.AST) -> list[ast.Call]:
    """Every call of something that ends in `.name` or is called so."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            last = (
                called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
            )
            if last == name:
                found.append(node)
    return found


def enclosing(tree: ast.Module, inner: ast.AST) -> str:
    """The function in which a node stands."""
    return next(
        (n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and any(c is inner for c in ast.walk(n))), ""
    )


def test_there_is_one_commit_in_the_house() -> None:
    found = [
        (path, enclosing(tree, call))
        for path, tree in sources("app", "forms", "workflows")
        for call in calls("commit", tree)
    ]
    assert found == [("app/db.py", "transaction")]


def test_nothing_commits_by_another_name() -> None:
    """`with engine.begin()`, AUTOCOMMIT and sessions of one's own are commits too."""
    for path, tree in sources("app", "forms", "workflows"):
        begun = [ast.unparse(call.func) for call in calls("begin", tree)]
        assert not [name for name in begun if re.search(r"(engine|connection|session|connect\(\))\.begin$", name)], path
        assert not calls("sessionmaker", tree), path
        assert not calls("Session", tree), path
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value.upper() not in ("COMMIT", "AUTOCOMMIT"), path


def test_the_casework_room_never_opens_a_transaction_of_its_own() -> None:
    """The counter and the watch do; a verb is a part of somebody's unit of work."""
    for path, tree in sources("app/casework", "app/notices", "app/registry", "app/models", "app/journal.py"):
        assert not calls("transaction", tree), path


def test_only_one_file_asks_the_machine_what_time_it_is() -> None:
    asked = []
    for path, tree in sources(*ROOMS):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp")
                and isinstance(node.value, ast.Name | ast.Attribute)
                and (node.value.id if isinstance(node.value, ast.Name) else node.value.attr)
                in ("datetime", "date", "dt")
            ):
                asked.append(path)
    assert asked == ["app/now.py"]


def test_a_case_type_is_nowhere_named_in_what_all_case_types_share() -> None:
    """take_step, the engine, the inbox, the watch and the press know no `repair`."""
    for path, tree in sources(
        *(f"app/casework/{name}.py" for name in ("take_step", "once", "clocks")),
        *(f"workflows/{name}.py" for name in ("engine", "machine", "clockwork", "proof", "grammar")),
        *("app/duty", "app/notices/write.py", "app/journal.py"),
    ):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node.value in ("repair", "commitment", "objection"):
                pytest.fail(f"{path} names a case type")


UNESCAPED = {"templates/parts/due.html": 1}
"""Templates in which something is declared safe, and how often; each was looked at."""


def test_nothing_is_printed_unescaped_but_what_was_looked_at() -> None:
    found: dict[str, int] = {}
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        count = len(re.findall(r"\|\s*safe\b|autoescape\s+false|Markup\(", text))
        if count:
            found[path.relative_to(ROOT).as_posix()] = count
    assert found == UNESCAPED


def test_no_page_carries_script_style_or_handlers_of_its_own() -> None:
    """The policy of the pages would refuse them; documents are frozen without them."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        for pattern in (
            r"<script(?![^>]*\bsrc=)",
            r"<style\b",
            r"\sstyle=",
            r"\son[a-z]+=\"",
            r"javascript:",
            r"https?://[^\"'\s]*cdn",
        ):
            assert not re.search(pattern, text, re.I), f"{path.relative_to(ROOT)}: {pattern}"
