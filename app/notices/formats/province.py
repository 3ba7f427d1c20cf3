"""省信用平台上报: the row of the record sent again in its new state, in the envelope of the platform's upload.

After the stored interface document of such a platform (tableCode, departmentCode, tableVersionId, body: an array of
rows; evidence B): a record that is repaired is the same 双公示 row with another state, and a later row replaces an
earlier one. Which table and which version are the platform's to assign: the values here, and the fields XF_*, are
PROPOSED. A row carries our own id, because matching by columns fails where a number is not unique.
"""

from __future__ import annotations

from typing import Any

from app.notices.formats.field import Field
from app.notices.formats.told import RECORD_KINDS, Envelope, Told

TITLE = "省信用平台上报"
FOR = "省信用信息共享平台、“信用中国（湖南）”"
TABLE, VERSION = "XZCF_XF", "2021-PROPOSED"
STATES = {"confirm": "已修复", "supersede": "撤销", "withdraw": "撤销"}
ROW = (
    Field("XXBH", "信息编号（报送单位的），按它替换已报的行", "string", True, "9f2c61d07ab34e58"),
    Field("BBH", "版本，对这个主体递增；只处理比已处理的更大的", "integer", True, 1),
    Field("TZBH", "通知编号，重发时不变，用来去重", "string", True, "case-12-7-lk-credit-hunan"),
    Field("CF_XDR_MC", "行政相对人名称", "string", True, "湖南演示物流有限公司"),
    Field("CF_XDR_LB", "行政相对人类别", "string", True, "法人及非法人组织"),
    Field("CF_XDR_SHXYM", "统一社会信用代码；自然人为空", "string", False, "91430100MA0DEMO0XX"),
    Field("XX_LB", "失信信息类型", "string", True, "行政处罚"),
    Field("CF_WSH", "行政处罚决定书文号", "string", True, "湘交罚〔2026〕12号"),
    Field("CF_JDRQ", "处罚决定日期", "string", True, "2026/05/18"),
    Field("CF_CFJG", "处罚机关", "string", True, "湖南省交通运输厅"),
    Field("DQZT", "当前状态：已修复，或者撤销", "string", True, "已修复"),
    Field("XF_JDRQ", "修复（撤销）决定日期", "string", True, "2026/11/24"),
    Field("XF_JDSWH", "修复决定书文号", "string", False, "湘交信修决〔2026〕3号"),
    Field("XF_YZDZ", "决定书验证地址", "string", False, "https://credit.example/verify/ABCD"),
    Field("XF_CNBM", "信用修复承诺书编码", "string", False, "43000020261117000001"),
    Field("GSJZQ", "公示到这一天为止", "string", True, "2026/11/24"),
    Field("BZ", "备注", "string", False, "同步处理结果"),
)
FIELDS = (
    Field("tableCode", "数据表代码", "string", True, TABLE),
    Field("departmentCode", "报送单位代码", "string", True, "jt-430000"),
    Field("tableVersionId", "数据表版本", "string", True, VERSION),
    Field("body", "数据行，每份通知一行", "rows", True, of=ROW),
)
PARTIES = {"person": "自然人", "sole_trader": "个体工商户"}


def body(told: Told, envelope: Envelope) -> dict[str, Any]:
    """The payload of one notice: an envelope with one row. Days are written YYYY/MM/DD, as in 双公示 files."""
    decided = f"{told.decided_on:%Y/%m/%d}"
    row = {
        "XXBH": told.record,
        "BBH": envelope.seq,
        "TZBH": envelope.key,
        "CF_XDR_MC": told.subject_name,
        "CF_XDR_LB": PARTIES.get(told.subject_kind, "法人及非法人组织"),
        "CF_XDR_SHXYM": told.subject_code,
        "XX_LB": RECORD_KINDS.get(told.record_kind, "其他"),
        "CF_WSH": told.record_number,
        "CF_JDRQ": f"{told.recognised_on:%Y/%m/%d}",
        "CF_CFJG": told.organ,
        "DQZT": STATES.get(told.act, told.decision),
        "XF_JDRQ": decided,
        "XF_JDSWH": told.document,
        "XF_YZDZ": told.verify_at,
        "XF_CNBM": told.commitment_code,
        "GSJZQ": decided,
        "BZ": envelope.action,
    }
    return {"tableCode": TABLE, "departmentCode": told.organ_code, "tableVersionId": VERSION, "body": [row]}
