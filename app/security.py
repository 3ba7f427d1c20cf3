"""Who may enter a counter at all: sign-in, one gate per blueprint, headers, CSRF, rate limits. Closed by default."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from flask import Flask, abort, current_app, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user, login_user
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, RequestRedirect

from app.casework.actor import CASEWORK_ROLES, Person, load_person
from app.casework.sight import departments_of
from app.now import now
from app.problem import for_programs
from forms.typed import FOREIGN
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
SEALED = "default-src 'none'; sandbox"
"""What a file that somebody handed in may do in a browser: nothing."""
LOCK_AFTER = 5
LOCK_FOR = timedelta(minutes=15)
SIGNED_IN_FOR = timedelta(hours=12)
SIGNED_IN_AT = "signed_in_at"
"""Where a session keeps when it began: it ends after SIGNED_IN_FOR, however much it is used."""

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
    at = now()
    over = at.timestamp() - session.get(SIGNED_IN_AT, 0) > SIGNED_IN_FOR.total_seconds()
    if over or not (user_id.isascii() and user_id.isdigit()):
        return None
    person = load_person(int(user_id), legal_day(at), request.remote_addr or "")
    if person is None or str(person.session_version) != version:
        return None
    return SignedIn(person)


def sign_in(who: Person, at: datetime) -> None:
    """Begin a session for a person, with nothing left in it of the one before."""
    session.clear()
    session[SIGNED_IN_AT] = at.timestamp()
    login_user(SignedIn(who))


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


def acting_department() -> int:
    """The linked department for which the signed-in person acts now: the one chosen, else the first of theirs."""
    departments = departments_of(person())
    chosen = session.get("acting_department")
    return chosen if chosen in departments else min(departments)


GATES: dict[str, Callable[[Person], bool]] = {
    "enterprise": lambda who: bool(who.mandates),
    "desk": lambda who: bool(who.roles & CASEWORK_ROLES),
    "hall": lambda who: any(one.channel == "hall" for one in who.carries),
    "admin": lambda who: bool(who.roles & {Role.ADMINISTRATOR, Role.LEGAL}),
    "agency": lambda who: Role.LINKED in who.roles,
}
"""Which signed-in person may enter a counter. A blueprint that is not here and not open is shut for everybody."""

OPEN = frozenset(("public", "account", "interface", "service", "static", "bootstrap"))

KEYED = frozenset(("api",))
"""Counters for programs, whose gate asks for a department's key: no session opens them, no form's token is needed."""

KEEP_TYPED = frozenset(
    (
        "desk.step",
        "desk.annul",
        "desk.classify",
        "hall.filing",
        "hall.completion",
        "enterprise.step",
        "enterprise.contact",
        "agency.notice",
        "agency.receipts",
    )
)
"""Pages that show a form of an earlier session again with what was typed in it, instead of a plain refusal. Each does
nothing before its `TypedForm` has been found valid, which a form without the token of this session never is."""


SHEETS = frozenset(("desk.intake_new",))
"""Where a whole file of records is handed in, as long as MAX_SHEET; only who has passed the gate gets so far."""


class RowNumber(IntegerConverter):
    """A number in an address, as the database can hold it; everything else is no such page."""

    regex = r"[0-9]{1,10}"

    def __init__(self, map: Any, *args: Any, **named: Any) -> None:
        super().__init__(map, *args, **{"max": 2**31 - 1, **named})


def home_of(who: Person) -> str:
    """The counter at which a person begins; whoever has none sees what became of their request to act for somebody."""
    if GATES["desk"](who):
        return url_for("desk.inbox")
    if GATES["enterprise"](who):
        return url_for("enterprise.home")
    if GATES["agency"](who):
        return url_for("agency.inbox")
    if GATES["admin"](who):
        return url_for("admin.law" if Role.ADMINISTRATOR not in who.roles else "admin.users")
    return url_for("account.mandates")


def _readable() -> None:
    """No database has to look for what has a NUL in its name; in a question such an answer is none, as any other. A
    program is not sent on to the right spelling of an address."""
    if "\0" in request.path or (for_programs() and isinstance(request.routing_exception, RequestRedirect)):
        abort(404)


def _own_form() -> None:
    """A form counts only with the token of the session it is sent in."""
    if request.endpoint is None or request.endpoint.partition(".")[0] in KEYED:
        return
    if request.endpoint in SHEETS:
        request.max_content_length = current_app.config["MAX_SHEET"]
    try:
        csrf.protect()
    except CSRFError:
        if request.endpoint not in KEEP_TYPED or not current_user.is_authenticated:
            raise
        setattr(g, FOREIGN, True)


def _gate() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    counter = request.endpoint.partition(".")[0]
    if counter in OPEN or counter in KEYED:
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


def _private(response: Any) -> Any:
    """No page is kept by anybody on its way, a page of somebody signed in not even by the browser; what is ours is not
    shown inside other sites."""
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if not (request.endpoint or "").endswith("static"):
        if for_programs() or "_user_id" in session:
            response.headers["Cache-Control"] = "no-store"
        else:
            response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def seal_answer() -> None:
    """The answer to this request is somebody's file and not a page of ours."""
    g.sealed = True


def _sealed(response: Any) -> Any:
    if g.get("sealed", False):
        response.headers["Content-Security-Policy"] = SEALED
    return response


def init_security(app: Flask) -> None:
    """Attach the gates, the headers and the limits to the application."""
    if app.config["PROXIES"]:
        count = app.config["PROXIES"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    app.permanent_session_lifetime = SIGNED_IN_FOR
    app.url_map.converters["int"] = RowNumber
    login_manager.init_app(app)
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # `_own_form` checks, after the gate
    csrf.init_app(app)
    limiter.init_app(app)
    limiter.enabled = not app.config["TESTING"]
    app.after_request(_sealed)  # the first to be registered is the last to be called
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
    for look in (_readable, _gate, _own_form):
        app.before_request(look)
    app.after_request(_private)


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
