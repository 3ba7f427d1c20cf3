"""Finding a number that is kept sealed: a keyed digest answers "is this number known?" without the number.

The key is kept apart from the sealing keys. Changing it means computing the column anew.
"""

from __future__ import annotations

import hashlib
import hmac

from app.registry.text import fold

KEY_BYTES = 32


def blind_index(text: object, key: bytes, about: str = "") -> str:
    """64 hexadecimal digits that are equal for equal numbers, however they are written; "" for nothing.

    Raises ValueError when the key is shorter than 32 bytes.
    """
    if len(key) < KEY_BYTES:
        raise ValueError(f"an index key has at least {KEY_BYTES} bytes")
    canonical = fold(text).replace("-", "")
    if not canonical:
        return ""
    return hmac.new(key, f"{about}\0{canonical}".encode(), hashlib.sha256).hexdigest()
