"""Signs of life: `/health` is the process, `/ready` is everything it stands on."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.db import db
from app.duty.readiness import readiness

blueprint = Blueprint("service", __name__)


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/ready")
def ready() -> ResponseReturnValue:
    """Database, heartbeat of the watch, law, calendar, oldest undelivered notice. Warnings do not make it fail."""
    report = readiness()
    db.session.rollback()
    return jsonify(report.as_dict()), 200 if report.ready else 503
