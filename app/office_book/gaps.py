"""Who would be missing: cases that would stand still when somebody no longer serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from sqlalchemy import ColumnElement, and_, exists, func, select

from app.db import db
from app.models import Case, Mandate, Membership, Office, PartTaken, Subject, User
from app.office_book.base import Reach, in_force_between
from app.registry.text import Sentence, say
from workflows import WORKFLOWS
from workflows.engine import waiting_for
from workflows.grammar import STAY, Workflow
from workflows.people import Role

OFFICERS = (Role.ACCEPTANCE, Role.REVIEW, Role.CONFIRMATION, Role.PROCESSING, Role.HEAD)
"""Roles that act in cases of their office."""


class LeavesNobody(Exception):
    """The change would leave cases with nobody to act; it needs a person's word that this is known."""

    def __init__(self, gaps: Iterable[Gap]) -> None:
        self.gaps = tuple(gaps)
        super().__init__("；".join(gap.text for gap in self.gaps))


@dataclass(frozen=True, slots=True)
class Gap:
    """Cases that would stand still. `now` wait for the role already, `later` will come to it."""

    where: str
    role: Role
    now: int
    later: int = 0

    @property
    def text(self) -> Sentence:
        """In a sentence."""
        said = "{where}有 {total} 件没有人能办：没有合适的{role}，"
        rest = "{now} 件正等着办，{later} 件办到这一步也会停下。" if self.later else "这 {now} 件正等着办。"
        return say(
            said + rest, where=self.where, total=self.now + self.later, role=self.role.title, now=self.now,
            later=self.later,
        )  # fmt: skip


def texts_of(gaps: Iterable[Gap]) -> list[str]:
    """What a journal says of gaps that were accepted."""
    return [str(gap.text) for gap in gaps]


def gaps_without(leaving: ColumnElement[bool], roles: Iterable[tuple[Role, int]], day: date) -> list[Gap]:
    """Cases that nobody could act on any more from `day` without the memberships that `leaving` describes.

    `roles` are the roles and offices they give. Cases that stand still already are not counted.
    """
    wanted = sorted({(role, office) for role, office in roles if role in OFFICERS})
    return [gap for role, office in wanted if (gap := _gap(role, office, leaving, day))]


def filer_gaps(user_id: int, leaving: ColumnElement[bool], day: date, subject_id: int | None = None) -> Iterator[Gap]:
    """Subjects of this user (or the one named) whose cases wait for their filer, and nobody else could act for them."""
    query = (
        select(Subject.id, Subject.name)
        .join(Mandate, Mandate.subject_id == Subject.id)
        .where(Mandate.user_id == user_id, in_force_between(Mandate, day, day))
        .distinct()
        .order_by(Subject.id)
    )
    if subject_id is not None:
        query = query.where(Subject.id == subject_id)
    for subject in db.session.execute(query).all():
        other = (
            select(Mandate.id)
            .join(User, User.id == Mandate.user_id)
            .where(
                Mandate.subject_id == subject.id, ~leaving, User.active.is_(True), in_force_between(Mandate, day, day)
            )
        )
        if db.session.execute(other.limit(1)).first():
            continue
        mine = Case.subject_id == subject.id
        n = sum(
            _count(and_(_open(workflow), mine, Case.state.in_(waiting_for(workflow, Role.FILER))))
            for workflow in WORKFLOWS.values()
        )
        if n:
            yield Gap(subject.name, Role.FILER, n)


