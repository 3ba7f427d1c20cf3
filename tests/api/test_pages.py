"""What integrators read is true: the samples run, the fields are those of the description, every page stands."""

from __future__ import annotations

import ast
import io
import json
import re
import shlex
import subprocess
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from flask import Flask
from jsonschema import Draft202012Validator
from sqlalchemy import select
from werkzeug.serving import make_server

from app.db import db, transaction
from app.journal import Doer
from app.models import Receipt
from app.notices.api_keys import SCOPES
from app.notices.formats import FORMATS
from app.notices.keys import add_receipt_key
from app.notices.signing import check_receipt
from app.now import moved_to, now
from app.problem import SAID
from app.views.api.description import description
from app.views.api.reading import Door, body_schema, doors
from app.views.api.samples import curl, python, sample_body
from tests.api.conftest import a_key
from tests.build import a_case
from tests.cast import Cast
from tests.conftest import Clock
from tests.journeys.caller import Caller


@pytest.fixture
def every(app: Flask) -> list[tuple[dict[str, Any], Door]]:
    """The description with every door of it."""
    with app.test_request_context("/"):
        spec = description()
        return [(spec, door) for scope in SCOPES for door in doors(spec, scope)]


def validator(spec: dict[str, Any], schema: Any) -> Draft202012Validator:
    """A validator that knows the components."""
    return Draft202012Validator({**schema, "components": spec["components"]})


def test_every_sample_fits_the_description(app: Flask, every: list[tuple[dict[str, Any], Door]]) -> None:
    assert len(every) > 30
    for spec, door in every:
        body = sample_body(spec, door)
        if body is not None:
            wrong = [error.message for error in validator(spec, body_schema(spec, door.operation)).iter_errors(body)]
            assert not wrong, (door.id, wrong)


def test_both_samples_say_the_same_request(app: Flask, every: list[tuple[dict[str, Any], Door]]) -> None:
    for spec, door in every:
        shell, program = curl(spec, door, "https://credit.example"), python(spec, door, "https://credit.example")
        tree = ast.parse(program)
        called = [
            n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "urllib.request.Request"
        ]
        address = ast.literal_eval(called[0].args[0])
        words = shlex.split(shell.replace("\\\n", " "))
        assert address in words and "{" not in address, door.id
        bodies = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "json.dumps"]
        if bodies:
            sent = ast.literal_eval(bodies[0].args[0])
            assert json.dumps(sent, ensure_ascii=False) in words, door.id


def test_everything_said_to_people_is_said_in_chinese(app: Flask, every: list[tuple[dict[str, Any], Door]]) -> None:
    for _spec, door in every:
        for words in (door.title, *door.about, *(f.title for f in door.fields), *(f.note for f in door.fields)):
            assert not words or re.search("[\u4e00-\u9fff]", words), (door.id, words)
        for field in door.fields:
            assert field.title or field.name.startswith("answers"), (door.id, field.name)


@pytest.fixture
def served(app: Flask, people: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The house at an address of its own."""

    def in_the_story(environ: Any, start: Any) -> Any:
        with moved_to(clock):
            return app.wsgi_app(environ, start)

    server = make_server("127.0.0.1", 0, in_the_story)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def test_the_programs_run_as_they_stand(
    app: Flask, people: Cast, served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that read, draw a statement, ask for a credit file, and the one that signs a receipt, as printed."""
    a_case(people, at="processing")
    private = Ed25519PrivateKey.generate()
    (tmp_path / "private.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with transaction():
        add_receipt_key(
            people.offices["ld-market"],
            "2026",
            public,
            since=now(),
            until=None,
            at=now(),
            doer=Doer(None, "x", "linked"),
        )
    scopes = ("notices", "receipts", "statements", "files", "shared")
    monkeypatch.setenv("JIANNUO_KEY", a_key(people, "ld-market", "hu", *scopes))
    monkeypatch.chdir(tmp_path)
    with app.test_request_context("/"):
        spec = description()
        programs = {door.id: python(spec, door, served) for scope in scopes for door in doors(spec, scope)}

    def run(program: str) -> Any:
        said = io.StringIO()
        with redirect_stdout(said):
            exec(compile(program, "sample.py", "exec"), {})  # noqa: S102
        return ast.literal_eval(said.getvalue()) if said.getvalue() else None

    (told,) = run(programs["list_notices"])["notices"]
    named = {name: text.replace("case-12-7-ld-market", told["notice"]) for name, text in programs.items()}
    assert run(named["read_notice"])["hash"] == told["hash"]
    assert run(named["give_receipt"])["kind"] == "done"
    db.session.rollback()
    assert db.session.execute(select(Receipt.number)).scalar_one().startswith("市监信")
    db.session.rollback()
    assert len(run(named["list_receipts"])["receipts"]) == 1
    drawn = run(named["draw"])
    assert drawn["id"] == 1 and run(named["list_statements"])["statements"][0]["id"] == 1
    assert run(named["read_statement"])["digest"] == drawn["digest"] and len(run(named["list_lines"])["lines"]) == 1
    run(named["download_lines"])
    assert "通知编号" in (tmp_path / "lines.csv").read_text(encoding="utf-8-sig")
    assert run(named["answer"])["state"] == "differing", "nobody has that digest"
    assert run(named["find_subjects"])["subjects"][0]["code"] == people.codes["yueheng"]
    assert run(named["read_file"])["name"] == run(named["read_shared_file"])["name"] == "湖南岳衡物流有限公司"
    for part in ("list_records", "list_shared_records"):
        assert run(named[part])["records"] == [], "the only penalty has been repaired"


def test_openssl_and_curl_sign_as_the_page_says(app: Flask, people: Cast, tmp_path: Path) -> None:
    """The two lines of the shell that sign: what they make is a signature that the house takes."""

    def shell(command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    with app.test_request_context("/"):
        spec = description()
        door = next(door for door in doors(spec, "receipts") if door.id == "give_receipt")
        text = curl(spec, door, "https://credit.example")
        page = app.test_client().get("/api/").get_data(as_text=True)
    make = "openssl genpkey -algorithm ed25519 -out private.pem"
    assert make in page
    shell(make)
    public = shell("openssl pkey -in private.pem -pubout -outform DER | tail -c 32 | base64 -w0")
    signing = text[: text.index("curl -sS")]
    signature = shell(f'{signing} printf %s "$SIGNATURE"')
    raw = (tmp_path / "receipt.json").read_bytes()
    assert check_receipt(raw, signature, "2026", {"2026": b64decode(public)})
    assert json.loads(raw)["kind"] == "done"


def test_every_page_stands_whole(app: Flask, people: Cast) -> None:
    caller = Caller(app.test_client())
    home = caller.go("/api/")
    for status in SAID:
        assert f'id="p{status}"' in home.html, "a problem's type leads to its words"
    for scope, title in SCOPES.items():
        assert caller.go(home.link(title)).says(f"密钥须开通{scope}")
    for word, module in FORMATS.items():
        page = caller.go(home.link(module.TITLE))
        assert all(page.says(field.name) for field in module.FIELDS), word
    assert caller.get("/api/scopes/nothing").status_code == caller.get("/api/formats/nothing").status_code == 404
    answer = caller.get("/api/openapi.json")
    assert answer.mimetype == "application/json" and answer.get_json()["openapi"] == "3.2.0"
