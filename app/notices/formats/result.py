"""修复结果通知: the payload for linked departments, and for whoever has no format of their own.

Nothing public exists; the fields are those of the proposed sheet for exchanging repair results (who, which record, what
was decided, what the receiver must do), under its keys.

A natural person has no code here and gets no other name in its place: each notice tells the whole state of one record,
by its number and ours, so that a name that ties all records of a person together is more than the duty to tell needs
(《个人信息保护法》第三十四条). What concerns a person is therefore put in order by record.
"""

from __future__ import annotations

from typing import Any

from app.notices.formats.field import Field
from app.notices.formats.told import RECORD_KINDS, Envelope, Told

TITLE = "修复结果通知"
FOR = "联动部门（没有自己格式的都用这一种）"
FIELDS = (
    Field("notice", "通知编号，重发时不变，用来去重", "string", True, "case-12-7-lk-market"),
    Field("receiver", "接收单位代号", "string", True, "lk-market"),
    Field(
        "seq",
        "对这个主体的第几份通知，从 1 起不间断；只处理比已处理的更大的",
        "integer",
        True,
        1,
    ),
    Field("act", "办理结果代号", "string", True, "confirm"),
    Field("decision", "修复结论", "string", True, "准予修复"),
    Field("action", "请贵单位做什么", "string", True, "停止公示、停止使用，解除因此采取的措施"),
    Field("confirm_by", "请于这一天以前确认", "date", False, "2026-11-27"),
    Field("subject_name", "信用主体名称", "string", True, "湖南演示物流有限公司"),
    Field("uscc", "统一社会信用代码；自然人为空", "string", False, "91430100MA0DEMO0XX"),
    Field("record", "信息编号", "string", True, "9f2c61d07ab34e58"),
    Field("record_type", "失信信息类型", "string", True, "行政处罚"),
    Field("record_no", "行政处罚决定书文号或者认定文号", "string", True, "湘交罚〔2026〕12号"),
    Field("record_organ", "认定单位", "string", True, "湖南省交通运输厅"),
    Field("record_organ_code", "认定单位代号", "string", True, "jt-430000"),
    Field("record_date", "处罚决定日期或者列入日期", "date", True, "2026-05-18"),
    Field("class", "失信分类", "string", False, "一般"),
    Field("application_no", "修复申请编号", "string", False, "XF-7K2M9QXA"),
    Field("application_date", "申请日期", "date", False, "2026-11-17"),
    Field("accept_organ", "受理单位：信用中国或者认定单位", "string", False, "信用中国"),
    Field("decision_organ", "作出决定的单位", "string", True, "湖南省交通运输厅"),
    Field("decision_date", "决定日期", "date", True, "2026-11-24"),
    Field("effective_at", "生效时刻（UTC）", "instant", True, "2026-11-24T02:00:00+00:00"),
    Field("legal_basis", "依据", "string", True, "《信用修复管理办法》第三条"),
    Field("reason", "理由（不予修复、不予受理、移送）", "string", False, ""),
    Field("end_publicity_date", "终止公示日期", "date", False, "2026-11-24"),
    Field("measures_to_lift", "已知需解除的惩戒措施", "strings", True, ["省公共资源交易中心：限制投标"]),
    Field("commitment_code", "信用修复承诺书编码", "string", False, "43000020261117000001"),
    Field("document_no", "决定书文号", "string", False, "湘交信修决〔2026〕3号"),
    Field("verify_at", "决定书验证地址", "string", False, "https://credit.example/verify/ABCD"),
    Field("withdrawn", "信息是否撤回（不是修复，不留痕迹）", "boolean", True, False),
)
ENDING = ("confirm", "supersede", "withdraw")
"""Acts with which our own publication ended, on the day of the decision."""


def body(told: Told, envelope: Envelope) -> dict[str, Any]:
    """The payload of one receiver's copy."""
    confirm_by = told.confirm_by.get(envelope.receiver.code)
    return {
        "notice": envelope.key,
        "receiver": envelope.receiver.code,
        "seq": envelope.seq,
        "act": told.act,
        "decision": told.decision,
        "action": envelope.action,
        "confirm_by": confirm_by.isoformat() if confirm_by else "",
        "subject_name": told.subject_name,
        "uscc": told.subject_code,
        "record": told.record,
        "record_type": RECORD_KINDS.get(told.record_kind, "其他"),
        "record_no": told.record_number,
        "record_organ": told.organ,
        "record_organ_code": told.organ_code,
        "record_date": told.recognised_on.isoformat(),
        "class": told.cls,
        "application_no": told.case,
        "application_date": told.applied_on.isoformat() if told.applied_on else "",
        "accept_organ": told.accepted_by,
        "decision_organ": told.organ,
        "decision_date": told.decided_on.isoformat(),
        "effective_at": told.effective_at.isoformat(),
        "legal_basis": told.basis,
        "reason": told.reason,
        "end_publicity_date": told.decided_on.isoformat() if told.act in ENDING else "",
        "measures_to_lift": list(told.measures),
        "commitment_code": told.commitment_code,
        "document_no": told.document,
        "verify_at": told.verify_at,
        "withdrawn": told.withdrawn,
    }
