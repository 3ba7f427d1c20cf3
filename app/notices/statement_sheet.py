"""The lines of a statement as a sheet: ours to download, theirs to read.

Ours is CSV (frozen, its SHA-256 is on the statement) or the same as JSON. Theirs may be ours with the columns
`办理状态` and `办理次序` added, a sheet of their own with the same headings, or JSON; nobody who sends one is trusted.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from app.models.sharing import RECEIPTS
from app.notices.compare import SAID, Line, Their
from app.notices.formats.sheet import BOM, FORMULA
from app.notices.formats.told import DECISIONS
from workflows.calendar import SHANGHAI

NOTICE, BODY, SAYS, PLACE = "通知编号", "正文指纹", "办理状态", "办理次序"
OURS = (
    NOTICE, BODY, "主体", "序号", "事项代号", "事项", "写好时刻", "送达", "送达时刻", "回执", "回执时刻", "要求确认",
    "确认期限",
)  # fmt: skip
STATES = {"waiting": "待送达", "delivered": "已送达", "dead": "送达失败", "skipped": "已跳过"}
KEYS = {NOTICE: "notice", BODY: "body", SAYS: "state", PLACE: "order"}
"""What the same column is called in JSON."""
WORDS = {"received": "已收到", **RECEIPTS}
MOST_LINES = 200_000
LONGEST = 200
SHA256 = 64


class BadSheet(ValueError):
    """The sheet cannot be read; `template` and `values` make a Chinese sentence that says where and why."""

    def __init__(self, template: str, **values: object) -> None:
        self.template, self.values = template, values
        super().__init__(template.format(**values))


def csv_of(lines: Iterable[Line]) -> bytes:
    """Our lines as CSV: UTF-8 with a byte order mark, CRLF, instants of Shanghai; no cell can act as a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(OURS)
    for line in lines:
        cells = (
            line.notice, line.body, line.subject, str(line.seq), line.act, DECISIONS.get(line.act, line.act),
            _iso(line.written_at), STATES[line.state], _iso(line.delivered_at), RECEIPTS.get(line.receipt, ""),
            _iso(line.receipt_at), "是" if line.asked else "否", _iso(line.confirm_by),
        )  # fmt: skip
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return (BOM + text.getvalue()).encode()


def lines_in(sheet: bytes) -> list[Line]:
    """The lines of a sheet that `csv_of` has made."""
    states, receipts = ({words: code for code, words in known.items()} for known in (STATES, RECEIPTS))
    rows = csv.reader(io.StringIO(sheet.decode("utf-8-sig"), newline=""))
    next(rows)
    return [
        Line(
            notice=notice, body=body, subject=subject.removeprefix("'"), seq=int(seq), act=act,
            written_at=datetime.fromisoformat(written).astimezone(UTC), state=states[state],
            delivered_at=_instant(delivered), receipt=receipts.get(receipt, ""), receipt_at=_instant(received),
            asked=asked == "是", confirm_by=date.fromisoformat(by) if by else None,
        )
        for notice, body, subject, seq, act, _words, written, state, delivered, receipt, received, asked, by in rows
    ]  # fmt: skip


def plain(line: Line) -> dict[str, Any]:
    """A line for JSON, under the keys of the interface."""
    return {
        "notice": line.notice,
        "body": line.body,
        "subject": line.subject,
        "seq": line.seq,
        "act": line.act,
        "written_at": _iso(line.written_at),
        "state": line.state,
        "delivered_at": _iso(line.delivered_at),
        "receipt": line.receipt,
        "receipt_at": _iso(line.receipt_at),
        "asked": line.asked,
        "confirm_by": _iso(line.confirm_by),
    }


def theirs_in(data: bytes) -> list[Their]:
    """The lines of a receiver's sheet, CSV (UTF-8 or GB 18030) or JSON. Raises BadSheet, with the line where it can."""
    text = _text(data)
    rows = _from_json(text) if text.lstrip()[:1] in ("{", "[") else _from_csv(text)
    return read_theirs(rows)


def read_theirs(rows: Sequence[Mapping[str, Any]]) -> list[Their]:
    """Rows with the keys notice, body, state and order as lines of a receiver's book. Raises BadSheet."""
    if len(rows) > MOST_LINES:
        raise BadSheet("一次最多 {most} 行，请分成几个期间核对。", most=MOST_LINES)
    found: dict[str, Their] = {}
    for number, row in enumerate(rows, start=1):
        their = _their(row, number)
        if their.notice in found:
            raise BadSheet("第 {n} 行：通知 {notice} 前面已经有了。一份通知只写一行。", n=number, notice=their.notice)
        found[their.notice] = their
    return list(found.values())


def _their(row: Mapping[str, Any], number: int) -> Their:
    notice, body, said, place = (_cell(row.get(key)) for key in KEYS.values())
    if not notice or len(notice) > LONGEST or not notice.isprintable():
        raise BadSheet("第 {n} 行：没有通知编号，或者长得不像通知编号。", n=number)
    body = body.lower()
    if len(body) != SHA256 or not set(body) <= set("0123456789abcdef"):
        raise BadSheet("第 {n} 行：正文指纹应当是收到的正文的 SHA-256，64 个十六进制字符。", n=number)
    code = next((code for code, words in WORDS.items() if said in (code, words)), "")
    if said and code not in SAID:
        known = "、".join(WORDS.values())
        shown = "".join(c for c in said[:20] if c.isprintable())
        raise BadSheet("第 {n} 行：办理状态“{said}”不认识，可以写：{known}。", n=number, said=shown, known=known)
    if place and not (place.isascii() and place.isdigit() and len(place) <= 12):
        raise BadSheet("第 {n} 行：办理次序应当是从小到大的整数。", n=number)
    return Their(notice, body, code, int(place) if place else None)


def _cell(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).strip().removeprefix("'")


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadSheet("文件读不出文字。请用 CSV（UTF-8 或者 GB 18030 编码）或者 JSON。")


def _from_csv(text: str) -> list[Mapping[str, Any]]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        raise BadSheet("表格读不下去，多半是引号没有成对。") from None
    heading = [cell.strip() for cell in rows[0]] if rows else []
    missing = [name for name in (NOTICE, BODY) if name not in heading]
    if missing:
        raise BadSheet("第一行应当是列名，缺少：{missing}。", missing="、".join(missing))
    places = {KEYS[name]: heading.index(name) for name in KEYS if name in heading}
    return [
        {key: row[place] if place < len(row) else "" for key, place in places.items()}
        for row in rows[1:]
        if any(cell.strip() for cell in row)
    ]


def _from_json(text: str) -> list[Mapping[str, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadSheet("JSON 读不下去，请检查格式。") from None
    rows = found.get("lines") if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadSheet("JSON 应当是 {shape}。", shape='{"lines": [{"notice": …, "body": …}]}')
    return rows


def _iso(value: date | None) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(SHANGHAI)
    return value.isoformat() if value is not None else ""


def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
