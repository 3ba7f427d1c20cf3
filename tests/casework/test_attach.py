"""Evidence: a file is what it says, is safe on disk before its row is written, and belongs to its case."""

from __future__ import annotations

import io
import os
import random
import struct
import zlib
from pathlib import Path

import pikepdf
import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from app import files
from app.casework import attach as attaching
from app.casework import inside_pdf
from app.casework.attach import attach, checked, detach, tidy_name
from app.casework.refused import StepRefused
from app.db import db, transaction
from app.files import find, keep
from app.models import Attachment, AttachmentUse, JournalLine
from app.now import now
from tests.build import ITEMS, a_case, walk
from tests.casework.acts import everything, lines, look, refused, scalar
from tests.cast import Cast
from tests.conftest import Clock

LIMIT = 10 * 1024 * 1024


def pdf(pages: int = 1, encrypt: str = "", **root: object) -> bytes:
    """A real PDF; `root` are entries of its catalogue."""
    out = io.BytesIO()
    with pikepdf.new() as document:
        for _ in range(pages):
            document.add_blank_page()
        for name, value in root.items():
            document.Root[f"/{name}"] = value
        document.save(out, encryption=pikepdf.Encryption(owner=encrypt, user=encrypt) if encrypt else False)
    return out.getvalue()


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    """A real picture."""
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind)
    return out.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """Sixty-nine bytes that say they are billions of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def action(kind: str, **more: object) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(S=pikepdf.Name(f"/{kind}"), **more)


def bring(cast: Cast, number: str, folder: Path, data: bytes, name: str = "缴款凭证.pdf", who: str = "deng") -> int:
    """A person brings a file."""
    person = cast.who(who)
    with transaction():
        return attach(
            number, actor=person, purpose="duty_proof", name=name, data=data, folder=folder, limit=LIMIT, at=now()
        )


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (pdf(), "application/pdf"),
        (pdf(pages=200), "application/pdf"),
        (picture("PNG"), "image/png"),
        (picture("JPEG"), "image/jpeg"),
    ],
)
def test_papers_and_photographs_are_taken_in(data: bytes, media_type: str) -> None:
    assert checked(data, LIMIT) == media_type


def test_a_pdf_that_says_on_which_page_to_open_is_an_ordinary_pdf() -> None:
    """So do scanners, offices and typesetters; it is no action."""
    with pikepdf.open(io.BytesIO(pdf())) as document:
        document.Root.OpenAction = pikepdf.Array([document.pages[0].obj, pikepdf.Name.Fit])
        document.pages[0].Annots = pikepdf.Array(
            [pikepdf.Dictionary(Subtype=pikepdf.Name.Link, A=action("URI", URI="https://credit.example/"))]
        )
        out = io.BytesIO()
        document.save(out)
    assert checked(out.getvalue(), LIMIT) == "application/pdf"


HIDDEN = pikepdf.Dictionary(
    Names=pikepdf.Array(["a", pikepdf.Dictionary(EF=pikepdf.Dictionary(), F="a.exe", Type=pikepdf.Name.Filespec)])
)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "文件是空的"),
        (b"%PDF-1.7" + b"0" * LIMIT, "超过 10 MB"),
        (b"<!doctype html><script>alert(1)</script>", "只收 PDF、JPG、PNG"),
        (b"PK\x03\x04" + b"\0" * 60, "只收 PDF、JPG、PNG"),
        (b"MZ" + b"\0" * 60, "只收 PDF、JPG、PNG"),
        (b"GIF89a" + b"\0" * 60, "只收 PDF、JPG、PNG"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>', "只收 PDF、JPG、PNG"),
        ("缴款凭证".encode(), "只收 PDF、JPG、PNG"),
        (b"%PDF-1.7\n<script>alert(1)</script>", "已经损坏"),
        (pdf()[:200], "已经损坏"),
        (pdf(pages=0), "一页也没有"),
        (pdf(pages=201), "超过 200 页"),
        (pdf(encrypt="secret"), "设了密码"),
        (pdf(OpenAction=action("JavaScript", JS="app.alert(1)")), "脚本"),
        (pdf(OpenAction=action("Launch", F="cmd.exe")), "脚本"),
        (pdf(AA=pikepdf.Dictionary(WC=action("JavaScript", JS="x"))), "脚本"),
        (pdf(Names=pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=pikepdf.Array([])))), "脚本"),
        (pdf(Names=pikepdf.Dictionary(EmbeddedFiles=HIDDEN)), "内嵌文件"),
        (pdf(AcroForm=pikepdf.Dictionary(XFA="<xdp/>")), "脚本"),
        (pdf(Outlines=pikepdf.Dictionary(First=pikepdf.Dictionary(A=action("GoToR", F="//evil/x.pdf")))), "脚本"),
        (picture("PNG")[:40], "已经损坏"),
        (picture("PNG", (7000, 6000)), "图片太大"),
        (huge_png(50_000, 50_000), "图片太大"),
        (huge_png(100_000, 100_000), "图片太大"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 40, "已经损坏"),
    ],
)
def test_what_is_not_what_it_says_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(StepRefused) as caught:
        checked(data, LIMIT)
    assert sentence in str(caught.value)


def test_an_action_hidden_on_a_page_is_found() -> None:
    with pikepdf.open(io.BytesIO(pdf(pages=3))) as document:
        button = pikepdf.Dictionary(Subtype=pikepdf.Name.Widget, A=action("JavaScript", JS="x()"))
        document.pages[2].Annots = pikepdf.Array([document.make_indirect(button)])
        out = io.BytesIO()
        document.save(out)
    with pytest.raises(StepRefused, match="脚本"):
        checked(out.getvalue(), LIMIT)


def test_whatever_bytes_come_the_answer_is_yes_or_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six hundred damaged files: never another exception, which would be a broken page.

    A PDF is judged here by the same lines as in the process of its own that otherwise looks into it."""
    monkeypatch.setattr(inside_pdf, "inside", inside_pdf.judge)
    dice = random.Random(20261124)
    originals = [pdf(pages=2, OpenAction=action("URI", URI="x")), picture("PNG"), picture("JPEG")]
    refusals = 0
    for turn in range(600):
        data = bytearray(originals[turn % 3])
        for _ in range(dice.randint(1, 12)):
            place = dice.randrange(8, len(data))
            match dice.randrange(3):
                case 0:
                    data[place] = dice.randrange(256)
                case 1:
                    del data[place : place + dice.randint(1, 30)]
                case _:
                    data[place:place] = dice.randbytes(dice.randint(1, 30))
            if len(data) < 20:
                break
        try:
            checked(bytes(data), LIMIT)
        except StepRefused:
            refusals += 1
    assert refusals > 100


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\邓敏\\缴款凭证.pdf", "缴款凭证.pdf"),
        ("a\x00b\r\nc\u202efdp.exe", "abcfdp.exe"),
        ("　缴款　凭证 .pdf. ", "缴款 凭证 .pdf"),
        ("..", "文件.pdf"),
        ("", "文件.pdf"),
        ("长" * 300 + ".pdf", "长" * 76 + ".pdf"),
        ("e\u0301.pdf", "é.pdf"),
    ],
)
def test_a_file_name_is_only_ever_shown(given: str, shown: str) -> None:
    assert tidy_name(given, "application/pdf") == shown


