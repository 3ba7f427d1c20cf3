"""What a hurried or a hostile person sends, and how one sees that it did no harm: a world with a case in every state,
the forms that stand in it, and the number of rows of every table."""

from __future__ import annotations

import io
import re
import secrets
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import exists, insert, select, update
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from app import create_app, sign_ins
from app.casework.attach import attach
from app.casework.carried import Letter, Named, Paper, Pushed
from app.casework.carry import carry_filing
from app.casework.extract import draw_extract, draw_for_officer
from app.casework.open_case import open_filing
from app.db import Base, db, transaction
from app.duty import press, register, statements
from app.journal import Doer
from app.models import (
    ApiKey,
    AttachmentUse,
    Case,
    CaseRecord,
    CommitmentSerial,
    CreditRecord,
    Document,
    Endpoint,
    Filing,
    Issue,
    Mandate,
    Membership,
    Notice,
    ReceiverKey,
    Statement,
    Subscription,
    User,
)
from app.notices.api_keys import make_api_key
from app.notices.compare import Their
from app.notices.dead import bury
from app.notices.keys import make_secret
from app.notices.statement import answer_statement, draw_statement
from app.notices.subscriptions import subscribe
from app.now import moved_to, now
from app.office_book.mandate_decisions import confirm
from app.office_book.mandate_requests import Asked as Asking
from app.office_book.mandate_requests import ask, paper
from app.registry.readers import Reader as Sight
from app.security import SIGNED_IN_AT
from config import TestConfig
from tests.build import ITEMS, ROADS, a_case, walk
from tests.cast import PASSWORD, SINCE, Cast, assemble
from tests.conftest import Clock, named
from tests.journeys.door import CHEAP
from tests.registry.sheets import a_penalty, csv_bytes, preview, take_in
from workflows.calendar import legal_day
from workflows.law import rules

EVERYBODY = (None, "deng", "wang", "li", "zhou", "chen", "he", "tang", "jiang", "shen", "liu", "linked", "nobody")
"""Nobody signed in, the filer, a filer of another company, the province's officers, its legal office and administrator,
an officer of a city, a linked department's clerk, somebody without any part."""

FIRST = {
    None: "/",
    "deng": "/my/",
    "wang": "/my/",
    "shen": "/admin/users",
    "linked": "/agency/",
    "both": "/agency/",
    "nobody": "/",
}


class Browser(FlaskClient):
    """A client whose every request has an application context of its own, as on a server."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request."""
        with self.application.app_context():
            return super().open(*args, **kwargs)

    def cookie(self) -> dict[str, Any]:
        """What this session's cookie holds."""
        with self.session_transaction() as session:
            return dict(session)

    def token(self) -> str:
        """A token of this session, read off a page that everybody may open."""
        page = read(self.get("/verify").get_data(as_text=True))
        return next(value for asked in page.forms for name, value in asked.values if name == "csrf_token")


@dataclass
class Stage:
    """The world: case numbers by state, what stands in it, and how to put it back as it was."""

    app: Flask
    cast: Cast
    clock: Clock
    cases: dict[str, str] = field(default_factory=dict)
    kept: Path | None = None

    def client(self, name: str | None) -> Browser:
        """A browser in which somebody is signed in."""
        client = Browser(self.app)
        if name is not None:
            with client.session_transaction() as session:
                session["_user_id"] = f"{self.cast.users[name]}.1"
                session[SIGNED_IN_AT] = now().timestamp()
        return client

    def with_cookie(self, cookie: dict[str, Any]) -> Browser:
        """A browser that holds a cookie."""
        client = Browser(self.app)
        with client.session_transaction() as session:
            session.update(cookie)
        return client

    def keep(self) -> None:
        """Remember the world as it is now (SQLite)."""
        self.kept = Path(self.app.config["INSTANCE"]) / "kept.db"
        self._let_go()
        shutil.copy(self._file, self.kept)

    def put_back(self) -> None:
        """The world as it was when it was kept."""
        assert self.kept is not None
        self._let_go()
        shutil.copy(self.kept, self._file)

    @property
    def _file(self) -> Path:
        return Path(self.app.config["INSTANCE"]) / "jiannuo.db"

    def _let_go(self) -> None:
        db.session.remove()
        db.engine.dispose()

    def of(self, case: str) -> dict[str, Any]:
        """What belongs to a case: its number, receipt, record, a printed document, a file."""
        number = self.cases[case]
        row = db.session.execute(
            select(Case.id, Filing.receipt, CreditRecord.public_id)
            .join(Filing, Filing.id == Case.filing_id)
            .join(CaseRecord, CaseRecord.case_id == Case.id)
            .join(CreditRecord, CreditRecord.id == CaseRecord.record_id)
            .where(Case.number == number)
        ).one()
        document = db.session.execute(
            select(Document.id, Document.code).where(Document.case_id == row.id).order_by(Document.id)
        ).first()
        use = db.session.execute(select(AttachmentUse.id).where(AttachmentUse.case_id == row.id)).scalar()
        db.session.rollback()
        return {
            "number": number, "receipt": row.receipt, "public_id": row.public_id, "use_id": use or 0,
            "document_id": document.id if document else 0, "code": document.code if document else "",
        }  # fmt: skip


