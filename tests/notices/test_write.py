"""What others must be told: frozen words, in order, one for each receiver; written with the step or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, insert, select
from sqlalchemy.exc import IntegrityError

from app.db import db, transaction
from app.models import Document, JournalLine, Notice, NoticeSequence, Office, RecordShare
from app.notices.address_book import RECIPIENTS, SUBSCRIBED, duty_to_tell, receivers
from app.notices.write import ACTIONS, write_notices
from app.now import now
from tests.build import a_case, night, version, walk
from tests.casework.acts import annul, at_once, company, everything, form, look, scalar, told
from tests.cast import Cast
from tests.conftest import Clock
from workflows import WORKFLOWS
from workflows.law import rule

EVERYBODY = {"ld-creditchina", "ld-hunan", "ld-market", "ld-trading"}


def test_every_word_a_definition_uses_has_somebody_behind_it(cast: Cast) -> None:
    words = {word for workflow in WORKFLOWS.values() for step in workflow.steps for word in step.tells}
    assert words <= set(RECIPIENTS) == set(ACTIONS) - {SUBSCRIBED}
    for word in words - {"ministry"}:  # the stories are told without the ministry
        assert receivers([word]), word
    db.session.rollback()


@pytest.mark.parametrize("word", RECIPIENTS)
def test_a_step_tells_whom_the_law_row_in_force_says_and_nobody_else(word: str) -> None:
    """The definition says whom, the dated row says what they must hear; neither knows more than the other."""
    day = date(2026, 11, 24)
    steps = {step.code for workflow in WORKFLOWS.values() for step in workflow.steps if word in step.tells}
    told = {"take_back" if step == "withdraw" else step for step in steps}
    row = rule(f"sharing.{word}").on(day)
    assert set(str(row.value).split()) - {"withdraw"} == told
    assert all(duty_to_tell(word, act, day) == row for act in told)
    assert duty_to_tell(word, "open", day) is None


def test_the_address_book_gives_everybody_once_and_nobody_who_does_not_listen(cast: Cast) -> None:
    with transaction():
        for code, kind, receives in (
            ("ld-both", "linked", "province linked"),
            ("ld-deaf", "linked", ""),
            ("organ", "organ", "linked"),
            ("ld-other", "linked", "linkedin"),
        ):
            db.session.execute(
                insert(Office).values(
                    code=code, name=code, short=code, kind=kind, path=f"/{code}/", region="", word="", review_body="",
                    receives=receives, phone="", address="",
                )
            )  # fmt: skip
    found = receivers(["credit_china", "province", "linked"])
    assert [one.code for one in found] == [
        "ld-both", "ld-creditchina", "ld-hunan", "ld-market", "ld-trading",
    ]  # fmt: skip
    assert found[0].word == "province"
    assert [one.code for one in receivers(["linked"])] == ["ld-both", "ld-market", "ld-trading"]
    assert receivers([]) == receivers(["nobody"]) == []
    db.session.rollback()


def test_the_payload_is_the_least_a_receiver_needs_and_is_frozen_with_its_hash(cast: Cast) -> None:
    record = cast.penalty()
    number = a_case(cast, at="processing", record=record)
    row = db.session.execute(
        select(*Notice.__table__.c).join(Office, Office.id == Notice.receiver_id).where(Office.code == "ld-market")
    ).one()
    document = db.session.execute(select(Document.number, Document.code).where(Document.kind == "grant")).one()
    line = look(number).lines[-1]
    key = f"case-{line.about_id}-{line.seq}-ld-market"
    assert row.payload == {
        "notice": key,
        "receiver": "ld-market",
        "seq": 1,
        "act": "confirm",
        "decision": "准予修复",
        "action": "停止公示、停止使用，解除因此采取的措施",
        "confirm_by": "2026-11-27",
        "subject_name": "湖南岳衡物流有限公司",
        "uscc": cast.codes["yueheng"],
        "record": look(number).record.public_id,  # type: ignore[union-attr]
        "record_type": "行政处罚",
        "record_no": "湘交罚〔2026〕1号",
        "record_organ": "湖南省交通运输厅",
        "record_organ_code": "jt-430000",
        "record_date": "2026-05-18",
        "class": "一般",
        "application_no": number,
        "application_date": "2026-11-24",
        "accept_organ": "湖南省交通运输厅",
        "decision_organ": "湖南省交通运输厅",
        "decision_date": "2026-11-24",
        "effective_at": line.at.isoformat(),
        "legal_basis": "《信用修复管理办法》第三条",
        "reason": "",
        "end_publicity_date": "2026-11-24",
        "measures_to_lift": [],
        "commitment_code": f"43000020261124{line.about_id:06d}",
        "document_no": document.number,
        "verify_at": f"https://credit.example/verify/{document.code}",
        "withdrawn": False,
    }
    text = json.dumps(row.payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert row.payload_hash == hashlib.sha256(text.encode()).hexdigest()
    assert (row.written_at, row.journal_id, row.act) == (now(), line.id, "confirm")
    assert row.key == key


def test_later_changes_of_the_record_do_not_change_what_was_told(cast: Cast) -> None:
    from sqlalchemy import update

    from app.models import CreditRecord, Subject

    number = a_case(cast, at="processing")
    before = told(number)["ld-hunan"][0].payload
    with transaction():
        db.session.execute(update(Subject).values(name="湖南改名物流有限公司"))
        db.session.execute(update(CreditRecord).values(cls="严重"))
    assert told(number)["ld-hunan"][0].payload == before


def test_numbers_run_without_gaps_for_each_receiver_and_company(cast: Cast, clock: Clock) -> None:
    """A refusal for one receiver, two repairs for all, an annulment; another company counts for itself."""
    company(cast, "second", "deng")
    a_case(cast, at="refused")
    first, record = a_case(cast, at="processing"), cast.penalty()
    second = a_case(cast, at="processing", record=record)
    annul(cast, record)
    night(with_press=False)
    rows = db.session.execute(
        select(Office.code, Notice.seq, Notice.act).join(Office, Office.id == Notice.receiver_id).order_by(Notice.id)
    ).all()
    last = dict(
        db.session.execute(
            select(Office.code, NoticeSequence.last).join(Office, Office.id == NoticeSequence.receiver_id)
        ).all()
    )
    db.session.rollback()
    assert first != second
    by: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        by.setdefault(row.code, []).append((row.seq, row.act))
    assert by["ld-creditchina"] == [(1, "refuse"), (2, "confirm"), (3, "confirm"), (4, "supersede")]
    assert by["ld-market"] == [(1, "confirm"), (2, "confirm"), (3, "supersede")]
    assert last == {"ld-creditchina": 4, "ld-hunan": 3, "ld-market": 3, "ld-trading": 3}


def test_a_rolled_back_step_tells_nobody_and_leaves_no_gap(cast: Cast) -> None:
    number = a_case(cast, at="reviewed")
    before = everything()

    def break_it(*_args: Any) -> None:
        raise OSError("the disk is full")

    event.listen(db.engine, "commit", break_it)
    try:
        with pytest.raises(OSError, match="disk is full"):
            form(number, "confirm", cast.who("chen"), "k", version(number))()
    finally:
        event.remove(db.engine, "commit", break_it)
    assert everything() == before
    walk(cast, number, "chen", "confirm")
    assert {rows[0].seq for rows in told(number).values()} == {1}


def test_a_second_copy_of_a_notice_is_impossible(cast: Cast) -> None:
    number = a_case(cast, at="processing")
    loaded = look(number)
    from app.casework.take_step import entry_of

    entry = entry_of(loaded.lines[-1].id)
    db.session.rollback()
    before = everything()
    with pytest.raises(IntegrityError), transaction():
        write_notices(loaded.id, loaded.record_id, loaded.facts.case.subject, ["linked"], entry)
    assert everything() == before


def test_a_step_without_a_record_or_without_listeners_tells_nobody(cast: Cast) -> None:
    number = a_case(cast, at="processing")
    loaded = look(number)
    from app.casework.take_step import entry_of

    entry = entry_of(loaded.lines[-1].id)
    db.session.rollback()
    with transaction():
        assert write_notices(loaded.id, None, loaded.facts.case.subject, ["linked"], entry) == 0
        assert write_notices(loaded.id, loaded.record_id, loaded.facts.case.subject, [], entry) == 0
    assert scalar(select(func.count()).select_from(Notice)) == 4


def test_many_companies_decided_at_once_do_not_wait_for_each_other_crosswise(app: Flask, cast: Cast) -> None:
    """Eight decisions at the same moment, two for each of four companies: no deadlock, every series whole."""
    chen = cast.who("chen")
    numbers = []
    for n in range(4):
        company(cast, f"c{n}", "deng")
        cast.subjects["yueheng"] = cast.subjects[f"c{n}"]
        numbers += [a_case(cast, at="reviewed", of=f"c{n}") for _ in range(2)]
    calls = [form(number, "confirm", chen, f"k{number}", version(number)) for number in numbers]
    outcomes = at_once(app, calls)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    rows = db.session.execute(select(Notice.receiver_id, Notice.subject_id, Notice.seq)).all()
    db.session.rollback()
    series: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        series.setdefault((row.receiver_id, row.subject_id), []).append(row.seq)
    assert len(series) == 16
    assert {tuple(sorted(numbers)) for numbers in series.values()} == {(1, 2)}


def test_each_share_of_a_record_is_remembered(cast: Cast) -> None:
    """Whoever was told once must be told again: the list is kept beside the record."""
    record = cast.penalty()
    a_case(cast, at="refused", record=record)
    a_case(cast, at="processing", record=record)
    rows = db.session.execute(
        select(Office.code, RecordShare.what)
        .join(Office, Office.id == RecordShare.receiver_id)
        .where(RecordShare.record_id == record)
    ).all()
    db.session.rollback()
    assert sorted((row.code, row.what) for row in rows) == [
        ("ld-creditchina", "confirm"),
        ("ld-creditchina", "refuse"),
        ("ld-hunan", "confirm"),
        ("ld-market", "confirm"),
        ("ld-trading", "confirm"),
    ]


def test_every_notice_points_at_the_line_that_decided_it(cast: Cast) -> None:
    a_case(cast, at="refused")
    a_case(cast, at="processing")
    rows = db.session.execute(
        select(Notice.act, JournalLine.act.label("line"), JournalLine.about_id, Notice.case_id, Notice.written_at,
               JournalLine.at)
        .join(JournalLine, JournalLine.id == Notice.journal_id)
    ).all()  # fmt: skip
    db.session.rollback()
    assert len(rows) == 5
    assert all((row.act, row.case_id, row.written_at) == (row.line, row.about_id, row.at) for row in rows)


def test_of_a_natural_person_no_number_is_told(cast: Cast, persons: int) -> None:
    """The name a receiver must have to act; never an ID number, in whatever form we hold it."""
    cast.subjects["yueheng"] = persons
    record = cast.penalty()
    from sqlalchemy import update

    from app.models import CreditRecord

    with transaction():
        db.session.execute(update(CreditRecord).where(CreditRecord.id == record).values(subject_id=persons))
    number = a_case(cast, at="refused", record=record)
    payload = told(number)["ld-creditchina"][0].payload
    assert payload["subject_name"] == "欧阳演示"
    assert payload["uscc"] == ""
    assert "430102199001011234" not in json.dumps(payload, ensure_ascii=False)


@pytest.fixture
def persons(cast: Cast) -> Iterator[int]:
    """A natural person with a sealed ID number, for whom 邓敏 acts."""
    from app.models import Identifier, Mandate, Subject
    from tests.cast import SINCE

    with transaction():
        subject: int = db.session.execute(
            insert(Subject.__table__)
            .values(kind="person", name="欧阳演示", legal_representative="", region="430100")
            .returning(Subject.id)
        ).scalar_one()
        db.session.execute(
            insert(Identifier).values(subject_id=subject, kind="id_card", sealed="1:x:y", blind="b", valid_from=SINCE)
        )
        db.session.execute(
            insert(Mandate).values(
                user_id=cast.users["deng"], subject_id=subject, capacity="clerk", evidence="委托书", valid_from=SINCE
            )
        )
    yield subject
