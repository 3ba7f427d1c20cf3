"""The keys agreed with a receiver: our webhook secrets and their receipt keys, from a moment until a moment.

A webhook secret is made here, shown once, and kept sealed. During a rotation the old and the new one are in force
together and both sign. Every change stands in the journal of the office; no secret ever does.
"""

from __future__ import annotations

import re
import secrets as randomness
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update

from app.db import db
from app.journal import Doer, write_line
from app.models import Office, ReceiverKey
from app.sealed import house_keys, open_sealed, seal

PREFIX = "whsec_"
SECRET_BYTES = 32
KEY = ReceiverKey.__table__.c
MOST = 10
"""Keys of one kind that a receiver may have in force at once."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_SMALL = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)
"""Points of small order (sign bit cleared): a key that anybody can sign for."""


class BadKey(ValueError):
    """The key was not taken or not ended; the text is a Chinese sentence that says why."""


def webhook_secrets(office_id: int, at: datetime) -> list[str]:
    """The secrets with which a notice to this receiver is signed at an instant, the newest first."""
    rows = db.session.execute(
        select(KEY.material)
        .where(KEY.office_id == office_id, KEY.use == "webhook", _in_force(at))
        .order_by(KEY.valid_from.desc(), KEY.id.desc())
    ).scalars()
    keys = house_keys()
    return [open_sealed(material, keys, _about(office_id)) for material in rows]


def receipt_keys(office_id: int, at: datetime) -> dict[str, bytes]:
    """The receiver's Ed25519 public keys in force at an instant: name → 32 bytes."""
    rows = db.session.execute(
        select(KEY.name, KEY.material).where(KEY.office_id == office_id, KEY.use == "receipt", _in_force(at))
    ).all()
    return {row.name: b64decode(row.material) for row in rows}


def make_secret(office_id: int, *, until: datetime | None, doer: Doer, at: datetime) -> str:
    """A new webhook secret in force from `at`; the ones before it end at `until` (None: they stay as they are).

    Inside `transaction()`. Returns the secret in its standard form: this is the only time it can be seen.
    Raises BadKey.
    """
    _hold(office_id)
    if until is not None and until < at:
        raise BadKey("旧密钥的停用时刻早于现在。")
    older = and_(KEY.office_id == office_id, KEY.use == "webhook")
    if _count(and_(older, _in_force(at))) >= MOST:
        raise BadKey("同时有效的密钥太多，请先停用旧的。")
    if until is not None:
        _set(and_(older, or_(KEY.valid_until.is_(None), KEY.valid_until > until)), valid_until=until)
    name = f"w{_count(older) + 1}"
    secret = PREFIX + b64encode(randomness.token_bytes(SECRET_BYTES)).decode()
    _add(office_id, "webhook", name, seal(secret, house_keys(), _about(office_id)), at, None, doer, at)
    _note(office_id, "make_secret", doer, at, {"name": name, "others_until": _iso(until)})
    return secret


def add_receipt_key(
    office_id: int, name: str, written: str, *, since: datetime, until: datetime | None, doer: Doer, at: datetime
) -> bytes:
    """Register the receiver's public key under a name that was never used before; returns its 32 bytes.

    Inside `transaction()`. `written` is base64 of the 32 bytes, or a PEM. Raises BadKey.
    """
    _hold(office_id)
    if not _NAME.fullmatch(name):
        raise BadKey("密钥名称用字母、数字、点、横线和下划线，以字母或者数字开头，不超过 64 个字符。")
    if until is not None and until <= max(since, at):
        raise BadKey("停用时刻须晚于启用时刻，也须晚于现在。")
    public = public_key_of(written)
    mine = and_(KEY.office_id == office_id, KEY.use == "receipt")
    material = b64encode(public).decode()
    if _count(and_(mine, KEY.name == name)):
        raise BadKey("这个名称已经用过，请换一个：名称写在每一份回执里，不能指两把密钥。")
    if _count(and_(mine, KEY.material == material)):
        raise BadKey("这把公钥已经登记过。")
    if _count(and_(mine, or_(KEY.valid_until.is_(None), KEY.valid_until > at))) >= MOST:
        raise BadKey("同时有效的密钥太多，请先停用旧的。")
    _add(office_id, "receipt", name, material, since, until, doer, at)
    _note(
        office_id, "add_key", doer, at, {"name": name, "public": material, "since": _iso(since), "until": _iso(until)}
    )
    return public


