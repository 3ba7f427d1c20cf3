"""What receivers read: sheets and payloads that say the same thing, in each receiver's own spelling."""

from __future__ import annotations

import csv
import io
import json
import uuid
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import insert, select, update

from app.casework.carried import Letter, Named, Pushed
from app.casework.carry import carry_filing
from app.db import db, transaction
from app.models import CreditRecord, Endpoint, Membership, Office, Subject, Subscription, User
from app.notices.formats import FORMATS, ministry, result, sheet
from app.notices.formats.describe import describe
from app.notices.formats.field import sample_of
from app.now import now
from tests.build import ITEMS, a_case, night, walk
from tests.casework.acts import annul, clock_of, look, scalar, told
from tests.cast import SINCE, Cast


def sent(**changed: Any) -> SimpleNamespace:
    """A frozen notice of the sample, changed here and there."""
    return SimpleNamespace(payload={**sample_of(result.FIELDS), **changed})


def cells(notices: list[Any]) -> list[dict[str, str]]:
    """A CSV sheet as a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO(sheet.csv_of(notices).decode("utf-8-sig"), newline="")))


def test_a_sheet_in_csv_opens_in_a_spreadsheet_with_chinese_headings_and_one_row_a_notice() -> None:
    raw = sheet.csv_of([sent(), sent(notice="case-9-7-lk-market")])
    assert raw.startswith(b"\xef\xbb\xbf") and raw.count(b"\r\n") == 3
    first, second = cells([sent(), sent(notice="case-9-7-lk-market")])
    assert list(first) == [column.heading for column in sheet.COLUMNS]
    assert first["修复结论"] == "准予修复" and first["是否撤回"] == "否" and first["版本"] == "1"
    assert first["需解除的惩戒措施"] == "省公共资源交易中心：限制投标"
    assert second["修复结果编号"] == "case-9-7-lk-market"


def test_the_sheet_has_every_column_of_the_proposed_one_that_the_sender_fills() -> None:
    names = {column.name for column in sheet.COLUMNS}
    assert names >= {
        "result_id", "subject_name", "uscc", "record_type", "record_no", "record_organ", "record_date", "class",
        "application_no", "application_date", "accept_organ", "decision", "decision_date", "decision_organ",
        "legal_basis", "end_publicity_date", "measures_to_lift", "commitment_code", "version", "updated_at",
        "withdrawn",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_no_cell_of_a_sheet_can_act_as_a_formula(name: str) -> None:
    (row,) = cells([sent(subject_name=name, measures_to_lift=[name, "限制投标"])])
    assert row["信用主体名称"] == f"'{name}"
    assert row["需解除的惩戒措施"].startswith("'")


def test_a_sheet_in_xml_is_well_formed_whatever_the_company_is_called() -> None:
    hostile = "</result><!-- & ]]> \x00\x0b\ufffe\ud800 “演示”"
    root = ElementTree.fromstring(sheet.xml_of([sent(subject_name=hostile, measures_to_lift=["甲<乙", "丙&丁"])]))
    assert (root.tag, root.attrib, len(root)) == ("repair_results", {"count": "1"}, 1)
    (row,) = root
    assert [element.tag for element in row] == [column.name for column in sheet.COLUMNS]
    assert row.findtext("subject_name") == "</result><!-- & ]]> \ufffd\ufffd\ufffd\ufffd “演示”"
    assert [one.text for one in row.findall("measures_to_lift/measure")] == ["甲<乙", "丙&丁"]
    assert row.findtext("withdrawn") == "false" and row.findtext("version") == "1"


def test_an_empty_sheet_still_has_its_headings() -> None:
    assert cells([]) == [] and sheet.csv_of([]).decode("utf-8-sig").startswith("修复结果编号,")
    assert ElementTree.fromstring(sheet.xml_of([])).attrib == {"count": "0"}


@pytest.mark.parametrize("spell", [sheet.csv_of, sheet.xml_of])
def test_a_payload_of_another_format_is_not_put_on_a_sheet(spell: Any) -> None:
    with pytest.raises(ValueError, match="format result"):
        spell([SimpleNamespace(payload={"tableCode": "1"})])


@pytest.mark.parametrize("word", FORMATS)
def test_the_sample_of_a_format_keeps_to_its_schema(word: str) -> None:
    said = describe(word, "https://credit.example/")
    Draft202012Validator.check_schema(said.schema)
    Draft202012Validator(said.schema, format_checker=FormatChecker()).validate(said.sample)
    assert said.title and said.meant_for and json.loads(said.sample_text) == said.sample
    assert json.loads(said.schema_text) == said.schema
    assert "https://credit.example/api/v1/notices?after=0" in said.curl
    compile(said.python, "sample.py", "exec")


@pytest.mark.parametrize("word", FORMATS)
def test_a_schema_refuses_what_is_not_the_format(word: str) -> None:
    said = describe(word, "https://credit.example")
    check = Draft202012Validator(said.schema, format_checker=FormatChecker())
    assert not check.is_valid({**said.sample, "surplus": 1})
    assert not check.is_valid({})
    assert {line.field.name for line in said.lines if line.depth == 0} == set(said.sample)
    assert bool(said.columns) == (word == "result")


def test_there_is_no_description_of_a_format_there_is_not() -> None:
    with pytest.raises(KeyError):
        describe("fax", "")


ENDPOINTS = {"ld-creditchina": "creditchina", "ld-hunan": "province", "ld-market": "ministry"}


@pytest.fixture
def own_formats(cast: Cast) -> Cast:
    """信用中国, the province and one more have formats of their own."""
    with transaction():
        for code, format in ENDPOINTS.items():
            db.session.execute(
                insert(Endpoint.__table__).values(
                    office_id=cast.offices[code], channel="counter", format=format, address="", cursor=0, failures=0,
                    stopped_why="", trouble="",
                )
            )  # fmt: skip
    return cast


@pytest.mark.parametrize("road", ["processing", "refused", "declined", "transferred"])
def test_every_receiver_gets_the_format_it_chose_and_it_is_valid(own_formats: Cast, road: str) -> None:
    number = a_case(own_formats, at=road)
    for code, rows in told(number).items():
        said = describe(ENDPOINTS.get(code, "result"), "https://credit.example")
        for row in rows:
            Draft202012Validator(said.schema, format_checker=FormatChecker()).validate(row.payload)


def test_the_province_gets_the_row_in_its_new_state_and_the_ministry_a_lasting_guid(own_formats: Cast) -> None:
    record = own_formats.penalty()
    number = a_case(own_formats, at="processing", record=record)
    public = look(number).record.public_id  # type: ignore[union-attr]
    (provincial,), (federal,) = told(number)["ld-hunan"], told(number)["ld-market"]
    (row,) = provincial.payload["body"]
    assert (row["XXBH"], row["DQZT"], row["CF_JDRQ"], row["XF_JDRQ"], row["TZBH"]) == (
        public, "已修复", "2026/05/18", "2026/11/24", provincial.key,
    )  # fmt: skip
    assert provincial.payload["departmentCode"] == "jt-430000"
    assert federal.payload["guid"] == str(uuid.uuid5(ministry.SPACE, federal.key))
    assert (federal.payload["action"], federal.payload["row"]["outcome"]) == ("update", "准予修复")
    annul(own_formats, record)
    night(with_press=False)
    assert told(number)["ld-hunan"][-1].payload["body"][0]["DQZT"] == "撤销"
    assert told(number)["ld-market"][-1].payload["action"] == "withdraw"


def test_credit_china_learns_what_is_missing_until_when_and_where_the_letter_is(own_formats: Cast) -> None:
    with transaction():
        user = db.session.execute(
            insert(User.__table__)
            .values(login="su", name="苏宁静", password_hash="", active=True, session_version=1, failures=0)
            .returning(User.id)
        ).scalar_one()
        db.session.execute(
            insert(Membership.__table__).values(
                user_id=user, office_id=own_formats.offices["ld-creditchina"], role="linked", valid_from=SINCE
            )
        )
    own_formats.users["su"] = user
    record = own_formats.penalty()
    public = scalar(select(CreditRecord.public_id).where(CreditRecord.id == record))
    pushed = Pushed(
        number="XYZG-2026-000017", received_on=date(2026, 11, 23), name="湖南岳衡物流有限公司",
        code=own_formats.codes["yueheng"], records=(Named(public_id=public),),
        letter=Letter("罗建平", "legal_representative", date(2026, 11, 23), code="L-1"),
    )  # fmt: skip
    with transaction():
        _, (opened,) = carry_filing(
            pushed, actor=own_formats.who("su"), channel="creditchina", key="k", at=now(), folder=Path(), limit=1,
            index=b"i" * 32,
        )  # fmt: skip
    walk(own_formats, opened.number, "li", "correct", items=ITEMS)
    (row,) = told(opened.number)["ld-creditchina"]
    payload = row.payload
    assert (payload["platform_no"], payload["application_no"]) == ("XYZG-2026-000017", opened.number)
    assert payload["items"] == ["履行证明：缴款票据看不清，重新拍照上传"]
    assert payload["until"] == clock_of(opened.number, "correct").due_on.isoformat()  # type: ignore[union-attr]
    assert payload["document_no"].startswith("湘交信修补〔2026〕")
    assert payload["verify_at"].startswith("https://credit.example/verify/")
    assert (payload["act"], payload["end_publicity_date"], payload["confirm_by"]) == ("correct", "", "")
    Draft202012Validator(describe("creditchina", "").schema, format_checker=FormatChecker()).validate(payload)


def test_who_subscribed_is_told_for_information_and_nobody_waits_for_them(cast: Cast) -> None:
    with transaction():
        db.session.execute(update(Subject).where(Subject.id == cast.subjects["yueheng"]).values(trade="road_freight"))
        for code, wanted in (
            ("ld-sub", {}),
            ("ld-trade", {"trades": "bus road_freight", "regions": "4301 4302", "kinds": "penalty"}),
            ("ld-else", {"trades": "bus"}),
            ("ld-far", {"regions": "4305"}),
            ("ld-kind", {"kinds": "permit"}),
            ("ld-over", {"valid_until": date(2026, 11, 23)}),
        ):
            office = db.session.execute(
                insert(Office.__table__).values(
                    code=code, name=code, short=code, kind="linked", path=f"/{code}/", region="", word="",
                    review_body="", receives="", phone="", address="",
                ).returning(Office.id)
            ).scalar_one()  # fmt: skip
            filters = {"regions": "", "trades": "", "kinds": "", "valid_from": SINCE, **wanted}
            db.session.execute(insert(Subscription.__table__).values(office_id=office, made_at=now(), **filters))
    number = a_case(cast, at="processing")
    heard = told(number)
    assert set(heard) == {"ld-creditchina", "ld-hunan", "ld-market", "ld-trading", "ld-sub", "ld-trade"}
    for code in ("ld-sub", "ld-trade"):
        payload = heard[code][0].payload
        assert (payload["action"], payload["confirm_by"]) == ("供贵单位更新信息", "")
        assert look(number).facts.deadline("receiver", code) is None
    assert told(a_case(cast, at="refused")).keys() == {"ld-creditchina"}
