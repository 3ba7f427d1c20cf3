"""Accounts and roles: who enters, who serves where from a day until a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select

from app.casework.actor import Person
from app.db import db
from app.models import Mandate, Membership, User
from app.office_book.base import (
    NotDone,
    change,
    first_day_after,
    hold_offices,
    in_force_between,
    iso,
    note,
    reach_of,
    the_account,
    the_office,
    the_user,
)
from app.office_book.gaps import LeavesNobody, filer_gaps, gaps_without, texts_of
from workflows.calendar import legal_day
from workflows.people import Role


def create_user(actor: Person, login: str, name: str, password_hash: str, at: datetime) -> int:
    """A new account without any role; inside `transaction()`. Raises NotDone when the login is taken."""
    if not reach_of(actor).paths:
        raise NotDone("只有管理员能建立账户。")
    if db.session.execute(select(User.id).where(User.login == login)).first():
        raise NotDone("用户名“{login}”已经有人用，请换一个。", login=login)
    account = {"login": login, "name": name, "password_hash": password_hash}
    user_id: int = db.session.execute(
        insert(User).values(active=True, session_version=1, failures=0, **account).returning(User.id)
    ).scalar_one()
    note("user", user_id, "create", actor, at, {"login": login, "name": name})
    return user_id


def rename(actor: Person, user_id: int, name: str, at: datetime) -> None:
    """Correct a person's name; what was signed before keeps the old one."""
    user = the_account(actor, user_id, at)
    if user.name == name:
        raise NotDone("姓名没有变化。")
    change(User, user_id, name=name)
    note("user", user_id, "rename", actor, at, {"from": user.name, "to": name})


def reset_password(actor: Person, user_id: int, password_hash: str, at: datetime) -> None:
    """A new password made by the house, never chosen by the administrator; open sessions end and a lock is lifted."""
    the_account(actor, user_id, at)
    change(
        User,
        user_id,
        password_hash=password_hash,
        session_version=User.session_version + 1,
        failures=0,
        locked_until=None,
    )
    note("user", user_id, "reset_password", actor, at, {})


def close_account(actor: Person, user_id: int, reason: str, accept: bool, at: datetime) -> None:
    """The person enters no more; open sessions end at once. Raises LeavesNobody unless `accept`."""
    user = the_account(actor, user_id, at)
    if not user.active:
        raise NotDone("这个账户已经停用。")
    today = legal_day(at)
    held = _in_force(user_id, today, today)
    hold_offices(row.office_id for row in held)
    gaps = [
        *gaps_without(Membership.user_id == user_id, [(Role(row.role), row.office_id) for row in held], today),
        *filer_gaps(user_id, Mandate.user_id == user_id, today),
    ]
    if gaps and not accept:
        raise LeavesNobody(gaps)
    change(User, user_id, active=False, session_version=User.session_version + 1)
    note("user", user_id, "close", actor, at, {"reason": reason, "gaps": texts_of(gaps)})


def reopen_account(actor: Person, user_id: int, at: datetime) -> None:
    """The person enters again, with the roles and mandates still in force."""
    if the_account(actor, user_id, at).active:
        raise NotDone("这个账户正在使用，不需要恢复。")
    change(User, user_id, active=True, failures=0, locked_until=None)
    note("user", user_id, "reopen", actor, at, {})


def add_membership(
    actor: Person, user_id: int, office_id: int, role: Role, since: date, until: date | None, at: datetime
) -> None:
    """The person serves in an office in a role from a day until a day. Raises NotDone."""
    the_user(actor, user_id)
    office = the_office(actor, office_id)
    if office.kind == "linked" and role is not Role.LINKED:
        raise NotDone("{office}是联动部门，只能设“{role}”。", office=office.name, role=Role.LINKED.title)
    if office.kind != "linked" and role is Role.LINKED:
        raise NotDone("“{role}”只能设在联动部门。", role=role.title)
    if until is not None and until < since:
        raise NotDone("结束日期早于开始日期，请核对。")
    for held in _in_force(user_id, since, until):
        if held.office_id == office_id and held.role == role:
            raise NotDone("这个人在这段时间已经是{office}的{role}。", office=office.name, role=role.title)
        if held.role != role and Role.ADMINISTRATOR in (held.role, role):
            raise NotDone(
                "管理员不办理案件，也不核实法规参数，不能与其他身份由一人兼任；这个人在这段时间是{role}。",
                role=Role(held.role).title,
            )
    begun = {"user_id": user_id, "office_id": office_id, "role": role.value, "valid_from": since}
    never = db.session.execute(select(Membership.id).filter_by(**begun)).scalar()  # ended before it had begun
    if never is not None:
        change(Membership, never, valid_until=until)
    else:
        db.session.execute(insert(Membership).values(**begun, valid_until=until))
    answers = {"office": office.name, "role": role.title, "since": since.isoformat(), "until": iso(until)}
    note("user", user_id, "join", actor, at, answers)


def end_membership(actor: Person, membership_id: int, last_day: date, accept: bool, at: datetime) -> None:
    """The person serves in this role until `last_day`, that day included. Raises NotDone or LeavesNobody."""
    held = db.session.execute(
        select(Membership.user_id, Membership.office_id, Membership.role, Membership.valid_from, Membership.valid_until)
        .where(Membership.id == membership_id)
        .with_for_update()
    ).first()
    if held is None:
        raise NotDone("没有这个身份，可能刚刚被改过。请回到用户页面再看一看。")
    the_user(actor, held.user_id)
    office = the_office(actor, held.office_id)
    role = Role(held.role)
    gaps = gaps_without(Membership.id == membership_id, [(role, held.office_id)], first_day_after(held, last_day, at))
    if gaps and not accept:
        raise LeavesNobody(gaps)
    change(Membership, membership_id, valid_until=last_day)
    answers = {"office": office.name, "role": role.title, "until": last_day.isoformat(), "gaps": texts_of(gaps)}
    note("user", held.user_id, "part", actor, at, answers)


def _in_force(user_id: int, since: date, until: date | None) -> list[Any]:
    """The memberships of a user that are in force on some day of a stretch."""
    query = select(Membership.office_id, Membership.role).where(
        Membership.user_id == user_id, in_force_between(Membership, since, until)
    )
    return list(db.session.execute(query.order_by(Membership.id)).all())
