"""An application as 信用中国 or a hall window brings it: filed, and signed for, in one act, once.

T0 is the day they received it, T1 now: the total limit runs from T0, that for accepting from T1. What may not be
repaired is refused with its reasons and never blocks the rest; what comes too early is held. Everything a record's case
needs is asked before its first row is written, so that nothing is left half. All records are locked before any serial
number is taken, and numbers in the order of regions and offices, so that two filings never wait crosswise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from app.casework import once
from app.casework.actor import Person
from app.casework.attach import attach
from app.casework.brought import checked_files, readable, record_of, refused, subject_of
from app.casework.carried import Paper, Pushed
from app.casework.facts import facts_of_record
from app.casework.letter import keep_letter
from app.casework.open_case import Opened, new_filing, open_one
from app.casework.refused import StepRefused
from app.casework.repair_particulars import save
from app.casework.submit import SUBMIT, SUBMIT_EARLY, way_in
from app.casework.take_step import take_step
from app.db import db
from app.models import Filing
from workflows import NEWEST
from workflows.engine import refusals
from workflows.grammar import STRANGER, Ask, Facts, Refusal
from workflows.people import carried_by
from workflows.repair_needs import t0_plausible

CASE_TYPE = "repair"
LETTER, PROOF, SCAN = "letter", "duty_proof", "letter_scan"
NO_CARRIER = {
    "hall": "只有办事窗口的受理员可以代收申请。",
    "creditchina": "只有“信用中国”的经办可以转交在那里提出的申请。",
}


def carry_filing(
    pushed: Pushed, *, actor: Person, channel: str, key: str, at: datetime, folder: Path, limit: int, index: bytes
) -> tuple[str, list[Opened]]:
    """File what a carrier brings, inside `transaction()`; returns the receipt and what became of each record named.

    The outcomes are in the order of `pushed.records`; `record_id` is 0 where no record was found. The same key, or the
    same number of 信用中国, with the same content: the same filing and the same outcomes. `folder` keeps the files,
    `limit` is the greatest size of one in bytes, `index` the key under which natural persons are found.

    Raises KeyReused for another content, StepRefused with every reason when nothing can be filed: not a carrier, an
    application that cannot be read, or not one record that may be applied for.
    """
    if not any(one.channel == channel for one in actor.carries):
        raise refused(NO_CARRIER[channel], "NO_CARRIER", STRANGER)
    whose = _whose(actor, channel)
    body = once.body_of(channel, _digested(asdict(pushed)))
    earlier = once.claim(whose, f"{key}/carry", body, at) is not None
    if pushed.number:
        earlier = once.claim(whose, f"{channel}/number/{pushed.number}", body, at) is not None or earlier
    filing_key = f"{channel}/{whose}/{pushed.number or key}"
    if earlier:
        return _answer(filing_key)
    readable(pushed, channel, at)
    checked_files(pushed, limit)
    subject = subject_of(pushed, index)
    if subject.id in actor.mandates:
        text = "您受该主体委托，应当回避；请以申请人的身份在线申请，或者由窗口的其他人代收。"
        raise refused(text, "RECUSED", STRANGER)
    found = [record_of(named, subject) for named in pushed.records]
    receipt, filing_id = new_filing(
        subject.id, actor=actor, channel=channel, key=filing_key, at=at, other_number=pushed.number
    )
    if filing_id is None:  # the key of somebody whose rows are older than what is claimed here
        return _answer(filing_key)
    files = _Files(folder, limit)
    became: dict[int, Opened] = {}
    rows = {row.id: row for row in found if not isinstance(row, Refusal)}
    facts = {record_id: facts_of_record(record_id, at) for record_id in sorted(rows)}
    for row in sorted(rows.values(), key=lambda row: (row.region, row.office_id, row.id)):
        became[row.id] = _carry_one(
            filing_id, subject.id, row, facts[row.id], pushed, actor, channel, filing_key, at, files
        )
    outcomes = [Opened(0, "", (one,)) if isinstance(one, Refusal) else became[one.id] for one in found]
    if not any(one.number for one in outcomes):
        raise StepRefused([refusal for one in outcomes for refusal in one.refusals])
    kept = {"received_on": pushed.received_on.isoformat(), "records": [_kept(one) for one in outcomes]}
    db.session.execute(update(Filing.__table__).where(Filing.__table__.c.id == filing_id).values(brought=kept))
    return receipt, outcomes


class _Files:
    """Where files are kept and how large one may be."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit

    def bring(self, number: str, purpose: str, paper: Paper, actor: Person, at: datetime) -> None:
        """Keep a file for a draft."""
        attach(
            number, actor=actor, purpose=purpose, name=paper.name, data=paper.data, folder=self.folder,
            limit=self.limit, at=at,
        )  # fmt: skip


