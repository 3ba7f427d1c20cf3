"""The language switch: a link, so that it works everywhere and without scripts; it changes nothing but a cookie."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import refresh

from app.security import safe_next
from app.translations import LANGUAGES
from app.translations.reader import COOKIE, KEPT_FOR
from app.views.account import blueprint


@blueprint.get("/language/<name>")
def language(name: str) -> ResponseReturnValue:
    """Show every page in this language from now on, and the page one came from again."""
    chosen = next((code for code, tag in LANGUAGES.items() if tag == name), None)
    if chosen is None:
        abort(404)
    answer = redirect(_came_from() or url_for("public.home"), 303)
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    answer.set_cookie(COOKIE, chosen, max_age=KEPT_FOR, secure=secure, httponly=True, samesite="Lax")
    refresh()
    return answer


def _came_from() -> str | None:
    """The page of this site that holds the link, with its questions. The browser names it: a page that had to name
    itself in the link would say again what somebody typed."""
    before = urlsplit(request.referrer or "")
    if before.netloc != request.host or before.path == request.path:
        return None
    return safe_next(f"{before.path}?{before.query}" if before.query else before.path)
