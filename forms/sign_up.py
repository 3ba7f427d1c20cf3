"""What somebody is asked who wants to act for a subject, with an account or without one yet; and what the officer is
asked who looks at their papers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import MultipleFileField
from wtforms import BooleanField, Field, PasswordField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from forms.account import LONGEST, SHORTEST, not_guessed
from forms.admin import EndForm, Near
from forms.application import KeyedForm
from forms.fields import Among, OneOf, Paragraphs, Words
from forms.search import Filter
from forms.typed import FilesForm, TypedForm

MOST_PAPERS = 5
CODE_LINE = 64
"""Characters of a line that holds a code: more than any code with blanks and dashes."""
_CHOSEN = re.compile(r"[a-z][a-z0-9._-]{2,29}")


class NewAccountForm(FilesForm):
    """Who somebody is, and how they want to sign in. No password is shown again."""

    name = Words(_l("您的姓名"), most=60, description=_l("和身份证件上的一样；受理窗口按它核对材料。"))
    login = Words(
        _l("用户名"),
        most=30,
        description=_l("小写字母开头，可以有数字、点和短横线，3 到 30 个字。系统会在后面加四个字，注册完就告诉您。"),
    )
    fresh = PasswordField(
        _l("密码"),
        [
            InputRequired(_l("请输入密码。")),
            Length(SHORTEST, LONGEST, message=_l("密码要 12 到 128 个字，可以是一句话。")),
        ],
        description=_l("12 到 128 个字，可以用空格、汉字和符号；一句自己记得住的话比一串短的乱码更安全。"),
    )
    again = PasswordField(
        _l("再输一遍密码"),
        [InputRequired(_l("请再输一遍密码。")), Length(max=LONGEST, message=_l("密码最多 128 个字。"))],
    )

    def validate_login(self, field: Field) -> None:
        """A name that can be typed anywhere."""
        if not _CHOSEN.fullmatch(field.data):
            raise ValidationError(_("用户名要用小写字母开头，只用小写字母、数字、点和短横线，3 到 30 个字。"))

    def validate_fresh(self, field: Field) -> None:
        """Nothing that is guessed first."""
        words = (word for word in (self.name.data, self.login.data) if word)
        not_guessed(field, tuple(word[:LONGEST] for word in words))

    def validate_again(self, field: Field) -> None:
        """Typed twice the same."""
        if field.data != self.fresh.data:
            raise ValidationError(_("两遍输入的不一样，请重新输入。"))


class MandateForm(KeyedForm, FilesForm):
    """For whom, as what, on which papers. What the files are is found out by looking into them."""

    code = Words(
        _l("代办单位的统一社会信用代码"),
        most=CODE_LINE,
        message=_l("请输入统一社会信用代码。"),
        description=_l("营业执照上的 18 位代码。个人（自然人）请带身份证件到受理窗口登记，不要在这里输入身份证号码。"),
    )
    capacity = OneOf(_l("您以什么身份代办"), ())
    until = Near(_l("委托到哪一天"), required=False, description=_l("授权委托书写了期限的，填最后一天；没有写的不填。"))
    files = MultipleFileField(
        _l("证明材料"),
        description=_l(
            "PDF、JPG、PNG，可以一次选几个，最多 5 个，单个不超过 10 MB；手机可以直接拍照。身份证号码可以遮住中间几位。"
        ),
    )
    truthful = BooleanField(
        _l("以上内容和材料真实，我有权代表这个单位办事"),
        validators=[InputRequired(_l("请确认内容真实、您有权代表这个单位；没有的，请由有权的人申请。"))],
    )

    def offer(self, choices: Iterable[tuple[str, object]]) -> None:
        """The capacities one can act in."""
        self.capacity.choices = [SelectChoice(value, title) for value, title in choices]

    def validate_files(self, field: Field) -> None:
        """At least one file was chosen, and not too many."""
        if not self.chosen():
            raise ValidationError(_("请选择证明材料。"))
        if len(self.chosen()) > MOST_PAPERS:
            raise ValidationError(_("最多 %(n)s 个文件，请重新选择。", n=MOST_PAPERS))

    def chosen(self) -> list[Any]:
        """The uploads that carry a name."""
        return [file for file in self.files.data or [] if getattr(file, "filename", "")]


class SignUpForm(NewAccountForm, MandateForm):
    """Both, for somebody who has no account yet."""

    consent = BooleanField(
        _l("同意把以上个人信息和材料用于注册、核对代办身份和办理信用业务"),
        description=_l("只供受理窗口核对，不公开，不作别的用途。不同意的，可以带材料到受理窗口办理。"),
        validators=[InputRequired(_l("没有您的同意，平台不能保存您的信息。不同意的，请到受理窗口办理。"))],
    )


class RequestFilter(Filter):
    """Requests to act for somebody: by state, office and words."""

    state = Among(_l("状态"), (("settled", _l("已有结果")),), empty=_l("等待核对"), required=False)
    office = Among(_l("单位"), empty=_l("全部单位"), required=False)
    text = Words(
        _l("查找"), most=60, required=False, render_kw={"placeholder": _l("申请人、代码或回执号"), "type": "search"}
    )


class ConfirmForm(TypedForm):
    """The papers were looked at and are good."""

    evidence = Words(
        _l("核对了什么材料"),
        most=200,
        description=_l("例如：授权委托书（2026年11月20日，盖公章）和营业执照，与登记一致。"),
    )
    until = Near(_l("委托的最后一天"), required=False, description=_l("委托书上写了期限的照填；不填就是没有定期限。"))


class RefuseForm(TypedForm):
    """Why not; the person who asked reads it."""

    reason = Paragraphs(
        _l("为什么不登记"),
        most=500,
        rows=4,
        description=_l("申请人会看到这段话，请写清楚缺什么、怎样改正后再申请。"),
    )


class EndMandateForm(EndForm):
    """From when on somebody acts for a subject no longer, and why."""

    reason = Words(_l("为什么结束"), most=200, description=_l("例如：委托单位来函撤销委托。会记入日志。"))
