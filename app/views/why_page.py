"""Why a date is what it is: the sum, every day of the count, its basis, what may change it, and what follows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import abort
from flask_babel import gettext as _
from sqlalchemy import select

from app.casework.actor import Person
from app.casework.facts import Loaded
from app.casework.sight import is_officer_of
from app.db import db
from app.models import Case, Office, Subject
from app.views.basis import Basis, attested, basis_of, length_text, row_of
from app.views.case_journal import act_title
from app.views.case_page import visible_case, waited_until
from app.views.dues import Due, due_of
from app.views.texts import day, day_year
from workflows.calendar import Calendar, Computation, legal_day, months_after
from workflows.clockwork import ENDED, MET, PAUSED, Deadline
from workflows.grammar import PAUSE, RESTART, RUN_ON, Clock
from workflows.law import RuleRow, rule
from workflows.people import ROLE_TITLES, Role

MINIMUMS = ("records.minimum_ordinary", "records.minimum_serious", "records.minimum_special")


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that happened to the date on its way."""

    at: datetime
    act: str
    person: str
    what: str


@dataclass(frozen=True)
class WhyPage:
    """Everything `cases/why.html` shows. `computation` is None for a date that was read and not counted."""

    number: str
    title: str
    about: Any
    officer: bool
    due: Due
    paused: str
    boxes: tuple[tuple[str, str], ...]
    computation: Computation | None
    by_day: bool
    reading: tuple[tuple[str, str, str], ...]
    basis: tuple[Basis, ...]
    calendar_years: str
    provisional: str
    turns: tuple[Turn, ...]
    may_change: tuple[str, ...]
    expiry: str
    today: date


def why_page(counter: str, number: str, code: str, who: Person, at: datetime, url: str) -> WhyPage:
    """Explain a time-limit of a case. Raises NoSuchCase; a clock that the case has not, or may not show, is 404."""
    loaded = visible_case(number, who, at)
    clock = loaded.workflow.clock.get(code)
    deadline = loaded.facts.deadline(code) if clock else None
    if clock is None or deadline is None or clock.item:
        abort(404)
    about = db.session.execute(
        select(Subject.name.label("subject_name"), Office.path.label("office_path"), Office.name.label("office_name"))
        .select_from(Case)
        .join(Subject, Subject.id == Case.subject_id)
        .join(Office, Office.id == Case.office_id)
        .where(Case.id == loaded.id)
    ).one()
    officer = is_officer_of(who, about.office_path, loaded.facts.case.subject)
    if clock.inside and not officer:
        abort(404)
    calendar, today = loaded.facts.calendar, legal_day(at)
    computation = deadline.computation(calendar)
    rows = _rows(loaded, clock, deadline)
    vouched = attested(row.digest for row in rows) if officer else frozenset()
    due = due_of(deadline, loaded.workflow, calendar, today, loaded.facts.case.state, url)
    if deadline.state == PAUSED:
        due = replace(due, due_on=waited_until(loaded))
    return WhyPage(
        number=number,
        title=clock.title,
        about=about,
        officer=officer,
        due=due,
        boxes=() if deadline.state == PAUSED else _boxes(loaded, clock, deadline, rows),
        computation=None if deadline.state == PAUSED else computation,
        paused=_paused(loaded, clock, deadline),
        by_day=deadline.unit in ("WD", "CD"),
        reading=() if computation else _reading(loaded, deadline, rows),
        basis=tuple(basis_of(row, vouched) for row in rows),
        calendar_years=_years(calendar, deadline),
        provisional=_provisional(calendar, deadline, computation),
        turns=_turns(loaded, code, "WD" if deadline.unit == "WD" else "CD"),
        may_change=_may_change(loaded, clock, deadline),
        expiry=_expiry(loaded, clock),
        today=today,
    )


def _rows(loaded: Loaded, clock: Clock, deadline: Deadline) -> tuple[RuleRow, ...]:
    """The rows the date rests on: those frozen in the journal, or the minimum period the date was read from."""
    if deadline.rule:
        frozen = row_of(deadline.rule, deadline.row)
        first = row_of(clock.length, day=deadline.day_zero) if clock.length != deadline.rule else None
        return tuple(row for row in (frozen, first) if row is not None)
    record = loaded.facts.record
    if clock.until is None or record is None:
        return ()
    for key in MINIMUMS:
        row = row_of(key, day=record.recognised_on)
        if row is not None and _end(record.recognised_on, row) == deadline.due_on:
            return (row,)
    return ()


