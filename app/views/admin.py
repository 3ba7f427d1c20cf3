"""For administrators and the legal office: people, offices, law rows, the calendar. Nobody here decides a case."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)  # fmt: skip
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from app.db import transaction
from app.legal_book.attest import attest as vouch
from app.legal_book.days import (
    FIRST_YEAR,
    YEARS_AHEAD,
    Declared,
    PreviewOutdated,
    Shortens,
    declare,
    declared,
    preview,
    seen,
)
from app.models.subject import CAPACITIES
from app.now import now
from app.office_book import mandates as mandate_verbs
from app.office_book import offices as office_verbs
from app.office_book import people as verbs
from app.office_book.base import NotDone, Reach, reach_of
from app.office_book.gaps import Gap, LeavesNobody, standing_still
from app.registry.blind import blind_index
from app.registry.codes import check_code, check_id_number
from app.security import hasher, person
from app.views import admin_law, admin_people
from app.views.said import said
from forms.admin import (
    AttestForm,
    CloseForm,
    ConfirmDaysForm,
    EndForm,
    FindForm,
    MandateForm,
    MembershipForm,
    NameForm,
    OfficeForm,
    SureForm,
    UserForm,
)  # fmt: skip
from forms.fields import Day
from workflows.calendar import legal_day
from workflows.people import ROLE_TITLES, Role

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def _administrator() -> Reach:
    """The reach of the administrator who asks; 403 for the legal office, which reads and attests only."""
    who = person()
    if Role.ADMINISTRATOR not in who.roles:
        abort(403)
    return reach_of(who)


def _first_password() -> str:
    """A password for somebody's first way in: 20 letters and digits (98 bits), in groups that can be read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _n in range(5)) for _g in range(4))


def _ask(
    form: FlaskForm,
    act: Callable[[datetime], object],
    then: str,
    done: str,
    template: str = "admin/ask.html",
    **shown: Any,
) -> ResponseReturnValue:
    """Show a form; when it is sent and valid, do `act` in one transaction and go on. A refusal keeps what was typed."""
    gaps: tuple[Gap, ...] = ()
    if form.validate_on_submit():
        try:
            with transaction():
                act(now())
        except NotDone as no:
            form.form_errors.append(said(no.sentence))
        except LeavesNobody as left:
            gaps = left.gaps
        else:
            flash(done, "success")
            return redirect(then, 303)
    page = render_template(template, form=form, gaps=[said(gap.text) for gap in gaps], **shown)
    return page, (422 if form.errors or gaps else 200)


def _mark(name: str) -> str:
    """Where a page of a list begins, from the address; anything that cannot be a login is none."""
    mark = request.args.get(name, "")
    return mark if mark.isprintable() and len(mark) <= 64 else ""


def _day(field: Day) -> date:
    """The day of a question that must be answered."""
    assert field.data is not None
    return field.data


# --- people ------------------------------------------------------------------------------------------------------


@blueprint.get("/users")
def users() -> ResponseReturnValue:
    """The people in reach, by login; above them the cases that nobody can act on."""
    reach, at = _administrator(), now()
    today = legal_day(at)
    find = FindForm(request.args)
    q = find.q.data or "" if find.validate() else ""
    listed = admin_people.people(reach, q, _mark("after"), _mark("before"), at, today)
    still = [(office_id, said(gap.text)) for office_id, gap in standing_still(reach, today)]
    return render_template("admin/users.html", find=find, q=q, people=listed, still=still)


@blueprint.route("/users/new", methods=["GET", "POST"])
def user_new() -> ResponseReturnValue:
    """A new account. Its first password is made here and shown once."""
    _administrator()
    form = UserForm()
    if form.validate_on_submit():
        password = _first_password()
        hashed = hasher().hash(password)
        try:
            with transaction():
                user_id = verbs.create_user(person(), form.login.data, form.name.data, hashed, now())
        except NotDone as no:
            form.login.errors = [said(no.sentence)]
        else:
            return _once(user_id, form.name.data, form.login.data, password)
    lead = _("先建账户，再给身份或者委托。第一个密码由系统产生，只显示一次。")
    steps = [(_("用户"), url_for(".users"))]
    page = render_template(
        "admin/ask.html", form=form, gaps=(), title=_("建立账户"), verb=_("建立账户"), lead=lead, steps=steps
    )
    return page, (422 if form.errors else 200)


def _once(user_id: int, name: str, login: str, password: str) -> Response:
    """The page that shows a password, as the answer to the POST itself: a redirect would have to keep it somewhere."""
    page = render_template("admin/password.html", user_id=user_id, name=name, login=login, password=password)
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


