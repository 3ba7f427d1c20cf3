"""What makes a file unreadable, in a sentence for whoever sent it."""

from __future__ import annotations

from app.registry.text import Sentence, say


class Unreadable(ValueError):
    """The file cannot be taken in at all; `sentence` says why and what to do. Nothing has been written."""

    def __init__(self, template: str, **values: object) -> None:
        self.sentence: Sentence = say(template, **values)
        super().__init__(self.sentence)
