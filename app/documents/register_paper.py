"""Freezing a paper of the register, which belongs to no case: HTML, 文号, 查验码 and hash, inside the transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import current_app
from jinja2 import UndefinedError
from sqlalchemy import insert

from app.db import db, leave_work
from app.documents.codes import new_code
from app.documents.contexts import Issuer, Party
from app.documents.freeze import CannotIssue, environment, unprintable, verify_address
from app.documents.glyphs import unseen
from app.documents.numbering import next_number
from app.models import RegisterPaper
from workflows import law
from workflows.calendar import legal_day

TITLES = {"extract": "信用档案摘要", "repair_notice": "信用修复告知书"}
WORDS = {"extract": "信档", "repair_notice": "信修告"}
SCHEMAS = {"extract": "jiannuo-extract-1", "repair_notice": "jiannuo-repair-notice-1"}
READERS = {"public": "公众", "subject": "主体本人", "officer": "经办机关"}


@dataclass(frozen=True)
class Wanted:
    """A paper to be frozen. `content` is what it says, as plain data: its template reads it as `x`, the twin carries
    it, and its hash tells two papers that say the same. `asked_by` is a user, None for anybody and for the watch."""

    kind: str
    office: Issuer
    party: Party
    subject_id: int
    record_id: int | None
    reader: str
    about_day: date
    known_at: datetime
    result: str
    record: str
    content: Mapping[str, Any]
    at: datetime
    asked_by: int | None = None
    reason: str = ""

    @property
    def today(self) -> date:
        """The date of the paper."""
        return legal_day(self.at)

    @property
    def edition(self) -> str:
        """The edition of the law it was written under."""
        return law.edition()

    @property
    def content_hash(self) -> str:
        """The hash of what it says, without number, code and time."""
        said = [self.kind, self.reader, self.about_day, self.party.name, self.content]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Frozen:
    """A paper that has been frozen."""

    id: int
    code: str
    number: str


def freeze_paper(wanted: Wanted) -> Frozen:
    """Write a paper of the register inside the caller's transaction; the watch prints it.

    Raises CannotIssue when the office has no 代字 or a character cannot be printed.
    """
    title, office = TITLES[wanted.kind], wanted.office
    if not office.word:
        raise CannotIssue([f"缺少发文机关代字，不能出具{title}。"])
    serial, number = next_number(office.id, office.word, WORDS[wanted.kind], wanted.today.year)
    code = new_code()
    text = _text(wanted, title, number, code)
    if problems := unprintable(text):
        raise CannotIssue(problems)
    text_hash = hashlib.sha256(text.encode()).hexdigest()
    facts = {
        "schema": SCHEMAS[wanted.kind],
        "kind": wanted.kind,
        "title": title,
        "number": number,
        "code": code,
        "organ": office.name,
        "subject": wanted.party.code,
        "record": wanted.record,
        "result": wanted.result,
        "reader": wanted.reader,
        "about_day": wanted.about_day.isoformat(),
        "known_at": wanted.known_at.isoformat(),
        "issued_at": wanted.at.isoformat(),
        "content": dict(wanted.content),
        "content_sha256": wanted.content_hash,
        "edition": wanted.edition,
        "text_sha256": text_hash,
        "verify": verify_address(code),
        "demo": bool(current_app.config["DEMO"]),
    }
    values = {
        "kind": wanted.kind, "title": title, "subject_id": wanted.subject_id, "record_id": wanted.record_id,
        "office_id": office.id, "kind_word": WORDS[wanted.kind], "year": wanted.today.year, "serial": serial,
        "number": number, "code": code, "reader": wanted.reader, "about_day": wanted.about_day,
        "known_at": wanted.known_at, "asked_by": wanted.asked_by, "reason": wanted.reason, "html": text,
        "html_hash": text_hash, "content_hash": wanted.content_hash, "facts": facts, "issued_at": wanted.at,
        "trouble": "",
    }  # fmt: skip
    paper_id: int = db.session.execute(
        insert(RegisterPaper.__table__).values(values).returning(RegisterPaper.__table__.c.id)
    ).scalar_one()
    leave_work()
    return Frozen(paper_id, code, number)


def _text(wanted: Wanted, title: str, number: str, code: str) -> str:
    address = verify_address(code)
    try:
        return environment().get_template(f"register/{wanted.kind}.html").render(
            c=wanted,
            x=wanted.content,
            you=wanted.party.you,
            title=title,
            number=number,
            code=code,
            address=address,
            host=address.split("//", 1)[-1].split("/", 1)[0],
            base=current_app.config["PUBLIC_ADDRESS"],
            demo=bool(current_app.config["DEMO"]),
            rare=bool(unseen(wanted.office.name, "title")),
        )  # fmt: skip
    except UndefinedError as error:
        raise CannotIssue([f"{title}缺少需要填写的内容（{error.message}），不能出具。"]) from error
