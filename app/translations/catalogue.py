"""Keeps the English catalogue in step with the source.

    python3 dev.py translations     finds every sentence, adds the new ones empty, drops those nobody says any more,
                                    compiles, and lists what still has to be translated, is in doubt or does not fit

A translator then fills the empty `msgstr` in `en/LC_MESSAGES/messages.po` and runs it again.
"""

from __future__ import annotations

import re
import string
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CATALOGUE = HERE / "en" / "LC_MESSAGES" / "messages.po"
WIDTH = 118

_BY_NAME = re.compile(r"%\((\w+)\)[sd]")


Source = dict[str | tuple[str, ...], list[str]]
"""Every sentence, or a pair of them for one and for many, and the files that say it."""


def found() -> Source:
    """Every sentence of the source, in the order of the files."""
    with (HERE / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    told: Source = {}
    for name, _line, text, *_ in extract_from_dir(str(ROOT), methods, options):
        where = told.setdefault(text, [])
        if name not in where:
            where.append(name)
    return told


def kept() -> Catalog:
    """The English catalogue as it is committed."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="en")


def in_step(catalogue: Catalog, source: Source) -> Catalog:
    """A catalogue of exactly the source's sentences with the translations there are; none is guessed."""
    fresh = Catalog(
        locale="en",
        header_comment=catalogue.header_comment,
        project="jiannuo",
        version="1",
        msgid_bugs_address="-",
        creation_date=catalogue.creation_date,
        revision_date=catalogue.creation_date,
        last_translator="-",
        language_team="-",
        fuzzy=False,
    )
    for text, where in source.items():
        old = catalogue.get(text if isinstance(text, str) else text[0])
        fresh.add(text, old.string if old else None, locations=[(name, 0) for name in sorted(where)])
    return fresh


def wrong(catalogue: Catalog, source: Source) -> list[str]:
    """What the catalogue lacks, has too much, leaves in doubt or fills wrongly; one line each."""
    return [*_out_of_step(catalogue, source), *(f"{no}: {_first(one.id)}" for one in catalogue for no in _faults(one))]


def _out_of_step(catalogue: Catalog, source: Source) -> Iterator[str]:
    have = {_first(one.id) for one in catalogue if one.id}
    want = {_first(text): where for text, where in source.items()}
    for text in want.keys() - have:
        yield f"missing ({want[text][0]}): {text}"
    for text in have - want.keys():
        yield f"said nowhere any more: {text}"
    yield from (f"obsolete: {_first(text)}" for text in catalogue.obsolete)


def _faults(message: Message) -> Iterator[str]:
    if not message.id:
        return
    if message.fuzzy:
        yield "in doubt"
    said = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    for text in said:
        if not text:
            yield "not translated"
        elif places(text) != places(_first(message.id)):
            yield f"places do not fit ({text})"


def places(text: str) -> set[str]:
    """The `%(name)s` and `{name}` a sentence has to fill. Raises ValueError when it could not be filled."""
    by_name = set(_BY_NAME.findall(text))
    if by_name:
        text % dict.fromkeys(by_name, 1)
        return by_name
    try:
        return {f"{{{name}}}" for _, name, *_ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        return set()  # braces of a piece of code, which nobody fills


def _first(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else text[0]


def compiled(catalogue: Catalog) -> None:
    """Write what the pages read, beside the catalogue."""
    with CATALOGUE.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)


def main() -> int:
    """Bring the catalogue in step and say what is left to do."""
    source = found()
    catalogue = in_step(kept(), source)
    with CATALOGUE.open("wb") as file:
        write_po(file, catalogue, width=WIDTH, include_lineno=False, sort_output=False)
    compiled(catalogue)
    left = wrong(catalogue, source)
    print(*left, f"{len(source)} sentences, {len(left)} to do: {CATALOGUE.relative_to(ROOT)}", sep="\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
