"""The web server: `python -m app.serve --host 127.0.0.1 --port 5080`. It opens its door only after the worker's first
heartbeat: a house that takes applications but prints nothing and lets time-limits pass is worse than a closed one.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from app import create_app
from app.db import db
from app.duty.readiness import BEAT_WITHIN
from app.duty.worker import wake_through
from app.safety import UnsafeDatabase, refuse_unsafe

PROCESSES, THREADS = 2, 4
PATIENCE = 30.0
"""Seconds to wait for a heartbeat."""


class House(BaseApplication):
    """gunicorn around the application, imported once and shared by its processes."""

    def __init__(self, application: Flask, bind: str) -> None:
        self.application, self.bind = application, bind
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": self.bind,
            "worker_class": "gthread",
            "workers": PROCESSES,
            "threads": THREADS,
            "preload_app": True,
            "post_fork": self.post_fork,
            "timeout": 60,
            "graceful_timeout": 10,
            "loglevel": "warning",
            "control_socket_disable": True,
            "forwarded_allow_ips": "",  # which proxy is believed is the application's own setting
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self.application

    def post_fork(self, _server: Any, _worker: Any) -> None:
        """A process must not share the database connections of the one it was copied from."""
        with self.application.app_context():
            db.engine.dispose(close=False)


def wait_for_heartbeat(heartbeat: Path, patience: float = PATIENCE) -> bool:
    """Whether the worker is awake by the file it touches, now or within `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        if heartbeat.exists() and time.time() - heartbeat.stat().st_mtime < BEAT_WITHIN.total_seconds():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)


def main() -> int:
    parser = argparse.ArgumentParser("python -m app.serve")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5080)
    wanted = parser.parse_args()
    application = create_app()
    try:
        with application.app_context():
            refuse_unsafe(db.engine)
            db.engine.dispose()
    except UnsafeDatabase as error:
        print(f"数据库设置不安全，网页服务不开门：{error}", file=sys.stderr)
        return 1
    wake_through(application)
    if not wait_for_heartbeat(application.config["INSTANCE"] / "run" / "heartbeat"):
        print(
            f"值守进程 {PATIENCE:.0f} 秒内没有心跳，网页服务不开门。请先启动它：flask --app wsgi watch\n"
            "The worker gave no heartbeat; start it first: flask --app wsgi watch",
            file=sys.stderr,
        )
        return 1
    House(application, f"[{wanted.host}]:{wanted.port}" if ":" in wanted.host else f"{wanted.host}:{wanted.port}").run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
