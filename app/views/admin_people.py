"""What the pages about people and offices show, read in a handful of statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, func, or_, select

from app.db import db
from app.journal import problems_of
from app.models import Case, Identifier, JournalLine, Mandate, Membership, Office, OfficeCertificate, Subject, User
from app.models.sharing import CHANNELS_OUT
from app.models.subject import CAPACITIES
from app.office_book.base import ACTS, Reach, in_force_between
from app.views.case_journal import LogLine
from app.views.texts import day_year
from workflows import WORKFLOWS
from workflows.people import NO_MEMBERSHIP, ROLE_TITLES, Role

PAGE = 20
ROLES = tuple(role for role in Role if role not in NO_MEMBERSHIP)
"""Roles that a membership gives."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A person in the list. `serves` and `acts_for` are words."""

    id: int
    login: str
    name: str
    active: bool
    locked: bool
    serves: tuple[str, ...]
    acts_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class People:
    """A page of people in the order of their logins, and where the pages before and after it begin."""

    shown: tuple[Listed, ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Held:
    """A role or mandate with its stretch of time; `over` once it has ended, `ahead` before it has begun."""

    id: int
    what: str
    where: str
    evidence: str
    since: date
    until: date | None
    over: bool
    ahead: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """An office in the tree: how deep, how many people serve there today, what keeps it from issuing documents."""

    office: Row[Any]
    depth: int
    people: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Offices shown together: the department, a city with its counties, the departments told of results."""

    title: str
    branches: tuple[Branch, ...]

    @property
    def people(self) -> int:
        """Roles held there today."""
        return sum(branch.people for branch in self.branches)

    @property
    def lacking(self) -> int:
        """How many of them cannot issue documents."""
        return sum(bool(branch.missing) for branch in self.branches)


@dataclass(frozen=True, slots=True)
class Journal:
    """Journal lines for a page, newest first, and whether their chain holds."""

    lines: tuple[LogLine, ...]
    intact: bool


def people(reach: Reach, q: str, after: str, before: str, at: datetime, today: date) -> People:
    """One page of the people in reach whose name or login contains `q`."""
    query = select(User.id, User.login, User.name, User.active, User.locked_until).where(reach.users())
    if q:
        like = (User.name.contains(q, autoescape=True), User.login.contains(q.lower(), autoescape=True))
        query = query.where(or_(*like))
    if before:
        query = query.where(User.login < before).order_by(User.login.desc())
    else:
        query = query.where(User.login > after).order_by(User.login)
    rows = list(db.session.execute(query.limit(PAGE + 1)).all())
    more, rows = len(rows) > PAGE, rows[:PAGE]
    if before:
        rows.reverse()
    serves = _serves([row.id for row in rows], today)
    acts_for = _acts_for([row.id for row in rows], today)
    shown = tuple(
        Listed(
            row.id, row.login, row.name, row.active, bool(row.locked_until and row.locked_until > at),
            serves.get(row.id, ()), acts_for.get(row.id, ()),
        )
        for row in rows
    )  # fmt: skip
    if not shown:
        return People((), "", "")
    first, last = shown[0].login, shown[-1].login
    return People(shown, first if (more if before else after) else "", last if (before or more) else "")


def _serves(ids: list[int], today: date) -> dict[int, tuple[str, ...]]:
    rows = db.session.execute(
        select(Membership.user_id, Membership.role, Office.short)
        .join(Office, Office.id == Membership.office_id)
        .where(Membership.user_id.in_(ids), in_force_between(Membership, today, today))
        .order_by(Membership.id)
    ).all()
    return _by_first((row.user_id, f"{row.short} {ROLE_TITLES[Role(row.role)]}") for row in rows)


def _acts_for(ids: list[int], today: date) -> dict[int, tuple[str, ...]]:
    rows = db.session.execute(
        select(Mandate.user_id, Mandate.capacity, Subject.name)
        .join(Subject, Subject.id == Mandate.subject_id)
        .where(Mandate.user_id.in_(ids), in_force_between(Mandate, today, today))
        .order_by(Mandate.id)
    ).all()
    return _by_first((row.user_id, f"{row.name} {_(CAPACITIES[row.capacity])}") for row in rows)


def _by_first(pairs: Iterable[tuple[int, str]]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for key, words in pairs:
        found[key] = (*found.get(key, ()), words)
    return found


def the_person(reach: Reach, user_id: int) -> Any:
    """A user in reach."""
    return db.session.execute(
        select(User.id, User.login, User.name, User.active, User.locked_until).where(User.id == user_id, reach.users())
    ).first()


def roles_of(user_id: int, today: date) -> list[Held]:
    """Every role a user has or had, those in force first."""
    rows = db.session.execute(
        select(Membership.id, Membership.role, Office.name, Membership.valid_from, Membership.valid_until)
        .join(Office, Office.id == Membership.office_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.valid_from.desc(), Membership.id.desc())
    ).all()
    return _ordered(_held(row, ROLE_TITLES[Role(row.role)], row.name, "", today) for row in rows)


def mandates_of(user_id: int, today: date) -> list[Held]:
    """Everybody a user may or might act for, those in force first."""
    rows = db.session.execute(
        select(Mandate.id, Mandate.capacity, Mandate.evidence, Subject.name, Mandate.valid_from, Mandate.valid_until)
        .join(Subject, Subject.id == Mandate.subject_id)
        .where(Mandate.user_id == user_id)
        .order_by(Mandate.valid_from.desc(), Mandate.id.desc())
    ).all()
    return _ordered(_held(row, _(CAPACITIES[row.capacity]), row.name, row.evidence, today) for row in rows)


def _held(row: Any, what: str, where: str, evidence: str, today: date) -> Held:
    over = row.valid_until is not None and row.valid_until < today
    return Held(row.id, what, where, evidence, row.valid_from, row.valid_until, over, row.valid_from > today)


def _ordered(held: Iterable[Held]) -> list[Held]:
    return sorted(held, key=lambda each: each.over)


def one_role(membership_id: int) -> Any:
    """A membership with its person and office."""
    return db.session.execute(
        select(Membership.id, Membership.user_id, Membership.role, Office.name.label("where"), User.name)
        .join(Office, Office.id == Membership.office_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.id == membership_id)
    ).first()


def one_mandate(mandate_id: int) -> Any:
    """A mandate with its person and subject."""
    return db.session.execute(
        select(Mandate.id, Mandate.user_id, Mandate.capacity, Subject.name.label("where"), User.name)
        .join(Subject, Subject.id == Mandate.subject_id)
        .join(User, User.id == Mandate.user_id)
        .where(Mandate.id == mandate_id)
    ).first()


def subject_of(kind: str, value: str) -> int | None:
    """The subject of a code (`value`), or of an ID number by its blind index (`blind`)."""
    column = Identifier.value if kind == "value" else Identifier.blind
    found: int | None = db.session.execute(select(Identifier.subject_id).where(column == value)).scalar()
    return found


def tree(reach: Reach | None, today: date) -> list[Branch]:
    """The offices in reach (all without one), each after the one it stands under, departments told of results last."""
    rows = db.session.execute(select(*Office.__table__.c).order_by(Office.id)).all()
    counted = db.session.execute(
        select(Membership.office_id, func.count(Membership.user_id.distinct()).label("n"))
        .join(User, User.id == Membership.user_id)
        .where(User.active.is_(True), in_force_between(Membership, today, today))
        .group_by(Membership.office_id)
    ).all()
    served = {row.office_id: row.n for row in counted}
    by_id = {row.id: row for row in rows}
    below: dict[int | None, list[Row[Any]]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)
    found: list[Branch] = []

    def walk(parent: int | None, depth: int) -> None:
        for row in sorted(below.get(parent, ()), key=lambda row: (row.kind == "linked", row.kind == "organ", row.id)):
            found.append(Branch(row, depth, served.get(row.id, 0), missing(row, by_id)))
            walk(row.id, depth + 1)

    walk(None, 0)
    return [branch for branch in found if reach is None or reach.covers(branch.office.path)]


def clusters(branches: Iterable[Branch]) -> list[Cluster]:
    """The tree in pieces: an organ below the top begins its own; departments told of results come last."""
    found: dict[str, list[Branch]] = {}
    title = ""
    for branch in branches:
        office = branch.office
        if office.kind == "linked":
            title = _("联动部门")
        elif branch.depth == 0 or (branch.depth == 1 and office.kind == "organ") or not title:
            title = office.name
        found.setdefault(title, []).append(branch)
    return [Cluster(title, tuple(group)) for title, group in found.items()]


def missing(office: Row[Any], by_id: Mapping[int, Row[Any]]) -> tuple[str, ...]:
    """What an office lacks for issuing documents. A division issues in the name of the organ above it."""
    if office.kind == "linked":
        return ()
    issuer = office
    while issuer.kind == "division" and issuer.parent_id in by_id:
        issuer = by_id[issuer.parent_id]
    wanted = ((issuer.word, _("代字")), (issuer.review_body, _("复议机关")))
    return tuple(name for value, name in wanted if not value)


def office_with_parents(office_id: int) -> tuple[Row[Any], dict[int, Row[Any]]] | None:
    """An office and, by id, those above it."""
    office = db.session.execute(select(*Office.__table__.c).where(Office.id == office_id)).first()
    if office is None:
        return None
    ids = [int(part) for part in office.path.split("/") if part]
    above = db.session.execute(select(*Office.__table__.c).where(Office.id.in_(ids))).all()
    return office, {row.id: row for row in above}


def staff_of(office_id: int, today: date) -> list[Any]:
    """Who serves in an office today, in the order of roles."""
    rows = db.session.execute(
        select(User.id, User.name, User.active, Membership.role, Membership.valid_from, Membership.valid_until)
        .join(User, User.id == Membership.user_id)
        .where(Membership.office_id == office_id, in_force_between(Membership, today, today))
        .order_by(Membership.id)
    ).all()
    return sorted(rows, key=lambda row: list(Role).index(Role(row.role)))


def open_cases(office_id: int) -> list[tuple[str, str, int]]:
    """How many open cases of an office stand in each state: (state, who has them, how many)."""
    rows = db.session.execute(
        select(Case.type, Case.edition, Case.state, func.count().label("n"))
        .where(Case.office_id == office_id, Case.final.is_(False), Case.filed_at.is_not(None))
        .group_by(Case.type, Case.edition, Case.state)
    ).all()
    found = []
    for row in rows:
        workflow = WORKFLOWS[row.type, row.edition]
        state = workflow.state[row.state]
        place = list(workflow.state).index(row.state)
        found.append((place, f"{workflow.title} · {state.title}", state.owner.title if state.owner else "", row.n))
    return [(title, owner, n) for _place, title, owner, n in sorted(found)]


def certificate_until(office_id: int) -> datetime | None:
    """When the last signing certificate of an office ends."""
    found: datetime | None = db.session.execute(
        select(func.max(OfficeCertificate.valid_until)).where(OfficeCertificate.office_id == office_id)
    ).scalar()
    return found


def journal_of(about: str, about_id: int) -> Journal:
    """What was changed about a person or an office, and by whom."""
    rows = db.session.execute(
        select(*JournalLine.__table__.c)
        .where(JournalLine.about == about, JournalLine.about_id == about_id)
        .order_by(JournalLine.seq)
    ).all()
    lines = tuple(
        LogLine(
            at=row.at,
            title=_(ACTS.get(row.act, row.act)),
            person=row.person_name,
            role=ROLE_TITLES[Role(row.role)] if row.role else "",
            office="",
            on_behalf_of="",
            law_text="",
            note=_told(row.act, row.answers or {}),
        )
        for row in reversed(rows)
    )
    return Journal(lines, not problems_of(rows))


FIELDS = {
    "word": "代字",
    "review_body": "复议机关",
    "review_address": "在线复议入口",
    "phone": "电话",
    "address": "地址",
}


def _told(act: str, answers: Mapping[str, Any]) -> str:
    """What a line says of its change, in a sentence."""
    match act:
        case "create" | "sign_up":
            return f"{answers.get('name', '')}（{answers.get('login', '')}）"
        case "rename":
            return _("由%(before)s改为%(after)s", before=answers.get("from", ""), after=answers.get("to", ""))
        case "close":
            return "；".join([answers.get("reason", ""), *answers.get("gaps", [])])
        case "join":
            return f"{answers.get('office', '')} {answers.get('role', '')}，{_stretch(answers)}"
        case "entrust":
            capacity = CAPACITIES.get(answers.get("capacity", ""), "")
            return f"{answers.get('subject', '')} {capacity}，{_stretch(answers)}。{answers.get('evidence', '')}"
        case "part" | "end_mandate":
            where = answers.get("office") or answers.get("subject", "")
            until = _("到%(day)s为止", day=_day(answers.get("until")))
            why = filter(None, [answers.get("reason", "")])
            return "；".join([f"{where} {answers.get('role', '')} {until}", *why, *answers.get("gaps", [])])
        case "ask_mandate" | "withdraw_request" | "refuse_mandate":
            capacity = CAPACITIES.get(answers.get("capacity", ""), "")
            asked = " ".join(filter(None, (answers.get("receipt", ""), answers.get("code", ""), capacity)))
            return "；".join(filter(None, (asked, answers.get("reason", ""))))
        case "edit":
            before, after = answers.get("from", {}), answers.get("to", {})
            said = _("%(what)s由“%(before)s”改为“%(after)s”")
            return "；".join(
                said % {"what": _(FIELDS[name]), "before": before.get(name, ""), "after": value}
                for name, value in after.items()
                if name in FIELDS
            )
        case "make_secret" | "add_key" | "end_key" | "make_api_key" | "end_api_key":
            return "；".join(filter(None, (answers.get("name", ""), answers.get("reason", ""))))
        case "endpoint":
            channel = CHANNELS_OUT.get(answers.get("to", {}).get("channel", ""), "")
            return "；".join(filter(None, (channel, answers.get("to", {}).get("address", ""))))
        case "stop_endpoint" | "resume_endpoint":
            return str(answers.get("reason", ""))
        case _:
            return ""


def _stretch(answers: Mapping[str, Any]) -> str:
    since, until = _day(answers.get("since")), _day(answers.get("until"))
    return _("%(since)s至%(until)s", since=since, until=until) if until else _("%(since)s起", since=since)


def _day(kept: str | None) -> str:
    """A day as a journal keeps it, in words."""
    return day_year(date.fromisoformat(kept)) if kept else ""
