"""The exchange folder: numbered batches of pages in CSV and XML, each batch a folder with a manifest written last.

Whoever reads a manifest finds every file it names, whole. The same batch written again is the same to the byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.notices.formats.sheet import COLUMNS, Sent, csv_of, xml_of

PAGE = 500
"""Rows of a page at most."""
SHEETS: tuple[tuple[str, Callable[[Sequence[Sent]], bytes]], ...] = (("csv", csv_of), ("xml", xml_of))
_NAME = re.compile(r"\w[\w.-]*")


def fits(payload: Any) -> bool:
    """Whether a payload can stand in a sheet."""
    return all(column.key in payload for column in COLUMNS)


def out_folder(exchange: Path, receiver: str) -> Path:
    """Where a receiver finds its batches. Raises ValueError for a code that is no name of a folder."""
    if not _NAME.fullmatch(receiver):
        raise ValueError(f"no folder can be called {receiver!r}")
    return exchange / receiver / "out"


def write_batch(out: Path, receiver: str, number: int, notices: Sequence[Sent]) -> Path:
    """Write a batch and return its manifest. Raises OSError when the disk does not take it."""
    folder = out / f"{number:06d}"
    for place in (out.parent.parent, out.parent, out, folder):
        place.mkdir(mode=0o700, exist_ok=True)
    pages = [notices[start : start + PAGE] for start in range(0, len(notices), PAGE)]
    listed = []
    for nth, rows in enumerate(pages, start=1):
        files = []
        for kind, sheet in SHEETS:
            data = sheet(rows)
            name = f"page-{nth:03d}.{kind}"
            _write(folder / name, data)
            files.append({"name": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)})
        listed.append({"page": nth, "of": len(pages), "rows": len(rows), "files": files})
    manifest = {"receiver": receiver, "batch": number, "notices": len(notices), "pages": listed}
    _sync(folder)
    _write(folder / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1).encode() + b"\n")
    for place in (folder, out, out.parent, out.parent.parent):
        _sync(place)
    return folder / "manifest.json"


def _write(target: Path, data: bytes) -> None:
    part = target.with_name(f".{target.name}.part")
    handle = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, target)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
