"""The bytes of a payload: one spelling, so that both sides compare the same digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(payload: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no blanks, as it is sent, signed and digested."""
    return json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(payload: Any) -> str:
    """SHA-256 of the canonical bytes, in hexadecimal."""
    return digest_of(canonical(payload))


def digest_of(body: bytes) -> str:
    """The same of bytes at hand."""
    return hashlib.sha256(body).hexdigest()


def frozen(payload: Any) -> dict[str, Any]:
    """What a notice keeps of a payload: itself, the text that goes over the wire, the digest of that text."""
    body = canonical(payload)
    return {"payload": payload, "body": body.decode(), "payload_hash": digest_of(body)}
