"""Legal numbers and provisions as data: dated, sourced rows, each with a mark that says how far it can be trusted.

Every `*.toml` in this room but `instruments.toml` holds rules named after the file (`repair.toml`: `repair.…`). A rule
has rows that follow one another in time and never overlap; a row is never edited, only closed and followed by a new
one. The evidence marks:

    V2  seen in two or more independent copies        F  the words were seen, the number or exact condition was not
    V1  seen in one copy                              R  from general knowledge of the published text, not seen
    D   a decision of the office, not law             ?  not found; such a row never carries a value

Rows marked F, R, D or ? are unverified: they run, and are listed until the legal office (法制) attests them.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

EVIDENCE = ("V2", "V1", "F", "R", "D", "?")
"""Evidence marks from the best to none."""

INTERNAL = "D"
"""Key of the office's own decisions, which are no instrument of law."""

RECEIPT, RECOGNITION, EVENT = "receipt", "recognition", "event"
"""What selects a row: the day of receipt (T0), the day of the recognising document, or the day of the act itself."""

LENGTHS = ("WD", "CD", "M", "Y")
"""Units of a period: working days, calendar days, months, years."""

_WORDS: Mapping[str, tuple[str, ...]] = {
    "behaviour": ("restart", "run_on", "pause"),
    "switch": ("allowed", "not_allowed"),
    "publication": ("if_necessary", "never"),
    "class": ("轻微", "一般", "严重"),
}
_NUMBERS = (*LENGTHS, "times", "percent")
ACTS = "acts"
"""Unit of a value that lists acts, separated by blanks."""

_INSTRUMENT_ITEMS = ("key", "title", "short", "number", "from", "until", "articles", "url", "evidence", "note")
_ROW_ITEMS = (
    *("value", "unit", "shift", "from", "until", "when", "alone"),
    *("instrument", "article", "url", "evidence", "note"),
)


class LawError(ValueError):
    """A law file that cannot be meant; the message names file, rule and row."""


class UnknownRule(KeyError):
    """No rule of that name."""

    def __str__(self) -> str:
        return str(self.args[0])


class UnknownInstrument(KeyError):
    """No instrument of that key."""

    def __str__(self) -> str:
        return str(self.args[0])


class NothingInForce(LookupError):
    """A rule has no row for the day asked about."""


@dataclass(frozen=True)
class Instrument:
    """A law, regulation, order or notice. `in_force_until` is its last day; None dates were not seen or are open.

    `articles` are the ranges of article numbers whose text was seen; only these are ever printed. `short` is the name
    in running text, `url` where it can be read.
    """

    key: str
    title: str
    short: str
    number: str
    in_force_from: date | None
    in_force_until: date | None
    articles: tuple[tuple[int, int], ...]
    url: str
    evidence: str
    note: str

    @property
    def citation(self) -> str:
        """The full name as a document cites it, e.g. 《信用修复管理办法》（国家发展改革委令第36号）."""
        if self.key == INTERNAL:
            return self.title
        return f"《{self.title}》" + (f"（{self.number}）" if self.number else "")

    def has_seen(self, article: int) -> bool:
        """True when the text of that article was read in a copy."""
        return any(first <= article <= last for first, last in self.articles)

    def _articles(self, text: str) -> str:
        """`48` or `48+85` or `24(1)(1)` in Chinese; articles that were not seen are left out."""
        return "、".join(_article(part) for part in text.split("+") if part and self.has_seen(_number_of(part)))


@dataclass(frozen=True)
class RuleRow:
    """One value of a rule for a stretch of time, both ends included.

    `unit` is WD, CD, M or Y for a period (`shift`: an end on a rest day rolls to the next working day), times or
    percent for a plain number, behaviour, switch, publication or class for a word, acts for
    a list of them. `article` is empty when it was not
    seen. `when` are facts of a record of which one must be present for the row to apply, and with `alone` no other.
    """

    rule_id: str
    value: int | str | None
    unit: str
    shift: bool
    valid_from: date
    valid_until: date | None
    instrument: str
    article: str
    url: str
    evidence: str
    note: str
    when: tuple[str, ...] = ()
    alone: bool = False

    @property
    def verified(self) -> bool:
        """True when the row was seen in a copy; all others wait for the legal office."""
        return self.evidence in ("V1", "V2")

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything the row says, its note aside. An attestation names it."""
        said = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "note"}
        return hashlib.sha256(_canonical(said)).hexdigest()

    @cached_property
    def citation(self) -> str:
        """The basis as a document prints it; the article only when it was seen."""
        basis = instrument(self.instrument)
        return basis.citation + (basis._articles(self.article) if self.verified else "")

    def in_force(self, day: date) -> bool:
        """True on the days of this row."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True)
