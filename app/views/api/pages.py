"""For integrators: what there is, how one signs in, samples, the formats, and the OpenAPI description itself."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

from app.notices.api_keys import PER_DAY, PER_MINUTE, SCOPES
from app.notices.formats import FORMATS
from app.notices.formats.describe import describe
from app.problem import SAID
from app.views.api.description import description
from app.views.api.reading import PLACES, doors
from app.views.api.samples import curl, python

blueprint = Blueprint("interface", __name__, url_prefix="/api")

FOR = {
    "notices": "联动部门、信用平台",
    "receipts": "联动部门",
    "statements": "联动部门、信用平台",
    "filings": "信用中国",
    "steps": "各级交通运输部门自己的办件系统",
    "files": "联动部门、信用平台、各级交通运输部门",
    "shared": "依法共享政务数据的部门，由管理员开通",
}
"""Whose systems a scope is for."""

WEBHOOK = """from standardwebhooks import Webhook, WebhookVerificationError


def verified(body: bytes, headers: dict[str, str], secrets: list[str]) -> bool:
    for secret in secrets:  # two while the secret is being changed
        try:
            Webhook(secret).verify(body, headers)
        except WebhookVerificationError:
            continue
        return True
    return False"""

PAIR = """openssl genpkey -algorithm ed25519 -out private.pem
openssl pkey -in private.pem -pubout"""


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """What there is, how one comes in, how notices are verified and receipts signed."""
    return render_template(
        "interface/home.html",
        scopes=[(scope, title, FOR[scope]) for scope, title in SCOPES.items()],
        formats=[(word, module.TITLE, module.FOR) for word, module in FORMATS.items()],
        problems=[(status, code, title, sentence) for status, (code, title, sentence) in SAID.items()],
        per_minute=PER_MINUTE,
        per_day=PER_DAY,
        webhook=WEBHOOK,
        pair=PAIR,
    )


@blueprint.get("/scopes/<scope>")
def scope(scope: str) -> ResponseReturnValue:
    """The doors of one scope: what is sent, what is answered, samples to copy."""
    if scope not in SCOPES:
        abort(404)
    spec, address = description(), current_app.config["PUBLIC_ADDRESS"]
    shown = [(door, curl(spec, door, address), python(spec, door, address)) for door in doors(spec, scope)]
    return render_template(
        "interface/scope.html", scope=scope, title=SCOPES[scope], whose=FOR[scope], doors=shown, places=PLACES
    )


@blueprint.get("/formats/<word>")
def format(word: str) -> ResponseReturnValue:
    """One format of notices: its fields, a sample, the JSON schema, programs to start from."""
    if word not in FORMATS:
        abort(404)
    return render_template("interface/format.html", format=describe(word, current_app.config["PUBLIC_ADDRESS"]))


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The description for programs."""
    return jsonify(description())
