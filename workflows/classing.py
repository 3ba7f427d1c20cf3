"""失信信息分类: how grave a record is, and how long it must and may be shown.

The law is chosen by the day of the document that recognises the dishonesty. Since order 36 a record is minor (轻微),
ordinary (一般) or serious (严重), by the table in `law/records.toml`: the first row that fits decides. Order 58 knew no
classes, only fields with a longer period; before it a department classed each record. Where the table is silent, or a
fact it needs is missing, a person must class the record; nothing is guessed and no amount of a fine is invented.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from workflows.calendar import months_after
from workflows.law import NothingInForce, Rule, RuleRow, instrument, rule, rules

MINOR, ORDINARY, SERIOUS = "轻微", "一般", "严重"
CLASSES = (MINOR, ORDINARY, SERIOUS)

SIMPLE_PROCEDURE, ORDINARY_PROCEDURE = "simple", "ordinary"

FINE = "罚款"
FINE_SIZES = ("较少", "较大", "巨额")
"""How large a fine is, as a person or the department states it."""

_FINES = {"较少": "较少数额罚款", "较大": "较大数额罚款", "巨额": "巨额罚款"}
_SIMPLE, _SERIOUS_LIST, _ABNORMAL_LIST = "简易程序", "严重失信主体名单", "经营异常名录"
_WARNINGS = frozenset({"警告", "通报批评"})
_NAMES = {MINOR: "minor", ORDINARY: "ordinary", SERIOUS: "serious"}


@dataclass(frozen=True, slots=True)
class Classing:
    """The class of a record and why. `cls` is None when a person must class it, or when its law knew no classes.

    `row` is the row of the table that decided, None when the department or a person did.
    """

    cls: str | None
    needs_person: bool
    reason: str
    row: RuleRow | None = None


@dataclass(frozen=True, slots=True)
class PublicityTerm:
    """How long a record is shown. Days are civil days; a last day belongs to the period and never rolls.

    `minimum_last_day` is None where no waiting is asked, `first_day` is the first day an application is possible and
    None when it never is (`repairable` False) or not known (`needs_person`). `maximum_last_day` is the day publicity
    ends by itself if all duties are performed; None when the law does not have the record `published`. `cls` is None
    under a law without classes; `label` is what a page prints. `rows` are the law rows that were used. While
    `needs_person` holds, only `reason` says anything.
    """

    cls: str | None
    label: str
    minimum_last_day: date | None
    first_day: date | None
    maximum_last_day: date | None
    published: bool
    repairable: bool
    needs_person: bool
    reason: str
    rows: tuple[RuleRow, ...] = ()

    @property
    def citations(self) -> tuple[str, ...]:
        """The bases as a document prints them, each once."""
        return tuple(dict.fromkeys(row.citation for row in self.rows))

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The names of the rules that were used."""
        return tuple(row.rule_id for row in self.rows)

    @property
    def verified(self) -> bool:
        """False when a row that was used still waits for the legal office."""
        return all(row.verified for row in self.rows)


