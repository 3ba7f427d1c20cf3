"""The press: every sheet once, whatever happens to the press, and nothing in it that is not ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from app.db import db
from app.documents.press import CannotPrint, Sheet, press
from app.duty import paper
from app.duty import press as duty
from app.files import find
from app.now import moved_to, now
from tests.conftest import Clock
from tests.documents.world import build, document


@pytest.fixture
def documents(app: Flask) -> list[int]:
    """Three sheets that wait."""
    return [build(number=str(n)).issue("withdrawal") for n in range(3)]


both = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


def files(app: Flask) -> list[Path]:
    return [file for file in (Path(app.config["INSTANCE"]) / "documents").rglob("*") if file.is_file()]


@both
def test_a_turn_prints_signs_files_and_places_what_waits(app: Flask, documents: list[int]) -> None:
    assert duty.turn() == 3 and duty.turn() == 0
    for row in map(document, documents):
        data = find(Path(app.config["INSTANCE"]) / "documents", str(row.pdf_hash)).read_bytes()
        assert len(data) == row.pdf_size
        assert row.printed_at == row.placed_at == now() and row.trouble == "" and row.lease_until is None
        assert row.signer
    assert len(files(app)) == 3


def test_a_turn_stops_at_its_limit_and_goes_on_the_next_time(app: Flask, documents: list[int]) -> None:
    assert [duty.turn(limit=2), duty.turn(limit=2)] == [2, 1]


@both
def test_who_will_sign_is_written_down_before_anything_is_signed(app: Flask, documents: list[int]) -> None:
    job = duty.claim()
    assert job is not None and document(job.row.id).signer == job.signer
    assert document(job.row.id).pdf_hash is None and not files(app)


def test_a_sheet_that_fails_says_why_and_stops_no_other(
    app: Flask, clock: Clock, documents: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = document(documents[0])

    def picky(sheet: Sheet) -> bytes:
        if sheet.html == bad.html:
            raise CannotPrint("含有无法显示的字：☑（U+2611）")
        return press(sheet)

    with monkeypatch.context() as broken:
        broken.setattr(paper, "press", picky)
        assert duty.turn() == 2
        failed = document(bad.id)
        assert failed.printed_at is None and failed.trouble == "含有无法显示的字：☑（U+2611）"
        assert duty.turn() == 0
    clock.at += timedelta(minutes=11)
    assert duty.turn() == 1 and document(bad.id).trouble == ""


def test_a_text_that_is_not_the_frozen_one_is_not_printed(app: Flask, documents: list[int]) -> None:
    job = duty.claim()
    assert job is not None
    changed = SimpleNamespace(**job.row._asdict() | {"html": job.row.html.replace("撤回", "批准")})
    assert duty.work(replace(job, row=changed)) is False
    assert "指纹不一致" in document(job.row.id).trouble and not files(app)


def test_an_error_nobody_thought_of_is_noted_and_tried_again(
    app: Flask, clock: Clock, documents: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError("No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(paper, "keep", full)
        assert duty.turn() == 0
    assert all("OSError" in document(each).trouble for each in documents)
    clock.at += timedelta(minutes=11)
    assert duty.turn() == 3 and all(document(each).trouble == "" for each in documents)


@both
def test_a_press_that_was_killed_leaves_its_sheet_to_the_next_after_a_minute(
    app: Flask, clock: Clock, documents: list[int]
) -> None:
    killed = duty.claim()
    assert killed is not None
    assert duty.turn() == 2
    clock.at += timedelta(seconds=61)
    assert duty.turn() == 1
    assert duty.work(killed) is False  # it was only slow, and comes too late
    row = document(killed.row.id)
    assert len(files(app)) == 3 and find(Path(app.config["INSTANCE"]) / "documents", str(row.pdf_hash)).is_file()


@both
def test_two_presses_at_work_print_every_sheet_once(app: Flask) -> None:
    documents = [build(number=str(n)).issue("withdrawal") for n in range(8)]
    at = now()
    done: list[int] = []
    start = threading.Barrier(2)

    def work() -> None:
        with app.app_context(), moved_to(at):
            start.wait()
            done.append(duty.turn())
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 8 and len(files(app)) == 8
    assert len({document(each).pdf_hash for each in documents}) == 8


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine that notes who calls."""
    calls: list[str] = []

    class Noting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Noting)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", calls
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="{url}/picture.png" alt="x">',
        '<link rel="stylesheet" href="{url}/style.css">',
        '<link rel="attachment" href="file:///etc/hostname">',
        '<p><img src="file:///etc/hostname" alt="x"></p>',
        '<div style="background:url({url}/x.png)">x</div>',
        "<style>@import url({url}/y.css);</style>",
        '<object data="{url}/z.svg"></object>',
        '<svg><image href="{url}/w.png" width="9" height="9"/></svg>',
        '<img src="data:image/png;base64,AAAA" alt="x">',
    ],
)
def test_the_press_reads_nothing_but_our_own_files(app: Flask, listener: tuple[str, list[str]], markup: str) -> None:
    url, calls = listener
    row = document(build().issue("withdrawal"))
    html = row.html.replace("</h1>", "</h1>" + markup.replace("{url}", url))
    with pytest.raises(CannotPrint):
        pdf = press(Sheet(html, row.facts, row.issued_at))
        assert Path("/etc/hostname").read_bytes().strip() not in pdf
    assert calls == []


def test_a_missing_glyph_stops_the_press_as_well(app: Flask) -> None:
    row = document(build().issue("withdrawal"))
    with pytest.raises(CannotPrint, match="含有无法显示的字"):
        press(Sheet(row.html.replace("本机关", "本☑机关"), row.facts, row.issued_at))
