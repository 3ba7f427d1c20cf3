"""What anybody may ask: a company by its code, a document by its number or by the file itself."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms.validators import ValidationError

from forms.fields import Words
from forms.typed import FilesForm, TypedForm

CODE_LINE = 64
"""Characters of a line that holds a code: more than any code with blanks and dashes."""


class SearchForm(TypedForm):
    """A 统一社会信用代码; whether it can be one is judged by the register, not here."""

    code = Words(
        _l("统一社会信用代码"),
        most=CODE_LINE,
        message=_l("请输入营业执照上的 18 位统一社会信用代码。"),
        description=_l("营业执照上的 18 位代码，大小写、空格都可以。"),
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
