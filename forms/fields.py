"""The kinds of answer that forms ask for: bounded words without hidden characters, days as people write them, choices.

Every message says what to do. Nothing here judges an answer by the law; that is the law room's part.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from wtforms import DateField, Field, Form, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import FieldList, SelectChoice
from wtforms.validators import Optional, StopValidation, ValidationError
from wtforms.widgets import DateInput, TextInput

LINE, TEXT = 100, 2000
"""The usual bounds in characters of a line and of a longer text."""

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Categories of characters, and single ones, that show nothing, break lines or turn the direction of the text, so that
what is read is not what is kept."""

_DAY = re.compile(r"(\d{4})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*日?|(\d{4})(\d{2})(\d{2})")


def tidy(value: str | None) -> str | None:
    """Typed text in one form: composed characters, one kind of line end, nothing at its ends."""
    if value is None:
        return None
    return unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n").strip()


class Asked:
    """The question must be answered; the message names the question."""

    field_flags = {"required": True}

    def __init__(self, message: object = None) -> None:
        self.message = message

    def __call__(self, form: Form, field: Field) -> None:
        """Stop at an empty answer; a day that could not be read has its own message already."""
        if field.data in (None, "", []) and not field.errors:
            raise StopValidation(str(self.message or _("请填写“%(name)s”。", name=field.label.text)))


class Bounded:
    """At most `most` characters, none of them hidden, and one line unless `lines`."""

    def __init__(self, most: int, lines: bool = False) -> None:
        self.most, self.lines = most, lines
        self.field_flags = {"maxlength": most}

    def __call__(self, form: Form, field: Field) -> None:
        """Refuse what a document or a journal could not show as it was typed."""
        if no := self.against(field.label.text, field.data or ""):
            raise ValidationError(no)

    def against(self, name: str, text: str) -> str:
        """Why a text cannot be kept as it was typed, in a sentence; "" when it can."""
        if len(text) > self.most:
            return str(
                _("“%(name)s”最多 %(most)s 字，现在 %(now)s 字，请删减 %(over)s 字。",
                  name=name, most=self.most, now=len(text), over=len(text) - self.most)
            )  # fmt: skip
        allowed = "\n\t" if self.lines else "\t"
        for place, character in enumerate(text, start=1):
            if character == "\n" and not self.lines:
                return str(_("“%(name)s”只写一行，请去掉换行。", name=name))
            hidden = unicodedata.category(character) in _HIDDEN or character in _BLANK
            if hidden and character not in allowed:
                return str(
                    _("“%(name)s”的第 %(place)s 个字是看不见的控制字符，请删去后重新输入。", name=name, place=place)
                )
        return ""


def _words(most: int, lines: bool, required: bool, message: object) -> list[Any]:
    return [Asked(message) if required else Optional(), Bounded(most, lines)]


class Words(StringField):
    """A line of words."""

    def __init__(
        self, label: object = None, *, most: int = LINE, required: bool = True, message: object = None, **kwargs: Any
    ) -> None:
        super().__init__(label, _words(most, False, required, message), filters=[tidy], **kwargs)


