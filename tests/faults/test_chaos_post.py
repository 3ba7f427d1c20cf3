"""Everything goes wrong at once: receivers fail in every way, posts are killed, one department is away for two weeks.
Afterwards both books agree line by line, nothing took effect twice, nothing overtook anything."""

from __future__ import annotations

import base64
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import ColumnElement, func, insert, select
from werkzeug.serving import make_server

from app import create_app
from app.db import db, transaction
from app.journal import SYSTEM, write_line
from app.models import (
    CreditRecord,
    Delivery,
    Endpoint,
    Issue,
    Membership,
    Notice,
    NoticeSequence,
    Office,
    Receipt,
    Subject,
    User,
)  # fmt: skip
from app.notices.api_keys import make_api_key
from app.notices.compare import Their
from app.notices.dead import Which, replay
from app.notices.formats.field import sample_of
from app.notices.formats.result import FIELDS
from app.notices.keys import add_receipt_key, make_secret
from app.notices.signing import signed_headers
from app.notices.statement import draw_statement
from app.notices.statement_answer import answer_statement
from app.notices.wire import canonical, frozen
from app.now import moved_to, now
from config import TestConfig
from tests.cast import SINCE, Cast, assemble
from tests.faults.chaotic import DELIVERIES, RECEIPTS, Chaotic
from tests.faults.posts import Posts, SharedClock
from tests.notices.receiver import OK, Request, a_receiver
from workflows.calendar import legal_day

FULL = os.environ.get("JIANNUO_CHAOS") == "full"
RECEIVERS, COMPANIES, EACH, KILLS = (12, 8, 6, 100) if FULL else (4, 3, 3, 12)
AWAY, STEPS = timedelta(days=13, hours=8), 56 if FULL else 12
"""Letters are tried for fourteen days, the last times every four to six hours."""
PATIENCE = 900.0 if FULL else 120.0


@dataclass
class World:
    """A house, its departments, the hour they share, and the posts."""

    app: Flask
    cast: Cast
    clock: SharedClock
    posts: Posts
    departments: dict[int, Chaotic] = field(default_factory=dict)

    def left(self, *but: int) -> int:
        """How many notices have not arrived, those of some departments left out."""
        return self._count(Delivery.state != "delivered", Delivery.receiver_id.not_in(but))

    def dead(self) -> int:
        """How many have been given up."""
        return self._count(Delivery.state == "dead")

    def on_their_way(self) -> int:
        """How many are in the hands of a post, or of one that has just been killed."""
        return self._count(Delivery.state == "waiting", Delivery.lease_until > now())

    def wait_for_a_claim(self, most: float = 1.0) -> None:
        """Until a post has notices in its hands, or there is nothing that it could take now."""
        ends = time.monotonic() + most
        while not self.on_their_way() and time.monotonic() < ends:
            time.sleep(0.005)

    def _count(self, *which: ColumnElement[bool]) -> int:
        found: int = db.session.execute(select(func.count()).select_from(Delivery).where(*which)).scalar_one()
        db.session.rollback()
        return found

    def travel(self, to: datetime) -> None:
        """Let days go by while two posts are at work."""
        step = max((to - now()) / STEPS, timedelta(minutes=1))
        while now() < to:
            self.posts.keep(2)
            time.sleep(0.2)
            self.clock.go(seconds=step.total_seconds())

    def until(self, done: Callable[[], bool], every: float = 0.0, **by: float) -> None:
        """Keep two posts at work and move the clock on until something is so."""
        ends = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < ends, self.told()
            self.posts.keep(2)
            time.sleep(every)
            self.clock.go(**by)

    def told(self) -> str:
        """What is left, for whoever looks why."""
        rows = db.session.execute(
            select(Delivery.receiver_id, Delivery.state, func.count(), func.max(Delivery.trouble))
            .group_by(Delivery.receiver_id, Delivery.state)
        ).all()  # fmt: skip
        log = Path(self.posts.log.name).read_text()[-2000:]
        return f"{rows}\n{[d.wrong[:5] for d in self.departments.values()]}\n{log}"


def a_department(world: World, n: int, folder: Path, house: str) -> Chaotic:
    """A department with keys of every kind, a person, and its chaotic server."""
    code = f"ld-{n:02d}"
    chaotic = Chaotic(code, folder, n, world.clock)
    public = base64.b64encode(chaotic.private.public_key().public_bytes_raw()).decode()
    with transaction() as session:
        office = session.execute(
            insert(Office.__table__)
            .values(code=code, name=f"第{n}个部门", short=code, kind="linked", path=f"/{code}/", region="430000",
                    word="", review_body="", review_address="", receives="linked", phone="", address="")
            .returning(Office.id)
        ).scalar_one()  # fmt: skip
        person = session.execute(
            insert(User.__table__)
            .values(login=code, name="经办", password_hash="", active=True, session_version=1, failures=0)
            .returning(User.id)
        ).scalar_one()
        session.execute(insert(Membership).values(user_id=person, office_id=office, role="linked", valid_from=SINCE))
        chaotic.secrets = [make_secret(office, until=None, doer=SYSTEM, at=now())]
        add_receipt_key(office, "k", public, since=now(), until=None, doer=SYSTEM, at=now())
        _id, chaotic.api_key = make_api_key(office, person, "系统", ["receipts"], by=SYSTEM, at=now(), per_minute=6000)
    chaotic.house = house
    world.departments[office] = chaotic
    return chaotic


