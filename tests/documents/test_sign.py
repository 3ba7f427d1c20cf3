"""Signatures: what an independent reader says, and what we say of everything that is not the original."""

from __future__ import annotations

import random
import stat
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.db import db, transaction
from app.documents import sign
from app.documents.check import check_file
from app.documents.sign import ensure_certificate, keys_folder, sign_pdf, verify_pdf
from app.duty.press import turn
from app.files import find
from app.models import Office, OfficeCertificate
from app.now import moved_to, now
from tests.documents.world import build, document


@pytest.fixture(autouse=True)
def asked(app: Flask) -> Iterator[None]:
    """Somebody asks at the public counter."""
    with app.test_request_context("/verify"):
        yield


@pytest.fixture
def original(app: Flask) -> bytes:
    """A printed and signed decision."""
    row_id = build().issue("grant")
    assert turn() == 1
    return find(Path(app.config["INSTANCE"]) / "documents", str(document(row_id).pdf_hash)).read_bytes()


def pdfsig(data: bytes, folder: Path) -> str:
    file = folder / "asked.pdf"
    file.write_bytes(data)
    return subprocess.run(["pdfsig", file], capture_output=True, text=True).stdout


def test_poppler_finds_the_signature_valid_and_the_whole_file_signed(original: bytes, tmp_path: Path) -> None:
    said = pdfsig(original, tmp_path)
    assert "Signature is Valid" in said and "Total document signed" in said
    assert "ETSI.CAdES.detached" in said and "CN=湖南省交通运输厅" in said
    assert "Nov 24 2026" in said  # the clock of the house, not that of the machine


def test_pyhanko_agrees_with_our_own_reading(original: bytes) -> None:
    from io import BytesIO

    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    found = PdfFileReader(BytesIO(original)).embedded_signatures
    status = validate_pdf_signature(found[0], ValidationContext(trust_roots=[], allow_fetching=False))
    assert len(found) == 1 and status.intact and status.valid and status.coverage.name == "ENTIRE_FILE"
    seals = sign.seals_of(original)
    assert [(seal.fits, seal.signed, seal.whole) for seal in seals] == [(True, True, True)]
    assert seals[0].fingerprint == found[0].signer_cert.sha256.hex()


def test_the_original_is_recognised_with_its_document(original: bytes) -> None:
    checked = check_file(original)
    assert checked.genuine and "逐字节一致" in checked.sentence and "湖南省交通运输厅" in checked.sentence
    assert checked.document is not None and checked.document.number == "湘交信修决〔2026〕1号"


def test_one_changed_byte_anywhere_is_found_out(original: bytes) -> None:
    chance = random.Random(20261124)
    said: Counter[str] = Counter()
    for _ in range(400):
        place = chance.randrange(len(original))
        forged = bytearray(original)
        forged[place] ^= 1 << chance.randrange(8)
        verdict = verify_pdf(bytes(forged))
        assert not verdict.genuine and verdict.document_id is None
        said[verdict.code] += 1
    assert said["altered"] > 300
    text = bytearray(original)
    text[2000] ^= 1
    assert "改动过" in verify_pdf(bytes(text)).sentence


def test_what_is_appended_after_the_signature_is_found_out(original: bytes, tmp_path: Path) -> None:
    for added in (b"\n", b"\n% note\n", original):
        verdict = verify_pdf(original + added)
        assert verdict.code == "appended" and "追加" in verdict.sentence
    assert verify_pdf(original[:-1]).code in ("unsigned", "altered")


def test_a_forgery_by_another_key_of_the_same_name_is_refused_though_readers_call_it_valid(
    app: Flask, original: bytes, tmp_path: Path
) -> None:
    organ = db.session.execute(select(Office.id).where(Office.code == "430000JT")).scalar_one()
    with transaction() as session:
        known = session.execute(select(OfficeCertificate)).scalar_one()
        kept = (known.pem, known.key_name)
    elsewhere = tmp_path / "forger"
    elsewhere.mkdir()
    app.config["INSTANCE"] = elsewhere
    fingerprint = ensure_certificate(organ)
    unsigned = original[: original.index(b"%%EOF") + 6]
    forged = sign_pdf(unsigned, fingerprint)
    with transaction() as session:
        session.delete(session.execute(select(OfficeCertificate).filter_by(fingerprint=fingerprint)).scalar_one())
    said = pdfsig(forged, tmp_path)
    assert "Signature is Valid" in said and "CN=湖南省交通运输厅" in said
    verdict = verify_pdf(forged)
    assert verdict.code == "stranger" and "名称可以任意填写" in verdict.sentence
    assert kept[1] != fingerprint


def test_a_file_signed_by_us_but_never_recorded_is_no_original(app: Flask, original: bytes) -> None:
    fingerprint = db.session.execute(select(OfficeCertificate.fingerprint)).scalar_one()
    unsigned = original[: original.index(b"%%EOF") + 6]
    assert verify_pdf(sign_pdf(unsigned, fingerprint)).code == "unrecorded"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_pdf"),
        (b"PK\x03\x04", "not_pdf"),
        (b"%PDF-1.7\n%%EOF\n", "unsigned"),
        (b"%PDF-1.7\n/ByteRange [0 9 99999999 99999999]", "unsigned"),
        (b"%PDF-1.7\n" + b"/ByteRange [0 5 9 4]" * 5000, "unsigned"),
        (b"%PDF-1.7\n" + b"<" * 200_000 + b"/ByteRange [0 9 200000 9]", "unsigned"),
    ],
)
def test_a_file_that_is_something_else_gets_a_sentence(app: Flask, data: bytes, code: str) -> None:
    verdict = verify_pdf(data)
    assert verdict.code == code and verdict.sentence.endswith("。")


def test_a_file_too_large_to_be_ours_is_not_read(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign, "LARGEST", 100)
    assert verify_pdf(b"%PDF-" + b"0" * 100).code == "too_large"


def test_an_office_keeps_its_certificate_until_it_ends_and_then_gets_another(app: Flask) -> None:
    organ = build().organ_id
    first = ensure_certificate(organ)
    assert ensure_certificate(organ) == first
    row = db.session.execute(select(OfficeCertificate)).scalar_one()
    assert row.valid_from == now() - timedelta(days=1)
    with moved_to(row.valid_until + timedelta(seconds=1)):
        assert ensure_certificate(organ) != first


def test_a_key_that_was_lost_is_replaced_and_the_old_certificate_stays_known(app: Flask, original: bytes) -> None:
    row = db.session.execute(select(OfficeCertificate)).scalar_one()
    (keys_folder() / row.key_name).unlink()
    assert ensure_certificate(row.office_id) != row.fingerprint
    assert verify_pdf(original).genuine


def test_the_keys_are_readable_by_their_owner_only(app: Flask, original: bytes) -> None:
    kept = list(keys_folder().iterdir())
    assert len(kept) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}
    assert stat.S_IMODE(keys_folder().stat().st_mode) == 0o700
