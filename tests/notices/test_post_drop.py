"""Files for departments that exchange files: whole batches, in order, once; and the tray for those with nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask
from sqlalchemy import update

from app.db import transaction
from app.duty import exchange, post
from app.models import Delivery
from app.notices.couriers import drop
from app.now import now
from tests.casework.acts import at_once
from tests.cast import Cast
from tests.conftest import Clock
from tests.faults.test_kill import die, in_a_child
from tests.notices.post_room import endpoint, issues, reached, some_notices, states, tries, ways
from tests.notices.receiver import a_receiver, answer


@pytest.fixture
def out(app: Flask) -> Any:
    """Where the market supervision finds its files."""
    place: Path = app.config["INSTANCE"] / "exchange" / "ld-market" / "out"
    shutil.rmtree(place, ignore_errors=True)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def read(out: Path, number: int) -> list[str]:
    """A batch as its reader takes it: the manifest, then every file it names; returns the keys in order."""
    folder = out / f"{number:06d}"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (manifest["receiver"], manifest["batch"]) == ("ld-market", number)
    keys: list[str] = []
    for nth, page in enumerate(manifest["pages"], start=1):
        assert (page["page"], page["of"]) == (nth, len(manifest["pages"]))
        sheets = {}
        for file in page["files"]:
            data = (folder / file["name"]).read_bytes()
            assert (hashlib.sha256(data).hexdigest(), len(data)) == (file["sha256"], file["bytes"])
            sheets[file["name"].rpartition(".")[2]] = data
        rows = list(csv.DictReader(io.StringIO(sheets["csv"].decode("utf-8-sig"))))
        found = [row["修复结果编号"] for row in rows]
        assert [e.text for e in ElementTree.fromstring(sheets["xml"]).iter("result_id")] == found
        assert page["rows"] == len(found) <= drop.PAGE
        keys += found
    named = {file["name"] for page in manifest["pages"] for file in page["files"]} | {"manifest.json"}
    assert {path.name for path in folder.iterdir()} == named, "nothing half lies about"
    assert manifest["notices"] == len(keys)
    return keys


def test_what_waits_becomes_one_batch_and_the_next_is_numbered_after_it(cast: Cast, out: Path) -> None:
    market = reached(cast, "ld-market", "drop")
    first = some_notices(cast, "ld-market", 3, each=2)
    assert post.turn() == post.Done(0, 0, elsewhere=6, given_up=0)
    assert read(out, 1) == first
    assert states(market) == ["delivered"] * 6
    way = ways()[first[0]]
    assert (way.channel, way.batch, way.attempts, way.delivered_at) == ("drop", 1, 1, now())
    assert [one.channel for one in tries(first[0])] == ["drop"]
    assert post.turn().elsewhere == 0 and len(list(out.iterdir())) == 1, "nothing new, nothing written"
    second = some_notices(cast, "ld-market", 1)
    post.turn()
    assert read(out, 2) == second


def test_many_go_in_pages_of_five_hundred_at_most(cast: Cast, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert drop.PAGE == 500
    monkeypatch.setattr(drop, "PAGE", 5)
    reached(cast, "ld-market", "drop")
    keys = some_notices(cast, "ld-market", 4, each=3)
    assert exchange.turn(cast.offices["ld-market"]) == 12
    assert read(out, 1) == keys
    pages = json.loads((out / "000001" / "manifest.json").read_text())["pages"]
    assert [page["rows"] for page in pages] == [5, 5, 2]


def test_a_turn_killed_while_it_writes_leaves_nothing_half_and_the_next_writes_the_same(
    cast: Cast, clock: Clock, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before each file comes to its name, and after the manifest before the row."""
    market = reached(cast, "ld-market", "drop")
    keys = some_notices(cast, "ld-market", 4)
    before: dict[str, bytes] = {}
    for nth in range(1, 5):

        def dying(nth: int = nth) -> None:
            left, rename = [nth], os.replace

            def replace(*names: Any) -> None:
                left[0] -= 1
                if not left[0]:
                    die()
                rename(*names)

            monkeypatch.setattr(os, "replace", replace)
            monkeypatch.setattr(exchange, "carried", lambda *_about: die())
            exchange.turn(market)

        in_a_child(dying)
        assert states(market) == ["waiting"] * 4
        assert (out / "000001" / "manifest.json").exists() == (nth == 4)
        if nth == 4:
            before = {path.name: path.read_bytes() for path in (out / "000001").iterdir()}
        assert exchange.turn(market) == 0, "it belongs to the dead one for a while"
        clock.at += exchange.LEASE + timedelta(seconds=1)
    new = some_notices(cast, "ld-market", 2)
    assert exchange.turn(market) == 6
    assert read(out, 1) == keys and read(out, 2) == new, "what came meanwhile is no part of the batch begun before"
    assert {path.name: path.read_bytes() for path in (out / "000001").iterdir()} == before, "the same to the byte"