def _person(user_id: int) -> tuple[Any, dict[str, Any]]:
    """A user in reach, and what every page about them has; 404 for anybody else."""
    found = admin_people.the_person(_administrator(), user_id)
    if found is None:
        abort(404)
    here = url_for(".user", user_id=user_id)
    return found, {"user": found, "steps": [(_("用户"), url_for(".users")), (found.name, here)], "back": here}


@blueprint.get("/users/<int(max=2147483647):user_id>")
def user(user_id: int) -> ResponseReturnValue:
    """One person: roles, mandates, what was changed."""
    found, _shown = _person(user_id)
    at = now()
    today = legal_day(at)
    return render_template(
        "admin/user.html",
        user=found,
        locked=bool(found.locked_until and found.locked_until > at),
        roles=admin_people.roles_of(user_id, today),
        mandates=admin_people.mandates_of(user_id, today),
        journal=admin_people.journal_of("user", user_id),
        mine=user_id == person().person,
    )


@blueprint.route("/users/<int(max=2147483647):user_id>/name", methods=["GET", "POST"])
def user_name(user_id: int) -> ResponseReturnValue:
    """Correct a name."""
    found, shown = _person(user_id)
    form = NameForm(name=found.name)
    return _ask(
        form, lambda at: verbs.rename(person(), user_id, form.name.data, at), shown["back"], _("姓名已改。"),
        title=_("改姓名"), verb=_("保存"), **shown,
    )  # fmt: skip


@blueprint.route("/users/<int(max=2147483647):user_id>/password", methods=["GET", "POST"])
def user_password(user_id: int) -> ResponseReturnValue:
    """A new first password, after asking once."""
    found, shown = _person(user_id)
    form = SureForm()
    if form.validate_on_submit():
        password = _first_password()
        hashed = hasher().hash(password)
        try:
            with transaction():
                verbs.reset_password(person(), user_id, hashed, now())
        except NotDone as no:
            form.form_errors.append(said(no.sentence))
        else:
            return _once(user_id, found.name, found.login, password)
    lead = _("现在的密码立刻作废，已登录的地方全部退出，锁定解除。新密码由系统产生，只显示一次。")
    page = render_template(
        "admin/ask.html", form=form, gaps=(), title=_("重设密码"), verb=_("重设密码"), lead=lead, **shown
    )
    return page, (422 if form.errors else 200)


@blueprint.route("/users/<int(max=2147483647):user_id>/close", methods=["GET", "POST"])
def user_close(user_id: int) -> ResponseReturnValue:
    """Close an account; cases left with nobody are told first."""
    _found, shown = _person(user_id)
    form = CloseForm()
    return _ask(
        form,
        lambda at: verbs.close_account(person(), user_id, form.reason.data, form.accept.data, at),
        shown["back"], _("账户已停用，已登录的地方已经退出。"), title=_("停用账户"), verb=_("停用账户"),
        lead=_("停用以后不能登录，已登录的地方立刻退出；以前办的事和日志都保留。可以再恢复。"), **shown,
    )  # fmt: skip


@blueprint.route("/users/<int(max=2147483647):user_id>/reopen", methods=["GET", "POST"])
def user_reopen(user_id: int) -> ResponseReturnValue:
    """Reopen an account."""
    _found, shown = _person(user_id)
    lead = _("恢复以后可以登录，仍在有效期内的身份和委托继续有效。")
    return _ask(
        SureForm(), lambda at: verbs.reopen_account(person(), user_id, at), shown["back"], _("账户已恢复。"),
        title=_("恢复账户"), verb=_("恢复账户"), lead=lead, **shown,
    )  # fmt: skip


@blueprint.route("/users/<int(max=2147483647):user_id>/roles/new", methods=["GET", "POST"])
def role_new(user_id: int) -> ResponseReturnValue:
    """A role in an office."""
    _found, shown = _person(user_id)
    today = legal_day(now())
    form = MembershipForm(since=today)
    form.office.choices += [
        (str(branch.office.id), "　" * branch.depth + branch.office.name)
        for branch in admin_people.tree(reach_of(person()), today)
    ]
    form.role.choices += [(role.value, ROLE_TITLES[role]) for role in admin_people.ROLES]
    return _ask(
        form,
        lambda at: verbs.add_membership(
            person(), user_id, int(form.office.data), Role(form.role.data), _day(form.since), form.until.data, at
        ),
        shown["back"], _("身份已增加。"), title=_("增加身份"), verb=_("增加身份"),
        lead=_("从开始日期起，这个人就能办本机构这一类的事。管理员不能兼任其他身份。"), **shown,
    )  # fmt: skip


