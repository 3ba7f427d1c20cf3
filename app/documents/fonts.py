"""The two faces cut from Noto Serif SC, and which characters they hold.

*Jiannuo Title SC* (weight 700) is the 小标宋 of red heads and document titles: all of GB 2312, because an administrator
may add an office of any name, and whatever else our own titles and offices contain. A character that is not in it would
be printed silently in another face, so what it covers is tested.
*Jiannuo Song* (weight 400) is what a browser loads for the fixed headings of pages: those characters and no others.

    python -m app.documents.fonts --bold NotoSerifSC_700Bold.ttf

cuts both again for the texts of today. The bold weight is in the npm package @expo-google-fonts/noto-serif-sc
(folder 700Bold); the regular weight is committed.
"""

from __future__ import annotations

import argparse
import re
import string
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from workflows import WORKFLOWS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "app" / "static" / "fonts"
REGULAR = FOLDER / "NotoSerifSC-Regular.ttf"
TITLE = FOLDER / "JiannuoTitleSC.ttf"
SONG = FOLDER / "JiannuoSong.woff2"
REGIONS = ROOT / "app" / "registry" / "regions.csv"
LATIN = set(string.digits + string.ascii_letters + string.punctuation + " ")

_HEADING = re.compile(r"<h1\b[^>]*>(.*?)</h1>|\{%-?\s*block h1\s*-?%\}(.*?)\{%-?\s*endblock", re.DOTALL)
_ERROR = re.compile(r"""\bWords\(_l\("([^"]+)"\)""")
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def headings(folder: Path) -> dict[str, str]:
    """What is written in the h1 of each template below `folder`, as it stands there, by the template's path."""
    found = {}
    for template in sorted(folder.rglob("*.html")):
        source = _COMMENT.sub("", template.read_text(encoding="utf-8"))
        if text := "".join("".join(match) for match in _HEADING.findall(source)):
            found[str(template.relative_to(folder))] = text
    return found


def beyond_ascii(text: str) -> set[str]:
    """The characters of a text that only a Chinese face has."""
    return {character for character in text if ord(character) > 0x7F}


def gb_2312() -> set[str]:
    """The characters of GB 2312: its punctuation and digits (rows 1 to 3) and its 6 763 汉字 (rows 16 to 87)."""
    rows = (*range(0xA1, 0xA4), *range(0xB0, 0xF8))
    return set(b"".join(bytes((row, cell)) for row in rows for cell in range(0xA1, 0xFF)).decode("gb2312", "ignore"))


def title_characters() -> set[str]:
    """What titles and red heads of documents may need."""
    titles = "".join(headings(ROOT / "templates" / "documents").values())
    return gb_2312() | beyond_ascii(titles + REGIONS.read_text(encoding="utf-8")) | LATIN


def heading_characters() -> set[str]:
    """What the fixed headings of pages need: their own words, those of refused requests, and the law room's names."""
    pages = headings(ROOT / "templates")
    texts = "".join(text for path, text in pages.items() if not path.startswith("documents/"))
    texts += "".join(_ERROR.findall((ROOT / "app" / "errors.py").read_text(encoding="utf-8")))
    for workflow in WORKFLOWS.values():
        texts += workflow.title + "".join(state.title for state in workflow.states)
        texts += "".join(step.title for step in workflow.steps)
    return beyond_ascii(texts) | LATIN


def coverage(font: Path) -> set[str]:
    """The characters a font can show."""
    with TTFont(font, lazy=True) as opened:
        return {chr(code) for code in opened.getBestCmap()}


def cut(source: Path, characters: set[str], target: Path, family: str) -> None:
    """Write to `target` the part of `source` that shows `characters`, as the only weight of `family`."""
    options = subset.Options(hinting=False, layout_features=["vert", "kern"], name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14])
    options.flavor = "woff2" if target.suffix == ".woff2" else None
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted(characters)))
    cutter.subset(font)
    names = {
        1: family,
        2: "Regular",
        3: f"{family} Regular",
        4: f"{family} Regular",
        6: f"{family.replace(' ', '')}-Regular",
    }
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    font["OS/2"].usWeightClass = 400  # a title is asked for at its normal weight; a second weight would be synthesised
    font["OS/2"].fsSelection = font["OS/2"].fsSelection & ~0x20 | 0x40
    font["head"].macStyle = 0
    font.recalcTimestamp = False
    subset.save_font(font, str(target), options)


def main() -> None:
    parser = argparse.ArgumentParser("python -m app.documents.fonts", description="按现有文字重新裁切两种字体。")
    parser.add_argument("--bold", type=Path, help="Noto Serif SC 700 的 TTF；不给则只裁切网页标题字体")
    wanted = parser.parse_args()
    cut(REGULAR, heading_characters(), SONG, "Jiannuo Song")
    if wanted.bold:
        cut(wanted.bold, title_characters(), TITLE, "Jiannuo Title SC")
    for font in (SONG, TITLE):
        print(f"{font.name}: {len(coverage(font))} 字，{font.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
