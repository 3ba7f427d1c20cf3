"""Faults are injected on both databases."""

from tests.databases import database

__all__ = ["database"]
