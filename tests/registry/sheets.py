"""Sheets as offices send them, for the tests of the intake, and the shortest way through it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from flask import current_app
from sqlalchemy import select

from app.db import db, transaction
from app.duty.intake import run
from app.files import keep_file
from app.journal import SYSTEM
from app.models import Batch, BatchRow, CreditRecord
from app.now import now
from app.registry.codes import complete_code
from app.registry.directory import entry_for
from app.registry.intake.batch import make_batch, start
from app.registry.intake.examine import examine
from tests.cast import Cast
from workflows.calendar import legal_day

Row = Mapping[str, Any]


def firm(serial: int) -> str:
    """The code of an invented company."""
    return complete_code(f"91430100JN{serial:06d}")


def a_penalty(cast: Cast, serial: int = 1, **changes: Any) -> dict[str, Any]:
    """A clean row of a penalty by field codes; `serial` makes number, company and code different."""
    return {
        "CF_XDR_MC": f"湖南岳衡第{serial}物流有限公司",
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": firm(serial),
        "CF_FRDB": "罗建平",
        "CF_WSH": f"湘交罚〔2026〕{serial}号",
        "CF_WFXW": "超限运输",
        "CF_SY": "擅自超限行驶公路",
        "CF_YJ": "《公路安全保护条例》第六十四条",
        "CF_CFLB": "吊销许可证件",
        "CF_NR": "吊销道路运输经营许可证",
        "CF_NR_ZKDX": "道路运输经营许可证 430100000001",
        "CF_JDRQ": "2026-05-18",
        "CF_YXQ": "2099/12/31",
        "CF_CFJG": "湖南省交通运输厅",
        "CF_CFJGDM": cast.codes["office"],
        "CF_SJLY": "湖南省交通运输厅",
        "CF_SJLYDM": cast.codes["office"],
        **changes,
    }


def a_permit(cast: Cast, serial: int = 1, **changes: Any) -> dict[str, Any]:
    """A clean row of a permit."""
    return {
        "XK_XDR_MC": f"湖南岳衡第{serial}物流有限公司",
        "XK_XDR_LB": "法人及非法人组织",
        "XK_XDR_SHXYM": firm(serial),
        "XK_FRDB": "罗建平",
        "XK_XKWS": "道路运输经营许可证",
        "XK_WSH": f"湘交许〔2026〕{serial}号",
        "XK_XKLB": "普通",
        "XK_NR": "道路普通货物运输",
        "XK_JDRQ": "2026-03-02",
        "XK_YXQZ": "2026-03-02",
        "XK_YXQZI": "2030-03-01",
        "XK_XKJG": "湖南省交通运输厅",
        "XK_XKJGDM": cast.codes["office"],
        "XK_ZT": "有效",
        "XK_LYDW": "湖南省交通运输厅",
        "XK_LYDWDM": cast.codes["office"],
        **changes,
    }


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Every key of the rows, in the order in which they appear."""
    return list(dict.fromkeys(key for row in rows for key in row))


def names_of(columns: Iterable[str]) -> list[str]:
    """The Chinese names of field codes; what is no code stays."""
    known = {
        code: field.name
        for entry in ("XZCF", "XZXK")
        for code, field in entry_for(entry, legal_day(now())).by_code.items()
    }
    return [known.get(column, column) for column in columns]


def csv_bytes(
    rows: Sequence[Row], *, encoding: str = "utf-8", delimiter: str = ",", above: Sequence[Sequence[str]] = (),
    below: Sequence[Sequence[str]] = (), names: bool = True,
) -> bytes:  # fmt: skip
    """A CSV with these rows; `above` and `below` stand around the table."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    columns = columns_of(rows)
    writer.writerows(above)
    writer.writerow(names_of(columns) if names else columns)
    writer.writerows([[row.get(column, "") for column in columns] for row in rows])
    writer.writerows(below)
    return text.getvalue().encode(encoding)


def xlsx_file(path: Path, rows: Sequence[Row], *, above: int = 0) -> Path:
    """A workbook with these rows on its second sheet; numbers are numbers."""
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("填表说明").write(0, 0, "请勿改动表头")
    sheet = book.add_worksheet("数据")
    columns = columns_of(rows)
    sheet.write_row(above, 0, names_of(columns))
    for number, row in enumerate(rows, start=above + 1):
        sheet.write_row(number, 0, [row.get(column, "") for column in columns])
    book.close()
    return path


def preview(office: int, data: bytes | Path, *, name: str = "报送.csv", code: str = "") -> int:
    """Hand a file in, as far as the preview; the batch's id."""
    if isinstance(data, Path):
        data = data.read_bytes()
    uploads = Path(current_app.config["INSTANCE"]) / "uploads"
    file, size = keep_file(uploads, io.BytesIO(data))
    examined = examine(uploads / file[:2] / file, legal_day(now()), code)
    with transaction():
        return make_batch(examined, file, name, size, office, SYSTEM, now())


def take_in(office: int, data: bytes | Path, *, code: str = "") -> int:
    """Hand a file in and run it to its end; the batch's id."""
    batch_id = preview(office, data, code=code)
    with transaction():
        start(batch_id, SYSTEM, now())
    assert run(batch_id)
    return batch_id


def batch_of(batch_id: int) -> Batch:
    """A batch as it stands."""
    return _read(select(Batch).where(Batch.id == batch_id))[0]


def lines_of(batch_id: int) -> dict[int, BatchRow]:
    """What a batch keeps of its rows, by their number."""
    return {line.row: line for line in _read(select(BatchRow).where(BatchRow.batch_id == batch_id))}


def said(line: BatchRow) -> str:
    """All reasons of a row in one text."""
    return "；".join(text for _field, text in line.reasons)


def records() -> list[CreditRecord]:
    """Every record, oldest first."""
    return _read(select(CreditRecord).order_by(CreditRecord.id))


def _read(query: Any) -> list[Any]:
    db.session.rollback()
    found = list(db.session.execute(query).scalars())
    db.session.expunge_all()
    db.session.rollback()
    return found
