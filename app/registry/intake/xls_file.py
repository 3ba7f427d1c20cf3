"""An old .xls workbook; it has at most 65,536 rows, so that it may be read whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.registry.intake.cell_text import any_text
from app.registry.intake.trouble import Unreadable

LARGEST = 32 << 20
"""Bytes of the largest .xls that is opened."""


def sheet_names(path: Path) -> list[str]:
    """The sheets that are visible. Raises Unreadable."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    if path.stat().st_size > LARGEST:
        raise Unreadable("旧式 .xls 文件超过 {size} MB；请另存为 .xlsx 或者 CSV 后上传", size=LARGEST >> 20)
    try:
        with CalamineWorkbook.from_path(str(path)) as workbook:
            return [
                sheet.name
                for sheet in workbook.sheets_metadata
                if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
            ]
    except PasswordError:
        raise Unreadable("文件加了密码；请去掉密码后上传") from None
    except (CalamineError, OSError):
        raise Unreadable("这个 Excel 文件加了密码或者已经损坏，打不开；请用表格软件重新保存为 .xlsx 后上传") from None


def rows(path: Path, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a sheet with the number a spreadsheet shows in front of them."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(str(path)) as workbook:
            found = workbook.get_sheet_by_name(sheet)
            for number, cells in enumerate(found.iter_rows(), start=1):
                texts = [any_text(cell) for cell in cells]
                if any(texts):
                    yield number, texts
    except (CalamineError, OSError):
        raise Unreadable("这个 Excel 文件已经损坏，打不开；请用表格软件重新保存为 .xlsx 后上传") from None
