"""Applications that 信用中国 took in and pushes: filed once, then where each of its cases stands."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Literal

from flask import Response, current_app
from flask_babel import gettext as _
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from pydantic.config import JsonDict
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from app.casework.brought import MAX_RECORDS
from app.casework.carried import Letter, Named, Paper, Pushed
from app.casework.carry import carry_filing
from app.casework.facts import NoSuchCase
from app.casework.sight import filings_brought_by
from app.db import db, transaction
from app.models import Case, CreditRecord, Document, Filing
from app.problem import problem
from app.views.api.case_shapes import DocumentSaid, DueSaid, Reason
from app.views.api.cases import case_lines, documents_of, dues_of, plain
from app.views.api.door import door, visit
from app.views.api.query import Day, IdempotencyKey, Line, Moment, Text
from app.views.api.said import said
from app.views.texts import article, sentence
from forms.application import ContactForm

LARGE = 40 * 1024 * 1024
"""Bytes of an application with its files."""
LONGEST = 14_000_000
"""Characters of one file in Base64: 10 MB."""

SAMPLE: JsonDict = {
    "number": "XYZG-2026-000017",
    "received_on": "2026-11-23",
    "name": "湖南演示物流有限公司",
    "code": "91430100MA0DEMO0XX",
    "records": [{"number": "湘交罚〔2026〕12号", "decided_on": "2026-05-18", "organ": "湖南省交通运输厅"}],
    "letter": {
        "signer": "罗某", "capacity": "legal_representative", "signed_on": "2026-11-23",
        "code": "43000020261123000001",
    },
    "statement": "罚款已经缴清。",
    "contact": "邓某",
    "phone": "0731-12345678",
    "proofs": [{"name": "缴款凭证.pdf", "data": "JVBERi0xLjcK"}],
}  # fmt: skip


class PaperBody(BaseModel, extra="forbid"):
    """A file."""

    name: Line = Field(title="文件名", min_length=1, max_length=200)
    data: str = Field(
        title="内容，Base64",
        description="PDF、JPG 或者 PNG，不超过 10 MB",
        max_length=LONGEST,
        pattern="^[A-Za-z0-9+/]{4,}={0,2}$",
    )


class RecordBody(BaseModel, extra="forbid"):
    """Which record: by its public id, or by 文号 and what tells it from others of the same number."""

    public_id: str = Field("", title="信息编号", max_length=32)
    number: Line = Field("", title="行政处罚决定书文号或者认定文号；没有信息编号时必填", max_length=100)
    decided_on: Day | None = Field(None, title="决定日期；文号相同的有几条时写明")
    organ: Line = Field("", title="认定单位的名称或者代号；文号相同的有几条时写明", max_length=100)


class LetterBody(BaseModel, extra="forbid"):
    """信用修复承诺书."""

    signer: Line = Field(title="签署人", min_length=1, max_length=40)
    capacity: Literal["legal_representative", "clerk", "administrator"] = Field(
        title="签署人的身份：法定代表人、经办人、破产管理人"
    )
    signed_on: Day = Field(title="签署日期")
    code: Line = Field("", title="承诺书编码；没有扫描件时必填", max_length=100)
    scan: PaperBody | None = Field(None, title="扫描件")
    name_public: StrictBool = Field(False, title="是否同意公开签署人的姓名")


class FilingBody(BaseModel):
    """An application."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [SAMPLE]})

    number: Line = Field(title="这份申请在信用中国的编号", min_length=1, max_length=64)
    received_on: Day = Field(title="信用中国收到的日期，总期限从这一天起算")
    name: Line = Field(title="信用主体名称或者姓名", min_length=1, max_length=200)
    code: str = Field("", title="统一社会信用代码；自然人不填", max_length=40)
    id_number: str = Field("", title="身份证号码；只有自然人填", max_length=40)
    records: list[RecordBody] = Field(title="申请修复哪些信息", min_length=1, max_length=MAX_RECORDS)
    letter: LetterBody = Field(title="信用修复承诺书")
    statement: Text = Field("", title="想说明的情况", max_length=2000)
    contact: Line = Field("", title="联系人", max_length=40)
    phone: Line = Field("", title="联系电话", max_length=30)
    proofs: list[PaperBody] = Field(default=[], title="履行义务的证明材料", max_length=20)


class FilingHeader(BaseModel):
    """Under which key an application is pushed."""

    idempotency_key: IdempotencyKey


class Outcome(BaseModel):
    """What became of one record that was named."""

    public_id: str = Field(title="信息编号；没有找到时为空")
    case: str = Field(title="办件编号；没有立案时为空")
    refusals: list[Reason] = Field(title="没有立案的理由")


class Filed(BaseModel):
    """What a pushed application was answered; the same for every repeat."""

    receipt: str = Field(title="申请回执号")
    outcomes: list[Outcome] = Field(title="每条信息的结果，顺序与 records 相同")


