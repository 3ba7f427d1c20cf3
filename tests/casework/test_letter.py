"""The repair letter and handing in: what was read is what is kept, under a code without gaps; a draft goes in once."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from app.casework.letter import commitment_code, letter_of, sign_letter, words_of
from app.casework.open_case import open_filing
from app.casework.refused import CaseHasMoved, StepRefused
from app.casework.submit import submit_draft
from app.db import db, transaction
from app.models import JournalLine, Office, RepairLetter
from app.now import now
from tests.build import state, version

DAY = date(2026, 11, 24)


def a_draft(cast, record: int) -> str:
    actor = cast.who("deng")
    with transaction():
        _receipt, opened = open_filing(
            cast.subjects["yueheng"], [record], actor=actor, channel="own_portal", key=secrets.token_hex(8), at=now()
        )
    return opened[0].number


@pytest.fixture
def number(cast) -> str:
    """A draft about a record that can be repaired now."""
    return a_draft(cast, cast.penalty())


def signed(cast, number: str, who: str = "deng", **how) -> str:
    actor = cast.who(who)
    with transaction():
        return sign_letter(number, actor=actor, at=now(), **how)


def handed_in(cast, number: str, key: str, seen: int, who: str = "deng"):
    actor = cast.who(who)
    with transaction():
        return submit_draft(number, actor=actor, key=key, seen_version=seen, at=now())


def test_the_letter_is_kept_as_it_was_read_with_its_code_and_its_hash(cast, number):
    deng = cast.who("deng")
    read = words_of(number, actor=deng, at=now(), name_public=True)
    code = signed(cast, number, name_public=True, read_hash=read.text_hash)
    kept = letter_of(number)
    assert kept.text == read.text.replace("签署时生成", code)
    assert kept.text_hash == hashlib.sha256(kept.text.encode()).hexdigest()
    assert (kept.signer_name, kept.capacity, kept.consent_publication) == ("邓敏", "clerk", True)
    line = db.session.execute(select(JournalLine.answers).where(JournalLine.act == "letter")).scalar_one()
    assert line == {"code": code, "text_sha256": kept.text_hash, "name_public": True, "capacity": "clerk"}


def test_signing_twice_is_the_same_letter(cast, number):
    first, second = signed(cast, number), signed(cast, number, "luo")
    assert first == second
    assert db.session.execute(select(func.count()).select_from(RepairLetter)).scalar_one() == 1
    assert letter_of(number).signer_name == "邓敏"


def test_a_text_that_was_not_read_is_not_signed(cast, number, clock):
    read = words_of(number, actor=cast.who("deng"), at=now())
    clock.go("2026-11-25")
    with pytest.raises(StepRefused, match="把全文重新读一遍"):
        signed(cast, number, read_hash=read.text_hash)
    assert letter_of(number) is None


def test_nobody_signs_for_a_company_that_did_not_send_them(cast, number):
    with pytest.raises(StepRefused, match="没有受申请人委托"):
        signed(cast, number, "wang")
    assert letter_of(number) is None


def test_the_codes_of_a_day_and_a_region_have_no_gaps_whatever_fails(cast):
    office = cast.offices["province"]

    def next_code(day: date = DAY) -> str:
        with transaction():
            return commitment_code(office, day)

    first = next_code()
    with pytest.raises(RuntimeError), transaction():
        commitment_code(office, DAY)
        raise RuntimeError("the power went")
    assert re.fullmatch(r"\d{20}", first)
    assert [first, next_code(), next_code(DAY + timedelta(days=1))] == [
        "43000020261124000001", "43000020261124000002", "43000020261125000001",
    ]  # fmt: skip


def test_an_office_without_a_region_gives_codes_of_the_office_above_it(cast):
    city, province = cast.offices["changsha"], cast.offices["province"]
    with transaction():
        db.session.execute(update(Office).where(Office.id == city).values(region=""))
        assert commitment_code(city, DAY).startswith("430000")
    with pytest.raises(StepRefused, match="没有登记行政区划"), transaction():
        db.session.execute(update(Office).where(Office.id == province).values(region=""))
        commitment_code(city, DAY)


def test_a_draft_is_handed_in_now_or_early_as_its_record_is(cast, number):
    early = a_draft(cast, cast.penalty(on="2026-09-30"))
    for each in (number, early):
        signed(cast, each)
    assert handed_in(cast, number, "one", version(number)).act == "submit"
    assert handed_in(cast, early, "two", version(early)).act == "submit_early"
    assert (state(number), state(early)) == ("submitted", "held")


def test_the_same_form_again_gets_the_same_answer(cast, number):
    signed(cast, number)
    seen = version(number)
    first, second = handed_in(cast, number, "once", seen), handed_in(cast, number, "once", seen)
    assert first.id == second.id
    assert db.session.execute(select(func.count()).where(JournalLine.act == "submit")).scalar_one() == 1


def test_whoever_is_second_is_told_who_was_faster(cast, number):
    signed(cast, number)
    seen = version(number)
    handed_in(cast, number, "luo", seen, "luo")
    with pytest.raises(CaseHasMoved, match="罗建平刚刚办理了此件"):
        handed_in(cast, number, "deng", seen)


def test_a_draft_without_its_letter_stays_a_draft(cast, number):
    with pytest.raises(StepRefused, match="还没有签署信用修复承诺书"):
        handed_in(cast, number, "early bird", version(number))
    assert state(number) == "draft"
