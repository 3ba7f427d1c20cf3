"""Applications that others bring: 信用中国 pushes them, the hall window takes them in; filed and signed for at once."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from app.casework.actor import Person
from app.casework.attach import detach
from app.casework.carried import Letter, Named, Paper, Pushed
from app.casework.carry import carry_filing
from app.casework.open_case import Opened, open_filing
from app.casework.refused import KeyReused, StepRefused
from app.db import db, transaction
from app.models import (
    Attachment,
    AttachmentUse,
    Case,
    CreditRecord,
    Filing,
    Identifier,
    JournalLine,
    Membership,
    Repair,
    RepairLetter,
    Subject,
    User,
)
from app.now import now
from app.registry.blind import blind_index
from app.registry.codes import id_check_character
from tests.build import ITEMS, state, version, walk
from tests.casework.acts import (
    at_once,
    clock_of,
    everything,
    ink,
    lines,
    look,
    officer,
    papers,
    refused,
    scalar,
    told,
)
from tests.cast import SINCE, Cast
from tests.conftest import Clock
from workflows.people import WATCH

INDEX = b"i" * 32
TODAY, YESTERDAY = date(2026, 11, 24), date(2026, 11, 23)
CODE = "承诺-7731"


def picture(colour: str = "red") -> bytes:
    """A real photograph, if a dull one."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (4, 4), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def su(cast: Cast) -> Person:
    """苏宁静 of 信用中国, who answers for its key."""
    with transaction():
        user = db.session.execute(
            insert(User.__table__)
            .values(login="su", name="苏宁静", password_hash="", active=True, session_version=1, failures=0)
            .returning(User.id)
        ).scalar_one()
        db.session.execute(
            insert(Membership.__table__).values(
                user_id=user, office_id=cast.offices["ld-creditchina"], role="linked", valid_from=SINCE
            )
        )
    cast.users["su"] = user
    return cast.who("su")


def number_of(record: int) -> str:
    return str(scalar(select(CreditRecord.number).where(CreditRecord.id == record)))


def public_id(record: int) -> str:
    return str(scalar(select(CreditRecord.public_id).where(CreditRecord.id == record)))


def application(cast: Cast, *records: int | Named, **changed: Any) -> Pushed:
    """What the clerk of 岳衡 handed in at 信用中国 yesterday, for these records."""
    named = tuple(one if isinstance(one, Named) else Named(public_id=public_id(one)) for one in records)
    values: dict[str, Any] = {
        "number": "XYZG-2026-000017",
        "received_on": YESTERDAY,
        "name": "湖南岳衡物流有限公司",
        "code": cast.codes["yueheng"],
        "records": named,
        "letter": Letter("罗建平", "legal_representative", YESTERDAY, code=CODE),
        "statement": "罚款已经缴清。",
        "contact": "邓敏",
        "phone": "13800000000",
    }
    return Pushed(**{**values, **changed})


@pytest.fixture
def carry(tmp_path: Path) -> Callable[..., tuple[str, list[Opened]]]:
    """One application brought in, committed."""

    def bring(pushed: Pushed, actor: Person, channel: str = "creditchina", key: str = "k1") -> tuple[str, list[Opened]]:
        with transaction():
            return carry_filing(
                pushed, actor=actor, channel=channel, key=key, at=now(), folder=tmp_path, limit=1_000_000, index=INDEX
            )

    return bring


def no(carry: Callable[..., Any], pushed: Pushed, actor: Person, channel: str = "creditchina") -> list[str]:
    """The codes with which an application is sent back whole; nothing is left of it."""
    before = everything()
    with pytest.raises(StepRefused) as caught:
        carry(pushed, actor, channel)
    assert everything() == before
    assert all(refusal.text for refusal in caught.value.refusals)
    return [refusal.code for refusal in caught.value.refusals]


# 信用中国 pushes


