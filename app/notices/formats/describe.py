"""How a format is described to whoever receives it: fields, JSON schema, a sample, and programs to start from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from app.notices.formats import FORMATS, sheet
from app.notices.formats.field import Field, sample_of, schema_of


@dataclass(frozen=True, slots=True)
class Line:
    """A field with its depth: fields of a row stand one deeper under the field that holds it."""

    field: Field
    depth: int


@dataclass(frozen=True, slots=True)
class Description:
    """A format as its page shows it. `curl` fetches notices by feed, `python` takes them by webhook; `columns` are
    the headings of a file of several, empty for formats that are not exchanged as files.
    """

    word: str
    title: str
    meant_for: str
    lines: tuple[Line, ...]
    schema: dict[str, Any]
    sample: dict[str, Any]
    sample_text: str
    schema_text: str
    curl: str
    python: str
    columns: tuple[sheet.Column, ...]


def describe(word: str, address: str) -> Description:
    """Describe a format; `address` is that of this house, as receivers reach it. Raises KeyError for no such format."""
    module = FORMATS[word]
    schema, sample = schema_of(module.TITLE, module.FIELDS), sample_of(module.FIELDS)
    return Description(
        word=word,
        title=module.TITLE,
        meant_for=module.FOR,
        lines=tuple(_lines(module.FIELDS)),
        schema=schema,
        sample=sample,
        sample_text=_text(sample),
        schema_text=_text(schema),
        curl=CURL.format(address=address.rstrip("/")),
        python=PYTHON,
        columns=sheet.COLUMNS if word == sheet.FORMAT else (),
    )


def _lines(fields: tuple[Field, ...], depth: int = 0) -> list[Line]:
    return [line for field in fields for line in (Line(field, depth), *_lines(field.of, depth + 1))]


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


CURL = """\
# 从上次的位置往后取，每页最多 100 份；位置由您保存，断多久都能补齐
curl -H "Authorization: Bearer $JIANNUO_KEY" "{address}/api/v1/notices?after=0&limit=100"
"""
PYTHON = """\
# pip install standardwebhooks flask
from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

app, secret = Flask(__name__), "whsec_…"  # 在“订阅与接口”页面取得

@app.post("/notices")
def take():
    try:
        notice = Webhook(secret).verify(request.get_data(), dict(request.headers))
    except WebhookVerificationError:
        return "", 401
    # 同一个数据库事务里：按 webhook-id 去重、处理、写好回执；提交以后才回答
    print(request.headers["webhook-id"], notice)
    return "", 204
"""
