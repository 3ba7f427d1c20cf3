"""What must not be read in a stolen database: sealed with AES-256-GCM, under keys that can be changed.

A sealed value names its key, so several keys can be in use at once: the first one writes, all of them read. `about`
(the table and column, say) is bound to the value: a value moved to another column does not open.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app

_SCHEME = "s1"
_NONCE_BYTES = 12
KEY_BYTES = 32


class SealBroken(Exception):
    """A sealed value that no key at hand opens: unknown key, changed value, or a value of another column."""


@dataclass(frozen=True)
class SealingKey:
    """A key and the short name by which values refer to it. The secret never appears in a representation."""

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a sealing key has {KEY_BYTES} bytes")
        if not self.id.isascii() or not self.id.isalnum():
            raise ValueError("the name of a sealing key is made of letters and digits")


def house_keys() -> list[SealingKey]:
    """The keys of this instance, the one that writes first."""
    return [SealingKey(name, bytes.fromhex(key)) for name, key in current_app.config["FIELD_KEYS"].items()]


def new_key(id: str) -> SealingKey:
    """A fresh random key."""
    return SealingKey(id, secrets.token_bytes(KEY_BYTES))


def seal(text: str, keys: Sequence[SealingKey], about: str = "") -> str:
    """The text sealed with the first key: `s1.<key>.<nonce, ciphertext and tag>`, printable, different every time."""
    key = keys[0]
    nonce = secrets.token_bytes(_NONCE_BYTES)
    body = nonce + AESGCM(key.secret).encrypt(nonce, text.encode(), _bound(key.id, about))
    return f"{_SCHEME}.{key.id}.{urlsafe_b64encode(body).decode()}"


def open_sealed(value: str, keys: Sequence[SealingKey], about: str = "") -> str:
    """The text inside a sealed value. Raises SealBroken; the error names the key, never the value."""
    key_id = _key_of(value)
    key = next((key for key in keys if key.id == key_id), None)
    if key is None:
        raise SealBroken(f"no key named {key_id} is at hand")
    try:
        written = value.rpartition(".")[2].encode()
        body = urlsafe_b64decode(written)
        if urlsafe_b64encode(body) != written:
            raise ValueError("not the one spelling of these bytes")
        return AESGCM(key.secret).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _bound(key_id, about)).decode()
    except (InvalidTag, NotBase64, ValueError) as error:
        raise SealBroken(f"a value sealed with key {key_id} does not open") from error


def is_stale(value: str, keys: Sequence[SealingKey]) -> bool:
    """True when the value should be sealed again, because its key is not the one that writes now."""
    return _key_of(value) != keys[0].id


def _key_of(value: str) -> str:
    scheme, _, rest = value.partition(".")
    key_id, _, body = rest.partition(".")
    if scheme != _SCHEME or not body:
        raise SealBroken("this is not a sealed value")
    return key_id


def _bound(key_id: str, about: str) -> bytes:
    return f"{_SCHEME}\0{key_id}\0{about}".encode()
