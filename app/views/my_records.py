"""What a record looks like to those it is about: what it was, can it be repaired, from what day, with what papers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.facts import records_of
from app.db import db
from app.models import Case, Filing, Office
from app.views.refusals import No, no_of
from app.views.texts import article, day_year
from workflows.calendar import Calendar
from workflows.grammar import DUTY_PERFORMED, Ask, Facts
from workflows.people import WATCH
from workflows.repair import REPAIR
from workflows.repair_eligibility import NEVER, NONE, NOW, WAIT, eligibility
from workflows.repair_needs import early

BUSY = "busy"
ORDER = (NOW, WAIT, BUSY, NEVER, NONE)
NEGATIVE = ("penalty", "list", "repair_breach")
"""Kinds of record that stand against a subject; a permit does not."""
BREACH, BANNED, UNCLASSED = "repair_breach", "BANNED_UNTIL", "UNCLASSED"
NOTHING_LEFT = ("ANNULLED", "NOTHING_TO_REPAIR")
"""Why there is nothing to repair; whatever else stands against an application does not matter then."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as a card names it."""

    title: str
    number: str
    cls: str
    recognised_on: date


@dataclass(frozen=True, slots=True)
class Card:
    """What `parts/elig.html` shows of a record. `status` is one of ORDER; `early` offers filing before the time."""

    id: int
    public_id: str
    record: Shown
    row: Any
    status: str
    reasons: tuple[No, ...]
    first_day: date | None
    release_day: date | None
    provisional: bool
    bring: tuple[str, ...]
    early: bool
    law_text: str
    office: str
    phone: str
    url: str
    action_url: str
    action_title: str
    calendar: Calendar

    @property
    def choosable(self) -> bool:
        """An application may be begun for it, now or early."""
        return self.status == NOW or self.early


def wrong_in_words(title: str, fields: Mapping[str, Any]) -> str:
    """What was done and what it brought, in a line: 超限运输，罚款 3 万元."""
    kinds = [kind for kind in str(fields.get("CF_CFLB") or "").split(";") if kind]
    words = [penalty_in_words(kind, fields) for kind in kinds]
    return title + _("，") + _("、").join(words) if words else title


def penalty_in_words(kind: str, fields: Mapping[str, Any]) -> str:
    """A kind of penalty with its sum, where the row states one."""
    stated = fields.get("CF_NR_FK") if kind == "罚款" else fields.get("CF_NR_WFFF") if "没收" in kind else None
    try:
        wan = Decimal(str(stated)) if stated else Decimal(0)
    except InvalidOperation:
        return kind
    if not wan:
        return kind
    if wan < 1:
        return _("%(kind)s %(sum)s 元", kind=kind, sum=f"{(wan * 10000).normalize():,f}")
    return _("%(kind)s %(sum)s 万元", kind=kind, sum=f"{wan:,.2f}")


def cards_of(subject_id: int, at: datetime) -> list[Card]:
    """A card for every record that stands against a subject, those that can be repaired first; four statements."""
    found = [(row, facts) for row, facts in records_of(subject_id, at) if row.kind in NEGATIVE]
    if not found:
        return []
    offices = {
        office.id: office
        for office in db.session.execute(
            select(Office.id, Office.name, Office.phone).where(Office.id.in_({row.office_id for row, _f in found}))
        )
    }
    numbers = {facts.record.other_open_case for _row, facts in found if facts.record and facts.record.other_open_case}
    cases = {}
    if numbers:
        rows = db.session.execute(
            select(Case.number, Case.state, Filing.receipt)
            .join(Filing, Filing.id == Case.filing_id)
            .where(Case.number.in_(numbers))
        )
        cases = {case.number: case for case in rows}
    cards = [_card(row, facts, offices[row.office_id], cases, at) for row, facts in found]
    return sorted(cards, key=lambda card: ORDER.index(card.status))


def _card(row: Any, facts: Facts, office: Any, cases: Mapping[str, Any], at: datetime) -> Card:
    judged = eligibility(facts, at)
    status, reasons = judged.status, tuple(no_of(refusal) for refusal in judged.refusals)
    if row.kind == BREACH:
        status, reasons = NEVER, (*(no for no in reasons if no.code == BANNED), _of_a_breach())
    elif status == NONE and row.annulled_on is None and any(no.code == UNCLASSED for no in reasons):
        status, reasons = NEVER, tuple(no for no in reasons if no.code == UNCLASSED)
    elif status == NONE:
        reasons = tuple(no for no in reasons if no.code in NOTHING_LEFT)
    action_url = action_title = ""
    case = cases.get(facts.record.other_open_case if facts.record else "")
    if case is not None:
        status, reasons = BUSY, ()
        private = REPAIR.state[case.state].private
        action_title = _("继续填写申请") if private else _("查看办理进度")
        action_url = (
            url_for("enterprise.filing", receipt=case.receipt)
            if private
            else url_for("enterprise.case", number=case.number)
        )
    elif status == NOW:
        reasons = _in_favour(row)
    url = url_for("enterprise.record", public_id=row.public_id)
    return Card(
        id=row.id,
        public_id=row.public_id,
        record=Shown(wrong_in_words(row.title, row.fields or {}), row.number, row.cls, row.recognised_on),
        row=row,
        status=status,
        reasons=reasons,
        first_day=judged.first_day,
        release_day=judged.release_day,
        provisional=judged.provisional,
        bring=tuple(_(paper) for paper in judged.bring),
        early=status == WAIT and not early(Ask(REPAIR, REPAIR.step["submit_early"], facts, WATCH, at)),
        law_text=article(REPAIR.step["submit"].law) if status == NOW else "",
        office=office.name,
        phone=office.phone,
        url=url,
        action_url=action_url or url,
        action_title=action_title or _("看这条信息"),
        calendar=facts.calendar,
    )


def _of_a_breach() -> No:
    """What a record of false material is, and what helps against it."""
    text = _(
        "这是在信用修复中提供虚假材料的失信记录，结果通知“信用中国”。对认定不服的，可以依法申请行政复议或者提起行政诉讼。"
    )
    return No(text, "", "", "")


def _in_favour(row: Any) -> tuple[No, ...]:
    """Why it can be repaired now."""
    if row.minimum_last_day is None:
        words = [_("这类信息不用等待期满。")]
    else:
        words = [_("最短公示期已于%(day)s届满。", day=day_year(row.minimum_last_day))]
    if row.duty == DUTY_PERFORMED:
        words.append(_("处罚的义务已经履行，系统已核对，不用再交证明。"))
    return (No("".join(words), "", "", ""),)
