"""The counters: one blueprint per audience. A view reads, asks and redirects."""

from __future__ import annotations

from importlib import import_module

from flask import has_request_context, session
from flask_babel import get_locale
from flask_openapi import OpenAPI

from app.views.frame import init_frame
from app.views.texts import init_texts

LANGUAGES = ("zh_Hans_CN", "en")


PAGES = (
    "desk_mandates",
    "desk_intake",
    "desk_intake_rows",
    "public_guide",
    "public_lists",
    "public_progress",
    "public_records",
    "public_search",
    "sign_up",
)
"""Modules that add pages to the blueprint of a counter; they are imported for their routes."""


def locale() -> str:
    """The reader's language: what they chose, else Chinese, which is the source."""
    chosen = session.get("language") if has_request_context() else None
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


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
    app.jinja_env.globals["get_locale"] = get_locale
    for counter in (public, account, enterprise, desk, desk_hall, agency, admin, service):
        app.register_blueprint(counter.blueprint)
    api.init_api(app)