def test_a_file_is_kept_under_its_own_hash_and_counts_as_proof(cast: Cast, tmp_path: Path) -> None:
    number = a_case(cast, at="draft", duty="unknown")
    assert refused(cast, number, "deng", "submit") == ["PROOF_MISSING"]
    data = pdf()
    attachment = bring(cast, number, tmp_path / "up", data)
    row = db.session.execute(select(*Attachment.__table__.c).where(Attachment.id == attachment)).one()
    db.session.rollback()
    assert (row.name, row.media_type, row.size) == ("缴款凭证.pdf", "application/pdf", len(data))
    assert row.uploaded_by == cast.users["deng"]
    kept = find(tmp_path / "up", row.sha256)
    assert kept.read_bytes() == data
    assert kept.stat().st_mode & 0o077 == 0
    walk(cast, number, "deng", "submit")
    assert lines(number) == ["open", "attach", "submit"]


def test_the_same_file_twice_is_one_file_and_one_line(cast: Cast, tmp_path: Path) -> None:
    number = a_case(cast, at="draft")
    data = pdf()
    first = bring(cast, number, tmp_path / "up", data)
    before = everything()
    assert bring(cast, number, tmp_path / "up", data, name="又一次.pdf") == first
    assert everything() == before


def test_one_file_may_serve_several_cases_of_the_company(cast: Cast, tmp_path: Path) -> None:
    data = pdf()
    one, other = a_case(cast, at="draft"), a_case(cast, at="draft")
    assert bring(cast, one, tmp_path / "up", data) == bring(cast, other, tmp_path / "up", data)
    assert scalar(select(func.count()).select_from(AttachmentUse)) == 2


