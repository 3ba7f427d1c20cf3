"""A repair case in the law room alone: people, a record, a clock, and a case that moves without web or database.

A `World` is immutable: taking a step or letting time pass gives another one. A step goes through the same questions as
in the office (`refusals`, `the_move`, `plan`, `turn`); what other rooms do besides is done here in the plainest way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from workflows.calendar import SHANGHAI, Calendar, day_start, legal_day, months_after
from workflows.clockwork import RUNNING, Deadline, Event, plan, turn
from workflows.engine import refusals
from workflows.grammar import NEW, Ask, Ban, CaseFacts, Facts, Line, RecordFacts, Refusal, Step, Task, Workflow
from workflows.machine import the_move
from workflows.people import NO_MEMBERSHIP, WATCH, Actor, Carries, Role, roles_in
from workflows.repair import REPAIR

OFFICE, ELSEWHERE = 7, 8
SUBJECT = 430
RECEIVERS = ("province", "road", "water")
CALENDAR = Calendar()


@dataclass(frozen=True, slots=True)
class Someone:
    """A person with the mandates and memberships in force now."""

    person: int
    name: str
    memberships: frozenset[tuple[Role, int]] = frozenset()
    mandates: frozenset[int] = frozenset()
    carries: frozenset[Carries] = frozenset()


def officer(person: int, name: str, *roles: Role, office: int = OFFICE) -> Someone:
    """Somebody with these roles in one office."""
    return Someone(person, name, frozenset((role, office) for role in roles))


def filer(person: int, name: str) -> Someone:
    """Somebody who holds a mandate of the subject."""
    return Someone(person, name, mandates=frozenset((SUBJECT,)))


WANG = filer(1, "王会计")
LI = officer(2, "李受理", Role.ACCEPTANCE)
ZHAO = officer(3, "赵审核", Role.REVIEW)
QIAN = officer(4, "钱确认", Role.CONFIRMATION)
SUN = officer(5, "孙两任", Role.REVIEW, Role.CONFIRMATION)
ZHOU = officer(6, "周处理", Role.PROCESSING)
WU = officer(7, "吴处长", Role.HEAD, Role.CONFIRMATION)
ZHENG = replace(officer(8, "郑亲属", *Role), mandates=frozenset((SUBJECT,)))
FENG = officer(9, "冯外单位", *Role, office=ELSEWHERE)
GUO = Someone(10, "郭转交", carries=frozenset((Carries("creditchina", 90, False),)))
"""Brings in what was filed at 信用中国, from their own office there."""
ALONE: Mapping[Role, Actor] = {
    **{role: officer(20 + n, role.title, role) for n, role in enumerate(Role) if role not in NO_MEMBERSHIP},
    Role.FILER: WANG,
    Role.CARRIER: GUO,
    Role.WATCH: WATCH,
}
"""For each role somebody who has that one only."""


class Refused(AssertionError):
    """The law said no."""

    def __init__(self, step: str, found: Iterable[Refusal]) -> None:
        self.found = tuple(found)
        super().__init__(f"{step}: {'；'.join(refusal.text for refusal in self.found)}")

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the reasons."""
        return tuple(refusal.code for refusal in self.found)


def moment(day: str | date, clock: str = "10:00:00") -> datetime:
    """An instant by the wall clock of Shanghai."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI)


def a_record(
    recognised_on: str | date = "2026-01-05", minimum: int = 3, maximum: int = 12, **changes: Any
) -> RecordFacts:
    """A 一般 record: published, its duties said to be performed by the filer's own proof."""
    day = date.fromisoformat(str(recognised_on))
    known = {
        "cls": "一般",
        "minimum_last_day": months_after(day, minimum),
        "maximum_last_day": months_after(day, maximum),
    }
    return RecordFacts(id=9, number="湘交罚〔2026〕9号", office=OFFICE, recognised_on=day, **{**known, **changes})


