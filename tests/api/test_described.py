"""The description is the truth: whatever a program sends, well or badly, it gets an answer that is described, and never
a 5xx. schemathesis reads the published OpenAPI and sends what fits it, and what does not, to every door."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from flask import Flask, Response, jsonify
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sqlalchemy import select

from app.db import db
from app.models import Notice, Office
from tests.api.conftest import Program, a_key
from tests.build import a_case
from tests.cast import Cast

EXAMPLES = 12
"""Per door, for what fits the description and for what does not."""


class Fresh:
    """The application as a server calls it: every request in a context of its own."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with self.app.app_context():
            return self.app(environ, start)


@pytest.fixture
def world(app: Flask, people: Cast) -> dict[str, Any]:
    """Something behind every door: cases in several states, notices, a statement; and a key for each scope."""
    numbers = {at: a_case(people, at=at) for at in ("submitted", "received", "accepted", "reviewed", "processing")}
    market = a_key(people, "ld-market", "hu", "notices", "receipts", "statements")
    days = {"since": "2026-11-01", "until": "2026-11-24"}
    drawn = Program(app, market).post("/statements", days, Idempotency_Key="draw-0001").get_json()
    key = db.session.execute(select(Notice.key).join(Office).where(Office.code == "ld-market")).scalar()
    db.session.rollback()
    return {
        "keys": {
            "办理案件": a_key(people, "province", "li", "steps"),
            "推送修复申请": a_key(people, "ld-creditchina", "xin", "filings"),
            "查信用档案（社会公开）": a_key(people, "ld-market", "hu", "files"),
            "查信用档案（政务共享）": a_key(people, "ld-market", "hu", "shared"),
            "": market,
        },
        "path": {
            "number": numbers["received"],
            "id": drawn["id"],
            "key": key,
            "receipt": "2222-2222",
            "code": people.codes["yueheng"],
        },
    }


def test_every_answer_of_every_door_is_described(app: Flask, world: dict[str, Any]) -> None:
    statuses: dict[int, int] = {}
    doors = every_door(app)
    assert len(doors) > 30
    for door in doors:
        knock(door, world, statuses)
    assert sum(statuses.values()) > 500 and not [status for status in statuses if status >= 500], statuses
    assert {200, 201, 404, 422} <= set(statuses), statuses


@pytest.mark.parametrize("fault", ["breaks", "strange status", "strange answer", "a page"])
def test_a_door_that_answers_otherwise_is_found(
    app: Flask, world: dict[str, Any], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Otherwise the story above would say nothing."""

    def faulty(**_: Any) -> Response:
        if fault == "breaks":
            raise RuntimeError
        if fault == "strange answer":
            return jsonify(cases="none")
        return Response("<p>hello", 418 if fault == "strange status" else 200)

    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(app.view_functions, "api.list_cases", faulty)
    door = next(door for door in every_door(app) if door.path == "/api/v1/cases")
    with pytest.raises(FailureGroup):
        knock(door, world, {})


def every_door(app: Flask) -> list[Any]:
    """Every address and method that the description has."""
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", Fresh(app))
    return [result.ok() for result in schema.get_all_operations()]


def knock(door: Any, world: dict[str, Any], statuses: dict[int, int]) -> None:
    """What fits the description and what does not, at something that is there and at something that is not."""
    headers = {"Authorization": f"Bearer {world['keys'].get(door.tags[0], world['keys'][''])}"}
    real = {name: value for name, value in world["path"].items() if f"{{{name}}}" in door.path}
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for path in (real, None) if real else (None,):
            send(door, mode, path, headers, statuses)


def send(
    door: Any, mode: GenerationMode, path: dict[str, Any] | None, headers: dict[str, str], statuses: dict[int, int]
) -> None:
    """A number of requests to a door, each answer checked against the description. That what fits it is accepted is not
    asked: what the law refuses (422) stands in no description."""
    more = {"path_parameters": path} if path else {}

    @seed(20261124)
    @settings(
        max_examples=EXAMPLES if path else EXAMPLES // 3,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=door.as_strategy(mode, **more))
    def one(case: Case) -> None:
        answer = case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

    one()
