"""A small world for the print room: one organ, one enterprise, one penalty, and the lines that issue its documents.

The lines are written by hand, not walked, because the print room knows lines and not steps; the walked cases stand in
the stories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from app.db import db, transaction
from app.documents.freeze import freeze
from app.journal import Doer, Entry, write_line
from app.models import (
    Attachment,
    AttachmentUse,
    Ban,
    Case,
    CaseRecord,
    CreditRecord,
    Document,
    Filing,
    Identifier,
    Office,
    RepairLetter,
    Subject,
    User,
)
from workflows.calendar import Calendar, day_start, reckon
from workflows.repair import REPAIR

CALENDAR = Calendar()
NAME = "湖南澧原远途运输有限公司"
CODE = "91430100MAEXAMP14R"
FINDING = (
    "你单位已于2026年8月3日缴清罚款20000元，8月20日完成车辆动态监控整改并经复查合格。\n没有发现提交的材料有不实之处。"
)
ITEMS = [
    {
        "name": "信用修复承诺书",
        "problem": "未经法定代表人或者其授权的人签署",
        "remedy": "在手机或网页上签署，或者上传盖章件",
    },
    {
        "name": "义务履行证明",
        "problem": "缺第二期罚款（15000元）的缴款票据",
        "remedy": "上传票据；或者填写缴款码，由本机关核验",
    },
    {"name": "整改证明", "problem": "K31+200处整改后照片模糊，看不清护栏编号", "remedy": "重新拍摄上传，一张即可"},
]

ISSUED_BY = {
    "receipt": "submit",
    "acceptance": "accept",
    "correction": "correct",
    "non_acceptance": "decline",
    "transfer": "transfer",
    "extension": "extend",
    "finding": "warn",
    "grant": "confirm",
    "refusal": "refuse",
    "refusal_false": "refuse_false",
    "withdrawal": "withdraw",
    "lapse": "lapse",
    "withdrawn_record": "supersede",
}
ANSWERS: dict[str, dict[str, Any]] = {
    "correction": {"items": ITEMS},
    "non_acceptance": {
        "ground": "DUTY_NOT_PERFORMED",
        "reason": "上述处罚决定处罚款20000元，截至申请之日你单位已缴纳12000元，余款8000元经批准延期至2026年12月31日，"
        "尚未缴纳。批准延期缴纳不等于履行完毕。",
    },
    "transfer": {
        "to": "430100JT",
        "reason": "该处罚由长沙市交通运输局作出。按照谁认定、谁修复的规定，应当由认定单位办理。",
    },
    "extension": {"reason": "需要向缴款银行和复查单位核实履行情况。"},
    "finding": {
        "facts": "你单位提交的缴款票据（编号0043918）与财政票据系统登记的金额不一致：票据载明20000元，登记为2000元。\n"
        "你单位提交的整改照片拍摄于处罚决定作出以前。"
    },
    "refusal": {
        "reason": "修复失信信息，应当已经纠正失信行为，并全部履行认定文书确定的义务。批准延期缴纳不等于履行完毕，"
        "你单位有两项义务未履行完毕。",
        "cure": "缴清剩余罚款8000元，并完成牵引车动态监控装置的整改、经复查合格。",
    },
    "refusal_false": {
        "reason": "缴款票据与财政票据系统登记的内容不一致，整改照片拍摄于处罚决定以前，你单位不能作出合理说明。"
    },
}


@dataclass
class World:
    """A case and what is needed to write lines on it."""

    case_id: int
    subject_id: int
    record_id: int
    organ_id: int
    user_id: int
    start: datetime

    def line(self, act: str, at: datetime, answers: Mapping[str, Any] | None = None, clocks: Any = ()) -> Entry:
        """Write a journal line of this case."""
        law = REPAIR.step[act].law
        doer = Doer(self.user_id, "周敏", "acceptance", self.organ_id)
        return write_line("case", self.case_id, act, doer, at, law_text=law, answers=answers, clocks=clocks)

    def issue(self, kind: str, answers: Mapping[str, Any] | None = None, **case: Any) -> int:
        """Walk the lines up to the step that issues `kind` and freeze it; returns the document's id."""
        day = self.start
        given = {**ANSWERS.get(kind, {}), **(answers or {})}
        with transaction() as session:
            marks: dict[str, Any] = {"filed_at": day}
            if kind != "receipt":
                self.line("submit", day)
                marks |= {"t0": day + timedelta(days=1), "t1": day + timedelta(days=1, hours=2)}
                self.line("receive", marks["t1"], {"t0": "2026-11-10"}, [
                    started("total", date(2026, 11, 10), 10), started("accept", date(2026, 11, 10), 3),
                ])  # fmt: skip
            at = day + timedelta(days=3)
            if kind in ("extension", "finding", "grant", "refusal", "refusal_false"):
                marks["t2"] = at
                self.line("accept", at, {}, [started("decide", date(2026, 11, 12), 7)])
                at += timedelta(days=2)
                if kind in ("grant", "refusal", "refusal_false"):
                    if kind == "refusal_false":
                        self.line("warn", at, ANSWERS["finding"], [started("hearing", date(2026, 11, 14), 5)])
                        self.line("state_views", at + timedelta(days=2), {"statement": "票据是代办人给的。"})
                    self.line("review", at + timedelta(days=3), {"opinion": "grant", "finding": FINDING})
                    at += timedelta(days=4)
            if kind == "lapse":
                self.line("correct", at, {"items": ITEMS}, [started("correct", date(2026, 11, 12), 10)])
                at += timedelta(days=20)
            clocks: list[dict[str, Any]] = []
            if kind == "acceptance":
                marks["t2"], clocks = at, [started("decide", date(2026, 11, 12), 7)]
            elif kind == "correction":
                clocks = [started("correct", date(2026, 11, 12), 10)]
            elif kind == "finding":
                clocks = [started("hearing", date(2026, 11, 14), 5)]
            elif kind == "extension":
                clocks = [extended("decide", date(2026, 11, 23), 10), extended("total", date(2026, 11, 24), 10)]
            elif kind == "grant":
                clocks = [started("receiver", date(2026, 11, 18), 3, code) for code in ("XYHN", "GGZY", "430100JT")]
            elif kind == "refusal_false":
                session.add(Ban(subject_id=self.subject_id, since=date(2026, 11, 18), until=date(2029, 11, 18),
                                cause="在信用修复中提供虚假材料", rule="repair.ban", case_id=self.case_id,
                                recorded_at=at))  # fmt: skip
                session.flush()
            elif kind == "withdrawn_record":
                session.execute(
                    update(CreditRecord)
                    .where(CreditRecord.id == self.record_id)
                    .values(annulled_on=date(2026, 11, 11), annulled_by="湘政复决字〔2026〕88号行政复议决定")
                )
            session.execute(update(Case).where(Case.id == self.case_id).values(**{**marks, **case}))
            entry = self.line(ISSUED_BY[kind], at, given, clocks)
            return freeze(self.case_id, kind, entry)


