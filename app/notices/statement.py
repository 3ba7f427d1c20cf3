"""对账单: what a receiver was told between two civil days, frozen with its figures, its digest and its lines."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func, insert, select

from app.db import db
from app.files import find, keep
from app.models import Issue, Statement
from app.notices.compare import Line, digest_of
from app.notices.statement_answer import Comparison, NoSuchStatement, answer_statement
from app.notices.statement_rows import (
    figures_of,
    issuing_office,
    line_of,
    locked_receiver,
    number_of,
    rows_of,
    statements_folder,
)
from app.notices.statement_sheet import csv_of, lines_in
from workflows.calendar import legal_day

FIRST = date(2000, 1, 1)
"""Before this day nobody was told anything."""


class NoPeriod(ValueError):
    """A statement cannot be drawn for these days; the message is a Chinese sentence."""


def draw_statement(receiver_id: int, since: date, until: date, *, at: datetime, by: int | None = None) -> int:
    """Draw the statement of a receiver for the notices written from `since` to `until` (civil days, both included),
    inside the caller's transaction; returns its id. `by` is the person who asked for it, None for the watch.

    Raises NoPeriod when the days are not in order, still to come, or of another age.
    """
    if since < FIRST:
        raise NoPeriod("开始的日期太早了，请核对年份。")
    if since > until:
        raise NoPeriod("开始的日期不能晚于结束的日期。")
    if until > legal_day(at):
        raise NoPeriod("结束的日期不能晚于今天。")
    receiver = locked_receiver(receiver_id)
    rows = rows_of(receiver, since, until)
    lines = [line_of(row, row.code or row.subject) for row in rows]
    serial = db.session.execute(
        select(func.coalesce(func.max(Statement.serial), 0) + 1).where(
            Statement.receiver_id == receiver_id, Statement.since == since, Statement.until == until
        )
    ).scalar_one()
    figures = figures_of(rows, legal_day(at)) | {
        "receiver": receiver.name,
        "receiver_code": receiver.code,
        "issuer": issuing_office().name,
        "differences": _still_open(receiver_id),
    }
    drawn: int = db.session.execute(
        insert(Statement.__table__)
        .values(
            receiver_id=receiver_id, since=since, until=until, serial=serial, figures=figures,
            digest=digest_of((line.notice, line.body) for line in lines if line.state != "skipped"),
            file=keep(statements_folder(), csv_of(lines)), made_at=at, made_by=by, state="drawn", theirs="",
            their_file="", trouble="",
        )
        .returning(Statement.id)
    ).scalar_one()  # fmt: skip
    return drawn


def draw_monthly(receiver_id: int, since: date, until: date, *, at: datetime) -> bool:
    """Draw the watch's own statement of a month, once, inside the caller's transaction; False when it is there."""
    locked_receiver(receiver_id)
    there = select(Statement.id).where(
        Statement.receiver_id == receiver_id, Statement.since == since, Statement.until == until,
        Statement.made_by.is_(None),
    )  # fmt: skip
    if db.session.execute(there).first() is not None:
        return False
    draw_statement(receiver_id, since, until, at=at)
    return True


def lines_of(statement_id: int) -> list[Line]:
    """The lines of a statement as they were frozen when it was drawn. Raises NoSuchStatement."""
    return lines_in(sheet_of(statement_id))


def sheet_of(statement_id: int) -> bytes:
    """The frozen sheet of lines (CSV). Raises NoSuchStatement; FileNotFoundError when the file is gone."""
    name = db.session.execute(select(Statement.file).where(Statement.id == statement_id)).scalar()
    if name is None:
        raise NoSuchStatement(statement_id)
    return find(statements_folder(), name).read_bytes()


def _still_open(receiver_id: int) -> list[dict[str, str]]:
    """Differences of earlier statements that nobody has settled yet, as they are printed."""
    rows = db.session.execute(
        select(Issue.detail, Issue.opened_at)
        .where(Issue.receiver_id == receiver_id, Issue.kind == "difference", Issue.closed_at.is_(None))
        .order_by(Issue.id)
    ).all()
    return [
        {"notice": row.detail["notice"], "kind": row.detail["kind"], "since": legal_day(row.opened_at).isoformat()}
        for row in rows
    ]


__all__ = [
    "Comparison",
    "NoPeriod",
    "NoSuchStatement",
    "answer_statement",
    "draw_monthly",
    "draw_statement",
    "issuing_office",
    "lines_of",
    "number_of",
    "sheet_of",
    "statements_folder",
]