def _carry_one(
    filing_id: int,
    subject_id: int,
    record: Any,
    facts: Facts,
    pushed: Pushed,
    actor: Person,
    channel: str,
    key: str,
    at: datetime,
    files: _Files,
) -> Opened:
    definition = NEWEST[CASE_TYPE]
    if carried_by(actor, record.office_id, channel) is None:
        text = "这条信息由{office}认定，请到{office}的办事窗口办理（谁认定、谁修复）。"
        return Opened(record.id, "", (Refusal(STRANGER, text, {"office": record.office}, "NDRC36", "OTHER_OFFICE"),))
    facts = replace(facts, case=replace(facts.case, channel=channel))
    draft = replace(
        facts,
        case=replace(facts.case, state="draft"),
        papers=frozenset((LETTER, *([PROOF] if pushed.proofs else []))),
    )
    step = way_in(definition, draft, at)
    if no := _against(draft, step, actor, at, pushed.received_on):
        return Opened(record.id, "", tuple(no))
    opened = open_one(filing_id, subject_id, record.id, actor, channel, key, at, CASE_TYPE, pushed.number)
    if not opened.number:
        return opened
    number = opened.number
    save(
        number, actor=actor, statement=pushed.statement, contact=pushed.contact, phone=pushed.phone, at=at
    )  # fmt: skip
    keep_letter(number, pushed.letter, actor=actor, at=at)
    if pushed.letter.scan:
        files.bring(number, SCAN, pushed.letter.scan, actor, at)
    for paper in pushed.proofs:
        files.bring(number, PROOF, paper, actor, at)
    t0 = pushed.received_on.isoformat()
    said = {"received_on": t0} if step == SUBMIT_EARLY else {}
    take_step(number, step, actor=actor, answers=said, key=f"{key}/{step}/{record.id}", seen_version=1, at=at)
    if step == SUBMIT:
        signed = f"{key}/receive/{record.id}"
        take_step(number, "receive", actor=actor, answers={"t0": t0}, key=signed, seen_version=2, at=at)
    return opened


def _against(draft: Facts, step: str, actor: Person, at: datetime, received_on: date) -> list[Refusal]:
    """Why a case about this record would not get as far as being signed for."""
    definition = NEWEST[CASE_TYPE]
    no = refusals(definition, step, draft, actor, at, "", {})
    ask = Ask(definition, definition.step["receive"], draft, actor, at, "", {"t0": received_on.isoformat()})
    return [*no, *t0_plausible(ask)]


def _whose(actor: Person, channel: str) -> str:
    """Whose keys these are: those of 信用中国, whoever acts for it; at a window those of the person there."""
    offices = sorted(one.office for one in actor.carries if one.channel == channel and not one.only_here)
    return f"office-{offices[0]}" if offices else str(actor.person)


def _answer(filing_key: str) -> tuple[str, list[Opened]]:
    """What a carrier was answered before."""
    row = db.session.execute(select(Filing.receipt, Filing.brought).where(Filing.key == filing_key)).one()
    return row.receipt, [
        Opened(one["record"], one["number"], tuple(Refusal(**refusal) for refusal in one["refusals"]))
        for one in row.brought["records"]
    ]


def _kept(one: Opened) -> dict[str, Any]:
    no = [{name: getattr(r, name) for name in ("kind", "template", "values", "law", "code")} for r in one.refusals]
    return {"record": one.record_id, "number": one.number, "refusals": no}


def _digested(value: Any) -> Any:
    """The same with files as digests, so that it can be compared."""
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, Mapping):
        return {name: _digested(one) for name, one in value.items()}
    return [_digested(one) for one in value] if isinstance(value, list | tuple) else value
