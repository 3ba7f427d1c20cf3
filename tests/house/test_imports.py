"""Who may know whom, where the import contracts of `pyproject.toml` cannot see it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.test_one_commit import ROOMS, sources

ROOT = Path(__file__).parents[2]


def test_only_the_machine_room_knows_transitions() -> None:
    knows = set()
    for path, tree in sources(*ROOMS):
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "transitions" for name in names):
                knows.add(path)
    assert knows == {"workflows/machine.py"}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("config.py", sys.stdlib_module_names),
        ("dev.py", sys.stdlib_module_names),
        ("wsgi.py", {"app"}),
        ("workflows/law/__init__.py", sys.stdlib_module_names | {"workflows"}),
        ("workflows/calendar.py", sys.stdlib_module_names | {"workflows", "holidays"}),
    ],
)
def test_what_the_import_contracts_cannot_see(path: str, allowed: set[str]) -> None:
    """They take packages only; settings, the commands and the entry stand beside them."""
    for _path, tree in sources(path):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= allowed
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] in allowed


def test_importing_the_application_imports_neither_printer_nor_signer() -> None:
    """They take a second and a half and sixty megabytes, and only the press needs them."""
    program = (
        "import sys, tempfile\n"
        "from app import create_app\n"
        "from config import TestConfig\n"
        "create_app(TestConfig(INSTANCE=tempfile.mkdtemp()))\n"
        "print(' '.join(sorted(name for name in sys.modules if '.' not in name)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert {"flask", "sqlalchemy", "app"} <= loaded
    heavy = {"weasyprint", "pyhanko", "pyhanko_certvalidator", "fontTools", "pikepdf", "PIL", "pandas", "playwright"}
    assert loaded & heavy == set()
