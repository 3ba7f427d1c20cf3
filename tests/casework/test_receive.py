"""What the receivers of an outcome say they did: taken in once, journalled, their time-limit met; the case stays."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.casework.actor import Person
from app.casework.explain import explain
from app.casework.receive import NoSuchNotice, Said, Signed, Taken, take_receipt
from app.casework.refused import KeyReused, StepRefused
from app.db import db, transaction
from app.journal import check_chain
from app.models import Case, DeadlineRow, Delivery, Issue, JournalLine, Notice, Office, Receipt
from app.models.sharing import CONFIRMING, RECEIPTS
from app.now import now
from tests.build import a_case, state, version
from tests.casework.acts import annul, at_once, clock_of, everything, lines, officer, scalar, told
from tests.cast import Cast
from tests.conftest import Clock
from workflows.clockwork import MET, RUNNING


@pytest.fixture
def xie(cast: Cast) -> Person:
    """谢婷 of the market supervision bureau."""
    return officer(cast, "xie", "linked", office="ld-market")


def answer(
    cast: Cast,
    who: Person,
    key: str,
    kind: str = "done",
    receiver: str = "ld-market",
    own: str = "",
    done_at: datetime | None = None,
    signed: Signed | None = None,
    **more: Any,
) -> Taken:
    """A department answers a notice."""
    if kind in ("done", "already_ended"):
        done_at = done_at or now()
    if kind in ("not_found", "refused"):
        more.setdefault("reason", "系统里没有这家企业")
    said = Said(kind, own or secrets.token_hex(8), done_at, **more)
    via = "api" if signed else "counter"
    with transaction():
        return take_receipt(key, said, receiver_id=cast.offices[receiver], actor=who, via=via, at=now(), signed=signed)


def notice_of(number: str, receiver: str = "ld-market", act: str | None = None) -> Any:
    """The latest notice of a case to a receiver."""
    return told(number, act)[receiver][-1]


def delivery_of(notice: Any) -> Any:
    """Where its delivery stands."""
    row = db.session.execute(select(*Delivery.__table__.c).where(Delivery.notice_id == notice.id)).one()
    db.session.rollback()
    return row


def issues(notice: Any) -> list[tuple[str, bool]]:
    """What our own people have or had to settle about it: (kind, still open)."""
    rows = db.session.execute(
        select(Issue.kind, Issue.closed_at).where(Issue.notice_id == notice.id).order_by(Issue.id)
    )
    found = [(row.kind, row.closed_at is None) for row in rows]
    db.session.rollback()
    return found


def intact(number: str) -> list[str]:
    """What is wrong with the case's journal: nothing."""
    problems = check_chain("case", scalar(select(Case.id).where(Case.number == number)))
    db.session.rollback()
    return problems


def test_a_department_says_it_is_done_and_the_case_stays_where_it_is(cast: Cast, xie: Person, clock: Clock) -> None:
    number = a_case(cast, at="processing")
    stood, notice = (state(number), version(number)), notice_of(number)
    assert clock_of(number, "receiver", "ld-market").state == RUNNING
    clock.go("2026-11-25 10:00")
    taken = answer(cast, xie, notice.key, number="市监信〔2026〕88号")
    assert taken.new
    assert (state(number), version(number)) == stood
    assert clock_of(number, "receiver", "ld-market").state == MET
    assert clock_of(number, "receiver", "ld-trading").state == RUNNING
    delivery = delivery_of(notice)
    assert (delivery.state, delivery.receipt, delivery.channel) == ("delivered", "done", "counter")
    assert delivery.delivered_at == delivery.receipt_at == now()
    line = db.session.execute(select(*JournalLine.__table__.c).where(JournalLine.act == "receipt")).one()
    assert (line.person_name, line.role, line.item) == (xie.name, "linked", "ld-market")
    assert line.office_id == cast.offices["ld-market"]
    assert line.answers["number"] == "市监信〔2026〕88号" and line.answers["via"] == "counter"
    row = db.session.execute(select(*Receipt.__table__.c)).one()
    assert (row.id, row.journal_id, row.user_id, row.kind) == (taken.id, line.id, xie.person, "done")
    db.session.rollback()
    assert intact(number) == [] and lines(number)[-1] == "receipt"
    said = explain(number)
    db.session.rollback()
    assert "同步期限（湖南省市场监督管理局）完成" in said and "与登记的期限不一致" not in said


@pytest.mark.parametrize("kind", RECEIPTS)
def test_what_confirms_ends_the_waiting_and_what_does_not_becomes_a_matter_for_us(
    cast: Cast, xie: Person, kind: str
) -> None:
    number = a_case(cast, at="processing")
    notice = notice_of(number)
    answer(cast, xie, notice.key, kind)
    confirmed = kind in CONFIRMING
    assert clock_of(number, "receiver", "ld-market").state == (MET if confirmed else RUNNING)
    assert issues(notice) == ([] if confirmed else [(kind, True)])
    assert delivery_of(notice).receipt == kind


