"""Signing in, and changing one's own password."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, PasswordField
from wtforms.validators import InputRequired, Length, ValidationError

from forms.fields import Words
from forms.typed import TypedForm

SHORTEST, LONGEST = 12, 128
"""Characters of a password. Any character counts and none is cut off."""


GUESSED_FIRST = ("jiannuo", "jiaotong", "hunan", "xinyong", "践诺", "交通", "湖南", "信用")
"""Words of this house."""


def not_guessed(field: Field, about: tuple[str, ...]) -> None:
    """Refuse what is guessed first: common passwords, and words about the person or the house."""
    from zxcvbn import zxcvbn

    if field.errors:  # too short or too long is said already, and a text of any length is no food for the estimate
        return
    if zxcvbn(field.data, user_inputs=[*about, *GUESSED_FIRST], max_length=LONGEST)["score"] < 3:
        raise ValidationError(_("这个密码容易被猜到。请换一句更长、不含姓名、单位和常见词的话。"))


class LoginForm(TypedForm):
    """User name and password; `next` is where to go on to."""

    login = Words(_l("用户名"), message=_l("请输入用户名。"))
    password = PasswordField(
        _l("密码"), [InputRequired(_l("请输入密码。")), Length(max=LONGEST, message=_l("密码最多 128 个字。"))]
    )
    next = HiddenField()


class PasswordForm(TypedForm):
    """The present password, and a new one typed twice. No password is shown again: a wrong form comes back empty."""

    present = PasswordField(
        _l("现在的密码"),
        [InputRequired(_l("请输入现在的密码。")), Length(max=LONGEST, message=_l("密码最多 128 个字。"))],
    )
    fresh = PasswordField(
        _l("新密码"),
        [
            InputRequired(_l("请输入新密码。")),
            Length(SHORTEST, LONGEST, message=_l("新密码要 12 到 128 个字，可以是一句话。")),
        ],
        description=_l("12 到 128 个字，可以用空格、汉字和符号；一句自己记得住的话比一串短的乱码更安全。"),
    )
    again = PasswordField(_l("再输一遍新密码"), [InputRequired(_l("请再输一遍新密码。"))])

    def __init__(self, *args: object, about: tuple[str, ...] = (), **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.about = about

    def validate_fresh(self, field: Field) -> None:
        """Neither guessed first nor the one it replaces."""
        not_guessed(field, self.about)
        if not field.errors and field.data == self.present.data:
            raise ValidationError(_("新密码和现在的一样，请换一个。"))

    def validate_again(self, field: Field) -> None:
        """Typed twice the same."""
        if field.data != self.fresh.data:
            raise ValidationError(_("两遍输入的不一样，请重新输入。"))
