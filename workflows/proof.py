"""Refuses an unsound definition, each time with the shortest counter-example.

One breadth-first search walks every configuration a case can be in: its state, the clocks that run or stand paused, and
the counted steps already used. Conditions are left open (any of them may hold or not), so what is proved here holds
whatever the facts are. It runs in tests and before a release, never while cases are handled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from workflows.grammar import NEW, PAUSE, RESTART, RUN_ON, STAY, Clock, State, Step, Workflow
from workflows.law import INTERNAL, LawError, NothingInForce, UnknownInstrument, cite, instrument, rule
from workflows.people import CARRY, Role

BEHAVIOURS = (PAUSE, RESTART, RUN_ON)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why a definition is unsound: the rule it breaks, a sentence, and the steps that lead a case there.

    `path` holds step codes from the first line of the case; it is empty when the fault shows without walking.
    """

    rule: str
    text: str
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.text}（反例：{' → '.join(self.path)}）" if self.path else self.text


class _Place(NamedTuple):
    """A configuration of a case. `used` counts how often each bounded step has been taken."""

    state: str
    running: frozenset[str]
    paused: frozenset[str]
    used: tuple[int, ...]


class _Edge(NamedTuple):
    step: Step
    to: _Place


def prove(
    workflow: Workflow,
    on: Iterable[date],
    templates: Container[str] | None = None,
    recipients: Container[str] | None = None,
) -> list[Finding]:
    """Everything that makes `workflow` unsound; an empty list means it may be used.

    `on` are the days for which the law rows it names must be in force. `templates` holds the document templates there
    are, each as "<type>/<kind>", and `recipients` the receivers notices can be written for; None leaves them unasked.
    """
    days = tuple(on)
    findings = [
        *_final_arrows(workflow),
        *_owners(workflow),
        *_expiries(workflow),
        *_automatic(workflow),
        *_parts(workflow),
        *_documents(workflow, templates),
        *_notices(workflow, recipients),
        *_citations(workflow, days),
        *_law_rows(workflow, days),
    ]
    worlds: list[dict[tuple[str, str], str]] = []
    for day in days:
        said = _behaviours(workflow, day)
        if said not in worlds:
            worlds.append(said)
    for said in worlds or [_behaviours(workflow, None)]:
        walked = _Walk(workflow, said)
        findings += (found for found in walked.findings() if found not in findings)
    return findings


def _name(state: State) -> str:
    return f"“{state.title}”（{state.code}）"


def _title(step: Step) -> str:
    return f"“{step.title}”（{step.code}）"


def _label(clock: Clock) -> str:
    return f"“{clock.title}”（{clock.code}）"


def _final_arrows(workflow: Workflow) -> Iterator[Finding]:
    for step in workflow.steps:
        for source in step.sources:
            if source != NEW and workflow.state[source].final:
                text = f"步骤{_title(step)}从终点{_name(workflow.state[source])}出发；终点以后什么也不能再动。"
                yield Finding("arrow_out_of_end", text)


def _owners(workflow: Workflow) -> Iterator[Finding]:
    for state in workflow.states:
        if not state.final and state.owner in (None, Role.WATCH):
            yield Finding("no_owner", f"未结状态{_name(state)}没有人负责：须写明一个由人担任的角色。")


def _expiries(workflow: Workflow) -> Iterator[Finding]:
    for clock in workflow.clocks:
        if clock.on_expiry and clock.escalates:
            text = f"期限{_label(clock)}届满后既办理步骤又上报：只能写一样。"
            yield Finding("expiry_into_nothing", text)
        elif clock.on_expiry:
            step = workflow.step[clock.on_expiry]
            if Role.WATCH not in step.by or not step.automatic:
                text = f"期限{_label(clock)}届满后应当办理{_title(step)}，但系统值守不自动办理这一步，期满也不会发生。"
                yield Finding("expiry_into_nothing", text)
        elif clock.escalates in (None, Role.WATCH):
            text = f"期限{_label(clock)}届满后什么也不发生：须写明届满后的步骤，或者向哪个角色上报。"
            yield Finding("expiry_into_nothing", text)


