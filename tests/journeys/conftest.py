"""A visitor without a browser. Every page they get is checked: one h1, a title, sound markup, few statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from app.db import db
from app.now import now
from app.security import SIGNED_IN_AT
from tests.cast import Cast
from tests.journeys.hostile import made_on_postgres, stage, stage_on_postgres, stage_on_sqlite

__all__ = ["made_on_postgres", "stage", "stage_on_postgres", "stage_on_sqlite"]

STATEMENTS = 15
VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)


class Markup(HTMLParser):
    """What a page must not get wrong, noted while it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.problems: list[str] = []
        self.ids: list[str] = []
        self.h1 = 0
        self.title = ""
        self.links: list[str] = []
        self._form: dict[str, object] | None = None
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"] or "")
        if "style" in given or any(name.startswith("on") for name in given):
            self.problems.append(f"<{tag}> carries a style or a script of its own")
        if tag == "h1":
            self.h1 += 1
        if tag == "title" and "svg" not in self.open:
            self._in_title = True
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        if tag == "form":
            self._form = {"post": (given.get("method") or "").lower() == "post", "names": set()}
        if tag == "input" and self._form is not None:
            self._form["names"].add(given.get("name"))  # type: ignore[attr-defined]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> closes <{self.open[-1] if self.open else '-'}>")
        if tag in self.open:
            while self.open.pop() != tag:
                pass
        if tag == "title":
            self._in_title = False
        if tag == "form" and self._form is not None:
            if self._form["post"] and "csrf_token" not in self._form["names"]:  # type: ignore[operator]
                self.problems.append("a form that writes has no CSRF token")
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data


class Visitor:
    """Somebody of the cast, or nobody, with a client of their own."""

    def __init__(self, app: Flask, cast: Cast) -> None:
        self.app, self.cast = app, cast
        self.client: FlaskClient = app.test_client()
        self.statements: list[str] = []

    def become(self, name: str | None) -> Visitor:
        """Be signed in as somebody; None signs out."""
        self.client = self.app.test_client()
        if name is not None:
            with self.client.session_transaction() as session:
                session["_user_id"] = f"{self.cast.users[name]}.1"
                session["_fresh"] = True
                session[SIGNED_IN_AT] = now().timestamp()
        return self

    def get(self, path: str, status: int = 200) -> TestResponse:
        """Get a page and check it."""
        self.statements.clear()
        response = self.client.get(path)
        assert response.status_code == status, (
            f"{path}: {response.status_code}\n{response.get_data(as_text=True)[:600]}"
        )
        self.inspect(path, response)
        return response

    def inspect(self, path: str, response: TestResponse) -> None:
        """Check a page that was just fetched."""
        assert not db.session.new and not db.session.dirty, f"{path} leaves something unsaved"
        if response.mimetype == "text/html" and response.status_code not in (302, 303):
            self.check(path, response.get_data(as_text=True))
            assert len(self.statements) <= STATEMENTS, f"{path}: {len(self.statements)}\n" + "\n".join(self.statements)

    def check(self, path: str, text: str) -> Markup:
        """One h1, a title, no id twice, sound markup, forms that write carry a token."""
        markup = Markup()
        markup.feed(text)
        assert markup.problems == [], path
        assert markup.open == [], f"{path} leaves open {markup.open}"
        assert markup.h1 == 1, f"{path} has {markup.h1} h1"
        assert markup.title.strip(), path
        assert len(markup.ids) == len(set(markup.ids)), f"{path}: {[i for i in markup.ids if markup.ids.count(i) > 1]}"
        return markup


@contextmanager
def counted(visitor: Visitor) -> Iterator[Visitor]:
    """Count the statements of the pages that a visitor gets."""

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SHOW")):
            visitor.statements.append(" ".join(statement.split())[:160])

    event.listen(db.engine, "before_cursor_execute", count)
    yield visitor
    event.remove(db.engine, "before_cursor_execute", count)


@pytest.fixture
def visitor(app: Flask, cast: Cast) -> Iterator[Visitor]:
    """A visitor whose statements are counted."""
    with counted(Visitor(app, cast)) as visitor:
        yield visitor
