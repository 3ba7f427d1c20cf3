"""The life of a batch: previewed, queued, running, done or failed. Every verb stands inside the caller's transaction.

A chunk of rows and the position behind it are written together: a run that is killed goes on where it stopped, and two
that run the same batch do not write the same rows, because each finds the position it expects or stops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, or_, select, update

from app.db import db, leave_work
from app.journal import Doer, write_line
from app.models import Batch, Office
from app.registry.hands import NotPossible, Officer
from app.registry.intake import lookups
from app.registry.intake.examine import Examined, preview
from app.registry.intake.hands import LAW, hand, no, not_theirs
from app.registry.intake.heading import heading_of
from app.registry.intake.judge import judge
from app.registry.intake.work import Judged, Work, work_on
from app.registry.intake.write import write_chunk, write_lines
from workflows.calendar import legal_day

CHUNK = 1000
"""Rows of one transaction."""
LEASE = timedelta(seconds=30)
"""How long a run may be silent before somebody else goes on with its batch."""


def make_batch(
    examined: Examined, file: str, name: str, size: int, office_id: int, doer: Officer | Doer, at: datetime
) -> int:
    """Keep a file that was examined as a batch with its preview; returns its id. Raises NotPossible, LookupError."""
    if not isinstance(doer, Doer) and (refusals := not_theirs(doer, office_id)):
        raise NotPossible(refusals)
    heading = examined.heading
    found = preview(examined, _office(office_id), at, legal_day(at))
    batch_id: int = db.session.execute(
        insert(Batch.__table__)
        .values(
            office_id=office_id,
            directory=heading.directory,
            name=name,
            file=file,
            size=size,
            encoding=heading.layout.title,
            heading=heading.kept(),
            rows=examined.rows,
            position=0,
            tallies={},
            preview=found,
            state="previewed",
            trouble="",
            lease_by="",
            made_by=doer.person,
            made_at=at,
        )
        .returning(Batch.id)
    ).scalar_one()
    answers = {"name": name, "file": file, "rows": examined.rows, "directory": heading.directory}
    _journal(batch_id, "receive", doer, office_id, at, answers)
    return batch_id


def start(batch_id: int, doer: Officer | Doer, at: datetime) -> None:
    """Queue a previewed batch, or one that failed and may go on; the watch is woken. Raises NotPossible."""
    batch = locked(batch_id)
    if not isinstance(doer, Doer) and (refusals := not_theirs(doer, batch.office_id)):
        raise NotPossible(refusals)
    if batch.state in ("queued", "running"):
        return
    if batch.state not in ("previewed", "failed"):
        raise NotPossible([no("这一批已经处理过，不能再次开始。", "NOT_PREVIEWED")])
    _set(batch_id, state="queued", trouble="", lease_until=None, lease_by="")
    _journal(batch_id, "start", doer, batch.office_id, at, {})
    leave_work()


def drop(batch_id: int, doer: Officer, at: datetime) -> None:
    """A previewed batch is not wanted; nothing of it has been written. Raises NotPossible, LookupError."""
    batch = locked(batch_id)
    if refusals := not_theirs(doer, batch.office_id):
        raise NotPossible(refusals)
    if batch.state != "previewed":
        raise NotPossible([no("这一批已经开始写入，要收回请用“撤销这一批”。", "NOT_PREVIEWED")])
    _set(batch_id, state="undone", undone_at=at, undone_by=doer.person)
    _journal(batch_id, "drop", doer, batch.office_id, at, {})


def claim(batch_id: int, holder: str, at: datetime, *, take_over: bool = False) -> Work | None:
    """Take a queued batch, or one whose run has fallen silent, to run it; None when somebody else runs it.

    `take_over`: the caller knows that the run which holds the lease is dead.
    """
    batch = locked(batch_id)
    if batch.state not in ("queued", "running"):
        return None
    alive = batch.lease_until is not None and batch.lease_until > at and batch.lease_by != holder
    if batch.state == "running" and alive and not take_over:
        return None
    _set(batch_id, state="running", lease_until=at + LEASE, lease_by=holder, started_at=batch.started_at or at)
    heading = heading_of(batch.directory, batch.heading)
    return work_on(batch_id, _office(batch.office_id), heading, lookups.offices(), at, legal_day(at))


def release(batch_id: int, holder: str) -> None:
    """Stop running a batch for now; whoever comes next goes on with it."""
    db.session.execute(
        update(Batch).where(Batch.id == batch_id, Batch.lease_by == holder).values(lease_until=None, lease_by="")
    )


def waiting_for_a_run(at: datetime) -> int | None:
    """The oldest batch that nobody runs."""
    free = or_(
        Batch.state == "queued", (Batch.state == "running") & or_(Batch.lease_until.is_(None), Batch.lease_until <= at)
    )
    return db.session.execute(select(Batch.id).where(free).order_by(Batch.id).limit(1)).scalar()


def take_chunk(
    work: Work, rows: Sequence[Judged | int], before: int, holder: str, at: datetime
) -> dict[str, int] | None:
    """Write a chunk that begins after row `before`; returns the tallies so far, None when the batch is not ours now."""
    batch = locked(work.batch_id)
    if batch.state != "running" or batch.position != before or batch.lease_by != holder:
        return None
    if lookups.is_postgres():
        _one_at_a_time()
    work = replace(work, at=at)
    chunk = judge(work, rows)
    write_chunk(work, chunk)
    write_lines(work, chunk.lines)
    last = rows[-1]
    tallies = added(batch.tallies, chunk.tallies)
    position = last if isinstance(last, int) else last.row
    _set(work.batch_id, position=position, tallies=tallies, lease_until=at + LEASE)
    return tallies


def _one_at_a_time() -> None:
    """Two batches could bring the same subject at the same moment: chunks are written one after the other."""
    db.session.connection().exec_driver_sql("SELECT pg_advisory_xact_lock(727001)")


def finish(batch_id: int, holder: str, at: datetime) -> bool:
    """The last row has been dealt with; False when the batch is not ours any more."""
    batch = locked(batch_id)
    if batch.state != "running" or batch.lease_by != holder:
        return False
    _set(batch_id, state="done", finished_at=at, lease_until=None, lease_by="", trouble="")
    doer = Doer(None, "系统值守", "watch", batch.office_id)
    _journal(batch_id, "finish", doer, batch.office_id, at, dict(batch.tallies))
    return True


def fail(batch_id: int, holder: str, sentence: str, at: datetime) -> None:
    """The run cannot go on; what was written stays, and the batch may be started again or taken back."""
    batch = locked(batch_id)
    if batch.state == "running" and batch.lease_by == holder:
        _set(batch_id, state="failed", trouble=sentence, finished_at=at, lease_until=None, lease_by="")
        doer = Doer(None, "系统值守", "watch", batch.office_id)
        _journal(batch_id, "fail", doer, batch.office_id, at, {"trouble": sentence})


def locked(batch_id: int) -> Any:
    """The row of a batch, locked for the transaction. Raises LookupError when there is none."""
    row = db.session.execute(select(*Batch.__table__.c).where(Batch.id == batch_id).with_for_update()).first()
    if row is None:
        raise LookupError(f"no batch {batch_id}")
    return row


def added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Two tallies together; what comes to nothing is left out."""
    total = {verdict: one.get(verdict, 0) + other.get(verdict, 0) for verdict in {*one, *other}}
    return {verdict: count for verdict, count in sorted(total.items()) if count}


def _set(batch_id: int, **values: Any) -> None:
    db.session.execute(
        update(Batch).where(Batch.id == batch_id).values(**values).execution_options(synchronize_session=False)
    )


def _office(office_id: int) -> tuple[int, str]:
    path = db.session.execute(select(Office.path).where(Office.id == office_id, Office.kind != "linked")).scalar()
    if path is None:
        raise LookupError(f"no office {office_id}")
    return office_id, path


def _journal(
    batch_id: int, act: str, doer: Officer | Doer, office_id: int, at: datetime, answers: Mapping[str, Any]
) -> None:
    who = doer if isinstance(doer, Doer) else hand(doer, office_id)
    write_line("batch", batch_id, act, who, at, law_text=LAW, answers=answers)
