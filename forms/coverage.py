"""For which period the figures of collection are asked."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from forms.fields import Day
from forms.search import Filter


class PeriodFilter(Filter):
    """From a day to a day, both counted."""

    since = Day(_l("从"), required=False)
    until = Day(_l("到"), required=False)
