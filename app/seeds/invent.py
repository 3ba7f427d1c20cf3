"""Invented enterprises, persons and penalties for demonstration and tests, the same ones for the same seed.

Nobody here exists: codes are computed with an organisation part (JN…) that no registration organ allots, identity
numbers with a region (439999) that no place has, plates and roads that are marked 演. Penalties come as offices really
send them: other spellings, older field names, sums with units, dates in every form.
"""

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from app.registry.codes import complete_code, id_check_character
from app.registry.directory import entry_for, validate
from app.registry.regions import full_name, regions

DATA = Path(__file__).with_name("data")
NOWHERE = "439999"
PHONE = "13800000000"


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a table in `data/`, without the extension: offices, jurisdictions, violations, name_words."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@dataclass(frozen=True)
class InventedSubject:
    """A subject that does not exist. `kind` is enterprise, sole_trader, institution or person; a person has an
    identity number instead of a code; `region` is the place of registration, `domain` the line of business."""

    kind: str
    name: str
    region: str
    domain: str
    code: str = ""
    id_number: str = ""
    legal_representative: str = ""


@dataclass(frozen=True)
class InventedPenalty:
    """A penalty as an office sent it (`received`), as it was understood (`values`, field codes), what was done to it on
    the way (`mess`), and the class a person would give it with the reason."""

    subject: InventedSubject
    office: str
    received: dict[str, str]
    values: dict[str, str]
    mess: tuple[str, ...]
    cls: str
    cls_basis: str


def organ_code(region: str) -> str:
    """The invented code of the transport organ of a region."""
    return complete_code(f"11{region}JN000001")


def id_number_of(born: date, order: int) -> str:
    """An identity number of nobody: region 439999, right check character."""
    first = f"{NOWHERE}{born:%Y%m%d}{order:03d}"
    return first + id_check_character(first)


def office_of(region: str) -> str:
    """The code of the transport organ that is answerable for a region, by `jurisdictions.csv`."""
    return next(row["office"] for row in table("jurisdictions") if row["region"] == region)


@cache
def _words(part: str) -> tuple[dict[str, str], ...]:
    return tuple(row for row in table("name_words") if row["part"] == part)


