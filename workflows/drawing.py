"""The drawings of the case types, for lawyers and clerks: diagram, who may do what, time-limits and their law.

Everything is read from the definitions and the law rows, so a drawing cannot say anything else than what runs. Nothing
here depends on today: of a law row that has changed every edition is shown, each with its first day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from workflows import NEWEST, WORKFLOWS
from workflows.grammar import NEW, PAUSE, RESTART, RUN_ON, STAY, Clock, Step, Workflow
from workflows.law import RuleRow, cite, rule
from workflows.people import Role
from workflows.picture import svg

README = Path("workflows/README.md")
DRAWINGS = Path("app/static/drawings")

UNITS = {"WD": "个工作日", "CD": "日", "M": "个月", "Y": "年"}
BEHAVIOURS = {PAUSE: "暂停", RESTART: "之后重新起算", RUN_ON: "照常计算"}

HEAD = """\
# 办件流程图 · The drawings of the case types

由 `python3 dev.py draw` 从 `workflows/` 的定义和 `workflows/law/*.toml` 的规则行写成，不手工修改；
定义或者规则变了而图没有重画，测试即不通过。

*Written from the definitions and the law rows; do not edit. A stale drawing fails a test.*
"""


def draw(workflow: Workflow) -> str:
    """A case type as Markdown: the diagram, the table of who may do what, and the table of time-limits."""
    lines = [
        f"## {workflow.title}（{workflow.code}，{workflow.edition} 版）",
        "",
        f"![{workflow.title}办理流程：全部状态和步骤](../{DRAWINGS}/{name(workflow)})",
        "",
        "```mermaid",
        *_mermaid(workflow),
        "```",
        "",
        "### 谁可以办什么",
        "",
        *_permissions(workflow),
        "",
        *_apart(workflow),
        "### 期限",
        "",
        "“待核实”的规则行照常施行，由法制人员核对原文后确认。",
        "括号内是证据等级：V2、V1 见到原文副本，F、R 没有见到数字，D 本机关自定。",
        "",
        *_clocks(workflow),
    ]
    return "\n".join(lines) + "\n"


def name(workflow: Workflow) -> str:
    """The file name of a drawing: the newest edition has the plain name."""
    newest = NEWEST.get(workflow.code) is workflow
    return f"{workflow.code}.svg" if newest else f"{workflow.code}-{workflow.edition}.svg"


def readme() -> str:
    """The whole README of the law room."""
    return "\n".join([HEAD, *(draw(workflow) for workflow in WORKFLOWS.values())])


def write_all(root: Path) -> tuple[Path, ...]:
    """Write the README and one SVG per case type under the project's folder `root`; returns what was written.

    Needs pygraphviz.
    """
    found = {root / README: readme()}
    found |= {root / DRAWINGS / name(workflow): svg(workflow) for workflow in WORKFLOWS.values()}
    for path, text in found.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tuple(found)


def _mermaid(workflow: Workflow) -> Iterator[str]:
    yield "stateDiagram-v2"
    for state in workflow.states:
        owner = f"（{state.owner.title}）" if state.owner else ""
        yield f'    state "{state.title}{owner}" as {state.code}'
    arrows: dict[tuple[str, str], list[str]] = {}
    for step in workflow.steps:
        for source in step.sources:
            target = source if step.target == STAY else step.target
            arrows.setdefault((source, target), []).append(step.title)
    for (source, target), titles in arrows.items():
        yield f"    {'[*]' if source == NEW else source} --> {target} : {' / '.join(titles)}"
    for state in workflow.states:
        if state.final:
            yield f"    {state.code} --> [*]"


def _permissions(workflow: Workflow) -> Iterator[str]:
    """A row a step, a column a role; ● may take it, ○ the watch takes it by itself."""
    roles = [role for role in Role if any(role in step.people for step in workflow.steps)]
    yield from _header("步骤", "从", "到", *(role.title for role in roles), "依据", "出具文书", "说明")
    for step in workflow.steps:
        marks = (("○" if role is Role.WATCH else "●") if role in step.people else "" for role in roles)
        documents = "、".join(workflow.documents[kind] for kind in step.issues)
        yield _row(
            f"**{step.title}**",
            "、".join(_title(workflow, source) for source in step.sources),
            "不变" if step.target == STAY else _title(workflow, step.target),
            *marks,
            cite(step.law),
            documents,
            "；".join(_notes(workflow, step)),
        )


def _notes(workflow: Workflow, step: Step) -> Iterator[str]:
    for clock in workflow.expiry_of.get(step.code, ()):
        yield f"{clock.title}届满后"
    if step.times:
        yield f"{'每项' if step.item else ''}最多 {step.times} 次"
    if step.inside:
        yield "内容只在内部查看"


def _apart(workflow: Workflow) -> Iterator[str]:
    for one, other in workflow.apart:
        left, right = (
            "、".join(f"“{step.title}”" for step in workflow.steps if step.part == part) for part in (one, other)
        )
        yield f"须由两个人办理：办理过{left}的人，不能在同一件里办理{right}；反过来也一样。"
        yield ""


def _clocks(workflow: Workflow) -> Iterator[str]:
    yield from _header("期限", "多长", "依据", "核实", "起算", "办到即止", "延长", "其间", "届满以后")
    for clock in workflow.clocks:
        rows = rule(clock.length).rows if clock.length else ()
        yield _row(
            f"**{clock.title}**" + ("（内部）" if clock.inside else ""),
            _lines(map(_length, rows)) or "到信息上写明的那一天，不顺延",
            _lines(row.citation for row in rows),
            _lines(map(_mark, rows)),
            _steps(workflow, clock.starts) + ("（自 T0 起）" if clock.since else ""),
            _steps(workflow, clock.met_by) or "",
            _extension(workflow, clock),
            _lines(_during(workflow, clock)),
            _afterwards(workflow, clock),
        )


def _length(row: RuleRow) -> str:
    until = f"至 {row.valid_until}" if row.valid_until else ""
    return f"{row.value} {UNITS[row.unit]}（{row.valid_from} 起{until}）"


def _mark(row: RuleRow) -> str:
    return f"已核实（{row.evidence}）" if row.verified else f"**待核实**（{row.evidence}）"


def _extension(workflow: Workflow, clock: Clock) -> str:
    if not clock.extension:
        return ""
    rows = rule(clock.extension).rows
    return f"{_steps(workflow, clock.extended_by)}：" + _lines(f"{_length(row)} {_mark(row)}" for row in rows)


def _during(workflow: Workflow, clock: Clock) -> Iterator[str]:
    for state, said in clock.during.items():
        title = _title(workflow, state)
        if said in BEHAVIOURS:
            yield f"{title}：{BEHAVIOURS[said]}"
        else:
            yield from (f"{title}：{BEHAVIOURS[str(row.value)]} {_mark(row)}" for row in rule(said).rows)


def _afterwards(workflow: Workflow, clock: Clock) -> str:
    said = workflow.step[clock.on_expiry].title if clock.on_expiry else ""
    if clock.escalates:
        said = f"标明超期，报{clock.escalates.title}"
    return said + ("；办结以后继续" if clock.after_end else "")


def _steps(workflow: Workflow, codes: tuple[str, ...]) -> str:
    return "、".join(workflow.step[code].title if code in workflow.step else "收到回执" for code in codes)


def _title(workflow: Workflow, state: str) -> str:
    return "—" if state == NEW else workflow.state[state].title


def _lines(parts: Iterable[str]) -> str:
    return "<br>".join(parts)


def _header(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield _row(*("---" for _ in cells))


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
