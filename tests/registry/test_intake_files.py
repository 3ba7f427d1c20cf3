"""Files that are none, that are damaged or made to do harm; workbooks; the command; sheets that go back."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from python_calamine import CalamineWorkbook

from app.db import transaction
from app.files import find
from app.now import now
from app.registry.directory import entries
from app.registry.intake.examine import examine
from app.registry.intake.heading import find_heading
from app.registry.intake.result import defused, write_result
from app.registry.intake.rows_of_batch import set_aside
from app.registry.intake.template import template
from app.registry.intake.text_file import LONGEST_LINE
from app.registry.intake.trouble import Unreadable
from tests.cast import Cast
from tests.registry.sheets import a_penalty, batch_of, csv_bytes, lines_of, names_of, records, said, take_in, xlsx_file
from workflows.calendar import legal_day


@pytest.fixture
def database() -> str:
    """A file is read before any database."""
    return "sqlite"


def refused(tmp_path: Path, data: bytes) -> str:
    """The sentence with which a file is refused."""
    path = tmp_path / "报送.csv"
    path.write_bytes(data)
    with pytest.raises(Unreadable) as caught:
        examine(path, legal_day(now()))
    return str(caught.value.sentence)


def a_zip(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return file.getvalue()


def with_part(book: bytes, name: str, data: bytes) -> bytes:
    """A workbook in which one part is another."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return a_zip({info.filename: archive.read(info) for info in archive.infolist()} | {name: data})


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "文件是空的"),
        (b" \r\n\r\n  ", "文件是空的"),
        (b"%PDF-1.7 ...", "不是表格文件"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "不是表格文件"),
        (b"\x7fELF" + bytes(range(256)) * 20, "不是文本表格"),
        (b"<html><table><tr><td>1</td></tr></table>", "网页格式"),
        (b'{"CF_WSH": "1"}', "JSON"),
        ("姓名,电话\r\n张三,1\r\n".encode(), "没有找到表头"),
        (b"PK\x03\x04" + b"x" * 100, "已经损坏"),
        (a_zip({"a.txt": b"x"}), "压缩文件"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "加了密码或者已经损坏"),
        (("名称" * 400_000 + "," * 400_000).encode(), "第 1 行超过一百万字"),
    ],
)
def test_what_is_no_sheet_is_refused_in_a_sentence(app: Flask, tmp_path: Path, data: bytes, sentence: str) -> None:
    assert sentence in refused(tmp_path, data)


def test_a_heading_that_contradicts_itself_or_lacks_the_indispensable_is_refused(cast: Cast, tmp_path: Path) -> None:
    row = a_penalty(cast)
    assert "“行政处罚决定书文号”" in refused(tmp_path, csv_bytes([row | {"处罚文号": "湘交罚〔2026〕9号"}]))
    del row["CF_JDRQ"]
    assert "没有“处罚决定日期”这一列" in refused(tmp_path, csv_bytes([row]))
    assert "没有一行数据" in refused(tmp_path, csv_bytes([a_penalty(cast)]).splitlines()[0])


def test_text_that_is_silently_broken_is_refused_with_its_line(cast: Cast, tmp_path: Path) -> None:
    lines = csv_bytes([a_penalty(cast, n) for n in range(1, 30)], encoding="gb18030").split(b"\r\n")
    lines[20] = lines[20][:40] + b"\xff\xff" + lines[20][40:]
    assert "文字编码已经损坏（第 21 行附近）" in refused(tmp_path, b"\r\n".join(lines))
    batch = take_in(
        cast.offices["province"],
        csv_bytes([a_penalty(cast, 1, CF_SY="锟斤拷锟斤拷超限"), a_penalty(cast, 2, CF_SY="超�限运输公路上")]),
    )
    assert [line.verdict for line in lines_of(batch).values()] == ["waiting", "waiting"]
    assert "乱码" in said(lines_of(batch)[1]) and "乱码" in said(lines_of(batch)[2])


