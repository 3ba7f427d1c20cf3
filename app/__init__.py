"""create_app(): the only place where all rooms meet."""

from __future__ import annotations

from flask import Flask
from flask_babel import Babel
from flask_bootstrap import Bootstrap5
from flask_migrate import Migrate

from app import cli, errors, models, security, views
from app.db import db, prepare
from app.translations import reader
from app.views.api.description import described
from config import Config


def create_app(config: Config | None = None) -> Flask:
    """The application with all its counters. Settings come from the environment unless given."""
    app = described(__name__, template_folder="../templates", static_folder="static")
    app.config.update((config or Config()).mapping())
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
    Migrate(app, db, directory="migrations", render_as_batch=True)
    Babel(app, locale_selector=reader.locale)
    reader.init_language(app)
    Bootstrap5(app)
    security.init_security(app)
    errors.init_errors(app)
    views.init_views(app)
    cli.init_cli(app)
    return app


__all__ = ["create_app", "models"]
