"""统一社会信用代码 (GB 32100-2015, GB 11714-1997) and 公民身份号码 (GB 11643-1999): check, complete, explain.

A unified code has two check characters: position 18 over the first 17 (GB 32100, modulo 31) and position 17 over
positions 9 to 16 (GB 11714, modulo 11). Both are read here; a code whose 17th is wrong while its 18th is right is
accepted with a warning, because the standard that issues the code is GB 32100. The code names the region of
registration, which may since have been renamed or dissolved, so an unknown region is a warning, never a refusal.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from app.registry.text import fold, is_blank, say

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS_18 = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_WEIGHTS_17 = (3, 7, 9, 10, 5, 8, 4, 2)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"

# First two characters that GB 32100 and its amendment describe: registering organ, kind of body.
KINDS = {
    "11": "机关", "12": "事业单位", "13": "编办直接管理机构编制的群众团体", "19": "机构编制其他",
    "21": "外国常驻新闻机构", "29": "外交其他",
    "31": "律师执业机构", "32": "公证处", "33": "基层法律服务所", "34": "司法鉴定机构", "35": "仲裁委员会",
    "39": "司法行政其他",
    "41": "外国在华文化中心", "49": "文化其他",
    "51": "社会团体", "52": "民办非企业单位", "53": "基金会", "59": "民政其他",
    "61": "外国旅游部门常驻代表机构", "62": "港澳台地区旅游部门常驻内地（大陆）代表机构", "69": "旅游其他",
    "71": "宗教活动场所", "72": "宗教院校", "79": "宗教其他",
    "81": "基层工会", "89": "工会其他",
    "91": "企业", "92": "个体工商户", "93": "农民专业合作社",
    "A1": "军队事业单位", "A9": "军队其他",
    "N1": "组级集体经济组织", "N2": "村级集体经济组织", "N3": "乡镇级集体经济组织", "N9": "农业其他",
    "Y1": "其他",
}  # fmt: skip

# Province-level prefixes of GB/T 2260; 10 is used by the national registration organ.
PROVINCES = frozenset(
    {"10", "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43"}
    | {"44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82"}
)

# A region of today, or one that has been renamed or dissolved since the code was issued.
_SETTLED: frozenset[str | None] = frozenset({"current", "retired"})

# Characters the alphabet leaves out, and what the writer most probably meant.
_MISTAKEN = {"I": "1", "O": "0", "Z": "2", "S": "5", "V": "U"}

_LICENCE_COPY = re.compile(r"\((?:\d{1,2}-\d{1,2}|副本[\d-]*|正本|\d)\)$")
_LABEL = re.compile(r"^(?:统一)?社会信用代?码[:;]?")
_SCIENTIFIC = re.compile(r"^\d(?:\.\d+)?E\+?\d{1,2}$")
_SEPARATORS = str.maketrans("", "", "-'\"`·.,_")
_OLD_ORGANISATION = re.compile(r"^[0-9A-Z]{8}[0-9X]$")


class CodeVerdict(NamedTuple):
    """What was found about a number somebody wrote.

    `code` is the cleaned number ("" when nothing was written). `problems` refuse, `warnings` ask somebody to look;
    both are Chinese sentences that say the remedy. (A named tuple, because it is made in half the time of a frozen
    dataclass and a file of fifty thousand rows makes three for each row.)
    """

    ok: bool
    code: str
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without the number, so that an identity number never reaches a log by accident."""
        return f"CodeVerdict(ok={self.ok}, problems={self.problems}, warnings={self.warnings})"


_made = tuple.__new__
"""Makes a verdict in half the time that its own constructor needs."""


def clean_code(text: object) -> str:
    """The code as the standard writes it: one width, capitals, no blanks, hyphens, invisible characters, label or
    licence-copy suffix （1-1）. An empty cell or a placeholder gives "". Nothing that is missing is guessed.
    """
    if is_blank(text):
        return ""
    folded = fold(text)
    if _SCIENTIFIC.match(folded):
        return folded
    return _LICENCE_COPY.sub("", _LABEL.sub("", folded)).translate(_SEPARATORS)


# One table per position. An entry stands for the character's share of both sums at once: the one number below
# 31 × 11 that leaves the GB 32100 share modulo 31 and the GB 11714 share modulo 11. With the check characters
# included, the total is a multiple of 341 exactly when both are right, so eighteen look-ups decide everything.
def _tables() -> list[dict[str, int]]:
    tables = []
    for place in range(18):
        characters = ALPHABET
        if 2 <= place < 8:
            characters = ALPHABET[:10]
        elif place == 16:
            characters = "0123456789X"
        table = {}
        for character in characters:
            share_31 = (_WEIGHTS_18[place] if place < 17 else 1) * _VALUE[character]
            share_11 = 0
            if 8 <= place < 16:
                share_11 = _WEIGHTS_17[place - 8] * int(character, 36)
            elif place == 16:
                share_11 = 10 if character == "X" else int(character)
            table[character] = (share_31 * 11 * 17 + share_11 * 31 * 5) % 341  # 11·17 ≡ 1 (31), 31·5 ≡ 1 (11)
        tables.append(table)
    return tables


