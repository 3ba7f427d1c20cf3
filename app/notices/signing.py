"""Signatures of the wire: ours on a notice (Standard Webhooks, HMAC), the receiver's on a receipt (Ed25519)."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class NoSecret(ValueError):
    """Nothing to sign with: no webhook secret of this receiver is in force."""


def signed_headers(secrets: Iterable[str], key: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that prove who sent `body` and when: one `v1` signature per secret, in the order given.

    `key` is the notice's and stays the same for every try; `at` is the instant of this try. Raises NoSecret.
    """
    moment = str(int(at.timestamp()))
    signed = f"{key}.{moment}.".encode() + body
    signatures = [_signature(secret, signed) for secret in secrets]
    if not signatures:
        raise NoSecret("没有有效的签名密钥")
    return {
        "webhook-id": key,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _signature(secret: str, signed: bytes) -> str:
    # Going on from a begun HMAC, short texts are signed without letting other threads in between.
    begun = _begun(secret).copy()
    begun.update(signed)
    return b64encode(begun.digest()).decode()


@lru_cache(maxsize=256)
def _begun(secret: str) -> hmac.HMAC:
    return hmac.new(b64decode(secret.removeprefix("whsec_"), validate=True), digestmod="sha256")


def check_receipt(raw: bytes, signature_b64: str, key_name: str, keys: Mapping[str, bytes]) -> bool:
    """True when `signature_b64` is the Ed25519 signature over exactly these bytes by the key of that name.

    `keys` are those in force (`keys.receipt_keys`): a key that has ended proves nothing any more.
    """
    public = keys.get(key_name)
    if public is None:
        return False
    try:
        signature = b64decode(signature_b64, validate=True)
        if b64encode(signature).decode() != signature_b64:  # one spelling of one signature
            return False
        Ed25519PublicKey.from_public_bytes(public).verify(signature, raw)
    except (InvalidSignature, NotBase64, ValueError):
        return False
    return True
