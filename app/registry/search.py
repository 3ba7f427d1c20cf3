"""Finding an organisation by what people remember of it: a piece of its name, or the initials it is spelled with.

What is looked through is `subject_name`, in which no natural person stands. The order is: the whole name, its
beginning, any other piece of it; then the same by initials; within each the newest in the register first. A fragment
that fewer than CANDIDATES names contain is answered by one statement. A commoner one is read tier by tier and from the
newest on, so that no page costs more than what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy import Row, TextClause, text

from app.db import db
from app.registry.public_sight import FOUND
from app.registry.text import visible
from app.spelling import SHORTEST_SPELLING, bigrams, name_key, trigrams

SHORTEST = 2
"""Characters of the shortest fragment that is looked for."""
LONGEST = 100
PAGE = 20
CANDIDATES = 1000
COMMON = 0.01
"""A gram that so large a part of the names has is no help in finding one."""
OFTEN = 0.001
"""A gram that so large a part of the names has is soon met by reading them from the newest on."""
RAREST, REFRESH = 3, 500
NAME, SPELLING = 0, 1
WHOLE, BEGINNING, PIECE = 0, 1, 2
NEWEST = 2**31 - 1
LAST_CHARACTER = "\U0010ffff"


class Place(NamedTuple):
    """Where in the results a hit stands: by name or spelling, how well it fits, and its number in the register."""

    way: int
    tier: int
    id: int


@dataclass(frozen=True, slots=True)
class Hit:
    """An organisation that was found. `code` is its present code."""

    place: Place
    name: str
    code: str
    kind: str
    region: str


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of results; `after` is where the next page goes on, None when nothing follows."""

    rows: tuple[Hit, ...]
    after: Place | None

    @property
    def exact(self) -> Hit | None:
        """The one organisation of exactly this name; None when there is none or several."""
        whole = [hit for hit in self.rows[:2] if hit.place[:2] == (NAME, WHOLE)]
        return whole[0] if len(whole) == 1 else None


def key_of(typed: str) -> str:
    """What is looked for when this was typed: its key, without characters that cannot be seen."""
    return name_key(visible(typed))


def find_names(typed: str, after: Place | None = None, limit: int = PAGE) -> Hits:
    """A page of the organisations whose name contains what was typed, or is spelled with these initials.

    Nothing for fewer than SHORTEST characters and for more than LONGEST.
    """
    key = key_of(typed)
    if not SHORTEST <= len(key) <= LONGEST:
        return Hits((), None)
    rows: list[Hit] = []
    for way in _ways(key):
        if after is None or way.number >= after.way:
            begun = after if after is not None and after.way == way.number else Place(way.number, WHOLE, NEWEST)
            rows += _hits(way, begun, limit + 1 - len(rows))
        if len(rows) > limit:
            return Hits(tuple(rows[:limit]), rows[limit - 1].place)
    return Hits(tuple(rows), None)


class _Way(NamedTuple):
    """A way of looking: the fragment, and the grams that a name with it has."""

    number: int
    wanted: str
    grams: list[str]


def _ways(key: str) -> list[_Way]:
    """By name; and by initials when only letters were typed, enough of them."""
    found = [_Way(NAME, key, bigrams(key))]
    if len(key) >= SHORTEST_SPELLING and re.fullmatch("[A-Z]+", key):
        letters = key.lower()
        found.append(_Way(SPELLING, letters, trigrams(letters * 2)))
    return found