def test_what_credit_china_pushes_is_filed_and_signed_for_in_one_act(cast: Cast, su: Person, carry: Any) -> None:
    record = cast.penalty()
    receipt, (opened,) = carry(application(cast, record), su)
    number = opened.number
    assert (opened.record_id, opened.refusals) == (record, ())
    assert lines(number) == ["open", "letter", "submit", "receive"]
    case = look(number).row
    assert (case.channel, case.other_number, case.state) == ("creditchina", "XYZG-2026-000017", "submitted")
    assert case.t0 == datetime.fromisoformat("2026-11-23T00:00+08:00") and case.t1 == now() == case.filed_at
    filing = db.session.execute(select(*Filing.__table__.c).where(Filing.receipt == receipt)).one()
    assert (filing.user_id, filing.other_number, filing.channel) == (su.person, "XYZG-2026-000017", "creditchina")
    db.session.rollback()
    assert papers(number) == ["receipt"]
    letter = db.session.execute(select(*RepairLetter.__table__.c)).one()
    said = db.session.execute(select(*Repair.__table__.c)).one()
    db.session.rollback()
    assert (letter.signer_name, letter.capacity, letter.signer) == ("罗建平", "legal_representative", su.person)
    assert CODE in letter.text and len(letter.code) == 20
    assert (said.contact, said.phone, said.statement) == ("邓敏", "13800000000", "罚款已经缴清。")


def test_the_total_limit_runs_from_t0_and_that_for_accepting_from_t1(cast: Cast, su: Person, carry: Any) -> None:
    _, (opened,) = carry(application(cast, cast.penalty(), received_on=date(2026, 11, 19)), su)
    assert clock_of(opened.number, "total").day_zero == date(2026, 11, 19)
    assert clock_of(opened.number, "total").due_on == date(2026, 12, 3)
    assert clock_of(opened.number, "accept").day_zero == TODAY
    assert clock_of(opened.number, "accept").due_on == date(2026, 11, 27)
    assert clock_of(opened.number, "receive").state == "met"


def test_the_journal_names_the_carrier_their_office_and_for_whom(cast: Cast, su: Person, carry: Any) -> None:
    _, (opened,) = carry(application(cast, cast.penalty()), su)
    rows = db.session.execute(
        select(JournalLine.act, JournalLine.role, JournalLine.person_name, JournalLine.office_id,
               JournalLine.on_behalf_of).where(JournalLine.about == "case").order_by(JournalLine.seq)
    ).all()  # fmt: skip
    db.session.rollback()
    assert {(r.role, r.person_name, r.office_id, r.on_behalf_of) for r in rows} == {
        ("carrier", "苏宁静", cast.offices["ld-creditchina"], cast.subjects["yueheng"])
    }
    assert opened.number


def test_the_office_takes_up_a_pushed_case_without_signing_for_it_again(cast: Cast, su: Person, carry: Any) -> None:
    _, (opened,) = carry(application(cast, cast.penalty()), su)
    assert "COUNTED" in refused(cast, opened.number, "li", "receive", t0="2026-11-23")
    walk(cast, opened.number, "li", "accept")
    assert state(opened.number) == "accepted"


def test_several_records_are_several_cases_of_one_filing_and_a_refused_one_blocks_none(
    cast: Cast, su: Person, carry: Any
) -> None:
    good, outstanding, other = cast.penalty(), cast.penalty(duty="outstanding"), cast.penalty()
    unknown = Named(number="湘交罚〔2019〕404号", decided_on=date(2019, 4, 4))
    receipt, outcomes = carry(application(cast, outstanding, good, unknown, other), su)
    assert [bool(one.number) for one in outcomes] == [False, True, False, True]
    assert [one.record_id for one in outcomes] == [outstanding, good, 0, other]
    assert [r.code for r in outcomes[0].refusals] == ["DUTY_NOT_PERFORMED", "PROOF_MISSING"]
    assert "湘交罚〔2019〕404号（2019-04-04）" in outcomes[2].refusals[0].text
    assert scalar(select(func.count()).select_from(Case)) == 2
    assert scalar(select(func.count()).select_from(Filing)) == 1
    codes = db.session.execute(select(RepairLetter.code)).scalars().all()
    db.session.rollback()
    assert len(set(codes)) == 2, "each record has a commitment of its own"
    assert carry(application(cast, outstanding, good, unknown, other), su) == (receipt, outcomes)


