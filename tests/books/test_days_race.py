"""Officers at work while somebody declares a rest day: whoever is first, no limit is left counted by the old days."""

from __future__ import annotations

from datetime import date

from app.casework.facts import load_case
from app.casework.refused import CaseHasMoved
from app.db import db, transaction
from app.journal import Entry, check_chain
from app.legal_book.days import Declared, PreviewOutdated, declare, preview, seen
from app.legal_book.recount import recounted
from app.now import now
from tests.build import a_case, version
from tests.casework.acts import at_once, form

DAYS = (Declared(date(2026, 11, 26), False), Declared(date(2026, 11, 27), False))
NOTICE = "湘政办发〔2026〕99号"


def test_steps_taken_while_days_are_declared_are_counted_by_the_new_days(app, cast):
    numbers = [a_case(cast, at="received", on=f"2026-05-{day}") for day in range(10, 15)]
    li, shen = cast.who("li"), cast.who("shen")
    steps = [form(number, "accept", li, f"form-{number}", version(number)) for number in numbers]

    def declare_days():
        for _ in range(40):
            shown = seen(DAYS, NOTICE, None, preview(DAYS, NOTICE, None, now()))
            try:
                with transaction():
                    return declare(shen, DAYS, NOTICE, None, shown=shown, accept_shorter=False, at=now())
            except PreviewOutdated:
                continue
        raise AssertionError("the preview was always out of date")

    answers = at_once(app, [*steps[:3], declare_days, *steps[3:]])
    moved = [answer for answer in answers if isinstance(answer, list)]
    assert len(moved) == 1, answers
    assert all(isinstance(answer, (Entry, list, CaseHasMoved)) for answer in answers), answers
    for number in numbers:
        loaded = load_case(number, now())
        assert list(recounted(loaded.lines, loaded.facts.calendar)) == [], number
        assert check_chain("case", loaded.id) == []
        db.session.rollback()
