"""查验码: the random number by which anybody who holds a document can look it up, and by which nobody can guess one."""

from __future__ import annotations

import secrets

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_GROUPS, _IN_GROUP = 5, 5
_LOOK_ALIKE = str.maketrans("OIL", "011")


def new_code() -> str:
    """A fresh code of 125 random bits in five groups of five, e.g. 7QK4M-2XD9T-RH0VW-3ZC8E-N51KA."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_GROUPS * _IN_GROUP))
    return _grouped(letters)


def read_code(typed: str) -> str:
    """A code as it was typed or scanned, in the form it is kept in; "" when it cannot be one.

    Small letters, blanks and missing dashes do not matter, and O, I and L are read as the digits they look like.
    """
    letters = "".join(c for c in typed.upper() if c.isalnum()).translate(_LOOK_ALIKE)
    if len(letters) != _GROUPS * _IN_GROUP or not set(letters) <= set(_LETTERS):
        return ""
    return _grouped(letters)


def _grouped(letters: str) -> str:
    return "-".join(letters[start : start + _IN_GROUP] for start in range(0, len(letters), _IN_GROUP))
