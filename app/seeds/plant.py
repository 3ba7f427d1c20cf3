"""Planting the rows of the demonstration: offices, people with mandates and memberships, subjects, penalties."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import insert, update

from app.db import db
from app.models import Identifier, Jurisdiction, Mandate, Membership, Office, Subject, User
from app.now import now
from app.registry.blind import blind_index
from app.registry.enter import Standing, enter_penalty
from app.sealed import house_keys, seal
from app.security import hasher
from app.seeds.cast import PEOPLE, SUBJECTS
from app.seeds.invent import InventedSubject, invent_penalties, table
from workflows.calendar import legal_day

SINCE = date(2020, 1, 1)
FINE_SIZE = {"轻微": "较少", "一般": "较大", "严重": "巨额"}
OTHERS = 48
"""Penalties of invented subjects beside those of the stories."""


@dataclass
class Planted:
    """Ids by the names the stories use."""

    offices: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    subjects: dict[str, int] = field(default_factory=dict)


def plant(password: str) -> Planted:
    """Insert everybody and everything that the stories stand on; inside `transaction()`."""
    planted = Planted()
    _offices(planted)
    for key, subject in SUBJECTS.items():
        planted.subjects[key] = plant_subject(subject)
    _people(planted, password)
    _penalties(planted)
    return planted


def plant_subject(subject: InventedSubject) -> int:
    """A subject with its identifier; an ID number is sealed and found by its blind index only."""
    subject_id = _id(
        Subject,
        kind=subject.kind,
        name=subject.name,
        legal_representative=subject.legal_representative,
        region=subject.region,
        trade=subject.domain,
    )
    if subject.code:
        _id(Identifier, subject_id=subject_id, kind="uscc", value=subject.code, valid_from=SINCE)
    if subject.id_number:
        index = bytes.fromhex(current_app.config["INDEX_KEY"])
        _id(
            Identifier,
            subject_id=subject_id,
            kind="id_card",
            sealed=seal(subject.id_number, house_keys(), "identifier"),
            blind=blind_index(subject.id_number, index, "identifier"),
            valid_from=SINCE,
        )
    return subject_id


def _offices(planted: Planted) -> None:
    paths: dict[str, str] = {"": "/"}
    for row in table("offices"):
        parent = row["parent_code"]
        office_id = _id(
            Office,
            code=row["code"],
            name=row["name"],
            short=row["short"],
            kind=row["kind"],
            parent_id=planted.offices.get(parent),
            path=row["code"],
            region=row["region_code"],
            word=row["organ_word"],
            review_body=row["review_body"],
            receives=row["receives"],
            listens_since=SINCE if row["receives"] else None,
            phone=row["phone"],
            address=row["address"],
        )
        paths[row["code"]] = f"{paths[parent]}{office_id}/"
        db.session.execute(update(Office).where(Office.id == office_id).values(path=paths[row["code"]]))
        planted.offices[row["code"]] = office_id
    db.session.execute(
        insert(Jurisdiction),
        [
            {"office_id": planted.offices[row["office"]], "region": row["region"], "name": row["name"]}
            for row in table("jurisdictions")
        ],
    )


def _people(planted: Planted, password: str) -> None:
    hashed = hasher().hash(password)
    for person in PEOPLE:
        user_id = _id(
            User, login=person.login, name=person.name, password_hash=hashed, active=True, session_version=1, failures=0
        )
        planted.users[person.login] = user_id
        for mandate in person.mandates:
            _id(
                Mandate,
                user_id=user_id,
                subject_id=planted.subjects[mandate.subject],
                capacity=mandate.capacity,
                evidence=mandate.evidence,
                valid_from=mandate.since,
                valid_until=mandate.until,
            )
        for membership in person.memberships:
            _id(
                Membership,
                user_id=user_id,
                office_id=planted.offices[membership.office],
                role=membership.role,
                valid_from=membership.since,
                valid_until=membership.until,
            )


def _penalties(planted: Planted) -> None:
    """Penalties of others, in the mess of real sheets; whoever they are about is planted with them."""
    at = now()
    rng = random.Random(20261124)
    known: dict[str, int] = {}
    for n, penalty in enumerate(invent_penalties(OTHERS, rng, until=legal_day(at) - timedelta(days=1))):
        key = penalty.subject.code or penalty.subject.id_number
        if key not in known:
            known[key] = plant_subject(penalty.subject)
        unclassed = n % 12 == 5  # some wait for a person to class them
        standing = Standing(
            procedure="simple" if penalty.cls == "轻微" else "ordinary",
            fine_size=None if unclassed else FINE_SIZE[penalty.cls],
            assigned=None if unclassed else penalty.cls,
            duty=rng.choice(("performed", "performed", "unknown", "outstanding")),
        )
        enter_penalty(known[key], planted.offices[penalty.office], penalty.received, standing, at)


def _id(model: Any, **values: Any) -> int:
    return int(db.session.execute(insert(model.__table__).values(**values).returning(model.id)).scalar_one())
