"""The legal office vouches for one law row as it stands. An attestation names the row's digest and nothing else."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, insert, or_, select
from sqlalchemy.orm import aliased

from app.casework.actor import Person
from app.db import db
from app.journal import Doer, write_line
from app.models import Attestation, Office, User
from app.office_book.base import NotDone
from workflows.law import RuleRow, UnknownRule, rule
from workflows.people import Role


def attest(actor: Person, rule_id: str, digest: str, note: str, at: datetime) -> int:
    """Record that the legal office has checked a row against its source; inside `transaction()`.

    Raises NotDone for anybody but the legal office, for a row that is not there any more, that says nothing, that was
    seen in a copy already, or that somebody has vouched for.
    """
    held = [office for role, office in sorted(actor.memberships) if role is Role.LEGAL]
    if not held:
        raise NotDone("法规参数由法制机构核实；管理员可以查看，不能核实。")
    office = _at_the_top(held)
    if office is None:
        raise NotDone("法规参数全省只有一套，由省级法制机构核实；您可以查看。")
    row = _row(rule_id, digest)
    if row.value is None:
        raise NotDone("这一行还没有查到数值，没有可以核实的内容。查到以后随新版本发布。")
    if row.verified:
        raise NotDone("这一行已经对照公布的文本看过，不需要再核实。")
    earlier = db.session.execute(
        select(User.name, Attestation.at)
        .join(User, User.id == Attestation.user_id)
        .where(Attestation.rule == rule_id, Attestation.row == digest)
    ).first()
    if earlier is not None:
        raise NotDone("这一行已由{name}核实，不用再核实一次。", name=earlier.name)
    attestation_id: int = db.session.execute(
        insert(Attestation)
        .values(rule=rule_id, row=digest, user_id=actor.person, at=at, note=note)
        .returning(Attestation.id)
    ).scalar_one()
    doer = Doer(actor.person, actor.name, Role.LEGAL.value, office, address=actor.address)
    answers = {"rule": rule_id, "row": digest, "value": row.value, "unit": row.unit, "note": note}
    write_line("law", attestation_id, "attest", doer, at, law_text=row.instrument, answers=answers)
    return attestation_id


def _at_the_top(offices: list[int]) -> int | None:
    """The first of these offices that is the department at the top of the tree or a division of it."""
    above = aliased(Office)
    top = or_(Office.parent_id.is_(None), and_(Office.kind == "division", above.parent_id.is_(None)))
    found: int | None = db.session.execute(
        select(Office.id)
        .outerjoin(above, above.id == Office.parent_id)
        .where(Office.id.in_(offices), top)
        .order_by(Office.id)
        .limit(1)
    ).scalar()
    return found


def _row(rule_id: str, digest: str) -> RuleRow:
    """The row of that digest. Raises NotDone when this release has another text."""
    try:
        rows = rule(rule_id).rows
    except UnknownRule:
        rows = ()
    found = next((row for row in rows if row.digest == digest), None)
    if found is None:
        raise NotDone("这一行的内容已经随新版本改变，请重新打开页面，核对现在的内容。")
    return found
