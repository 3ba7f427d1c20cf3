"""What is asked when records are taken in: the file, what becomes of rows that wait, and why a batch is taken back."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField
from wtforms.validators import ValidationError

from forms.fields import Among, Paragraphs
from forms.search import Filter
from forms.typed import FilesForm, TypedForm

STATES = (
    ("previewed", _l("待确认写入")),
    ("queued", _l("排队中")),
    ("running", _l("正在写入")),
    ("done", _l("已完成")),
    ("failed", _l("已中断")),
    ("undone", _l("已撤销")),
)


class BatchFilter(Filter):
    """报送批次: by kind of record, where it stands, and office."""

    kind = Among(_l("信息种类"), empty=_l("全部种类"), required=False)
    state = Among(_l("进展"), STATES, empty=_l("全部"), required=False)
    office = Among(_l("报送单位"), empty=_l("全部单位"), required=False)


class UploadForm(FilesForm):
    """A file of records, of which kind, and for which office."""

    sheet = FileField(
        _l("文件"),
        description=_l("CSV 或者 Excel（xls、xlsx）。表头写字段名称或者代码都可以，新旧两种都认。"),
    )
    kind = Among(_l("信息种类"), empty=_l("按表头判断"), required=False)
    office = Among(_l("报送单位"))

    def validate_sheet(self, field: FileField) -> None:
        """A file was chosen."""
        if not field.data:
            raise ValidationError(_l("请选择文件。"))


class MendForm(TypedForm):
    """A waiting row corrected: its cells stand beside, one for each column of the file."""

    confirmed = BooleanField(_l("我已对照证照、文书核对：就是这个主体；本批前面有同一件的，以这一行为准"))


class AsideForm(TypedForm):
    """Rows that are not taken in, and why."""

    reason = Paragraphs(
        _l("原因"), most=500, rows=3, description=_l("报送单位会看到，写进结果表。例如：不属于本目录，请另表报送。"),
    )  # fmt: skip


class UndoForm(TypedForm):
    """Why a batch is taken back."""

    reason = Paragraphs(
        _l("为什么撤销这一批"), most=200, rows=3,
        description=_l("例如：报送单位来函，文件拿错了。会写进每条信息的公示经过，不能删改。"),
    )  # fmt: skip
