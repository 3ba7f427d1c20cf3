"""The form desk: what may be asked and how it is checked. It knows the law's words, and neither database nor office."""

from __future__ import annotations

from collections.abc import Mapping

from forms import repair
from forms.base import StepForm

FORMS: Mapping[str, Mapping[str, type[StepForm]]] = {
    "repair": repair.FORMS,
}


def form_for(case_type: str, step: str) -> type[StepForm]:
    """The form of a step of a case type; a step that asks nothing has the plain one."""
    return FORMS.get(case_type, {}).get(step, StepForm)
