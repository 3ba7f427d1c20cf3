"""The post by the interface: claim, sign, deliver, write down, against bare aiohttp with 50 requests on their way.

Ten receivers at one address take five notices at once each. Then many receivers of which some are dead or slow: what
the healthy ones notice of it.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import aiohttp
from flask import Flask
from sqlalchemy import insert, select, update

from app.db import db, transaction
from app.duty import claims, post
from app.duty.relay import IN_FLIGHT, LARGEST
from app.journal import SYSTEM, write_line
from app.models import Delivery, Endpoint, Notice, Office
from app.notices.couriers.http import TIMEOUT
from app.notices.feed import place, unplaced
from app.notices.formats.field import sample_of
from app.notices.formats.result import FIELDS
from app.notices.keys import make_secret
from app.notices.wire import canonical, frozen
from app.now import now
from bench.receiver import a_receiver, seen
from bench.report import Table, figure
from bench.rounds import Rounds
from bench.stage import FIRST_RECORD, FIRST_SUBJECT, application, at_its_hour, database, postgres, set_up

AT_ONCE = 50
DEAD, SLOW = ("/refuses", "/hang", "/busy"), ("/slow/1", "/slow/2")
SECONDS = 20.0


def run(notices: int = 3000, rounds: int = 5, many: int = 10_000, receivers: int = 20) -> list[Table]:
    """Both tables on both databases: `notices` a round, `many` to `receivers` of which three are dead and two slow."""
    tables = []
    with TemporaryDirectory(prefix="jiannuo-bench-", ignore_cleanup_errors=True) as folder, at_its_hour():
        place = Path(folder)
        with postgres(place / "server") as server, database(server) as url:
            tables += on("PostgreSQL", application(place / "pg", url), notices, rounds, many, receivers)
        tables += on("SQLite", application(place / "lite"), notices, rounds, many, receivers)
    return tables


def on(
    name: str, app: Flask, notices: int, rounds: int, many: int, receivers: int, seconds: float = SECONDS
) -> list[Table]:
    """The tables of one database; among the sick a turn takes so many seconds at most."""
    with app.app_context(), a_receiver() as address:
        set_up(max(notices // (AT_ONCE // IN_FLIGHT), many // receivers))
        room = Room(address)
        try:
            return [_relay(name, room, notices, rounds), _sick(name, room, many, receivers, seconds)]
        finally:
            db.session.remove()
            db.engine.dispose()


class Room:
    """Receivers at one address, and notices for them in any number."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.serial = count(1)
        with transaction():
            self.line = write_line("record", FIRST_RECORD + 1, "enter", SYSTEM, now(), law_text="D").id

    def receivers(self, paths: Sequence[str]) -> list[int]:
        """A new receiver for each path of the address."""
        offices = []
        with transaction() as session:
            for path in paths:
                code = f"bench-{next(self.serial)}"
                office = session.execute(
                    insert(Office.__table__)
                    .values(
                        code=code, name=code, short=code, kind="linked", path=f"/{code}/", region="", word="",
                        review_body="", review_address="", receives="", phone="", address="",
                    )
                    .returning(Office.id)
                ).scalar_one()  # fmt: skip
                address = "http://127.0.0.1:9/" if path == "/refuses" else self.address + path
                session.execute(
                    insert(Endpoint.__table__).values(
                        office_id=office, channel="webhook", format="result", address=address, cursor=0, failures=0,
                        stopped_why="", trouble="",
                    )
                )  # fmt: skip
                make_secret(office, until=None, doer=SYSTEM, at=now())
                offices.append(office)
        return offices

    def plant(self, offices: Sequence[int], each: int) -> None:
        """So many notices for each, every one about another company; their places in the feed are given."""
        payload = sample_of(FIELDS)
        for office in offices:
            serial = next(self.serial)
            rows = []
            for n in range(1, each + 1):
                body = {**payload, "notice": f"bench-{serial}-{n}", "receiver": f"{office}"}
                rows.append(
                    {
                        "key": body["notice"], "receiver_id": office, "subject_id": FIRST_SUBJECT + n,
                        "record_id": FIRST_RECORD + 1, "case_id": None, "journal_id": self.line, "seq": serial,
                        "act": "confirm", **frozen(body), "written_at": now(),
                    }
                )  # fmt: skip
            with transaction() as session:
                session.execute(insert(Notice.__table__), rows)
                ids = session.execute(
                    select(Notice.id, Notice.subject_id).where(Notice.receiver_id == office, Notice.seq == serial)
                )
                session.execute(
                    insert(Delivery.__table__),
                    [
                        {
                            "notice_id": row.id, "receiver_id": office, "subject_id": row.subject_id, "seq": serial,
                            "next_at": now(), "state": "waiting", "channel": "", "attempts": 0, "trouble": "",
                            "receipt": "",
                        }
                        for row in ids
                    ],
                )  # fmt: skip
        for office in unplaced():
            with transaction():
                place(office)

    def forget(self) -> None:
        """What is left over does not come into the next round."""
        with transaction() as session:
            session.execute(update(Endpoint.__table__).values(channel="feed"))


