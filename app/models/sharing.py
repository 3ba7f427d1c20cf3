"""How receivers are reached and what came back: deliveries, attempts, receipts, keys, statements, what went wrong."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, Instant, Json
from app.models.office import Office
from app.models.outbox import Notice

CHANNELS_OUT = {"webhook": "接口推送", "drop": "文件交换", "feed": "对方来取", "counter": "联动部门窗口"}

RECEIPTS = {
    "done": "已办理",
    "holds_nothing": "本单位没有这条信息",
    "already_ended": "此前已经停止",
    "not_found": "查找不到",
    "refused": "不予办理",
}
CONFIRMING = ("done", "holds_nothing", "already_ended")
"""Receipts after which nothing of the record is shown or used at the receiver; the others leave it open."""

ISSUES = {
    "dead": "送达失败",
    "not_found": "对方查找不到",
    "refused": "对方不予办理",
    "difference": "对账有差异",
}

UNFINISHED = "state IN ('waiting', 'dead')"


class Endpoint(Base):
    """How one receiver is told: by which channel, in which format, where. Without a row: at the counter.

    `failures` in a row open the breaker until `open_until`; `stopped_at` says that nothing is sent any more (the
    receiver answered 410, or an administrator said so). `cursor` is the highest position of the feed that a puller has
    shown to have.
    """

    __tablename__ = "endpoint"
    __table_args__ = (CheckConstraint("channel in ('webhook', 'drop', 'feed', 'counter')", name="channel"),)

    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"), primary_key=True)
    channel: Mapped[str]
    format: Mapped[str] = mapped_column(default="result")
    address: Mapped[str] = mapped_column(default="")
    cursor: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    open_until: Mapped[datetime | None] = mapped_column(Instant)
    stopped_at: Mapped[datetime | None] = mapped_column(Instant)
    stopped_why: Mapped[str] = mapped_column(default="")
    trouble: Mapped[str] = mapped_column(default="")
    office: Mapped[Office] = relationship()


class Delivery(Base):
    """The way of one notice to its receiver: waiting, delivered, dead (given up aloud) or formally skipped.

    A later notice about the same subject waits until this one is delivered or skipped. `lease_until` keeps two posts
    from the same notice; `first_at` begins the time for which it is tried. `position` is its place in the receiver's
    feed, given by the watch after the commit: a reader who is past it has seen everything before it, whichever
    transaction was slower. `batch` is the numbered batch of files in which it went. `receipt` is the kind of the
    latest receipt, empty while there is none.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'delivered', 'dead', 'skipped')", name="state"),
        UniqueConstraint("receiver_id", "position"),
        Index(
            "ix_delivery_unfinished", "receiver_id", "subject_id", "seq",
            sqlite_where=text(UNFINISHED), postgresql_where=text(UNFINISHED),
        ),
        Index(
            "ix_delivery_due", "receiver_id", "next_at", "notice_id",
            sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_delivery_receiver", "receiver_id", "notice_id"),
        Index(
            "ix_delivery_unanswered", "receiver_id", "notice_id",
            sqlite_where=text("receipt = ''"), postgresql_where=text("receipt = ''"),
        ),
        Index(
            "ix_delivery_batch", "receiver_id", "batch",
            sqlite_where=text("batch IS NOT NULL"), postgresql_where=text("batch IS NOT NULL"),
        ),
        # Room beside each row: a lease is then written without touching an index.
        {"postgresql_with": {"fillfactor": 50}},
    )  # fmt: skip

    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), primary_key=True)
    receiver_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    subject_id: Mapped[int]
    seq: Mapped[int]
    position: Mapped[int | None]
    batch: Mapped[int | None]
    state: Mapped[str] = mapped_column(default="waiting")
    channel: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(Instant)
    first_at: Mapped[datetime | None] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    delivered_at: Mapped[datetime | None] = mapped_column(Instant)
    given_up_at: Mapped[datetime | None] = mapped_column(Instant)
    trouble: Mapped[str] = mapped_column(default="")
    receipt: Mapped[str] = mapped_column(default="")
    receipt_at: Mapped[datetime | None] = mapped_column(Instant)
    notice: Mapped[Notice] = relationship()


class Attempt(Base):
    """One try to deliver, as it went; never changed. `status` is the answer's, None when there was none."""

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    took_ms: Mapped[int]
    channel: Mapped[str]
    status: Mapped[int | None]
    detail: Mapped[str] = mapped_column(default="")


