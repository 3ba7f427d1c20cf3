"""Who may read what by the interface: a table by hand, role × door × object. What is not theirs does not exist, and no
list, feed or file says that it is there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.db import db
from app.models import Case, Filing, Notice, Office
from app.notices.api_keys import GRANTED, scopes_for
from app.registry.codes import complete_code
from app.views.api.door import blueprint
from tests.api.conftest import Program, a_key
from tests.api.test_filings import application, push, record
from tests.build import a_case
from tests.cast import Cast

# + answers    - 404, does not exist for them    x 403, the key is not for this
TABLE = """
                                                province changsha market trading china
/cases                                          +        +        x      x       x
/cases/{province_case}                          +        -        x      x       x
/cases/{changsha_case}                          +        +        x      x       x
/cases/{draft}                                  -        -        x      x       x
/cases/{pushed_case}                            +        -        x      x       x
/notices                                        x        x        +      +       +
/notices/{market_notice}                        x        x        +      -       -
/notices/{trading_notice}                       x        x        -      +       -
/notices/{china_notice}                         x        x        -      -       +
/notices/{market_notice}/receipts               x        x        +      -       -
/notices/{trading_notice}/receipts              x        x        -      +       -
/statements                                     x        x        +      +       +
/statements/{market_statement}                  x        x        +      -       -
/statements/{market_statement}/lines            x        x        +      -       -
/statements/{market_statement}/lines.csv        x        x        +      -       -
/statements/{market_statement}/statement.pdf    x        x        -      -       -
/statements/{trading_statement}                 x        x        -      +       -
/statements/{trading_statement}/lines           x        x        -      +       -
/filings/{pushed}                               x        x        x      x       +
/filings/{own}                                  x        x        x      x       -
/subjects?name=岳衡                             +        +        +      +       +
/subjects/{company}                             +        +        +      +       +
/subjects/{company}/records?section=penalties   +        +        +      +       +
/subjects/{nobody}                              -        -        -      -       -
/shared/subjects/{company}?purpose=审查         +        +        +      +       x
/shared/subjects/{company}/records?section=penalties&purpose=审查 + +    +      +       x
"""

STATUS = {"+": 200, "-": 404, "x": 403}
WHO = {
    "province": ("province", "li"), "changsha": ("changsha", "liu"), "market": ("ld-market", "hu"),
    "trading": ("ld-trading", "ren"), "china": ("ld-creditchina", "xin"),
}  # fmt: skip


@pytest.fixture
def programs(app: Flask, people: Cast) -> dict[str, Program]:
    """Each department's system, with a key for everything such a department may do; to 信用中国 nobody has opened the
    range of 政务共享."""
    kinds = {row.code: row for row in db.session.execute(select(Office.code, Office.kind, Office.receives))}
    found = {}
    for who, (office, user) in WHO.items():
        row = kinds[{"province": "jt-430000", "changsha": "jt-430100"}.get(office, office)]
        scopes = set(scopes_for(row.kind, row.receives)) - (GRANTED if who == "china" else set())
        found[who] = Program(app, a_key(people, office, user, *scopes))
    db.session.rollback()
    return found


@pytest.fixture
def things(app: Flask, people: Cast, programs: dict[str, Program]) -> dict[str, Any]:
    """What stands for each word of the table."""
    filed = push(programs["china"], application(people, record(people))).get_json()
    found: dict[str, Any] = {
        "pushed": filed["receipt"], "pushed_case": filed["outcomes"][0]["case"],
        "province_case": a_case(people, at="processing"), "changsha_case": a_case(people, office="changsha"),
        "draft": a_case(people, at="draft"), "company": people.codes["yueheng"],
        "nobody": complete_code("91430100MA7X9W9W"),
    }  # fmt: skip
    for who in ("market", "trading", "china"):
        key = select(Notice.key).join(Office).where(Office.code == WHO[who][0]).order_by(Notice.id).limit(1)
        found[f"{who}_notice"] = db.session.execute(key).scalar_one()
        if who != "china":
            days = {"since": "2026-11-24", "until": "2026-11-24"}
            drawn = programs[who].post("/statements", days, Idempotency_Key="draw-0001")
            found[f"{who}_statement"] = drawn.get_json()["id"]
    own = select(Filing.receipt).join(Case, Case.filing_id == Filing.id).where(Case.number == found["draft"])
    found["own"] = db.session.execute(own).scalar_one()
    db.session.rollback()
    return found


def table() -> list[tuple[str, str, str]]:
    """(address, who, mark) of the table."""
    head, *lines = TABLE.strip("\n").splitlines()
    names, rows = head.split(), [line.split() for line in lines]
    return [(row[0], who, mark) for row in rows for who, mark in zip(names, row[1:], strict=True)]


def test_every_door_that_reads_stands_in_the_table(app: Flask) -> None:
    written = {re.sub(r"\{[a-z_]+\}", "{}", address.partition("?")[0]) for address, _who, _mark in table()}
    doors = {
        re.sub(r"<[^>]+>", "{}", rule.rule.removeprefix("/api/v1"))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(f"{blueprint.name}.") and "GET" in (rule.methods or ())
    }
    assert written == doors


def test_each_department_reads_what_the_table_says_and_nothing_else(
    app: Flask, people: Cast, programs: dict[str, Program], things: dict[str, Any]
) -> None:
    wrong = []
    for address, who, mark in table():
        answer = programs[who].get(address.format(**things))
        if answer.status_code != STATUS[mark]:
            wrong.append(f"{address} for {who}: {answer.status_code}, {mark} in the table")
    assert not wrong, "\n".join(wrong)


def test_no_list_tells_of_what_is_somebody_elses(
    app: Flask, people: Cast, programs: dict[str, Program], things: dict[str, Any]
) -> None:
    lists = {"province": ["/cases"], "changsha": ["/cases"], "china": ["/notices", "/statements"]}
    lists |= dict.fromkeys(("market", "trading"), ["/notices", "/statements"])
    may = {
        "province": {"province_case", "changsha_case", "pushed_case"}, "changsha": {"changsha_case"},
        "market": {"market_notice"}, "trading": {"trading_notice"}, "china": {"china_notice"},
    }  # fmt: skip
    for who, addresses in lists.items():
        told = "".join(programs[who].get(address).get_data(as_text=True) for address in addresses)
        hers = {f'"{things[name]}"' for name in may[who]}
        assert all(one in told for one in hers), who
        for name, value in things.items():
            if isinstance(value, str) and name not in may[who] and name not in ("pushed", "own", "company", "nobody"):
                assert f'"{value}"' not in told, (who, name)


def test_what_one_may_not_read_one_may_not_write_either(
    app: Flask, people: Cast, programs: dict[str, Program], things: dict[str, Any]
) -> None:
    signed = {"Receipt_Key": "2026", "Receipt_Signature": "x"}
    step = {"If_Match": '"4"', "Idempotency_Key": "step-0001"}
    for who, path, body, headers, status in (
        ("changsha", f"/cases/{things['province_case']}/steps/serve", {"answers": {"manner": "portal"}}, step, 404),
        ("market", f"/cases/{things['province_case']}/steps/serve", {"answers": {"manner": "portal"}}, step, 403),
        ("trading", f"/notices/{things['market_notice']}/receipts", {"key": "k", "kind": "done"}, signed, 404),
        ("province", f"/notices/{things['market_notice']}/receipts", {"key": "k", "kind": "done"}, signed, 403),
        ("trading", f"/statements/{things['market_statement']}/answer", {"digest": "0" * 64}, {}, 404),
        ("market", "/filings", application(people, record(people)), {"Idempotency_Key": "push-0009"}, 403),
    ):
        answer = programs[who].post(path, body, **headers)
        assert answer.status_code == status, (who, path, answer.get_data(as_text=True))
