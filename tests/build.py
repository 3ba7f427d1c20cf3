"""Cases for the stories. A case reaches a state by walking; nothing here writes a state."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import insert, select

from app.casework.actor import Person
from app.casework.open_case import open_filing
from app.casework.take_step import take_step
from app.db import db, transaction
from app.duty import clock as clock_duty
from app.journal import Entry
from app.models import Case, RepairLetter
from app.now import now
from tests.cast import Cast
from workflows.people import Watch

ITEMS = [{"name": "履行证明", "problem": "缴款票据看不清", "remedy": "重新拍照上传"}]
ROADS: dict[str, tuple[tuple[str, str, dict[str, Any]], ...]] = {
    "draft": (),
    "submitted": (("deng", "submit", {}),),
    "received": (("deng", "submit", {}), ("li", "receive", {"t0": "today"})),
    "held": (("deng", "submit_early", {}),),
}
ROADS["correcting"] = (*ROADS["received"], ("li", "correct", {"items": ITEMS}))
ROADS["accepted"] = (*ROADS["received"], ("li", "accept", {}))
ROADS["reviewed"] = (*ROADS["accepted"], ("zhou", "review", {"opinion": "grant", "finding": "义务已履行"}))
ROADS["to_refuse"] = (*ROADS["accepted"], ("zhou", "review", {"opinion": "refuse", "finding": "尚未改正"}))
ROADS["processing"] = (*ROADS["reviewed"], ("chen", "confirm", {}))
ROADS["refused"] = (*ROADS["to_refuse"], ("chen", "refuse", {"reason": "尚未改正", "cure": "改正后即可再申请"}))
ROADS["declined"] = (*ROADS["received"], ("li", "decline", {"ground": "SECTOR_CONDITION", "reason": "条件不符"}))
ROADS["transferred"] = (*ROADS["received"], ("li", "transfer", {"to": "长沙市交通运输局", "reason": "由其认定"}))
ROADS["withdrawn"] = (*ROADS["submitted"], ("deng", "withdraw", {}))


def a_case(cast: Cast, at: str = "submitted", record: int | None = None, **penalty: Any) -> str:
    """The number of a repair case that has walked to `at`; `penalty` describes the record when none is given."""
    record = record if record is not None else cast.penalty(**penalty)
    filer = cast.who("deng")
    with transaction():
        _receipt, opened = open_filing(
            cast.subjects["yueheng"], [record], actor=filer, channel="own_portal", key=secrets.token_hex(8), at=now()
        )
    number = opened[0].number
    sign(cast, number)
    for name, step, answers in ROADS[at]:
        walk(cast, number, name, step, **answers)
    return number


def sign(cast: Cast, number: str) -> None:
    """The letter of the case, signed by its clerk."""
    case_id = db.session.execute(select(Case.id).where(Case.number == number)).scalar_one()
    with transaction():
        db.session.execute(
            insert(RepairLetter).values(
                case_id=case_id, code=f"43000020261124{case_id:06d}", edition="1", text="承诺", text_hash="0",
                consent_publication=True, signer=cast.users["deng"], signer_name="邓敏", capacity="clerk",
                signed_at=now(),
            )
        )  # fmt: skip


def walk(cast: Cast, number: str, name: str | Person | Watch, step: str, item: str = "", **answers: Any) -> Entry:
    """One step by one person, committed."""
    actor = cast.who(name) if isinstance(name, str) else name
    if answers.get("t0") == "today":
        from workflows.calendar import legal_day

        answers["t0"] = legal_day(now()).isoformat()
    seen = version(number)
    with transaction():
        return take_step(
            number, step, actor=actor, answers=answers, key=secrets.token_hex(8), seen_version=seen, at=now(), item=item
        )


def version(number: str) -> int:
    """The version of the case as a page would show it."""
    found = db.session.execute(select(Case.version).where(Case.number == number)).scalar_one()
    db.session.rollback()
    return int(found)


def state(number: str) -> str:
    """Where the case stands."""
    found = db.session.execute(select(Case.state).where(Case.number == number)).scalar_one()
    db.session.rollback()
    return str(found)


def night(with_press: bool = True) -> None:
    """The watch takes its turns."""
    from app.duty import press

    clock_duty.turn()
    if with_press:
        press.turn()
        clock_duty.turn()
