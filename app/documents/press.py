"""The ink: frozen HTML to PDF/A-3b, by WeasyPrint, in our own typefaces and from nothing but our own files.

WeasyPrint (a second and a half to import) is loaded at the first sheet. Given the same HTML, version and fonts it makes
the same bytes, so a document may be printed long after it was frozen. Whatever it has to say about a document (a glyph
it does not have, a rule it does not know, a file it may not read) means that the document is not issued.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from xml.sax.saxutils import escape

import segno

STYLE = Path(__file__).with_name("style") / "letter.css"
FONTS = Path(__file__).resolve().parents[1] / "static" / "fonts"
QR = "jiannuo:qr"

_turn = threading.Lock()


class CannotPrint(RuntimeError):
    """The document cannot be printed as it stands; the message is a Chinese sentence."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the press needs of a document: frozen text, its machine-readable twin, the moment of the decision."""

    html: str
    facts: Mapping[str, Any]
    issued_at: datetime


def press(sheet: Sheet) -> bytes:
    """The PDF of a frozen document, not signed yet. Raises CannotPrint when anything could not be printed as meant.

    The twin is attached as `facts.json`; title, author, keywords, language and time come from the HTML; the identifier
    is the hash of the HTML, so that nothing in the file depends on when it was printed.
    """
    tools = _tools()
    twin = json.dumps(dict(sheet.facts), ensure_ascii=False, sort_keys=True, indent=1)
    with _turn, _listening() as said:
        try:
            page = tools.html(string=sheet.html, url_fetcher=tools.fetcher(qr_png(str(sheet.facts["verify"]))))
            pdf: bytes = page.write_pdf(
                stylesheets=[tools.style],
                font_config=tools.fonts,
                pdf_variant="pdf/a-3b",
                pdf_tags=True,
                pdf_identifier=hashlib.sha256(sheet.html.encode()).digest()[:16],
                attachments=[
                    tools.attachment(
                        string=twin,
                        name="facts.json",
                        description="本文书的机器可读内容",
                        relationship="Data",
                        created=sheet.issued_at,
                        modified=sheet.issued_at,
                    )
                ],
            )
        except tools.fatal as error:
            raise CannotPrint(f"文书引用了外部文件，不能印制：{error}") from error
    if said:
        raise CannotPrint(_sentence(said))
    return pdf


@lru_cache(maxsize=64)
def qr_png(address: str) -> bytes:
    """The QR code of an address as a 1-bit PNG, four pixels a module, with a quiet zone of two modules."""
    picture = io.BytesIO()
    segno.make_qr(address, error="m").save(picture, kind="png", scale=4, border=2)
    return picture.getvalue()


@dataclass(frozen=True)
class _Tools:
    html: Any
    attachment: Any
    style: Any
    fonts: Any
    fetcher: Any
    fatal: type[BaseException]


@lru_cache(maxsize=1)
def _tools() -> _Tools:
    """WeasyPrint, our style sheet parsed once, and a fetcher that gives our QR code and refuses everything else."""
    _our_fonts_only()
    from weasyprint import CSS, HTML, Attachment
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class Ours(URLFetcher):
        def __init__(self, picture: bytes) -> None:
            super().__init__(allowed_protocols=(), fail_on_errors=True)
            self.picture = picture

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url == QR:
                return URLFetcherResponse(url, body=self.picture, headers={"Content-Type": "image/png"})
            raise FatalURLFetchingError(url)

    fonts = FontConfiguration()
    with _listening() as said:
        style = CSS(string=STYLE.read_text("utf-8"), font_config=fonts, url_fetcher=Ours(b""))
    if said:
        raise CannotPrint(f"文书样式有误：{'；'.join(said)}")
    return _Tools(HTML, Attachment, style, fonts, Ours, FatalURLFetchingError)


def _our_fonts_only() -> None:
    """Make fontconfig look at the committed typefaces alone, unless the process was started with its own choice."""
    if "FONTCONFIG_FILE" in os.environ:
        return
    place = Path(mkdtemp(prefix="jiannuo-fonts-"))
    atexit.register(rmtree, place, ignore_errors=True)
    listed = place / "fonts.conf"
    listed.write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
        f"  <dir>{escape(str(FONTS))}</dir>\n  <cachedir>{escape(str(place / 'cache'))}</cachedir>\n</fontconfig>\n",
        "utf-8",
    )
    os.environ["FONTCONFIG_FILE"] = str(listed)


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect every warning and error of WeasyPrint while a sheet is made."""
    said: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    ear = Ear(logging.WARNING)
    logger = logging.getLogger("weasyprint")
    logger.addHandler(ear)
    try:
        yield said
    finally:
        logger.removeHandler(ear)


def _sentence(said: list[str]) -> str:
    missing = [line for line in said if ".notdef" in line]
    if missing:
        return f"含有无法显示的字：{'；'.join(missing)}"
    return f"印制时有异常，文书没有印出：{'；'.join(said)}"
