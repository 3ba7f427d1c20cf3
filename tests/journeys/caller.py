"""Somebody at a counter: opens pages, reads them, fills in the forms that stand on them. No browser, but no short cuts:
what is sent back is what the page held, hidden fields and all."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

VOID = frozenset(("meta", "link", "input", "br", "img", "hr", "wbr", "use"))


@dataclass
class Form:
    """A form of a page: where it goes, how, what its fields hold; `buttons` are (words, name, value, enabled)."""

    action: str
    method: str
    values: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[list[str]] = field(default_factory=list)


class Page(HTMLParser):
    """A page as it was sent: its words, headings, links and forms, and what is wrong with it."""

    def __init__(self, response: TestResponse, address: str) -> None:
        super().__init__(convert_charrefs=True)
        self.status, self.address, self.html = response.status_code, address, response.get_data(as_text=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.h1: list[str] = []
        self.title = ""
        self.ids: list[str] = []
        self.problems: list[str] = []
        self._words: list[str] = []
        self._open: list[str] = []
        self._form: Form | None = None
        self._collect: dict[str, list[str]] = {}
        self._area = self._select = ""
        self.feed(self.html)
        self.close()
        self._judge()

    @property
    def text(self) -> str:
        """What can be read, without blanks."""
        return "".join("".join(self._words).split())

    def says(self, words: str) -> bool:
        """Whether these words stand on the page, however they are spaced."""
        return "".join(words.split()) in self.text

    def link(self, words: str) -> str:
        """Where the first link leads whose words begin so."""
        wanted = "".join(words.split())
        found = next((url for text, url in self.links if "".join(text.split()).startswith(wanted)), None)
        assert found is not None, f"no link “{words}” on {self.address}: {[text for text, _ in self.links]}"
        return found

    def form(self, button: str) -> tuple[Form, list[str]]:
        """The form that a button of these words sends, with the button."""
        wanted = "".join(button.split())
        for form in self.forms:
            for pressed in form.buttons:
                if "".join(pressed[0].split()).startswith(wanted):
                    return form, pressed
        raise AssertionError(f"no button “{button}” on {self.address}: {[b[0] for f in self.forms for b in f.buttons]}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag says."""
        at = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append(tag)
        if "style" in at or any(name.startswith("on") for name in at):
            self.problems.append(f"<{tag}> carries a style or a script")
        if at.get("id"):
            self.ids.append(at["id"])
        if tag == "form":
            self._form = Form(at.get("action", ""), at.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag in ("h1", "title", "a", "button", "textarea", "option", "script"):
            self._collect[tag] = [at.get("href", ""), at.get("name", ""), at.get("value", ""), ""]
        self._field(tag, at)

    def _field(self, tag: str, at: dict[str, str]) -> None:
        if self._form is None:
            return
        name, kind = at.get("name", ""), at.get("type", "text")
        if tag == "input" and name:
            if kind in ("checkbox", "radio"):
                self._form.choices.setdefault(name, []).append(at.get("value", "y"))
                if "checked" in at:
                    self._form.values.append((name, at.get("value", "y")))
            elif kind not in ("submit", "button", "file"):
                self._form.values.append((name, at.get("value", "")))
        elif tag == "textarea":
            self._area = name
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            self._form.choices.setdefault(self._select, []).append(at.get("value", ""))
            if "selected" in at:
                self._form.values.append((self._select, at.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        """Close what was open."""
        if tag in self._open:
            while self._open and self._open.pop() != tag:
                self.problems.append(f"</{tag}> closes something else")
        elif tag not in VOID:
            self.problems.append(f"</{tag}> was not open")
        if tag in self._collect:
            url, name, value, words = self._collect.pop(tag)
            if tag == "h1":
                self.h1.append(words)
            elif tag == "title":
                self.title = words
            elif tag == "a":
                self.links.append((words, url))
            elif tag == "button" and self._form is not None:
                self._form.buttons.append([words, name, value])
            elif tag == "textarea" and self._form is not None:
                self._form.values.append((self._area, words.removeprefix("\r").removeprefix("\n")))
            elif tag == "script" and words.strip():
                self.problems.append("a script stands in the page")
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        """Words of the page."""
        for held in self._collect.values():
            held[3] += data
        if not {"script", "style", "title"}.intersection(self._open):
            self._words.append(data)

    def _judge(self) -> None:
        """What every page must be."""
        if self._open:
            self.problems.append(f"left open: {self._open}")
        if len(self.h1) != 1 or not self.h1[0].strip():
            self.problems.append(f"{len(self.h1)} h1")
        if not self.title.strip():
            self.problems.append("no title")
        twice = sorted({one for one in self.ids if self.ids.count(one) > 1})
        if twice:
            self.problems.append(f"ids twice: {twice}")
        for form in self.forms:
            names = [name for name, _value in form.values]
            if form.method == "post" and "csrf_token" not in names:
                self.problems.append(f"a form to {form.action or self.address} without csrf_token")


class Caller:
    """One person with one browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page: Page | None = None

    def sign_in(self, login: str, password: str) -> Page:
        """Through the door like everybody."""
        self.go("/login")
        return self.press("登录", login=login, password=password)

    def go(self, address: str, expect: int = 200) -> Page:
        """Open a page, following where it leads; the page must be whole."""
        return self._arrive(self.get(address), address, expect)

    def get(self, address: str) -> TestResponse:
        """An answer as it comes. Every request has an application context of its own, as on a server."""
        with self.client.application.app_context():
            return self.client.get(address)

    def post(self, address: str, data: Mapping[str, Any]) -> TestResponse:
        """Send what no page offers."""
        with self.client.application.app_context():
            return self.client.post(address, data=data, content_type="multipart/form-data")

    def follow(self, words: str) -> Page:
        """Follow a link by its words."""
        assert self.page is not None
        return self.go(urljoin(self.page.address, self.page.link(words)))

    def press(self, button: str, expect: int = 200, **filled: Any) -> Page:
        """Press a button: the form it stands in goes off with what it held, changed by `filled`.

        A list ticks boxes; (name, bytes) pairs under a field's name are files; None leaves a field out.
        """
        response, action = self.send(button, **filled)
        return self._arrive(response, action, expect)

    def send(self, button: str, **filled: Any) -> tuple[TestResponse, str]:
        """The same without following the answer: for a form that is sent more than once."""
        assert self.page is not None
        form, pressed = self.page.form(button)
        data = filled_in(form, filled)
        if pressed[1]:
            data.add(pressed[1], pressed[2])
        action = urljoin(self.page.address, form.action or self.page.address)
        return self.post(action, data), action

    def _arrive(self, response: TestResponse, address: str, expect: int) -> Page:
        for _ in range(5):
            if response.status_code not in (301, 302, 303):
                break
            address = urljoin(address, response.headers["Location"])
            parts = urlsplit(address)
            response = self.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        self.page = Page(response, address)
        assert self.page.status == expect, f"{address}: {self.page.status} {self.page.text[:400]}"
        assert not self.page.problems, f"{address}: {self.page.problems}"
        return self.page


def filled_in(form: Form, filled: Mapping[str, Any]) -> MultiDict[str, Any]:
    """What a form sends after somebody has written into it."""
    data: MultiDict[str, Any] = MultiDict((name, value) for name, value in form.values if name not in filled)
    for name, value in filled.items():
        if isinstance(value, list):
            for one in value:
                data.add(name, (io.BytesIO(one[1]), one[0]) if isinstance(one, tuple) else one)
        elif value is not None:
            data.add(name, value)
    return data
