"""Asking to act for a company while others do the same thing at the same moment: one of them has done it."""

from __future__ import annotations

from sqlalchemy import func, select

from app.casework.actor import Person
from app.db import transaction
from app.journal import check_chain
from app.models import Mandate, MandateRequest, User
from app.now import now
from app.office_book.base import NotDone
from app.office_book.mandate_decisions import confirm, refuse
from app.office_book.mandate_requests import Asked, Twice, paper, withdraw
from app.office_book.sign_up import SignedUp, sign_up
from tests.casework.acts import at_once, scalar
from tests.journeys.hostile import photograph


def signing_up(app, cast, key):
    """何静 presses the button."""
    asked = Asked(cast.codes["yueheng"], "clerk", None, [paper("委托书.png", photograph(), 10**6)], key)

    def press():
        with transaction():
            return sign_up(
                "hejing", "何静", "x", asked, address="", folder=app.config["INSTANCE"] / "uploads", at=now()
            )

    return press


def test_a_button_pressed_by_several_hands_makes_one_account_and_one_request(app, cast):
    answers = at_once(app, [signing_up(app, cast, "one page")] * 4 + [signing_up(app, cast, "another page")] * 2)
    made = [answer for answer in answers if isinstance(answer, SignedUp)]
    assert len(made) == 2 and len({one.login for one in made}) == 2, answers
    assert all(isinstance(answer, SignedUp | Twice) for answer in answers), answers
    assert scalar(select(func.count()).select_from(User).where(User.name == "何静")) == 2
    assert scalar(select(func.count()).select_from(MandateRequest)) == 2


def test_a_request_is_decided_once_whoever_decides(app, cast):
    hers = signing_up(app, cast, "one page")()
    li, her = cast.who("li"), Person(hers.user_id, "何静")

    def decide(deed, *more):
        def act():
            with transaction():
                deed(*more, now())
                return deed.__name__

        return act

    answers = at_once(
        app,
        [
            decide(confirm, li, hers.receipt, "委托书", None),
            decide(refuse, li, hers.receipt, "没有盖章"),
            decide(withdraw, her, hers.receipt),
            decide(confirm, li, hers.receipt, "委托书", None),
        ],
    )
    done = [answer for answer in answers if isinstance(answer, str)]
    assert len(done) == 1 and all(isinstance(answer, str | NotDone) for answer in answers), answers
    state = scalar(select(MandateRequest.state))
    assert {"confirm": "confirmed", "refuse": "refused", "withdraw": "withdrawn"}[done[0]] == state
    given = scalar(select(func.count()).select_from(Mandate).where(Mandate.user_id == hers.user_id))
    assert given == (state == "confirmed") and check_chain("user", hers.user_id) == []
