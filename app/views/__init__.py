"""The counters: one blueprint per audience. A view reads, asks and redirects."""

from __future__ import annotations

from importlib import import_module

from flask_openapi import OpenAPI

from app.views.frame import init_frame
from app.views.texts import init_texts

PAGES = (
    "credit_file_desk",
    "credit_file_own",
    "credit_file_public",
    "desk_mandates",
    "desk_codes",
    "desk_coverage",
    "desk_intake",
    "desk_intake_rows",
    "language",
    "public_guide",
    "public_lists",
    "public_progress",
    "public_records",
    "public_search",
    "sign_up",
)
"""Modules that add pages to the blueprint of a counter; they are imported for their routes."""


def init_views(app: OpenAPI) -> None:
    """Open the counters."""
    from app.views import (  # noqa: F401  (pages of those two counters)
        account,
        admin,
        admin_endpoints,
        agency,
        agency_interface,
        agency_statements,
        api,
        desk,
        desk_hall,
        desk_issues,
        desk_sharing,
        desk_statements,
        enterprise,
        public,
        service,
    )

    for pages in PAGES:
        import_module(f"app.views.{pages}")
    init_texts(app)
    init_frame(app)
    for counter in (public, account, enterprise, desk, desk_hall, agency, admin, service):
        app.register_blueprint(counter.blueprint)
    api.init_api(app)