def test_a_filing_with_every_record_refused_is_not_kept(cast: Cast, su: Person, carry: Any) -> None:
    closed = application(cast, cast.penalty(duty="outstanding"), Named(public_id="0" * 16))
    assert no(carry, closed, su) == ["DUTY_NOT_PERFORMED", "PROOF_MISSING", "NO_RECORD"]


def test_the_same_push_again_is_the_same_filing(cast: Cast, su: Person, carry: Any) -> None:
    pushed = application(cast, cast.penalty())
    first = carry(pushed, su)
    before = everything()
    assert carry(pushed, su) == first
    assert everything() == before


def test_the_same_application_under_another_key_is_the_same_filing(cast: Cast, su: Person, carry: Any) -> None:
    pushed = application(cast, cast.penalty())
    first = carry(pushed, su, key="k1")
    assert carry(pushed, su, key="k2") == first
    assert scalar(select(func.count()).select_from(Case)) == 1


@pytest.mark.parametrize("key", ["k1", "k2"])
def test_another_application_under_a_used_key_or_number_is_refused(
    cast: Cast, su: Person, carry: Any, key: str
) -> None:
    pushed = application(cast, cast.penalty())
    carry(pushed, su, key="k1")
    before = everything()
    with pytest.raises(KeyReused):
        carry(replace(pushed, statement="别的"), su, key=key)
    assert everything() == before


def test_a_colleague_who_sends_the_same_again_gets_the_same_answer(cast: Cast, su: Person, carry: Any) -> None:
    pushed = application(cast, cast.penalty())
    first = carry(pushed, su)
    colleague = officer(cast, "su2", "linked", office="ld-creditchina")
    assert carry(pushed, colleague) == first


def test_the_same_push_twice_at_once_is_one_filing(app: Flask, cast: Cast, su: Person, carry: Any) -> None:
    pushed = application(cast, cast.penalty(), cast.penalty())
    answers = at_once(app, [lambda: carry(pushed, su)] * 4)
    assert all(answer == answers[0] for answer in answers), answers
    assert scalar(select(func.count()).select_from(Case)) == 2
    assert scalar(select(func.count()).select_from(Filing)) == 1


def test_a_push_and_the_applicants_own_filing_at_once_leave_one_case(
    app: Flask, cast: Cast, su: Person, carry: Any
) -> None:
    record = cast.penalty()
    deng, pushed = cast.who("deng"), application(cast, record)

    def own() -> Any:
        with transaction():
            return open_filing(
                cast.subjects["yueheng"], [record], actor=deng, channel="own_portal", key="own", at=now()
            )

    outcomes = at_once(app, [own, lambda: carry(pushed, su)])
    losers = [one for one in outcomes if isinstance(one, StepRefused)]
    assert [[r.code for r in loser.refusals] for loser in losers] == [["DUPLICATE"]]
    assert scalar(select(func.count()).select_from(Case)) == 1


def test_two_pushes_that_share_records_never_wait_crosswise(app: Flask, cast: Cast, su: Person, carry: Any) -> None:
    records = [cast.penalty(office=office) for office in ("province", "changsha", "province", "changsha")]
    pushes = [
        application(cast, *order, number=f"N{n}") for n, order in enumerate((records, records[::-1], records[1:3]))
    ]
    calls = [lambda p=p, n=n: carry(p, su, key=f"k{n}") for n, p in enumerate(pushes)]
    outcomes = at_once(app, calls)
    assert all(isinstance(one, tuple | StepRefused) for one in outcomes), outcomes
    assert scalar(select(func.count()).select_from(Case)) == 4


# what is not an application


def test_a_code_nobody_has_is_refused_by_its_number(cast: Cast, su: Person, carry: Any) -> None:
    from app.registry.codes import complete_code

    stranger = complete_code("91430100MA7YYYY9")
    assert no(carry, application(cast, Named("x"), code=stranger), su) == ["NO_SUBJECT"]


@pytest.mark.parametrize(("place", "wrong"), [(17, "0"), (16, "1"), (0, "I")])
def test_both_check_characters_of_the_code_are_looked_at(
    cast: Cast, su: Person, carry: Any, place: int, wrong: str
) -> None:
    code = cast.codes["yueheng"]
    code = code[:place] + (wrong if code[place] != wrong else "2") + code[place + 1 :]
    assert no(carry, application(cast, Named("x"), code=code), su) == ["CODE"]


