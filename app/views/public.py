"""For everybody: find a company, see its standing today, see whether a document is real."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from io import BytesIO

import segno
from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.documents.check import check_file, look_up
from app.documents.codes import read_code
from app.now import now
from app.registry.masking import quoted
from app.registry.subject import newest_public
from app.security import limiter
from forms.public import FileForm, LookUpForm, SearchForm
from workflows.calendar import legal_day
from workflows.law import NothingInForce, instrument, rule

blueprint = Blueprint("public", __name__)

SEARCHES = "30 per minute; 300 per hour"
CHECKS = "30 per minute; 300 per hour"
NEWEST = 5
CITED = ("NDRC36", "SC22", "MYJJ", "HNREG", "NDRC58")
"""Instruments that the home page names, in its order."""


@dataclass(frozen=True, slots=True)
class Provision:
    """An instrument on the home page, and whether it is in force today."""

    title: str
    number: str
    since: date | None
    until: date | None
    in_force: bool


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The front page."""
    today = legal_day(now())
    return render_template(
        "public/home.html",
        form=SearchForm(formdata=None),
        newest=newest_public(today, NEWEST),
        provisions=_provisions(today),
        accept_within=_working_days("repair.accept_within", today),
        result_within=_working_days("repair.result_within", today),
    )


@blueprint.route("/verify", methods=["GET", "POST"])
@limiter.limit(CHECKS, methods=["POST"])
def verify() -> ResponseReturnValue:
    """Look a document up by its 查验码, or compare a PDF with what was issued."""
    if "file" in request.files:
        return _compare()
    form = LookUpForm()
    if form.validate_on_submit():
        number = read_code(form.number.data)
        if number:
            return redirect(url_for(".verify_code", code=number), 303)
        form.number.errors = [_("查验码是 25 位字母和数字。请对照文书二维码旁的查验码再输一遍。")]
    page = render_template("public/verify.html", form=form, file_form=FileForm(formdata=None), checked=None)
    return page, (422 if form.errors else 200)


@blueprint.get("/verify/<code>")
@limiter.limit(CHECKS)
def verify_code(code: str) -> ResponseReturnValue:
    """What a document of ours says and whether it stands, as of now."""
    number = read_code(code)
    if number and number != code:
        return redirect(url_for(".verify_code", code=number), 301)
    at = now()
    found = look_up(number) if number else None
    answer = render_template(
        "public/verified.html", found=found, code=number or quoted(code), at=at, file_form=FileForm(formdata=None)
    )
    return not_kept(answer, 200 if found else 404)


def qr(path: str) -> Response:
    """An address of ours as a picture of black squares."""
    picture = BytesIO()
    segno.make(current_app.config["PUBLIC_ADDRESS"] + path, error="m", micro=False).save(picture, kind="svg", scale=3)
    return Response(picture.getvalue(), mimetype="image/svg+xml")


def _compare() -> ResponseReturnValue:
    """Compare a file that was handed in; it is read into memory once and let go."""
    form, limit = FileForm(), current_app.config["MAX_UPLOAD"]
    checked = None
    if form.validate_on_submit():
        data = form.file.data.read(limit + 1)
        if len(data) > limit:
            form.file.errors = [_("文件超过 %(limit)s MB，不会是本平台出具的文书。", limit=limit // 1048576)]
        else:
            checked = check_file(data)
    page = render_template(
        "public/verify.html", form=LookUpForm(formdata=None), file_form=form, checked=checked, at=now()
    )
    return not_kept(page, 422 if form.errors else 200)


def not_kept(body: str, status: int = 200) -> Response:
    """A page that is true at this moment only: not kept by caches, not listed by search engines."""
    response = make_response(body, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _provisions(today: date) -> list[Provision]:
    """The instruments of the home page as of today."""
    found = []
    for key in CITED:
        each = instrument(key)
        ended = each.in_force_until is not None and each.in_force_until < today
        begun = each.in_force_from is None or each.in_force_from <= today
        found.append(Provision(each.title, each.number, each.in_force_from, each.in_force_until, begun and not ended))
    return found


def _working_days(key: str, today: date) -> int | None:
    """The length of a time-limit in working days as the law has it today; None when it says nothing in such days."""
    try:
        row = rule(key).on(today)
    except NothingInForce:
        return None
    return row.value if row.unit == "WD" and isinstance(row.value, int) else None
