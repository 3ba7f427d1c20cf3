"""The empty sheet of a directory edition to download: headings, what each column wants, the lists of values."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from app.registry.entries import code_list
from app.registry.fields import DirectoryEntry, Field

MOST_ROWS = 5000
"""Rows below the heading that are prepared as text and with lists to choose from."""
_TYPES = {"C": "文字", "D": "日期，如 2026-03-01", "N": "金额，以万元为单位，1500 元填 0.15"}


def template(entry: DirectoryEntry) -> bytes:
    """The workbook. Every column is text, so that a spreadsheet leaves codes and days as they are typed."""
    import xlsxwriter

    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("数据")
        lists = book.add_worksheet("可填的值")
        formats = {
            "text": book.add_format({"num_format": "@"}),
            "must": book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1, "text_wrap": True}),
            "may": book.add_format({"bg_color": "#F2F2F2", "border": 1, "text_wrap": True}),
        }
        places: dict[str, str] = {}
        for field in entry.fields:
            if field.code_list and field.code_list not in places:
                places[field.code_list] = _list(lists, len(places), field)
        for place, field in enumerate(entry.fields):
            sheet.set_column(place, place, 22, formats["text"])
            sheet.write_string(0, place, field.name, formats["may" if field.required == "N" else "must"])
            sheet.write_comment(0, place, _note(entry, field), {"x_scale": 2, "y_scale": 2})
            if "one-of" in field.rules:
                choice = {"validate": "list", "source": places[field.code_list], "ignore_blank": True}
                sheet.data_validation(1, place, MOST_ROWS, place, choice)
        sheet.freeze_panes(1, 1)
        sheet.set_row(0, 32)
    return file.getvalue()


def _list(lists: Any, place: int, field: Field) -> str:
    """Write the values of a list into a column; the range they stand in."""
    values = code_list(field.code_list).values
    lists.set_column(place, place, 32)
    lists.write_string(0, place, field.name)
    for row, value in enumerate(values, start=1):
        lists.write_string(row, place, value)
    letter = chr(ord("A") + place)
    return f"='可填的值'!${letter}$2:${letter}${len(values) + 1}"


def _note(entry: DirectoryEntry, field: Field) -> str:
    """What a column wants, in a few lines."""
    lines = [f"{field.code}　{_TYPES[field.type]}"]
    condition = field.required_when
    if field.required == "Y":
        lines.append("必须填写")
    elif condition is not None:
        other = entry.by_code[condition.field].name
        words = "、".join(condition.words)
        verb = ("含有" if condition.contained else "是") if condition.when else "不是"
        lines.append(f"{other}{verb}“{words}”时必须填写")
    else:
        lines.append("可以不填")
    if field.max_len:
        lines.append(f"最多 {field.max_len} 个字")
    if field.code_list:
        lines.append("可填：" + "、".join(code_list(field.code_list).values))
        if "some-of" in field.rules:
            lines.append("有几项的，用分号隔开")
    lines.append(f"使用范围：{field.range}")
    return "\n".join(lines)
