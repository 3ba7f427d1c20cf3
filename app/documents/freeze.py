"""Freezing a document: from here on its text is law. HTML, 文号, 查验码 and hash, inside the transaction of the step.

It imports neither WeasyPrint nor pyHanko nor fontTools, and takes two or three milliseconds.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import current_app
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, Undefined, UndefinedError
from markupsafe import Markup
from sqlalchemy import insert
from sqlalchemy.sql.dml import ReturningInsert

from app.db import db
from app.documents.codes import new_code
from app.documents.contexts import Context, Line, load, remedy
from app.documents.glyphs import named, unseen
from app.documents.numbering import next_number
from app.models import Document
from workflows import workflow
from workflows.calendar import SHANGHAI
from workflows.law import NothingInForce

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "documents"
SCHEMA = "jiannuo-document-1"


class CannotIssue(ValueError):
    """The document may not go out; `problems` are Chinese sentences that say what is missing. The caller rolls back."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("；".join(self.problems))


def freeze(case_id: int, kind: str, line: Line) -> int:
    """Write the document of `kind` that `line` issues in a case; returns its id. Inside the caller's transaction.

    Raises CannotIssue when a part the law requires is empty or a character cannot be printed.
    """
    context = load(case_id, kind, line)
    title = workflow(context.case_type, context.case_edition).documents[kind]
    template = environment().get_template(f"{context.case_type}/{kind}.html")
    said = _Said(title)
    office = context.office
    said.must(office.word, "发文机关代字")
    said.must(context.party.name, "主送对象")
    if said.missing:
        raise CannotIssue(said.problems())
    word, result = (_block(template, name) for name in ("word", "result"))
    year = context.today.year
    serial, number = next_number(office.id, office.word, word, year)
    code = new_code()
    text = _render(template, context, said, title=title, number=number, code=code)
    if problems := said.problems() + unprintable(text):
        raise CannotIssue(problems)
    text_hash = hashlib.sha256(text.encode()).hexdigest()
    values = {
        "case_id": case_id,
        "journal_id": line.id,
        "kind": kind,
        "title": title,
        "office_id": office.id,
        "kind_word": word,
        "year": year,
        "serial": serial,
        "number": number,
        "code": code,
        "html": text,
        "html_hash": text_hash,
        "facts": _facts(context, title, number, code, result, text_hash),
        "issued_at": line.at,
    }
    document_id: int = db.session.execute(_written(), values).scalar_one()
    return document_id


@lru_cache(maxsize=1)
def _written() -> ReturningInsert[int]:
    table = Document.__table__
    return insert(table).returning(table.c.id)


def verify_address(code: str) -> str:
    """Where anybody can look the code up; the base is a setting."""
    return f"{current_app.config['PUBLIC_ADDRESS']}/verify/{code}"


def _render(template: Template, context: Context, said: _Said, *, title: str, number: str, code: str) -> str:
    address = verify_address(code)
    try:
        return template.render(
            c=context,
            you=context.party.you,
            title=title,
            number=number,
            code=code,
            address=address,
            host=address.split("//", 1)[-1].split("/", 1)[0],
            demo=bool(current_app.config["DEMO"]),
            rare=bool(unseen(context.office.name, "title")),
            must=said.must,
            remedy=lambda: remedy(context),
        )
    except UndefinedError as error:
        raise CannotIssue([f"{title}缺少需要填写的内容（{error.message}），不能出具。"]) from error
    except NothingInForce as error:
        raise CannotIssue([f"{error}没有依据，不能出具{title}。"]) from error


@dataclass
class _Said:
    """What a template asked for and did not get."""

    title: str
    missing: list[str] = field(default_factory=list)

    def must(self, value: Any, what: str) -> Any:
        """The value, when there is one; otherwise `what` is remembered as missing and nothing is printed."""
        if isinstance(value, Undefined) or value in (None, [], ()) or not str(value).strip():
            self.missing.append(what)
            return ""
        return value

    def problems(self) -> list[str]:
        return [f"缺少{what}，不能出具{self.title}。" for what in dict.fromkeys(self.missing)]


_TAG = re.compile(r"<[^>]*>")


def unprintable(text: str) -> list[str]:
    """Sentences about characters that the printing typefaces cannot show."""
    body = html.unescape(_TAG.sub("", text[text.index("<body") :]))
    found = unseen(body)
    return [f"含有无法显示的字：{'、'.join(map(named, found))}"] if found else []


def _facts(context: Context, title: str, number: str, code: str, result: str, text_hash: str) -> dict[str, Any]:
    """The machine-readable twin: never a natural person's name or ID number."""
    dates = {
        "received": context.received_on,
        "accepted": context.t2,
        "issued": context.today,
        "due": context.due_on,
        "banned_until": context.banned_until,
    }
    return {
        "schema": SCHEMA,
        "kind": context.kind,
        "title": title,
        "number": number,
        "code": code,
        "organ": context.office.name,
        "subject": context.party.code,
        "case": context.case_number,
        "record": context.record.number if context.record else "",
        "result": result,
        "dates": {name: day.isoformat() for name, day in dates.items() if day is not None},
        "basis": context.basis,
        "edition": context.edition,
        "text_sha256": text_hash,
        "verify": verify_address(code),
        "demo": bool(current_app.config["DEMO"]),
    }


def _block(template: Template, name: str) -> str:
    """A short word that a template states about itself."""
    return "".join(template.blocks[name](template.new_context())).strip()


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates of documents and nothing else; what they print is escaped, what is missing is an error."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is None or not name.endswith(".txt"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters |= {
        "day": day,
        "clock": clock,
        "full": full,
        "phrase": phrase,
        "paragraphs": paragraphs,
        "eights": eights,
    }
    return found


def day(value: date) -> str:
    """2026年11月3日; "" for no day."""
    return f"{value.year}年{value.month}月{value.day}日" if value else ""


def clock(value: datetime) -> str:
    """An instant on the clocks of Shanghai: 2026年11月3日9时5分."""
    local = value.astimezone(SHANGHAI)
    return f"{day(local.date())}{local.hour}时{local.minute}分"


def phrase(text: Any) -> str:
    """Typed words as part of a sentence: one line, without the mark at its end."""
    return "".join(str(text).split("\n")).strip().rstrip("。.；;，,！!")


def full(text: Any) -> str:
    """Typed words as a sentence of their own: with a mark at its end."""
    said = str(text).strip()
    return (
        said if not said or said.endswith(("。", "！", "？", "；", "：", "…", "。”")) else f"{said.rstrip('.;,，')}。"
    )


def paragraphs(text: Any) -> Markup:
    """Typed text as paragraphs, one for each line that is not empty."""
    lines = (line.strip() for line in str(text).splitlines())
    return Markup("\n").join(Markup("<p>{}</p>").format(full(line)) for line in lines if line)


def eights(digest: str) -> str:
    """A digest in groups of eight, which an eye can compare."""
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


__all__ = ["CannotIssue", "environment", "freeze", "verify_address"]
