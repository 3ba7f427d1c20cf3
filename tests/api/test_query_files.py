"""查信用档案: what a department's program may know of a company: found by name or code, in the range of its key, each
look counted against a quota and written down about whoever was looked at."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from app.db import db, transaction
from app.journal import check_chain
from app.models import ApiKeyDay, CreditRecord, Identifier, JournalLine, Subject
from app.now import moved_to, now
from app.registry.codes import complete_code, id_check_character
from app.registry.enter import Standing, enter_penalty
from app.registry.publish import state_fact
from tests.api.conftest import Program, a_key, problem
from tests.cast import SINCE, Cast
from tests.conftest import Clock

PHONE, HEAD, REGISTRATION = "13800138000", "罗建平", "430100000012345"
DOCUMENT = "43999919880312003" + id_check_character("43999919880312003")
PURPOSE = "道路运输经营许可审查"
CANARIES = (PHONE, HEAD, DOCUMENT)


@pytest.fixture
def company(people: Cast) -> str:
    """湖南岳衡物流有限公司 with a penalty in whose words stands what is nobody's business."""
    with transaction():
        enter_penalty(
            people.subjects["yueheng"], people.offices["province"],
            {
                "CF_XDR_MC": "湖南岳衡物流有限公司", "CF_XDR_LB": "法人及非法人组织",
                "CF_XDR_SHXYM": people.codes["yueheng"], "CF_XDR_GSZC": REGISTRATION, "CF_FRDB": HEAD,
                "CF_FR_ZJLX": "身份证", "CF_FR_ZJHM": DOCUMENT, "CF_WSH": "湘交罚〔2026〕900号", "CF_WFXW": "超限运输",
                "CF_SY": f"{HEAD}（{DOCUMENT}，{PHONE}）承认超限", "CF_YJ": "《公路安全保护条例》第六十四条",
                "CF_CFLB": "罚款", "CF_NR": "罚款人民币叁万元整", "CF_NR_FK": "3.000000", "CF_JDRQ": "2026-05-18",
                "CF_YXQ": "2099/12/31", "CF_CFJG": "湖南省交通运输厅", "CF_CFJGDM": people.codes["office"],
                "CF_SJLY": "湖南省交通运输厅", "CF_SJLYDM": people.codes["office"], "BZ": "内部备注",
            },
            Standing(fine_size="较大", duty="performed"), now(),
        )  # fmt: skip
    return people.codes["yueheng"]


def asking(app: Flask, people: Cast, *scopes: str, **more: Any) -> Program:
    """The system of the market supervision."""
    return Program(app, a_key(people, "ld-market", "hu", *(scopes or ("files", "shared")), **more))


def looks(people: Cast, of: str = "yueheng") -> list[Any]:
    """What the journal says of who has looked at a company."""
    subject = people.subjects[of]
    assert check_chain("subject", subject) == []
    lines = select(
        JournalLine.act, JournalLine.person_name, JournalLine.role, JournalLine.office_id, JournalLine.answers
    )
    lines = lines.where(JournalLine.about == "subject", JournalLine.about_id == subject).order_by(JournalLine.seq)
    found = list(db.session.execute(lines).all())
    db.session.rollback()
    return found


def counts() -> list[tuple[int, int]]:
    """(searches, looks) of every day."""
    rows = db.session.execute(select(ApiKeyDay.searches, ApiKeyDay.looks).order_by(ApiKeyDay.day)).all()
    db.session.rollback()
    return [tuple(row) for row in rows]


