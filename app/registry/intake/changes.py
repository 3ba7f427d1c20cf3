"""A row about a record that is there already: a duplicate, a correction, or something only an officer may decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from app.registry.entries import envelope
from app.registry.fields import DirectoryEntry, heading_key
from app.registry.intake.lookups import Key
from app.registry.intake.terms import CAUSES, Shown
from app.registry.intake.work import CORRECTED, DUPLICATE, WAITING, Correction, Judged, NewRecord, Work
from app.registry.masking import quoted
from app.registry.numbers import number_key
from app.registry.publish import status_on
from app.registry.text import fold, say

Reasons = list[tuple[str, str]]
CORRECTED_BY_SENDER = "报送单位更正"
"""The cause of a correction, and how the cause of every fact begins that follows from one."""
MOST_TOLD = 12
"""Changes of a correction that are told one by one."""


@dataclass(slots=True)
class Existing:
    """A record that is there, or one that an earlier row of the same chunk brings (`row`); `corrected` by this batch
    already."""

    id: int
    fields: dict[str, str]
    received: dict[str, Any]
    batch_id: int | None
    case: str = ""
    row: int = 0
    stored_row: Any = None
    other_sender: bool = False
    corrected: bool = False

    @classmethod
    def stored(cls, row: Any, case: str, other_sender: bool = False) -> Existing:
        """One of the register."""
        return cls(row.id, row.fields, row.received, row.batch_id, case, 0, row, other_sender)

    @classmethod
    def pending(cls, work: Work, made: NewRecord) -> Existing:
        """One of this chunk."""
        received = work.as_received(made.judged.clear)
        return cls(made.id, made.ready.values, received, None, "", made.judged.row)


def correction_or_reason(
    work: Work, judged: Judged, values: dict[str, str], before: Existing, key: Key
) -> tuple[str, Correction | None, Reasons]:
    """What a row does to the record it is about: verdict, the correction if it is one, and the reasons."""
    changed = changed_fields(work.entry, before.fields, values)
    if not changed:
        same = say("与本批第 {row} 行相同", row=before.row) if before.row else say("与已有记录相同，没有新内容")
        return DUPLICATE, None, [("", same)]
    stamp, earlier = work.about(judged, "stamp"), _stamp_of(before.received)
    if stamp and earlier and stamp < earlier:
        old = say("比已有记录旧（{stamp} 早于 {earlier}），没有采用", stamp=stamp, earlier=earlier)
        return DUPLICATE, None, [("", old)]
    names = "、".join(work.entry.by_code[code].name for code in changed)
    if before.row or ((before.corrected or before.batch_id == work.batch_id) and not work.confirmed):
        which = say("第 {row} 行", row=before.row) if before.row else say("前面的一行")
        text = "与本批{which}是同一件（文号、主体、机关、日期相同），但内容不同（{names}）；请只保留一行"
        return WAITING, None, [("", say(text, which=which, names=names))]
    row = before.stored_row
    if no := _officer_must(work.entry, row, before, changed, key):
        return WAITING, None, [("", no)]
    change = _correction(work, judged, values, row, changed, key)
    return CORRECTED, change, [(code, _told(work.entry, code, before.fields, values)) for code in changed[:MOST_TOLD]]


def changed_fields(entry: DirectoryEntry, before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Fields that say something else; another spelling of the same number or the same words is nothing new."""
    if before == after:
        return []
    numbers = {field.code for field in entry.by_role["number"]}
    changed = []
    for code in entry.by_code:
        one, other = before.get(code, ""), after.get(code, "")
        if one != other:
            same = number_key if code in numbers else fold
            if same(one) != same(other):
                changed.append(code)
    return changed


def _stamp_of(received: dict[str, Any]) -> str:
    """When the sender last changed the row that made the record."""
    for heading, cell in received.items():
        if envelope().get(heading_key(heading)) == "stamp":
            return str(cell).strip()
    return ""


def _officer_must(entry: DirectoryEntry, row: Any, before: Existing, changed: list[str], key: Key) -> str:
    """Why a file alone may not change this record, "" when it may."""
    if before.other_sender:
        return say("文号、主体、机关、日期与另一个报送编号的记录相同，但内容不同；请核对编号")
    if row.annulled_on is not None:
        return say("原记录的处罚已被撤销，不能再用文件更正；请由经办人办理")
    if row.kind != entry.kind:
        return say("原记录不是同一类信息，不能用这张表更正")
    if row.subject_id != key[1]:
        return say("报送编号对应的记录属于另一个主体；更换主体须由经办人办理")
    kinds = {field.code for field in entry.by_role["kinds"]}
    grave = row.recognised_on != key[3] or bool(kinds & set(changed))
    if grave and before.case:
        text = "这条记录有办件 {number}，决定日期和处罚类别不能再用文件更正；请由经办人核对后办理"
        return say(text, number=before.case)
    return ""


def _correction(
    work: Work, judged: Judged, values: dict[str, str], row: Any, changed: list[str], key: Key
) -> Correction:
    entry = work.entry
    day = values[entry.by_role["day"][0].code]
    kinds = {field.code for field in entry.by_role["kinds"]}
    change = Correction(
        before=row,
        title=values.get(entry.by_role["title"][0].code) or entry.title,
        number=entry.value("number", values),
        number_key=key[0],
        day=day,
        cls=row.cls,
        class_basis=row.class_basis,
        minimum_last_day=row.minimum_last_day,
        maximum_last_day=row.maximum_last_day,
        fields=values,
        received=work.as_received(judged.clear),
    )
    if entry.kind == "permit" or kinds & set(changed) or row.recognised_on != key[3]:
        _class_anew(work, row, change, work.terms.of(values, work.today))
    return change


def _class_anew(work: Work, row: Any, change: Correction, shown: Shown) -> None:
    """A record whose kinds or day have changed is classed again; its publication follows."""
    change.cls, change.class_basis = shown.cls, shown.basis
    change.minimum_last_day, change.maximum_last_day = shown.minimum_last_day, shown.maximum_last_day
    status = status_on(row.id, work.today)
    if shown.published and status == "unpublished" and work.entry.may_be_published:
        change.deed, change.cause = "publish", f"{CORRECTED_BY_SENDER}，{CAUSES[work.entry.kind]}"
    elif not shown.published and status == "published":
        change.deed, change.cause = "end", f"{CORRECTED_BY_SENDER}，依更正后的内容不公示"
    elif shown.published and status == "ended" and work.entry.kind == "permit" and not _is_over(shown, work.today):
        change.deed, change.cause = "publish", f"{CORRECTED_BY_SENDER}，{CAUSES['permit']}"


def _is_over(shown: Shown, today: date) -> bool:
    return shown.maximum_last_day is not None and shown.maximum_last_day < today


def _told(entry: DirectoryEntry, code: str, before: dict[str, str], after: dict[str, str]) -> str:
    name = entry.by_code[code].name
    old, new = quoted(before.get(code, "")), quoted(after.get(code, ""))
    return say("{name}：由“{old}”更正为“{new}”", name=name, old=old or "（空）", new=new or "（空）")
