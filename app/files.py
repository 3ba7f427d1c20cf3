"""Files on disk, named by their own SHA-256: a row is written only after its file is safe.

Temp file, fsync, rename, fsync of the folder: without the last two a power cut leaves rows whose files are gone.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import IO


def keep(folder: Path, data: bytes) -> str:
    """Keep `data` in `folder`; returns its SHA-256. Keeping the same content again changes nothing."""
    name = hashlib.sha256(data).hexdigest()
    place = folder / name[:2]
    target = place / name
    if target.exists():
        return name
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = place / f".{name}.{secrets.token_hex(4)}"
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    for where in (place, folder):
        _sync(where)
    return name


def keep_file(folder: Path, source: IO[bytes]) -> tuple[str, int]:
    """Keep what `source` gives, however long it is; returns its SHA-256 and its size in bytes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = folder / f".{secrets.token_hex(8)}"
    digest, size = hashlib.sha256(), 0
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            while block := source.read(1 << 20):
                digest.update(block)
                size += len(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        name = digest.hexdigest()
        place = folder / name[:2]
        place.mkdir(mode=0o700, exist_ok=True)
        os.replace(temporary, place / name)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    for where in (place, folder):
        _sync(where)
    return name, size


def find(folder: Path, name: str) -> Path:
    """The file of that SHA-256. Raises FileNotFoundError, also for a name that is no digest."""
    if len(name) != 64 or any(c not in "0123456789abcdef" for c in name):
        raise FileNotFoundError(name)
    path = folder / name[:2] / name
    if not path.is_file():
        raise FileNotFoundError(name)
    return path


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
