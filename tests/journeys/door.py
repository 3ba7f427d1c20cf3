"""The door of the stories: people of the cast who can sign in, and callers who do."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import update

from app import sign_ins
from app.db import db, transaction
from app.models import User
from tests.cast import PASSWORD, Cast
from tests.journeys.caller import Caller

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Passwords are checked as ever, with parameters that cost a test no time."""


@pytest.fixture
def people(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """The cast, able to sign in."""
    for room in ("app.security", "app.sign_ins", "app.views.admin"):
        monkeypatch.setattr(f"{room}.hasher", lambda: CHEAP)
    sign_ins._nobodys_hash.cache_clear()
    with transaction():
        db.session.execute(update(User).values(password_hash=CHEAP.hash(PASSWORD)))
    return cast


@pytest.fixture
def outside(app: Flask) -> Caller:
    """Somebody who has not signed in."""
    return Caller(app.test_client())


def enter(app: Flask, login: str) -> Caller:
    """Somebody of the cast, signed in."""
    caller = Caller(app.test_client())
    caller.sign_in(login, PASSWORD)
    return caller
