"""Which characters the printing typefaces can show, known without opening a font.

    python -m app.documents.glyphs

writes `glyphs.txt` from the committed fonts; a test compares the two. `text` is what both Noto Serif SC and Noto Sans
SC show, `title` what Jiannuo Title SC shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from textwrap import wrap

TABLE = Path(__file__).with_name("glyphs.txt")
_LAYOUT = frozenset("\n\t")


@lru_cache(maxsize=1)
def table() -> dict[str, frozenset[str]]:
    """The characters of each face: `text` and `title`."""
    return dict(_read(TABLE.read_text("ascii")))


def unseen(text: str, face: str = "text") -> list[str]:
    """The characters of a text that the face cannot show, each once, in code order."""
    return sorted(set(text) - table()[face] - _LAYOUT)


def named(character: str) -> str:
    """A character with its code point, so that it can be found when it cannot be seen: 某（U+67D0）."""
    shown = character if character.isprintable() else "不可见字符"
    return f"{shown}（U+{ord(character):04X}）"


def written(faces: dict[str, Iterable[str]]) -> str:
    """The table as text: a line `face:` and below it ranges of code points in hexadecimal."""
    parts = []
    for face, characters in faces.items():
        parts.append(f"{face}:\n")
        parts += [f"{line}\n" for line in wrap(" ".join(_ranges(characters)), 118)]
    return "".join(parts)


def _read(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    face, characters = "", set[str]()
    for line in text.splitlines():
        if line.endswith(":"):
            if face:
                yield face, frozenset(characters)
            face, characters = line[:-1], set()
            continue
        for part in line.split():
            first, _, last = part.partition("-")
            characters.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    yield face, frozenset(characters)


def _ranges(characters: Iterable[str]) -> Iterator[str]:
    codes = sorted(map(ord, characters))
    start = 0
    for place, code in enumerate(codes):
        if place + 1 == len(codes) or codes[place + 1] != code + 1:
            first = codes[start]
            yield f"{first:x}" if first == code else f"{first:x}-{code:x}"
            start = place + 1


def main() -> None:
    from app.documents.fonts import FOLDER, REGULAR, TITLE, coverage

    sans = FOLDER / "NotoSansSC-Regular.ttf"
    TABLE.write_text(written({"text": coverage(REGULAR) & coverage(sans), "title": coverage(TITLE)}), "ascii")
    print(f"{TABLE.name}: {len(table()['text'])} + {len(table()['title'])} 字，{TABLE.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
