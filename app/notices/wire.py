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
    return hashlib.sha256(canonical(payload)).hexdigest()
