"""What a linked department says about a notice, and how it narrows its lists."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField
from wtforms.validators import InputRequired, Length, ValidationError

from forms.base import INCOMPLETE, Version
from forms.fields import Among, Day, OneOf, Paragraphs, Words
from forms.search import Filter
from forms.typed import TypedForm

KINDS = (
    ("done", _l("已停止公示和使用，并解除措施")),
    ("holds_nothing", _l("本单位没有这条信息，无须处理")),
    ("already_ended", _l("此前已经停止")),
    ("not_found", _l("查找不到这个主体或者这条信息")),
    ("refused", _l("不能办理")),
)
DATED = ("done", "already_ended")
EXPLAINED = ("not_found", "refused")
STATES = (
    ("open", _l("没有回执")),
    ("confirmed", _l("已确认")),
    ("trouble", _l("查找不到或者不予办理")),
)
YEARS = (2000, 2100)
"""Between which years a day may lie."""


class ReceiptForm(TypedForm):
    """回执: what was done, when, under which number, or why not. `seen` is the receipt that its reader saw last."""

    key = HiddenField(validators=[InputRequired(INCOMPLETE), Length(max=40, message=INCOMPLETE)])
    seen = Version(validators=[InputRequired(INCOMPLETE)])
    kind = OneOf(_l("办理结果"), KINDS)
    done_on = Day(
        _l("办理日期"), required=False, description=_l("已停止、此前已经停止的，填实际停止的那一天；其他情况不用填。")
    )
    number = Words(
        _l("贵单位的办理编号"),
        most=100,
        required=False,
        description=_l("有就填，以后两边核对时用。"),
    )
    reason = Paragraphs(
        _l("情况和理由"),
        most=500,
        rows=3,
        required=False,
        description=_l(
            "查找不到、不能办理的，写明查了什么、为什么不能办；发出通知的单位和企业看得到。其他情况不用填。"
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in (self.done_on, self.reason):  # whether they may be left out depends on the kind
            field.flags.optional = None

    def begin(self, today: date, seen: int) -> None:
        """A fresh form: most receipts are given on the day of the work."""
        self.done_on.data = today
        self.renew(seen)

    def renew(self, seen: int) -> None:
        """The form again, for what its reader sees now and under a new key; what was typed stays."""
        for field, value in ((self.key, secrets.token_urlsafe(18)), (self.seen, seen)):
            field.data, field.raw_data = value, None

    def validate_key(self, field: Any) -> None:
        """A key is made by the page, never typed."""
        if not all(c.isascii() and (c.isalnum() or c in "-_") for c in field.data):
            raise ValidationError(_("页面不完整，请重新打开。"))

    def validate_done_on(self, field: Any) -> None:
        """A day on which such work can have been done."""
        if field.data and not YEARS[0] <= field.data.year <= YEARS[1]:
            raise ValidationError(_("请核对年份。"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Check every answer, and what each kind of receipt cannot do without."""
        good = super().validate(extra_validators)
        if self.kind.data in DATED and self.done_on.data is None and not self.done_on.errors:
            self.done_on.errors = [_("请填写办理的日期。")]
            good = False
        if self.kind.data in EXPLAINED and not self.reason.data and not self.reason.errors:
            self.reason.errors = [_("请写明情况和理由。")]
            good = False
        return good


class NoticeFilter(Filter):
    """全部通知: by receipt, outcome, days and words."""

    state = Among(_l("回执"), STATES, empty=_l("全部"), required=False)
    decision = Among(_l("处理结果"), empty=_l("全部"), required=False)
    since = Day(_l("从"), required=False)
    until = Day(_l("到"), required=False)
    text = Words(
        _l("查找"),
        most=60,
        required=False,
        render_kw={"placeholder": _l("名称、代码、文号或通知编号"), "type": "search"},
    )

    def validate_since(self, field: Any) -> None:
        """A day on which a notice can have been written."""
        if field.data and not YEARS[0] <= field.data.year <= YEARS[1]:
            raise ValidationError(_("请核对年份。"))

    validate_until = validate_since

    def _word(self, name: str, value: Any) -> str:
        if isinstance(value, date):
            value = _("%(year)s年%(month)s月%(day)s日", year=value.year, month=value.month, day=value.day)
        return super()._word(name, value)