def _hits(way: _Way, begun: Place, limit: int) -> list[Hit]:
    """Up to `limit` hits beyond `begun`: of all tiers at once when there are few, else tier by tier."""
    asked = {"wanted": way.wanted, "key": way.wanted.upper(), "end": way.wanted + LAST_CHARACTER}
    asked["grams"] = grams = _terms(way)
    in_order = way.number == NAME and (not grams or _is_read_in_order(way))
    if in_order and begun == Place(NAME, WHOLE, NEWEST):
        rows = _ask(way, "first", asked | {"limit": limit})
        if rows[0].candidates < CANDIDATES:
            return [_hit(way, row) for row in rows if row.name is not None]
    elif grams and not in_order:
        rows = _ask(way, "ranked", asked | {"tier": begun.tier, "last": begun.id, "limit": limit})
        if rows[0].candidates < CANDIDATES:
            return [_hit(way, row) for row in rows if row.name is not None]
    found: list[Hit] = []
    for tier in range(begun.tier if way.number == NAME else PIECE, PIECE + 1):
        here = asked | {"last": begun.id if tier == begun.tier else NEWEST, "limit": limit - len(found)}
        rows = _ask(way, _TIERS[tier], here)
        if tier == BEGINNING and rows[0].candidates >= CANDIDATES:
            rows = _ask(way, "walked", here)
        found += [_hit(way, row, tier) for row in rows if row.name is not None]
        if len(found) >= limit:
            break
    return found


def _is_read_in_order(way: _Way) -> bool:
    """True when the names with this fragment can be read from the newest on: SQLite's index has that order, and in
    PostgreSQL a single gram that its statistics know is soon met again and again."""
    if db.engine.dialect.name == "postgresql":
        return len(way.grams) == 1 and _known.get(way.grams[0], 0.0) > OFTEN
    return True


def _terms(way: _Way) -> Any:
    """The grams as the index at hand is asked for them; nothing when they are so common that it would not help.

    The names of a common gram are read backwards from the newest instead. In SQLite the index is in that order itself.
    """
    if db.engine.dialect.name == "postgresql":
        known = _commonness()
        rarest = sorted(way.grams, key=lambda gram: known.get(gram, 0.0))[:RAREST]
        return rarest if known.get(rarest[0], 0.0) < COMMON else []
    return f'"{" ".join(way.grams)}"' if way.number == NAME else " ".join(f'"{gram}"' for gram in way.grams)


def _commonness() -> Mapping[str, float]:
    """How large a part of the names has a gram, for the commonest: what PostgreSQL's own statistics say of its index,
    read again after every REFRESH searches of this process."""
    if not _known or next(_searches) % REFRESH == 0:
        rows = db.session.execute(text(_STATISTICS)).all()
        _known.clear()
        _known.update({"": 0.0} | {row.gram: row.part for row in rows})
    return _known


_known: dict[str, float] = {}
_searches = count(1)
_STATISTICS = (
    "SELECT gram, part "
    "FROM pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs) AS each (gram, part) "
    "WHERE schemaname = current_schema() AND tablename = 'ix_subject_name_grams' AND gram IS NOT NULL"
)


def _ask(way: _Way, question: str, asked: Mapping[str, Any]) -> Sequence[Row[Any]]:
    return db.session.execute(_statement(db.engine.dialect.name, way.number, question), asked).all()


def _hit(way: _Way, row: Row[Any], tier: int | None = None) -> Hit:
    place = Place(way.number, row.tier if tier is None else tier, row.id)
    return Hit(place, row.name, row.code or "", row.kind, row.region)


