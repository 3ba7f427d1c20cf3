"""What a credit file can be asked: another day, a sealed extract, a look behind the masks."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l

from forms.fields import Day, Words
from forms.search import Filter
from forms.typed import TypedForm


class DayFilter(Filter):
    """The day of which one wants to see what was public, and as known when; it stands in the address."""

    on = Day(_l("哪一天"), required=False)
    known = Day(_l("按哪一天掌握的情况"), required=False, description=_l("不填，就是那一天网站实际公示的内容。"))


class ExtractForm(TypedForm):
    """A sealed extract of the day that is shown."""

    on = Day(required=False)
    known = Day(required=False)

    def begin(self, on: date | None, known: date | None) -> None:
        """The day of the page the form stands on."""
        self.on.data, self.known.data = on, known


class ReasonForm(ExtractForm):
    """Why an officer looks behind the masks, or takes an extract."""

    reason = Words(
        _l("理由"),
        most=200,
        message=_l("请写明为什么要看，例如办件编号或者核查事项，至少 4 个字。"),
        description=_l("例如办件编号或者核查事项。您的姓名、时间和理由会记录在案，负责人看得到。"),
    )
