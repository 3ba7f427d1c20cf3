"""The casework room is tested on both databases."""

from tests.casework.databases import config, database, one_postgres_database

__all__ = ["config", "database", "one_postgres_database"]
