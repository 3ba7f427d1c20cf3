"""Keys: who comes in with one, for what, how long, how often; and that a session is none."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.db import db, transaction
from app.journal import check_chain
from app.models import ApiKey, JournalLine, Membership, User
from app.notices.api_keys import KeyNotMade, end_api_key, make_api_key
from app.now import now
from app.security import SIGNED_IN_AT, limiter
from tests.api.conftest import SHEN, Program, a_key, own_system, problem
from tests.build import a_case
from tests.cast import Cast
from tests.conftest import Clock


def key_row(key: str) -> ApiKey:
    """The row of a key."""
    db.session.rollback()
    found = db.session.execute(select(ApiKey).where(ApiKey.prefix == key.split("_")[1])).scalar_one()
    db.session.expunge(found)
    db.session.rollback()
    return found


def test_a_key_is_shown_once_kept_as_a_digest_and_its_making_is_journalled(app: Flask, people: Cast) -> None:
    key = a_key(people, "province", "li", "steps")
    row = key_row(key)
    secret = key.split("_", 2)[2]
    assert len(secret) == 43 and secret not in str(vars(row)) and len(row.digest) == 64
    lines = db.session.execute(select(JournalLine).where(JournalLine.about == "office")).scalars().all()
    assert [line.act for line in lines] == ["make_api_key"]
    assert secret not in str(lines[0].answers) and lines[0].answers["prefix"] == row.prefix
    assert check_chain("office", people.offices["province"]) == []


@pytest.mark.parametrize(
    ("office", "user", "scopes", "more"),
    [
        ("province", "li", [], {}),
        ("province", "li", ["notices"], {}),
        ("ld-market", "hu", ["steps"], {}),
        ("ld-market", "hu", ["filings"], {}),
        ("ld-market", "li", ["notices"], {}),
        ("ld-market", "hu", ["notices"], {"per_minute": 0}),
        ("ld-market", "hu", ["notices"], {"until": "2026-11-01"}),
    ],
)
def test_what_no_key_is_made_for(
    app: Flask, people: Cast, clock: Clock, office: str, user: str, scopes: list[str], more: dict[str, object]
) -> None:
    if "until" in more:
        more = {"until": now() - timedelta(days=1)}
    with pytest.raises(KeyNotMade), transaction():
        make_api_key(people.offices[office], people.users[user], "x", scopes, by=SHEN, at=now(), **more)
    assert db.session.execute(select(ApiKey.id)).first() is None


def test_without_a_key_and_with_half_a_key_the_door_stays_shut(app: Flask, people: Cast) -> None:
    key = a_key(people, "province", "li", "steps")
    wrong = [
        "",
        key[:-1],
        key + "A",
        key[:-1] + ("A" if key[-1] != "A" else "B"),
        "jn__",
        key.upper(),
        "a" * 5000,
        "密",
    ]
    for shown in wrong:
        answer = Program(app, shown).get("/cases")
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer"), shown
        assert problem(answer)["code"] == "NO_KEY"
    for header in ("", "Bearer", f"Basic {key}", f"Bearer{key}", "Basic !!!"):
        assert Program(app, key).get("/cases", headers={"Authorization": header}).status_code == 401, header
    assert Program(app, key).get("/cases", headers={"Authorization": f"bearer {key}"}).status_code == 200


def test_a_session_is_no_key(app: Flask, people: Cast) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = f"{people.users['li']}.1"
        session[SIGNED_IN_AT] = now().timestamp()
    assert client.get("/api/v1/cases").status_code == 401


def test_keys_overlap_while_one_is_changed_and_an_ended_one_opens_nothing_at_once(
    app: Flask, people: Cast, clock: Clock
) -> None:
    old = own_system(app, people, "li")
    clock.go("2026-12-01")
    new = own_system(app, people, "li")
    with transaction():
        end_api_key(key_row(old.key).id, by=SHEN, at=now(), until=now() + timedelta(days=7), reason="换密钥")
    assert [one.get("/cases").status_code for one in (old, new)] == [200, 200]
    clock.go("2026-12-08 09:59")
    assert old.get("/cases").status_code == 200
    clock.go("2026-12-08 10:00")
    assert [one.get("/cases").status_code for one in (old, new)] == [401, 200]
    with transaction():
        end_api_key(key_row(new.key).id, by=SHEN, at=now(), reason="丢失")
    assert new.get("/cases").status_code == 401
    with pytest.raises(KeyNotMade), transaction():
        end_api_key(key_row(new.key).id, by=SHEN, at=now())


def test_a_key_for_later_does_not_open_before(app: Flask, people: Cast, clock: Clock) -> None:
    program = own_system(app, people, "li", since=now() + timedelta(hours=1), until=now() + timedelta(hours=2))
    assert program.get("/cases").status_code == 401
    clock.go("2026-11-24 11:00")
    assert program.get("/cases").status_code == 200
    clock.go("2026-11-24 12:00")
    assert program.get("/cases").status_code == 401


def test_the_key_of_somebody_who_left_opens_nothing(app: Flask, people: Cast, clock: Clock) -> None:
    left, closed = own_system(app, people, "li"), own_system(app, people, "zhou")
    with transaction():
        db.session.execute(
            update(Membership).where(Membership.user_id == people.users["li"]).values(valid_until=date(2026, 11, 24))
        )
        db.session.execute(update(User).where(User.id == people.users["zhou"]).values(active=False))
    assert [left.get("/cases").status_code, closed.get("/cases").status_code] == [200, 401]
    clock.go("2026-11-25")
    assert problem(left.get("/cases"))["code"] == "NO_KEY"


def test_a_role_elsewhere_does_not_come_with_a_departments_key(app: Flask, people: Cast) -> None:
    """李昊 also serves in 长沙: the key of 长沙 sees the cases of 长沙 and not those of the province."""
    here, there = a_case(people), a_case(people, office="changsha")
    with transaction():
        db.session.execute(
            Membership.__table__.insert().values(
                user_id=people.users["li"], office_id=people.offices["changsha"], role="acceptance",
                valid_from=date(2020, 1, 1),
            )
        )  # fmt: skip
    program = own_system(app, people, "li", office="changsha")
    assert [case["number"] for case in program.get("/cases").get_json()["cases"]] == [there]
    assert program.get(f"/cases/{here}").status_code == 404


def test_a_scope_that_was_not_given_is_not_there(app: Flask, people: Cast) -> None:
    answer = Program(app, a_key(people, "ld-market", "hu", "notices")).get("/cases")
    assert (answer.status_code, problem(answer)["code"]) == (403, "SCOPE")


def test_its_use_is_noted_once_a_minute(app: Flask, people: Cast, clock: Clock) -> None:
    program = own_system(app, people, "li")
    assert key_row(program.key).last_used_at is None
    first = clock.go("2026-11-24 10:30")
    program.get("/cases")
    clock.at = first + timedelta(seconds=59)
    program.get("/cases")
    assert key_row(program.key).last_used_at == first
    clock.at = first + timedelta(seconds=60)
    program.get("/cases")
    assert key_row(program.key).last_used_at == first + timedelta(seconds=60)


def test_a_key_has_a_quota_of_its_own(app: Flask, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "enabled", True)
    limiter.reset()
    few, many = own_system(app, people, "li", per_minute=3), own_system(app, people, "zhou", per_minute=100)
    assert [few.get("/cases").status_code for _ in range(3)] == [200] * 3
    refused = few.get("/cases")
    assert (refused.status_code, refused.headers["Retry-After"], problem(refused)["code"]) == (429, "60", "QUOTA")
    assert many.get("/cases").status_code == 200
    limiter.reset()


def test_guessing_keys_is_slow(app: Flask, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "enabled", True)
    limiter.reset()
    guesses = [Program(app, f"jn_{n:012x}_{'a' * 43}").get("/cases").status_code for n in range(62)]
    assert guesses == [401] * 60 + [429] * 2
    assert own_system(app, people, "li").get("/cases").status_code == 200, "whoever has a key is not held up by them"
    limiter.reset()


def test_whoever_runs_the_house_makes_and_ends_a_key_for_an_offices_own_system(app: Flask, people: Cast) -> None:
    run = app.test_cli_runner().invoke
    made = run(args=["api-key", "jt-430000", "li", "省厅办件系统", "--until", "2027-01-01"])
    key = made.output.strip()
    assert made.exit_code == 0 and Program(app, key).get("/cases").status_code == 200
    line = db.session.execute(select(JournalLine).where(JournalLine.act == "make_api_key")).scalar_one()
    assert (line.role, line.answers["person"], line.answers["scopes"]) == ("watch", "李昊", "办理案件")
    db.session.rollback()
    for arguments in (
        ["jt-430000", "nobody", "x"], ["jt-0", "li", "x"], ["ld-market", "hu", "x"], ["jt-430000", "hu", "x"],
        ["jt-430000", "li", "x", "--scopes", "steps,notices"], ["jt-430000", "li", "x", "--until", "2026-11-24"],
    ):  # fmt: skip
        refused = run(args=["api-key", *arguments])
        assert refused.exit_code == 1 and "jn_" not in refused.output, arguments
    assert run(args=["end-api-key", "000000000000"]).exit_code == 1
    assert "已停用" in run(args=["end-api-key", key.split("_")[1]]).output
    assert Program(app, key).get("/cases").status_code == 401
