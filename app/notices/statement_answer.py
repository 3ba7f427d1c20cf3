"""A receiver's answer to a statement: their digest, or their lines. What differs becomes somebody's task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from app.db import db
from app.files import keep
from app.journal import SYSTEM, Doer, write_line
from app.models import Issue, Notice, Statement, User
from app.notices.compare import CHANGED, EXTRA, KINDS, MISSING, Difference, Their, differences, digest_of
from app.notices.issues import close_differences, open_differences, open_issue
from app.notices.limits import deliver_within
from app.notices.statement_rows import (
    issuing_office,
    line_of,
    locked_receiver,
    number_of,
    rows_of,
    statements_folder,
)
from app.notices.statement_sheet import BadSheet
from workflows.calendar import legal_day
from workflows.people import Role

MOST_STRANGERS = 200
"""So many notices of which we know nothing may stand in an answer; more of them are another department's file."""


class NoSuchStatement(LookupError):
    """There is no such statement."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of an answer. `equal`: the digests are the same. `state` is where the statement stands now."""

    statement_id: int
    equal: bool
    state: str
    differences: tuple[Difference, ...] = ()
    opened: int = 0
    closed: int = 0


def answer_statement(
    statement_id: int,
    *,
    theirs: Sequence[Their] | None,
    digest: str = "",
    by: int | None,
    at: datetime,
    file: bytes = b"",
) -> Comparison:
    """Take a receiver's answer to a statement, inside the caller's transaction: their digest alone, or their lines.

    With the lines every difference becomes an issue, one for each notice, whoever answers how often; what a later
    answer no longer shows is closed. The books are compared as they stand now, not as they stood when the statement was
    drawn: what has been delivered since is no difference. `file` are the lines as they were sent, kept as they are.
    `by` is the person who answers. Raises NoSuchStatement; BadSheet with a sentence.
    """
    receiver_id = db.session.execute(select(Statement.receiver_id).where(Statement.id == statement_id)).scalar()
    if receiver_id is None:
        raise NoSuchStatement(statement_id)
    receiver = locked_receiver(receiver_id)
    statement = db.session.execute(select(*Statement.__table__.c).where(Statement.id == statement_id)).one()
    digest = digest.strip().lower()
    if theirs is None and (len(digest) != 64 or not set(digest) <= set("0123456789abcdef")):
        raise BadSheet("摘要应当是 64 个十六进制字符。")
    doer = _doer(by, receiver.id)
    if theirs is None:
        comparison = _by_digest(statement, digest, doer, at)
    else:
        comparison = _by_lines(statement, receiver, theirs, doer, at)
        digest = digest_of((their.notice, their.body) for their in theirs)
    kept = keep(statements_folder(), file or _as_sent(theirs)) if theirs is not None else ""
    db.session.execute(
        update(Statement)
        .where(Statement.id == statement_id)
        .values(state=comparison.state, theirs=digest, their_file=kept, answered_at=at, answered_by=by)
        .execution_options(synchronize_session=False)
    )
    write_line(
        "statement", statement_id, "answer", doer, at, law_text="D", source=statement.state, target=comparison.state,
        answers={
            "digest": digest, "file": kept, "equal": comparison.equal, "differences": len(comparison.differences),
            "opened": comparison.opened, "closed": comparison.closed,
        },
    )  # fmt: skip
    return comparison


def _by_digest(statement: Row[Any], digest: str, doer: Doer, at: datetime) -> Comparison:
    """Equal digests prove that both have the same notices with the same words; nothing about what was done."""
    if digest != statement.digest:
        return Comparison(statement.id, False, "differing")
    proven = [
        row.id
        for row in open_differences(statement.receiver_id, statement)
        if row.detail.get("kind") in (MISSING, EXTRA, CHANGED)
    ]
    close_differences(proven, doer=doer, outcome="对方重新核对，摘要与我们一致。", at=at)
    state = "differing" if open_differences(statement.receiver_id, statement) else "agreed"
    return Comparison(statement.id, True, state, closed=len(proven))


