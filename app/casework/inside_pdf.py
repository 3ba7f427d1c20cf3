"""What is inside a PDF that somebody handed in, found out by a process of its own with little memory and little time.

Two megabytes of PDF can unfold to many gigabytes, and reading them holds up whoever reads; so it is done where running
out of either harms nobody. Run as a program, this file reads a PDF from standard input and prints the verdict; it needs
nothing of the house and is told nothing of it.
"""

from __future__ import annotations

import io
import resource
import subprocess
import sys
from typing import Any

MEMORY = 640 * 1024 * 1024
"""Bytes the process may use; an ordinary scan of ten megabytes needs a fifth of it."""
SECONDS = 10
"""Seconds of computing it may take."""
UNPACKED = 64 * 1024 * 1024
"""Bytes to which a stream that holds objects may unfold."""

OK, PASSWORD, DAMAGED, EMPTY, ACTIVE, HEAVY = "ok", "password", "damaged", "empty", "active", "heavy"

ACTIVE_KEYS = frozenset(
    ("/AA", "/JS", "/JavaScript", "/EF", "/EmbeddedFiles", "/XFA", "/RichMediaContent", "/OnInstantiate")
)
ACTIVE_DEEDS = frozenset(
    (
        "/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToR", "/GoToE", "/Rendition", "/RichMediaExecute",
        "/Movie", "/Sound", "/Thread",
    )
)  # fmt: skip


def inside(data: bytes) -> tuple[str, int]:
    """The verdict on a PDF and its number of pages (0 when they could not be counted).

    OK; PASSWORD; DAMAGED; EMPTY: no page; ACTIVE: scripts, actions or other files in it; HEAVY: more than this process
    may take. Raises RuntimeError when the process could not do its work at all.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-I", __file__], input=data, capture_output=True, timeout=3 * SECONDS, env={}
        )
    except subprocess.TimeoutExpired:
        return HEAVY, 0
    if done.returncode < 0:  # the system has ended it
        return HEAVY, 0
    if done.returncode:
        raise RuntimeError(f"a PDF could not be looked into: {done.stderr.decode(errors='replace')[-500:]}")
    verdict, pages = done.stdout.decode().split()
    return verdict, int(pages)


def judge(data: bytes) -> tuple[str, int]:
    """The same, in this process: whoever calls it has set the bounds."""
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            pages = len(pdf.pages)
            active = any(_acts(each) for each in pdf.objects)
            said = [warning for warning in pdf.get_warnings() if "decod" in warning or "unfilterable" in warning]
    except pikepdf.PasswordError:
        return PASSWORD, 0
    except MemoryError:
        return HEAVY, 0
    except (pikepdf.PdfError, LookupError, RecursionError, RuntimeError, TypeError, ValueError):
        return DAMAGED, 0
    if said:  # objects packed in a stream that could not be unpacked have not been looked at: a reader may manage it
        return (HEAVY if any("memory" in warning or "alloc" in warning for warning in said) else DAMAGED), 0
    return (ACTIVE if active else OK if pages else EMPTY), pages


def _acts(found: Any) -> bool:
    """True when an object of a PDF, or what it holds directly, would do something by itself or carries another file.

    Where to open a document (an OpenAction that only names a page) and links to the web do nothing by themselves.
    """
    import pikepdf

    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, pikepdf.Array):
            waiting += [each for each in one if not getattr(each, "is_indirect", False)]
        elif isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
            held = one.stream_dict if isinstance(one, pikepdf.Stream) else one
            if not ACTIVE_KEYS.isdisjoint(held.keys()) or str(held.get("/S", "")) in ACTIVE_DEEDS:
                return True
            waiting += [value for _key, value in held.items() if not getattr(value, "is_indirect", False)]
    return False


def main() -> None:
    """Judge what comes in, within bounds that cannot be lifted again."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from pikepdf.settings import set_qpdf_limits

    set_qpdf_limits(
        flate_max_memory=UNPACKED, run_length_max_memory=UNPACKED, png_max_memory=UNPACKED, tiff_max_memory=UNPACKED
    )
    print(*judge(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