def test_a_code_under_another_name_is_refused_and_spellings_of_the_name_are_not(
    cast: Cast, su: Person, carry: Any
) -> None:
    record = cast.penalty()
    assert no(carry, application(cast, record, name="湖南衡岳运输有限公司"), su) == ["OTHER_NAME"]
    assert carry(application(cast, record, name=" 湖南岳衡 物流有限公司 "), su)[1][0].number


def test_an_application_that_cannot_be_read_is_told_everything_at_once(cast: Cast, su: Person, carry: Any) -> None:
    empty = application(
        cast,
        number="",
        received_on=TODAY + timedelta(days=1),
        letter=Letter("", "clerk of works", TODAY + timedelta(days=1)),
        statement="\0",
    )
    assert no(carry, empty, su) == ["UNREADABLE"] * 8


def test_t0_is_not_before_the_record_was_made(cast: Cast, su: Person, carry: Any) -> None:
    record = cast.penalty()
    made = scalar(select(CreditRecord.recognised_on).where(CreditRecord.id == record))
    assert no(carry, application(cast, record, received_on=made - timedelta(days=1)), su) == ["T0_EARLY"]


def test_another_companys_record_does_not_exist_under_this_ones_name(cast: Cast, su: Person, carry: Any) -> None:
    theirs = cast.penalty(of="other")
    assert no(carry, application(cast, theirs), su) == ["NO_RECORD"]


def test_a_number_that_several_records_share_is_asked_back_with_those_there_are(
    cast: Cast, su: Person, carry: Any
) -> None:
    first = cast.penalty()
    shared = number_of(first)
    with transaction():
        row = db.session.execute(select(*CreditRecord.__table__.c).where(CreditRecord.id == first)).one()._asdict()
        made = row["recognised_on"] - timedelta(days=30)
        second = db.session.execute(
            insert(CreditRecord.__table__)
            .values({**row, "id": None, "public_id": "f" * 16, "recognised_on": made} | {"id": first + 1000})
            .returning(CreditRecord.id)
        ).scalar_one()
    with pytest.raises(StepRefused) as caught:
        carry(application(cast, Named(number=shared)), su)
    assert [r.code for r in caught.value.refusals] == ["AMBIGUOUS"]
    assert "湖南省交通运输厅" in str(caught.value) and made.isoformat() in str(caught.value)
    spelled = shared.replace("〔", "[").replace("〕", "]")
    named = Named(number=spelled, decided_on=row["recognised_on"], organ="湖南省交通运输厅")
    assert carry(application(cast, named), su)[1][0].record_id == first
    assert second != first


def test_proof_is_wanted_when_our_own_systems_do_not_know(cast: Cast, su: Person, carry: Any) -> None:
    record = cast.penalty(duty="unknown")
    assert no(carry, application(cast, record), su) == ["PROOF_MISSING"]
    _, (opened,) = carry(application(cast, record, proofs=(Paper("缴款.png", picture()),)), su)
    assert opened.number


def test_papers_are_looked_into_and_kept_with_every_case(cast: Cast, su: Person, carry: Any, tmp_path: Path) -> None:
    bad = (Paper("脚本.exe", b"MZ\x00"), Paper("空.pdf", b""))
    letter = Letter("罗建平", "legal_representative", YESTERDAY, scan=Paper("承诺书.png", picture("blue")))
    first, second = cast.penalty(), cast.penalty()
    assert no(carry, application(cast, first, letter=letter, proofs=bad), su) == ["FILE", "FILE"]
    good = (Paper("../../缴款.png", picture()),)
    carry(application(cast, first, second, letter=letter, proofs=good), su)
    uses = db.session.execute(
        select(AttachmentUse.purpose, Attachment.name).join(Attachment, Attachment.id == AttachmentUse.attachment_id)
    ).all()
    db.session.rollback()
    assert sorted(tuple(use) for use in uses) == sorted([("letter_scan", "承诺书.png"), ("duty_proof", "缴款.png")] * 2)