def test_the_latest_receipt_counts_and_settles_what_the_one_before_left_open(cast: Cast, xie: Person) -> None:
    number = a_case(cast, at="processing")
    notice = notice_of(number)
    answer(cast, xie, notice.key, "not_found")
    answer(cast, xie, notice.key, "not_found", reason="再查一遍，还是没有")
    answer(cast, xie, notice.key, "refused", reason="不是我们采取的措施")
    assert issues(notice) == [("not_found", False), ("not_found", False), ("refused", True)]
    answer(cast, xie, notice.key, "done")
    assert [still_open for _kind, still_open in issues(notice)] == [False, False, False]
    assert delivery_of(notice).receipt == "done"
    assert clock_of(number, "receiver", "ld-market").state == MET
    assert scalar(select(func.count()).select_from(Receipt)) == 4
    assert intact(number) == []


def test_a_receipt_proves_that_a_notice_given_up_has_arrived(cast: Cast, xie: Person) -> None:
    from app.notices.issues import open_issue

    notice = notice_of(a_case(cast, at="processing"))
    with transaction():
        db.session.execute(Delivery.__table__.update().where(Delivery.notice_id == notice.id).values(state="dead"))
        open_issue(f"dead-{notice.id}", "dead", notice_id=notice.id, detail={}, at=now())
    answer(cast, xie, notice.key)
    assert delivery_of(notice).state == "delivered" and issues(notice) == [("dead", False)]


def test_the_same_receipt_again_is_the_same_receipt(cast: Cast, xie: Person, clock: Clock) -> None:
    number = a_case(cast, at="processing")
    notice, when = notice_of(number), now()
    first = answer(cast, xie, notice.key, own="GX-1", done_at=when)
    before = everything()
    clock.go("2026-11-27 10:00")
    again = answer(cast, xie, notice.key, own="GX-1", done_at=when)
    assert (again.id, again.new) == (first.id, False)
    for change in ({"done_at": when + timedelta(minutes=1)}, {"number": "9"}, {"kind": "holds_nothing"}):
        with pytest.raises(KeyReused):
            answer(cast, xie, notice.key, own="GX-1", **{"done_at": when, **change})
    other = notice_of(a_case(cast, at="processing"))
    with pytest.raises(KeyReused):
        answer(cast, xie, other.key, own="GX-1", done_at=when)
    assert {name: before[name] for name in ("receipt", "issue")} == {
        name: everything()[name] for name in ("receipt", "issue")
    }


def test_two_departments_may_use_the_same_number(cast: Cast, xie: Person) -> None:
    number = a_case(cast, at="processing")
    trading = officer(cast, "kong", "linked", office="ld-trading")
    assert answer(cast, xie, notice_of(number).key, own="1").new
    assert answer(cast, trading, notice_of(number, "ld-trading").key, receiver="ld-trading", own="1").new
    assert intact(number) == []


def test_nobody_answers_for_a_department_that_is_not_theirs(cast: Cast, xie: Person) -> None:
    number = a_case(cast, at="processing")
    market, trading = notice_of(number).key, notice_of(number, "ld-trading").key
    before = everything()
    for who, key, receiver in (
        (xie, trading, "ld-trading"),
        (xie, trading, "ld-market"),
        (xie, "case-1-1-nobody", "ld-market"),
        (cast.who("chen"), market, "ld-market"),
        (cast.who("deng"), market, "ld-market"),
        (replace(xie, memberships=frozenset()), market, "ld-market"),
    ):
        with pytest.raises(NoSuchNotice):
            answer(cast, who, key, receiver=receiver)
        assert everything() == before


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Said("perhaps", "k"), "KIND"),
        (Said("not_found", "k"), "REASON"),
        (Said("refused", "k"), "REASON"),
        (Said("refused", "k", reason="长" * 501), "REASON"),
        (Said("done", "k"), "DONE_AT"),
        (Said("already_ended", "k"), "DONE_AT"),
        (Said("holds_nothing", ""), "KEY"),
        (Said("holds_nothing", "k" * 65), "KEY"),
        (Said("holds_nothing", "k", number="1" * 101), "NUMBER"),
    ],
)
def test_a_receipt_that_says_too_little_is_refused_in_a_sentence(
    cast: Cast, xie: Person, said: Said, code: str
) -> None:
    notice = notice_of(a_case(cast, at="processing"))
    before = everything()
    with pytest.raises(StepRefused) as caught, transaction():
        take_receipt(notice.key, said, receiver_id=cast.offices["ld-market"], actor=xie, via="api", at=now())
    assert [refusal.code for refusal in caught.value.refusals] == [code]
    assert everything() == before


def test_nothing_is_done_before_it_was_asked_for_nor_tomorrow(cast: Cast, xie: Person) -> None:
    notice = notice_of(a_case(cast, at="processing"))
    for done_at in (now() + timedelta(hours=1), now() - timedelta(days=1)):
        with pytest.raises(StepRefused):
            answer(cast, xie, notice.key, done_at=done_at)
    assert answer(cast, xie, notice.key, "already_ended", done_at=now() - timedelta(days=90)).new
    assert answer(cast, xie, notice.key, done_at=now() + timedelta(minutes=2)).new, "their clock is a little ahead"


