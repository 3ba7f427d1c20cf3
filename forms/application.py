"""What a filer is asked when applying for a repair: which records, how to reach them, the papers, the signature."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import MultipleFileField
from wtforms import BooleanField, Field, HiddenField, PasswordField, SelectMultipleField
from wtforms.validators import InputRequired, Length, ValidationError

from forms.base import new_key
from forms.fields import TEXT, Bounded, Paragraphs, Words
from forms.typed import FilesForm, TypedForm

INCOMPLETE = _l("页面不完整，请重新打开。")
_PHONE = re.compile(r"1\d{10}|0\d{2,3}\d{7,8}(\d{1,6})?|\d{7,8}|400\d{7}")


class KeyedForm(TypedForm):
    """A form whose key, made by the page, makes a repeat harmless."""

    key = HiddenField(validators=[InputRequired(INCOMPLETE), Length(max=64, message=INCOMPLETE)])

    def validate_key(self, field: Field) -> None:
        """A key is made by the page, never typed."""
        if not all(c.isascii() and (c.isalnum() or c in "-_") for c in field.data):
            raise ValidationError(str(INCOMPLETE))

    def renew_key(self) -> None:
        """A fresh key, for a page that is shown anew or whose own was of no use."""
        self.key.data, self.key.raw_data = new_key(), None


class ChooseRecordsForm(KeyedForm):
    """Which records the filing is about; `choices` are the public ids of the subject's own records."""

    records = SelectMultipleField(
        _l("要申请修复的信息"),
        validators=[InputRequired(_l("请先选择要申请修复的信息，再点“去申请”。"))],
        validate_choice=True,
    )


class ContactForm(TypedForm):
    """How to reach the applicant, and what they want to say; kept as typed."""

    contact = Words(_l("联系人"), most=40, message=_l("请填写联系人。"), description=_l("受理员有疑问时联系的人。"))
    phone = Words(
        _l("联系电话"),
        most=30,
        message=_l("请填写联系电话。"),
        description=_l("手机，或者带区号的座机。只供办理本件使用，不公开。"),
    )
    statement = Paragraphs(
        _l("想说明的情况"), required=False, description=_l("比如哪天缴清了罚款、怎样改正的。不写不影响办理。")
    )

    def validate_phone(self, field: Field) -> None:
        """Blanks and dashes are the writer's own business; letters are not."""
        digits = re.sub(r"[\s\-－—–()（）+]", "", unicodedata.normalize("NFKC", field.data)).removeprefix("86")
        if not _PHONE.fullmatch(digits):
            raise ValidationError(_("联系电话应为 11 位手机号，或者带区号的座机号码，例如 0731-12345678。"))

    def keepable(self) -> bool:
        """Whether what was typed can be kept as it is, whatever else is still missing or wrong."""
        bounds = ((self.contact, Bounded(40)), (self.phone, Bounded(30)), (self.statement, Bounded(TEXT, lines=True)))
        return not self.foreign and not any(
            bound.against(field.label.text, field.data or "") for field, bound in bounds
        )


class UploadForm(FilesForm):
    """Files for a case; what each of them is, is found out by looking into it."""

    files = MultipleFileField(
        _l("选择文件"),
        description=_l("PDF、JPG、PNG，可以一次选几个；单个不超过 10 MB，一次不超过 40 MB。手机可以直接拍照。"),
    )

    def validate_files(self, field: Field) -> None:
        """At least one file was chosen."""
        if not self.chosen():
            raise ValidationError(_("还没有选择文件。请先选择，再点上传。"))

    def chosen(self) -> list[Any]:
        """The uploads that carry a name."""
        return [file for file in self.files.data or [] if getattr(file, "filename", "")]


class SignForm(TypedForm):
    """The signature under a letter. `text_hash` is that of the text on the page, `name_public` the choice in it."""

    name_public = HiddenField()
    text_hash = HiddenField(validators=[InputRequired(INCOMPLETE), Length(min=64, max=64, message=INCOMPLETE)])
    read = BooleanField(_l("我已读过全文"), validators=[InputRequired(_l("请先读全文，再勾选“我已读过全文”。"))])
    liable = BooleanField(
        _l("所交材料真实、合法、有效；违背承诺的，愿意承担相应责任"),
        validators=[InputRequired(_l("不承担责任的承诺不能作为修复依据，请勾选后再签署。"))],
    )
    authority = BooleanField(
        _l("我有权代表本单位签署"),
        validators=[InputRequired(_l("请确认您有权代表本单位签署；没有的，请由法定代表人或者受托人签署。"))],
    )
    consent = BooleanField(
        _l("同意公开这份承诺书"),
        description=_l("修复以公开作出信用承诺为条件。联系人和电话不公开。"),
        validators=[InputRequired(_l("修复以公开作出信用承诺为条件，请勾选同意公开。"))],
    )
    password = PasswordField(
        _l("登录密码"),
        description=_l("再输入一次您的登录密码，作为签署确认。"),
        validators=[InputRequired(_l("请输入您的登录密码。")), Length(max=200, message=_l("密码过长，请重新输入。"))],
    )


class SubmitForm(KeyedForm):
    """Handing in what is on the page: each draft with the version its reader saw."""

    drafts = SelectMultipleField(validate_choice=False, validators=[InputRequired(INCOMPLETE)])

    def seen(self) -> Mapping[str, int]:
        """The version seen of each draft, by number; what cannot be read is left out."""
        found: dict[str, int] = {}
        for value in self.drafts.data or []:
            number, _colon, version = value.rpartition(":")
            if number and version.isascii() and version.isdigit() and len(version) < 9:
                found[number] = int(version)
        return found
