"""Programs at the door: an office's own system and departments' systems, each with a key made by the administrator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert
from werkzeug.test import TestResponse

from app.db import db, transaction
from app.journal import Doer
from app.models import Membership, User
from app.notices.api_keys import make_api_key
from app.now import now
from tests.cast import SINCE, Cast

SHEN = Doer(None, "沈工", "administrator")
LINKED = {"hu": ("胡悦", "ld-market"), "ren": ("任远", "ld-trading"), "xin": ("辛平", "ld-creditchina")}
"""Clerks of departments: market supervision, public trading, 信用中国."""


class Program:
    """A department's system: it knows addresses, its key, and nothing else."""

    def __init__(self, app: Flask, key: str) -> None:
        self.client, self.app, self.key = FlaskClient(app, app.response_class, use_cookies=False), app, key

    def send(self, method: str, path: str, **more: Any) -> TestResponse:
        """A request with the key."""
        headers = {"Authorization": f"Bearer {self.key}", **more.pop("headers", {})}
        with self.app.app_context():
            return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        """Read."""
        return self.send("GET", path, **more)

    def post(self, path: str, body: Any, **headers: str) -> TestResponse:
        """Send JSON; an underscore in a header's name stands for a hyphen."""
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", path, data=data, headers={"Content-Type": "application/json", **named})

    def step(
        self, number: str, step: str, version: int | str, key: str, item: str = "", **answers: Any
    ) -> TestResponse:
        """Take a step."""
        body = {"answers": answers} | ({"item": item} if item else {})
        return self.post(f"/cases/{number}/steps/{step}", body, If_Match=f'"{version}"', Idempotency_Key=key)


@pytest.fixture
def people(cast: Cast) -> Cast:
    """The cast, and clerks of linked departments."""
    with transaction():
        for login, (name, office) in LINKED.items():
            cast.users[login] = db.session.execute(
                insert(User)
                .values(login=login, name=name, password_hash="", active=True, session_version=1, failures=0)
                .returning(User.id)
            ).scalar_one()
            db.session.execute(
                insert(Membership).values(
                    user_id=cast.users[login], office_id=cast.offices[office], role="linked", valid_from=SINCE
                )
            )
    return cast


def a_key(cast: Cast, office: str, user: str, *scopes: str, **more: Any) -> str:
    """A key of a department."""
    with transaction():
        return make_api_key(
            cast.offices[office], cast.users[user], f"{user} 的系统", scopes, by=SHEN, at=now(), **more
        )[1]


def own_system(app: Flask, cast: Cast, user: str, office: str = "province", **more: Any) -> Program:
    """The system with which an officer works."""
    return Program(app, a_key(cast, office, user, "steps", **more))


def problem(answer: TestResponse) -> dict[str, Any]:
    """A problem, whole: typed, titled, in Chinese."""
    assert answer.mimetype == "application/problem+json", answer.get_data(as_text=True)[:200]
    body: dict[str, Any] = answer.get_json()
    assert body["status"] == answer.status_code and {"type", "title", "detail", "code"} <= set(body)
    assert any("\u4e00" <= c <= "\u9fff" for c in body["detail"]), body
    return body
