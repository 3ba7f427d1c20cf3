"""Whom a row is about: a subject of the register, a new one, or nobody that can be named without a doubt.

Found by the code, also an earlier one; natural persons by the blind index of their document's number. A row whose code
belongs to another name waits: a penalty shown at the wrong company does harm. The same name under a second code may be
a new registration: the row goes in and somebody is asked to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app

from app.registry import values as cells
from app.registry.blind import blind_index
from app.registry.intake import lookups
from app.registry.intake.lookups import Known
from app.registry.intake.work import Judged, NewSubject, Work
from app.registry.regions import regions
from app.registry.text import name_key, say

PERSON, SOLE_TRADER = "自然人", "个体工商户"
_INSTITUTIONS = ("11", "12", "13", "19")
_FIRM_ENDINGS = ("公司", "厂", "店", "行", "部", "合作社", "企业", "车队", "中心（有限合伙）")


@dataclass(frozen=True, slots=True)
class Whom:
    """The subject, or why there is none (`reason` about `field`). `finding` names the doubt, also one that warns."""

    id: int = 0
    field: str = ""
    reason: str = ""
    finding: str = ""
    warning: str = ""


class Subjects:
    """The subjects that the rows of a chunk name: those that are known, and those that are new."""

    def __init__(self, work: Work, rows: Sequence[Judged]) -> None:
        entry = self._entry = work.entry
        self._work = work
        self._name, self._category = entry.by_role["name"][0].code, entry.by_role["category"][0].code
        self._code = entry.by_role["code"][0].code
        self._since = work.today.isoformat()
        self._key = bytes.fromhex(current_app.config["INDEX_KEY"])
        codes, blinds, names = set(), set(), set()
        for judged in rows:
            values = judged.verdict.values
            if values[self._category] == PERSON:
                blinds.add(self._blind(values)[1])
            else:
                codes.add(values[self._code])
        self._known = lookups.by_code(codes)
        self._persons = lookups.by_blind(blinds)
        for judged in rows:
            values = judged.verdict.values
            if values[self._category] != PERSON and values[self._code] not in self._known:
                names.add(values[self._name])
        self._named = lookups.by_name(names)
        self._ids = iter(
            lookups.next_ids("subject", len(codes - self._known.keys()) + len(blinds - self._persons.keys()))
        )
        self.new: list[NewSubject] = []

    def of(self, judged: Judged) -> Whom:
        """Whom a row is about; a subject that is new is made."""
        values: Any = judged.verdict.values
        return self._person(values) if values[self._category] == PERSON else self._organisation(values)

    def _person(self, values: dict[str, str]) -> Whom:
        name = values[self._name]
        kind, blind = self._blind(values)
        known = self._persons.get(blind)
        if known is None:
            number = self._entry.value("document-number", values)
            made = NewSubject(
                next(self._ids), "person", name, "", "", kind, number=number, blind=blind, since=self._since
            )
            self.new.append(made)
            self._persons[blind] = Known(made.id, "person", name)
            return Whom(made.id)
        if name_key(known.name) != name_key(name) and not self._work.confirmed:
            reason = say("这个证件号码在库中属于另一个姓名；请对照证件核对姓名和号码")
            return Whom(field=self._name, reason=reason, finding="two_names")
        return Whom(known.id)

    def _organisation(self, values: dict[str, str]) -> Whom:
        name, code = values[self._name], values[self._code]
        if code == self._entry.value("source-code", values) or (code[:2] == "11" and name.endswith(_FIRM_ENDINGS)):
            reason = say("{code} 是机关的代码，“{name}”应填自己的代码；请对照证照核对", code=code, name=name)
            return Whom(field=self._code, reason=reason, finding="organ_code")
        known = self._known.get(code)
        if known is not None:
            if known.name != name and name_key(known.name) != name_key(name) and not self._work.confirmed:
                reason = say(
                    "代码 {code} 在库中属于“{name}”；请核对代码，已更名的请由经办人确认", code=code, name=known.name
                )
                return Whom(field=self._code, reason=reason, finding="two_names")
            return Whom(known.id)
        kind = "sole_trader" if values[self._category] == SOLE_TRADER or code[:2] == "92" else "enterprise"
        if code[:2] in _INSTITUTIONS:
            kind = "institution"
        representative = self._entry.value("representative", values)
        made = NewSubject(
            next(self._ids), kind, name, representative, _region(code), "uscc", code=code, since=self._since
        )
        self.new.append(made)
        self._known[code] = Known(made.id, kind, name)
        key = name_key(name)
        namesake = self._named.get(key)
        self._named.setdefault(key, self._known[code])
        if namesake is None:
            return Whom(made.id)
        warning = say("“{name}”在库中已有另一个代码；请核对是重新登记还是代码有误", name=name)
        return Whom(made.id, self._code, finding="two_codes", warning=warning)

    def _blind(self, values: Any) -> tuple[str, str]:
        """The kind of identifier and the blind index of a person's document."""
        document = self._entry.value("document", values)
        number = self._entry.value("document-number", values)
        if document == cells.IDENTITY_CARD:
            return "id_card", blind_index(number, self._key, "identifier")
        return "document", blind_index(f"{document}{number}", self._key, "identifier")


def _region(code: str) -> str:
    """Where a code was registered: its region, or what took the region's place, or the province."""
    region = regions().get(code[2:8])
    if region is None:
        return f"{code[2:4]}0000" if f"{code[2:4]}0000" in regions() else ""
    return region.successor or region.code
