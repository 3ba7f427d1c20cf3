"""Both databases, for the rooms that write: what is imported from here runs a room's tests on each."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """SQLite, and a real PostgreSQL."""
    return str(request.param)