class FiledCase(BaseModel):
    """A case of a filing."""

    number: str = Field(title="办件编号")
    record: str = Field(title="信息编号")
    record_no: str = Field(title="文号")
    office: str = Field(title="办理单位代号")
    state: str = Field(title="状态代号")
    state_title: str = Field(title="状态")
    final: bool = Field(title="是否已经结束")
    t0: Moment | None = Field(title="信用中国收到")
    t1: Moment | None = Field(title="本平台收到")
    t2: Moment | None = Field(title="受理")
    t3: Moment | None = Field(title="决定")
    deadlines: list[DueSaid] = Field(title="期限")
    documents: list[DocumentSaid] = Field(title="已经出具的文书，可以凭查验码核验")


class WholeFiling(BaseModel):
    """A filing and its cases."""

    receipt: str = Field(title="申请回执号")
    number: str = Field(title="这份申请在信用中国的编号")
    filed_at: Moment = Field(title="收到推送的时刻")
    cases: list[FiledCase] = Field(title="办件")


class FilingPath(BaseModel):
    """Which filing."""

    receipt: str = Field(title="申请回执号", max_length=32)


@door("post", "/filings", scope="filings", title="推送修复申请", answers={201: Filed}, limit=LARGE)
def push(header: FilingHeader, body: FilingBody) -> Response:
    """一份申请可以有几条信息：能立案的立案并当场签收，不能的逐条说明理由；一条都不能立案的，整份退回（422）。
    同一个编号、同样的内容再推一次，得到同样的回答。"""
    came = visit()
    errors = _against(body)
    if errors:
        return problem(422, errors=errors)
    try:
        pushed = _pushed(body)
    except NotBase64:
        return problem(422, _("有文件的内容不是 Base64。"), code="FILE")
    with transaction():
        receipt, opened = carry_filing(
            pushed,
            actor=came.person,
            channel="creditchina",
            key=header.idempotency_key,
            at=came.at,
            folder=current_app.config["INSTANCE"] / "uploads",
            limit=current_app.config["MAX_UPLOAD"],
            index=bytes.fromhex(current_app.config["INDEX_KEY"]),
        )
    ids = _public_ids([one.record_id for one in opened])
    outcomes = [
        Outcome(
            public_id=ids.get(one.record_id, ""),
            case=one.number,
            refusals=[Reason(code=no.code, detail=sentence(no), law=article(no.law)) for no in one.refusals],
        )
        for one in opened
    ]
    return said(Filed(receipt=receipt, outcomes=outcomes), 201)


@door("get", "/filings/<receipt>", scope="filings", title="一份申请办到哪里了", answers={200: WholeFiling})
def read_filing(path: FilingPath) -> Response:
    """只看得到自己推送的。每件办到哪里、期限、出具了哪些文书。"""
    came = visit()
    filing = db.session.execute(
        select(Filing.id, Filing.receipt, Filing.other_number, Filing.at).where(
            Filing.receipt == path.receipt, filings_brought_by(came.person)
        )
    ).first()
    if filing is None:
        raise NoSuchCase(path.receipt)
    rows = db.session.execute(case_lines().where(Case.filing_id == filing.id).order_by(Case.id)).all()
    dues = dues_of(rows, came.at, inside=False)
    cases = [
        FiledCase(
            **{name: value for name, value in plain(row).items() if name in FiledCase.model_fields},
            deadlines=dues.get(row.id, []),
            documents=documents_of(Document.case_id == row.id),
        )
        for row in rows
    ]
    return said(WholeFiling(receipt=filing.receipt, number=filing.other_number, filed_at=filing.at, cases=cases))


def _against(body: FilingBody) -> list[dict[str, str]]:
    """What the applicant's own form would not take: how to reach them, when that is said at all."""
    if not body.contact and not body.phone:
        return []
    typed = MultiDict({"contact": body.contact, "phone": body.phone, "statement": body.statement})
    form = ContactForm(formdata=typed, meta={"csrf": False})
    form.validate()
    return [{"field": name, "message": str(one)} for name, messages in form.errors.items() for one in messages]


def _pushed(body: FilingBody) -> Pushed:
    """The application as the casework room knows it. Raises NotBase64."""
    letter = body.letter
    return Pushed(
        number=body.number, received_on=body.received_on, name=body.name, code=body.code, id_number=body.id_number,
        records=tuple(Named(one.public_id, one.number, one.decided_on, one.organ) for one in body.records),
        letter=Letter(
            letter.signer, letter.capacity, letter.signed_on, letter.code,
            _paper(letter.scan) if letter.scan else None, letter.name_public,
        ),
        statement=body.statement, contact=body.contact, phone=body.phone,
        proofs=tuple(_paper(one) for one in body.proofs),
    )  # fmt: skip


def _paper(sent: PaperBody) -> Paper:
    return Paper(sent.name, b64decode(sent.data, validate=True))


def _public_ids(records: list[int]) -> Mapping[int, str]:
    rows = db.session.execute(select(CreditRecord.id, CreditRecord.public_id).where(CreditRecord.id.in_(records)))
    return {row.id: row.public_id for row in rows}
