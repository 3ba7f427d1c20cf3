"""What an administrator and the legal office are asked: people, roles, mandates, offices, law rows, days."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, Form, HiddenField
from wtforms.validators import InputRequired, Length, ValidationError

from forms.fields import Among, Day, Paragraphs, Words, read_day
from forms.typed import TypedForm

_LOGIN = re.compile(r"[a-z][a-z0-9._-]{2,39}")
_SPAN = re.compile(r"\s*(?:至|到|~|～|—+|–)\s*")
LONGEST_SPAN = 31
"""Days that one line can name; a longer holiday has not been seen, a longer line is a slip."""
INCOMPLETE = _l("页面不完整，请重新打开。")


class Near(Day):
    """A day of this lifetime: a slip of the year is caught before it becomes somebody's role for a thousand years."""

    def pre_validate(self, form: Form) -> None:
        """Between 1950 and 2099."""
        if self.data is not None and not 1950 <= self.data.year <= 2099:
            raise ValidationError(_("请核对年份：%(year)s。", year=self.data.year))


class WebAddress(Words):
    """An address on the web that a person can follow."""

    def pre_validate(self, form: Form) -> None:
        """https, a host, no blanks."""
        if self.data and not re.fullmatch(r"https://[^\s/@:?#]+\.[^\s/@:?#]+(:\d+)?([/?#]\S*)?", self.data):
            raise ValidationError(_("请填完整的网址，以 https:// 开头。"))


class FindForm(TypedForm):
    """Looking for a person by name or login."""

    class Meta:
        csrf = False

    q = Words(_l("姓名或者用户名"), required=False, most=40)


class UserForm(TypedForm):
    """A new account."""

    login = Words(
        _l("用户名"),
        most=40,
        description=_l("小写字母开头，可以有数字、点和短横线，3 到 40 个字，例如 zhoumin。建好后不能改。"),
    )
    name = Words(_l("姓名"), most=60, description=_l("文书和日志里用的姓名。"))

    def validate_login(self, field: Field) -> None:
        """A login that can be typed anywhere."""
        if not _LOGIN.fullmatch(field.data):
            raise ValidationError(_("用户名要用小写字母开头，只用小写字母、数字、点和短横线，3 到 40 个字。"))


class NameForm(TypedForm):
    """A person's name, corrected."""

    name = Words(_l("姓名"), most=60, description=_l("以前签署、出具的内容仍显示当时的姓名。"))


class SureForm(TypedForm):
    """A page that only asks whether it is meant."""


class AcceptForm(TypedForm):
    """A change that may leave cases with nobody to act; `accept` is asked only when it does."""

    accept = BooleanField(_l("我知道这些件会没有人能办，仍然要改；我会马上安排别的人"))


class CloseForm(AcceptForm):
    """Closing an account."""

    reason = Words(_l("为什么停用"), most=200, description=_l("例如：已调离。会记入日志。"))


class EndForm(AcceptForm):
    """Ending a role or a mandate."""

    last_day = Near(_l("最后一天"), description=_l("这一天还有效，第二天起无效。要从今天起无效，请填昨天。"))


class MembershipForm(TypedForm):
    """A role in an office from a day until a day."""

    office = Among(_l("机构"), empty=_l("请选择"))
    role = Among(_l("身份"), empty=_l("请选择"))
    since = Near(_l("开始日期"))
    until = Near(_l("结束日期"), required=False, description=_l("不填就是没有定结束日期。"))


class MandateForm(TypedForm):
    """Acting for a subject, on evidence."""

    code = Words(
        _l("代哪个主体"),
        most=64,
        message=_l("请输入主体的统一社会信用代码；自然人输入身份证号码。"),
        description=_l("统一社会信用代码；自然人输入身份证号码（不会显示，也不会出现在网址里）。"),
    )
    capacity = Among(_l("以什么身份"), empty=_l("请选择"))
    evidence = Words(
        _l("依据"), most=200, description=_l("看了什么材料，例如：授权委托书，2026年3月1日；电子营业执照。")
    )
    since = Near(_l("开始日期"))
    until = Near(_l("结束日期"), required=False, description=_l("委托书上写了期限的，请照填。"))