def started(clock: str, day_zero: date, days: int, item: str = "") -> dict[str, Any]:
    """The event of a clock that starts, counted in working days."""
    counted = reckon(CALENDAR, day_zero, days, "WD", True)
    return {
        "event": "start", "clock": clock, "item": item, "day_zero": day_zero.isoformat(),
        "due_on": counted.due_on.isoformat(), "rule": "", "row": "", "value": days, "unit": "WD", "shift": True,
        "provisional": counted.provisional,
    }  # fmt: skip


def extended(clock: str, base: date, days: int) -> dict[str, Any]:
    """The event of a clock that is extended from its old last day."""
    counted = reckon(CALENDAR, base, days, "WD", True)
    return {
        "event": "extend", "clock": clock, "item": "", "base": base.isoformat(), "due_on": counted.due_on.isoformat(),
        "value": days, "unit": "WD", "shift": True, "rule": "", "row": "", "provisional": counted.provisional,
    }  # fmt: skip


def build(name: str = NAME, *, kind: str = "enterprise", number: str = "2026110900001") -> World:
    """Offices, a subject with a penalty, a signed letter, a filing and its case; committed."""
    start = day_start(date(2026, 11, 9)) + timedelta(hours=9, minutes=20)
    with transaction() as session:
        organ = session.execute(select(Office).where(Office.code == "430000JT")).scalar_one_or_none()
        if organ is None:
            organ = Office(
                code="430000JT", name="湖南省交通运输厅", short="省厅", kind="organ", path="/1/", word="湘交",
                review_body="湖南省人民政府", review_address="https://fuyi.example/", phone="0731-00000000",
            )  # fmt: skip
            for code, title, receives in (
                ("XYHN", "湖南省发展和改革委员会", "province linked"),
                ("GGZY", "湖南省公共资源交易中心", "linked"),
                ("430100JT", "长沙市交通运输局", "linked"),
            ):
                session.add(
                    Office(code=code, name=title, short=title, kind="linked", path=f"/{code}/", receives=receives)
                )
            session.add(User(login="zhou", name="周敏", password_hash=""))
            session.add(organ)
            session.flush()
        user = session.execute(select(User).where(User.login == "zhou")).scalar_one()
        subject = Subject(kind=kind, name=name, region="430100")
        session.add(subject)
        session.flush()
        if kind != "person":
            session.add(Identifier(subject_id=subject.id, kind="uscc", value=CODE[:14] + f"{subject.id:04d}",
                                   valid_from=date(2020, 1, 1)))  # fmt: skip
        record = CreditRecord(
            public_id=f"r{subject.id}", kind="penalty", directory="", catalogue="", subject_id=subject.id,
            office_id=organ.id, title="未按规定安装、使用卫星定位装置从事道路货物运输", number="湘交罚〔2026〕37号",
            number_key="37", recognised_on=date(2026, 7, 14), cls="一般", minimum_last_day=date(2026, 10, 14),
            maximum_last_day=date(2027, 7, 14), duty="performed", fields={}, received={}, recorded_at=start,
        )  # fmt: skip
        filing = Filing(receipt=f"SQ2026{subject.id:06d}", channel="creditchina", key=number, subject_id=subject.id,
                        user_id=user.id, at=start)  # fmt: skip
        session.add_all([record, filing])
        session.flush()
        case = Case(
            number=number, type="repair", edition="2026-04", state="submitted", version=1, office_id=organ.id,
            subject_id=subject.id, filing_id=filing.id, channel="creditchina", opened_at=start, filed_at=start,
            state_since=start,
        )  # fmt: skip
        session.add(case)
        session.flush()
        paper = Attachment(subject_id=subject.id, sha256="0" * 64, name="缴款票据.pdf", media_type="application/pdf",
                           size=1000, uploaded_by=user.id, at=start)  # fmt: skip
        session.add_all([
            CaseRecord(case_id=case.id, record_id=record.id, open_record=record.id),
            RepairLetter(
                case_id=case.id, code=f"43010020261109{subject.id:06d}", edition="2026-11", text="", text_hash="",
                consent_publication=True, signer=user.id, signer_name="沈知远", capacity="legal_representative",
                signed_at=start,
            ),
            paper,
        ])  # fmt: skip
        session.flush()
        session.add(AttachmentUse(case_id=case.id, attachment_id=paper.id, purpose="duty_proof", at=start))
        session.flush()
        return World(case.id, subject.id, record.id, organ.id, user.id, start)


def document(document_id: int) -> Document:
    """A document as it stands in the database."""
    found = db.session.get(Document, document_id, populate_existing=True)
    assert found is not None
    return found


def utc(*parts: int) -> datetime:
    """An instant in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]
