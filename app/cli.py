"""Commands: flask --app wsgi seed · watch · explain · draw · verify · reconcile · api-key · end-api-key."""

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

    @app.cli.command("api-key")
    @click.argument("office")
    @click.argument("login")
    @click.argument("label")
    @click.option(
        "--scopes", default="steps", help="用途，用逗号隔开：notices receipts statements filings steps files shared"
    )
    @click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="从这一天零点起不再有效；不写就一直有效")
    @click.option("--per-minute", type=int, default=600, help="每分钟次数")
    @click.option("--per-day", type=int, default=10_000, help="每天查信用档案的次数")
    def _api_key(
        office: str, login: str, label: str, scopes: str, until: datetime | None, per_minute: int, per_day: int
    ) -> None:
        """Make a key to the interface for the system of an office (by its code); LOGIN answers for it. Shown once."""
        from sqlalchemy import select

        from app.db import transaction
        from app.journal import SYSTEM
        from app.models import Office, User
        from app.notices.api_keys import KeyNotMade, make_api_key
        from app.now import now
        from workflows.calendar import day_start

        office_id = db.session.execute(select(Office.id).where(Office.code == office)).scalar()
        user_id = db.session.execute(select(User.id).where(User.login == login)).scalar()
        if office_id is None or user_id is None:
            raise click.ClickException(f"没有代号为 {office} 的单位，或者没有用户 {login}")
        try:
            with transaction():
                _id, key = make_api_key(
                    office_id, user_id, label, scopes.split(","), by=SYSTEM, at=now(), per_minute=per_minute,
                    per_day=per_day, until=day_start(until.date()) if until else None,
                )  # fmt: skip
        except KeyNotMade as no:
            raise click.ClickException(str(no)) from None
        click.echo(key)

    @app.cli.command("end-api-key")
    @click.argument("prefix")
    def _end_api_key(prefix: str) -> None:
        """End a key to the interface at once; PREFIX are the twelve characters after jn_."""
        from sqlalchemy import select

        from app.db import transaction
        from app.journal import SYSTEM
        from app.models import ApiKey
        from app.notices.api_keys import KeyNotMade, end_api_key
        from app.now import now

        found = db.session.execute(select(ApiKey.id, ApiKey.label).where(ApiKey.prefix == prefix)).first()
        if found is None:
            raise click.ClickException(f"没有前缀为 {prefix} 的密钥")
        try:
            with transaction():
                end_api_key(found.id, by=SYSTEM, at=now())
        except KeyNotMade as no:
            raise click.ClickException(str(no)) from None
        click.echo(f"“{found.label}”已停用")
