"""Keys are agreed, changed with an overlap, and ended; whoever signs with an ended key is refused."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError

from app.db import db, transaction
from app.journal import Doer, check_chain
from app.models import JournalLine, ReceiverKey
from app.notices.keys import BadKey, add_receipt_key, end_key, make_secret, public_key_of, receipt_keys, webhook_secrets
from app.notices.signing import NoSecret, check_receipt, signed_headers
from app.now import now
from app.sealed import SealBroken, house_keys, open_sealed
from tests.cast import Cast
from tests.conftest import Clock
from workflows.calendar import SHANGHAI

XIE = Doer(None, "谢婷", "linked")
BODY = '{"decision":"准予修复"}'.encode()
WEEK = timedelta(days=7)


def pair() -> tuple[Ed25519PrivateKey, str]:
    """A receiver's key, and its public half in base64."""
    private = Ed25519PrivateKey.generate()
    return private, b64encode(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def rotate(office: int, until: datetime | None = None) -> str:
    with transaction():
        return make_secret(office, until=until, doer=XIE, at=now())


def on(day: str) -> datetime:
    """Ten in the morning of a day."""
    return datetime.fromisoformat(f"{day} 10:00").replace(tzinfo=SHANGHAI)


def secrets(office: int) -> list[str]:
    found = webhook_secrets(office, now())
    db.session.rollback()
    return found


def register(
    office: int, name: str, written: str, since: datetime | None = None, until: datetime | None = None
) -> None:
    with transaction():
        add_receipt_key(office, name, written, since=since or now(), until=until, doer=XIE, at=now())


def keys(office: int) -> dict[str, bytes]:
    found = receipt_keys(office, now())
    db.session.rollback()
    return found


def id_of(office: int, name: str) -> int:
    found = db.session.execute(
        select(ReceiverKey.id).where(ReceiverKey.office_id == office, ReceiverKey.name == name)
    ).scalar_one()
    db.session.rollback()
    return found


def end(office: int, name: str, until: datetime) -> None:
    key_id = id_of(office, name)
    with transaction():
        end_key(office, key_id, until=until, doer=XIE, at=now())


def test_during_a_rotation_both_secrets_sign_and_afterwards_only_the_new_one(cast: Cast, clock: Clock) -> None:
    market = cast.offices["ld-market"]
    first = rotate(market)
    clock.go("2026-12-01")
    second = rotate(market, until=now() + WEEK)
    assert secrets(market) == [second, first]
    clock.go("2026-12-08 09:59")
    assert secrets(market) == [second, first]
    clock.go("2026-12-08 10:00")
    assert secrets(market) == [second]


def test_a_second_rotation_does_not_give_an_ended_secret_a_longer_life(cast: Cast, clock: Clock) -> None:
    market = cast.offices["ld-market"]
    first = rotate(market)
    second = rotate(market, until=now() + timedelta(days=1))
    third = rotate(market, until=now() + WEEK)
    assert secrets(market) == [third, second, first]
    clock.go("2026-11-26")
    assert secrets(market) == [third, second]


def test_a_secret_that_got_out_is_ended_at_once_but_never_the_only_one(cast: Cast, clock: Clock) -> None:
    market = cast.offices["ld-market"]
    rotate(market)
    with pytest.raises(BadKey, match="唯一有效"):
        end(market, "w1", now())
    second = rotate(market)
    end(market, "w1", now())
    assert secrets(market) == [second]
    with pytest.raises(BadKey, match="已经停用"):
        end(market, "w1", now())


def test_a_secret_stands_sealed_in_its_row_and_nowhere_else(cast: Cast, clock: Clock) -> None:
    market = cast.offices["ld-market"]
    secret = rotate(market)
    assert secret.startswith("whsec_") and len(secret) == 50
    row = db.session.execute(select(ReceiverKey)).scalar_one()
    lines = db.session.execute(select(JournalLine).where(JournalLine.about == "office")).scalars().all()
    assert secret[6:] not in row.material and [line.act for line in lines] == ["make_secret"]
    assert secret[6:] not in str(lines[0].answers)
    assert check_chain("office", market) == []
    with pytest.raises(SealBroken):  # carried over to another receiver it does not open
        open_sealed(row.material, house_keys(), f"receiver_key.{cast.offices['ld-trading']}")


def test_nobody_reads_or_ends_another_receivers_keys(cast: Cast, clock: Clock) -> None:
    market, trading = cast.offices["ld-market"], cast.offices["ld-trading"]
    rotate(market)
    rotate(market)
    assert secrets(trading) == []
    key_id = id_of(market, "w1")
    with pytest.raises(LookupError), transaction():
        end_key(trading, key_id, until=now(), doer=XIE, at=now())
    assert len(secrets(market)) == 2


def test_the_library_for_receivers_verifies_with_either_secret_and_with_no_other(app: Flask, cast: Cast) -> None:
    market = cast.offices["ld-market"]
    first, second = rotate(market), rotate(market)
    headers = signed_headers([second, first], "case-12-7-ld-market", datetime.now(UTC), BODY)  # noqa: TID251
    for secret in (first, second):
        assert Webhook(secret).verify(BODY, headers) == {"decision": "准予修复"}
    with pytest.raises(WebhookVerificationError):
        Webhook(rotate(cast.offices["ld-trading"])).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first).verify(BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first).verify(BODY, headers | {"webhook-id": "case-12-8-ld-market"})


