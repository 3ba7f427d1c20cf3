"""A file is taken in: rows become records with their subjects and publication, in one clean run or after any kill."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from app.db import db, transaction
from app.duty import intake
from app.journal import SYSTEM
from app.models import Identifier, PublicationFact, Subject
from app.now import moved_to, now
from app.registry.blind import blind_index
from app.registry.codes import id_check_character
from app.registry.intake import batch as batches
from app.registry.intake.batch import start
from app.registry.publish import status_on
from app.sealed import house_keys, open_sealed
from tests.cast import Cast, assemble
from tests.conftest import emptied, fresh_copy
from tests.faults.test_kill import die, in_a_child
from tests.registry.sheets import (
    a_penalty,
    a_permit,
    batch_of,
    csv_bytes,
    firm,
    lines_of,
    preview,
    records,
    said,
    take_in,
)
from workflows.calendar import legal_day

DRIVER = "43999919880312003" + id_check_character("43999919880312003")


def facts() -> int:
    """How many publication facts there are."""
    count = db.session.execute(select(func.count()).select_from(PublicationFact)).scalar_one()
    db.session.rollback()
    return int(count)


def test_a_clean_sheet_goes_in_and_leaves_no_line_behind(cast: Cast) -> None:
    batch = take_in(cast.offices["province"], csv_bytes([a_penalty(cast, n) for n in range(1, 6)]))
    assert batch_of(batch).tallies == {"in": 5}
    assert lines_of(batch) == {}
    assert [record.number for record in records()] == [f"湘交罚〔2026〕{n}号" for n in range(1, 6)]
    assert {(record.cls, record.batch_id, record.version) for record in records()} == {("严重", batch, 1)}
    assert facts() == 5
    subject = db.session.execute(select(Subject).where(Subject.name == "湖南岳衡第3物流有限公司")).scalar_one()
    assert (subject.kind, subject.region, subject.legal_representative) == ("enterprise", "430100", "罗建平")
    assert subject.code == firm(3)
    db.session.rollback()


def test_a_preview_writes_nothing_but_the_batch(cast: Cast) -> None:
    rows = [a_penalty(cast, 1), a_penalty(cast, 2, CF_JDRQ="2026-02-30"), a_penalty(cast, 1)]
    batch = batch_of(preview(cast.offices["province"], csv_bytes(rows)))
    assert (batch.state, batch.rows, batch.tallies) == ("previewed", 3, {})
    assert batch.preview["tallies"] == {"in": 1, "waiting": 1, "duplicate": 1} and batch.preview["complete"]
    assert ["处罚决定日期", "处罚决定日期"] in batch.preview["columns"]
    assert [told["row"] for told in batch.preview["told"]] == [2, 3]
    assert records() == [] and lines_of(batch.id) == {}


def test_the_watch_takes_in_what_was_queued(app: Flask, cast: Cast) -> None:
    batch = preview(cast.offices["province"], csv_bytes([a_penalty(cast, 1)]))
    assert intake.turn() == 0, "nobody has confirmed it"
    with transaction():
        start(batch, SYSTEM, now())
    assert intake.turn() == 1
    assert intake.turn() == 0
    assert batch_of(batch).state == "done"


def test_known_subjects_are_found_by_their_present_and_their_earlier_code(cast: Cast) -> None:
    with transaction() as session:
        session.execute(
            Identifier.__table__.insert().values(
                subject_id=cast.subjects["yueheng"], kind="uscc", value=firm(77), valid_from=date(2015, 1, 1),
                valid_until=date(2019, 12, 31),
            )
        )  # fmt: skip
    name = "湖南岳衡物流有限公司"
    rows = [a_penalty(cast, 1, CF_XDR_MC=name, CF_XDR_SHXYM=cast.codes["yueheng"])]
    rows.append(a_penalty(cast, 2, CF_XDR_MC=name, CF_XDR_SHXYM=firm(77)))
    take_in(cast.offices["province"], csv_bytes(rows))
    assert {record.subject_id for record in records()} == {cast.subjects["yueheng"]}


def test_a_person_is_known_by_a_sealed_number_and_one_person_is_one_subject(app: Flask, cast: Cast) -> None:
    person = {"CF_XDR_MC": "欧阳诚", "CF_XDR_LB": "自然人", "CF_XDR_SHXYM": "", "CF_FRDB": "", "CF_XDR_ZJLX": "身份证"}
    rows = [a_penalty(cast, n, **person, CF_XDR_ZJHM=DRIVER) for n in (1, 2)]
    rows.append(a_penalty(cast, 3, **person | {"CF_XDR_MC": "欧阳实"}, CF_XDR_ZJHM=DRIVER))
    rows.append(a_penalty(cast, 4, **person, CF_XDR_ZJHM=DRIVER, CF_SY=""))
    batch = take_in(cast.offices["province"], csv_bytes(rows))
    assert batch_of(batch).tallies == {"in": 2, "waiting": 2}
    assert lines_of(batch)[3].finding == "two_names"
    assert len({record.subject_id for record in records()}) == 1
    found = db.session.execute(select(Identifier).where(Identifier.kind == "id_card")).scalar_one()
    assert found.value is None and open_sealed(found.sealed, house_keys(), "identifier") == DRIVER
    assert found.blind == blind_index(DRIVER, bytes.fromhex(app.config["INDEX_KEY"]), "identifier")
    db.session.rollback()
    kept = [(record.fields, record.received) for record in records()]
    kept += [(line.received, line.reasons) for line in lines_of(batch).values()]
    assert DRIVER not in str(kept), "neither in a record nor in a row that waits"


def test_a_legacy_sheet_is_read_by_the_names_it_has(cast: Cast) -> None:
    row = a_penalty(cast, 1, CF_XDR_MC="欧阳诚", CF_XDR_LB="自然人", CF_XDR_SHXYM="", CF_FRDB="")
    del row["CF_WFXW"]
    row["CF_CFLB1"], row["CF_CFLB2"] = "警告", row.pop("CF_CFLB")
    row["CF_XDR_SFZ"] = DRIVER
    row["CF_JG"] = row.pop("CF_NR")
    row["CF_XZJG"] = row.pop("CF_CFJG")
    row["CF_AJMC"] = "超限运输案"
    batch = take_in(cast.offices["province"], csv_bytes([row], names=False))
    assert batch_of(batch).tallies == {"in": 1}, said(lines_of(batch)[1])
    fields = records()[0].fields
    assert fields["CF_WFXW"] == fields["CF_SY"] and fields["CF_CFLB"] == "警告;吊销许可证件"
    assert fields["CF_XDR_ZJLX"] == "身份证"


@pytest.mark.parametrize(
    ("changes", "shown"),
    [({}, "published"), ({"XK_ZT": "无效"}, "unpublished"), ({"XK_YXQZI": "2026-04-01"}, "unpublished")],
)
def test_a_permit_is_shown_for_as_long_as_it_lives(cast: Cast, changes: dict[str, str], shown: str) -> None:
    take_in(cast.offices["province"], csv_bytes([a_permit(cast, **changes)]))
    record = records()[0]
    assert (record.kind, record.title, record.cls) == ("permit", "道路运输经营许可证", "")
    assert status_on(record.id, legal_day(now())) == shown
    db.session.rollback()


def test_a_list_of_the_dishonest_is_entered_as_records_of_its_kind(cast: Cast) -> None:
    row = {
        "企业名称": "湖南岳衡第1物流有限公司", "主体类别": "法人及非法人组织", "统一社会信用代码": firm(1),
        "法人姓名": "罗建平", "批次": "2026年第3批", "车牌号": "湘A演001", "道路运输证号": "430100000001",
        "失信行为": "一年内违法超限运输超过三次", "认定依据": "《公路安全保护条例》第六十六条", "列入日期": "2026/6/1",
        "认定部门": "湖南省交通运输厅", "数据来源": "湖南省交通运输厅",
    }  # fmt: skip
    batch = take_in(cast.offices["province"], csv_bytes([row, row | {"车牌号": "湘A演002"}]))
    assert batch_of(batch).tallies == {"in": 2}, said(lines_of(batch).get(1) or lines_of(batch)[2])
    one = records()[0]
    assert (one.kind, one.number, one.cls) == ("list", "2026年第3批 湘A演001", "严重")
    assert one.maximum_last_day == date(2029, 6, 1)


def test_a_row_of_another_branch_waits_and_one_of_an_office_below_is_that_office_s(cast: Cast) -> None:
    rows = [a_penalty(cast, 1, CF_CFJG="长沙市交通运输局")]
    batch = take_in(cast.offices["province"], csv_bytes(rows))
    assert records()[0].office_id == cast.offices["changsha"]
    batch = take_in(cast.offices["changsha"], csv_bytes([a_penalty(cast, 2)]))
    assert "请由认定单位报送" in said(lines_of(batch)[1])


# ---- kill -9


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Chunks of seven rows, so that few rows have many chunks."""
    monkeypatch.setattr(batches, "CHUNK", 7)
    yield


