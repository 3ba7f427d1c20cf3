"""What the steps of a credit repair ask. One class per step that asks something; the rest need only a signature."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form, FormField

from forms.base import StepForm
from forms.fields import Among, Day, OneOf, Paragraphs, Rows, Words

GROUNDS = (
    ("MIN_PERIOD_NOT_MET", _l("最短公示期尚未届满")),
    ("DUTY_NOT_PERFORMED", _l("尚未纠正失信行为或者没有全部履行义务")),
    ("COMMITMENT_MISSING", _l("没有作出公开信用承诺")),
    ("NOT_REPAIRABLE_BY_LAW", _l("该信息依照法律、法规或者党中央、国务院文件不予修复")),
    ("SECTOR_CONDITION", _l("不符合法律、行政法规或者部门规章规定的其他条件")),
    ("BANNED_UNTIL", _l("尚在不受理修复申请的期间内")),
    ("NOTHING_TO_REPAIR", _l("该信息已经终止公示、修复或者撤回")),
    ("DUPLICATE", _l("同一信息正在办理修复")),
)
"""Why an application is not accepted: the conditions for applying, no others."""

OPINIONS = (
    ("grant", _l("建议准予修复")),
    ("refuse", _l("建议不予修复")),
    ("false", _l("建议认定虚假并不予修复（须已告知拟认定）")),
)

GAPS = (
    ("missing", _l("没有提交")),
    ("unclear", _l("看不清、不完整")),
    ("mismatch", _l("与认定文书不一致")),
    ("expired", _l("已经过期失效")),
    ("form", _l("签署或者形式不合要求")),
)
"""What is wrong with a paper."""

SERVED = (
    ("portal", _l("放入申请人的办件页面")),
    ("in_person", _l("当面送达")),
    ("post", _l("邮寄送达")),
    ("left", _l("留置送达")),
    ("entrusted", _l("委托送达")),
)

HANDED_OVER = (
    ("account", _l("在信用中国的办理账号里填报")),
    ("exchange", _l("通过省信用平台交换")),
    ("letter", _l("书面函件")),
)


class Receive(StepForm):
    """签收: the day on which 信用中国 or a window received the application."""

    t0 = Day(
        _l("信用中国或者办事窗口收到的日期"),
        description=_l("总期限从这一天起算。今天收到的就是今天；不早于申请人提交的日期，也不晚于今天。"),
    )

    def begin(self, today: date) -> None:
        """Received today, unless somebody says otherwise."""
        self.t0.data = today


class Gap(Form):
    """One thing that is missing or wrong."""

    name = Words(_l("材料"), most=60, description=_l("材料的名称，例如：罚款缴纳凭证"))
    kind = Among(_l("问题的种类"), GAPS, empty=_l("请选择"), required=False)
    problem = Words(_l("存在的问题"), most=200, description=_l("写清楚差在哪里，例如：看不清缴款日期"))
    remedy = Words(_l("怎样补正"), most=200, description=_l("写清楚要做什么，例如：重新拍照上传，日期和印章都要看得清"))


class Correct(StepForm):
    """一次性告知补正: everything that is missing, at once."""

    items = Rows(
        FormField(Gap, _l("补正事项")),
        _l("需要补正的内容"),
        most=12,
        nothing=_l("请至少写一项需要补正的内容；不需要补正的，返回办件选“受理”或者“不予受理”。"),
        description=_l("一次写全，只能告知一次；最多十二项。没有写的不能再要求补。"),
    )
    justification = Paragraphs(
        _l("上一次为什么没有告知"),
        most=500,
        required=False,
        rows=3,
        description=_l("补正内容应当一次告知；再次告知须写明原因，会写进补正通知书，并记录在案。"),
    )

    def fit(self, counts: Mapping[str, int]) -> None:
        """Only a second notice has to be justified."""
        if not counts.get("correct") and "justification" in self:
            del self.justification


class Resubmit(StepForm):
    """提交补正材料: what was done about the notice; the files are handed in before."""

    statement = Paragraphs(
        _l("补正说明"),
        most=1000,
        description=_l("逐项写明补了什么。文件请先上传，再提交。"),
    )


class Decline(StepForm):
    """不予受理: which condition is not met, and why."""

    ground = OneOf(_l("不予受理的情形"), GROUNDS)
    reason = Paragraphs(
        _l("理由"),
        description=_l("写明事实：哪一项、差多少、到哪天。会写进不予受理通知书，并通过信用中国告知申请人。"),
    )


class Transfer(StepForm):
    """移送: to whom, and why."""

    to = Words(
        _l("移送给哪个单位"),
        most=60,
        description=_l("认定这条信息的单位全称，例如：长沙市交通运输局"),
        render_kw={"autocomplete": "organization"},
    )
    reason = Paragraphs(_l("理由"), most=1000, rows=4, description=_l("为什么由该单位办理；会写进移送告知。"))


class Review(StepForm):
    """提出审核意见: what the reviewer proposes, and what was found."""

    opinion = OneOf(_l("审核意见"), OPINIONS)
    finding = Paragraphs(
        _l("查明的事实"),
        description=_l("写明核对了哪些材料、看到什么：义务何时履行、失信行为怎样纠正。会写进决定书。"),
    )


class SendBack(StepForm):
    """退回重审."""

    reason = Paragraphs(_l("退回的理由"), most=1000, rows=4, description=_l("请审核员重新考虑什么。只在内部查看。"))


class Extend(StepForm):
    """延期: why the matter takes longer."""

    reason = Paragraphs(
        _l("延期的原因"),
        most=500,
        rows=4,
        description=_l("情况怎样复杂、还要核查什么。会写进延期告知书。"),
    )


class Warn(StepForm):
    """告知拟认定: the facts the office holds against the subject."""

    facts = Paragraphs(
        _l("拟认定的事实"),
        description=_l("哪一份材料、哪里不真实、怎样查到的。会写进拟认定告知书，申请人据此陈述申辩。"),
    )


class StateViews(StepForm):
    """陈述申辩: the subject's own words, or what an officer took down."""

    statement = Paragraphs(
        _l("陈述和申辩"),
        most=3000,
        rows=8,
        description=_l("写明事实、理由和证据。不因陈述申辩作出更重的处理。"),
    )