def photograph() -> bytes:
    """A small picture."""
    held = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(held, "PNG")
    return held.getvalue()


def a_world(stage: Stage) -> None:
    """Records, a case in every state at the province, one in 长沙, files, printed documents, people without a part."""
    cast = stage.cast
    with transaction():
        for login in ("linked", "both", "nobody"):
            cast.users[login] = db.session.execute(
                insert(User.__table__)
                .values(login=login, name=login, password_hash="", active=True, session_version=1, failures=0)
                .returning(User.id)
            ).scalar_one()
        for login, office in (("linked", "ld-market"), ("both", "ld-market"), ("both", "ld-trading")):
            db.session.execute(
                insert(Membership).values(
                    user_id=cast.users[login], office_id=cast.offices[office], role="linked", valid_from=SINCE
                )
            )
        doer = Doer(cast.users["linked"], "linked", "linked", cast.offices["ld-market"])
        for department in ("ld-market", "ld-market", "ld-trading"):
            make_secret(cast.offices[department], until=None, doer=doer, at=now())
        for department, stopped in (("ld-hunan", None), ("ld-creditchina", now())):
            db.session.execute(
                insert(Endpoint).values(
                    office_id=cast.offices[department],
                    channel="feed",
                    format="result",
                    address="",
                    cursor=0,
                    failures=0,
                    stopped_at=stopped,
                    stopped_why="",
                    trouble="",
                )
            )
        make_api_key(cast.offices["ld-market"], cast.users["linked"], "测试", ["receipts"], by=doer, at=now())
        subscribe(
            cast.offices["ld-market"], region="4301", trade="", kind="", since=legal_day(now()), until=None, doer=doer,
            at=now(),
        )  # fmt: skip
        db.session.execute(
            insert(Mandate).values(
                user_id=cast.users["luo"], subject_id=cast.subjects["other"], capacity="clerk", evidence="委托书",
                valid_from=SINCE,
            )
        )  # fmt: skip
        db.session.execute(update(User).values(password_hash=CHEAP.hash(PASSWORD)))
        db.session.execute(  # the letters of `sign` are numbered by their cases
            insert(CommitmentSerial).values(region="430000", day="20261124", last=900_000)
        )
    stage.cases["processing"] = _with_a_file(stage, "processing")
    press.turn(limit=3)  # receipt, acceptance, decision; what comes after is waiting for the press
    cast.penalty()
    cast.penalty(kinds="其他", fine_size=None)
    for at in ("draft", "submitted", "received", "correcting", "accepted", "reviewed", "to_refuse"):
        stage.cases[at] = _with_a_file(stage, at)
    stage.cases["held"] = a_case(cast, at="held", on="2026-11-02")
    stage.cases["unproved"] = _with_a_file(stage, "draft", duty="unknown")
    stage.cases["warned"] = a_case(cast, at="accepted")
    walk(cast, stage.cases["warned"], "zhou", "warn", facts="缴款凭证上的日期与银行记录不一致")
    stage.cases["changsha"] = _with_a_file(stage, "submitted", office="changsha")
    walk(cast, stage.cases["changsha"], "liu", "receive", t0="today")
    walk(cast, stage.cases["changsha"], "liu", "accept")
    stage.cases["unsigned"] = _unsigned(cast)
    stage.cases["hall"] = _over_the_counter(stage)
    _asks_to_act(stage)
    _shared(stage)
    _taken_in(cast)
    _sealed(stage)