@dataclass(frozen=True)
class World:
    """A case, the hour, and what each journal line did to the clocks."""

    facts: Facts
    at: datetime
    events: tuple[tuple[Event, ...], ...] = ()
    workflow: Workflow = REPAIR

    @property
    def state(self) -> str:
        """Where the case stands."""
        return self.facts.case.state

    @property
    def today(self) -> date:
        """The civil day."""
        return legal_day(self.at)

    @property
    def ended(self) -> bool:
        """True when the case stands at an end."""
        return self.state != NEW and self.workflow.state[self.state].final

    def due(self, clock: str, item: str = "") -> Deadline:
        """The deadline of a clock that has been started."""
        found = self.facts.deadline(clock, item)
        assert found is not None, f"没有期限 {clock}"
        return found

    def why_not(self, step: str, actor: Actor, item: str = "", /, **answers: Any) -> tuple[str, ...]:
        """The codes of the reasons against a step, none when it may be taken."""
        return tuple(r.code for r in refusals(self.workflow, step, self.facts, actor, self.at, item, answers or None))

    def take(self, step: str, actor: Actor, item: str = "", /, **answers: Any) -> World:
        """Take a step as the office would. Raises Refused with the reasons of the law."""
        if found := refusals(self.workflow, step, self.facts, actor, self.at, item, answers):
            raise Refused(step, found)
        return self._moved(self.workflow.step[step], actor, item, answers)

    def _moved(self, step: Step, actor: Actor, item: str, answers: Mapping[str, Any]) -> World:
        facts = self.facts
        move = the_move(self.workflow, facts.case.state, step.code)
        events = plan(Ask(self.workflow, step, facts, actor, self.at, item, answers))
        case = facts.case
        role = step.as_whom(roles_in(actor, case.office, case.subject, case.channel))
        line = Line(step.code, self.at, actor.person, role.value, item, move.target, answers)
        marks = {mark: _instant(answers.get(mark), self.at) for mark in step.marks if mark in ("t0", "t1")}
        parts = facts.parts | {(step.part, actor.person)} if step.part and actor.person else facts.parts
        moved = replace(
            facts,
            case=replace(facts.case, state=move.target, version=facts.case.version + 1, **marks),
            journal=(*facts.journal, line),
            deadlines=turn(facts.deadlines, events),
            parts=parts,
        )
        for effect in step.effects:
            moved = EFFECTS[effect](moved, self.today, item)
        return replace(self, facts=moved, events=(*self.events, events))

    def on(self, day: str | date, clock: str = "10:00:00") -> World:
        """The same case at another hour, which is not earlier."""
        at = moment(day, clock)
        assert at >= self.at, "时间不会倒流"
        return replace(self, at=at)

    def later(self, days: int) -> World:
        """The same case that many calendar days later."""
        return self.on(self.today + timedelta(days=days))

    def knowing(self, **changes: Any) -> World:
        """The same case after something beside it changed: bans, offences, papers, printed, tasks …"""
        return replace(self, facts=replace(self.facts, **changes))

    def with_record(self, **changes: Any) -> World:
        """The same case after its record changed."""
        assert self.facts.record is not None
        return self.knowing(record=replace(self.facts.record, **changes))

    def printed(self) -> World:
        """The press has done its work."""
        issued = {kind for line in self.facts.journal for kind in _issues(line)}
        return self.knowing(printed=frozenset(issued))

    def receipt(self, receiver: str) -> World:
        """A receiver confirms; the line stands beside the state and meets that receiver's time-limit."""
        events = ({"clock": "receiver", "item": receiver, "event": "meet", "on": self.today.isoformat()},)
        line = Line("beside:receipt", self.at, None, item=receiver, state=self.state)
        facts = replace(
            self.facts,
            journal=(*self.facts.journal, line),
            deadlines=turn(self.facts.deadlines, events),
        )
        return replace(self, facts=facts, events=(*self.events, events))


def _issues(line: Line) -> tuple[str, ...]:
    return REPAIR.step[line.step].issues if line.step in REPAIR.step else ()


def _instant(stated: Any, at: datetime) -> datetime:
    return day_start(date.fromisoformat(stated)) if stated and stated != legal_day(at).isoformat() else at


def _with_status(status: str) -> Callable[[Facts, date, str], Facts]:
    def effect(facts: Facts, _today: date, _item: str) -> Facts:
        assert facts.record is not None
        return replace(facts, record=replace(facts.record, status=status))

    return effect


def _ban(facts: Facts, today: date, _item: str) -> Facts:
    return replace(facts, bans=(*facts.bans, Ban(today, months_after(today, 36), "提供虚假材料")))


def _list_tasks(facts: Facts, _today: date, _item: str) -> Facts:
    return replace(facts, tasks=(Task("regrade", "核对信用评价", False), Task("own_pages", "核对本机关网站", False)))


def _do_task(facts: Facts, _today: date, item: str) -> Facts:
    return replace(facts, tasks=tuple(replace(t, done=t.done or t.code == item) for t in facts.tasks))


def _same(facts: Facts, _today: date, _item: str) -> Facts:
    return facts


EFFECTS: Mapping[str, Callable[[Facts, date, str], Facts]] = {
    "end_publicity": _with_status("repaired"),
    "withdraw_record": _with_status("withdrawn"),
    "lift_measures": _same,
    "record_breach": _same,
    "ban": _ban,
    "list_tasks": _list_tasks,
    "do_task": _do_task,
}


def nothing_yet(day: str | date = "2026-05-06", record: RecordFacts | None = None, **known: Any) -> World:
    """Before the first line of a case: the record can be repaired and the filer has all papers ready."""
    facts = Facts(
        case=CaseFacts(number="XF-1", state=NEW, version=0, office=OFFICE, subject=SUBJECT),
        calendar=CALENDAR,
        record=record or a_record(),
        receivers=RECEIVERS,
        papers=frozenset(("letter", "duty_proof")),
    )
    return World(replace(facts, **known), moment(day))


def drafted(day: str | date = "2026-05-06", **known: Any) -> World:
    """王会计 has begun a draft."""
    return nothing_yet(day, **known).take("open", WANG)


