"""Whatever comes in: taken whole, or refused with a sentence that says what to do. Never a broken page, never half a
write, never silence, and what was typed stands in the form again."""

from __future__ import annotations

import io
import json
import logging
import re
import traceback
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from app.db import db
from app.models import Case, Document, JournalLine, Membership
from app.security import KEYED
from tests.build import state, version
from tests.journeys.hostile import (
    EVERYBODY,
    Asked,
    Stage,
    crawl,
    forms_on,
    pages_with_forms,
    read,
    rows,
    send,
    speaks,
)  # fmt: skip
from workflows.grammar import NEW
from workflows.people import Role
from workflows.repair import REPAIR

TYPED = [
    "", "a\x00b", "²", "-1", "9" * 5000, "字" * 5_000, "<script>alert(1)</script>' OR 1=1 --",
    "{{7*7}} {% raw %} %s %(name)s {0} {x.__class__}", "\u202e反的\u2066", "a\r\nSet-Cookie: b=c", "0001-01-01",
    "9999-12-31", "2026-02-30", "😀 𠮷 é e\u0301", ":" * 3_900,
]  # fmt: skip
"""What is typed into every field of a form at once."""

SENT = ["", "\x00", "²", "-1", "99999999999999999999", "9" * 5000, "字" * 3000, "<b>../"]
"""What is sent in the place of what a page had filled in."""

FILERS_AND_OFFICERS = [None, "deng", "luo", "li", "zhou", "chen", "he", "tang", "jiang", "shen", "linked", "both"]


def judge(what: str, answer: TestResponse, before: dict[str, int]) -> bool:
    """Whether the house took it; a refusal must have words and leave everything as it was."""
    assert answer.status_code < 500, f"{what}: {answer.status_code}"
    after = rows()
    if answer.status_code < 400:
        return after != before
    changed = {table: (before[table], n) for table, n in after.items() if n != before[table]}
    assert not changed, f"{what}: {answer.status_code} and yet {changed}"
    assert speaks(answer), f"{what}: {answer.status_code} without a word"
    return False


def kept(typed: str, shown: str) -> bool:
    """Whether a field holds what was typed: line ends and blanks around it aside, and what HTML cannot hold."""

    def plain(text: str) -> str:
        return unicodedata.normalize("NFC", re.sub(r"\s+", " ", text)).replace("\x00", "").replace("\ufffd", "").strip()

    return plain(typed) == plain(shown)


# --- every form --------------------------------------------------------------------------------------------------


def test_every_form_and_every_step_of_the_house_is_among_those_tried(stage: Stage) -> None:
    reached, steps = set(), set()
    adapter = stage.app.url_map.bind("")
    for who, pages in pages_with_forms(stage).items():
        for page in pages:
            for asked in forms_on(stage.client(who), who, page):
                endpoint, values = adapter.match(asked.action.partition("?")[0], method="POST")
                reached.add(endpoint)
                steps.add(values.get("step"))
    written = {
        rule.endpoint
        for rule in stage.app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.endpoint.partition(".")[0] not in KEYED  # tried in tests/api
    }
    assert written - reached == {
        "account.logout",  # on every page of somebody signed in
        "admin.user_reopen",  # asks nothing, and only of a closed account
    }
    by_people = {step.code for step in REPAIR.steps if step.by != (Role.WATCH,) and NEW not in step.sources}
    assert by_people - steps == {
        "submit", "submit_early",  # are handed in with the filing
        "release", "lapse", "close", "supersede", "refuse_false",  # ask nothing more than the others do
    }  # fmt: skip


@pytest.mark.parametrize("who", FILERS_AND_OFFICERS)
def test_whatever_is_typed_is_taken_whole_or_refused_with_a_sentence_and_kept(stage: Stage, who: str | None) -> None:
    client = stage.client(who)
    for page in pages_with_forms(stage)[who]:
        for asked in forms_on(client, who, page):
            before, cookie = rows(), client.cookie()
            for what, changed in attempts(asked):
                answer = send(client, asked, asked.filled(**changed))
                taken = judge(f"{asked.action} {what}", answer, before)
                if answer.status_code == 422 and answer.mimetype == "text/html":
                    stays(f"{asked.action} {what}", asked, changed, answer)
                if taken or answer.status_code in (302, 303):
                    stage.put_back()
                    client = stage.with_cookie(cookie)  # the same page of the same session, as it stood before


