"""What the stories of the post need: notices in any number, endpoints, and a look at how they fared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert, select, update

from app.db import db, insert_into, transaction
from app.journal import SYSTEM, write_line
from app.models import Attempt, Delivery, Endpoint, Issue, JournalLine, Notice, NoticeSequence, Subject
from app.notices.keys import make_secret
from app.notices.wire import frozen
from app.now import now
from tests.cast import Cast


def reached(cast: Cast, receiver: str, channel: str, address: str = "") -> int:
    """A department is reached by a channel; by the interface it gets a secret. Returns its office."""
    office = cast.offices[receiver]
    with transaction() as session:
        values = {"channel": channel, "address": address, "failures": 0, "open_until": None, "stopped_at": None}
        kept = {"office_id": office, "format": "result", "cursor": 0, "stopped_why": "", "trouble": ""}
        session.execute(
            insert_into(Endpoint.__table__)
            .values(**kept, **values)
            .on_conflict_do_update(index_elements=["office_id"], set_=values)
        )
        if channel == "webhook":
            make_secret(office, until=None, doer=SYSTEM, at=now())
    return office


def some_notices(cast: Cast, receiver: str, subjects: int, each: int = 1, at: Any = None) -> list[str]:
    """So many notices about each of so many companies, all in order of companies; returns their keys."""
    record, office = _record(cast), cast.offices[receiver]
    with transaction() as session:
        line = session.execute(select(JournalLine.id).where(JournalLine.about == "record").limit(1)).scalar()
        if line is None:
            line = write_line("record", record, "enter", SYSTEM, now(), law_text="D").id
        companies = [
            session.execute(
                insert(Subject.__table__)
                .values(kind="enterprise", name="湖南演示运输有限公司", legal_representative="", region="430100")
                .returning(Subject.id)
            ).scalar_one()
            for _ in range(subjects)
        ]
        keys = []
        for company in companies:
            keys += [write_notice(office, company, record, line, seq, at or now()) for seq in range(1, each + 1)]
    return keys


def write_notice(office: int, company: int, record: int, line: int, seq: int, at: Any) -> str:
    """One notice and its way, as a step writes them."""
    session = db.session
    raised = insert_into(NoticeSequence.__table__).values(receiver_id=office, subject_id=company, last=seq)
    session.execute(raised.on_conflict_do_update(index_elements=["receiver_id", "subject_id"], set_={"last": seq}))
    key = f"case-{company}-{seq}-{office}"
    payload = {"notice": key, "seq": seq, "subject_name": "湖南演示运输有限公司", "act": "confirm"}
    payload |= {name: "" for name in _sheet_keys() if name not in payload}
    payload |= {"measures_to_lift": [], "withdrawn": False}
    notice = session.execute(
        insert(Notice.__table__)
        .values(
            key=key, receiver_id=office, subject_id=company, record_id=record, case_id=None, journal_id=line, seq=seq,
            act="confirm", **frozen(payload), written_at=at,
        )
        .returning(Notice.id)
    ).scalar_one()  # fmt: skip
    session.execute(
        insert(Delivery.__table__).values(
            notice_id=notice, receiver_id=office, subject_id=company, seq=seq, next_at=at, state="waiting", channel="",
            attempts=0, trouble="", receipt="",
        )
    )  # fmt: skip
    return key


def ways(receiver: int | None = None) -> dict[str, Any]:
    """Every delivery by its notice's key."""
    query = select(Notice.key, *Delivery.__table__.c).join(Notice, Notice.id == Delivery.notice_id)
    if receiver is not None:
        query = query.where(Delivery.receiver_id == receiver)
    found = {row.key: row for row in db.session.execute(query.order_by(Notice.id))}
    db.session.rollback()
    return found


def states(receiver: int | None = None) -> list[str]:
    """The state of every delivery in the order of writing."""
    return [row.state for row in ways(receiver).values()]


def tries(key: str) -> list[Any]:
    """The tries of a notice as they went."""
    found = db.session.execute(
        select(Attempt.at, Attempt.status, Attempt.detail, Attempt.channel)
        .join(Notice, Notice.id == Attempt.notice_id)
        .where(Notice.key == key)
        .order_by(Attempt.id)
    ).all()
    db.session.rollback()
    return list(found)


def endpoint(office: int) -> Any:
    """How a receiver is reached, and its breaker."""
    row = db.session.execute(select(*Endpoint.__table__.c).where(Endpoint.office_id == office)).one()
    db.session.rollback()
    return row


def issues(open_only: bool = True) -> list[Any]:
    """What somebody must settle."""
    query = select(*Issue.__table__.c).order_by(Issue.id)
    if open_only:
        query = query.where(Issue.closed_at.is_(None))
    found = list(db.session.execute(query))
    db.session.rollback()
    return found


def lost_leases() -> None:
    """Every lease has run out: what a killed post leaves, a minute later."""
    with transaction() as session:
        session.execute(update(Delivery.__table__).where(Delivery.state == "waiting").values(lease_until=None))


def in_order(keys: Iterable[str]) -> bool:
    """Whether the first coming of each notice kept to the order about its company."""
    seen: dict[str, list[int]] = defaultdict(list)
    for key in dict.fromkeys(keys):
        _, company, seq, _ = key.split("-")
        seen[company].append(int(seq))
    return all(numbers == sorted(numbers) for numbers in seen.values())


def _sheet_keys() -> set[str]:
    from app.notices.formats.sheet import COLUMNS

    return {column.key for column in COLUMNS}


def _record(cast: Cast) -> int:
    from app.models import CreditRecord

    found = db.session.execute(select(CreditRecord.id).limit(1)).scalar()
    db.session.rollback()
    return int(found) if found is not None else cast.penalty()
