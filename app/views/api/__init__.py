"""The interface for programs of departments, /api/v1: thin doors over the same rooms, and the pages that explain it."""

from __future__ import annotations

from flask_openapi import OpenAPI

from app.views.api import cases, filings, notices, pages, receipts, statements, steps, subjects
from app.views.api.door import blueprint

DOORS = (notices, receipts, statements, filings, cases, steps, subjects)
"""Each hangs its doors when it is read."""


def init_api(app: OpenAPI) -> None:
    """Open the doors, and the pages that explain them."""
    app.register_api(blueprint)
    app.register_blueprint(pages.blueprint)
