"""信用档案摘要: a credit file on paper, sealed, of today or of another day, in the sight of whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.casework.actor import Person
from app.casework.subject_file import EXTRACT, checked_reason, may_open, note, records_of_officer
from app.db import db
from app.documents.contexts import Party, issuer_of
from app.documents.freeze import clock
from app.documents.freeze import day as in_words
from app.documents.register_paper import Wanted, freeze_paper
from app.models import RegisterPaper
from app.notices.statement_rows import issuing_office
from app.registry.credit_file import CreditFile, Kept, Reader, credit_file, sections_for
from app.registry.credit_file_sections import SECTION
from app.registry.publish import STATUS_TITLES
from app.registry.regions import full_name, regions
from app.registry.subject import KIND_TITLES

MOST = 200
"""Records of a section that are listed on paper."""
SAME_FOR = timedelta(minutes=10)
"""Who asks the public's question again within this time gets the same paper, when it would say the same."""


def draw_extract(
    subject_id: int, reader: Reader, day: date | None, known_at: datetime | None, at: datetime, by: int | None = None
) -> str:
    """Seal the file for the public or for the subject itself (`by` is the user who acts for it), inside
    `transaction()`; returns the 查验码. Raises as `credit_file`, and CannotIssue."""
    return _draw(credit_file(subject_id, reader, day, known_at, first=MOST), at, by, "")


def draw_for_officer(
    who: Person, subject_id: int, day: date | None, known_at: datetime | None, reason: str, at: datetime
) -> str:
    """Seal the file, masked, for an officer with a reason that is written down, inside `transaction()`. Raises
    NoReason and as `draw_extract`."""
    reason = checked_reason(reason)
    may_open(who, subject_id)
    file = credit_file(subject_id, Reader.OFFICER, day, known_at, theirs=records_of_officer(who), first=MOST)
    code = _draw(file, at, who.person, reason)
    note(who, subject_id, EXTRACT, {"reason": reason, "day": file.day.isoformat(), "code": code}, at)
    return code


def _draw(file: CreditFile, at: datetime, by: int | None, reason: str) -> str:
    wanted = _wanted(file, at, by, reason)
    if file.reader is Reader.PUBLIC:
        same = db.session.execute(
            select(RegisterPaper.code)
            .where(
                RegisterPaper.subject_id == file.whose.id,
                RegisterPaper.kind == wanted.kind,
                RegisterPaper.reader == wanted.reader,
                RegisterPaper.content_hash == wanted.content_hash,
                RegisterPaper.issued_at > at - SAME_FOR,
            )
            .limit(1)
        ).scalar()
        if same is not None:
            return same
    return freeze_paper(wanted).code


def _wanted(file: CreditFile, at: datetime, by: int | None, reason: str) -> Wanted:
    whose = file.whose
    return Wanted(
        kind="extract",
        office=issuer_of(issuing_office().id),
        party=Party(whose.name, whose.code, whose.kind == "person"),
        subject_id=whose.id,
        record_id=None,
        reader=file.reader.value,
        about_day=file.day,
        known_at=file.known_at,
        result=_result(file),
        record="",
        content=content_of(file),
        at=at,
        asked_by=by,
        reason=reason,
    )


def content_of(file: CreditFile) -> Mapping[str, Any]:
    """What the paper says, as plain data: nothing in it depends on who asks when, but for the scope's own words."""
    keys = [key for key in sections_for(file)]
    listed = [_section(file, key) for key in keys if file.count(key)]
    return {
        "about": _about(file),
        "scope": _scope(file),
        "sections": listed,
        "empty": "、".join(SECTION[key].title for key in keys if not file.count(key)),
        "withdrawn": [
            f"{each.number}，{each.office}：处罚不再成立，信息于{in_words(each.on)}撤回。理由：{each.reason}"
            for each in file.withdrawn
        ],
        "ended_since": file.ended_since,
    }


def _result(file: CreditFile) -> str:
    if file.past:
        return f"{in_words(file.day)}公示的内容，按{clock(file.known_at)}掌握的情况"
    words = {"public": "正在公示的内容", "subject": "登记在册的全部内容", "officer": "登记在册的内容"}
    return f"{in_words(file.day)}{words[file.reader.value]}"


def _scope(file: CreditFile) -> str:
    if file.past:
        said = f"本摘要列出{in_words(file.day)}“信用交通·湖南”公示的内容，按截至{clock(file.known_at)}登记的情况生成。"
        return f"{said}它说明的是那一天，不是今天。"
    what = {
        "public": "正在公示的信用信息",
        "subject": "本平台登记的全部信用信息，包括已经终止公示的；由主体本人取得",
        "officer": "经办机关可以查询的信用信息，自然人信息已经遮盖",
    }[file.reader.value]
    return f"本摘要列出{in_words(file.day)}{what}。以后有变化的，以扫码所见为准。"


def _about(file: CreditFile) -> list[list[str]]:
    whose = file.whose
    head = "经营者" if whose.kind == "sole_trader" else "法定代表人"
    rows = [
        ["统一社会信用代码", whose.code],
        ["主体类型", KIND_TITLES[whose.kind]],
        [head, whose.representative],
        ["登记地", full_name(whose.region) if whose.region in regions() else ""],
        ["行业", whose.trade],
    ]
    return [row for row in rows if row[1]]


def _section(file: CreditFile, key: str) -> dict[str, Any]:
    section = SECTION[key]
    found: dict[str, Any] = {"key": key, "title": section.title, "count": file.count(key)}
    if section.kind:
        heads, row = (PENALTY, _penalty) if section.kind != "permit" else (PERMIT, _permit)
        records = file.records.get(key, ())
        return found | {"heads": heads, "rows": [row(file, record) for record in records]}
    lines = file.annals.get(key, ())[:MOST]
    rows = [
        [[line.number, line.organ], [line.day.isoformat() if line.day else in_words(line.at.date()) if line.at else ""],
         [line.title], [line.until.isoformat() if line.until else ""]]
        for line in lines
    ]  # fmt: skip
    return found | {"heads": ["编号和单位", "日期", "事项", "结束"], "rows": rows}


PENALTY = ["认定文书", "类别", "内容", "公示"]
PERMIT = ["决定文书", "状态", "内容", "有效期"]


def _penalty(file: CreditFile, record: Kept) -> list[list[str]]:
    shown = []
    if record.status == "published":
        shown.append(f"{record.since}起公示" if record.since else "公示中")
        if record.maximum_last_day:
            shown.append(f"最长至{record.maximum_last_day}")
    else:
        shown.append(STATUS_TITLES[record.status])
    if record.marked_since:
        shown.append(f"{record.marked_since}起标注异议")
    if record.gone:
        shown.append("今天已不公示")
    if record.corrected:
        shown.append("其后已更正")
    what = [record.title, record.value("CF_SY"), record.value("CF_NR"), record.value("CF_YJ")]
    return [
        [record.number, record.office, record.recognised_on.isoformat()],
        [record.cls or "—"],
        _once(what),
        shown,
    ]


def _permit(file: CreditFile, record: Kept) -> list[list[str]]:
    until = record.value("XK_YXQZI")
    return [
        [record.number, record.office, record.recognised_on.isoformat()],
        [record.value("XK_ZT") or "—"],
        _once([record.title, record.value("XK_NR"), record.value("XK_XKBH")]),
        [record.value("XK_YXQZ"), "长期" if until >= "2099" else f"至{until}" if until else ""],
    ]


def _once(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(line for line in lines if line))
