"""Every page that somebody of the cast can reach by following links, each checked as it is fetched."""

from __future__ import annotations

import re

import pytest

from tests.build import a_case, night
from tests.casework.acts import officer
from tests.cast import Cast
from tests.journeys.conftest import Visitor

LIMIT = 120


@pytest.fixture
def world(cast: Cast) -> Cast:
    """A record without a case, and a case in most of the states."""
    cast.penalty()
    cast.penalty(on="2026-11-02")
    cast.penalty(kinds="责令停产停业", fine_size=None, duty="outstanding", duty_note="罚款还有 2.00 万元未缴清")
    cast.penalty(kinds="其他", fine_size=None)
    for at in ("draft", "submitted", "received", "correcting", "accepted", "reviewed", "refused", "withdrawn"):
        a_case(cast, at=at)
    a_case(cast, at="held", on="2026-11-02")
    a_case(cast, at="processing")
    officer(cast, "xie", "linked", office="ld-market")
    night(with_press=False)
    return cast


@pytest.mark.parametrize("who", [None, "deng", "li", "zhou", "chen", "he", "tang", "jiang", "shen", "liu", "xie"])
def test_every_page_within_reach_is_sound(world: Cast, visitor: Visitor, who: str | None) -> None:
    visitor.become(who)
    first = {None: "/", "deng": "/my/", "shen": "/admin/users", "jiang": "/desk/", "xie": "/agency/"}.get(who, "/desk/")
    waiting, seen, kinds = [first, "/", "/verify"], set(), {}
    while waiting and len(seen) < LIMIT:
        path = waiting.pop(0)
        kind = re.sub(r"XF-[A-Z0-9]{8}|[0-9a-f]{16}|[0-9A-Z]{5}(-[0-9A-Z]{5})+|\d+", "…", path)
        if path in seen or kinds.get(kind, 0) >= 12:
            continue
        seen.add(path)
        kinds[kind] = kinds.get(kind, 0) + 1
        response = visitor.client.get(path)
        if response.status_code in (301, 302, 303):
            waiting.append(response.headers["Location"])
            continue
        if response.status_code == 403 and path.startswith("/my/") and who != "deng":
            continue  # the public home's errands are for filers
        response = visitor.get(path)
        if response.mimetype == "text/html":
            markup = visitor.check(path, response.get_data(as_text=True))
            waiting += [
                link.partition("#")[0] for link in markup.links if link.startswith("/") and "/static/" not in link
            ]
    assert len(seen) > (3 if who is None else 6), sorted(seen)