def classify(
    recognised_on: date,
    penalty_kinds: frozenset[str],
    procedure: str,
    *,
    serious_list: bool = False,
    abnormal_list: bool = False,
    fine_size: str | None = None,
    assigned: str | None = None,
) -> Classing:
    """The class of a record recognised on that day.

    `penalty_kinds` are the kinds of 行政处罚法 art. 9 as the directory writes them (警告, 罚款, 吊销许可证件 …).
    `procedure` is simple, ordinary or empty when not known, `fine_size` 较少, 较大, 巨额 or None when nobody has said.
    `assigned` is the class given by the department or a person; it counts where the table does not decide. Raises
    ValueError for a procedure, size or class that does not exist.
    """
    if procedure not in (SIMPLE_PROCEDURE, ORDINARY_PROCEDURE, ""):
        raise ValueError(f"处罚程序“{procedure}”不认识，只有简易程序 simple、普通程序 ordinary，不知道的留空")
    if fine_size is not None and fine_size not in FINE_SIZES:
        raise ValueError(f"罚款数额“{fine_size}”不认识，只有{'、'.join(FINE_SIZES)}")
    if assigned is not None and assigned not in CLASSES:
        raise ValueError(f"失信类别“{assigned}”不认识，只有{'、'.join(CLASSES)}")
    table = _table(recognised_on)
    if not table:
        return _classed_without_table(recognised_on, assigned, serious_list)
    facts = penalty_kinds - {FINE}
    facts |= {fact for fact, is_so in ((_SERIOUS_LIST, serious_list), (_ABNORMAL_LIST, abnormal_list)) if is_so}
    if fine_size is not None:
        facts |= {_FINES[fine_size]}
    doubts = _doubts(facts, table)
    if FINE in penalty_kinds and fine_size is None:
        doubts = (*doubts, "罚款数额是较少、较大还是巨额")
    said = facts | ({_SIMPLE} if procedure == SIMPLE_PROCEDURE else frozenset())
    for each, row in table:
        found = said.intersection(row.when)
        if not found or (row.alone and not (facts <= frozenset(row.when) and FINE not in penalty_kinds)):
            continue
        if row.value == SERIOUS or procedure == SIMPLE_PROCEDURE or not doubts:
            named = "、".join(word for word in row.when if word in found)
            return Classing(str(row.value), False, f"{each.title}（本件：{named}），属于{row.value}失信信息。", row)
        break
    if assigned is not None:
        return Classing(assigned, False, f"分类表没有写明的，由行业主管部门或者经办人确定为{assigned}失信信息。")
    if doubts:
        return Classing(None, True, f"还不能确定类别，须由人认定：{'；'.join(doubts)}。")
    return Classing(None, True, "处罚种类不详或者不在分类表里，须由人认定类别。")


def publicity_term(
    recognised_on: date,
    penalty_kinds: frozenset[str],
    procedure: str,
    *,
    serious_list: bool = False,
    abnormal_list: bool = False,
    fine_size: str | None = None,
    assigned: str | None = None,
    fields: frozenset[str] = frozenset(),
    necessary: bool = False,
) -> PublicityTerm:
    """The minimum and maximum publicity of a record recognised on that day. Arguments as for `classify`.

    `fields` are the fields of regulation the penalty belongs to (安全生产, 消防 …), which set the period before order
    36; `necessary` says that the department found it necessary to publish a minor record.
    """
    classing = classify(
        recognised_on,
        penalty_kinds,
        procedure,
        serious_list=serious_list,
        abnormal_list=abnormal_list,
        fine_size=fine_size,
        assigned=assigned,
    )
    special = _in_force("records.minimum_special", recognised_on)
    if special is not None and (in_field := fields.intersection(special.when)):
        reason = f"属于{'、'.join(sorted(in_field))}领域，依当时的规定适用较长的公示期。"
        return _shown(recognised_on, "special", None, reason, ())
    minor = _in_force("records.minor_publication", recognised_on)
    if (
        minor is not None
        and minor.value == "never"
        and (procedure == SIMPLE_PROCEDURE or (penalty_kinds and penalty_kinds <= _WARNINGS))
    ):
        reason = "适用简易程序的处罚和警告、通报批评，依当时的规定不公示。"
        return _not_shown(recognised_on, None, reason, (minor,))
    if classing.needs_person:
        return PublicityTerm(None, "", None, None, None, False, False, True, classing.reason)
    used = (classing.row,) if classing.row is not None else ()
    if classing.cls != MINOR:
        return _shown(recognised_on, _NAMES[classing.cls or ORDINARY], classing.cls, classing.reason, used)
    if minor is None:
        reason = f"{_basis(recognised_on)}没有轻微一类，须由人重新认定类别。"
        return PublicityTerm(None, "", None, None, None, False, False, True, reason)
    if not necessary:
        return _not_shown(recognised_on, MINOR, f"{classing.reason}一般不公示，义务履行完毕即可修复。", (*used, minor))
    longest = rule("records.maximum_minor").on(recognised_on)
    return PublicityTerm(
        cls=MINOR,
        label=MINOR,
        minimum_last_day=None,
        first_day=recognised_on,
        maximum_last_day=_end(recognised_on, longest),
        published=True,
        repairable=True,
        needs_person=False,
        reason=f"{classing.reason}行业主管部门认为确有必要，予以公示；义务履行完毕即可修复。",
        rows=(*used, minor, longest),
    )


