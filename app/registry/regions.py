"""行政区划 of Hunan: current counties and cities, what they were called before, and the zones beside GB/T 2260."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

_FILE = Path(__file__).with_name("regions.csv")


class Region(NamedTuple):
    """A region of GB/T 2260 or a zone. `standing` is current, retired, zone or placeholder; `successor` is the code
    that took the place of a retired one."""

    code: str
    name: str
    level: str
    parent: str
    standing: str
    successor: str


@cache
def regions() -> Mapping[str, Region]:
    """Every region by its code."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row["code"]: Region(**row) for row in csv.DictReader(file)})


@cache
def standings() -> Mapping[str, str]:
    """Region code → standing, as `check_code` wants it."""
    return MappingProxyType({region.code: region.standing for region in regions().values()})


def full_name(code: str) -> str:
    """The name from the province down: 湖南省长沙市岳麓区. Raises KeyError for an unknown code."""
    region = regions()[code]
    return (full_name(region.parent) if region.parent else "") + region.name
