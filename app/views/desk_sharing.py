"""同步情况: how sharing stands with each receiver, the notices behind it, dead letters sent again or skipped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from app.casework.actor import Person
from app.casework.sharing_board import (
    NoticeFilter,
    ReceiverLine,
    board,
    dead_letters_to,
    notice_of,
    notices_to,
)
from app.casework.sharing_issues import IssueFilter, issues_of
from app.casework.sight import SHARING_ROLES, looks_after_sharing
from app.db import db, transaction
from app.models import Delivery, Heartbeat, Issue
from app.models.sharing import CHANNELS_OUT, CONFIRMING, RECEIPTS
from app.notices.dead import NotPossible, Which, confirm_skip, propose_skip, proposed_skip, replay
from app.notices.formats.told import DECISIONS
from app.now import now
from app.security import person
from app.views.desk import blueprint
from forms.books import AgainForm, OverseenFilter, SkipForm
from forms.typed import TypedForm
from workflows.calendar import legal_day

STANDS = {
    "waiting": (_l("等待送达"), "ju", "clock"),
    "dead": (_l("送达失败"), "zhu", "exclamation-triangle"),
    "skipped": (_l("已跳过"), "hui", "slash-circle"),
    "told": (_l("已送达，不要求回执"), "hui", "check-lg"),
    "open": (_l("已送达，等待确认"), "ju", "clock"),
}
"""Where a notice stands without a receipt: its words, colour and picture."""


def looking_after() -> Person:
    """The signed-in officer, if they look after what others are told; to everybody else these pages do not exist."""
    who = person()
    if not looks_after_sharing(who):
        abort(404)
    return who


@blueprint.get("/sharing")
def sharing() -> ResponseReturnValue:
    """同步情况: every receiver, those in trouble first."""
    who, at = looking_after(), now()
    beat = db.session.execute(select(Heartbeat.at, Heartbeat.trouble).where(Heartbeat.name == "books")).first()
    return render_template(
        "desk/sharing.html", lines=board(who, at), stands=standing(at), books=beat, ways=CHANNELS_OUT
    )


@blueprint.get("/sharing/to/<code>")
def sharing_receiver(code: str) -> ResponseReturnValue:
    """One receiver: how it is reached, its notices by state, what has to be settled."""
    who, at = looking_after(), now()
    line = _receiver(who, code, at)
    form = OverseenFilter(request.args)
    form.offer("act", _acts())
    chosen: dict[str, Any] = dict(form.chosen())
    page = notices_to(
        who, line.id, NoticeFilter(**chosen), legal_day(at), request.args.get("after"), request.args.get("before")
    )
    return render_template(
        "desk/sharing_receiver.html",
        line=line,
        stands=standing(at),
        ways=CHANNELS_OUT,
        rows=page.rows,
        stand=stand_of,
        decisions=DECISIONS,
        today=legal_day(at),
        issues=issues_of(who, IssueFilter(receiver_id=line.id), None, None).rows[:5],
        form=form,
        chosen=[
            (words, url_for("desk.sharing_receiver", code=code, **{k: v for k, v in chosen.items() if k != name}))
            for name, words in form.in_words()
        ],
        previous=url_for("desk.sharing_receiver", code=code, **chosen, before=page.before) if page.before else None,
        next=url_for("desk.sharing_receiver", code=code, **chosen, after=page.after) if page.after else None,
    )


@blueprint.route("/sharing/to/<code>/dead", methods=["GET", "POST"])
def sharing_dead(code: str) -> ResponseReturnValue:
    """送达失败: what was given up; sent again one by one, several together, or all of one outcome."""
    who, at = looking_after(), now()
    line, form = _receiver(who, code, at), AgainForm()
    if form.is_submitted() and form.validate() and (done := _sent_again(who, line, form, at)) is not None:
        flash(_("%(n)s 份重新投递，id 和先后不变。", n=done), "success")
        return redirect(url_for("desk.sharing_dead", code=code), 303)
    page = dead_letters_to(who, line.id, request.args.get("after"), request.args.get("before"))
    return render_template(
        "desk/sharing_dead.html",
        line=line,
        rows=page.rows,
        form=form,
        acts=_acts(),
        decisions=DECISIONS,
        proposal=proposed_skip,
        chosen=set(request.form.getlist("notice")),
        previous=url_for("desk.sharing_dead", code=code, before=page.before) if page.before else None,
        next=url_for("desk.sharing_dead", code=code, after=page.after) if page.after else None,
    ), (422 if form.errors else 200)


@blueprint.route("/sharing/notices/<key>/skip", methods=["GET", "POST"])
def sharing_skip(key: str) -> ResponseReturnValue:
    """跳过: one person proposes, another one confirms; until then what comes later about the same party is held."""
    who, at = looking_after(), now()
    notice = notice_of(who, key)
    if notice is None or (notice.state != "dead" and request.method == "GET"):
        abort(404)
    form, no = SkipForm(), TypedForm()
    confirming = request.form.get("do") == "confirm"
    asked: TypedForm = no if confirming else form
    if asked.is_submitted() and asked.validate():

        def act() -> None:
            if confirming:
                confirm_skip(notice.id, second=who, at=at)
            else:
                propose_skip(notice.id, actor=who, reason=form.reason.data or "", at=at)

        if _done(asked, act):
            if confirming:
                flash(_("已跳过，后面的通知开始投递。"), "success")
                return redirect(url_for("desk.sharing_dead", code=notice.receiver_code), 303)
            flash(_("已提出跳过，等另一个人确认。"), "success")
            return redirect(url_for("desk.sharing_skip", key=key), 303)
    return render_template(
        "desk/sharing_skip.html",
        notice=notice,
        form=form,
        refused=no.form_errors,
        proposal=_proposal(notice.id),
        held=_held(notice.id),
        decisions=DECISIONS,
        me=who.person,
    ), (422 if asked.errors else 200)


def standing(at: datetime) -> Callable[[ReceiverLine], tuple[str, str, str]]:
    """How it stands with a receiver: words, colour, what is more to say."""

    def of(line: ReceiverLine) -> tuple[str, str, str]:
        if line.stopped_at is not None:
            return _("已停止发送"), "zhu", line.stopped_why
        if line.dead:
            return _("有通知送不到"), "zhu", line.trouble
        if line.open_until is not None and line.open_until > at:
            return _("没有应答，过一会儿再试"), "ju", line.trouble
        if line.late:
            return _("有过期未确认的"), "ju", ""
        if line.failures:
            return _("上一次没有送到，会再送"), "ju", line.trouble
        return _("正常"), "zhuqing", ""

    return of


def stand_of(row: Any) -> tuple[str, str, str]:
    """Where a notice stands: words, colour, picture."""
    if row.state == "delivered" and row.receipt:
        good = row.receipt in CONFIRMING
        return _(RECEIPTS[row.receipt]), "zhuqing" if good else "zhu", "check-circle" if good else "x-circle"
    words, tone, picture = STANDS[row.state if row.state != "delivered" else "open" if row.limit else "told"]
    return str(words), tone, picture


def _receiver(who: Person, code: str, at: datetime) -> ReceiverLine:
    found = board(who, at, code) if "\0" not in code else []
    if not found:
        abort(404)
    return found[0]


def _acts() -> list[tuple[str, str]]:
    """Outcomes that are told; those of one name come together."""
    return [(act, _(words)) for act, words in DECISIONS.items()]


def _sent_again(who: Person, line: ReceiverLine, form: AgainForm, at: datetime) -> int | None:
    """Send what was chosen again; None, with the reason on the form, when nothing was done."""
    reason = form.reason.data or ""
    many: list[Which | list[int]]
    if request.form.get("do") == "all":
        act = request.form.get("act", "")
        offices = sorted({office for role, office in who.memberships if role in SHARING_ROLES})
        many = [Which(office, line.id, act if act in DECISIONS else None) for office in offices]
    else:
        rows = [notice_of(who, key) for key in request.form.getlist("notice")[:25] if "\0" not in key]
        ids = [row.id for row in rows if row is not None and row.receiver_code == line.code]
        if not ids:
            form.form_errors.append(_("请先选中要重新投递的通知。"))
            return None
        many = [ids]
    count = 0

    def act_on_all() -> None:
        nonlocal count
        count = sum(replay(which, actor=who, reason=reason, at=at) for which in many)

    if not _done(form, act_on_all):
        return None
    if not count:
        form.form_errors.append(_("没有您单位可以重新投递的。"))
        return None
    return count


def _done(form: TypedForm, act: Callable[[], None]) -> bool:
    """Do it in one transaction; False, with the reason on the form, when it cannot be."""
    try:
        with transaction():
            act()
    except NotPossible as error:
        form.form_errors.append(_(str(error)))
        return False
    return True


def _proposal(notice_id: int) -> Any:
    detail = db.session.execute(
        select(Issue.detail)
        .where(Issue.notice_id == notice_id, Issue.kind == "dead", Issue.closed_at.is_(None))
        .order_by(Issue.id.desc())
        .limit(1)
    ).scalar()
    return proposed_skip(detail or {})


def _held(notice_id: int) -> int:
    """How many later notices about the same party wait behind this one."""
    this = select(Delivery.receiver_id, Delivery.subject_id, Delivery.seq).where(Delivery.notice_id == notice_id)
    held = this.subquery()
    return int(
        db.session.execute(
            select(func.count())
            .select_from(Delivery)
            .join(held, (Delivery.receiver_id == held.c.receiver_id) & (Delivery.subject_id == held.c.subject_id))
            .where(Delivery.seq > held.c.seq, Delivery.state == "waiting")
        ).scalar_one()
    )
