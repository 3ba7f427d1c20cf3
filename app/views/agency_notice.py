"""One notice at the linked departments' counter: what it says in words, how it came, what was answered, the receipt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.casework.department_notice import Answered, Attempted, NoticeOf, notice_of
from app.casework.receive import AnsweredMeanwhile, Said, take_receipt
from app.casework.refused import StepRefused
from app.db import transaction
from app.errors import STATUS_OF
from app.models.sharing import CHANNELS_OUT
from app.notices.formats import FORMATS
from app.notices.formats.field import Field
from app.now import now
from app.registry.working_days import office_calendar
from app.security import person
from app.views.agency_lines import RECEIPTS, Line, lines_of
from app.views.refusals import No, no_of
from app.views.texts import day_year, when
from forms.agency import DATED, EXPLAINED, ReceiptForm
from workflows.calendar import day_start, legal_day

SAID_ELSEWHERE = frozenset(
    (
        "notice", "receiver", "seq", "act", "action", "confirm_by", "subject_name", "uscc", "record", "record_no",
        "record_organ_code", "decision", "verify_at", "guid", "indicator", "edition", "version", "record_id",
        "tableCode", "tableVersionId", "departmentCode", "XXBH", "BBH", "TZBH", "XF_YZDZ",
    )
)  # fmt: skip
"""Fields of a payload that the page says in its head or that only a program needs."""
SHORT = re.compile("[（，；：]")
"""Where the name of a field ends and its explanation begins."""


def register_notice(blueprint: Blueprint) -> None:
    """Add the page of a notice."""

    @blueprint.route("/notices/<key>", methods=["GET", "POST"])
    def notice(key: str) -> ResponseReturnValue:
        """A notice, and the receipt about it."""
        at = now()
        found = _visible(key)
        form = ReceiptForm()
        no: tuple[No, ...] = ()
        status = 200
        if not form.is_submitted():
            form.begin(legal_day(at), _latest(found))
        elif not form.validate():
            status = 422
        else:
            try:
                with transaction():
                    take_receipt(
                        key, said(form, form.key.data, at), receiver_id=found.line.receiver_id, actor=person(),
                        via="counter", at=at, seen=form.seen.data,
                    )  # fmt: skip
            except StepRefused as error:
                no = tuple(no_of(refusal) for refusal in error.refusals)
                status = STATUS_OF.get(error.refusals[0].kind, 422)
                found = _visible(key)
                form.renew(_latest(found) if isinstance(error, AnsweredMeanwhile) else form.seen.data)
            else:
                flash(
                    _("回执已提交：%(what)s。发出通知的单位和企业立刻能看到。", what=RECEIPTS[form.kind.data]),
                    "success",
                )
                return redirect(url_for("agency.notice", key=key, _anchor="receipts"), 303)
        (line,) = lines_of([found.line], office_calendar(), legal_day(at))
        page = render_template("agency/notice.html", form=form, no=no, **described(found, line))
        return page, status


def said(form: ReceiptForm, key: str, at: datetime) -> Said:
    """What the form says, as a receipt under this key."""
    kind = form.kind.data
    return Said(
        kind=kind,
        key=key,
        done_at=_instant(form.done_on.data, at) if kind in DATED else None,
        number=form.number.data or "",
        reason=(form.reason.data or "") if kind in EXPLAINED else "",
    )


def described(found: NoticeOf, line: Line) -> dict[str, Any]:
    """What the page shows of a notice."""
    return {
        "line": line,
        "receiver": found.receiver,
        "facts": list(in_words(found.payload)),
        "verify_at": url_for("public.verify_code", code=found.document) if found.document else "",
        "way": _way(found),
        "tries": [(one.at, CHANNELS_OUT.get(one.channel, ""), _try(one)) for one in found.tries],
        "receipts": [(one, RECEIPTS[one.kind], who_gave(one)) for one in found.receipts],
    }


def in_words(payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A frozen payload as (name, words), in the order of its format; what is empty is left out."""
    fields = next((f.FIELDS for f in FORMATS.values() if set(payload) <= {field.name for field in f.FIELDS}), ())
    if fields:
        yield from _worded(fields, payload)
    else:
        yield from ((str(name), str(value)) for name, value in payload.items() if value not in (None, "", [], {}))


def _worded(fields: Iterable[Field], row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in fields:
        value = row.get(field.name)
        if field.name in SAID_ELSEWHERE or value in (None, "", [], {}, False):
            continue
        if field.of:
            for inner in value if isinstance(value, list) else [value]:
                yield from _worded(field.of, inner)
        else:
            yield SHORT.split(field.title, maxsplit=1)[0], _word(field.type, value)


def who_gave(receipt: Answered) -> str:
    """How a receipt came and who answers for it."""
    if receipt.via == "counter":
        return _("%(who)s在窗口提交", who=receipt.by)
    return _("接口提交，%(who)s负责", who=receipt.by) if receipt.by else _("接口提交")


def _visible(key: str) -> NoticeOf:
    found = notice_of(person(), key)
    if found is None:
        abort(404)
    return found


def _latest(found: NoticeOf) -> int:
    return found.receipts[0].id if found.receipts else 0


def _instant(day: date | None, at: datetime) -> datetime | None:
    """A day that was typed as an instant: today is now, every other day begins at midnight."""
    return None if day is None else at if day == legal_day(at) else day_start(day)


def _word(kind: str, value: Any) -> str:
    if kind == "boolean":
        return _("是") if value else _("否")
    if kind == "strings":
        return "；".join(map(str, value))
    try:
        if kind == "date":
            return day_year(date.fromisoformat(value))
        if kind == "instant":
            return when(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        pass
    return str(value)


def _way(found: NoticeOf) -> str:
    """Where the delivery stands, in a sentence."""
    line, channel = found.line, CHANNELS_OUT.get(found.channel, "")
    match line.state:
        case "delivered" if channel:
            return _("已于%(at)s送达（%(channel)s）。", at=when(line.delivered_at), channel=channel)
        case "delivered":
            return _("已于%(at)s送达。", at=when(line.delivered_at))
        case "dead":
            return _("送了 %(n)s 次没有送到，已转人工联系。在这里回执就算收到。", n=found.attempts)
        case "skipped":
            return _("不再向贵单位的接口发送这一份，后面的通知照常。")
        case _ if found.attempts:
            return _(
                "送了 %(n)s 次还没有送到，%(at)s再送。在这里回执就算收到。", n=found.attempts, at=when(found.next_at)
            )
        case _:
            return _("已写好，正等送出；在这里已经可以看到和回执。")


def _try(one: Attempted) -> str:
    if one.status is None:
        return one.detail or _("没有接通")
    if 200 <= one.status < 300:
        return _("收到")
    return _("对方返回 %(status)s", status=one.status) + (f"，{one.detail}" if one.detail else "")
