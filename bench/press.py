"""The press: from frozen text to a signed PDF in the instance, warm, in a process of its own.

Beside it the plain way to print the same sheets with the same library: style sheet and typefaces read anew for each.
"""

from __future__ import annotations

import base64
import gc
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy import select

from app.db import db
from app.documents.press import QR, STYLE, Sheet, press, qr_png
from app.duty import press as duty
from app.models import Document
from bench.lifecycle import Walk
from bench.report import Table, figure
from bench.rounds import Rounds
from bench.stage import application, at_its_hour, set_up

PAPERS = 3
"""Documents of a case: 申请回执, 受理通知书, 准予信用修复决定书."""


def run(cases: int = 1, rounds: int = 9) -> list[Table]:
    """Print the papers of `cases` cases in each of `rounds` rounds, and as many in another process for its memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as apart:
        measured = apart.submit(_paired, cases, rounds).result()
        alone = apart.submit(_alone, cases, rounds).result()
    return [_table(measured, alone, cases * PAPERS, rounds)]


def _paired(cases: int, rounds: int) -> Rounds:
    """Our press and the plain way in turn."""
    papers = cases * PAPERS
    with _walk(cases * rounds + 1) as walk:
        walk.one()
        _turn(PAPERS)
        sheets = cycle(_sheets())
        for _ in range(cases * rounds):
            walk.one()
        return Rounds(
            {
                "plain": lambda: _timed(lambda: [_plain(sheet) for sheet in islice(sheets, papers)], papers),
                "pressed": lambda: _timed(lambda: [press(sheet) for sheet in islice(sheets, papers)], papers),
                "signed": lambda: _timed(lambda: _turn(papers), papers),
            },
            rounds,
        )


def _alone(cases: int, rounds: int) -> tuple[float, float, int, int]:
    """Seconds for the first document, median bytes, MiB of memory after the first case and MiB more after all."""
    with _walk(cases * rounds + 1) as walk:
        for _ in range(cases * rounds + 1):
            walk.one()
        cold = _timed(lambda: _turn(1), 1)
        _turn(PAPERS - 1)
        first = _memory()
        _turn(cases * rounds * PAPERS)
        sizes = db.session.execute(select(Document.pdf_size)).scalars().all()
        return cold, median(size or 0 for size in sizes), first, _memory() - first


def _table(measured: Rounds, alone: tuple[float, float, int, int], papers: int, rounds: int) -> Table:
    cold, size, memory, more = alone
    names = {
        "plain": "WeasyPrint, style sheet and typefaces anew for each sheet",
        "pressed": "press(): PDF/A-3b, QR code, attached facts",
        "signed": "turn of the press: claimed, printed, signed (PAdES), filed, recorded",
    }
    return Table(
        "Press: sheets of one or two pages, one process, warm",
        ("", "documents/s", "ms each", "÷ plain (rate)"),
        [
            (
                said,
                figure(1 / measured.middle(name)),
                figure(measured.middle(name) * 1000),
                figure(measured.ratio("plain", name)),
            )
            for name, said in names.items()
        ],
        (
            f"signed file {size / 1024:.0f} KiB (median); the first document of a process takes {cold:.1f} s, because"
            " WeasyPrint and pyHanko are loaded then",
            f"peak memory {memory} MiB after {PAPERS} documents, {more} MiB more after {rounds * papers}",
            f"{rounds} paired rounds of {papers} documents",
        ),
    )


@contextmanager
def _walk(copies: int) -> Iterator[Walk]:
    with TemporaryDirectory(prefix="jiannuo-bench-", ignore_cleanup_errors=True) as folder, at_its_hour():
        app = application(Path(folder))
        with app.app_context():
            yield Walk(app, set_up(copies), freezing=True, first=1)
            db.session.remove()
            db.engine.dispose()


def _sheets() -> list[Sheet]:
    rows = db.session.execute(select(Document.html, Document.facts, Document.issued_at, Document.signer)).all()
    db.session.rollback()
    return [Sheet(row.html, {**row.facts, "key": row.signer}, row.issued_at) for row in rows]


def _plain(sheet: Sheet) -> bytes:
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    code = base64.b64encode(qr_png(str(sheet.facts["verify"]))).decode()
    page = HTML(string=sheet.html.replace(QR, f"data:image/png;base64,{code}"))
    fonts = FontConfiguration()
    made: bytes = page.write_pdf(stylesheets=[CSS(filename=str(STYLE), font_config=fonts)], font_config=fonts)
    return made


def _turn(papers: int) -> None:
    if (printed := duty.turn(papers)) != papers:
        raise RuntimeError(f"{printed} of {papers} documents were printed")


def _timed(work: Callable[[], object], papers: int) -> float:
    gc.collect()
    start = perf_counter()
    work()
    return (perf_counter() - start) / papers


def _memory() -> int:
    """The most memory this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