_TIERS = {WHOLE: "whole", BEGINNING: "beginning", PIECE: "piece"}
_FITS = {
    NAME: "CASE WHEN key = :wanted THEN 0 WHEN {at}(key, :wanted) = 1 THEN 1 WHEN {at}(key, :wanted) > 1 THEN 2 END",
    SPELLING: "CASE WHEN {at}(key, :key) > 0 THEN NULL ELSE CASE spelled_at(initials, :wanted) WHEN -1 THEN NULL "
    "WHEN 0 THEN CASE WHEN length(initials) = 2 * length(CAST(:wanted AS text)) THEN 0 ELSE 1 END ELSE 2 END END",
}
"""The tier of a name, NULL for one that does not fit; what is hit by name is not told again by its spelling."""
_BY_GRAMS = {
    "postgresql": "FROM subject_name WHERE name_grams(key, initials) @> CAST(:grams AS text[]) AND {fits} IS NOT NULL",
    "sqlite": "FROM subject_grams JOIN subject_name ON subject_id = subject_grams.rowid "
    "WHERE subject_grams MATCH :grams AND {fits} IS NOT NULL",
}
_PIECE = {
    "postgresql": "FROM subject_name WHERE {near} AND {beyond} AND subject_id < :last "
    "ORDER BY subject_id DESC LIMIT :limit",
    "sqlite": _BY_GRAMS["sqlite"] + " AND {beyond} AND subject_grams.rowid < :last "
    "ORDER BY subject_grams.rowid DESC LIMIT :limit",
}
_NEAR = {NAME: "{at}(key, :wanted) > 1", SPELLING: "{at}(initials, :wanted) > 0"}
_BEYOND = {NAME: "{at}(key, :wanted) > 1", SPELLING: "{fits} IS NOT NULL"}
"""Cheap to ask of every name, and what is then asked of those that are left."""
_RANKED = {dialect: f"{names} LIMIT {CANDIDATES}" for dialect, names in _BY_GRAMS.items()}
_WHOLE = "FROM subject_name WHERE {key} = :wanted AND subject_id < :last ORDER BY subject_id DESC LIMIT :limit"
_BEGINNING = f"FROM subject_name WHERE {{key}} >= :wanted AND {{key}} < :end AND key <> :wanted LIMIT {CANDIDATES}"
_WALKED = (
    "FROM subject_name WHERE {at}(key, :wanted) = 1 AND key <> :wanted AND subject_id < :last "
    "ORDER BY subject_id DESC LIMIT :limit"
)
_OF_NAMES = {"whole": _WHOLE, "beginning": _BEGINNING, "walked": _WALKED}
_FIRST = """
WITH whole AS MATERIALIZED (SELECT subject_id, 0 AS tier {whole}),
begins AS MATERIALIZED (SELECT subject_id, 1 AS tier {begins}),
pieces AS MATERIALIZED (SELECT subject_id, 2 AS tier {pieces}),
found AS (SELECT * FROM whole UNION ALL SELECT * FROM begins UNION ALL SELECT * FROM pieces)
"""
"""The first page in one question: whole names, up to CANDIDATES that begin so, the newest pieces."""
_SHOWN = f"""
SELECT page.tier, page.subject_id AS id, subject.name, subject.kind, subject.region, (
  SELECT value FROM identifier WHERE subject_id = subject.id AND kind = 'uscc'
  ORDER BY valid_until IS NOT NULL, valid_until DESC, valid_from DESC LIMIT 1) AS code, counted.candidates
FROM (SELECT count(*) AS candidates FROM {{counted}}) AS counted
LEFT JOIN (
  SELECT subject_id, tier FROM found WHERE {{shown}} ORDER BY tier, subject_id DESC LIMIT :limit) AS page ON true
LEFT JOIN subject ON subject.id = page.subject_id AND subject.kind IN ({", ".join(f"'{kind}'" for kind in FOUND)})
ORDER BY page.tier, page.subject_id DESC
"""
_SHOWS = {
    "ranked": "tier > :tier OR (tier = :tier AND subject_id < :last)",
    "beginning": "subject_id < :last",
}


@cache
def _statement(dialect: str, way: int, question: str) -> TextClause:
    """The statement that answers a question: the names found, then what is shown of them."""
    at, key = ("strpos", 'key COLLATE "C"') if dialect == "postgresql" else ("instr", "key")
    fits = f"({_FITS[way].format(at=at)})"
    near, beyond = _NEAR[way].format(at=at), _BEYOND[way].format(at=at, fits=fits)

    def named(part: str) -> str:
        sql = {"ranked": _RANKED[dialect], "piece": _PIECE[dialect], **_OF_NAMES}[part]
        return sql.format(at=at, key=key, fits=fits, near=near, beyond=beyond)

    if question == "first":
        found = _FIRST.format(whole=named("whole"), begins=named("beginning"), pieces=named("piece"))
        return text(found.replace(":last", str(NEWEST)) + _SHOWN.format(shown="true", counted="begins"))
    found = f"WITH found AS MATERIALIZED (SELECT subject_id, {fits} AS tier {named(question)})"
    return text(found + _SHOWN.format(shown=_SHOWS.get(question, "true"), counted="found"))
