"""How linked departments are reached, for administrators: channel, format, address; stopped, resumed, why."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app.db import db
from app.models import Endpoint, Office
from app.models.sharing import CHANNELS_OUT
from app.notices.formats import FORMATS
from app.now import now
from app.office_book import endpoints as verbs
from app.security import person
from app.views import admin_people, interface_page
from app.views.admin import _administrator, _ask, blueprint
from forms.sharing import EndpointForm, ReasonForm
from workflows.calendar import legal_day


@blueprint.get("/endpoints")
def endpoints() -> ResponseReturnValue:
    """Every linked department in reach, how it is told, and whether sending goes well."""
    offices = select(Office.id).where(Office.kind == "linked", _administrator().offices())
    ids = list(db.session.execute(offices).scalars())
    lines = interface_page.reached(ids, now())
    return render_template(
        "admin/endpoints.html",
        lines=sorted(lines, key=lambda line: (line.tone in ("zhuqing", "dai"), line.office.code)),
    )


def _department(office_id: int) -> interface_page.Reached:
    """A linked department in reach; 404 for anything else."""
    offices = select(Office.id).where(Office.id == office_id, Office.kind == "linked", _administrator().offices())
    if db.session.execute(offices).first() is None:
        abort(404)
    return interface_page.reached([office_id], now())[0]


def _shown(line: interface_page.Reached) -> dict[str, Any]:
    here = url_for(".endpoint", office_id=line.office.id)
    return {"steps": [(_("接口"), url_for(".endpoints")), (line.office.name, here)], "back": here}


@blueprint.route("/endpoints/<int:office_id>", methods=["GET", "POST"])
def endpoint(office_id: int) -> ResponseReturnValue:
    """One department: how it is told, and changing that."""
    line = _department(office_id)
    held = db.session.get(Endpoint, office_id)
    form = EndpointForm(
        channel=held.channel if held else "counter",
        format=held.format if held else "result",
        address=held.address if held else "",
    )
    form.channel.choices = [(word, _(title)) for word, title in CHANNELS_OUT.items()]
    form.format.choices = [(word, _(module.TITLE)) for word, module in FORMATS.items()]
    at = now()
    return _ask(
        form,
        lambda at: verbs.set_endpoint(
            person(), office_id, channel=form.channel.data, format=form.format.data, address=form.address.data or "",
            at=at,
        ),
        url_for(".endpoint", office_id=office_id), _("已保存，从下一份通知起这样送达。"), "admin/endpoint.html",
        line=line, secrets=[key for key in interface_page.keys_of(office_id, "webhook", at) if key.state != "over"],
        receipt_keys=[key for key in interface_page.keys_of(office_id, "receipt", at) if key.state != "over"],
        must=interface_page.must_hear(line.office.receives, legal_day(at)),
        journal=admin_people.journal_of("office", office_id),
    )  # fmt: skip


@blueprint.route("/endpoints/<int:office_id>/stop", methods=["GET", "POST"])
def endpoint_stop(office_id: int) -> ResponseReturnValue:
    """Send nothing more for now."""
    line = _department(office_id)
    form = ReasonForm()
    return _ask(
        form, lambda at: verbs.stop_endpoint(person(), office_id, reason=form.reason.data, at=at),
        url_for(".endpoint", office_id=office_id), _("已停止发送。"), title=_("停止发送"), verb=_("停止发送"),
        lead=_("停止以后不再向这个单位发送；通知照样写下、按序等着，恢复以后补送。期间对方可以在窗口办理。"),
        **_shown(line),
    )  # fmt: skip


@blueprint.route("/endpoints/<int:office_id>/resume", methods=["GET", "POST"])
def endpoint_resume(office_id: int) -> ResponseReturnValue:
    """Send again."""
    line = _department(office_id)
    form = ReasonForm()
    return _ask(
        form, lambda at: verbs.resume_endpoint(person(), office_id, reason=form.reason.data, at=at),
        url_for(".endpoint", office_id=office_id), _("已恢复发送。"), title=_("恢复发送"), verb=_("恢复发送"),
        lead=_("恢复以后立刻按顺序补送等着的通知。"), **_shown(line),
    )  # fmt: skip