class OfficeForm(TypedForm):
    """What an office's documents say of it."""

    word = Words(
        _l("发文机关代字"), most=12, required=False, description=_l("文号开头的几个字，例如“湘交”。没有它不能出文书。")
    )
    review_body = Words(
        _l("复议机关"),
        most=60,
        required=False,
        description=_l("写进文书的救济途径，例如“长沙市人民政府”。没有复议机关不能出具决定。"),
    )
    review_address = WebAddress(
        _l("在线复议入口"),
        most=200,
        required=False,
        description=_l("复议机关受理在线申请的网址。填了才会在文书里写“可在线提交”，并在验证页面给出入口。"),
    )
    phone = Words(_l("联系电话"), most=40, required=False)
    address = Words(_l("地址"), most=120, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in (self.word, self.review_body):  # may stay empty for now, but nobody should think they need not
            field.flags.optional = False


class AttestForm(TypedForm):
    """The legal office's word about one law row; `row` is the digest of what was read."""

    rule = HiddenField(validators=[InputRequired(INCOMPLETE), Length(max=120, message=INCOMPLETE)])
    row = HiddenField(validators=[InputRequired(INCOMPLETE), Length(max=64, message=INCOMPLETE)])
    note = Paragraphs(
        _l("核对了什么"),
        most=500,
        rows=3,
        description=_l("写明文本的来源和条款，例如：对照国务院公报2025年第19号全文第七条。"),
    )

    def validate_note(self, field: Field) -> None:
        """Something somebody could follow."""
        if len(field.data) < 6:
            raise ValidationError(_("请写清楚对照的是哪份文本、哪一条，方便以后复查。"))


class DaysForm(TypedForm):
    """Days declared working or rest days by a notice, one line a day or a stretch of days."""

    notice = Words(
        _l("通知的文号"), most=80, description=_l("例如：国办发明电〔2026〕7号。以后每个日期的计算都会写明它。")
    )
    announces = Among(
        _l("这份通知是不是全年安排"),
        required=False,
        empty=_l("不是，只改这几天"),
        description=_l("选了年份，这一年的日期不再是“暂定”。那么与日历不同的每一天都要写上。"),
    )
    days = Paragraphs(
        _l("哪几天"),
        most=4000,
        rows=8,
        description=_l("一行一天或者一段：2027-02-05 至 2027-02-11 放假；2027-02-14 上班。"),
    )

    def declared(self) -> list[tuple[date, bool]]:
        """The days in the order written, True for a working day. Raises ValueError with a sentence for a line."""
        return [each for number, line in enumerate(self.days.data.split("\n"), 1) for each in _read(number, line)]

    def validate_days(self, field: Field) -> None:
        """Every line must be understood; a text that is too long or hides something is not even read."""
        if field.errors:
            return
        try:
            self.declared()
        except ValueError as error:
            raise ValidationError(str(error)) from error


class ConfirmDaysForm(DaysForm):
    """The same days once more, with the digest of what was shown, and word that some limits end earlier."""

    shown = HiddenField(validators=[Length(max=64, message=INCOMPLETE)])
    shorter = BooleanField(_l("我知道上面标“提前”的期限会变短，仍然要录入"))


def _read(number: int, line: str) -> Iterable[tuple[date, bool]]:
    """The days of one line; an empty line has none."""
    said = unicodedata.normalize("NFKC", line).strip().rstrip("。;,、")
    if not said:
        return []
    found = re.fullmatch(r"(.+?)[\s:,]*(放假|休息|调休|休|上班|补班|工作)", said)
    if found is None:
        raise ValueError(_("第 %(n)s 行末尾要写“放假”或者“上班”，例如：2027-02-14 上班。", n=number))
    ends = [read_day(part) for part in _SPAN.split(found[1])]
    if len(ends) > 2 or None in ends:
        raise ValueError(_("第 %(n)s 行的日期看不懂，请写成 2027-02-05 或者 2027-02-05 至 2027-02-11。", n=number))
    first, last = ends[0], ends[-1]
    assert first is not None and last is not None
    if not first <= last or (last - first).days >= LONGEST_SPAN:
        raise ValueError(_("第 %(n)s 行从早到晚写，一行最多 %(most)s 天。", n=number, most=LONGEST_SPAN))
    working = found[2] in ("上班", "补班", "工作")
    return [(first + timedelta(days=offset), working) for offset in range((last - first).days + 1)]
