"""One receipt for several notices: chosen in the list, looked over, given; each is taken or left for itself."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.casework.department import PAGE, notices_by_key
from app.casework.department_notice import latest_receipts, receipts_given
from app.casework.receive import ANSWERED, take_receipt
from app.casework.refused import StepRefused
from app.db import transaction
from app.now import now
from app.registry.working_days import office_calendar
from app.security import person
from app.views.agency_lines import RECEIPTS, Line, lines_of
from app.views.agency_notice import said, who_gave
from app.views.texts import sentence
from forms.agency import ReceiptForm
from workflows.calendar import legal_day
from workflows.grammar import Refusal

LONGEST = 100
"""The most characters of a notice's key or a form's."""


def register_receipts(blueprint: Blueprint) -> None:
    """Add the pages for several notices."""

    @blueprint.route("/receipts", methods=["GET", "POST"])
    def receipts() -> ResponseReturnValue:
        """一起回执: the chosen notices and the one receipt for all of them."""
        at = now()
        keys = _keys((request.form if request.method == "POST" else request.args).getlist("notice"))
        if not keys and request.method == "GET":
            flash(_("请先选中要回执的通知。"), "warning")
            return redirect(url_for("agency.inbox"))
        chosen = lines_of(notices_by_key(person(), keys), office_calendar(), legal_day(at))
        if not chosen:
            abort(404)
        form = ReceiptForm()
        status = 200
        if not form.is_submitted():
            form.begin(legal_day(at), 0)
            waiting = [line for line in chosen if not line.notice.receipt]
            if not waiting:
                flash(_("选中的通知都已经回执过。要更正的，请打开通知再交一份。"), "warning")
                return redirect(url_for("agency.inbox"))
            return render_template("agency/receipts.html", form=form, lines=waiting, left=len(chosen) - len(waiting))
        if not form.validate():
            status = 422
            return render_template("agency/receipts.html", form=form, lines=chosen, left=0), status
        left = {line.notice.key: no for line in chosen if (no := _give(line, form, at)) is not None}
        reasons = {sentence(refusal) for no in left.values() for refusal in no if refusal.code != ANSWERED}
        if len(left) == len(chosen) and reasons:
            page = render_template("agency/receipts.html", form=form, lines=chosen, left=0, reasons=sorted(reasons))
            return page, 422
        for reason in sorted(reasons):
            flash(reason, "warning")
        return redirect(url_for("agency.receipts_done", key=form.key.data, left=sorted(left)), 303)

    @blueprint.get("/receipts/done")
    def receipts_done() -> ResponseReturnValue:
        """What became of each notice: the receipts that were taken, and those that somebody else had answered."""
        who = person()
        given = {
            n: r for key in _keys(request.args.getlist("key"))[:1] for n, r in receipts_given(who, f"{key}-").items()
        }
        left = _keys(request.args.getlist("left"))
        lines = lines_of(notices_by_key(who, [*given, *left]), office_calendar(), legal_day(now()))
        if not lines:
            abort(404)
        others = latest_receipts(who, left)
        return render_template(
            "agency/receipts_done.html",
            given=[(line, given[line.notice.key]) for line in lines if line.notice.key in given],
            left=[(line, others.get(line.notice.key)) for line in lines if line.notice.key not in given],
            words=RECEIPTS,
            who_gave=who_gave,
        )


def _keys(typed: list[str]) -> list[str]:
    """Keys as they may be; no more than a page of the list has."""
    return [key for key in typed if key and "\0" not in key and len(key) <= LONGEST][:PAGE]


def _give(line: Line, form: ReceiptForm, at: datetime) -> tuple[Refusal, ...] | None:
    """Give the receipt about one notice, in a transaction of its own; why it was not taken, None when it was."""
    notice = line.notice
    try:
        with transaction():
            take_receipt(
                notice.key, said(form, f"{form.key.data}-{notice.id}", at), receiver_id=notice.receiver_id,
                actor=person(), via="counter", at=at, seen=form.seen.data,
            )  # fmt: skip
    except StepRefused as error:
        return error.refusals
    return None
