"""What may be asked about a credit record: that its penalty was annulled, or to which class it belongs."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField

from forms.fields import Day, OneOf, Paragraphs, Words
from forms.typed import TypedForm

CLASSES = (("轻微", _l("轻微")), ("一般", _l("一般")), ("严重", _l("严重")))


class AnnulForm(TypedForm):
    """登记处罚撤销: when, and by which decision."""

    day = Day(
        _l("撤销、变更或者确认违法的日期"),
        description=_l("行政复议决定、判决或者本机关决定上的日期。撤回期限从这一天起算。"),
    )
    reason = Words(
        _l("由什么决定"),
        most=120,
        description=_l("写明文书名称和文号，例如：湘政复决〔2026〕8号行政复议决定撤销原处罚。会写进信息撤回说明。"),
    )

    def begin(self, today: date) -> None:
        """Most annulments are recorded on the day they become known."""
        self.day.data = today


class ClassForm(TypedForm):
    """确定失信类别: which, and why."""

    cls = OneOf(_l("失信类别"), CLASSES)
    necessary = BooleanField(
        _l("属于轻微，但确有必要公示"),
        description=_l("只在选“轻微”时有用：行业主管部门认为确有必要的，可以公示一段时间。"),
    )
    reason = Paragraphs(
        _l("为什么是这一类"),
        most=500,
        rows=4,
        description=_l(
            "分类表没有写明的地方是什么，按什么标准定的，例如罚款属于较大数额的依据。会记入本条信息的记录。"
        ),
    )