class Paragraphs(TextAreaField):
    """Longer words, in paragraphs."""

    def __init__(
        self,
        label: object = None,
        *,
        most: int = TEXT,
        required: bool = True,
        message: object = None,
        rows: int = 6,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("render_kw", {"rows": rows})
        super().__init__(label, _words(most, True, required, message), filters=[tidy], **kwargs)


class _DayInput(DateInput):
    """A calendar, or plain text when what was typed is no day: a calendar would throw it away."""

    def __call__(self, field: Field, **kwargs: Any) -> Markup:
        """The input with what was typed."""
        if field.raw_data and field.data is None:
            return TextInput()(field, **kwargs)
        return super().__call__(field, **kwargs)


class Day(DateField):
    """A civil day: from a calendar, or written 2026-11-24, 2026年11月24日, 2026/11/24, 20261124."""

    widget = _DayInput()

    def __init__(self, label: object = None, *, required: bool = True, **kwargs: Any) -> None:
        super().__init__(label, [Asked(_l("请选一个日期。"))] if required else [Optional()], **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the day. Raises ValueError with a sentence for what is none."""
        typed = (valuelist[0] if valuelist else "").strip()
        if not typed:
            self.data = None
            return
        self.data = read_day(typed)
        if self.data is None:
            shown = typed if len(typed) <= 20 else f"{typed[:20]}…"
            raise ValueError(_("“%(typed)s”不是日期，请写成 2026-11-24 的样子。", typed=shown))


def read_day(typed: str) -> date | None:
    """The day that was written, None when it is none."""
    found = _DAY.fullmatch(unicodedata.normalize("NFKC", typed).strip())
    if found is None:
        return None
    try:
        return date(*(int(part) for part in found.groups() if part))
    except ValueError:
        return None


class _OneOf:
    """What a list of choices says when none or a strange one came back."""

    data: Any
    iter_choices: Any

    def pre_validate(self, form: Form) -> None:
        """Only what is on the list."""
        if self.data in (None, "", "None"):
            self.data = None
        elif self.data not in {choice.value for choice in self.iter_choices()}:
            raise ValidationError(_("请从列出的选项里选一项。"))


class OneOf(_OneOf, RadioField):
    """One of a few things, all in sight."""

    def __init__(self, label: object, choices: Iterable[tuple[str, object]], **kwargs: Any) -> None:
        message = _l("请选一项。")
        super().__init__(
            label, [Asked(message)], choices=[SelectChoice(value, title) for value, title in choices], **kwargs
        )


class Among(_OneOf, SelectField):
    """One of many things; `empty` stands for none chosen."""

    def __init__(
        self,
        label: object,
        choices: Iterable[tuple[str, object]] = (),
        *,
        empty: object = None,
        required: bool = True,
        **kwargs: Any,
    ) -> None:
        first = [] if empty is None else [SelectChoice("", empty)]
        super().__init__(
            label,
            [Asked(_l("请选一项。"))] if required else [Optional()],
            choices=[*first, *(SelectChoice(value, title) for value, title in choices)],
            **kwargs,
        )

    def iter_choices(self) -> Iterator[Any]:
        """What may be chosen, in the reader's language: the law room and the directories say it in Chinese."""
        for choice in super().iter_choices():
            yield choice._replace(label=_(str(choice.label))) if choice.label else choice


class Rows(FieldList):
    """Rows of the same questions. A row left empty is no row; at least one must be filled in."""

    def __init__(self, unbound: Any, label: object, *, most: int, nothing: object, **kwargs: Any) -> None:
        super().__init__(unbound, label, min_entries=1, max_entries=most, **kwargs)
        self.most, self.nothing = most, nothing

    def _extract_indices(self, prefix: str, formdata: Any) -> Iterator[int]:
        """The numbers of the rows that were sent; a page counts in plain digits, and never far."""
        for name in formdata:
            number = name.removeprefix(f"{prefix}-").partition("-")[0]
            if name.startswith(f"{prefix}-") and number.isascii() and number.isdigit() and len(number) < 4:
                yield int(number)

    def filled(self) -> list[Any]:
        """The rows in which something was written."""
        return [entry for entry in self.entries if any(field.data for field in entry.form)]

    def validate(self, form: Form, extra_validators: Iterable[Any] = ()) -> bool:
        """Each row that was begun must be complete."""
        filled = self.filled()
        self.errors = [entry.errors for entry in filled if not entry.validate(form)]
        if not filled:
            self.errors = [str(self.nothing)]
        return not self.errors

    def grow(self) -> None:
        """One more empty row, as long as there is room."""
        if len(self.entries) < self.most:
            self.append_entry()

    @property
    def full(self) -> bool:
        """Whether there is no room for another row."""
        return len(self.entries) >= self.most
