"""The pages on which a filer fills in an application, signs its letters and hands it in."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.attach import KINDS, attach, detach, tidy_name
from app.casework.facts import NoSuchCase, load_case
from app.casework.letter import letter_of, sign_letter, words_of
from app.casework.refused import StepRefused
from app.casework.repair_particulars import save as save_particulars
from app.casework.sight import cases_visible_to
from app.casework.submit import submit_draft
from app.db import db, transaction
from app.models import Case, User
from app.models.subject import capacity_title
from app.now import now
from app.security import LOCK_AFTER, limiter, person, safe_next
from app.sign_ins import recognise
from app.views.case_page import page_of
from app.views.filing_page import PROOF, Application, application, receipt_of
from app.views.refusals import No, no_of
from app.views.texts import sentence, when
from forms.application import ContactForm, SignForm, SubmitForm, UploadForm
from workflows import workflow
from workflows.grammar import State

ACCEPT = ",".join(KINDS)
COMPLETION = "completion"
PUBLIC = "public"
ATTEMPTS = "20 per minute; 200 per hour"


def register_filing(blueprint: Blueprint) -> None:
    """Open these pages at the enterprise's counter."""
    rule = blueprint.add_url_rule
    rule("/filings/<receipt>", "filing", filing, methods=["GET", "POST"])
    rule("/filings/<receipt>/contact", "contact", contact, methods=["GET", "POST"])
    rule("/cases/<number>/papers", "papers", papers)
    rule("/cases/<number>/papers", "upload", upload, methods=["POST"])
    rule("/cases/<number>/files/<int:use_id>/remove", "detach", remove, methods=["POST"])
    rule("/cases/<number>/letter", "letter", limiter.limit(ATTEMPTS, methods=["POST"])(letter), methods=["GET", "POST"])


def filing(receipt: str) -> ResponseReturnValue:
    """The application at a glance: what is missing, then handing it in, then what became of each part."""
    form = SubmitForm()
    outcomes: dict[str, tuple[No, ...]] = {}
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            outcomes = _hand_in(receipt, form)
            if not any(outcomes.values()):
                return redirect(url_for("enterprise.filing", receipt=receipt), 303)
    if status == 200 or form.key.errors:
        form.renew_key()
    found = application(receipt, person(), now())
    check = found.question("check") if found.drafts else None
    return render_template("enterprise/filing.html", a=found, form=form, q=check, outcomes=outcomes), status


def _hand_in(receipt: str, form: SubmitForm) -> dict[str, tuple[No, ...]]:
    """Hand in each draft in a transaction of its own, so that one refused never holds up another."""
    seen = form.seen()
    parts = application(receipt, person(), now()).parts
    outcomes: dict[str, tuple[No, ...]] = {}
    for part in parts:
        if part.number not in seen:
            continue
        key = f"{form.key.data}/{part.number}"
        try:
            with transaction():
                submit_draft(part.number, actor=person(), key=key, seen_version=seen[part.number], at=now())
        except StepRefused as refused:
            outcomes[part.number] = tuple(no_of(refusal) for refusal in refused.refusals)
        else:
            outcomes[part.number] = ()
    return outcomes


def contact(receipt: str) -> ResponseReturnValue:
    """How to reach the applicant; whatever is typed can be kept and taken up again later."""
    found = application(receipt, person(), now())
    if not found.drafts:
        return redirect(url_for("enterprise.filing", receipt=receipt))
    question = found.question("contact")
    form = ContactForm(data={"contact": found.contact, "phone": found.phone, "statement": found.statement})
    status = 200
    if request.method == "POST":
        later = "later" in request.form
        complete = form.validate()
        if complete or (later and form.keepable()):
            _save(found, form)
            if later:
                flash(_("已保存。随时可以从“首页”回来继续填写。"), "success")
                return redirect(url_for("enterprise.home"), 303)
            return redirect(found.after(question).url, 303)
        status = 422
    return render_template("enterprise/contact.html", a=found, q=question, form=form), status


def _save(found: Application, form: ContactForm) -> None:
    with transaction():
        for part in found.drafts:
            save_particulars(
                part.number,
                actor=person(),
                statement=form.statement.data or "",
                contact=form.contact.data or "",
                phone=form.phone.data or "",
                at=now(),
            )


def papers(number: str) -> ResponseReturnValue:
    """The files of a draft, or of a case that must be completed; elsewhere there is nothing to hand in."""
    return _papers(number, UploadForm())


