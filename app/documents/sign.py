"""Signatures: each office's own certificate, PAdES on its documents, and what to think of a file somebody hands in.

A signature of any key of any name is "valid" to a reader of PDF. A file is ours only when its signature is intact, the
certificate is one that this house has registered (pinned by fingerprint), and it is byte for byte the file recorded.

Signing uses pyHanko, loaded at the first signature. Checking does not: a file from outside is hostile until proven
otherwise, so it is never parsed as PDF; only the byte ranges and the CMS blocks of its signatures are looked at, which
is linear in its size. The last word is always the recorded hash.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import insert, select

from app.db import db, transaction, writing
from app.models import Document, Office, OfficeCertificate, RegisterPaper, Statement
from app.now import now
from workflows.calendar import SHANGHAI

FIELD = "Signature"
YEARS = 3
LARGEST = 20 * 1024 * 1024
"""Bytes of a file that is still looked at; our own documents have a hundredth of that."""

_AUTHORITY = "践诺演示签章根证书（无效）"
_AUTHORITY_FILE = "authority.pem"


# --- certificates ----------------------------------------------------------------------------------


def ensure_certificate(office_id: int) -> str:
    """The fingerprint of a certificate the office can sign with now; a demo one is made when there is none.

    The key is a file of the instance (mode 0600), written before the row. Runs inside the caller's transaction, or in
    one of its own. The certificate begins a day early, so that clocks that disagree a little do not matter.
    """
    if not writing():
        if found := _usable(office_id):
            return found
        with transaction():
            return ensure_certificate(office_id)
    if found := _usable(office_id):
        return found
    name = db.session.execute(select(Office.name).where(Office.id == office_id)).scalar_one()
    start = now().replace(microsecond=0) - timedelta(days=1)
    end = start + timedelta(days=366 * YEARS)
    authority_key, authority = _authority(start)
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_named(name, name))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_issued_by(authority), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    key_name = f"office-{office_id}-{serial:x}.pem"
    _keep_secret(keys_folder() / key_name, _private(key))
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    pem = certificate.public_bytes(serialization.Encoding.PEM) + authority.public_bytes(serialization.Encoding.PEM)
    db.session.execute(
        insert(OfficeCertificate).values(
            office_id=office_id,
            fingerprint=fingerprint,
            pem=pem.decode(),
            key_name=key_name,
            valid_from=start,
            valid_until=end,
        )
    )
    return fingerprint


def keys_folder() -> Path:
    """Where the signing keys of this instance are."""
    folder = Path(current_app.config["INSTANCE"]) / "keys" / "sign"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _usable(office_id: int) -> str:
    """The fingerprint of the newest certificate in force whose key is still there; "" when there is none."""
    at = now()
    rows = db.session.execute(
        select(OfficeCertificate.fingerprint, OfficeCertificate.key_name)
        .where(
            OfficeCertificate.office_id == office_id,
            OfficeCertificate.valid_from <= at,
            OfficeCertificate.valid_until > at,
        )
        .order_by(OfficeCertificate.id.desc())
    ).all()
    folder = keys_folder()
    return next((row.fingerprint for row in rows if (folder / row.key_name).is_file()), "")


def _authority(start: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """The demo root of this instance; two processes that make it at once agree on one."""
    file = keys_folder() / _AUTHORITY_FILE
    if not file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_named(_AUTHORITY, "践诺"))
            .issuer_name(_named(_AUTHORITY, "践诺"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start - timedelta(days=365))
            .not_valid_after(start + timedelta(days=3660))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _keep_secret(file, _private(key) + certificate.public_bytes(serialization.Encoding.PEM))
    pem = file.read_bytes()
    key_found = serialization.load_pem_private_key(pem, None)
    assert isinstance(key_found, ec.EllipticCurvePrivateKey)
    return key_found, x509.load_pem_x509_certificate(pem)


def _named(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "演示·无效"),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:64]),
        ]
    )


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs, content_commitment=signs, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=not signs, crl_sign=not signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _issued_by(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    known = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known.value)


def _private(key: ec.EllipticCurvePrivateKey, encoding: serialization.Encoding = serialization.Encoding.PEM) -> bytes:
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _keep_secret(target: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all; one that is already there is left alone."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, target)
    except FileExistsError:
        return
    finally:
        temporary.unlink(missing_ok=True)


# --- signing ---------------------------------------------------------------------------------------


def sign_pdf(pdf: bytes, fingerprint: str) -> bytes:
    """The PDF with an invisible PAdES signature by the certificate of that fingerprint, which forbids every change."""
    row = db.session.execute(
        select(OfficeCertificate.pem, OfficeCertificate.key_name).where(OfficeCertificate.fingerprint == fingerprint)
    ).one()
    return _signer(row.pem, str(keys_folder() / row.key_name)).sign(pdf, now())


class _Signer:
    """A key in memory and pyHanko around it."""

    def __init__(self, pem: str, key_file: str) -> None:
        from asn1crypto.keys import PrivateKeyInfo  # type: ignore[import-untyped]
        from asn1crypto.x509 import Certificate  # type: ignore[import-untyped]
        from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
        from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner
        from pyhanko_certvalidator.registry import SimpleCertificateStore

        own, authority = (_der(part) for part in x509.load_pem_x509_certificates(pem.encode()))
        key = serialization.load_pem_private_key(Path(key_file).read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        store = SimpleCertificateStore()
        store.register(Certificate.load(authority))
        self.signer = SimpleSigner(
            signing_cert=Certificate.load(own),
            signing_key=PrivateKeyInfo.load(_private(key, serialization.Encoding.DER)),
            cert_registry=store,
        )
        self.metadata = PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            reason="出具文书",
        )

    def sign(self, pdf: bytes, at: datetime) -> bytes:
        """The signed file; the time in it is that of our own clock, which pyHanko does not know."""
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.sign.signers import PdfSigner

        class AtOurTime(PdfSigner):
            def init_signing_session(self, *given: Any, **named: Any) -> Any:
                session = super().init_signing_session(*given, **named)
                session.system_time = at.astimezone(SHANGHAI)
                return session

        out = BytesIO()
        AtOurTime(self.metadata, self.signer).sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), output=out)
        return out.getvalue()


@lru_cache(maxsize=256)
def _signer(pem: str, key_file: str) -> _Signer:
    return _Signer(pem, key_file)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


# --- checking --------------------------------------------------------------------------------------

GENUINE = "genuine"
NOT_PDF, TOO_LARGE, UNSIGNED = "not_pdf", "too_large", "unsigned"
ALTERED, APPENDED, STRANGER, UNRECORDED = "altered", "appended", "stranger", "unrecorded"


def _sentence(code: str, name: str = "") -> str:
    match code:
        case "genuine":
            return _("与原件逐字节一致，签章有效，签章证书是%(organ)s登记在册的。", organ=name)
        case "not_pdf":
            return _("这不是 PDF 文件。请选择从办件页面下载的那一份。")
        case "too_large":
            return _("文件太大，不是本系统出具的文书。")
        case "unsigned":
            return _("文件里没有可以核验的签章：没有签过，或者签章已被破坏。它不是原件。")
        case "altered":
            return _("文件在签章以后被改动过。哪怕只改一个字节，签章也不再成立。它不是原件。")
        case "appended":
            return _("签章只盖到文件的前一部分，后面又追加了内容。它不是原件。")
        case "stranger":
            return _(
                "签章用的不是登记在册的证书。证书上写着“%(name)s”，但名称可以任意填写，指纹对不上。它不是原件。",
                name=name,
            )
        case _:
            return _("签章是登记在册的证书所签，但登记的原件不是这一份。请以办件页面下载的为准。")


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What a file is. `code` is one of the words above, `sentence` says it; `document_id` or `paper_id` when it is
    genuine and that of a document of a case or a paper of the register; neither for a statement."""

    code: str
    sentence: str
    sha256: str
    document_id: int | None = None
    paper_id: int | None = None

    @property
    def genuine(self) -> bool:
        """True for the recorded original with an intact signature of a registered certificate."""
        return self.code == GENUINE


