"""Filters of lists. They stand in the address, so that a list can be passed on; what is no choice is no filter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form
from wtforms.fields import SelectChoice

from forms.fields import Among, Words

LATE = (("late", _l("已超期")), ("near", _l("今明到期")), ("receivers", _l("有单位逾期未确认")))
CLASSES = (("none", _l("没有分类")), ("轻微", _l("轻微")), ("一般", _l("一般")), ("严重", _l("严重")))
STATUSES = (
    ("published", _l("公示中")),
    ("ended", _l("公示已终止")),
    ("repaired", _l("已修复")),
    ("withdrawn", _l("已撤回")),
    ("unpublished", _l("不公示")),
)


class Filter(Form):
    """Questions that narrow a list; each may be left open."""

    def chosen(self) -> dict[str, str]:
        """What was chosen, by name; a value that is on no list, or is too long to be meant, is left out."""
        self.validate()
        return {field.short_name: field.data for field in self if field.data and not field.errors}

    def in_words(self) -> list[tuple[str, str]]:
        """What was chosen, as (name of the question, words)."""
        return [(name, self._word(name, value)) for name, value in self.chosen().items()]

    def _word(self, name: str, value: str) -> str:
        field = self._fields[name]
        choices = field.iter_choices() if hasattr(field, "iter_choices") else ()
        title = next((str(choice.label) for choice in choices if choice.value == value), value)
        return f"{field.label.text}{_('：')}{title}"

    def offer(self, name: str, choices: Iterable[tuple[str, object]]) -> None:
        """Give a question its choices, behind the one that stands for all of them."""
        field: Any = self._fields[name]
        field.choices = [*field.choices[:1], *(SelectChoice(value, title) for value, title in choices)]


class CaseFilter(Filter):
    """本单位办件: by state, office, time-limit and words."""

    state = Among(_l("状态"), empty=_l("全部状态"), required=False)
    office = Among(_l("单位"), empty=_l("全部单位"), required=False)
    late = Among(_l("期限"), LATE, empty=_l("全部期限"), required=False)
    text = Words(
        _l("查找"), most=60, required=False, render_kw={"placeholder": _l("编号、名称、代码或文号"), "type": "search"}
    )


class RecordFilter(Filter):
    """信用档案: by class, publication, office and words."""

    cls = Among(_l("类别"), CLASSES, empty=_l("全部类别"), required=False)
    status = Among(_l("公示"), STATUSES, empty=_l("全部"), required=False)
    office = Among(_l("单位"), empty=_l("全部单位"), required=False)
    text = Words(
        _l("查找"), most=60, required=False, render_kw={"placeholder": _l("名称、代码或文号"), "type": "search"}
    )