def register() -> list[Any]:
    """What the register says, without the numbers that only count."""
    subjects = db.session.execute(
        select(Subject.name, Subject.kind, Identifier.value, Identifier.blind)
        .outerjoin(Identifier, Identifier.subject_id == Subject.id)
        .order_by(Subject.name, Identifier.value)
    ).all()
    names = dict(db.session.execute(select(Subject.id, Subject.name)).all())
    stated = select(PublicationFact.record_id, func.count()).group_by(PublicationFact.record_id)
    shown = dict(db.session.execute(stated).all())
    db.session.rollback()
    kept = sorted(
        (
            r.number,
            names[r.subject_id],
            r.office_id,
            sorted(r.fields.items()),
            sorted(r.received.items()),
            r.cls,
            r.version,
            shown.get(r.id, 0),
        )
        for r in records()
    )
    return [[tuple(row) for row in subjects], kept]


def sheet_for_kills(cast: Cast) -> bytes:
    """Sixty rows: clean ones, bad ones, duplicates within and across chunks, persons, doubts."""
    rows = []
    for n in range(1, 61):
        row = a_penalty(cast, n, CF_XDR_SHXYM=firm(n % 20), CF_XDR_MC=f"湖南岳衡第{n % 20}物流有限公司")
        if n % 9 == 0:
            row["CF_JDRQ"] = "2026-02-30"
        if n % 11 == 0:
            row = {**rows[n - 10]}
        if n % 13 == 0:
            row |= {"CF_XDR_MC": "张三", "CF_XDR_LB": "自然人", "CF_XDR_SHXYM": "", "CF_FRDB": ""}
            row |= {"CF_XDR_ZJLX": "护照", "CF_XDR_ZJHM": f"E1234567{n % 2}"}
        rows.append(row)
    return csv_bytes(rows)


