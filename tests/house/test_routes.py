"""Every address stands under exactly one access rule, by hand; a new one fails until it is listed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from werkzeug.routing import Rule

from app.db import db, transaction
from app.models import Membership, User
from app.now import now
from app.security import GATES, KEEP_TYPED, KEYED, OPEN, SIGNED_IN_AT
from tests.casework.acts import everything
from tests.cast import SINCE, Cast
from workflows.law import rule

EVERYBODY, SIGNED_IN, FILER, OFFICER = "everybody", "signed in", "filer", "officer"
ADMINISTRATION, AGENCY, PROGRAM, WINDOW = "administration", "agency", "program", "window"

RULES: dict[str, str] = {
    # for everybody
    "bootstrap.static": EVERYBODY,
    "static": EVERYBODY,
    "interface.home": EVERYBODY,
    "interface.scope": EVERYBODY,
    "interface.format": EVERYBODY,
    "interface.openapi": EVERYBODY,
    "service.health": EVERYBODY,
    "service.ready": EVERYBODY,
    "public.home": EVERYBODY,
    "public.subject": EVERYBODY,
    "public.subject_qr": EVERYBODY,
    "public.subject_extract": EVERYBODY,
    "public.extract": EVERYBODY,
    "public.extract_pdf": EVERYBODY,
    "public.verify": EVERYBODY,
    "public.repair_guide": EVERYBODY,
    "public.policies": EVERYBODY,
    "public.progress": EVERYBODY,
    "public.search": EVERYBODY,
    "public.search_typed": EVERYBODY,
    "public.penalties": EVERYBODY,
    "public.penalties_sheet": EVERYBODY,
    "public.permits": EVERYBODY,
    "public.permits_sheet": EVERYBODY,
    "public.record": EVERYBODY,
    "public.record_qr": EVERYBODY,
    "public.verify_code": EVERYBODY,
    "account.login": EVERYBODY,
    "account.language": EVERYBODY,
    "account.logout": EVERYBODY,
    "account.sign_up": EVERYBODY,
    # for whoever is signed in
    "account.password": SIGNED_IN,
    "account.mandates": SIGNED_IN,
    "account.mandate_new": SIGNED_IN,
    "account.mandate": SIGNED_IN,
    "account.mandate_withdraw": SIGNED_IN,
    "account.mandate_end": SIGNED_IN,
    # 企业: who holds a mandate
    "enterprise.home": FILER,
    "enterprise.switch": FILER,
    "enterprise.records": FILER,
    "enterprise.record": FILER,
    "enterprise.credit_file": FILER,
    "enterprise.credit_file_extract": FILER,
    "enterprise.paper": FILER,
    "enterprise.paper_pdf": FILER,
    "enterprise.filing": FILER,
    "enterprise.contact": FILER,
    "enterprise.cases": FILER,
    "enterprise.case": FILER,
    "enterprise.papers": FILER,
    "enterprise.upload": FILER,
    "enterprise.detach": FILER,
    "enterprise.letter": FILER,
    "enterprise.step": FILER,
    "enterprise.why": FILER,
    "enterprise.done": FILER,
    "enterprise.document": FILER,
    "enterprise.pdf": FILER,
    "enterprise.file": FILER,
    # 经办窗口: who has a part in the casework of an office
    "desk.inbox": OFFICER,
    "desk.cases": OFFICER,
    "desk.case": OFFICER,
    "desk.step": OFFICER,
    "desk.why": OFFICER,
    "desk.done": OFFICER,
    "desk.document": OFFICER,
    "desk.pdf": OFFICER,
    "desk.file": OFFICER,
    "desk.records": OFFICER,
    "desk.record": OFFICER,
    "desk.subject": OFFICER,
    "desk.subject_asked": OFFICER,
    "desk.notice": OFFICER,
    "desk.paper": OFFICER,
    "desk.paper_pdf": OFFICER,
    "desk.annul": OFFICER,
    "desk.classify": OFFICER,
    "desk.mandates": OFFICER,
    "desk.mandate": OFFICER,
    "desk.mandate_paper": OFFICER,
    "desk.mandate_confirm": OFFICER,
    "desk.mandate_refuse": OFFICER,
    "desk.mandate_end": OFFICER,
    "desk.sharing": OFFICER,
    "desk.sharing_receiver": OFFICER,
    "desk.sharing_dead": OFFICER,
    "desk.sharing_skip": OFFICER,
    "desk.issues": OFFICER,
    "desk.issue": OFFICER,
    "desk.own_books": OFFICER,
    "desk.statements": OFFICER,
    "desk.statement": OFFICER,
    "desk.statement_file": OFFICER,
    "desk.codes": OFFICER,
    "desk.code": OFFICER,
    "desk.code_way": OFFICER,
    "desk.coverage": OFFICER,
    "desk.coverage_sheet": OFFICER,
    "desk.coverage_office": OFFICER,
    "desk.intake": OFFICER,
    "desk.intake_new": OFFICER,
    "desk.intake_template": OFFICER,
    "desk.intake_batch": OFFICER,
    "desk.intake_start": OFFICER,
    "desk.intake_drop": OFFICER,
    "desk.intake_undo": OFFICER,
    "desk.intake_result": OFFICER,
    "desk.intake_rows": OFFICER,
    "desk.intake_records": OFFICER,
    "desk.intake_row": OFFICER,
    "desk.intake_row_aside": OFFICER,
    # 窗口收件: who takes in applications at an office's window
    "hall.window": WINDOW,
    "hall.subject": WINDOW,
    "hall.filing": WINDOW,
    "hall.receipt": WINDOW,
    "hall.completion": WINDOW,
    # 联动部门: who acts for a linked department
    "agency.inbox": AGENCY,
    "agency.notices": AGENCY,
    "agency.switch": AGENCY,
    "agency.interface": AGENCY,
    "agency.interface_secret": AGENCY,
    "agency.interface_key_new": AGENCY,
    "agency.interface_key_end": AGENCY,
    "agency.interface_api_key_new": AGENCY,
    "agency.interface_api_key_end": AGENCY,
    "agency.interface_subscribe": AGENCY,
    "agency.interface_unsubscribe": AGENCY,
    "agency.notice": AGENCY,
    "agency.sheet": AGENCY,
    "agency.receipts": AGENCY,
    "agency.receipts_done": AGENCY,
    "agency.statements": AGENCY,
    "agency.statement": AGENCY,
    "agency.statement_digest": AGENCY,
    "agency.statement_lines": AGENCY,
    "agency.statement_file": AGENCY,
    # 接口: programs with a department's key; no session opens them
    "api.list_cases": PROGRAM,
    "api.read_case": PROGRAM,
    "api.take": PROGRAM,
    "api.list_notices": PROGRAM,
    "api.read_notice": PROGRAM,
    "api.list_receipts": PROGRAM,
    "api.give_receipt": PROGRAM,
    "api.push": PROGRAM,
    "api.read_filing": PROGRAM,
    "api.list_statements": PROGRAM,
    "api.draw": PROGRAM,
    "api.read_statement": PROGRAM,
    "api.list_lines": PROGRAM,
    "api.download_lines": PROGRAM,
    "api.download_statement": PROGRAM,
    "api.answer": PROGRAM,
    "api.find_subjects": PROGRAM,
    "api.read_file": PROGRAM,
    "api.list_records": PROGRAM,
    "api.read_shared_file": PROGRAM,
    "api.list_shared_records": PROGRAM,
    # 管理: the administrator, and the legal office for the law
    "admin.users": ADMINISTRATION,
    "admin.user": ADMINISTRATION,
    "admin.user_new": ADMINISTRATION,
    "admin.user_name": ADMINISTRATION,
    "admin.user_password": ADMINISTRATION,
    "admin.user_close": ADMINISTRATION,
    "admin.user_reopen": ADMINISTRATION,
    "admin.role_new": ADMINISTRATION,
    "admin.role_end": ADMINISTRATION,
    "admin.mandate_new": ADMINISTRATION,
    "admin.mandate_end": ADMINISTRATION,
    "admin.offices": ADMINISTRATION,
    "admin.office": ADMINISTRATION,
    "admin.endpoints": ADMINISTRATION,
    "admin.endpoint": ADMINISTRATION,
    "admin.endpoint_stop": ADMINISTRATION,
    "admin.endpoint_resume": ADMINISTRATION,
    "admin.law": ADMINISTRATION,
    "admin.attest": ADMINISTRATION,
    "admin.calendar": ADMINISTRATION,
    "admin.calendar_add": ADMINISTRATION,
}

PEOPLE = {
    "deng": {SIGNED_IN, FILER},
    "li": {SIGNED_IN, OFFICER, WINDOW},
    "tang": {SIGNED_IN, OFFICER},
    "jiang": {SIGNED_IN, OFFICER, ADMINISTRATION},
    "shen": {SIGNED_IN, ADMINISTRATION},
    "linked": {SIGNED_IN, AGENCY},
    "guest": {SIGNED_IN},
}
"""Which rules let whom in. 法制 sees cases and attests law rows."""


@pytest.fixture
def people(app: Flask, cast: Cast) -> Iterator[Cast]:
    """The cast, a linked department's clerk and somebody without any part."""
    with transaction():
        for login in ("linked", "guest"):
            cast.users[login] = db.session.execute(
                insert(User.__table__)
                .values(login=login, name=login, password_hash="", active=True, session_version=1, failures=0)
                .returning(User.id)
            ).scalar_one()
        db.session.execute(
            insert(Membership).values(
                user_id=cast.users["linked"], office_id=cast.offices["ld-market"], role="linked", valid_from=SINCE
            )
        )
    yield cast


