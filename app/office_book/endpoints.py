"""How a linked department is told: channel, format, address; stopped and resumed with a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from app.casework.actor import Person
from app.db import db, insert_into, leave_work
from app.models import Endpoint
from app.models.sharing import CHANNELS_OUT
from app.notices.addresses import BadAddress, check_address
from app.notices.formats import FORMATS
from app.notices.formats.sheet import FORMAT
from app.notices.keys import webhook_secrets
from app.notices.ways import GONE, let_go
from app.office_book.base import NotDone, note, the_office

ENDPOINT = Endpoint.__table__
FRESH = {"failures": 0, "open_until": None, "trouble": ""}
"""What the breaker knows of an address that has never been called."""
OPEN = {"stopped_at": None, "stopped_why": ""}
"""An endpoint to which notices are sent."""


def set_endpoint(actor: Person, office_id: int, *, channel: str, format: str, address: str, at: datetime) -> None:
    """How this department is told from now on; what waits goes the new way, at once. Inside `transaction()`.

    The old address's answer that nothing more is wanted (410) does not bind the new one; what an administrator has
    stopped stays stopped until it is resumed. Raises NotDone.
    """
    held = _held(actor, office_id)
    if channel not in CHANNELS_OUT or format not in FORMATS:
        raise NotDone("请从列出的选项里选一项。")
    if channel == "drop" and format != FORMAT:
        text = "文件交换的表格只装得下“{title}”格式，请选这一种格式，或者改用别的方式。"
        raise NotDone(text, title=FORMATS[FORMAT].TITLE)
    if channel == "webhook":
        try:
            check_address(address)
        except BadAddress as why:
            raise NotDone(str(why)) from None
        if not webhook_secrets(office_id, at):
            raise NotDone("这个单位还没有通知签名密钥。请先由他们在“订阅与接口”页换发一把，再改成接口推送。")
    elif address:
        raise NotDone("只有接口推送要填接收地址，请清空。")
    fresh = {"channel": channel, "format": format, "address": address}
    before = {name: getattr(held, name) if held else "" for name in fresh}
    changed = {name: value for name, value in fresh.items() if before[name] != value}
    if not changed:
        raise NotDone("没有改动。")
    values: dict[str, Any] = {**fresh, **FRESH, "cursor": held.cursor if held else 0, **OPEN}
    if held and held.stopped_why != GONE:
        values |= {name: getattr(held, name) for name in OPEN}
    db.session.execute(
        insert_into(ENDPOINT)
        .values(office_id=office_id, **values)
        .on_conflict_do_update(index_elements=["office_id"], set_=values)
    )
    note("office", office_id, "endpoint", actor, at, {"from": {name: before[name] for name in changed}, "to": changed})
    let_go(office_id, at)
    leave_work()


def stop_endpoint(actor: Person, office_id: int, *, reason: str, at: datetime) -> None:
    """Send nothing more to this department until it is resumed; what waits keeps waiting. Raises NotDone."""
    held = _held(actor, office_id)
    if held is None:
        raise NotDone("这个单位在窗口接收，没有可以停的发送。")
    if held.stopped_at is not None:
        raise NotDone("已经停止发送。")
    _set(office_id, stopped_at=at, stopped_why=reason)
    note("office", office_id, "stop_endpoint", actor, at, {"reason": reason})


def resume_endpoint(actor: Person, office_id: int, *, reason: str, at: datetime) -> None:
    """Send again, at once and in order. Raises NotDone."""
    held = _held(actor, office_id)
    if held is None or (held.stopped_at is None and held.open_until is None):
        raise NotDone("正在发送，不需要恢复。")
    _set(office_id, **OPEN, **FRESH)
    let_go(office_id, at)
    note("office", office_id, "resume_endpoint", actor, at, {"reason": reason})
    leave_work()


def _held(actor: Person, office_id: int) -> Any:
    """The endpoint of a linked department in this administrator's reach, under the lock of its office; None without
    one. Raises NotDone."""
    if the_office(actor, office_id).kind != "linked":
        raise NotDone("只有联动部门接收通知。")
    return db.session.execute(select(*ENDPOINT.c).where(ENDPOINT.c.office_id == office_id).with_for_update()).first()


def _set(office_id: int, **values: Any) -> None:
    db.session.execute(update(ENDPOINT).where(ENDPOINT.c.office_id == office_id).values(**values))
