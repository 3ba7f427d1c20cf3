"""Extracts of a credit file: five days give five papers, each sealed; the notice that goes with a penalty."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.casework.extract import draw_extract, draw_for_officer
from app.casework.repair_notice import issue_notice
from app.casework.subject_file import NoReason
from app.db import db, transaction
from app.documents.check import check_file, look_up
from app.duty import register
from app.files import find
from app.journal import check_chain
from app.models import JournalLine, PublicationFact, RegisterPaper
from app.now import now
from app.registry.credit_file import NoSuchSubject, Reader
from app.registry.hands import NotPossible
from tests.cast import Cast, assemble
from tests.conftest import Clock
from tests.registry.test_credit_file import ANNULLED, CORRECTED, MARKED, PUBLISHED, REPAIRED, five_days


@dataclass
class Told:
    """The story's end: everything printed, looked at by the tests of this file."""

    app: Flask
    cast: Cast
    codes: list[str]
    folder: Path


def paper(code: str) -> Any:
    row = db.session.execute(select(*RegisterPaper.__table__.c).where(RegisterPaper.code == code)).one()
    db.session.rollback()
    return row


def pdf(app: Flask, code: str) -> bytes:
    return find(Path(app.config["INSTANCE"]) / "documents", str(paper(code).pdf_hash)).read_bytes()


def pdfsig(data: bytes, folder: Path) -> str:
    file = folder / "asked.pdf"
    file.write_bytes(data)
    return subprocess.run(["pdfsig", file], capture_output=True, text=True).stdout


@pytest.fixture
def world(app: Flask, clock: Clock, tmp_path: Path) -> Iterator[Told]:
    """Five days of a company, an extract of each for the company itself, and the night after."""
    cast = assemble()
    five_days(cast, clock)
    days = (PUBLISHED, MARKED, REPAIRED, CORRECTED, ANNULLED)
    codes = []
    for day in days:
        with transaction():
            codes.append(
                draw_extract(cast.subjects["yueheng"], Reader.SUBJECT, day, None, now(), by=cast.users["deng"])
            )
    with app.test_request_context("/verify"):
        yield Told(app, cast, codes, tmp_path)


def test_five_days_give_five_sealed_papers_and_one_byte_breaks_the_seal(world: Told) -> None:
    assert register.PAPER.turn() == 5
    papers = [paper(code) for code in world.codes]
    assert len({row.content_hash for row in papers}) == 5, "five days, five different contents"
    assert [row.about_day for row in papers] == [PUBLISHED, MARKED, REPAIRED, CORRECTED, ANNULLED]
    assert len({row.number for row in papers}) == 5 and papers[0].number == "湘交信档〔2026〕1号"
    for row in papers:
        data = pdf(world.app, row.code)
        said = pdfsig(data, world.folder)
        assert "Signature is Valid" in said and "Total document signed" in said and "CN=湖南省交通运输厅" in said
        checked = check_file(data)
        assert checked.genuine and checked.document is not None and checked.document.code == row.code
    data = bytearray(pdf(world.app, world.codes[3]))
    place = data.index(b"/Type /Page")
    data[place + 1] ^= 1
    assert "Signature is Valid" not in pdfsig(bytes(data), world.folder)
    assert not check_file(bytes(data)).genuine
    twin = _twin(pdf(world.app, world.codes[1]), world.folder)
    assert twin["content"]["sections"][0]["rows"][1][3] == [
        "2026-05-19起公示", "最长至2027-05-18", "2026-06-10起标注异议", "今天已不公示", "其后已更正",
    ]  # fmt: skip
    assert twin["content_sha256"] == papers[1].content_hash and twin["about_day"] == "2026-06-10"
    found = look_up(world.codes[1].lower().replace("-", " "))
    assert found is not None and "说的是2026年6月10日的情况" in found.sentence and found.headline.startswith("摘要真实")


def _twin(data: bytes, folder: Path) -> dict[str, Any]:
    """The machine-readable twin inside a PDF/A-3."""
    file = folder / "twin.pdf"
    file.write_bytes(data)
    subprocess.run(["pdfdetach", "-saveall", "-o", folder, file], check=True, capture_output=True)
    found: dict[str, Any] = json.loads((folder / "facts.json").read_text("utf-8"))
    return found


