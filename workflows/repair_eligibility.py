"""Pre-check: from the record alone, can it be repaired now, from what day, or never, and what is to be brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from workflows.grammar import DUTY_PERFORMED, Ask, Facts, Refusal
from workflows.people import WATCH
from workflows.repair import REPAIR
from workflows.repair_needs import OTHERWISE, minimum_passed, still_shown

NOW, WAIT, NEVER, NONE = "now", "wait", "never", "none"


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What the law says of one record today.

    `status` is NOW, WAIT (only the minimum period is missing), NEVER (something else stands against it; `refusals` name
    what) or NONE (nothing to repair). `first_day` is the first day an application is possible, `release_day` the
    working day on which an early filing goes forward, `provisional` whether that day rests on a calendar not yet
    announced. `bring` lists the papers asked for, two at most.
    """

    status: str
    refusals: tuple[Refusal, ...]
    first_day: date | None
    release_day: date | None
    provisional: bool
    bring: tuple[str, ...]


def eligibility(facts: Facts, at: datetime) -> Eligibility:
    """Judge `facts.record` of `facts.case.subject` as on the civil day of `at`."""
    record = facts.record
    if record is None:
        raise ValueError("没有信息，无从判断能否修复")
    ask = Ask(REPAIR, REPAIR.step["open"], facts, WATCH, at)
    against = tuple(refusal for need in OTHERWISE for refusal in need(ask))
    waiting = tuple(minimum_passed(ask))
    first = release = None
    provisional = False
    if waiting and record.minimum_last_day is not None:
        first = date.fromordinal(record.minimum_last_day.toordinal() + 1)
        release = facts.calendar.next_working(first)
        provisional = facts.calendar.is_provisional(release)
    if tuple(still_shown(ask)):
        return Eligibility(NONE, against, None, None, False, ())
    if against:
        return Eligibility(NEVER, (*against, *waiting), first, release, provisional, ())
    bring: tuple[str, ...] = ("信用修复承诺书，在线签署",)
    if record.duty != DUTY_PERFORMED:
        bring = (*bring, "纠正失信行为、履行处罚义务的证明材料，照片或者文件")
    return Eligibility(WAIT if waiting else NOW, waiting, first, release, provisional, bring)
