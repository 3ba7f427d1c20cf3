"""Taking in evidence: a file must be what it says, is kept under its own hash, and serves a purpose in a case."""

from __future__ import annotations

import io
import re
import unicodedata
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, select

from app.casework import inside_pdf
from app.casework.actor import Person
from app.casework.beside import for_the_filer, journal_beside
from app.casework.refused import StepRefused
from app.db import db, insert_into
from app.files import keep
from app.models import Attachment, AttachmentUse
from workflows.grammar import UNMET, Refusal

PURPOSES = {
    "duty_proof": "纠正失信行为、履行处罚义务的证明材料",
    "completion": "补正材料",
    "letter_scan": "信用修复承诺书原件扫描件",
}
PICTURES = ("JPEG", "PNG")
KINDS = {"application/pdf": "PDF", "image/jpeg": "JPG", "image/png": "PNG"}
MAX_FILES = 20
MAX_PIXELS = 40_000_000
MAX_PAGES = 200
PDF_REFUSED = {
    inside_pdf.PASSWORD: "PDF 设了密码，打不开。请去掉密码后再传。",
    inside_pdf.DAMAGED: "PDF 已经损坏，打不开。请重新导出后再传。",
    inside_pdf.EMPTY: "PDF 里一页也没有。请重新导出后再传。",
    inside_pdf.ACTIVE: "PDF 里带有脚本、自动动作或者内嵌文件，不能接收。请打印成普通 PDF 后再传。",
    inside_pdf.HEAVY: "PDF 太复杂，检查不完。请打印成普通 PDF，或者拆分后再传。",
}


def attach(
    number: str, *, actor: Person, purpose: str, name: str, data: bytes, folder: Path, limit: int, at: datetime
) -> int:
    """Keep a file for a case of the filer, inside `transaction()`; returns the attachment's id.

    Raises StepRefused with a sentence for a file that is empty, too large, of another kind, or not what it says.
    """
    if purpose not in PURPOSES:
        raise _refused("没有这种材料。")
    media_type = checked(data, limit)
    loaded = for_the_filer(number, actor, at)
    used = db.session.execute(select(AttachmentUse.id).where(AttachmentUse.case_id == loaded.id)).all()
    if len(used) >= MAX_FILES:
        raise _refused("一件最多上传 {n} 个文件，请先移除不需要的。", n=MAX_FILES)
    sha256 = keep(folder, data)
    name = tidy_name(name, media_type)
    db.session.execute(
        insert_into(Attachment.__table__)
        .values(
            subject_id=loaded.facts.case.subject, sha256=sha256, name=name, media_type=media_type, size=len(data),
            uploaded_by=actor.person, at=at,
        )
        .on_conflict_do_nothing(index_elements=["subject_id", "sha256"])
    )  # fmt: skip
    attachment_id: int = db.session.execute(
        select(Attachment.id).where(Attachment.subject_id == loaded.facts.case.subject, Attachment.sha256 == sha256)
    ).scalar_one()
    fresh = db.session.execute(
        insert_into(AttachmentUse.__table__)
        .values(case_id=loaded.id, attachment_id=attachment_id, purpose=purpose, at=at)
        .on_conflict_do_nothing(index_elements=["case_id", "attachment_id", "purpose"])
        .returning(AttachmentUse.id)
    ).first()
    if fresh is not None:
        journal_beside(loaded, "attach", actor, at, {"purpose": purpose, "name": name, "sha256": sha256})
    return attachment_id


def detach(number: str, *, actor: Person, use_id: int, at: datetime) -> None:
    """Take a file out of a case while it is still the filer's own paper; the file itself is kept.

    What has been handed in once stays, also while the case is being completed: somebody has judged by it.
    """
    loaded = for_the_filer(number, actor, at)
    found = db.session.execute(
        select(AttachmentUse.purpose, AttachmentUse.at, Attachment.name, Attachment.sha256)
        .join(Attachment, Attachment.id == AttachmentUse.attachment_id)
        .where(AttachmentUse.id == use_id, AttachmentUse.case_id == loaded.id)
    ).first()
    if found is None:
        raise _refused("没有这个文件，可能已经移除。")
    handed_in = loaded.facts.last(*loaded.workflow.hands_in)
    if handed_in is not None and found.at <= handed_in.at:
        raise _refused("“{name}”已经随申请提交，不能移除。需要更正的，请另外上传正确的材料，并在补正说明里写明。",
                       name=found.name)  # fmt: skip
    db.session.execute(delete(AttachmentUse).where(AttachmentUse.id == use_id))
    said = {"purpose": found.purpose, "name": found.name, "sha256": found.sha256}
    journal_beside(loaded, "detach", actor, at, said)


def checked(data: bytes, limit: int) -> str:
    """The media type of a file after looking into it. Raises StepRefused when it may not be taken in."""
    import filetype

    if not data:
        raise _refused("文件是空的，请重新选择。")
    if len(data) > limit:
        raise _refused(
            "文件有 {size} MB，超过 {limit} MB。请压缩或者拆分后再传。",
            size=round(len(data) / 1048576, 1),
            limit=limit // 1048576,
        )
    guess = filetype.guess(data)
    media_type = guess.mime if guess else ""
    if media_type not in KINDS:
        raise _refused("只收 PDF、JPG、PNG 文件；这个文件的内容不是其中任何一种。")
    if media_type == "application/pdf":
        _check_pdf(data)
    else:
        _check_image(data)
    return media_type


def _check_pdf(data: bytes) -> None:
    verdict, pages = inside_pdf.inside(data)
    if verdict in PDF_REFUSED:
        raise _refused(PDF_REFUSED[verdict])
    if pages > MAX_PAGES:
        raise _refused("PDF 有 {n} 页，超过 {limit} 页。请拆分后再传。", n=pages, limit=MAX_PAGES)


def _check_image(data: bytes) -> None:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=PICTURES) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise _refused("图片太大（{w}×{h}），请缩小后再传。", w=width, h=height)
            image.verify()
    except Image.DecompressionBombError:
        raise _refused("图片太大，请缩小后再传。") from None
    except (OSError, SyntaxError, ValueError):
        raise _refused("图片已经损坏，打不开。请重新拍摄或者导出后再传。") from None


def tidy_name(name: str, media_type: str = "") -> str:
    """A file name that is only ever shown: no path, no control or direction characters, at most 80 characters."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    name = re.sub(r"\s+", " ", name).strip(" .")[-80:]
    return name or (f"文件.{KINDS[media_type].lower()}" if media_type in KINDS else "文件")


def _refused(text: str, **values: object) -> StepRefused:
    return StepRefused([Refusal(UNMET, text, values, "D", "FILE")])
