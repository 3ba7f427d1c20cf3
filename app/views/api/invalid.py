"""What pydantic found wrong with parameters, in Chinese sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_babel import lazy_gettext as _l
from pydantic import ValidationError

from app.problem import problem

SAID: Mapping[str, object] = {
    "missing": _l("必须填写。"),
    "extra_forbidden": _l("没有这一项。"),
    "string_type": _l("应当是文字。"),
    "string_too_short": _l("至少 {min_length} 个字符。"),
    "string_too_long": _l("最多 {max_length} 个字符。"),
    "string_pattern_mismatch": _l("写法不对，应当符合 {pattern}。"),
    "int_type": _l("应当是整数。"),
    "int_parsing": _l("应当是整数。"),
    "int_from_float": _l("应当是整数。"),
    "int_parsing_size": _l("数字太大。"),
    "greater_than_equal": _l("不能小于 {ge}。"),
    "less_than_equal": _l("不能大于 {le}。"),
    "bool_type": _l("应当是 true 或者 false。"),
    "list_type": _l("应当是列表。"),
    "too_long": _l("最多 {max_length} 项。"),
    "too_short": _l("至少 {min_length} 项。"),
    "literal_error": _l("应当是 {expected} 之一。"),
    "model_type": _l("应当是对象。"),
    "dict_type": _l("应当是对象。"),
}
"""By the kind of error; anything else does not meet the description."""


def invalid(error: ValidationError) -> Response:
    """422 with a sentence for each field."""
    return problem(422, errors=[_said(one) for one in error.errors(include_url=False, include_input=False)])


def _said(one: Mapping[str, Any]) -> dict[str, str]:
    template = SAID.get(one["type"], _l("不符合接口说明。"))
    if one["type"] == "value_error":
        template = one["ctx"]["error"].args[0]
    values = {name: value for name, value in one.get("ctx", {}).items() if name != "error"}
    return {"field": ".".join(str(part) for part in one["loc"])[:200], "message": str(template).format(**values)}
