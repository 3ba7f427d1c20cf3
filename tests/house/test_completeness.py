"""Whatever a definition names exists: forms, documents, effects, receivers, provisions, pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from wtforms import Form
from wtforms.validators import DataRequired, InputRequired

from app.casework.beside import TITLES
from app.casework.effects import EFFECTS
from app.documents.freeze import environment
from app.notices.address_book import RECIPIENTS
from forms import FORMS, form_for
from forms.base import StepForm
from workflows import NEWEST, WORKFLOWS
from workflows.grammar import NEW, Workflow
from workflows.law import cite, instrument, rule
from workflows.people import ROLE_TITLES, Role

ROOT = Path(__file__).parents[2]
TYPES = pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=lambda w: f"{w.code}-{w.edition}")


@TYPES
def test_every_step_that_asks_has_a_form_with_those_questions(workflow: Workflow) -> None:
    for step in workflow.steps:
        if step.by == (Role.WATCH,):
            continue
        missing = set(step.asks) - _fields(workflow.code, step.code)
        assert not missing, f"{workflow.title} 的步骤 {step.code} 问 {sorted(missing)}，forms/{workflow.code}.py 里没有"
    named = set(FORMS.get(workflow.code, {}))
    assert named <= set(workflow.step), (
        f"forms/{workflow.code}.py 里有不存在的步骤 {sorted(named - set(workflow.step))}"
    )


def _fields(case_type: str, step: str) -> set[str]:
    """The names of a form's own fields, as a class knows them."""
    form = form_for(case_type, step)
    assert issubclass(form, StepForm)
    found: set[str] = set()
    for cls in form.__mro__:
        if issubclass(cls, Form):
            found |= {name for name, value in vars(cls).items() if hasattr(value, "_formfield")}
    return found - set(StepForm.ENVELOPE)


@TYPES
def test_every_document_has_a_name_and_a_template_and_every_template_a_document(workflow: Workflow) -> None:
    issued = {kind for step in workflow.steps for kind in step.issues}
    assert issued == set(workflow.documents)
    folder = ROOT / "templates" / "documents" / workflow.code
    for kind in sorted(issued):
        assert (folder / f"{kind}.html").is_file(), f"缺少 templates/documents/{workflow.code}/{kind}.html"
        template = environment().get_template(f"{workflow.code}/{kind}.html")
        assert {"word", "result"} <= set(template.blocks), f"{kind}.html 没有写明字和结果"
    printed = {path.stem for path in folder.glob("[!_]*.html")}
    assert printed == issued


@TYPES
def test_every_effect_and_every_receiver_is_somebody(workflow: Workflow) -> None:
    for step in workflow.steps:
        assert set(step.effects) <= set(EFFECTS), step.code
        assert set(step.tells) <= set(RECIPIENTS), step.code
    assert {effect for w in WORKFLOWS.values() for step in w.steps for effect in step.effects} == set(EFFECTS)


@TYPES
def test_every_article_can_be_cited_and_every_length_is_in_the_law(workflow: Workflow) -> None:
    for step in workflow.steps:
        for reference in step.law.split(";"):
            instrument(reference.split()[0])
            assert cite(reference.strip())
    for clock in workflow.clocks:
        for key in filter(None, (clock.length, clock.extension, *clock.during.values())):
            if "." in key:
                assert rule(key).rows
        assert clock.until is not None or clock.length, clock.code


@TYPES
def test_every_role_state_and_step_has_words_a_person_can_read(workflow: Workflow) -> None:
    assert set(ROLE_TITLES) == set(Role)
    for each in (*workflow.states, *workflow.steps, *workflow.clocks):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in each.title), each.code
    for step in workflow.steps:
        assert step.consequence, f"{step.code} 没有写明后果"
    assert not set(TITLES) & set(workflow.step), "a step and something beside the steps have one name"


@TYPES
def test_every_case_type_has_its_pages(workflow: Workflow) -> None:
    assert (ROOT / "templates" / "cases" / workflow.code).is_dir()
    assert workflow.code in FORMS, f"forms/__init__.py 里没有 {workflow.code}"
    assert NEW in {source for step in workflow.steps for source in step.sources}


def test_a_new_case_begins_in_an_edition_that_is_carried() -> None:
    for code, newest in NEWEST.items():
        assert WORKFLOWS[code, newest.edition] is newest


def test_no_room_is_empty() -> None:
    """No empty file, no placeholder: a package says what the room is."""
    for path in (*(ROOT / "app").rglob("*.py"), *(ROOT / "forms").rglob("*.py"), *(ROOT / "workflows").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert text.lstrip().startswith('"""'), f"{path.relative_to(ROOT)} says nothing about itself"
        for word in ("TODO", "FIXME", "XXX", "NotImplementedError"):
            assert word not in text, f"{path.relative_to(ROOT)}: {word}"


def test_answers_that_the_law_asks_for_are_required_by_the_form() -> None:
    """What the law refuses without, the form asks for with a sentence of its own before."""
    for (code, _edition), workflow in WORKFLOWS.items():
        for step in workflow.steps:
            form = form_for(code, step.code)
            for name in step.asks:
                field = getattr(form, name)
                validators = [*field.args, *field.kwargs.get("validators", ())]
                flat = [v for one in validators for v in (one if isinstance(one, list | tuple) else (one,))]
                required = field.kwargs.get("required", True) or any(
                    isinstance(v, DataRequired | InputRequired) for v in flat
                )
                assert required, f"{code}.{step.code}.{name}"
