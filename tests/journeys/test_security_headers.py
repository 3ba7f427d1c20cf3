"""What every answer says to the browser that gets it, how the cookie travels, where one is sent after signing in, and
whose address is believed."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask, request
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app import create_app
from app.casework.attach import attach
from app.db import db, transaction
from app.models import JournalLine, User
from app.now import now
from app.security import CSP, limiter, safe_next
from config import TestConfig, key_file
from tests.cast import PASSWORD
from tests.journeys.hostile import Browser, Stage, crawl, forms_on, photograph, read, send
from tests.journeys.test_access_matrix import real, table

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SEALED = "default-src 'none'; sandbox"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def good(answer: TestResponse, what: str, policy: str = POLICY) -> None:
    """The headers that no answer may be without."""
    assert answer.headers.getlist("Content-Security-Policy") == [policy], what
    for name, value in ALWAYS.items():
        assert answer.headers.get(name) == value, f"{what}: {name}"
    assert "Strict-Transport-Security" not in answer.headers, f"{what}: there is no TLS here"
    assert "Access-Control-Allow-Origin" not in answer.headers, what


# --- headers -----------------------------------------------------------------------------------------------------


def test_every_answer_carries_them_pages_refusals_and_files_alike(stage: Stage, real: dict[str, object]) -> None:
    people = (None, "deng", "li", "jiang", "shen")
    clients = {who: stage.client(who) for who in people}
    for address, who, _mark in table():
        if who not in people:
            continue
        answer = clients[who].get(address.format(**real))
        sealed = re.search(r"/files/|/mandates/[^/]+/papers/", address) and answer.status_code == 200
        good(answer, f"{address} for {who}", SEALED if sealed else POLICY)
        lists = r"/search|/penalties|/permits|/progress|/records/\{shown\}$"
        shown_once = re.match(rf"/subjects/[^/]+$|/extracts/\{{paper_public\}}|/verify/|/api/v1/|{lists}", address)
        wanted = "no-store" if who or shown_once else "private, no-cache"
        assert answer.headers["Cache-Control"] == wanted, f"{address} for {who}"


def test_static_files_and_everything_that_goes_wrong_carry_them_too(stage: Stage) -> None:
    client = stage.client(None)
    for path in ("/static/jiannuo.css", "/static/mark.svg", "/bootstrap/static/css/bootstrap.min.css", "/static/no"):
        good(client.get(path), path)
    for method, path, status in (
        ("post", "/login", 400), ("put", "/", 405), ("get", "/nowhere", 404), ("post", "/desk/cases/x/steps/y", 401),
        ("get", "/my/", 302), ("options", "/", 200), ("head", "/", 200), ("get", "/ready", 503),
    ):  # fmt: skip
        answer = getattr(client, method)(path)
        assert answer.status_code == status, (method, path, answer.status_code)
        good(answer, f"{method} {path}")
    answer = client.post("/verify", environ_overrides={"CONTENT_LENGTH": str(10**9)}, data={"x": "y"})
    assert answer.status_code == 413
    good(answer, "too large")


def test_a_page_that_broke_carries_them_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> object:
        raise RuntimeError("broken")

    monkeypatch.setitem(stage.app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr("app.views.public.newest_public", fail)
    answer = stage.client("li").get("/")
    assert answer.status_code == 500
    good(answer, "broken")
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_policy_lets_nothing_in_from_elsewhere_and_no_page_needs_it(stage: Stage) -> None:
    assert not re.search(r"unsafe|\*|data:|http", POLICY)
    assert set(CSP) >= {"default-src", "form-action", "frame-ancestors", "base-uri"}
    for who in (None, "deng", "li", "shen"):
        for path, answer in crawl(stage, who, limit=45, alike=2):
            if answer.mimetype != "text/html":
                continue
            page = answer.get_data(as_text=True)
            assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=|javascript:", page), path
            for place in re.findall(r"(?:src|href|action)=\"([^\"]*)\"", page):
                elsewhere = re.match(r"(?:[a-z]+:)?//", place)
                assert elsewhere is None or place.startswith("https://") and f'<a href="{place}"' in page, (path, place)
            for link in re.findall(r"<a [^>]*target=[^>]*>", page):
                assert "noopener" in link, (path, link)


def test_what_somebody_handed_in_is_a_download_that_can_do_nothing_anywhere(stage: Stage) -> None:
    """A picture that is also a page is still a picture."""
    number = stage.cases["unproved"]
    data = photograph() + b"<!doctype html><script>alert(document.cookie)</script>"
    name = '证明\u2028"; filename=evil.html\r\nX-Evil: 1.png'
    with transaction():
        attach(
            number, actor=stage.cast.who("deng"), purpose="duty_proof", name=name, data=data,
            folder=stage.app.config["INSTANCE"] / "uploads", limit=10**6, at=now(),
        )  # fmt: skip
    client = stage.client("deng")
    links = [link for link in read(client.get(f"/my/cases/{number}").get_data(as_text=True)).links if "/files/" in link]
    assert len(links) >= 2
    for link in links:
        answer = client.get(link)
        assert answer.status_code == 200 and answer.mimetype == "image/png"
        said = answer.headers["Content-Disposition"]
        assert said.startswith("attachment; ") and not re.search(r"[\r\n]", said) and "X-Evil" not in answer.headers
        good(answer, link, SEALED)
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_signed_document_is_a_download_of_its_kind(stage: Stage) -> None:
    done = stage.of("processing")
    answer = stage.client("li").get(f"/desk/cases/{done['number']}/documents/{done['document_id']}.pdf")
    assert answer.mimetype == "application/pdf" and answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers


# --- the cookie --------------------------------------------------------------------------------------------------


def signed_in(stage: Stage, login: str, next_: str = "") -> tuple[Browser, TestResponse]:
    """Through the door with name and password."""
    client = stage.client(None)
    asked = forms_on(client, None, f"/login?next={quote(next_)}" if next_ else "/login")[0]
    return client, send(client, asked, asked.filled(login=login, password=PASSWORD))


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stage: Stage) -> None:
    _client, answer = signed_in(stage, "li")
    assert answer.status_code == 303
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Domain" not in cookie
    assert stage.app.config["SECRET_KEY"] not in cookie and PASSWORD not in cookie


@pytest.fixture
def behind_tls(sqlite_template: Path, tmp_path: Path) -> Iterator[Flask]:
    """A house in earnest: TLS by one proxy."""
    shutil.copy(sqlite_template, tmp_path / "jiannuo.db")
    app = create_app(TestConfig(INSTANCE=str(tmp_path), HTTPS=True, PROXIES=1, PUBLIC_ADDRESS="https://credit.example"))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


OUTSIDE = "https://credit.example"
PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "credit.example"}


def test_behind_tls_the_cookie_and_the_browser_stay_there(behind_tls: Flask) -> None:
    client = behind_tls.test_client()
    answer = client.get("/login", headers=PROXY, base_url=OUTSIDE)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-jiannuo=") and "Secure" in cookie and "HttpOnly" in cookie
    said = answer.headers["Strict-Transport-Security"]
    assert "max-age=31" in said and "includeSubDomains" in said
    plain = client.get("/login", headers={**PROXY, "X-Forwarded-Proto": "http"})
    assert plain.status_code in (301, 302, 308) and plain.headers["Location"].startswith(f"{OUTSIDE}/")


def test_behind_tls_a_form_must_come_from_our_own_pages(behind_tls: Flask) -> None:
    client = behind_tls.test_client()
    page = client.get("/verify", headers=PROXY, base_url=OUTSIDE).get_data(as_text=True)
    token = dict(read(page).forms[0].values)["csrf_token"]
    for referrer, status in ((None, 400), ("https://evil.example/", 400), (f"{OUTSIDE}/verify", 422)):
        headers = PROXY | ({"Referer": referrer} if referrer else {})
        answer = client.post("/verify", data={"csrf_token": token, "number": "x"}, headers=headers, base_url=OUTSIDE)
        assert answer.status_code == status, referrer


# --- after signing in --------------------------------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example", "http://evil.example", "//evil.example", "///evil.example", "////evil.example",
    "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "//\\evil.example",
    "https:evil.example", "https:/evil.example", "https:///evil.example", "http:\\\\evil.example",
    "javascript:alert(1)", "JavaScript:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>alert(1)</script>",
    "vbscript:x", "file:///etc/passwd", "ftp://evil.example", "mailto:a@evil.example", "/\t/evil.example",
    "/\n/evil.example", "/\r/evil.example", "\t//evil.example", " //evil.example", "\n//evil.example",
    "\x00//evil.example", "/\x00/evil.example", "/\x0b/evil.example", "/\x1f/evil.example", "/\x7f\\evil.example",
    "evil.example", "evil.example/desk/", "@evil.example", ":@evil.example", "?next=//evil.example",
    "#//evil.example", "//credit.example@evil.example", "//evil.example/desk/", "//evil%2eexample",
    "//%65vil.example", "//evil.example:443", "//[::1]", "//127.0.0.1", "//0x7f000001", "//2130706433",
    "//localhost", "//例子.example", "//xn--fsqu00a.example", "／／evil.example", "\u2028//evil.example",
    "\u200b//evil.example", "\ufeff//evil.example", "。//evil.example", "/\r\nLocation: https://evil.example",
    "/\r\nSet-Cookie: a=b", "/\nX: y", "http:evil.example", "..//evil.example", "./\\evil.example",
    "/\\\\evil.example", "/\\\t/evil.example", "x" * 10_000,
]  # fmt: skip


def test_there_are_more_than_sixty_ways_to_ask_for_another_site() -> None:
    assert len(set(ELSEWHERE)) > 60


@pytest.mark.parametrize("place", ELSEWHERE)
def test_nobody_is_sent_to_another_site(stage: Stage, place: str) -> None:
    assert safe_next(place) is None
    client = stage.client("li")
    assert client.get(f"/login?next={quote(place)}").headers["Location"] == "/desk/"


@pytest.mark.parametrize("place", ELSEWHERE[::6])
def test_nobody_is_sent_to_another_site_by_signing_in(stage: Stage, place: str) -> None:
    _client, answer = signed_in(stage, "li", place)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/")


@pytest.mark.parametrize("place", ["/desk/cases?state=accepted", "/desk/cases?text=%E9%95%BF", "/my/", "/desk/?x=//y"])
def test_a_place_of_ours_is_where_one_arrives(stage: Stage, place: str) -> None:
    _client, answer = signed_in(stage, "li", place)
    assert (answer.status_code, answer.headers["Location"]) == (303, place)


def test_signing_in_leaves_nothing_of_the_session_before(stage: Stage) -> None:
    client = stage.client(None)
    asked = forms_on(client, None, "/login")[0]
    with client.session_transaction() as session:
        session["acting_for"], session["laid_out"], token = 1, "by somebody else", session["csrf_token"]
    assert send(client, asked, asked.filled(login="li", password=PASSWORD)).status_code == 303
    with client.session_transaction() as session:
        assert "laid_out" not in session and "acting_for" not in session and session.get("csrf_token") != token
    old = asked.filled(login="li", password=PASSWORD)
    assert send(client, asked, old).status_code == 400, "the token of before is worth nothing now"


def test_a_locked_account_and_an_unknown_one_say_the_same(stage: Stage) -> None:
    def refusal(login: str) -> tuple[int, str]:
        client = stage.client(None)
        asked = forms_on(client, None, "/login")[0]
        answer = send(client, asked, asked.filled(login=login, password="falsch-falsch-falsch"))
        return answer.status_code, re.sub(r'value="[^"]*"', "", answer.get_data(as_text=True))

    seen = {refusal("li") for _ in range(7)} | {refusal("keiner"), refusal("nobody")}
    assert len(seen) == 1 and next(iter(seen))[0] == 422
    locked = db.session.execute(select(User.locked_until).where(User.login == "li")).scalar_one()
    db.session.rollback()
    assert locked is not None and locked > now()


def test_a_password_kept_with_weaker_settings_is_kept_anew_at_the_next_sign_in(stage: Stage) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    with transaction():
        db.session.execute(update(User).where(User.login == "li").values(password_hash=weak))
    signed_in(stage, "li")
    kept = db.session.execute(select(User.password_hash).where(User.login == "li")).scalar_one()
    db.session.rollback()
    assert kept != weak and kept.startswith("$argon2id$")


# --- whose address is believed -----------------------------------------------------------------------------------


def test_an_address_that_the_caller_made_up_is_not_written_down(stage: Stage) -> None:
    client = stage.client("zhou")
    asked = forms_on(client, "zhou", f"/desk/cases/{stage.cases['accepted']}/steps/review")[0]
    made_up = {"X-Forwarded-For": "203.0.113.66", "X-Real-IP": "203.0.113.66", "Forwarded": "for=203.0.113.66",
               "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}  # fmt: skip
    answer = client.post(
        asked.action, data=asked.filled(), content_type="multipart/form-data", headers=made_up,
        environ_overrides={"REMOTE_ADDR": "192.0.2.7"},
    )  # fmt: skip
    assert answer.status_code == 303 and "evil.example" not in answer.headers["Location"]
    latest = select(JournalLine.address).where(JournalLine.act == "review").order_by(JournalLine.id.desc()).limit(1)
    address = db.session.execute(latest).scalar_one()
    db.session.rollback()
    assert address == "192.0.2.7"


def test_a_made_up_address_does_not_get_round_the_limit(stage: Stage) -> None:
    limiter.enabled = True
    limiter.reset()
    try:
        client = stage.client(None)
        asked = forms_on(client, None, "/login")[0]
        answers = []
        for n in range(24):
            data = asked.filled(login=f"n{n}", password="x" * 12)
            made_up = {"X-Forwarded-For": f"203.0.113.{n}"}
            answers.append(client.post("/login", data=data, content_type="multipart/form-data", headers=made_up))
        assert [answer.status_code for answer in answers[-4:]] == [429] * 4
        good(answers[-1], "too often")
        assert "过一分钟再试" in answers[-1].get_data(as_text=True)
    finally:
        limiter.reset()
        limiter.enabled = False


def test_with_one_proxy_only_what_that_proxy_says_is_believed(behind_tls: Flask) -> None:
    seen: list[str | None] = []
    behind_tls.before_request_funcs.setdefault(None, []).insert(0, lambda: seen.append(request.remote_addr))
    client = behind_tls.test_client()
    client.get("/health", headers={"X-Forwarded-For": "203.0.113.66, 198.51.100.4", "X-Forwarded-Proto": "https"})
    assert seen == ["198.51.100.4"]


# --- keys, and files that are only looked at ---------------------------------------------------------------------


def test_keys_are_files_of_their_owner_only_and_never_twice_the_same(tmp_path: Path) -> None:
    one, other = (TestConfig(INSTANCE=str(tmp_path / name)).mapping() for name in "ab")
    for name in ("SECRET_KEY", "INDEX_KEY"):
        assert len(one[name]) == 64 and one[name] != other[name]
    assert one["FIELD_KEYS"] != other["FIELD_KEYS"]
    assert len({one["SECRET_KEY"], one["INDEX_KEY"], one["FIELD_KEYS"]["1"]}) == 3
    for path in (tmp_path / "a").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert key_file(tmp_path / "a" / "keys" / "session") == one["SECRET_KEY"]
    assert one["SECRET_KEY"] not in repr(TestConfig(INSTANCE=str(tmp_path / "a")))


def test_a_file_to_compare_is_looked_at_and_let_go(stage: Stage) -> None:
    done = stage.of("processing")
    pdf = stage.client("li").get(f"/desk/cases/{done['number']}/documents/{done['document_id']}.pdf").data
    folder = Path(stage.app.config["INSTANCE"])

    def files() -> list[Path]:
        return sorted(path for path in folder.rglob("*") if "jiannuo.db" not in path.name)

    before = files()
    client = stage.client(None)
    asked = next(form for form in forms_on(client, None, "/verify") if "file" in form.kinds)
    for data, word in ((pdf, "逐字节一致"), (pdf + b"%", "不是原件"), (b"MZ", "不是 PDF"), (b"%PDF-1.7 x", "不是原件")):
        answer = send(client, asked, asked.filled(file=(io.BytesIO(data), "../../etc/passwd.pdf")))
        assert answer.status_code == 200 and word in answer.get_data(as_text=True)
    assert files() == before


__all__ = ["real"]
