"""Is the house ready to work, and what should somebody look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from app.db import db
from app.duty.verdict import BREAK_AFTER
from app.models import Attestation, Delivery, Document, Endpoint, Heartbeat, Notice, Office
from app.notices.limits import deliver_within
from app.notices.ways import UNFINISHED, WAY
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
        _sharing(report, at)
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


def _sharing(report: Readiness, at: datetime) -> None:
    """The post: is it awake, what is undelivered since when, what was given up, who is left alone or wants nothing."""
    beat = db.session.execute(select(Heartbeat.at, Heartbeat.trouble).where(Heartbeat.name == "post")).first()
    if beat is not None and at - beat.at > BEAT_WITHIN:
        report.warnings["post"] = f"收发室自 {beat.at:%Y-%m-%d %H:%M}Z 起没有动静"
    elif beat is not None and beat.trouble:
        report.warnings["post"] = beat.trouble
    unfinished = {
        row.state: row
        for row in db.session.execute(
            select(WAY.state, func.count().label("many"), func.min(Notice.written_at).label("since"))
            .join_from(Delivery.__table__, Notice.__table__, Notice.id == WAY.notice_id)
            .where(UNFINISHED)
            .group_by(WAY.state)
        )
    }
    oldest = min((row.since for row in unfinished.values()), default=None)
    report.facts["oldest_undelivered_notice"] = oldest.isoformat() if oldest else None
    if oldest is not None and at - oldest > deliver_within(legal_day(at)):
        report.warnings["undelivered"] = f"最早的一份通知自 {oldest:%Y-%m-%d %H:%M}Z 起没有送达"
    dead = unfinished["dead"].many if "dead" in unfinished else 0
    report.facts["dead_letters"] = dead
    if dead:
        report.warnings["dead_letters"] = f"有 {dead} 份通知送达失败，等待处理"
    ways = db.session.execute(
        select(Office.code, Endpoint.stopped_at, Endpoint.open_until)
        .join(Endpoint, Endpoint.office_id == Office.id)
        .where(or_(Endpoint.stopped_at.is_not(None), Endpoint.failures >= BREAK_AFTER, Endpoint.trouble != ""))
        .order_by(Office.code)
    ).all()
    stopped = [row.code for row in ways if row.stopped_at is not None]
    resting = [row.code for row in ways if row.stopped_at is None and row.open_until is not None]
    report.facts["receivers_left_alone"], report.facts["receivers_stopped"] = resting, stopped
    if resting:
        report.warnings["receivers"] = f"暂停投递的接收单位：{'、'.join(resting)}"
    if stopped:
        report.warnings["stopped"] = f"已经停止接收的单位：{'、'.join(stopped)}"


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