class Inventor:
    """Makes subjects; no two from one inventor share a name, a code or an identity number."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()

    def enterprise(self) -> InventedSubject:
        """A company registered with the province or a city."""
        form = self._word("enterprise")
        where = self._word("region_prefix")
        name = self._new(lambda: where["value"] + self._brand() + form["value"])
        return self._body("enterprise", "91", name, where["note"], form["note"])

    def sole_trader(self) -> InventedSubject:
        """个体工商户, registered with a county; the operator stands in the place of the legal representative."""
        county = self._county()
        form = self._word("sole_trader")
        name = self._new(lambda: regions()[county].name + self._brand() + form["value"])
        return self._body("sole_trader", "92", name, county, form["note"])

    def institution(self) -> InventedSubject:
        """事业单位 of a city."""
        form = self._word("institution")
        where = self._word("region_prefix")
        name = self._new(lambda: where["value"] + self._brand() + form["value"])
        return self._body("institution", "12", name, where["note"], form["note"])

    def person(self) -> InventedSubject:
        """A driver."""
        born = date(1960, 1, 1) + timedelta(days=self._rng.randrange(365 * 42))
        number = self._new(lambda: id_number_of(born, self._rng.randrange(1, 999)))
        return InventedSubject("person", self.person_name(), self._county(), "个体货运", id_number=number)

    def anybody(self) -> InventedSubject:
        """Mostly enterprises, as in the public lists."""
        makers: list[Callable[[], InventedSubject]] = [self.enterprise, self.sole_trader, self.institution, self.person]
        return self._rng.choices(makers, weights=[70, 14, 4, 12])[0]()

    def person_name(self) -> str:
        """A common name; names of persons repeat, as they do."""
        return self._word("surname")["value"] + self._word("given")["value"]

    def _body(self, kind: str, beginning: str, name: str, region: str, domain: str) -> InventedSubject:
        code = self._new(lambda: complete_code(f"{beginning}{region}JN{self._rng.randrange(1, 900_000):06d}"))
        return InventedSubject(kind, name, region, domain, code=code, legal_representative=self.person_name())

    def _brand(self) -> str:
        brand = self._word("brand")["value"]
        return brand + self._rng.choice([row["value"] for row in _words("syllable") if row["value"] not in brand])

    def _county(self) -> str:
        return self._rng.choice(
            [region.code for region in regions().values() if region.level == "county" and region.standing == "current"]
        )

    def _word(self, part: str) -> dict[str, str]:
        return self._rng.choice(_words(part))

    def _new(self, make: Callable[[], str]) -> str:
        while (made := make()) in self._taken:
            pass
        self._taken.add(made)
        return made


def invent_penalties(
    n: int, rng: random.Random, *, until: date, subjects: Sequence[InventedSubject] | None = None
) -> list[InventedPenalty]:
    """`n` penalties decided in the two and a half years before `until`, about the given subjects or invented ones.

    Every one of them can become a record: what was received is messy, not wrong.
    """
    inventor = Inventor(rng)
    serials: dict[tuple[str, int], int] = {}
    made: list[InventedPenalty] = []
    while len(made) < n:
        subject = rng.choice(subjects) if subjects else inventor.anybody()
        violation = _violation_of(subject, rng)
        if violation is None:
            continue
        office = next(row for row in table("offices") if row["code"] == office_of(subject.region))
        decided = until - timedelta(days=rng.randrange(10, 900))
        serial = serials[office["code"], decided.year] = serials.get((office["code"], decided.year), 0) + rng.randrange(
            1, 9
        )
        clean = _clean_row(subject, violation, office, decided, serial, rng)
        made.append(_as_received(clean, subject, office["code"], violation, until, rng))
    return made


def _violation_of(subject: InventedSubject, rng: random.Random) -> dict[str, str] | None:
    fitting = [
        row
        for row in table("violations")
        if subject.domain in row["domains"].split(";") and subject.kind in row["subjects"].split(";")
    ]
    return rng.choice(fitting) if fitting else None


def _clean_row(
    subject: InventedSubject,
    violation: dict[str, str],
    office: dict[str, str],
    decided: date,
    serial: int,
    rng: random.Random,
) -> dict[str, str]:
    seen = decided - timedelta(days=rng.randrange(8, 60))
    weight = rng.randrange(500, 990) / 10
    fine = _between(violation["fine"], rng)
    gain = _between(violation["gain"], rng)
    words = {
        "day": f"{seen.year}年{seen.month}月{seen.day}日",
        "plate": f"湘{rng.choice('ABCDEFGHJKLMN')}演{rng.randrange(1000):03d}",
        "road": f"{full_name(subject.region)}境内S998线（演）K{rng.randrange(1, 99)}+{rng.randrange(0, 10)}00处",
        "weight": f"{weight:.1f}",
        "over": f"{weight - 49:.1f}",
        "count": str(rng.randrange(3, 40)),
        "serial": f"{rng.randrange(10**6):06d}",
        "fine": str(fine),
        "gain": str(gain),
    }
    code = organ_code(office["region_code"])
    row = {
        "CF_XDR_MC": subject.name,
        "CF_XDR_LB": {"person": "自然人", "sole_trader": "个体工商户"}.get(subject.kind, "法人及非法人组织"),
        "CF_WSH": f"{office['organ_word']}罚〔{decided.year}〕{serial}号",
        "CF_WFXW": violation["deed"],
        "CF_SY": violation["facts"].format(**words),
        "CF_YJ": violation["basis"],
        "CF_CFLB": violation["kinds"],
        "CF_NR": violation["content"].format(**words),
        "CF_JDRQ": decided.isoformat(),
        "CF_YXQ": "2099-12-31",
        "CF_CFJG": office["name"],
        "CF_CFJGDM": code,
        "CF_SJLY": office["name"],
        "CF_SJLYDM": code,
    }
    if subject.kind == "person":
        row |= {"CF_XDR_ZJLX": "身份证", "CF_XDR_ZJHM": subject.id_number}
    else:
        row |= {"CF_XDR_SHXYM": subject.code, "CF_FRDB": subject.legal_representative}
    if fine:
        row["CF_NR_FK"] = _wan(fine)
    if gain:
        row["CF_NR_WFFF"] = _wan(gain)
    if violation["licence"]:
        row["CF_NR_ZKDX"] = violation["licence"].format(**words)
    return row


def _between(span: str, rng: random.Random) -> int:
    """A sum within a span of 元 ("500-20000"), rounded as organs round; 0 for no span."""
    if not span:
        return 0
    low, high = (int(end) for end in span.split("-"))
    return rng.randrange(low, high + 1, 100 if high <= 5000 else 500)


def _wan(yuan: int) -> str:
    return f"{yuan / 10000:.6f}".rstrip("0").rstrip(".")


def _as_received(
    clean: dict[str, str],
    subject: InventedSubject,
    office: str,
    violation: dict[str, str],
    taken_in: date,
    rng: random.Random,
) -> InventedPenalty:
    received = dict(clean)
    mess = []
    for habit in rng.sample(_HABITS, k=rng.choices([0, 1, 2, 4], weights=[25, 35, 25, 15])[0]):
        if habit(received, rng):
            mess.append(habit.__name__.strip("_"))
    verdict = validate(entry_for("XZCF", taken_in), received, taken_in)
    if not verdict.ok:
        raise AssertionError(f"an invented row must be acceptable: {[finding.text for finding in verdict.problems]}")
    values = dict(verdict.values)
    return InventedPenalty(subject, office, received, values, tuple(mess), violation["cls"], violation["cls_basis"])


# The habits of those who fill in the sheets: each changes a row in place and says whether it could. -------------------


def _square_brackets(row: dict[str, str], rng: random.Random) -> bool:
    row["CF_WSH"] = row["CF_WSH"].translate(str.maketrans("〔〕", rng.choice(["[]", "【】", "（）"])))
    return True


def _blank_in_the_number(row: dict[str, str], rng: random.Random) -> bool:
    row["CF_WSH"] = row["CF_WSH"].replace("号", " 号").replace("〔", "〔 ")
    return True


def _ordinal_and_zeros(row: dict[str, str], rng: random.Random) -> bool:
    head, bracket, serial = row["CF_WSH"].partition("〕")
    if not bracket:
        return False
    row["CF_WSH"] = f"{head}〕第0{serial.strip()}"
    return True


def _date_otherwise(row: dict[str, str], rng: random.Random) -> bool:
    day = date.fromisoformat(row["CF_JDRQ"])
    serial = (day - date(1899, 12, 30)).days
    row["CF_JDRQ"] = rng.choice(
        [f"{day.year}/{day.month}/{day.day}", f"{day:%Y.%m.%d}", f"{day.year}年{day.month}月{day.day}日", str(serial)]
    )
    return True


def _for_ever_in_words(row: dict[str, str], rng: random.Random) -> bool:
    row["CF_YXQ"] = rng.choice(["长期", "9999-12-31", "2099/12/31"])
    return True


def _another_vocabulary(row: dict[str, str], rng: random.Random) -> bool:
    row["CF_XDR_LB"] = {"自然人": "01", "个体工商户": "04", "法人及非法人组织": rng.choice(["法人和其他组织", "2"])}[
        row["CF_XDR_LB"]
    ]
    return True


def _copy_of_the_licence(row: dict[str, str], rng: random.Random) -> bool:
    if "CF_XDR_SHXYM" not in row:
        return False
    row["CF_XDR_SHXYM"] = rng.choice(
        [row["CF_XDR_SHXYM"] + "（1-1）", row["CF_XDR_SHXYM"].lower(), " " + row["CF_XDR_SHXYM"]]
    )
    return True


def _placeholders(row: dict[str, str], rng: random.Random) -> bool:
    row |= {code: "--" for code in ("CF_XDR_GSZC", "CF_XDR_SWDJ", "BZ") if code not in row}
    return True


def _sum_with_unit(row: dict[str, str], rng: random.Random) -> bool:
    if "CF_NR_FK" not in row:
        return False
    row["CF_NR_FK"] = rng.choice(
        [row["CF_NR_FK"] + "万元", row["CF_NR_FK"].translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))]
    )
    return True


def _line_breaks(row: dict[str, str], rng: random.Random) -> bool:
    row["CF_SY"] = row["CF_SY"].replace("，", "，\r\n\t", 1) + "　"
    return True


def _older_field_names(row: dict[str, str], rng: random.Random) -> bool:
    for current, former in (("CF_NR", "CF_JG"), ("CF_CFJG", "CF_XZJG"), ("CF_FRDB", "CF_FR")):
        if current in row:
            row[former] = row.pop(current)
    return True


def _another_unit_sends(row: dict[str, str], rng: random.Random) -> bool:
    row |= {"CF_SJLY": "湖南省交通运输厅", "CF_SJLYDM": organ_code("430000"), "案件名称": row["CF_WFXW"] + "案"}
    return True


_HABITS: tuple[Callable[[dict[str, str], random.Random], bool], ...] = (
    _square_brackets,
    _blank_in_the_number,
    _ordinal_and_zeros,
    _date_otherwise,
    _for_ever_in_words,
    _another_vocabulary,
    _copy_of_the_licence,
    _placeholders,
    _sum_with_unit,
    _line_breaks,
    _older_field_names,
    _another_unit_sends,
)