def connected(world: World, office: int, address: str) -> None:
    with transaction() as session:
        session.execute(
            insert(Endpoint.__table__).values(
                office_id=office, channel="webhook", format="result", address=address, cursor=0, failures=0,
                stopped_why="", trouble="",
            )
        )  # fmt: skip


def companies(world: World) -> list[tuple[int, int, int, str]]:
    """Companies with a record each: subject, record, journal line, the record's number."""
    found = []
    for n in range(COMPANIES):
        record = world.cast.penalty()
        with transaction() as session:
            subject = session.execute(
                insert(Subject.__table__)
                .values(kind="enterprise", name=f"演示运输{n}公司", legal_representative="", region="430100", trade="")
                .returning(Subject.id)
            ).scalar_one()  # fmt: skip
            line = write_line("record", record, "enter", SYSTEM, now(), law_text="D").id
            number = session.execute(select(CreditRecord.number).where(CreditRecord.id == record)).scalar_one()
        found.append((subject, record, line, number))
    return found


def tell(office: int, code: str, company: tuple[int, int, int, str], seq: int) -> str:
    """One notice and its way, as a step writes them."""
    subject, record, line, number = company
    key, at = f"record-{record}-{seq}-{code}", now()
    payload = sample_of(FIELDS) | {
        "notice": key, "receiver": code, "seq": seq, "uscc": f"company-{subject}", "record_no": f"{number}-{seq}",
        "effective_at": at.isoformat(),
    }  # fmt: skip
    with transaction() as session:
        notice = session.execute(
            insert(Notice.__table__)
            .values(key=key, receiver_id=office, subject_id=subject, record_id=record, case_id=None, journal_id=line,
                    seq=seq, act="confirm", **frozen(payload), written_at=at)
            .returning(Notice.id)
        ).scalar_one()  # fmt: skip
        session.execute(
            insert(Delivery.__table__).values(
                notice_id=notice, receiver_id=office, subject_id=subject, seq=seq, next_at=at, state="waiting",
                channel="", attempts=0, trouble="", receipt="",
            )
        )  # fmt: skip
        if seq == EACH:
            session.execute(insert(NoticeSequence.__table__).values(receiver_id=office, subject_id=subject, last=EACH))
    return key


