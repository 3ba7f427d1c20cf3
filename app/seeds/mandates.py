"""Somebody of the demonstration who wants to act for two companies: one request was refused, one waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app

from app.db import transaction
from app.journal import Doer
from app.now import moved_to, now
from app.office_book.mandate_decisions import refuse
from app.office_book.mandate_requests import Asked, ask, paper
from app.seeds.cast import SUBJECTS

if TYPE_CHECKING:
    from app.seeds.stories import Teller

LETTER = "授权委托书（演示·无效）.png"


def ask_to_act(t: Teller, picture: bytes) -> None:
    """何静: her letter for the company of 长沙 has no seal; the other lies before 岳阳 and the province."""
    refused = _ask(t, "zhaomei", picture, 3)
    officer = t.person("pengshan")
    with moved_to(t.back(2, 11)), transaction():
        refuse(officer, refused, "授权委托书没有盖公章，也没有写明委托期限。请补齐后再申请。", now())
    _ask(t, "yueheng", picture, 1)


def _ask(t: Teller, subject: str, picture: bytes, days: int) -> str:
    who = t.person("hejing")
    papers = [paper(LETTER, picture, current_app.config["MAX_UPLOAD"])]
    with moved_to(t.back(days, 15)), transaction():
        asked = Asked(SUBJECTS[subject].code, "clerk", None, papers, f"demonstration-{subject}")
        return ask(Doer(who.person, who.name, ""), asked, current_app.config["INSTANCE"] / "uploads", now())
