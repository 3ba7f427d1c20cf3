"""Time-limits that ran out, steps that nobody needs to take: the same door as for everyone, one case a transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from sqlalchemy import exists, or_, select

from app.casework.annul import left_behind, withdraw_left_behind
from app.casework.facts import load_case
from app.casework.refused import StepRefused
from app.casework.take_step import take_step
from app.db import db, transaction
from app.models import Case, CaseRecord, CreditRecord, DeadlineRow
from app.now import now
from workflows import WORKFLOWS
from workflows.calendar import legal_day
from workflows.engine import refusals
from workflows.people import WATCH

log = logging.getLogger("jiannuo.watch")


BATCH = 500
"""Cases looked at in one statement; the next batch begins after the last of them."""


def turn() -> int:
    """Take every automatic step that the law allows now; returns how many. A case that fails stops no other."""
    taken, last = 0, 0
    while batch := candidates(last):
        for _id, number in batch:
            try:
                taken += follow(number)
            except Exception:
                db.session.rollback()
                log.exception("case %s", number)
        last = batch[-1][0]
    return taken + withdraw_annulled()


def withdraw_annulled() -> int:
    """Withdraw what an annulment left to a case that has ended another way; returns how many."""
    withdrawn = 0
    waiting = left_behind(BATCH)
    db.session.rollback()
    for record_id in waiting:
        try:
            with transaction():
                withdrawn += withdraw_left_behind(record_id, now())
        except Exception:
            log.exception("record %s", record_id)
    return withdrawn


def candidates(after: int = 0) -> list[tuple[int, str]]:
    """Open cases that the watch may have to move (a clock ran out, the penalty was annulled, the work is done), by id
    from the one after `after`: a batch of them, so that many that wait for somebody do not hide the others."""
    today = legal_day(now())
    ran_out = exists().where(
        DeadlineRow.about == "case",
        DeadlineRow.about_id == Case.id,
        DeadlineRow.state == "running",
        DeadlineRow.due_on < today,
        DeadlineRow.clock.in_(_expiring()),
    )
    annulled = exists().where(
        CaseRecord.case_id == Case.id, CreditRecord.id == CaseRecord.record_id, CreditRecord.annulled_on.is_not(None)
    )
    rows = db.session.execute(
        select(Case.id, Case.number)
        .where(Case.final.is_(False), Case.id > after, or_(ran_out, annulled, Case.state.in_(_completing())))
        .order_by(Case.id)
        .limit(BATCH)
    )
    batch = [(row.id, row.number) for row in rows]
    db.session.rollback()
    return batch


def follow(number: str) -> int:
    """Take the automatic steps of one case for as long as one is allowed; returns how many."""
    taken = 0
    while (step := _allowed(number)) is not None:
        code, version = step
        at = now()
        try:
            with transaction():
                take_step(
                    number, code, actor=WATCH, answers={}, key=f"watch/{number}/{version}/{code}",
                    seen_version=version, at=at,
                )  # fmt: skip
        except StepRefused as refused:
            log.info("case %s: %s not taken: %s", number, code, refused)
            return taken
        taken += 1
    return taken


def _allowed(number: str) -> tuple[str, int] | None:
    at = now()
    loaded = load_case(number, at)
    db.session.rollback()
    for step in loaded.workflow.steps_from[loaded.facts.case.state]:
        if step.automatic and not refusals(loaded.workflow, step, loaded.facts, WATCH, at, "", {}):
            return step.code, loaded.facts.case.version
    return None


def _expiring() -> Iterable[str]:
    return {clock.code for workflow in WORKFLOWS.values() for clock in workflow.clocks if clock.on_expiry}


def _completing() -> Iterable[str]:
    """States that the watch leaves for a good reason other than a clock: the work there is done."""
    return {
        source
        for workflow in WORKFLOWS.values()
        for step in workflow.steps
        if step.automatic and step.code not in workflow.expiry_of and len(step.sources) == 1
        for source in step.sources
    }
