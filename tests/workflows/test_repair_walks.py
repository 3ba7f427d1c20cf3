"""Two thousand random lives of a credit repair, in the law room alone.

In each, a cast of people (several with two roles, one with a mandate, one of another office) act at random under a
clock that jumps by hours, days, holidays and time-limits, while beside the case penalties are annulled, offences
happen, bans begin, duties turn out unpaid and receivers confirm.

"An end can be reached by the people there" means: there is a sequence of acts, each of which `refusals` allows to one
of these people with the answers a conscientious person would give, with as much waiting in between as they like, that
leads from the case as it stands to a final state. It is asked three times at every turn: of the office and the watch
while the applicant stays silent, of office and applicant while the watch stands still, and, where the law still grants
it, whether that end can be the grant (已办结).
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest

from tests.workflows.worlds import (
    CALENDAR,
    FENG,
    LI,
    OFFICE,
    QIAN,
    RECEIVERS,
    SUN,
    WANG,
    WU,
    ZHAO,
    ZHENG,
    ZHOU,
    Refused,
    Someone,
    World,
    a_record,
    accepted,
    next_change,
    nothing_yet,
    officer,
    possible,
    proper_answers,
    recomputed,
    reviewed,
)
from workflows.calendar import legal_day
from workflows.clockwork import PAUSED, RUNNING
from workflows.grammar import DUTY_OUTSTANDING, DUTY_UNKNOWN, NEW, Ask, Ban, Step
from workflows.people import WATCH, Actor, Role
from workflows.repair import REPAIR
from workflows.repair_needs import OTHERWISE

WALKS = 2_000
LONGEST = 40

KEPT_APART = (frozenset(("review",)), frozenset(("send_back", "confirm", "refuse", "refuse_false")))
"""Steps that make up the two parts, written down here a second time."""

OUTLIVES_AN_END = {"receiver"}

TWO_HATS = officer(10, "何两任", Role.REVIEW, Role.CONFIRMATION)
CASTS: tuple[tuple[Someone, ...], ...] = (
    (WANG, LI, ZHAO, QIAN, ZHOU, WU, ZHENG, FENG),
    (WANG, LI, SUN, TWO_HATS, ZHOU, WU, ZHENG, FENG),
    (WANG, officer(11, "全能甲", *Role), officer(12, "全能乙", *Role), ZHENG),
    (WANG, ZHENG, LI, ZHAO, SUN, QIAN, TWO_HATS, ZHOU, WU),
)


# Is there a way out?


def standing(world: World) -> Hashable:
    """All of a world that decides which ways are open, dates aside: waiting is free."""
    facts, today = world.facts, world.today
    record = facts.record
    assert record is not None
    latest = facts.last("review")
    weighed = facts.last("state_views", "review")
    return (
        world.state,
        tuple(code in facts.counts for code in REMEMBERED),
        latest and latest.answers["opinion"],
        weighed and weighed.step,
        facts.parts,
        facts.filers,
        tuple(task.done for task in facts.tasks),
        "grant" in facts.printed,
        record.duty,
        record.status,
        record.annulled_on is None,
        record.minimum_last_day is not None and today <= record.minimum_last_day,
        any(ban.until >= today for ban in facts.bans),
        _offended(world),
        tuple((d.clock, d.state, d.ran_out(today)) for d in facts.deadlines if d.clock in WAITED_FOR),
    )


def _offended(world: World) -> bool:
    filed = world.facts.last("submit_early")
    return filed is not None and any(day >= legal_day(filed.at) for day, _number in world.facts.offences)


REMEMBERED = tuple(step.code for step in REPAIR.steps if step.times or step.code in ("release", "correct"))
EVERY_END = frozenset(state.code for state in REPAIR.states if state.final)
LEADS_AWAY = {step.code for step in REPAIR.steps if step.target in EVERY_END - {"closed"}}
STRAIGHT = (
    *("submit", "submit_early", "release", "receive", "accept", "resubmit"),
    *("review", "confirm", "serve", "hand_over", "do_task", "close"),
)
WAITED_FOR = {clock.code for clock in REPAIR.clocks if clock.on_expiry} | {"hearing"}


def _offended(world: World) -> bool:
    filed = world.facts.last("submit_early")
    return filed is not None and any(day >= filed.at.date() for day, _number in world.facts.offences)


@dataclass
class Ways:
    """What is known already of ways to a goal for one cast."""

    people: tuple[Actor, ...]
    goal: frozenset[str]
    open: set[Hashable] = field(default_factory=set)
    order: dict[str, list[Step]] = field(init=False)

    def __post_init__(self) -> None:
        """What leads to the goal is tried first, what leads to another end never."""

        def rank(step: Step) -> int:
            return 0 if step.target in self.goal else STRAIGHT.index(step.code) if step.code in STRAIGHT else 99

        self.order = {
            state: sorted((s for s in steps if s.target in self.goal or s.target not in EVERY_END), key=rank)
            for state, steps in REPAIR.steps_from.items()
        }

    def way(self, world: World) -> list[str] | None:
        """Steps that lead to the goal, None when there are none; deepest first, no standing twice."""
        path: list[str] = []
        seen: set[Hashable] = set()
        if not self._search(world, path, seen):
            return None
        return path

    def _search(self, world: World, path: list[str], seen: set[Hashable]) -> bool:
        if world.state in self.goal:
            return True
        here = standing(world)
        if here in self.open:
            return True
        if here in seen or len(path) > 24:
            return False
        seen.add(here)
        for name, after in self._next(world):
            path.append(name)
            if self._search(after, path, seen):
                self.open.add(here)
                return True
            path.pop()
        return False

    def _next(self, world: World) -> Iterator[tuple[str, World]]:
        if "grant" in {kind for line in world.facts.journal for kind in _issues(line.step)} - world.facts.printed:
            world = world.printed()
        for step, actor, item, answers in possible(world, self.people, self.order[world.state]):
            yield step.code, world.take(step.code, actor, item, **answers)
        yield "（等）", next_change(world)
        yield "（等到最短公示期满）", _after_minimum(world)


def _issues(step: str) -> tuple[str, ...]:
    return REPAIR.step[step].issues if step in REPAIR.step else ()


def _after_minimum(world: World) -> World:
    record = world.facts.record
    last = record.minimum_last_day if record else None
    if last is None or last < world.today:
        return world
    return world.on(CALENDAR.next_working(last + timedelta(days=1)))


def entitled(world: World) -> bool:
    """The law would still grant it once every period has passed: nothing lasting stands against this record."""
    ask = Ask(REPAIR, REPAIR.step["accept"], world.facts, WATCH, world.at)
    return not any(refusal for need in OTHERWISE for refusal in need(ask)) and not _offended(world)


# A random life


class Life:
    """One case lived at random from a seed; `turns` yields the world after every turn."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.cast = CASTS[seed % len(CASTS)]
        day = date(2026, 2, 20) + timedelta(days=self.chance.randrange(330))
        age = self.chance.choice((20, 80, 91, 95, 120, 300))
        record = a_record(day - timedelta(days=age), duty=DUTY_UNKNOWN)
        if self.chance.random() < 0.1:
            record = replace(record, cls="轻微", minimum_last_day=None)
        self.world = nothing_yet(day, record)

    def turns(self) -> Iterator[World]:
        for _ in range(LONGEST):
            if self.world.ended:
                for receiver in RECEIVERS:
                    if self.world.facts.deadline("receiver", receiver) and self.chance.random() < 0.5:
                        self.world = self.world.later(1).receipt(receiver)
                yield self.world
                return
            self.world = self._act(self._time(self._beside(self.world)))
            yield self.world

    def _act(self, world: World) -> World:
        """Somebody does something; now and then somebody tries what is not theirs, and nothing comes of it."""
        choices = list(possible(world, (*self.cast, WATCH)))
        if self.chance.random() < 0.15:
            step = self.chance.choice(REPAIR.steps)
            actor = self.chance.choice((*self.cast, WATCH))
            answers = self.chance.choice((*proper_answers(step, world.today), {}))
            try:
                return world.take(step.code, actor, **answers)
            except Refused as refused:
                assert refused.found
                return world
        if not choices:
            return world
        weights = [1 if step.code in LEADS_AWAY and actor is not WATCH else 8 for step, actor, *_ in choices]
        step, actor, item, answers = self.chance.choices(choices, weights)[0]
        return world.take(step.code, actor, item, **answers)

    def _time(self, world: World) -> World:
        jump = self.chance.random()
        if jump < 0.45:
            return world
        if jump < 0.65:
            return world.later(self.chance.choice((1, 1, 2, 3, 5)))
        if jump < 0.9:
            return next_change(world)
        if jump < 0.97:
            return world.later(self.chance.choice((8, 15, 30)))
        return _after_minimum(world)

    def _beside(self, world: World) -> World:
        """What happens beside the case."""
        if world.state == NEW:
            return world
        if self.chance.random() < 0.7:
            world = world.printed()
        happening = self.chance.random()
        if happening < 0.01:
            return world.with_record(annulled_on=world.today)
        if happening < 0.02:
            return world.with_record(duty=DUTY_OUTSTANDING)
        if happening < 0.025:
            return world.knowing(bans=(Ban(world.today, world.today + timedelta(days=400), "提供虚假材料"),))
        if happening < 0.04:
            return world.knowing(offences=((world.today, "湘交罚〔2026〕77号"),))
        record = world.facts.record
        over = record is not None and record.maximum_last_day is not None and record.maximum_last_day < world.today
        if over and record.status == "published":
            return world.with_record(status="ended")
        for receiver in RECEIVERS:
            deadline = world.facts.deadline("receiver", receiver)
            if deadline is not None and deadline.state == RUNNING and self.chance.random() < 0.2:
                return world.receipt(receiver)
        return world