def test_a_signed_receipt_is_kept_as_it_was_sent(cast: Cast, xie: Person) -> None:
    notice = notice_of(a_case(cast, at="processing"))
    answer(cast, xie, notice.key, signed=Signed("k1", '{"kind":"done"}', "c2ln"))
    row = db.session.execute(select(*Receipt.__table__.c)).one()
    db.session.rollback()
    assert (row.via, row.key_name, row.raw, row.signature) == ("api", "k1", '{"kind":"done"}', "c2ln")
    assert delivery_of(notice).channel == ""


def test_an_annulled_penalty_asks_anew_and_the_old_receipt_does_not_answer_it(
    cast: Cast, xie: Person, clock: Clock
) -> None:
    """The receiver confirms late what was said before the annulment; that it withdraws is another matter."""
    record = cast.penalty()
    number = a_case(cast, at="processing", record=record)
    clock.go("2026-11-25 10:00")
    annul(cast, record)
    from tests.build import night

    night(with_press=False)
    old, new = notice_of(number, act="confirm"), notice_of(number, act="supersede")
    answer(cast, xie, old.key)
    assert clock_of(number, "receiver", "ld-market").state == RUNNING
    answer(cast, xie, new.key)
    assert clock_of(number, "receiver", "ld-market").state == MET
    assert intact(number) == []


def test_the_same_receipt_twice_at_once_is_taken_once(app: Flask, cast: Cast, xie: Person) -> None:
    number = a_case(cast, at="processing")
    notice, when = notice_of(number), now()
    calls = [lambda: answer(cast, xie, notice.key, own="GX-1", done_at=when)] * 4
    taken = at_once(app, calls)
    assert {one.id for one in taken} == {taken[0].id} and sum(one.new for one in taken) == 1
    assert lines(number).count("receipt") == 1 and intact(number) == []


def test_one_key_for_two_notices_at_once_is_taken_for_one_of_them(app: Flask, cast: Cast, xie: Person) -> None:
    notices = [notice_of(a_case(cast, at="processing")) for _ in range(2)]
    when = now()
    calls = [lambda key=notice.key: answer(cast, xie, key, own="GX-1", done_at=when) for notice in notices]  # type: ignore[misc]
    outcomes = at_once(app, calls)
    assert sorted(type(one).__name__ for one in outcomes) == ["KeyReused", "Taken"]
    assert scalar(select(func.count()).select_from(JournalLine).where(JournalLine.act == "receipt")) == 1


def test_receipts_of_all_receivers_and_an_annulment_at_once_leave_one_chain(
    app: Flask, cast: Cast, xie: Person
) -> None:
    record = cast.penalty()
    number = a_case(cast, at="processing", record=record)
    trading = officer(cast, "kong", "linked", office="ld-trading")
    market_key, trading_key = notice_of(number).key, notice_of(number, "ld-trading").key
    outcomes = at_once(
        app,
        [
            lambda: answer(cast, xie, market_key),
            lambda: answer(cast, trading, trading_key, receiver="ld-trading"),
            lambda: annul(cast, record),
        ],
    )
    assert not [one for one in outcomes if isinstance(one, Exception)], outcomes
    assert intact(number) == []
    assert lines(number).count("receipt") == 2
    stored = explain(number)
    db.session.rollback()
    assert "与登记的期限不一致" not in stored


def test_a_withdrawn_record_without_a_case_has_limits_and_receipts_in_its_own_journal(cast: Cast, xie: Person) -> None:
    record = cast.penalty()
    annul(cast, record)
    notice = db.session.execute(
        select(Notice.id, Notice.key, Notice.payload)
        .join(Office, Office.id == Notice.receiver_id)
        .where(Office.code == "ld-market")
    ).one()
    assert notice.payload["confirm_by"] == "2026-11-27", "what is asked for stands in the notice"
    assert dict(limits(record)) == {
        "ld-creditchina": RUNNING, "ld-hunan": RUNNING, "ld-market": RUNNING, "ld-trading": RUNNING,
    }  # fmt: skip
    answer(cast, xie, notice.key, "not_found")
    assert dict(limits(record))["ld-market"] == RUNNING and issues(notice) == [("not_found", True)]
    answer(cast, xie, notice.key)
    assert dict(limits(record))["ld-market"] == MET and dict(limits(record))["ld-trading"] == RUNNING
    acts = db.session.execute(
        select(JournalLine.act)
        .where(JournalLine.about == "record", JournalLine.about_id == record)
        .order_by(JournalLine.seq)
    ).scalars()
    assert list(acts)[-3:] == ["withdraw", "receipt", "receipt"]
    assert check_chain("record", record) == []
    db.session.rollback()


def limits(record: int) -> list[tuple[str, str]]:
    """The time-limits of the receivers of a record's withdrawal."""
    rows = db.session.execute(
        select(DeadlineRow.item, DeadlineRow.state).where(
            DeadlineRow.about == "record", DeadlineRow.about_id == record, DeadlineRow.clock == "receiver"
        )
    ).all()
    db.session.rollback()
    return [(row.item, row.state) for row in rows]
