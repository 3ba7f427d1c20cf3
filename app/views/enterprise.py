"""The enterprise's counter: its own credit records, its applications, its cases. One thing a page."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.open_case import open_filing
from app.casework.refused import StepRefused
from app.db import db, transaction
from app.models import Case, CaseRecord, CreditRecord, Identifier, RegisterPaper, Subject
from app.models.subject import capacity_title
from app.now import now
from app.registry.publish import STATUS_TITLES
from app.security import acting_subject, person, safe_next
from app.views.case_views import register_case_views
from app.views.filing import register_filing
from app.views.my_cases import ended_cases, lines_of, open_cases, page_of_cases, query_cases
from app.views.my_records import NOW, WAIT, Card, cards_of
from app.views.record_terms import DEEDS, days_of_waiting, history_of, shown_now, terms_of
from app.views.refusals import no_of
from app.views.texts import sentence
from forms.application import ChooseRecordsForm
from workflows.calendar import legal_day
from workflows.law import rule

blueprint = Blueprint("enterprise", __name__, url_prefix="/my")
register_filing(blueprint)
register_case_views(blueprint, counter="enterprise")

RECENT = 5
CARDS = 20


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """For whom I act, what needs me now, what can be repaired now, what has been going on."""
    at = now()
    subject = acting_subject()
    cards = cards_of(subject, at)
    cases = open_cases(subject, at)
    current = (Identifier.kind == "uscc") & Identifier.valid_until.is_(None)
    kind, code = db.session.execute(
        select(Subject.kind, Identifier.value)
        .outerjoin(Identifier, (Identifier.subject_id == Subject.id) & current)
        .where(Subject.id == subject)
        .limit(1)
    ).one()
    mine = [case for case in cases if case.todo]
    return render_template(
        "enterprise/home.html",
        code=code or "",
        capacity=capacity_title(person().capacity_for(subject), kind),
        mine=sorted(mine, key=lambda case: str(case.due.due_on) if case.due else "9"),
        others=[case for case in cases if not case.todo],
        ended=ended_cases(subject, at, RECENT),
        now_count=sum(card.status == NOW for card in cards),
        wait_count=sum(card.status == WAIT for card in cards),
        all_count=len(cards),
        recent=RECENT,
    )


@blueprint.post("/switch")
def switch() -> ResponseReturnValue:
    """Act for another subject from here on."""
    chosen = request.form.get("subject", "")
    subject = next((mandate for mandate in person().mandates if str(mandate) == chosen), None)
    if subject is None:
        abort(404)
    session["acting_for"] = subject
    return redirect(safe_next(request.form.get("next")) or url_for("enterprise.home"), 303)


@blueprint.route("/records", methods=["GET", "POST"])
def records() -> ResponseReturnValue:
    """Which records can be repaired, when and with what; choosing some of them begins an application."""
    at = now()
    subject = acting_subject()
    cards = cards_of(subject, at)
    form = ChooseRecordsForm()
    form.records.choices = [(card.public_id, card.record.number) for card in cards]
    status = 200
    refused: list[tuple[str, str]] = []
    if request.method == "POST":
        status = 422
        if form.validate():
            by_public_id = {card.public_id: card for card in cards}
            chosen = [by_public_id[public_id] for public_id in form.records.data]
            answer, refused = _open(subject, chosen, form.key.data)
            if answer is not None:
                return answer
    if status == 200 or form.key.errors:
        form.renew_key()
    today = legal_day(at)
    page = render_template(
        "enterprise/records.html",
        form=form,
        refused=refused,
        today=today,
        accept_within=rule("repair.accept_within").on(today).value,
        result_within=rule("repair.result_within").on(today).value,
        **_shown(cards),
    )
    return page, status


def _open(subject: int, chosen: list[Card], key: str) -> tuple[ResponseReturnValue | None, list[tuple[str, str]]]:
    """Open a filing about these records: where to go on, or why every one of them is refused."""
    numbers = {card.id: card.record.number for card in chosen}
    try:
        with transaction():
            receipt, opened = open_filing(
                subject, list(numbers), actor=person(), channel="own_portal", key=key, at=now()
            )
    except StepRefused as no:
        return None, [("", sentence(refusal)) for refusal in no.refusals]
    for one in opened:
        for refusal in one.refusals:
            flash(
                _("%(number)s没有列入申请：%(why)s", number=numbers[one.record_id], why=no_of(refusal).text), "warning"
            )
    return redirect(url_for("enterprise.contact", receipt=receipt), 303), []


def _shown(cards: list[Card]) -> dict[str, object]:
    """One page of the cards: of the kind asked for, from the one asked for."""
    only = request.args.get("show", "")
    kinds = {"now": (NOW,), "wait": (WAIT,)}.get(only)
    kept = [card for card in cards if kinds is None or card.status in kinds]
    start = next((i for i, card in enumerate(kept) if card.public_id == request.args.get("start")), 0)
    page = kept[start : start + CARDS]

    def turned(index: int) -> str:
        return url_for("enterprise.records", show=only or None, start=kept[index].public_id)

    return {
        "cards": page,
        "show": only if kinds else "",
        "counts": {
            "all": len(cards),
            "now": sum(c.status == NOW for c in cards),
            "wait": sum(c.status == WAIT for c in cards),
        },
        "newer": turned(max(0, start - CARDS)) if start else None,
        "older": turned(start + CARDS) if start + CARDS < len(kept) else None,
    }


@blueprint.get("/records/<public_id>")
def record(public_id: str) -> ResponseReturnValue:
    """One record: what it says, until when it is shown and why, who has been told, what has been done about it."""
    at = now()
    subject = acting_subject()
    row = db.session.execute(
        select(CreditRecord.id, CreditRecord.subject_id, RegisterPaper.code, RegisterPaper.number)
        .outerjoin(RegisterPaper, (RegisterPaper.record_id == CreditRecord.id) & RegisterPaper.replaced_at.is_(None))
        .where(CreditRecord.public_id == public_id, CreditRecord.subject_id.in_(sorted(person().mandates)))
    ).first()
    if row is None:
        abort(404)
    if row.subject_id != subject:
        flash(_("这条信息属于您代表的另一个单位，请先在页面上方换到那个单位。"), "warning")
        return redirect(url_for("enterprise.home"))
    card = next((card for card in cards_of(subject, at) if card.public_id == public_id), None)
    if card is None:
        abort(404)
    history = history_of(row.id, legal_day(at))
    rows = db.session.execute(
        query_cases(subject).where(CaseRecord.record_id == row.id).order_by(Case.id.desc()).limit(RECENT)
    ).all()
    first, release = card.first_day, card.release_day
    waiting = days_of_waiting(card.calendar, first, release) if first and release else ()
    today = legal_day(at)
    form = ChooseRecordsForm()
    form.renew_key()
    return render_template(
        "enterprise/record.html",
        card=card,
        form=form,
        history=history,
        shown=shown_now(history.facts, today),
        shown_title=STATUS_TITLES[shown_now(history.facts, today)],
        terms=terms_of(card.record.recognised_on, card.row.minimum_last_day, card.row.maximum_last_day),
        waiting=waiting,
        deeds=DEEDS,
        cases=lines_of(rows, at),
        notice=row if row.code else None,
        today=today,
    )


@blueprint.get("/cases")
def cases() -> ResponseReturnValue:
    """The cases of the subject, newest first."""
    ended = request.args.get("show") == "ended"
    before, after = request.args.get("before"), request.args.get("after")
    page = page_of_cases(acting_subject(), now(), ended=ended, before=before, after=after)
    show = "ended" if ended else None
    return render_template(
        "enterprise/cases.html",
        lines=page.rows,
        ended=ended,
        newer=url_for("enterprise.cases", show=show, before=page.before) if page.before else None,
        older=url_for("enterprise.cases", show=show, after=page.after) if page.after else None,
    )
