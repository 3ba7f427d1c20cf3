"""A house full of invented records, and sheets of them: the same for the same seed.

    python -m bench.generator FOLDER [--times 5] [--seed 1]     fill a new SQLite instance in FOLDER
    python -m bench.generator FOLDER --url postgresql://…       fill a PostgreSQL database

`fill` writes subjects, records with their publication and cases straight into the tables, as one would find them after
years; `sheet` writes a file of penalties as an office sends it.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import select, text

from app.db import db, transaction
from app.models import Office
from app.registry.codes import complete_code
from app.registry.directory import entry_for
from app.registry.intake.lookups import is_postgres
from app.registry.intake.terms import Terms
from app.registry.intake.wire import instant_text, pour
from app.registry.intake.work import to_json
from app.registry.intake.write import RECORD
from app.registry.numbers import number_key
from app.registry.regions import regions
from app.seeds.invent import organ_code, table
from bench.stage import ROOT, TODAY, application
from tests.cast import assemble
from workflows.calendar import legal_day, months_after
from workflows.repair import REPAIR

SUBJECTS, RECORDS, CASES = 200_000, 1_000_000, 300_000
FIRST = 1_000_000
"""Ids from which generated subjects, records and cases are counted, so that they meet no others."""
BLOCK = 20_000
_REASONS = ("超限运输", "未按规定维护车辆", "未取得道路运输经营许可擅自从事道路运输经营", "不按批准的客运站点停靠")
_BASES = (
    "《公路安全保护条例》第六十四条",
    "《道路运输条例》第七十一条",
    "《道路运输条例》第六十四条",
    "《道路旅客运输及客运站管理规定》第九十七条",
)


@dataclass(frozen=True)
class Size:
    """How much there is."""

    subjects: int = SUBJECTS
    records: int = RECORDS
    cases: int = CASES

    def times(self, factor: int) -> Size:
        """So many times as much."""
        return Size(self.subjects * factor, self.records * factor, self.cases * factor)


@dataclass(frozen=True)
class Firm:
    """An invented company: everything about it follows from its number."""

    code: str
    name: str
    representative: str
    region: str


@cache
def _counties() -> list[str]:
    return [r.code for r in regions().values() if r.level == "county" and r.standing == "current"]


@cache
def _words(part: str) -> list[str]:
    return [row["value"] for row in table("name_words") if row["part"] == part]


def firm(number: int, seed: int = 1) -> Firm:
    """The company of a number, from 0; no two numbers share a code or a name."""
    rng = random.Random(seed * 1_000_003 + number)
    county = _counties()[number % len(_counties())]
    brand = rng.choice(_words("brand")) + rng.choice(_words("syllable")) + rng.choice(_words("syllable"))
    name = regions()[county].name + brand + _numeral(number) + rng.choice(_words("enterprise"))
    code = complete_code(f"91{county}JN{number % 1_000_000:06d}") if number < 1_000_000 else _long_code(county, number)
    return Firm(code, name, rng.choice(_words("surname")) + rng.choice(_words("given")), county)


def _long_code(county: str, number: int) -> str:
    return complete_code(f"91{county}J{number:07d}"[:16])


def _numeral(number: int) -> str:
    """A number as characters that company names are made of."""
    signs = "安邦昌达恩飞广恒嘉凯隆铭诺鹏勤瑞顺腾旺祥"
    out = ""
    while True:
        number, rest = divmod(number, len(signs))
        out = signs[rest] + out
        if not number:
            return out


def penalty_rows(
    count: int, *, subjects: int, seed: int = 1, organ: tuple[str, str] | None = None, bad: float = 0.0
) -> Iterator[dict[str, str]]:
    """Rows of penalties by field codes; a share `bad` of them cannot become a record. `organ` is name and code."""
    rng = random.Random(seed)
    name, code = organ or ("湖南省交通运输厅", organ_code("430000"))
    end = legal_day(TODAY)
    for number in range(count):
        about = firm(number * 7919 % subjects, seed)
        decided = end - timedelta(days=10 + number * 31 % 1800)
        kind = number % len(_REASONS)
        fine = 100 * (5 + number * 17 % 290)
        row = {
            "CF_XDR_MC": about.name,
            "CF_XDR_LB": "法人及非法人组织",
            "CF_XDR_SHXYM": about.code,
            "CF_FRDB": about.representative,
            "CF_WSH": f"湘交罚〔{decided.year}〕{number + 1}号",
            "CF_WFXW": _REASONS[kind],
            "CF_SY": f"{decided.year}年{decided.month}月{decided.day}日，当事人的货运车辆（湘A演{number % 10000:04d}）"
            f"在S998线K{number % 97}处{_REASONS[kind]}，经查证属实。",
            "CF_YJ": _BASES[kind],
            "CF_CFLB": "罚款",
            "CF_NR": f"罚款{fine}元",
            "CF_NR_FK": f"{fine / 10000:.6f}".rstrip("0").rstrip("."),
            "CF_JDRQ": decided.strftime("%Y/%m/%d"),
            "CF_YXQ": "2099/12/31",
            "CF_CFJG": name,
            "CF_CFJGDM": code,
            "CF_SJLY": name,
            "CF_SJLYDM": code,
        }
        if bad and rng.random() < bad:
            row[rng.choice(("CF_JDRQ", "CF_XDR_SHXYM", "CF_NR_FK", "CF_WSH"))] = rng.choice(
                ("", "2026-02-30", "9.11E+17")
            )
        yield row


def sheet(
    path: Path,
    count: int,
    *,
    subjects: int = SUBJECTS,
    seed: int = 1,
    organ: tuple[str, str] | None = None,
    bad: float = 0.0,
) -> Path:
    """A CSV of so many penalties with Chinese headings."""
    entry = entry_for("XZCF", legal_day(TODAY))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for number, row in enumerate(penalty_rows(count, subjects=subjects, seed=seed, organ=organ, bad=bad)):
            if not number:
                writer.writerow([entry.by_code[code].name for code in row])
            writer.writerow(row.values())
    return path


def fill(size: Size, seed: int = 1, *, office_id: int = 0) -> None:
    """Fill the migrated database of the current application. `office_id` recognises the records; the first office
    otherwise. The n-th subject is FIRST + n, its code `firm(n, seed).code`; records and cases are counted likewise."""
    with transaction():
        office = office_id or db.session.execute(select(Office.id).order_by(Office.id).limit(1)).scalar_one()
    for first in range(0, size.subjects, BLOCK):
        with transaction():
            _subjects(range(first, min(first + BLOCK, size.subjects)), seed)
    rows = penalty_rows(size.records, subjects=size.subjects, seed=seed)
    for first in range(0, size.records, BLOCK):
        with transaction():
            _records(rows, range(first, min(first + BLOCK, size.records)), size, office)
    for first in range(0, size.cases, BLOCK):
        with transaction():
            _cases(range(first, min(first + BLOCK, size.cases)), size, office)
    if is_postgres():
        with transaction() as session:
            for name in ("subject", "record", "case"):
                session.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'), max(id)) FROM \"{name}\"")
                )
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _subjects(numbers: range, seed: int) -> None:
    firms = [(FIRST + number, firm(number, seed)) for number in numbers]
    columns = ("id", "kind", "name", "legal_representative", "region", "trade")
    pour("subject", columns, [(i, "enterprise", f.name, f.representative, f.region, "") for i, f in firms])
    pour(
        "identifier",
        ("subject_id", "kind", "value", "valid_from"),
        [(i, "uscc", f.code, "2020-01-01") for i, f in firms],
    )


def _records(rows: Iterator[dict[str, str]], numbers: range, size: Size, office: int) -> None:
    entry = entry_for("XZCF", legal_day(TODAY))
    terms, at = Terms(entry), instant_text(TODAY)
    records: list[tuple[Any, ...]] = []
    facts: list[tuple[Any, ...]] = []
    for number in numbers:
        row = next(rows)
        day = row["CF_JDRQ"].replace("/", "-")
        fields = row | {"CF_JDRQ": day, "CF_YXQ": "2099-12-31"}
        shown = terms.of(fields, legal_day(TODAY))
        minimum = shown.minimum_last_day.isoformat() if shown.minimum_last_day else None
        maximum = shown.maximum_last_day.isoformat() if shown.maximum_last_day else None
        cls, published = shown.cls, shown.published
        if not published:  # nobody has classed it yet; here somebody has
            cls, published = "一般", True
            minimum, maximum = _after(day, 3), _after(day, 12)
        records.append(
            (
                FIRST + number, f"{FIRST + number:016x}", "penalty", f"{entry.code}/{entry.edition}",
                entry.catalogue_code, FIRST + number * 7919 % size.subjects, office, row["CF_WFXW"], row["CF_WSH"],
                number_key(row["CF_WSH"]), day, cls, shown.basis, minimum, maximum, "", "", "unknown", "", "",
                to_json(fields), to_json(row), at, "", None, 1,
            )
        )  # fmt: skip
        if published:
            facts.append((FIRST + number, "publish", day, at, "行政处罚信息公示"))
    pour("record", RECORD, records)
    pour("publication_fact", ("record_id", "deed", "effective_on", "recorded_at", "cause"), facts)


def _after(day: str, months: int) -> str:
    return months_after(date.fromisoformat(day), months).isoformat()


OPEN = ("submitted", "accepted", "reviewed", "processing", "correcting")


def _cases(numbers: range, size: Size, office: int) -> None:
    """Repair cases: nine of ten are closed, the others stand somewhere on the way. Case n is about record n."""
    cases, filings, about, facts = [], [], [], []
    for number in numbers:
        case_id, record_id = FIRST + number, FIRST + number % size.records
        subject = FIRST + number * 7919 % size.subjects
        opened = TODAY - timedelta(days=2 + number % 400)
        is_open = number % 10 == 0 and number < size.records
        state = OPEN[number // 10 % len(OPEN)] if is_open else "closed"
        at = instant_text(opened)
        filings.append((case_id, f"SLBENCH{case_id}", "creditchina", f"bench-{case_id}", subject, 1, "", at))
        cases.append(
            (
                case_id, f"XF{opened:%Y%m%d}{case_id:08d}", REPAIR.code, REPAIR.edition, state,
                3 if is_open else 7, not is_open, office, subject, case_id, "creditchina", "", at, at, at, at, at,
            )
        )  # fmt: skip
        about.append((case_id, record_id, record_id if is_open else None))
        if not is_open:
            facts.append(
                (record_id, "repair", (opened + timedelta(days=1)).date().isoformat(), at, "信用修复", case_id)
            )
    columns = ("id", "receipt", "channel", "key", "subject_id", "user_id", "other_number", "at")
    pour("filing", columns, filings)
    columns = (
        "id", "number", "type", "edition", "state", "version", "final", "office_id", "subject_id", "filing_id",
        "channel", "other_number", "opened_at", "filed_at", "state_since", "t0", "t1",
    )  # fmt: skip
    pour("case", columns, cases)
    pour("repair", ("case_id", "statement", "contact", "phone"), [(row[0], "", "", "") for row in cases])
    pour("case_record", ("case_id", "record_id", "open_record"), about)
    pour("publication_fact", ("record_id", "deed", "effective_on", "recorded_at", "cause", "case_id"), facts)


def main(arguments: list[str]) -> int:
    """Fill an instance from the command line."""
    parser = argparse.ArgumentParser("python -m bench.generator", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="")
    parser.add_argument("--times", type=float, default=1.0, help="so many times the usual size, also less than one")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args(arguments)
    size = Size(*(int(count * wanted.times) for count in (SUBJECTS, RECORDS, CASES)))
    with application(wanted.folder, wanted.url).app_context():
        upgrade(str(ROOT / "migrations"))
        assemble()
        fill(size, wanted.seed)
        db.engine.dispose()
    print(f"{size.subjects} subjects, {size.records} records, {size.cases} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
