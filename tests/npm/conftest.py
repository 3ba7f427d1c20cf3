"""The post sends on both databases."""

from tests.casework.databases import app, database, postgres_house, sqlite_house

__all__ = ["app", "database", "postgres_house", "sqlite_house"]
