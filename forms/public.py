"""What anybody may ask: a company by its code, a document by its number or by the file itself."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import Field
from wtforms.validators import ValidationError

from forms.fields import Among, Day, Words
from forms.search import Filter
from forms.typed import FilesForm, TypedForm

CODE_LINE = 64
"""Characters of a line that holds a code: more than any code with blanks and dashes."""

SEARCH_LINE = 100
"""Characters of a line that holds a name; no usual one is longer."""


class SearchForm(TypedForm):
    """A name or a piece of it, a code or a 文号; which of them it is, the register judges, not the form."""

    q = Words(
        _l("企业名称、信用代码或文号"),
        most=SEARCH_LINE,
        message=_l("请输入企业名称（两个字起）、统一社会信用代码或者文号。"),
    )


class ListFilter(Filter):
    """What every 双公示 list can be narrowed to."""

    office = Among(_l("决定机关"), empty=_l("全部机关"), required=False)
    region = Among(_l("地区"), empty=_l("全省"), required=False)
    category = Among(_l("种类"), empty=_l("全部种类"), required=False)
    since = Day(_l("决定日期从"), required=False)
    until = Day(_l("到"), required=False)

    def validate_until(self, field: Field) -> None:
        """The last day is not before the first."""
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError(_l("结束日期早于开始日期，请对调。"))

    def _word(self, name: str, value: Any) -> str:
        return super()._word(name, value.isoformat() if isinstance(value, date) else value)


class PenaltyFilter(ListFilter):
    """行政处罚: also by class, and those that were withdrawn with the reason."""

    cls = Among(
        _l("失信类别"), (("轻微", _l("轻微")), ("一般", _l("一般")), ("严重", _l("严重"))),
        empty=_l("全部类别"), required=False,
    )  # fmt: skip
    state = Among(_l("状态"), (("withdrawn", _l("已撤回并说明理由")),), empty=_l("公示中"), required=False)


class PermitFilter(ListFilter):
    """行政许可: also by whether it is still valid."""

    state = Among(
        _l("有效期"), (("valid", _l("有效期内")), ("expired", _l("已过有效期"))), empty=_l("不限"), required=False
    )


class LookUpForm(TypedForm):
    """The 查验码 of a document."""

    number = Words(
        _l("查验码"),
        most=CODE_LINE,
        message=_l("请输入文书末页二维码旁的查验码。"),
        description=_l("文书二维码旁的 25 位字母和数字，大小写、空格、横线都可以。"),
    )


class FileForm(FilesForm):
    """A PDF to compare with what was issued; it is read once and not kept."""

    file = FileField(_l("PDF 文件"), description=_l("只在这里比对一次，比对后不保存。不超过 10 MB。"))

    def validate_file(self, field: FileField) -> None:
        """A file was chosen."""
        if not field.data:
            raise ValidationError(_l("请选择要核验的 PDF 文件。"))
