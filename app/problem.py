"""Errors for programs: application/problem+json (RFC 9457), and which requests are answered so instead of by a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, current_app, jsonify, request
from flask_babel import lazy_gettext as _l

MEDIA_TYPE = "application/problem+json"
PREFIX = "/api/v1"

SAID: Mapping[int, tuple[str, object, object]] = {
    400: ("UNREADABLE", _l("请求看不明白"), _l("请求的正文或者地址读不出来，请对照接口说明检查。")),
    401: (
        "NO_KEY",
        _l("没有有效的密钥"),
        _l("请在 Authorization 里写 Bearer 和接口密钥；密钥写错、没有生效、已经停用或者负责人已不在职都会这样。"),
    ),
    403: ("NOT_ALLOWED", _l("不能这样办"), _l("这把密钥或者负责人的身份不能办这件事。")),
    404: ("NOT_FOUND", _l("没有找到"), _l("没有这个地址，或者内容不是本单位能看到的。")),
    405: ("METHOD", _l("方法不对"), _l("这个地址不支持这种方法，可以用的方法见 Allow。")),
    409: ("CONFLICT", _l("情况已经变了"), _l("内容与现在的情况冲突，请重新读取后再办。")),
    413: ("TOO_LARGE", _l("内容太大"), _l("正文超过了上限，请缩小或者分几次提交。")),
    415: ("MEDIA_TYPE", _l("内容的格式不对"), _l("请用 Content-Type: application/json（UTF-8）提交。")),
    422: ("INVALID", _l("还不能这样办"), _l("请按 errors 和 refusals 里的提示改正后再提交。")),
    429: ("QUOTA", _l("太频繁了"), _l("超过了这把密钥每分钟的次数，请过一分钟再试。")),
    500: ("BROKEN", _l("没有办成"), _l("不是您的问题。没有写入任何内容；多次不成，请把 reference 告诉我们。")),
    503: ("BUSY", _l("正忙"), _l("没有写入任何内容，请按 Retry-After 稍后重试。")),
}
"""By status: what a program tells the problem by, its title, and what to do."""


def for_programs() -> bool:
    """Whether this request is answered in the tongue of programs."""
    return request.path == PREFIX or request.path.startswith(f"{PREFIX}/")


def problem(
    status: int,
    detail: object = None,
    *,
    code: str = "",
    reference: str = "",
    errors: Iterable[Mapping[str, str]] = (),
    refusals: Iterable[Mapping[str, str]] = (),
) -> Response:
    """The answer to a program: `errors` are fields that must be changed, `refusals` what the law says against it."""
    usual, title, sentence = SAID.get(status, SAID[500])
    body: dict[str, Any] = {
        "type": f"{current_app.config['PUBLIC_ADDRESS']}/api#p{status}",
        "title": str(title),
        "status": status,
        "detail": str(detail or sentence),
        "code": code or usual,
    }
    for name, value in (("reference", reference), ("errors", list(errors)), ("refusals", list(refusals))):
        if value:
            body[name] = value
    answer = jsonify(body)
    answer.status_code = status
    answer.mimetype = MEDIA_TYPE
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="jiannuo"'
    if status == 429:
        answer.headers["Retry-After"] = "60"  # quotas are by the minute
    return answer
