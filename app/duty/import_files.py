"""Files of records from the command line: the same batches as in the desk, run at once and told about as they run."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from app.db import db, transaction
from app.duty.intake import run
from app.files import keep_file
from app.journal import Doer
from app.models import Batch, Office
from app.now import now
from app.registry.entries import entries, entry_of
from app.registry.intake.batch import make_batch, start
from app.registry.intake.examine import Examined, examine, preview
from app.registry.intake.result import TITLES
from app.registry.intake.trouble import Unreadable
from workflows.calendar import legal_day

Say = Callable[[str], object]
EVERY = 50_000
"""Rows between two lines of progress where nobody looks at a terminal."""
FIRST_REASONS = 10
_ORDER = ("in", "warned", "corrected", "duplicate", "waiting", "ignored", "sent_back")


def import_files(files: Sequence[Path], office: str, kind: str, *, dry_run: bool, say: Say) -> bool:
    """Take the files in, one after the other; False when one of them could not be taken in to its end.

    Rows that wait are no failure: they stand in the desk with their reasons.
    """
    where = _office(office)
    if where is None:
        say(f"没有编码为 {office} 的单位" if office else "请用 --office 写明报送单位的机构编码")
        return False
    if kind and kind not in {entry.code for entry in entries()}:
        known = "、".join(f"{entry.code} {entry.title}" for entry in entries())
        say(f"没有目录 {kind}；已有：{known}")
        return False
    good = True
    for path in files:
        say(f"{path.name}：")
        try:
            good &= _dry(path, where, kind, say) if dry_run else _one(path, where[0], kind, say)
        except Unreadable as error:
            say(f"  不能办理：{error.sentence}")
            good = False
    return good


def _office(code: str) -> tuple[int, str] | None:
    """The office with this code, or the only one above all others."""
    query = select(Office.id, Office.path).where(Office.kind != "linked")
    query = query.where(Office.code == code) if code else query.where(Office.parent_id.is_(None))
    found = db.session.execute(query.limit(2)).all()
    db.session.rollback()
    return (found[0].id, found[0].path) if len(found) == 1 else None


def _dry(path: Path, where: tuple[int, str], kind: str, say: Say) -> bool:
    """Only look: nothing is kept, neither the file nor a batch."""
    at = now()
    examined = examine(path, legal_day(at), kind)
    found = preview(examined, where, at, legal_day(at))
    db.session.rollback()
    _describe(examined, say)
    say(f"  预览前 {found['looked_at']} 行：{_told(found['tallies'])}")
    for line in found["told"][:FIRST_REASONS]:
        reasons = "；".join(text for _field, text in line["reasons"])
        say(f"    第 {line['row'] + examined.heading.line} 行 {TITLES[line['verdict']]}：{reasons}")
    return True


def _one(path: Path, office_id: int, kind: str, say: Say) -> bool:
    uploads = Path(current_app.config["INSTANCE"]) / "uploads"
    with path.open("rb") as source:
        file, size = keep_file(uploads, source)
    unfinished = _unfinished(file, office_id, kind)
    if unfinished is not None:
        say(f"  接着上次写到的第 {unfinished.position} 行继续")
        batch_id, total = unfinished.id, unfinished.rows or 0
    else:
        examined = examine(uploads / file[:2] / file, legal_day(now()), kind)
        _describe(examined, say)
        total = examined.rows
        with transaction():
            batch_id = make_batch(examined, file, path.name, size, office_id, _hand(office_id), now())
    with transaction():
        start(batch_id, _hand(office_id), now())
    began = time.monotonic()
    run(batch_id, told=_meter(unfinished.position if unfinished else 0, total, say), take_over=_is_dead(unfinished))
    batch = db.session.execute(select(*Batch.__table__.c).where(Batch.id == batch_id)).one()
    db.session.rollback()
    if batch.state == "running":
        say("  另一个进程正在写这一批，请稍后查看结果")
        return False
    say(f"  {_told(batch.tallies)}，用时 {time.monotonic() - began:.0f} 秒（批次 {batch_id}）")
    if batch.state == "failed":
        say(f"  已中断：{batch.trouble}")
    return bool(batch.state == "done")


def _hand(office_id: int) -> Doer:
    return Doer(None, "命令行", "watch", office_id)


def _unfinished(file: str, office_id: int, kind: str) -> Batch | None:
    """The batch in which the same file of the same office was begun and not finished."""
    query = select(Batch).where(
        Batch.file == file, Batch.office_id == office_id, Batch.state.in_(("queued", "running", "failed"))
    )
    if kind:
        query = query.where(Batch.directory.startswith(f"{kind}/"))
    found = db.session.execute(query.order_by(Batch.id.desc()).limit(1)).scalar()
    if found is not None:
        db.session.expunge(found)
    db.session.rollback()
    return found


def _is_dead(batch: Batch | None) -> bool:
    """True when the run that holds the batch was a process of this machine that is no more."""
    host, _, pid = (batch.lease_by if batch is not None else "").rpartition(":")
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    with suppress(PermissionError):
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
    return False


def _describe(examined: Examined, say: Say) -> None:
    heading = examined.heading
    entry = entry_of(heading.directory)
    title = entry.title if entry else heading.directory
    say(f"  {title}，{heading.layout.title}，表头在第 {heading.line} 行，共 {examined.rows} 行")
    if heading.missing:
        say(f"  缺少必填的列：{'、'.join(field.name for field in heading.missing)}")
    if heading.strangers:
        say(f"  不在目录之中的列，只随原始行留存：{'、'.join(heading.strangers)}")


def _told(tallies: dict[str, int]) -> str:
    return "，".join(f"{TITLES[name]} {tallies[name]}" for name in _ORDER if tallies.get(name)) or "没有数据行"


def _meter(before: int, total: int, say: Say) -> Callable[[int, dict[str, int]], None]:
    """Tells how far a run has come: one line that changes on a terminal, a line now and then elsewhere."""
    began, done, told = time.monotonic(), [0], [0]

    def tell(rows: int, _tallies: dict[str, int]) -> None:
        done[0] += rows
        dealt = before + done[0]
        pace = done[0] / max(time.monotonic() - began, 1e-6)
        line = f"  {dealt} / {total} 行，每秒 {pace:.0f} 行"
        if sys.stderr.isatty():
            print(f"\r{line}  ", end="\n" if dealt >= total else "", file=sys.stderr, flush=True)
        elif dealt - told[0] >= EVERY:
            told[0] = dealt
            say(line)

    return tell