def test_what_was_brought_cannot_be_taken_out_again(cast: Cast, su: Person, carry: Any) -> None:
    _, (opened,) = carry(application(cast, cast.penalty(), proofs=(Paper("缴款.png", picture()),)), su)
    walk(cast, opened.number, "li", "correct", items=ITEMS)
    use = scalar(select(AttachmentUse.id))
    with pytest.raises(StepRefused, match="已经随申请提交"), transaction():
        detach(opened.number, actor=su, use_id=use, at=now())


def test_too_early_is_held_and_goes_in_by_itself(cast: Cast, su: Person, carry: Any, clock: Clock) -> None:
    from tests.build import night

    record = cast.penalty(on="2026-10-05")
    _, (opened,) = carry(application(cast, record), su)
    assert (state(opened.number), lines(opened.number)) == ("held", ["open", "letter", "submit_early"])
    hold = clock_of(opened.number, "hold").due_on
    assert hold is not None
    clock.go(f"{hold + timedelta(days=3):%Y-%m-%d} 09:00")
    night()
    assert state(opened.number) == "submitted"
    assert look(opened.number).row.t0 == now()


def test_a_natural_person_is_found_by_a_sealed_number_and_named_in_no_sentence(
    app: Flask, cast: Cast, su: Person, carry: Any
) -> None:
    first17 = "43010019900307101"
    id_number = first17 + id_check_character(first17)
    with transaction():
        subject = db.session.execute(
            insert(Subject.__table__)
            .values(kind="person", name="何示例", legal_representative="", region="430100", trade="")
            .returning(Subject.id)
        ).scalar_one()
        db.session.execute(
            insert(Identifier).values(
                subject_id=subject, kind="id_card", sealed="s1.x.y",
                blind=blind_index(id_number, INDEX, "identifier"), valid_from=SINCE,
            )
        )  # fmt: skip
    cast.subjects["he"] = subject
    cast.codes["he"] = ""
    person = application(cast, Named("x"), code="", id_number=id_number, name="何示例")
    assert no(carry, person, su) == ["NO_RECORD"]
    with pytest.raises(StepRefused) as caught:
        carry(replace(person, name="何错名"), su)
    assert [r.code for r in caught.value.refusals] == ["OTHER_NAME"]
    assert "何示例" not in str(caught.value) and id_number not in str(caught.value)
    unknown = "43010019900307128"[:17]
    assert no(carry, replace(person, id_number=unknown + id_check_character(unknown)), su) == ["NO_SUBJECT"]
    assert no(carry, replace(person, id_number="123"), su) == ["CODE"]


# who may carry


def test_only_the_office_behind_credit_china_pushes_and_only_a_window_takes_in(
    cast: Cast, su: Person, carry: Any
) -> None:
    pushed = application(cast, cast.penalty())
    market = officer(cast, "market", "linked", office="ld-market")
    for actor, channel in ((market, "creditchina"), (cast.who("li"), "creditchina"), (su, "hall"),
                           (cast.who("zhou"), "hall"), (cast.who("deng"), "hall")):  # fmt: skip
        assert no(carry, pushed, actor, channel) == ["NO_CARRIER"]


def test_a_window_takes_in_for_its_own_office_and_says_where_the_others_are(cast: Cast, carry: Any) -> None:
    ours, theirs = cast.penalty(), cast.penalty(office="changsha")
    _, (first, second) = carry(application(cast, ours, theirs, number=""), cast.who("li"), "hall")
    assert first.number and not second.number
    (refusal,) = second.refusals
    assert refusal.code == "OTHER_OFFICE" and "请到长沙市交通运输局的办事窗口办理" in refusal.text


def test_the_window_officer_may_accept_what_they_took_in_but_not_judge_it(cast: Cast, carry: Any) -> None:
    both = officer(cast, "both", "acceptance", "review", "confirmation")
    _, (opened,) = carry(application(cast, cast.penalty(), number=""), both, "hall")
    walk(cast, opened.number, both, "accept")
    assert refused(cast, opened.number, both, "review", opinion="grant", finding="已履行") == ["TWO_PEOPLE"]
    walk(cast, opened.number, "zhou", "review", opinion="grant", finding="已履行")
    assert refused(cast, opened.number, both, "confirm") == ["TWO_PEOPLE"]
    walk(cast, opened.number, "chen", "confirm")


