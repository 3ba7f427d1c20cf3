"""What the page 订阅与接口 shows of a department, and what an administrator sees of how departments are reached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from app.db import db
from app.models import ApiKey, ApiKeyDay, Delivery, Endpoint, Office, ReceiverKey, Subscription, User
from app.models.sharing import CHANNELS_OUT
from app.notices.address_book import RECIPIENTS, STANDS_FOR
from app.notices.api_keys import SCOPES
from app.notices.formats import FORMATS
from app.notices.formats.told import DECISIONS, RECORD_KINDS
from app.registry.regions import regions
from workflows.calendar import legal_day
from workflows.law import RuleRow, rule

ENDPOINT, KEY, WANTED = Endpoint.__table__.c, ReceiverKey.__table__.c, Subscription.__table__.c
PREFIX = 4
"""Digits of a region's code that stand for a city and everything in it."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How a department is told. `state` and `tone` say in words and colour whether sending goes well."""

    office: Any
    channel: str
    format: str
    address: str
    state: str
    tone: str
    trouble: str
    stopped: bool
    resumable: bool
    delivered_at: datetime | None = None
    waiting: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key with its stretch of time; `state` is one of now, ahead, ending (an end is set) and over."""

    id: int
    name: str
    material: str
    since: datetime
    until: datetime | None
    by: str
    state: str


@dataclass(frozen=True, slots=True)
class ApiLine:
    """A key to the interface: `shown` is the beginning by which its holder recognises it, `asked` how often it has
    asked for credit files today, of `per_day` times."""

    id: int
    label: str
    shown: str
    scopes: str
    person: str
    used_at: datetime | None
    until: datetime | None
    state: str
    asked: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A subscription in words."""

    id: int
    words: str
    since: date
    until: date | None
    over: bool


@dataclass(frozen=True, slots=True)
class Due:
    """What must be told by law: as whom, of which outcomes, under which article."""

    word: str
    outcomes: tuple[str, ...]
    citation: str


def reached(offices: Iterable[int], at: datetime) -> list[Reached]:
    """How each of these departments is told, in the order of their codes. Two statements."""
    ids = list(offices)
    rows = db.session.execute(
        select(
            Office.id, Office.code, Office.name, Office.receives, ENDPOINT.channel, ENDPOINT.format, ENDPOINT.address,
            ENDPOINT.failures, ENDPOINT.open_until, ENDPOINT.stopped_at, ENDPOINT.stopped_why, ENDPOINT.trouble,
        )
        .outerjoin_from(Office.__table__, Endpoint.__table__, ENDPOINT.office_id == Office.id)
        .where(Office.id.in_(ids))
        .order_by(Office.code)
    ).all()  # fmt: skip
    counts = db.session.execute(
        select(
            Delivery.receiver_id, Delivery.state, func.count().label("n"),
            func.max(Delivery.delivered_at).label("last"),
        )
        .where(Delivery.receiver_id.in_(ids))
        .group_by(Delivery.receiver_id, Delivery.state)
    ).all()  # fmt: skip
    told = {(row.receiver_id, row.state): row for row in counts}
    return [_reached(row, told, at) for row in rows]


def _reached(row: Any, told: dict[tuple[int, str], Any], at: datetime) -> Reached:
    waiting, dead = (told.get((row.id, state)) for state in ("waiting", "dead"))
    arrived = [line.last for state in ("delivered", "skipped") if (line := told.get((row.id, state))) and line.last]
    broken = row.open_until is not None and row.open_until > at
    if row.stopped_at is not None:
        state, tone = _("已停止发送"), "zhu"
    elif broken:
        state, tone = _("对方没有应答，过一会儿再试"), "ju"
    elif dead is not None:
        state, tone = _("有通知送不到"), "zhu"
    elif row.failures:
        state, tone = _("上一次没有送到，会再送"), "ju"
    elif row.channel == "feed" and waiting is not None:
        state, tone = _("等对方来取"), "dai"
    else:
        state, tone = _("正常"), "zhuqing"
    channel = row.channel or "counter"
    return Reached(
        office=row,
        channel=_(CHANNELS_OUT[channel]),
        format=_(FORMATS[row.format or "result"].TITLE),
        address=row.address or "",
        state=state,
        tone=tone,
        trouble=row.stopped_why or row.trouble or "",
        stopped=row.stopped_at is not None,
        resumable=row.stopped_at is not None or broken,
        delivered_at=max(arrived, default=None),
        waiting=waiting.n if waiting else 0,
        dead=dead.n if dead else 0,
    )


