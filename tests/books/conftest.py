"""The books of offices and of the law are tested on both databases."""

from tests.databases import database

__all__ = ["database"]
