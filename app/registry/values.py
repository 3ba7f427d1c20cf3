"""One cell of a received row, read by the rule of its field."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from app.registry.codes import check_code, check_id_number
from app.registry.days import read_day
from app.registry.masking import quoted
from app.registry.money import plain, read_wan
from app.registry.text import fold, is_blank, say, tidy, visible

# Organs and public institutions; anybody else may not impose a penalty or grant a licence, unless a law says so.
_ORGAN_KINDS = frozenset({"11", "12", "13", "19"})
_BETWEEN_VALUES = re.compile(r"[;,，；|\n]+")
_OLD_ORGANISATION = re.compile(r"[0-9A-Z]{8}-?[0-9X]")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+\d{1,3}")
_ENDS_CUT = re.compile(r"\d{15}000")
IDENTITY_CARD = "身份证"


class CodeList:
    """The values a field may take, with the spellings of other systems that mean the same.

    A value marked "older" is understood and kept, but says less than the present list wants.
    """

    def __init__(self, rows: Sequence[Mapping[str, str]]) -> None:
        self.values = tuple(row["value"] for row in rows if row["status"] == "current")
        self._older = frozenset(row["value"] for row in rows if row["status"] == "older")
        self._known: dict[str, str] = {}
        for row in rows:
            for spelling in (row["value"], *filter(None, row["aliases"].split(";"))):
                self._known[fold(spelling)] = row["value"]

    def find(self, written: str) -> str:
        """The list's value for a spelling, "" when there is none. 其他 may carry a note: 其他-船舶登记."""
        folded = fold(written)
        if folded in self._known:
            return self._known[folded]
        head, dash, note = folded.partition("-")
        if dash and note and head == "其他" and head in self._known:
            return f"{self._known[head]}-{tidy(written).replace('－', '-').partition('-')[2] or note}"
        return ""

    def is_older(self, value: str) -> bool:
        """True when the value belongs to a former list that did not separate what the present one separates."""
        return value in self._older


class Read(NamedTuple):
    """A value in its canonical form ("" for nothing), and what is wrong or doubtful with what was written."""

    value: str
    problem: str = ""
    warnings: tuple[str, ...] = ()


def read_text(cell: object, max_len: int | None) -> Read:
    """Running text: invisible characters and line breaks go, full-width punctuation stays."""
    value = tidy(cell)
    if is_blank(value):
        return Read("")
    if "�" in value or "锟斤拷" in value:
        return Read("", say("文字已经损坏（乱码），无法还原；请用原文件重新导出"))
    if _SCIENTIFIC.fullmatch(value):
        return Read("", say("表格软件已把编号变成科学计数法，数字已经丢失，无法还原；请把该列设为“文本”格式后重新填写"))
    if max_len and len(value) > max_len:
        return Read(value, say("最多 {limit} 个字，现有 {count} 个；请缩短", limit=max_len, count=len(value)))
    written = str(cell)
    hidden = len(written) - len(visible(written))
    return Read(value, "", (say("含有 {count} 个看不见的字符，已经去掉", count=hidden),) if hidden else ())


def read_one(cell: object, codes: CodeList) -> Read:
    """One value of a code list."""
    if is_blank(cell):
        return Read("")
    if value := codes.find(tidy(cell)):
        return Read(value, "", _if_older((value,), codes))
    return Read("", _unknown(tidy(cell), codes))


def read_several(cell: object, codes: CodeList) -> Read:
    """Values of a code list joined by ; or 、 or another mark; kept in the order written, joined by a semicolon."""
    if is_blank(cell):
        return Read("")
    values: list[str] = []
    for piece in _BETWEEN_VALUES.split(visible(str(cell))):
        whole = codes.find(piece)  # first the piece as it is: one lawful value contains 、
        for part in [piece] if whole else piece.split("、"):
            if is_blank(part):
                continue
            value = codes.find(part)
            if not value:
                return Read("", _unknown(tidy(part), codes))
            if value not in values:
                values.append(value)
    return Read(";".join(values), "", _if_older(values, codes))


def _unknown(written: str, codes: CodeList) -> str:
    return say("“{written}”不在名目之中；可填：{choices}", written=quoted(written), choices="、".join(codes.values))


def _if_older(values: Sequence[str], codes: CodeList) -> tuple[str, ...]:
    unclear = "“{value}”是旧名目，分不清是哪一种；请对照决定书补充"
    return tuple(say(unclear, value=value) for value in values if codes.is_older(value))


def read_code(cell: object, regions: Mapping[str, str], organ: bool = False) -> Read:
    """A unified code; of an organ, one that organs and institutions have."""
    verdict = check_code(cell, regions)
    if not verdict.code:
        return Read("")
    if not verdict.ok:
        return Read("", verdict.problems[0])
    warnings = list(verdict.warnings)
    if organ and verdict.code[:2] not in _ORGAN_KINDS:
        warnings.append(say("{code} 不是机关、事业单位的代码，请核对是否填成了企业的代码", code=verdict.code))
    return Read(verdict.code, "", tuple(warnings))


def read_organisation_code(cell: object) -> Read:
    """A former 9-character organisation code, hyphen or not."""
    written = fold(cell)
    if is_blank(written):
        return Read("")
    if written.isdecimal() and 5 <= len(written) < 9:
        lost = "只有 {count} 位数字，开头的 0 可能被表格软件去掉了；请对照证件补足 9 位"
        return Read("", say(lost, count=len(written)))
    if not _OLD_ORGANISATION.fullmatch(written):
        return Read("", say("组织机构代码应为 9 位数字或大写字母；没有可以不填"))
    return Read(written.replace("-", ""))


def read_document_number(cell: object, document: str) -> Read:
    """The number of a person's document; only an identity card's is checked. No sentence repeats the number."""
    if is_blank(cell):
        return Read("")
    if _SCIENTIFIC.fullmatch(fold(cell)):
        return Read("", say("表格软件已把号码变成科学计数法，数字已经丢失，无法还原；请把该列设为“文本”格式后重新填写"))
    if document == IDENTITY_CARD:
        if _ENDS_CUT.fullmatch(fold(cell)) and not check_id_number(cell).ok:
            return Read("", say("末三位可能已被表格软件改成 0；请把该列设为“文本”格式后重新填写"))
        verdict = check_id_number(cell)
        return Read(verdict.code if verdict.ok else "", verdict.problems[0] if verdict.problems else "")
    number = fold(cell)
    if not number.isalnum() or len(number) > 64:
        return Read("", say("证件号码应为数字和字母；请对照证件重新输入"))
    return Read(number)


def read_sum(cell: object, positive: bool) -> Read:
    """A sum in 万元 as a plain decimal."""
    if is_blank(cell):
        return Read("")
    read = read_wan(cell)
    if read.wan is None:
        return Read("", read.problem)
    if positive and not read.wan:
        return Read("", say("金额应大于 0；没有这一项请不要填"))
    return Read(plain(read.wan), "", (read.note,) if read.note else ())


def read_civil_day(cell: object, open_ended: bool, today: date | None) -> Read:
    """A civil day in ISO form. `today`, where given, is the last day that can be right."""
    if is_blank(cell):
        return Read("")
    read = read_day(cell)
    if read.day is None:
        return Read("", read.problem)
    if read.day.year >= 2099 and not open_ended:
        return Read("", say("这里不能填“长期”，请填具体日期"))
    if today and read.day > today:
        return Read("", say("{day} 还没有到，请核对日期", day=read.day.isoformat()))
    return Read(read.day.isoformat(), "", (read.note,) if read.note else ())
