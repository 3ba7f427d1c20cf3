"""A real server and a real Chromium. Every page a story visits is checked: no axe violation, a silent console."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from sqlalchemy import update
from werkzeug.serving import make_server

from app.db import db, transaction
from app.models import User
from app.security import hasher
from tests.build import night as take_turns
from tests.cast import PASSWORD, Cast

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-quic",
]  # fmt: skip
FONTS = Path(__file__).parents[2] / "app" / "static" / "fonts"


class Visitor:
    """Somebody at a browser of a given width. `look` checks the page they are on."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        self.looked_at: set[tuple[str, int]] = set()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        expected = "Failed to load resource" in message.text  # a 404 or 422 that the story wants
        if message.type in ("error", "warning") and not expected:
            self.complaints.append(message.text)

    def go(self, path: str) -> None:
        """Open a page of the site and look at it."""
        self.page.goto(f"{self.address}{path}")
        self.look()

    def look(self) -> None:
        """No violation (once for each kind of page and state), no complaint, no sideways scrolling, one h1."""
        where = self.page.url
        kind = (re.sub(r"[0-9A-Z]{4,}[-0-9A-Z]*|\d+", "…", where), self.page.get_by_role("alert").count())
        if kind not in self.looked_at:
            self.looked_at.add(kind)
            results = Axe().run(self.page)
            assert results.violations_count == 0, f"{where}\n{results.generate_report()}"
        assert self.complaints == [], where
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{where} scrolls sideways by {wide}px"
        assert self.page.locator("h1").count() == 1, where

    def press(self, name: str) -> None:
        """Press a button or follow a link of the page by its visible name, then look."""
        main = self.page.locator("main")
        target = main.get_by_role("button", name=name).or_(main.get_by_role("link", name=name))
        target.locator("visible=true").first.click()
        self.page.wait_for_load_state()
        self.look()

    def sign_in(self, login: str) -> None:
        """Sign in as somebody of the cast."""
        self.page.context.clear_cookies()
        self.go("/login")
        self.page.get_by_label("用户名").fill(login)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.press("登录")

    def picture(self, name: str) -> None:
        """Keep a picture of the page when a folder for pictures is named (JIANNUO_PICTURES)."""
        folder = os.environ.get("JIANNUO_PICTURES")
        if folder:
            self.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium with the committed fonts."""
    folder = tmp_path_factory.mktemp("fonts")
    (folder / "fonts.conf").write_text(
        f'<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>{FONTS}</dir>'
        f"<cachedir>{folder}</cachedir></fontconfig>"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, env={**os.environ, "FONTCONFIG_FILE": str(folder / "fonts.conf")}
        )
        yield browser
        browser.close()


@pytest.fixture
def clock() -> None:
    """A browser story happens today: the server's threads read the machine's clock."""


@pytest.fixture
def address(app: Flask, cast: Cast) -> Iterator[str]:
    """The application behind a real HTTP server, its cast able to sign in."""
    with transaction():
        db.session.execute(update(User).values(password_hash=hasher().hash(PASSWORD)))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def night(app: Flask) -> Callable[[], None]:
    """The watch takes its turns in a thread of its own: signing may not run inside the browser's event loop."""

    def turns() -> None:
        def work() -> None:
            with app.app_context():
                take_turns()

        with ThreadPoolExecutor(1) as thread:
            thread.submit(work).result()

    return turns


@pytest.fixture(params=[360, 1280])
def visitor(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """Somebody on a phone, and somebody at a desk."""
    phone = request.param == 360
    context = chromium.new_context(
        viewport={"width": request.param, "height": 780 if phone else 900},
        locale="zh-CN", timezone_id="Asia/Shanghai", has_touch=phone, device_scale_factor=1,
    )  # fmt: skip
    context.set_default_timeout(8000)
    yield Visitor(context.new_page(), address)
    context.close()