def test_a_lost_quote_and_a_huge_cell_are_told_before_anything_is_written(cast: Cast, tmp_path: Path) -> None:
    for count in (20, 900):
        data = csv_bytes([a_penalty(cast, n) for n in range(1, count)])
        data = data.replace("湘交罚〔2026〕3号".encode(), '"湘交罚〔2026〕3号'.encode())
        assert "少了一个引号" in refused(tmp_path, data)
    huge = csv_bytes([a_penalty(cast, 1, CF_SY="超限" * 80_000)])
    assert "13 万字" in refused(tmp_path, huge)
    assert LONGEST_LINE > 131_072


def test_a_zip_bomb_is_not_opened(app: Flask, cast: Cast, tmp_path: Path) -> None:
    book = xlsx_file(tmp_path / "a.xlsx", [a_penalty(cast)]).read_bytes()
    bomb = with_part(book, "xl/sharedStrings.xml", b"<sst><si><t>" + b" " * (200 << 20) + b"</t></si></sst>")
    assert "与它的大小不相称" in refused(tmp_path, bomb)
    laughs = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>'
    assert "已经损坏" in refused(tmp_path, with_part(book, "xl/sharedStrings.xml", laughs))
    cut = with_part(book, "xl/worksheets/sheet2.xml", b"<worksheet><sheetData><row r='1'><c r='A1'><v>1</v>")
    assert "已经损坏" in refused(tmp_path, cut)
    outside = with_part(book, "xl/sharedStrings.xml", b"<sst></sst>")
    assert "已经损坏" in refused(tmp_path, outside)


def test_a_workbook_is_read_from_the_sheet_that_has_the_heading(cast: Cast, tmp_path: Path) -> None:
    batch = take_in(
        cast.offices["province"], xlsx_file(tmp_path / "a.xlsx", [a_penalty(cast, n) for n in (1, 2)], above=2)
    )
    assert batch_of(batch).tallies == {"in": 2}
    assert (batch_of(batch).encoding, batch_of(batch).heading["line"]) == ("Excel", 3)


def test_days_and_numbers_of_a_workbook_are_what_a_person_saw(cast: Cast, tmp_path: Path) -> None:
    row = a_penalty(cast, 1, CF_CFLB="罚款", CF_NR="罚款1500元", CF_NR_FK="", CF_NR_ZKDX="")
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        day = book.add_format({"num_format": "yyyy/m/d"})
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, names_of(row))
        for number in range(1, 4):
            sheet.write_row(number, 0, list((row | {"CF_WSH": f"湘交罚〔2026〕{number}号"}).values()))
            sheet.write_number(number, list(row).index("CF_JDRQ"), 46160, day if number < 3 else None)
            sheet.write_number(number, list(row).index("CF_NR_FK"), 0.15)
        sheet.write_number(2, list(row).index("CF_XDR_SHXYM"), 911000010000396215)
    batch = take_in(cast.offices["province"], path)
    lines = lines_of(batch)
    assert records()[0].fields["CF_JDRQ"] == "2026-05-18" and records()[0].fields["CF_NR_FK"] == "0.15"
    assert "科学计数法" in said(lines[2]) and lines[2].verdict == "waiting"
    assert "日期序号" in said(lines[3]) and lines[3].verdict == "warned"


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('="湘交罚〔2026〕7号"', "湘交罚〔2026〕7号"),
        ("'湘交罚〔2026〕7号", "湘交罚〔2026〕7号"),
        ("\t湘交罚〔2026〕7号", "湘交罚〔2026〕7号"),
    ],
)
def test_signs_that_keep_a_number_a_text_are_taken_off(cast: Cast, cell: str, value: str) -> None:
    take_in(cast.offices["province"], csv_bytes([a_penalty(cast, CF_WSH=cell)]))
    assert records()[0].number == value


