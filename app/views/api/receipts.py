"""Receipts by the interface: signed with the department's registered key, kept as sent, the counter's rules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response, request
from flask_babel import gettext as _
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict
from sqlalchemy import ColumnElement, select
from werkzeug.datastructures import MultiDict

from app.casework.receive import Said, Signed, take_receipt
from app.db import db, transaction
from app.models import Receipt
from app.notices.keys import receipt_keys
from app.notices.signing import check_receipt
from app.problem import problem
from app.views.api.door import door, visit
from app.views.api.notices import NoticePath, the_notice
from app.views.api.query import Moment
from app.views.api.said import said
from forms.agency import ReceiptForm
from workflows.calendar import legal_day

Kind = Literal["done", "holds_nothing", "already_ended", "not_found", "refused"]


def _instant(value: Any) -> datetime | None:
    """An instant with its zone, as RFC 3339 writes it."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 2000 <= found.year <= 2100:
        raise ValueError("应当是带时区的时刻，写成 2026-11-24T10:00:00+08:00 的样子。")
    return found


SAMPLE: JsonDict = {
    "key": "r-20261124-0001",
    "kind": "done",
    "done_at": "2026-11-24T10:00:00+08:00",
    "number": "市监信〔2026〕7号",
    "reason": "",
}


class ReceiptBody(BaseModel):
    """回执: what the department did about the notice. The raw bytes are what is signed."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [SAMPLE]})

    key: str = Field(title="贵单位给这份回执的编号，用来识别重复", pattern="^[A-Za-z0-9_-]{1,40}$")
    kind: Kind = Field(
        title="办得怎样",
        description="done 已停止公示和使用，并解除措施；holds_nothing 本单位没有这条信息；already_ended 此前已经停止；"
        "not_found 查找不到；refused 不能办理",
    )
    done_at: Annotated[datetime | None, BeforeValidator(_instant)] = Field(
        None, title="办理的时刻；done 和 already_ended 必填"
    )
    number: str = Field("", title="贵单位的办理编号", max_length=100)
    reason: str = Field("", title="情况和理由；not_found 和 refused 必填", max_length=500)


class ReceiptHeader(BaseModel):
    """Who signed."""

    receipt_key: str = Field(title="登记的回执公钥的名称", alias="Receipt-Key", max_length=64)
    receipt_signature: str = Field(
        title="对正文原始字节的 Ed25519 签名，Base64", alias="Receipt-Signature", max_length=100
    )


class ReceiptSaid(BaseModel):
    """A receipt as it was kept."""

    id: int = Field(title="回执")
    notice: str = Field(title="通知编号")
    key: str = Field(title="贵单位给的编号")
    kind: Kind = Field(title="办得怎样")
    done_at: Moment | None = Field(title="办理的时刻")
    number: str = Field(title="贵单位的办理编号")
    reason: str = Field(title="情况和理由")
    via: Literal["api", "counter"] = Field(title="api 接口，counter 窗口")
    key_name: str = Field(title="签名用的公钥；窗口办理的为空")
    raw: str = Field(title="签名的原文；窗口办理的为空")
    signature: str = Field(title="签名；窗口办理的为空")
    received_at: Moment = Field(title="收到的时刻")


class Receipts(BaseModel):
    """Every receipt about a notice; the last one counts."""

    receipts: list[ReceiptSaid] = Field(title="回执，从早到晚，以最后一份为准")


@door("get", "/notices/<key>/receipts", scope="receipts", title="一份通知的回执", answers={200: Receipts})
def list_receipts(path: NoticePath) -> Response:
    """接口和窗口给的都在内。"""
    return said(Receipts(receipts=_receipts(the_notice(path.key), Receipt.id.is_not(None))))


@door("post", "/notices/<key>/receipts", scope="receipts", title="交回执", answers={201: ReceiptSaid})
def give_receipt(path: NoticePath, header: ReceiptHeader, body: ReceiptBody) -> Response:
    """签名是对正文原始字节的，改一个空格也不行。同一个 key 和同样的内容再交一次，是同一份回执。"""
    came, notice, raw = visit(), the_notice(path.key), request.get_data()
    keys = receipt_keys(came.holder.office_id, came.at)
    if not check_receipt(raw, header.receipt_signature, header.receipt_key, keys):
        return problem(403, _("回执的签名不对，或者公钥没有登记、已经停用。"), code="SIGNATURE")
    form = _filled(body)
    if not form.validate():
        errors = [
            {"field": _NAMES.get(name, name), "message": str(message)}
            for name, messages in form.errors.items()
            for message in messages
        ]
        return problem(422, errors=errors)
    stated = Said(body.kind, form.key.data, body.done_at, form.number.data or "", form.reason.data or "")
    with transaction():
        taken = take_receipt(
            path.key, stated, receiver_id=came.holder.office_id, actor=came.person, via="api", at=came.at,
            signed=Signed(header.receipt_key, raw.decode(), header.receipt_signature),
        )  # fmt: skip
    return said(_receipts(notice, Receipt.id == taken.id)[0], 201)


_NAMES = {"done_on": "done_at"}
"""What the counter's form calls otherwise: at a counter one says the day."""


def _filled(body: ReceiptBody) -> ReceiptForm:
    """The counter's form, filled in with what was sent."""
    typed = {
        "key": body.key, "seen": "0", "kind": body.kind, "number": body.number, "reason": body.reason,
        "done_on": legal_day(body.done_at).isoformat() if body.done_at else "",
    }  # fmt: skip
    return ReceiptForm(formdata=MultiDict(typed), meta={"csrf": False})


def _receipts(notice: Any, which: ColumnElement[bool]) -> list[ReceiptSaid]:
    rows = db.session.execute(
        select(Receipt.__table__).where(Receipt.notice_id == notice.id, which).order_by(Receipt.id)
    ).all()
    return [
        ReceiptSaid(
            id=row.id, notice=notice.key, key=row.key, kind=row.kind, done_at=row.done_at, number=row.number,
            reason=row.reason, via=row.via, key_name=row.key_name, raw=row.raw, signature=row.signature,
            received_at=row.received_at,
        )
        for row in rows
    ]  # fmt: skip
