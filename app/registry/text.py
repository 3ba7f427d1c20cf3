"""Text as people and spreadsheets deliver it: invisible characters, widths, line breaks, placeholders.

`tidy` is for keeping and showing (full-width punctuation stays), `fold` is for comparing.
"""

import re
import unicodedata

# What offices type into a cell that has no value; compared after folding.
PLACEHOLDERS = frozenset(
    {"", "无", "没有", "空", "暂无", "不详", "NULL", "NONE", "NAN", "N/A", "NA", "-", "--", "---", "/", "\\"}
)

_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣", "-"))
_DASH = re.compile("[‐‑‒–—―−﹣]")
_DROPPED_CATEGORIES = frozenset({"Cf", "Cc", "Cs", "Co", "Cn"})
_SPACES = re.compile(r"\s+")
_BLANKS_AND_BREAKS = re.compile(r"[^\S　]+")


class Sentence(str):
    """A Chinese sentence that remembers its template and values, so that it can be shown in another language.

    It is the finished Chinese text wherever a plain string is expected.
    """

    template: str
    values: dict[str, object]

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (self.template, self.values)


def say(template: str, **values: object) -> Sentence:
    """The sentence made of a Chinese template with `{name}` places and their values."""
    sentence = Sentence(template.format(**values))
    sentence.template = template
    sentence.values = values
    return sentence


def _rebuilt(template: str, values: dict[str, object]) -> Sentence:
    return say(template, **values)


def visible(text: str) -> str:
    """The text without characters nobody can see: zero width, direction marks, byte order mark, controls.

    Line breaks and tabs stay, because they separate words.
    """
    if text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\r\t" or unicodedata.category(c) not in _DROPPED_CATEGORIES)


def tidy(text: object) -> str:
    """A value as it is kept: visible characters only, every run of blanks and line breaks one space, ends trimmed."""
    if text is None:
        return ""
    return _BLANKS_AND_BREAKS.sub(" ", unicodedata.normalize("NFC", visible(str(text)))).strip()


def fold(text: object) -> str:
    """A value as it is compared: one width (NFKC), one kind of dash, capital letters, no blanks at all."""
    if text is None:
        return ""
    written = str(text)
    if written.isprintable() and " " not in written and unicodedata.is_normalized("NFKC", written):
        capitals = (written.translate(_DASHES) if _DASH.search(written) else written).upper()
        return capitals if unicodedata.is_normalized("NFKC", capitals) else unicodedata.normalize("NFKC", capitals)
    narrow = unicodedata.normalize("NFKC", visible(str(text))).translate(_DASHES).upper()
    return unicodedata.normalize("NFKC", _SPACES.sub("", narrow))  # a blank taken out can let two marks join


def is_blank(text: object) -> bool:
    """True for an empty cell and for what offices type instead: 无, --, null and the like."""
    return fold(text) in PLACEHOLDERS


def name_key(text: object) -> str:
    """The key under which two spellings of one name meet: 长沙（南）and 长沙(南) are one name."""
    return fold(text)
