"""What every form of a step has: the version of the case its reader saw, a key that makes a repeat harmless."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, IntegerField
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import HiddenInput

from forms.fields import Day, Rows, read_day
from forms.typed import TypedForm

INCOMPLETE = _l("页面不完整，请重新打开。")


class Version(IntegerField):
    """The version of the case its reader saw; written by the page, never typed."""

    widget = HiddenInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number. Raises ValueError with a sentence for what is none."""
        typed = valuelist[0] if valuelist else ""
        if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
            raise ValueError(_("页面不完整，请重新打开。"))
        self.data = int(typed)


class StepForm(TypedForm):
    """The answers to one step. A subclass's own fields are the answers; their names are the law's words."""

    seen_version = Version(validators=[InputRequired(INCOMPLETE)])
    key = HiddenField(validators=[InputRequired(INCOMPLETE), Length(max=64, message=INCOMPLETE)])
    item = HiddenField(validators=[Length(max=64, message=INCOMPLETE)])

    ENVELOPE = ("seen_version", "key", "item", "csrf_token")

    def validate_key(self, field: Field) -> None:
        """A key is made by the page, never typed."""
        if not all(c.isascii() and (c.isalnum() or c in "-_") for c in field.data):
            raise ValidationError(_("页面不完整，请重新打开。"))

    def begin(self, today: date) -> None:
        """What the questions start with when nothing has been typed yet."""

    def fit(self, counts: Mapping[str, int]) -> None:
        """Leave out questions that do not arise in a case in which each step has been taken that often."""

    def renew(self, version: int) -> None:
        """Show the form again as a fresh one: for the case as it is now, under a new key; what was typed stays."""
        for field, value in ((self.seen_version, version), (self.key, new_key())):
            field.data, field.raw_data = value, None

    def questions(self) -> Iterator[Field]:
        """The fields that ask something, in their order."""
        return (field for name, field in self._fields.items() if name not in self.ENVELOPE)

    def grow(self, name: str) -> None:
        """One more row in the list of that name; a name that is no list changes nothing."""
        field = self._fields.get(name)
        if isinstance(field, Rows):
            field.grow()

    def answers(self) -> dict[str, Any]:
        """What was answered, as plain values that a journal can keep; what was left empty is not among it."""
        found = ((field.short_name, _answer(field)) for field in self.questions())
        return {name: answer for name, answer in found if answer not in (None, "")}

    @classmethod
    def said(cls, answers: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Answers kept in a journal, in words: (question, answer) pairs for whoever reads them."""
        return [(name, words) for name, words in _in_words(cls(formdata=None, meta={"csrf": False}), answers) if words]


def new_key() -> str:
    """A fresh key for a form."""
    return secrets.token_urlsafe(18)


def _answer(field: Field) -> Any:
    if isinstance(field, Rows):
        return [_plain(entry.data) for entry in field.filled()]
    return _plain(field.data)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if one not in (None, "")}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.strip() if isinstance(value, str) else value


def _in_words(form: StepForm, answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in form.questions():
        value = answers.get(field.short_name)
        if isinstance(field, Rows):
            rows = [row for row in value or () if isinstance(row, Mapping)]
            for number, row in enumerate(rows, start=1):
                yield f"{field.label.text} {number}", "；".join(_row_in_words(field.entries[0].form, row))
        elif value not in (None, ""):
            yield str(field.label.text), _word(field, value)


def _row_in_words(row: Any, values: Mapping[str, Any]) -> list[str]:
    said = ((field, values.get(field.short_name)) for field in row)
    return [f"{field.label.text}：{_word(field, value)}" for field, value in said if value]


def _word(field: Field, value: Any) -> str:
    """The title of a choice, a day as people write it, anything else as it was typed."""
    if isinstance(field, Day) and (day := read_day(str(value))):
        return _("%(year)s年%(month)s月%(day)s日", year=day.year, month=day.month, day=day.day)
    choices = field.iter_choices() if hasattr(field, "iter_choices") else ()
    return next((str(choice.label) for choice in choices if choice.value == str(value)), str(value))
