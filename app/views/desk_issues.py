"""同步异常: what has to be settled about notices, and closing one with what was done."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app.casework.sharing_issues import IssueFilter, issue_page, issues_of
from app.db import db, transaction
from app.models import Office
from app.models.sharing import CHANNELS_OUT, RECEIPTS
from app.notices.dead import proposed_skip
from app.notices.formats.told import DECISIONS
from app.notices.issues import NotClosed, close_issue
from app.now import now
from app.views.desk import blueprint
from app.views.desk_sharing import looking_after, stand_of
from app.views.statement_page import in_words
from forms import books as forms
from workflows.people import Role

KINDS = {
    "dead": (_l("送达失败"), "zhu"),
    "not_found": (_l("对方查找不到"), "ju"),
    "refused": (_l("对方不予办理"), "zhu"),
    "difference": (_l("对账有差异"), "ju"),
}


@blueprint.get("/sharing/issues")
def issues() -> ResponseReturnValue:
    """What is open, the oldest first; or what was settled, the latest first."""
    who = looking_after()
    form = forms.IssueFilter(request.args)
    form.offer("kind", ((kind, words) for kind, (words, _tone) in KINDS.items()))
    receivers = db.session.execute(
        select(Office.id, Office.code, Office.name).where(Office.kind == "linked").order_by(Office.code)
    ).all()
    form.offer("receiver", ((row.code, row.name) for row in receivers))
    chosen: dict[str, Any] = dict(form.chosen())
    wanted = IssueFilter(
        closed=chosen.get("closed") == "1",
        kind=chosen.get("kind", ""),
        receiver_id=next((row.id for row in receivers if row.code == chosen.get("receiver")), None),
    )
    page = issues_of(who, wanted, request.args.get("after"), request.args.get("before"))
    return render_template(
        "desk/issues.html",
        rows=page.rows,
        kinds=KINDS,
        said=said,
        closed=wanted.closed,
        form=form,
        chosen=[
            (words, url_for("desk.issues", **{k: v for k, v in chosen.items() if k != name}))
            for name, words in form.in_words()
        ],
        previous=url_for("desk.issues", **chosen, before=page.before) if page.before else None,
        next=url_for("desk.issues", **chosen, after=page.after) if page.after else None,
    )


@blueprint.route("/sharing/issues/<int:issue_id>", methods=["GET", "POST"])
def issue(issue_id: int) -> ResponseReturnValue:
    """One issue: what was found, the notice, its tries and receipts; closed with what was done."""
    who, form, status = looking_after(), forms.OutcomeForm(), 200
    page = issue_page(who, issue_id)
    if page is None:
        abort(404)
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                with transaction():
                    close_issue(issue_id, actor=who, outcome=form.outcome.data or "", at=now())
            except NotClosed as no:
                form.form_errors.append(_(str(no)))
                status = 409 if no.moved else 422
                page = issue_page(who, issue_id) or page
            else:
                flash(_("已了结，记入记录。"), "success")
                return redirect(url_for("desk.issue", issue_id=issue_id), 303)
    hands = {office for role, office in who.memberships if role in (Role.PROCESSING, Role.HEAD)}
    return render_template(
        "desk/issue.html",
        page=page,
        issue=page.issue,
        kind=KINDS[page.issue.kind],
        said=said(page.issue),
        books=in_words(page.issue.detail) if page.issue.kind == "difference" else None,
        proposal=proposed_skip(page.issue.detail),
        stand=stand_of,
        decisions=DECISIONS,
        receipts=RECEIPTS,
        ways=CHANNELS_OUT,
        mine=page.issue.office_id in hands,
        form=form,
    ), status


def said(row: Any) -> str:
    """What an issue is about, in a sentence."""
    detail = row.detail
    match row.kind:
        case "difference":
            kind, ours, theirs = in_words(detail)
            return _("%(kind)s：我们“%(ours)s”，对方“%(theirs)s”", kind=kind, ours=ours, theirs=theirs)
        case _:
            return str(detail.get("reason") or "")