def _sealed(stage: Stage) -> None:
    """Extracts of the company's file: by anybody, by itself, by an officer."""
    cast, about = stage.cast, stage.cast.subjects["yueheng"]
    li = cast.who("li")
    with transaction():
        stage.cases["paper-public"] = draw_extract(about, Sight.PUBLIC, None, None, now())
        stage.cases["paper-own"] = draw_extract(about, Sight.SUBJECT, None, None, now(), by=cast.users["deng"])
        stage.cases["paper-desk"] = draw_for_officer(li, about, None, None, "核查申请", now())
    register.PAPER.turn()


def _taken_in(cast: Cast) -> None:
    """A file at the province with rows that wait and doubts about codes, and one that is only previewed."""
    organ, known = cast.codes["office"], cast.codes["other"]
    rows = [a_penalty(cast, 1, CF_JDRQ="2026-02-30"), a_penalty(cast, 2, CF_XDR_SHXYM=organ),
            a_penalty(cast, 3, CF_XDR_SHXYM=known), a_penalty(cast, 4, CF_XDR_MC="湖南衡岳运输有限公司")]  # fmt: skip
    cast.batches["done"] = take_in(cast.offices["province"], csv_bytes(rows))
    cast.batches["previewed"] = preview(cast.offices["province"], csv_bytes(rows))


def _asks_to_act(stage: Stage) -> None:
    """邓敏 asks to act for another company as well; somebody else has asked and may."""
    cast, folder = stage.cast, stage.app.config["INSTANCE"] / "uploads"
    li = cast.who("li")
    for login, code in (("deng", cast.codes["other"]), ("both", cast.codes["yueheng"])):
        asked = Asking(code, "clerk", None, [paper("委托书.png", photograph(), 1_000_000)], f"asks-{login}")
        with transaction():
            receipt = ask(Doer(cast.users[login], login, ""), asked, folder, now())
        stage.cases[f"asks-{login}"] = receipt
    with transaction():
        confirm(li, receipt, "委托书", None, now())


def _over_the_counter(stage: Stage) -> str:
    """An application that 李昊 took in at the window and that must be completed."""
    cast, day = stage.cast, legal_day(now())
    record = db.session.execute(select(CreditRecord.public_id).where(CreditRecord.id == cast.penalty())).scalar_one()
    db.session.rollback()
    brought = Pushed(
        number="", received_on=day, name="湖南岳衡物流有限公司", subject=cast.subjects["yueheng"],
        records=(Named(public_id=record),),
        letter=Letter("罗建平", "legal_representative", day, scan=Paper("承诺书.png", photograph())),
        statement="", contact="邓敏", phone="13800000000",
    )  # fmt: skip
    with transaction():
        _receipt, opened = carry_filing(
            brought, actor=cast.who("li"), channel="hall", key="window", at=now(),
            folder=stage.app.config["INSTANCE"] / "uploads", limit=1_000_000,
            index=bytes.fromhex(stage.app.config["INDEX_KEY"]),
        )  # fmt: skip
    walk(cast, opened[0].number, "li", "correct", items=ITEMS)
    return opened[0].number


def _shared(stage: Stage) -> None:
    """A dead letter to the trading centre, and a statement of each of two departments, one with a difference."""
    market, trading = (stage.cast.offices[code] for code in ("ld-market", "ld-trading"))
    with transaction():
        letter = db.session.execute(select(Notice.id).where(Notice.receiver_id == trading).limit(1)).scalar_one()
        bury(letter, "到期没有送达", {"attempts": 31, "last": ""}, now())
        day = legal_day(now())
        drawn = [draw_statement(office, day, day, at=now()) for office in (market, trading)]
        answer_statement(drawn[0], theirs=[Their("case-0-1-ld-market", "a" * 64)], by=None, at=now())
    statements.turn()