def _papers(number: str, form: UploadForm) -> ResponseReturnValue:
    """The page for where the case stands."""
    at = now()
    state = _state(number)
    status = 422 if form.errors else 200
    if state.private:
        found = application(receipt_of(number, person()), person(), at)
        part = found.part(number)
        if not part.proof_needed:
            return redirect(url_for("enterprise.letter", number=number))
        question = found.question("papers", number)
        page = render_template("enterprise/proof.html", a=found, q=question, part=part, form=form, accept=ACCEPT)
        return page, status
    if state.code != "correcting":
        return redirect(url_for("enterprise.case", number=number))
    case = page_of(load_case(number, at), person(), at, "enterprise")
    asked = case.loaded.facts.last("correct")
    page = render_template(
        "enterprise/completion.html",
        page=case,
        items=asked.answers.get("items", []) if asked else [],
        asked_at=asked.at if asked else None,
        files=[file for file in case.files if file.purpose == COMPLETION and asked and file.at >= asked.at],
        form=form,
        accept=ACCEPT,
    )
    return page, status


def upload(number: str) -> ResponseReturnValue:
    """Take in files, each by itself: one that cannot be taken does not hold up the others."""
    form = UploadForm()
    if not form.validate():
        return _papers(number, form)
    purpose = PROOF if _state(number).private else COMPLETION
    bad: list[str] = []
    for file in form.chosen():
        try:
            with transaction():
                attach(
                    number,
                    actor=person(),
                    purpose=purpose,
                    name=file.filename or "",
                    data=file.read(),
                    folder=current_app.config["INSTANCE"] / "uploads",
                    limit=current_app.config["MAX_UPLOAD"],
                    at=now(),
                )
        except StepRefused as refused:
            why = "".join(sentence(refusal) for refusal in refused.refusals).rstrip("。")
            bad.append(_("%(name)s没有收下：%(why)s", name=tidy_name(file.filename or ""), why=why))
    if bad:
        form.files.errors = bad
        return _papers(number, form)
    return redirect(safe_next(request.form.get("next")) or url_for("enterprise.papers", number=number), 303)


def remove(number: str, use_id: int) -> ResponseReturnValue:
    """Take a file out again, as long as the case is the filer's own paper."""
    _state(number)
    try:
        with transaction():
            detach(number, actor=person(), use_id=use_id, at=now())
    except StepRefused as refused:
        flash(str(refused), "error")
    return redirect(safe_next(request.form.get("next")) or url_for("enterprise.papers", number=number), 303)


def _state(number: str) -> State:
    """Where the case stands; to somebody who may not see it, it does not exist."""
    row = db.session.execute(
        select(Case.type, Case.edition, Case.state).where(Case.number == number, cases_visible_to(person()))
    ).first()
    if row is None:
        raise NoSuchCase(number)
    return workflow(row.type, row.edition).state[row.state]


def letter(number: str) -> ResponseReturnValue:
    """Read the letter, consent to its publication, sign it with one's password; a signed one is only read."""
    at, who = now(), person()
    found = application(receipt_of(number, who), who, at)
    part = found.part(number)
    question = found.question("letter", number) if part.draft else None
    signed = letter_of(number)
    if signed is not None:
        return render_template(
            "enterprise/letter_signed.html", a=found, q=question, part=part, letter=signed,
            capacity=capacity_title(signed.capacity, found.subject_kind),
        )  # fmt: skip
    if question is None:
        return redirect(url_for("enterprise.case", number=number))
    form = SignForm()
    named = (form.name_public.data if request.method == "POST" else request.args.get("name")) == PUBLIC
    words = words_of(number, actor=who, at=at, name_public=named)
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate() and _sign(number, form, named):
            return redirect(found.after(question).url, 303)
    form.text_hash.data, form.name_public.data = words.text_hash, PUBLIC if named else ""
    page = render_template(
        "enterprise/letter.html", a=found, q=question, part=part, words=words, form=form, named=named, public=PUBLIC,
        login=who.login,
    )  # fmt: skip
    return page, status


def _sign(number: str, form: SignForm, named: bool) -> bool:
    """Sign with the signer's own password; what stands in the way is written onto the form."""
    at, who = now(), person()
    if recognise(who.login, form.password.data, at) is None:
        form.password.errors = [_wrong_password(who.person, at)]
        return False
    try:
        with transaction():
            sign_letter(number, actor=who, at=at, name_public=named, read_hash=form.text_hash.data)
    except StepRefused as refused:
        form.form_errors.extend(sentence(refusal) for refusal in refused.refusals)
        return False
    return True


def _wrong_password(user_id: int, at: datetime) -> str:
    """What the signer is told: the password is wrong, or it has been wrong too often."""
    locked_until = db.session.execute(select(User.locked_until).where(User.id == user_id)).scalar()
    if locked_until is not None and locked_until > at:
        until = when(locked_until)
        return _("密码连续输错 %(n)s 次，为了安全，%(until)s以后才能再签。", n=LOCK_AFTER, until=until)
    return _("密码不对，请重新输入。连续输错 %(n)s 次，15 分钟内不能签署。", n=LOCK_AFTER)