def whoever_played(world: World, steps: Iterable[str]) -> set[int]:
    return {line.person for line in world.facts.journal if line.step in steps and line.person is not None}


@pytest.fixture(scope="module")
def ways() -> dict[tuple[int, str], Ways]:
    """What was learnt of ways out, kept from walk to walk: the same standing has the same ways."""
    found = {}
    for number, cast in enumerate(CASTS):
        office = tuple(someone for someone in cast if any(where == OFFICE for _role, where in someone.memberships))
        found[number, "without the applicant"] = Ways((*office, WATCH), EVERY_END)
        found[number, "without the watch"] = Ways(cast, EVERY_END)
        found[number, "to the grant"] = Ways((*cast, WATCH), frozenset(("closed",)))
    return found


@pytest.mark.parametrize("batch", range(10))
def test_at_every_turn_of_two_thousand_lives_the_promises_hold(batch, ways):
    for seed in range(batch, WALKS, 10):
        life = Life(seed)
        for world in life.turns():
            keeps_its_promises(world, seed, ways)
        assert recomputed(world) == (world.facts.deadlines, world.events), seed


def keeps_its_promises(world: World, seed: int, ways: dict[tuple[int, str], Ways]) -> None:
    if world.state == NEW:
        return
    cast = seed % len(CASTS)
    if world.ended:
        running = {d.clock for d in world.facts.deadlines if d.state in (RUNNING, PAUSED)}
        assert running <= OUTLIVES_AN_END, (seed, world.state, running)
    else:
        assert any(d.state == RUNNING for d in world.facts.deadlines), (seed, world.state)
        assert ways[cast, "without the applicant"].way(world) is not None, (seed, story(world))
        assert ways[cast, "without the watch"].way(world) is not None, (seed, story(world))
        if entitled(world):
            assert ways[cast, "to the grant"].way(world) is not None, (seed, story(world))
    one, other = (whoever_played(world, steps) for steps in KEPT_APART)
    assert not one & other, (seed, story(world))
    officers = {line.person for line in world.facts.journal if line.role not in ("filer", "watch", "")}
    assert ZHENG.person not in officers and FENG.person not in officers, (seed, story(world))


