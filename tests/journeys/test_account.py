"""The door: who comes in, who is kept out and learns nothing by it, who goes out and is really gone."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import select, update

from app import sign_ins
from app.db import db, transaction
from app.models import JournalLine, Membership, User
from app.now import now
from app.security import SIGNED_IN_AT, limiter
from app.sign_ins import recognise
from tests.cast import PASSWORD
from tests.journeys.caller import Caller
from tests.journeys.door import enter, outside, people  # noqa: F401


def attempt(caller, login, password="wrong-password", status=422):
    caller.go("/login")
    return caller.press("登录", expect=status, login=login, password=password)


# --- coming in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "home"), [("deng", "/my/"), ("li", "/desk/"), ("jiang", "/desk/"), ("shen", "/admin/users")]
)
def test_everybody_begins_at_their_own_counter(app, people, login, home):
    assert enter(app, login).page.address == home


def test_after_signing_in_one_stands_where_one_wanted_to_go(app, people, outside):
    outside.go("/admin/offices")
    assert outside.page.address.startswith("/login?next=")
    outside.press("登录", login="shen", password=PASSWORD)
    assert outside.page.address == "/admin/offices"


ELSEWHERE = [
    "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "javascript:alert(1)",
    "/\t/evil.example", "/\n/evil.example", " //evil.example", "http:evil.example", "evil.example", "/%5cevil\\x",
    "//evil.example@credit.example", "https:///evil.example", "/\r\nSet-Cookie: a=b", "//例子.example",
]  # fmt: skip


def test_nobody_is_sent_to_another_site(app, people):
    for place in ELSEWHERE:
        caller = Caller(app.test_client())
        caller.go(f"/login?next={quote(place)}")
        answer, _ = caller.send("登录", login="shen", password=PASSWORD)
        assert answer.status_code == 303 and answer.headers["Location"] == "/admin/users", place
        assert caller.get(f"/login?next={quote(place)}").headers["Location"] == "/admin/users", place


def test_the_session_somebody_else_laid_out_is_not_the_one_signed_in(app, people, outside):
    outside.go("/login")
    with outside.client.session_transaction() as session:
        session["laid_out"] = "by somebody else"
        token = session["csrf_token"]
    outside.press("登录", login="shen", password=PASSWORD)
    with outside.client.session_transaction() as session:
        assert "laid_out" not in session and session.get("csrf_token") != token


def test_a_form_without_its_token_is_not_taken(app, people, outside):
    answer = outside.post("/login", {"login": "shen", "password": PASSWORD})
    assert answer.status_code == 400
    assert outside.get("/admin/users").status_code == 302


# --- the language ------------------------------------------------------------------------------------------------


def test_whoever_chooses_english_stays_on_the_page_and_keeps_it_beyond_signing_in_and_out(app, people, outside):
    searched = f"/search?q={quote('岳衡')}"
    chosen = outside.client.get("/language/en", headers={"Referer": f"http://localhost{searched}"})
    assert (chosen.status_code, chosen.headers["Location"]) == (303, searched)
    page = outside.get(searched).get_data(as_text=True)
    assert '<html lang="en">' in page and 'href="/language/zh-Hans">中文</a>' in page
    held = dict(outside.go("/login").forms[0].values)
    assert outside.post("/login", held | {"login": "deng", "password": PASSWORD}).status_code == 303
    assert '<html lang="en">' in outside.get("/my/").get_data(as_text=True)
    assert outside.client.get("/language/zh-Hans").headers["Location"] == "/"
    assert '<html lang="zh-Hans">' in outside.get("/my/").get_data(as_text=True)


@pytest.mark.parametrize("before", ["https://evil.example/x", "http://localhost//evil.example", "", "/language/en"])
def test_the_switch_sends_nobody_to_another_site(outside, before):
    answer = outside.client.get("/language/en", headers={"Referer": before})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert outside.client.get("/language/tlh").status_code == 404


# --- staying out -------------------------------------------------------------------------------------------------


def test_an_unknown_name_a_wrong_password_a_closed_and_a_locked_account_look_alike(people, outside, clock):
    with transaction():
        db.session.execute(update(User).where(User.login == "wu").values(active=False))
        db.session.execute(update(User).where(User.login == "liu").values(locked_until=clock.go("2026-11-24 10:05")))
    clock.go("2026-11-24 10:00")
    seen = set()
    for login, password in (("nobo", "x" * 12), ("chen", "x" * 12), ("wu", PASSWORD), ("liu", PASSWORD)):
        page = attempt(outside, login, password)
        token = next(value for name, value in page.forms[0].values if name == "csrf_token")
        seen.add((page.status, page.html.replace(token, "").replace(f'value="{login}"', "")))
    assert len(seen) == 1
    assert page.says("用户名或者密码不对")


def test_an_unknown_name_costs_the_work_of_a_wrong_password(cast, outside, monkeypatch):
    """One hash of the same cost is reckoned either way, so that the wait betrays no name; `bench sign_in` times it."""
    reckoned: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, stored, typed):
            reckoned.append(stored)
            return super().verify(stored, typed)

    for room in ("app.security", "app.sign_ins"):
        monkeypatch.setattr(f"{room}.hasher", lambda: Counting(time_cost=2, memory_cost=64, parallelism=1))
    sign_ins._nobodys_hash.cache_clear()
    with transaction():
        db.session.execute(update(User).values(password_hash=sign_ins.hasher().hash(PASSWORD)))
    for login in ("chen", "nobody"):
        assert recognise(login, "wrong-password", now()) is None
    known, unknown = reckoned
    assert known != unknown and extract_parameters(known) == extract_parameters(unknown)


def test_five_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour(people, outside, clock):
    for _ in range(5):
        attempt(outside, "chen")
    attempt(outside, "chen", PASSWORD)
    clock.go("2026-11-24 10:14")
    attempt(outside, "chen", PASSWORD)
    clock.go("2026-11-24 10:16")
    assert attempt(outside, "chen", PASSWORD, status=200).address == "/desk/"


def test_four_wrong_ones_and_a_right_one_begin_the_count_anew(app, people, outside):
    for _ in range(2):
        for _ in range(4):
            attempt(outside, "chen")
        attempt(outside, "chen", PASSWORD, status=200)
        outside.press("退出")


def test_the_lock_of_one_account_keeps_nobody_else_out(people, outside):
    for _ in range(6):
        attempt(outside, "chen")
    assert attempt(outside, "li", PASSWORD, status=200).address == "/desk/"


def test_whoever_tries_names_by_the_dozen_from_one_address_is_asked_to_wait(people, outside):
    limiter.enabled = True
    limiter.reset()
    try:
        outside.go("/login")
        answers = [outside.send("登录", login=f"n{n}", password="x" * 12)[0].status_code for n in range(22)]
        assert answers[:20] == [422] * 20 and answers[20:] == [429] * 2
        assert outside.get("/login").status_code == 200
    finally:
        limiter.reset()
        limiter.enabled = False


@pytest.mark.parametrize(("login", "password"), [("", ""), ("chen", ""), ("chen", "密" * 300), ("x" * 500, "y" * 12)])
def test_an_unfinished_form_says_what_is_missing(people, outside, login, password):
    page = attempt(outside, login, password)
    assert page.title.startswith("需要修改：")


# --- going out ---------------------------------------------------------------------------------------------------


def stolen(app, caller):
    """Another browser with a copy of the cookie."""
    thief = Caller(app.test_client())
    cookie = caller.client.get_cookie("jiannuo")
    thief.client.set_cookie("jiannuo", cookie.value)
    return thief


def test_after_signing_out_a_copied_cookie_opens_nothing(app, people):
    shen = enter(app, "shen")
    thief = stolen(app, shen)
    assert thief.get("/admin/users").status_code == 200
    page = shen.press("退出")
    assert page.address == "/" and page.says("已退出")
    assert thief.get("/admin/users").status_code == 302


def test_signing_out_takes_a_form_not_a_link(app, people):
    shen = enter(app, "shen")
    assert shen.get("/logout").status_code == 405
    assert shen.post("/logout", {}).status_code == 400
    assert shen.get("/admin/users").status_code == 200


def test_a_session_ends_when_the_account_is_closed_or_its_version_rises(app, people):
    for change in ({"active": False}, {"session_version": User.session_version + 1}):
        shen = enter(app, "shen")
        with transaction():
            db.session.execute(update(User).where(User.login == "shen").values(change))
        assert shen.get("/admin/users").status_code == 302
        with transaction():
            db.session.execute(update(User).values(active=True))


def test_a_role_that_has_ended_acts_at_once_on_an_open_session(app, people, clock):
    clock.go("2026-11-24 22:00")
    shen = enter(app, "shen")
    with transaction():
        db.session.execute(
            update(Membership).where(Membership.user_id == people.users["shen"]).values(valid_until=clock.at.date())
        )
    assert shen.get("/admin/users").status_code == 200
    clock.go("2026-11-25 08:00")
    assert shen.get("/admin/users").status_code == 403


def test_a_session_ends_after_half_a_day_however_busy_it_is(app, people, clock):
    clock.go("2026-11-24 08:00")
    shen = enter(app, "shen")
    for hour in ("11", "14", "17", "19"):
        clock.go(f"2026-11-24 {hour}:59")
        assert shen.get("/admin/users").status_code == 200
    clock.go("2026-11-24 20:01")
    assert shen.get("/admin/users").status_code == 302


def test_a_cookie_that_does_not_say_when_it_began_opens_nothing(app, people):
    shen = enter(app, "shen")
    with shen.client.session_transaction() as session:
        del session[SIGNED_IN_AT]
    assert shen.get("/admin/users").status_code == 302


# --- one's own password ------------------------------------------------------------------------------------------

FRESH = "湘江边上有三只白鹭站着不动"


def change(caller, present=PASSWORD, fresh=FRESH, again=None, expect=200):
    caller.go("/password")
    return caller.press("改密码", expect=expect, present=present, fresh=fresh, again=again or fresh)


def test_a_person_changes_their_password_and_is_signed_out_elsewhere(app, people):
    here, elsewhere = enter(app, "chen"), enter(app, "chen")
    assert change(here).says("密码已经改好")
    assert here.get("/desk/").status_code == 200 and elsewhere.get("/desk/").status_code == 302
    attempt(elsewhere, "chen", PASSWORD)
    assert attempt(elsewhere, "chen", FRESH, status=200).address == "/desk/"
    acts = db.session.execute(
        select(JournalLine.act, JournalLine.answers).where(
            JournalLine.about == "user", JournalLine.about_id == people.users["chen"]
        )
    ).all()
    assert [tuple(act) for act in acts] == [("change_password", {})]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"present": "not-the-one"}, "现在的密码不对"),
        ({"fresh": "short"}, "12 到 128 个字"),
        ({"fresh": "password1234"}, "容易被猜到"),
        ({"fresh": "jiaotonghunan"}, "容易被猜到"),
        ({"fresh": PASSWORD}, "和现在的一样"),
        ({"again": "something else entirely"}, "两遍输入的不一样"),
    ],
)
def test_a_password_that_would_be_guessed_or_is_not_meant_is_refused(app, people, typed, sentence):
    assert change(enter(app, "chen"), expect=422, **typed).says(sentence)


def test_guessing_the_present_password_of_an_open_session_locks_it_like_the_door(app, people, outside):
    chen = enter(app, "chen")
    for _ in range(5):
        change(chen, present="not-the-one-at-all", expect=422)
    attempt(outside, "chen", PASSWORD)


def test_nobody_changes_a_password_without_signing_in(people, outside):
    outside.go("/password")
    assert outside.page.address.startswith("/login")


# --- the demonstration -------------------------------------------------------------------------------------------


def lay_out(app):
    (app.config["INSTANCE"] / "run" / "sign-ins.txt").write_text(f"shen\t{PASSWORD}\t沈工，平台管理员\nbroken line\n")


def test_the_demonstration_shows_its_sign_ins_and_lets_one_in_by_a_button(app, people, outside):
    lay_out(app)
    page = outside.go("/login")
    assert page.says("演示账户") and page.says("沈工，平台管理员") and not page.says("broken line")
    assert outside.press("以此身份登录").address == "/admin/users"


def test_a_house_in_earnest_shows_no_sign_ins(app, people, outside):
    lay_out(app)
    app.config["DEMO"] = False
    page = outside.go("/login")
    assert not page.says("演示账户") and PASSWORD not in page.html
