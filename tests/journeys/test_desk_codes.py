"""代码疑问 and 归集情况: whom a row means is settled with both sides in sight, and each office sees how it reports."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, select

from app.db import db, transaction
from app.journal import check_chain
from app.models import CreditRecord, Identifier, JournalLine, RecordShare, Subject
from app.now import now
from app.registry.code_findings import change_code, correct_subject
from app.registry.hands import NotPossible
from app.registry.publish import status_on
from app.registry.search import find_names
from app.registry.subject import find_by_code
from tests.cast import Cast
from tests.conftest import Clock
from tests.journeys.caller import Caller
from tests.journeys.conftest import STATEMENTS, Visitor
from tests.registry.sheets import a_penalty, a_permit, csv_bytes, firm, lines_of, records, take_in
from workflows.calendar import legal_day

FIRST = "湖南岳衡第1物流有限公司"


@pytest.fixture
def come(visitor: Visitor) -> Callable[[str], Caller]:
    """`come("he")` is somebody who has signed in; no page takes more than the house's statements."""

    class Counted(Caller):
        def get(self, address: str) -> Any:
            visitor.statements.clear()
            answer = super().get(address)
            assert len(visitor.statements) <= STATEMENTS, f"{address}: {len(visitor.statements)}"
            return answer

    def come_in(name: str) -> Caller:
        visitor.become(name)
        return Counted(visitor.client)

    return come_in


@pytest.fixture
def batch(cast: Cast) -> int:
    """Rows 2 to 8 are doubtful: another name, another code, the organ's code, a check character that does not fit, an
    older number, another name again, another code again."""
    wrong = firm(5)[:-1] + ("0" if firm(5)[-1] != "0" else "1")
    rows = [
        a_penalty(cast, 1),
        a_penalty(cast, 2, CF_XDR_SHXYM=firm(1)),
        a_penalty(cast, 3, CF_XDR_MC=FIRST),
        a_penalty(cast, 4, CF_XDR_SHXYM=cast.codes["office"]),
        a_penalty(cast, 5, CF_XDR_SHXYM=wrong),
        a_penalty(cast, 6, CF_XDR_SHXYM="66169742-8"),
        a_penalty(cast, 7, CF_XDR_SHXYM=firm(1)),
        a_penalty(cast, 8, CF_XDR_MC=FIRST),
    ]
    return take_in(cast.offices["province"], csv_bytes(rows))


def of_code(code: str) -> tuple[int, str]:
    """Who has or had a code: id and name."""
    found = find_by_code(code)
    db.session.rollback()
    assert found is not None
    return found.id, found.name


def test_every_kind_of_doubt_is_listed_and_settled_with_both_sides_in_sight(
    come: Callable[[str], Caller], cast: Cast, batch: int
) -> None:
    he = come("he")
    page = he.go("/desk/codes")
    for words in ("同一代码，两个名称", "同一名称，两个代码", "填的是机关的代码", "校验位不符", "旧代码"):
        assert page.says(words)
    assert page.says("本页 7 条") and not he.go("/desk/codes?kind=old_code").says("第 3 行")

    page = he.go(f"/desk/codes/{batch}/5")
    assert page.says("第 18 位应为") and page.says("这一行写错了")
    page = he.press("改正，写入", row_code=firm(5))
    assert page.says("已核对") and lines_of(batch)[5].verdict == "in"
    page = he.go(f"/desk/codes/{batch}/4")
    page = he.press("改正，写入", row_code="随便写的")
    assert page.says("还不能写入") and lines_of(batch)[4].verdict == "waiting"

    page = he.go(f"/desk/codes/{batch}/2")
    assert page.says("库中这个代码属于") and page.says(FIRST) and page.says(firm(1))
    assert page.says("由湖南省交通运输厅的负责人办理") and not page.says("已经更名")
    page = he.press("写入这一行", expect=422)
    page = he.press("写入这一行", keep_reason="查了执照，是同一家，旧公章的名称。")
    assert page.says("已核对") and page.says("旧公章的名称")
    assert records()[-1].subject_id == of_code(firm(1))[0] and of_code(firm(1))[1] == FIRST

    tang = come("tang")
    tang.go(f"/desk/codes/{batch}/7")
    tang.press("更名，写入", rename_reason="2026年10月8日准予变更登记")
    assert of_code(firm(1))[1] == "湖南岳衡第7物流有限公司" and lines_of(batch)[7].verdict == "in"
    lines = db.session.execute(select(JournalLine).where(JournalLine.about == "subject")).scalars().all()
    assert [(one.act, one.answers["before"]) for one in lines] == [("rename", FIRST)]
    assert check_chain("subject", lines[0].about_id) == []
    db.session.rollback()
    assert [hit.code for hit in find_names("岳衡第7物流").rows] == [firm(1)]
    db.session.rollback()
    assert tang.go(f"/desk/codes/{batch}/7").says("核对结果"), "what was settled can still be read"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_record_at_the_wrong_company_and_a_code_that_has_changed_leave_their_history(
    come: Callable[[str], Caller], cast: Cast, batch: int, clock: Clock
) -> None:
    tang = come("tang")
    page = tang.go(f"/desk/codes/{batch}/3")
    assert page.says("写入在谁名下") and page.says("库中同名的主体") and page.says("同一主体换了代码")
    old, wrong_home = records()[1], of_code(firm(3))[0]
    tang.press("换主体", expect=422, move_code="91430100MA7X3K2Q6G"[:17], move_reason="代码抄错")
    page = tang.press("换主体", move_code=firm(1), move_reason="代码抄错")
    assert page.says("已核对") and page.says("代码抄错")
    before, new = next(one for one in records() if one.id == old.id), records()[-1]
    assert (before.subject_id, before.undone_at, new.subject_id) == (wrong_home, now(), of_code(firm(1))[0])
    assert (status_on(before.id, legal_day(now())), status_on(new.id, legal_day(now()))) == ("withdrawn", "published")
    assert (new.fields["CF_XDR_SHXYM"], new.number, new.received) == (firm(1), old.number, old.received)
    db.session.rollback()

    tang.go(f"/desk/codes/{batch}/8")
    page = tang.press("换代码", expect=422, since="2027-01-01", code_reason="换照")
    assert page.says("启用日期还没有到")
    page = tang.press("换代码", since="2026-10-08", code_reason="个转企，换发新照")
    assert page.says("已核对")
    assert of_code(firm(8)) == of_code(firm(1)), "both codes lead to the one body"
    codes = db.session.execute(
        select(Identifier.value, Identifier.valid_until).where(Identifier.subject_id == of_code(firm(1))[0])
    )
    assert sorted(map(tuple, codes)) == sorted([(firm(1), date(2026, 10, 7)), (firm(8), None)])
    shown = [hit.code for hit in find_names(FIRST).rows]
    assert firm(8) in shown and firm(1) not in shown, "it is found once, under its present code"
    moved = db.session.execute(select(CreditRecord.subject_id).where(CreditRecord.number.contains("〕8号"))).scalars()
    assert set(moved) == {of_code(firm(1))[0]}
    db.session.rollback()


