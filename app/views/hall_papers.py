"""Papers at the window between the page on which they were chosen and the act that files them: looked into, kept under
their hash, named in the page by a seal that only we can make. So nothing has to be chosen twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer

from app.casework.attach import checked, tidy_name
from app.casework.carried import Paper
from app.casework.refused import StepRefused
from app.files import find, keep
from app.security import person
from app.views.texts import sentence


@dataclass(frozen=True, slots=True)
class Kept:
    """A file on a page: what it is for, its hash, its name, and the seal under which the page names it."""

    purpose: str
    sha256: str
    name: str
    seal: str

    def paper(self) -> Paper:
        """The file itself. Raises FileNotFoundError when it is gone."""
        return Paper(self.name, find(_folder(), self.sha256).read_bytes())


def kept(seals: Iterable[str], subject_id: int) -> list[Kept]:
    """The files a page names, of this officer and subject; a seal that is not ours names none."""
    found: dict[str, Kept] = {}
    for seal in seals:
        try:
            purpose, sha256, name, of, about = _sealer().loads(seal)
        except (BadSignature, ValueError, TypeError):
            continue
        if (of, about) == (person().person, subject_id):
            found.setdefault(f"{purpose}/{sha256}", Kept(purpose, sha256, name, seal))
    return list(found.values())


def take_in(uploads: Iterable[Any], purpose: str, subject_id: int) -> tuple[list[Kept], list[str]]:
    """Look into uploads and keep the good ones; the sentences say what was wrong with the others."""
    good, bad = [], []
    for file in uploads:
        data, name = file.read(), file.filename or ""
        try:
            media_type = checked(data, current_app.config["MAX_UPLOAD"])
        except StepRefused as refused:
            why = "".join(sentence(refusal) for refusal in refused.refusals).rstrip("。")
            bad.append(_("%(name)s没有收下：%(why)s", name=tidy_name(name), why=why))
            continue
        sha256, name = keep(_folder(), data), tidy_name(name, media_type)
        seal = _sealer().dumps([purpose, sha256, name, person().person, subject_id])
        good.append(Kept(purpose, sha256, name, str(seal)))
    return good, bad


def _folder() -> Path:
    folder: Path = current_app.config["INSTANCE"] / "uploads"
    return folder


def _sealer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="hall-papers")
