"""What a form is read from: the fields of the page that was sent, and nothing that came in another shape."""

from __future__ import annotations

from typing import Any

from flask import g, request
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, MultipleFileField
from flask_wtf.form import _Auto, _is_submitted
from werkzeug.datastructures import CombinedMultiDict, MultiDict

FOREIGN = "form_is_foreign"
"""Set on `flask.g` when the form of this request does not carry the token of the session it was sent in."""


class TypedForm(FlaskForm):
    """A form of words. A file sent in the place of words, or a body that is no form, counts as nothing answered."""

    class Meta(FlaskForm.Meta):
        """Reads what was typed."""

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """The fields of the request for a form that was sent, None for one that is only shown."""
            if formdata is _Auto:
                return self.sent(form) if _is_submitted() else None
            return formdata

        def sent(self, form: Any) -> Any:
            """What was typed."""
            return request.form

    def validate(self, extra_validators: Any = None) -> bool:
        """Check every answer. A page of an earlier session is not acted upon; it comes back whole, to be sent again."""
        good = bool(super().validate(extra_validators))
        if "csrf_token" in self and (self.foreign or self.csrf_token.errors):
            self.csrf_token.errors = [_("这一页打开以后重新登录过，内容没有提交，都还在下面。请核对后再交一次。")]
            return False
        return good

    @property
    def foreign(self) -> bool:
        """Whether the form was sent without the token of this session: nothing in it may be acted upon."""
        return bool(g.get(FOREIGN, False))


class FilesForm(TypedForm):
    """A form of files, and of words beside them."""

    class Meta(TypedForm.Meta):
        """Reads the files beside what was typed."""

        def sent(self, form: Any) -> Any:
            """Files where files are asked for, and words."""
            asked = {field.name for field in form if isinstance(field, FileField | MultipleFileField)}
            files = MultiDict((name, file) for name, file in request.files.items(multi=True) if name in asked)
            return CombinedMultiDict((files, request.form))