def test_a_refused_file_leaves_nothing_on_disk_and_nothing_in_the_case(cast: Cast, tmp_path: Path) -> None:
    number = a_case(cast, at="draft")
    before = everything()
    with pytest.raises(StepRefused):
        bring(cast, number, tmp_path / "up", b"<html>")
    assert everything() == before
    assert not (tmp_path / "up").exists()


@pytest.mark.parametrize(("who", "word"), [("wang", "没有受申请人委托"), ("li", "没有受申请人委托")])
def test_nobody_else_puts_a_file_into_the_case(cast: Cast, tmp_path: Path, who: str, word: str) -> None:
    number = a_case(cast, at="draft")
    with pytest.raises(StepRefused, match=word):
        bring(cast, number, tmp_path / "up", pdf(), who=who)


def test_after_handing_in_the_papers_are_no_longer_the_filers_to_change(cast: Cast, tmp_path: Path) -> None:
    number = a_case(cast, at="draft")
    bring(cast, number, tmp_path / "up", pdf())
    use = scalar(select(AttachmentUse.id))
    walk(cast, number, "deng", "submit")
    with pytest.raises(StepRefused, match="待受理.*不能再改"):
        bring(cast, number, tmp_path / "up", picture())
    with pytest.raises(StepRefused, match="不能再改"), transaction():
        detach(number, actor=cast_person(cast), use_id=use, at=now())


def cast_person(cast: Cast):  # type: ignore[no-untyped-def]
    """The clerk; looked up before the transaction."""
    from app.casework.actor import load_person
    from workflows.calendar import legal_day

    return load_person(cast.users["deng"], legal_day(now()), "127.0.0.1")


def test_a_file_taken_out_again_is_kept_but_no_longer_counts(cast: Cast, tmp_path: Path) -> None:
    number = a_case(cast, at="draft", duty="unknown")
    attachment = bring(cast, number, tmp_path / "up", pdf())
    use = scalar(select(AttachmentUse.id))
    deng = cast.who("deng")
    with transaction():
        detach(number, actor=deng, use_id=use, at=now())
    assert look(number).facts.papers == {"letter"}
    sha256 = scalar(select(Attachment.sha256).where(Attachment.id == attachment))
    assert find(tmp_path / "up", sha256).is_file()
    assert lines(number) == ["open", "attach", "detach"]
    with pytest.raises(StepRefused, match="可能已经移除"), transaction():
        detach(number, actor=deng, use_id=use, at=now())


def test_what_the_office_has_judged_by_stays_while_the_case_is_completed(
    cast: Cast, clock: Clock, tmp_path: Path
) -> None:
    number = a_case(cast, at="draft", duty="unknown")
    bring(cast, number, tmp_path / "up", pdf())
    seen = scalar(select(AttachmentUse.id))
    clock.go("2026-11-24 11:00")
    walk(cast, number, "deng", "submit")
    walk(cast, number, "li", "receive", t0="today")
    walk(cast, number, "li", "correct", items=ITEMS)
    clock.go("2026-11-24 12:00")
    bring(cast, number, tmp_path / "up", picture())
    fresh = scalar(select(func.max(AttachmentUse.id)))
    deng = cast.who("deng")
    with pytest.raises(StepRefused, match="“缴款凭证.pdf”已经随申请提交，不能移除"), transaction():
        detach(number, actor=deng, use_id=seen, at=now())
    with transaction():
        detach(number, actor=deng, use_id=fresh, at=now())
    assert lines(number)[-1] == "detach"
    line = scalar(select(JournalLine.answers).where(JournalLine.act == "detach"))
    assert line["name"] == "缴款凭证.pdf" and len(line["sha256"]) == 64


