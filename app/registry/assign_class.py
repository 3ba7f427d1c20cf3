"""确定失信类别: where the table of classes is silent or a fact is missing, a person classes the record and says why."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import update

from app.db import db
from app.journal import Entry, write_line
from app.models import CreditRecord
from app.registry.directory import split_values
from app.registry.hands import NotPossible, Officer, hand, locked
from app.registry.publish import state_fact, status_on
from workflows.calendar import legal_day
from workflows.classing import CLASSES, MINOR, PublicityTerm, publicity_term
from workflows.grammar import UNMET, Refusal

LAW = "NDRC36"
CAUSE = "失信类别已经确定"


def is_unclassed(row: Any) -> bool:
    """True for a record that waits for a person to class it; under a law without classes nothing waits."""
    if row.kind != "penalty" or row.cls or row.maximum_last_day is not None or row.minimum_last_day is not None:
        return False
    return term_if(row, None).needs_person


def term_if(row: Any, cls: str | None, necessary: bool = False) -> PublicityTerm:
    """How long the law of its day shows the record when a person gives it that class, or before anybody has."""
    return publicity_term(
        row.recognised_on,
        frozenset(split_values(str(row.fields.get("CF_CFLB", "")))),
        "",
        assigned=cls,
        necessary=necessary,
    )


def assign_class(
    record_id: int, doer: Officer, cls: str, reason: str, at: datetime, *, necessary: bool = False
) -> Entry | None:
    """Class an unclassed record, inside `transaction()`; the record is locked first. Its periods follow from the law of
    the day it was recognised on, and its publication from them. None when the same had been recorded before.

    `necessary` says that the department finds it necessary to show a minor record. Raises NotPossible with sentences.
    """
    row = locked(record_id, doer)
    reason = reason.strip()
    if row.cls and row.cls == cls and row.class_basis.endswith(_basis(reason)):
        return None
    if no := _against(row, cls, reason):
        raise NotPossible(no)
    term = term_if(row, cls, necessary and cls == MINOR)
    if term.needs_person or term.cls != cls:
        text = "不能确定为{cls}：{reason}"
        raise NotPossible([Refusal(UNMET, text, {"cls": cls, "reason": term.reason}, LAW, "TABLE_SAYS")])
    db.session.execute(
        update(CreditRecord)
        .where(CreditRecord.id == record_id)
        .values(
            cls=cls,
            class_basis=f"{term.reason}{_basis(reason)}",
            minimum_last_day=term.minimum_last_day,
            maximum_last_day=term.maximum_last_day,
        )
        .execution_options(synchronize_session=False)
    )
    _follow(row, term, legal_day(at), at)
    answers = {"cls": cls, "reason": reason, "necessary": bool(necessary and cls == MINOR)}
    return write_line("record", record_id, "classify", hand(doer, row.office_id), at, law_text=LAW, answers=answers)


def _basis(reason: str) -> str:
    return f"认定理由：{reason}"


def _against(row: Any, cls: str, reason: str) -> list[Refusal]:
    found = []
    if cls not in CLASSES:
        found.append(Refusal(UNMET, "失信类别只有轻微、一般、严重，请选一项。", {}, LAW, "NO_SUCH_CLASS"))
    if not reason:
        found.append(Refusal(UNMET, "请写明为什么是这一类。", {}, LAW, "NO_REASON"))
    if row.annulled_on is not None:
        found.append(Refusal(UNMET, "这项处罚已被撤销，不用再分类。", {}, LAW, "ANNULLED"))
    elif not is_unclassed(row):
        values = {"cls": row.cls or "依当时的规定不分类"}
        found.append(Refusal(UNMET, "这条信息的类别已经确定（{cls}），不能再改。", values, LAW, "CLASSED"))
    return found


def _follow(row: Any, term: PublicityTerm, today: date, at: datetime) -> None:
    """A record that the law shows is published from today, one that it does not show ceases to be."""
    shown = status_on(row.id, today)
    if term.published and shown == "unpublished" and row.catalogue:
        state_fact(row.id, "publish", today, at, f"{CAUSE}（{term.cls}），行政处罚信息公示")
    elif not term.published and shown == "published":
        state_fact(row.id, "end", today, at, f"{CAUSE}（{term.cls}），一般不公示")
