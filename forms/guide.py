"""Questions of the repair guide and of the progress query. The guide's answers stand in the address."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Form, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.validators import Optional
from wtforms.widgets import CheckboxInput, ListWidget

from forms.fields import Among, Day, Words
from forms.typed import TypedForm

WHO = (("organisation", _l("企业、事业单位或者其他组织")), ("sole_trader", _l("个体工商户")), ("person", _l("自然人")))
PROCEDURES = (("ordinary", _l("普通程序（有案件调查、处罚告知）")), ("simple", _l("简易程序（当场处罚）")))
FINES = (("较少", _l("较少数额")), ("较大", _l("较大数额")), ("巨额", _l("巨额")))
DUTIES = (
    ("performed", _l("都履行完了：罚款缴清、违法行为改正")),
    ("owing", _l("还没有全部履行")),
    ("unsure", _l("不确定")),
)


class Ticks(SelectMultipleField):
    """Several of a few things, all in sight."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class SituationForm(Form):
    """What somebody says of the record they want repaired. Nothing here names anybody."""

    who = Among(_l("信息是谁的"), WHO, required=False)
    day = Day(
        _l("处罚决定书的日期"),
        required=False,
        description=_l("决定书末尾的日期，公示期从这一天起算。"),
    )
    kinds = Ticks(_l("处罚的种类"), [Optional()], description=_l("决定书写了哪几种就选哪几种。"))
    procedure = Among(_l("按什么程序作出"), PROCEDURES, empty=_l("不清楚"), required=False)
    fine = Among(
        _l("罚款的数额属于"),
        FINES,
        empty=_l("不清楚"),
        required=False,
        description=_l("数额的档次由行业主管部门定；没有把握就选“不清楚”。"),
    )
    listed = BooleanField(_l("被列入严重失信主体名单"))
    duty = Among(_l("处罚的义务"), DUTIES, required=False)

    def offer_kinds(self, kinds: tuple[str, ...]) -> None:
        """The kinds of penalty there are."""
        self.kinds.choices = [SelectChoice(kind, kind) for kind in kinds]


class ProgressForm(TypedForm):
    """Where a case stands: its number and the code of the one it is about, together."""

    number = Words(
        _l("办件编号"),
        most=40,
        message=_l("请输入申请回执上的办件编号。"),
        description=_l("申请回执上的编号，例如 XF-7K2M9QXA。"),
    )
    code = Words(
        _l("统一社会信用代码"),
        most=64,
        message=_l("请输入申请人的统一社会信用代码。"),
        description=_l("申请人营业执照上的 18 位代码。自然人请登录后在“我的办件”里查看。"),
    )
