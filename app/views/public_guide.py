"""修复指南 and 政策法规: generated from the rules that decide and from the instruments they rest on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.now import now
from app.registry.directory import code_list
from app.registry.working_days import office_calendar
from app.views.basis import Basis, basis_of
from app.views.public import blueprint
from app.views.refusals import No, no_of
from app.views.texts import article
from forms.guide import SituationForm
from workflows.calendar import legal_day
from workflows.law import Instrument, instruments, rules
from workflows.people import Role
from workflows.repair_guide import Condition, Guide, Situation, Stage, guide

KINDS = "CFLB"


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """A condition as the page shows it."""

    text: str
    law_text: str
    against: tuple[No, ...]
    known: bool


@dataclass(frozen=True, slots=True)
class StageLine:
    """A step as the page shows it."""

    title: str
    who: str
    consequence: str
    law_text: str
    limits: tuple[Basis, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """An instrument, whether it is in force, and the rules that rest on it today."""

    each: Instrument
    standing: str
    url: str
    rules: tuple[Basis, ...]


@blueprint.get("/guide")
def repair_guide() -> ResponseReturnValue:
    """The guide, for everybody or for the situation in the address."""
    form = SituationForm(request.args)
    form.offer_kinds(_kinds())
    asked = bool(request.args)
    sound = form.validate() if asked else True
    at = now()
    told = guide(at, office_calendar(), _situation(form) if asked and sound else None)
    return render_template(
        "public/guide.html",
        form=form,
        asked=asked,
        told=told,
        conditions=[_condition(each) for each in told.conditions],
        papers=[_condition(each) for each in told.papers],
        road=[_stage(each) for each in told.road],
        beside=[_stage(each) for each in told.beside],
        bases=_bases(told),
        against=_against(told),
        today=legal_day(at),
    ), (200 if sound else 422)


@blueprint.get("/policies")
def policies() -> ResponseReturnValue:
    """Every instrument that the rules cite, those in force first, with the rules that rest on it."""
    today = legal_day(now())
    found = [_policy(each, today) for each in instruments()]
    order = {"in_force": 0, "coming": 1, "ended": 2}
    return render_template(
        "public/policies.html", policies=sorted(found, key=lambda policy: order[policy.standing]), today=today
    )


def _kinds() -> tuple[str, ...]:
    return tuple(code_list(KINDS).values)


def _situation(form: SituationForm) -> Situation | None:
    """What was said; None while it is too little to judge by."""
    if not form.day.data or not (form.kinds.data or form.listed.data):
        return None
    return Situation(
        recognised_on=form.day.data,
        kinds=frozenset(form.kinds.data or ()),
        procedure=form.procedure.data or "",
        fine_size=form.fine.data or None,
        serious_list=bool(form.listed.data),
        duty=form.duty.data or "unsure",
        of_a_person=form.who.data == "person",
    )


def _condition(each: Condition) -> ConditionLine:
    return ConditionLine(
        _(each.text), article(each.law), tuple(no_of(refusal) for refusal in each.refusals), each.known
    )


def _against(told: Guide) -> list[No]:
    """What stands against an application in this situation, in the order of the conditions."""
    return [no_of(refusal) for each in told.conditions for refusal in each.refusals]


def _stage(each: Stage) -> StageLine:
    people = [role.title for role in each.step.people if role is not Role.WATCH]
    return StageLine(
        title=_(each.step.title),
        who=_("、").join(_(title) for title in people) or _("系统自动"),
        consequence=_(each.step.consequence),
        law_text=article(each.step.law),
        limits=tuple(basis_of(limit.row) for limit in each.limits),
    )


def _bases(told: Guide) -> list[Basis]:
    """The rows by which the situation was classed and its days counted."""
    return [basis_of(row) for row in told.judged.term.rows] if told.judged else []


def _policy(each: Instrument, today: date) -> Policy:
    ended = each.in_force_until is not None and each.in_force_until < today
    begun = each.in_force_from is None or each.in_force_from <= today
    return Policy(
        each=each,
        standing="ended" if ended else "in_force" if begun else "coming",
        url=each.url if each.url.startswith("https://") else "",
        rules=tuple(_resting_on(each.key, today)),
    )


def _resting_on(key: str, today: date) -> Iterable[Basis]:
    for rule in rules():
        for row in rule.rows:
            if row.instrument == key and row.in_force(today) and row.value is not None:
                yield basis_of(row)
