"""What a benchmark says, for the terminal and for the README, and the machine that it was said on."""

from __future__ import annotations

import os
import platform
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """Rows under a heading; every figure is already text. `notes` say what is included."""

    title: str
    heading: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: tuple[str, ...] = ()

    def plain(self) -> str:
        """In columns: the first to the left, figures to the right."""
        lines = [self.heading, *self.rows]
        widths = [max(_width(line[column]) for line in lines) for column in range(len(self.heading))]
        drawn = [
            "  ".join(
                _padded(cell, width, left=column == 0)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        ]
        return "\n".join([self.title, drawn[0], "-" * (sum(widths) + 2 * len(widths) - 2), *drawn[1:], *self._notes()])

    def markdown(self) -> str:
        """As a table of the README."""
        lines = [self.heading, ("---", *["---:"] * (len(self.heading) - 1)), *self.rows]
        return "\n".join(
            [f"**{self.title}**", "", *("| " + " | ".join(line) + " |" for line in lines), "", *self._notes()]
        )

    def _notes(self) -> Iterator[str]:
        yield from (f"- {note}" for note in self.notes)


def machine() -> str:
    """Cores, processor, memory and versions in one line."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    memory = next((int(line.split()[1]) >> 20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores ({model}), {memory} GiB, Python {platform.python_version()}, load {load}"


def figure(value: float) -> str:
    """Three digits that mean something: 0.361, 3.61, 36.1, 361."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int, *, left: bool) -> str:
    blank = " " * (width - _width(text))
    return text + blank if left else blank + text