def fields(answer: Any) -> dict[str, str]:
    """The fields of the one penalty in a file."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    penalties = next(one for one in answer.get_json()["sections"] if one["section"] == "penalties")
    (record,) = penalties["records"]
    assert penalties["count"] == 1
    return {field["code"]: field["value"] for field in record["fields"]}


def test_a_key_sees_what_its_range_allows_and_never_a_person(app: Flask, people: Cast, company: str) -> None:
    market = asking(app, people)
    public = market.get(f"/subjects/{company}")
    shared = market.get(f"/shared/subjects/{company}?purpose={PURPOSE}")
    seen, more = fields(public), fields(shared)
    assert (public.get_json()["range"], shared.get_json()["range"]) == ("社会公开", "政务共享")
    assert "CF_XDR_GSZC" not in seen and "BZ" not in seen
    assert more == seen | {"CF_XDR_GSZC": REGISTRATION, "BZ": "内部备注"}, (
        "the shared range is the public one and its own"
    )
    for answer in (public, shared):
        told = answer.get_data(as_text=True)
        assert not [canary for canary in CANARIES if canary in told], told
        assert answer.get_json()["representative"] == "罗*" and "CF_FR_ZJHM" not in fields(answer)
        assert answer.headers["Cache-Control"] == "no-store"
    part = f"/shared/subjects/{company}/records?section=penalties&purpose={PURPOSE}"
    assert not [canary for canary in CANARIES if canary in market.get(part).get_data(as_text=True)]

    only_public = asking(app, people, "files")
    assert problem(only_public.get(f"/shared/subjects/{company}?purpose={PURPOSE}"))["code"] == "SCOPE"
    (wrong,) = problem(market.get(f"/shared/subjects/{company}"))["errors"]
    assert wrong["field"] == "purpose", "nobody looks further than the public without saying what for"


def test_every_look_is_counted_and_written_down(app: Flask, people: Cast, company: str) -> None:
    market = asking(app, people)
    market.get("/subjects?name=" + quote("岳衡"))
    market.get(f"/subjects/{company}?on=2026-11-24")
    market.get(f"/subjects/{company}/records?section=permits")
    market.get(f"/shared/subjects/{company}?purpose={PURPOSE}")
    assert market.get(f"/subjects/{complete_code('91430100MA7X9W9W')}").status_code == 404
    assert counts() == [(1, 4)], "a code that nobody has is counted too"
    told = looks(people)
    assert [(line.act, line.person_name, line.role, line.office_id) for line in told] == [
        ("query", "胡悦", "linked", people.offices["ld-market"])
    ] * 3
    assert [line.answers["range"] for line in told] == ["社会公开", "社会公开", "政务共享"]
    assert [line.answers.get("purpose") for line in told] == ["", "", PURPOSE]
    assert told[0].answers["day"] == "2026-11-24" and told[1].answers["section"] == "permits"
    assert told[0].answers["key"] == "hu 的系统"


def test_the_quota_of_a_day_ends_with_the_day(app: Flask, people: Cast, company: str, clock: Clock) -> None:
    market = asking(app, people, "files", per_day=2)
    assert market.get("/subjects?name=" + quote("岳衡")).status_code == 200
    assert market.get(f"/subjects/{company}").status_code == 200
    for path in (f"/subjects/{company}", "/subjects?name=" + quote("岳衡")):
        answer = market.get(path)
        assert (answer.status_code, problem(answer)["code"]) == (429, "QUOTA_DAY")
        assert int(answer.headers["Retry-After"]) == 14 * 3600 + 1, "until midnight"
    assert counts() == [(1, 1)] and len(looks(people)) == 1, "what was refused is neither counted nor written down"
    clock.go("2026-11-25 00:00")
    assert market.get(f"/subjects/{company}").status_code == 200
    assert counts() == [(1, 1), (0, 1)]


def test_a_company_is_found_under_every_code_it_ever_had(app: Flask, people: Cast, company: str, clock: Clock) -> None:
    new = complete_code("91430100MA7X9W9W")
    with transaction():
        db.session.execute(update(Identifier).where(Identifier.value == company).values(valid_until=date(2026, 10, 31)))
        db.session.execute(
            insert(Identifier).values(
                subject_id=people.subjects["yueheng"], kind="uscc", value=new, valid_from=date(2026, 11, 1)
            )
        )
    market = asking(app, people, "files")
    told = market.get(f"/subjects/{company.lower()}").get_json()
    assert (told["asked"], told["code"]) == (company, new)
    assert [(one["code"], one["until"]) for one in told["codes"]] == [(company, "2026-10-31"), (new, None)]
    assert market.get(f"/subjects/{new}?on=2026-10-01").get_json()["code"] == company, "as it was on that day"
    assert problem(market.get(f"/subjects/{company}?on=2026-11-25"))["errors"][0]["field"] == "on"
    assert problem(market.get(f"/subjects/{company[:-1]}0"))["errors"][0]["field"] == "code"


def test_what_is_no_longer_shown_is_told_to_no_program(app: Flask, people: Cast, company: str, clock: Clock) -> None:
    market = asking(app, people)
    record = market.get(f"/subjects/{company}").get_json()["sections"][1]["records"][0]
    assert record["number"] == "湘交罚〔2026〕900号" and record["shown_since"] == "2026-11-24"
    with transaction():
        repaired = db.session.execute(select(CreditRecord.id)).scalar_one()
        state_fact(repaired, "repair", date(2026, 11, 25), now(), "准予信用修复")
    clock.go("2026-11-26")
    for path in (f"/subjects/{company}?", f"/shared/subjects/{company}?purpose={PURPOSE}&"):
        assert all(not one["records"] for one in market.get(path).get_json()["sections"])
        past = market.get(f"{path}on=2026-11-24").get_json()
        assert past["ended_since"] == 1 and all(not one["records"] for one in past["sections"])


def test_a_natural_person_is_found_by_nothing(app: Flask, people: Cast) -> None:
    with transaction():
        subject = db.session.execute(
            insert(Subject).values(kind="person", name="欧阳志远", region="430100").returning(Subject.id)
        ).scalar_one()
        code = complete_code("92430100MA7X9W9W")
        db.session.execute(insert(Identifier).values(subject_id=subject, kind="uscc", value=code, valid_from=SINCE))
    market = asking(app, people)
    assert market.get("/subjects?name=" + quote("欧阳")).get_json() == {"subjects": [], "next": "", "more": False}
    assert market.get(f"/subjects/{code}").status_code == 404
    for path in (f"/subjects/{DOCUMENT}", f"/subjects?name={DOCUMENT}", f"/subjects?name={PHONE}"):
        answer = market.get(path)
        assert problem(answer)["status"] == 422 and not [
            one for one in CANARIES if one in answer.get_data(as_text=True)
        ]
    assert counts() == [(1, 1)]


def test_lists_are_walked_to_their_end_without_a_gap(app: Flask, people: Cast, company: str) -> None:
    for on in ("2026-06-01", "2026-06-01", "2026-07-01"):
        people.penalty(on=on)
    market = asking(app, people, "files")
    found, after = [], ""
    while True:
        page = market.get(f"/subjects/{company}/records?section=penalties&limit=1&after={after}").get_json()
        found += [record["recognised_on"] for record in page["records"]]
        after = page["next"]
        if not page["more"]:
            break
    assert found == ["2026-07-01", "2026-06-01", "2026-06-01", "2026-05-18"] and after == ""
    names, after = [], ""
    while True:
        page = market.get(f"/subjects?name={quote('湖南')}&limit=1&after={after}").get_json()
        names += [one["name"] for one in page["subjects"]]
        after = page["next"]
        if not page["more"]:
            break
    assert sorted(names) == ["湖南岳衡物流有限公司", "湖南衡岳运输有限公司"]
    for path in (f"/subjects/{company}/records?section=penalties&after=x", "/subjects?name=ab&after=x"):
        assert problem(market.get(path))["errors"][0]["field"] == "after"


@pytest.mark.parametrize("database", ["postgresql"])
def test_looks_at_the_same_moment_are_all_written_down(
    app: Flask, people: Cast, company: str, clock: Clock, database: str
) -> None:
    """One chain, one count, and nobody is told to come back."""
    market = asking(app, people, "files", per_day=20)

    def look(_n: int) -> int:
        with moved_to(clock):
            return market.get(f"/subjects/{company}").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(look, range(24)))
    assert sorted(answers) == [200] * 20 + [429] * 4
    assert counts() == [(0, 20)] and len(looks(people)) == 20
