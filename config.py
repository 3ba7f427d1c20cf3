"""Every setting, read from the environment once. Secrets are files of the instance folder, made at the first start."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def _env(name: str, default: str) -> Callable[[], str]:
    return lambda: os.environ.get(name, default)


def _flag(name: str) -> Callable[[], bool]:
    return lambda: os.environ.get(name, "") == "1"


@dataclass
class Config:
    """Settings of a running house.

    `JIANNUO_INSTANCE` is the folder of database, documents and keys; `JIANNUO_DATABASE_URL` another database;
    `JIANNUO_PUBLIC_ADDRESS` the address printed on documents; `JIANNUO_HTTPS=1` when a proxy serves TLS;
    `JIANNUO_PROXIES` how many proxies stand in front (their X-Forwarded-For is believed, nobody else's);
    `JIANNUO_PRIVATE_RECEIVERS=1` lets notices go, also unencrypted, to machines in the own network.
    """

    INSTANCE: str = field(default_factory=_env("JIANNUO_INSTANCE", "instance"))
    DATABASE_URL: str = field(default_factory=_env("JIANNUO_DATABASE_URL", ""))
    PUBLIC_ADDRESS: str = field(default_factory=_env("JIANNUO_PUBLIC_ADDRESS", "http://127.0.0.1:5080"))
    HTTPS: bool = field(default_factory=_flag("JIANNUO_HTTPS"))
    PRIVATE_RECEIVERS: bool = field(default_factory=_flag("JIANNUO_PRIVATE_RECEIVERS"))
    PROXIES: int = field(default_factory=lambda: int(os.environ.get("JIANNUO_PROXIES", "0")))
    DEMO: bool = field(default_factory=lambda: os.environ.get("JIANNUO_DEMO", "1") == "1")
    SPONSOR: str = field(default_factory=_env("JIANNUO_SPONSOR", "湖南省交通运输厅"))
    TESTING: bool = False
    MAX_UPLOAD: int = 10 * 1024 * 1024
    MAX_SHEET: int = 100 * 1024 * 1024

    def mapping(self) -> dict[str, Any]:
        """The settings as Flask wants them; creates the instance folder and its keys when they are missing."""
        instance = Path(self.INSTANCE).resolve()
        for folder in (instance, instance / "keys", instance / "documents", instance / "uploads", instance / "run"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        url = self.DATABASE_URL or f"sqlite:///{instance / 'jiannuo.db'}"
        if url.startswith("postgresql://"):
            url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        return {
            "INSTANCE": instance,
            "SECRET_KEY": key_file(instance / "keys" / "session"),
            "FIELD_KEYS": {"1": key_file(instance / "keys" / "field-1")},
            "INDEX_KEY": key_file(instance / "keys" / "index"),
            "SQLALCHEMY_DATABASE_URI": url,
            # What somebody typed must not come into the log with an error.
            "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": url.startswith("postgresql"), "hide_parameters": True},
            "PUBLIC_ADDRESS": self.PUBLIC_ADDRESS.rstrip("/"),
            "HTTPS": self.HTTPS,
            "PROXIES": self.PROXIES,
            "PRIVATE_RECEIVERS": self.PRIVATE_RECEIVERS,
            "DEMO": self.DEMO,
            "SPONSOR": self.SPONSOR,
            "TESTING": self.TESTING,
            "MAX_CONTENT_LENGTH": 4 * self.MAX_UPLOAD,
            "MAX_FORM_MEMORY_SIZE": 500_000,
            "MAX_UPLOAD": self.MAX_UPLOAD,
            "MAX_SHEET": self.MAX_SHEET,
            "SESSION_COOKIE_NAME": "__Host-jiannuo" if self.HTTPS else "jiannuo",
            "SESSION_COOKIE_SECURE": self.HTTPS,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "WTF_CSRF_TIME_LIMIT": None,
            "BABEL_DEFAULT_LOCALE": "zh_Hans_CN",
            "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
            "BOOTSTRAP_SERVE_LOCAL": True,
        }


@dataclass
class TestConfig(Config):
    """Settings of the tests: everything real but the address."""

    __test__ = False
    TESTING: bool = True
    PRIVATE_RECEIVERS: bool = True
    PUBLIC_ADDRESS: str = "https://credit.example"


def key_file(path: Path) -> str:
    """The 256-bit key kept in `path` (mode 0600), made when it is missing; two starters agree on one."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    return path.read_text().strip()