def test_two_posts_at_once_write_one_batch(app: Flask, cast: Cast, out: Path) -> None:
    market = reached(cast, "ld-market", "drop")
    keys = some_notices(cast, "ld-market", 30)
    done = at_once(app, [lambda: exchange.turn(market)] * 3)
    assert sorted(done) == [0, 0, 30], done
    assert read(out, 1) == keys and len(list(out.iterdir())) == 1


def test_a_disk_that_takes_nothing_is_said_and_tried_again(
    cast: Cast, clock: Clock, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = reached(cast, "ld-market", "drop")
    keys = some_notices(cast, "ld-market", 2)

    def full(*_about: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(drop, "_write", full)
    assert exchange.turn(market) == 0
    assert endpoint(market).trouble == "第 1 批没有写成（OSError）"
    assert states(market) == ["waiting"] * 2
    assert post.turn().elsewhere == 0, "not again at once"
    monkeypatch.undo()
    clock.at = endpoint(market).open_until
    assert post.turn().elsewhere == 2
    assert read(out, 1) == keys and endpoint(market).trouble == ""


def test_what_fits_in_no_sheet_is_given_up_and_holds_only_its_own_company(cast: Cast, out: Path) -> None:
    from app.models import Notice

    market = reached(cast, "ld-market", "drop")
    keys = some_notices(cast, "ld-market", 2, each=2)
    with transaction() as session:
        session.connection().exec_driver_sql(
            "ALTER TABLE notice DISABLE TRIGGER USER"
            if session.get_bind().dialect.name == "postgresql"
            else "DROP TRIGGER IF EXISTS guard_notice_update"
        )
        session.execute(update(Notice).where(Notice.key == keys[0]).values(payload={"other": "format"}))
        if session.get_bind().dialect.name == "postgresql":
            session.connection().exec_driver_sql("ALTER TABLE notice ENABLE TRIGGER USER")
    assert exchange.turn(market) == 2
    assert states(market) == ["dead", "waiting", "delivered", "delivered"] and len(issues()) == 1
    assert read(out, 1) == keys[2:]


def test_departments_with_nothing_have_it_at_their_counter_at_once(cast: Cast) -> None:
    keys = some_notices(cast, "ld-market", 2, each=2)
    reached(cast, "ld-trading", "counter")
    keys += some_notices(cast, "ld-trading", 1)
    assert post.turn() == post.Done(0, 0, elsewhere=5, given_up=0)
    found = ways()
    assert {(way.state, way.channel, way.attempts) for way in found.values()} == {("delivered", "counter", 1)}
    assert [way.position for way in found.values()] == [1, 2, 3, 4, 1]
    assert all(len(tries(key)) == 1 for key in keys)


@pytest.mark.parametrize("channel", ["counter", "drop"])
def test_who_changes_to_files_or_the_counter_gets_nothing_out_of_order(cast: Cast, out: Path, channel: str) -> None:
    """One letter is dead: what comes after it about the same company is held on every channel."""
    with a_receiver(lambda _request: answer(410)) as receiver:
        market = reached(cast, "ld-market", "webhook", receiver.url())
        some_notices(cast, "ld-market", 1, each=2)
        post.turn()
    other = some_notices(cast, "ld-market", 1, each=2)
    reached(cast, "ld-market", channel)
    assert post.turn().elsewhere == 2
    assert states(market) == ["dead", "waiting", "delivered", "delivered"]
    with transaction() as session:
        held = ways()[other[1]]
        session.execute(
            update(Delivery)
            .where(Delivery.notice_id.in_([held.notice_id, ways()[other[0]].notice_id]))
            .values(state="waiting", batch=None)
        )
        session.execute(
            update(Delivery)
            .where(Delivery.notice_id == ways()[other[0]].notice_id)
            .values(lease_until=now() + timedelta(minutes=1))
        )
    assert post.turn().elsewhere == 0, "the earlier one is in somebody's hands"