def test_what_the_office_has_judged_by_is_not_taken_out_while_the_case_is_completed(
    cast: Cast, clock: Clock, tmp_path: Path
) -> None:
    number = a_case(cast, at="draft", duty="unknown")
    bring(cast, number, tmp_path / "up", pdf())
    clock.go("2026-11-24 11:00")
    walk(cast, number, "deng", "submit")
    walk(cast, number, "li", "receive", t0="today")
    walk(cast, number, "li", "correct", items=[{"name": "凭证", "problem": "看不清", "remedy": "重拍"}])
    clock.go("2026-11-25")
    bring(cast, number, tmp_path / "up", picture())
    deng = cast.who("deng")
    first, second = db.session.execute(select(AttachmentUse.id).order_by(AttachmentUse.id)).scalars()
    db.session.rollback()
    with pytest.raises(StepRefused, match="已经随申请提交，不能移除"), transaction():
        detach(number, actor=deng, use_id=first, at=now())
    with transaction():
        detach(number, actor=deng, use_id=second, at=now())
    assert lines(number)[-2:] == ["attach", "detach"]


def test_a_file_of_another_case_is_not_taken_out_through_this_one(cast: Cast, tmp_path: Path) -> None:
    mine, other = a_case(cast, at="draft"), a_case(cast, at="draft")
    bring(cast, other, tmp_path / "up", pdf())
    use = scalar(select(AttachmentUse.id))
    deng = cast.who("deng")
    with pytest.raises(StepRefused), transaction():
        detach(mine, actor=deng, use_id=use, at=now())
    assert scalar(select(func.count()).select_from(AttachmentUse)) == 1


def test_there_is_a_limit_to_what_one_case_can_hold(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = a_case(cast, at="draft")
    blank = pdf()
    assert attaching.MAX_FILES == 20
    monkeypatch.setattr(attaching, "MAX_FILES", 3)
    for n in range(3):
        bring(cast, number, tmp_path / "up", blank + b"%" + str(n).encode())
    with pytest.raises(StepRefused, match="最多上传 3 个文件"):
        bring(cast, number, tmp_path / "up", picture())


def test_an_unknown_purpose_is_refused(cast: Cast, tmp_path: Path) -> None:
    number, deng = a_case(cast, at="draft"), cast.who("deng")
    with pytest.raises(StepRefused, match="没有这种材料"), transaction():
        attach(number, actor=deng, purpose="照片", name="a.pdf", data=pdf(), folder=tmp_path, limit=LIMIT, at=now())


# ---- the disk


def test_a_file_is_safe_before_anything_says_that_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temp file, fsync, rename, fsync of the folder: in this order."""
    done: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(handle: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        real_fsync(handle)

    def replace(source: Path, target: Path) -> None:
        assert Path(source).stat().st_size == 3
        done.append("rename")
        real_replace(source, target)

    monkeypatch.setattr(files.os, "fsync", fsync)
    monkeypatch.setattr(files.os, "replace", replace)
    name = keep(tmp_path / "up", b"abc")
    assert done[:2] == ["file", "rename"]
    assert set(done[2:]) == {"folder"}
    assert find(tmp_path / "up", name).read_bytes() == b"abc"
    assert keep(tmp_path / "up", b"abc") == name


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    def fails(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, broken, fails)
    with pytest.raises(OSError, match="No space left"):
        keep(tmp_path / "up", b"abc")
    assert [path for path in (tmp_path / "up").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 63 + "/"])
def test_no_name_but_a_digest_finds_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        find(tmp_path, name)


def test_a_rolled_back_upload_leaves_a_file_without_a_row_and_never_the_reverse(
    app: Flask, cast: Cast, tmp_path: Path
) -> None:
    number, deng = a_case(cast, at="draft"), cast.who("deng")
    before = everything()
    with pytest.raises(ZeroDivisionError), transaction():
        attach(
            number, actor=deng, purpose="duty_proof", name="a.pdf", data=pdf(), folder=tmp_path / "up", limit=LIMIT,
            at=now(),
        )  # fmt: skip
        raise ZeroDivisionError
    assert everything() == before
    assert len([path for path in (tmp_path / "up").rglob("*") if path.is_file()]) == 1