def story(world: World) -> str:
    return " → ".join(f"{line.step}@{line.at:%m-%d}" for line in world.facts.journal)


def test_the_walks_go_everywhere():
    """Two thousand lives that all ended as drafts would prove nothing: every state, step and refusal of time is met."""
    states: set[str] = set()
    steps: dict[str, int] = {}
    for seed in range(0, WALKS, 4):
        *_, last = Life(seed).turns()
        states.add(last.state)
        for line in last.facts.journal:
            steps[line.step] = steps.get(line.step, 0) + 1
    assert states >= EVERY_END
    assert set(steps) >= set(REPAIR.step)
    assert min(steps[code] for code in REPAIR.step) >= 3, steps


# The walks can fail


def test_a_case_nobody_can_finish_is_found():
    """One person alone, who holds every role, can never decide what they have reviewed."""
    alone = officer(13, "一人科", *Role)
    world = accepted().take("review", alone, opinion="grant", finding="核对过")
    assert Ways((alone, WATCH), EVERY_END).way(world) is None
    assert Ways((alone, QIAN, WATCH), EVERY_END).way(world) is not None


def test_a_filing_that_may_not_be_granted_has_no_way_to_the_grant():
    world = reviewed("grant").with_record(duty=DUTY_OUTSTANDING)
    people = (WANG, LI, ZHAO, QIAN, ZHOU, WATCH)
    assert Ways(people, frozenset(("closed",))).way(world) is None
    assert Ways(people, EVERY_END).way(world) is not None


def test_a_date_that_moved_by_itself_is_found():
    world = accepted()
    moved = tuple(
        replace(d, due_on=d.due_on + timedelta(days=1)) if d.clock == "decide" else d for d in world.facts.deadlines
    )
    tampered = world.knowing(deadlines=moved)
    assert recomputed(tampered)[0] != tampered.facts.deadlines
