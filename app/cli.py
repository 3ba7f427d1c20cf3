"""Commands: flask --app wsgi seed · watch · explain · draw · verify."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask, current_app

from app.db import db


def init_cli(app: Flask) -> None:
    """Register the commands."""

    @app.cli.command("seed")
    def _seed() -> None:
        """Fill an empty instance with the demo: offices, people, invented companies, a case in every state."""
        from app.seeds import seed

        click.echo(seed())

    @app.cli.command("watch")
    def _watch() -> None:
        """Stand watch in the foreground: time-limits, printing."""
        from app.duty.worker import stand_watch
        from app.safety import UnsafeDatabase, refuse_unsafe

        try:
            refuse_unsafe(db.engine)
        except UnsafeDatabase as error:
            raise click.ClickException(f"数据库设置不安全，值守程序不启动：{error}") from None
        stand_watch(current_app._get_current_object())  # type: ignore[attr-defined]

    @app.cli.command("explain")
    @click.argument("number")
    def _explain(number: str) -> None:
        """Print the whole life of a case: articles, dates and their computation, documents, notices."""
        from app.casework.explain import explain
        from app.casework.facts import NoSuchCase

        try:
            click.echo(explain(number))
        except NoSuchCase:
            raise click.ClickException(f"没有编号为 {number} 的办件") from None

    @app.cli.command("draw")
    def _draw() -> None:
        """Write the drawings of every case type."""
        from workflows.drawing import write_all

        for path in write_all(Path(current_app.root_path).parent):
            click.echo(path)

    @app.cli.command("verify")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def _verify(file: Path) -> None:
        """Say whether a PDF is a document of this house, unchanged."""
        from app.documents.check import check_file

        verdict = check_file(file.read_bytes())
        click.echo(verdict.sentence)
        if not verdict.genuine:
            raise SystemExit(1)
