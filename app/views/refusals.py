"""Refusals of the law room as a page shows them, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass

from app.views.texts import article, sentence
from workflows.grammar import Refusal


@dataclass(frozen=True, slots=True)
class No:
    """A refusal as a page shows it."""

    text: str
    law_text: str
    kind: str
    code: str


def no_of(refusal: Refusal) -> No:
    """A refusal for a page, in the reader's language."""
    return No(sentence(refusal), article(refusal.law), refusal.kind, refusal.code)
