"""Samples of a door, made from its description: a command for the shell and a program in Python, to copy and run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from app.problem import PREFIX
from app.views.api.reading import Door, body_schema, resolved

KNOWN: Mapping[str, Any] = {
    "number": "XF-7K2M9QXA", "key": "r-20261124-0001", "id": 1, "limit": 100, "after": 0, "item": "regrade",
    "t0": "2026-11-24", "since": "2026-11-01", "until": "2026-11-24", "digest": "0" * 64, "body": "0" * 64,
    "notice": "case-12-7-ld-market", "kind": "done", "done_at": "2026-11-24T10:00:00+08:00", "order": 1,
    "state": "done", "receipt": "7K2M-9QXA", "code": "91430100MA7X3K2Q6G", "name": "岳衡物流", "section": "penalties",
    "purpose": "道路运输经营许可审查", "If-Match": '"4"', "Receipt-Key": "2026",
}  # fmt: skip
"""What stands for a value by its name."""
NOTICE = "case-12-7-ld-market"
SIGNED, KEY = "Receipt-Signature", "Idempotency-Key"


def curl(spec: Mapping[str, Any], door: Door, address: str) -> str:
    """A command. The key of the department stands in JIANNUO_KEY."""
    signed = any(field.name == SIGNED for field in door.fields)
    lines = [f"curl -sS '{address}{PREFIX}{_path(door)}'", '-H "Authorization: Bearer $JIANNUO_KEY"']
    for name, value in _headers(door).items():
        lines.append(f"-H '{name}: {value}'" if name != KEY else f'-H "{name}: $(uuidgen)"')
    body = sample_body(spec, door)
    before = ""
    if signed:
        before = (
            f"printf '%s' '{_json(body)}' > receipt.json\n"
            "SIGNATURE=$(openssl pkeyutl -sign -rawin -inkey private.pem -in receipt.json | base64 -w0)\n"
        )
        lines += [f'-H "{SIGNED}: $SIGNATURE"', "-H 'Content-Type: application/json'", "--data-binary @receipt.json"]
    elif body is not None:
        lines += ["-H 'Content-Type: application/json'", f"--data-binary '{_json(body)}'"]
    elif not door.answers[0].media_type.endswith("json"):
        lines.append("-OJ")
    return before + " \\\n  ".join(lines)


def python(spec: Mapping[str, Any], door: Door, address: str) -> str:
    """A program that needs the standard library only; one that signs needs `cryptography` too."""
    signed = any(field.name == SIGNED for field in door.fields)
    file = "" if door.answers[0].media_type.endswith("json") else door.path.rsplit("/", 1)[1]
    body, sent = sample_body(spec, door), _headers(door)
    needed = {"os", "urllib.request"} | ({"json"} if body is not None or not file else set())
    needed |= ({"uuid"} if KEY in sent else set()) | ({"base64"} if signed else set())
    lines = [f"import {name}" for name in sorted(needed)]
    if signed:
        lines += ["", "from cryptography.hazmat.primitives.serialization import load_pem_private_key"]
    lines.append("")
    if body is not None:
        lines.append(f"body = json.dumps({_literal(body)}, ensure_ascii=False).encode()")
    if signed:
        lines += ['with open("private.pem", "rb") as pem:', "    private = load_pem_private_key(pem.read(), None)"]
    lines += ["headers = {", '    "Authorization": "Bearer " + os.environ["JIANNUO_KEY"],']
    lines += [
        f'    "{name}": ' + ("str(uuid.uuid4())," if name == KEY else f"{value!r},") for name, value in sent.items()
    ]
    lines += [f'    "{SIGNED}": base64.b64encode(private.sign(body)).decode(),'] if signed else []
    lines += ['    "Content-Type": "application/json",', "}"] if body is not None else ["}"]
    given = "body, headers" if body is not None else "headers=headers"
    lines.append(f'asked = urllib.request.Request("{address}{PREFIX}{_path(door)}", {given})')
    lines.append("with urllib.request.urlopen(asked, timeout=30) as answer:")
    if file:
        lines += [f'    with open("{file}", "wb") as kept:', "        kept.write(answer.read())"]
    else:
        lines.append("    print(json.load(answer))")
    return "\n".join(lines)


def sample_body(spec: Mapping[str, Any], door: Door) -> Any:
    """A body that fits; None for a door without one."""
    schema = body_schema(spec, door.operation)
    return _sample(spec, schema) if schema else None


def _sample(spec: Mapping[str, Any], schema: Mapping[str, Any], name: str = "") -> Any:
    schema = resolved(spec, schema)
    schema = resolved(spec, schema["anyOf"][0]) if "anyOf" in schema else schema
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("type") == "object":
        wanted = schema.get("required") or _first(schema)
        return {one: _sample(spec, schema["properties"][one], one) for one in schema["properties"] if one in wanted}
    if schema.get("type") == "array":
        return [_sample(spec, schema["items"])]
    if name in KNOWN and ("enum" not in schema or KNOWN[name] in schema["enum"]):
        return KNOWN[name]
    if "enum" in schema:
        return next(one for one in schema["enum"] if one)
    if schema.get("format") == "date":
        return "2026-11-24"
    return schema.get("title", name) if schema.get("type") == "string" else 1


def _first(schema: Mapping[str, Any]) -> list[str]:
    """Where nothing is required one thing is enough; a step that asks nothing gets none."""
    names = [name for name in schema.get("properties", {}) if name != "answers"]
    return names[:1]


def _path(door: Door) -> str:
    path = door.path.replace("{key}", NOTICE)
    for name, value in KNOWN.items():
        path = path.replace(f"{{{name}}}", str(value))
    asked = urlencode(
        {f.name: KNOWN[f.name] for f in door.fields if f.place == "query" and (f.required or f.name == "limit")}
    )
    return f"{path}?{asked}" if asked else path


def _headers(door: Door) -> dict[str, str]:
    names = [field.name for field in door.fields if field.place == "header" and field.name != SIGNED]
    return {name: str(KNOWN.get(name, "")) for name in names}


def _json(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False).replace("'", "’")


def _literal(body: Any) -> str:
    """A body as Python writes it."""
    text = json.dumps(body, ensure_ascii=False, indent=4)
    for word, ours in (("true", "True"), ("false", "False"), ("null", "None")):
        text = text.replace(f": {word}", f": {ours}")
    return text
