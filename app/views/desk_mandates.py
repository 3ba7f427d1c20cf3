"""委托登记: officers look at the papers of whoever wants to act for a subject, and confirm, refuse, or end it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from app.casework.actor import Person
from app.casework.keyset import Order, page_of
from app.db import db, transaction
from app.models import Identifier, Mandate, MandatePaper, MandateRequest, Office, Subject, User
from app.models.mandate import STATES
from app.models.subject import capacity_title
from app.now import now
from app.office_book.base import NotDone, in_force_between
from app.office_book.gaps import Gap, LeavesNobody
from app.office_book.mandate_decisions import (
    Moved,
    against_deciding,
    confirm,
    confirms_mandates,
    end_confirmed,
    refuse,
    requests_before,
)
from app.office_book.mandate_requests import known
from app.registry.codes import check_code
from app.registry.masking import mask_name
from app.registry.regions import full_name, regions, standings
from app.registry.subject import KIND_TITLES
from app.registry.text import fold
from app.security import person, seal_answer
from app.views.case_views import stream
from app.views.desk import blueprint
from app.views.said import said
from app.views.sign_up import TONES
from forms.sign_up import ConfirmForm, EndMandateForm, RefuseForm, RequestFilter
from workflows.calendar import legal_day

PAGE = 25
OLDEST = Order(MandateRequest.asked_at, MandateRequest.id, "instant")
NEWEST = Order(MandateRequest.asked_at, MandateRequest.id, "instant", down=True)


@dataclass(frozen=True, slots=True)
class RequestPage:
    """A request as the officer sees it. `subject` is None when the register does not know the code; `match` says
    whether the representative on record is the person who asks; `others` act for the subject today, `elsewhere` are
    the subjects for which the person acts today."""

    row: Any
    subject: Any
    about: str
    capacity: str
    doubt: str
    match: str
    papers: tuple[Any, ...]
    others: tuple[tuple[str, str, date], ...]
    elsewhere: tuple[str, ...]
    against: str
    ended_on: date | None

    @property
    def open(self) -> bool:
        """Whether it waits."""
        return bool(self.row.state == "waiting")

    @property
    def running(self) -> bool:
        """Whether what was confirmed has not been ended."""
        return self.row.state == "confirmed" and self.ended_on is None


def _officer() -> Person:
    """Who decides on requests; to everybody else there is no such page."""
    who = person()
    if not confirms_mandates(who):
        abort(404)
    return who


@blueprint.get("/mandates")
def mandates() -> ResponseReturnValue:
    """What waits, the oldest first; or what was decided, the latest first."""
    who = _officer()
    form = RequestFilter(request.args)
    offices = db.session.execute(
        select(Office.id, Office.name)
        .where(Office.id.in_(select(MandateRequest.office_id).where(requests_before(who))))
        .order_by(Office.path)
    ).all()
    form.offer("office", ((str(office.id), office.name) for office in offices))
    if len(offices) < 2:
        del form.office
    chosen: dict[str, Any] = dict(form.chosen())
    settled = chosen.get("state") == "settled"
    query = _query(who).where(MandateRequest.state != "waiting" if settled else MandateRequest.state == "waiting")
    if "office" in chosen:
        query = query.where(MandateRequest.office_id == int(chosen["office"]))
    if text := chosen.get("text", ""):
        typed = fold(text)
        query = query.where(
            or_(
                MandateRequest.receipt == typed, MandateRequest.code == typed, User.name.contains(text, autoescape=True)
            )
        )
    order = NEWEST if settled else OLDEST
    page = page_of(
        query.add_columns(MandateRequest.asked_at.label("mark")), order,
        after=request.args.get("after"), before=request.args.get("before"), limit=PAGE,
    )  # fmt: skip
    return render_template(
        "desk/mandates.html",
        rows=[(row, capacity_title(row.capacity, row.kind or "enterprise")) for row in page.rows],
        states=STATES,
        tones=TONES,
        settled=settled,
        several=len(offices) > 1,
        form=form,
        chosen=[
            (words, url_for(".mandates", **{k: v for k, v in chosen.items() if k != name}))
            for name, words in form.in_words()
        ],
        previous=url_for(".mandates", **chosen, before=page.before) if page.before else None,
        next=url_for(".mandates", **chosen, after=page.after) if page.after else None,
    )


@blueprint.get("/mandates/<receipt>")
def mandate(receipt: str) -> ResponseReturnValue:
    """One request: who asks, for whom, on which papers; what can be done."""
    return render_template("desk/mandate.html", page=_page(receipt), states=STATES, tones=TONES)


@blueprint.get("/mandates/<receipt>/papers/<int:paper_id>")
def mandate_paper(receipt: str, paper_id: int) -> ResponseReturnValue:
    """A paper of the request: only ever as a download, and unable to do anything."""
    row = db.session.execute(
        select(MandatePaper.sha256, MandatePaper.name, MandatePaper.media_type)
        .join(MandateRequest, MandateRequest.id == MandatePaper.request_id)
        .where(MandatePaper.id == paper_id, MandateRequest.receipt == receipt, requests_before(_officer()))
    ).first()
    if row is None:
        abort(404)
    seal_answer()
    return stream("uploads", row.sha256, row.media_type, row.name)


@blueprint.route("/mandates/<receipt>/confirm", methods=["GET", "POST"])
def mandate_confirm(receipt: str) -> ResponseReturnValue:
    """The papers are good: the person may act for the subject from today."""
    page = _page(receipt)
    form = ConfirmForm(until=page.row.valid_until)
    against = "" if page.subject or not page.open else _unknown()
    return _deed(
        page, form, lambda at: confirm(person(), receipt, form.evidence.data, form.until.data, at),
        title=_("登记委托"), done=_("已经登记，%(name)s从今天起可以代办。", name=page.row.name), against=against,
    )  # fmt: skip


@blueprint.route("/mandates/<receipt>/refuse", methods=["GET", "POST"])
def mandate_refuse(receipt: str) -> ResponseReturnValue:
    """Not confirmed, and why."""
    form = RefuseForm()
    return _deed(
        _page(receipt), form, lambda at: refuse(person(), receipt, form.reason.data, at), title=_("不予登记"),
        done=_("已经退回，申请人登录后能看到理由。"),
    )  # fmt: skip


@blueprint.route("/mandates/<receipt>/end", methods=["GET", "POST"])
def mandate_end(receipt: str) -> ResponseReturnValue:
    """What was confirmed comes to an end."""
    page, form = _page(receipt), EndMandateForm(last_day=legal_day(now()))
    if page.row.state != "confirmed":
        abort(404)

    def act(at: datetime) -> None:
        assert form.last_day.data is not None
        end_confirmed(person(), receipt, form.last_day.data, form.reason.data, form.accept.data, at)

    return _deed(page, form, act, title=_("结束委托"), done=_("委托已经结束。"), over=not page.running)


def _deed(
    page: RequestPage,
    form: Any,
    act: Callable[[datetime], None],
    *,
    title: str,
    done: str,
    against: str = "",
    over: bool | None = None,
) -> ResponseReturnValue:
    """Show a deed, or do it. What has been decided meanwhile is shown as it is now, with what was typed."""
    gaps: tuple[Gap, ...] = ()
    status, moved = 200, ""
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                with transaction():
                    act(now())
            except Moved as no:
                status, moved = 409, said(no.sentence)
                page = _page(page.row.receipt)
            except NotDone as no:
                form.form_errors.append(said(no.sentence))
            except LeavesNobody as left:
                gaps = left.gaps
            else:
                flash(done, "success")
                return redirect(url_for(".mandate", receipt=page.row.receipt), 303)
    return render_template(
        "desk/mandate_deed.html",
        page=page,
        form=form,
        title=title,
        gaps=[said(gap.text) for gap in gaps],
        moved=moved,
        over=(not page.open) if over is None else over,
        against=_(page.against) if page.against else against,
        states=STATES,
        tones=TONES,
    ), status


def _unknown() -> str:
    return _("登记簿里还没有这个代码的主体，有了关于它的信息以后才能登记委托。代码填错的，请写明原因退回。")


def _query(who: Person) -> Any:
    decider = aliased(User)
    return (
        select(
            *MandateRequest.__table__.c, User.name, User.login, User.active, Office.name.label("office"),
            Subject.name.label("subject"), Subject.kind, decider.name.label("decider"),
        )
        .join(User, User.id == MandateRequest.user_id)
        .join(Office, Office.id == MandateRequest.office_id)
        .outerjoin(decider, decider.id == MandateRequest.decided_by)
        .outerjoin(Identifier, (Identifier.kind == "uscc") & (Identifier.value == MandateRequest.code))
        .outerjoin(Subject, Subject.id == Identifier.subject_id)
        .where(requests_before(who))
    )  # fmt: skip


def _page(receipt: str) -> RequestPage:
    """A request before this officer; anything else is 404."""
    who, today = _officer(), legal_day(now())
    row = db.session.execute(_query(who).where(MandateRequest.receipt == receipt)).first()
    if row is None:
        abort(404)
    subject = known(row.code)
    papers = db.session.execute(
        select(MandatePaper.id, MandatePaper.name, MandatePaper.size)
        .where(MandatePaper.request_id == row.id)
        .order_by(MandatePaper.id)
    ).all()
    acting = select(Mandate.capacity, Mandate.valid_from, User.name, Subject.name.label("subject"), Mandate.user_id)
    acting = acting.join(User, User.id == Mandate.user_id).join(Subject, Subject.id == Mandate.subject_id)
    mine = or_(Mandate.subject_id == (subject.id if subject else 0), Mandate.user_id == row.user_id)
    held = db.session.execute(
        acting.where(in_force_between(Mandate, today, today), Mandate.valid_from <= today, mine).order_by(Mandate.id)
    ).all()
    until = (
        row.mandate_id and db.session.execute(select(Mandate.valid_until).where(Mandate.id == row.mandate_id)).scalar()
    )
    kind = subject.kind if subject else "enterprise"
    verdict = check_code(row.code, standings())
    return RequestPage(
        row=row,
        subject=subject,
        about=_about(subject),
        capacity=capacity_title(row.capacity, kind),
        doubt=said(verdict.warnings[0]) if verdict.warnings else "",
        match=_match(row, subject),
        papers=tuple(papers),
        others=tuple(
            (one.name, capacity_title(one.capacity, kind), one.valid_from)
            for one in held
            if subject and one.subject == subject.name and one.user_id != row.user_id
        ),
        elsewhere=tuple(dict.fromkeys(one.subject for one in held if one.user_id == row.user_id)),
        against=against_deciding(who, row, subject),
        ended_on=until if until and until < today else None,
    )


def _about(subject: Any) -> str:
    """Kind and place of the organisation, in words."""
    if subject is None:
        return ""
    place = full_name(subject.region) if subject.region in regions() else ""
    return " · ".join(filter(None, (_(KIND_TITLES[subject.kind]), place)))


def _match(row: Any, subject: Any) -> str:
    """Whether the person who asks has the name of the representative on record. The name itself stays masked: what the
    officer has to know is whether it is the same."""
    if subject is None or not subject.legal_representative:
        return _("登记簿里没有法定代表人的姓名")
    shown = mask_name(subject.legal_representative)
    if fold(subject.legal_representative) == fold(row.name):
        return _("登记的法定代表人（%(name)s）与申请人同名", name=shown)
    return _("登记的法定代表人（%(name)s）不是申请人", name=shown)
