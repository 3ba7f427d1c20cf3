"""Commands: flask --app wsgi seed · watch · explain · draw · verify · reconcile."""

from __future__ import annotations

from datetime import date, datetime
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

    @app.cli.command("import")
    @click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--office", default="", help="报送单位的机构编码；不写时为机构表的最上级单位")
    @click.option("--kind", default="", help="目录编码：XZCF 行政处罚、XZXK 行政许可 等；不写时按表头判断")
    @click.option("--dry-run", is_flag=True, help="只预览，不写入")
    def _import(files: tuple[Path, ...], office: str, kind: str, dry_run: bool) -> None:
        """Take files of records in, with progress and a summary; a file that was interrupted goes on."""
        from app.duty.import_files import import_files

        if not import_files(files, office, kind, dry_run=dry_run, say=click.echo):
            raise SystemExit(1)

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

    @app.cli.command("reconcile")
    @click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="The first civil day; without it, from the start.")
    @click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last civil day; without it, today.")
    def _reconcile(since: datetime | None, until: datetime | None) -> None:
        """Say whether our own books agree: journal, notices, deliveries, receipts, publication. Exit code 1: they do
        not."""
        from app.notices.own_books import own_differences
        from app.now import now
        from workflows.calendar import legal_day

        first = since.date() if since else date(2000, 1, 1)
        last = until.date() if until else legal_day(now())
        found = own_differences(first, last)
        for one in found:
            about = "，".join(part for part in (one.case, one.record) if part)
            click.echo(f"{one.sentence}{f'（{about}）' if about else ''}")
        click.echo(f"{first} 至 {last}：" + (f"有 {len(found)} 处不一致" if found else "账目一致"))
        if found:
            raise SystemExit(1)

    @app.cli.command("verify")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def _verify(file: Path) -> None:
        """Say whether a PDF is a document of this house, unchanged."""
        from app.documents.check import check_file

        verdict = check_file(file.read_bytes())
        click.echo(verdict.sentence)
        if not verdict.genuine:
            raise SystemExit(1)
