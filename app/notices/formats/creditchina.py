"""办理情况反馈: the payload for 信用中国, under the number the application has there.

No public field table exists (REP-4, REP-6, REP-8): what it needs to tell the applicant, to stop publishing and to offer
the decision for download, in words of our own, PROPOSED. One format for the result and for what comes before it: taken
up, something missing (what, until when), put off, given up, withdrawn.
"""

from __future__ import annotations

from typing import Any

from app.notices.formats.field import Field
from app.notices.formats.result import ENDING
from app.notices.formats.told import RECORD_KINDS, Envelope, Told

TITLE = "信用中国办理情况反馈"
FOR = "“信用中国”网站"
FIELDS = (
    Field("notice", "通知编号，重发时不变，用来去重", "string", True, "case-12-4-lk-credit-china"),
    Field("seq", "对这个主体的第几份通知，从 1 起不间断；只处理比已处理的更大的", "integer", True, 2),
    Field("platform_no", "申请在信用中国的编号；不是从信用中国来的为空", "string", False, "XYZG-2026-000017"),
    Field("application_no", "本单位的办件编号；没有办件的为空", "string", False, "XF-7K2M9QXA"),
    Field("act", "办理情况代号", "string", True, "correct"),
    Field("result", "办理情况", "string", True, "需要补正"),
    Field("action", "请做什么", "string", True, "告知申请人"),
    Field("items", "需要补正的内容，一次列明", "strings", True, ["履行证明：缴款票据看不清，重新拍照上传"]),
    Field("until", "补正到这一天为止，或者延期到这一天", "date", False, "2026-12-08"),
    Field("reason", "理由", "string", False, ""),
    Field("confirm_by", "请于这一天以前确认已经停止公示", "date", False, ""),
    Field("subject_name", "信用主体名称", "string", True, "湖南演示物流有限公司"),
    Field("uscc", "统一社会信用代码；自然人为空", "string", False, "91430100MA0DEMO0XX"),
    Field("record_type", "失信信息类型", "string", True, "行政处罚"),
    Field("record_no", "行政处罚决定书文号或者认定文号", "string", True, "湘交罚〔2026〕12号"),
    Field("record_organ", "认定单位", "string", True, "湖南省交通运输厅"),
    Field("record_date", "处罚决定日期或者列入日期", "date", True, "2026-05-18"),
    Field("done_on", "办理日期", "date", True, "2026-11-24"),
    Field("legal_basis", "依据", "string", True, "《中华人民共和国行政许可法》第三十二条"),
    Field("end_publicity_date", "终止公示日期；公示继续的为空", "date", False, ""),
    Field("commitment_code", "信用修复承诺书编码", "string", False, "43000020261117000001"),
    Field("document_no", "文书文号", "string", False, "湘交信修补〔2026〕3号"),
    Field("verify_at", "文书的验证和下载地址", "string", False, "https://credit.example/verify/ABCD"),
    Field("withdrawn", "信息是否撤回（不是修复，不留痕迹）", "boolean", True, False),
)


def body(told: Told, envelope: Envelope) -> dict[str, Any]:
    """The payload of one notice."""
    confirm_by = told.confirm_by.get(envelope.receiver.code)
    return {
        "notice": envelope.key,
        "seq": envelope.seq,
        "platform_no": told.other_number if told.channel == "creditchina" else "",
        "application_no": told.case,
        "act": told.act,
        "result": told.decision,
        "action": envelope.action,
        "items": list(told.items),
        "until": told.until.isoformat() if told.until else "",
        "reason": told.reason,
        "confirm_by": confirm_by.isoformat() if confirm_by else "",
        "subject_name": told.subject_name,
        "uscc": told.subject_code,
        "record_type": RECORD_KINDS.get(told.record_kind, "其他"),
        "record_no": told.record_number,
        "record_organ": told.organ,
        "record_date": told.recognised_on.isoformat(),
        "done_on": told.decided_on.isoformat(),
        "legal_basis": told.basis,
        "end_publicity_date": told.decided_on.isoformat() if told.act in ENDING else "",
        "commitment_code": told.commitment_code,
        "document_no": told.document,
        "verify_at": told.verify_at,
        "withdrawn": told.withdrawn,
    }
