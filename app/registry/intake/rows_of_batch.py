"""The rows of a batch that are more than plainly taken in: looked at page by page, mended, ignored, sent back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from app.db import db
from app.journal import write_line
from app.models import Batch, BatchRow, Office
from app.registry.hands import NotPossible, Officer
from app.registry.intake import lookups
from app.registry.intake.batch import added, locked
from app.registry.intake.hands import LAW, hand, no, not_theirs
from app.registry.intake.heading import Heading, heading_of
from app.registry.intake.judge import judge
from app.registry.intake.rows import Received, reader_of
from app.registry.intake.work import IN, WAITING, work_on
from app.registry.intake.write import SEALED_ABOUT, secrets_of, write_chunk
from app.sealed import house_keys, open_sealed
from workflows.calendar import legal_day
from workflows.grammar import STRANGER, Refusal

PAGE = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a waiting row: its column, what it says now (numbers of persons masked), what is wrong with it."""

    place: int
    heading: str
    field: str
    value: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mended:
    """What came of a mended row: its verdict now, the reasons, and the record it made or is about."""

    verdict: str
    reasons: list[tuple[str, str]] = field(default_factory=list)
    record_id: int | None = None


def rows_by_verdict(batch_id: int, verdict: str = "", *, after: int = 0, limit: int = PAGE) -> list[Row[Any]]:
    """Rows of a batch in their order, from the one after row `after`; of every verdict when none is named."""
    query = select(*BatchRow.__table__.c).where(BatchRow.batch_id == batch_id, BatchRow.row > after)
    if verdict:
        query = query.where(BatchRow.verdict == verdict)
    return list(db.session.execute(query.order_by(BatchRow.row).limit(limit)).all())


def findings(
    paths: Sequence[str], kind: str = "", *, after: tuple[int, int] | None = None, limit: int = PAGE
) -> list[Any]:
    """Doubts about whom a row means (`work.FINDINGS`) that nobody has settled, in the branches of the office tree named
    by their paths; newest batch first, `after` is (batch, row)."""
    query = (
        select(
            *BatchRow.__table__.c, Batch.office_id, Batch.name.label("batch_name"), Batch.directory, Batch.heading,
            Office.name.label("office"),
        )
        .join(Batch, Batch.id == BatchRow.batch_id)
        .join(Office, Office.id == Batch.office_id)
        .where(BatchRow.finding != "", BatchRow.settled_at.is_(None), Batch.state != "undone")
        .where(lookups.within(Office.path, paths))
    )  # fmt: skip
    if kind:
        query = query.where(BatchRow.finding == kind)
    if after is not None:
        query = query.where(
            (BatchRow.batch_id < after[0]) | ((BatchRow.batch_id == after[0]) & (BatchRow.row > after[1]))
        )
    return list(db.session.execute(query.order_by(BatchRow.batch_id.desc(), BatchRow.row).limit(limit)).all())


def cells_of(batch: Any, line: Any) -> list[Cell]:
    """A row as a form shows it: one cell for each column, with the reasons beside the fields they are about."""
    heading = heading_of(batch.directory, batch.heading)
    said = {**line.received, **(line.mended or {})}
    return [
        Cell(
            place,
            column.heading,
            column.field,
            str(said.get(name, "")),
            tuple(text for about, text in line.reasons if about and about == column.field),
        )
        for place, (column, name) in enumerate(zip(heading.columns, _names(heading), strict=True))
    ]


def read_as(batch: Any, line: Any, at: datetime) -> dict[str, str]:
    """What a row is understood to say, by field code; numbers of persons masked, what cannot be read left out."""
    heading = heading_of(batch.directory, batch.heading)
    reader = reader_of(heading, legal_day(at))
    return reader.fields.clear_values(reader.fields.read(reader.cells(_cells(heading, line))).values)


def mend(
    batch_id: int, row: int, typed: Mapping[int, str], doer: Officer, at: datetime, *, confirmed: bool = False,
    note: str = "",
) -> Mended:  # fmt: skip
    """Judge a waiting row again with the cells that were typed (by column), inside `transaction()`.

    It is taken in, or it waits with new reasons and keeps what was typed. `confirmed`: the officer has compared the
    row with the papers and vouches for whom it means, or that it corrects an earlier row of the same sheet; `note` says
    on what. Raises NotPossible, LookupError.
    """
    batch, line = _waiting(batch_id, row, doer)
    heading = heading_of(batch.directory, batch.heading)
    cells = _cells(heading, line)
    for place, cell in typed.items():
        if 0 <= place < len(cells):
            cells[place] = cell.replace("\0", "")
    work = work_on(
        batch_id, _office(batch.office_id), heading, lookups.offices(), at, legal_day(at), confirmed=confirmed
    )
    judged = work.judge(Received(row, cells))
    chunk = judge(work, [judged])
    if any(record.subject_id in doer.mandates for record in chunk.records):
        text = "您受这一行的主体委托，应当回避，请由其他人办理。"
        raise NotPossible([Refusal(STRANGER, text, {}, LAW, "RECUSED")])
    found = chunk.lines[0] if chunk.lines else None
    verdict = found.verdict if found else IN
    reasons = found.reasons if found else []
    names = _names(heading)
    now_says = zip(names, judged.clear, strict=True)
    mended = {name: shown for name, shown in now_says if shown != line.received.get(name, "")}
    record_id = found.record_id if found else chunk.records[0].id
    values: dict[str, Any] = {
        "verdict": verdict,
        "reasons": [list(reason) for reason in reasons],
        "mended": mended or None,
        "record_id": record_id,
        "finding": found.finding if found else "",
        "sealed": secrets_of(cells, judged.clear) if verdict == WAITING else "",
    }
    if verdict != WAITING:
        write_chunk(work, chunk)
        values["note"] = note
        if confirmed or not values["finding"]:  # a doubt that has only now come up is still to be looked into
            values |= {"settled_at": at, "settled_by": doer.person}
        _count(batch, verdict)
    _set(batch_id, row, **values)
    answers = {"row": row, "columns": sorted(mended), "verdict": verdict, "confirmed": confirmed, "note": note}
    write_line("batch", batch_id, "mend", hand(doer, batch.office_id), at, law_text=LAW, item=str(row), answers=answers)
    return Mended(verdict, reasons, record_id)