@pytest.mark.parametrize(
    ("who", "page"),
    [("li", "/desk/cases/{received}/steps/decline"), ("deng", "/my/cases/{warned}/steps/state_views"),
     ("shen", "/admin/users/new"), (None, "/"), (None, "/verify"), (None, "/login")],
)  # fmt: skip
def test_a_text_of_a_hundred_thousand_characters_is_counted_for_whoever_sent_it(
    stage: Stage, who: str | None, page: str
) -> None:
    client = stage.client(who)
    asked = next(form for form in forms_on(client, who, page.format(**stage.cases)) if form.texts)
    before = rows()
    answer = send(client, asked, asked.filled(**{asked.texts[0]: "字" * 100_000}))
    assert answer.status_code == 422 and rows() == before
    text = answer.get_data(as_text=True)
    assert "现在 100000 字" in text and "字" * 100_000 in text


def attempts(asked: Asked) -> Iterator[tuple[str, dict[str, Any]]]:
    """Ways to fill in a form that nobody has thought of."""
    for typed in TYPED if asked.texts else ():
        yield f"typed {typed[:20]!r}", dict.fromkeys(asked.texts, typed)
    for name in asked.kinds:
        if name != "csrf_token":
            yield f"without {name}", {name: None}
    others = [name for name in asked.kinds if name != "csrf_token"]
    yield "everything twice", {name: ["一", "二"] for name in others}
    yield "files for words", {name: (io.BytesIO(b"x"), "x.txt") for name in others}
    for name, kind in asked.kinds.items():
        if kind in ("hidden", "radio", "select", "checkbox") and name != "csrf_token":
            for sent in SENT:
                yield f"{name} is {sent[:20]!r}", {name: sent}
    yield "more rows than there are", {f"items-{n}-name": "x" for n in ("²", "9" * 5000, "-1", "0x1", "11", "12", "")}
    unasked = ("state", "version", "office_id", "subject_id", "decided_by", "person", "t1", "more", "csrf")
    yield "fields that nobody asked for", dict.fromkeys(unasked, "closed")


def stays(what: str, asked: Asked, changed: dict[str, Any], answer: TestResponse) -> None:
    """What was typed stands in the form again; passwords never do."""
    page = answer.get_data(as_text=True)
    fields = {name: value for form in read(page).forms for name, value in form.values}
    for name in asked.texts:
        typed = changed.get(name, "")
        if asked.kinds[name] == "password":
            assert not fields.get(name), f"{what}: a password is shown"
        elif isinstance(typed, str) and typed.strip("\x00 ") and name in fields and name != "username":
            assert kept(typed, fields[name]), f"{what}: {name} was {typed[:30]!r}, is {fields[name][:30]!r}"