@dataclass(frozen=True, slots=True)
class Seal:
    """One signature in a file: whose certificate it names, whether it fits the bytes it covers, and how far it reaches.

    `fits`: the digest in the signature is that of the covered bytes. `signed`: the certificate's key made it.
    `whole`: it covers everything but itself.
    """

    fingerprint: str
    name: str
    fits: bool
    signed: bool
    whole: bool


def verify_pdf(data: bytes) -> FileVerdict:
    """Whether a file is a document of ours: signature intact, signer pinned, and the very file that was recorded."""
    digest = hashlib.sha256(data).hexdigest()
    if len(data) > LARGEST:
        return _judged(TOO_LARGE, digest)
    if not data.startswith(b"%PDF-"):
        return _judged(NOT_PDF, digest)
    seals = seals_of(data)
    known = _registered({seal.fingerprint for seal in seals})
    ours = [seal for seal in seals if seal.fingerprint in known and seal.fits and seal.signed]
    if not ours:
        return _not_ours(seals, known, digest)
    if not any(seal.whole for seal in ours):
        return _judged(APPENDED, digest)
    row = db.session.execute(select(Document.id, Document.signer).where(Document.pdf_hash == digest)).first()
    paper = None
    if row is None:
        table = RegisterPaper
        paper = db.session.execute(select(table.id, table.signer).where(table.pdf_hash == digest)).first()
    found = row or paper
    signer = (
        found.signer if found else db.session.execute(select(Statement.signer).where(Statement.pdf == digest)).scalar()
    )
    if signer not in {seal.fingerprint for seal in ours if seal.whole}:
        return _judged(UNRECORDED, digest)
    return _judged(GENUINE, digest, known[signer], row.id if row else None, paper.id if paper else None)


