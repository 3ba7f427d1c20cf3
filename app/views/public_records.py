"""The stable address of one record."""

from __future__ import annotations

from flask import abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app.now import now
from app.registry.public_record import Over, Published, public_record
from app.security import limiter
from app.views.public import SEARCHES, blueprint, not_kept, qr
from app.views.record_terms import terms_of
from workflows.calendar import legal_day

GONE = 410
"""A record that was shown is not shown any more, and will not come back under this address."""


@blueprint.get("/records/<public_id>")
@limiter.limit(SEARCHES)
def record(public_id: str) -> ResponseReturnValue:
    """What was decided, how long it is shown and why; of one that is over, that it is; 404 for one never shown."""
    at = now()
    found = public_record(public_id, legal_day(at))
    if found is None:
        abort(404)
    if isinstance(found, Published):
        shown = found.record
        terms = terms_of(shown.recognised_on, shown.minimum_last_day, shown.maximum_last_day)
        page = render_template("public/record.html", p=found, r=shown, terms=terms, at=at, today=legal_day(at))
        return not_kept(page)
    template = "public/record_over.html" if isinstance(found, Over) else "public/record_withdrawn.html"
    return not_kept(render_template(template, found=found, at=at), GONE if isinstance(found, Over) else 200)


@blueprint.get("/records/<public_id>/qr.svg")
@limiter.limit(SEARCHES)
def record_qr(public_id: str) -> ResponseReturnValue:
    """The address of a record's page as a QR code, for the printed page."""
    if public_record(public_id, legal_day(now())) is None:
        abort(404)
    return qr(url_for(".record", public_id=public_id))