def standing_still(reach: Reach, today: date) -> list[tuple[int, Gap]]:
    """Offices in reach whose open cases wait for a role that nobody there holds today, in two statements."""
    open_cases = db.session.execute(
        select(Case.office_id, Office.name, Case.type, Case.edition, Case.state, func.count().label("n"))
        .join(Office, Office.id == Case.office_id)
        .where(Case.final.is_(False), Case.filed_at.is_not(None), reach.offices())
        .group_by(Case.office_id, Office.name, Case.type, Case.edition, Case.state)
        .order_by(Case.office_id)
    ).all()
    if not open_cases:
        return []
    roles = db.session.execute(
        select(Membership.office_id, Membership.role)
        .join(User, User.id == Membership.user_id)
        .where(User.active.is_(True), in_force_between(Membership, today, today))
        .distinct()
    ).all()
    served = {(row.office_id, row.role) for row in roles}
    found: dict[tuple[int, str, Role], int] = {}
    for row in open_cases:
        owner = WORKFLOWS[row.type, row.edition].state[row.state].owner
        if owner in OFFICERS and (row.office_id, owner) not in served:
            key = (row.office_id, row.name, owner)
            found[key] = found.get(key, 0) + row.n
    return [(office_id, Gap(name, role, n)) for (office_id, name, role), n in found.items()]


def _gap(role: Role, office_id: int, leaving: ColumnElement[bool], day: date) -> Gap | None:
    waiting = later = 0
    nobody_left = not _count_people(role, office_id, leaving, day)
    for workflow in WORKFLOWS.values():
        here = and_(_open(workflow), Case.office_id == office_id)
        states, parts = waiting_for(workflow, role), _kept_apart(workflow, role)
        left, before = _somebody(role, day, parts, leaving), _somebody(role, day, parts)
        waiting += _count(and_(here, Case.state.in_(states), ~left, before))
        if nobody_left:
            later += _count(and_(here, Case.state.in_(_on_the_way(workflow, role) - states)))
    if not waiting + later:
        return None
    name = db.session.execute(select(Office.name).where(Office.id == office_id)).scalar_one()
    return Gap(name, role, waiting, later)


def _open(workflow: Workflow) -> ColumnElement[bool]:
    return and_(Case.final.is_(False), Case.type == workflow.code, Case.edition == workflow.edition)


def _kept_apart(workflow: Workflow, role: Role) -> frozenset[str]:
    """Parts whose player may not take the steps by which this role moves a case on."""
    return frozenset(
        other
        for step in workflow.steps
        if role in step.by and step.part
        for _pair, other in workflow.kept_from.get(step.part, ())
    )


@lru_cache(maxsize=64)
def _on_the_way(workflow: Workflow, role: Role) -> frozenset[str]:
    """Open states, the filer's own papers aside, whose shortest road to the first end passes through this role."""
    owned, good_end = waiting_for(workflow, role), next(state.code for state in workflow.states if state.final)
    found = set()
    for state in workflow.states:
        if state.final or state.private:
            continue
        roads: list[tuple[str, ...]] = [(state.code,)]
        seen = {state.code}
        while roads:
            road = roads.pop(0)
            if road[-1] == good_end:
                if owned.intersection(road):
                    found.add(state.code)
                break
            for step in workflow.steps_from[road[-1]]:
                if step.target != STAY and step.target not in seen:
                    seen.add(step.target)
                    roads.append((*road, step.target))
    return frozenset(found)


def _somebody(
    role: Role, day: date, parts: frozenset[str], leaving: ColumnElement[bool] | None = None
) -> ColumnElement[bool]:
    """Somebody in the case's office could act in this role on that day, having played none of `parts` in the case."""
    found = exists().where(
        Membership.office_id == Case.office_id,
        Membership.role == role.value,
        Membership.user_id == User.id,
        User.active.is_(True),
        in_force_between(Membership, day, day),
    )
    if leaving is not None:
        found = found.where(~leaving)
    if parts:
        played = exists().where(
            PartTaken.case_id == Case.id, PartTaken.person == Membership.user_id, PartTaken.part.in_(parts)
        )
        found = found.where(~played)
    return found


def _count_people(role: Role, office_id: int, leaving: ColumnElement[bool], day: date) -> int:
    query = (
        select(func.count())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.office_id == office_id,
            Membership.role == role.value,
            ~leaving,
            User.active.is_(True),
            in_force_between(Membership, day, day),
        )
    )
    return int(db.session.execute(query).scalar_one())


def _count(condition: ColumnElement[bool]) -> int:
    return int(db.session.execute(select(func.count()).select_from(Case).where(condition)).scalar_one())
