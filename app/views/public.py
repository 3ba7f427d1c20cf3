"""For everybody: find a company, see its standing today, see whether a document is real."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from io import BytesIO

import segno
from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.documents.check import check_file, look_up
from app.documents.codes import read_code
from app.now import now
from app.registry.codes import check_code, clean_code
from app.registry.masking import quoted
from app.registry.regions import full_name, regions, standings
from app.registry.subject import (
    KIND_TITLES,
    Found,
    PublicRecord,
    find_by_code,
    found_near,
    newest_public,
    public_records,
    withdrawn_records,
)
from app.security import limiter
from app.views.said import said
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


@blueprint.get("/subjects/<code>")
@limiter.limit(SEARCHES)
def subject(code: str) -> ResponseReturnValue:
    """The standing of an organisation today. An earlier code leads on to the present one."""
    verdict = check_code(code, standings())
    if not verdict.ok:
        near = found_near(clean_code(code))
        page = render_template("public/nobody.html", reason=said(verdict.problems[0]), code="", near=near)
        return not_kept(page, 404)
    found = find_by_code(verdict.code)
    if found is None:
        return not_kept(render_template("public/nobody.html", reason="", code=verdict.code), 404)
    if found.code != code:
        return redirect(url_for(".subject", code=found.code), 301)
    at = now()
    public = public_records(found.id, legal_day(at))
    records = [record for record in public if record.kind == "penalty"]
    return not_kept(
        render_template(
            "public/subject.html",
            subject=found,
            facts=_about(found),
            records=records,
            permits=[record for record in public if record.kind == "permit"],
            withdrawn=withdrawn_records(found.id, legal_day(at)),
            figures=_figures(records, legal_day(at)),
            at=at,
            today=legal_day(at),
        )
    )


@blueprint.get("/subjects/<code>/qr.svg")
@limiter.limit(SEARCHES)
def subject_qr(code: str) -> ResponseReturnValue:
    """The address of a subject's page as a QR code, for the printed page."""
    verdict = check_code(code)
    if not verdict.ok:
        abort(404)
    return qr(url_for(".subject", code=verdict.code))


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


def _about(found: Found) -> list[str]:
    """What is said beside the code: kind, place of registration, representative (masked)."""
    said = [_(KIND_TITLES[found.kind])]
    if found.region in regions():
        said.append(full_name(found.region).removeprefix("湖南省") or "湖南省")
    if found.representative:
        role = _("经营者") if found.kind == "sole_trader" else _("法定代表人")
        said.append(f"{role} {found.representative}")
    return said


def _figures(records: list[PublicRecord], today: date) -> list[tuple[int, str]]:
    """The key figures of a subject."""
    passed = [record for record in records if record.minimum_passed(today) and not record.never_repaired]
    return [
        (len(records), _("正在公示的行政处罚")),
        (sum(record.cls == "严重" for record in records), _("其中严重")),
        (sum(record.cls == "一般" for record in records), _("其中一般")),
        (len(passed), _("最短公示期已满")),
    ]


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
