"""Sentences of the rooms below, in the reader's language."""

from __future__ import annotations

from flask_babel import gettext as _

from app.registry.text import Sentence
from app.translations.reader import counted, told


def said(sentence: Sentence | str) -> str:
    """The template is translated, then filled with its values in the same language; a plain string stays as it is."""
    if isinstance(sentence, Sentence):
        return counted(_(sentence.template).format(**{name: told(value) for name, value in sentence.values.items()}))
    return sentence