def test_a_signature_is_the_same_whichever_zone_its_instant_was_read_in() -> None:
    at = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    here = at.astimezone(timezone(timedelta(hours=8)))
    assert signed_headers(["whsec_" + "QUJD" * 8], "k", at, BODY) == signed_headers(
        ["whsec_" + "QUJD" * 8], "k", here, BODY
    )


def test_nothing_is_sent_unsigned(app: Flask) -> None:
    with pytest.raises(NoSecret):
        signed_headers([], "k", datetime(2026, 11, 24, tzinfo=UTC), BODY)


def test_a_receipt_counts_while_its_key_is_in_force_and_not_afterwards(cast: Cast, clock: Clock) -> None:
    market = cast.offices["ld-market"]
    old, old_public = pair()
    new, new_public = pair()
    register(market, "2026", old_public)
    register(market, "2027", new_public, since=on("2026-12-20"), until=on("2027-12-31"))
    said = b'{"kind":"done"}'
    signed = {"2026": b64encode(old.sign(said)).decode(), "2027": b64encode(new.sign(said)).decode()}

    def counts() -> dict[str, bool]:
        return {name: check_receipt(said, signature, name, keys(market)) for name, signature in signed.items()}

    clock.go("2026-12-19")
    assert counts() == {"2026": True, "2027": False}
    end(market, "2026", on("2027-01-10"))
    clock.go("2026-12-25")
    assert counts() == {"2026": True, "2027": True}
    clock.go("2027-01-10")
    assert counts() == {"2026": False, "2027": True}
    clock.go("2028-01-01")
    assert counts() == {"2026": False, "2027": False}


def test_a_receipt_is_refused_when_anything_about_it_is_not_as_it_was_signed(cast: Cast, clock: Clock) -> None:
    market = cast.offices["ld-market"]
    private, public = pair()
    register(market, "k", public)
    known, said = keys(market), b'{"kind":"done"}'
    signature = b64encode(private.sign(said)).decode()
    assert check_receipt(said, signature, "k", known)
    stranger, _ = pair()
    for raw, written, name in (
        (said + b"\n", signature, "k"),
        (said, signature, "K"),
        (said, b64encode(stranger.sign(said)).decode(), "k"),
        (said, signature + "\n", "k"),
        (said, signature.rstrip("="), "k"),
        (said, signature[:-3] + ("B" if signature[-3] != "B" else "C") + "==", "k"),
        (said, "", "k"),
        (said, "é" * 88, "k"),
    ):
        assert not check_receipt(raw, written, name, known), (raw, written, name)
    assert not check_receipt(said, signature, "k", keys(cast.offices["ld-trading"]))


@given(st.binary(max_size=80), st.text(max_size=100))
def test_whatever_comes_as_a_signature_is_answered_yes_or_no(raw: bytes, signature: str) -> None:
    assert not check_receipt(raw, signature, "k", {"k": b"\x05" * 32})


def test_a_public_key_is_read_as_base64_and_as_pem_and_anything_else_is_refused_in_words(
    cast: Cast, clock: Clock
) -> None:
    private, public = pair()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert public_key_of(pem) == public_key_of(public) == public_key_of(f"  {public[:20]}\r\n{public[20:]}\n")
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    for written, why in (
        (secret, "这是私钥"),
        (other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), "只接受 Ed25519"),
        ("", "读不出来"),
        ("公钥", "读不出来"),
        (b64encode(b"short").decode(), "读不出来"),
        (b64encode(b"x" * 33).decode(), "读不出来"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "读不出来"),
        (b64encode(bytes(32)).decode(), "不安全"),
        (b64encode(b"\x01" + bytes(30) + b"\x80").decode(), "不安全"),
    ):
        with pytest.raises(BadKey, match=why):
            public_key_of(written)


def test_a_name_means_one_key_forever_and_a_key_has_one_name(cast: Cast, clock: Clock) -> None:
    market = cast.offices["ld-market"]
    _, first = pair()
    _, second = pair()
    register(market, "k", first)
    end(market, "k", now())
    for name, written, why in (("k", second, "已经用过"), ("j", first, "已经登记过"), ("一", second, "密钥名称")):
        with pytest.raises(BadKey, match=why):
            register(market, name, written)
    with pytest.raises(BadKey, match="晚于"):
        register(market, "j", second, until=now())
    register(cast.offices["ld-trading"], "k", second)  # names are each receiver's own
    assert keys(market) == {}


def test_an_end_is_brought_forward_and_never_put_off(cast: Cast, clock: Clock) -> None:
    market = cast.offices["ld-market"]
    register(market, "k", pair()[1], until=now() + WEEK)
    with pytest.raises(BadKey, match="不能往后改"):
        end(market, "k", now() + 2 * WEEK)
    with pytest.raises(BadKey, match="早于现在"):
        end(market, "k", now() - WEEK)
    end(market, "k", now() + timedelta(days=1))
    clock.go("2026-11-26")
    assert keys(market) == {}
