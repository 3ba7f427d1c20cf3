"""The words a case type is written in. A definition is frozen data, checked when it is imported.

    Step("review", "提出审核意见", "accepted -> reviewed", by=Role.REVIEW, law="NDRC36", part="review", …)

An arrow names its sources and its target. `NEW` is before the first line of a case, `ANY_OPEN` every state that is not
an end, `STAY` a target that leaves the state as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from workflows.calendar import Calendar, legal_day
from workflows.people import CARRY, Actor, Role

if TYPE_CHECKING:
    from workflows.clockwork import Deadline

NEW = "(new)"
STAY = "(stay)"
ANY_OPEN = "(any open)"

PAUSE = "pause"
RESTART = "restart"
RUN_ON = "run_on"

DUTY_PERFORMED, DUTY_OUTSTANDING, DUTY_UNKNOWN = "performed", "outstanding", "unknown"

MOVED = "moved"
STRANGER = "stranger"
UNMET = "unmet"


class Unsound(ValueError):
    """A definition that cannot be meant: a state, step or clock names something that does not exist."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a step cannot be taken: a sentence with its article, as a template and its values, to be translated.

    `kind` is MOVED (the case is elsewhere, 409), STRANGER (not this person, 403) or UNMET (a condition, 422).
    `code` names the condition for machines, e.g. MIN_PERIOD_NOT_MET.
    """

    kind: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    law: str = ""
    code: str = ""

    @property
    def text(self) -> str:
        """The sentence in Chinese."""
        return self.template.format(**self.values)


@dataclass(frozen=True, slots=True)
class State:
    """Where a case can stand. An open state names the role that owns it: whoever must move next.

    A `private` state is the filer's own paper: no officer sees the case before it has left it for an open state.
    """

    code: str
    title: str
    owner: Role | None = None
    final: bool = False
    private: bool = False


@dataclass(slots=True)
class Ask:
    """One question to the law: may this actor take this step of this case at this instant, with these answers?

    Read only. It is not frozen because one is made for every question, and freezing would cost as much as the answer.
    """

    workflow: Workflow
    step: Step
    facts: Facts
    actor: Actor
    at: datetime
    item: str = ""
    answers: Mapping[str, Any] | None = None

    @property
    def today(self) -> date:
        """The civil day of the question in Asia/Shanghai."""
        return legal_day(self.at)

    @property
    def procedure_day(self) -> date:
        """The day that selects the rules of procedure: the day of receipt (T0), known or being stated, else today."""
        if self.facts.case.t0 is not None:
            return legal_day(self.facts.case.t0)
        stated = (self.answers or {}).get("t0")
        return date.fromisoformat(stated) if stated else self.today


Need = Callable[[Ask], Iterable[Refusal]]
HOLDS: tuple[Refusal, ...] = ()
"""What a condition answers when it is met."""
Until = Callable[[Ask], date | None]


@dataclass(frozen=True, slots=True)
class Clock:
    """A time-limit. Several run at once; a state only shows them.

    `length` names a law row; `until` reads the last day from facts and answers instead. `since` is day zero when that
    is not the day of the step. `during` says what a state does to the running clock: PAUSE, RESTART, RUN_ON or a law
    row whose value is one of these. When time runs out either `on_expiry` names the step that follows or `escalates`
    the role that must look; the law knows no silent approval.
    """

    code: str
    title: str
    length: str = ""
    starts: tuple[str, ...] = ()
    met_by: tuple[str, ...] = ()
    extended_by: tuple[str, ...] = ()
    extension: str = ""
    until: Until | None = None
    since: Until | None = None
    during: Mapping[str, str] = field(default_factory=dict)
    on_expiry: str = ""
    escalates: Role | None = None
    item: str = ""
    after_end: bool = False
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One act on a case: from where to where, by whom, under which article and conditions, and what follows from it.

    `asks` are answers without which the law refuses, whoever calls. `part` is a part of the work that the workflow's
    `apart` keeps from another; whoever takes a step as a carrier plays the part CARRY instead. `times` bounds how often
    it may be taken (per item when `item` is set; 0: no bound). `issues` are the documents it makes, `serves` those that
    it hands over to the subject; what no step serves is served by being placed in the portal. `marks` are instants of
    the envelope that it sets (t0 received by 信用中国 or a window, t1 by us, t2 accepted, t3 decided). `inside` marks
    answers that only officers may read. `consequence` is the sentence shown beforehand.
    """

    code: str
    title: str
    arrow: str
    by: tuple[Role, ...] | Role
    law: str
    consequence: str = ""
    needs: tuple[Need, ...] = ()
    asks: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    part: str = ""
    times: int = 0
    item: str = ""
    automatic: bool = False
    inside: bool = False
    sources: tuple[str, ...] = field(init=False)
    target: str = field(init=False)

    def __post_init__(self) -> None:
        if isinstance(self.by, Role):
            object.__setattr__(self, "by", (self.by,))
        left, arrow, right = self.arrow.partition(" -> ")
        if not arrow:
            raise Unsound(f"步骤 {self.code} 的箭头写作“来源 -> 去向”，不是“{self.arrow}”")
        object.__setattr__(self, "sources", tuple(source.strip() for source in left.split(",")))
        object.__setattr__(self, "target", right.strip())

    @property
    def people(self) -> tuple[Role, ...]:
        """Who may take it, however `by` was written."""
        return self.by if isinstance(self.by, tuple) else (self.by,)

    def as_whom(self, roles: Container[Role]) -> Role:
        """The role in which somebody with these roles takes it: the first that it names."""
        return next(role for role in self.people if role in roles)

    def played_by(self, roles: Container[Role]) -> str:
        """The part that somebody with these roles plays by taking it, "" for none."""
        carries = Role.CARRIER in roles and self.as_whom(roles) is Role.CARRIER
        return CARRY if carries else self.part


