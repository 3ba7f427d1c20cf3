"""Signing in and out, and one's own password."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.casework.actor import load_person
from app.now import now
from app.security import home_of, limiter, person, safe_next, sign_in
from app.sign_ins import change_password, leave, recognise
from forms.account import LoginForm, PasswordForm
from workflows.calendar import legal_day

blueprint = Blueprint("account", __name__)

ATTEMPTS = "20 per minute; 200 per hour"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody of the demonstration whose door stands open."""

    login: str
    password: str
    who: str


@blueprint.route("/login", methods=["GET", "POST"])
@limiter.limit(ATTEMPTS, methods=["POST"])
def login() -> ResponseReturnValue:
    """Sign in; whoever is signed in already goes on."""
    form = LoginForm()
    if request.method == "GET":
        form.next.data = request.args.get("next", "")
        if current_user.is_authenticated:
            return redirect(safe_next(form.next.data) or home_of(person()))
        return render_template("account/login.html", form=form, sign_ins=_demo_sign_ins())
    if form.validate_on_submit():
        at = now()
        known = recognise(form.login.data, form.password.data, at)
        who = load_person(known.id, legal_day(at), request.remote_addr or "") if known else None
        if who is not None:
            sign_in(who, at)
            return redirect(safe_next(form.next.data) or home_of(who), 303)
        form.form_errors.append(_("用户名或者密码不对。连续输错 5 次，账户锁定 15 分钟，其间输对也不能登录。"))
    return render_template("account/login.html", form=form, sign_ins=_demo_sign_ins()), 422


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """Sign out everywhere: a copied cookie is worth nothing afterwards."""
    if current_user.is_authenticated:
        leave(person().person)
    session.clear()
    flash(_("已退出。在公用电脑上请关闭浏览器。"))
    return redirect(url_for("public.home"), 303)


@blueprint.route("/password", methods=["GET", "POST"])
@limiter.limit(ATTEMPTS, methods=["POST"])
def password() -> ResponseReturnValue:
    """Change one's own password; other sessions of the person end."""
    who = person()
    form = PasswordForm(about=(who.name, who.login))
    if form.validate_on_submit():
        at = now()
        if recognise(who.login, form.present.data, at) is not None:
            change_password(who.person, who.name, form.fresh.data, request.remote_addr or "", at)
            changed = load_person(who.person, legal_day(at), request.remote_addr or "")
            assert changed is not None
            sign_in(changed, at)
            flash(_("密码已经改好，其他地方的登录都已退出。"), "success")
            return redirect(home_of(changed), 303)
        form.present.errors = [_("现在的密码不对，请重新输入。")]
    status = 422 if form.errors else 200
    return render_template("account/password.html", form=form), status


def _demo_sign_ins() -> list[SignIn]:
    """The people of the demonstration, only where data are invented and the instance names them."""
    listed = current_app.config["INSTANCE"] / "run" / "sign-ins.txt"
    if not current_app.config["DEMO"] or not listed.is_file():
        return []
    lines = (line.split("\t") for line in listed.read_text(encoding="utf-8").splitlines())
    return [SignIn(*line) for line in lines if len(line) == 3]
