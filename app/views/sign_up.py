"""Signing up, and acting for somebody: asking for it, seeing what became of it, giving it up.

An account begins without any mandate. One person may act for several subjects; each is asked for in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_limiter.util import get_remote_address
from flask_login import current_user
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour
from sqlalchemy import select

from app.casework.actor import load_person
from app.casework.attach import KINDS, tidy_name
from app.casework.keyset import Order, page_of
from app.casework.refused import StepRefused
from app.db import db, transaction
from app.journal import Doer
from app.models import Mandate, MandatePaper, MandateRequest, Office, Subject
from app.models.mandate import STATES
from app.models.subject import capacity_title
from app.now import now
from app.office_book.base import NotDone
from app.office_book.gaps import Gap, LeavesNobody
from app.office_book.mandate_requests import (
    Asked,
    Twice,
    ask,
    earlier,
    end_own,
    paper,
    withdraw,
)
from app.office_book.sign_up import sign_up as make_account
from app.registry.codes import check_code, check_id_number, clean_code
from app.registry.masking import has_personal_numbers
from app.registry.regions import standings
from app.registry.subject import find_by_code
from app.security import limiter, person, sign_in
from app.sign_ins import hashed, recognise
from app.views.account import blueprint
from app.views.said import said
from app.views.texts import sentence
from forms.admin import EndForm
from forms.sign_up import MandateForm, SignUpForm
from forms.typed import TypedForm
from workflows.calendar import legal_day

ATTEMPTS = "20 per minute; 120 per hour"
ACCOUNTS = (RateLimitItemPerHour(10), RateLimitItemPerDay(40))
"""How often papers for a new account are looked into for one address, which costs us some work; the computer of a hall
serves many. What is wrong with the words is found before, and not counted."""
REQUESTS = (RateLimitItemPerHour(20),)
"""The same for a person who has an account."""
ACCEPT = ",".join(KINDS)
PAGE = 20
TONES = {"waiting": "dai", "confirmed": "zhuqing", "refused": "zhu", "withdrawn": "hui"}
CAPACITY_CHOICES = (
    ("clerk", _l("经办人（受单位委托）")),
    ("legal_representative", _l("法定代表人；个体工商户的经营者")),
    ("administrator", _l("破产管理人")),
)
BY_TIME = Order(MandateRequest.asked_at, MandateRequest.id, "instant", down=True)


@dataclass(frozen=True, slots=True)
class Line:
    """A request as whoever made it sees it. `name` is what anybody may know of the code, "" for nothing."""

    receipt: str
    code: str
    name: str
    capacity: str
    asked_at: datetime
    until: date | None
    state: str
    state_title: str
    tone: str
    decided_at: datetime | None
    reason: str
    office: str
    phone: str
    address: str
    papers: tuple[str, ...] = ()


@blueprint.route("/sign-up", methods=["GET", "POST"])
@limiter.limit(ATTEMPTS, methods=["POST"])
def sign_up() -> ResponseReturnValue:
    """A new account and its first request; whoever is signed in asks from there."""
    if current_user.is_authenticated:
        return redirect(url_for(".mandate_new"), 303 if request.method == "POST" else 302)
    form, status = SignUpForm(), 422
    form.offer(CAPACITY_CHOICES)
    if request.method == "POST" and (code := _code_of(form)):
        if not _room(ACCOUNTS, "accounts", get_remote_address()):
            form.form_errors.append(_("从这个网络注册的账户太多了。请过一小时再试，或者带材料到受理窗口办理。"))
            status = 429
        elif (asked := _asked(form, code)) and (way := _sign_up(form, asked)):
            return redirect(way, 303)
    if request.method == "GET" or form.key.errors:
        form.renew_key()
    page = render_template("account/sign_up.html", form=form, accept=ACCEPT)
    return page, status if form.errors else 200


def _room(items: Iterable[RateLimitItem], *whose: str) -> bool:
    """Whether there is still room for one more; each process counts for itself."""
    return not limiter.enabled or all(limiter.limiter.hit(item, *whose) for item in items)


def _sign_up(form: SignUpForm, asked: Asked) -> str:
    """Where to go on once the account is made; "" when it was not, with the reason in the form."""
    at, address = now(), request.remote_addr or ""
    secret = hashed(form.fresh.data)
    try:
        with transaction():
            new = make_account(
                form.login.data, form.name.data, secret, asked, address=address, folder=_uploads(), at=at
            )
    except Twice:
        return _came_back(form, at)
    except NotDone as no:
        form.form_errors.append(said(no.sentence))
        return ""
    who = load_person(new.user_id, legal_day(at), address)
    assert who is not None
    sign_in(who, at)
    return url_for(".mandate", receipt=new.receipt)


def _came_back(form: SignUpForm, at: datetime) -> str:
    """The page was sent twice: whoever knows the password goes on to what came of it the first time."""
    before = earlier(form.key.data)
    who = load_person(before.user_id, legal_day(at), request.remote_addr or "") if before else None
    if before is not None and who is not None and recognise(who.login, form.fresh.data, at) is not None:
        sign_in(who, at)
        return url_for(".mandate", receipt=before.receipt)
    form.form_errors.append(_("这张表单已经提交过。请用当时告诉您的用户名登录，看结果；或者重新打开页面。"))
    return ""


@blueprint.get("/mandates")
def mandates() -> ResponseReturnValue:
    """For whom I act, and what became of my requests."""
    who, today = person(), legal_day(now())
    held = db.session.execute(
        select(
            Mandate.id, Mandate.capacity, Mandate.valid_from, Mandate.valid_until, Subject.name, Subject.kind,
        )
        .join(Subject, Subject.id == Mandate.subject_id)
        .where(Mandate.user_id == who.person)
        .order_by(Mandate.valid_from.desc(), Mandate.id.desc())
        .limit(100)
    ).all()  # fmt: skip
    page = page_of(
        _requests(who.person).add_columns(MandateRequest.asked_at.label("mark")), BY_TIME,
        after=request.args.get("after"), before=request.args.get("before"), limit=PAGE,
    )  # fmt: skip
    return render_template(
        "account/mandates.html",
        held=[(row, capacity_title(row.capacity, row.kind)) for row in held if _in_force(row, today)],
        lines=[_line(row) for row in page.rows],
        previous=url_for(".mandates", before=page.before) if page.before else None,
        next=url_for(".mandates", after=page.after) if page.after else None,
        today=today,
    )


@blueprint.route("/mandates/new", methods=["GET", "POST"])
@limiter.limit(ATTEMPTS, methods=["POST"])
def mandate_new() -> ResponseReturnValue:
    """Ask to act for another subject."""
    who = person()
    form, status = MandateForm(), 422
    form.offer(CAPACITY_CHOICES)
    if request.method == "POST" and (code := _code_of(form)):
        if not _room(REQUESTS, "requests", str(who.person)):
            form.form_errors.append(_("申请得太频繁了。请过一小时再试，或者带材料到受理窗口办理。"))
            status = 429
        elif (asked := _asked(form, code)) and (way := _ask(form, asked)):
            return redirect(way, 303)
    if request.method == "GET" or form.key.errors:
        form.renew_key()
    page = render_template("account/mandate_new.html", form=form, name=who.name, accept=ACCEPT)
    return page, status if form.errors else 200


def _ask(form: MandateForm, asked: Asked) -> str:
    who = person()
    doer = Doer(who.person, who.name, "", address=who.address)
    try:
        with transaction():
            receipt = ask(doer, asked, _uploads(), now())
    except Twice:
        before = earlier(form.key.data)
        if before is not None and before.user_id == who.person:
            return url_for(".mandate", receipt=before.receipt)
        form.key.errors = [_("页面不完整，请重新打开。")]
        return ""
    except NotDone as no:
        form.form_errors.append(said(no.sentence))
        return ""
    return url_for(".mandate", receipt=receipt)


@blueprint.get("/mandates/<receipt>")
def mandate(receipt: str) -> ResponseReturnValue:
    """One request: its number, what happens next, what became of it. For whoever made it."""
    return render_template("account/mandate.html", one=_mine(receipt), form=TypedForm(), login=person().login)


@blueprint.post("/mandates/<receipt>/withdraw")
def mandate_withdraw(receipt: str) -> ResponseReturnValue:
    """Take a request back while nobody has decided on it."""
    _mine(receipt)
    try:
        with transaction():
            withdraw(person(), receipt, now())
    except NotDone as no:
        flash(said(no.sentence), "error")
    else:
        flash(_("申请已经撤回。"), "success")
    return redirect(url_for(".mandate", receipt=receipt), 303)


@blueprint.route("/mandates/held/<int:mandate_id>/end", methods=["GET", "POST"])
def mandate_end(mandate_id: int) -> ResponseReturnValue:
    """Give up acting for a subject; what would be left with nobody is told first."""
    who, today = person(), legal_day(now())
    held = db.session.execute(
        select(Mandate.capacity, Mandate.valid_from, Mandate.valid_until, Subject.name, Subject.kind)
        .join(Subject, Subject.id == Mandate.subject_id)
        .where(Mandate.id == mandate_id, Mandate.user_id == who.person)
    ).first()
    if held is None or not _in_force(held, today):
        abort(404)
    form = EndForm(last_day=today)
    gaps: tuple[Gap, ...] = ()
    if form.validate_on_submit():
        assert form.last_day.data is not None
        try:
            with transaction():
                end_own(who, mandate_id, form.last_day.data, form.accept.data, now())
        except NotDone as no:
            form.form_errors.append(said(no.sentence))
        except LeavesNobody as left:
            gaps = left.gaps
        else:
            flash(_("已经结束：%(name)s。", name=held.name), "success")
            return redirect(url_for(".mandates"), 303)
    page = render_template(
        "account/mandate_end.html",
        form=form,
        gaps=[said(gap.text) for gap in gaps],
        name=held.name,
        capacity=capacity_title(held.capacity, held.kind),
    )
    return page, 422 if form.errors or gaps else 200


def _code_of(form: MandateForm) -> str:
    """The code, once every word of the form is good; "" with the reasons in the form. No file has been looked into."""
    good, typed = form.validate(), form.code.data or ""
    if form.foreign or form.code.errors:
        return ""
    verdict = check_code(typed, standings())
    if verdict.ok and not check_id_number(typed).ok:
        return verdict.code if good else ""
    if check_id_number(typed).ok or has_personal_numbers(typed) or has_personal_numbers(clean_code(typed)):
        form.code.data = ""  # the number of a person is not repeated
        form.code.errors = [_("这里不能输入身份证号码。个人请带身份证件到受理窗口登记。")]
    else:
        form.code.errors = [said(verdict.problems[0])]
    return ""


def _asked(form: MandateForm, code: str) -> Asked | None:
    """What was asked, with each file looked into by itself; None with what is wrong with them in the form."""
    papers, bad = [], []
    for file in form.chosen():
        try:
            papers.append(paper(file.filename or "", file.read(), current_app.config["MAX_UPLOAD"]))
        except StepRefused as refused:
            why = "".join(sentence(refusal) for refusal in refused.refusals).rstrip("。")
            bad.append(_("%(name)s没有收下：%(why)s", name=tidy_name(file.filename or ""), why=why))
    form.files.errors = bad
    return None if bad else Asked(code, form.capacity.data, form.until.data, papers, form.key.data)


def _requests(user_id: int) -> Any:
    return (
        select(*MandateRequest.__table__.c, Office.name.label("office"), Office.phone, Office.address)
        .join(Office, Office.id == MandateRequest.office_id)
        .where(MandateRequest.user_id == user_id)
    )


def _mine(receipt: str) -> Line:
    """A request of the signed-in person; to anybody else it does not exist."""
    row = db.session.execute(_requests(person().person).where(MandateRequest.receipt == receipt)).first()
    if row is None:
        abort(404)
    names = select(MandatePaper.name).where(MandatePaper.request_id == row.id).order_by(MandatePaper.id)
    return _line(row, tuple(db.session.execute(names).scalars()), named=True)


def _line(row: Any, papers: tuple[str, ...] = (), named: bool = False) -> Line:
    found = find_by_code(row.code) if named else None
    return Line(
        receipt=row.receipt,
        code=row.code,
        name=found.name if found else "",
        capacity=capacity_title(row.capacity, found.kind if found else "enterprise"),
        asked_at=row.asked_at,
        until=row.valid_until,
        state=row.state,
        state_title=_(STATES[row.state]),
        tone=TONES[row.state],
        decided_at=row.decided_at,
        reason=row.reason,
        office=row.office,
        phone=row.phone,
        address=row.address,
        papers=papers,
    )


def _in_force(row: Any, today: date) -> bool:
    """Whether a mandate is good today or will be."""
    return row.valid_until is None or row.valid_until >= today


def _uploads() -> Any:
    return current_app.config["INSTANCE"] / "uploads"
