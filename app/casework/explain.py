"""The whole life of a case as text: what a head, a lawyer or a court asks for first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import select

from app.casework.beside import TITLES
from app.casework.facts import load_case
from app.db import db
from app.journal import problems_of
from app.models import Case, DeadlineRow, Delivery, Document, Notice, Office, Subject
from app.models.sharing import RECEIPTS
from app.now import now
from app.registry.publish import STATUS_TITLES
from workflows.calendar import SHANGHAI
from workflows.clockwork import MET, Deadline
from workflows.grammar import Facts, Workflow
from workflows.law import cite, rule
from workflows.people import ROLE_TITLES, Role

STATES = {"running": "计算中", "paused": "已暂停", "met": "已完成", "ended": "随本件结束"}
DELIVERIES = {"waiting": "待送出", "delivered": "已送达", "dead": "送不到", "skipped": "不再发送"}
MARKS = {"t0": "信用中国或者窗口收到", "t1": "本机关收到", "t2": "受理", "t3": "决定"}
UNITS = {"WD": "个工作日", "CD": "天", "M": "个月", "Y": "年"}


def explain(number: str) -> str:
    """Everything about a case: envelope, journal with articles, each date with its computation, documents, notices.

    Raises NoSuchCase.
    """
    return "\n".join(_lines(number))


def _lines(number: str) -> Iterator[str]:
    at = now()
    loaded = load_case(number, at)
    case, workflow = loaded.facts.case, loaded.workflow
    subject, office = db.session.execute(
        select(Subject.name, Office.name)
        .select_from(Case)
        .join(Subject, Subject.id == Case.subject_id)
        .join(Office, Office.id == Case.office_id)
        .where(Case.id == loaded.id)
    ).one()
    yield f"{workflow.title} {number}（{workflow.edition} 版）"
    yield f"申请人：{subject}"
    yield f"承办单位：{office}"
    if loaded.facts.record:
        record = loaded.facts.record
        shown = STATUS_TITLES.get(record.status, record.status)
        yield f"信息：{record.number}，{record.recognised_on} 认定，{record.cls or '没有分类'}，{shown}"
        yield f"最短公示至 {record.minimum_last_day or '无'}，最长公示至 {record.maximum_last_day or '无'}"
    since = loaded.row.state_since.astimezone(SHANGHAI)
    yield f"现在：{workflow.state[case.state].title}，自 {since:%Y-%m-%d %H:%M} 起"
    named = _named(loaded.facts)
    for name in MARKS:
        instant = getattr(loaded.row, name)
        if instant:
            yield f"{MARKS[name]}：{instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    yield ""
    yield "办理记录"
    for line in loaded.lines:
        step = workflow.step.get(line.act)
        title = step.title if step else TITLES.get(line.act, line.act)
        role = ROLE_TITLES[Role(line.role)] if line.role else ""
        behalf = f"，代{subject}" if line.on_behalf_of else ""
        yield (
            f"  {line.seq:>2}. {line.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}  {title}"
            f"  {line.person_name}（{role}{behalf}）  {cite(line.law)}"
        )
        for event in line.clocks:
            yield f"        {_event(event, workflow, named)}"
    problems = problems_of(loaded.lines)
    yield "  校验：" + ("；".join(problems) if problems else f"{len(loaded.lines)} 行前后相扣，没有改动")
    yield ""
    yield "期限"
    stored = {
        (row.clock, row.item): (row.state, row.due_on)
        for row in db.session.execute(
            select(DeadlineRow.clock, DeadlineRow.item, DeadlineRow.state, DeadlineRow.due_on).where(
                DeadlineRow.about == "case", DeadlineRow.about_id == loaded.id
            )
        )
    }
    for deadline in loaded.facts.deadlines:
        yield from _deadline(deadline, workflow, loaded.facts, named)
        if stored.get((deadline.clock, deadline.item)) != (deadline.state, deadline.due_on):
            yield "      与登记的期限不一致"
    yield ""
    yield "文书"
    for document in db.session.execute(
        select(
            Document.title, Document.number, Document.code, Document.issued_at, Document.printed_at, Document.html_hash,
            Document.pdf_hash, Document.trouble,
        )
        .where(Document.case_id == loaded.id)
        .order_by(Document.id)
    ):  # fmt: skip
        ink = f"已签章 {document.pdf_hash[:12]}…" if document.pdf_hash else document.trouble or "排印中"
        yield f"  {document.title}  {document.number}  查验码 {document.code}  文本 {document.html_hash[:12]}…  {ink}"
    yield ""
    yield "通知"
    for notice in db.session.execute(
        select(
            Office.name, Notice.seq, Notice.act, Notice.written_at, Notice.payload_hash, Delivery.state,
            Delivery.receipt, Delivery.receipt_at,
        )
        .join(Office, Office.id == Notice.receiver_id)
        .join(Delivery, Delivery.notice_id == Notice.id)
        .where(Notice.case_id == loaded.id)
        .order_by(Notice.id)
    ):  # fmt: skip
        written = notice.written_at.astimezone(SHANGHAI)
        became = DELIVERIES[notice.state]
        if notice.receipt:
            became = f"{RECEIPTS[notice.receipt]} {notice.receipt_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        text = f"{notice.payload_hash[:12]}…"
        yield f"  {notice.name}  第 {notice.seq} 号  {written:%Y-%m-%d %H:%M} 写好  {text}  {became}"


def _named(facts: Facts) -> dict[str, str]:
    """What the items of clocks are called: receivers by their name."""
    codes = {deadline.item for deadline in facts.deadlines if deadline.item}
    if not codes:
        return {}
    rows = db.session.execute(select(Office.code, Office.name).where(Office.code.in_(sorted(codes))))
    return {row.code: row.name for row in rows}


def _event(event: dict[str, object], workflow: Workflow, named: Mapping[str, str]) -> str:
    words = {"start": "开始", "meet": "完成", "end": "停止", "pause": "暂停", "resume": "恢复", "extend": "延长",
             "recount": "重新计算"}  # fmt: skip
    title = workflow.clock[str(event["clock"])].title
    item = f"（{named.get(str(event['item']), event['item'])}）" if event["item"] else ""
    due = f"，至 {event['due_on']}" if event.get("due_on") else ""
    return f"{title}{item}{words[str(event['event'])]}{due}"


def _deadline(deadline: Deadline, workflow: Workflow, facts: Facts, named: Mapping[str, str]) -> Iterator[str]:
    title = workflow.clock[deadline.clock].title
    item = f"（{named.get(deadline.item, deadline.item)}）" if deadline.item else ""
    provisional = "，暂定" if deadline.provisional else ""
    stands = f"{deadline.met_on} 完成，期限" if deadline.state == MET else f"{STATES[deadline.state]}，"
    yield f"  {title}{item}：{stands}至 {deadline.due_on or '未定'}{provisional}"
    computation = deadline.computation(facts.calendar)
    if computation is None or deadline.item:
        return
    rows = [row for row in rule(deadline.rule).rows if row.digest == deadline.row] if deadline.rule else []
    basis = f"，{rows[0].citation}{'' if rows[0].verified else '（待核实）'}" if rows else ""
    yield f"      自 {computation.day_zero}（当日不计）起 {computation.value} {UNITS[computation.unit]}{basis}"
    counted = [f"{d.day:%m-%d}={d.number}" if d.number else f"{d.day:%m-%d} {d.reason.name}" for d in computation.days]
    yield "      " + "，".join(counted)
