"""How a program comes in: a department's key, its quota and scopes, then the door. No session, no form's token.

Who acts is the person who answers for the key, as they stand that day: out of the department or closed, and the key
opens nothing. What they are elsewhere does not come with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Response, g, request
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address
from flask_openapi import APIBlueprint
from limits import RateLimitItemPerMinute
from pydantic import BaseModel

from app.casework.actor import Person, load_person
from app.db import transaction
from app.notices.api_keys import SCOPES, Holder, holder_of, used
from app.now import now
from app.problem import MEDIA_TYPE, PREFIX, SAID, problem
from app.security import limiter
from app.views.api.body import USUAL, read_body
from workflows.calendar import legal_day

STRANGERS = 60
"""How often in a minute somebody without a valid key is answered, by address."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who came in: the key's department, the person who answers for it, when, and the object that was sent."""

    holder: Holder
    person: Person
    at: datetime
    sent: Mapping[str, Any]


def refusing(*statuses: int) -> dict[Any, Any]:
    """How problems of these statuses are described."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(status): {"description": str(SAID[status][1]), "content": content} for status in statuses}


blueprint = APIBlueprint(
    "api",
    __name__,
    url_prefix=PREFIX,
    abp_security=[{"key": []}],
    abp_responses=refusing(401, 403, 404, 422, 429, 500, 503),
)

_doors: dict[str, tuple[str, int]] = {}
"""By endpoint: the scope a key must have, and how many bytes may be sent."""


def door(
    method: str,
    rule: str,
    *,
    scope: str,
    title: str,
    answers: Mapping[int, type[BaseModel] | dict[str, Any]],
    body: Mapping[str, Any] | None = None,
    limit: int = USUAL,
    shown: bool = True,
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Hang a door: `answers` are the good ones by status, `body` describes one that is read by a form instead of a
    model. A door that is not `shown` is described by others."""
    responses: dict[str, Any] = {str(status): model for status, model in answers.items()}
    if method == "post":
        responses |= refusing(400, 409, 413, 415)

    def hang(view: Callable[..., Response]) -> Callable[..., Response]:
        _doors[f"{blueprint.name}.{view.__name__}"] = (scope, limit)
        more: dict[str, Any] = {"request_body": dict(body)} if body else {}
        hung: Callable[..., Response] = getattr(blueprint, method)(
            rule,
            tags=[{"name": SCOPES[scope], "description": f"scope: {scope}"}],
            summary=title,
            operation_id=view.__name__,
            responses=responses,
            doc_ui=shown,
            provide_automatic_options=False,
            **more,
        )(view)
        return hung

    return hang


def visit() -> Visit:
    """Who came in with this request."""
    came: Visit = g.visit
    return came


@blueprint.before_request
def _gate() -> Response | None:
    at = now()
    holder, who = _recognised(at)
    if holder is None or who is None:
        return problem(401 if _within(STRANGERS, "strangers", get_remote_address()) else 429)
    if not _within(holder.per_minute, "key", str(holder.api_key)):
        return problem(429)
    scope, limit = _doors[request.endpoint or ""]
    if scope not in holder.scopes:
        return problem(403, _("这把密钥没有开通“%(scope)s”。", scope=SCOPES[scope]), code="SCOPE")
    twice = next((name for name, values in request.args.lists() if len(values) > 1), None)
    if twice is not None:
        return problem(422, errors=[{"field": twice, "message": _("同一个参数只能写一次。")}])
    sent = read_body(limit) if request.method == "POST" else {}
    if holder.to_note(at):
        with transaction():
            used(holder.api_key, at)
    g.visit = Visit(holder, who, at, sent)
    return None


def _recognised(at: datetime) -> tuple[Holder | None, Person | None]:
    """The key's department and the person who answers for it, as far as they serve there today."""
    shown = request.authorization
    if shown is None or shown.type != "bearer" or not shown.token:
        return None, None
    holder = holder_of(shown.token, at)
    if holder is None:
        return None, None
    who = load_person(holder.user_id, legal_day(at), request.remote_addr or "")
    if who is None or not any(office == holder.office_id for _role, office in who.memberships):
        return holder, None
    return holder, replace(
        who,
        memberships=frozenset(held for held in who.memberships if held[1] == holder.office_id),
        offices=tuple(office for office in who.offices if office[0] == holder.office_id),
        paths=tuple(path for path in who.paths if path == holder.office_path),
        carries=frozenset(one for one in who.carries if one.office == holder.office_id),
    )


def _within(per_minute: int, *whose: str) -> bool:
    """Whether there is still room in this minute; each process counts for itself."""
    return not limiter.enabled or limiter.limiter.hit(RateLimitItemPerMinute(per_minute), "api", *whose)
