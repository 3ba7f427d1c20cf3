"""窗口收件: an officer at the hall window files what is handed in over the counter, and brings what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.casework.attach import KINDS, attach
from app.casework.carried import Letter, Named, Pushed
from app.casework.carry import carry_filing
from app.casework.open_case import Opened
from app.casework.refused import StepRefused
from app.casework.take_step import take_step
from app.db import transaction
from app.models.subject import CAPACITIES, capacity_title
from app.now import now
from app.security import person
from app.views.case_page import visible_case
from app.views.hall_page import Applicant, applicant, find, records_for, taken
from app.views.hall_papers import Kept, kept, take_in
from app.views.my_records import Card
from app.views.refusals import No, no_of
from forms.hall import CompletionForm, FindForm, HallForm
from workflows.calendar import legal_day
from workflows.grammar import MOVED

blueprint = Blueprint("hall", __name__, url_prefix="/desk/hall")
ACCEPT = ",".join(KINDS)
SCAN, PROOF, COMPLETION = "letter_scan", "duty_proof", "completion"


@blueprint.route("/", methods=["GET", "POST"])
def window() -> ResponseReturnValue:
    """Whose application it is."""
    form, found, status = FindForm(), list[Applicant](), 200
    if request.method == "POST":
        status = 422
        if form.validate():
            found, wrong = find(form.text.data)
            if len(found) == 1:
                return redirect(url_for("hall.subject", subject_id=found[0].id), 303)
            if wrong:
                form.text.errors = [wrong]
            else:
                status = 200
    return render_template("desk/hall.html", form=form, found=found), status


@blueprint.get("/<int:subject_id>")
def subject(subject_id: int) -> ResponseReturnValue:
    """The applicant's records: which this window takes applications for, which belong elsewhere."""
    of = applicant(subject_id)
    ours, others = records_for(subject_id, person(), now())
    return render_template(
        "desk/hall_subject.html", of=of, ours=ours, others=others, recused=subject_id in person().mandates
    )


@blueprint.route("/<int:subject_id>/filing", methods=["GET", "POST"])
def filing(subject_id: int) -> ResponseReturnValue:
    """The application itself: fill in, look it over, take it in."""
    of, at = applicant(subject_id), now()
    form = HallForm()
    form.offer((word, capacity_title(word, of.kind)) for word in CAPACITIES)
    if request.method == "GET":
        form.renew_key()
        form.received_on.data = form.signed_on.data = legal_day(at)
        form.records.data = request.args.getlist("records")
    ours, _others = records_for(subject_id, person(), at)
    asked = request.method == "GET"  # once filled in, it is for the law to say, and for a repeat to get the same answer
    cards = {card.public_id: card for card in ours if card.choosable or not asked}
    chosen = [cards[one] for one in dict.fromkeys(form.records.data or ()) if one in cards]
    if subject_id in person().mandates or not chosen:
        flash(_("请先选择要申请修复的信息。"), "error")
        return redirect(url_for("hall.subject", subject_id=subject_id), 302 if asked else 303)
    return _filing(of, chosen, form)


def _filing(of: Applicant, chosen: list[Card], form: HallForm) -> ResponseReturnValue:
    page: dict[str, Any] = {"of": of, "chosen": chosen, "form": form, "said_no": (), "files": [], "accept": ACCEPT}
    if request.method == "GET":
        return render_template("desk/hall_filing.html", **page)
    good = form.validate()
    files = page["files"] = _files(form, of.id, {"scan": SCAN, "proofs": PROOF})
    if not any(file.purpose == SCAN for file in files) and not form.scan.errors:
        form.scan.errors = [_("请上传承诺书的扫描件。")]
    if not good or form.errors:
        return render_template("desk/hall_filing.html", **page), 422
    if "back" in request.form:
        return render_template("desk/hall_filing.html", **page)
    confirmed = "confirm" in request.form
    try:
        receipt, outcomes = _carry(_pushed(of, chosen, form, files), form.key.data, rehearse=not confirmed)
    except StepRefused as refused:
        if any(refusal.code == "KEY_REUSED" for refusal in refused.refusals):
            form.renew_key()
        page["said_no"] = tuple(no_of(refusal) for refusal in refused.refusals)
        return render_template("desk/hall_filing.html", **page), 422
    if confirmed:
        return redirect(url_for("hall.receipt", receipt=receipt), 303)
    no = {card.public_id: _no(outcome) for card, outcome in zip(chosen, outcomes, strict=True)}
    capacity = capacity_title(form.capacity.data, of.kind)
    return render_template("desk/hall_confirm.html", **page, no=no, capacity=capacity)


