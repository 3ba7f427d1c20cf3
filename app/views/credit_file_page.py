"""A credit file as every counter shows it: what was asked for, its sections, its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import request
from flask_babel import gettext as _

from app.now import now
from app.registry.credit_file import CreditFile, Kept, NoSuchDay, sections_for
from app.registry.credit_file_sections import SECTION
from app.registry.directory import entry_of
from app.registry.known import end_of
from app.registry.regions import full_name, regions
from app.registry.subject import KIND_TITLES
from forms.credit_file import DayFilter
from workflows.calendar import legal_day


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: a day and a moment, one section, a page of it. `trouble` says what was wrong with the
    days; then today's file is shown beside it."""

    form: DayFilter
    on: date | None
    known: date | None
    known_at: datetime | None
    section: str
    after: str | None
    before: str | None
    trouble: str = ""

    @property
    def status(self) -> int:
        """The status of the page."""
        return 422 if self.trouble else 200

    @property
    def days(self) -> dict[str, Any]:
        """The days of the address, to be carried on."""
        return {name: value.isoformat() for name, value in (("on", self.on), ("known", self.known)) if value}


def asked() -> Asked:
    """Read the address."""
    form = DayFilter(request.args)
    form.validate()
    wrong = [error for field in (form.on, form.known) for error in field.errors]
    section = request.args.get("section", "")
    rest = (section if section in SECTION else "", request.args.get("after"), request.args.get("before"))
    if wrong:
        return Asked(form, None, None, None, *rest, trouble=str(wrong[0]))
    at = now()
    on, known = form.on.data, form.known.data
    if on is not None and on == legal_day(at) and known is None:
        on = None
    return Asked(form, on, known, moment_of(known, at), *rest)


def moment_of(known: date | None, at: datetime) -> datetime | None:
    """As known when that day ended; of today, as known now."""
    if known is None:
        return None
    return at if known == legal_day(at) else end_of(known)


def file_as_asked(wanted: Asked, read: Callable[[Asked], CreditFile]) -> tuple[CreditFile, Asked]:
    """The file that was asked for; today's, with the sentence, when there is no such day."""
    try:
        return read(wanted), wanted
    except NoSuchDay as error:
        plain = Asked(wanted.form, None, None, None, "", None, None, trouble=_(str(error)))
        return read(plain), plain


def shown(file: CreditFile, wanted: Asked) -> Mapping[str, Any]:
    """What the templates of all counters need."""
    return {
        "file": file,
        "asked": wanted,
        "keys": sections_for(file),
        "titles": {key: _(section.title) for key, section in SECTION.items()},
        "sources": {key: _(section.source) for key, section in SECTION.items()},
        "kinds": {key: section.kind for key, section in SECTION.items()},
        "words": words_about(file),
        "figures": figures_of(file),
        "named": named,
        "today": legal_day(file.at),
        "at": file.at,
    }


def words_about(file: CreditFile) -> list[str]:
    """What is said beside the code: kind, place of registration, representative."""
    whose = file.whose
    found = [_(KIND_TITLES[whose.kind])]
    if whose.region in regions():
        found.append(full_name(whose.region).removeprefix("湖南省") or "湖南省")
    if whose.representative:
        role = _("经营者") if whose.kind == "sole_trader" else _("法定代表人")
        found.append(f"{role} {whose.representative}")
    return found


def figures_of(file: CreditFile) -> list[tuple[int, str]]:
    """The key figures of a subject."""
    if file.past:
        return [
            (file.shown("penalty"), _("那天公示的行政处罚")),
            (file.shown("penalty", "严重"), _("其中严重")),
            (file.shown("penalty", "一般"), _("其中一般")),
            (file.count("permits"), _("行政许可")),
        ]
    return [
        (file.shown("penalty"), _("正在公示的行政处罚")),
        (file.shown("penalty", "严重"), _("其中严重")),
        (file.shown("penalty", "一般"), _("其中一般")),
        (file.passed, _("最短公示期已满")),
    ]


def named(record: Kept) -> list[tuple[str, str]]:
    """The values a reader gets, under the names of the directory."""
    entry = entry_of(record.directory)
    if entry is None:
        return []
    return [(entry.by_code[code].name, value) for code, value in record.values.items() if code in entry.by_code]
