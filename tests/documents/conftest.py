"""Every kind of document, issued, printed and signed once for the whole room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from app.db import db
from app.documents.press import Sheet, press
from app.duty.press import turn
from app.files import find
from app.now import moved_to
from config import TestConfig
from tests.documents import world
from workflows.calendar import SHANGHAI


@dataclass(frozen=True)
class Printed:
    """A document as it stands on its row, the sheet before it was signed, and the signed file on disk."""

    kind: str
    title: str
    number: str
    code: str
    html: str
    facts: dict[str, Any]
    unsigned: Path
    signed: Path


@pytest.fixture(scope="session")
def printed(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Printed]]:
    """The thirteen documents by kind."""
    folder = tmp_path_factory.mktemp("press")
    shutil.copy(sqlite_template, folder / "jiannuo.db")
    app = create_app(TestConfig(INSTANCE=str(folder)))
    found = {}
    with app.app_context(), moved_to(datetime(2026, 12, 3, 10, 0, tzinfo=SHANGHAI)):
        ids = {
            kind: world.build(number=f"20261109{place:05d}").issue(kind) for place, kind in enumerate(world.ISSUED_BY)
        }
        assert turn(limit=50) == len(ids)
        for kind, document_id in ids.items():
            row = world.document(document_id)
            unsigned = folder / f"{kind}.pdf"
            unsigned.write_bytes(press(Sheet(row.html, {**row.facts, "key": row.signer}, row.issued_at)))
            signed = find(folder / "documents", str(row.pdf_hash))
            found[kind] = Printed(kind, row.title, row.number, row.code, row.html, dict(row.facts), unsigned, signed)
        db.session.remove()
        db.engine.dispose()
    yield found
