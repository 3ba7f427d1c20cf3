"""For integrators: what there is, how one signs in, samples, and the OpenAPI description itself."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.views.api.description import description

blueprint = Blueprint("interface", __name__, url_prefix="/api")


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The description for programs."""
    return jsonify(description())
