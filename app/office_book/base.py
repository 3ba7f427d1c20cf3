"""What every change in the book needs: an administrator's reach, the row under a lock, a line in the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_, select, true, update

from app.casework.actor import Person
from app.db import db
from app.journal import Doer, write_line
from app.models import Mandate, Membership, Office, User
from app.registry.text import Sentence, say
from workflows.calendar import legal_day
from workflows.people import Role

ACTS = {
    "create": "建立账户",
    "rename": "改姓名",
    "close": "停用账户",
    "reopen": "恢复账户",
    "reset_password": "重设密码",
    "change_password": "本人修改密码",
    "join": "增加身份",
    "part": "结束身份",
    "entrust": "登记委托",
    "end_mandate": "结束委托",
    "sign_up": "本人注册",
    "ask_mandate": "申请登记委托",
    "withdraw_request": "撤回委托申请",
    "refuse_mandate": "不予登记委托",
    "edit": "修改机构信息",
    "make_secret": "换发通知签名密钥",
    "add_key": "登记回执公钥",
    "end_key": "停用密钥",
    "make_api_key": "开通接口密钥",
    "end_api_key": "停用接口密钥",
    "endpoint": "改接收方式",
    "stop_endpoint": "停止发送",
    "resume_endpoint": "恢复发送",
    "subscribe": "增加订阅",
    "end_subscription": "结束订阅",
}
"""What an act in this book is called."""


class NotDone(ValueError):
    """The change was not made; `sentence` says why and what to do."""

    def __init__(self, template: str, **values: object) -> None:
        self.sentence: Sentence = say(template, **values)
        super().__init__(self.sentence)


@dataclass(frozen=True, slots=True)
class Reach:
    """The branches of the office tree an administrator looks after; `whole` for one of the department at the top."""

    paths: tuple[str, ...]
    whole: bool
    office: int | None

    def covers(self, path: str) -> bool:
        """True for an office in one of the branches."""
        return self.whole or any(path.startswith(branch) for branch in self.paths)

    def offices(self) -> ColumnElement[bool]:
        """The condition on `Office`."""
        if self.whole:
            return true()
        return or_(false(), *(Office.path.startswith(path, autoescape=True) for path in self.paths))

    def users(self) -> ColumnElement[bool]:
        """The condition on `User`: people of the branch, and people who serve nowhere; nobody without a branch."""
        if self.whole:
            return true()
        if not self.paths:
            return false()
        serves = exists().where(Membership.user_id == User.id)
        inside = serves.where(Membership.office_id == Office.id, self.offices())
        return or_(inside, ~serves)


def reach_of(actor: Person) -> Reach:
    """What this administrator looks after; nothing for anybody else. One statement."""
    offices = [office for role, office in actor.memberships if role is Role.ADMINISTRATOR]
    if not offices:
        return Reach((), False, None)
    rows = db.session.execute(
        select(Office.id, Office.path, Office.parent_id, Office.kind).where(Office.id.in_(offices)).order_by(Office.id)
    ).all()
    whole = any(row.parent_id is None and row.kind == "organ" for row in rows)
    return Reach(tuple(row.path for row in rows), whole, rows[0].id)


def in_force_between(table: type[Membership] | type[Mandate], since: date, until: date | None) -> ColumnElement[bool]:
    """Rows in force on some day of a stretch, both ends included."""
    still = or_(table.valid_until.is_(None), table.valid_until >= since)
    return still if until is None else and_(still, table.valid_from <= until)


def the_user(actor: Person, user_id: int) -> Any:
    """The user, locked, when this administrator may change them. Raises NotDone."""
    if user_id == actor.person:
        raise NotDone("不能修改自己的账户和身份，请另一位管理员办理。")
    user = db.session.execute(
        select(User.id, User.name, User.active).where(User.id == user_id).with_for_update()
    ).first()
    seen = db.session.execute(select(User.id).where(User.id == user_id, reach_of(actor).users())).first()
    if user is None or seen is None:
        raise NotDone("没有这个用户，或者不归您管理。")
    return user


def the_account(actor: Person, user_id: int, at: datetime) -> Any:
    """The user, locked, when this administrator looks after every office they serve in now or will serve in: who can
    give an account a new password can enter in all its roles. Raises NotDone."""
    user = the_user(actor, user_id)
    elsewhere = (
        select(Membership.id)
        .join(Office, Office.id == Membership.office_id)
        .where(
            Membership.user_id == user_id,
            in_force_between(Membership, legal_day(at), None),
            not_(reach_of(actor).offices()),
        )
    )
    if db.session.execute(elsewhere.limit(1)).first():
        raise NotDone("这个人还在不归您管理的单位任职，账户由省级管理员办理；本单位的身份您可以照常增加和结束。")
    return user


def the_office(actor: Person, office_id: int) -> Any:
    """The office, locked, when this administrator may change it. Raises NotDone."""
    office = db.session.execute(select(*Office.__table__.c).where(Office.id == office_id).with_for_update()).first()
    if office is None or not reach_of(actor).covers(office.path):
        raise NotDone("没有这个机构，或者不归您管理。")
    return office


def hold_offices(ids: Iterable[int]) -> None:
    """Lock offices in one order, so that two administrators do not each take away one of the last two people."""
    wanted = sorted(set(ids))
    if wanted:
        db.session.execute(select(Office.id).where(Office.id.in_(wanted)).order_by(Office.id).with_for_update()).all()


def change(table: Any, row_id: int, **values: Any) -> None:
    """Set columns of one row."""
    db.session.execute(
        update(table).where(table.id == row_id).values(**values).execution_options(synchronize_session=False)
    )


def note(about: str, about_id: int, act: str, actor: Person, at: datetime, answers: dict[str, Any]) -> None:
    """A journal line by an administrator."""
    office = reach_of(actor).office
    doer = Doer(actor.person, actor.name, Role.ADMINISTRATOR.value, office, address=actor.address)
    write_line(about, about_id, act, doer, at, law_text="D", answers=answers)


def first_day_after(held: Any, last_day: date, at: datetime) -> date:
    """The first day without what is being ended, today at the earliest. Raises NotDone for an impossible last day."""
    if held.valid_until is not None and held.valid_until < legal_day(at):
        raise NotDone("这一项已经结束，不再修改。")
    if held.valid_until is not None and held.valid_until < last_day:
        raise NotDone("这一项已经定在 {day} 结束，不能往后改；要延长请另登记一段。", day=held.valid_until.isoformat())
    if last_day < held.valid_from - timedelta(days=1):
        raise NotDone("最后一天早于开始的日子。要让它从来没有生效，请填开始日期的前一天。")
    return max(last_day + timedelta(days=1), legal_day(at))


def iso(day: date | None) -> str:
    """A day as a journal keeps it, empty for none."""
    return day.isoformat() if day else ""
