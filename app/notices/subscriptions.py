"""What a department asks to hear of beyond what it must be told: from a day until a day, never less than the law."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, update

from app.db import db
from app.journal import Doer, write_line
from app.models import Office, Subscription
from workflows.calendar import legal_day

MOST = 20
"""Subscriptions of one department in force at once."""
WANTED = Subscription.__table__.c


class NotSubscribed(ValueError):
    """The subscription was not made or not ended; the text is a Chinese sentence that says why."""


def subscribe(
    office_id: int, *, region: str, trade: str, kind: str, since: date, until: date | None, doer: Doer, at: datetime
) -> int:
    """Tell a department of every outcome about records of a region (prefix of its code), a trade, a kind; an empty
    filter takes everything. Inside `transaction()`. Raises NotSubscribed."""
    _hold(office_id)
    today = legal_day(at)
    if since < today:
        raise NotSubscribed("开始日期不能早于今天：订阅只管以后的通知。")
    if until is not None and until < since:
        raise NotSubscribed("结束日期早于开始日期，请核对。")
    open_ones = and_(WANTED.office_id == office_id, or_(WANTED.valid_until.is_(None), WANTED.valid_until >= today))
    filters = {"regions": region, "trades": trade, "kinds": kind}
    same = and_(open_ones, *(WANTED[name] == value for name, value in filters.items()))
    if db.session.execute(select(WANTED.id).where(same)).first():
        raise NotSubscribed("已经有同样的订阅。")
    if db.session.execute(select(func.count()).where(open_ones)).scalar_one() >= MOST:
        raise NotSubscribed("有效的订阅已经很多，请先结束不用的，或者订阅更宽的范围。")
    made: int = db.session.execute(
        insert(Subscription.__table__)
        .values(office_id=office_id, **filters, valid_from=since, valid_until=until, made_by=doer.person, made_at=at)
        .returning(WANTED.id)
    ).scalar_one()
    _note(office_id, "subscribe", doer, at, {**filters, "since": since.isoformat(), "until": _iso(until)})
    return made


def end_subscription(office_id: int, subscription_id: int, *, last_day: date, doer: Doer, at: datetime) -> None:
    """End a subscription with a day, that day included. Raises NotSubscribed; LookupError when it is not theirs."""
    _hold(office_id)
    row = db.session.execute(
        select(WANTED.valid_from, WANTED.valid_until, WANTED.regions, WANTED.trades, WANTED.kinds).where(
            WANTED.id == subscription_id, WANTED.office_id == office_id
        )
    ).first()
    if row is None:
        raise LookupError(f"没有编号为 {subscription_id} 的订阅")
    if row.valid_until is not None and row.valid_until < last_day:
        raise NotSubscribed("这项订阅已经定在更早的一天结束。")
    db.session.execute(update(Subscription.__table__).where(WANTED.id == subscription_id).values(valid_until=last_day))
    filters = {"regions": row.regions, "trades": row.trades, "kinds": row.kinds}
    _note(office_id, "end_subscription", doer, at, {**filters, "until": last_day.isoformat()})


def _hold(office_id: int) -> None:
    db.session.execute(select(Office.id).where(Office.id == office_id).with_for_update()).scalar_one()


def _note(office_id: int, act: str, doer: Doer, at: datetime, answers: dict[str, Any]) -> None:
    write_line("office", office_id, act, doer, at, law_text="D", answers=answers)


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
