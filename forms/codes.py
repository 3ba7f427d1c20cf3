"""How a doubt about a code is settled: one form for each way, with names of their own, because they share a page."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from forms.fields import Among, Day, Paragraphs, Words
from forms.search import Filter
from forms.typed import TypedForm


class DoubtFilter(Filter):
    """代码疑问: by kind."""

    kind = Among(_l("种类"), empty=_l("全部种类"), required=False)


class KeepForm(TypedForm):
    """It is right as it is."""

    keep_reason = Paragraphs(
        _l("怎样核对的"), most=500, rows=3, description=_l("例如：查了营业执照，名称写法不同，是同一家。会记入记录。"),
    )  # fmt: skip


class RowForm(TypedForm):
    """The row gave a wrong name or code."""

    row_name = Words(_l("正确的名称"), most=200)
    row_code = Words(_l("正确的代码"), most=100)


class RenameForm(TypedForm):
    """The subject bears another name now."""

    rename_reason = Paragraphs(
        _l("依据"), most=500, rows=2, description=_l("例如：市场监管部门2026年10月8日准予变更登记。"),
    )  # fmt: skip


class MoveForm(TypedForm):
    """The record is about another subject."""

    move_code = Words(_l("它真正的主体的代码"), most=100)
    move_reason = Paragraphs(
        _l("依据"), most=500, rows=2, description=_l("原来的信息在错的主体名下撤回，在对的主体名下重新公示。"),
    )  # fmt: skip


class CodeForm(TypedForm):
    """The subject has another code since a day."""

    subject = Among(_l("哪个主体"))
    new_code = Words(_l("新的代码"), most=100)
    since = Day(_l("从哪一天起"), description=_l("新证照的核准日期；旧代码到前一天为止，仍查得到。"))
    code_reason = Paragraphs(_l("依据"), most=500, rows=2)
