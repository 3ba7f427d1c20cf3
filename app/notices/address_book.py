"""Whom a step means by a word, and who asked to hear more: 信用中国, province, ministry, linked departments.

Who must be told what is law (`workflows/law/sharing.toml`); which departments stand behind a word is the address book;
a subscription adds departments to outcomes that linked departments are told of.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Date, bindparam, or_, select

from app.db import db
from app.models import Endpoint, Office, Subscription
from workflows.law import RuleRow, rule

FRONT = "front"
"""The word for the portal an application came from: it is told what its applicant must hear, and only then."""
RECIPIENTS = {
    "credit_china": "信用中国",
    "province": "省信用平台",
    "ministry": "交通运输部",
    "linked": "联动部门",
    FRONT: "申请来的门户（信用中国）",
}
STANDS_FOR = {FRONT: "credit_china"}
"""Words under which no department is listed itself, and those that are behind them."""
CHANNELS_WITH_PORTAL = ("creditchina",)
SUBSCRIBED = "subscribed"
"""The word for whoever is told because they asked to be, not because they must."""

OFFICE, ENDPOINT, WANTED = Office.__table__.c, Endpoint.__table__.c, Subscription.__table__.c
LISTENING = (
    select(OFFICE.id, OFFICE.code, OFFICE.name, OFFICE.receives, ENDPOINT.format)
    .outerjoin_from(Office.__table__, Endpoint.__table__, ENDPOINT.office_id == OFFICE.id)
    .where(OFFICE.kind == "linked", OFFICE.receives != "")
    .order_by(OFFICE.code)
)
TODAY = bindparam("today", type_=Date)
SUBSCRIBING = (
    select(
        OFFICE.id, OFFICE.code, OFFICE.name, ENDPOINT.format, WANTED.regions, WANTED.trades, WANTED.kinds,
    )
    .join_from(Subscription.__table__, Office.__table__, WANTED.office_id == OFFICE.id)
    .outerjoin(Endpoint.__table__, ENDPOINT.office_id == OFFICE.id)
    .where(WANTED.valid_from <= TODAY, or_(WANTED.valid_until.is_(None), WANTED.valid_until >= TODAY))
    .order_by(OFFICE.code, WANTED.id)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Receiver:
    """A department that is told, the word under which, and the format it wants."""

    id: int
    code: str
    name: str
    word: str
    format: str


@dataclass(frozen=True, slots=True)
class Topic:
    """What a notice is about, as far as subscriptions ask: region code, trade and kind of record."""

    region: str
    trade: str
    kind: str


def duty_to_tell(word: str, act: str, day: date) -> RuleRow | None:
    """The law row by which those behind `word` must hear of `act` on a day; None when they need not."""
    row = rule(f"sharing.{word}").on(day)
    return row if act in str(row.value).split() else None


def words_for(tells: Iterable[str], channel: str) -> tuple[str, ...]:
    """Those words of a step that mean somebody in a case that came by `channel`."""
    return tuple(word for word in tells if word != FRONT or channel in CHANNELS_WITH_PORTAL)


def receivers(words: Iterable[str]) -> list[Receiver]:
    """Every department that listens to one of these words, in the order of their codes; each once."""
    words = tuple(words)
    found = []
    for row in db.session.execute(LISTENING).all():
        word = next((word for word in words if STANDS_FOR.get(word, word) in row.receives.split()), None)
        if word is not None:
            found.append(Receiver(row.id, row.code, row.name, word, row.format or "result"))
    return found


def subscribers(topic: Topic, day: date) -> list[Receiver]:
    """Every department that asked to hear of such a record, in the order of their codes; each once."""
    found: dict[int, Receiver] = {}
    for row in db.session.execute(SUBSCRIBING, {"today": day}).all():
        if (
            _wanted(row.regions, topic.region, prefix=True)
            and _wanted(row.trades, topic.trade)
            and _wanted(row.kinds, topic.kind)
        ):
            found.setdefault(row.id, Receiver(row.id, row.code, row.name, SUBSCRIBED, row.format or "result"))
    return list(found.values())


def _wanted(filters: str, value: str, prefix: bool = False) -> bool:
    """An empty filter takes everything; a region is wanted by any code it begins with."""
    wanted = filters.split()
    return not wanted or any(value.startswith(one) if prefix else value == one for one in wanted)
