"""What an officer at a hall window is asked: whose application it is, when it was handed in, with what papers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, MultipleFileField
from wtforms import BooleanField, SelectMultipleField
from wtforms.fields import SelectChoice

from forms.application import ContactForm, KeyedForm
from forms.fields import Day, OneOf, Paragraphs, Words
from forms.typed import FilesForm, TypedForm

ONE_FILE = _l("PDF、JPG、PNG，不超过 10 MB。")
SEVERAL = _l("PDF、JPG、PNG，可以一次选几个；单个不超过 10 MB，一次不超过 40 MB。")


class FindForm(TypedForm):
    """Whose application it is."""

    text = Words(
        _l("统一社会信用代码或者名称"),
        description=_l("自然人请输入身份证号码；号码只用来查找，不显示、不留痕。"),
        render_kw={"autocomplete": "off"},
    )


class _Papers(FilesForm):
    """Files that were looked into and kept stay with the page under a seal of ours; `drop` takes one off again."""

    kept = SelectMultipleField(validate_choice=False)
    drop = SelectMultipleField(validate_choice=False)

    def uploads(self, name: str) -> list[Any]:
        """The uploads of a question that carry a name."""
        data = self._fields[name].data
        return [file for file in (data if isinstance(data, list) else [data]) if getattr(file, "filename", "")]

    def staying(self) -> list[str]:
        """The seals of files that are kept and not taken off."""
        return [seal for seal in self.kept.data or () if seal not in (self.drop.data or ())]


class HallForm(_Papers, ContactForm, KeyedForm):
    """An application as it was handed in over the counter."""

    records = SelectMultipleField(validate_choice=False)
    received_on = Day(_l("窗口收到的日期"), description=_l("总期限从这一天起算；受理期限从您确认收件的当天起算。"))
    number = Words(_l("窗口受理编号"), most=40, required=False, description=_l("政务服务大厅另有编号的填写。"))
    signer = Words(_l("承诺书由谁签署"), most=40, message=_l("请填写承诺书签署人的姓名。"))
    capacity = OneOf(_l("签署人的身份"), ())
    signed_on = Day(_l("承诺书的签署日期"))
    name_public = BooleanField(_l("签署人同意公开姓名"))
    scan = FileField(_l("承诺书扫描件"), description=ONE_FILE)
    proofs = MultipleFileField(_l("证明材料"), description=SEVERAL)

    def offer(self, capacities: Iterable[tuple[str, str]]) -> None:
        """In which capacities a letter of such a subject may be signed."""
        self.capacity.choices = [SelectChoice(value, title) for value, title in capacities]


class CompletionForm(_Papers, KeyedForm):
    """What an applicant brings to the window after they were asked to complete their application."""

    statement = Paragraphs(_l("补正说明"), message=_l("请写明补正了什么。"), rows=4)
    files = MultipleFileField(_l("补正材料"), description=SEVERAL)
