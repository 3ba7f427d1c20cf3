"""Sharing in the demonstration: departments told in every way, receipts of every kind, one overdue, one letter that
could not be delivered, one department that has been away, one statement, and the sample receiver with its own keys.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import current_app
from sqlalchemy import func, select

from app.casework.receive import DATED, Said, take_receipt
from app.db import db, transaction
from app.duty.claims import claim
from app.duty.record import record, result_of
from app.duty.relay import Answer
from app.journal import Doer
from app.models import Case, CaseRecord, CreditRecord, Delivery, Notice, Subject
from app.notices import feed
from app.notices.addresses import private_receivers
from app.notices.api_keys import make_api_key
from app.notices.keys import add_receipt_key, make_secret
from app.notices.statement import draw_statement
from app.notices.subscriptions import subscribe
from app.now import moved_to, now
from app.office_book.endpoints import set_endpoint
from workflows.calendar import legal_day

if TYPE_CHECKING:
    from app.seeds.stories import Teller

AGREED = {"lk-credit-china": ("feed", "creditchina"), "lk-credit-hunan": ("feed", "province"),
          "lk-mot": ("feed", "ministry"), "lk-tax": ("drop", "result"), "lk-court": ("feed", "result")}  # fmt: skip
"""Channel and format of departments that have agreed on something; the others come to the counter."""
FETCHED = ("lk-credit-china", "lk-credit-hunan", "lk-mot")
"""Who has fetched everything up to two working days ago."""
SAMPLE, GONE, AWAY = "lk-resources", "lk-water", "lk-court"
"""Who runs the sample receiver, whose system takes nothing any more, who has fetched nothing for a month."""
PORTS = range(5180, 5200)
ANSWERS = (
    ("lk-market", "xieting", "done", "湘市监信〔2026〕118号", "", 11),
    (SAMPLE, "luowei", "holds_nothing", "", "", 14),
    ("lk-traffic-police", "daikun", "already_ended", "JJ-2026-0077", "", 15),
    ("lk-housing", "daikun", "not_found", "", "按统一社会信用代码和文号都没有查到这个主体。", 15),
    ("lk-pboc", "daikun", "refused", "", "内部规定须见决定书原件才能更新，请补送。", 16),
)
"""Department, person, kind, their number, reason, hour: what was answered to the first decision."""


def agree(t: Teller) -> None:
    """How departments have been told for two months; before the stories, whose notices go these ways."""
    with moved_to(t.moment - timedelta(days=60)):
        administrator = t.person("shengong")
        with transaction():
            for code, (channel, format) in AGREED.items():
                office = t.planted.offices[code]
                set_endpoint(administrator, office, channel=channel, format=format, address="", at=now())


def connect(t: Teller) -> None:
    """Two days ago one department connected its own system, the sample receiver, and so did another.

    Only where machines of the own network may be called: the sample receiver stands beside the house.
    """
    if not private_receivers():
        return
    at, port = t.back(2, 9, 30), _free_port()
    private = secrets.token_bytes(32)
    with moved_to(at):
        administrator, clerk, other = t.person("shengong"), _doer(t, "luowei", SAMPLE), _doer(t, "daikun", GONE)
        with transaction():
            sample, gone = t.planted.offices[SAMPLE], t.planted.offices[GONE]
            secret = make_secret(sample, until=None, doer=clerk, at=at)
            public = b64encode(Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()).decode()
            add_receipt_key(sample, "demo", public, since=at, until=None, doer=clerk, at=at)
            _id, api_key = make_api_key(
                sample, t.planted.users["luowei"], "示例接收方", ["notices", "receipts", "statements"], by=clerk, at=at
            )
            make_secret(gone, until=None, doer=other, at=at)
            for office, path in ((sample, "notices"), (gone, "closed")):
                address = f"http://127.0.0.1:{port}/{path}"
                set_endpoint(administrator, office, channel="webhook", format="result", address=address, at=at)
    for left in _sample_file().parent.glob("receiver*"):
        left.unlink()
    _write(
        {
            "name": "湖南省公共资源交易中心", "house": current_app.config["PUBLIC_ADDRESS"], "secrets": [secret],
            "api_key": api_key, "key_name": "demo", "private": b64encode(private).decode(), "port": port,
        }
    )  # fmt: skip


def share(t: Teller, told_live: str) -> None:
    """What departments answered, what could not be delivered, what was asked for and reconciled.

    `told_live` is the case whose notices are on their way when the demonstration starts: the sample receiver shows its
    record and will answer that it has stopped.
    """
    for code, login, kind, number, reason, hour in ANSWERS:
        _answer(t, code, login, kind, number, reason, t.back(5, hour, 20))
    _gone(t)
    for code in FETCHED:
        with moved_to(t.back(2, 8, 30)), transaction():
            feed.shown(t.planted.offices[code], _place_at(t, code, now()), now())
    at = t.back(2, 10, 0)
    court, xie = _doer(t, "jiangyu", AWAY), _doer(t, "xieting", "lk-market")
    with moved_to(at), transaction():
        make_api_key(t.planted.offices[AWAY], t.planted.users["jiangyu"], "补收程序", ["notices"], by=court, at=at)
        subscribe(
            t.planted.offices["lk-market"], region="4301", trade="道路货物运输", kind="", since=legal_day(at),
            until=None, doer=xie, at=at,
        )  # fmt: skip
    with transaction():
        market, clerk = t.planted.offices["lk-market"], t.planted.users["xieting"]
        draw_statement(market, legal_day(t.back(9)), legal_day(now()), at=now(), by=clerk)
    if _sample_file().exists():
        _write(json.loads(_sample_file().read_text()) | {"shown": _record_of(told_live)})


def _gone(t: Teller) -> None:
    """Yesterday the system of one department answered that it takes nothing any more: the letter is dead."""
    at = t.back(1, 15, 50)
    with moved_to(at):
        office = t.planted.offices[GONE]
        _receiver, jobs = claim({office: 1}, at)[office]
        record([result_of(job, at, 31, Answer(410, "接口已下线")) for job in jobs])


def _answer(t: Teller, code: str, login: str, kind: str, number: str, reason: str, at: datetime) -> None:
    """A receipt given at the counter."""
    done_at = at - timedelta(minutes=40) if kind in DATED else None
    said = Said(kind, secrets.token_hex(8), done_at, number, reason)
    with moved_to(at):
        actor, notice = t.person(login), _first_notice(t, code)
        with transaction():
            take_receipt(notice.key, said, receiver_id=t.planted.offices[code], actor=actor, via="counter", at=at)


def _first_notice(t: Teller, code: str) -> Any:
    """The first notice to a department: about the decision that was made first."""
    return db.session.execute(
        select(Notice.id, Notice.key).where(Notice.receiver_id == t.planted.offices[code]).order_by(Notice.id).limit(1)
    ).one()


def _place_at(t: Teller, code: str, at: datetime) -> int:
    """The position in a department's feed of the last notice that had been written by then."""
    found: int | None = db.session.execute(
        select(func.max(Delivery.position))
        .join(Notice, Notice.id == Delivery.notice_id)
        .where(Notice.receiver_id == t.planted.offices[code], Notice.written_at <= at)
    ).scalar()
    return found or 0


def _record_of(number: str) -> list[list[str]]:
    """The record of a case as the sample receiver's list has it: number and subject."""
    rows = db.session.execute(
        select(CreditRecord.number, Subject.name)
        .join(CaseRecord, CaseRecord.record_id == CreditRecord.id)
        .join(Case, Case.id == CaseRecord.case_id)
        .join(Subject, Subject.id == Case.subject_id)
        .where(Case.number == number)
    ).all()
    db.session.rollback()
    return [[row.number, row.name] for row in rows]


def _doer(t: Teller, login: str, code: str) -> Doer:
    who = t.person(login)
    return Doer(who.person, who.name, "linked", t.planted.offices[code])


def _sample_file() -> Path:
    return Path(current_app.config["INSTANCE"]) / "run" / "receiver.json"


def _write(settings: Mapping[str, Any]) -> None:
    """The settings of the sample receiver, for its owner's eyes only."""
    file = _sample_file()
    handle = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w") as out:
        json.dump(settings, out, ensure_ascii=False, indent=1)


def _free_port() -> int:
    """A port of this machine on which nobody listens."""
    for port in PORTS:
        with socket.socket() as trial:
            try:
                trial.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    return PORTS[0]
