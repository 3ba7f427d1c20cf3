"""One module per format: the payload exactly as a receiver wants it, and how it is described to them.

A format module has `TITLE` (what it is), `FOR` (whom it is meant for), `FIELDS` (every field, in order) and `body()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from app.notices.formats import creditchina, ministry, province, result

FORMATS: Mapping[str, ModuleType] = MappingProxyType(
    {"result": result, "creditchina": creditchina, "province": province, "ministry": ministry}
)
"""Every format by the word under which an endpoint names it."""
