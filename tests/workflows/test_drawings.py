"""The drawings a lawyer reads are those of what runs: a stale one fails."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from workflows import WORKFLOWS
from workflows.drawing import DRAWINGS, README, draw, name, readme, write_all
from workflows.grammar import STAY, Clock, Step, Workflow
from workflows.law import rule
from workflows.people import Role
from workflows.picture import digest, dot
from workflows.repair import REPAIR

ROOT = Path(__file__).resolve().parents[2]
ALL = pytest.mark.parametrize("definition", list(WORKFLOWS.values()), ids=lambda definition: definition.code)


def committed(definition: Workflow) -> str:
    return (ROOT / DRAWINGS / name(definition)).read_text("utf-8")


def graph_of(drawing: str) -> str:
    found = re.match(r"<!-- graph ([0-9a-f]{64}) -->\n", drawing)
    assert found, "图里没有写明画自哪一张"
    return found.group(1)


def test_the_readme_of_the_law_room_is_fresh():
    assert (ROOT / README).read_text("utf-8") == readme(), "请运行 python3 dev.py draw"


@ALL
def test_the_picture_is_fresh(definition):
    assert graph_of(committed(definition)) == digest(dot(definition)), "请运行 python3 dev.py draw"


def test_there_is_a_picture_of_every_case_type_and_of_nothing_else():
    drawn = {path.name for path in (ROOT / DRAWINGS).iterdir()}
    assert drawn == {name(definition) for definition in WORKFLOWS.values()}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "准予信用修复"},
        {"by": Role.HEAD},
        {"arrow": "reviewed, accepted -> processing"},
    ],
)
def test_a_change_of_the_definition_makes_the_picture_stale(changes):
    steps = tuple(
        replace(step, **{"arrow": "reviewed -> processing", **changes}) if step.code == "confirm" else step
        for step in REPAIR.steps
    )
    changed = replace(REPAIR, steps=steps)
    assert digest(dot(changed)) != digest(dot(REPAIR))
    assert draw(changed) != draw(REPAIR)


def test_a_change_of_the_law_or_of_a_clock_makes_the_readme_stale(monkeypatch):
    clocks = tuple(replace(c, escalates=Role.REVIEW) if c.code == "total" else c for c in REPAIR.clocks)
    assert draw(replace(REPAIR, clocks=clocks)) != draw(REPAIR)
    row = rule("repair.decide_within").on(date(2026, 11, 24))
    monkeypatch.setitem(row.__dict__, "value", 8)
    assert "8 个工作日" in draw(REPAIR)


@ALL
def test_the_tables_name_every_state_step_clock_and_the_rows_still_to_be_verified(definition):
    text = draw(definition)
    for state in definition.states:
        assert state.title in text
    for step in definition.steps:
        assert f"| **{step.title}** |" in text
    for clock in definition.clocks:
        line = next(line for line in text.splitlines() if line.startswith(f"| **{clock.title}**"))
        unverified = [row for row in rule(clock.length).rows if not row.verified] if clock.length else []
        assert ("待核实" in line) >= bool(unverified), clock.code


def test_the_diagram_has_every_arrow():
    diagram = draw(REPAIR).split("```")[1]
    for step in REPAIR.steps:
        for source in step.sources:
            target = source if step.target == STAY else step.target
            start = "[*]" if source not in REPAIR.state else source
            line = next(line for line in diagram.splitlines() if line.strip().startswith(f"{start} --> {target} :"))
            assert step.title in line


def test_who_may_do_what_is_ticked_where_the_definition_says_so():
    table = draw(REPAIR).split("### 谁可以办什么")[1].split("###")[0].strip().splitlines()
    columns = [cell.strip() for cell in table[0].strip("|").split("|")]
    for step in REPAIR.steps:
        line = next(line for line in table if line.startswith(f"| **{step.title}** |"))
        cells = dict(zip(columns, (cell.strip() for cell in line.strip("|").split("|")), strict=True))
        ticked = {title for title, cell in cells.items() if cell in ("●", "○")}
        assert ticked == {role.title for role in step.people}


@ALL
def test_the_picture_is_plain_and_can_be_shown_under_a_strict_policy(definition):
    drawing = committed(definition)
    root = ElementTree.fromstring(drawing)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    for element in root.iter():
        assert not {"style", "onload", "onclick", "href", "{http://www.w3.org/1999/xlink}href"} & set(element.attrib)
        assert element.tag.rpartition("}")[2] in {
            "svg",
            "title",
            "desc",
            "g",
            "rect",
            "path",
            "polygon",
            "circle",
            "text",
        }
    words = "".join(element.text or "" for element in root.iter() if element.tag.endswith("text"))
    for titled in (*definition.states, *definition.steps):
        assert titled.title in words
    names = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(names) == len(set(names))
    assert {f"state-{state.code}" for state in definition.states} <= set(names)


def test_nothing_is_drawn_outside_the_picture():
    root = ElementTree.fromstring(committed(REPAIR))
    _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 < float(text.attrib["x"]) < width and 0 < float(text.attrib["y"]) < height


def test_the_drawings_are_written_where_they_belong(tmp_path):
    pytest.importorskip("pygraphviz", exc_type=ImportError)
    written = write_all(tmp_path)
    assert [path.relative_to(tmp_path) for path in written] == [
        README,
        *(DRAWINGS / name(definition) for definition in WORKFLOWS.values()),
    ]
    assert (tmp_path / README).read_text("utf-8") == readme()
    for definition in WORKFLOWS.values():
        drawing = (tmp_path / DRAWINGS / name(definition)).read_text("utf-8")
        assert graph_of(drawing) == digest(dot(definition))
        assert {"state-" + state.code for state in definition.states} <= set(re.findall(r'id="([^"]+)"', drawing))


def test_reading_the_drawings_needs_no_graph_library():
    said = "import sys, workflows.drawing as d; d.readme(); print('pygraphviz' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_case_type_without_law_rows_of_its_own_can_be_drawn_too():
    """The drawing knows nothing of credit repair: a clock that reads its day, one that restarts, an automatic step."""
    base = {state.code: state for state in REPAIR.states}
    little = Workflow(
        "little",
        "1",
        "小办件",
        (base["accepted"], base["closed"]),
        (
            Clock("read", "约定期限", until=lambda ask: None, starts=("open",), met_by=("finish",), on_expiry="drop"),
            Clock("away", "核查期限", "repair.decide_within", starts=("open",), during={"accepted": "restart"}),
        ),
        (
            Step("open", "收件", "(new) -> accepted", by=Role.REVIEW, law="D"),
            Step("drop", "作废", "accepted -> closed", by=Role.WATCH, law="D", automatic=True),
            Step("finish", "办结", "accepted -> closed", by=Role.REVIEW, law="D"),
        ),
    )
    text = draw(little)
    assert "little-1.svg" in text
    assert "到信息上写明的那一天，不顺延" in text
    assert "审核中：之后重新起算" in text
    assert "约定期限届满后" in text