def submitted(day: str | date = "2026-05-06", **known: Any) -> World:
    """王会计 has submitted."""
    return drafted(day, **known).take("submit", WANG)


def received(day: str | date = "2026-05-06", **known: Any) -> World:
    """李受理 has signed for it on the same day."""
    world = submitted(day, **known)
    return world.take("receive", LI, t0=world.today.isoformat())


def accepted(day: str | date = "2026-05-06", **known: Any) -> World:
    """李受理 has accepted it on the same day."""
    return received(day, **known).take("accept", LI)


def reviewed(opinion: str = "grant", day: str | date = "2026-05-06", **known: Any) -> World:
    """赵审核 has given an opinion on the same day; an opinion of false material after the subject was heard."""
    world = accepted(day, **known)
    if opinion == "false":
        world = world.take("warn", ZHAO, facts="缴款凭证与银行回单不一致").take(
            "state_views", WANG, statement="凭证属实"
        )
    return world.take("review", ZHAO, opinion=opinion, finding="材料与本机关掌握的情况核对过")


def processing(day: str | date = "2026-05-06", **known: Any) -> World:
    """钱确认 has granted it on the same day and the decision is printed."""
    return reviewed("grant", day, **known).take("confirm", QIAN).printed()


def held(day: str | date = "2026-03-16", **known: Any) -> World:
    """王会计 has filed early; the minimum period of the record ends on Sunday 2026-04-05, in the 清明 holiday."""
    return drafted(day, **known).take("submit_early", WANG)


def corrected(day: str | date = "2026-05-06", **known: Any) -> World:
    """李受理 has told the subject on the same day what is missing."""
    return received(day, **known).take("correct", LI, items=["履行处罚义务的证明不清楚"])


def closed(day: str | date = "2026-05-06", **known: Any) -> World:
    """周处理 has done everything on the same day and the watch has closed it."""
    world = processing(day, **known).take("serve", ZHOU, manner="portal").take("hand_over", ZHOU, manner="api")
    for task in ("regrade", "own_pages"):
        world = world.take("do_task", ZHOU, task, outcome="已核对")
    return world.take("close", WATCH)


OPINIONS = ("grant", "refuse", "false")


def proper_answers(step: Step, today: date) -> Iterator[Mapping[str, Any]]:
    """What a conscientious person would answer: everything a step asks for, and each opinion there is."""
    answers: dict[str, Any] = {name: "写明了" for name in step.asks}
    if "t0" in answers:
        answers["t0"] = today.isoformat()
    if step.code == "correct":
        answers["justification"] = "上次告知时还没有看到原件"
    if "opinion" in answers:
        yield from ({**answers, "opinion": opinion} for opinion in OPINIONS)
    else:
        yield answers


def possible(
    world: World, people: Iterable[Actor], steps: Iterable[Step] | None = None
) -> Iterator[tuple[Step, Actor, str, Mapping[str, Any]]]:
    """Every act the law allows these people now, in the order of `steps`."""
    case = world.facts.case
    roles = [(actor, roles_in(actor, case.office, case.subject, case.channel)) for actor in people]
    for step in world.workflow.steps_from[world.state] if steps is None else steps:
        items = tuple(task.code for task in world.facts.tasks if not task.done) if step.item else ("",)
        for actor, held in roles:
            if held.isdisjoint(step.by):
                continue
            for answers in proper_answers(step, world.today):
                for item in items:
                    if not refusals(world.workflow, step, world.facts, actor, world.at, item, answers):
                        yield step, actor, item, answers


def next_change(world: World) -> World:
    """The morning after the nearest time-limit runs out, else the next working day."""
    days = [d.due_on for d in world.facts.deadlines if d.state == RUNNING and d.due_on and d.due_on >= world.today]
    day = min(days, default=world.today) + timedelta(days=1)
    return world.on(world.facts.calendar.next_working(day))


def recomputed(world: World) -> tuple[tuple[Deadline, ...], tuple[tuple[Event, ...], ...]]:
    """Deadlines folded afresh from the journal, and the clock events of every line planned afresh."""
    deadlines: tuple[Deadline, ...] = ()
    planned: list[tuple[Event, ...]] = []
    case = replace(world.facts.case, state=NEW, t0=None, t1=None)
    for n, (line, events) in enumerate(zip(world.facts.journal, world.events, strict=True)):
        step = world.workflow.step.get(line.step)
        if step is None:
            planned.append(events)
        else:
            facts = replace(world.facts, case=case, journal=world.facts.journal[:n], deadlines=deadlines)
            actor: Actor = WATCH if line.person is None else Someone(line.person, "")
            planned.append(plan(Ask(world.workflow, step, facts, actor, line.at, line.item, line.answers)))
            marks = {mark: _instant(line.answers.get(mark), line.at) for mark in step.marks if mark in ("t0", "t1")}
            case = replace(case, state=line.state, **marks)
        deadlines = turn(deadlines, events)
    return deadlines, tuple(planned)
