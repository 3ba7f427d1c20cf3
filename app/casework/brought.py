"""Reading what a carrier brings: is it an application, whose is it, which records does it mean.

Every sentence says what to put right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from app.casework.attach import MAX_FILES, checked, tidy_name
from app.casework.carried import Named, Pushed
from app.casework.refused import StepRefused
from app.db import db
from app.models import CreditRecord, Identifier, Office, Subject
from app.models.subject import CAPACITIES
from app.registry.blind import blind_index
from app.registry.codes import check_code, check_id_number
from app.registry.numbers import number_key
from app.registry.text import name_key
from workflows.calendar import legal_day
from workflows.grammar import UNMET, Refusal

MAX_RECORDS = 50


def refused(text: str, reason: str, kind: str = UNMET, **values: object) -> StepRefused:
    """One reason for which nothing is filed."""
    return StepRefused([Refusal(kind, text, values, "SC22", reason)])


def readable(pushed: Pushed, channel: str, at: datetime) -> None:
    """Refuse what cannot be an application, with every reason at once."""
    today, letter, no = legal_day(at), pushed.letter, list[str]()
    if channel == "creditchina" and not pushed.number:
        no.append("请写明这份申请在信用中国的编号。")
    if pushed.received_on > today:
        no.append("收到申请的日期不能晚于今天。")
    if not pushed.records:
        no.append("请写明申请修复哪一条信息。")
    if len(pushed.records) > MAX_RECORDS:
        no.append(f"一次最多申请修复 {MAX_RECORDS} 条信息，请分几次提出。")
    if not letter.signer:
        no.append("请写明信用修复承诺书由谁签署。")
    if letter.capacity not in CAPACITIES:
        no.append("请写明承诺书的签署人是法定代表人、经办人还是破产管理人。")
    if letter.signed_on > today:
        no.append("承诺书的签署日期不能晚于今天。")
    if not letter.code and letter.scan is None:
        no.append("缺少信用修复承诺书：请附扫描件，或者写明承诺书编码。")
    if len(pushed.proofs) + (letter.scan is not None) > MAX_FILES:
        no.append(f"一件最多 {MAX_FILES} 个文件，请合并后再传。")
    if any("\0" in text for text in _texts(asdict(pushed))):
        no.append("填写的内容里有看不见的字符，不能保存，请重新填写。")
    if no:
        raise StepRefused([Refusal(UNMET, "{problem}", {"problem": text}, "SC22", "UNREADABLE") for text in no])


def checked_files(pushed: Pushed, limit: int) -> None:
    """Look into every file before anything is written."""
    no = []
    for paper in (*filter(None, (pushed.letter.scan,)), *pushed.proofs):
        try:
            checked(paper.data, limit)
        except StepRefused as refused:
            values = {"name": tidy_name(paper.name), "why": str(refused).rstrip("。")}
            no.append(Refusal(UNMET, "“{name}”没有收下：{why}。", values, "D", "FILE"))
    if no:
        raise StepRefused(no)


def subject_of(pushed: Pushed, index: bytes) -> Any:
    """The subject that applies. Raises StepRefused: no such code, or another name than the one given."""
    if pushed.subject is not None:
        chosen = select(Subject.id, Subject.name, Subject.kind).where(Subject.id == pushed.subject)
        return db.session.execute(chosen).one()
    person = not pushed.code and bool(pushed.id_number)
    verdict = check_id_number(pushed.id_number) if person else check_code(pushed.code)
    if not verdict.ok:
        raise StepRefused([Refusal(UNMET, "{why}。", {"why": str(why)}, "D", "CODE") for why in verdict.problems])
    known = (
        (Identifier.kind == "id_card") & (Identifier.blind == blind_index(verdict.code, index, "identifier"))
        if person
        else (Identifier.kind == "uscc") & (Identifier.value == verdict.code)
    )
    row = db.session.execute(
        select(Subject.id, Subject.name, Subject.kind)
        .join(Identifier, Identifier.subject_id == Subject.id)
        .where(known)
    ).first()
    if row is None and person:
        raise refused("没有这个身份证号码的信用信息。请核对号码。", "NO_SUBJECT")
    if row is None:
        text = "没有统一社会信用代码为{uscc}的主体，本平台没有它的信用信息。请核对代码。"
        raise refused(text, "NO_SUBJECT", uscc=verdict.code)
    if name_key(row.name) != name_key(pushed.name):
        if person:
            raise refused("姓名与这个身份证号码登记的姓名不一致，请核对。", "OTHER_NAME")
        text = "名称“{given}”与{uscc}登记的名称“{name}”不一致，请核对。"
        raise refused(text, "OTHER_NAME", given=pushed.name, uscc=verdict.code, name=row.name)
    return row


def record_of(named: Named, subject: Any) -> Any:
    """The record meant, as a row, or the reason why none is: not there, or several of that number."""
    query = (
        select(
            CreditRecord.id, CreditRecord.office_id, CreditRecord.number, CreditRecord.recognised_on,
            Office.name.label("office"), Office.region,
        )
        .join(Office, Office.id == CreditRecord.office_id)
        .where(CreditRecord.subject_id == subject.id)
        .order_by(CreditRecord.id)
    )  # fmt: skip
    if named.public_id:
        query = query.where(CreditRecord.public_id == named.public_id)
    else:
        query = query.where(CreditRecord.number_key == number_key(named.number), CreditRecord.number_key != "")
        if named.decided_on:
            query = query.where(CreditRecord.recognised_on == named.decided_on)
        if named.organ:
            query = query.where(or_(*(column == named.organ for column in (Office.name, Office.short, Office.code))))
    rows = db.session.execute(query).all()
    what = named.public_id or named.number
    if not what:
        return _no("请写明是哪一条信息：信息编号，或者文号、日期和认定单位。", "NO_RECORD")
    if not rows:
        details = "，".join(filter(None, (f"{named.decided_on:%Y-%m-%d}" if named.decided_on else "", named.organ)))
        which = f"{what}（{details}）" if details else what
        return _no("{name}名下没有“{which}”这条信息，请核对文号、日期和认定单位。", "NO_RECORD",
                   name=subject.name, which=which)  # fmt: skip
    if len(rows) > 1:
        each = "；".join(f"{row.office}，{row.recognised_on:%Y-%m-%d}" for row in rows)
        text = "文号“{number}”有 {n} 条信息：{each}。请写明是哪一天、哪个单位认定的。"
        return _no(text, "AMBIGUOUS", number=named.number, n=len(rows), each=each)
    return rows[0]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [text for one in inner for text in _texts(one)]


def _no(text: str, reason: str, **values: object) -> Refusal:
    return Refusal(UNMET, text, values, "SC22", reason)