class Receipt(Base):
    """What a receiver says it did about one notice, kept as it was sent; never changed. The latest counts.

    `key` is the receiver's own, so that a repeat is the same receipt. By the interface it is signed with the key named
    in `key_name` and `raw` is the signed text; at the counter `user_id` is the person who gave it.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("receiver_id", "key"),
        CheckConstraint("kind in ('done', 'holds_nothing', 'already_ended', 'not_found', 'refused')", name="kind"),
        CheckConstraint("via in ('api', 'counter')", name="via"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    receiver_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), index=True)
    key: Mapped[str]
    kind: Mapped[str]
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    number: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    via: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    key_name: Mapped[str] = mapped_column(default="")
    raw: Mapped[str] = mapped_column(default="")
    signature: Mapped[str] = mapped_column(default="")
    body_hash: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(Instant)
    journal_id: Mapped[int | None] = mapped_column(ForeignKey("journal.id"))


class ReceiverKey(Base):
    """A key agreed with a receiver, from a moment until a moment; two may be in force at once (rotation).

    `webhook`: our shared secret, sealed. `receipt`: the receiver's Ed25519 public key, base64 of its 32 bytes.
    """

    __tablename__ = "receiver_key"
    __table_args__ = (
        UniqueConstraint("office_id", "use", "name"),
        CheckConstraint("use in ('webhook', 'receipt')", name="use"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"), index=True)
    use: Mapped[str]
    name: Mapped[str]
    material: Mapped[str]
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_until: Mapped[datetime | None] = mapped_column(Instant)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime] = mapped_column(Instant)


class ApiKey(Base):
    """A department's way into the interface: the digest of the secret, what it may do, who answers for it.

    Whatever comes with the key is done by `user_id`, with the roles that person holds on that day. `scopes` are words
    separated by blanks, `per_minute` the quota of requests, `per_day` that of searches and looks into credit files.
    """

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    label: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    digest: Mapped[str]
    scopes: Mapped[str]
    per_minute: Mapped[int] = mapped_column(default=600)
    per_day: Mapped[int] = mapped_column(default=10_000)
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_until: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime] = mapped_column(Instant)


class ApiKeyDay(Base):
    """How often a key has asked for credit files on a civil day: searches by name, and looks into a file."""

    __tablename__ = "api_key_day"

    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_key.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    searches: Mapped[int]
    looks: Mapped[int]


class Subscription(Base):
    """What a department wants to hear of beyond what it must be told; empty filters take everything.

    `regions` are prefixes of region codes, `trades` and `kinds` words, each separated by blanks.
    """

    __tablename__ = "subscription"

    id: Mapped[int] = mapped_column(primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"), index=True)
    regions: Mapped[str] = mapped_column(default="")
    trades: Mapped[str] = mapped_column(default="")
    kinds: Mapped[str] = mapped_column(default="")
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime] = mapped_column(Instant)


class Statement(Base):
    """对账单: what a receiver was told between two civil days, frozen when it was drawn; their answer beside it.

    `digest` is taken over the sorted (notice, body hash) pairs, `file` is the SHA-256 name of the sheet of lines in the
    instance, `pdf` that of the signed statement once it is printed, by the certificate named in `signer`. `theirs` is
    the digest they answered with, `their_file` the SHA-256 name of the lines they sent.
    """

    __tablename__ = "statement"
    __table_args__ = (
        UniqueConstraint("receiver_id", "since", "until", "serial"),
        CheckConstraint("state in ('drawn', 'agreed', 'differing', 'settled')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    receiver_id: Mapped[int] = mapped_column(ForeignKey("office.id"), index=True)
    since: Mapped[date]
    until: Mapped[date]
    serial: Mapped[int]
    figures: Mapped[dict[str, Any]] = mapped_column(Json)
    digest: Mapped[str]
    file: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    state: Mapped[str] = mapped_column(default="drawn")
    theirs: Mapped[str] = mapped_column(default="")
    their_file: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    pdf: Mapped[str | None]
    signer: Mapped[str | None]
    trouble: Mapped[str] = mapped_column(default="")
    receiver: Mapped[Office] = relationship()


class Issue(Base):
    """同步异常: something about a notice that a person of ours must settle; closed with what was done, never deleted.

    `key` makes a second report of the same thing harmless. `office_id` is the office whose record it is about and whose
    people settle it; `detail` what was found, for the page.
    """

    __tablename__ = "issue"
    __table_args__ = (
        CheckConstraint("kind in ('dead', 'not_found', 'refused', 'difference')", name="kind"),
        Index("ix_issue_open", "office_id", "closed_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    receiver_id: Mapped[int] = mapped_column(ForeignKey("office.id"), index=True)
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"), index=True)
    statement_id: Mapped[int | None] = mapped_column(ForeignKey("statement.id"), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    outcome: Mapped[str] = mapped_column(default="")
    receiver: Mapped[Office] = relationship(foreign_keys=[receiver_id])