def _no(outcome: Opened) -> tuple[No, ...]:
    return tuple(no_of(refusal) for refusal in outcome.refusals)


def _files(form: Any, subject_id: int, questions: Mapping[str, str]) -> list[Kept]:
    """The files of the page: those kept before, and what came with this request; what is bad stands at its question."""
    files = kept(form.staying(), subject_id)
    if form.foreign:
        return files
    for question, purpose in questions.items():
        good, bad = take_in(form.uploads(question), purpose, subject_id)
        if good and purpose == SCAN:
            files = [file for file in files if file.purpose != SCAN]
        files += [file for file in good if file.sha256 not in {one.sha256 for one in files if one.purpose == purpose}]
        if bad:
            form[question].errors = bad
    return files


def _pushed(of: Applicant, chosen: list[Card], form: HallForm, files: list[Kept]) -> Pushed:
    scan = next(file for file in files if file.purpose == SCAN)
    assert form.received_on.data and form.signed_on.data  # the form has been found valid
    return Pushed(
        number=form.number.data or "",
        received_on=form.received_on.data,
        name=of.name,
        subject=of.id,
        records=tuple(Named(public_id=card.public_id) for card in chosen),
        letter=Letter(
            form.signer.data, form.capacity.data, form.signed_on.data, scan=scan.paper(),
            name_public=bool(form.name_public.data),
        ),
        statement=form.statement.data or "",
        contact=form.contact.data,
        phone=form.phone.data,
        proofs=tuple(file.paper() for file in files if file.purpose == PROOF),
    )  # fmt: skip


class _Rehearsed(Exception):
    """What was asked would be done; nothing of it stays."""


def _carry(pushed: Pushed, key: str, rehearse: bool) -> tuple[str, list[Opened]]:
    """File the application, or only see what would become of it. Raises StepRefused."""
    answer: tuple[str, list[Opened]] = ("", [])
    try:
        with transaction():
            answer = carry_filing(
                pushed,
                actor=person(),
                channel="hall",
                key=key,
                at=now(),
                folder=current_app.config["INSTANCE"] / "uploads",
                limit=current_app.config["MAX_UPLOAD"],
                index=bytes.fromhex(current_app.config["INDEX_KEY"]),
            )
            if rehearse:
                raise _Rehearsed
    except _Rehearsed:
        pass
    return answer


@blueprint.get("/receipts/<receipt>")
def receipt(receipt: str) -> ResponseReturnValue:
    """What the applicant takes home: the number, what becomes of each record, until when."""
    return render_template("desk/hall_receipt.html", t=taken(receipt, person()))


@blueprint.route("/cases/<number>/completion", methods=["GET", "POST"])
def completion(number: str) -> ResponseReturnValue:
    """What the applicant brings to the window to complete the application, handed on with their words."""
    at, who = now(), person()
    loaded = visible_case(number, who, at)
    asked, case = loaded.facts.last("correct"), loaded.facts.case
    if case.channel != "hall":
        abort(404)
    if case.state != "correcting" or asked is None:
        return redirect(url_for("desk.case", number=number))
    form = CompletionForm()
    items, due = asked.answers.get("items", ()), loaded.facts.deadline("correct")
    page: dict[str, Any] = {"number": number, "items": items, "due": due, "form": form, "files": [], "said_no": ()}
    page["accept"] = ACCEPT
    if request.method == "GET":
        form.renew_key()
        return render_template("desk/hall_completion.html", **page)
    good = form.validate()
    files = page["files"] = _files(form, case.subject, {"files": COMPLETION})
    if not good or form.errors:
        return render_template("desk/hall_completion.html", **page), 422
    try:
        with transaction():
            for file in files:
                paper = file.paper()
                attach(
                    number, actor=who, purpose=COMPLETION, name=paper.name, data=paper.data, at=at,
                    folder=current_app.config["INSTANCE"] / "uploads", limit=current_app.config["MAX_UPLOAD"],
                )  # fmt: skip
            take_step(
                number, "resubmit", actor=who, answers={"statement": form.statement.data}, key=form.key.data,
                seen_version=case.version, at=at,
            )  # fmt: skip
    except StepRefused as refused:
        if any(refusal.kind == MOVED for refusal in refused.refusals):
            return redirect(url_for("desk.case", number=number), 303)
        page["said_no"] = tuple(no_of(refusal) for refusal in refused.refusals)
        return render_template("desk/hall_completion.html", **page), 422
    return redirect(url_for("desk.case", number=number), 303)