@pytest.mark.parametrize(
    ("field", "cell", "reason"),
    [
        ("CF_XDR_ZZJG", "6123458", "开头的 0 可能被表格软件去掉了"),
        ("CF_XDR_GSZC", "4.301E+14", "科学计数法"),
        ("CF_XDR_SHXYM", "9.14301E+17", "科学计数法"),
    ],
)
def test_what_a_spreadsheet_has_damaged_waits_and_is_not_guessed(
    cast: Cast, field: str, cell: str, reason: str
) -> None:
    batch = take_in(cast.offices["province"], csv_bytes([a_penalty(cast, **{field: cell})]))
    assert lines_of(batch)[1].verdict == "waiting" and reason in said(lines_of(batch)[1])


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.code)
def test_the_template_of_a_kind_is_a_sheet_of_that_kind(app: Flask, tmp_path: Path, entry: Any) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(template(entry))
    heading = find_heading(path, legal_day(now()))
    assert heading.directory == f"{entry.code}/{entry.edition}"
    assert [column.field for column in heading.columns] == [field.code for field in entry.fields]
    assert heading.missing == [] and heading.strangers == []


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_sheet_that_goes_back_says_what_became_of_each_row_and_carries_no_formula(
    cast: Cast, app: Flask, tmp_path: Path, kind: str
) -> None:
    rows = [
        a_penalty(cast, 1),
        a_penalty(cast, 2, CF_SY="", BZ='=HYPERLINK("http://x","y")'),
        a_penalty(cast, 1),
        a_penalty(cast, 3, CF_JDRQ="2026-02-30", BZ="＋1"),
    ]
    batch = take_in(cast.offices["province"], csv_bytes(rows))
    he = cast.who("he")
    with transaction():
        set_aside(batch, 4, "sent_back", "请核对日期", he, now())
    row = batch_of(batch)
    source = find(app.config["INSTANCE"] / "uploads", row.file)
    for only_open, expected in ((False, ["已写入", "待处理", "重复", "已退回"]), (True, ["待处理", "已退回"])):
        path = write_result(row, source, tmp_path / f"结果.{kind}", only_open=only_open)
        if kind == "csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                sheet = list(csv.reader(file))
        else:
            sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        assert sheet[0][-1] == "处理结果" and sheet[0][0] == "行政相对人名称"
        assert [line[-1][: len(word)] for line, word in zip(sheet[1:], expected, strict=True)] == expected
        assert "请核对日期" in sheet[-1][-1]
        if kind == "csv":
            assert not [cell for line in sheet for cell in line if cell[:1] in ("=", "＋")]


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠A"])
def test_what_a_spreadsheet_would_calculate_is_told_to_be_text(cell: str) -> None:
    assert defused(cell) == f"'{cell}"
    assert defused("-0.15") == "-0.15" and defused("湘交罚") == "湘交罚"


def test_the_command_takes_files_in_and_says_what_became_of_them(app: Flask, cast: Cast, tmp_path: Path) -> None:
    good, bad = tmp_path / "一.csv", tmp_path / "二.csv"
    good.write_bytes(csv_bytes([a_penalty(cast, 1), a_penalty(cast, 2, CF_SY="")], encoding="gb18030"))
    bad.write_bytes(b"%PDF-1.7")
    command = app.test_cli_runner()
    looked = command.invoke(args=["import", str(good), "--office", "jt-430000", "--dry-run"])
    assert looked.exit_code == 0 and "待处理" in looked.output and records() == []
    done = command.invoke(args=["import", str(good), "--office", "jt-430000"])
    assert done.exit_code == 0, done.output
    assert "行政处罚信息，CSV GB18030，表头在第 1 行，共 2 行" in done.output
    assert "已写入 1，待处理 1" in done.output and len(records()) == 1
    both = command.invoke(args=["import", str(bad), str(good)])
    assert both.exit_code == 1 and "不能办理：这不是表格文件" in both.output and "重复，未写入 1" in both.output
    for arguments, sentence in (
        (["--office", "nowhere"], "没有编码为 nowhere 的单位"),
        (["--kind", "X"], "没有目录 X"),
    ):
        answer = command.invoke(args=["import", str(good), *arguments])
        assert answer.exit_code == 1 and sentence in answer.output