def _end(start: date, row: RuleRow) -> date:
    return months_after(start, int(row.value or 0) * (12 if row.unit == "Y" else 1))


def _boxes(loaded: Loaded, clock: Clock, deadline: Deadline, rows: tuple[RuleRow, ...]) -> tuple[tuple[str, str], ...]:
    """The sum. The last box is the result."""
    if deadline.due_on is None:
        return ()
    result = (_("到期"), _("%(day)s 24:00", day=day(deadline.due_on)))
    record = loaded.facts.record
    if not deadline.unit:
        if record is None or not rows:
            return (result,)
        start = (_("认定文书日期（当日不计）"), day_year(record.recognised_on))
        period = (_("最短公示期"), length_text(int(rows[0].value or 0), rows[0].unit))
        return (start, period, (_("期满"), day_year(deadline.due_on)))
    count = length_text(deadline.value, deadline.unit)
    last = _last_count(loaded, deadline)
    if last == "extend" and deadline.base is not None:
        return ((_("原来的到期日（不计）"), day(deadline.base)), (_("延长"), count), result)
    if last == "resume" and deadline.base is not None:
        return ((_("恢复计算的当天（不计）"), day(deadline.base)), (_("暂停时还剩"), count), result)
    if last == "recount" and deadline.base is not None:
        return ((_("重新起算的当天（不计）"), day(deadline.base)), (clock.title, count), result)
    begins = _("%(what)s（当天不计）", what=_begins(loaded, clock))
    return ((begins, day(deadline.day_zero)), (clock.title, count), result)


def _last_count(loaded: Loaded, deadline: Deadline) -> str:
    """Which event gave the date it has now."""
    for line in reversed(loaded.lines):
        for event in line.clocks or ():
            if (event["clock"], event["item"]) == (deadline.clock, deadline.item) and "due_on" in event:
                return str(event["event"])
    return "start"


def _begins(loaded: Loaded, clock: Clock) -> str:
    """The act with which the clock began in this case."""
    for line in loaded.lines:
        if line.act in clock.starts:
            if clock.since is not None and loaded.row.t0 is not None:
                return _("信用中国或者窗口收到")
            return act_title(loaded.workflow, line.act)
    return _("起算")


def _reading(loaded: Loaded, deadline: Deadline, rows: tuple[RuleRow, ...]) -> tuple[tuple[str, str, str], ...]:
    """A date that was read: the days that matter, each with what it is and why."""
    record, calendar = loaded.facts.record, loaded.facts.calendar
    if record is None or deadline.due_on is None:
        return ()
    following = date.fromordinal(deadline.due_on.toordinal() + 1)
    release = calendar.next_working(following)
    lines = [
        (
            day_year(record.recognised_on),
            _("不计"),
            _("认定文书的日期；期间开始的当日不计入（《民法典》第二百零一条）"),
        ),
        (
            day_year(deadline.due_on),
            _("最后一日"),
            _("与起算日对应的日子，没有的为月末（《民法典》第二百零二条）；公示期不因休息日顺延")
            if rows
            else _("这条信息登记的最短公示期届满日"),
        ),
    ]
    if release != following:
        lines.append((day_year(following), _("不办"), calendar.reason(following).text))
    lines.append((day_year(release), _("转入受理"), _("期满后的第一个工作日，自动转入受理")))
    return tuple(lines)


def _years(calendar: Calendar, deadline: Deadline) -> str:
    """Whose announced calendar the count rests on."""
    if deadline.due_on is None or deadline.unit not in ("WD", "CD"):
        return ""
    first = deadline.base or deadline.day_zero
    years = range(first.year, deadline.due_on.year + 1)
    return "；".join(
        _("%(year)s 年，已公布", year=year) if calendar.announced(year) else _("%(year)s 年，尚未公布", year=year)
        for year in years
    )


def _provisional(calendar: Calendar, deadline: Deadline, computation: Computation | None) -> str:
    """Why the date, or what follows on the first working day after it, may still move."""
    if computation is not None:
        return computation.why_provisional if computation.provisional else ""
    if deadline.due_on is None or deadline.state in (MET, ENDED):
        return ""
    release = calendar.next_working(date.fromordinal(deadline.due_on.toordinal() + 1))
    if not calendar.is_provisional(release):
        return ""
    return _("期满的日子不会变；期满后的第一个工作日 %(day)s 是暂定的，放假安排公布后重新计算。", day=day_year(release))