def test_somebody_who_acts_for_the_company_does_not_take_in_its_application(cast: Cast, carry: Any) -> None:
    from app.models import Mandate

    with transaction():
        db.session.execute(
            insert(Mandate).values(
                user_id=cast.users["li"], subject_id=cast.subjects["yueheng"], capacity="clerk", evidence="书",
                valid_from=SINCE,
            )
        )  # fmt: skip
    assert no(carry, application(cast, cast.penalty(), number=""), cast.who("li"), "hall") == ["RECUSED"]


def test_the_carrier_brings_what_the_applicant_says_later(cast: Cast, su: Person, carry: Any) -> None:
    _, (opened,) = carry(application(cast, cast.penalty()), su)
    walk(cast, opened.number, "li", "correct", items=ITEMS)
    walk(cast, opened.number, su, "resubmit", statement="已补正")
    assert state(opened.number) == "submitted"
    walk(cast, opened.number, su, "withdraw", reason="不修了")
    assert state(opened.number) == "withdrawn"


def test_an_application_of_the_portal_stays_its_filers_alone(cast: Cast, su: Person) -> None:
    from tests.build import a_case

    number = a_case(cast, at="submitted")
    assert refused(cast, number, su, "withdraw", reason="代撤") == ["OTHER_ROLE"]
    assert refused(cast, number, "li", "withdraw", reason="代撤") == ["OTHER_ROLE"]


# results go back the way they came


def test_the_portal_an_application_came_from_hears_what_its_applicant_must_hear(
    cast: Cast, su: Person, carry: Any
) -> None:
    _, (opened,) = carry(application(cast, cast.penalty()), su)
    number = opened.number
    walk(cast, number, "li", "correct", items=ITEMS)
    walk(cast, number, su, "resubmit", statement="已补正")
    walk(cast, number, "li", "accept")
    walk(cast, number, "tang", "extend", reason="案情复杂")
    walk(cast, number, su, "withdraw", reason="不修了")
    heard = told(number)
    assert set(heard) == {"ld-creditchina"}
    payloads = [row.payload for row in heard["ld-creditchina"]]
    assert [row.act for row in heard["ld-creditchina"]] == ["correct", "accept", "extend", "take_back"]
    assert [p["decision"] for p in payloads] == ["需要补正", "已受理", "延期办理", "申请人撤回申请"]
    assert {p["action"] for p in payloads} == {"告知申请人"}


def test_what_came_otherwise_is_not_told_to_credit_china_before_the_decision(
    cast: Cast, su: Person, carry: Any
) -> None:
    _, (opened,) = carry(application(cast, cast.penalty(), number=""), cast.who("li"), "hall")
    walk(cast, opened.number, "li", "accept")
    assert told(opened.number) == {}


def test_silence_after_a_request_to_complete_is_told_too(cast: Cast, su: Person, carry: Any, clock: Clock) -> None:
    _, (opened,) = carry(application(cast, cast.penalty()), su)
    walk(cast, opened.number, "li", "correct", items=ITEMS)
    due = clock_of(opened.number, "correct").due_on
    assert due is not None
    clock.go(f"{due + timedelta(days=1):%Y-%m-%d} 09:00")
    walk(cast, opened.number, WATCH, "lapse")
    assert [row.act for row in told(opened.number)["ld-creditchina"]] == ["correct", "lapse"]


def test_a_pushed_case_goes_all_the_way(cast: Cast, su: Person, carry: Any) -> None:
    _, (opened,) = carry(application(cast, cast.penalty()), su)
    number = opened.number
    walk(cast, number, "li", "accept")
    walk(cast, number, "zhou", "review", opinion="grant", finding="已履行")
    walk(cast, number, "chen", "confirm")
    ink(number)
    told_of_the_decision = told(number, "confirm")
    assert set(told_of_the_decision) == {"ld-creditchina", "ld-hunan", "ld-market", "ld-trading"}
    assert version(number) == 6