@pytest.fixture
def world(config: TestConfig, tmp_path: Path) -> Iterator[World]:
    """A house that serves, departments with servers and outboxes, everybody under one clock that can be moved."""
    app, clock = create_app(config), SharedClock(tmp_path / "clock")

    def under_the_clock(environ: Any, start: Any) -> Any:
        with moved_to(clock):
            return app(environ, start)

    with ExitStack() as stack:
        stack.enter_context(moved_to(clock))
        stack.enter_context(app.app_context())
        cast = assemble()
        server = make_server("127.0.0.1", 0, under_the_clock, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        posts = stack.enter_context(Posts(app.config["INSTANCE"], config.DATABASE_URL, clock))
        world = World(app, cast, clock, posts)
        for n in range(RECEIVERS):
            chaotic = a_department(world, n, tmp_path, f"http://127.0.0.1:{server.server_port}")
            receiver = stack.enter_context(a_receiver(chaotic.behave))
            connected(world, list(world.departments)[-1], receiver.url())
            outbox = threading.Thread(target=chaotic.give_receipts, daemon=True)
            outbox.start()
            stack.callback(outbox.join, 60)
            stack.callback(chaotic.stop.set)
        yield world
        for chaotic in world.departments.values():
            chaotic.stop.set()
        db.session.remove()
        stack.callback(db.engine.dispose)


def test_after_every_fault_both_books_agree_nothing_came_twice_and_nothing_overtook(world: World) -> None:
    dice, began = random.Random(11), now()
    DELIVERIES.begin()
    RECEIPTS.begin()
    away, gone = list(world.departments)[-2:]
    world.departments[away].away = world.departments[gone].away = True
    told: dict[str, int] = {}
    caught = 0
    about = companies(world)
    in_order = [(company, seq) for seq in range(1, EACH + 1) for company in about]
    world.posts.keep(2)

    # Notices are written while posts are killed wherever they are.
    share = len(in_order) / KILLS
    for kill in range(KILLS):
        for company, seq in in_order[round(kill * share) : round((kill + 1) * share)]:
            for office, chaotic in world.departments.items():
                told[tell(office, chaotic.code, company, seq)] = office
                chaotic.foreign = next((key for key, of in told.items() if of != office), "none")
        world.wait_for_a_claim()
        time.sleep(dice.uniform(0.0, 0.05))
        world.posts.kill(dice.choice)
        caught += world.on_their_way() > 0
        world.posts.keep(2)
        world.clock.go(seconds=61)  # what a killed post had claimed is free after a minute
    assert world.posts.killed == KILLS and len(told) == RECEIVERS * COMPANIES * EACH
    assert caught > KILLS / 4, "many were killed with notices in their hands"

    # The healthy ones finish, whatever the others do.
    world.until(lambda: world.left(away, gone) == 0, every=0.6, minutes=30)
    assert not world.departments[away].book.held() and not world.departments[gone].book.held()

    # Nearly two weeks later one is back, hours before its letters would be given up: everything arrives by itself.
    world.travel(began + AWAY)
    world.departments[away].away = False
    world.until(lambda: world.left(gone) == 0, every=0.6, minutes=30)

    # The other is away for longer. Its letters are given up aloud, a person sends them again, and nothing is lost.
    world.travel(began + timedelta(days=15))
    world.until(lambda: world.dead() == COMPANIES, every=0.3, minutes=1)
    assert world.left() == COMPANIES * EACH, "what comes later about the same company is held"
    world.departments[gone].away = False
    with transaction():
        which = Which(world.cast.offices["province"], receiver_id=gone)
        assert replay(which, actor=world.cast.who("tang"), reason="对方已恢复接收", at=now()) == COMPANIES
    world.until(lambda: world.left() == 0, every=0.6, minutes=30)
    world.until(lambda: not any(each.owes() for each in world.departments.values()), every=0.1)
    agree(world, told, began)


def test_a_department_that_is_told_wrongly_says_so(tmp_path: Path) -> None:
    """What the story above would see: a forged letter, one that was overtaken, one that changed on its way."""
    clock = SharedClock(tmp_path / "clock")
    department = Chaotic("ld-00", tmp_path, 0, clock)
    department.secrets = ["whsec_" + base64.b64encode(b"k" * 32).decode()]

    def letter(key: str, seq: int, secrets: list[str] = department.secrets, **more: str) -> Request:
        body = canonical(sample_of(FIELDS) | {"notice": key, "seq": seq} | more)
        return Request("/notices", signed_headers(secrets, key, clock(), body), body)

    assert department.take(letter("a", 2)) == department.take(letter("a", 2)) == OK and department.wrong == []
    department.take(letter("b", 3, ["whsec_" + base64.b64encode(b"x" * 32).decode()]))
    department.take(letter("c", 1))
    department.take(letter("a", 2, reason="改过"))
    assert [wrong.partition(":")[0] for wrong in department.wrong] == ["b", "c", "a"]
    assert [key for key, *_ in department.book.held()] == ["a"]


def agree(world: World, told: dict[str, int], began: datetime) -> None:
    """What must be true afterwards."""
    seen: set[str] = set()
    for office, chaotic in world.departments.items():
        assert chaotic.wrong == [], chaotic.code
        seen |= set(chaotic.seen)
        held = chaotic.book.held()
        mine = sorted(key for key, of in told.items() if of == office)
        assert [key for key, *_ in held] == mine, "each notice once, none missing, none of others"
        with transaction():
            drawn = draw_statement(office, legal_day(began), legal_day(now()), at=now())
        theirs = [Their(key, body, said, place) for key, body, said, place in held]
        with transaction():
            found = answer_statement(drawn, theirs=theirs, digest=chaotic.book.digest(), by=None, at=now())
        assert (found.equal, found.state, found.differences) == (True, "agreed", ()), chaotic.code
    repeats = sum(sum(d.came.values()) - len(d.came) for d in world.departments.values())
    assert repeats > 0, "there were repeats on the wire, and they did no harm"
    assert seen == {*DELIVERIES.cards, *(f"receipt {kind}" for kind in RECEIPTS.cards)}, "everything went wrong"
    tries = db.session.execute(select(func.max(Delivery.attempts))).scalar_one()
    receipts = db.session.execute(select(func.count()).select_from(Receipt)).scalar_one()
    issues = db.session.execute(select(Issue.kind, Issue.closed_at, Issue.outcome)).all()
    db.session.rollback()
    assert tries <= 120
    assert [issue.kind for issue in issues] == ["dead"] * COMPANIES, "given up aloud, once each; nothing else"
    assert all(issue.closed_at and "对方已恢复接收" in issue.outcome for issue in issues)
    assert receipts == len(told), "one receipt counts for each, and no wrong one does"
    print(f"notices {len(told)}, killed {world.posts.killed}, repeats {repeats}, most tries {tries}")
