"""Searching: by a name, a code or a 文号. What was found alone and exactly is opened at once.

What was typed goes into an address, so that a search can be passed on, but never a number of a person: that is refused
where it was typed, by POST, and is repeated on no page. One visitor reads a few pages of a search and no more; how far
they have come is sealed in the mark of the next page.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from flask import current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer

from app.now import now
from app.registry.codes import check_code, check_id_number, clean_code
from app.registry.masking import has_personal_numbers
from app.registry.public_record import records_numbered
from app.registry.regions import full_name, regions, standings
from app.registry.search import SHORTEST, Hits, Place, find_names, key_of
from app.registry.subject import KIND_TITLES, PublicRecord
from app.registry.text import fold
from app.security import limiter
from app.views.public import SEARCHES, blueprint, not_kept
from app.views.said import said
from forms.public import SearchForm
from workflows.calendar import legal_day

PAGES = 10
"""Pages of one search that a visitor may read."""

_PHONE = re.compile(r"(?:\+?86)?1[3-9]\d{9}|0\d{2,3}[2-9]\d{6,7}")
_ID_LIKE = re.compile(r"[1-8]\d{14}|[1-8]\d{16}[0-9X]")
_CODE_LIKE = re.compile(r"(?=(?:.*\d){6})[0-9A-Z]{15,20}")


class Found(NamedTuple):
    """An organisation in the list: its name, code, kind and place."""

    name: str
    code: str
    about: str


@blueprint.get("/search")
@limiter.limit(SEARCHES)
def search() -> ResponseReturnValue:
    """What was found; the page to search from when nothing was asked."""
    if "q" not in request.args:
        return _page(_empty(_refused() if "refused" in request.args else ""))
    form = SearchForm(request.args, meta={"csrf": False})
    if is_private(form.q.data or ""):
        return redirect(url_for(".search", refused=1))
    if not form.validate():
        return _page(form)
    typed = form.q.data or ""
    if way := _straight(typed):
        return redirect(way)
    if problem := _problem(typed):
        form.q.errors = [problem]
        return _page(form)
    page, after = _read_mark(typed, request.args.get("after"))
    records = records_numbered(typed, legal_day(now())) if page == 1 else []
    if len(records) == 1:
        return redirect(url_for(".record", public_id=records[0].public_id))
    hits = find_names(typed, after)
    if page == 1 and not records and hits.exact and hits.exact.code:
        return redirect(url_for(".subject", code=hits.exact.code))
    return _page(form, typed=typed, page=page, hits=hits, records=records)


@blueprint.post("/search")
@limiter.limit(SEARCHES)
def search_typed() -> ResponseReturnValue:
    """What was typed, on its way to its address; a person's number gets no further than here."""
    form = SearchForm()
    if is_private(form.q.data or ""):
        return _page(_empty(_refused()), status=422)
    if not form.validate_on_submit():
        return _page(form, status=422)
    typed = form.q.data or ""
    way = _straight(typed)
    if not way and (problem := _problem(typed)):
        form.q.errors = [problem]
        return _page(form, status=422)
    return redirect(way or url_for(".search", q=typed), 303)


def is_private(typed: str) -> bool:
    """True for anything with the number of somebody's identity document or telephone in it."""
    bare = fold(typed).replace("-", "")
    if check_code(bare).ok and not check_id_number(bare).ok:
        return False
    shaped = _ID_LIKE.fullmatch(bare) or _PHONE.fullmatch(bare)
    return bool(shaped) or has_personal_numbers(typed) or has_personal_numbers(bare)


def _straight(typed: str) -> str:
    """The address that a good 统一社会信用代码 leads to, "" for anything else."""
    verdict = check_code(typed, standings())
    return url_for(".subject", code=verdict.code) if verdict.ok else ""


def _problem(typed: str) -> str:
    """Why nothing can be looked for, in a sentence; "" when it can."""
    if _CODE_LIKE.fullmatch(clean_code(typed)):
        return said(check_code(typed, standings()).problems[0])
    if len(key_of(typed)) < SHORTEST:
        return _("请至少输入两个字。只输入一个字，查到的太多。")
    return ""


def _refused() -> str:
    return _("这里不能用身份证号码、电话号码查询：查的是企业，不查个人。请输入企业名称、统一社会信用代码或者文号。")


def _empty(problem: str) -> SearchForm:
    """The form as nobody has filled it in, with what was wrong."""
    form = SearchForm(formdata=None)
    form.q.errors = [problem] if problem else []
    return form


def _page(
    form: SearchForm,
    *,
    status: int = 200,
    typed: str = "",
    page: int = 1,
    hits: Hits | None = None,
    records: list[PublicRecord] | None = None,
) -> ResponseReturnValue:
    following = hits.after if hits else None
    more = url_for(".search", q=typed, after=_mark(typed, page + 1, following)) if following and page < PAGES else ""
    shown: dict[str, Any] = {
        "found": [_found(hit) for hit in hits.rows] if hits else [],
        "records": records or [],
        "page": page,
        "next": more,
        "too_many": following is not None and page >= PAGES,
        "first": url_for(".search", q=typed) if page > 1 else "",
    }
    asked = hits is not None
    return not_kept(render_template("public/search.html", form=form, typed=typed, asked=asked, **shown), status)


def _found(hit: Any) -> Found:
    about = [_(KIND_TITLES[hit.kind])]
    if hit.region in regions():
        about.append(full_name(hit.region).removeprefix("湖南省") or "湖南省")
    return Found(hit.name, hit.code, " · ".join(about))


def _sealer(typed: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"search\0{typed}")


def _mark(typed: str, page: int, place: Place | None) -> str:
    return _sealer(typed).dumps([page, *(place or ())])


def _read_mark(typed: str, mark: str | None) -> tuple[int, Place | None]:
    """The number of the page and where it begins; the first page for a mark that we did not make for this search."""
    try:
        page, *place = _sealer(typed).loads(mark or "")
        return page, Place(*place)
    except (BadSignature, TypeError, ValueError):
        return 1, None
