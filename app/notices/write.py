"""A step's `tells` become outbox rows in its own transaction: what was decided is told, what was rolled back is not."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from sqlalchemy import bindparam, insert, literal, select
from sqlalchemy.sql.dml import ReturningInsert

from app.db import db, insert_into
from app.journal import Entry
from app.models import Delivery, Notice, NoticeSequence, RecordShare
from app.notices.address_book import FRONT, SUBSCRIBED, Receiver, duty_to_tell, receivers, subscribers
from app.notices.formats import FORMATS
from app.notices.formats.told import Envelope, act_of, told_of
from app.notices.wire import frozen
from workflows.calendar import legal_day

ACTIONS = {
    "credit_china": "同步处理结果",
    "province": "同步处理结果",
    "ministry": "同步处理结果",
    "linked": "停止公示、停止使用，解除因此采取的措施",
    FRONT: "告知申请人",
    SUBSCRIBED: "供贵单位更新信息",
}
NOTICE = Notice.__table__
SEND = insert(Delivery.__table__).from_select(
    ["notice_id", "receiver_id", "subject_id", "seq", "next_at", "state", "channel", "attempts", "trouble", "receipt"],
    select(
        NOTICE.c.id, NOTICE.c.receiver_id, NOTICE.c.subject_id, NOTICE.c.seq, NOTICE.c.written_at, literal("waiting"),
        literal(""), literal(0), literal(""), literal(""),
    ).where(NOTICE.c.record_id == bindparam("of_record"), NOTICE.c.journal_id == bindparam("of_line")),
    include_defaults=False,
)  # fmt: skip
"""Every notice that a line has written about a record gets its way to the receiver."""


def write_notices(
    case_id: int | None, record_id: int | None, subject_id: int, words: Iterable[str], entry: Entry
) -> int:
    """Write one notice per receiver about a record, each with its delivery; returns how many.

    Those behind `words` are told when a law row says they must be; departments that subscribed hear of what linked
    departments hear of. Receivers are served in the order of their ids, so that two transactions never wait for each
    other crosswise.
    """
    if record_id is None:
        return 0
    day = legal_day(entry.at)
    words = [word for word in words if duty_to_tell(word, act_of(entry), day) is not None]
    told = told_of(case_id, record_id, entry)
    by_id = {one.id: one for one in subscribers(told.topic, day)} if "linked" in words else {}
    by_id |= {one.id: one for one in receivers(words)}
    if not by_id:
        return 0
    everybody = [by_id[id] for id in sorted(by_id)]
    sequences = _next(subject_id, everybody)
    rows = []
    for receiver in everybody:
        key = f"{entry.about}-{entry.about_id}-{entry.seq}-{receiver.code}"
        envelope = Envelope(key, receiver, sequences[receiver.id], ACTIONS[receiver.word])
        payload = FORMATS[receiver.format].body(told, envelope)
        rows.append(
            {
                "key": key,
                "receiver_id": receiver.id,
                "subject_id": subject_id,
                "record_id": record_id,
                "case_id": case_id,
                "journal_id": entry.id,
                "seq": sequences[receiver.id],
                "act": told.act,
                **frozen(payload),
                "written_at": entry.at,
            }
        )
    db.session.execute(insert(NOTICE), rows)
    db.session.execute(SEND, {"of_record": record_id, "of_line": entry.id})
    db.session.execute(
        insert(RecordShare.__table__),
        [{"record_id": record_id, "receiver_id": r.id, "what": told.act, "at": entry.at} for r in everybody],
    )
    return len(everybody)


def _next(subject_id: int, told: list[Receiver]) -> dict[int, int]:
    """The next number for each receiver about this subject: gapless, because a rollback takes it back."""
    asked = [{"receiver_id": receiver.id, "subject_id": subject_id, "last": 1} for receiver in told]
    rows = db.session.execute(_raised(db.engine.dialect.name), asked).all()
    return {row.receiver_id: row.last for row in rows}


@lru_cache(maxsize=2)
def _raised(dialect: str) -> ReturningInsert[int, int]:
    table = NoticeSequence.__table__
    raised = insert_into(table, dialect).on_conflict_do_update(
        index_elements=["receiver_id", "subject_id"], set_={"last": table.c.last + 1}
    )
    return raised.returning(table.c.receiver_id, table.c.last)
