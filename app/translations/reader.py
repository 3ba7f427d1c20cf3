"""The language of whoever reads: what they chose, kept in a cookie that outlives signing in and out.

The rooms below write plain Chinese: a state's title, a role, what a code means. It is translated where it is printed,
so that no room has to know of languages; a value inside a sentence is translated with it. A name or typed words are in
no catalogue and stay as they are.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from babel.dates import format_date
from flask import Flask, has_request_context, request
from flask_babel import Domain, get_locale, gettext
from jinja2 import pass_context
from jinja2.runtime import Context

from app.translations import LANGUAGES
from app.translations.citations import cited

COOKIE = "language"
_BY_NUMBER = re.compile(r"\[([a-z -]+)\|([a-z -]+)\]")
_MARKS = re.compile("([、，；：])")
_DAY = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")
KEPT_FOR = 365 * 24 * 3600
"""Seconds for which a browser remembers the choice."""
SOURCE = next(iter(LANGUAGES))
PROGRAMS = "/api/v1"


def locale() -> str:
    """What the reader chose; for a program what it asks for; else Chinese, which is the source."""
    if not has_request_context():
        return SOURCE
    if request.path.startswith(PROGRAMS):
        return {"en": "en"}.get(request.accept_languages.best_match(("zh", "en"), "zh"), SOURCE)
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else SOURCE


def in_source() -> bool:
    """Whether the reader reads Chinese."""
    found = get_locale()
    return found is None or found.language != "en"


def told(value: Any) -> Any:
    """A text of the house in the reader's language; any other value as it is."""
    if type(value) is not str or value.isascii() or in_source():
        return value
    said = gettext(value)
    return said if said != value else (cited(value) if value.startswith("《") else _joined(value)) or value


def _joined(text: str) -> str | None:
    """Several texts of the house in one, such as two roles or a weekday and what it counts; None for anything else."""
    if day := _DAY.fullmatch(text):
        return day_full(date(*map(int, day.groups())))
    words = _MARKS.split(text)
    if len(words) < 3:
        return None
    for place in range(0, len(words), 2):
        word = words[place]
        said = gettext(word) if word and not word.isascii() else word
        if said == word and not word.isascii() and (said := _joined(word) or "") == "":
            return None
        words[place] = said
    words[1::2] = [gettext(mark) for mark in words[1::2]]
    return "".join(words)


def day_full(value: date) -> str:
    """25 November 2026"""
    return format_date(value, "d MMMM y", locale="en")


def counted(text: str) -> str:
    """`1 [day|days]` as a person says it: the word goes by the number before it, wherever that number came from."""
    if "|" not in text or in_source():
        return str(text)

    def word(found: re.Match[str]) -> str:
        number = re.search(r"(\d[\d,]*)\D*$", found.string[: found.start()])
        return found[1] if number and number[1] == "1" else found[2]

    return _BY_NUMBER.sub(word, str(text))


class Sentences(Domain):
    """Sentences whose values are in the reader's language too."""

    def gettext(self, string: str, **variables: Any) -> str:
        """The sentence, filled."""
        said = super().gettext(string, **_told(variables))
        return counted(said) if variables else str(said)

    def ngettext(self, singular: str, plural: str, num: float, **variables: Any) -> str:
        """The sentence for that number, filled."""
        return str(super().ngettext(singular, plural, num, **_told(variables)))


def _told(variables: dict[str, Any]) -> dict[str, Any]:
    if not variables or in_source():
        return variables
    return {name: told(value) for name, value in variables.items()}


def init_language(app: Flask) -> None:
    """Sentences, in Python and in templates, are said in the reader's language with their values."""
    app.extensions["babel"].instance.domain_instance = Sentences(domain=app.extensions["babel"].default_domain)
    usual: dict[str, Any] = {name: app.jinja_env.globals[name] for name in ("gettext", "ngettext")}

    @pass_context
    def one(context: Context, template: str, **values: Any) -> Any:
        said = usual["gettext"](context, template, **_told(values))
        return type(said)(counted(said)) if values else said

    @pass_context
    def many(context: Context, singular: str, plural: str, num: int, **values: Any) -> Any:
        return usual["ngettext"](context, singular, plural, num, **_told(values))

    app.jinja_env.globals.update(
        gettext=one, ngettext=many, language=lambda: LANGUAGES[SOURCE if in_source() else "en"]
    )
    app.jinja_env.filters["told"] = told