def _automatic(workflow: Workflow) -> Iterator[Finding]:
    for step in workflow.steps:
        if not step.automatic:
            continue
        if Role.WATCH not in step.by:
            yield Finding("automatic_never", f"自动步骤{_title(step)}的办理人里没有系统值守，不会自动发生。")
        elif step.asks:
            text = f"自动步骤{_title(step)}要求填写 {'、'.join(step.asks)}，系统值守填不了，不会自动发生。"
            yield Finding("automatic_never", text)
        if not step.needs and step.code not in workflow.expiry_of:
            text = f"自动步骤{_title(step)}既没有条件，也不等任何期限，一到就会发生。"
            yield Finding("automatic_at_once", text)


def _parts(workflow: Workflow) -> Iterator[Finding]:
    players: dict[str, set[Role]] = {}
    for step in workflow.steps:
        if step.part:
            players.setdefault(step.part, set()).update(step.people)
        if Role.CARRIER in step.people:
            players.setdefault(CARRY, set()).add(Role.CARRIER)
    for one, other in workflow.apart:
        pair = f"“{one}”和“{other}”"
        if one == other:
            yield Finding("parts", f"{pair}须由两个人办理，却是同一部分：谁也不能同自己分开。")
            continue
        for part in (one, other):
            if part not in players:
                yield Finding("parts", f"{pair}须由两个人办理，却没有一个步骤属于“{part}”。")
            elif players[part] == {Role.WATCH}:
                yield Finding("parts", f"{pair}须由两个人办理，而“{part}”只由系统值守办理，不是人。")
        if players.get(one) == players.get(other) == {Role.FILER}:
            text = f"{pair}须由两个人办理，而两部分都只能由申请人办理：只有一个人的申请人分不开。"
            yield Finding("parts", text)


def _documents(workflow: Workflow, templates: Container[str] | None) -> Iterator[Finding]:
    for step in workflow.steps:
        for kind in step.issues:
            if kind not in workflow.documents:
                yield Finding("document", f"步骤{_title(step)}出具的文书 {kind} 没有名称。")
            if templates is not None and f"{workflow.code}/{kind}" not in templates:
                yield Finding("document", f"步骤{_title(step)}出具的文书 {kind} 没有模板 {workflow.code}/{kind}。")


def _notices(workflow: Workflow, recipients: Container[str] | None) -> Iterator[Finding]:
    if recipients is None:
        return
    for step in workflow.steps:
        for recipient in step.tells:
            if recipient not in recipients:
                yield Finding("notice", f"步骤{_title(step)}要通知 {recipient}，没有这样的接收单位。")


def _citations(workflow: Workflow, days: tuple[date, ...]) -> Iterator[Finding]:
    for step in workflow.steps:
        for citation in (part.strip() for part in step.law.split(";")):
            try:
                cite(citation)
            except (UnknownInstrument, LawError):
                yield Finding("citation", f"步骤{_title(step)}的依据“{citation}”查不到。")
                continue
            yield from _citation_in_force(step, citation, days)


def _citation_in_force(step: Step, citation: str, days: tuple[date, ...]) -> Iterator[Finding]:
    key, _, articles = citation.partition(" ")
    basis = instrument(key)
    if key == INTERNAL:
        return
    for article in filter(None, articles.split("+")):
        if cite(f"{key} {article}") == cite(key):
            text = f"步骤{_title(step)}引用《{basis.title}》第{article}条，这一条的原文没有看到，文书上印不出来。"
            yield Finding("citation", text)
    for day in days:
        if basis.in_force_from is not None and day < basis.in_force_from:
            text = f"步骤{_title(step)}依据的《{basis.title}》在{day:%Y-%m-%d}还没有施行。"
            yield Finding("citation", text)
        if basis.in_force_until is not None and day > basis.in_force_until:
            text = f"步骤{_title(step)}依据的《{basis.title}》在{day:%Y-%m-%d}已经失效。"
            yield Finding("citation", text)


