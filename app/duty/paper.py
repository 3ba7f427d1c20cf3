"""Paper: what was frozen is printed, signed and filed. The row is the truth; a lost wake-up or a killed process costs a
minute, never a sheet, and no sheet is ever filed twice.

A sheet is claimed by lease and the certificate that will sign it is named on its row first; printing and signing happen
outside every transaction; the file is safe on disk before a conditional UPDATE makes it the row's.

To add a kind of paper:

1. Its table has `id`, `lease_until` (Instant, nullable), `signer` (text, nullable), `trouble` (text, "" when there is
   none), and a column that stays NULL until the file is there. Whoever writes the row calls `leave_work()`.
2. A module of its own in this room describes it once: `PAPER = Paper(table, unprinted, folder, organ, sheet, filed)`,
   and names `turn = PAPER.turn` (see `press` for documents, `statements` for 对账单).
3. `worker.take_turns` takes its turn: one line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Table, or_, select, update

from app.db import db, transaction
from app.documents.press import CannotPrint, Sheet, press
from app.documents.sign import ensure_certificate, sign_pdf
from app.files import find, keep
from app.now import now

LEASE = timedelta(seconds=60)
"""How long a sheet belongs to one press: a hundred times what it takes."""

RETRY = timedelta(minutes=10)
"""When a sheet that failed is tried again; its trouble is on its row from the first time."""

_log = logging.getLogger("jiannuo.watch")


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed sheet: its row as it was, who signs. `lease` is what the claim wrote and the filing must still find."""

    row: Any
    signer: str
    lease: datetime


@dataclass(frozen=True, slots=True)
class Filed:
    """The signed file that has come of a sheet: its SHA-256 name, its size in bytes, when it was filed."""

    name: str
    size: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Paper:
    """A kind of paper: the rows of `table` for which `unprinted` holds wait for ink.

    `folder` is where its files are kept, `organ` the office whose certificate signs a row (asked inside the claim's
    transaction). `sheet` makes what is printed of a row, may read the database, and raises CannotPrint for what must
    not be printed; the certificate comes into its facts as `key`. `filed` says which columns make the file the row's;
    after it `unprinted` must not hold.
    """

    table: Table
    unprinted: ColumnElement[bool]
    folder: Callable[[], Path]
    organ: Callable[[Any], int]
    sheet: Callable[[Any], Sheet]
    filed: Callable[[Filed], Mapping[str, Any]]

    def turn(self, limit: int = 20) -> int:
        """Print and sign up to `limit` sheets; returns how many. One that fails is marked and stops no other."""
        printed = 0
        for _ in range(limit):
            job = self.claim()
            if job is None:
                break
            printed += self.work(job)
        return printed

    def claim(self) -> Job | None:
        """Take the oldest sheet that nobody holds, and write down who will sign it; None when there is none."""
        at, own = now(), self.table.c
        free = self.unprinted, or_(own.lease_until.is_(None), own.lease_until < at)
        waiting = select(own.id).where(*free).order_by(own.id).limit(1)
        idle = db.session.execute(waiting).first() is None
        db.session.rollback()
        if idle:
            return None
        lease = at + LEASE
        with transaction() as session:
            row = session.execute(
                update(self.table)
                .where(own.id == waiting.with_for_update(skip_locked=True).scalar_subquery(), *free)
                .values(lease_until=lease)
                .returning(*own)
            ).first()
            if row is None:
                return None
            signer = ensure_certificate(self.organ(row))
            session.execute(update(self.table).where(own.id == row.id).values(signer=signer))
        return Job(row, signer, lease)

    def work(self, job: Job) -> bool:
        """Print, sign and file a claimed sheet; True when the file has become the row's."""
        try:
            sheet = self.sheet(job.row)
            db.session.rollback()
            signed = sign_pdf(press(replace(sheet, facts={**sheet.facts, "key": job.signer})), job.signer)
            name = keep(self.folder(), signed)
        except CannotPrint as error:
            return self._failed(job, str(error))
        except Exception as error:  # whatever it is, it is this sheet's and not the next one's
            _log.exception("%s %s could not be printed", self.table.name, job.row.id)
            return self._failed(job, f"印制或者签章时出错（{type(error).__name__}），将自动重试。")
        filed = self._settle(job, trouble="", lease_until=None, **self.filed(Filed(name, len(signed), now())))
        if not filed:
            find(self.folder(), name).unlink()  # another press was faster; this copy is nobody's
        return filed

    def _failed(self, job: Job, trouble: str) -> bool:
        self._settle(job, trouble=trouble, lease_until=now() + RETRY)
        return False

    def _settle(self, job: Job, **values: Any) -> bool:
        """Write the outcome, if the sheet is still ours and not printed."""
        own = self.table.c
        with transaction() as session:
            settled = session.execute(
                update(self.table)
                .where(own.id == job.row.id, self.unprinted, own.lease_until == job.lease)
                .values(**values)
            )
        return bool(settled.rowcount)  # type: ignore[attr-defined]
