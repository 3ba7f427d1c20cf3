"""The demonstration: invented subjects, penalties and people, the offices of the province, a case in every state."""

from __future__ import annotations

import secrets
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from app.db import db, transaction
from app.models import User
from app.seeds.cast import PEOPLE


def seed() -> str:
    """Fill an empty instance; an instance that has users is left alone. Returns the sign-ins, one a line."""
    sign_ins = Path(current_app.config["INSTANCE"]) / "run" / "sign-ins.txt"
    filled = db.session.execute(select(User.id).limit(1)).first() is not None
    db.session.rollback()
    if filled:
        return sign_ins.read_text() if sign_ins.exists() else ""
    from app.seeds.plant import plant
    from app.seeds.stories import tell

    password = "-".join(secrets.token_hex(2) for _ in range(3))
    with transaction():
        planted = plant(password)
    text = "".join(f"{person.login}\t{password}\t{person.name}，{person.part}\n" for person in PEOPLE)
    sign_ins.touch(0o600)
    sign_ins.write_text(text)  # before the stories: whoever is planted can sign in, even if the telling is cut short
    tell(planted)
    return text