def _turns(loaded: Loaded, code: str, unit: str) -> tuple[Turn, ...]:
    found = []
    for line in loaded.lines:
        for event in line.clocks or ():
            if event["clock"] == code and not event["item"]:
                act = act_title(loaded.workflow, line.act)
                found.append(Turn(line.at, act, line.person_name, _said(event, unit)))
    return tuple(found)


def _said(event: dict[str, Any], unit: str) -> str:
    due = day(date.fromisoformat(event["due_on"])) if event.get("due_on") else ""
    match event["event"]:
        case "start":
            return _("开始计算，至 %(due)s", due=due) if due else _("开始计算")
        case "extend":
            return _("延长，至 %(due)s", due=due)
        case "resume":
            return _("恢复计算，至 %(due)s", due=due)
        case "recount":
            return _("重新计算，至 %(due)s", due=due)
        case "pause":
            return _("暂停，当时还剩 %(left)s", left=length_text(event["left"], unit))
        case "meet":
            return _("完成")
        case _:
            return _("随本件结束")


def _may_change(loaded: Loaded, clock: Clock, deadline: Deadline) -> tuple[str, ...]:
    """What may still move the date, in sentences."""
    if deadline.state in (MET, ENDED):
        return (_("不会再变：这个期限已经完成。") if deadline.state == MET else _("不会再变：本件已经结束。"),)
    said = []
    workflow, facts = loaded.workflow, loaded.facts
    extending = [workflow.step[code] for code in clock.extended_by]
    for step in extending:
        taken, who = facts.counts.get(step.code, 0), _("、").join(_(ROLE_TITLES[Role(role)]) for role in step.by)
        if step.times and taken >= step.times:
            said.append(_("延期：已经延过一次，不能再延。"))
        else:
            said.append(_("延期：%(who)s可以延长一次，须在到期以前告知申请人。", who=who))
    if not extending:
        said.append(_("延期：这个期限没有延期。"))
    for state, behaviour in clock.during.items():
        said.append(_during(loaded, workflow.state[state].title, behaviour))
    if deadline.unit == "WD":
        said.append(_("放假安排变动：自动重新计算，并在这里写明。"))
    return tuple(said)


def _paused(loaded: Loaded, clock: Clock, deadline: Deadline) -> str:
    """Why the clock stands still, and how it goes on; "" when it does not."""
    if deadline.state != PAUSED:
        return ""
    state = loaded.workflow.state[loaded.facts.case.state]
    if _behaviour(loaded, clock.during.get(state.code, RUN_ON)) == RESTART:
        return _("本件现在是“%(state)s”，这期间不计算；之后从头重新起算。", state=state.title)
    left = length_text(deadline.left, "WD" if deadline.unit == "WD" else "CD")
    return _("本件现在是“%(state)s”，这期间不计算；之后接着算，还剩 %(left)s。", state=state.title, left=left)


def _during(loaded: Loaded, state: str, behaviour: str) -> str:
    return {
        PAUSE: _("“%(state)s”期间：暂停，之后接着算。", state=state),
        RESTART: _("“%(state)s”期间：停止计算，之后重新起算。", state=state),
        RUN_ON: _("“%(state)s”期间：照常计算。", state=state),
    }[_behaviour(loaded, behaviour)]


def _behaviour(loaded: Loaded, said: str) -> str:
    """PAUSE, RESTART or RUN_ON; a law row is read on the day of receipt."""
    if said in (PAUSE, RESTART, RUN_ON):
        return said
    day_of_choice = legal_day(loaded.row.t0) if loaded.row.t0 else legal_day(loaded.row.opened_at)
    return str(rule(said).on(day_of_choice).value)


def _expiry(loaded: Loaded, clock: Clock) -> str:
    """What follows when the last day has passed."""
    if clock.on_expiry:
        step = loaded.workflow.step[clock.on_expiry]
        return _("自动办理“%(step)s”：%(consequence)s", step=_(step.title), consequence=_(step.consequence))
    if clock.escalates is None:
        return _("标为超期。")
    return _(
        "标为超期，报%(role)s督办。不会自动批准，也不会自动驳回；仍须由人作出决定。", role=_(clock.escalates.title)
    )