@dataclass(frozen=True, eq=False)
class Workflow:
    """A case type in one edition: its states, clocks and steps. Immutable; a living case keeps its edition.

    Equal only to itself, so that it can key the machine built from it.

    `prefix` begins the numbers of its cases. `documents` and `asked` are the titles of what steps issue and of the
    answers they ask for.

    Raises Unsound when a part names a state, step or role that is not there; `workflows.proof` looks deeper.
    """

    code: str
    edition: str
    title: str
    states: tuple[State, ...]
    clocks: tuple[Clock, ...]
    steps: tuple[Step, ...]
    apart: tuple[tuple[str, str], ...] = ()
    prefix: str = ""
    documents: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, names in (
            ("状态", [state.code for state in self.states]),
            ("步骤", [step.code for step in self.steps]),
            ("期限", [clock.code for clock in self.clocks]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise Unsound(f"{self.title}：{kind} {twice[0]} 写了两次")
        for step in self.steps:
            sources = self._spread(step)
            object.__setattr__(step, "sources", sources)
            for code in (*sources, step.target):
                if code not in (NEW, STAY) and code not in self.state:
                    raise Unsound(f"{self.title}：步骤 {step.code} 提到不存在的状态 {code}")
            for kind in step.serves:
                if kind not in {issued for other in self.steps for issued in other.issues}:
                    raise Unsound(f"{self.title}：步骤 {step.code} 送达没有人出具的文书 {kind}")
            for name in step.asks:
                if name not in self.asked:
                    raise Unsound(f"{self.title}：步骤 {step.code} 要求填写 {name}，却没有说它叫什么")
            if not step.law:
                raise Unsound(f"{self.title}：步骤 {step.code} 没有依据")
            if not step.by:
                raise Unsound(f"{self.title}：步骤 {step.code} 没有办理人")
        for clock in self.clocks:
            for code in (*clock.starts, *clock.met_by, *clock.extended_by, *filter(None, (clock.on_expiry,))):
                if not code.startswith("beside:") and code not in self.step:
                    raise Unsound(f"{self.title}：期限 {clock.code} 提到不存在的步骤 {code}")
            for code in clock.during:
                if code not in self.state:
                    raise Unsound(f"{self.title}：期限 {clock.code} 提到不存在的状态 {code}")

    def _spread(self, step: Step) -> tuple[str, ...]:
        if step.sources != (ANY_OPEN,):
            return step.sources
        return tuple(state.code for state in self.states if not state.final and state.code != step.target)

    @cached_property
    def state(self) -> Mapping[str, State]:
        """States by code."""
        return MappingProxyType({state.code: state for state in self.states})

    @cached_property
    def step(self) -> Mapping[str, Step]:
        """Steps by code."""
        return MappingProxyType({step.code: step for step in self.steps})

    @cached_property
    def clock(self) -> Mapping[str, Clock]:
        """Clocks by code."""
        return MappingProxyType({clock.code: clock for clock in self.clocks})

    @cached_property
    def steps_from(self) -> Mapping[str, tuple[Step, ...]]:
        """Steps that leave or stay in a state, in the order of the definition."""
        codes = (NEW, *(state.code for state in self.states))
        return MappingProxyType({code: tuple(s for s in self.steps if code in s.sources) for code in codes})

    @cached_property
    def hands_in(self) -> tuple[str, ...]:
        """Steps by which the filer gives the case out of their own hands into somebody else's."""
        mine = {state.code for state in self.states if state.owner is Role.FILER}
        others = {state.code for state in self.states if not state.final and state.code not in mine}
        return tuple(
            step.code
            for step in self.steps
            if Role.FILER in step.by and step.target in others and mine.intersection(step.sources)
        )

    @cached_property
    def expiry_of(self) -> Mapping[str, tuple[Clock, ...]]:
        """Clocks whose running out calls for a step, by that step's code."""
        codes = {clock.on_expiry for clock in self.clocks if clock.on_expiry}
        return MappingProxyType({code: tuple(c for c in self.clocks if c.on_expiry == code) for code in codes})

    @cached_property
    def kept_from(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """For a part, the (pair, other part) that the same person may not also play."""
        found: dict[str, list[tuple[str, str]]] = {}
        for one, other in self.apart:
            found.setdefault(one, []).append((f"{one}|{other}", other))
            found.setdefault(other, []).append((f"{one}|{other}", one))
        return MappingProxyType({part: tuple(pairs) for part, pairs in found.items()})


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """The envelope of a case as the law sees it."""

    number: str
    state: str
    version: int
    office: int
    subject: int
    channel: str = "own_portal"
    opened_at: datetime | None = None
    t0: datetime | None = None
    t1: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """The record a case is about: how it is classed, how long it must be shown, and what became of it.

    `duty` is what our own systems know of the duties in the penalty; `status` is unpublished, published, ended,
    repaired or withdrawn today.
    """

    id: int
    number: str
    office: int
    recognised_on: date
    cls: str = ""
    minimum_last_day: date | None = None
    maximum_last_day: date | None = None
    excluded_by: str = ""
    duty: str = DUTY_UNKNOWN
    duty_note: str = ""
    sector_condition: str = ""
    status: str = "published"
    annulled_on: date | None = None
    other_open_case: str = ""
    of_a_person: bool = False


@dataclass(frozen=True, slots=True)
class Ban:
    """A subject may not apply until `until` (inclusive) because of `cause`."""

    since: date
    until: date
    cause: str


@dataclass(frozen=True, slots=True)
class Line:
    """A journal line as the law sees it."""

    step: str
    at: datetime
    person: int | None
    role: str = ""
    item: str = ""
    state: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work that follows a decision: done by our own systems at once, or left to a person."""

    code: str
    title: str
    done: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the law room needs to know about a case, frozen; loaded in a handful of statements.

    Counted from the journal: `counts` is how often each step was taken (`step/item` counts a step with an item apart),
    `filers` are the persons who have acted for the subject in this case, whatever they are today.
    """

    case: CaseFacts
    calendar: Calendar
    record: RecordFacts | None = None
    journal: tuple[Line, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    bans: tuple[Ban, ...] = ()
    offences: tuple[tuple[date, str], ...] = ()
    parts: frozenset[tuple[str, int]] = frozenset()
    tasks: tuple[Task, ...] = ()
    receivers: tuple[str, ...] = ()
    papers: frozenset[str] = frozenset()
    printed: frozenset[str] = frozenset()
    counts: Mapping[str, int] = field(init=False, repr=False, compare=False)
    filers: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        counts: dict[str, int] = {}
        filers = set()
        for line in self.journal:
            counts[line.step] = counts.get(line.step, 0) + 1
            if line.item:
                key = f"{line.step}/{line.item}"
                counts[key] = counts.get(key, 0) + 1
            if line.role == Role.FILER and line.person is not None:
                filers.add(line.person)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "filers", frozenset(filers))

    def last(self, *steps: str) -> Line | None:
        """The latest line of any of these steps."""
        for line in reversed(self.journal):
            if line.step in steps:
                return line
        return None

    def deadline(self, clock: str, item: str = "") -> Deadline | None:
        """The time-limit of a clock, whatever its state."""
        for found in self.deadlines:
            if found.clock == clock and found.item == item:
                return found
        return None