_TABLES = _tables()
_T4, _T5, _T6, _T7, _T8, _T9, _T10, _T11, _T12, _T13, _T14, _T15, _T16, _T17 = _TABLES[4:]
# The first four characters are looked up together: only beginnings that are usual have an entry.
_HEAD = {
    kind + province: sum(_TABLES[place][character] for place, character in enumerate(kind + province))
    for kind in KINDS
    for province in PROVINCES
}


def check_code(text: Any, regions: Mapping[str, str] | None = None) -> CodeVerdict:
    """Check a unified code as somebody wrote it.

    `regions` maps a six-digit region code to its standing, "current", "retired" or "zone", for the provinces it
    covers; without it only the province prefix is looked at. Refused are a wrong length or character, a wrong 18th
    character, and a code that no organ issues (all zeros); everything doubtful is a warning.
    """
    try:  # the common case first: a clean and usual code; anything else raises or falls through
        _, _, _, _, e, f, g, h, i, j, k, m, n, o, p, q, r, s = text
        total = (
            _HEAD[text[:4]] + _T4[e] + _T5[f] + _T6[g] + _T7[h] + _T8[i] + _T9[j] + _T10[k]
            + _T11[m] + _T12[n] + _T13[o] + _T14[p] + _T15[q] + _T16[r] + _T17[s]
        )  # fmt: skip
        if not total % 341 and (regions is None or regions.get(text[2:8]) in _SETTLED):
            return _made(CodeVerdict, (True, text, (), ()))
    except (KeyError, TypeError, ValueError):
        pass
    return _explain(clean_code(text), regions)


def _explain(code: str, regions: Mapping[str, str] | None) -> CodeVerdict:
    if problem := _misshapen(code) or _unlawful(code):
        return CodeVerdict(False, code, (problem,))
    if code[17] != _check_18(code):
        return CodeVerdict(False, code, (_wrong_check(code),))
    warnings: list[str] = []
    if code[16] != _check_17(code):
        wrong_17 = "第 17 位按组织机构代码规则应为 {right}，您输入的是 {given}；请对照证照核对"
        warnings.append(say(wrong_17, right=_check_17(code), given=code[16]))
    if code[:2] not in KINDS:
        warnings.append(say("前两位 {kind} 不是常见的登记管理部门和机构类别，请对照证照核对", kind=code[:2]))
    if warning := _doubtful_region(code[2:8], regions):
        warnings.append(warning)
    return CodeVerdict(True, code, (), tuple(warnings))


def doubt_of(text: object) -> str:
    """What kind of wrong number stands in the place of a code: `old_code` for the shapes that came before it (9
    characters of an organisation, 15 digits of a registration), `bad_code` for one whose check characters are wrong,
    "" for a sound one and for anything else."""
    code = clean_code(text)
    if (len(code) == 9 and _OLD_ORGANISATION.match(code)) or (len(code) == 15 and code.isdecimal()):
        return "old_code"
    if len(code) != 18 or _misshapen(code) or _unlawful(code):
        return ""
    return "bad_code" if code[17] != _check_18(code) or code[16] != _check_17(code) else ""


def _misshapen(code: str) -> str:
    if not code:
        return say("没有填写统一社会信用代码；请填写证照上的 18 位代码")
    if _SCIENTIFIC.match(code):
        return say("表格软件已把代码变成科学计数法，数字已经丢失，无法还原；请把该列设为“文本”格式后重新填写")
    if len(code) == 9 and _OLD_ORGANISATION.match(code):
        return say("这是 9 位的旧组织机构代码，不是统一社会信用代码；请填写证照上的 18 位代码")
    if len(code) == 15 and code.isdecimal():
        return say("这是 15 位的旧注册号，不是统一社会信用代码；请填写证照上的 18 位代码")
    wrong_length = "统一社会信用代码应为 18 位，您输入了 {count} 位，{which} {difference} 位"
    if len(code) != 18:
        which = "少" if len(code) < 18 else "多"
        return say(wrong_length, count=len(code), which=which, difference=abs(18 - len(code)))
    return ""


