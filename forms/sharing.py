"""What departments and administrators are asked about interfaces: endpoints, keys, subscriptions."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, Form, SelectMultipleField
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from forms.admin import Near
from forms.fields import Among, OneOf, Paragraphs, Words
from forms.typed import TypedForm

OVERLAP = (("0", _l("立刻停用旧密钥")), ("1", _l("一天后")), ("7", _l("七天后")), ("30", _l("三十天后")))
"""Days for which the secret before stays in force."""


class Several(SelectMultipleField):
    """Some of a few things, all in sight; at least one."""

    widget, option_widget = ListWidget(prefix_label=False), CheckboxInput()

    def pre_validate(self, form: Form) -> None:
        """Only what is on the list."""
        allowed = {choice.value for choice in self.iter_choices()}
        if not self.data or not set(self.data) <= allowed:
            raise ValidationError(_("请至少选一项。"))


class EndpointForm(TypedForm):
    """How a department is told."""

    channel = OneOf(_l("怎样送达"), ())
    format = Among(_l("用什么格式"))
    address = Words(
        _l("接收地址"), most=500, required=False,
        description=_l("只有接口推送要填：对方服务器的完整网址，以 https:// 开头。"),
    )  # fmt: skip


class ReasonForm(TypedForm):
    """Stopping or resuming, with a reason."""

    reason = Words(_l("为什么"), most=200, description=_l("会记入日志，对方也能看到。例如：对方系统检修到11月30日。"))


class RotateForm(TypedForm):
    """A new webhook secret."""

    overlap = OneOf(
        _l("旧密钥什么时候停用"), OVERLAP, default="7",
        description=_l("停用以前，每份通知同时带新旧两个签名，贵单位换上新密钥的前后都能验证。旧密钥泄露的，请立刻停用。"),
    )  # fmt: skip


class ReceiptKeyForm(TypedForm):
    """A public key with which a department will sign its receipts."""

    key_name = Words(
        _l("密钥名称"), most=64,
        description=_l("写在每份回执里，用来认出是哪一把，例如 2026-a。用过的名称不能再用。"),
    )  # fmt: skip
    public = Paragraphs(
        _l("Ed25519 公钥"), most=1000, rows=4,
        description=_l("32 字节公钥的 Base64，或者 PEM 全文。只要公钥；私钥不要给任何人。"),
    )  # fmt: skip
    since = Near(_l("启用日期"))
    until = Near(_l("停用日期"), required=False, description=_l("从这一天零点起，用它签的回执不再接受。可以以后再定。"))


class ApiKeyForm(TypedForm):
    """A key to the interface for programs."""

    label = Words(_l("用在哪里"), most=60, description=_l("方便以后认出来，例如：业务系统正式环境。"))
    scopes = Several(_l("可以做什么"), description=_l("只选用得着的。"))
    until = Near(_l("停用日期"), required=False, description=_l("从这一天零点起不再有效。建议定一个，到期前换新。"))


class EndKeyForm(TypedForm):
    """Ending a key at the beginning of a day, or now."""

    until = Near(
        _l("从哪一天起停用"),
        required=False,
        description=_l("从这一天零点起不再有效；填今天或者不填，就是现在立刻停用。"),
    )


class SubscriptionForm(TypedForm):
    """What a department wants to hear of; nothing chosen takes everything."""

    region = Among(_l("哪里的主体"), required=False, empty=_l("不限地区"))
    trade = Among(_l("哪个行业"), required=False, empty=_l("不限行业"))
    kind = Among(_l("哪种信息"), required=False, empty=_l("不限种类"))
    since = Near(_l("开始日期"))
    until = Near(_l("结束日期"), required=False, description=_l("这一天还有效。不填就一直有效，可以随时结束。"))

    def validate_until(self, field: Field) -> None:
        """Not before it begins."""
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError(_("结束日期早于开始日期，请核对。"))


class EndSubscriptionForm(TypedForm):
    """Ending a subscription."""

    last_day = Near(_l("最后一天"), description=_l("这一天的通知还发，第二天起不再因为这项订阅而发。"))
