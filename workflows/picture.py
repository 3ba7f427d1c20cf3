"""The picture of a case type: where a case can stand, the steps between, and who takes them, as an SVG.

`dot` writes the graph, `svg` lets Graphviz place it and draws it in our own type and colours. Sizes come from the
number of characters, not from the fonts of the machine that draws, so that every text stands where it belongs anywhere.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from workflows.grammar import NEW, STAY, State, Step, Workflow

INK, INK2, DAI, HUI, ZHUQING = "#1a2529", "#4a575c", "#0f4c5c", "#566166", "#2a6540"
WHITE, PAPER, LINE, EDGE = "#ffffff", "#f7f5ef", "#d9ddd6", "#76827f"
DAI_WASH, HUI_WASH, ZHUQING_WASH = "#e4eff0", "#eef0ed", "#e6f1e7"
FONTS = "PingFang SC, Microsoft YaHei, Noto Sans SC, Source Han Sans SC, sans-serif"
TITLE, BODY, FINE = 17, 13, 11.5
MARGIN = 24
FROM_ANYWHERE = 3
"""A step into an end from at least so many states is drawn once, from the frame around the open states."""


@dataclass(frozen=True, slots=True)
class _Arrow:
    """One arrow: a step from one state, or from the frame around all open ones when `source` is empty."""

    step: Step
    source: str
    lines: tuple[str, ...]
    main: bool

    @property
    def id(self) -> str:
        return f"{self.source or 'open'}-{self.step.code}"


def dot(workflow: Workflow) -> str:
    """The graph in the language of Graphviz."""
    lines = [
        f"digraph {workflow.code} {{",
        "  graph [rankdir=TB, compound=true, nodesep=0.55, ranksep=0.5, splines=spline, newrank=true];",
        '  node [shape=box, fixedsize=true, label=""];',
        "  edge [arrowsize=0.1];",
        f'  "{NEW}" [shape=circle, width=0.2, height=0.2];',
        "  subgraph cluster_open {",
        "    margin=22;",
        *(f"    {_node(workflow, state)}" for state in workflow.states if not state.final),
        "  }",
        *(f"  {_node(workflow, state)}" for state in workflow.states if state.final),
        *(f"  {_edge(workflow, arrow)}" for arrow in _arrows(workflow)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def digest(source: str) -> str:
    """What a drawing remembers of the graph it was drawn from."""
    return hashlib.sha256(source.encode()).hexdigest()


def svg(workflow: Workflow) -> str:
    """The drawing; it carries the digest of its graph as a comment. Needs pygraphviz."""
    import pygraphviz  # type: ignore[import-untyped]

    source = dot(workflow)
    graph = pygraphviz.AGraph(string=source)
    graph.layout(prog="dot")
    drawing = _Drawing(workflow, graph)
    return "\n".join(
        [
            f"<!-- graph {digest(source)} -->",
            drawing.head(),
            *drawing.frame(),
            *(line for arrow in _arrows(workflow) for line in drawing.arrow(arrow)),
            *drawing.start(),
            *(line for state in workflow.states for line in drawing.box(state)),
            *(line for arrow in _arrows(workflow) for line in drawing.caption(arrow)),
            *drawing.legend(),
            "</svg>",
            "",
        ]
    )


def _main_road(workflow: Workflow) -> frozenset[tuple[str, str]]:
    """The shortest way from the first line to the first end of the definition, where a case is meant to arrive."""
    goal = next(state.code for state in workflow.states if state.final)
    came: dict[str, tuple[str, str]] = {}
    queue = deque((NEW,))
    while queue and goal not in came:
        here = queue.popleft()
        for step in workflow.steps_from[here]:
            if step.target not in (STAY, NEW) and step.target not in came:
                came[step.target] = (here, step.code)
                queue.append(step.target)
    road = set()
    while goal != NEW:
        before, code = came[goal]
        road.add((before, code))
        goal = before
    return frozenset(road)


def _arrows(workflow: Workflow) -> Iterator[_Arrow]:
    road = _main_road(workflow)
    opened = [state for state in workflow.states if not state.final]
    for step in workflow.steps:
        if step.target == STAY:
            continue
        who = _who(step)
        expiry = [f"{clock.title}届满" for clock in workflow.expiry_of.get(step.code, ())]
        if len(step.sources) >= FROM_ANYWHERE and workflow.state[step.target].final:
            titles = [state.title for state in opened if state.code in step.sources]
            where = ["自任一未结状态"] if len(titles) == len(opened) else _wrapped("自" + "、".join(titles), 14)
            yield _Arrow(step, "", (step.title, who, *where), False)
            continue
        for source in step.sources:
            yield _Arrow(step, source, (step.title, who, *expiry), (source, step.code) in road)


def _wrapped(text: str, length: int) -> list[str]:
    """Lines of at most `length` characters, broken after a 、."""
    lines = [""]
    for part in text.replace("、", "、\n").split("\n"):
        if len(lines[-1]) + len(part) > length and lines[-1]:
            lines.append("")
        lines[-1] += part
    return lines


def _stays(workflow: Workflow, state: State) -> list[str]:
    """What can be done in a state without leaving it, and by whom when that is not its owner alone."""
    return [
        step.title if step.people == (state.owner,) else f"{step.title}（{_who(step)}）"
        for step in workflow.steps_from[state.code]
        if step.target == STAY
    ]


def _who(step: Step) -> str:
    return "、".join(role.title for role in step.people)


def _width(text: str, size: float) -> float:
    return sum(size if unicodedata.east_asian_width(c) in "WFA" else size * 0.56 for c in text)


def _box_size(workflow: Workflow, state: State) -> tuple[float, float]:
    stays = _stays(workflow, state)
    texts = [(state.title, TITLE), *((line, FINE) for line in stays)]
    if state.owner:
        texts.append((state.owner.title, BODY))
    width = max(128.0, *(_width(*text) + 34 for text in texts))
    height = 46 if state.final else 62 + (len(stays) * 18 + 8 if stays else 0)
    return round(width), height


def _caption_size(arrow: _Arrow) -> tuple[float, float]:
    width = max(_width(arrow.lines[0], BODY), *(_width(line, FINE) for line in arrow.lines[1:]))
    return round(width + 14), 20 + 16 * (len(arrow.lines) - 1)


def _node(workflow: Workflow, state: State) -> str:
    width, height = _box_size(workflow, state)
    words = " / ".join([state.title, *([state.owner.title] if state.owner else []), *_stays(workflow, state)])
    return f'{state.code} [comment="{words}", width={width / 72:.4f}, height={height / 72:.4f}];'


def _edge(workflow: Workflow, arrow: _Arrow) -> str:
    width, height = _caption_size(arrow)
    room = (
        '<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>'
        f'<TD FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}"></TD></TR></TABLE>>'
    )
    tail = arrow.source or arrow.step.sources[len(arrow.step.sources) // 2]
    more = "" if arrow.source else ", ltail=cluster_open"
    if _goes_back(workflow, arrow):
        more += ", headport=sw"
    weight = 12 if arrow.main else 1
    words = " / ".join(arrow.lines)
    return f'"{tail}" -> {arrow.step.target} [id="{arrow.id}", comment="{words}", label={room}, weight={weight}{more}];'


def _goes_back(workflow: Workflow, arrow: _Arrow) -> bool:
    """True for a way to an open state that stands earlier on the road: it comes in from below."""
    order = [NEW, *workflow.state]
    target = workflow.state[arrow.step.target]
    return bool(arrow.source) and not target.final and order.index(target.code) < order.index(arrow.source) - 1


class _Drawing:
    """Draws what Graphviz has placed. Graphviz counts upwards from below, SVG downwards from above."""

    def __init__(self, workflow: Workflow, graph: Any) -> None:
        self.workflow = workflow
        self.graph = graph
        _left, _bottom, width, height = (float(part) for part in graph.graph_attr["bb"].split(","))
        self.width, self.top = width + 2 * MARGIN, height + MARGIN
        self.height = height + 2 * MARGIN + 40
        self.edges = {edge.attr["id"]: edge for edge in graph.edges()}
        left, bottom, right, top = (
            float(part) for part in graph.get_subgraph("cluster_open").graph_attr["bb"].split(",")
        )
        self.open_left, self.open_top = left + MARGIN, self.top - top
        self.open_width, self.open_height = right - left, top - bottom

    def _at(self, pos: str) -> tuple[float, float]:
        x, y = (float(part) for part in pos.split(","))
        return x + MARGIN, self.top - y

    def head(self) -> str:
        name = self.workflow.code
        title = escape(f"{self.workflow.title}办理流程")
        said = escape(
            f"{self.workflow.title}（{self.workflow.edition}版）的全部状态和步骤；同一内容的表格见办理权限表。"
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:.0f} {self.height:.0f}" '
            f'width="{self.width:.0f}" height="{self.height:.0f}" role="img" '
            f'aria-labelledby="{name}-title {name}-said" font-family="{FONTS}" text-anchor="middle">\n'
            f'<title id="{name}-title">{title}</title>\n<desc id="{name}-said">{said}</desc>\n'
            f'<rect width="100%" height="100%" rx="6" fill="{WHITE}"/>'
        )

    def frame(self) -> Iterator[str]:
        yield (
            f'<rect x="{self.open_left:.1f}" y="{self.open_top:.1f}" width="{self.open_width:.1f}" '
            f'height="{self.open_height:.1f}" rx="10" fill="{PAPER}" stroke="{LINE}"/>'
        )
        yield _text(self.open_left + 18, self.open_top + 24, "未结", FINE, HUI, anchor="start")

    def _ground(self, x: float, y: float) -> str:
        inside = 0 < x - self.open_left < self.open_width and 0 < y - self.open_top < self.open_height
        return PAPER if inside else WHITE

    def start(self) -> Iterator[str]:
        x, y = self._at(self.graph.get_node(NEW).attr["pos"])
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="{DAI}"/>'

    def box(self, state: State) -> Iterator[str]:
        x, y = self._at(self.graph.get_node(state.code).attr["pos"])
        width, height = _box_size(self.workflow, state)
        left, top = x - width / 2, y - height / 2
        good = state is next(s for s in self.workflow.states if s.final)
        fill, stroke = (DAI_WASH, DAI) if not state.final else (ZHUQING_WASH, ZHUQING) if good else (HUI_WASH, HUI)
        radius = height / 2 if state.final else 6
        yield f'<g id="state-{state.code}">'
        yield (
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:.1f}" '
            f'fill="{fill}" stroke="{stroke}" stroke-width="{1.4 if state.final else 1}"/>'
        )
        if state.final:
            yield _text(x, y + 6, state.title, TITLE - 1, stroke, weight=600)
        else:
            yield _text(x, top + 27, state.title, TITLE, INK, weight=600)
            yield from self._within(state, x, left, top, width)
        yield "</g>"

    def _within(self, state: State, x: float, left: float, top: float, width: float) -> Iterator[str]:
        if state.owner:
            yield _text(x, top + 48, state.owner.title, BODY, DAI)
        stays = _stays(self.workflow, state)
        if stays:
            across = f"M{left + 14:.1f} {top + 60:.1f}H{left + width - 14:.1f}"
            yield f'<path d="{across}" stroke="{EDGE}" stroke-opacity="0.45"/>'
        for n, line in enumerate(stays):
            yield _text(x, top + 77 + 18 * n, line, FINE, INK2)

    def arrow(self, arrow: _Arrow) -> Iterator[str]:
        parts = self.edges[arrow.id].attr["pos"].split()
        tip = self._at(parts[0].removeprefix("e,"))
        points = [self._at(part) for part in parts[1:]]
        path = f"M{points[0][0]:.1f} {points[0][1]:.1f}C" + " ".join(f"{x:.1f} {y:.1f}" for x, y in points[1:])
        colour, width = (DAI, 2.6) if arrow.main else (EDGE, 1.3)
        dashed = ' stroke-dasharray="6 4"' if arrow.step.automatic else ""
        yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>'
        yield _head(points[-1], tip, points[-2], 10 if arrow.main else 8, colour)

    def caption(self, arrow: _Arrow) -> Iterator[str]:
        x, y = self._at(self.edges[arrow.id].attr["lp"])
        _width, height = _caption_size(arrow)
        ground = self._ground(x, y)
        line = y - height / 2 + 15
        colour, weight = (DAI, 600) if arrow.main else (INK, 400)
        yield _text(x, line, arrow.lines[0], BODY, colour, weight=weight, halo=ground)
        for n, text in enumerate(arrow.lines[1:], start=1):
            yield _text(x, line + 16 * n, text, FINE, INK2, halo=ground)

    def legend(self) -> Iterator[str]:
        y = self.height - 26
        x = float(MARGIN)
        for colour, width, dash, words in (
            (DAI, 2.6, "", "通常的路"),
            (EDGE, 1.3, "", "别的去向"),
            (EDGE, 1.3, ' stroke-dasharray="6 4"', "条件具备或者期限届满时由系统值守办理"),
        ):
            yield f'<path d="M{x:.1f} {y:.1f}h34" stroke="{colour}" stroke-width="{width}"{dash}/>'
            yield _text(x + 42, y + 4, words, FINE, INK2, anchor="start")
            x += 42 + _width(words, FINE) + 28


def _text(
    x: float, y: float, words: str, size: float, fill: str, weight: int = 400, anchor: str = "", halo: str = ""
) -> str:
    more = f' font-weight="{weight}"' if weight != 400 else ""
    more += f' text-anchor="{anchor}"' if anchor else ""
    if halo:
        more += f' stroke="{halo}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}"{more}>{escape(words)}</text>'


def _head(
    end: tuple[float, float], tip: tuple[float, float], before: tuple[float, float], size: float, fill: str
) -> str:
    """An arrow head of our own size: the curve ends where Graphviz ends it, the tip touches the box."""
    dx, dy = tip[0] - before[0], tip[1] - before[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    ux, uy = dx / length, dy / length
    bx, by = tip[0] - ux * size, tip[1] - uy * size
    side = size * 0.42
    corners = (tip, (bx - uy * side, by + ux * side), (bx + uy * side, by - ux * side))
    return f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in corners)}" fill="{fill}"/>'
