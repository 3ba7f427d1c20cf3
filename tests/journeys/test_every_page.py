"""Every page that somebody can reach by following links, each checked as it is fetched."""

from __future__ import annotations

import pytest

from tests.journeys.conftest import Visitor, counted
from tests.journeys.hostile import EVERYBODY, Stage, crawl


@pytest.mark.parametrize("who", EVERYBODY)
def test_every_page_within_reach_is_sound(stage: Stage, who: str | None) -> None:
    visitor, seen = Visitor(stage.app, stage.cast), 0
    with counted(visitor):
        for path, answer in crawl(stage, who, limit=120, alike=12):
            if answer.status_code == 403 and path.startswith("/my/") and who != "deng":
                continue  # the public home's errands are for filers
            assert answer.status_code in (200, 302, 303), f"{path}: {answer.status_code}"
            visitor.inspect(path, answer)
            visitor.statements.clear()
            seen += 1
    assert seen > (3 if who is None else 6)