class Browser(FlaskClient):
    """Somebody's browser. The test stands in the application's context, where the last visitor would be remembered."""

    def open(self, *args: Any, **more: Any) -> Any:
        g.pop("_login_user", None)
        return super().open(*args, **more)


def visitor(app: Flask, user: int | None) -> FlaskClient:
    """A browser in which somebody is signed in, or nobody."""
    client = Browser(app, app.response_class, use_cookies=True)
    if user is not None:
        with client.session_transaction() as session:
            session["_user_id"] = f"{user}.1"
            session["_fresh"] = True
            session[SIGNED_IN_AT] = now().timestamp()
    return client


def doors(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """Every address and method, with something in its gaps that no row has."""
    for door in app.url_map.iter_rules():
        address = re.sub(r"<int[^>]*>", "999999", door.rule)
        address = re.sub(r"<[^>]*>", "XF-NOSUCH00", address)
        for method in sorted((door.methods or set()) - {"HEAD", "OPTIONS"}):
            yield door, method, address


def test_every_address_is_listed_under_one_rule(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints - set(RULES) == set(), "new addresses need a rule"
    assert set(RULES) - endpoints == set(), "rules without an address"


def test_a_counter_without_a_gate_is_shut(app: Flask) -> None:
    for endpoint, who in RULES.items():
        counter = endpoint.partition(".")[0]
        assert (counter in OPEN) == (who in (EVERYBODY, SIGNED_IN)), endpoint
        assert (counter in KEYED) == (who == PROGRAM), endpoint
        assert (counter in GATES) == (counter not in OPEN | KEYED), endpoint


def test_nobody_gets_in_without_signing_in(app: Flask, people: Cast) -> None:
    client = visitor(app, None)
    before = everything()
    for door, method, address in doors(app):
        answer = client.open(address, method=method)
        if RULES[door.endpoint] == EVERYBODY:
            assert answer.status_code not in (401, 403), (method, address)
            assert "/login" not in answer.headers.get("Location", ""), (method, address)
        elif method == "GET" and RULES[door.endpoint] != PROGRAM:
            assert answer.status_code == 302, (method, address)
            assert answer.headers["Location"].startswith("/login?next="), (method, address)
        else:
            token_first = RULES[door.endpoint] == SIGNED_IN
            assert answer.status_code in ((400, 401) if token_first else (401,)), (method, address)
        assert answer.status_code < 500 or door.endpoint == "service.ready", (method, address)
    assert everything() == before


@pytest.mark.parametrize("name", PEOPLE)
def test_everybody_gets_in_where_they_belong_and_nowhere_else(app: Flask, people: Cast, name: str) -> None:
    client = visitor(app, people.users[name])
    for door, method, address in doors(app):
        if door.endpoint == "account.logout":
            continue
        wanted = RULES[door.endpoint]
        answer = client.open(address, method=method)
        seen = (name, method, address, answer.status_code)
        assert answer.status_code < 500 or door.endpoint == "service.ready", seen
        if wanted == PROGRAM:
            assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), seen
        elif wanted != EVERYBODY and wanted not in PEOPLE[name]:
            assert answer.status_code == 403, seen
        elif wanted in (FILER, OFFICER, AGENCY, WINDOW):
            assert answer.status_code not in (401, 403), seen
        else:
            assert answer.status_code != 401, seen


def test_only_the_administrator_changes_people_offices_and_calendar(
    app: Flask, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The legal office comes in for the law and no further; the administrator reads the law and vouches for none."""
    monkeypatch.setitem(app.config, "WTF_CSRF_METHODS", set())
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    legal, administrator = (visitor(app, people.users[name]) for name in ("jiang", "shen"))
    user = people.users["li"]
    before = everything()
    for page in ("", "/new", f"/{user}", f"/{user}/name", f"/{user}/password", f"/{user}/close", f"/{user}/roles/new"):
        assert legal.get(f"/admin/users{page}").status_code == 403, page
        assert legal.post(f"/admin/users{page}", data={}).status_code in (403, 405), page
    assert legal.post("/admin/calendar/add", data={}).status_code == 403
    row = rule("repair.accept_within").rows[0]
    attesting = f"/admin/law/attest?rule={row.rule_id}&row={row.digest}"
    words = {"rule": row.rule_id, "row": row.digest, "note": "已核对正式文本", "basis": "已核对正式文本"}
    assert administrator.post(attesting, data=words).status_code == 403
    assert everything() == before
    assert (legal.get(attesting).status_code, administrator.get("/admin/users").status_code) == (200, 200)


def test_no_form_is_taken_without_its_token(app: Flask, people: Cast) -> None:
    """Most are refused at once; the long ones come back with what was typed, and nothing is done."""
    before = everything()
    for name in ("deng", "li", "shen", None):
        client = visitor(app, people.users[name] if name else None)
        for door, method, address in doors(app):
            if method == "POST":
                status = client.post(address, data={"key": "k"}).status_code
                expected = {404, 422} if door.endpoint in KEEP_TYPED else {400}
                assert status in expected | {401, 403}, (name, address, status)
    assert everything() == before


def test_a_session_that_was_ended_or_belongs_to_nobody_opens_nothing(app: Flask, people: Cast) -> None:
    client = visitor(app, None)
    for identity in ("999999.1", f"{people.users['li']}.2", f"{people.users['li']}", "x.1", "", "1.1.1", "-1.1"):
        with client.session_transaction() as session:
            session["_user_id"] = identity
            session[SIGNED_IN_AT] = now().timestamp()
        answer = client.get("/desk/")
        assert (answer.status_code, answer.headers["Location"].startswith("/login")) == (302, True), identity
    assert db.session.execute(select(User.session_version).where(User.login == "li")).scalar_one() == 1
    db.session.rollback()


def test_what_a_signed_in_person_sees_is_not_kept_by_the_browser(app: Flask, people: Cast) -> None:
    answer = visitor(app, people.users["li"]).get("/desk/")
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe-inline" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_an_address_that_does_not_exist_says_so_to_everybody(app: Flask, people: Cast) -> None:
    for name in (None, "li", "deng"):
        client = visitor(app, people.users[name] if name else None)
        for address in ("/no-such-page", "/my/cases/../../etc/passwd", "/desk/cases/%00", "/verify/' OR 1=1"):
            answer = client.get(address)
            assert answer.status_code in (302, 403, 404), (name, address, answer.status_code)
