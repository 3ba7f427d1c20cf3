"""Settings of a database under which an acknowledged submission could be lost: the house refuses to start on them."""

from __future__ import annotations

from sqlalchemy import Connection, Engine


class UnsafeDatabase(RuntimeError):
    """The database may lose what it has acknowledged."""


def unsafe_settings(connection: Connection) -> list[str]:
    """What is unsafe, in Chinese sentences; an empty list when nothing is."""
    if connection.dialect.name == "sqlite":
        return _sqlite(connection)
    return _postgresql(connection)


def refuse_unsafe(engine: Engine) -> None:
    """Raises UnsafeDatabase with every reason when the database may not be used."""
    with engine.connect() as connection:
        problems = unsafe_settings(connection)
    if problems:
        raise UnsafeDatabase("；".join(problems))


def _sqlite(connection: Connection) -> list[str]:
    def pragma(name: str) -> str:
        return str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()).lower()

    problems = []
    if pragma("synchronous") not in ("2", "3"):
        problems.append("SQLite 的 synchronous 低于 FULL，断电会丢失已确认的提交")
    if pragma("journal_mode") != "wal":
        problems.append("SQLite 不在 WAL 模式（数据库须是本机磁盘上的文件）")
    if pragma("foreign_keys") != "1":
        problems.append("SQLite 没有打开外键检查")
    return problems


def _postgresql(connection: Connection) -> list[str]:
    problems = []
    for name, bad, consequence in (
        ("fsync", "off", "断电会损坏整个数据库"),
        ("full_page_writes", "off", "断电会留下写坏的页"),
        ("synchronous_commit", "off", "断电会丢失已确认的提交"),
    ):
        if str(connection.exec_driver_sql(f"SHOW {name}").scalar()) == bad:
            problems.append(f"PostgreSQL 的 {name}=off，{consequence}")
    return problems