class Rule:
    """A rule and its rows in the order of time. `selected_by` says which day of a case selects the row."""

    rule_id: str
    title: str
    selected_by: str
    rows: tuple[RuleRow, ...]

    def on(self, day: date) -> RuleRow:
        """The row in force on a civil day. Raises NothingInForce."""
        for row in self.rows:
            if row.in_force(day):
                return row
        raise NothingInForce(self._silence(day))

    def _silence(self, day: date) -> str:
        said = f"“{self.title}”（{self.rule_id}）在{_chinese(day)}没有施行中的规定"
        later = [row for row in self.rows if row.valid_from > day]
        if later:
            return f"{said}：最近一行自{_chinese(later[0].valid_from)}起施行。"
        ended = self.rows[-1].valid_until
        return f"{said}：最后一行施行到{_chinese(ended)}为止。" if ended else f"{said}。"


def rule(key: str) -> Rule:
    """A rule by its name. Raises UnknownRule, which is a KeyError."""
    try:
        return _RULES[key]
    except KeyError:
        near = difflib.get_close_matches(key, _RULES, n=3, cutoff=0.5)
        hint = f"；相近的有：{'、'.join(near)}" if near else ""
        raise UnknownRule(f"没有名为“{key}”的规则{hint}") from None


def rules() -> tuple[Rule, ...]:
    """Every rule, file by file in the order written."""
    return tuple(_RULES.values())


def instrument(key: str) -> Instrument:
    """An instrument by its key. Raises UnknownInstrument, which is a KeyError."""
    try:
        return _INSTRUMENTS[key]
    except KeyError:
        raise UnknownInstrument(f"没有代号为“{key}”的法规文件") from None


def instruments() -> tuple[Instrument, ...]:
    """Every instrument in the order written."""
    return tuple(_INSTRUMENTS.values())


@lru_cache(maxsize=1)
def edition() -> str:
    """A digest over all rows: tells, in a journal line, which state of the law a step was taken under."""
    return hashlib.sha256("".join(row.digest for each in rules() for row in each.rows).encode()).hexdigest()[:12]


@lru_cache(maxsize=1024)
def cite(text: str) -> str:
    """The Chinese of a reference such as `NDRC36 3`, `XZCF 48+85`, `SC22` or several with `; ` between them.

    `D` is the office's own decision. An article whose text was not seen is left out. Raises UnknownInstrument.
    """
    return "；".join(_cited(reference.strip()) for reference in text.split(";"))


def _cited(reference: str) -> str:
    key, _, articles = reference.partition(" ")
    basis = instrument(key)
    return basis.title if key == INTERNAL else f"《{basis.short}》{basis._articles(articles)}"


_ARTICLE = re.compile(r"(\d+)(?:\((\d+)\))?(?:\((\d+)\))?")


def _number_of(article: str) -> int:
    return int(_parts(article)[0])


def _parts(article: str) -> tuple[str, ...]:
    found = _ARTICLE.fullmatch(article.strip())
    if found is None:
        raise LawError(f"条文“{article}”应写作 48、24(1) 或 24(1)(1)")
    return tuple(part for part in found.groups() if part)


def _article(article: str) -> str:
    return "".join(f"第{_numeral(int(n))}{unit}" for n, unit in zip(_parts(article), "条款项", strict=False))


def _numeral(n: int) -> str:
    """1–9999 in Chinese numerals as articles are numbered: 10 十, 15 十五, 48 四十八, 1029 一千零二十九."""
    said, zero = "", False
    for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = n // power % 10
        if digit:
            said += ("零" if zero and said else "") + "零一二三四五六七八九"[digit] + unit
        zero = not digit
    return said.removeprefix("一") if said.startswith("一十") else said


