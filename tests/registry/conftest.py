"""What touches the database is tested on both."""

from tests.databases import database

__all__ = ["database"]
