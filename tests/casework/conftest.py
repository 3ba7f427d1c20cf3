"""The casework room is tested on both databases."""

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """SQLite, and a real PostgreSQL."""
    return str(request.param)
