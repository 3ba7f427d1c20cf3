"""Files that anybody may hand in at the public counter and that are made to cost us time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask

from app.documents import sign
from app.documents.sign import UNSIGNED, verify_pdf
from app.duty.press import turn
from app.files import find
from tests.documents.world import build, document


@pytest.fixture(autouse=True)
def asked(app: Flask) -> Iterator[None]:
    """Somebody asks at the public counter."""
    with app.test_request_context("/verify"):
        yield


def certificate() -> bytes:
    """A certificate of anybody."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def many_certificates(count: int) -> bytes:
    """A file with sixteen signatures that all name one block, in which none of so many certificates is the signer's."""
    from asn1crypto import cms
    from asn1crypto import x509 as asn1

    held = asn1.Certificate.load(certificate())
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {"issuer_and_serial_number": cms.IssuerAndSerialNumber({"issuer": held.issuer, "serial_number": 999})}
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": b"x",
        }
    )
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "data"},
            "certificates": [cms.CertificateChoices("certificate", held)] * count,
            "signer_infos": [signer],
        }
    )
    block = b"<" + cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump().hex().encode() + b">"
    line, head = b"/ByteRange [0 %010d %010d 1]\n", b"%PDF-1.7\n"
    first = len(head) + 16 * len(line % (0, 0))
    return head + 16 * (line % (first, first + len(block))) + block + b"\n"


@pytest.mark.parametrize("count", [100, 12_000])
def test_a_file_full_of_certificates_is_put_aside_in_a_moment(count: int) -> None:
    data = many_certificates(count)
    before = time.process_time()
    assert verify_pdf(data).code == UNSIGNED
    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    "data", [b"/ByteRange [" * 800_000, b"/ByteRange [0 1 2 3" + b" " * 9_000_000, b"9" * 9_000_000]
)
def test_a_file_of_unfinished_marks_is_put_aside_in_a_moment(data: bytes) -> None:
    before = time.process_time()
    assert verify_pdf(b"%PDF-1.7\n" + data).code == UNSIGNED
    assert time.process_time() - before < 2


def test_our_own_signatures_are_far_below_the_bound(app: Flask) -> None:
    row_id = build().issue("grant")
    assert turn() == 1
    data = find(app.config["INSTANCE"] / "documents", str(document(row_id).pdf_hash)).read_bytes()
    found = re.search(rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)", data)
    assert found is not None
    assert 2 * (int(found[2]) - int(found[1])) < sign._LARGEST_SEAL