def _by_lines(statement: Row[Any], receiver: Row[Any], theirs: Sequence[Their], doer: Doer, at: datetime) -> Comparison:
    rows = rows_of(receiver, statement.since, statement.until)
    lines = [line_of(row, str(row.subject_id)) for row in rows]
    known = {line.notice for line in lines}
    elsewhere = _told_elsewhere(receiver.id, [their.notice for their in theirs if their.notice not in known])
    found = differences(lines, theirs, waited_since=at - deliver_within(legal_day(at)), elsewhere=elsewhere)
    strangers = sum(one.kind == EXTRA for one in found)
    if strangers > MOST_STRANGERS:
        raise BadSheet("有 {n} 行的通知编号我们从来没有发给贵单位，多半是拿错了文件，没有收下。", n=strangers)
    opened = _open(statement, receiver, found, {row.key: row.id for row in rows}, at)
    still = {one.notice for one in found}
    settled = [row.id for row in open_differences(receiver.id, statement) if row.detail.get("notice") not in still]
    close_differences(settled, doer=doer, outcome="对方重新核对，这一处已经一致。", at=at)
    ours = digest_of((line.notice, line.body) for line in lines if line.state != "skipped")
    equal = ours == digest_of((their.notice, their.body) for their in theirs if their.notice not in elsewhere)
    state = "agreed"
    if found:
        state = "differing" if open_differences(receiver.id, statement) else "settled"
    return Comparison(statement.id, equal, state, tuple(found), opened, len(settled))


def _open(
    statement: Row[Any], receiver: Row[Any], found: Iterable[Difference], ids: dict[str, int], at: datetime
) -> int:
    """An issue for each difference that none is open about. What a person has closed within this statement stays
    closed, what had settled itself and is back is opened again."""
    opened = 0
    busy = {row.detail.get("notice") for row in open_differences(receiver.id, statement)}
    earlier: dict[str, list[Any]] = {}
    for row in db.session.execute(
        select(Issue.key, Issue.closed_by, Issue.detail).where(Issue.statement_id == statement.id).order_by(Issue.id)
    ):
        earlier.setdefault(row.detail.get("notice", ""), []).append(row)
    number = number_of(receiver.code, statement.since, statement.until, statement.serial)
    office = issuing_office().id
    for one in found:
        before = earlier.get(one.notice, [])
        if one.notice in busy or (before and before[-1].closed_by is not None):
            continue
        detail = {
            "kind": one.kind, "said": KINDS[one.kind], "notice": one.notice, "ours": one.ours, "theirs": one.theirs,
            "other": one.other, "statement": number,
        }  # fmt: skip
        opened += open_issue(
            f"difference-{statement.id}-{len(before) + 1}-{one.notice}", "difference", notice_id=ids.get(one.notice),
            detail=detail, at=at, statement_id=statement.id, office_id=office, receiver_id=receiver.id,
        )  # fmt: skip
    return opened


def _told_elsewhere(receiver_id: int, notices: Sequence[str]) -> set[str]:
    """Those of the notices that we did send to this receiver, whenever."""
    found: set[str] = set()
    for start in range(0, len(notices), 500):
        asked = select(Notice.key).where(
            Notice.receiver_id == receiver_id, Notice.key.in_(notices[start : start + 500])
        )
        found.update(db.session.execute(asked).scalars())
    return found


def _doer(by: int | None, receiver_id: int) -> Doer:
    """Who answers for the receiver, as the journal keeps it."""
    if by is None:
        return SYSTEM
    name = db.session.execute(select(User.name).where(User.id == by)).scalar_one()
    return Doer(by, name, Role.LINKED.value, receiver_id)


def _as_sent(theirs: Sequence[Their]) -> bytes:
    """Their lines in one spelling, for those who did not send a file."""
    return "".join(f"{one.notice} {one.body} {one.said} {one.place or ''}\n" for one in theirs).encode()
