"""What may be seen of a person: masked on the server, before any page, export, document, log or answer is made.

Organisations are never masked. An identity number is for the officers of the case, masked, and for nobody else:
a public text leaves it out. Every function gives plain text without markup and never gives more than it was given.
"""

import re
from collections.abc import Mapping

from app.registry.codes import check_code, check_id_number
from app.registry.text import fold, tidy

HIDDEN = "***"

_DOUBLE_SURNAMES = frozenset(
    re.findall(
        "..",
        "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶太叔申屠"
        "公孙慕容仲孙钟离长孙宇文司徒鲜于司空闾丘子车亓官司寇巫马公西壤驷公良漆雕乐正宰父谷梁拓跋"
        "夹谷轩辕令狐段干百里呼延东郭南门羊舌微生左丘东门西门第五完颜",
    )
)


def mask_name(name: object) -> str:
    """张三 as 张*, 欧阳修 as 欧阳*: the family name stays, the length of the rest is not told."""
    known = tidy(name)
    if not known:
        return ""
    if len(known) > 2 and known[:2] in _DOUBLE_SURNAMES:
        return known[:2] + "*"
    return known[0] + "*"


def mask_id(number: object) -> str:
    """An identity document's number for an officer's page: first 3 and last 2 of a long one, otherwise less."""
    known = fold(number)
    if len(known) >= 15:
        return known[:3] + "*" * (len(known) - 5) + known[-2:]
    if len(known) >= 7:
        return known[0] + "*" * (len(known) - 2) + known[-1]
    return "*" * len(known)


_MOBILE = re.compile(r"(?:\+?86)?(1\d{10})")
_LANDLINE = re.compile(r"(0\d{2,3})?(\d{3,4})(\d{4})")


def mask_phone(phone: object) -> str:
    """138****5678; a landline keeps its area code and last four digits; anything else keeps nothing."""
    known = re.sub(r"[-()]", "", fold(phone))
    if not known:
        return ""
    if mobile := _MOBILE.fullmatch(known):
        return mobile[1][:3] + "****" + mobile[1][-4:]
    if landline := _LANDLINE.fullmatch(known):
        return (f"{landline[1]}-" if landline[1] else "") + "****" + landline[3]
    return HIDDEN


# A part of an address above the street. Words of streets, villages and buildings end it, so that what cannot be
# read as province, city and county is left out rather than shown; names that contain such a word are listed.
_ENDS = r"\W\d_省市县区旗路街巷弄号栋室村组"
_NAME = "|".join(
    (
        "津市|景德镇|通道侗族自治",
        rf"[^{_ENDS}乡镇道]乡",
        rf"乡[^{_ENDS}]",
        rf"[道镇][^{_ENDS}]{{0,2}}",
        rf"[^{_ENDS}乡镇道]{{1,12}}?",
    )
)
_ADDRESS = re.compile(
    rf"(?:(?:{_NAME})(?:省|自治区))?"
    rf"(?:(?:{_NAME})(?:自治州|地区|盟|市))?"
    rf"(?:(?:{_NAME})(?:县|(?<![小社园校片厂院库景])区|旗|市))?"
)


def mask_address(address: object) -> str:
    """An address down to the county, nothing of street, village or house; *** when no county can be read."""
    known = fold(address).removeprefix("中国")
    if not known:
        return ""
    found = _ADDRESS.match(known)
    return found[0] if found and found[0] else HIDDEN


_ID_IN_TEXT = re.compile(
    r"(?<![0-9A-Za-z])[1-8]\d{5}[ -]?"
    r"(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?"
    r"\d{3}[0-9Xx](?![0-9A-Za-z])"
)
_MOBILE_IN_TEXT = re.compile(r"(?<![0-9A-Za-z])1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![0-9A-Za-z])")
_NARROW_DIGITS = str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789XX")


def has_personal_numbers(text: object) -> bool:
    """True when running text contains an identity number or a mobile number."""
    known = tidy(text).translate(_NARROW_DIGITS)
    return hide_personal_numbers(known) != known


def hide_personal_numbers(text: object) -> str:
    """Running text with every identity number and mobile number in it masked.

    A number with one wrong digit is still somebody's, so the shape decides; only an organisation's code that happens
    to look like an identity number stays.
    """
    known = tidy(text).translate(_NARROW_DIGITS)
    return _MOBILE_IN_TEXT.sub(lambda found: mask_phone(found[0]), _ID_IN_TEXT.sub(_hidden_id, known))


def hide_names(text: str, names: Mapping[str, str]) -> str:
    """Running text in which each of these names gives way to its mask. A name of one character stays: it is in every
    other word."""
    for name, mask in names.items():
        if len(name) > 1:
            text = text.replace(name, mask)
    return text


def _hidden_id(match: re.Match[str]) -> str:
    number = match[0]
    is_code = check_code(number).ok and not check_id_number(number).ok
    return number if is_code else mask_id(number.replace("-", ""))


def quoted(text: object) -> str:
    """What somebody typed, to be repeated in a sentence: at most 40 characters, no number of a person."""
    return hide_personal_numbers(text)[:40]