def _with_a_file(stage: Stage, at: str, **penalty: Any) -> str:
    """A case with a paper in it that has walked to `at`."""
    number = a_case(stage.cast, at="draft", **penalty)
    with transaction():
        attach(
            number, actor=stage.cast.who("deng"), purpose="duty_proof", name="缴款.png", data=photograph(),
            folder=stage.app.config["INSTANCE"] / "uploads", limit=1_000_000, at=now(),
        )  # fmt: skip
    for name, step, answers in ROADS[at]:
        walk(stage.cast, number, name, step, **answers)
    return number


def _unsigned(cast: Cast) -> str:
    """A draft whose letter nobody has signed."""
    record, filer = cast.penalty(duty="unknown"), cast.who("deng")
    with transaction():
        _receipt, opened = open_filing(
            cast.subjects["yueheng"], [record], actor=filer, channel="own_portal", key=secrets.token_hex(8), at=now()
        )
    return opened[0].number


@pytest.fixture(scope="session")
def stage_on_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The world on SQLite, built once."""
    folder = tmp_path_factory.mktemp("stage")
    shutil.copy(sqlite_template, folder / "jiannuo.db")
    made = _made(TestConfig(INSTANCE=str(folder)))
    with _on(made):
        made.keep()
    return made


@pytest.fixture
def stage(stage_on_sqlite: Stage) -> Iterator[Stage]:
    """The world as it was built."""
    with _on(stage_on_sqlite):
        stage_on_sqlite.put_back()
        yield stage_on_sqlite


@pytest.fixture(scope="session")
def made_on_postgres(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The same on PostgreSQL."""
    server, template = postgres.split("\n")
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(named(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _made(TestConfig(INSTANCE=str(tmp_path_factory.mktemp("stage-pg")), DATABASE_URL=named(server, name)))
    with psycopg.connect(named(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def stage_on_postgres(made_on_postgres: Stage) -> Iterator[Stage]:
    """The world on PostgreSQL, as the story before left it."""
    with _on(made_on_postgres):
        yield made_on_postgres


def _made(config: TestConfig) -> Stage:
    stage = Stage(create_app(config), Cast(), Clock())
    with _on(stage):
        stage.cast = assemble()
        a_world(stage)
    return stage


@contextmanager
def _on(stage: Stage) -> Iterator[None]:
    """Inside the application; the clock stands still and passwords cost nothing."""
    with pytest.MonkeyPatch.context() as patch, moved_to(stage.clock), stage.app.app_context():
        for room in ("app.security", "app.sign_ins", "app.views.admin"):
            patch.setattr(f"{room}.hasher", lambda: CHEAP)
        sign_ins._nobodys_hash.cache_clear()
        yield
        db.session.remove()
        db.engine.dispose()


def rows() -> dict[str, int]:
    """How many rows every table has."""
    counted = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in Base.metadata.tables)
    found = {name: n for name, n in db.session.connection().exec_driver_sql(counted)}
    db.session.rollback()
    return found


@dataclass(frozen=True)
class Asked:
    """A form as it stands on a page. `kinds` are the types of its inputs by name, `choices` what it offers."""

    who: str | None
    page: str
    action: str
    method: str
    values: list[tuple[str, str]]
    kinds: dict[str, str]
    choices: dict[str, list[str]]

    @property
    def texts(self) -> list[str]:
        """Names of the fields in which one types."""
        typed = ("text", "textarea", "date", "password", "search", "tel", "email", "number")
        return [name for name, kind in self.kinds.items() if kind in typed]

    @property
    def hidden(self) -> list[str]:
        """Names of the fields that the page fills in, the token aside."""
        return [name for name, kind in self.kinds.items() if kind == "hidden" and name != "csrf_token"]

    def filled(self, **changed: Any) -> MultiDict[str, Any]:
        """What a person sends who answers everything, with some answers changed; None leaves one out."""
        data: MultiDict[str, Any] = MultiDict()
        for name, kind in self.kinds.items():
            if name in changed:
                continue
            given = [value for held, value in self.values if held == name]
            if kind in ("radio", "select", "checkbox"):
                offered = [value for value in self.choices[name] if value]
                chosen = offered if kind == "checkbox" else [value for value in given if value] or offered[:1]
                data.setlist(name, chosen)
            elif kind == "file":
                content, called = SHEETS.get(name) or (photograph(), "证明.png")
                data.add(name, (io.BytesIO(content), called))
            elif kind == "hidden":
                data.setlist(name, given)
            else:
                data.add(name, given[0] if given and given[0] else usual(name, kind))
        for name, value in changed.items():
            if value is not None:
                data.setlist(name, list(value) if isinstance(value, list) else [value])
        return data


SHEETS = {
    "lines": ("通知编号,正文指纹\n".encode(), "明细.csv"),
    "sheet": (
        "行政相对人名称,行政处罚决定书文号,处罚决定日期\n湖南岳衡物流有限公司,1号,2026-05-18\n".encode(),
        "处罚.csv",
    ),
}
"""Files that say something to whoever asks for them; everybody else gets a picture."""


def usual(name: str, kind: str) -> str:
    """What somebody would type there."""
    if kind == "date":
        return "2026-11-24"
    if kind == "password":
        return PASSWORD if name in ("present", "password") else "湘江边上有三只白鹭站着不动"
    if name == "login":
        return "xinren"
    if name == "key_name":
        return "2026-b"
    if name == "public":
        return "GcRL0Ot3Rs2yUmKzhfT2gJ7dfSW6UG4cPbjyzLUhfFM="
    if name == "days":
        return "2027-02-05 放假"
    if name == "digest":
        return "0" * 64
    if name == "code":
        return "91430100MA7X3K2Q6G"
    return "13900000000" if "phone" in name else "核对无误，没有其他情况"


class Reader(HTMLParser):
    """A page's forms, links and words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Asked] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._area = self._select = ""
        self._typed: list[str] | None = None
        self._form: Asked | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag says."""
        at = {name: value or "" for name, value in attrs}
        name = at.get("name", "")
        if tag == "a" and at.get("href"):
            self.links.append(at["href"])
        if tag == "form":
            self._form = Asked(None, "", at.get("action", ""), at.get("method", "get").lower(), [], {}, {})
            self.forms.append(self._form)
        if self._form is None:
            return
        form = self._form
        if tag == "input" and name:
            kind = at.get("type", "text")
            form.kinds[name] = kind
            if kind in ("radio", "checkbox"):
                form.choices.setdefault(name, []).append(at.get("value", "y"))
            if kind != "file" and (kind not in ("radio", "checkbox") or "checked" in at):
                form.values.append((name, at.get("value", "y" if kind == "checkbox" else "")))
        elif tag == "textarea":
            self._area, self._typed = name, []
            form.kinds[name] = "textarea"
        elif tag == "select":
            self._select = name
            form.kinds[name] = "select"
            form.choices.setdefault(name, [])
        elif tag == "option" and self._select:
            form.choices[self._select].append(at.get("value", ""))
            if "selected" in at:
                form.values.append((self._select, at.get("value", "")))
        elif tag == "button" and name in ("subject", "department"):  # which of several buttons is pressed
            form.kinds.setdefault(name, "radio")
            form.choices.setdefault(name, []).append(at.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        """Close what was open."""
        if tag == "form":
            self._form = None
        elif tag == "textarea" and self._typed is not None and self._form is not None:
            self._form.values.append((self._area, "".join(self._typed).removeprefix("\r").removeprefix("\n")))
            self._typed = None
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        """Words of the page."""
        (self.words if self._typed is None else self._typed).append(data)


def read(page: str) -> Reader:
    """Read a page."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def forms_on(client: FlaskClient, who: str | None, page: str) -> list[Asked]:
    """The forms on a page that write, each with the address it goes to."""
    answer = client.get(page)
    assert answer.status_code == 200, f"{who} {page}: {answer.status_code}"
    return [
        Asked(who, page, urljoin(page, form.action or page), form.method, form.values, form.kinds, form.choices)
        for form in read(answer.get_data(as_text=True)).forms
        if form.method == "post" and not form.action.endswith("/logout")
    ]


def told_of(stage: Stage, case: str, receiver: str) -> str:
    """The key of the notice of a case to a linked department."""
    key: str = db.session.execute(
        select(Notice.key)
        .join(Case, Case.id == Notice.case_id)
        .where(Case.number == stage.cases[case], Notice.receiver_id == stage.cast.offices[receiver])
    ).scalar_one()
    db.session.rollback()
    return key


def pages_with_forms(stage: Stage) -> Mapping[str | None, list[str]]:
    """Who finds which form where: one page for every form of the house, and for every step that people take."""
    case, cast = stage.cases, stage.cast
    unclassed = db.session.execute(
        select(CreditRecord.public_id).where(CreditRecord.cls == "", CreditRecord.maximum_last_day.is_(None))
    ).scalar()
    classed = db.session.execute(select(CreditRecord.public_id).where(CreditRecord.cls != "").limit(1)).scalar()
    free = db.session.execute(
        select(CreditRecord.public_id)
        .where(
            CreditRecord.cls != "", CreditRecord.subject_id == cast.subjects["yueheng"],
            CreditRecord.office_id == cast.offices["province"],
            ~exists().where(CaseRecord.open_record == CreditRecord.id),
        )
        .order_by(CreditRecord.id.desc())
    ).scalar()  # fmt: skip
    role = db.session.execute(select(Membership.id).where(Membership.user_id == cast.users["liu"])).scalar()
    mandate = db.session.execute(select(Mandate.id).where(Mandate.user_id == cast.users["wang"])).scalar()
    own = db.session.execute(select(Mandate.id).where(Mandate.user_id == cast.users["deng"])).scalar()
    db.session.rollback()
    row = next(row for rule in rules() for row in rule.rows if not row.verified and row.value is not None)
    liu = f"/admin/users/{cast.users['liu']}"
    told = told_of(stage, "processing", "ld-market")
    letter = told_of(stage, "processing", "ld-trading")
    difference = db.session.execute(select(Issue.id).where(Issue.kind == "difference")).scalar()
    statement = db.session.execute(select(Statement.id).order_by(Statement.id)).scalar()
    market = cast.offices["ld-market"]
    secret = db.session.execute(select(ReceiverKey.id).where(ReceiverKey.office_id == market)).scalar()
    wanted = db.session.execute(select(Subscription.id).where(Subscription.office_id == market)).scalar()
    api_key = db.session.execute(select(ApiKey.id).where(ApiKey.office_id == market)).scalar()
    db.session.rollback()

    done = f"/desk/intake/{cast.batches['done']}"

    def desk(state: str, *steps: str) -> list[str]:
        return [f"/desk/cases/{case[state]}/steps/{step}" for step in steps]

    return {
        None: ["/", "/progress", "/verify", "/login", "/sign-up", f"/subjects/{cast.codes['yueheng']}"],
        "luo": ["/my/", "/mandates/new"],
        "deng": [
            "/password", "/my/file", "/my/records", f"/my/records/{classed}",
            f"/my/filings/{stage.of('draft')['receipt']}",
            f"/my/filings/{stage.of('unproved')['receipt']}/contact", f"/my/cases/{case['unproved']}/papers",
            f"/my/cases/{case['correcting']}/papers", f"/my/cases/{case['unsigned']}/letter",
            f"/my/cases/{case['draft']}/steps/discard", f"/my/cases/{case['held']}/steps/withdraw",
            f"/my/cases/{case['correcting']}/steps/resubmit", f"/my/cases/{case['warned']}/steps/state_views",
            f"/mandates/{case['asks-deng']}", f"/mandates/held/{own}/end",
        ],
        "li": [
            *desk("submitted", "receive"), *desk("received", "accept", "correct", "decline", "transfer"),
            f"/desk/subjects/{cast.subjects['yueheng']}",
            "/desk/hall/", f"/desk/hall/{cast.subjects['yueheng']}/filing?records={free}",
            f"/desk/hall/cases/{case['hall']}/completion",
            f"/desk/mandates/{case['asks-deng']}/confirm", f"/desk/mandates/{case['asks-deng']}/refuse",
            f"/desk/mandates/{case['asks-both']}/end",
        ],
        "zhou": [
            *desk("accepted", "review", "warn"), f"/desk/records/{stage.of('accepted')['public_id']}",
            f"/desk/records/{classed}/annul", f"/desk/records/{unclassed}/class",
        ],
        "chen": [*desk("reviewed", "confirm", "send_back"), *desk("to_refuse", "refuse")],
        "he": [
            *desk("processing", "serve", "hand_over", "do_task?item=regrade"),
            "/desk/sharing/to/ld-trading/dead", f"/desk/sharing/notices/{letter}/skip",
            f"/desk/sharing/issues/{difference}", "/desk/sharing/statements",
            "/desk/intake/new", f"/desk/intake/{cast.batches['previewed']}", f"{done}/rows", f"{done}/rows/1",
            f"/desk/codes/{cast.batches['done']}/3",
        ],
        "tang": [*desk("accepted", "extend"), f"{done}/undo", f"/desk/codes/{cast.batches['done']}/4"],
        "jiang": [f"/admin/law/attest?rule={row.rule_id}&row={row.digest}"],
        "shen": [
            "/admin/users/new", f"{liu}/name", f"{liu}/password", f"{liu}/close", f"{liu}/roles/new",
            f"{liu}/mandates/new", f"/admin/roles/{role}/end", f"/admin/mandates/{mandate}/end",
            f"/admin/offices/{cast.offices['changsha']}", "/admin/calendar/add",
            f"/admin/endpoints/{cast.offices['ld-hunan']}", f"/admin/endpoints/{cast.offices['ld-hunan']}/stop",
            f"/admin/endpoints/{cast.offices['ld-creditchina']}/resume",
        ],
        "linked": [
            f"/agency/notices/{told}", f"/agency/receipts?notice={told}", "/agency/statements",
            f"/agency/statements/{statement}", "/agency/interface/secret", f"/agency/interface/keys/{secret}/end",
            "/agency/interface/receipt-keys/new", "/agency/interface/api-keys/new",
            f"/agency/interface/api-keys/{api_key}/end", "/agency/interface/subscriptions/new",
            f"/agency/interface/subscriptions/{wanted}/end",
        ],
        "both": ["/agency/"],
    }  # fmt: skip


def crawl(stage: Stage, who: str | None, limit: int = 160, alike: int = 14) -> Iterator[tuple[str, TestResponse]]:
    """Every page somebody reaches by following links; of addresses that differ only in a number, the first few."""
    client = stage.client(who)
    waiting, seen, kinds = [FIRST.get(who, "/desk/"), "/", "/verify", "/login", "/password"], set(), {}
    while waiting and len(seen) < limit:
        path = waiting.pop(0)
        kind = _VARIABLE.sub("…", urlsplit(path).path)
        if path in seen or kinds.get(kind, 0) >= alike:
            continue
        seen.add(path)
        kinds[kind] = kinds.get(kind, 0) + 1
        answer = client.get(path)
        yield path, answer
        if answer.status_code in (301, 302, 303, 308):
            waiting.append(urljoin(path, answer.headers["Location"]))
        elif answer.mimetype == "text/html":
            waiting += [
                urljoin(path, link).partition("#")[0]
                for link in read(answer.get_data(as_text=True)).links
                if not urlsplit(link).netloc and "static/" not in link
            ]


_VARIABLE = re.compile(r"XF-[A-Z0-9]{8}|[A-Z0-9]{4}-[A-Z0-9]{4}\b|[0-9a-f]{16}|[0-9A-Z]{5}(-[0-9A-Z]{5})+|\d+")


def send(client: FlaskClient, asked: Asked, data: MultiDict[str, Any]) -> TestResponse:
    """Send a form as a browser does."""
    return client.post(asked.action, data=data, content_type="multipart/form-data")


def speaks(answer: TestResponse) -> bool:
    """Whether a page that refuses has Chinese words and no trace of Python in it."""
    page = answer.get_data(as_text=True)
    words = "".join(read(page).words)
    return bool(re.search(r"[\u4e00-\u9fff]{4}", words)) and not re.search(r"Traceback|sqlalchemy|psycopg|Error:", page)