def keys_of(office_id: int, use: str, at: datetime) -> list[KeyLine]:
    """The keys of one use: those in force or ahead, and the last that ended, the newest first."""
    rows = db.session.execute(
        select(KEY.id, KEY.name, KEY.material, KEY.valid_from, KEY.valid_until, User.name.label("by"))
        .outerjoin_from(ReceiverKey.__table__, User.__table__, User.id == KEY.made_by)
        .where(KEY.office_id == office_id, KEY.use == use)
        .order_by(KEY.valid_from.desc(), KEY.id.desc())
        .limit(20)
    ).all()
    return [
        KeyLine(
            row.id, row.name, row.material if use == "receipt" else "", row.valid_from, row.valid_until, row.by or "",
            _state(row.valid_from, row.valid_until, at),
        )
        for row in rows
    ]  # fmt: skip


def _state(since: datetime, until: datetime | None, at: datetime) -> str:
    if until is not None and until <= at:
        return "over"
    if since > at:
        return "ahead"
    return "now" if until is None else "ending"


def api_keys_of(office_id: int, at: datetime) -> list[ApiLine]:
    """The keys of a department to the interface, the newest first."""
    rows = db.session.execute(
        select(
            ApiKey.id, ApiKey.label, ApiKey.prefix, ApiKey.scopes, ApiKey.last_used_at, ApiKey.valid_from,
            ApiKey.valid_until, ApiKey.per_day, User.name, (ApiKeyDay.looks + ApiKeyDay.searches).label("asked"),
        )
        .join(User, User.id == ApiKey.user_id)
        .outerjoin(ApiKeyDay, (ApiKeyDay.api_key_id == ApiKey.id) & (ApiKeyDay.day == legal_day(at)))
        .where(ApiKey.office_id == office_id)
        .order_by(ApiKey.id.desc())
        .limit(20)
    ).all()  # fmt: skip
    return [
        ApiLine(
            row.id, row.label, f"jn_{row.prefix}…", _("、").join(_(SCOPES[scope]) for scope in row.scopes.split()),
            row.name, row.last_used_at, row.valid_until, _state(row.valid_from, row.valid_until, at),
            row.asked or 0, row.per_day,
        )
        for row in rows
    ]  # fmt: skip


def wanted_by(office_id: int, today: date) -> list[Wanted]:
    """The subscriptions of a department, those in force first."""
    rows = db.session.execute(
        select(WANTED.id, WANTED.regions, WANTED.trades, WANTED.kinds, WANTED.valid_from, WANTED.valid_until)
        .where(WANTED.office_id == office_id)
        .order_by(or_(WANTED.valid_until.is_(None), WANTED.valid_until >= today).desc(), WANTED.id.desc())
        .limit(30)
    ).all()
    return [
        Wanted(
            row.id, filters_text(row.regions, row.trades, row.kinds), row.valid_from, row.valid_until,
            row.valid_until is not None and row.valid_until < today,
        )
        for row in rows
    ]  # fmt: skip


def filters_text(region: str, trade: str, kind: str) -> str:
    """What a subscription takes, in words."""
    where = _("、").join(_place(code) for code in region.split())
    kinds = _("、").join(_(RECORD_KINDS.get(word, word)) for word in kind.split())
    return " · ".join((where or _("不限地区"), trade.replace(" ", "、") or _("不限行业"), kinds or _("不限种类")))


def _place(prefix: str) -> str:
    found = regions().get(prefix.ljust(6, "0"))
    return found.name if found else prefix


def places() -> list[tuple[str, str]]:
    """The cities of the province by the prefix of their codes."""
    return [(region.code[:PREFIX], region.name) for region in regions().values() if region.level == "prefecture"]


def kinds() -> list[tuple[str, str]]:
    """Kinds of records that outcomes are about."""
    return [(word, _(title)) for word, title in RECORD_KINDS.items()]


def must_hear(receives: str, day: date) -> list[Due]:
    """What a department must be told by law, whether it wants to or not."""
    words = receives.split()
    words += [word for word, behind in STANDS_FOR.items() if behind in words]
    return [_due(word, rule(f"sharing.{word}").on(day)) for word in words]


def _due(word: str, row: RuleRow) -> Due:
    outcomes = dict.fromkeys(_(DECISIONS[act]) for act in str(row.value).split() if act in DECISIONS)
    return Due(_(RECIPIENTS[word]), tuple(outcomes), row.citation)
