"""What is asked around sharing: filters of the board, periods, answers to statements, what was done about an issue."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms.validators import ValidationError

from forms.fields import Among, Day, Paragraphs, Words
from forms.search import Filter
from forms.typed import FilesForm, TypedForm

STATES = (
    ("waiting", _l("等待送达")),
    ("dead", _l("送达失败")),
    ("open", _l("等待确认")),
    ("late", _l("过期未确认")),
    ("confirmed", _l("已确认")),
    ("trouble", _l("查找不到或者不予办理")),
    ("skipped", _l("已跳过")),
)
STATEMENTS = (
    ("drawn", _l("等对方答复")),
    ("agreed", _l("双方一致")),
    ("differing", _l("有差异")),
    ("settled", _l("差异已了结")),
)


class OverseenFilter(Filter):
    """The notices to a receiver: by state, outcome and words."""

    state = Among(_l("状态"), STATES, empty=_l("全部状态"), required=False)
    act = Among(_l("事项"), empty=_l("全部事项"), required=False)
    text = Words(
        _l("查找"), most=60, required=False, render_kw={"placeholder": _l("名称、代码、文号或编号"), "type": "search"}
    )


class IssueFilter(Filter):
    """同步异常: by kind, receiver, and whether they are settled."""

    kind = Among(_l("种类"), empty=_l("全部种类"), required=False)
    receiver = Among(_l("接收单位"), empty=_l("全部单位"), required=False)
    closed = Among(_l("进展"), (("1", _l("已了结")),), empty=_l("未了结"), required=False)


class StatementFilter(Filter):
    """Statements: by receiver and by where they stand."""

    receiver = Among(_l("接收单位"), empty=_l("全部单位"), required=False)
    state = Among(_l("状态"), STATEMENTS, empty=_l("全部"), required=False)


class BooksFilter(Filter):
    """A period of our own books."""

    since = Day(_l("从"), required=False)
    until = Day(_l("到"), required=False)


class PeriodForm(TypedForm):
    """Draw a statement for a period."""

    since = Day(_l("从"))
    until = Day(_l("到"), description=_l("两头都算，按通知写好的日子（北京时间）。"))


class DeskPeriodForm(PeriodForm):
    """The same for one of the receivers."""

    receiver = Among(_l("接收单位"), id="draw-receiver", empty=_l("请选择"))


class DigestForm(TypedForm):
    """The digest a department has computed over its own book."""

    digest = Words(
        _l("贵单位算出的摘要"), most=100, description=_l("64 个十六进制字符。和我们的一样，双方就一致，不用交明细。")
    )


class LinesForm(FilesForm):
    """A department's own lines."""

    lines = FileField(
        _l("贵单位的明细"),
        description=_l("CSV 或者 JSON，不超过 10 MB。至少有“通知编号”“正文指纹”两列；可以加“办理状态”“办理次序”。"),
    )

    def validate_lines(self, field: FileField) -> None:
        """A file was chosen."""
        if not field.data:
            raise ValidationError(_l("请选择文件。"))


class OutcomeForm(TypedForm):
    """What was done about an issue."""

    outcome = Paragraphs(
        _l("做了什么，结果怎样"), most=500, rows=4,
        description=_l("例如：电话核实，对方漏收，已于11月26日补录。会记入记录，不能删改。"),
    )  # fmt: skip


class AgainForm(TypedForm):
    """Sending dead letters again."""

    reason = Words(_l("为什么现在能送到"), most=200, description=_l("例如：对方确认系统已恢复。会记入每份通知的记录。"))


class SkipForm(TypedForm):
    """Proposing that a dead letter be skipped."""

    reason = Paragraphs(
        _l("为什么不再送这一份"), most=500, rows=3,
        description=_l("例如：对方已撤并，由承接单位另行办理。须由另一个人确认以后才跳过。"),
    )  # fmt: skip
