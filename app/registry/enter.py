"""A row as received becomes a record: read by its directory entry, classed by the law of its day, published."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.db import db, insert_into
from app.models import CreditRecord
from app.registry.directory import Finding, entry_for, split_values, validate, without_secrets
from app.registry.numbers import number_key
from app.registry.publish import state_fact
from workflows.calendar import legal_day
from workflows.classing import PublicityTerm, publicity_term


class NotARecord(ValueError):
    """The row cannot become a record; `problems` say why, field by field."""

    def __init__(self, problems: tuple[Finding, ...]) -> None:
        super().__init__("；".join(problem.text for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a penalty beyond its row: how it was imposed, and what became of its duties.

    `procedure` is simple or ordinary; `fine_size` 较少, 较大 or 巨额 as the department states it; `necessary` that a
    minor record is published because the department found it necessary; `duty` performed, outstanding or unknown.
    """

    procedure: str = "ordinary"
    fine_size: str | None = None
    necessary: bool = False
    assigned: str | None = None
    excluded_by: str = ""
    sector_condition: str = ""
    duty: str = "unknown"
    duty_note: str = ""


def enter_penalty(
    subject_id: int, office_id: int, received: Mapping[str, Any], standing: Standing, at: datetime
) -> int:
    """Enter a penalty (行政处罚) of a subject, inside `transaction()`; returns the record's id. Raises NotARecord.

    A penalty that the law shows is published from the day it is recorded; one that waits for a person to class it is
    published when that has been done. Numbers that identify a person are left out: they are sealed in `identifier`.
    """
    today = legal_day(at)
    entry = entry_for("XZCF", today)
    verdict = validate(entry, received, today)
    if not verdict.ok:
        raise NotARecord(verdict.problems)
    values = verdict.values
    recognised_on = date.fromisoformat(values["CF_JDRQ"])
    term = term_of(values, recognised_on, standing)
    record_id: int | None = db.session.execute(
        insert_into(CreditRecord.__table__)
        .values(
            public_id=secrets.token_hex(8),
            kind="penalty",
            directory=f"{entry.code}/{entry.edition}",
            catalogue=entry.catalogue_code,
            subject_id=subject_id,
            office_id=office_id,
            title=values.get("CF_WFXW") or values.get("CF_SY") or "行政处罚",
            number=values["CF_WSH"],
            number_key=number_key(values["CF_WSH"]),
            recognised_on=recognised_on,
            cls=term.cls or "",
            class_basis=term.reason,
            minimum_last_day=term.minimum_last_day,
            maximum_last_day=term.maximum_last_day,
            excluded_by=standing.excluded_by,
            sector_condition=standing.sector_condition,
            duty=standing.duty,
            duty_note=standing.duty_note,
            annulled_by="",
            fields=without_secrets(entry, values),
            received=without_secrets(entry, received),
            recorded_at=at,
        )
        .on_conflict_do_nothing(index_elements=["number_key", "subject_id", "office_id", "recognised_on"])
        .returning(CreditRecord.id)
    ).scalar()
    if record_id is None:
        text = f"{values['CF_WSH']}已经录入过：同一主体、同一单位、同一天的同一文号只录一次。"
        raise NotARecord((Finding("CF_WSH", text),))
    if term.published and entry.may_be_published:
        state_fact(record_id, "publish", today, at, "行政处罚信息公示")
    return record_id


def term_of(values: Mapping[str, str], recognised_on: date, standing: Standing) -> PublicityTerm:
    """How the law of its day classes a penalty and how long it is shown."""
    return publicity_term(
        recognised_on,
        frozenset(split_values(values.get("CF_CFLB", ""))),
        standing.procedure,
        fine_size=standing.fine_size,
        assigned=standing.assigned,
        necessary=standing.necessary,
    )
