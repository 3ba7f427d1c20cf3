"""What the pages of 数据报送 show: batches and their rows as their officers see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app.casework.actor import Person
from app.casework.keyset import Order, Page, page_of
from app.casework.sight import INTAKE_ROLES, intake_offices, looks_after_intake
from app.db import db
from app.models import Batch, BatchRow, CreditRecord, JournalLine, Office, Subject, User
from app.registry.entries import entry_of
from app.registry.fields import DirectoryEntry
from app.registry.intake.heading import Heading, heading_of
from app.registry.intake.lookups import within
from app.registry.intake.progress import batch_in
from app.security import person
from app.views.case_journal import LogLine
from app.views.texts import article
from workflows.people import ROLE_TITLES

PAGE = 25
ROWS = 50
TONES = {"previewed": "ju", "queued": "dai", "running": "dai", "done": "zhuqing", "failed": "zhu", "undone": "hui"}
VERDICT_TONES = {
    "in": ("zhuqing", "check-circle"),
    "warned": ("ju", "exclamation-circle"),
    "corrected": ("dai", "arrow-repeat"),
    "duplicate": ("hui", "slash-circle"),
    "waiting": ("zhu", "hourglass-split"),
    "ignored": ("hui", "slash-circle"),
    "sent_back": ("hui", "x-circle"),
}
ACTS = {
    "receive": _l("收下文件"),
    "start": _l("确认写入"),
    "finish": _l("写完"),
    "fail": _l("中断"),
    "drop": _l("不用这一批"),
    "mend": _l("修改待处理的行"),
    "ignored": _l("忽略一行"),
    "sent_back": _l("退回一行"),
    "settle": _l("核对一条代码疑问"),
    "undo": _l("撤销这一批"),
}


def looking_after_intake() -> Person:
    """The signed-in officer, if records are theirs to take in; to everybody else these pages do not exist."""
    who = person()
    if not looks_after_intake(who):
        abort(404)
    return who


def paths_of(who: Person) -> tuple[str, ...]:
    """The branches of the office tree whose batches this person sees."""
    return tuple(path for _id, path, _name in intake_offices(who))


def seen_batch(who: Person, batch_id: int) -> Any:
    """The batch, if it came in at an office of theirs or below; 404 for anybody else's and for none."""
    batch = batch_in(paths_of(who), batch_id)
    if batch is None:
        abort(404)
    return batch


def is_mine(who: Person, batch: Any) -> bool:
    """Whether this person works for the very office that sent the batch."""
    return any((role, batch.office_id) in who.memberships for role in INTAKE_ROLES)


def batches_page(paths: Sequence[str], wanted: Mapping[str, str], after: str | None, before: str | None) -> Page[Any]:
    """Batches of these branches, the newest first."""
    query: Any = (
        select(
            *(column for column in Batch.__table__.c if column.name not in ("heading", "preview")),
            Office.name.label("office"), User.name.label("maker"), Batch.id.label("mark"),
        )
        .join(Office, Office.id == Batch.office_id)
        .outerjoin(User, User.id == Batch.made_by)
        .where(within(Office.path, paths))
    )  # fmt: skip
    if kind := wanted.get("kind"):
        query = query.where(Batch.directory.startswith(f"{kind}/", autoescape=True))
    if state := wanted.get("state"):
        query = query.where(Batch.state == state)
    if office := wanted.get("office"):
        query = query.where(Batch.office_id == int(office))
    return page_of(query, Order(Batch.id, Batch.id, "number", down=True), after=after, before=before, limit=PAGE)


def kind_title(directory: str) -> str:
    """What a batch's kind of record is called."""
    entry = entry_of(directory)
    return entry.title if entry else directory


@dataclass(frozen=True, slots=True)
class RowLine:
    """A row of a batch in a list. `line` is where it stands in the file; `who` and `number` what it says itself."""

    row: int
    line: int
    verdict: str
    who: str
    number: str
    reasons: tuple[str, ...]
    note: str
    settled_at: datetime | None
    finding: str
    public_id: str