@pytest.mark.parametrize("who", FILERS_AND_OFFICERS)
def test_a_body_in_another_shape_gets_a_sentence(stage: Stage, who: str | None) -> None:
    client = stage.client(who)
    token = {"X-CSRFToken": client.token()}
    for page in pages_with_forms(stage)[who]:
        for asked in forms_on(client, who, page):
            before = rows()
            for what, body, kind in (
                ("a list in JSON", json.dumps([1, [2], None]), "application/json"),
                ("an object in JSON", json.dumps({name: {"a": 1} for name in asked.kinds}), "application/json"),
                ("half a JSON", "{", "application/json"),
                ("plain text", "password=1", "text/plain"),
                ("XML", "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "application/xml"),
                ("a multipart without an end", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1",
                 "multipart/form-data; boundary=x"),
                ("a multipart without a boundary", "abc", "multipart/form-data"),
                ("bytes that are no text", b"\xff\xfe=\xff", "application/x-www-form-urlencoded"),
                ("nothing", "", "application/x-www-form-urlencoded"),
            ):  # fmt: skip
                answer = client.post(asked.action, data=body, content_type=kind, headers=token)
                if judge(f"{asked.action} {what}", answer, before):
                    stage.put_back()
                    client = stage.client(who)
                    token = {"X-CSRFToken": client.token()}
            many = MultiDict([("x", "1")] * 1100)
            answer = client.post(asked.action, data=many, content_type="multipart/form-data", headers=token)
            assert (answer.status_code, speaks(answer)) == (413, True), asked.action
            answer = client.post(asked.action, data={"x": "字" * 200_000}, content_type="multipart/form-data")
            assert (answer.status_code, speaks(answer)) == (413, True), asked.action


def test_a_body_beyond_all_bounds_is_not_read(stage: Stage) -> None:
    for who, address in ((None, "/verify"), (None, "/login"), ("deng", f"/my/cases/{stage.cases['unproved']}/papers")):
        client = stage.client(who)
        before = rows()
        answer = client.post(
            address,
            input_stream=io.BytesIO(b"x" * 1000),
            content_type="multipart/form-data; boundary=x",
            environ_overrides={"CONTENT_LENGTH": str(10**9)},
        )
        assert answer.status_code == 413 and "40 MB" in answer.get_data(as_text=True)
        assert rows() == before


# --- the page it was sent from -----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", FILERS_AND_OFFICERS)
def test_without_the_token_of_the_session_nothing_happens(stage: Stage, who: str | None) -> None:
    client, other = stage.client(who), stage.client("wang")
    strange = [None, "", "x", other.token(), other.token()[:-1] + "_", "字" * 100]
    for page in pages_with_forms(stage)[who]:
        for asked in forms_on(client, who, page):
            before = rows()
            for token in strange:
                answer = send(client, asked, asked.filled(csrf_token=token))
                assert answer.status_code in (400, 422), f"{asked.action} with {token!r}: {answer.status_code}"
                assert speaks(answer) and rows() == before, asked.action


def test_a_page_of_an_earlier_session_comes_back_with_what_was_typed(stage: Stage) -> None:
    finding = "核对了缴款凭证和整改照片，义务已于10月8日履行。"
    for who, page, name in (
        ("zhou", f"/desk/cases/{stage.cases['accepted']}/steps/review", "finding"),
        ("deng", f"/my/cases/{stage.cases['correcting']}/steps/resubmit", "statement"),
        ("deng", f"/my/filings/{stage.of('unproved')['receipt']}/contact", "statement"),
    ):
        asked = forms_on(stage.client(who), who, page)[-1]
        before = rows()
        later = stage.client(who)  # signed in anew in another tab
        later.token()
        answer = send(later, asked, asked.filled(**{name: finding}))
        text = answer.get_data(as_text=True)
        assert answer.status_code == 422 and finding in text and "重新登录过" in text, page
        assert rows() == before
        fresh = next(form for form in read(text).forms if name in form.kinds)
        data = MultiDict(fresh.values)
        if "opinion" in fresh.kinds:
            data["opinion"] = "grant"
        answer = later.post(asked.action, data=data, content_type="multipart/form-data")
        assert answer.status_code in (302, 303), answer.get_data(as_text=True)[:2000]


def test_saving_for_later_is_saving_too_and_needs_the_token(stage: Stage) -> None:
    receipt = stage.of("unproved")["receipt"]
    asked = forms_on(stage.client("deng"), "deng", f"/my/filings/{receipt}/contact")[-1]
    later = stage.client("deng")
    answer = send(later, asked, asked.filled(later="1", statement="别人替我写的"))
    assert answer.status_code == 422
    assert "别人替我写的" not in later.get(f"/my/filings/{receipt}/contact").get_data(as_text=True)


def test_whoever_was_signed_out_meanwhile_is_told_how_not_to_lose_what_they_wrote(stage: Stage) -> None:
    asked = forms_on(stage.client("zhou"), "zhou", f"/desk/cases/{stage.cases['accepted']}/steps/review")[0]
    answer = send(stage.client(None), asked, asked.filled())
    assert answer.status_code == 401 and "在另一个标签页登录，然后刷新这一页" in answer.get_data(as_text=True)


def test_a_stale_version_a_used_key_and_a_strange_item_are_each_answered(stage: Stage) -> None:
    number = stage.cases["accepted"]
    client = stage.client("zhou")
    asked = forms_on(client, "zhou", f"/desk/cases/{number}/steps/review")[0]
    key = dict(asked.values)["key"]
    before = rows()
    for seen in (0, version(number) - 1, version(number) + 1, 999_999_999):
        answer = send(client, asked, asked.filled(seen_version=str(seen), finding="我核对过了"))
        assert answer.status_code == 409 and "我核对过了" in answer.get_data(as_text=True)
    assert rows() == before and state(number) == "accepted"
    first = send(client, asked, asked.filled(finding="第一次"))
    assert first.status_code == 303
    after = rows()
    same = send(client, asked, asked.filled(finding="第一次"))
    assert (same.status_code, same.headers["Location"]) == (303, first.headers["Location"])
    other = send(client, asked, asked.filled(finding="另一种说法"))
    assert other.status_code == 422 and "另一种说法" in other.get_data(as_text=True)
    assert "用别的内容提交过" in other.get_data(as_text=True)
    assert rows() == after
    chen = forms_on(stage.client("chen"), "chen", f"/desk/cases/{number}/steps/send_back")[0]
    borrowed = send(stage.client("chen"), chen, chen.filled(key=key))
    assert borrowed.status_code == 422  # the token of another session; with one's own, a key is one's own too
    client = stage.client("chen")
    chen = forms_on(client, "chen", f"/desk/cases/{number}/steps/send_back")[0]
    assert send(client, chen, chen.filled(key=key)).status_code == 303


def test_a_task_that_is_none_is_refused_and_the_outcome_stays(stage: Stage) -> None:
    number = stage.cases["processing"]
    client = stage.client("he")
    asked = forms_on(client, "he", f"/desk/cases/{number}/steps/do_task?item=regrade")[0]
    before = rows()
    for item in ("nothing", "end_publicity", "REGRADE", "regrade\x00", "字" * 5000, "' OR 1=1"):
        data = asked.filled(item=item, outcome="已核对信用评价")
        answer = client.post(f"/desk/cases/{number}/steps/do_task", data=data, content_type="multipart/form-data")
        assert answer.status_code == 422 and "已核对信用评价" in answer.get_data(as_text=True), item
    assert rows() == before


def test_steps_that_are_nobodys_or_not_of_this_state_are_answered(stage: Stage) -> None:
    client = stage.client("li")
    token = client.token()
    before = rows()
    for step, status in (
        ("open", 404), ("drop", 404), ("nothing", 404), ("accept%00", 404), ("__class__", 404), ("confirm", 409),
        ("resubmit", 409), ("review", 409), ("extend", 409),
    ):  # fmt: skip
        address = f"/desk/cases/{stage.cases['received']}/steps/{step}"
        data = {"csrf_token": token, "seen_version": version(stage.cases["received"]), "key": "abc",
                "opinion": "grant", "finding": "x", "statement": "x", "reason": "x"}  # fmt: skip
        answer = client.post(address, data=data)
        assert (answer.status_code, speaks(answer)) == (status, True), step
    assert rows() == before


def test_whom_one_acts_for_is_chosen_from_ones_own(stage: Stage) -> None:
    client = stage.client("deng")
    token = client.token()
    other = stage.cast.subjects["other"]
    for subject in ("", "²", "٣", "9" * 5000, "-1", "1e0", "\x00", str(other), f"0{stage.cast.subjects['yueheng']}"):
        answer = client.post("/my/switch", data={"csrf_token": token, "subject": subject})
        assert (answer.status_code, speaks(answer)) == (404, True), subject
    for place in ("https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "x" * 9000):
        data = {"csrf_token": token, "subject": stage.cast.subjects["yueheng"], "next": place}
        assert client.post("/my/switch", data=data).headers["Location"] == "/my/"


def test_drafts_that_are_none_or_of_others_are_left_alone(stage: Stage) -> None:
    client = stage.client("deng")
    receipt = stage.of("draft")["receipt"]
    asked = forms_on(client, "deng", f"/my/filings/{receipt}")[-1]
    before = rows()
    for drafts in (
        "x", "²:²", f"{stage.cases['draft']}:²", f"{stage.cases['draft']}:", f"{stage.cases['draft']}:-1",
        f"{stage.cases['submitted']}:2", f"{stage.cases['changsha']}:1", "\x00:1", "字" * 3000,
    ):  # fmt: skip
        answer = send(client, asked, asked.filled(drafts=drafts))
        assert answer.status_code < 500 and rows() == before, drafts


# --- addresses ---------------------------------------------------------------------------------------------------

PLACES = [
    "a%00b", "99999999999", "9" * 400, "%0d%0aSet-Cookie:%20a=b", "²%ff%fe", "0%27%20OR%201=1--",
    "%3Cscript%3Ealert(1)%3C/script%3E{{7*7}}%25s", "..%2f..%2fetc%2fpasswd",
]  # fmt: skip
QUESTIONS = [
    "a%00b", "9" * 5000, "9999-12-31T23:59:59%2B00:00~999999999", "9999-12-31~1", "2026-11-24~99999999999", "-1",
    "²%ff", "0001-01-01~1", "2026-11-24T00:00:00%2B08:00~1", "%25_'<b>", "字" * 2000, "1&{}=2",
]  # fmt: skip


def garbled(stage: Stage, method: str, places: list[str]) -> set[str]:
    """Every address that takes this, with something else in the place of each of its parts."""
    real = {**stage.of("accepted"), "step": "review", "clock": "total", "seq": 1, "code": "x", "filename": "x",
            "user_id": 1, "membership_id": 1, "mandate_id": 1, "office_id": 1, "key": "case-0-0-nobody",
            "statement_id": 1, "issue_id": 1, "name": "lines.csv", "key_id": 1, "subscription_id": 1, "subject_id": 1,
            "word": "result", "scope": "notices", "id": 1}  # fmt: skip
    found = set()
    for rule in stage.app.url_map.iter_rules():
        for part in rule.arguments if method in (rule.methods or ()) else ():
            for place in places:
                address = rule.rule
                for name in rule.arguments:
                    address = re.sub(rf"<[^<>]*\b{name}>", place if name == part else str(real.get(name, 1)), address)
                found.add(address)
    return found


def asked_otherwise(stage: Stage, questions: list[str]) -> Iterator[str]:
    """Every address that takes questions, with answers that are none."""
    accepted = stage.of("accepted")
    for address, names in (
        ("/search", "q after refused"), ("/penalties", "office region category cls since until state after before"),
        ("/permits", "state since after before"), ("/penalties.csv", "office since state"),
        ("/verify", "number"), ("/login", "next"),
        ("/my/records", "show start"), ("/my/cases", "show before after"),
        (f"/my/cases/{stage.cases['unsigned']}/letter", "name"),
        (f"/my/cases/{stage.cases['warned']}/steps/state_views", "item"),
        ("/desk/", "before after"), ("/desk/cases", "state office late text before after"),
        ("/desk/records", "cls status office text before after"),
        (f"/desk/cases/{stage.cases['processing']}/steps/do_task", "item"),
        (f"/desk/records/{accepted['public_id']}", "x"),
        ("/admin/users", "q before after"), ("/admin/offices", "only"), ("/admin/law", "show"),
        ("/agency/", "text before after"), ("/agency/notices", "state decision since until text before after"),
        ("/agency/notices.csv", "since until text"), ("/agency/receipts", "notice"),
        ("/agency/receipts/done", "key left"), ("/admin/law/attest", "rule row"), ("/admin/calendar", "year"),
    ):  # fmt: skip
        for name in names.split():
            for answer in questions:
                yield f"{address}?{name}={answer.format(name)}"
        every = "&".join(f"{name}=%00" for name in names.split())
        yield f"{address}?{every}&{every}"


def calls(stage: Stage, places: list[str], questions: list[str]) -> None:
    """Open them all as whoever may, and send something to them too."""
    who = {"my": "deng", "desk": "li", "admin": "shen", "agency": "linked"}
    clients = {name: stage.client(name) for name in ("deng", "li", "shen", "linked", None)}
    tokens = {name: client.token() for name, client in clients.items()}
    before = rows()
    written = garbled(stage, "POST", places)
    for address in garbled(stage, "GET", places) | written:
        name = who.get(address.split("/")[1])
        answers = [clients[name].get(address)]
        if address in written:
            sent = {"csrf_token": tokens[name], "key": "\x00", "item": "\x00"}
            answers.append(clients[name].post(address, data=sent))
        for answer in answers:
            assert answer.status_code < 500 or address.startswith("/ready"), f"{address}: {answer.status_code}"
            assert "alert(1)" not in answer.headers.get("Location", "")
            if answer.mimetype == "text/html" and answer.status_code >= 400:
                assert speaks(answer), address
                assert "<script>alert" not in answer.get_data(as_text=True), address
    for address in asked_otherwise(stage, questions):
        name = who.get(address.split("/")[1])
        answer = clients[name].get(address)
        assert answer.status_code in (200, 302, 404), f"{address}: {answer.status_code}"
    assert rows() == before


def test_no_address_breaks_the_house(stage: Stage) -> None:
    calls(stage, PLACES, QUESTIONS)


def test_no_address_breaks_the_house_on_postgresql(stage_on_postgres: Stage) -> None:
    """Which takes fewer things for granted than SQLite: a NUL, a number of any size."""
    calls(stage_on_postgres, PLACES[:2], QUESTIONS[:5])


@pytest.mark.parametrize("who", FILERS_AND_OFFICERS)
def test_what_cannot_be_kept_is_refused_on_postgresql_as_well(stage_on_postgres: Stage, who: str | None) -> None:
    """SQLite keeps a NUL and numbers of any size without a word; PostgreSQL does not."""
    client = stage_on_postgres.client(who)
    for page in pages_with_forms(stage_on_postgres)[who]:
        for asked in forms_on(client, who, page):
            others = [name for name in asked.kinds if name != "csrf_token"]
            for typed in ("a\x00b", "99999999999999999999"):
                before = rows()
                changed = {name: typed for name in others if asked.kinds[name] not in ("file", "date")}
                answer = send(client, asked, asked.filled(**changed))
                assert answer.status_code < 500, f"{asked.action} {typed!r}"
                assert answer.status_code < 400 or rows() == before
    if who == "deng":
        receipt = stage_on_postgres.of("unproved")["receipt"]
        asked = forms_on(client, "deng", f"/my/filings/{receipt}/contact")[-1]
        answer = send(client, asked, asked.filled(later="1", statement="a\x00b"))
        assert answer.status_code == 422 and "控制字符" in answer.get_data(as_text=True)


# --- words that are more than words ------------------------------------------------------------------------------

SPELLS = (
    "<script>alert('{n}')</script><img src=x onerror=alert(1)>\"'&amp;&lt; {{7*7}} {% for x in y %} ${{7*7}} %(name)s "
    "%d {0} {x.__class__} '); DROP TABLE journal;-- =1+1 <!-- ]]> 结束"
)


def test_words_that_look_like_code_stay_words_on_every_page_and_in_every_document(stage: Stage) -> None:
    """Every text that people write into a case, from the contact to the decision."""
    spoken: list[str] = []

    def spell(place: str) -> str:
        spoken.append(SPELLS.replace("{n}", place))
        return spoken[-1]

    def take(who: str, page: str, **answers: Any) -> None:
        client = stage.client(who)
        asked = forms_on(client, who, page)[-1]
        answer = send(client, asked, asked.filled(**answers))
        assert answer.status_code == 303, answer.get_data(as_text=True)[-3000:]

    receipt, case = stage.of("unproved")["receipt"], stage.cases
    take("deng", f"/my/filings/{receipt}/contact", contact="<b>{{7*7}}</b>%s", statement=spell("contact"))
    gap = {"items-0-name": "<b>{{7*7}}", "items-0-problem": spell("problem"), "items-0-remedy": spell("remedy")}
    take("li", f"/desk/cases/{case['received']}/steps/correct", **gap)
    take("deng", f"/my/cases/{case['received']}/steps/resubmit", statement=spell("resubmit"))
    take("li", f"/desk/cases/{case['received']}/steps/decline", reason=spell("decline"))
    take("deng", f"/my/cases/{case['warned']}/steps/state_views", statement=spell("views"))
    take("zhou", f"/desk/cases/{case['accepted']}/steps/review", opinion="refuse", finding=spell("finding"))
    take("chen", f"/desk/cases/{case['accepted']}/steps/send_back", reason=spell("send back"))
    take("tang", f"/desk/cases/{case['accepted']}/steps/extend", reason=spell("extend"))
    take("chen", f"/desk/cases/{case['to_refuse']}/steps/refuse", reason=spell("refuse"), cure=spell("cure"))
    take("he", f"/desk/cases/{case['processing']}/steps/do_task?item=regrade", outcome=spell("outcome"))
    public_id = stage.of("warned")["public_id"]
    take("zhou", f"/desk/records/{public_id}/annul", reason="<script>alert(1)</script>{{7*7}}%(x)s{0}")

    seen, said = 0, set()
    for who in (None, "deng", "li"):
        for path, answer in crawl(stage, who, limit=110, alike=13):
            assert answer.status_code < 500, path
            if answer.mimetype != "text/html":
                continue
            page = answer.get_data(as_text=True)
            seen += 1
            assert "<script>alert" not in page and "<img src=x" not in page and "<b>{{" not in page, path
            assert "onerror=alert(1)>" not in page, path
            words = " ".join(read(page).words + [v for form in read(page).forms for _n, v in form.values])
            flat = re.sub(r"\s+", "", words)
            said |= {spell for spell in spoken if re.sub(r"\s+", "", spell) in flat}
    assert seen > 60
    assert said == set(spoken)
    documents = db.session.execute(select(Document.html).where(Document.html.contains("DROP TABLE"))).scalars().all()
    db.session.rollback()
    assert len(documents) >= 4
    for html in documents:
        assert "<script>" not in html and "<img src=x" not in html and "{{7*7}}" in html and "&lt;script&gt;" in html


WORDS = st.text(st.characters(codec="utf-8"), max_size=60)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(facts=WORDS, more=WORDS)
def test_any_text_is_kept_to_the_letter_or_refused(stage: Stage, facts: str, more: str) -> None:
    stage.put_back()
    client = stage.client("zhou")
    number = stage.cases["accepted"]
    asked = forms_on(client, "zhou", f"/desk/cases/{number}/steps/review")[0]
    before = rows()
    typed = f"{facts}\r\n{more}"
    answer = send(client, asked, asked.filled(finding=typed))
    if answer.status_code == 422:
        assert rows() == before and speaks(answer)
        fields = {name: value for form in read(answer.get_data(as_text=True)).forms for name, value in form.values}
        assert kept(typed, fields["finding"])
        return
    assert answer.status_code == 303
    line = db.session.execute(
        select(JournalLine.answers).join(Case, Case.id == JournalLine.about_id)
        .where(JournalLine.about == "case", JournalLine.act == "review", Case.number == number)
    ).scalar_one()  # fmt: skip
    db.session.rollback()
    wanted = unicodedata.normalize("NFC", typed).replace("\r\n", "\n").replace("\r", "\n").strip()
    assert line["finding"] == wanted
    assert all(c in "\n\t" or unicodedata.category(c)[0] != "C" for c in wanted)


# --- when we ourselves fail --------------------------------------------------------------------------------------


@pytest.fixture
def broken(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`broken(error)` makes every question to the database fail."""

    def fail(error: Exception) -> None:
        def execute(*_args: Any, **_named: Any) -> Any:
            raise error

        monkeypatch.setattr(db.session, "execute", execute)

    stage.app.config["PROPAGATE_EXCEPTIONS"] = False
    yield fail
    stage.app.config["PROPAGATE_EXCEPTIONS"] = None


GONE = OperationalError("SELECT 1", {"phone": "13900000000"}, Exception("disk I/O error"))


@pytest.mark.parametrize("who", ["deng", "li", "shen"])
@pytest.mark.parametrize(
    ("error", "status", "words"), [(GONE, 503, "过一会儿再试"), (RuntimeError("密码是 abc"), 500, "请报出编号")]
)
def test_when_the_database_is_gone_somebody_signed_in_still_gets_a_page(
    stage: Stage, broken: Any, who: str, error: Exception, status: int, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = stage.client(who)
    broken(error)
    for path in ("/my/", "/desk/", "/admin/users", "/", "/verify/AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", "/nowhere"):
        answer = client.get(path)
        if path == "/nowhere":
            assert answer.status_code == 404 and speaks(answer)
            continue
        page = answer.get_data(as_text=True)
        assert answer.status_code == status and words in page and answer.mimetype == "text/html", path
        assert "disk I/O" not in page and "密码是" not in page and "RuntimeError" not in page
        assert "Content-Security-Policy" in answer.headers


def test_a_failure_has_a_number_that_stands_in_the_log_in_one_line(
    stage: Stage, broken: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = stage.client("li")
    broken(RuntimeError("x"))
    with caplog.at_level(logging.INFO):
        answer = client.get("/desk/cases/XF%0a2026-11-24 ERROR forged line%1b[31m")
    reference = re.search(r"<code>([0-9A-F]{8})</code>", answer.get_data(as_text=True))
    assert answer.status_code == 500 and reference is not None
    said = [record.getMessage() for record in caplog.records if reference[1] in record.getMessage()]
    assert len(said) == 1 and "\n" not in said[0] and "\x1b" not in said[0]


def quarrel() -> str:
    """What an error says of a row that the database does not take."""
    with pytest.raises(IntegrityError) as caught:
        db.session.execute(Membership.__table__.insert().values(user_id=1, office_id=1, role=f"秘密{10 * 1390000000}"))
    db.session.rollback()
    return "".join(traceback.format_exception(caught.value))


def test_what_was_typed_does_not_come_into_the_log(stage: Stage) -> None:
    """An error of the database carries the values it was given; the log is read by more people than the case."""
    said = quarrel()
    assert "membership" in said and "13900000000" not in said


def test_what_was_typed_does_not_come_into_the_log_from_postgresql(stage_on_postgres: Stage) -> None:
    """It quotes the whole row that it could not take."""
    said = quarrel()
    assert "membership" in said and "13900000000" not in said


def test_two_who_take_the_same_name_at_once_both_get_an_answer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is refused by the database itself: the look before the write came too early."""
    from app.office_book import people

    client = stage.client("shen")
    asked = forms_on(client, "shen", "/admin/users/new")[0]
    assert send(client, asked, asked.filled(login="xinren")).status_code == 200
    taken = people.select

    class Blind:
        def __call__(self, *columns: Any) -> Any:
            return taken(*columns).where(False)

    monkeypatch.setattr(people, "select", Blind())
    before = rows()
    answer = send(client, asked, asked.filled(login="xinren"))
    assert answer.status_code in (400, 409) and speaks(answer) and rows() == before


def test_everybody_gets_a_page_for_what_is_not_there(stage: Stage) -> None:
    for who in EVERYBODY:
        client = stage.client(who)
        for path, method, status in (
            ("/nowhere", "get", 404), ("/my", "get", 308), ("/health", "post", 405), ("/logout", "get", 405),
            ("/", "put", 405), ("/", "delete", 405), ("/", "patch", 405), ("/static/nothing.css", "get", 404),
            ("/static/..%2f..%2fconfig.py", "get", 404), ("/.git/config", "get", 404), ("/verify", "put", 405),
        ):  # fmt: skip
            answer = getattr(client, method)(path)
            assert answer.status_code == status, (who, path, method, answer.status_code)
            assert status == 308 or speaks(answer), (who, path)
