"""Alembic inside the application: its engine, its metadata, batch mode for SQLite."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import JSON

from app.db import Instant
from migrations.name_index import part_of_index

db = current_app.extensions["migrate"].db


def render(kind: str, item: Any, context_: Any) -> str | bool:
    """Own column types appear as what the database holds, so that old migrations need none of our code."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        context_.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def run() -> None:
    """Run on the application's own connection, or on the one a test hands over."""
    given = context.config.attributes.get("connection")
    connectable = given if given is not None else db.engine
    with connectable.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            render_item=render,
            compare_type=True,
            include_object=lambda _item, name, _kind, _reflected, _other: not part_of_index(name),
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