class Refuse(StepForm):
    """不予修复: why, and what would change it."""

    reason = Paragraphs(_l("不予修复的理由"), description=_l("会写进决定书：不符合哪一项条件，依据什么事实。"))
    cure = Paragraphs(
        _l("再次申请的条件"),
        most=500,
        rows=3,
        description=_l("做到什么就可以再次申请。会写进决定书。"),
    )


class RefuseFalse(StepForm):
    """认定虚假并不予修复."""

    reason = Paragraphs(
        _l("认定的理由"),
        description=_l("采信了什么、陈述申辩为什么不成立。会写进决定书。"),
    )


class Serve(StepForm):
    """送达决定书: into the portal, or by hand with the receiver and the day."""

    manner = OneOf(_l("送达方式"), SERVED)
    receiver = Words(
        _l("签收人"),
        most=40,
        required=False,
        description=_l("书面送达时填写：谁签收的，与申请人什么关系"),
        render_kw={"autocomplete": "off"},
    )
    served_on = Day(_l("送达日期"), required=False, description=_l("书面送达时填写：送达回证上的日期"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in (self.receiver, self.served_on):  # a service in writing needs them: they are not optional
            field.flags.optional = False

    def begin(self, today: date) -> None:
        """Most decisions are placed in the portal."""
        self.manner.data = "portal"

    def validate(self, extra_validators: Any = None) -> bool:
        """By hand, somebody signed for it on a day."""
        good = super().validate(extra_validators)
        if self.manner.data not in (None, "portal"):
            for field, message in (
                (self.receiver, _("书面送达须写明签收人。")),
                (self.served_on, _("书面送达须写明送达回证上的日期。")),
            ):
                if not field.data and not field.errors:
                    field.errors, good = [message], False
        return bool(good)


class HandOver(StepForm):
    """反馈信用中国: how the result was handed in, and their number for it."""

    manner = OneOf(_l("反馈方式"), HANDED_OVER)
    other_number = Words(
        _l("对方编号"),
        most=60,
        required=False,
        description=_l("信用中国给出的业务编号，没有可以不填"),
        render_kw={"autocomplete": "off"},
    )


class DoTask(StepForm):
    """办理信息处理事项: what was done."""

    outcome = Paragraphs(
        _l("办理结果"),
        most=500,
        rows=4,
        description=_l("看了哪里、改了什么；不需要改的，写明为什么。"),
    )


class Release(StepForm):
    """转入受理 by a person: what was found when something new was recorded meanwhile."""

    note = Paragraphs(
        _l("核实情况"),
        most=500,
        rows=4,
        required=False,
        description=_l("预收期间有新的失信信息时必须写明：核实了什么，为什么可以转入受理。没有的不用填。"),
    )


FORMS: Mapping[str, type[StepForm]] = {
    "release": Release,
    "receive": Receive,
    "correct": Correct,
    "resubmit": Resubmit,
    "decline": Decline,
    "transfer": Transfer,
    "review": Review,
    "send_back": SendBack,
    "extend": Extend,
    "warn": Warn,
    "state_views": StateViews,
    "refuse": Refuse,
    "refuse_false": RefuseFalse,
    "serve": Serve,
    "hand_over": HandOver,
    "do_task": DoTask,
}
