"""部省交换: a repaired or withdrawn record for the ministry, in the manner of 部省交通运输信用信息交换指标.

Known is the manner: one indicator (table) a kind of information, every row with a guid of its own (evidence B, tables
25411 to 25423 of the 2018 edition). No indicator for repair results was seen: its code, the names of the row's fields
and the action word are PROPOSED, our own design until the ministry assigns them.
"""

from __future__ import annotations

import uuid
from typing import Any

from app.notices.formats.field import Field
from app.notices.formats.province import PARTIES
from app.notices.formats.told import RECORD_KINDS, Envelope, Told

TITLE = "部省信用信息交换"
FOR = "交通运输部“信用交通”平台"
INDICATOR, EDITION = "XYXF-PROPOSED", "2018"
PROVINCE = "430000"
SPACE = uuid.UUID("6f0d1d5e-6a0f-5d2b-9a54-2c1f6f0b8f11")
"""Under which a notice's key becomes its guid: the same for every attempt, another for every notice."""
ROW = (
    Field("record_id", "信息编号（省内）", "string", True, "9f2c61d07ab34e58"),
    Field("party_name", "信用主体名称", "string", True, "湖南演示物流有限公司"),
    Field("party_kind", "信用主体类别", "string", True, "法人及非法人组织"),
    Field("uscc", "统一社会信用代码；自然人为空", "string", False, "91430100MA0DEMO0XX"),
    Field("trade", "所属领域", "string", False, "道路货运"),
    Field("record_kind", "失信信息类型", "string", True, "行政处罚"),
    Field("record_no", "行政处罚决定书文号或者认定文号", "string", True, "湘交罚〔2026〕12号"),
    Field("record_date", "处罚决定日期或者列入日期", "date", True, "2026-05-18"),
    Field("record_organ", "认定单位", "string", True, "湖南省交通运输厅"),
    Field("record_class", "失信分类", "string", False, "一般"),
    Field("outcome", "处理结果", "string", True, "准予修复"),
    Field("outcome_date", "处理日期", "date", True, "2026-11-24"),
    Field("document_no", "决定书文号", "string", False, "湘交信修决〔2026〕3号"),
    Field("measures", "已知需解除的惩戒措施", "strings", True, ["省公共资源交易中心：限制投标"]),
)
FIELDS = (
    Field("guid", "全局编号，重发时不变，用来去重", "string", True, "0e4bb1f0-30a5-5f35-8b6c-3c8f5f6d9e21"),
    Field("notice", "省内通知编号", "string", True, "case-12-7-lk-mot"),
    Field("indicator", "交换指标代码", "string", True, INDICATOR),
    Field("edition", "交换指标版本", "string", True, EDITION),
    Field("province", "省级行政区划代码", "string", True, PROVINCE),
    Field("version", "版本，对这个主体递增；只处理比已处理的更大的", "integer", True, 1),
    Field("action", "处理方式：更新，或者撤回", "string", True, "update"),
    Field("sent_for", "报送单位", "string", True, "湖南省交通运输厅"),
    Field("effective_at", "生效时刻（UTC）", "instant", True, "2026-11-24T02:00:00+00:00"),
    Field("row", "数据行", "row", True, of=ROW),
)


def body(told: Told, envelope: Envelope) -> dict[str, Any]:
    """The payload of one notice."""
    return {
        "guid": str(uuid.uuid5(SPACE, envelope.key)),
        "notice": envelope.key,
        "indicator": INDICATOR,
        "edition": EDITION,
        "province": PROVINCE,
        "version": envelope.seq,
        "action": "withdraw" if told.withdrawn else "update",
        "sent_for": told.organ,
        "effective_at": told.effective_at.isoformat(),
        "row": {
            "record_id": told.record,
            "party_name": told.subject_name,
            "party_kind": PARTIES.get(told.subject_kind, "法人及非法人组织"),
            "uscc": told.subject_code,
            "trade": told.topic.trade,
            "record_kind": RECORD_KINDS.get(told.record_kind, "其他"),
            "record_no": told.record_number,
            "record_date": told.recognised_on.isoformat(),
            "record_organ": told.organ,
            "record_class": told.cls,
            "outcome": told.decision,
            "outcome_date": told.decided_on.isoformat(),
            "document_no": told.document,
            "measures": list(told.measures),
        },
    }
