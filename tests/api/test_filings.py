"""信用中国 pushes what applicants handed in there: filed and signed for once, refused record by record, followed."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from app.db import db, transaction
from app.models import AttachmentUse, Case, CreditRecord, Filing, JournalLine, Membership
from tests.api.conftest import Program, a_key, own_system, problem
from tests.build import a_case, night, state, version, walk
from tests.cast import SINCE, Cast
from tests.databases import database
from tests.journeys.hostile import photograph
from workflows.calendar import legal_day

__all__ = ["database"]

CODE = "承诺-7731"


@pytest.fixture
def china(app: Flask, people: Cast) -> Program:
    """The system of 信用中国."""
    return Program(app, a_key(people, "ld-creditchina", "xin", "filings", "notices"))


def record(cast: Cast, **penalty: Any) -> dict[str, str]:
    """A record as 信用中国 names it."""
    found = cast.penalty(**penalty)
    public_id = db.session.execute(select(CreditRecord.public_id).where(CreditRecord.id == found)).scalar_one()
    db.session.rollback()
    return {"public_id": public_id}


def application(cast: Cast, *records: dict[str, str], **changed: Any) -> dict[str, Any]:
    """What the clerk of 岳衡 handed in there yesterday."""
    body = {
        "number": "XYZG-2026-000017", "received_on": "2026-11-23", "name": "湖南岳衡物流有限公司",
        "code": cast.codes["yueheng"], "records": list(records),
        "letter": {
            "signer": "罗建平", "capacity": "legal_representative", "signed_on": "2026-11-23", "code": CODE,
        },
        "statement": "罚款已经缴清。", "contact": "邓敏", "phone": "13800000000",
        "proofs": [{"name": "缴款凭证.png", "data": b64encode(photograph()).decode()}],
    }  # fmt: skip
    return {name: value for name, value in (body | changed).items() if value is not None}


def paper(data: str) -> dict[str, str]:
    """A file as it is sent."""
    return {"name": "证明.png", "data": data}


def push(china: Program, body: Any, key: str = "push-0001") -> Any:
    """Push an application."""
    return china.post("/filings", body, Idempotency_Key=key)


def filings() -> int:
    """How many filings there are."""
    found = db.session.execute(select(func.count()).select_from(Filing)).scalar_one()
    db.session.rollback()
    return int(found)


def test_an_application_is_filed_signed_for_and_followed_to_its_end(app: Flask, people: Cast, china: Program) -> None:
    answer = push(china, application(people, record(people)))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    filed = answer.get_json()
    number = filed["outcomes"][0]["case"]
    case = db.session.execute(select(Case).where(Case.number == number)).scalar_one()
    assert (case.channel, case.other_number, legal_day(case.t0).isoformat()) == (
        "creditchina",
        "XYZG-2026-000017",
        "2026-11-23",
    )
    assert legal_day(case.t1).isoformat() == "2026-11-24", "T0 as they say, T1 now"
    db.session.rollback()
    for name, step, answers in (
        ("li", "accept", {}), ("zhou", "review", {"opinion": "grant", "finding": "已履行"}), ("chen", "confirm", {}),
    ):  # fmt: skip
        walk(people, number, name, step, **answers)
    seen = china.get(f"/filings/{filed['receipt']}").get_json()
    (stands,) = seen["cases"]
    assert (seen["number"], stands["number"], stands["state"]) == ("XYZG-2026-000017", number, "processing")
    assert {paper["kind"] for paper in stands["documents"]} >= {"receipt", "acceptance", "grant"}
    assert {due["clock"] for due in stands["deadlines"]} >= {"total"}
    told = china.get("/notices").get_json()["notices"]
    assert [one["act"] for one in told] == ["accept", "confirm"], "what comes of it goes back the same way"


def test_the_same_push_again_gets_the_same_answer_and_another_under_its_key_or_number_none(
    app: Flask, people: Cast, china: Program
) -> None:
    body = application(people, record(people))
    first = push(china, body)
    again, under_another_key = push(china, body), push(china, body, "push-0002")
    for answer in (again, under_another_key):
        assert (answer.status_code, answer.get_json()) == (201, first.get_json())
    for key, changed in (("push-0001", {"statement": "别的"}), ("push-0003", {"statement": "别的"})):
        answer = push(china, body | changed, key)
        assert (answer.status_code, problem(answer)["code"]) == (409, "KEY_REUSED"), key
    assert filings() == 1


def test_a_record_that_may_not_be_repaired_never_blocks_the_others(app: Flask, people: Cast, china: Program) -> None:
    good, early = record(people), record(people, on="2026-11-02")
    body = application(people, good, {"number": "湘交罚〔1999〕1号"}, early)
    outcomes = push(china, body).get_json()["outcomes"]
    assert outcomes[0]["case"] and outcomes[0]["public_id"] == good["public_id"]
    assert (outcomes[1]["case"], outcomes[1]["refusals"][0]["code"]) == ("", "NO_RECORD")
    assert state(outcomes[2]["case"]) == "held", "what comes too early is held"


def test_what_cannot_be_filed_at_all_comes_back_whole_with_every_reason(
    app: Flask, people: Cast, china: Program
) -> None:
    good = record(people)
    picture = b64encode(photograph()).decode()
    friend = {"signer": "x", "capacity": "friend", "signed_on": "2026-11-23"}
    text = [paper(b64encode(b"hello").decode())]
    for what, body, field in (
        ("another name", application(people, good, name="湖南衡岳运输有限公司"), ""),
        ("nobody's code", application(people, good, code="91430100MA7X9K3Q1A"), ""),
        ("tomorrow", application(people, good, received_on="2026-11-25"), ""),
        ("no letter", application(people, good, letter=None), "letter"),
        ("no file", application(people, good, proofs=[paper(b64encode(b"%PDF-").decode())]), ""),
        ("no base64", application(people, good, proofs=[paper(picture[:-3] + "!!!")]), "proofs.0.data"),
        ("words for base64", application(people, good, proofs=[paper("一二三四")]), "proofs.0.data"),
        ("half a file", application(people, good, proofs=[paper("iVBOR")]), ""),
        ("text as a file", application(people, good, proofs=text), ""),
        ("no records", application(people), "records"),
        ("too many", application(people, *[good] * 51), "records"),
        ("a phone that is none", application(people, good, phone="call me"), "phone"),
        ("a hidden character", application(people, good, name="湖南岳衡\u202e物流有限公司"), "name"),
        ("two lines", application(people, good, number="XYZG\n1"), "number"),
        ("a number for a text", application(people, good, number=17), "number"),
        ("something more", application(people, good, colour="red"), "colour"),
        ("a day of another age", application(people, good, received_on="0001-01-01"), "received_on"),
        ("nobody's capacity", application(people, good, letter=friend), "letter.capacity"),
    ):  # fmt: skip
        answer = push(china, body)
        assert answer.status_code == 422, (what, answer.get_data(as_text=True))
        said = problem(answer)
        assert field in [one["field"] for one in said.get("errors", [{"field": ""}])], (what, said)
    rows = db.session.execute(
        select(*(select(func.count()).select_from(one).scalar_subquery() for one in (Filing, Case, AttachmentUse)))
    ).one()
    assert tuple(rows) == (0, 0, 0)
    db.session.rollback()


def test_only_the_department_behind_信用中国_pushes_and_follows(app: Flask, people: Cast, china: Program) -> None:
    receipt = push(china, application(people, record(people))).get_json()["receipt"]
    market = Program(app, a_key(people, "ld-market", "hu", "notices", "receipts", "statements"))
    assert market.post("/filings", application(people, record(people)), Idempotency_Key="push-0001").status_code == 403
    assert market.get(f"/filings/{receipt}").status_code == 403
    assert own_system(app, people, "li").get(f"/filings/{receipt}").status_code == 403
    own = db.session.execute(select(Filing.receipt).join(Case).where(Case.number == a_case(people))).scalar_one()
    db.session.rollback()
    assert china.get(f"/filings/{own}").get_data() == china.get("/filings/2222-2222").get_data()
    assert china.get(f"/filings/{own}").status_code == 404, "what was filed elsewhere is not theirs"


def test_a_clerk_of_信用中国_who_serves_elsewhere_carries_only_with_the_right_key(
    app: Flask, people: Cast, china: Program
) -> None:
    with transaction():
        db.session.execute(
            insert(Membership).values(
                user_id=people.users["xin"], office_id=people.offices["ld-market"], role="linked", valid_from=SINCE
            )
        )
    receipt = push(china, application(people, record(people))).get_json()["receipt"]
    assert china.get(f"/filings/{receipt}").status_code == 200
    market = Program(app, a_key(people, "ld-market", "xin", "notices"))
    assert market.get(f"/filings/{receipt}").status_code == 403
    line = db.session.execute(select(JournalLine).where(JournalLine.act == "submit")).scalar_one()
    assert (line.person, line.role) == (people.users["xin"], "carrier")
    db.session.rollback()


def test_what_waits_for_the_applicant_is_seen_there(app: Flask, people: Cast, china: Program) -> None:
    filed = push(china, application(people, record(people))).get_json()
    number = filed["outcomes"][0]["case"]
    items = [{"name": "履行证明", "problem": "看不清", "remedy": "重新拍照"}]
    li = own_system(app, people, "li")
    assert li.step(number, "correct", version(number), "correct-1", items=items).status_code == 200
    night(with_press=False)
    (stands,) = china.get(f"/filings/{filed['receipt']}").get_json()["cases"]
    assert (stands["state"], stands["final"]) == ("correcting", False)
    assert "correction" in [paper["kind"] for paper in stands["documents"]]
    assert "correct" in [due["clock"] for due in stands["deadlines"]]
