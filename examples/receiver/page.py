"""The page that shows what this receiver holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from book import Book

SAID = {
    "done": "已办理",
    "holds_nothing": "本单位没有这条信息",
    "already_ended": "此前已经停止",
    "not_found": "查找不到",
    "refused": "不予办理",
}
STYLE = (
    "body{font-family:system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1a2529;"
    "line-height:1.6}table{border-collapse:collapse;width:100%;margin-bottom:2rem}th,td{text-align:left;"
    "padding:.4rem .6rem;border-bottom:1px solid #d9ddd6;vertical-align:top}code{word-break:break-all}"
    "@media(max-width:40rem){table,tbody,tr,td{display:block}thead{display:none}}"
)


def page(book: Book, name: str) -> str:
    """Notices with their receipts, the list of records, the digest for reconciliation."""
    notices = [
        (row["key"], _told(row["body"]), SAID[row["said"]], _receipt(row["sent_at"], row["trouble"], row["attempts"]))
        for row in book.latest()
    ]
    shown = [
        (row["record_no"], row["subject_name"], f"已停止：{row['ended_by']}" if row["ended_at"] else "正在展示")
        for row in book.list_shown()
    ]
    held = book.held()
    return (
        f'<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"><title>{escape(name)} · 示例接收方</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f"<h1>{escape(name)} · 示例接收方</h1>"
        f"<p>这是给对接单位看的样例程序：验签、去重、按序处理、回执。数据均为虚构。</p>"
        f"<h2>收到的通知</h2>{_table(('通知编号', '内容', '我们的结果', '回执'), notices, '还没有收到通知。')}"
        f"<h2>本单位展示的信息</h2>{_table(('文号', '主体', '状态'), shown, '没有。')}"
        f"<h2>对账</h2><p>共 {len(held)} 份，摘要 <code>{book.digest()}</code></p></body></html>"
    )


def _told(body: str) -> str:
    told = json.loads(body)
    return f"{told.get('subject_name', '')} · {told.get('decision', '')} · {told.get('record_no', '')}"


def _receipt(sent_at: str | None, trouble: str, attempts: int) -> str:
    if sent_at:
        return f"已送达 {sent_at[:19]}"
    return f"待送达，已试 {attempts} 次 {trouble}" if attempts else "待送达"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], empty: str) -> str:
    if not rows:
        return f"<p>{empty}</p>"
    head = "".join(f"<th>{text}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