@blueprint.route("/roles/<int(max=2147483647):membership_id>/end", methods=["GET", "POST"])
def role_end(membership_id: int) -> ResponseReturnValue:
    """End a role; cases left with nobody are told first."""
    held = admin_people.one_role(membership_id)
    if held is None:
        abort(404)
    _found, shown = _person(held.user_id)
    form = EndForm(last_day=legal_day(now()))
    what = _("%(name)s在%(where)s的%(role)s身份", name=held.name, where=held.where, role=ROLE_TITLES[Role(held.role)])
    return _ask(
        form,
        lambda at: verbs.end_membership(person(), membership_id, _day(form.last_day), form.accept.data, at),
        shown["back"], _("身份已结束。"), title=_("结束身份"), verb=_("结束身份"), lead=what, **shown,
    )  # fmt: skip


@blueprint.route("/users/<int(max=2147483647):user_id>/mandates/new", methods=["GET", "POST"])
def mandate_new(user_id: int) -> ResponseReturnValue:
    """Acting for a subject."""
    _found, shown = _person(user_id)
    form = MandateForm(since=legal_day(now()))
    form.capacity.choices += [(key, _(title)) for key, title in CAPACITIES.items()]
    return _ask(
        form,
        lambda at: mandate_verbs.add_mandate(
            person(), user_id, _subject(form), form.capacity.data, form.evidence.data, _day(form.since),
            form.until.data, at,
        ),
        shown["back"], _("委托已登记。"), title=_("登记委托"), verb=_("登记委托"),
        lead=_("登记以后，这个人可以代这个主体申请、补正、签署承诺书。请先核对证明材料。"), **shown,
    )  # fmt: skip


def _subject(form: MandateForm) -> int:
    """The subject that was named. An ID number is looked up by its blind index and not shown again. Raises NotDone."""
    typed = form.code.data
    if check_id_number(typed).ok:
        form.code.data = ""
        index = bytes.fromhex(current_app.config["INDEX_KEY"])
        found = admin_people.subject_of("blind", blind_index(typed, index, "identifier"))
    else:
        verdict = check_code(typed)
        if not verdict.ok:
            raise NotDone(verdict.problems[0])
        found = admin_people.subject_of("value", verdict.code)
    if found is None:
        raise NotDone("本平台还没有这个主体。有了关于它的记录以后才能登记委托。")
    return found


@blueprint.route("/mandates/<int(max=2147483647):mandate_id>/end", methods=["GET", "POST"])
def mandate_end(mandate_id: int) -> ResponseReturnValue:
    """End a mandate; cases left with nobody are told first."""
    held = admin_people.one_mandate(mandate_id)
    if held is None:
        abort(404)
    _found, shown = _person(held.user_id)
    form = EndForm(last_day=legal_day(now()))
    what = _("%(name)s以%(capacity)s身份代%(where)s办事", name=held.name, where=held.where,
             capacity=_(CAPACITIES[held.capacity]))  # fmt: skip
    return _ask(
        form,
        lambda at: mandate_verbs.end_mandate(person(), mandate_id, _day(form.last_day), form.accept.data, at),
        shown["back"], _("委托已结束。"), title=_("结束委托"), verb=_("结束委托"), lead=what, **shown,
    )  # fmt: skip


# --- offices -----------------------------------------------------------------------------------------------------


@blueprint.get("/offices")
def offices() -> ResponseReturnValue:
    """The tree of offices, and which of them cannot issue documents."""
    who = person()
    reach = reach_of(who) if Role.ADMINISTRATOR in who.roles else None
    tree = admin_people.tree(reach, legal_day(now()))
    only = request.args.get("show") == "missing"
    lacking = [branch for branch in tree if branch.missing]
    pieces = [admin_people.Cluster(_("不能出文书的"), tuple(lacking))] if only else admin_people.clusters(tree)
    return render_template("admin/offices.html", clusters=pieces, only=only, lacking=len(lacking), count=len(tree))


@blueprint.route("/offices/<int(max=2147483647):office_id>", methods=["GET", "POST"])
def office(office_id: int) -> ResponseReturnValue:
    """One office: what its documents say of it, who serves there, what waits there."""
    who = person()
    found = admin_people.office_with_parents(office_id)
    administrator = Role.ADMINISTRATOR in who.roles
    reach = reach_of(who)
    if found is None or (administrator and not reach.covers(found[0].path)):
        abort(404)
    row, above = found
    if request.method == "POST" and not administrator:
        abort(403)
    form = OfficeForm(obj=row)
    today = legal_day(now())
    here = url_for(".office", office_id=office_id)
    return _ask(
        form,
        lambda at: office_verbs.edit_office(
            who, office_id, word=form.word.data or "", review_body=form.review_body.data or "",
            review_address=form.review_address.data or "",
            phone=form.phone.data or "", address=form.address.data or "", at=at,
        ),
        here, _("已保存。以前出具的文书不变。"), "admin/office.html",
        office=row, above=[above[key] for key in above if key != row.id], missing=admin_people.missing(row, above),
        staff=admin_people.staff_of(office_id, today), waiting=admin_people.open_cases(office_id),
        certificate_until=admin_people.certificate_until(office_id), editable=administrator,
        journal=admin_people.journal_of("office", office_id), role_titles=ROLE_TITLES,
        still=[
            said(gap.text) for where, gap in standing_still(Reach((row.path,), False, None), today) if where == row.id
        ],
    )  # fmt: skip


