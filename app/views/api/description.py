"""The OpenAPI description: what all doors share, and a concrete address for every step, each with its own answers."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

from flask import current_app
from flask_openapi import Info, OpenAPI
from pydantic import BaseModel, Field

from app.translations.reader import locale, told
from app.views.api.invalid import invalid

DESCRIPTION = "jiannuo-api"
WORDS, EXAMPLES = ("title", "summary", "description"), ("example", "examples")
TITLE = "践诺接口"
VERSION = "1"
ABOUT = (
    "联动部门取通知、交回执、对账，信用中国推送修复申请，各级单位的办件系统办理案件，各部门按权限查信用档案。"
    "说明和示例见 /api。"
)


class FieldProblem(BaseModel):
    """One field that must be changed."""

    field: str = Field(title="哪一项")
    message: str = Field(title="怎样改")


class RefusalSaid(BaseModel):
    """One reason the law gives."""

    code: str = Field(title="条件代号")
    detail: str = Field(title="理由")
    law: str = Field(title="依据")


class Problem(BaseModel):
    """RFC 9457: what went wrong."""

    type: str = Field(title="说明的地址")
    title: str = Field(title="是什么问题")
    status: int = Field(title="状态码")
    detail: str = Field(title="怎么办，中文")
    code: str = Field(title="程序据以判断的代号")
    reference: str | None = Field(None, title="报障编号")
    errors: list[FieldProblem] | None = Field(None, title="要改的各项")
    refusals: list[RefusalSaid] | None = Field(None, title="依法不能办的理由")


def described(import_name: str, **folders: Any) -> OpenAPI:
    """A Flask application that can describe its doors; the description itself is served by a page of ours."""
    key: dict[str, Any] = {"type": "http", "scheme": "bearer", "description": "jn_<前缀>_<密钥>，由管理员开通"}
    return OpenAPI(
        import_name,
        info=Info(title=TITLE, version=VERSION, description=ABOUT),
        security_schemes={"key": key},
        validation_error_model=Problem,
        validation_error_callback=invalid,
        doc_ui=False,
        **folders,
    )


def description() -> dict[str, Any]:
    """The OpenAPI description of this application in the reader's language, made when it is first asked for."""
    app = cast(OpenAPI, current_app)
    made: dict[str, dict[str, Any]] = app.extensions.setdefault(DESCRIPTION, {})
    if locale() not in made:
        made[locale()] = _told(_with_steps(deepcopy(app.api_doc)))
    return made[locale()]


def _told(spec: Any) -> Any:
    """The same with every text for people in the reader's language; names and examples are what goes over the wire."""
    if isinstance(spec, list):
        return [_told(one) for one in spec]
    if not isinstance(spec, dict):
        return spec
    return {
        name: one if name in EXAMPLES else told(one) if name in WORDS and isinstance(one, str) else _told(one)
        for name, one in spec.items()
    }


def _with_steps(spec: dict[str, Any]) -> dict[str, Any]:
    """The description with an address for each step of each case type instead of one for all."""
    from app.views.api.steps import ADDRESS, steps_described

    general = spec["paths"].pop(ADDRESS)["post"]
    for code, title, text, schema in steps_described():
        operation: dict[str, Any] = deepcopy(general)
        operation |= {"operationId": f"step_{code}", "summary": title, "description": text}
        operation["parameters"] = [one for one in operation["parameters"] if one["name"] != "step"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        spec["paths"][ADDRESS.replace("{step}", code)] = {"post": operation}
    for schema in spec["components"]["schemas"].values():
        schema.pop("description", None)  # the docstring of a model, for whoever reads the source
    return spec
