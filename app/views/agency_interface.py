"""订阅与接口: how a department is reached, its keys, what it asked to hear of. Its own people change what is theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from flask import Response, abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from app.db import transaction
from app.journal import Doer
from app.models.subject import TRADES
from app.notices.api_keys import GRANTED, SCOPES, KeyNotMade, end_api_key, make_api_key, scopes_for
from app.notices.keys import BadKey, add_receipt_key, end_key, make_secret
from app.notices.subscriptions import NotSubscribed, end_subscription, subscribe
from app.now import now
from app.security import acting_department, person
from app.views import interface_page
from app.views.agency import blueprint
from forms.sharing import ApiKeyForm, EndKeyForm, EndSubscriptionForm, ReceiptKeyForm, RotateForm, SubscriptionForm
from workflows.calendar import day_start, legal_day
from workflows.people import Role


def _doer() -> Doer:
    """The signed-in person, for the department they act for now."""
    who = person()
    return Doer(who.person, who.name, str(Role.LINKED), acting_department(), address=who.address)


def _ask(form: FlaskForm, act: Callable[[datetime], object], done: str, **shown: Any) -> ResponseReturnValue:
    """Show a form; when it is sent and valid, do `act` in one transaction and go back to the page."""
    if form.validate_on_submit():
        try:
            with transaction():
                act(now())
        except (BadKey, KeyNotMade, NotSubscribed) as no:
            form.form_errors.append(_(str(no)))
        except LookupError:
            abort(404)
        else:
            flash(done, "success")
            return redirect(url_for(".interface"), 303)
    return _asked(form, **shown)


def _asked(form: FlaskForm, **shown: Any) -> ResponseReturnValue:
    return render_template("agency/interface_ask.html", form=form, **shown), (422 if form.errors else 200)


def _ending(day: date | None, at: datetime) -> datetime:
    """When a key ends whose end was typed as a day: at its beginning; today, or no day, is now."""
    return at if day is None or day == legal_day(at) else day_start(day)


def _once(title: str, secret: str, lead: str, what: str) -> Response:
    """The page that shows a secret, as the answer to the POST itself: a redirect would have to keep it somewhere."""
    page = render_template("agency/interface_secret.html", title=title, secret=secret, lead=lead, what=what)
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/interface")
def interface() -> ResponseReturnValue:
    """How we reach the department, its keys, its subscriptions, and what it must be told by law."""
    department, at = acting_department(), now()
    today = legal_day(at)
    told = interface_page.reached([department], at)[0]
    return render_template(
        "agency/interface.html",
        told=told,
        secrets=interface_page.keys_of(department, "webhook", at),
        receipt_keys=interface_page.keys_of(department, "receipt", at),
        api_keys=interface_page.api_keys_of(department, at),
        wanted=interface_page.wanted_by(department, today),
        must=interface_page.must_hear(told.office.receives, today),
    )


@blueprint.route("/interface/secret", methods=["GET", "POST"])
def interface_secret() -> ResponseReturnValue:
    """A new webhook secret, shown once; the one before stays as long as is asked."""
    form = RotateForm()
    if form.validate_on_submit():
        at = now()
        until = at + timedelta(days=int(form.overlap.data))
        try:
            with transaction():
                secret = make_secret(acting_department(), until=until, doer=_doer(), at=at)
        except BadKey as no:
            form.form_errors.append(_(str(no)))
        else:
            lead = _("请放进贵单位的接收程序。用它验证每份通知的签名；验证不过的不要处理。")
            return _once(_("新的签名密钥"), secret, lead, _("签名密钥"))
    lead = _("密钥由本平台产生，只显示一次。从现在起发出的通知都用它签名。")
    return _asked(form, title=_("换发签名密钥"), verb=_("换发"), lead=lead)


@blueprint.route("/interface/receipt-keys/new", methods=["GET", "POST"])
def interface_key_new() -> ResponseReturnValue:
    """Register a public key for receipts."""
    at = now()
    form = ReceiptKeyForm(since=legal_day(at))

    def register(at: datetime) -> None:
        assert form.since.data is not None
        since, until = day_start(form.since.data), form.until.data
        add_receipt_key(
            acting_department(), form.key_name.data, form.public.data, since=since,
            until=day_start(until) if until else None, doer=_doer(), at=at,
        )  # fmt: skip

    lead = _("回执用贵单位自己的私钥签名，本平台只登记公钥，凭它证明回执出自贵单位。新旧两把可以同时有效。")
    return _ask(form, register, _("公钥已登记。"), title=_("登记回执公钥"), verb=_("登记"), lead=lead)


@blueprint.route("/interface/keys/<int:key_id>/end", methods=["GET", "POST"])
def interface_key_end(key_id: int) -> ResponseReturnValue:
    """End a key of either use."""
    department, at = acting_department(), now()
    held = [*interface_page.keys_of(department, "webhook", at), *interface_page.keys_of(department, "receipt", at)]
    key = next((key for key in held if key.id == key_id and key.state != "over"), None)
    if key is None:
        abort(404)
    form = EndKeyForm()

    def end(at: datetime) -> None:
        end_key(department, key_id, until=_ending(form.until.data, at), doer=_doer(), at=at)

    lead = _("停用以后，用它签的一律不再接受；停用时间定了只能提前，不能往后改。")
    return _ask(
        form, end, _("密钥的停用已登记。"), title=_("停用密钥 %(name)s", name=key.name), verb=_("停用"), lead=lead
    )


@blueprint.route("/interface/api-keys/new", methods=["GET", "POST"])
def interface_api_key_new() -> ResponseReturnValue:
    """A key to the interface, shown once. Whoever makes it answers for what is done with it."""
    department, at = acting_department(), now()
    office = interface_page.reached([department], at)[0].office
    form = ApiKeyForm()
    own = (scope for scope in scopes_for("linked", office.receives) if scope not in GRANTED)
    form.scopes.choices = [(scope, _(SCOPES[scope])) for scope in own]
    if form.validate_on_submit():
        until = day_start(form.until.data) if form.until.data else None
        try:
            with transaction():
                _id, secret = make_api_key(
                    department, person().person, form.label.data, form.scopes.data, by=_doer(), at=now(), until=until
                )
        except KeyNotMade as no:
            form.form_errors.append(str(no))
        else:
            lead = _("每次请求写在 Authorization: Bearer 之后。用它做的事都由%(name)s负责。", name=person().name)
            return _once(_("新的接口密钥"), secret, lead, _("接口密钥"))
    lead = _("程序凭它取通知、交回执、对账、查信用档案。密钥由您负责：您不再是本单位经办时，它随之失效。只显示一次。")
    return _asked(form, title=_("开通接口密钥"), verb=_("开通"), lead=lead)


@blueprint.route("/interface/api-keys/<int:key_id>/end", methods=["GET", "POST"])
def interface_api_key_end(key_id: int) -> ResponseReturnValue:
    """Revoke a key to the interface."""
    department, at = acting_department(), now()
    key = next((key for key in interface_page.api_keys_of(department, at) if key.id == key_id), None)
    if key is None or key.state == "over":
        abort(404)
    form = EndKeyForm()

    def end(at: datetime) -> None:
        end_api_key(key_id, by=_doer(), at=at, until=_ending(form.until.data, at))

    lead = _("停用以后，用它的程序立刻进不来。")
    return _ask(form, end, _("密钥的停用已登记。"), title=_("停用 %(name)s", name=key.label), verb=_("停用"), lead=lead)


@blueprint.route("/interface/subscriptions/new", methods=["GET", "POST"])
def interface_subscribe() -> ResponseReturnValue:
    """Ask to hear of more."""
    form = SubscriptionForm(since=legal_day(now()))
    form.region.choices += interface_page.places()
    form.trade.choices += [(trade, _(trade)) for trade in TRADES]
    form.kind.choices += interface_page.kinds()

    def add(at: datetime) -> None:
        assert form.since.data is not None
        subscribe(
            acting_department(), region=form.region.data or "", trade=form.trade.data or "",
            kind=form.kind.data or "", since=form.since.data, until=form.until.data, doer=_doer(), at=at,
        )  # fmt: skip

    lead = _("订阅的通知供贵单位更新信息，不要求回执。依法必须告知贵单位的不受影响。")
    return _ask(form, add, _("已订阅。"), title=_("增加订阅"), verb=_("订阅"), lead=lead)


@blueprint.route("/interface/subscriptions/<int:subscription_id>/end", methods=["GET", "POST"])
def interface_unsubscribe(subscription_id: int) -> ResponseReturnValue:
    """End a subscription."""
    department, today = acting_department(), legal_day(now())
    wanted = next((one for one in interface_page.wanted_by(department, today) if one.id == subscription_id), None)
    if wanted is None or wanted.over:
        abort(404)
    form = EndSubscriptionForm(last_day=today)

    def end(at: datetime) -> None:
        assert form.last_day.data is not None
        end_subscription(department, subscription_id, last_day=form.last_day.data, doer=_doer(), at=at)

    return _ask(form, end, _("订阅的结束已登记。"), title=_("结束订阅"), verb=_("结束订阅"), lead=wanted.words)