def set_aside(batch_id: int, row: int, verdict: str, reason: str, doer: Officer, at: datetime) -> None:
    """Ignore a waiting row (`ignored`) or send it back to whoever sent it (`sent_back`), with a reason, inside
    `transaction()`. Raises NotPossible, LookupError."""
    batch, _line = _waiting(batch_id, row, doer)
    reason = reason.strip()
    if verdict not in ("ignored", "sent_back"):
        raise ValueError(verdict)
    if not reason:
        raise NotPossible([no("请写明原因，报送单位会看到。", "NO_REASON")])
    if len(reason) > 500:
        raise NotPossible([no("原因最多 500 个字，请缩短。", "TOO_LONG")])
    _count(batch, verdict)
    _set(batch_id, row, verdict=verdict, note=reason, sealed="", settled_at=at, settled_by=doer.person)
    write_line(
        "batch", batch_id, verdict, hand(doer, batch.office_id), at, law_text=LAW, item=str(row),
        answers={"row": row, "reason": reason},
    )  # fmt: skip


def settle_finding(batch_id: int, row: int, note: str, doer: Officer, at: datetime) -> None:
    """Record that a doubt about a row that was taken in has been looked into, and what was found, inside
    `transaction()`. Raises NotPossible, LookupError."""
    batch = locked(batch_id)
    if refusals := not_theirs(doer, batch.office_id):
        raise NotPossible(refusals)
    line = _line(batch_id, row)
    if not note.strip():
        raise NotPossible([no("请写明核对的结果。", "NO_REASON")])
    if not line.finding or line.settled_at is not None or line.verdict == WAITING:
        raise NotPossible([no("这一行没有待核对的疑问；待处理的行请先修改或者退回。", "SETTLED")])
    _set(batch_id, row, note=note.strip()[:500], settled_at=at, settled_by=doer.person)
    write_line(
        "batch", batch_id, "settle", hand(doer, batch.office_id), at, law_text=LAW, item=str(row),
        answers={"row": row, "note": note.strip()[:500], "finding": line.finding},
    )  # fmt: skip


def _waiting(batch_id: int, row: int, doer: Officer) -> tuple[Any, Any]:
    """A batch and a row of it that waits, both locked."""
    batch = locked(batch_id)
    if refusals := not_theirs(doer, batch.office_id):
        raise NotPossible(refusals)
    if batch.state == "undone":
        raise NotPossible([no("这一批已经撤销，其中的行不能再处理。", "UNDONE")])
    line = _line(batch_id, row)
    if line.verdict != WAITING:
        raise NotPossible([no("第 {row} 行已经处理过了，请刷新页面。", "NOT_WAITING", row=row)])
    return batch, line


def _line(batch_id: int, row: int) -> Any:
    line = db.session.execute(
        select(*BatchRow.__table__.c).where(BatchRow.batch_id == batch_id, BatchRow.row == row).with_for_update()
    ).first()
    if line is None:
        raise LookupError(f"no line {row} of batch {batch_id}")
    return line


def _names(heading: Heading) -> list[str]:
    return [column.heading or f"#{place + 1}" for place, column in enumerate(heading.columns)]


def _cells(heading: Heading, line: Any) -> list[str]:
    """The row as it is known now: as received, as mended before, and the numbers that were sealed."""
    said = {**line.received, **(line.mended or {})}
    cells = [str(said.get(name, "")) for name in _names(heading)]
    if line.sealed:
        for place, cell in json.loads(open_sealed(line.sealed, house_keys(), SEALED_ABOUT)).items():
            cells[int(place)] = cell
    return cells


def _count(batch: Any, verdict: str) -> None:
    """One waiting row less, one of another verdict more."""
    tallies = added(batch.tallies, {WAITING: -1, verdict: 1})
    db.session.execute(
        update(Batch).where(Batch.id == batch.id).values(tallies=tallies).execution_options(synchronize_session=False)
    )


def _set(batch_id: int, row: int, **values: Any) -> None:
    where = BatchRow.batch_id == batch_id, BatchRow.row == row
    db.session.execute(update(BatchRow).where(*where).values(**values).execution_options(synchronize_session=False))


def _office(office_id: int) -> tuple[int, str]:
    return office_id, db.session.execute(select(Office.path).where(Office.id == office_id)).scalar_one()
