"""修复结果交换表: frozen notices as a sheet, for departments that exchange files.

The columns are those of the proposed sheet for repair results, followed by what a receiver needs to act (our request,
its day, the letter). A sheet is a second spelling of payloads in the format `result`; it adds nothing to them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol
from xml.etree import ElementTree

from app.notices.formats import result

FORMAT = "result"
"""The format whose payloads a sheet holds."""
BOM = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula; full-width signs too, in a Chinese one."""
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry, not even escaped."""


class Sent(Protocol):
    """A notice as a row: only its frozen payload is read."""

    @property
    def payload(self) -> Mapping[str, Any]:
        """The payload in the format `result`."""


class Column(NamedTuple):
    """A column: its name in XML, its heading in CSV, and the key of the payload that fills it."""

    name: str
    heading: str
    key: str


COLUMNS = (
    Column("result_id", "修复结果编号", "notice"),
    Column("subject_name", "信用主体名称", "subject_name"),
    Column("uscc", "统一社会信用代码", "uscc"),
    Column("record_id", "信息编号", "record"),
    Column("record_type", "失信信息类型", "record_type"),
    Column("record_no", "决定书文号或认定文号", "record_no"),
    Column("record_organ", "认定单位", "record_organ"),
    Column("record_organ_code", "认定单位代号", "record_organ_code"),
    Column("record_date", "处罚决定日期或列入日期", "record_date"),
    Column("class", "失信分类", "class"),
    Column("application_no", "修复申请编号", "application_no"),
    Column("application_date", "申请日期", "application_date"),
    Column("accept_organ", "受理单位", "accept_organ"),
    Column("decision", "修复结论", "decision"),
    Column("decision_date", "修复决定日期", "decision_date"),
    Column("decision_organ", "修复决定单位", "decision_organ"),
    Column("legal_basis", "修复依据", "legal_basis"),
    Column("end_publicity_date", "终止公示日期", "end_publicity_date"),
    Column("measures_to_lift", "需解除的惩戒措施", "measures_to_lift"),
    Column("commitment_code", "信用修复承诺书编码", "commitment_code"),
    Column("version", "版本", "seq"),
    Column("updated_at", "更新时间", "effective_at"),
    Column("withdrawn", "是否撤回", "withdrawn"),
    Column("action", "请贵单位做什么", "action"),
    Column("confirm_by", "请于这一天以前确认", "confirm_by"),
    Column("reason", "理由", "reason"),
    Column("document_no", "决定书文号", "document_no"),
    Column("verify_at", "决定书验证地址", "verify_at"),
)
assert {column.key for column in COLUMNS} <= {field.name for field in result.FIELDS}


def csv_of(notices: Iterable[Sent]) -> bytes:
    """A CSV sheet: UTF-8 with a byte order mark, headings, one row a notice, CRLF; no cell can act as a formula.

    Several measures stand in one cell, divided by `；`. Raises ValueError for a payload of another format.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.heading for column in COLUMNS])
    for notice in notices:
        writer.writerow([_cell(notice, column) for column in COLUMNS])
    return (BOM + text.getvalue()).encode()


def xml_of(notices: Iterable[Sent]) -> bytes:
    """The same sheet as XML: `repair_results/result`, an element a column; each measure in an element of its own.

    Raises ValueError for a payload of another format.
    """
    rows = list(notices)
    root = ElementTree.Element("repair_results", {"count": str(len(rows))})
    for notice in rows:
        result_element = ElementTree.SubElement(root, "result")
        for column in COLUMNS:
            value, element = _value(notice, column), ElementTree.SubElement(result_element, column.name)
            if isinstance(value, list):
                for one in value:
                    ElementTree.SubElement(element, "measure").text = _xml_text(str(one))
            else:
                element.text = _xml_text(str(value).lower() if isinstance(value, bool) else str(value))
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="utf-8") + b"\n"


def _value(notice: Sent, column: Column) -> Any:
    try:
        return notice.payload[column.key]
    except KeyError:
        raise ValueError(f"a sheet holds payloads of the format result; {column.key!r} is missing") from None


def _cell(notice: Sent, column: Column) -> str:
    value = _value(notice, column)
    if isinstance(value, bool):
        return "是" if value else "否"
    text = "；".join(str(one) for one in value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _xml_text(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)
