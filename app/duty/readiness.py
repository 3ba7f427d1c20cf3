"""Is the house ready to work, and what should somebody look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.db import db
from app.models import Attestation, Document, Heartbeat, Notice
from app.now import now
from app.safety import unsafe_settings
from workflows.calendar import Calendar, legal_day
from workflows.law import NothingInForce, rules

BEAT_WITHIN = timedelta(minutes=5)
ANNOUNCED_BEFORE = 60
"""Days before a new year by which its arrangement of working days should be known."""


@dataclass
class Readiness:
    """`failures` make the house unready; `warnings` are for somebody to look at."""

    failures: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """True when nothing fails."""
        return not self.failures

    def as_dict(self) -> dict[str, Any]:
        """For the page."""
        return {
            "status": "ready" if self.ready else "not ready",
            "failures": self.failures,
            "warnings": self.warnings,
            "facts": self.facts,
        }


def readiness() -> Readiness:
    """Look at everything once."""
    report = Readiness()
    at = now()
    try:
        for problem in unsafe_settings(db.session.connection()):
            report.failures["database"] = problem
        beat = db.session.execute(select(Heartbeat.at, Heartbeat.trouble).where(Heartbeat.name == "watch")).first()
        if beat is None or at - beat.at > BEAT_WITHIN:
            report.failures["watch"] = (
                "值守程序没有心跳" if beat is None else f"值守程序自 {beat.at:%Y-%m-%d %H:%M}Z 起没有心跳"
            )
        elif beat.trouble:
            report.warnings["watch"] = beat.trouble
        books = db.session.execute(select(Heartbeat.trouble).where(Heartbeat.name == "books")).scalar()
        if books:
            report.warnings["books"] = books
        oldest = db.session.execute(select(func.min(Notice.written_at))).scalar()
        report.facts["oldest_undelivered_notice"] = oldest.isoformat() if oldest else None
        unprinted = db.session.execute(
            select(func.count()).where(Document.printed_at.is_(None), Document.trouble != "")
        ).scalar_one()
        if unprinted:
            report.warnings["press"] = f"有 {unprinted} 份文书没有印出来"
        vouched = db.session.execute(select(Attestation.rule, Attestation.row)).all()
        attested = {(row.rule, row.row) for row in vouched}
    except SQLAlchemyError as error:
        report.failures["database"] = f"数据库不可用：{type(error).__name__}"
        return report
    _law(report, attested)
    today = legal_day(at)
    ahead = today + timedelta(days=ANNOUNCED_BEFORE)
    if not Calendar().announced(ahead.year):
        report.warnings["calendar"] = f"{ahead.year} 年的放假安排还没有录入，跨年的期限是暂定的"
    return report


def _law(report: Readiness, attested: set[tuple[str, str]]) -> None:
    today = legal_day(now())
    unverified = []
    for rule in rules():
        try:
            row = rule.on(today)
        except NothingInForce:
            report.warnings[f"law:{rule.rule_id}"] = f"{rule.title}今天没有有效的规定"
            continue
        if not row.verified and (row.rule_id, row.digest) not in attested:
            unverified.append(row.rule_id)
    report.facts["unverified_law_rows"] = sorted(unverified)
    if unverified:
        report.warnings["law"] = f"有 {len(unverified)} 条法规参数待核实"