def _unlawful(code: str) -> str:
    if code[6:14].isdecimal() and code[:17].isdecimal() and check_id_number(code).ok and code[17] != _check_18(code):
        return say("这是个人身份证号码，不是统一社会信用代码；请填写证照上的 18 位代码")
    for place, character in enumerate(code, 1):
        if character in _MISTAKEN:
            return say(
                "第 {place} 位是字母 {given}，代码中不使用 I、O、Z、S、V，可能应为 {likely}；请对照证照核对",
                place=place, given=character, likely=_MISTAKEN[character],
            )  # fmt: skip
        if character not in _VALUE:
            strange = "第 {place} 位“{given}”不是代码可用的数字或大写字母，请重新输入这一位"
            return say(strange, place=place, given=character)
        if 2 < place < 9 and not character.isdigit():
            return say("第 {place} 位是登记地区划，应为数字，您输入的是 {given}", place=place, given=character)
    if code[0] == "0" or code[2:8] == "000000":
        return say("没有登记机关会赋予这样的代码；请填写证照上的 18 位代码")
    return ""


def _wrong_check(code: str) -> str:
    """Say where the error is: at the end when the organisation part is consistent, otherwise inside it."""
    for place in range(8, 17):
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        if swapped != code and swapped[17] == _check_18(swapped) and swapped[16] == _check_17(swapped):
            return say("第 {first} 位和第 {second} 位可能颠倒了，请对照证照核对", first=place + 1, second=place + 2)
    if code.isdecimal() and code.endswith("000"):
        return say("末三位可能已被表格软件改成 0；请把该列设为“文本”格式后重新填写")
    right = _check_18(code)
    if code[16] == _check_17(code):
        ending = "第 18 位应为 {right}，您输入的是 {given}；若末位与证照一致，请核对前 8 位"
        return say(ending, right=right, given=code[17])
    return say(
        "第 9 至 18 位有错：按前面各位推算，第 17 位应为 {right_17}、第 18 位应为 {right}；请对照证照逐位核对",
        right_17=_check_17(code), right=right,
    )  # fmt: skip


def _doubtful_region(region: str, regions: Mapping[str, str] | None) -> str:
    if region[:2] not in PROVINCES:
        return say("登记地区划 {region} 不属于任何省级区划，请对照证照核对", region=region)
    if regions is None or not any(known.startswith(region[:2]) for known in regions):
        return ""
    standing = regions.get(region)
    if standing in _SETTLED:
        return ""
    if standing == "zone":
        return say("登记地区划 {region} 是开发区、管理区的统计代码，请对照证照核对", region=region)
    return say("登记地区划 {region} 不在现行和已撤销的区划之中，请对照证照核对", region=region)


def _check_18(code: str) -> str:
    return ALPHABET[-sum(w * _VALUE[c] for w, c in zip(_WEIGHTS_18, code, strict=False)) % 31]


def _check_17(code: str) -> str:
    rest = -sum(w * int(c, 36) for w, c in zip(_WEIGHTS_17, code[8:16], strict=True)) % 11
    return "X" if rest == 10 else str(rest)


def complete_code(first16: str) -> str:
    """The 18-character code that begins with these 16 characters, for bodies that are invented.

    Raises ValueError when they are not 16 characters of the alphabet with six digits for the region.
    """
    if len(first16) != 16 or not set(first16) <= _VALUE.keys() or not first16[2:8].isdecimal():
        raise ValueError("sixteen characters of the code's alphabet are needed, with digits in positions 3 to 8")
    first17 = first16 + _check_17(first16)
    return first17 + _check_18(first17)


def check_id_number(text: object) -> CodeVerdict:
    """Check an 18-digit resident identity number: shape, province, birth date, check character.

    No sentence repeats a digit of the number.
    """
    number = "" if is_blank(text) else fold(text).translate(_SEPARATORS)
    return CodeVerdict(not (problem := _id_problem(number)), number, (problem,) if problem else ())


def _id_problem(number: str) -> str:
    if not number:
        return say("没有填写身份证号码；请填写证件上的 18 位号码")
    if len(number) == 15 and number.isdecimal():
        return say("这是 15 位的旧身份证号码；请填写现行证件上的 18 位号码")
    if len(number) != 18:
        return say("身份证号码应为 18 位，您输入了 {count} 位", count=len(number))
    if not (number[:17].isascii() and number[:17].isdecimal() and number[17] in "0123456789X"):
        return say("身份证号码前 17 位应为数字，末位应为数字或 X；请对照证件重新输入")
    if number[:2] not in PROVINCES or number[:2] == "10":
        return say("身份证号码前两位不是任何省级区划；请对照证件核对")
    if not _is_day(number[6:14]):
        return say("身份证号码第 7 至 14 位不是真实的出生日期；请对照证件核对")
    if number[17] != id_check_character(number):
        return say("身份证号码的末位与前 17 位不符；请对照证件逐位核对")
    return ""


def _is_day(digits: str) -> bool:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year >= 1850
    except ValueError:
        return False


def id_check_character(first17: str) -> str:
    """The check character of an identity number from its first 17 digits."""
    return _ID_CHECKS[sum(w * int(c) for w, c in zip(_ID_WEIGHTS, first17, strict=False)) % 11]
