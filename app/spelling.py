"""How the name of an organisation is looked for: its key, its grams, and the initials it is spelled with.

The databases compute the same from the same table (`migrations/name_index.py`): SQLite calls these functions,
PostgreSQL has them in its own language, and a test compares the two. Bigrams because the commonest search is for two
characters, of which an index of three finds nothing.

    python -m app.spelling

writes `spelling.txt`, the initials of every character, from pypinyin's readings; a test compares the two.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from functools import cache
from itertools import product
from pathlib import Path
from textwrap import wrap

TABLE = Path(__file__).with_name("spelling.txt")
FIRST, LAST = 0x3400, 0x9FFF
"""The characters whose initials are known: CJK with its first extension."""
NO_LETTER = "-"
SHORTEST_SPELLING = 3
"""Letters of the shortest run of initials that is looked for."""
IN_NAMES = {"单": "ds", "区": "qo", "召": "zs", "种": "zc", "覃": "tq", "解": "jx", "曾": "zc", "仇": "cq", "查": "cz"}
"""Characters that are read otherwise in the names of persons and places than in words."""
RARELY = 100
"""A second reading counts when at least one in so many words has it."""

_DROPPED = (
    "".join(chr(n) for n in range(0x21, 0x7F) if not chr(n).isalnum())
    + "\t\n\r \u0085\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u2028\u2029"
    + "\u202a\u202b\u202c\u202d\u202e\u2060\ufeff\u3000"
    + "·•・‧∙⋅—–―‐‑‒−~‘’“”„‟′″…、。〃〈〉《》「」『』【】〔〕〖〗〘〙〚〛｡｢｣､¡¿«»‹›§¶°"
)
DROPPED = "".join(dict.fromkeys(_DROPPED))
"""What no one remembers of a name: blanks, brackets, dots, dashes, and characters that cannot be seen."""
_KEY = {ord(character): None for character in DROPPED} | {ord(c): ord(c) - 32 for c in "abcdefghijklmnopqrstuvwxyz"}


@cache
def letters() -> str:
    """The initials of the characters from FIRST to LAST in their commonest reading, then as many in their second one;
    the same where there is only one."""
    return TABLE.read_text("ascii").replace("\n", "")


def name_key(name: str) -> str:
    """The key under which all spellings of a name meet: one width, capitals, no brackets, blanks or dots.

    >>> name_key("湖南 岳衡物流（集团）有限公司")
    '湖南岳衡物流集团有限公司'
    """
    return unicodedata.normalize("NFKC", name).translate(_KEY)


def name_initials(key: str) -> str:
    """The initials of a key, then once more in the second readings: 长沙 is `cszs`.

    A letter or digit spells itself; what has no reading spells as `-`.
    """
    return "".join(_initial(character, 0) for character in key) + "".join(_initial(character, 1) for character in key)


def name_grams(key: str, initials: str) -> list[str]:
    """What a name is indexed under: bigrams of its key, trigrams of its initials in every reading."""
    return [*bigrams(key), *trigrams(initials)]


def spaced_grams(key: str, initials: str) -> str:
    """The same as one text, in order, for an index of words."""
    return " ".join(name_grams(key, initials))


def bigrams(key: str) -> list[str]:
    """Every two characters that stand side by side, in order."""
    return [key[at : at + 2] for at in range(len(key) - 1)]


def trigrams(initials: str) -> list[str]:
    """Every run of three initials, in every reading."""
    places = [sorted(set(pair)) for pair in _places(initials)]
    return ["".join(run) for at in range(len(places) - 2) for run in product(*places[at : at + 3])]


def spelled_at(initials: str, wanted: str) -> int:
    """Where in a name of these initials the letters `wanted` stand, counted in characters from 0; -1 for nowhere."""
    places = _places(initials)
    for start in range(len(places) - len(wanted) + 1):
        if all(letter in places[start + n] for n, letter in enumerate(wanted)):
            return start
    return -1


def _places(initials: str) -> list[tuple[str, str]]:
    half = len(initials) // 2
    return list(zip(initials[:half], initials[half:], strict=True))


def _initial(character: str, reading: int) -> str:
    place = ord(character)
    if FIRST <= place <= LAST:
        return letters()[place - FIRST + reading * (LAST - FIRST + 1)]
    return character.lower() if character.isascii() and character.isalnum() else NO_LETTER


def readings() -> str:
    """The initials as pypinyin has them, for `spelling.txt`."""
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

    used: dict[str, Counter[str]] = defaultdict(Counter)
    for word, sounds in PHRASES_DICT.items():
        for place, sound in enumerate(sounds[: len(word)]):
            used[word[place]][_letter(sound[0])] += 1
    characters = [chr(place) for place in range(FIRST, LAST + 1)]
    found = [_two(character, PINYIN_DICT.get(ord(character), ""), used[character]) for character in characters]
    return "".join(two[0] for two in found) + "".join(two[1] for two in found)


def _two(character: str, known: str, used: Counter[str]) -> str:
    """The initials of the two commonest readings that begin differently; twice the same when there is one."""
    if character in IN_NAMES:
        return IN_NAMES[character]
    common = [letter for letter, times in used.most_common(2) if letter and times * RARELY >= used.total()]
    several = common or [letter for letter in dict.fromkeys(map(_letter, known.split(","))) if letter] or [NO_LETTER]
    return several[0] + several[min(1, len(several) - 1)]


def _letter(sound: str) -> str:
    return next((c for c in unicodedata.normalize("NFD", sound) if "a" <= c <= "z"), "")


if __name__ == "__main__":
    TABLE.write_text("".join(f"{line}\n" for line in wrap(readings(), 128, break_on_hyphens=False)), "ascii")
