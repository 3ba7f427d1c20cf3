"""For whoever holds a document: is it ours, and how do things stand today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import insert, update

from app.db import transaction
from app.documents.check import look_up
from app.duty.press import turn
from app.models import Document, PublicationFact
from app.now import now
from tests.documents.world import CODE, NAME, World, build, document


@pytest.fixture(autouse=True)
def asked(app: Flask) -> Iterator[None]:
    """Somebody asks at the public counter."""
    with app.test_request_context("/verify"):
        yield


def became(world: World, deed: str, case_id: int | None = None) -> None:
    """Something becomes of the record now."""
    with transaction() as session:
        session.execute(
            insert(PublicationFact).values(
                record_id=world.record_id, deed=deed, effective_on=date(2026, 11, 24), recorded_at=now(), cause="x",
                case_id=case_id,
            )
        )  # fmt: skip


def test_a_document_is_found_by_its_code_however_it_is_typed(app: Flask) -> None:
    row = document(build().issue("grant"))
    for typed in (row.code, row.code.lower(), row.code.replace("-", ""), f"  {row.code.replace('-', ' ')} "):
        found = look_up(typed)
        assert found is not None and found.number == row.number
    assert look_up("") is None and look_up("7QK4M-2XD9T-RH0VW-3ZC8E-N51KA") is None and look_up(row.number) is None


def test_it_says_what_the_paper_must_show(app: Flask) -> None:
    found = look_up(document(build().issue("grant")).code)
    assert found is not None
    assert (found.title, found.number, found.organ) == (
        "准予信用修复决定书",
        "湘交信修决〔2026〕1号",
        "湖南省交通运输厅",
    )
    assert (found.issued_on, found.result, found.record) == (date(2026, 11, 18), "准予修复", "湘交罚〔2026〕37号")
    assert found.party == NAME and found.party_code.startswith(CODE[:14])
    assert found.status == "valid" and found.headline == "现行有效" and "至今没有被撤回" in found.sentence
    assert found.demo and not found.signed and [event.text for event in found.events] == ["出具"]


def test_once_printed_it_says_so_with_the_hash(app: Flask) -> None:
    row_id = build().issue("grant")
    turn()
    row = document(row_id)
    found = look_up(row.code)
    assert found is not None and found.signed and found.pdf_sha256 == row.pdf_hash
    assert [event.text for event in found.events] == ["放入申请人的办件页面", "排印并加盖电子签章", "出具"]


def test_a_natural_person_is_not_named_to_the_public(app: Flask) -> None:
    found = look_up(document(build("欧阳修远", kind="person").issue("grant")).code)
    assert found is not None and found.party == "自然人（姓名不公开）" and found.party_code == ""
    assert "欧阳" not in repr(found)


def test_a_decision_whose_penalty_was_annulled_since_is_genuine_and_overtaken(app: Flask) -> None:
    world = build()
    row = document(world.issue("refusal"))
    became(world, "withdraw")
    found = look_up(row.code)
    assert found is not None and found.status == "overtaken"
    assert found.sentence.endswith("出具以后，所依据的处罚不再成立，该信息已于2026年11月24日撤回。")


@pytest.mark.parametrize(("deed", "said"), [("end", "终止公示"), ("publish", "恢复公示"), ("repair", "修复，不再公示")])
def test_what_became_of_the_record_later_is_told(app: Flask, deed: str, said: str) -> None:
    world = build()
    row = document(world.issue("refusal"))
    became(world, deed)
    found = look_up(row.code)
    assert found is not None and found.status == "overtaken" and said in found.sentence


def test_the_repair_a_decision_itself_granted_does_not_overtake_it(app: Flask) -> None:
    world = build()
    row = document(world.issue("grant"))
    became(world, "repair", world.case_id)
    found = look_up(row.code)
    assert found is not None and found.status == "valid"


def test_a_withdrawn_document_and_one_that_was_replaced_say_so(app: Flask) -> None:
    first, second = build(number="1").issue("grant"), build(number="2").issue("grant")
    with transaction() as session:
        session.execute(update(Document).where(Document.id == first).values(withdrawn_at=now()))
    gone = look_up(document(first).code)
    assert gone is not None and gone.status == "withdrawn" and "已于2026年11月24日撤回，不再有效" in gone.sentence
    with transaction() as session:
        session.execute(update(Document).where(Document.id == first).values(replaced_by=second))
    replaced = look_up(document(first).code)
    assert replaced is not None and replaced.status == "replaced" and "湘交信修决〔2026〕2号替代" in replaced.sentence
