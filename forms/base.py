"""What every form of a step has: the version of the case its reader saw, a key that makes a repeat harmless, an item."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, IntegerField
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import HiddenInput


class StepForm(FlaskForm):  # type: ignore[misc]
    """The answers to one step. A subclass's own fields are the answers; their names are the law's words."""

    seen_version = IntegerField(widget=HiddenInput(), validators=[InputRequired(_l("页面不完整，请重新打开。"))])
    key = HiddenField(validators=[InputRequired(_l("页面不完整，请重新打开。")), Length(max=64)])
    item = HiddenField(validators=[Length(max=64)])

    ENVELOPE = ("seen_version", "key", "item", "csrf_token")

    def validate_key(self, field: Field) -> None:
        """A key is made by the page, never typed."""
        if not all(c.isalnum() or c in "-_" for c in field.data):
            raise ValidationError(_("页面不完整，请重新打开。"))

    def answers(self) -> dict[str, Any]:
        """The answers as plain values that a journal can keep."""
        return {name: _plain(field.data) for name, field in self._fields.items() if name not in self.ENVELOPE}


def new_key() -> str:
    """A fresh key for a form."""
    return secrets.token_urlsafe(18)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if name != "csrf_token"}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.strip() if isinstance(value, str) else value
