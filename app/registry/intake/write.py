"""Writing a chunk: subjects, their sealed numbers, records, publication, corrections and the lines of the batch.

All of it stands in the caller's transaction, with the position up to which the batch has been dealt with.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, update

from app.db import db
from app.models import CreditRecord, RecordVersion
from app.registry.intake.changes import CORRECTED_BY_SENDER
from app.registry.intake.terms import CAUSES
from app.registry.intake.wire import instant_text, pour
from app.registry.intake.work import Chunk, Correction, Line, NewRecord, NewSubject, Work, to_json
from app.registry.publish import state_fact
from app.sealed import house_keys, seal

SUBJECT = ("id", "kind", "name", "legal_representative", "region", "trade")
IDENTIFIER = ("subject_id", "kind", "value", "sealed", "blind", "valid_from")
RECORD = (
    "id", "public_id", "kind", "directory", "catalogue", "subject_id", "office_id", "title", "number", "number_key",
    "recognised_on", "cls", "class_basis", "minimum_last_day", "maximum_last_day", "excluded_by", "sector_condition",
    "duty", "duty_note", "annulled_by", "fields", "received", "recorded_at", "sender_id", "batch_id", "version",
)  # fmt: skip
FACT = ("record_id", "deed", "effective_on", "recorded_at", "cause")
LINE = ("batch_id", "row", "verdict", "received", "reasons", "finding", "sealed", "mended", "record_id", "note")
SEALED_ABOUT = "batch_row"


def write_chunk(work: Work, chunk: Chunk) -> None:
    """Write what a chunk brings, but for the lines of its rows."""
    _subjects(chunk.subjects)
    _records(work, chunk.records)
    for change in chunk.corrections:
        _correct(work, change)


def write_lines(work: Work, lines: Sequence[Line]) -> None:
    """Write the lines of rows that are more than plainly taken in."""
    pour("batch_row", LINE, [_line(work, line) for line in lines])


def _subjects(made: Sequence[NewSubject]) -> None:
    keys = house_keys()
    pour("subject", SUBJECT, [(s.id, s.kind, s.name, s.representative, s.region, "") for s in made])
    pour(
        "identifier",
        IDENTIFIER,
        [
            (s.id, s.identifier, s.code or None, seal(s.number, keys, "identifier") if s.number else None,
             s.blind or None, s.since)
            for s in made
        ],
    )  # fmt: skip


def _records(work: Work, made: Sequence[NewRecord]) -> None:
    entry, at = work.entry, instant_text(work.at)
    directory, today, cause = work.heading.directory, work.today.isoformat(), CAUSES[entry.kind]
    ids = os.urandom(8 * len(made)).hex()
    pour(
        "record",
        RECORD,
        [
            (
                r.id, ids[16 * n : 16 * n + 16], entry.kind, directory, entry.catalogue_code, r.subject_id, r.office_id,
                r.title, r.ready.number, r.ready.number_key, r.ready.day.isoformat(), r.ready.shown.cls,
                r.ready.shown.basis, _day(r.ready.shown.minimum_last_day), _day(r.ready.shown.maximum_last_day), "", "",
                "unknown", "", "", r.ready.fields, r.ready.received, at, r.sender_id, work.batch_id, 1,
            )
            for n, r in enumerate(made)
        ],
    )  # fmt: skip
    pour("publication_fact", FACT, [(r.id, "publish", today, at, cause) for r in made if r.published])


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _correct(work: Work, change: Correction) -> None:
    """The words before go to `record_version`; the record says the new ones under the next version."""
    before = change.before
    keep_version(before, work.at, work.batch_id, CORRECTED_BY_SENDER)
    db.session.execute(
        update(CreditRecord)
        .where(CreditRecord.id == before.id)
        .values(
            title=change.title,
            number=change.number,
            number_key=change.number_key,
            recognised_on=date.fromisoformat(change.day),
            cls=change.cls,
            class_basis=change.class_basis,
            minimum_last_day=change.minimum_last_day,
            maximum_last_day=change.maximum_last_day,
            fields=change.fields,
            received=change.received,
            version=CreditRecord.version + 1,
            changed_at=work.at,
        )
        .execution_options(synchronize_session=False)
    )
    if change.deed:
        state_fact(before.id, change.deed, work.today, work.at, change.cause)


def keep_version(row: Any, at: datetime, batch_id: int | None, cause: str) -> None:
    """Keep what a record says before it says something else, inside `transaction()`."""
    db.session.execute(
        insert(RecordVersion.__table__).values(
            record_id=row.id,
            version=row.version,
            title=row.title,
            number=row.number,
            number_key=row.number_key,
            recognised_on=row.recognised_on,
            cls=row.cls,
            class_basis=row.class_basis,
            minimum_last_day=row.minimum_last_day,
            maximum_last_day=row.maximum_last_day,
            fields=row.fields,
            received=row.received,
            recorded_at=row.changed_at or row.recorded_at,
            replaced_at=at,
            batch_id=batch_id,
            cause=cause,
        )
    )


def _line(work: Work, line: Line) -> tuple[Any, ...]:
    judged = line.judged
    received = {} if line.verdict == "duplicate" else work.as_received(judged.clear)
    return (
        work.batch_id, line.row, line.verdict, to_json(received), to_json(line.reasons), line.finding,
        secrets_of(judged.cells, judged.clear) if line.verdict == "waiting" else "", None, line.record_id, "",
    )  # fmt: skip


def secrets_of(cells: Sequence[str], clear: Sequence[str]) -> str:
    """The cells that are kept masked, sealed, so that the row can be mended without asking for them again."""
    hidden = {place: cell for place, (cell, shown) in enumerate(zip(cells, clear, strict=True)) if cell != shown}
    return seal(to_json(hidden), house_keys(), SEALED_ABOUT) if hidden else ""