def _law_rows(workflow: Workflow, days: tuple[date, ...]) -> Iterator[Finding]:
    for clock in workflow.clocks:
        if bool(clock.length) == bool(clock.until):
            both = "两样都写了" if clock.length else "一样也没写"
            text = f"期限{_label(clock)}的长度须来自一条规则，或者读出最后一天，{both}。"
            yield Finding("law_row", text)
        if bool(clock.extension) != bool(clock.extended_by):
            text = f"期限{_label(clock)}的延期须同时写明由哪一步延长和延长多少的规则。"
            yield Finding("law_row", text)
        for row_id in filter(None, (clock.length, clock.extension)):
            for day in days:
                if text := _missing(clock, row_id, day):
                    yield Finding("law_row", text)
                elif not _countable(row_id, day):
                    text = f"期限{_label(clock)}引用的规则 {row_id} 在{day:%Y-%m-%d}不是一段可以计算的时间。"
                    yield Finding("law_row", text)
        for state, said in clock.during.items():
            if said in BEHAVIOURS:
                continue
            where = _name(workflow.state[state])
            for day in days:
                if text := _missing(clock, said, day):
                    yield Finding("law_row", text)
                elif (value := rule(said).on(day).value) not in BEHAVIOURS:
                    text = (
                        f"期限{_label(clock)}在{where}期间怎样计算由规则 {said} 规定，"
                        f"它在{day:%Y-%m-%d}的值“{value}”不是 {'、'.join(BEHAVIOURS)} 之一。"
                    )
                    yield Finding("during", text)


def _missing(clock: Clock, row_id: str, day: date) -> str:
    try:
        rule(row_id).on(day)
    except NothingInForce:
        return f"期限{_label(clock)}引用的规则 {row_id} 在{day:%Y-%m-%d}没有有效的版本。"
    except KeyError:
        return f"期限{_label(clock)}引用的规则 {row_id} 不存在。"
    return ""


def _countable(row_id: str, day: date) -> bool:
    row = rule(row_id).on(day)
    return isinstance(row.value, int) and row.value > 0 and row.unit in ("WD", "CD", "M", "Y")


def _behaviours(workflow: Workflow, day: date | None) -> dict[tuple[str, str], str]:
    """What each state does to each clock on a day; a row that does not say counts as running on (and is reported)."""
    said = {}
    for clock in workflow.clocks:
        for state, how in clock.during.items():
            if how not in BEHAVIOURS:
                try:
                    how = str(rule(how).on(day).value) if day is not None else RUN_ON
                except (NothingInForce, KeyError):
                    how = RUN_ON
            said[clock.code, state] = how if how in BEHAVIOURS else RUN_ON
    return said