def test_who_asks_decides_what_stands_on_the_paper_and_an_officer_says_why(world: Told) -> None:
    cast, subject = world.cast, world.cast.subjects["yueheng"]
    li, liu = cast.who("li"), cast.who("liu")
    with transaction():
        code = draw_for_officer(li, subject, None, None, "核查 XF-1 号申请", now())
        public = draw_extract(subject, Reader.PUBLIC, MARKED, None, now())
        again = draw_extract(subject, Reader.PUBLIC, MARKED, None, now())
        mine = draw_extract(subject, Reader.SUBJECT, None, None, now(), by=cast.users["deng"])
    assert public == again, "the same question within ten minutes is the same paper"
    officer, own, outside = paper(code).html, paper(mine).html, paper(public).html
    assert "罗*" in officer and "罗建平" not in officer and "湘交罚" in officer
    assert "罗建平" in own, "a company reads its own representative's name"
    assert "罗建平" not in paper(world.codes[0]).html, "what the public saw is masked as the public saw it"
    assert "湘交罚" not in outside.partition("已经撤回")[0] and "其后依法终止公示的信息有 2 条" in outside
    (line,) = db.session.execute(select(*JournalLine.__table__.c).where(JournalLine.about == "subject")).all()
    assert (line.act, line.person_name, line.answers["reason"]) == ("extract", "李昊", "核查 XF-1 号申请")
    assert check_chain("subject", subject) == []
    for who, reason, error in ((li, "看", NoReason), (liu, "核查 XF-1 号申请", NoSuchSubject)):
        with pytest.raises(error), transaction():
            draw_for_officer(who, subject, None, None, reason, now())


def test_a_fresh_penalty_gets_its_notice_by_night_and_a_corrected_class_a_new_one(world: Told, clock: Clock) -> None:
    cast = world.cast
    fresh = cast.penalty(on="2026-11-20")
    old = cast.penalty(on="2026-05-20")
    assert register.write_notices() == 1 and register.write_notices() == 0
    (row,) = db.session.execute(select(*RegisterPaper.__table__.c).where(RegisterPaper.kind == "repair_notice")).all()
    assert row.record_id == fresh and row.number == "湘交信修告〔2026〕1号"
    said = re.sub(r"<[^>]*>", "", row.html)
    for words in ("一般失信信息", "2027年2月20日", "2027年11月20日", "免费申请修复", "/guide", "/records/", "行政复议"):
        assert words in said, words
    register.PAPER.turn()
    assert "Signature is Valid" in pdfsig(pdf(world.app, row.code), world.folder)
    with transaction():
        assert issue_notice(fresh, now(), cast.who("tang")) == row.code, "it says the same: no second one"
        issue_notice(old, now(), cast.who("tang"))
        db.session.execute(
            text("UPDATE record SET cls = '严重', maximum_last_day = '2029-11-20' WHERE id = :id"), {"id": fresh}
        )
    clock.go("2026-12-01")
    with transaction():
        new = issue_notice(fresh, now(), cast.who("tang"))
    found = look_up(row.code)
    assert new != row.code and found is not None and found.status == "replaced"
    with pytest.raises(NotPossible, match="认定单位"), transaction():
        issue_notice(fresh, now(), cast.who("li"))
    annulled = min(db.session.execute(select(PublicationFact.record_id)).scalars())
    with pytest.raises(NotPossible, match="已经撤销"), transaction():
        issue_notice(annulled, now())


def test_publication_ends_by_itself_the_day_after_its_longest_day_with_the_cause(world: Told, clock: Clock) -> None:
    cast = world.cast
    done = cast.penalty(on="2026-05-20")
    owing = cast.penalty(on="2026-05-20", duty="outstanding")
    clock.go("2027-05-20")
    assert register.end_publications() == 0
    clock.go("2027-05-21")
    assert register.end_publications() == 2 and register.end_publications() == 0
    rows = db.session.execute(
        select(PublicationFact.record_id, PublicationFact.effective_on, PublicationFact.cause)
        .where(PublicationFact.deed == "end")
        .order_by(PublicationFact.record_id)
    ).all()
    db.session.rollback()
    assert [(row.record_id, row.effective_on) for row in rows] == [
        (done, date(2027, 5, 21)),
        (owing, date(2027, 5, 21)),
    ]
    assert "义务已经履行，公示自动终止" in rows[0].cause and "义务尚未履行完毕" in rows[1].cause
    clock.at += timedelta(days=1)
    assert register.end_publications() == 0, "what has ended does not end again"
