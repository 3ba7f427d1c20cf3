"""Who comes in and goes out: failed attempts lock an account for a while, going out ends every session of a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from secrets import token_hex

from sqlalchemy import case, literal, select, update

from app.db import db, transaction
from app.journal import Doer, write_line
from app.models import User
from app.security import LOCK_AFTER, LOCK_FOR, hasher, password_matches


@dataclass(frozen=True, slots=True)
class Identity:
    """A user whose name and password were both right."""

    id: int
    name: str


def recognise(login: str, password: str, at: datetime) -> Identity | None:
    """The user of this name and password; None for anything else, after the same work and without saying why.

    A wrong password is counted; the fifth in a row locks the account for a quarter of an hour, during which the right
    one does not open it either. Commits what it counted.
    """
    row = db.session.execute(
        select(User.id, User.name, User.password_hash, User.failures, User.locked_until, User.active).where(
            User.login == login
        )
    ).first()
    matches = password_matches(row.password_hash if row and row.password_hash else _nobodys_hash(), password)
    if row is None or not row.active:
        db.session.rollback()
        return None
    if row.locked_until is not None and row.locked_until > at:
        db.session.rollback()
        return None
    if not matches:
        _count_failure(row.id, at)
        return None
    stale = hasher().check_needs_rehash(row.password_hash)
    if row.failures or row.locked_until or stale:
        fresh = {"password_hash": hasher().hash(password)} if stale else {}
        with transaction():
            _set(row.id, failures=0, locked_until=None, **fresh)
    return Identity(row.id, row.name)


def leave(user_id: int) -> None:
    """End every session of a user, wherever it is open."""
    with transaction():
        _set(user_id, session_version=User.session_version + 1)


def hashed(password: str) -> str:
    """A password as it is kept."""
    made: str = hasher().hash(password)
    return made


def change_password(user_id: int, name: str, password: str, address: str, at: datetime) -> int:
    """Keep a new password of the user's own choice and end all other sessions; returns the new session version."""
    hashed = hasher().hash(password)
    with transaction():
        version: int = db.session.execute(
            update(User)
            .where(User.id == user_id)
            .values(password_hash=hashed, session_version=User.session_version + 1, failures=0, locked_until=None)
            .returning(User.session_version)
        ).scalar_one()
        write_line("user", user_id, "change_password", Doer(user_id, name, "", address=address), at, law_text="D")
    return version


def _count_failure(user_id: int, at: datetime) -> None:
    failed, until = User.failures + 1, literal(at + LOCK_FOR, User.locked_until.type)
    with transaction():
        _set(
            user_id,
            failures=case((failed >= LOCK_AFTER, 0), else_=failed),
            locked_until=case((failed >= LOCK_AFTER, until), else_=User.locked_until),
        )


def _set(user_id: int, **values: object) -> None:
    db.session.execute(
        update(User).where(User.id == user_id).values(**values).execution_options(synchronize_session=False)
    )


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """A hash that no password matches, so that an unknown name costs the time of a wrong password."""
    hashed: str = hasher().hash(token_hex(16))
    return hashed
