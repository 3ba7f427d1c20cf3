"""What the pages about law rows and the calendar show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.db import db
from app.legal_book.days import Declared, calendar_with
from app.models import Attestation, User
from app.views.basis import UNITS
from workflows.calendar import HOLIDAY, MAKEUP, OVERRIDE, DayReason
from workflows.law import EVENT, RECEIPT, RECOGNITION, Instrument, Rule, RuleRow, UnknownRule, instrument, rule, rules

MOST_SHOWN = 100
"""Moved limits that the page names one by one; the rest are counted."""

GROUPS = {"repair": "信用修复的程序", "records": "信息的分类和公示", "remedy": "救济途径", "desk": "办件提醒"}
SELECTED_BY = {RECEIPT: "按收到申请那天选用", RECOGNITION: "按认定那天选用", EVENT: "按办理那天选用"}
EVIDENCE = {
    "V2": "两处以上的文本一致",
    "V1": "看到一处文本",
    "F": "看到文字，没有看到准确的数字或者条件",
    "R": "据一般了解，没有看到文本",
    "D": "本机关自行规定，没有法规依据",
    "?": "没有查到",
}
WORDS = {
    "restart": "重新计算",
    "run_on": "照常计算",
    "pause": "暂停计算",
    "allowed": "可以",
    "not_allowed": "不可以",
    "if_necessary": "确有必要时公示",
    "never": "不公示",
}
OTHER_UNITS = {"times": "%(n)s 次", "percent": "%(n)s%%"}


@dataclass(frozen=True, slots=True)
class Attested:
    """Who vouched for a row, when, on what."""

    name: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class LawRow:
    """A law row for the page. `pending` while nobody vouches for a value; `current` when in force today."""

    rule_id: str
    title: str
    digest: str
    value: str
    selected_by: str
    since: date
    until: date | None
    source: Instrument
    citation: str
    article: str
    url: str
    evidence: str
    evidence_text: str
    note: str
    when: str
    verified: bool
    attested: Attested | None
    attestable: bool
    current: bool

    @property
    def pending(self) -> bool:
        """True while the row runs and nobody vouches for it."""
        return not self.verified and self.attested is None


def law_rows(today: date) -> list[LawRow]:
    """Every row of every rule, in the order of the law room."""
    vouched = _attestations()
    return [_law_row(each, row, today, vouched) for each in rules() for row in each.rows]


def law_row(rule_id: str, digest: str, today: date) -> LawRow | None:
    """One row, None when this release has no such row."""
    try:
        each = rule(rule_id)
    except UnknownRule:
        return None
    row = next((row for row in each.rows if row.digest == digest), None)
    return None if row is None else _law_row(each, row, today, _attestations())


def grouped(rows: Iterable[LawRow]) -> list[tuple[str, list[LawRow]]]:
    """Rows by the file they come from."""
    found: dict[str, list[LawRow]] = {key: [] for key in GROUPS}
    for row in rows:
        found.setdefault(row.rule_id.partition(".")[0], []).append(row)
    return [(_(GROUPS.get(key, key)), group) for key, group in found.items() if group]


def _attestations() -> dict[tuple[str, str], Attested]:
    rows = db.session.execute(
        select(Attestation.rule, Attestation.row, Attestation.at, Attestation.note, User.name).join(
            User, User.id == Attestation.user_id
        )
    ).all()
    return {(row.rule, row.row): Attested(row.name, row.at, row.note) for row in rows}


def _law_row(each: Rule, row: RuleRow, today: date, vouched: dict[tuple[str, str], Attested]) -> LawRow:
    attested = vouched.get((row.rule_id, row.digest))
    return LawRow(
        rule_id=row.rule_id,
        title=each.title,
        digest=row.digest,
        value=value_text(row),
        selected_by=_(SELECTED_BY[each.selected_by]),
        since=row.valid_from,
        until=row.valid_until,
        source=instrument(row.instrument),
        citation=row.citation,
        article=row.article,
        url=row.url if row.url.startswith("https://") else "",
        evidence=row.evidence,
        evidence_text=_(EVIDENCE[row.evidence]),
        note=row.note,
        when="、".join(row.when),
        verified=row.verified,
        attested=attested,
        attestable=not row.verified and attested is None and row.value is not None,
        current=row.in_force(today),
    )


def value_text(row: RuleRow) -> str:
    """What a row says, in words."""
    if row.value is None:
        return _("没有查到")
    template = UNITS.get(row.unit) or OTHER_UNITS.get(row.unit)
    if template is None:
        return _(WORDS.get(str(row.value), str(row.value)))
    said = _(template, n=row.value)
    return _("%(length)s，遇休息日顺延", length=said) if row.shift else said


# --- calendar ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring days that are the same kind of exception."""

    first: date
    last: date
    working: bool
    name: str
    own: bool
    provisional: bool


@dataclass(frozen=True, slots=True)
class Year:
    """A year of the calendar: its exceptions from the plain week, and whether its arrangement is known."""

    number: int
    announced: bool
    settled: bool
    working_days: int
    runs: tuple[Run, ...]
    notices: tuple[str, ...]


def year_of(number: int, rows: Iterable[Any]) -> Year:
    """What the calendar says of a year with the office's own rows."""
    rows = list(rows)
    calendar = calendar_with(rows)
    days = [date(number, 1, 1) + timedelta(days=n) for n in range((date(number + 1, 1, 1) - date(number, 1, 1)).days)]
    reasons = [calendar.reason(day) for day in days]
    own = [row for row in rows if row.day.year == number]
    return Year(
        number=number,
        announced=calendar.announced(number),
        settled=calendar.announced(number + 1),
        working_days=sum(reason.working for reason in reasons),
        runs=tuple(_runs(reasons)),
        notices=tuple(dict.fromkeys(row.notice for row in own)),
    )


def _runs(reasons: Iterable[DayReason]) -> list[Run]:
    runs: list[Run] = []
    for reason in reasons:
        if reason.kind not in (HOLIDAY, MAKEUP, OVERRIDE):
            continue
        run = Run(reason.day, reason.day, reason.working, reason.name, reason.kind == OVERRIDE, reason.provisional)
        last = runs[-1] if runs else None
        if last is not None and last.last + timedelta(days=1) == run.first and _alike(last, run):
            runs[-1] = Run(last.first, run.last, last.working, last.name, last.own, last.provisional)
        else:
            runs.append(run)
    return runs


def _alike(one: Run, other: Run) -> bool:
    return (one.working, one.name, one.own, one.provisional) == (
        other.working, other.name, other.own, other.provisional,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeclaredDay:
    """A day about to be declared, and what the calendar says of it now."""

    day: date
    working: bool
    now: str
    same: bool


def declared_days(days: Iterable[Declared], rows: Iterable[Any]) -> list[DeclaredDay]:
    """The days to be declared beside what they are now."""
    calendar = calendar_with(rows)
    found = []
    for each in days:
        reason = calendar.reason(each.day)
        found.append(DeclaredDay(each.day, each.working, reason.name, reason.working == each.working))
    return found
