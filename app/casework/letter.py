"""信用修复承诺书: the signer's own words, frozen with their hash under a commitment code, once for each case.

What somebody reads before signing and what is kept afterwards come from the same function; the hash of the text that
was read comes back with the signature, so that nobody signs what they have not seen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select

from app.casework.actor import Person
from app.casework.beside import for_the_filer, journal_beside
from app.casework.carried import Letter
from app.casework.facts import NoSuchCase
from app.casework.refused import StepRefused
from app.db import db, insert_into
from app.documents.letter import EDITION, carried_letter_text, letter_text
from app.models import Case, CaseRecord, CommitmentSerial, CreditRecord, Identifier, Office, RepairLetter, Subject
from app.models.case import CHANNELS
from app.models.subject import capacity_title
from workflows.calendar import day_start, legal_day
from workflows.grammar import MOVED, UNMET, Refusal


@dataclass(frozen=True, slots=True)
class Words:
    """The text of a letter and its SHA-256."""

    text: str
    text_hash: str


def words_of(number: str, *, actor: Person, at: datetime, name_public: bool = False) -> Words:
    """What this filer of a case would sign on the civil day of `at`, its code still open. Raises NoSuchCase."""
    return _words(number, actor, at, name_public, "")


def sign_letter(number: str, *, actor: Person, at: datetime, name_public: bool = False, read_hash: str = "") -> str:
    """Sign the letter of a draft, inside `transaction()`; returns its commitment code. Signed twice, it is one letter.

    The caller has made sure that it is the signer who signs. The letter is published in any case; `name_public` is
    whether the signer's name is published with it. `read_hash` is the hash of the text they read. Raises StepRefused
    when that is not the text to be signed, or when the case is not the filer's own paper any more.
    """
    loaded = for_the_filer(number, actor, at)
    earlier: str | None = db.session.execute(
        select(RepairLetter.code).where(RepairLetter.case_id == loaded.id)
    ).scalar()
    if earlier is not None:
        return earlier
    if not loaded.workflow.state[loaded.facts.case.state].private:
        raise StepRefused([Refusal(MOVED, "申请已经提交，承诺书不能再签署。", {}, "D", "MOVED")])
    if read_hash and read_hash != _words(number, actor, at, name_public, "").text_hash:
        text = "承诺书的内容有更新，请把全文重新读一遍，然后签署。"
        raise StepRefused([Refusal(UNMET, text, {}, "D", "LETTER_CHANGED")])
    code = commitment_code(loaded.facts.case.office, legal_day(at))
    words = _words(number, actor, at, name_public, code)
    capacity = actor.capacity_for(loaded.facts.case.subject)
    db.session.execute(
        insert(RepairLetter).values(
            case_id=loaded.id,
            code=code,
            edition=EDITION,
            text=words.text,
            text_hash=words.text_hash,
            consent_publication=name_public,
            signer=actor.person,
            signer_name=actor.name,
            capacity=capacity,
            signed_at=at,
        )
    )
    said = {"code": code, "text_sha256": words.text_hash, "name_public": name_public, "capacity": capacity}
    journal_beside(loaded, "letter", actor, at, said)
    return code


def keep_letter(number: str, letter: Letter, *, actor: Person, at: datetime) -> str:
    """Keep, for a draft, a letter that was signed where its application comes from; inside `transaction()`.

    Returns its commitment code here. The caller has made sure that the letter is one: who signed it, and its code or
    scan. Raises StepRefused when the draft is not this carrier's paper.
    """
    loaded = for_the_filer(number, actor, at)
    code = commitment_code(loaded.facts.case.office, legal_day(at))
    row = _about(number)
    scan = hashlib.sha256(letter.scan.data).hexdigest() if letter.scan else ""
    text = carried_letter_text(
        code=code,
        case_number=number,
        subject=row.name,
        subject_code="" if row.kind == "person" else row.code or "",
        record_number=row.number,
        record_organ=row.recogniser,
        recognised_on=row.recognised_on,
        signed_at=CHANNELS[loaded.facts.case.channel],
        their_code=letter.code,
        scan=scan,
        signer=letter.signer,
        capacity=capacity_title(letter.capacity, row.kind),
        consent=letter.name_public,
        on=letter.signed_on,
    )
    text_hash = hashlib.sha256(text.encode()).hexdigest()
    db.session.execute(
        insert(RepairLetter).values(
            case_id=loaded.id, code=code, edition=f"{EDITION}-{loaded.facts.case.channel}", text=text,
            text_hash=text_hash, consent_publication=letter.name_public, signer=actor.person,
            signer_name=letter.signer, capacity=letter.capacity, signed_at=day_start(letter.signed_on),
        )
    )  # fmt: skip
    said = {"code": code, "text_sha256": text_hash, "name_public": letter.name_public, "capacity": letter.capacity}
    original = {"signer": letter.signer, "original": letter.code, "scan_sha256": scan}
    journal_beside(loaded, "letter", actor, at, {**said, **original})
    return code


def _words(number: str, actor: Person, at: datetime, name_public: bool, code: str) -> Words:
    row = _about(number)
    text = letter_text(
        code=code,
        case_number=number,
        organ=row.organ,
        subject=row.name,
        subject_code=row.code or "",
        is_person=row.kind == "person",
        record_number=row.number,
        record_organ=row.recogniser,
        recognised_on=row.recognised_on,
        signer=actor.name,
        capacity=capacity_title(actor.capacity_for(row.id), row.kind),
        consent=name_public,
        on=legal_day(at),
    )
    return Words(text, hashlib.sha256(text.encode()).hexdigest())


def _about(number: str) -> Any:
    """Subject, record and organs of a case. Raises NoSuchCase."""
    organ, recogniser = Office.__table__.alias("organ"), Office.__table__.alias("recogniser")
    row = db.session.execute(
        select(
            Subject.id, Subject.name, Subject.kind, Identifier.value.label("code"), organ.c.name.label("organ"),
            recogniser.c.name.label("recogniser"), CreditRecord.number, CreditRecord.recognised_on,
        )
        .select_from(Case)
        .join(Subject, Subject.id == Case.subject_id)
        .join(CaseRecord, CaseRecord.case_id == Case.id)
        .join(CreditRecord, CreditRecord.id == CaseRecord.record_id)
        .join(organ, organ.c.id == Case.office_id)
        .join(recogniser, recogniser.c.id == CreditRecord.office_id)
        .outerjoin(
            Identifier,
            (Identifier.subject_id == Subject.id) & (Identifier.kind == "uscc") & Identifier.valid_until.is_(None),
        )
        .where(Case.number == number)
        .limit(1)
    ).first()  # fmt: skip
    if row is None:
        raise NoSuchCase(number)
    return row


def commitment_code(office_id: int, day: date) -> str:
    """The next 20-character code: region of the accepting office (6), day (8), serial of the two (6), without gaps.

    The serial stays locked until the caller's transaction ends, and a rollback gives it back.
    """
    region, stamp = _region(office_id), f"{day:%Y%m%d}"
    table = CommitmentSerial.__table__
    raised = (
        insert_into(table)
        .values(region=region, day=stamp, last=1)
        .on_conflict_do_update(index_elements=["region", "day"], set_={"last": table.c.last + 1})
        .returning(table.c.last)
    )
    return f"{region}{stamp}{db.session.execute(raised).scalar_one():06d}"


def letter_of(number: str) -> Any:
    """The signed letter of a case as a row, None while it is not signed."""
    return db.session.execute(
        select(*RepairLetter.__table__.c).join(Case, Case.id == RepairLetter.case_id).where(Case.number == number)
    ).first()


def _region(office_id: int) -> str:
    """The region of the office, or of the nearest office above it that has one."""
    path = db.session.execute(select(Office.path).where(Office.id == office_id)).scalar_one()
    above = [int(part) for part in path.split("/") if part]
    rows = db.session.execute(
        select(Office.region).where(Office.id.in_(above), Office.region != "").order_by(Office.path.desc())
    ).scalars()
    region = next((region for region in rows if len(region) == 6 and region.isdigit()), None)
    if region is None:
        text = "承办单位没有登记行政区划，编不出承诺编码。请联系管理员补录。"
        raise StepRefused([Refusal(UNMET, text, {}, "D", "NO_REGION")])
    return region
