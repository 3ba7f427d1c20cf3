"""Papers that mean harm: they unfold to gigabytes, nest without end, hide what they do. They cost the house nothing."""

from __future__ import annotations

import io
import resource
import time
import zlib
from collections.abc import Mapping

import pikepdf
import pytest

from app.casework import inside_pdf
from app.casework.inside_pdf import ACTIVE, DAMAGED, HEAVY, OK, inside

MB = 1 << 20


def written(objects: Mapping[int, bytes], packed: Mapping[int, tuple[int, int]] = {}) -> bytes:
    """A PDF of these objects; `packed` are objects that stand in a stream: (number of the stream, place in it)."""
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = max([*objects, *packed]) + 1
    places[table] = len(out)

    def row(kind: int, first: int, second: int) -> bytes:
        return bytes([kind]) + first.to_bytes(4, "big") + second.to_bytes(2, "big")

    rows = b"".join(
        row(2, *packed[n]) if n in packed else row(1, places[n], 0) if n in places else row(0, 0, 0)
        for n in range(table + 1)
    )
    held = zlib.compress(rows)
    out += b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 4 2] /Root 1 0 R /Filter /FlateDecode /Length %d >>\nstream\n" % (
        table, table + 1, len(held),
    )  # fmt: skip
    out += held + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % places[table]
    return bytes(out)


def stream(data: bytes, more: bytes = b"") -> bytes:
    """The body of a stream object."""
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (more, len(data), data)


def pages(root: bytes = b"", page: bytes = b"", kids: bytes = b"3 0 R", count: int = 1) -> dict[int, bytes]:
    """A catalogue, a tree and a page."""
    return {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % root,
        2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 10 10] /Resources << >> %s >>" % page,
    }


def unfolding(megabytes: int, inner: bytes = b"<< /A 1 >>", filters: int = 1) -> bytes:
    """A PDF whose fifth object stands in a stream that unfolds to so many megabytes of blanks."""
    packing = zlib.compressobj(9)
    data = packing.compress(b"5 0 " + inner)
    for _ in range(megabytes):
        data += packing.compress(b" " * MB)
    data += packing.flush()
    for _ in range(filters - 1):
        data = zlib.compress(data, 9)
    named = b"/Type /ObjStm /N 1 /First 4 /Filter [%s]" % (b"/FlateDecode " * filters)
    return written({**pages(page=b"/X 5 0 R"), 4: stream(data, named)}, {5: (4, 0)})


def children() -> int:
    """The most memory, in bytes, that any process we waited for has used."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def test_a_paper_of_the_usual_kind_is_looked_into() -> None:
    assert inside(written(pages())) == (OK, 1)
    assert inside(unfolding(1)) == (OK, 1)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(unfolding(700), id="more than the process may have, out of less than a megabyte"),
        pytest.param(unfolding(700, filters=2), id="the same packed twice, out of a few kilobytes"),
        pytest.param(written(pages(kids=b"3 0 R " * 400_000, count=400_000)), id="one page 400,000 times"),
    ],
)
def test_a_paper_that_unfolds_without_end_is_refused_in_bounded_time_and_memory(data: bytes) -> None:
    before = time.monotonic()
    assert inside(data) == (HEAVY, 0)
    assert time.monotonic() - before < 3 * inside_pdf.SECONDS
    assert children() < inside_pdf.MEMORY + 64 * MB


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(written(pages(root=b"/Z " + b"[" * 99_999 + b"]" * 99_999)), id="nested a hundred thousand deep"),
        pytest.param(written(pages(kids=b"2 0 R")), id="a tree of pages that is its own child"),
    ],
)
def test_a_paper_that_turns_in_circles_ends(data: bytes) -> None:
    verdict, _pages = inside(data)
    assert verdict in (DAMAGED, OK, "empty")


def test_what_could_not_be_unpacked_counts_as_not_looked_at() -> None:
    """A script in a stream too large for us could still be read by whoever opens the file."""
    script = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
    assert inside(unfolding(1, script)) == (ACTIVE, 1)
    assert inside(unfolding(80, script)) == (HEAVY, 0)
    damaged = bytearray(unfolding(1, script))
    place = damaged.index(b"stream\n") + 20
    damaged[place : place + 4] = b"\xff\xff\xff\xff"
    assert inside(bytes(damaged))[0] != OK


@pytest.mark.parametrize(
    "objects",
    [
        pages(page=b"/AA << /O 4 0 R >>") | {4: b"<< /S /JavaScript /JS (x) >>"},
        pages(root=b"/AcroForm << /Fields [4 0 R] >>") | {4: b"<< /FT /Btn /A << /S /SubmitForm /F (//evil) >> >>"},
        pages(page=b"/Annots [4 0 R]") | {4: b"<< /Subtype /Link /A 5 0 R >>", 5: b"<< /S /GoToE >>"},
        pages(page=b"/Annots [4 0 R]") | {4: b"<< /Subtype /FileAttachment /FS << /EF << /F 5 0 R >> >> >>",
                                          5: stream(b"MZ")},
        pages(root=b"/Names << /Deep << /Kids [4 0 R] >> >>") | {4: b"<< /Names [(a) 5 0 R] >>",
                                                                 5: b"<< /Next << /S /Launch /F (cmd) >> >>"},
        pages(page=b"/Annots [[<< /Inner << /S /Rendition >> >>]]"),
        pages(root=b"/OpenAction << /S /#4aavaScript /J#53 (x) >>"),
        pages() | {9: b"<< /S /JavaScript /JS (nobody points here) >>"},
    ],
)  # fmt: skip
def test_what_would_do_something_is_found_wherever_it_hides(objects: dict[int, bytes]) -> None:
    assert inside(written(objects))[0] == ACTIVE


def test_the_process_is_told_nothing_of_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def run(command: list[str], **named: object) -> object:
        seen.update(named, command=command)
        raise inside_pdf.subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr(inside_pdf.subprocess, "run", run)
    assert inside(b"%PDF-1.7") == (HEAVY, 0)
    assert seen["env"] == {} and "shell" not in seen and "-I" in seen["command"]


def test_a_process_that_cannot_work_at_all_is_our_failure_and_not_the_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside_pdf.sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="could not be looked into"):
        inside(written(pages()))


def test_a_large_honest_paper_is_within_the_bounds() -> None:
    held = io.BytesIO()
    with pikepdf.new() as document:
        for n in range(150):
            page = document.add_blank_page()
            picture = pikepdf.Stream(document, bytes([n % 251]) * 1000 + str(n).encode() * 10_000)
            page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im=document.make_indirect(picture)))
        document.Root.Stuff = pikepdf.Array([document.make_indirect(pikepdf.Dictionary(A=n)) for n in range(20_000)])
        document.save(held, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert inside(held.getvalue()) == (OK, 150)
