"""Who may enter a counter at all: sign-in, one gate per blueprint, headers, CSRF, rate limits. Closed by default."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Any

from flask import Flask, abort, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from app.casework.actor import CASEWORK_ROLES, Person, load_person
from app.now import now
from workflows.calendar import legal_day
from workflows.people import Role

CSP = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
LOCK_AFTER = 5
LOCK_FOR = timedelta(minutes=15)
SIGNED_IN_FOR = timedelta(hours=12)

login_manager = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://")


class SignedIn(UserMixin):
    """The signed-in person as Flask-Login wants it."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def get_id(self) -> str:
        """User and session version: raising the version ends every session of the user."""
        return f"{self.person.person}.{self.person.session_version}"


@login_manager.user_loader
def _load(identity: str) -> SignedIn | None:
    user_id, _dot, version = identity.partition(".")
    if not user_id.isdigit():
        return None
    person = load_person(int(user_id), legal_day(now()), request.remote_addr or "")
    if person is None or str(person.session_version) != version:
        return None
    return SignedIn(person)


def person() -> Person:
    """The signed-in person of this request; 401 when nobody is signed in."""
    if not current_user.is_authenticated:
        abort(401)
    signed_in: SignedIn = current_user._get_current_object()
    return signed_in.person


def acting_subject() -> int:
    """The subject for which the signed-in filer acts now: the one chosen, else the first of their mandates."""
    mandates = person().mandates
    chosen = session.get("acting_for")
    return chosen if chosen in mandates else min(mandates)


GATES: dict[str, Callable[[Person], bool]] = {
    "enterprise": lambda who: bool(who.mandates),
    "desk": lambda who: bool(who.roles & CASEWORK_ROLES),
    "admin": lambda who: bool(who.roles & {Role.ADMINISTRATOR, Role.LEGAL}),
}
"""Which signed-in person may enter a counter. A blueprint that is not here and not open is shut for everybody."""

OPEN = frozenset(("public", "account", "service", "static", "bootstrap"))


def home_of(who: Person) -> str:
    """The counter at which a person begins."""
    if GATES["desk"](who):
        return url_for("desk.inbox")
    if GATES["enterprise"](who):
        return url_for("enterprise.home")
    if GATES["admin"](who):
        return url_for("admin.law" if Role.ADMINISTRATOR not in who.roles else "admin.users")
    return url_for("public.home")


def _gate() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    counter = request.endpoint.partition(".")[0]
    if counter in OPEN:
        return None
    if not current_user.is_authenticated:
        if request.method == "GET":
            flash(_("请先登录，登录后回到刚才的页面。"))
            return redirect(url_for("account.login", next=request.full_path.rstrip("?")))
        abort(401)
    allowed = GATES.get(counter)
    if allowed is None or not allowed(person()):
        abort(403)
    return None


def _no_store(response: Any) -> Any:
    if current_user.is_authenticated and not (request.endpoint or "").endswith("static"):
        response.headers["Cache-Control"] = "no-store"
    return response


def init_security(app: Flask) -> None:
    """Attach the gates, the headers and the limits to the application."""
    if app.config["PROXIES"]:
        count = app.config["PROXIES"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    app.permanent_session_lifetime = SIGNED_IN_FOR
    login_manager.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    limiter.enabled = not app.config["TESTING"]
    Talisman(
        app,
        content_security_policy=CSP,
        force_https=app.config["HTTPS"],
        strict_transport_security=app.config["HTTPS"],
        session_cookie_secure=app.config["HTTPS"],
        session_cookie_samesite="Lax",
        frame_options="DENY",
        referrer_policy="same-origin",
        x_xss_protection=False,
    )
    app.before_request(_gate)
    app.after_request(_no_store)


@lru_cache(maxsize=1)
def hasher() -> Any:
    """The password hasher (argon2id), made once."""
    from argon2 import PasswordHasher

    return PasswordHasher()


def password_matches(stored: str, typed: str) -> bool:
    """True when the typed password is the stored one; an unreadable hash matches nothing."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return bool(hasher().verify(stored, typed))
    except (VerificationError, InvalidHashError):
        return False


def safe_next(target: str | None) -> str | None:
    """A place of this site to go on to after signing in, or None for anything else."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    if any(ord(c) < 32 or c == "\\" for c in target):
        return None
    return target
