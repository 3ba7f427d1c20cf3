"""The legal office vouches for law rows, one at a time, and for the row as it stands."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, update

from app.db import db, transaction
from app.duty.readiness import readiness
from app.legal_book.attest import attest
from app.models import Attestation, JournalLine, Membership, Office
from app.now import now
from app.office_book.base import NotDone
from workflows.law import rule

NOTE = "对照第36号令公报文本第十二条"


def row(key):
    return rule(key).rows[-1]


def vouch(cast, key="repair.decide_within", digest=None, who="jiang"):
    with transaction():
        return attest(cast.who(who), key, digest or row(key).digest, NOTE, now())


def test_an_attestation_names_the_row_by_its_digest_and_is_journalled(cast):
    attestation = vouch(cast)
    kept = db.session.execute(select(*Attestation.__table__.c)).one()
    line = db.session.execute(select(*JournalLine.__table__.c).where(JournalLine.about == "law")).one()
    db.session.rollback()
    assert (kept.id, kept.rule, kept.row, kept.user_id) == (
        attestation, "repair.decide_within", row("repair.decide_within").digest, cast.users["jiang"],
    )  # fmt: skip
    assert line.answers["row"] == kept.row and line.answers["note"] == NOTE and line.role == "legal"


def test_an_attested_row_is_not_listed_as_waiting_any_more(cast):
    assert "repair.decide_within" in readiness().facts["unverified_law_rows"]
    db.session.rollback()
    vouch(cast)
    assert "repair.decide_within" not in readiness().facts["unverified_law_rows"]
    db.session.rollback()


@pytest.mark.parametrize("who", ["shen", "li", "deng"])
def test_nobody_but_the_legal_office_vouches(cast, who):
    with pytest.raises(NotDone, match="由法制机构核实"):
        vouch(cast, who=who)


def test_the_legal_office_of_a_city_does_not_vouch_for_the_whole_province(cast):
    with transaction():
        db.session.execute(
            update(Membership)
            .where(Membership.user_id == cast.users["jiang"])
            .values(office_id=cast.offices["changsha"])
        )
    with pytest.raises(NotDone, match="由省级法制机构核实"):
        vouch(cast)


def test_a_division_of_the_department_does(cast):
    with transaction():
        division = db.session.execute(
            insert(Office).values(
                code="fz", name="法制处", short="法制处", kind="division", parent_id=cast.offices["province"],
                path="/1/99/", region="", word="", review_body="", receives="", phone="", address="",
            ).returning(Office.id)
        ).scalar_one()  # fmt: skip
        db.session.execute(
            update(Membership).where(Membership.user_id == cast.users["jiang"]).values(office_id=division)
        )
    assert vouch(cast)


@pytest.mark.parametrize(
    ("key", "digest", "sentence"),
    [
        ("repair.accept_within", None, "不需要再核实"),
        ("records.large_fine", None, "没有可以核实的内容"),
        ("repair.decide_within", "0" * 64, "已经随新版本改变"),
        ("repair.no_such_rule", "0" * 64, "已经随新版本改变"),
    ],
)
def test_what_needs_no_word_or_is_not_there_is_refused(cast, key, digest, sentence):
    with pytest.raises(NotDone, match=sentence):
        vouch(cast, key, digest)


def test_a_row_is_vouched_for_once(cast):
    vouch(cast)
    with pytest.raises(NotDone, match="已由蒋律核实"):
        vouch(cast)