def end_key(office_id: int, key_id: int, *, until: datetime, doer: Doer, at: datetime) -> None:
    """End a key at an instant, now or later; it may be brought forward, never put off. Inside `transaction()`.

    Raises BadKey; LookupError when this receiver has no such key.
    """
    _hold(office_id)
    row = db.session.execute(
        select(KEY.use, KEY.name, KEY.valid_until).where(KEY.id == key_id, KEY.office_id == office_id)
    ).first()
    if row is None:
        raise LookupError(f"没有编号为 {key_id} 的密钥")
    if row.valid_until is not None and row.valid_until <= at:
        raise BadKey("这把密钥已经停用。")
    if until < at:
        raise BadKey("停用时刻早于现在。")
    if row.valid_until is not None and until > row.valid_until:
        raise BadKey("这把密钥已经定了更早的停用时刻，不能往后改。")
    others = and_(KEY.office_id == office_id, KEY.use == "webhook", KEY.id != key_id, _in_force(until))
    if row.use == "webhook" and not _count(others):
        raise BadKey("这是唯一有效的签名密钥，停用以后通知无法签名。请先换新密钥。")
    _set(KEY.id == key_id, valid_until=until)
    _note(office_id, "end_key", doer, at, {"use": row.use, "name": row.name, "until": _iso(until)})


def public_key_of(written: str) -> bytes:
    """The 32 bytes of an Ed25519 public key written as base64 or as PEM. Raises BadKey."""
    text = written.strip()
    try:
        if "PRIVATE KEY" in text:
            raise BadKey("这是私钥。私钥不能交给别人：请作废这一把，另造一对，只登记公钥。")
        if text.startswith("-----BEGIN"):
            loaded = load_pem_public_key(text.encode())
            if not isinstance(loaded, Ed25519PublicKey):
                raise BadKey("只接受 Ed25519 公钥。")
            public = loaded.public_bytes(Encoding.Raw, PublicFormat.Raw)
        else:
            public = b64decode("".join(text.split()), validate=True)
    except BadKey:
        raise
    except (NotBase64, ValueError, UnsupportedAlgorithm):
        raise BadKey("公钥读不出来：请粘贴 32 字节公钥的 Base64，或者 PEM 全文。") from None
    if len(public) != 32:
        raise BadKey("公钥读不出来：请粘贴 32 字节公钥的 Base64，或者 PEM 全文。")
    if bytes([*public[:31], public[31] & 0x7F]) in _SMALL:
        raise BadKey("这把公钥不安全，谁都能冒它的名签字。请另造一对。")
    return public


def _in_force(at: datetime) -> ColumnElement[bool]:
    return and_(KEY.valid_from <= at, or_(KEY.valid_until.is_(None), KEY.valid_until > at))


def _hold(office_id: int) -> None:
    """One change of a receiver's keys at a time."""
    db.session.execute(select(Office.id).where(Office.id == office_id).with_for_update()).scalar_one()


def _add(
    office_id: int,
    use: str,
    name: str,
    material: str,
    since: datetime,
    until: datetime | None,
    doer: Doer,
    at: datetime,
) -> None:
    db.session.execute(
        insert(ReceiverKey.__table__).values(
            office_id=office_id, use=use, name=name, material=material, valid_from=since, valid_until=until,
            made_by=doer.person, made_at=at,
        )
    )  # fmt: skip


def _set(which: ColumnElement[bool], **values: Any) -> None:
    db.session.execute(update(ReceiverKey.__table__).where(which).values(**values))


def _count(which: ColumnElement[bool]) -> int:
    return int(db.session.execute(select(func.count()).where(which)).scalar_one())


def _note(office_id: int, act: str, doer: Doer, at: datetime, answers: Mapping[str, Any]) -> None:
    write_line("office", office_id, act, doer, at, law_text="D", answers=answers)


def _about(office_id: int) -> str:
    return f"receiver_key.{office_id}"


def _iso(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""