# --- law ---------------------------------------------------------------------------------------------------------


@blueprint.get("/law")
def law() -> ResponseReturnValue:
    """Every law row: what it says, since when, from where, and whether somebody vouches for it."""
    shown = request.args.get("show", "pending")
    rows = admin_law.law_rows(legal_day(now()))
    pending = [row for row in rows if row.pending]
    return render_template(
        "admin/law.html",
        groups=admin_law.grouped(pending if shown == "pending" else rows),
        shown=shown,
        pending=len(pending),
        count=len(rows),
        may_attest=Role.LEGAL in person().roles,
    )


@blueprint.route("/law/attest", methods=["GET", "POST"])
def attest() -> ResponseReturnValue:
    """One row in full, for the legal office to vouch for; administrators read it."""
    form = AttestForm() if request.method == "POST" else AttestForm(request.args)
    row = admin_law.law_row(form.rule.data or "", form.row.data or "", legal_day(now()))
    if row is None:
        abort(404)
    if request.method == "GET":
        form = AttestForm(formdata=None, rule=row.rule_id, row=row.digest)
    may = Role.LEGAL in person().roles
    if request.method == "POST" and not may:
        abort(403)
    return _ask(
        form, lambda at: vouch(person(), row.rule_id, row.digest, form.note.data, at), url_for(".law"),
        _("已核实。这一行不再列为待核实。"), "admin/attest.html", row=row, may_attest=may,
    )  # fmt: skip


# --- calendar ----------------------------------------------------------------------------------------------------


@blueprint.get("/calendar")
def calendar() -> ResponseReturnValue:
    """What the calendar says of a year, day by day where it is not a plain week."""
    today = legal_day(now())
    year = request.args.get("year", today.year, type=int)
    if not FIRST_YEAR <= year <= today.year + YEARS_AHEAD:
        abort(404)
    return render_template(
        "admin/calendar.html",
        year=admin_law.year_of(year, declared()),
        first=FIRST_YEAR,
        last=today.year + YEARS_AHEAD,
        today=today,
        may_declare=Role.ADMINISTRATOR in person().roles and reach_of(person()).whole,
    )


@blueprint.route("/calendar/add", methods=["GET", "POST"])
def calendar_add() -> ResponseReturnValue:
    """Declare days by a notice: first what would move is shown, then it is done in one transaction."""
    reach = _administrator()
    if not reach.whole:
        abort(403)
    at = now()
    form = ConfirmDaysForm()
    today = legal_day(at)
    form.announces.choices += [(str(year), str(year)) for year in range(today.year, today.year + 3)]
    if not form.validate_on_submit():
        return render_template("admin/days.html", form=form), (422 if form.errors else 200)
    days = [Declared(day, working) for day, working in form.declared()]
    announces = int(form.announces.data) if form.announces.data else None
    outdated = shorter = False
    try:
        if form.shown.data:
            with transaction():
                moves = declare(
                    person(), days, form.notice.data, announces, shown=form.shown.data,
                    accept_shorter=form.shorter.data, at=at,
                )  # fmt: skip
            flash(_("已录入 %(days)s 天，%(n)s 个期限重新计算。", days=len(days), n=len(moves)), "success")
            return redirect(url_for(".calendar", year=days[0].day.year), 303)
    except PreviewOutdated:
        outdated = True
    except Shortens:
        shorter = True
    except NotDone as no:
        form.days.errors = [said(no.sentence)]
        return render_template("admin/days.html", form=form), 422
    try:
        moves = preview(days, form.notice.data, announces, at)
    except NotDone as no:
        form.days.errors = [said(no.sentence)]
        return render_template("admin/days.html", form=form), 422
    form.shown.data = seen(days, form.notice.data, announces, moves)
    if outdated:
        form.shorter.data = False
    page = render_template(
        "admin/days_confirm.html", form=form, moves=moves[: admin_law.MOST_SHOWN], count=len(moves),
        shortened=sum(move.shorter for move in moves), days=admin_law.declared_days(days, declared()),
        outdated=outdated, shorter=shorter,
    )  # fmt: skip
    return page, (409 if outdated else 422 if shorter else 200)