def _relay(name: str, room: Room, notices: int, rounds: int) -> Table:
    offices = room.receivers([f"/ok/{n}" for n in range(AT_ONCE // IN_FLIGHT)])
    each = notices // len(offices)
    body = canonical(sample_of(FIELDS))

    def relay() -> float:
        room.plant(offices, each)
        return _timed(lambda: _expect(post.turn(seconds=600).delivered, each * len(offices)), each * len(offices))

    def claim() -> float:
        room.plant(offices, each)
        took = _timed(lambda: _claim_all(offices), each * len(offices))
        with transaction() as session:
            session.execute(update(Delivery.__table__).values(state="delivered", lease_until=None))
        return took

    measured = Rounds(
        {
            "bare": lambda: _timed(lambda: asyncio.run(_bare(f"{room.address}/ok", body, notices)), notices),
            "relay": relay,
            "claim": claim,
        },
        rounds,
    )
    room.forget()
    names = {
        "bare": f"bare aiohttp × {AT_ONCE}, the same body, unsigned",
        "relay": f"a turn of the post: {len(offices)} receivers × {IN_FLIGHT}, claimed, signed, sent, written down",
        "claim": "the claims alone",
    }
    return Table(
        f"Relay on {name}, one process, the receiver in another",
        ("", "notices/s", "µs each", "÷ bare (rate)"),
        [
            (
                said,
                figure(1 / measured.middle(key)),
                figure(measured.middle(key) * 1e6),
                figure(measured.ratio("bare", key)) if key != "claim" else "",
            )
            for key, said in names.items()
        ],
        (
            f"claim ÷ delivery: {measured.ratio('claim', 'relay') * 100:.1f} %",
            f"{rounds} paired rounds of {notices} notices of {len(body)} bytes; places in the feed are given before",
        ),
    )


def _sick(name: str, room: Room, many: int, receivers: int, seconds: float) -> Table:
    each = many // receivers
    healthy = [f"/ok/sick/{n}" for n in range(receivers - len(DEAD) - len(SLOW))]
    took = {}
    for said, paths in (("all healthy", healthy), ("three dead and two slow among them", [*DEAD, *SLOW, *healthy])):
        offices = room.receivers(paths)
        room.plant(offices, each)
        seen(room.address)
        start = time.monotonic()
        gc.collect()
        post.turn(seconds=seconds, timeout=min(TIMEOUT, seconds))
        came = seen(room.address)
        _expect(sum(came[path][0] for path in healthy), each * len(healthy))
        took[said] = max(came[path][1] for path in healthy) - start
        room.forget()
    first = next(iter(took.values()))
    return Table(
        f"Sick receivers on {name}: until the {len(healthy)} healthy ones have their {each * len(healthy)} notices",
        ("", "s", "× all healthy"),
        [(said, f"{seconds:.2f}", f"{seconds / first:.2f}") for said, seconds in took.items()],
        (
            f"{each} notices for each of {receivers} receivers; of the dead one refuses, one hangs and one answers 503,"
            " the slow ones take half a second each time",
        ),
    )


def _claim_all(offices: Sequence[int]) -> None:
    while any(jobs for _, jobs in claims.claim(dict.fromkeys(offices, LARGEST), now()).values()):
        pass


async def _bare(url: str, body: bytes, notices: int) -> None:
    left = count(1)

    async def send(session: aiohttp.ClientSession) -> None:
        while next(left) <= notices:
            async with session.post(url, data=body, headers={"content-type": "application/json"}) as response:
                await response.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(send(session) for _ in range(AT_ONCE)))


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"{found} of {wanted} notices were delivered")


def _timed(work: Callable[[], object], notices: int) -> float:
    gc.collect()
    start = perf_counter()
    work()
    return (perf_counter() - start) / notices
