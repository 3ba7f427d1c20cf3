"""What receivers read: sheets and payloads that say the same thing, in each receiver's own spelling."""

from __future__ import annotations

import csv
import io
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from app.notices.formats import FORMATS, result, sheet
from app.notices.formats.field import sample_of


def sent(**changed: Any) -> SimpleNamespace:
    """A frozen notice of the sample, changed here and there."""
    return SimpleNamespace(payload={**sample_of(result.FIELDS), **changed})


def cells(notices: list[Any]) -> list[dict[str, str]]:
    """A CSV sheet as a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO(sheet.csv_of(notices).decode("utf-8-sig"), newline="")))


def test_a_sheet_in_csv_opens_in_a_spreadsheet_with_chinese_headings_and_one_row_a_notice() -> None:
    raw = sheet.csv_of([sent(), sent(notice="case-9-7-lk-market")])
    assert raw.startswith(b"\xef\xbb\xbf") and raw.count(b"\r\n") == 3
    first, second = cells([sent(), sent(notice="case-9-7-lk-market")])
    assert list(first) == [column.heading for column in sheet.COLUMNS]
    assert first["修复结论"] == "准予修复" and first["是否撤回"] == "否" and first["版本"] == "1"
    assert first["需解除的惩戒措施"] == "省公共资源交易中心：限制投标"
    assert second["修复结果编号"] == "case-9-7-lk-market"


def test_the_sheet_has_every_column_of_the_proposed_one_that_the_sender_fills() -> None:
    names = {column.name for column in sheet.COLUMNS}
    assert names >= {
        "result_id", "subject_name", "uscc", "record_type", "record_no", "record_organ", "record_date", "class",
        "application_no", "application_date", "accept_organ", "decision", "decision_date", "decision_organ",
        "legal_basis", "end_publicity_date", "measures_to_lift", "commitment_code", "version", "updated_at",
        "withdrawn",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_no_cell_of_a_sheet_can_act_as_a_formula(name: str) -> None:
    (row,) = cells([sent(subject_name=name, measures_to_lift=[name, "限制投标"])])
    assert row["信用主体名称"] == f"'{name}"
    assert row["需解除的惩戒措施"].startswith("'")


def test_a_sheet_in_xml_is_well_formed_whatever_the_company_is_called() -> None:
    hostile = "</result><!-- & ]]> \x00\x0b\ufffe\ud800 “演示”"
    root = ElementTree.fromstring(sheet.xml_of([sent(subject_name=hostile, measures_to_lift=["甲<乙", "丙&丁"])]))
    assert (root.tag, root.attrib, len(root)) == ("repair_results", {"count": "1"}, 1)
    (row,) = root
    assert [element.tag for element in row] == [column.name for column in sheet.COLUMNS]
    assert row.findtext("subject_name") == "</result><!-- & ]]> \ufffd\ufffd\ufffd\ufffd “演示”"
    assert [one.text for one in row.findall("measures_to_lift/measure")] == ["甲<乙", "丙&丁"]
    assert row.findtext("withdrawn") == "false" and row.findtext("version") == "1"


def test_an_empty_sheet_still_has_its_headings() -> None:
    assert cells([]) == [] and sheet.csv_of([]).decode("utf-8-sig").startswith("修复结果编号,")
    assert ElementTree.fromstring(sheet.xml_of([])).attrib == {"count": "0"}


@pytest.mark.parametrize("spell", [sheet.csv_of, sheet.xml_of])
def test_a_payload_of_another_format_is_not_put_on_a_sheet(spell: Any) -> None:
    with pytest.raises(ValueError, match="format result"):
        spell([SimpleNamespace(payload={"tableCode": "1"})])


def test_result_is_among_the_formats() -> None:
    assert FORMATS["result"] is result
