"""Answers: a described body as JSON."""

from __future__ import annotations

from flask import Response, jsonify
from pydantic import BaseModel


def said(body: BaseModel, status: int = 200) -> Response:
    """The answer of a door; instants in UTC, days as days."""
    answer = jsonify(body.model_dump(mode="json"))
    answer.status_code = status
    return answer
