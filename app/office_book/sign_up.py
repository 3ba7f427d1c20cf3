"""Signing up: an account that may do nothing yet, and a request to act for a subject, in one transaction.

The name one signs in with is what the person chose and an ending of the house's own. So no answer ever tells whether
somebody else has chosen the same.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.casework.open_case import ALPHABET
from app.db import db, insert_into
from app.journal import Doer, write_line
from app.models import User
from app.office_book.mandate_requests import Asked, ask

ENDING = 4
"""Characters of the ending: a million of them for every name."""
TRIES = 5


@dataclass(frozen=True, slots=True)
class SignedUp:
    """The new user, the name they sign in with, and the receipt of their request."""

    user_id: int
    login: str
    receipt: str


def sign_up(
    chosen: str, name: str, password_hash: str, asked: Asked, *, address: str, folder: Path, at: datetime
) -> SignedUp:
    """A new account without any role or mandate, and its first request, inside `transaction()`. Raises NotDone."""
    user_id, login = _account(chosen, name, password_hash)
    doer = Doer(user_id, name, "", address=address)
    said = {"login": login, "name": name, "consent": True}
    write_line("user", user_id, "sign_up", doer, at, law_text="D", answers=said)
    return SignedUp(user_id, login, ask(doer, asked, folder, at))


def _account(chosen: str, name: str, password_hash: str) -> tuple[int, str]:
    values = {"name": name, "password_hash": password_hash, "active": True, "session_version": 1, "failures": 0}
    for _ in range(TRIES):
        login = f"{chosen}-{''.join(secrets.choice(ALPHABET) for _ in range(ENDING)).lower()}"
        user_id = db.session.execute(
            insert_into(User.__table__)
            .values(login=login, **values)
            .on_conflict_do_nothing(index_elements=["login"])
            .returning(User.id)
        ).scalar()
        if user_id is not None:
            return int(user_id), login
    raise RuntimeError(f"no ending was free in {TRIES} tries")