class _Walk:
    """Every configuration reachable from the first line of a case, with the way there and the ways on."""

    def __init__(self, workflow: Workflow, said: Mapping[tuple[str, str], str]) -> None:
        self.workflow = workflow
        self.said = said
        self.bounded = {step.code: n for n, step in enumerate(s for s in workflow.steps if s.times and not s.item)}
        self.turns: dict[tuple[str, str, frozenset[str], frozenset[str]], tuple[frozenset[str], frozenset[str]]] = {}
        self.start = _Place(NEW, frozenset(), frozenset(), (0,) * len(self.bounded))
        self.edges: dict[_Place, list[_Edge]] = {}
        self.came: dict[_Place, tuple[_Place, Step] | None] = {self.start: None}
        queue = deque((self.start,))
        while queue:
            place = queue.popleft()
            self.edges[place] = list(self._ways(place))
            for step, to in self.edges[place]:
                if to not in self.came:
                    self.came[to] = (place, step)
                    queue.append(to)

    def _ways(self, place: _Place) -> Iterator[_Edge]:
        for step in self.workflow.steps_from[place.state]:
            if self._may(step, place):
                yield _Edge(step, self._after(step, place))

    def _may(self, step: Step, place: _Place) -> bool:
        """Structurally: the count is not used up, and a step that waits for clocks has one of them running."""
        counted = self.bounded.get(step.code)
        if counted is not None and place.used[counted] >= step.times:
            return False
        waits = self.workflow.expiry_of.get(step.code)
        return waits is None or any(clock.code in place.running for clock in waits)

    def _after(self, step: Step, place: _Place) -> _Place:
        target = place.state if step.target == STAY else step.target
        key = (step.code, place.state, place.running, place.paused)
        clocks = self.turns.get(key)
        if clocks is None:
            clocks = self.turns[key] = self._turn(step, place, target)
        used = place.used
        if (counted := self.bounded.get(step.code)) is not None:
            used = (*used[:counted], used[counted] + 1, *used[counted + 1 :])
        return _Place(target, *clocks, used)

    def _turn(self, step: Step, place: _Place, target: str) -> tuple[frozenset[str], frozenset[str]]:
        """What `clockwork.plan` does to the clocks, without dates."""
        ends = target != NEW and self.workflow.state[target].final
        running, paused = set(place.running), set(place.paused)
        for code in place.running | place.paused:
            clock = self.workflow.clock[code]
            if (step.code in clock.met_by and not clock.item) or (ends and not clock.after_end):
                running.discard(code)
                paused.discard(code)
            elif step.code in clock.extended_by:
                running.add(code)
                paused.discard(code)
            elif target == place.state or step.code in clock.starts:
                continue
            elif self.said.get((code, target), RUN_ON) != RUN_ON:
                running.discard(code)
                paused.add(code)
            else:
                running.add(code)
                paused.discard(code)
        for clock in self.workflow.clocks:
            if step.code in clock.starts and (clock.after_end or not ends):
                running.add(clock.code)
                paused.discard(clock.code)
        return frozenset(running), frozenset(paused)

    def way_to(self, place: _Place) -> tuple[str, ...]:
        """The shortest way from the first line of the case to a configuration."""
        steps: list[str] = []
        while (before := self.came[place]) is not None:
            place, step = before
            steps.append(step.code)
        return tuple(reversed(steps))

    def findings(self) -> Iterator[Finding]:
        """The faults that show only by walking; places come in the order of the search, so the first is the nearest."""
        yield from self._unreachable()
        yield from self._dead_ends()
        yield from self._left_to_the_watch()
        yield from self._unwatched()
        yield from self._impossible_expiries()
        yield from self._endless_knots()

    def _open(self, place: _Place) -> bool:
        return place.state != NEW and not self.workflow.state[place.state].final

    def _unreachable(self) -> Iterator[Finding]:
        reached = {place.state for place in self.edges}
        for state in self.workflow.states:
            if state.code not in reached:
                yield Finding("unreachable", f"状态{_name(state)}走不到：没有一条路从新建通向它。")

    def _dead_ends(self) -> Iterator[Finding]:
        back: dict[_Place, list[_Place]] = {}
        for place, edges in self.edges.items():
            for _step, to in edges:
                back.setdefault(to, []).append(place)
        queue = deque(p for p in self.edges if p.state != NEW and self.workflow.state[p.state].final)
        saved = set(queue)
        while queue:
            for place in back.get(queue.popleft(), ()):
                if place not in saved:
                    saved.add(place)
                    queue.append(place)
        told: set[str] = set()
        for place in self.edges:
            if place not in saved and place.state not in told and self._open(place):
                told.add(place.state)
                text = f"办件走到{_name(self.workflow.state[place.state])}以后，再也到不了任何终点。"
                yield Finding("no_end", text, self.way_to(place))

    def _left_to_the_watch(self) -> Iterator[Finding]:
        told: set[str] = set()
        for place, edges in self.edges.items():
            leaving = [step for step, to in edges if to.state != place.state]
            by_people = any(role != Role.WATCH for step in leaving for role in step.by)
            if leaving and not by_people and place.state not in told and self._open(place):
                told.add(place.state)
                state = _name(self.workflow.state[place.state])
                steps = "、".join(_title(step) for step in leaving)
                text = f"从{state}出去只有系统值守的步骤{steps}：值守停了，谁也动不了这一件。"
                yield Finding("watch_only", text, self.way_to(place))

    def _unwatched(self) -> Iterator[Finding]:
        told: set[str] = set()
        for place in self.edges:
            if self._open(place) and not place.running and place.state not in told:
                told.add(place.state)
                text = f"办件停在{_name(self.workflow.state[place.state])}时没有一个期限在计算，可以无声无息地放下去。"
                yield Finding("no_clock", text, self.way_to(place))

    def _impossible_expiries(self) -> Iterator[Finding]:
        told: set[tuple[str, str]] = set()
        for place in self.edges:
            if place.state == NEW:
                continue
            for code in sorted(place.running):
                clock = self.workflow.clock[code]
                if not clock.on_expiry or clock.during.get(place.state) == RUN_ON or (code, place.state) in told:
                    continue
                step = self.workflow.step[clock.on_expiry]
                if place.state not in step.sources or not self._may(step, place):
                    told.add((code, place.state))
                    state = _name(self.workflow.state[place.state])
                    text = f"期限{_label(clock)}会在{state}届满，而届满后的步骤{_title(step)}在那里不能办理。"
                    yield Finding("expiry_impossible", text, self.way_to(place))

    def _endless_knots(self) -> Iterator[Finding]:
        told: set[frozenset[str]] = set()
        for knot in _knots({place: [e for e in es if not e.step.times] for place, es in self.edges.items()}):
            inside = [(p, e) for p in knot for e in self.edges[p] if not e.step.times and e.to in knot]
            steps = frozenset(edge.step.code for _place, edge in inside)
            through = frozenset.intersection(*(place.running for place in knot))
            anew = {c.code for c in self.workflow.clocks if steps.intersection((*c.starts, *c.extended_by))}
            if through - anew or steps in told:
                continue
            told.add(steps)
            first = next(place for place in self.edges if place in knot)
            states = "、".join(_name(s) for s in self.workflow.states if any(p.state == s.code for p in knot))
            names = "、".join(_title(s) for s in self.workflow.steps if s.code in steps)
            text = f"在{states}里可以用不限次数的步骤{names}没完没了地兜圈子：没有一个期限贯穿始终而不被它们重新起算。"
            yield Finding("endless_knot", text, (*self.way_to(first), *self._round(first, knot)))

    def _round(self, first: _Place, knot: frozenset[_Place]) -> tuple[str, ...]:
        """The shortest way round inside a knot, from a place back to itself."""
        queue: deque[tuple[_Place, tuple[str, ...]]] = deque([(first, ())])
        seen: set[_Place] = set()
        while True:
            place, steps = queue.popleft()
            for edge in self.edges[place]:
                if edge.step.times or edge.to not in knot:
                    continue
                if edge.to == first:
                    return (*steps, edge.step.code)
                if edge.to not in seen:
                    seen.add(edge.to)
                    queue.append((edge.to, (*steps, edge.step.code)))


def _knots(edges: Mapping[_Place, list[_Edge]]) -> Iterator[frozenset[_Place]]:
    """Strongly connected places, and single places with a way back to themselves (Tarjan, without recursion)."""
    index: dict[_Place, int] = {}
    low: dict[_Place, int] = {}
    stack: list[_Place] = []
    on_stack: set[_Place] = set()
    for root in edges:
        if root in index:
            continue
        work: list[tuple[_Place, Iterator[_Edge]]] = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            place, ways = work[-1]
            for _step, to in ways:
                if to not in index:
                    index[to] = low[to] = len(index)
                    stack.append(to)
                    on_stack.add(to)
                    work.append((to, iter(edges[to])))
                    break
                if to in on_stack:
                    low[place] = min(low[place], index[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[place])
                if low[place] == index[place]:
                    knot = set()
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        knot.add(member)
                        if member == place:
                            break
                    if len(knot) > 1 or any(to == place for _step, to in edges[place]):
                        yield frozenset(knot)