def outcome(batch: int) -> Any:
    """All that a batch has brought."""
    lines = {n: (line.verdict, line.reasons, line.finding) for n, line in lines_of(batch).items()}
    return register(), batch_of(batch).tallies, lines


def test_killed_at_any_statement_and_run_again_the_register_equals_one_clean_run(
    app: Flask, cast: Cast, database: str, small_chunks: None, request: pytest.FixtureRequest
) -> None:
    data = sheet_for_kills(cast)
    clean = outcome(take_in(cast.offices["province"], data))
    assert {"in", "waiting", "duplicate"} <= clean[1].keys()

    db.session.remove()
    if database == "sqlite":
        fresh_copy(app, request.getfixturevalue("sqlite_template"))
    else:
        emptied()
    cast = assemble()
    batch = preview(cast.offices["province"], data)
    with transaction():
        start(batch, SYSTEM, now())
    kills = 0
    while batch_of(batch).state != "done":
        kills += 1
        assert kills < 100

        def run_and_die(after: int = kills * 7 % 30 + 8) -> None:
            left = [after]

            def count(*_: Any) -> None:
                left[0] -= 1
                if not left[0]:
                    die()

            event.listen(db.engine, "before_cursor_execute", count)
            event.listen(db.engine, "commit", count)
            intake.run(batch, take_over=True)

        db.session.remove()
        assert in_a_child(run_and_die) in (0, signal.SIGKILL)
        db.session.remove()
    assert kills >= 3
    assert outcome(batch) == clean


def test_of_two_watches_one_runs_a_batch_and_the_other_leaves_it(cast: Cast) -> None:
    batch = preview(cast.offices["province"], csv_bytes([a_penalty(cast, 1)]))
    with transaction():
        start(batch, SYSTEM, now())
    with transaction():
        assert batches.claim(batch, "one:1", now()) is not None
    with transaction():
        assert batches.claim(batch, "other:2", now()) is None
    assert intake.turn() == 0
    later = now() + timedelta(minutes=1)
    with moved_to(later), transaction():
        work = batches.claim(batch, "other:2", later)
        assert work is not None
        assert batches.take_chunk(work, [1], 0, "one:1", later) is None, "whoever lost the lease writes no more"
        assert batches.take_chunk(work, [1], 5, "other:2", later) is None, "nor whoever is not where the batch is"
        assert batches.take_chunk(work, [1], 0, "other:2", later) == {"skipped": 1}
