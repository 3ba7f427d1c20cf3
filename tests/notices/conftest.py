"""The post room is tested on both databases."""

from tests.databases import database

__all__ = ["database"]