def _chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _canonical(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()


# Reading and checking the files


def read_instruments(text: str, where: str) -> dict[str, Instrument]:
    """Instruments of a TOML text. Raises LawError when one cannot be meant."""
    found: dict[str, Instrument] = {}
    for entry in tomllib.loads(text).get("instrument", ()):
        key = entry.get("key", "")
        place = f"{where}：文件 {key}"
        _only(entry, place, _INSTRUMENT_ITEMS)
        if not key or key in found:
            raise LawError(f"{place} 没有代号或者写了两次")
        if entry.get("evidence") not in EVIDENCE:
            raise LawError(f"{place} 的证据等级“{entry.get('evidence')}”不认识")
        found[key] = Instrument(
            key=key,
            title=entry["title"],
            short=entry.get("short", entry["title"]),
            number=entry.get("number", ""),
            in_force_from=entry.get("from"),
            in_force_until=entry.get("until"),
            articles=tuple((first, last) for first, last in entry.get("articles", ())),
            url=entry.get("url", ""),
            evidence=entry["evidence"],
            note=entry.get("note", ""),
        )
    return found


def read_rules(text: str, where: str, known: Iterable[str]) -> dict[str, Rule]:
    """Rules of a TOML text; `where` is the file's name and the first part of every rule's name.

    Raises LawError when a row cannot be meant: an unknown mark, unit or instrument, a value without evidence, a number
    of days that is no number, rows that overlap.
    """
    keys = frozenset(known)
    found: dict[str, Rule] = {}
    for entry in tomllib.loads(text).get("rule", ()):
        rule_id = entry.get("id", "")
        place = f"{where}.toml：规则 {rule_id}"
        _only(entry, place, ("id", "title", "selected_by", "row"))
        if not rule_id.startswith(f"{where}.") or rule_id in found:
            raise LawError(f"{place} 的名字须以“{where}.”开头，且只能写一次")
        if entry.get("selected_by") not in (RECEIPT, RECOGNITION, EVENT):
            raise LawError(f"{place} 没有说明按哪一天选用（receipt、recognition 或 event）")
        rows = tuple(_row(rule_id, row, place, keys) for row in entry.get("row", ()))
        if not rows:
            raise LawError(f"{place} 一行也没有")
        for earlier, later in zip(rows, rows[1:], strict=False):
            if earlier.valid_until is None or earlier.valid_until >= later.valid_from:
                raise LawError(f"{place} 的两行在{_chinese(later.valid_from)}重叠，或者没有按时间先后排列")
        found[rule_id] = Rule(rule_id, entry["title"], entry["selected_by"], rows)
    return found


def _row(rule_id: str, entry: Mapping[str, Any], place: str, known: frozenset[str]) -> RuleRow:
    _only(entry, place, _ROW_ITEMS)
    row = RuleRow(
        rule_id=rule_id,
        value=entry.get("value"),
        unit=entry.get("unit", ""),
        shift=entry.get("shift", False),
        valid_from=entry["from"],
        valid_until=entry.get("until"),
        instrument=entry["instrument"],
        article=entry.get("article", ""),
        url=entry.get("url", ""),
        evidence=entry.get("evidence", ""),
        note=entry.get("note", ""),
        when=tuple(entry.get("when", ())),
        alone=entry.get("alone", False),
    )
    if row.evidence not in EVIDENCE:
        raise LawError(f"{place} 的证据等级“{row.evidence}”不认识")
    if row.instrument not in known:
        raise LawError(f"{place} 引用的文件“{row.instrument}”不存在")
    if (row.evidence == INTERNAL) != (row.instrument == INTERNAL):
        raise LawError(f"{place}：内部规定（D）没有法规依据，有法规依据的不是内部规定")
    if row.verified and not row.url:
        raise LawError(f"{place} 标为 {row.evidence}，却没有写明在哪里看到")
    if row.valid_until is not None and row.valid_until < row.valid_from:
        raise LawError(f"{place} 的终止日早于起始日")
    if (row.evidence == "?") != (row.value is None):
        raise LawError(f"{place}：没有查到的规定（?）不得带值，带值的须有证据")
    _check_value(row, place)
    for part in filter(None, row.article.split("+")):
        _parts(part)
    return row


def _check_value(row: RuleRow, place: str) -> None:
    if row.value is None:
        right = row.unit == ""
    elif row.unit == ACTS:
        right = isinstance(row.value, str) and re.fullmatch(r"[a-z_]+( [a-z_]+)*", row.value) is not None
    elif row.unit in _NUMBERS:
        right = type(row.value) is int and row.value > 0
    else:
        right = row.value in _WORDS.get(row.unit, ())
    if not right:
        raise LawError(f"{place} 的值“{row.value}”与单位“{row.unit}”不相配")
    if row.shift and row.unit not in LENGTHS:
        raise LawError(f"{place}：只有期限才会顺延")


def _only(entry: Mapping[str, Any], place: str, allowed: tuple[str, ...]) -> None:
    if stray := sorted(set(entry) - set(allowed)):
        raise LawError(f"{place} 里有不认识的项目“{stray[0]}”")


def _load(room: Path) -> tuple[Mapping[str, Instrument], Mapping[str, Rule]]:
    known = read_instruments((room / "instruments.toml").read_text("utf-8"), "instruments.toml")
    found: dict[str, Rule] = {}
    for file in sorted(room.glob("*.toml")):
        if file.stem != "instruments":
            found.update(read_rules(file.read_text("utf-8"), file.stem, known))
    return MappingProxyType(known), MappingProxyType(found)


_INSTRUMENTS, _RULES = _load(Path(__file__).parent)
