"""双公示: the public lists of penalties and permits, with their filters, pages and sheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from flask import Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.casework.keyset import Order, Page, page_of
from app.db import db
from app.models import CreditRecord
from app.notices.formats.sheet import BOM, FORMULA
from app.now import now
from app.registry.directory import PUBLIC, code_list, entries
from app.registry.public_lists import (
    PENALTIES,
    PERMITS,
    REACH,
    Listed,
    Wanted,
    listed,
    looked_through,
    offices_that_decide,
    records_of,
    withdrawn_of,
)
from app.registry.regions import regions
from app.registry.subject import PublicRecord
from app.security import limiter
from app.views.public import blueprint, not_kept
from forms.public import ListFilter, PenaltyFilter, PermitFilter
from workflows.calendar import legal_day

PAGE = 25
SHEET = 1000
"""Rows of a sheet, the newest."""
READS = "60 per minute; 600 per hour"
SHEETS = "6 per minute; 30 per hour"
ORDER = Order(CreditRecord.recognised_on, CreditRecord.id, "day", down=True)


class PublicList(NamedTuple):
    """One list: what it lists, its filter, the code list of its categories, the name of its sheet."""

    what: Listed
    form: type[ListFilter]
    categories: str
    sheet: str


LISTS = {
    "penalties": PublicList(PENALTIES, PenaltyFilter, "CFLB", "行政处罚公示"),
    "permits": PublicList(PERMITS, PermitFilter, "XKLB", "行政许可公示"),
}


@blueprint.get("/penalties")
@limiter.limit(READS)
def penalties() -> ResponseReturnValue:
    """行政处罚, those that are public today."""
    return _list("penalties")


@blueprint.get("/permits")
@limiter.limit(READS)
def permits() -> ResponseReturnValue:
    """行政许可, those that are public today."""
    return _list("permits")


@blueprint.get("/penalties.csv")
@limiter.limit(SHEETS)
def penalties_sheet() -> ResponseReturnValue:
    """The same as a sheet."""
    return _sheet("penalties")


@blueprint.get("/permits.csv")
@limiter.limit(SHEETS)
def permits_sheet() -> ResponseReturnValue:
    """The same as a sheet."""
    return _sheet("permits")


def _list(name: str) -> ResponseReturnValue:
    this, today = LISTS[name], legal_day(now())
    form = _form(this)
    chosen = _chosen(form)
    wanted = _wanted(chosen)
    page = page_within_reach(this.what, wanted, today, request.args.get("after"), request.args.get("before"))
    ids = [row.id for row in page.rows]
    withdrawn = wanted.state == "withdrawn"
    words = {"here": f"public.{name}", "name": name, "form": form, "chosen": _chips(name, form, chosen)}
    body = render_template(
        f"public/list_{name}.html",
        rows=[] if withdrawn else records_of(ids, today),
        withdrawn=withdrawn_of(ids, today) if withdrawn else None,
        previous=_address(name, chosen, before=page.before) if page.before else None,
        next=_address(name, chosen, after=page.after) if page.after else None,
        sheet=None if withdrawn else _address(f"{name}_sheet", chosen),
        at=now(),
        today=today,
        limit=SHEET,
        reach=REACH,
        **words,
    )
    return not_kept(body)


def page_within_reach(
    what: Listed, wanted: Wanted, today: date, after: str | None, before: str | None, limit: int = PAGE
) -> Page[Any]:
    """A page of a list, for which at most REACH records are looked through; it may then be short, or empty, and still
    be followed by another."""
    query, among = listed(what, wanted, today), looked_through(what, wanted, today)
    start, end = ORDER.read(after), ORDER.read(before)
    down = end is None or start is not None
    mark = start if down else end
    last = _end_of_reach(among, mark, down) if among is not None else None
    if last is not None:
        query = query.where(~ORDER.beyond(last, down))
    page = page_of(query, ORDER, after=after, before=before, limit=limit)
    back, further = (page.before, page.after) if down else (page.after, page.before)
    if not page.rows and mark is not None:
        back = ORDER.mark(mark[0], mark[1] - 1 if down else mark[1] + 1)  # so that the row of the mark is on the way
    if last is not None:
        further = further or ORDER.mark(*last)
    return Page(page.rows, *((back, further) if down else (further, back)))


def _end_of_reach(among: Any, mark: tuple[Any, int] | None, down: bool) -> tuple[Any, int] | None:
    """The last record that this page looks at, None when it comes to the end of the list before."""
    if mark is not None:
        among = among.where(ORDER.beyond(mark, down))
    columns = (ORDER.column.desc(), ORDER.id.desc()) if down else (ORDER.column.asc(), ORDER.id.asc())
    row = db.session.execute(among.order_by(*columns).offset(REACH).limit(1)).first()
    return (row.mark, row.id) if row is not None else None


def _sheet(name: str) -> ResponseReturnValue:
    this, today = LISTS[name], legal_day(now())
    chosen = _chosen(_form(this))
    wanted = _wanted(chosen)
    query = listed(this.what, wanted, today).order_by(ORDER.column.desc(), ORDER.id.desc())
    ids = [row.id for row in db.session.execute(query.limit(SHEET))] if wanted.state != "withdrawn" else []
    text = io.StringIO()
    writer = csv.writer(text)
    for row in _cells(this.what, records_of(ids, today)):
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row])
    answer = Response((BOM + text.getvalue()).encode(), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}-{today.isoformat()}.csv")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _cells(what: Listed, records: Iterable[PublicRecord]) -> Iterable[list[str]]:
    """A heading and a row a record: the public fields of the newest directory entry, then our own."""
    entry = max((e for e in entries() if e.kind == what.kind), key=lambda e: e.edition)
    fields = [field for field in entry.fields if field.range == PUBLIC and not field.is_secret]
    ours = [_("失信类别"), _("公示至")] if what is PENALTIES else []
    yield [*(field.name for field in fields), *ours, _("网址")]
    for record in records:
        last = record.maximum_last_day
        more = [record.cls, last.isoformat() if last else ""] if what is PENALTIES else []
        address = current_app.config["PUBLIC_ADDRESS"] + url_for(".record", public_id=record.public_id)
        yield [*(record.values.get(field.code, "") for field in fields), *more, address]


def _form(this: PublicList) -> ListFilter:
    form = this.form(request.args)
    form.offer("office", [(str(id), name) for id, name in offices_that_decide()])
    cities = [region for region in regions().values() if region.level == "prefecture" and region.standing == "current"]
    form.offer("region", [(region.code, region.name) for region in cities])
    form.offer("category", [(value, value) for value in code_list(this.categories).values])
    return form


def _chosen(form: ListFilter) -> dict[str, Any]:
    """What was chosen, by name, as it stands in an address."""
    return {name: str(value) for name, value in form.chosen().items()}


def _wanted(chosen: Mapping[str, str]) -> Wanted:
    return Wanted(
        office=int(chosen["office"]) if "office" in chosen else None,
        region=chosen.get("region", ""),
        category=chosen.get("category", ""),
        cls=chosen.get("cls", ""),
        since=date.fromisoformat(chosen["since"]) if "since" in chosen else None,
        until=date.fromisoformat(chosen["until"]) if "until" in chosen else None,
        state=chosen.get("state", ""),
    )


def _address(name: str, chosen: Mapping[str, Any], **more: Any) -> str:
    return url_for(f".{name}", **{**chosen, **more})


def _chips(name: str, form: ListFilter, chosen: Mapping[str, str]) -> list[tuple[str, str]]:
    """What was chosen in words, each with the address of the list without it."""
    return [
        (words, _address(name, {key: value for key, value in chosen.items() if key != question}))
        for question, words in form.in_words()
    ]
