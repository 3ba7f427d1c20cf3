"""What a department was told: the feed to walk along, and one notice."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from app.casework.receive import NoSuchNotice
from app.casework.sight import notices_visible_to
from app.db import db, transaction
from app.models import Delivery, Notice
from app.notices.feed import feed_page, place, shown
from app.problem import problem
from app.views.api.door import blueprint, door, visit
from app.views.api.query import Limit, Moment
from app.views.api.said import said

MOST = 500


class NoticeInFeed(BaseModel):
    """A notice as it was frozen."""

    position: int = Field(title="在本单位通知流里的位置，只增不减，可以有空号")
    notice: str = Field(title="通知编号，用来去重")
    act: str = Field(title="办理结果代号")
    seq: int = Field(title="对这个主体的第几份通知")
    written_at: Moment = Field(title="写好的时刻")
    hash: str = Field(title="正文的 SHA-256")
    body: str = Field(title="正文原文（JSON 文本），与推送时逐字节相同；格式见 /api")


class Feed(BaseModel):
    """Some notices in their order."""

    notices: list[NoticeInFeed] = Field(title="通知，按位置")
    next: int = Field(title="下一次的 after：处理完这些再用它来取，用了就算送达")
    more: bool = Field(title="后面是否还有")


class FeedQuery(BaseModel, extra="forbid"):
    """From where."""

    after: Limit = Field(0, title="已经收好的最后一个位置：上一次的 next", ge=0, le=2**31 - 1)
    limit: Limit = Field(100, title="最多几份", ge=1, le=MOST)


class NoticePath(BaseModel):
    """Which notice."""

    key: str = Field(title="通知编号", max_length=200)


class NoticeSaid(BaseModel):
    """A notice, and what became of it."""

    notice: str = Field(title="通知编号")
    act: str = Field(title="办理结果代号")
    seq: int = Field(title="对这个主体的第几份通知")
    written_at: Moment = Field(title="写好的时刻")
    hash: str = Field(title="正文的 SHA-256")
    body: str = Field(title="正文原文（JSON 文本）")
    state: Literal["waiting", "delivered", "dead", "skipped"] = Field(title="送达状态")
    delivered_at: Moment | None = Field(title="送达时刻")
    receipt: str = Field(title="最后一份回执的种类；没有时为空")
    receipt_at: Moment | None = Field(title="收到最后一份回执的时刻")


@door("get", "/notices", scope="notices", title="取通知", answers={200: Feed})
def list_notices(query: FeedQuery) -> Response:
    """从一个位置往后取。先存好这一批，再用 next 来取下一批：用某个 after 来取，就表示到它为止都已收好，算作送达。
    停了一个月再来也一样，从上次的 next 继续。"""
    came = visit()
    office = came.holder.office_id
    with transaction():
        place(office)
        if query.after:
            shown(office, query.after, came.at)
    rows = feed_page(office, query.after, query.limit + 1)
    told = [
        NoticeInFeed(
            position=row.position, notice=row.key, act=row.act, seq=row.seq, written_at=row.written_at,
            hash=row.payload_hash, body=row.body,
        )
        for row in rows[: query.limit]
    ]  # fmt: skip
    last = told[-1].position if told else query.after
    return said(Feed(notices=told, next=last, more=len(rows) > len(told)))


@door("get", "/notices/<key>", scope="notices", title="一份通知", answers={200: NoticeSaid})
def read_notice(path: NoticePath) -> Response:
    """正文、送达和最后一份回执。"""
    row = the_notice(path.key)
    return said(
        NoticeSaid(
            notice=row.key, act=row.act, seq=row.seq, written_at=row.written_at, hash=row.payload_hash,
            body=row.body, state=row.state, delivered_at=row.delivered_at, receipt=row.receipt,
            receipt_at=row.receipt_at,
        )
    )  # fmt: skip


@blueprint.errorhandler(NoSuchNotice)
def _nothing(_error: NoSuchNotice) -> Response:
    return problem(404)


def the_notice(key: str) -> Any:
    """A notice of the key's department. Raises NoSuchNotice: of others there is none."""
    row = db.session.execute(
        select(
            Notice.id, Notice.key, Notice.act, Notice.seq, Notice.written_at, Notice.body, Notice.payload_hash,
            Delivery.state, Delivery.delivered_at, Delivery.receipt, Delivery.receipt_at,
        )
        .join(Delivery, Delivery.notice_id == Notice.id)
        .where(Notice.key == key, notices_visible_to(visit().person))
    ).first()  # fmt: skip
    if row is None:
        raise NoSuchNotice(key)
    return row
