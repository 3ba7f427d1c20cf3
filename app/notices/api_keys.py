"""Keys of departments to the interface: made once, shown once, kept as a digest, ended at once.

A key reads `jn_<prefix>_<secret>`. The prefix finds the row; the secret has 256 random bits, so that its SHA-256 is as
good as any slower digest. Several may be in force at once: that is how one is changed without an interruption.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import and_, insert, or_, select, update

from app.db import db
from app.journal import Doer, write_line
from app.models import ApiKey, Membership, Office, User
from workflows.calendar import legal_day

SCOPES = {
    "notices": "取通知",
    "receipts": "交回执",
    "statements": "对账",
    "filings": "推送修复申请",
    "steps": "办理案件",
    "files": "查信用档案（社会公开）",
    "shared": "查信用档案（政务共享）",
}
"""What a key may be made for, and what that is called."""
GRANTED = frozenset(("shared",))
"""What nobody gives to their own department: the range of 政务共享 is opened by an administrator."""

PER_MINUTE = 600
MOST_PER_MINUTE = 6000
PER_DAY = 10_000
MOST_PER_DAY = 1_000_000
USED_EVERY = timedelta(minutes=1)
"""How often it is noted that a key is in use."""

_KEY = re.compile(r"jn_([0-9a-f]{12})_([0-9A-Za-z_-]{43})")
_NOBODYS = hashlib.sha256(b"").hexdigest()


class KeyNotMade(ValueError):
    """The key was not made or ended; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The department whose key was shown, within its validity, and the person who answers for what is done with it."""

    api_key: int
    office_id: int
    user_id: int
    scopes: frozenset[str]
    per_minute: int
    per_day: int
    label: str
    office_kind: str
    office_path: str
    receives: str
    last_used_at: datetime | None

    def to_note(self, at: datetime) -> bool:
        """Whether it is time to note again that the key is in use."""
        return self.last_used_at is None or at - self.last_used_at >= USED_EVERY


def holder_of(secret: str, at: datetime) -> Holder | None:
    """Whose key this is at `at`; None for a text that is no key, an unknown, not yet valid or ended one."""
    shape = _KEY.fullmatch(secret)
    if shape is None:
        return None
    row = db.session.execute(
        select(
            ApiKey.id, ApiKey.office_id, ApiKey.user_id, ApiKey.label, ApiKey.digest, ApiKey.scopes, ApiKey.per_minute,
            ApiKey.per_day, ApiKey.valid_from, ApiKey.valid_until, ApiKey.last_used_at, Office.kind, Office.path,
            Office.receives,
        )
        .join(Office, Office.id == ApiKey.office_id)
        .where(ApiKey.prefix == shape[1])
    ).first()  # fmt: skip
    same = hmac.compare_digest(_digest(secret), row.digest if row else _NOBODYS)
    if row is None or not same or at < row.valid_from or (row.valid_until is not None and at >= row.valid_until):
        return None
    return Holder(
        row.id, row.office_id, row.user_id, frozenset(row.scopes.split()), row.per_minute, row.per_day, row.label,
        row.kind, row.path, row.receives, row.last_used_at,
    )  # fmt: skip


def used(api_key: int, at: datetime) -> None:
    """The key is in use at `at`; inside `transaction()`. Of several that say so within a minute, one does."""
    late = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= at - USED_EVERY)
    db.session.execute(
        update(ApiKey)
        .where(ApiKey.id == api_key, late)
        .values(last_used_at=at)
        .execution_options(synchronize_session=False)
    )


def make_api_key(
    office_id: int,
    user_id: int,
    label: str,
    scopes: Iterable[str],
    *,
    by: Doer,
    at: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
    per_minute: int = PER_MINUTE,
    per_day: int = PER_DAY,
) -> tuple[int, str]:
    """A new key of a department, inside `transaction()`: (its id, the key, which is shown this once).

    `user_id` answers for it and must serve in the department on that day; `until` is the first moment at which it is
    no longer valid. Journalled about the department, without the secret. Raises KeyNotMade.
    """
    wanted = [scope for scope in SCOPES if scope in set(scopes)]
    office = db.session.execute(
        select(Office.name, Office.kind, Office.receives).where(Office.id == office_id).with_for_update()
    ).first()
    if office is None:
        raise KeyNotMade(_("没有这个单位。"))
    _judge(wanted, office.kind, office.receives, per_minute, since or at, until)
    if not 1 <= per_day <= MOST_PER_DAY:
        raise KeyNotMade(_("每天查询次数应在 1 到 %(most)s 之间。", most=MOST_PER_DAY))
    name = _serves(office_id, user_id, legal_day(at))
    if name is None:
        raise KeyNotMade(_("密钥须由%(office)s在职的人负责，这个人现在没有该单位的身份。", office=office.name))
    prefix = secrets.token_hex(6)
    key = f"jn_{prefix}_{secrets.token_urlsafe(32)}"
    key_id: int = db.session.execute(
        insert(ApiKey)
        .values(
            office_id=office_id, user_id=user_id, label=label, prefix=prefix, digest=_digest(key),
            scopes=" ".join(wanted), per_minute=per_minute, per_day=per_day, valid_from=since or at, valid_until=until,
            made_by=by.person, made_at=at,
        )
        .returning(ApiKey.id)
    ).scalar_one()  # fmt: skip
    said = {
        "name": label, "prefix": prefix, "scopes": "、".join(SCOPES[scope] for scope in wanted), "person": name,
        "per_minute": per_minute, "per_day": per_day, "since": (since or at).isoformat(),
        "until": until.isoformat() if until else "",
    }  # fmt: skip
    write_line("office", office_id, "make_api_key", by, at, law_text="D", answers=said)
    return key_id, key


def end_api_key(api_key: int, *, by: Doer, at: datetime, until: datetime | None = None, reason: str = "") -> None:
    """The key is valid no longer, inside `transaction()`: from now on, or from `until`, so that another may take over.

    Journalled about the department. Raises KeyNotMade when there is no such key or it has ended already.
    """
    row = db.session.execute(
        select(ApiKey.office_id, ApiKey.label, ApiKey.prefix, ApiKey.valid_until)
        .where(ApiKey.id == api_key)
        .with_for_update()
    ).first()
    if row is None:
        raise KeyNotMade(_("没有这把密钥。"))
    end = max(at, until or at)
    if row.valid_until is not None and row.valid_until <= end:
        raise KeyNotMade(_("这把密钥已经停用，或者更早就会停用。"))
    db.session.execute(
        update(ApiKey).where(ApiKey.id == api_key).values(valid_until=end).execution_options(synchronize_session=False)
    )
    said = {"name": row.label, "prefix": row.prefix, "until": end.isoformat(), "reason": reason}
    write_line("office", row.office_id, "end_api_key", by, at, law_text="D", answers=said)


def scopes_for(office_kind: str, receives: str) -> tuple[str, ...]:
    """What a key of such a department may be made for: our own offices take steps, the others are told and answer;
    all of them ask for credit files."""
    if office_kind != "linked":
        return ("steps", "files", "shared")
    told = ("notices", "receipts", "statements")
    brings = ("filings",) if "credit_china" in receives.split() else ()
    return (*told, *brings, "files", "shared")


def _judge(
    wanted: list[str], kind: str, receives: str, per_minute: int, since: datetime, until: datetime | None
) -> None:
    if not wanted:
        raise KeyNotMade(_("请至少选一项用途。"))
    foreign = [SCOPES[scope] for scope in wanted if scope not in scopes_for(kind, receives)]
    if foreign:
        raise KeyNotMade(_("这个单位的密钥不能用于：%(scopes)s。", scopes="、".join(foreign)))
    if not 1 <= per_minute <= MOST_PER_MINUTE:
        raise KeyNotMade(_("每分钟次数应在 1 到 %(most)s 之间。", most=MOST_PER_MINUTE))
    if until is not None and until <= since:
        raise KeyNotMade(_("停用时间应晚于启用时间。"))


def _serves(office_id: int, user_id: int, today: date) -> str | None:
    """The name of an active person who holds a role in the department on a day; None for anybody else."""
    in_force = and_(
        Membership.valid_from <= today, or_(Membership.valid_until.is_(None), Membership.valid_until >= today)
    )
    return db.session.execute(
        select(User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(User.id == user_id, User.active.is_(True), Membership.office_id == office_id, in_force)
        .limit(1)
    ).scalar()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
