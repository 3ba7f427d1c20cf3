"""Notices as the linked departments' pages show them: until when we ask, what, about whom, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.casework.department import ToldLine
from app.models.sharing import CONFIRMING
from app.notices.formats.told import DECISIONS, WITHDRAWN
from app.views.dues import Due, limit_of
from app.views.texts import day
from workflows.calendar import Calendar

ASK = _l("请确认")
RECEIPTS = {
    "done": _l("已办理"),
    "holds_nothing": _l("本单位没有这条信息"),
    "already_ended": _l("此前已经停止"),
    "not_found": _l("查找不到"),
    "refused": _l("不予办理"),
}
"""What a receipt says, in words."""


@dataclass(frozen=True, slots=True)
class Line:
    """A notice in a list. `due` is None when no date was set; `tone` the colour of its state."""

    notice: ToldLine
    decision: str
    asked: str
    state: str
    tone: str
    due: Due | None
    url: str
    before: str


def lines_of(notices: Iterable[ToldLine], calendar: Calendar, today: date) -> list[Line]:
    """Notices as a list shows them."""
    return [_line(notice, calendar, today) for notice in notices]


def _line(notice: ToldLine, calendar: Calendar, today: date) -> Line:
    state, tone = state_of(notice.receipt, notice.due is not None)
    due = limit_of(notice.due, str(ASK), calendar, today) if notice.due else None
    decision = _(DECISIONS.get(notice.act, notice.act))
    return Line(
        notice=notice,
        decision=decision,
        asked=asked_of(notice),
        state=state,
        tone=tone,
        due=due,
        url=url_for("agency.notice", key=notice.key),
        before=before_of(notice),
    )


def asked_of(notice: ToldLine) -> str:
    """What the receiver is asked to do: the words of the notice, or what its act asks where the format has only a
    code."""
    if notice.asked and not notice.asked.isascii():
        return _(notice.asked)
    return _("撤回这条信息") if notice.act in WITHDRAWN else _("更新这条信息的处理结果")


def before_of(notice: ToldLine) -> str:
    """The notice before about the same subject, in a line; empty when this is the first."""
    if notice.before is None:
        return ""
    decision = _(DECISIONS.get(notice.before.act, notice.before.act))
    answered = RECEIPTS[notice.before.receipt] if notice.before.receipt else _("没有回执")
    return _("%(day)s %(decision)s（%(answered)s）", day=day(notice.before.written_at), decision=decision,
             answered=answered)  # fmt: skip


def state_of(receipt: str, asked: bool) -> tuple[str, str]:
    """Where a notice stands for its receiver, and the colour of it."""
    if not receipt:
        return (_("待回执"), "ju") if asked else (_("供参考，不要求回执"), "hui")
    words = RECEIPTS[receipt]
    return str(words), "zhuqing" if receipt in CONFIRMING else "zhu"