def _table(day: date) -> tuple[tuple[Rule, RuleRow], ...]:
    """The rows of the class table in force on a day, in their order."""
    return tuple(
        (each, row)
        for each in rules()
        if each.rule_id.startswith("records.class_")
        for row in each.rows
        if row.in_force(day)
    )


def _in_force(key: str, day: date) -> RuleRow | None:
    try:
        return rule(key).on(day)
    except NothingInForce:
        return None


def _doubts(facts: frozenset[str], table: Iterable[tuple[Rule, RuleRow]]) -> tuple[str, ...]:
    """Facts of which the table says nothing: they may be graver than what it knows."""
    known = {word for _, row in table for word in row.when}
    return tuple(f"分类表里没有“{fact}”" for fact in sorted(facts - known))


def _classed_without_table(day: date, assigned: str | None, serious_list: bool) -> Classing:
    """Before order 36: order 58 has one period for all, so no class is needed; before it the department gave one."""
    general = _in_force("records.minimum_ordinary", day)
    if general is None:
        return Classing(None, True, "没有收录认定当时的公示期规定，须由人认定。")
    if serious_list:
        return Classing(None, True, "列入严重失信主体名单的，公示到移出名单为止，期限须由人认定。")
    if _in_force("records.minimum_serious", day) is None:
        return Classing(None, False, f"{_basis(day)}不分轻重。")
    if assigned is not None:
        return Classing(assigned, False, f"{_basis(day)}由行业主管部门或者经办人确定为{assigned}失信信息。")
    return Classing(None, True, f"{_basis(day)}区分一般和严重，须由人认定类别。")


def _basis(day: date) -> str:
    return f"认定时适用的{instrument(rule('records.minimum_ordinary').on(day).instrument).citation}"


def _shown(recognised_on: date, name: str, cls: str | None, reason: str, used: tuple[RuleRow, ...]) -> PublicityTerm:
    shortest = rule(f"records.minimum_{name}").on(recognised_on)
    longest = rule(f"records.maximum_{name}").on(recognised_on)
    minimum, maximum = _end(recognised_on, shortest), _end(recognised_on, longest)
    repairable = minimum < maximum
    return PublicityTerm(
        cls=cls,
        label=cls or f"{'特定领域' if name == 'special' else '不分类'}（{instrument(shortest.instrument).number}）",
        minimum_last_day=minimum,
        first_day=minimum + timedelta(days=1) if repairable else None,
        maximum_last_day=maximum,
        published=True,
        repairable=repairable,
        needs_person=False,
        reason=reason if repairable else f"{reason}最短与最长公示期相同，期满以前不得修复。",
        rows=(*used, shortest, longest),
    )


def _not_shown(recognised_on: date, cls: str | None, reason: str, used: tuple[RuleRow, ...]) -> PublicityTerm:
    return PublicityTerm(
        cls=cls,
        label=cls or f"不公示（{instrument(used[-1].instrument).number}）",
        minimum_last_day=None,
        first_day=recognised_on,
        maximum_last_day=None,
        published=False,
        repairable=True,
        needs_person=False,
        reason=reason,
        rows=used,
    )


def _end(start: date, row: RuleRow) -> date:
    """The last day of a publicity period; it does not roll to a working day, so no calendar is asked."""
    assert row.unit in ("M", "Y") and isinstance(row.value, int), row.rule_id
    return months_after(start, row.value * (12 if row.unit == "Y" else 1))
