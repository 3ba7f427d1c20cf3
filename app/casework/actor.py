"""A person who acts, with the mandates and memberships in force at that moment, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import literal, or_, select, union_all

from app.db import db
from app.journal import Doer
from app.models import Mandate, Membership, Office, User
from workflows.grammar import CaseFacts
from workflows.people import Carries, Role, carried_by, carrying


@dataclass(frozen=True, slots=True)
class Person:
    """Who stands at the counter. `paths` are the branches of the office tree their memberships open."""

    person: int
    name: str
    login: str = ""
    session_version: int = 1
    mandates: frozenset[int] = frozenset()
    capacities: tuple[tuple[int, str], ...] = ()
    memberships: frozenset[tuple[Role, int]] = frozenset()
    offices: tuple[tuple[int, str], ...] = ()
    paths: tuple[str, ...] = ()
    carries: frozenset[Carries] = frozenset()
    address: str = field(default="", compare=False)

    @property
    def roles(self) -> frozenset[Role]:
        """Every role held anywhere."""
        return frozenset(role for role, _ in self.memberships)

    def capacity_for(self, subject: int) -> str:
        """In which capacity this person acts for a subject, empty without a mandate."""
        return next((capacity for of, capacity in self.capacities if of == subject), "")


CASEWORK_ROLES = frozenset((Role.ACCEPTANCE, Role.REVIEW, Role.CONFIRMATION, Role.PROCESSING, Role.HEAD, Role.LEGAL))


def load_person(user_id: int, today: date, address: str = "") -> Person | None:
    """The person behind a user as of `today`, in two statements; None when the user does not exist or is not active."""
    user = db.session.execute(
        select(User.id, User.name, User.login, User.session_version).where(User.id == user_id, User.active.is_(True))
    ).first()
    if user is None:
        return None
    memberships = (
        select(
            literal("m").label("kind"),
            Membership.role.label("what"),
            Membership.office_id.label("of"),
            Office.path.label("path"),
            Office.name.label("name"),
            Office.receives.label("receives"),
        )
        .join(Office, Office.id == Membership.office_id)
        .where(
            Membership.user_id == user_id,
            Membership.valid_from <= today,
            or_(Membership.valid_until.is_(None), Membership.valid_until >= today),
        )
    )
    mandates = select(
        literal("s").label("kind"),
        Mandate.capacity.label("what"),
        Mandate.subject_id.label("of"),
        literal("").label("path"),
        literal("").label("name"),
        literal("").label("receives"),
    ).where(
        Mandate.user_id == user_id,
        Mandate.valid_from <= today,
        or_(Mandate.valid_until.is_(None), Mandate.valid_until >= today),
    )
    rows = db.session.execute(union_all(memberships, mandates)).all()
    held = [row for row in rows if row.kind == "m"]
    acts_for = [row for row in rows if row.kind == "s"]
    return Person(
        person=user.id,
        name=user.name,
        login=user.login,
        session_version=user.session_version,
        mandates=frozenset(row.of for row in acts_for),
        capacities=tuple((row.of, row.what) for row in acts_for),
        memberships=frozenset((Role(row.what), row.of) for row in held),
        offices=tuple(dict.fromkeys((row.of, row.name) for row in held)),
        paths=tuple({row.path: None for row in held if Role(row.what) in CASEWORK_ROLES}),
        carries=frozenset(filter(None, (carrying(Role(row.what), row.of, row.receives) for row in held))),
        address=address,
    )


def hand(actor: Person, role: Role, case: CaseFacts) -> Doer:
    """Who the journal says did something in a case, in this role: an officer in the case's office, a filer on behalf of
    the subject, a carrier on its behalf and in the office they carry for."""
    carrier = carried_by(actor, case.office, case.channel) if role is Role.CARRIER else None
    return Doer(
        person=actor.person,
        name=actor.name,
        role=str(role),
        office=carrier.office if carrier else None if role is Role.FILER else case.office,
        on_behalf_of=case.subject if role in (Role.FILER, Role.CARRIER) else None,
        address=actor.address,
    )