def rows_page(batch: Any, verdict: str, after: str | None, before: str | None) -> Page[RowLine]:
    """Rows of one verdict, in their order."""
    query = (
        select(*BatchRow.__table__.c, CreditRecord.public_id, BatchRow.row.label("mark"), BatchRow.row.label("id"))
        .outerjoin(CreditRecord, CreditRecord.id == BatchRow.record_id)
        .where(BatchRow.batch_id == batch.id, BatchRow.verdict == verdict)
    )
    page = page_of(query, Order(BatchRow.row, BatchRow.row, "number"), after=after, before=before, limit=ROWS)
    heading = heading_of(batch.directory, batch.heading)
    return Page(tuple(_row_line(row, heading) for row in page.rows), page.before, page.after)


def _row_line(row: Any, heading: Heading) -> RowLine:
    said = {**row.received, **(row.mended or {})}
    return RowLine(
        row=row.row,
        line=row.row + heading.line,
        verdict=row.verdict,
        who=in_role(heading, said, "name"),
        number=in_role(heading, said, "number"),
        reasons=tuple(text for _field, text in row.reasons),
        note=row.note,
        settled_at=row.settled_at,
        finding=row.finding,
        public_id=row.public_id or "",
    )


def in_role(heading: Heading, said: Mapping[str, str], role: str) -> str:
    """What a row says in a role, as it came."""
    codes = {field.code for field in heading.entry.by_role[role]}
    found = [str(said.get(column.heading, "")) for column in heading.columns if column.field in codes]
    return " ".join(text for text in found if text)


def records_page(batch_id: int, after: str | None, before: str | None) -> Page[Any]:
    """Records that a batch made and that still count."""
    query: Any = (
        select(
            CreditRecord.id, CreditRecord.public_id, CreditRecord.number, CreditRecord.title, CreditRecord.cls,
            CreditRecord.recognised_on, Subject.name.label("subject"), CreditRecord.id.label("mark"),
        )
        .join(Subject, Subject.id == CreditRecord.subject_id)
        .where(CreditRecord.batch_id == batch_id)
    )  # fmt: skip
    return page_of(query, Order(CreditRecord.id, CreditRecord.id, "number"), after=after, before=before, limit=ROWS)


def journal_of_batch(batch_id: int, most: int = 30) -> list[LogLine]:
    """What was done with a batch, the latest first."""
    rows = db.session.execute(
        select(*JournalLine.__table__.c, Office.name.label("office"))
        .outerjoin(Office, Office.id == JournalLine.office_id)
        .where(JournalLine.about == "batch", JournalLine.about_id == batch_id)
        .order_by(JournalLine.seq.desc())
        .limit(most)
    ).all()
    return [
        LogLine(
            at=row.at,
            title=str(ACTS.get(row.act, row.act)),
            person=row.person_name or "",
            role=_(ROLE_TITLES.get(row.role, "")) if row.role in ROLE_TITLES else "",
            office=row.office or "",
            on_behalf_of="",
            law_text=article(row.law),
            note=_note(row.answers or {}),
        )
        for row in rows
    ]


def _note(answers: Mapping[str, Any]) -> str:
    """What a line says beside the act itself."""
    row = answers.get("row")
    words = str(answers.get("reason") or answers.get("note") or answers.get("trouble") or "")
    where = _("第 %(row)s 行", row=row) if row else ""
    return "：".join(part for part in (where, words) if part)


def mapping_of(entry: DirectoryEntry, columns: Sequence[Sequence[str]]) -> list[tuple[str, str, bool]]:
    """Each column's heading, what it was understood as, and whether that is a field of the entry."""
    names = {field.name for field in entry.fields}
    return [(heading, meaning, meaning in names) for heading, meaning in columns]