def test_what_others_already_rely_on_is_not_moved_and_whoever_acts_for_the_company_keeps_away(
    cast: Cast, batch: int
) -> None:
    tang = cast.who("tang")
    record = next(one for one in records() if one.number.endswith("〕3号"))
    with transaction():
        told = {"record_id": record.id, "receiver_id": cast.offices["ld-market"], "what": "publish", "at": now()}
        db.session.execute(insert(RecordShare).values(**told))
    before = [(one.id, one.subject_id, one.undone_at) for one in records()]
    subject = of_code(firm(1))[0]
    for attempt, words in (
        (lambda: correct_subject(batch, 3, firm(1), "抄错", tang, now()), "不能换主体"),
        (lambda: change_code(batch, 3, subject, firm(3), legal_day(now()), "换照", tang, now()), "不能并过来"),
        (lambda: correct_subject(batch, 8, firm(77), "抄错", tang, now()), "库中没有"),
        (lambda: correct_subject(batch, 8, firm(1), "抄错", cast.who("he"), now()), "由认定单位"),
        (lambda: change_code(batch, 8, subject, firm(1)[:17], legal_day(now()), "换照", tang, now()), "位"),
        (lambda: change_code(batch, 8, subject, firm(9), legal_day(now()), " ", tang, now()), "请写明"),
    ):  # fmt: skip
        with pytest.raises(NotPossible, match=words), transaction():
            attempt()
    assert [(one.id, one.subject_id, one.undone_at) for one in records()] == before
    assert db.session.execute(select(Subject.id).where(Subject.name == FIRST)).scalars().all()
    db.session.rollback()


def test_the_figures_of_each_office_for_a_period(come: Callable[[str], Caller], cast: Cast, clock: Clock) -> None:
    """Seven working days after Monday 16 November is Wednesday 25 November."""
    city = {"CF_CFJG": "长沙市交通运输局"}
    clock.go("2026-10-12")
    take_in(cast.offices["changsha"], csv_bytes([a_penalty(cast, 40, **city)]))
    clock.go("2026-11-25")
    rows = [a_penalty(cast, n, **city, CF_JDRQ=day) for n, day in ((1, "2026-11-16"), (2, "2026-11-13"), (3, "?"))]
    rows += [a_penalty(cast, 4, **city, CF_JDRQ="?"), rows[0], a_penalty(cast, 40, **city)]
    batch = take_in(cast.offices["changsha"], csv_bytes(rows))
    he = come("he")
    page = he.go("/desk/coverage")
    assert page.says("1 / 2") and page.says("没有报送")
    sheet = list(csv.reader(io.StringIO(he.get("/desk/coverage.csv").data.decode("utf-8-sig"))))
    assert sheet[2] == ["jt-430100", "长沙市交通运输局", "1", "6", "2", "2", "2", "33.3%", "50.0%", "50.0%", "33.3%"]
    assert sheet[1][2:] == ["0", "0", "0", "0", "0", "0.0%", "—", "—", "—"]
    sheet = he.get("/desk/coverage.csv?since=2026-10-01&until=2026-11-25").data.decode("utf-8-sig")
    assert "长沙市交通运输局,2,7,3,2,2,33.3%,60.0%,33.3%,28.6%" in sheet
    page = he.follow("长沙市交通运输局")
    assert page.says("1 / 2") and page.says("行政许可信息 没有报送") and page.says("报送.csv")
    assert he.follow("2 行").says("待处理")

    take_in(cast.offices["changsha"], csv_bytes([a_permit(cast, 5, XK_XKJG="长沙市交通运输局")]))
    assert "66.7%" in he.get("/desk/coverage.csv").data.decode()
    for address in ("?since=2030-01-01", "?since=x&until=0001-01-01", "?since=1900-01-01&until=2026-11-25"):
        he.go(f"/desk/coverage{address}")
    assert he.get("/desk/coverage/nowhere").status_code == 404
    assert lines_of(batch)[3].verdict == "waiting"