def _not_ours(seals: list[Seal], known: dict[str, str], digest: str) -> FileVerdict:
    strangers = [seal for seal in seals if seal.fits and seal.signed and seal.fingerprint not in known]
    if strangers:
        return _judged(STRANGER, digest, strangers[-1].name)
    return _judged(ALTERED if seals else UNSIGNED, digest)


def _judged(
    code: str, digest: str, name: str = "", document_id: int | None = None, paper_id: int | None = None
) -> FileVerdict:
    return FileVerdict(code, _sentence(code, name), digest, document_id, paper_id)


def _registered(fingerprints: set[str]) -> dict[str, str]:
    """The offices whose certificates these are; fingerprints of others are left out."""
    rows = db.session.execute(
        select(OfficeCertificate.fingerprint, Office.name)
        .join(Office, Office.id == OfficeCertificate.office_id)
        .where(OfficeCertificate.fingerprint.in_(fingerprints))
    ).all()
    return {row.fingerprint: row.name for row in rows}


_NUMBER = rb"\s{0,9}(\d{1,10})"
_RANGE = re.compile(rb"/ByteRange\s{0,9}\[" + rb"\s".join([_NUMBER] * 4) + rb"\s{0,9}\]")
_MOST_SEALS = 16
_LARGEST_SEAL = 64 * 1024
"""Bytes that the block of a signature takes in the file, in hexadecimal; ours take a quarter of it. Reading a block
costs far more than its size, and thousands of certificates fit into a file."""
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def seals_of(data: bytes) -> list[Seal]:
    """Every signature of a file that can be read, in the order they stand in it; at most sixteen are looked at."""
    seals = []
    for found in islice(_RANGE.finditer(data), _MOST_SEALS):
        first, length, second, rest = (int(number) for number in found.groups())
        if first != 0 or not length < second <= second + rest <= len(data):
            continue
        gap = data[length:second]
        if len(gap) > _LARGEST_SEAL:
            continue
        try:
            block = bytes.fromhex(gap[1:-1].decode("ascii")) if gap[:1] + gap[-1:] == b"<>" else b""
            seal = _seal(block, (data[:length], data[second : second + rest]), second + rest == len(data))
        except Exception:  # hostile bytes may break a reader anywhere; what cannot be read is no signature
            continue
        seals.append(seal)
    return seals


def _seal(block: bytes, covered: tuple[bytes, bytes], whole: bool) -> Seal:
    """Read a CMS block. Raises whatever asn1crypto and cryptography raise when it is none."""
    from asn1crypto.cms import ContentInfo  # type: ignore[import-untyped]

    signed_data = ContentInfo.load(block)["content"]
    signer = signed_data["signer_infos"][0]
    wanted = signer["sid"].chosen["serial_number"].native
    held = (each.chosen for each in signed_data["certificates"])
    der = next(each.dump() for each in held if each["tbs_certificate"]["serial_number"].native == wanted)
    certificate = x509.load_der_x509_certificate(der)
    algorithm = _HASHES[signer["digest_algorithm"]["algorithm"].native]
    digest = hashes.Hash(algorithm)
    for part in covered:
        digest.update(part)
    attributes = signer["signed_attrs"]
    stated = next(each["values"][0].native for each in attributes if each["type"].native == "message_digest")
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Seal(
        fingerprint=hashlib.sha256(der).hexdigest(),
        name=str(names[0].value) if names else "",
        fits=stated == digest.finalize(),
        signed=_made_by(certificate, signer["signature"].native, attributes.untag().dump(), algorithm),
        whole=whole,
    )


def _made_by(certificate: x509.Certificate, signature: bytes, said: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, said, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, said, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True
